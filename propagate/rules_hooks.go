package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// hooksDue tells whether hooks of node i should exist and don't.
func (w *evalContext) hooksDue(i nodegraph.Index, v ruling) bool {
	due := false
	w.eachHookDue(i, v, func(*nodegraph.Hook) { due = true })
	return due
}

// hooksOf returns the declared hooks of node i: those of its task or step, or of the workflow for the entry node.
func (w *evalContext) hooksOf(i nodegraph.Index) []nodegraph.Hook {
	if i == nodegraph.Entry {
		return w.graph.Spec().Hooks
	}
	if t := w.graph.Node(i).Task; t != nil {
		return t.Hooks
	}
	return nil
}

// eachHookDue calls do for every hook of node i that should run and has no node. The exit hook runs when its owner
// completed, but not under Terminate and not of a daemon that was ended with its boundary; any other as soon as its
// expression holds while its owner runs or has ended.
func (w *evalContext) eachHookDue(i nodegraph.Index, v ruling, do func(*nodegraph.Hook)) {
	if w.facts.nodes[i].Released || w.withinClosing(i) {
		return
	}
	exists := func(h *nodegraph.Hook) bool {
		for _, m := range w.graph.Hooks(i) {
			if _, of := w.graph.Owner(m); of == h {
				return true
			}
		}
		return false
	}
	if exit := w.graph.OnExit(); i == nodegraph.Entry && exit != nil && v.fulfilled() && w.facts.shutdown != "Terminate" && !exists(exit) {
		do(exit)
	}
	hooks := w.hooksOf(i)
	for k := range hooks {
		h := &hooks[k]
		if exists(h) {
			continue
		}
		if h.Name == nodegraph.ExitHook {
			if v.fulfilled() && v.phase().Completed() && w.facts.shutdown != "Terminate" && !w.exitHookLater(i, v.verdict) && !w.released(i) && w.hookHolds(i, h, v) {
				do(h)
			}
		} else if (v.phase() == nodegraph.Running || v.fulfilled()) && w.hookHolds(i, h, v) {
			do(h)
		}
	}
}

// exitHookLater reports whether node i, which has this verdict, is a TaskGroup that has only just ended, so that its exit hook is
// decided with the next call: Argo starts the exit hook of the group itself with its next reconcile, and not at all if the DAG
// has ended by then because nothing comes after the group.
func (w *evalContext) exitHookLater(i nodegraph.Index, v verdict) bool {
	n := &w.facts.nodes[i]
	return n.kind == nodegraph.TaskGroup && n.traits&traitHooked != 0 && !n.Seen && v.phase().Completed() && w.facts.shutdown != "Terminate"
}

// hookHolds evaluates the expression of a hook over the statuses it may name.
func (w *evalContext) hookHolds(i nodegraph.Index, h *nodegraph.Hook, v ruling) bool {
	if h.Expression == "" {
		return true
	}
	holds, err := w.graph.HookCondition(h).Eval(w.hookStatus(i, v))
	return err == nil && holds
}

// hookStatus returns the phase that a hook expression of node i sees under the name it gives.
func (w *evalContext) hookStatus(i nodegraph.Index, v ruling) func(group, name string) (string, bool) {
	return func(group, name string) (string, bool) {
		if group == "workflow" {
			return w.workflowStatus(i, v).String(), true
		}
		t := w.graph.Node(i).Task
		if t == nil {
			return "", false
		}
		if t.Name == name {
			return v.phase().String(), true
		}
		other := w.earlier(i, name)
		if other == nodegraph.None {
			return "", false
		}
		return w.verdicts[other].phase().String(), true
	}
}

// workflowStatus is the status of the workflow that the hooks of node i see (Argo: setGlobalRuntimeParameters). Those of the nodes
// inside the entry node see it as it was before the current call, empty at first; those of the workflow itself, and all in
// its exit handler and its hooks, see what has become of the entry node.
func (w *evalContext) workflowStatus(i nodegraph.Index, v ruling) nodegraph.Phase {
	entry := w.verdicts[nodegraph.Entry].phase()
	switch {
	case i == nodegraph.Entry:
		entry = v.phase()
	case w.insideEntry(i):
		return w.facts.status
	}
	if entry == nodegraph.Skipped || entry == nodegraph.Omitted {
		return nodegraph.Succeeded
	}
	return entry
}

// insideEntry reports whether node i is inside the entry node.
func (w *evalContext) insideEntry(i nodegraph.Index) bool {
	for w.facts.nodes[i].parent > nodegraph.Root {
		i = w.facts.nodes[i].parent
	}
	return i == nodegraph.Entry
}

// earlier is the task or step of this name that node i comes after, directly or not; None for any other: it may end before
// or after i begins, so nothing that follows from it would be sure (Argo: the scope holds the ancestors of a task, and the
// steps before a step).
func (w *evalContext) earlier(i nodegraph.Index, name string) nodegraph.Index {
	own := i
	if w.graph.Node(own).Role != nodegraph.RoleTask {
		own = w.facts.nodes[own].parent // the StepGroup of a step or its item, the task of a task's item
	}
	before := []nodegraph.Index{own}
	seen := make(map[nodegraph.Index]bool)
	for k := 0; k < len(before); k++ {
		for other := range w.graph.After(before[k]) {
			if seen[other] {
				continue
			}
			seen[other] = true
			before = append(before, other)
			if found := w.called(other, name); found != nodegraph.None {
				return found
			}
		}
	}
	return nodegraph.None
}

// called is the task itself, or the step in a StepGroup, that has this name; None if there is none.
func (w *evalContext) called(i nodegraph.Index, name string) nodegraph.Index {
	if w.facts.nodes[i].kind == nodegraph.StepGroup {
		for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
			if n := w.graph.Node(m); n.Role == nodegraph.RoleStep && n.Task.Name == name {
				return m
			}
		}
	} else if w.graph.Node(i).Task.Name == name {
		return i
	}
	return nodegraph.None
}

// hooksDone tells whether every hook of node i that was started has ended and none is due.
func (w *evalContext) hooksDone(i nodegraph.Index) bool {
	if w.verdicts[i].want()&wantHook != 0 {
		return false
	}
	if w.exitHookLater(i, w.verdicts[i]) {
		return false
	}
	for _, h := range w.graph.Hooks(i) {
		if !w.verdicts[h].fulfilled() {
			return false
		}
	}
	return true
}
