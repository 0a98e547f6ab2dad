package replay

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Deviations of daemons that have died, are tried again, or gave their locks back.

// endedByDeadDaemon is deviation 32: a group of Steps has failed since a daemon in it died, and the recording ends the Steps while a
// later group is open.
func endedByDeadDaemon(t site) bool {
	if t.want.Kind != nodegraph.KindSteps || t.want.Phase != nodegraph.PhaseFailed || t.got.Kind != t.want.Kind || t.got.Phase != nodegraph.PhaseRunning {
		return false
	}
	failed := false
	for _, group := range t.members() {
		if failed && group.want.open() {
			return true
		}
		failed = failed || group.want.Phase == nodegraph.PhaseFailed && group.want.Message == t.want.Message && !group.differs()
	}
	return false
}

// endedOverDaemon is deviation 34: the recording has ended the Retry of a daemon with its boundary, and leaves the last attempt open.
// That may become ready later, and nobody ends it.
func endedOverDaemon(t site) bool {
	if p := t.parent(); t.role() == nodegraph.RoleAttempt {
		n := t.scene.want.nodes[t.id]
		return n != nil && n.Daemoned && t.want.Phase == nodegraph.PhaseRunning && t.want.Message == "" && t.got.Phase == nodegraph.PhaseSucceeded &&
			p.want.Kind == nodegraph.KindRetry && p.want.Phase == nodegraph.PhaseSucceeded && p.boundary().want.settled()
	}
	return t.isDaemonRetry() && t.endedReady() && t.boundary().want.settled() &&
		slices.ContainsFunc(t.members(), func(m site) bool {
			n := t.scene.want.nodes[m.id]
			return n != nil && !n.Daemoned && m.role() == nodegraph.RoleAttempt && m.want.open()
		})
}

// endedReady reports whether the recording has ended the node well, as it does a daemon that is ready, and the node is open here.
func (t site) endedReady() bool {
	return t.want.Phase == nodegraph.PhaseSucceeded && t.want.Message == "" && t.got.Phase == nodegraph.PhaseRunning
}

// isDaemonRetry reports whether the node is a Retry around a daemon, in the recording as here.
func (t site) isDaemonRetry() bool {
	return t.exists() && t.want.Kind == nodegraph.KindRetry && t.got.Kind == nodegraph.KindRetry && t.node().Template.IsDaemon()
}

// overlookedDaemon is deviation 35: the last attempt of a daemon in a loop has failed after the TaskGroup had ended, and the
// recording leaves the Retry Running.
func overlookedDaemon(t site) bool {
	if t.role() == nodegraph.RoleAttempt {
		return t.want.none() && !t.got.none() && t.parent().overlooked()
	}
	return t.got.settled() && t.overlooked()
}

// overlooked reports whether the recording does not look at the node any more: see overlookedDaemon.
func (t site) overlooked() bool {
	group, failed := t.parent(), false
	for _, m := range t.members() {
		if m.role() == nodegraph.RoleAttempt && !m.want.none() {
			failed = m.want.Phase.Unsuccessful() && !m.differs()
		}
	}
	return failed && t.isDaemonRetry() && t.role() == nodegraph.RoleItem && t.want == t.before && t.want.Phase == nodegraph.PhaseRunning &&
		group.want.Kind == nodegraph.KindTaskGroup && group.want.settled() && group.want == group.before
}

// afterDeadDaemon is deviation 36: the recording makes a task after a daemon that has died for good and still has the mark of one. Here
// it is omitted.
func afterDeadDaemon(t site) bool {
	return t.justMade() && t.got.Phase == nodegraph.PhaseOmitted && slices.ContainsFunc(t.after(), func(p site) bool {
		n := t.scene.want.nodes[p.id]
		return n != nil && n.Daemoned && p.want.Phase.Unsuccessful() && !p.differs()
	})
}

// justMade reports whether the recording has made the node in this frame.
func (t site) justMade() bool {
	first := nodegraph.PhasePending
	if t.want.Kind.Composite() {
		first = nodegraph.PhaseRunning
	}
	return t.isNew() && t.want.Phase == first && t.want.Message == ""
}

// waitingDaemon is deviation 40: the recording says of a daemon that is ready, or was until its boundary ended, that it waits for a
// lock, which it has given back.
func waitingDaemon(t site) bool {
	waits := waitingFor.FindStringSubmatch(t.want.Message)
	if waits == nil || !t.needsLock(waits[1]) || t.got.Message != "" || t.want.Kind != t.got.Kind || t.want.Phase != t.got.Phase {
		return false
	}
	n, was := t.scene.want.nodes[t.id], t.scene.before.nodes[t.id]
	return n.Daemoned || was != nil && was.Daemoned && t.want.Phase == nodegraph.PhaseSucceeded
}

// succeededReady is deviation 41: the recording ends the Retry of a daemon as Succeeded because the daemon is ready, and the daemon too
// when its pod fails.
func succeededReady(t site) bool {
	if t.role() == nodegraph.RoleAttempt {
		p, was := t.parent(), t.scene.before.nodes[t.id]
		return was != nil && was.Daemoned && t.want.Phase == nodegraph.PhaseSucceeded && t.want.Message == "" && t.got.Phase.Unsuccessful() &&
			t.podFailed() && p.want == p.before && p.want.Phase == nodegraph.PhaseSucceeded && !p.boundary().before.none() && p.isDaemonRetry()
	}
	return t.isDaemonRetry() && t.endedReady() &&
		slices.ContainsFunc(t.members(), func(m site) bool {
			n := t.scene.want.nodes[m.id]
			return n != nil && n.Daemoned && m.want.open() && !m.differs()
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
