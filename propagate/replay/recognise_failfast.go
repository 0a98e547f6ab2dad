package replay

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

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
