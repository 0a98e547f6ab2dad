package propagate

import (
	"container/heap"
	"iter"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// queue holds the nodes to evaluate. It yields the deepest first; of one depth those that exist before those that are
// planned, and these by index, which is an order in which causes come before effects.
type queue struct {
	levels []level
	queued []bool // by node
	top    int    // no deeper level holds a node
	size   int
}

type level struct {
	existing indexHeap
	planned  indexHeap
}

type indexHeap []nodegraph.Index

func (h indexHeap) Len() int           { return len(h) }
func (h indexHeap) Less(a, b int) bool { return h[a] < h[b] }
func (h indexHeap) Swap(a, b int)      { h[a], h[b] = h[b], h[a] }
func (h *indexHeap) Push(x any)        { *h = append(*h, x.(nodegraph.Index)) }
func (h *indexHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// push adds node i unless it is there already.
func (q *queue) push(i nodegraph.Index, depth int, planned bool) {
	for int(i) >= len(q.queued) {
		q.queued = append(q.queued, false)
	}
	if q.queued[i] {
		return
	}
	q.queued[i] = true
	for depth >= len(q.levels) {
		q.levels = append(q.levels, level{})
	}
	if planned {
		heap.Push(&q.levels[depth].planned, i)
	} else {
		heap.Push(&q.levels[depth].existing, i)
	}
	q.top = max(q.top, depth)
	q.size++
}

// pop removes the next node that is at least so deep.
func (q *queue) pop(depth int) (nodegraph.Index, bool) {
	for ; q.size > 0 && q.top >= depth; q.top-- {
		l := &q.levels[q.top]
		h := &l.existing
		if h.Len() == 0 {
			h = &l.planned
		}
		if h.Len() == 0 {
			continue
		}
		i := heap.Pop(h).(nodegraph.Index)
		q.queued[i] = false
		q.size--
		return i, true
	}
	return nodegraph.None, false
}

// timers are the times at which nodes must be looked at again, soonest first.
type timers struct {
	list []timer
	told time.Time // the time the host was last asked to wake the engine
}

type timer struct {
	at   time.Time
	node nodegraph.Index
}

// add remembers that node must be evaluated at a time.
func (t *timers) add(at time.Time, node nodegraph.Index) {
	k, found := slices.BinarySearchFunc(t.list, timer{at, node}, func(a, b timer) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return int(a.node) - int(b.node)
	})
	if !found {
		t.list = slices.Insert(t.list, k, timer{at, node})
	}
}

// due removes and yields the nodes whose time has come.
func (t *timers) due(now time.Time) iter.Seq[nodegraph.Index] {
	n := 0
	for n < len(t.list) && !t.list[n].at.After(now) {
		n++
	}
	due := slices.Clone(t.list[:n])
	t.list = slices.Delete(t.list, 0, n)
	return func(yield func(nodegraph.Index) bool) {
		for _, d := range due {
			if !yield(d.node) {
				return
			}
		}
	}
}

// next is the soonest time.
func (t *timers) next() (time.Time, bool) {
	if len(t.list) == 0 {
		return time.Time{}, false
	}
	return t.list[0].at, true
}
