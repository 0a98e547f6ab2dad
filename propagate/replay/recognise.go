package replay

import (
	"regexp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

const (
	podDeleted       = "pod deleted"
	containerDeleted = "container deleted"
)

// overwrittenContainer is deviation 1: a container keeps here what the frame before recorded, and the recording says that
// it was deleted with its pod.
func overwrittenContainer(t site) bool {
	pod := t.parent()
	return t.want.Kind == nodegraph.KindContainer && t.want.Phase == nodegraph.PhaseError && t.want.Message == containerDeleted &&
		t.got.Phase.Completed() && t.got.Kind == nodegraph.KindContainer &&
		pod.want.Phase == nodegraph.PhaseError && pod.want.Message == podDeleted && !pod.differs()
}

// openContainer reports whether the recording leaves a container as it was although its pod has ended, and here the end of
// the pod has ended the container.
func openContainer(t site) bool {
	pod := t.parent()
	return t.want.Kind == nodegraph.KindContainer && t.want.open() && t.want == t.before && t.got.Phase.Completed() &&
		t.rule() == rule.RuleContainerPod && pod.want.Phase.Completed() && !pod.differs()
}

// openInEndedPod is deviation 2: the pod ended by itself.
func openInEndedPod(t site) bool { return openContainer(t) && t.parent().want.Message != podDeleted }

// openInDeletedPod is deviation 3: the pod was deleted, and the workflow waits for a container that comes after another.
func openInDeletedPod(t site) bool {
	return openContainer(t) && len(t.after()) > 0 && t.parent().want.Message == podDeleted && !t.within(State.settled)
}

// openInEndedSteps is deviation 5: the pod was deleted, and all that it is inside of has ended.
func openInEndedSteps(t site) bool {
	return openContainer(t) && len(t.after()) > 0 && t.parent().want.Message == podDeleted && t.within(State.settled)
}

// within reports whether the recorded states of all that the node is inside of, the workflow's included, are so.
func (t site) within(so func(State) bool) bool {
	for p := t; p.id != ""; {
		if p = p.parent(); !so(p.want) {
			return false
		}
	}
	return true
}

// rewrittenDaemon is deviation 4: a daemon that was ready has failed, and the recording rewrites it, or the Retry around it,
// to Succeeded as what is around it ends. The message stays.
func rewrittenDaemon(t site) bool {
	n := t.scene.before.nodes[t.id]
	if n == nil || !n.Daemoned || t.want.Kind != nodegraph.KindPod && t.want.Kind != nodegraph.KindRetry || t.got.Kind != t.want.Kind {
		return false
	}
	return t.got.Phase.Unsuccessful() && t.want.Phase == nodegraph.PhaseSucceeded && t.want.Message == t.got.Message && t.want.Message != "" &&
		t.boundary().want.settled()
}

// boundary is what the task that the node is of belongs to: a StepGroup, a DAG, or the workflow.
func (t site) boundary() site {
	for p := t.parent(); ; p = p.parent() {
		if k := p.want.Kind; p.id == "" || k != nodegraph.KindRetry && k != nodegraph.KindTaskGroup {
			return p
		}
	}
}

// attemptOfEndedRetry is deviation 6: the recording has an attempt that was made in or after the frame in which its Retry
// ended, and here there is none; or what a retry by hand made of that.
func attemptOfEndedRetry(t site) bool {
	p := t.parent()
	return t.got.none() && !t.want.none() && p.want.Kind == nodegraph.KindRetry && p.want.Phase.Completed() && (!p.differs() || t.isNew()) &&
		strings.HasPrefix(t.want.Name, p.want.Name+"(") || keptAttempt(t)
}

// orderOfVisits is deviation 7: the controller came to other tasks first where a limit of parallelism let only some start,
// or came to none any more.
func orderOfVisits(t site) bool {
	switch {
	case t.id == "" || !t.exists():
		return false
	case t.got.none() && t.want.open() && t.isNew(): // it started there
		return t.needs[t.index] == propagate.WaitParallelism
	case t.want.none() && t.isNew() && t.got.open(): // it started here
		return t.limitReached()
	}
	return t.want.Kind.Composite() && t.want.open() && t.want == t.before && t.got.settled() && t.limitReached() &&
		!slices.ContainsFunc(t.members(), func(m site) bool { return m.want.open() })
}

// limitReached reports whether the recording shows as many active pods as a limit allows: that of the workflow, or that
// of a template which the node is inside of.
func (t site) limitReached() bool {
	if limit := t.graph.Spec().Parallelism; limit > 0 && t.at("").active() >= limit {
		return true
	}
	for i := t.node().Parent; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		n := t.graph.Node(i)
		if tmpl := n.Template; tmpl != nil && tmpl.Parallelism > 0 && (n.Kind == nodegraph.KindDAG || n.Kind == nodegraph.KindSteps) {
			if t.at(n.ID()).active() >= tmpl.Parallelism {
				return true
			}
		}
	}
	return false
}

// active is how many pods inside the node the recording shows as Pending or Running.
func (t site) active() int {
	n := 0
	for id, s := range t.scene.want.states {
		if s.Kind != nodegraph.KindPod || !s.open() {
			continue
		}
		if t.id == "" || t.at(id).isInside(t.id) {
			n++
		}
	}
	return n
}

// isInside reports whether the node is inside the one with this id, directly or not.
func (t site) isInside(id string) bool {
	for p := t; p.id != ""; p = p.parent() {
		if p.parent().id == id {
			return true
		}
	}
	return false
}

// falseSuccess is deviation 8: the DAG fails here because a failure leads to a target that was skipped or omitted, and is
// Succeeded in the recording: as something inside is, or because the continueOn of that target alone covers the failure.
func falseSuccess(t site) bool {
	return t.want.Kind == nodegraph.KindDAG && t.want.Phase == nodegraph.PhaseSucceeded && t.want.Message == "" && t.inherits() &&
		(t.contains(nodegraph.PhaseSucceeded) || t.targetCovers())
}

// targetCovers reports whether a target of the DAG that was skipped or omitted has a continueOn for the phase of the DAG here.
func (t site) targetCovers() bool {
	plan, first := t.graph.PlanOf(t.index)
	return slices.ContainsFunc(plan.Targets(), func(place int32) bool {
		target := first + nodegraph.Index(place)
		return !t.moment.Engine.Verdict(target).Phase.Completed() && t.graph.Node(target).Task.ContinueOn.Covers(t.got.Phase)
	})
}

// kindOfFailure is deviation 9: a failure leads to a target of the DAG that was skipped or omitted, here and in the
// recording, but the DAG is Failed in one and Error in the other. Something inside ended as the recording says.
func kindOfFailure(t site) bool {
	return t.want.Kind == nodegraph.KindDAG && t.want.Phase.Unsuccessful() && t.want.Phase != t.got.Phase &&
		t.want.Message == t.got.Message && t.inherits() && t.contains(t.want.Phase)
}

// contains reports whether the recording shows something inside the node, directly or not, in that phase.
func (t site) contains(phase nodegraph.Phase) bool {
	return slices.ContainsFunc(t.members(), func(m site) bool { return m.want.Phase == phase || m.contains(phase) })
}

// inherits reports whether the DAG has failed here because a failure leads to a target that was skipped or omitted, and all that
// is directly inside is as recorded.
func (t site) inherits() bool {
	return t.exists() && t.rule() == rule.RuleBranchFailed && !slices.ContainsFunc(t.members(), site.differs)
}

const failedFast = "template has failed or errored children and failFast enabled"

// podAfterDeadline is deviation 10: the recording asks for a pod in a workflow whose deadline has passed. Here the node has
// failed by the deadline.
func podAfterDeadline(t site) bool {
	return t.want.Kind == nodegraph.KindPod && t.want.Phase == nodegraph.PhasePending && t.want.Message == "" && t.isNew() &&
		t.got.Phase == nodegraph.PhaseFailed && t.rule() == rule.RuleStopped
}

// rule is the rule that decided here, RulePlanned for a node that does not exist.
func (t site) rule() rule.Rule {
	if !t.exists() {
		return rule.RulePlanned
	}
	return t.moment.Engine.Verdict(t.index).Rule
}

// endedOverHook is deviation 11: a shutdown is in force, and the recording ended a DAG although a hook inside is open there
// as it is here, with all between. The tasks that it did not come to any more were never made.
func endedOverHook(t site) bool {
	if !t.exists() || t.shutdown() == "" {
		return false
	}
	if p := t.parent(); t.want.none() && t.got.Phase == nodegraph.PhaseOmitted {
		return p.want.Kind == nodegraph.KindDAG && p.before.Phase.Unsuccessful() && !p.differs()
	}
	return t.want.Kind == nodegraph.KindDAG && t.want.Phase == nodegraph.PhaseFailed && t.want.Message == "" && t.got.Phase == nodegraph.PhaseRunning &&
		slices.ContainsFunc(t.members(), site.openByHook)
}

// openByHook reports whether the node is open in the recording and here, and is a hook or is kept open by one inside.
func (t site) openByHook() bool {
	return t.want.open() && t.got.open() && (t.role() == nodegraph.RoleHook || slices.ContainsFunc(t.members(), site.openByHook))
}

// openInStoppedRetry is deviation 12: a shutdown ended the Retry in the recording as here, and its composite attempt is left
// open there.
func openInStoppedRetry(t site) bool {
	p := t.parent()
	return t.role() == nodegraph.RoleAttempt && t.want.Kind.Composite() && t.want == t.before && t.want.open() && t.got.settled() &&
		p.want.Phase == nodegraph.PhaseFailed && p.got.settled() && p.stopped()
}

// stopped reports whether the message is that of a Retry which a shutdown ended, in this frame or before.
func (t site) stopped() bool {
	const prefix = "Stopped with strategy '"
	return t.want.Message == prefix+t.shutdown()+"'" || t.want == t.before && strings.HasPrefix(t.want.Message, prefix)
}

// shutdown is the strategy in force, empty for none.
func (s *scene) shutdown() string { return s.judge.player.Recording.Frames[s.moment.Frame].Shutdown }

// stoppedSuccess is deviation 13: the last attempt has succeeded, and the recording ended the Retry by the shutdown.
func stoppedSuccess(t site) bool {
	if t.want.Kind != nodegraph.KindRetry || t.want.Phase != nodegraph.PhaseFailed || !t.stopped() ||
		t.got.Kind != nodegraph.KindRetry || t.got.Phase != nodegraph.PhaseSucceeded {
		return false
	}
	decided := t.moment.Engine.Verdict(t.index).By
	if decided <= nodegraph.Root {
		return false
	}
	by := t.at(t.graph.Node(decided).ID())
	return by.want.Phase == nodegraph.PhaseSucceeded && by.got.Phase == nodegraph.PhaseSucceeded || openInStoppedRetry(by)
}

// waitingFor is what the controller says of a node that waits for a lock.
var waitingFor = regexp.MustCompile(`^Waiting for (\S+) lock\. Lock status: \d+/\d+$`)

// timedOutGroup is deviation 15: a step timed out, there and here, and others are open.
func timedOutGroup(t site) bool {
	const timeout = "timeout"
	return t.abandoned(nodegraph.PhaseFailed) && t.want.Message == timeout && slices.ContainsFunc(t.members(), func(m site) bool {
		return m.want.Phase == nodegraph.PhaseFailed && m.want.Message == timeout && !m.differs()
	})
}

// inlineLoop is deviation 18: the recording found no template for a loop over an inline one, and so ended the Steps or the
// DAG around it, or the task after it, in Error.
func inlineLoop(t site) bool {
	const missing = "failed to get a template"
	if t.id == "" {
		const prefix = "error in entry template execution: "
		return t.want.Phase == nodegraph.PhaseError && t.want.Message == prefix+missing && t.want.Message != t.got.Message &&
			t.at(t.graph.Node(nodegraph.Entry).ID()).want.Message == missing
	}
	if t.want.Phase != nodegraph.PhaseError || t.want.Message != missing || t.want.Message == t.got.Message || !t.exists() {
		return false
	}
	loops := func(s site) bool {
		return s.exists() && s.node().Task != nil && s.node().Task.Inline != nil && s.node().Task.Loop != nil
	}
	ended := func(s site) bool { return s.want.Phase == nodegraph.PhaseError && s.want.Message == missing }
	if loops(t) || slices.ContainsFunc(t.after(), loops) || slices.ContainsFunc(t.after(), ended) {
		return true
	}
	return slices.ContainsFunc(t.members(), func(m site) bool {
		return loops(m) || m.role() == nodegraph.RoleGroup && slices.ContainsFunc(m.members(), loops)
	})
}

// panicked is deviation 19: the reconcile of the recording ended in a panic, which ends the workflow and its entry node.
func panicked(t site) bool {
	broke := func(s site) bool {
		return s.id == "" && s.want.Phase == nodegraph.PhaseError && strings.HasPrefix(s.want.Message, "runtime error: ")
	}
	if t.want.Phase != nodegraph.PhaseError || !t.got.open() {
		return false
	}
	return broke(t) || t.index == nodegraph.Entry && t.want.Message == "Workflow operation error" && broke(t.parent())
}

// leftOpen is deviation 25: what is around the node had ended in the frame before, and the recording leaves it open as it was
// then. Here it was closed, or has ended as all that is inside it. Ready daemons end with the workflow.
func leftOpen(t site) bool {
	if !t.exists() || !t.want.open() || t.want != t.before || t.got.Kind != t.want.Kind || !t.endedAround() {
		return false
	}
	switch n := t.scene.before.nodes[t.id]; {
	case t.got.Phase == nodegraph.PhaseFailed && t.got.Message == rule.TextClosed:
		return true
	case n != nil && n.Daemoned:
		return t.got.Phase == nodegraph.PhaseSucceeded && t.at("").before.settled()
	}
	unlike := func(m site) bool { return m.want.open() || m.differs() }
	return t.composite() && t.got.settled() && !slices.ContainsFunc(t.members(), unlike)
}

// endedAround reports whether something that the node is inside of, or the workflow, had ended in the frame before, and has
// ended so in the recording and here. The hooks of a TaskGroup may outlive it.
func (t site) endedAround() bool {
	for p := t; p.id != ""; {
		p = p.parent()
		if p.want.settled() && p.want == p.before && !p.differs() && p.want.Kind != nodegraph.KindTaskGroup {
			return true
		}
	}
	return false
}

// heldUp is deviation 39: the workflow is suspended, and the recording leaves a composite open in which all has ended.
func heldUp(t site) bool {
	unlike := func(m site) bool { return m.want.open() || m.differs() }
	return t.judge.player.Recording.Frames[t.moment.Frame].Held && t.composite() && t.want.open() && t.want == t.before && t.got.settled() &&
		!slices.ContainsFunc(t.members(), unlike)
}
