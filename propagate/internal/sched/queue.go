package sched

import "github.com/nodestatus/nodestatus/nodegraph"

// queue holds the nodes to evaluate. It yields the deepest first, and of one depth those that exist before those that
// are planned: causes come before effects. What is planned is put in only when nothing it comes after is open, so that
// order needs no more than that.
type queue struct {
	lists []rankList // by rank: what has a higher one comes first
	top   int        // no list of a higher rank holds a node
	size  int
}

// rankList are the nodes of one rank, in the order in which they came.
type rankList struct {
	nodes []nodegraph.Index
	head  int // the first that is left
}

func (l *rankList) push(i nodegraph.Index) { l.nodes = append(l.nodes, i) }

// take removes the first node.
func (l *rankList) take() nodegraph.Index {
	i := l.nodes[l.head]
	if l.head++; l.head == len(l.nodes) {
		l.nodes, l.head = l.nodes[:0], 0
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

// pop removes the next node that is at least so deep, None if there is none.
func (q *queue) pop(depth int) nodegraph.Index {
	for ; q.size > 0 && q.top >= rank(depth, true); q.top-- {
		if l := &q.lists[q.top]; l.head < len(l.nodes) {
			q.size--
			return l.take()
		}
	}
	return nodegraph.None
}
