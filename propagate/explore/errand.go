package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// An errand is to ask for locks, to tell that they were granted, or to answer a question.
type errand struct {
	workflow int
	granted  bool // the locks are held, and the engine does not know it
	action   propagate.Action
}

// String tells errands apart.
func (e errand) String() string {
	return fmt.Sprint(e.workflow, e.granted, e.action.Type, e.action.ID)
}

// answers is in how many ways an errand may end.
func (w *World) answers(e errand) int {
	switch e.action.Type {
	case propagate.ActionResolve:
		return 3
	case propagate.ActionExpand:
		return len(w.items()) + 1
	case propagate.ActionLookup:
		return 2
	}
	return 1
}

// items are the lists that a loop may have which the host resolves.
func (w *World) items() [][]nodegraph.Item {
	if w.x.Cluster != nil && w.x.Cluster.Items != nil {
		return w.x.Cluster.Items
	}
	return [][]nodegraph.Item{{{Text: "i"}, {Text: "j"}}, {}}
}

// run runs an errand, and returns what it tells the engine. The table of locks answers when it is asked.
func (w *World) run(at, how int) propagate.Event {
	e := w.owed[at]
	w.owed = slices.Delete(slices.Clone(w.owed), at, at+1)
	a := e.action
	switch a.Type {
	case propagate.ActionResolve:
		if how == 2 {
			return propagate.Unanswerable(a.Name, "nobody knows")
		}
		return propagate.Resolved(a.Name, how == 0, "")
	case propagate.ActionExpand:
		if how == len(w.items()) {
			return propagate.Unanswerable(a.Name, "nobody knows")
		}
		return propagate.Expanded(a.Name, w.items()[how]...)
	case propagate.ActionLookup:
		return propagate.Memoized(a.Name, how == 1)
	}
	if e.granted {
		return propagate.LockGranted(a.ID)
	}
	if granted, key, message := w.Locks.Acquire(holder(e.workflow, a.ID), a.Locks); !granted {
		return propagate.LockQueued(a.ID, key, message)
	}
	return propagate.LockGranted(a.ID)
}

// clock is the next time at which an engine wants to be called; zero if there is none.
func (w *World) clock() time.Time {
	var next time.Time
	for k := range w.flows {
		wake := w.flows[k].wake
		if !w.Engines[k].Complete() && wake.After(w.now) && (next.IsZero() || wake.Before(next)) {
			next = wake
		}
	}
	return next
}
