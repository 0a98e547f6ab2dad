package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A LockWait is one step of a wait that can never end. The waiter waits for the lock, which the holder has. The holder does not
// end before the waiter of the next step.
type LockWait struct {
	Waiter Holder // who waits
	Key    string // of the lock that it waits for
	Holder Holder // who has that lock
}

// Deadlocks returns the cycles in which holders wait for each other, which last until somebody stops one of them. The
// last holder of a cycle does not end before its first waiter. What waits inside a holder is known of engines that were
// adopted and of actions that [LockTable.Answer] carried out; besides, a workflow does not end before its nodes. Cycles come in
// the order in which their first waiters would be served.
func (t *LockTable) Deadlocks() [][]LockWait {
	t.must()
	var cycles [][]LockWait
	seen := make([]int, len(t.waits)) // by which walk, from 1 on
	for k := range t.waits {
		if !t.neverGoes(k) {
			continue
		}
		at := k
		for ; seen[at] == 0; _, at = t.heldUpBy(at) {
			seen[at] = k + 1
		}
		if seen[at] == k+1 { // the walk has met itself
			cycles = append(cycles, t.cycle(at))
		}
	}
	return cycles
}

// cycle returns the cycle that goes through the waiter at place k, from its first waiter on.
func (t *LockTable) cycle(k int) []LockWait {
	first := k
	for _, at := t.heldUpBy(k); at != k; _, at = t.heldUpBy(at) {
		first = min(first, at)
	}
	step, at := t.heldUpBy(first)
	cycle := []LockWait{step}
	for at != first {
		step, at = t.heldUpBy(at)
		cycle = append(cycle, step)
	}
	return cycle
}

// heldUpBy returns why the waiter at place k, which can never go on, does not: the first lock that it can't get, and the first
// holder that keeps it. It also returns the place of the first inside that holder who can never go on either.
func (t *LockTable) heldUpBy(k int) (LockWait, int) {
	w, blocked := &t.waits[k], t.neverEnding()
	for _, l := range w.locks {
		if !t.keptForEver(l.Key, blocked) {
			continue
		}
		for _, h := range t.locks[l.Key].holders {
			if !blocked[h] {
				continue
			}
			for m := range t.waits {
				if t.stuck[m] && t.waits[m].inside(h) {
					return LockWait{w.holder, l.Key, h}, m
				}
			}
		}
	}
	panic("propagate: a waiter that can go on")
}

// neverGoes reports whether the waiter at place k can never go on: of a lock that it wants all places are held by such as do not
// end before a waiter inside them, which can never go on either.
func (t *LockTable) neverGoes(k int) bool {
	if t.stuck == nil {
		t.stuck = slices.Repeat([]bool{true}, len(t.waits))
		for t.someGo() {
		}
	}
	return t.stuck[k]
}

// someGo takes those out of the stuck who go on once all end who are not, and reports whether there were any.
func (t *LockTable) someGo() bool {
	some, blocked := false, t.neverEnding()
	for k := range t.waits {
		kept := func(l nodegraph.Lock) bool { return t.keptForEver(l.Key, blocked) }
		if t.stuck[k] && !slices.ContainsFunc(t.waits[k].locks, kept) {
			t.stuck[k], some = false, true
		}
	}
	return some
}

// neverEnding has all who do not end because one inside them is stuck.
func (t *LockTable) neverEnding() map[Holder]bool {
	blocked := make(map[Holder]bool)
	for k := range t.waits {
		if w := &t.waits[k]; t.stuck[k] {
			blocked[Holder{Workflow: w.holder.Workflow}] = true
			for _, id := range w.within {
				blocked[Holder{w.holder.Workflow, id}] = true
			}
		}
	}
	return blocked
}

// keptForEver reports whether no place of a lock becomes free, since those who are blocked never end.
func (t *LockTable) keptForEver(key string, blocked map[Holder]bool) bool {
	n := 0
	for _, h := range t.locks[key].holders {
		if blocked[h] {
			n++
		}
	}
	return n >= max(t.locks[key].limit, 1) // a limit that is not known may come
}
