package replay

import (
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Resolve answers the when that an action holds, from what the engine knows. That is the statuses, exit codes and ids of the
// tasks and steps that come before the node, and the status of the workflow. It is false where a variable stands for
// something else.
func Resolve(e *propagate.Engine, a *propagate.Action) (propagate.Event, bool) {
	when, known := fill(a.Message, func(name string) (string, bool) { return variable(e, a.Node, name) })
	if !known {
		return propagate.Event{}, false
	}
	result, err := nodegraph.EvalWhen(when)
	switch {
	case err != nil:
		return propagate.Unanswerable(a.ID, err.Error()), true
	case result == nodegraph.WhenUnresolved: // a value has braces in it
		return propagate.Event{}, false
	}
	return propagate.Resolved(a.ID, result == nodegraph.WhenTrue, when), true
}

// fill puts values in place of all variables of a text. It is false if the value of one is not known.
func fill(text string, value func(name string) (string, bool)) (string, bool) {
	var filled strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{")
		filled.WriteString(before)
		if !found {
			return filled.String(), true
		}
		name, after, closed := strings.Cut(rest, "}}")
		v, known := value(strings.TrimSpace(name))
		if !closed || !known {
			return "", false
		}
		filled.WriteString(v)
		text = after
	}
}

// variable returns the value that a variable has for node i.
func variable(e *propagate.Engine, i nodegraph.Index, name string) (string, bool) {
	if name == "workflow.status" {
		return workflowStatus(e)
	}
	group, rest, _ := strings.Cut(name, ".")
	at := strings.LastIndexByte(rest, '.')
	if group != "tasks" && group != "steps" || at < 0 {
		return "", false
	}
	named := before(e.Graph(), i, group, rest[:at])
	if len(named) == 0 {
		return "", false
	}
	switch rest[at+1:] {
	case "status":
		return commonStatus(e, named)
	case "id":
		return e.Graph().Node(named[0]).ID(), len(named) == 1
	case "exitCode":
		if code, known := exitCode(e, named[0]); known && len(named) == 1 {
			return strconv.Itoa(code), true
		}
	}
	return "", false
}

// workflowStatus is how the entry node ended, which is what an exit handler sees. It is false before that.
func workflowStatus(e *propagate.Engine) (string, bool) {
	v := e.Verdict(nodegraph.Entry)
	if v.Phase == nodegraph.PhaseSkipped || v.Phase == nodegraph.PhaseOmitted {
		return nodegraph.PhaseSucceeded.String(), true
	}
	return v.Phase.String(), v.Fulfilled
}

// commonStatus is the phase that all of the nodes have. Items of a step are several nodes: where they ended in more than
// one way, the controller alone knows what it makes of that.
func commonStatus(e *propagate.Engine, nodes []nodegraph.Index) (string, bool) {
	phase, _ := e.Phase(nodes[0])
	for _, i := range nodes[1:] {
		if other, _ := e.Phase(i); other != phase {
			return "", false
		}
	}
	return phase.String(), phase != nodegraph.PhasePlanned
}

// exitCode is that of a pod, or of the last attempt of a Retry.
func exitCode(e *propagate.Engine, i nodegraph.Index) (int, bool) {
	for e.Kind(i) == nodegraph.KindRetry && e.Graph().Last(i) != nodegraph.None {
		i = e.Graph().Last(i)
	}
	f := e.Fact(i)
	return f.ExitCode, f.HasExit && e.Kind(i) == nodegraph.KindPod
}

// before returns the nodes of the task or step of this name that node i comes after, directly or not: one, or the items
// of a step. Group says which of both: a DAG knows "tasks", Steps know "steps".
func before(g *nodegraph.Graph, i nodegraph.Index, group, name string) []nodegraph.Index {
	own := i
	if g.Node(own).Role != nodegraph.RoleTask {
		own = g.Node(own).Parent // the StepGroup of a step or its item, the task of a task's item
	}
	if (g.Node(own).Kind == nodegraph.KindStepGroup) != (group == "steps") {
		return nil
	}
	queue, seen := []nodegraph.Index{own}, map[nodegraph.Index]bool{own: true}
	for k := 0; k < len(queue); k++ {
		for other := range g.Dependencies(queue[k]) {
			if seen[other] {
				continue
			}
			seen[other] = true
			queue = append(queue, other)
			if named := called(g, other, name); len(named) > 0 {
				return named
			}
		}
	}
	return nil
}

// called returns node i if it is a task of this name, or what its step of this name consists of if it is a StepGroup.
func called(g *nodegraph.Graph, i nodegraph.Index, name string) []nodegraph.Index {
	if t := g.Node(i).Task; t != nil && t.Name == name {
		return []nodegraph.Index{i}
	}
	if g.Node(i).Kind != nodegraph.KindStepGroup {
		return nil
	}
	var steps, items []nodegraph.Index
	for m := range g.Members(i) {
		switch n := g.Node(m); {
		case n.Task == nil || n.Task.Name != name:
		case n.Role == nodegraph.RoleStep:
			steps = append(steps, m)
		case n.Role == nodegraph.RoleItem:
			items = append(items, m)
		}
	}
	if len(items) > 0 { // the step itself is no node then
		return items
	}
	return steps
}
