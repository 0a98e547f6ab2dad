package rule

import (
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// hookValue returns what a hook expression of node i sees under the name it gives.
func (e *Evaluator) hookValue(i nodegraph.Index, v Brief) nodegraph.HookValue {
	return func(group, name, field string) (string, bool) {
		if group == "workflow" {
			return e.workflowStatus(i, v).String(), true
		}
		t := e.graph.Node(i).Task
		if t == nil {
			return "", false
		}
		of, phase := i, v.Phase()
		if t.Name != name {
			if of = e.earlier(i, name); of == nodegraph.None {
				return "", false
			}
			phase = e.briefs[of].Phase()
		}
		if e.released(of) { // as what ended with it was decided
			phase = nodegraph.PhaseRunning
			if e.staysPending(of) {
				phase = nodegraph.PhasePending
			}
		}
		if field == "status" {
			return phase.String(), true
		}
		return e.exitCode(of, phase)
	}
}

// exitCode is the exit code that a hook expression sees of node i; false where only the host knows it. What has not ended has none
// yet.
func (e *Evaluator) exitCode(i nodegraph.Index, phase nodegraph.Phase) (string, bool) {
	if code, known := e.facts.Exit(e.lastAttempt(i)); known {
		return strconv.Itoa(code), true
	}
	return "", !phase.Settled()
}

// workflowStatus is the status of the workflow that the hooks of node i see (Argo: setGlobalRuntimeParameters). Those of the nodes
// inside the entry node see it as it was before the current call, empty at first; those of the workflow itself, and all in
// its exit handler and its hooks, see what has become of the entry node.
func (e *Evaluator) workflowStatus(i nodegraph.Index, v Brief) nodegraph.Phase {
	entry := e.briefs[nodegraph.Entry].Phase()
	switch {
	case i == nodegraph.Entry:
		entry = v.Phase()
	case e.insideEntry(i):
		return e.facts.Status
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
		own = e.facts.Node(own).Parent // the StepGroup of a step or its item, the task of a task's item
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
	if e.facts.Node(i).Kind == nodegraph.KindStepGroup {
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

// insideEntry reports whether node i is inside the entry node.
func (e *Evaluator) insideEntry(i nodegraph.Index) bool {
	for e.facts.Node(i).Parent > nodegraph.Root {
		i = e.facts.Node(i).Parent
	}
	return i == nodegraph.Entry
}
