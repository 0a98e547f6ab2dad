package propagate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Holder is a workflow, or one node of it, that holds or waits for locks. The zero Node is the workflow itself.
type Holder struct {
	Workflow string // what the host calls the workflow, unique among all that share the table
	Node     string // id of the node, empty for the workflow as a whole
}

// A LockTable grants mutexes and semaphores to the workflows of one host (Argo: the synchronization manager). A holder
// gets all the locks it asks for at once, or waits for all of them, so that holders can't wait for each other. Those who
// wait are served in the order in which they came. The zero value is an empty table.
type LockTable struct {
	locks map[string]*lockState
	held  map[Holder][]nodegraph.Lock
	waits []waiter
}

type lockState struct {
	limit   int
	holders []Holder
}

type waiter struct {
	holder Holder
	locks  []nodegraph.Lock
}

// Acquire asks for all of locks. If they can't be granted the holder is queued, and key and message say for which of
// them it waits, in Argo's words. Asking again does not lose the place in the queue.
func (t *LockTable) Acquire(h Holder, locks []nodegraph.Lock) (granted bool, key, message string) {
	if _, ok := t.held[h]; ok {
		return true, "", ""
	}
	t.name(locks)
	place := slices.IndexFunc(t.waits, func(w waiter) bool { return w.holder == h })
	if place < 0 {
		place = len(t.waits)
		t.waits = append(t.waits, waiter{h, locks})
	}
	if key = t.obstacle(place); key != "" {
		l := t.locks[key]
		return false, key, fmt.Sprintf("Waiting for %s lock. Lock status: %d/%d", key, l.limit-len(l.holders), l.limit)
	}
	t.grant(place)
	return true, "", ""
}

// Release gives back all that the holder has, or takes it out of the queue, and returns who holds all their locks now
// and did not before.
func (t *LockTable) Release(h Holder) []Holder {
	for _, l := range t.held[h] {
		s := t.locks[l.Key]
		s.holders = slices.DeleteFunc(s.holders, func(other Holder) bool { return other == h })
	}
	delete(t.held, h)
	t.waits = slices.DeleteFunc(t.waits, func(w waiter) bool { return w.holder == h })
	return t.Grant()
}

// Grant gives free locks to those who wait for them and returns who holds all their locks now and did not before. Only
// a host that has just adopted an engine needs to call it.
func (t *LockTable) Grant() []Holder {
	var granted []Holder
	for place := 0; place < len(t.waits); {
		if t.obstacle(place) != "" {
			place++
			continue
		}
		granted = append(granted, t.waits[place].holder)
		t.grant(place)
	}
	return granted
}

// Holders returns who holds the lock, in the order in which they got it.
func (t *LockTable) Holders(key string) []Holder {
	if l := t.locks[key]; l != nil {
		return slices.Clone(l.holders)
	}
	return nil
}

// Waiters returns who waits for the lock, the next to be served first.
func (t *LockTable) Waiters(key string) []Holder {
	var list []Holder
	for _, w := range t.waits {
		if wants(w.locks, key) {
			list = append(list, w.holder)
		}
	}
	return list
}

// obstacle returns the first lock that the waiter at this place can't have: one without a free place, counting those
// who came before. It is empty when there is none.
func (t *LockTable) obstacle(place int) string {
	for _, l := range t.waits[place].locks {
		s := t.locks[l.Key]
		before := 0
		for _, w := range t.waits[:place] {
			if wants(w.locks, l.Key) {
				before++
			}
		}
		if len(s.holders)+before >= s.limit {
			return l.Key
		}
	}
	return ""
}

func (t *LockTable) grant(place int) {
	w := t.waits[place]
	t.waits = slices.Delete(t.waits, place, place+1)
	t.hold(w.holder, w.locks)
}

func (t *LockTable) hold(h Holder, locks []nodegraph.Lock) {
	if t.held == nil {
		t.held = make(map[Holder][]nodegraph.Lock)
	}
	t.held[h] = locks
	for _, l := range locks {
		s := t.locks[l.Key]
		if !slices.Contains(s.holders, h) {
			s.holders = append(s.holders, h)
		}
	}
}

// name makes locks known. The limit of each is the one that was named last; one that nobody knows counts as 1.
func (t *LockTable) name(locks []nodegraph.Lock) {
	if t.locks == nil {
		t.locks = make(map[string]*lockState)
	}
	for _, l := range locks {
		s := t.locks[l.Key]
		if s == nil {
			s = &lockState{limit: 1}
			t.locks[l.Key] = s
		}
		if l.Limit > 0 {
			s.limit = l.Limit
		}
	}
}

func wants(locks []nodegraph.Lock, key string) bool {
	return slices.ContainsFunc(locks, func(l nodegraph.Lock) bool { return l.Key == key })
}

// Forget gives back all that a workflow holds and takes it out of every queue, because it does not exist any more. It
// returns who holds all their locks now and did not before.
func (t *LockTable) Forget(workflow string) []Holder {
	t.drop(workflow)
	return t.Grant()
}

func (t *LockTable) drop(workflow string) {
	for h, locks := range t.held {
		if h.Workflow != workflow {
			continue
		}
		for _, l := range locks {
			s := t.locks[l.Key]
			s.holders = slices.DeleteFunc(s.holders, func(other Holder) bool { return other == h })
		}
		delete(t.held, h)
	}
	t.waits = slices.DeleteFunc(t.waits, func(w waiter) bool { return w.holder.Workflow == workflow })
}

// Adopt enters what a restored engine holds and waits for, under the name the host has for its workflow. A host that
// restarts adopts all its engines before it acts on any, and calls [LockTable.Grant] then. It takes the place of what
// the table has of this workflow, so a host that restores an engine anew adopts it again, and calls Grant.
func (t *LockTable) Adopt(workflow string, e *Engine) {
	t.drop(workflow)
	nodes := make([]nodegraph.Index, 0, 8)
	for i := range nodegraph.Index(e.graph.Len()) {
		switch e.facts.Node(i).Lock() {
		case fact.LockHeld, fact.LockGranted, fact.LockWaits:
			nodes = append(nodes, i)
		}
	}
	slices.SortFunc(nodes, func(a, b nodegraph.Index) int {
		return cmp.Or(e.facts.Created(a).Time().Compare(e.facts.Created(b).Time()), e.StartOrder(a, b))
	})
	for _, i := range nodes {
		h := Holder{Workflow: workflow, Node: e.graph.Node(i).ID()}
		t.name(e.rules.LocksOf(i))
		if e.facts.Node(i).Lock() != fact.LockWaits {
			t.hold(h, e.rules.LocksOf(i))
		} else {
			t.waits = append(t.waits, waiter{h, e.rules.LocksOf(i)})
		}
	}
}
