package replay

import (
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
// ended, and here there is none.
func attemptOfEndedRetry(t site) bool {
	p := t.parent()
	return t.got.none() && !t.want.none() && p.want.Kind == nodegraph.KindRetry && p.want.Phase.Completed() && !p.differs() &&
		strings.HasPrefix(t.want.Name, p.want.Name+"(")
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
	return slices.ContainsFunc(t.graph.Targets(t.index), func(slot int32) bool {
		target := t.graph.MemberAt(t.index, slot)
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

// openInFailedFast is deviation 14: the DAG failed fast in the recording as here, and a Retry inside is left Running there.
func openInFailedFast(t site) bool {
	p := t.parent()
	return t.want.Kind == nodegraph.KindRetry && t.want == t.before && t.want.open() && t.got.Kind == nodegraph.KindRetry && t.got.settled() &&
		p.want.Kind == nodegraph.KindDAG && p.want.Message == failedFast && !p.differs()
}

// abandoned reports whether the recording ended a StepGroup while a step in it is open there.
func (t site) abandoned(phase nodegraph.Phase) bool {
	return t.want.Kind == nodegraph.KindStepGroup && t.want.Phase == phase && t.got.Kind == t.want.Kind && t.got.Phase == nodegraph.PhaseRunning &&
		slices.ContainsFunc(t.members(), func(m site) bool { return m.want.open() })
}

// timedOutGroup is deviation 15: a step timed out, there and here, and others are open.
func timedOutGroup(t site) bool {
	const timeout = "timeout"
	return t.abandoned(nodegraph.PhaseFailed) && t.want.Message == timeout && slices.ContainsFunc(t.members(), func(m site) bool {
		return m.want.Phase == nodegraph.PhaseFailed && m.want.Message == timeout && !m.differs()
	})
}

// hookErrorOfGroup is deviation 16: the expression of a hook names a step that is a loop.
func hookErrorOfGroup(t site) bool {
	return t.abandoned(nodegraph.PhaseError) && strings.HasPrefix(t.want.Message, "unable to evaluate expression '") &&
		strings.HasSuffix(t.want.Message, "^")
}

// noPlaceForHook is deviation 17: an exit hook finds no place under a limit of parallelism.
func noPlaceForHook(t site) bool {
	return t.abandoned(nodegraph.PhaseError) && t.want.Message == "Max parallelism reached"
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
	if loops(t) || slices.ContainsFunc(t.after(), loops) {
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

// hookForAttempt is deviation 20: a hook of the Retry is a Retry itself. While it runs the recording makes no further attempt,
// and when it has succeeded so has the Retry.
func hookForAttempt(t site) bool {
	hooked := func(retry site, ended bool) bool {
		return slices.ContainsFunc(retry.hooks(), func(h site) bool {
			return h.want.Kind == nodegraph.KindRetry && (h.want.Phase == nodegraph.PhaseSucceeded) == ended
		})
	}
	failed := func(attempt site) bool {
		return attempt.want.Phase.Unsuccessful() && !attempt.differs()
	}
	if t.role() == nodegraph.RoleAttempt {
		return t.want.none() && (hooked(t.parent(), false) || hooked(t.parent(), true)) && slices.ContainsFunc(t.after(), failed)
	}
	return t.want.Kind == nodegraph.KindRetry && t.want.Phase == nodegraph.PhaseSucceeded && t.want.Message == "" &&
		t.got.Phase == nodegraph.PhaseRunning && hooked(t, true) && slices.ContainsFunc(t.members(), failed)
}

// exitHookOfItem is deviation 21: the recording has no exit hook of an item, but one of an earlier item of the same loop.
func exitHookOfItem(t site) bool {
	if !t.want.none() || t.got.none() || t.role() != nodegraph.RoleHook {
		return false
	}
	owner, hook := t.graph.Owner(t.index)
	item := t.at(t.graph.Node(owner).ID())
	if hook.Name != nodegraph.ExitHook || item.role() != nodegraph.RoleItem || !item.want.settled() || item.differs() {
		return false
	}
	return slices.ContainsFunc(item.parent().members(), func(o site) bool {
		return o.role() == nodegraph.RoleItem && o.node().DeclIndex < item.node().DeclIndex &&
			slices.ContainsFunc(o.hooks(), func(h site) bool {
				_, of := h.graph.Owner(h.index)
				return of.Name == nodegraph.ExitHook && !h.want.none()
			})
	})
}

// openDaemonContainers is deviation 22: nothing is open in the DAG of the recording but a ready daemon with containers.
func openDaemonContainers(t site) bool {
	if t.want.Kind != nodegraph.KindDAG || t.want.Phase != nodegraph.PhaseRunning || t.want.Message != "" || !t.got.settled() {
		return false
	}
	daemons := 0
	openContainer := func(c site) bool { return c.want.Kind == nodegraph.KindContainer && c.want.open() }
	for _, m := range t.members() {
		n := t.scene.want.nodes[m.id]
		switch {
		case m.want.settled():
		case n != nil && n.Daemoned && slices.ContainsFunc(m.members(), openContainer):
			daemons++
		default:
			return false
		}
	}
	return daemons > 0
}

// beforeHookOfDAG is deviation 23: the recording starts what comes after a DAG before the DAG's hook, and forgets the hook
// when that has ended.
func beforeHookOfDAG(t site) bool {
	if !t.exists() {
		return false
	}
	if t.got.none() && t.isNew() && !t.want.none() {
		openHook := func(h site) bool { return h.got.open() }
		return slices.ContainsFunc(t.after(), func(p site) bool {
			return p.want.Kind == nodegraph.KindDAG && p.want.settled() && !p.differs() && slices.ContainsFunc(p.hooks(), openHook)
		})
	}
	hook := t.parent()
	if hook.role() != nodegraph.RoleHook || !t.want.open() || t.want != t.before || !t.got.settled() {
		return false
	}
	owner, _ := t.graph.Owner(hook.index)
	after := 0
	for d := range t.graph.Dependents(owner) {
		if !t.at(t.graph.Node(d).ID()).want.settled() {
			return false
		}
		after++
	}
	return after > 0 && t.graph.Node(owner).Kind == nodegraph.KindDAG
}

// daemonWithoutUser is deviation 24: the attempt of a daemon that was ready has failed, and the recording makes no further one
// because no StepGroup after it is open. When its own StepGroup has ended the Retry is Succeeded there.
func daemonWithoutUser(t site) bool {
	failed := func(s site) bool { return s.want.Phase.Unsuccessful() && !s.differs() }
	if t.want.Kind == nodegraph.KindRetry {
		return t.want.Phase == nodegraph.PhaseSucceeded && t.want.Message == "" && t.got.Phase == nodegraph.PhaseRunning && t.unusedDaemon() &&
			slices.ContainsFunc(t.members(), failed)
	}
	return t.want.none() && t.role() == nodegraph.RoleAttempt && t.got.Phase == nodegraph.PhasePending && t.parent().unusedDaemon() &&
		slices.ContainsFunc(t.after(), failed)
}

// unusedDaemon reports whether the node is a Retry in a StepGroup that the frame before recorded as a ready daemon, and the
// recording has no open StepGroup after that.
func (t site) unusedDaemon() bool {
	n := t.scene.before.nodes[t.id]
	if n == nil || !n.Daemoned || t.before.settled() || t.parent().role() != nodegraph.RoleGroup {
		return false
	}
	for g := range t.graph.Dependents(t.parent().index) {
		if t.at(t.graph.Node(g).ID()).want.open() {
			return false
		}
	}
	return true
}

// retriedIn is the frame of the last retry by hand up to this one; false if there was none.
func (s *scene) retriedIn() (frame int, ok bool) {
	for k := s.moment.Frame; k > 0; k-- {
		if s.judge.player.Recording.Frames[k].has("manual-retry") {
			return k, true
		}
	}
	return 0, false
}

// neverVisited is deviation 30: after the retry the recording shows the node in no other state than in this frame, and the
// workflow waits for ever. It has forgotten a node that it never makes again, it has kept a node that comes after what is open
// again, or it has opened an attempt before the last.
func neverVisited(t site) bool {
	retry, ok := t.retriedIn()
	if !ok || t.id == "" || !t.waitsForEver(retry) {
		return false
	}
	old := t.judge.recorded[retry-1].states[t.id]
	switch {
	case t.want.none():
		return old.settled() && !t.got.none()
	case t.want == old && t.want.settled():
		return t.got.none() && t.comesAfterOpen(make(map[string]bool))
	}
	return t.want.Kind.Composite() && t.want.open() && old.settled() && t.got.settled() && t.inEarlierAttempt()
}

// waitsForEver reports whether the recording shows the node as it is in this frame from the retry to the end, and the workflow as
// Running.
func (t site) waitsForEver(retry int) bool {
	for k := retry; k < len(t.judge.recorded); k++ {
		if states := t.judge.recorded[k].states; states[t.id] != t.want || !states[""].open() {
			return false
		}
	}
	return true
}

// comesAfterOpen reports whether the node, or something around it, comes after something that is open in the recording.
func (t site) comesAfterOpen(seen map[string]bool) bool {
	if t.id == "" || seen[t.id] {
		return false
	}
	seen[t.id] = true
	return slices.ContainsFunc(t.after(), func(p site) bool { return p.want.open() || p.comesAfterOpen(seen) }) || t.parent().comesAfterOpen(seen)
}

// inEarlierAttempt reports whether the node is, or is inside of, an attempt of a Retry that has a later one.
func (t site) inEarlierAttempt() bool {
	for i := t.index; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		if n := t.graph.Node(i); n.Role == nodegraph.RoleAttempt && t.graph.Last(n.Parent) != i {
			return true
		}
	}
	return false
}

// rerunSet is deviation 31: the retry deletes a pod with containers because something after it is reset.
func rerunSet(t site) bool {
	kind := t.want.Kind
	return t.retriedNow() && (kind == nodegraph.KindContainer || kind == nodegraph.KindPod && len(t.members()) > 0) &&
		t.want.Phase == nodegraph.PhasePending && t.want.Message == "" && t.before.settled() && t.got == t.before
}

// retriedNow reports whether a user has retried the workflow just before this frame.
func (s *scene) retriedNow() bool {
	retry, ok := s.retriedIn()
	return ok && retry == s.moment.Frame
}

// forgottenAttempt is deviation 32: the retry deletes an attempt that failed, and with which its Retry has succeeded all the same.
func forgottenAttempt(t site) bool {
	p := t.parent()
	return t.retriedNow() && t.want.none() && t.before.Phase.Unsuccessful() && t.got == t.before && t.role() == nodegraph.RoleAttempt &&
		t.graph.Last(p.index) == t.index && p.want == p.before && p.want.Phase == nodegraph.PhaseSucceeded
}

// withoutDaemon is deviation 33: a daemon that had ended runs again here, and the recording leaves it as it was.
func withoutDaemon(t site) bool {
	return t.retriedNow() && t.exists() && t.node().Template != nil && t.node().Template.Daemon && t.want == t.before && t.want.settled() &&
		(t.got.open() || t.got.none())
}
