package rule

import "github.com/nodestatus/nodestatus/nodegraph"

// EachHookDue calls do for every hook of node i that should run and has no node. The exit hook runs when its owner
// completed, but not under Terminate and not of a daemon that was ended with its boundary; any other as soon as its
// expression holds while its owner runs or has ended.
func (e *Evaluator) EachHookDue(i nodegraph.Index, v Ruling, do func(*nodegraph.Hook)) {
	if e.facts.Node(i).Released() || e.WithinClosing(i) || e.Passed(e.facts.Node(i).Parent()) {
		return
	}
	exists := func(h *nodegraph.Hook) bool {
		for _, m := range e.graph.Hooks(i) {
			if _, of := e.graph.Owner(m); of == h {
				return true
			}
		}
		return false
	}
	if exit := e.graph.OnExit(); i == nodegraph.Entry && exit != nil && v.Fulfilled() && e.facts.Shutdown() != "Terminate" && !exists(exit) {
		do(exit)
	}
	hooks := e.HooksOf(i)
	for k := range hooks {
		h := &hooks[k]
		if exists(h) {
			continue
		}
		if h.Name == nodegraph.ExitHook {
			if v.Fulfilled() && v.Phase().Completed() && e.facts.Shutdown() != "Terminate" && !e.ExitHookLater(i, v.Brief) && !e.released(i) && e.hookHolds(i, h, v) {
				do(h)
			}
		} else if (v.Phase() == nodegraph.PhaseRunning || v.Fulfilled()) && e.hookHolds(i, h, v) {
			do(h)
		}
	}
}

// hookHolds evaluates the expression of a hook over the statuses it may name.
func (e *Evaluator) hookHolds(i nodegraph.Index, h *nodegraph.Hook, v Ruling) bool {
	if h.Expression == "" {
		return true
	}
	holds, err := e.graph.HookCondition(h).Eval(e.hookStatus(i, v))
	return err == nil && holds
}

// hookStatus returns the phase that a hook expression of node i sees under the name it gives.
func (e *Evaluator) hookStatus(i nodegraph.Index, v Ruling) func(group, name string) (string, bool) {
	return func(group, name string) (string, bool) {
		if group == "workflow" {
			return e.workflowStatus(i, v).String(), true
		}
		t := e.graph.Node(i).Task
		if t == nil {
			return "", false
		}
		if t.Name == name {
			return v.Phase().String(), true
		}
		other := e.earlier(i, name)
		if other == nodegraph.None {
			return "", false
		}
		return e.briefs[other].Phase().String(), true
	}
}

// workflowStatus is the status of the workflow that the hooks of node i see (Argo: setGlobalRuntimeParameters). Those of the nodes
// inside the entry node see it as it was before the current call, empty at first; those of the workflow itself, and all in
// its exit handler and its hooks, see what has become of the entry node.
func (e *Evaluator) workflowStatus(i nodegraph.Index, v Ruling) nodegraph.Phase {
	entry := e.briefs[nodegraph.Entry].Phase()
	switch {
	case i == nodegraph.Entry:
		entry = v.Phase()
	case e.insideEntry(i):
		return e.facts.Status()
	}
	if entry == nodegraph.PhaseSkipped {
		return nodegraph.PhaseSucceeded
	}
	return entry
}

// earlier is the task or step of this name that node i comes after, directly or not; None for any other: it may end before
// or after i begins, so nothing that follows from it would be sure (Argo: the scope holds the ancestors of a task, and the
// steps before a step).
func (e *Evaluator) earlier(i nodegraph.Index, name string) nodegraph.Index {
	own := i
	if e.graph.Node(own).Role != nodegraph.RoleTask {
		own = e.facts.Node(own).Parent() // the StepGroup of a step or its item, the task of a task's item
	}
	before := []nodegraph.Index{own}
	seen := make(map[nodegraph.Index]bool)
	for k := 0; k < len(before); k++ {
		for other := range e.graph.Dependencies(before[k]) {
			if seen[other] {
				continue
			}
			seen[other] = true
			before = append(before, other)
			if found := e.called(other, name); found != nodegraph.None {
				return found
			}
		}
	}
	return nodegraph.None
}

// called is the task itself, or the step in a StepGroup, that has this name; None if there is none.
func (e *Evaluator) called(i nodegraph.Index, name string) nodegraph.Index {
	if e.facts.Node(i).Kind() == nodegraph.KindStepGroup {
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if n := e.graph.Node(m); n.Role == nodegraph.RoleStep && n.Task.Name == name {
				return m
			}
		}
	} else if e.graph.Node(i).Task.Name == name {
		return i
	}
	return nodegraph.None
}
