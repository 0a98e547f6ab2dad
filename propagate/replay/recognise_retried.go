package replay

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// What a user's retry of a workflow that failed does in the recording. See retried for what the library does.

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

// forgottenAfter: the retry has deleted what comes after a node that it runs again.
func forgottenAfter(t site, number int) bool {
	return t.id != "" && t.want.none() && !t.got.none() && (t.parent().want.none() && t.parent().number() == number ||
		slices.ContainsFunc(t.after(), func(p site) bool { return p.number() == number && (p.want.open() || p.want.none()) }))
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
