package replay

import (
	"regexp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// The deviations that the wide recordings show, from number 14 on.

// openInFailedFast is deviation 14: the DAG failed fast in the recording as here, and a Retry inside is left Running there, or
// a task that can't run any more is not made.
func openInFailedFast(t site) bool {
	if p := t.parent(); p.want.Kind != nodegraph.KindDAG || !p.failedFast() {
		return false
	}
	if t.want.none() {
		return t.isNew() && t.got.Phase == nodegraph.PhaseOmitted
	}
	return t.want.Kind == nodegraph.KindRetry && t.want == t.before && t.want.open() && t.got.Kind == nodegraph.KindRetry && t.got.settled()
}

// failedFast reports whether the node failed fast in the recording as here.
func (t site) failedFast() bool {
	return t.want.Phase == nodegraph.PhaseFailed && t.want.Message == failedFast && !t.differs()
}

// waitingFor is what the controller says of a node that waits for a lock.
var waitingFor = regexp.MustCompile(`^Waiting for (\S+) lock\. Lock status: \d+/\d+$`)

// lockOfFailedFast is deviation 26: the recording still waits for a lock that a task holds which has failed and whose DAG
// failed fast. Here the lock was given back, and the node has it.
func lockOfFailedFast(t site) bool {
	waits := waitingFor.FindStringSubmatch(t.want.Message)
	if waits == nil || t.want.Phase != nodegraph.PhasePending || t.want != t.before && !t.isNew() ||
		!t.needsLock(waits[1]) || t.got.Kind != t.want.Kind || !t.got.open() || t.rule() == rule.RuleLockWait {
		return false
	}
	for id := range t.scene.want.states {
		holder := t.at(id)
		if holder.needsLock(waits[1]) && holder.want.Phase.Unsuccessful() && !holder.differs() && holder.parent().failedFast() {
			return true
		}
	}
	return false
}

// needsLock reports whether the node's template asks for the lock with this key.
func (t site) needsLock(key string) bool {
	return t.id != "" && t.exists() && t.node().Template != nil &&
		slices.ContainsFunc(t.node().Template.Locks, func(l nodegraph.Lock) bool { return l.Key == key })
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

// noPlaceForHook is deviation 17: an exit hook finds no place under a limit of parallelism, or none any more since its template
// fails fast.
func noPlaceForHook(t site) bool {
	if t.want.Kind != nodegraph.KindStepGroup || t.want.Phase != nodegraph.PhaseError || t.want.Message != "Max parallelism reached" {
		return false
	}
	return t.abandoned(nodegraph.PhaseError) || t.parent().failedFast() && t.got.Kind == t.want.Kind && t.got.Message == failedFast
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

// hookForAttempt is deviation 20: a Retry has a hook that is a Retry itself. The recording takes that for its last attempt: it
// makes what belongs into an attempt inside the hook, does not look at the attempt before it again, makes no other while the
// hook runs, and when the hook has succeeded so has the Retry.
func hookForAttempt(t site) bool {
	p := t.parent()
	switch {
	case t.madeInHook():
		return true
	case t.role() == nodegraph.RoleAttempt:
		failed := func(s site) bool { return s.want.Phase.Unsuccessful() && !s.differs() }
		return t.want.none() && len(p.retriedHooks()) > 0 && slices.ContainsFunc(t.after(), failed)
	case p.role() == nodegraph.RoleAttempt && p.want.open() && len(p.parent().retriedHooks()) > 0:
		return t.want == t.before && !t.want.settled() && (t.want.none() || t.got.settled())
	case t.role() == nodegraph.RoleHook:
		return t.want.Kind == nodegraph.KindRetry && t.want.Phase == nodegraph.PhaseSucceeded && t.got.Phase.Unsuccessful() &&
			slices.ContainsFunc(t.members(), site.madeInHook)
	case t.want.Kind == nodegraph.KindDAG:
		return t.want.Phase == nodegraph.PhaseRunning && t.want == t.before && t.got.settled() && slices.ContainsFunc(t.members(), site.endedAsHook) &&
			!slices.ContainsFunc(t.members(), func(m site) bool { return m.want.open() || m.differs() })
	}
	return t.got.Phase == nodegraph.PhaseRunning && t.endedAsHook()
}

// retriedHooks are the hooks of a Retry that are Retries themselves, as recorded.
func (t site) retriedHooks() []site {
	return slices.DeleteFunc(t.hooks(), func(h site) bool { return t.want.Kind != nodegraph.KindRetry || h.want.Kind != nodegraph.KindRetry })
}

// endedAsHook reports whether the recording ended a Retry as a hook of it did: none of its attempts has succeeded.
func (t site) endedAsHook() bool {
	succeeded := func(s site) bool { return s.want.Phase == nodegraph.PhaseSucceeded }
	return t.want.Kind == nodegraph.KindRetry && succeeded(t) && t.want.Message == "" && slices.ContainsFunc(t.retriedHooks(), succeeded) &&
		!slices.ContainsFunc(t.members(), func(m site) bool { return m.role() == nodegraph.RoleAttempt && succeeded(m) })
}

// madeInHook reports whether the recording alone has the node, and made it inside a hook as it should have inside an attempt.
func (t site) madeInHook() bool {
	hook := t.parent()
	if t.exists() || t.want.none() || !hook.exists() || hook.role() != nodegraph.RoleHook {
		return false
	}
	owner, _ := t.graph.Owner(hook.index)
	if owner == nodegraph.Root {
		owner = nodegraph.Entry
	}
	of := t.at(t.graph.Node(owner).ID())
	return slices.ContainsFunc(of.retriedHooks(), func(h site) bool { return h.id == hook.id }) &&
		strings.HasPrefix(t.want.Name, hook.want.Name+".")
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

// rewrittenGroup is deviation 27: Steps have failed fast, and the recording ends the last StepGroup deeper inside them once more,
// which had ended.
func rewrittenGroup(t site) bool {
	if t.want.Kind != nodegraph.KindStepGroup || t.want.Phase != nodegraph.PhaseFailed || t.want.Message != failedFast ||
		!t.before.settled() || t.before == t.want || t.got != t.before {
		return false
	}
	for g := range t.graph.Dependents(t.index) {
		if !t.at(t.graph.Node(g).ID()).want.none() {
			return false
		}
	}
	return t.insideFailedFast()
}

// insideFailedFast reports whether the node is inside Steps that failed fast in the recording as here, directly or not.
func (t site) insideFailedFast() bool {
	for p := t.parent(); p.id != ""; p = p.parent() {
		if p.want.Kind == nodegraph.KindSteps && p.failedFast() {
			return true
		}
	}
	return false
}

// passedByFailFast is deviation 33: a template fails fast, and the recording does not look at the DAGs and Steps beside the failure any
// more: what is inside them stays as it was, or is not made. So it ends them sooner than here.
func passedByFailFast(t site) bool {
	if t.want.Phase == nodegraph.PhaseFailed && t.want.Message == failedFast && t.got.Kind == t.want.Kind && t.got.Phase == nodegraph.PhaseRunning {
		return t.holdsPassed()
	}
	return t.passedOver()
}

// passedOver reports whether the node is inside a DAG or Steps beside a failure, and the recording shows it as it was, open or not made.
func (t site) passedOver() bool {
	if !t.exists() || t.want != t.before || t.want.settled() || t.got.none() || !t.want.none() && !t.composite() {
		return false
	}
	for p := t.parent(); p.id != "" && p.want.open(); p = p.parent() {
		if (p.want.Kind == nodegraph.KindDAG || p.want.Kind == nodegraph.KindSteps) && p.besideFailure() {
			return true
		}
	}
	return false
}

// holdsPassed reports whether something inside the node was passed over, and is open here.
func (t site) holdsPassed() bool {
	return slices.ContainsFunc(t.members(), func(m site) bool { return m.passedOver() && m.got.open() || m.holdsPassed() })
}

// besideFailure reports whether the node's boundary fails fast and a pod, a DAG or Steps in it has failed, in the recording as here.
func (t site) besideFailure() bool {
	b := t.graph.Boundary(t.index)
	if b == nodegraph.None || !t.graph.Node(b).Template.FailFast {
		return false
	}
	for id := range t.scene.want.states {
		s := t.at(id)
		runs := s.want.Kind == nodegraph.KindPod || s.want.Kind == nodegraph.KindDAG || s.want.Kind == nodegraph.KindSteps
		if id != "" && runs && s.exists() && t.graph.Boundary(s.index) == b && s.want.Phase.Unsuccessful() && !s.differs() {
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
