package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// queue holds the nodes to evaluate. It yields the deepest first, and of one depth those that exist before those that
// are planned: causes come before effects. What is planned is put in only when nothing it comes after is open, so that
// order needs no more than that.
type queue struct {
	lists []fifo // by rank: what has a higher one comes first
	top   int    // no list of a higher rank holds a node
	size  int
}

// rank is where nodes of one depth are kept.
func rank(depth int, planned bool) int {
	r := 2 * depth
	if !planned {
		r++
	}
	return r
}

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

// list is where nodes of one rank are kept.
func (q *queue) list(rank int) *fifo {
	if rank >= len(q.lists) {
		q.deepen(rank)
	}
	return &q.lists[rank]
}

func (q *queue) deepen(rank int) { q.lists = append(q.lists, make([]fifo, rank+1-len(q.lists))...) }

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
		if f := &q.lists[q.top]; !f.empty() {
			q.size--
			return f.pop()
		}
	}
	return nodegraph.None
}

// timers are the times at which nodes must be looked at again, as a heap, the soonest first.
type timers struct {
	list []timer
	told stamp // the time the host was last asked to wake the engine
}

type timer struct {
	at   stamp
	node nodegraph.Index
}

func (t timer) before(o timer) bool { return t.at < o.at || t.at == o.at && t.node < o.node }

// add remembers that node must be evaluated at a time.
func (t *timers) add(at stamp, node nodegraph.Index) {
	t.list = append(t.list, timer{at, node})
	for k := len(t.list) - 1; k > 0; {
		up := (k - 1) / 2
		if !t.list[k].before(t.list[up]) {
			break
		}
		t.list[k], t.list[up] = t.list[up], t.list[k]
		k = up
	}
}

// due removes and returns the next node whose time has come.
func (t *timers) due(now stamp) (nodegraph.Index, bool) {
	if len(t.list) == 0 || t.list[0].at > now {
		return nodegraph.None, false
	}
	first, last := t.list[0], len(t.list)-1
	t.list[0] = t.list[last]
	t.list = t.list[:last]
	for k := 0; ; {
		down := 2*k + 1
		if down+1 < last && t.list[down+1].before(t.list[down]) {
			down++
		}
		if down >= last || !t.list[down].before(t.list[k]) {
			break
		}
		t.list[k], t.list[down] = t.list[down], t.list[k]
		k = down
	}
	return first.node, true
}
