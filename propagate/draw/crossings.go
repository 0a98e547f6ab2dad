package draw

import (
	"cmp"
	"slices"
)

const (
	mostSweeps = 100
	mostIdle   = 20        // sweeps in a row without anything better
	mostWork   = 8_000_000 // pairs of items that sorting one grid may look at
)

// sort orders the items of every column so that few arrows cross. It goes from the first column to the last and back, puts each
// item to where those that it is joined to are on average, then exchanges neighbours while that helps, and keeps the best order
// that it has seen. It does so twice from the same beginning; the second time it also exchanges neighbours where that neither
// helps nor harms, which leads elsewhere. Finding the best of all orders is NP-hard.
func (g *grid) sort() {
	s := &sorter{grid: g, at: make([]int, len(g.items)), key: make([]float64, len(g.items))}
	links := 0
	for _, after := range g.after {
		links += len(after)
	}
	sweeps := min(mostSweeps, 2+mostWork/(1+20*links))
	begin := s.order()
	best, order := -1, begin
	for _, ties := range [...]bool{false, true} {
		s.restore(begin)
		for sweep, idle := 0, 0; sweep < sweeps && best != 0 && idle < mostIdle; sweep++ {
			idle++
			if n := s.crossings(); best < 0 || n < best {
				best, order, idle = n, s.order(), 0
			}
			s.sweep(sweep%2 == 0)
			s.exchange(ties && sweep%4 < 2)
		}
	}
	g.columns = order
}

type sorter struct {
	*grid
	at  []int // of an item: its place in its column
	key []float64
}

// number notes the places of the items of a column.
func (s *sorter) number(c int) {
	for place, item := range s.columns[c] {
		s.at[item] = place
	}
}

func (s *sorter) order() [][]int {
	order := make([][]int, len(s.columns))
	for c := range order {
		order[c] = slices.Clone(s.columns[c])
	}
	return order
}

func (s *sorter) restore(order [][]int) {
	for c := range order {
		copy(s.columns[c], order[c])
		s.number(c)
	}
}

// sweep sorts every column by the one before it, or by the one after it.
func (s *sorter) sweep(forward bool) {
	for k := range s.columns {
		c, joined := k, s.before
		if !forward {
			c, joined = len(s.columns)-1-k, s.after
		}
		for place, item := range s.columns[c] {
			s.key[item] = float64(place)
			if len(joined[item]) > 0 {
				sum := 0
				for _, other := range joined[item] {
					sum += s.at[other]
				}
				s.key[item] = float64(sum) / float64(len(joined[item]))
			}
		}
		slices.SortStableFunc(s.columns[c], func(a, b int) int { return cmp.Compare(s.key[a], s.key[b]) })
		s.number(c)
	}
}

// exchange swaps neighbours in a column as long as fewer arrows cross after it.
func (s *sorter) exchange(ties bool) {
	work := 0
	for again := true; again && work < mostWork/mostSweeps; {
		again = false
		for _, column := range s.columns {
			for k := 1; k < len(column); k++ {
				a, b := column[k-1], column[k]
				work += len(s.before[a])*len(s.before[b]) + len(s.after[a])*len(s.after[b])
				if now, then := s.crossed(a, b), s.crossed(b, a); now > then || ties && now == then {
					column[k-1], column[k] = b, a
					s.at[a], s.at[b] = k, k-1
					again = again || now > then
				}
			}
		}
	}
}

// crossed says how many arrows of item a cross those of item b when a is right above b.
func (s *sorter) crossed(a, b int) int {
	n := 0
	for _, joined := range [...][][]int{s.before, s.after} {
		for _, p := range joined[a] {
			for _, q := range joined[b] {
				if s.at[p] > s.at[q] {
					n++
				}
			}
		}
	}
	return n
}

// crossings counts the pairs of arrows that cross between neighbouring columns.
func (s *sorter) crossings() int {
	n := 0
	for c := 1; c < len(s.columns); c++ {
		var ends []int // places in the column before, in the order of their ends in this one
		for _, item := range s.columns[c] {
			from := make([]int, len(s.before[item]))
			for k, b := range s.before[item] {
				from[k] = s.at[b]
			}
			slices.Sort(from)
			ends = append(ends, from...)
		}
		n += inversions(ends, len(s.columns[c-1]))
	}
	return n
}

// inversions counts the pairs of a list, of numbers below most, that are in the wrong order: a Fenwick tree has how many were
// at most so large.
func inversions(list []int, most int) int {
	tree, n := make([]int, most+1), 0
	for seen, v := range list {
		n += seen
		for k := v + 1; k > 0; k &= k - 1 {
			n -= tree[k]
		}
		for k := v + 1; k <= most; k += k & -k {
			tree[k]++
		}
	}
	return n
}
