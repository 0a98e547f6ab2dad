package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// unsettled finds composites that have been due to settle for longer than a controller takes.
func (d *diagnosis) unsettled(r *nodegraph.NodeStatus) {
	i := d.record.find(r)
	if i == nodegraph.None || !r.Kind.Composite() || !open(r) || d.faulty[r.ID] || d.missesResults(i) {
		return
	}
	since, done := d.membersEnded(i)
	if d.decidedElsewhere(i) {
		if done && d.hadTime(since) && d.g.Node(i).Template.Retry.Backoff == nil {
			d.lateAt(StartOverdue, r, since, fmt.Sprintf("all its attempts ended %s ago; whether another one is made only the controller can evaluate, and it has done nothing",
				d.ago(since)), lookAtController).Should = State{}
		}
		return
	}
	should, ok := d.computedState(r)
	if !ok || !should.Phase.Settled() || !done || !d.hadTime(since) {
		return
	}
	reason := fmt.Sprintf("all inside it has ended, %s ago", d.ago(since))
	heals, remedy := should.Phase.Unsuccessful() || d.succeedsPlainly(i), "restart the controller, and heal the workflow if that changes nothing"
	if !heals {
		remedy = restartController
	}
	kind, why := Stalled, ", and it is not settled"
	switch r.Kind {
	case nodegraph.KindTaskGroup:
		kind = TaskGroupDone
	case nodegraph.KindRetry:
		kind, why = RetryOver, ", and no further attempt will be made"
	}
	d.found(kind, r, should, heals, reason+why, remedy).Since = since
}

// succeedsPlainly reports whether nothing but its end is stored with composite i when that succeeds, and the success is true. A
// Retry gets the outputs of its last attempt, a DAG or Steps those of its template, and groups have none of their own.
func (d *diagnosis) succeedsPlainly(i nodegraph.Index) bool {
	switch n := d.g.Node(i); n.Kind {
	case nodegraph.KindTaskGroup:
		return true
	case nodegraph.KindStepGroup:
	case nodegraph.KindDAG, nodegraph.KindSteps:
		if d.in.StoresOutputs == nil || d.in.StoresOutputs(n.Template) {
			return false
		}
	default:
		return false
	}
	return !d.falseInside(i)
}

// falseInside reports whether something inside node i was found to be recorded as a success that it is not.
func (d *diagnosis) falseInside(i nodegraph.Index) bool {
	return slices.ContainsFunc(d.report.Findings, func(f Finding) bool {
		return f.Kind == FalseSuccess && d.isInside(d.g.Find(f.ID), i)
	})
}

// decidedElsewhere reports whether Retry i depends on what its controller alone knows: a field of the strategy with variables,
// or an expression that the library can't evaluate.
func (d *diagnosis) decidedElsewhere(i nodegraph.Index) bool {
	n, v := d.g.Node(i), d.engine.Verdict(i)
	if n.Kind != nodegraph.KindRetry || v.Phase == nodegraph.PhaseSucceeded {
		return false
	}
	return v.Phase == nodegraph.PhaseError && v.Check == retry.CheckExpression ||
		slices.ContainsFunc(n.Template.Unresolved, func(u nodegraph.Unresolved) bool { return strings.Contains(u.Field, "retryStrategy") })
}

const restartController = "check that the controller runs, and restart it: what it would store with this node is not known here"

// membersEnded reports whether node i has members on record, all with what is inside them ended, and since when.
func (d *diagnosis) membersEnded(i nodegraph.Index) (since time.Time, done bool) {
	stack := []nodegraph.Index{i}
	for len(stack) > 0 {
		i = stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := range d.g.Members(i) {
			r := d.record.of(m)
			switch {
			case r == nil:
				continue // not created, or it is no node of its own
			case open(r) && !r.Daemoned:
				return since, false
			case ended(r).After(since):
				since = ended(r)
			}
			done = true
			stack = append(stack, m)
		}
	}
	return since, done
}

// unsettledWorkflow finds a workflow that is open although its entry node, hooks and exit handler have ended.
func (d *diagnosis) unsettledWorkflow() {
	w := &d.report.Workflow
	since, done := d.membersEnded(nodegraph.Root)
	if w.Recorded.Phase.Completed() || !w.Should.Phase.Completed() || !done || len(d.report.Findings) > 0 || d.missesResults(nodegraph.Root) || !d.hadTime(since) {
		return
	}
	d.report.Findings = append(d.report.Findings, Finding{
		Kind: Stalled, Node: *w, Since: since, Remedy: restartController,
		Reason: fmt.Sprintf("all inside it has ended, %s ago, and it is not complete", d.ago(since)),
	})
}

// missingHooks finds exit hooks that are due and not on record.
func (d *diagnosis) missingHooks() {
	for i := nodegraph.Entry; int(i) < d.g.Len(); i++ {
		owner := d.record.of(i)
		if owner == nil || !owner.Phase.Completed() {
			continue
		}
		if name := d.exitHook(i); name != "" && d.record.byID[nodegraph.NodeID(d.in.Spec.Name, name)] == nil && d.hookDue(i, name, owner) {
			d.late[nodegraph.NodeID(d.in.Spec.Name, name)] = true
			d.report.Findings = append(d.report.Findings, Finding{
				Kind:   ExitHookMissing,
				Since:  ended(owner),
				Node:   Node{ID: nodegraph.NodeID(d.in.Spec.Name, name), Name: name, Type: nodegraph.KindPod},
				Reason: fmt.Sprintf("%s %s has ended (%s) and its exit hook was never started", owner.Kind, owner.Name, owner.Phase),
				Remedy: d.hookRemedy(),
			})
		}
	}
}

func (d *diagnosis) hookRemedy() string {
	if d.in.Snapshot.Phase.Completed() {
		return "run the hook's template by hand if what it does is needed"
	}
	return "check that the controller runs, and restart it"
}

// exitHook is the name of the node of i's unconditional exit hook, empty if it has none.
func (d *diagnosis) exitHook(i nodegraph.Index) string {
	n := d.g.Node(i)
	switch {
	case i == nodegraph.Entry && d.g.OnExit() != nil && d.g.OnExit().Expression == "":
	case n.Task != nil && n.Task.ExitHook() != nil && n.Task.ExitHook().Expression == "" && n.Kind != nodegraph.KindTaskGroup:
	default:
		return ""
	}
	return nodegraph.HookName(n.Name(), &nodegraph.Hook{Name: nodegraph.ExitHook})
}

// hookDue reports whether the hook of i should be there by now.
func (d *diagnosis) hookDue(i nodegraph.Index, name string, owner *nodegraph.NodeStatus) bool {
	if d.in.Snapshot.Phase.Completed() {
		return i == nodegraph.Entry && d.in.Snapshot.Shutdown != "Terminate"
	}
	hook := d.g.Find(name)
	return hook > nodegraph.Root && d.engine.Exists(hook) && d.hadTime(owner.Finished)
}
