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
// gets all the locks it asks for at once, or waits for all of them. The zero value is an empty table. One goroutine at a time may
// use a table, and a copy of one shares what it knows with it: see [LockTable.Clone].
//
// Those who wait are served in this order: the workflow with the higher priority first, then the older one, then who came
// first; see [LockTable.Rank]. Whoever of a workflow asks has the place in front that any of its nodes has, as in Argo.
// A place of a lock that is free is kept for those in front who wait for others too, with two exceptions, since in Argo such
// waits may never end:
//
//  1. Nothing is kept for one who can never go on: see [LockTable.Deadlocks].
//  2. Nothing is kept from one whose own end those in front need, directly or through others.
//
// So a lock is left free only for somebody who gets it once others end who need nobody that is made to wait.
type LockTable struct {
	locks   map[string]*lockState
	held    map[Holder]holding
	waits   []waiter // the next to be served first
	ranks   map[string]rank
	arrived int    // how many have come to wait
	stuck   []bool // of waits, who can never go on; nil if that has to be worked out anew
}

// must panics where there is no table.
func (t *LockTable) must() {
	if t == nil {
		panic("propagate: the LockTable is nil; its zero value is an empty table")
	}
}

type lockState struct {
	limit   int
	holders []Holder
}

// A holding is what a holder has.
type holding struct {
	locks  []nodegraph.Lock
	number int // of its arrival, as of a waiter; 0 if it never waited in this table
}

type waiter struct {
	holder Holder
	locks  []nodegraph.Lock
	within []string // ids of the nodes around it that have locks
	rank   rank
	number int // of its arrival; 0 for one that is new
}

// Acquire asks for all of locks. If they can't be granted the holder is queued, and key and message say for which of
// them it waits, in Argo's words. Asking again does not lose the place in the queue. A new wait may let
// others pass whom those in front need now: [LockTable.Grant] serves them. Answer calls it, too.
func (t *LockTable) Acquire(h Holder, locks []nodegraph.Lock) (granted bool, key, message string) {
	return t.acquire(waiter{holder: h, locks: locks})
}

// acquire is Acquire for one of whom it is known which locks are around it.
func (t *LockTable) acquire(w waiter) (granted bool, key, message string) {
	t.must()
	if _, ok := t.held[w.holder]; ok {
		return true, "", ""
	}
	t.name(w.locks)
	place := slices.IndexFunc(t.waits, func(o waiter) bool { return o.holder == w.holder })
	if place < 0 {
		place = t.enqueue(w)
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
	t.Free(h)
	return t.Grant()
}

// Free is Release for a host that asks anew for those who wait, in an order of its own, and calls [LockTable.Grant] then.
// Nobody gets a lock by it.
func (t *LockTable) Free(h Holder) {
	t.must()
	t.leave(func(other Holder) bool { return other == h }, t.held[h].locks)
	delete(t.held, h)
}

// leave takes holders out of the queue, and these locks from them.
func (t *LockTable) leave(who func(Holder) bool, locks []nodegraph.Lock) {
	t.stuck = nil
	for _, l := range locks {
		s := t.locks[l.Key]
		s.holders = slices.DeleteFunc(s.holders, who)
	}
	t.waits = slices.DeleteFunc(t.waits, func(w waiter) bool { return who(w.holder) })
}

// Grant gives free locks to those who wait for them and returns who holds all their locks now and did not before. Only
// a host that has just adopted an engine, or that calls [LockTable.Acquire] or [LockTable.Free], needs to call it.
func (t *LockTable) Grant() []Holder {
	t.must()
	var granted []Holder
	for place := 0; place < len(t.waits); {
		if !t.free(place) || t.obstacle(place) != "" {
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
	t.must()
	if l := t.locks[key]; l != nil {
		return slices.Clone(l.holders)
	}
	return nil
}

// Waiters returns who waits for the lock, the next to be served first.
func (t *LockTable) Waiters(key string) []Holder {
	t.must()
	var list []Holder
	for _, w := range t.waits {
		if wants(w.locks, key) {
			list = append(list, w.holder)
		}
	}
	return list
}

func (t *LockTable) grant(place int) {
	w := t.waits[place]
	t.waits, t.stuck = slices.Delete(t.waits, place, place+1), nil
	t.hold(w.holder, holding{w.locks, w.number})
}

func (t *LockTable) hold(h Holder, has holding) {
	if t.held == nil {
		t.held = make(map[Holder]holding)
	}
	t.held[h], t.stuck = has, nil
	for _, l := range has.locks {
		s := t.locks[l.Key]
		if !slices.Contains(s.holders, h) {
			s.holders = append(s.holders, h)
		}
	}
}

// SetLimit says how many may hold a lock from now on, 0 for none. It serves a host that learns the limit of a semaphore from
// elsewhere, and leaves Lock.Limit 0: a limit that a lock names counts instead. Whoever holds the lock keeps it. The host calls
// [LockTable.Grant] then.
func (t *LockTable) SetLimit(key string, limit int) {
	t.must()
	t.name([]nodegraph.Lock{{Key: key}})
	t.locks[key].limit, t.stuck = limit, nil
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
		if l.Limit > 0 && l.Limit != s.limit {
			s.limit, t.stuck = l.Limit, nil
		}
	}
}

func wants(locks []nodegraph.Lock, key string) bool {
	return slices.ContainsFunc(locks, func(l nodegraph.Lock) bool { return l.Key == key })
}

// Forget gives back all that a workflow holds and takes it out of every queue, because it does not exist any more. It
// returns who holds all their locks now and did not before.
func (t *LockTable) Forget(workflow string) []Holder {
	t.must()
	t.drop(workflow)
	delete(t.ranks, workflow)
	return t.Grant()
}

func (t *LockTable) drop(workflow string) {
	of := func(h Holder) bool { return h.Workflow == workflow }
	t.leave(of, nil)
	for h, has := range t.held {
		if of(h) {
			t.leave(of, has.locks)
			delete(t.held, h)
		}
	}
}

// Adopt enters what a restored engine holds and waits for, under the name the host has for its workflow, and its rank. A
// host that restarts adopts all its engines before it acts on any, and calls [LockTable.Grant] then. It takes the place of
// what the table has of this workflow, so a host that restores an engine anew adopts it again, and calls Grant. Who waits then
// has the turn that it had in the table. One that had got its locks, and whose engine does not know that, gets them again
// unless somebody who is served before it has come.
func (t *LockTable) Adopt(workflow string, e *Engine) {
	t.must()
	arrivals := t.arrivals(workflow)
	t.drop(workflow)
	t.Rank(workflow, e.graph.Spec())
	nodes := make([]nodegraph.Index, 0, 8)
	for i := range nodegraph.Index(e.graph.Len()) {
		switch e.facts.Node(i).Lock {
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
		if e.facts.Node(i).Lock != fact.LockWaits {
			t.hold(h, holding{e.rules.LocksOf(i), arrivals[h]})
		} else {
			t.enqueue(waiter{holder: h, locks: e.rules.LocksOf(i), within: e.lockedAround(i), number: arrivals[h]})
		}
	}
}

// arrivals are the numbers under which holders of a workflow came to wait, those that have got their locks since as well.
func (t *LockTable) arrivals(workflow string) map[Holder]int {
	numbers := make(map[Holder]int)
	for k := range t.waits {
		if w := &t.waits[k]; w.holder.Workflow == workflow {
			numbers[w.holder] = w.number
		}
	}
	for h, has := range t.held {
		if h.Workflow == workflow {
			numbers[h] = has.number
		}
	}
	return numbers
}
