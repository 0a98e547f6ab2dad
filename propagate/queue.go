package propagate

import (
	"math/bits"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// queue holds the nodes to evaluate. It yields the deepest first, and of one depth those that exist before those that
// are planned: causes come before effects. What is planned is put in only when nothing it comes after is open, so that
// order needs no more than that.
type queue struct {
	lists []rankList // by rank: what has a higher one comes first
	top   int        // no list of a higher rank holds a node
	size  int
	bits  []uint64 // scratch of arrange
}

// rankList are the nodes of one rank. They are taken in batches: what came since the last one was begun.
type rankList struct {
	nodes       []nodegraph.Index
	head, batch int // the first that is left, and the end of its batch
}

func (l *rankList) push(i nodegraph.Index) { l.nodes = append(l.nodes, i) }

// take removes the first node of a batch.
func (l *rankList) take() nodegraph.Index {
	i := l.nodes[l.head]
	if l.head++; l.head == len(l.nodes) {
		l.nodes, l.head, l.batch = l.nodes[:0], 0, 0
	}
	return i
}

// rank is where nodes of one depth are kept.
func rank(depth int, planned bool) int {
	r := 2 * depth
	if !planned {
		r++
	}
	return r
}

// isPlanned tells whether the nodes of a rank are planned.
func isPlanned(rank int) bool { return rank%2 == 0 }

// list is where nodes of one rank are kept.
func (q *queue) list(rank int) *rankList {
	if rank >= len(q.lists) {
		q.deepen(rank)
	}
	return &q.lists[rank]
}

func (q *queue) deepen(rank int) { q.lists = append(q.lists, make([]rankList, rank+1-len(q.lists))...) }

// push adds node i, which is not in the queue.
func (q *queue) push(i nodegraph.Index, rank int) {
	q.list(rank).push(i)
	q.top = max(q.top, rank)
	q.size++
}

// room is where up to n nodes of one rank may be written, for pushed.
func (q *queue) room(rank, n int) []nodegraph.Index {
	f := q.list(rank)
	if have := len(f.nodes); have+n <= cap(f.nodes) {
		return f.nodes[have : have+n]
	}
	f.nodes = slices.Grow(f.nodes, n)
	return f.nodes[len(f.nodes) : len(f.nodes)+n]
}

// pushed adds the first n nodes that were written into room.
func (q *queue) pushed(rank, n int) {
	f := &q.lists[rank]
	f.nodes = f.nodes[:len(f.nodes)+n]
	q.top = max(q.top, rank)
	q.size += n
}

// pop removes the next node that is at least so deep, None if there is none.
func (q *queue) pop(depth int) nodegraph.Index {
	for ; q.size > 0 && q.top >= rank(depth, true); q.top-- {
		l := &q.lists[q.top]
		if l.head == l.batch {
			if l.head == len(l.nodes) {
				continue
			}
			l.batch = len(l.nodes)
			if isPlanned(q.top) {
				q.arrange(l.nodes[l.head:])
			}
		}
		q.size--
		return l.take()
	}
	return nodegraph.None
}

// yields tells whether node i is what pop would yield next from the batch from which it yielded the last one.
func (q *queue) yields(i nodegraph.Index) bool {
	l := &q.lists[q.top]
	return l.head < l.batch && l.nodes[l.head] == i
}

// drop removes the node of which yields has told that it is the next.
func (q *queue) drop() {
	q.lists[q.top].take()
	q.size--
}

// arrange puts a batch in the order of the nodes in memory, which a processor reads ahead, by means of a bit for each index
// from the first to the last. Where that would be more than a word for each node the batch stays as it is.
func (q *queue) arrange(batch []nodegraph.Index) {
	if slices.IsSorted(batch) {
		return
	}
	first, last := batch[0], batch[0]
	for _, i := range batch {
		first, last = min(first, i), max(last, i)
	}
	words := int(last-first)/64 + 1
	if words > len(batch) {
		return
	}
	q.bits = slices.Grow(q.bits[:0], words)[:words]
	clear(q.bits)
	for _, i := range batch {
		at := uint32(i - first)
		q.bits[at/64] |= 1 << (at % 64)
	}
	rest := batch
	for _, word := range q.bits {
		for ; word != 0; word &= word - 1 {
			rest[0] = first + nodegraph.Index(bits.TrailingZeros64(word))
			rest = rest[1:]
		}
		first += 64
	}
}

// fifo is a queue of nodes in the order in which they came.
type fifo struct {
	nodes []nodegraph.Index
	head  int
}

func (f *fifo) push(i nodegraph.Index) { f.nodes = append(f.nodes, i) }

func (f *fifo) empty() bool { return f.head == len(f.nodes) }

func (f *fifo) pop() nodegraph.Index {
	i := f.nodes[f.head]
	if f.head++; f.empty() {
		f.nodes, f.head = f.nodes[:0], 0
	}
	return i
}
