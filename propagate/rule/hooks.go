package rule

import (
	"iter"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// EachHookDue calls do for every hook of node i that should run, or about which the host is to be asked, and has no node. The
// exit hook comes after the others, and runs once its owner completed; any other runs once its expression holds while its
// owner runs, or after that.
func (e *Evaluator) EachHookDue(i nodegraph.Index, v Ruling, do func(*nodegraph.Hook)) {
	if n := e.facts.Node(i); n.Released || e.WithinClosing(i) || e.withinSeen(i) || e.passed(n.Parent) || e.earlierHookOpen(i) {
		return
	}
	open := e.groupHookOpen(i)
	for h, due := range e.openHooks(i, v.Brief) {
		open = true
		if due {
			do(h)
		}
	}
	if exit := e.exitHook(i); !open && exit != nil && e.hookNode(i, exit) == nodegraph.None && e.exitHookDue(i, v.Brief, exit) &&
		!e.itemHookDue(i) && !e.ExitHookLater(i, v.Brief) {
		do(exit)
	}
}

// earlierHookOpen reports whether node i is a step, or an item of one, and a hook of a step before it in its group has not ended or
// is due, other than an exit hook (Argo: executeStepGroup comes to no further step then).
func (e *Evaluator) earlierHookOpen(i nodegraph.Index) bool {
	group := e.facts.Node(i).Parent
	if e.facts.Node(group).Kind != nodegraph.KindStepGroup {
		return false
	}
	for m := e.graph.First(group); m != i; m = e.graph.Next(m) {
		if e.ownHookOpen(m) {
			return true
		}
	}
	return false
}

// ownHookOpen reports whether a hook of node i other than the exit hook has not ended, or is due.
func (e *Evaluator) ownHookOpen(i nodegraph.Index) bool {
	for range e.openHooks(i, e.briefs[i]) {
		return true
	}
	return false
}

// openHooks yields the hooks of node i, with verdict v, that have not ended, the exit hook left out, and of each whether it is due: it
// has no node, and its expression holds.
func (e *Evaluator) openHooks(i nodegraph.Index, v Brief) iter.Seq2[*nodegraph.Hook, bool] {
	return func(yield func(*nodegraph.Hook, bool) bool) {
		hooks := e.HooksOf(i)
		for k := range hooks {
			h := &hooks[k]
			if h.Name == nodegraph.ExitHook {
				continue
			}
			m := e.hookNode(i, h)
			due := m == nodegraph.None && (v.Phase() == nodegraph.PhaseRunning || v.Fulfilled()) && e.hookHolds(i, h, v)
			open := m != nodegraph.None && !e.briefs[m].Fulfilled()
			if (due || open) && !yield(h, due) {
				return
			}
		}
	}
}

// exitHook is the exit hook of node i; for the entry node the exit handler of the workflow. It is nil if there is none.
func (e *Evaluator) exitHook(i nodegraph.Index) *nodegraph.Hook {
	if i == nodegraph.Entry && e.graph.OnExit() != nil {
		return e.graph.OnExit()
	}
	hooks := e.HooksOf(i)
	for k := range hooks {
		if hooks[k].Name == nodegraph.ExitHook {
			return &hooks[k]
		}
	}
	return nil
}

// exitHookDue reports whether the exit hook of node i, which has no node, is to run some time: its owner has completed, has not
// been ended with what it is inside of, and no Terminate is in force. The exit handler runs whatever became of the entry.
func (e *Evaluator) exitHookDue(i nodegraph.Index, v Brief, exit *nodegraph.Hook) bool {
	if !v.Fulfilled() || e.facts.Shutdown == "Terminate" || e.withinSeen(i) {
		return false
	}
	if exit == e.graph.OnExit() {
		return true
	}
	return v.Phase().Completed() && !e.released(i) && e.hookHolds(i, exit, v)
}

// ExitHookLater reports whether node i, with verdict v, is a TaskGroup whose exit hook is due and starts with the next call. Argo
// starts it with the reconcile after the one in which the group and its other hooks ended.
func (e *Evaluator) ExitHookLater(i nodegraph.Index, v Brief) bool {
	n := e.facts.Node(i)
	if n.Kind != nodegraph.KindTaskGroup || n.SeenEnded {
		return false
	}
	exit := e.exitHook(i)
	return exit != nil && e.hookNode(i, exit) == nodegraph.None && e.exitHookDue(i, v, exit) && !e.hookOpen(i)
}

// withinSeen reports whether node i is inside a DAG or Steps that was seen to have ended: nobody looks for hooks there any more.
func (e *Evaluator) withinSeen(i nodegraph.Index) bool {
	for p := e.facts.Node(i).Parent; p > nodegraph.Root; p = e.facts.Node(p).Parent {
		n := e.facts.Node(p)
		if n.SeenEnded && (n.Kind == nodegraph.KindDAG || n.Kind == nodegraph.KindSteps) {
			return true
		}
	}
	return false
}

// otherHookDue reports whether a hook of node i, with verdict v, other than the exit hook should run and has no node. The exit hook is
// due only where no other is.
func (e *Evaluator) otherHookDue(i nodegraph.Index, v Brief) bool {
	due := false
	e.EachHookDue(i, Ruling{Brief: v}, func(h *nodegraph.Hook) { due = h.Name != nodegraph.ExitHook })
	return due
}

// mayHaveHooks reports whether a hook of node i may begin, or begin anew, after the node has ended: it has no node yet, or is a daemon.
// An exit hook is due as the node ends, unless it asks for the status of the workflow, which changes with a later call.
func (e *Evaluator) mayHaveHooks(i nodegraph.Index) bool {
	hooks := e.HooksOf(i)
	for k := range hooks {
		h := &hooks[k]
		switch m := e.hookNode(i, h); {
		case m != nodegraph.None && !e.graph.Node(m).Template.IsDaemon():
		case m != nodegraph.None, h.Name != nodegraph.ExitHook, h.Expression != "" && e.graph.HookCondition(h).NamesWorkflow():
			return true
		}
	}
	return false
}

// hookOpen reports whether a hook of node i other than the exit hook has not ended.
func (e *Evaluator) hookOpen(i nodegraph.Index) bool {
	for _, m := range e.graph.Hooks(i) {
		if _, h := e.graph.Owner(m); h.Name != nodegraph.ExitHook && !e.briefs[m].Fulfilled() {
			return true
		}
	}
	return false
}

// hookNode is the node of hook h of node i, None if there is none yet.
func (e *Evaluator) hookNode(i nodegraph.Index, h *nodegraph.Hook) nodegraph.Index {
	for _, m := range e.graph.Hooks(i) {
		if _, of := e.graph.Owner(m); of == h {
			return m
		}
	}
	return nodegraph.None
}

// groupHookOpen reports whether node i is an item of a TaskGroup of which a hook has not ended. The group has the hooks of the
// task but for the exit hook, and the controller comes to the items after them.
func (e *Evaluator) groupHookOpen(i nodegraph.Index) bool {
	group := e.facts.Node(i).Parent
	return e.facts.Node(group).Kind == nodegraph.KindTaskGroup && e.hookOpen(group)
}

// itemHookDue reports whether node i is a TaskGroup of which a hook of an item is still to start: that comes before its own. In one
// that ended as a whole none starts.
func (e *Evaluator) itemHookDue(i nodegraph.Index) bool {
	if n := e.facts.Node(i); n.Kind != nodegraph.KindTaskGroup || n.Stage == fact.StageEnded {
		return false
	}
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.briefs[m].WantsHook() {
			return true
		}
	}
	return false
}

// itemHooked reports whether an item of TaskGroup i has an exit hook, or is to have one.
func (e *Evaluator) itemHooked(i nodegraph.Index) bool {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.briefs[m].WantsHook() || len(e.graph.Hooks(m)) > 0 {
			return true
		}
	}
	return false
}

// hookHolds reports whether the expression of a hook holds over the statuses and exit codes that it may name, or whether the
// host must say that, since it names something else.
func (e *Evaluator) hookHolds(i nodegraph.Index, h *nodegraph.Hook, v Brief) bool {
	if h.Expression == "" {
		return true
	}
	condition := e.graph.HookCondition(h)
	holds, known := condition.Eval(e.hookValue(i, v))
	return holds || !known && condition.Err() == nil
}

// hookQuestion is the expression of hook node m if only the host can say whether it holds, else empty.
func (e *Evaluator) hookQuestion(m nodegraph.Index) string {
	owner, h := e.graph.Owner(m)
	if h == nil || h.Expression == "" {
		return ""
	}
	if _, known := e.graph.HookCondition(h).Eval(e.hookValue(owner, e.briefs[owner])); known {
		return ""
	}
	return h.Expression
}

// hookError is why no hook of node i can be judged: the expression of one is none. It is nil if all are.
func (e *Evaluator) hookError(i nodegraph.Index) error {
	hooks := e.HooksOf(i)
	for k := range hooks {
		if hooks[k].Expression == "" {
			continue
		}
		if err := e.graph.HookCondition(&hooks[k]).Err(); err != nil {
			return err
		}
	}
	return nil
}

// HooksOf returns the declared hooks of node i: those of its task or step, or of the workflow for the entry node. An item of a
// TaskGroup has the exit hook of the task alone, the group has all.
func (e *Evaluator) HooksOf(i nodegraph.Index) []nodegraph.Hook {
	n := e.graph.Node(i)
	switch {
	case i == nodegraph.Entry:
		return e.graph.Spec().Hooks
	case n.Task == nil:
		return nil
	case e.facts.Node(n.Parent).Kind == nodegraph.KindTaskGroup:
		for k := range n.Task.Hooks {
			if n.Task.Hooks[k].Name == nodegraph.ExitHook {
				return n.Task.Hooks[k : k+1]
			}
		}
		return nil
	}
	return n.Task.Hooks
}

// hooksDone reports whether every hook of node i that was started has ended and none is due. The exit hook of a TaskGroup, which
// comes a call later, is waited for only where an item has one: else what comes after the group was looked at before that.
func (e *Evaluator) hooksDone(i nodegraph.Index) bool {
	n, v := e.facts.Node(i), e.briefs[i]
	switch {
	case !n.Hooked:
		return true
	case n.Kind == nodegraph.KindTaskGroup && !e.itemHooked(i):
		return !e.hookOpen(i) && !e.otherHookDue(i, v)
	case v.WantsHook(), e.ExitHookLater(i, v):
		return false
	}
	for _, h := range e.graph.Hooks(i) {
		if !e.briefs[h].Fulfilled() {
			return false
		}
	}
	return true
}
