package replay

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// How a difference follows from one beside it. The recording lags: it keeps open, or has not made, what has moved on here.
var lagging = []func(site, int) bool{keptOpen, notMade, notMadeInside, daemonKept, stoppedLate}

// keptOpen: the recording keeps a composite Running that has ended here, and what keeps it so is directly inside. The
// controller looks at all that is below a DAG, also through what has ended, so what ended in the recording over something
// open passes it on to a DAG.
func keptOpen(t site, number int) bool {
	if !t.composite() || t.want.Phase != nodegraph.PhaseRunning || t.want != t.before && !t.isNew() || !t.got.settled() {
		return false
	}
	return slices.ContainsFunc(t.members(), func(m site) bool {
		if t.want.Kind == nodegraph.KindDAG {
			return m.holds(number)
		}
		return m.number() == number && m.want.open()
	})
}

// holds reports whether the node is open in the recording by that number, or has ended around one that is.
func (t site) holds(number int) bool {
	if t.number() == number && t.want.open() {
		return true
	}
	return t.want.settled() && slices.ContainsFunc(t.members(), func(m site) bool { return m.holds(number) })
}

// daemonKept: the recording keeps open what a daemon belongs to, and the daemon with it until its pod ends. Here it has ended
// with that.
func daemonKept(t site, number int) bool {
	n, b := t.scene.before.nodes[t.id], t.boundary()
	return n != nil && n.Daemoned && t.want.Kind == t.got.Kind && t.got.Phase == nodegraph.PhaseSucceeded &&
		(t.want == t.before && t.want.open() || t.want.Phase.Unsuccessful() && t.podFailed()) &&
		b.number() == number && b.want.open() && b.got.settled()
}

// podFailed reports whether the node's pod is listed as failed.
func (t site) podFailed() bool {
	return slices.ContainsFunc(t.judge.player.Recording.Frames[t.moment.Frame].Pods, func(p propagate.PodStatus) bool {
		return p.Node == t.id && p.Phase == "Failed"
	})
}

// stoppedLate: a shutdown ends the workflow in the recording, which was kept open by something inside its entry node. Here it had
// ended before.
func stoppedLate(t site, number int) bool {
	if t.id != "" || !t.before.open() || !t.stopped() || t.want.Phase != t.got.Phase {
		return false
	}
	entry := t.at(t.graph.Node(nodegraph.Entry).ID())
	return entry.before.open() && slices.ContainsFunc(entry.members(), func(m site) bool { return m.holds(number) })
}

// notMade: the recording has not made a node because what it comes after is open there, or is not made either.
func notMade(t site, number int) bool {
	return t.want.none() && t.isNew() && !t.got.none() && slices.ContainsFunc(t.after(), func(p site) bool {
		return p.number() == number && (p.want.open() || p.want.none())
	})
}

// notMadeInside: the recording has not made what the node is inside of.
func notMadeInside(t site, number int) bool {
	p := t.parent()
	return t.id != "" && t.want.none() && t.isNew() && !t.got.none() && p.want.none() && p.number() == number
}

// madeInside: the recording has made what the node is inside of, and we have not, or have skipped or omitted it.
func madeInside(t site, number int) bool {
	p := t.parent()
	return t.id != "" && t.got.none() && !t.want.none() && p.id != "" && (p.got.none() || p.got.Kind == nodegraph.KindSkipped) && p.number() == number
}

// The recording leads: it has ended, or made, what waits here.
var leading = []func(site, int) bool{endedThere, made, madeInside}

// endedThere: the recording has ended a composite that is open here, and what keeps it open is inside it. Nothing inside
// is open in the recording, save what it alone has by a number, and a Retry ended by an attempt that it has there.
func endedThere(t site, number int) bool {
	if !t.composite() || !t.want.settled() || !t.got.open() || !t.endsAsMembers() {
		return false
	}
	members := t.members()
	return !slices.ContainsFunc(members, func(m site) bool { return m.want.open() && (m.number() == 0 || !m.got.none()) }) && slices.ContainsFunc(members, func(m site) bool {
		return m.number() == number && m.got.open() && (m.want.settled() || m.want.none() && t.want.Kind != nodegraph.KindRetry)
	})
}

// daemonEnded: the recording has ended what a daemon belongs to, and the daemon with it. Here both live.
func daemonEnded(t site, number int) bool {
	n, b := t.scene.before.nodes[t.id], t.boundary()
	return n != nil && n.Daemoned && t.want.Kind == t.got.Kind && t.want.Phase == nodegraph.PhaseSucceeded && t.got.Phase == nodegraph.PhaseRunning &&
		b.number() == number && b.want.settled() && b.got.open()
}

// openedAgain: a retry by hand has opened a composite again in the recording because something inside it runs again there alone.
func openedAgain(t site, number int) bool {
	return t.retriedNow() && t.composite() && t.want.Phase == nodegraph.PhaseRunning && t.want.Message == "" && t.before.settled() && t.got == t.before &&
		slices.ContainsFunc(t.members(), func(m site) bool { return m.number() == number && m.want.open() })
}

// waitsThere: the recording has not made a node yet: it comes after what is open there alone, or is inside something that does.
func waitsThere(t site, number int) bool {
	if t.id == "" || !t.want.none() || !t.got.open() {
		return false
	}
	for a := t; a.id != ""; a = a.parent() {
		if slices.ContainsFunc(a.after(), func(p site) bool { return p.number() == number && p.want.open() }) {
			return true
		}
	}
	return false
}

// waitsForLeft: the recording has the node wait for a lock of something that it leaves open. Here that was closed, and the node has the
// lock.
func waitsForLeft(t site, number int) bool {
	waits := waitingFor.FindStringSubmatch(t.want.Message)
	if waits == nil || !t.needsLock(waits[1]) || t.got.Kind != t.want.Kind || !t.got.open() || t.rule() == rule.RuleLockWait {
		return false
	}
	for id := range t.scene.want.states {
		holder := t.at(id)
		if holder.needsLock(waits[1]) && holder.number() == number && holder.want.open() && holder.got.settled() {
			return true
		}
	}
	return false
}

// unmadeInside: what the node is inside of waits in the recording, so that it has not made the node.
func unmadeInside(t site, number int) bool {
	p := t.parent()
	return t.id != "" && t.want.none() && t.isNew() && !t.got.none() && p.number() == number && p.want.Phase == nodegraph.PhasePending
}

// triedInside: the recording makes another attempt of a Retry that it left open. Here that has ended.
func triedInside(t site, number int) bool {
	p := t.parent()
	return t.id != "" && t.isNew() && t.got.none() && t.want.open() && p.want.Kind == nodegraph.KindRetry && p.number() == number && p.want.open() && p.got.settled()
}

// endsAsMembers reports whether the recorded end of a composite is one that what is recorded directly inside can bring about.
func (t site) endsAsMembers() bool {
	decide, messages := t.members(), []string{""}
	if t.exists() && t.got.Kind == nodegraph.KindDAG && t.node().Expanded() {
		decide = nil
		plan, first := t.graph.PlanOf(t.index)
		for _, place := range plan.Targets() {
			decide = append(decide, t.at(t.graph.Node(first+nodegraph.Index(place)).ID()))
		}
	}
	unsuccessful, covered := false, t.want.Phase == nodegraph.PhaseSucceeded
	for _, m := range decide {
		if m.want.Phase.Unsuccessful() && (m.role() != nodegraph.RoleHook || t.id == "" && m.hookName() == nodegraph.ExitHook) {
			unsuccessful = true
			covered = covered || t.want.Kind != nodegraph.KindDAG || m.want.Phase == t.want.Phase
			messages = append(messages, m.want.Message, "child '"+m.id+"' failed")
		}
		if m.want.Phase == nodegraph.PhaseSkipped || m.want.Phase == nodegraph.PhaseOmitted {
			covered = true
		}
	}
	switch {
	case !covered, t.want.Phase == nodegraph.PhaseSucceeded && unsuccessful && (t.want.Kind != nodegraph.KindRetry || !t.attemptSucceeded()):
		return false
	case t.want.Kind == nodegraph.KindSteps && t.want.Phase == nodegraph.PhaseError:
		return t.fixedWords()
	}
	return t.fixedWords() || slices.Contains(messages, t.want.Message)
}

// attemptSucceeded reports whether the recording shows an attempt of the Retry as Succeeded, or a hook that it took for one.
func (t site) attemptSucceeded() bool {
	return slices.ContainsFunc(t.members(), func(m site) bool { return m.want.Phase == nodegraph.PhaseSucceeded })
}

// fixedWords reports whether the recorded message is one that the controller writes whatever failed inside: to an entry that
// a reconcile broke off at, to a workflow with such an entry, to a Retry that gives up, and where a shutdown is in force.
func (t site) fixedWords() bool {
	const broken = "Workflow operation error"
	switch t.want.Kind {
	case nodegraph.KindSteps:
		return t.want.Message == broken && t.want.Phase == nodegraph.PhaseError
	case nodegraph.KindWorkflow:
		entry := t.at(t.graph.Node(nodegraph.Entry).ID())
		says := func(m site) bool { return m.want.Message == t.want.Message }
		return t.stopped() || entry.want.Message == broken && slices.ContainsFunc(entry.members(), says)
	case nodegraph.KindRetry:
		return t.stopped() || t.want.Message == "No more retries left"
	}
	return false
}

// made: the recording has made a node that comes after something that is open here, or that is not made here either.
func made(t site, number int) bool {
	return t.got.none() && !t.want.none() && slices.ContainsFunc(t.after(), func(p site) bool {
		return p.number() == number && (p.got.open() || p.got.none())
	})
}

// The recording leaves alone what is inside a composite that has ended, there or here.
var (
	leaving    = append([]func(site, int) bool{leftInside}, lagging...)
	abandoning = append([]func(site, int) bool{leftInside, leftBelow, notMadeInside, waitsForLeft, unmadeInside, triedInside}, leading...)
)

// leftInside: the recording shows what is inside such a composite as it was before, open or not made. The steps of a
// StepGroup are made before anything can end it, but not their hooks.
func leftInside(t site, number int) bool {
	p := t.parent()
	if t.id == "" || p.number() != number || p.want.none() || t.want != t.before || t.want.settled() {
		return false
	}
	return !t.want.none() || p.want.Kind != nodegraph.KindStepGroup || t.role() == nodegraph.RoleHook
}

// leftBelow: the recording has ended a composite that is open here, and does not look at what is deeper inside it any more: a
// composite there is as it was before, and a task that would be skipped or omitted is not made. All between is open there.
func leftBelow(t site, number int) bool {
	if t.id == "" || t.want != t.before || t.want.settled() || !t.got.settled() || !t.want.none() && !t.composite() ||
		t.want.none() && t.parent().want.Kind != nodegraph.KindDAG {
		return false
	}
	for p := t.parent(); p.id != "" && p.want.open() && p.want == p.before; {
		if p = p.parent(); p.number() == number && p.want.settled() && p.got.open() {
			return true
		}
	}
	return false
}

// How the end of a composite is taken over by what is around it, and what a Retry around it makes of it.
var taking = slices.Concat([]func(site, int) bool{takenOver, otherwiseRetried, triedAgain, wentOn}, lagging, leading)

// takenOver: the node ends as what is inside it does, in the recording and here.
func takenOver(t site, number int) bool {
	return t.composite() && t.want.settled() && t.got.settled() && slices.ContainsFunc(t.members(), func(m site) bool {
		return m.number() == number && m.want.Phase == t.want.Phase && m.got.Phase == t.got.Phase
	})
}

// wordsTakenOver: the node ends as what is inside it does, in the words of that.
func wordsTakenOver(t site, number int) bool {
	return t.composite() && t.want.settled() && t.want.Phase == t.got.Phase && slices.ContainsFunc(t.members(), func(m site) bool {
		return m.number() == number && m.want.Message == t.want.Message && m.got.Message == t.got.Message
	})
}

// otherwiseRetried: the Retry has ended with its last attempt in the recording, and goes on here, or the other way round. The last
// attempt ended in two ways.
func otherwiseRetried(t site, number int) bool {
	return t.want.Kind == nodegraph.KindRetry && t.got.Kind == nodegraph.KindRetry && t.want.settled() != t.got.settled() &&
		slices.ContainsFunc(t.members(), func(m site) bool { return m.number() == number && m.want.settled() && m.got.settled() })
}

// triedAgain: an attempt after one that ended in two ways, which was made in the recording or here alone.
func triedAgain(t site, number int) bool {
	return t.isNew() && t.want.none() != t.got.none() && t.role() == nodegraph.RoleAttempt &&
		slices.ContainsFunc(t.after(), func(p site) bool { return p.number() == number && p.want.settled() && p.got.settled() })
}

// wentOn: what comes after a node that ended in two ways was made, skipped or omitted in the recording or here alone, or
// was made in one and omitted in the other.
func wentOn(t site, number int) bool {
	return t.isNew() && t.role() != nodegraph.RoleAttempt && (t.want.none() || t.got.none() || t.want.Kind != t.got.Kind) &&
		slices.ContainsFunc(t.after(), func(p site) bool { return p.number() == number && p.want.settled() && p.got.settled() })
}

// What follows from what a manual retry of the recording deletes, or leaves as it was.
var retrying = append([]func(site, int) bool{heldBack, triedAnew}, leading...)

// forgottenAfter: the retry has deleted what comes after a node that it runs again.
func forgottenAfter(t site, number int) bool {
	return t.id != "" && t.want.none() && !t.got.none() && (t.parent().want.none() && t.parent().number() == number ||
		slices.ContainsFunc(t.after(), func(p site) bool { return p.number() == number && (p.want.open() || p.want.none()) }))
}

// heldBack: the recording has made, or left as it was, what waits here: it comes after such a daemon, or is inside something that does.
func heldBack(t site, number int) bool {
	if t.id == "" || !t.got.none() || t.want.none() {
		return false
	}
	for a := t; a.id != ""; a = a.parent() {
		if slices.ContainsFunc(a.after(), func(p site) bool { return p.number() == number && !p.got.settled() }) {
			return true
		}
	}
	return false
}

// triedAnew: the recording has deleted the attempt, and here the Retry makes it again.
func triedAnew(t site, number int) bool {
	return t.id != "" && t.want.none() && t.got.open() && t.parent().number() == number
}

// role is the node's role in its parent; RoleRoot where it can't be told.
func (t site) role() nodegraph.Role {
	if t.exists() {
		return t.node().Role
	}
	switch n := t.scene.want.nodes[t.id]; {
	case n != nil && n.Retried:
		return nodegraph.RoleAttempt
	case n != nil && n.Hooked:
		return nodegraph.RoleHook
	}
	return nodegraph.RoleRoot
}

// composite reports whether the node settles from what is inside it.
func (t site) composite() bool {
	return t.id == "" || t.want.Kind.Composite() && (t.got.none() || t.got.Kind == t.want.Kind)
}
