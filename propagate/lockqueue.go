package propagate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// rank is what a workflow is served by.
type rank struct {
	priority int32
	created  time.Time
}

// Rank says how a workflow is served: by the priority of its specification, the higher first, then by when it was created,
// the older first. A host calls it before the workflow first asks for a lock, and again when the priority has changed. A
// workflow of which nothing was said has the priority 0 and counts as the oldest.
func (t *LockTable) Rank(workflow string, spec *nodegraph.Spec) {
	t.must()
	if t.ranks == nil {
		t.ranks = make(map[string]rank)
	}
	is := rank{spec.Priority, spec.Created}
	t.ranks[workflow] = is
	for k := range t.waits {
		if w := &t.waits[k]; w.holder.Workflow == workflow {
			w.rank, t.stuck = is, nil
		}
	}
	slices.SortFunc(t.waits, byTurn)
}

// byTurn orders those who wait by who is served first.
func byTurn(a, b waiter) int {
	return cmp.Or(cmp.Compare(b.rank.priority, a.rank.priority), a.rank.created.Compare(b.rank.created), a.number-b.number)
}

// enqueue puts one who is not there into the queue, and returns the place.
func (t *LockTable) enqueue(w waiter) int {
	if w.number == 0 {
		t.arrived++
		w.number = t.arrived
	}
	w.rank = t.ranks[w.holder.Workflow]
	place, _ := slices.BinarySearchFunc(t.waits, w, byTurn)
	t.waits, t.stuck = slices.Insert(t.waits, place, w), nil
	return place
}

// free reports whether all that the waiter at this place wants is free, whoever else waits for it.
func (t *LockTable) free(place int) bool {
	return !slices.ContainsFunc(t.waits[place].locks, func(l nodegraph.Lock) bool { return t.full(l.Key) })
}

// full reports whether no place of a lock is free.
func (t *LockTable) full(key string) bool { return len(t.locks[key].holders) >= t.locks[key].limit }

// obstacle returns the first lock that the waiter at this place can't have: one without a free place, but for those that are
// kept for others. It is empty when there is none.
func (t *LockTable) obstacle(place int) string {
	for _, l := range t.waits[place].locks {
		if s := t.locks[l.Key]; t.full(l.Key) || len(s.holders)+t.kept(place, l.Key) >= s.limit {
			return l.Key
		}
	}
	return ""
}

// kept counts the places of a lock that are kept from the waiter at this place: for those before the first of its workflow.
func (t *LockTable) kept(place int, key string) int {
	n := 0
	for k := range t.waits[:place] {
		switch w := &t.waits[k]; {
		case !wants(w.locks, key):
		case w.holder.Workflow == t.waits[place].holder.Workflow:
			return n
		case !t.neverGoes(k) && !t.needs(k, place):
			n++
		}
	}
	return n
}

// needs reports whether the waiter at place k goes on only after the one at place end, as far as is known: that one, or one that
// needs it, is inside a holder of what the waiter lacks, or is in front of it.
func (t *LockTable) needs(k, end int) bool {
	seen := make([]bool, len(t.waits))
	for stack := []int{k}; len(stack) > 0; {
		w := &t.waits[stack[len(stack)-1]]
		before := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := range t.waits {
			if o := &t.waits[m]; !seen[m] && (t.holdsUp(o, w) || m < before && t.inFrontOf(m, w)) {
				seen[m] = true
				stack = append(stack, m)
			}
		}
	}
	return seen[end]
}

// holdsUp reports whether o is inside one that holds what w lacks.
func (t *LockTable) holdsUp(o, w *waiter) bool {
	for _, l := range w.locks {
		if t.full(l.Key) && slices.ContainsFunc(t.locks[l.Key].holders, o.inside) {
			return true
		}
	}
	return false
}

// inFrontOf reports whether a place may be kept from w for the one at place m, who comes before it.
func (t *LockTable) inFrontOf(m int, w *waiter) bool {
	o := &t.waits[m]
	shares := func(l nodegraph.Lock) bool { return wants(o.locks, l.Key) }
	return o.holder.Workflow != w.holder.Workflow && slices.ContainsFunc(w.locks, shares) && !t.neverGoes(m)
}

// inside reports whether the waiter is inside a holder, which does not end before it then.
func (w *waiter) inside(h Holder) bool {
	return h.Workflow == w.holder.Workflow && (h.Node == "" || slices.Contains(w.within, h.Node))
}
