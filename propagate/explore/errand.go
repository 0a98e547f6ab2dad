package explore

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// answers is in how many ways an errand may end.
func (w *World) answers(e *simhost.Errand) int {
	switch e.Action.Type {
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
	e, ev := w.Run(at)
	a := &e.Action
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
	return ev
}
