package propagate

import (
	"errors"
	"maps"
	"slices"
)

// A Host is what [Drive] needs of a controller. One host has any number of workflows.
//
// A host whose workflows share locks keeps a [LockTable]. It calls Rank when it first has a workflow, Answer for what the
// engine asks about locks, and Forget when the workflow is deleted. After a restart it calls Adopt for all, and Grant then. It
// shows its users what Deadlocks returns, and the obligations that say Never: those waits do not end by themselves.
type Host interface {
	// Call tells the engine of a workflow what happened, by Apply, SyncPods or SyncChanged.
	Call(workflow string, events []Event) (Result, error)
	// Do carries out one action of a workflow and returns whom to tell what because of it. A host that answers a question
	// later returns nothing, and tells the answer when it has it. An error ends Drive, and is for what may work when it is tried
	// again. For what never will, such as the name of an image that is none, Do returns [Unrunnable].
	Do(workflow string, a *Action) ([]Notice, error)
}

// A Notice is an event for the engine of one workflow.
type Notice struct {
	Workflow string // what the host calls the workflow
	Event    Event  // what its engine is to be told
}

// Drive tells the engine of a workflow events in one call, carries out the actions, and tells the answers, until nothing is
// left to do. The order is that of Argo's controller, which visits a node and all that is inside it before the next node:
//
//  1. What a call asks for is carried out in the order of its actions. Only ActionWake comes first, so that the time of a
//     later call is not replaced by that of an earlier one.
//  2. What Do returns is told at once, each notice in a call of its own. All that follows from it comes before the next action.
//  3. An answer that the engine refuses because its node or its workflow has gone is left out, and the rest of the call is
//     told again. Locks of a refused answer are given back, as if the engine had asked for that with ActionRelease.
//  4. An answer about locks that was not told before their ActionRelease is carried out is never told.
//
// Drive stops at the first other error of an engine, and at the first error of Do. The engines are good, but what is left
// of the actions was not carried out, and an engine that goes on does not ask for it again. It may be another workflow's that got
// a lock. So the host goes on as one that was killed. It makes all engines anew from what it has stored, and a new [LockTable] that
// adopts them, and drives them all.
func Drive(h Host, workflow string, events ...Event) error {
	todo, err := call(h, workflow, events, true)
	if err != nil {
		return err
	}
	return follow(h, todo)
}

// Follow does what Drive does after its first call, for a host that has made that call itself: r is what came of it.
func Follow(h Host, workflow string, r Result) error {
	return follow(h, actionsOf(workflow, r.Actions))
}

// follow carries out tasks and all that comes of them.
func follow(h Host, more []task) (err error) {
	for todo := stacked(nil, more); err == nil && len(todo) > 0; todo = stacked(todo, more) {
		next := todo[len(todo)-1]
		todo, more = todo[:len(todo)-1], nil
		if next.action == nil {
			more, err = call(h, next.Workflow, []Event{next.Event}, false)
			continue
		}
		if next.action.Type == ActionRelease {
			todo = slices.DeleteFunc(todo, func(t task) bool { return t.voidBy(&next) })
		}
		var notices []Notice
		notices, err = h.Do(next.Workflow, next.action)
		for k := range notices {
			more = append(more, task{Notice: notices[k]})
		}
	}
	return err
}

// stacked puts more tasks on a stack, the first on top.
func stacked(todo, more []task) []task {
	slices.Reverse(more)
	return append(todo, more...)
}

// A task is an action to carry out, or a notice to tell where there is no action.
type task struct {
	action *Action
	Notice
}

// voidBy reports whether the task is an answer about locks that another task gives back.
func (t *task) voidBy(release *task) bool {
	about := t.Event.Type == EventLockGranted || t.Event.Type == EventLockQueued
	return about && t.action == nil && t.Workflow == release.Workflow && t.Event.Node == release.action.ID
}

// actionsOf lists the actions of a call as tasks.
func actionsOf(workflow string, actions []Action) []task {
	var todo []task
	for _, wakes := range []bool{true, false} {
		for k := range actions {
			if a := &actions[k]; wakes == (a.Type == ActionWake) {
				todo = append(todo, task{action: a, Notice: Notice{Workflow: workflow}})
			}
		}
	}
	return todo
}

// call tells an engine events and returns what is to be carried out because of them. The first call of Drive is made even
// if all events are left out: it may tell of pods, too.
func call(h Host, workflow string, events []Event, first bool) ([]task, error) {
	var void []Action
	for {
		r, err := h.Call(workflow, events)
		var refused *EventError
		if !errors.As(err, &refused) || refused.Index >= len(events) || !tooLate(refused) {
			return actionsOf(workflow, append(void, r.Actions...)), err
		}
		if ev := &refused.Event; ev.Type == EventLockGranted || ev.Type == EventLockQueued {
			void = append(void, Action{Type: ActionRelease, ID: ev.Node})
		}
		if events = slices.Delete(slices.Clone(events), refused.Index, refused.Index+1); len(events) == 0 && !first {
			return actionsOf(workflow, void), nil
		}
	}
}

// tooLate reports whether an answer was refused because what asked for it has gone in the meantime.
func tooLate(refused *EventError) bool {
	switch refused.Event.Type {
	case EventLockGranted, EventLockQueued, EventResolved, EventExpanded, EventMemoized, EventUnanswerable, EventUnrunnable:
		return errors.Is(refused, ErrComplete) || errors.Is(refused, ErrUnknownNode)
	}
	return false
}

// Answer carries out ActionAcquire and ActionRelease of a workflow, and returns whom to tell what because of it: who asked comes
// first. It does nothing for other actions.
func (t *LockTable) Answer(workflow string, a *Action) []Notice {
	h := Holder{Workflow: workflow, Node: a.ID}
	switch a.Type {
	case ActionAcquire:
		granted, key, message := t.acquire(waiter{holder: h, locks: a.Locks, within: a.Within})
		if granted {
			return []Notice{h.Granted()}
		}
		return append([]Notice{{workflow, LockQueued(a.ID, key, message)}}, notices(t.Grant())...)
	case ActionRelease:
		return notices(t.Release(h))
	}
	return nil
}

// notices are the notices that holders have all their locks.
func notices(granted []Holder) []Notice {
	var list []Notice
	for _, h := range granted {
		list = append(list, h.Granted())
	}
	return list
}

// Granted is the notice that the holder has all its locks.
func (h Holder) Granted() Notice { return Notice{h.Workflow, LockGranted(h.Node)} }

// Clone returns a copy of the table that shares nothing with it.
func (t *LockTable) Clone() LockTable {
	t.must()
	c := LockTable{
		locks: make(map[string]*lockState, len(t.locks)), held: make(map[Holder]holding, len(t.held)),
		waits: slices.Clone(t.waits), ranks: maps.Clone(t.ranks), arrived: t.arrived,
	}
	for key, l := range t.locks {
		c.locks[key] = &lockState{limit: l.limit, holders: slices.Clone(l.holders)}
	}
	maps.Copy(c.held, t.held)
	return c
}
