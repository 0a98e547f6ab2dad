package draw

import (
	"cmp"
	"slices"
)

// Arrows that share their start, or their end, share lanes: they are a bus.
type bus struct {
	box   int  // at the end that they share
	start bool // it is the start
}

// A reach is a bus and the columns that it passes.
type reach struct {
	bus
	first, last int
}

// express is the bus of all arrows that there are no more lanes for.
var express = bus{box: noBox}

// giveLanes gives a lane to every bus in every column that it passes. The shortest come first: where there would be more lanes
// than a picture can hold, all arrows that are left share one.
func (g *griddler) giveLanes(grid *grid) {
	of := g.buses(grid)
	reaches := g.reaches(grid, of)
	left := mostLanes * len(grid.items)
	lanes := make(map[bus]map[int]int, len(reaches)) // by column
	for _, r := range reaches {
		if left -= r.last - r.first + 1; left < 0 {
			r.bus = express
		}
		if lanes[r.bus] == nil {
			lanes[r.bus] = make(map[int]int)
		}
		for c := r.first; c <= r.last; c++ {
			if _, ok := lanes[r.bus][c]; !ok {
				lanes[r.bus][c] = len(grid.items)
				grid.columns[c] = append(grid.columns[c], len(grid.items))
				grid.items = append(grid.items, noBox)
			}
		}
	}
	for k := range grid.arrows {
		a := &grid.arrows[k]
		by := lanes[of[k]]
		if by == nil {
			by = lanes[express]
		}
		for c := g.in[a.from] + 1; c < g.in[a.to]; c++ {
			a.lanes = append(a.lanes, by[c])
		}
	}
}

// buses says which bus each arrow is part of: the larger of the two that it could be. An arrow to the next column needs none.
func (g *griddler) buses(grid *grid) []bus {
	starts, ends := make(map[int]int), make(map[int]int)
	for k := range grid.arrows {
		if a := &grid.arrows[k]; g.far(a.arrow) {
			starts[a.from]++
			ends[a.to]++
		}
	}
	of := make([]bus, len(grid.arrows))
	for k := range grid.arrows {
		a := &grid.arrows[k]
		of[k] = bus{a.from, true}
		if ends[a.to] > starts[a.from] {
			of[k] = bus{a.to, false}
		}
	}
	return of
}

// far reports whether an arrow passes a column.
func (g *griddler) far(a arrow) bool { return g.in[a.to] > g.in[a.from]+1 }

// reaches are the columns that each bus passes, the shortest first.
func (g *griddler) reaches(grid *grid, of []bus) []reach {
	at := make(map[bus]int)
	var list []reach
	for k := range grid.arrows {
		a := grid.arrows[k].arrow
		if !g.far(a) {
			continue
		}
		first, last := g.in[a.from]+1, g.in[a.to]-1
		place, ok := at[of[k]]
		if !ok {
			place, at[of[k]] = len(list), len(list)
			list = append(list, reach{of[k], first, last})
		}
		list[place].first, list[place].last = min(list[place].first, first), max(list[place].last, last)
	}
	slices.SortStableFunc(list, func(a, b reach) int { return cmp.Compare(a.last-a.first, b.last-b.first) })
	return list
}

// join notes which items of neighbouring columns an arrow joins, each pair once.
func (g *grid) join(itemOf []int) {
	g.before, g.after = make([][]int, len(g.items)), make([][]int, len(g.items))
	joined := make(map[[2]int]bool)
	for k := range g.arrows {
		a := &g.arrows[k]
		from := itemOf[a.from]
		for _, to := range append(slices.Clip(a.lanes), itemOf[a.to]) {
			if pair := [2]int{from, to}; !joined[pair] {
				joined[pair] = true
				g.after[from], g.before[to] = append(g.after[from], to), append(g.before[to], from)
			}
			from = to
		}
	}
}
