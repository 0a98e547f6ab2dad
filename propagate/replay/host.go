package replay

import (
	"errors"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Host drives the engine of one workflow as a controller would: it carries out at once what needs no cluster. That
// is the locks, which it may share with other hosts, and the conditions whose variables the engine knows. Everything
// the engine asked for is in the results that the Host returns, in the order in which it was carried out.
//
// The consequences of an answer come before the remaining requests. Argo's controller visits a node and all that is
// inside it before it comes to the next, so what a granted lock lets start asks for its own locks first. A host that
// answers in another order lets two DAGs take each other's lock.
type Host struct {
	Engine   *propagate.Engine
	Workflow string // unique among the hosts that share Locks
	Locks    *propagate.LockTable

	// Visits makes the host hand locks over as Argo's controller does, which visits the nodes of a workflow in order and
	// asks anew for each that waits: one that it has visited before it comes to the holder that settled gets the lock, or
	// hears who holds it now, with the next Step only.
	Visits bool
	// Answer, if set, is asked about every action that the host can't carry out by itself, such as a look-up in a cache.
	// It returns what the surroundings of the controller say to it, nothing if they don't.
	Answer func(*propagate.Action) []propagate.Event
	// After, if set, is called after every call of the engine; an error ends the step.
	After func(*propagate.Engine) error
	// Granted, if set, is called for holders of other workflows that got their locks because this one gave some back.
	Granted func(propagate.Holder)

	later []propagate.Event // LockGranted, for the next Step
}

// Step tells the engine what exists and what happened, and carries out what follows until nothing does.
func (h *Host) Step(now time.Time, pods []propagate.PodStatus, events ...propagate.Event) (propagate.Result, error) {
	events = slices.Concat(events, h.takeLater(), h.askAgain(nodegraph.None))
	return h.tell(now, events, func(events []propagate.Event) (propagate.Result, error) {
		return h.Engine.SyncPods(now, pods, events...)
	})
}

// Apply is Step for events alone.
func (h *Host) Apply(now time.Time, events ...propagate.Event) (propagate.Result, error) {
	return h.tell(now, events, func(events []propagate.Event) (propagate.Result, error) {
		return h.Engine.Apply(now, events...)
	})
}

// takeLater returns the grants that waited for this step.
func (h *Host) takeLater() []propagate.Event {
	later := h.later
	h.later = nil
	return later
}

// tell says a batch to the engine and carries out what follows.
func (h *Host) tell(now time.Time, events []propagate.Event, say func([]propagate.Event) (propagate.Result, error)) (propagate.Result, error) {
	r, err := h.say(events, say)
	if err != nil {
		return r, err
	}
	todo := actionsOf(r.Actions)
	r.Actions = nil
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if next.action != nil {
			r.Actions = append(r.Actions, *next.action)
			todo = append(todo, eventsOf(h.answer(next.action))...)
			continue
		}
		more, err := h.say([]propagate.Event{next.event}, func(events []propagate.Event) (propagate.Result, error) {
			return h.Engine.Apply(now, events...)
		})
		if err != nil {
			return r, err
		}
		r.Changes = append(r.Changes, more.Changes...)
		todo = append(todo, actionsOf(more.Actions)...)
	}
	r.Changes = coalesce(r.Changes)
	return r, nil
}

// A task is what the host still has to do: carry out an action, or tell an event where there is no action.
type task struct {
	action *propagate.Action
	event  propagate.Event
}

// actionsOf lists actions as tasks, the first at the end: the tasks are a stack.
func actionsOf(actions []propagate.Action) []task {
	tasks := make([]task, len(actions))
	for k := range actions {
		tasks[len(tasks)-1-k].action = &actions[k]
	}
	return tasks
}

// eventsOf lists events as tasks, the first at the end.
func eventsOf(events []propagate.Event) []task {
	tasks := make([]task, len(events))
	for k := range events {
		tasks[len(tasks)-1-k].event = events[k]
	}
	return tasks
}

// say tells the engine a batch. An answer that comes too late is left out, and a lock that comes too late is given back.
func (h *Host) say(events []propagate.Event, say func([]propagate.Event) (propagate.Result, error)) (propagate.Result, error) {
	for {
		r, err := say(events)
		var refused *propagate.EventError
		if !errors.As(err, &refused) || refused.Index >= len(events) || !tooLate(refused) {
			return r, h.checked(err)
		}
		events = slices.Concat(events[:refused.Index], events[refused.Index+1:], h.giveBack(&refused.Event))
	}
}

// tooLate tells whether what was refused answers a request of a node, or of a workflow, that has gone in the meantime.
func tooLate(refused *propagate.EventError) bool {
	switch refused.Event.Type {
	case propagate.EventLockGranted, propagate.EventLockQueued, propagate.EventResolved, propagate.EventExpanded,
		propagate.EventMemoized, propagate.EventUnanswerable:
		return errors.Is(refused, propagate.ErrComplete) || errors.Is(refused, propagate.ErrUnknownNode)
	}
	return false
}

// giveBack gives back the locks of an answer that was refused, and returns what those who got them are to be told.
func (h *Host) giveBack(refused *propagate.Event) []propagate.Event {
	if h.Locks == nil || refused.Type != propagate.EventLockGranted && refused.Type != propagate.EventLockQueued {
		return nil
	}
	from := nodegraph.Root
	if refused.Node != "" {
		from = h.Engine.Graph().Find(refused.Node)
	}
	return h.handOver(from, h.Locks.Release(propagate.Holder{Workflow: h.Workflow, Node: refused.Node}))
}

// coalesce makes one change of several to the same node.
func coalesce(changes []propagate.Change) []propagate.Change {
	at := make(map[nodegraph.Index]int, len(changes))
	out := changes[:0]
	for _, c := range changes {
		if k, ok := at[c.Node]; ok {
			c.From = out[k].From
			out[k] = c
			continue
		}
		at[c.Node] = len(out)
		out = append(out, c)
	}
	return out
}

// checked lets After look at the engine after a call that succeeded.
func (h *Host) checked(err error) error {
	if err == nil && h.After != nil {
		return h.After(h.Engine)
	}
	return err
}

// answer does what an action asks for, as far as the host can, and returns what is to be said to the engine.
func (h *Host) answer(a *propagate.Action) []propagate.Event {
	me := propagate.Holder{Workflow: h.Workflow, Node: a.ID}
	switch {
	case a.Type == propagate.ActionAcquire && h.Locks != nil:
		granted, key, message := h.Locks.Acquire(me, a.Locks)
		if granted {
			return append([]propagate.Event{propagate.LockGranted(a.ID)}, h.askAgain(a.Node)...)
		}
		return []propagate.Event{propagate.LockQueued(a.ID, key, message)}
	case a.Type == propagate.ActionRelease && h.Locks != nil:
		return append(h.handOver(a.Node, h.Locks.Release(me)), h.askAgain(a.Node)...)
	case a.Type == propagate.ActionResolve:
		if answer, known := resolve(h.Engine, a); known {
			return []propagate.Event{answer}
		}
	}
	if h.Answer != nil {
		return h.Answer(a)
	}
	return nil
}

// handOver tells those who got the locks of node from: this engine by events, others through Granted.
func (h *Host) handOver(from nodegraph.Index, granted []propagate.Holder) []propagate.Event {
	var events []propagate.Event
	for _, g := range granted {
		switch to := h.Engine.Graph().Find(g.Node); {
		case g.Workflow != h.Workflow:
			if h.Granted != nil {
				h.Granted(g)
			}
		case h.Visits && to > nodegraph.Root && from >= nodegraph.Root && h.Engine.StartOrder(to, from) < 0:
			h.later = append(h.later, propagate.LockGranted(g.Node))
		default:
			events = append(events, propagate.LockGranted(g.Node))
		}
	}
	return events
}

// askAgain asks anew for the nodes that wait for locks and come after the one that got or gave back some, and says to
// whom that makes a difference. After none are all of them.
func (h *Host) askAgain(after nodegraph.Index) []propagate.Event {
	e := h.Engine
	if !h.Visits || h.Locks == nil || e.Complete() {
		return nil
	}
	var events []propagate.Event
	for i := nodegraph.Root; int(i) < e.Graph().Len(); i++ {
		if e.Fact(i).Lock != fact.LockWaits || after != nodegraph.None && e.StartOrder(i, after) <= 0 {
			continue
		}
		id := e.Graph().Node(i).ID()
		granted, key, message := h.Locks.Acquire(propagate.Holder{Workflow: h.Workflow, Node: id}, locksOf(e, i))
		_, heard := e.Phase(i)
		switch {
		case granted && after == nodegraph.None:
			events = append(events, propagate.LockGranted(id))
		case !granted && message != heard:
			events = append(events, propagate.LockQueued(id, key, message))
		}
	}
	return events
}

// locksOf are the locks of node i, or of the workflow.
func locksOf(e *propagate.Engine, i nodegraph.Index) []nodegraph.Lock {
	if i == nodegraph.Root {
		return e.Graph().Spec().Locks
	}
	return e.Graph().Node(i).Template.Locks
}
