package replay

import (
	"regexp"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Deviations of attempts, and of retries by hand.

// attemptWithoutPlace is deviation 42: the recording alone has a later attempt, for which there is no place under parallelism here.
func attemptWithoutPlace(t site) bool {
	p, n := t.parent(), t.scene.want.nodes[t.id]
	return t.got.none() && n != nil && n.Retried && p.want.Kind == nodegraph.KindRetry && len(t.after()) > 0 && p.exists() &&
		t.needs[p.index] == propagate.WaitParallelism
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

// neverVisited is deviation 28: after the retry the recording shows the node in no other state than in this frame, and the
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

// rerunSet is deviation 29: the retry deletes a pod with containers because something after it is reset.
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

// forgottenAttempt is deviation 30: the retry deletes an attempt that failed, and with which its Retry has succeeded all the same.
func forgottenAttempt(t site) bool {
	p := t.parent()
	return t.retriedNow() && t.want.none() && t.before.Phase.Unsuccessful() && t.got == t.before && t.role() == nodegraph.RoleAttempt &&
		t.graph.Last(p.index) == t.index && p.want == p.before && p.want.Phase == nodegraph.PhaseSucceeded
}

// withoutDaemon is deviation 31: a daemon that had ended runs again here, and the recording leaves it as it was.
func withoutDaemon(t site) bool {
	return t.retriedNow() && t.exists() && t.node().Template != nil && t.node().Template.IsDaemon() && t.want == t.before && t.want.settled() &&
		(t.got.open() || t.got.none())
}

// keptAttempt is how deviation 6 goes on after a retry by hand: the attempt that was made although the Retry had ended is kept, and goes
// on in the place of the first. Here that is made anew.
func keptAttempt(t site) bool {
	switch p := t.parent(); {
	case t.keptByRetry():
		return true
	case t.role() == nodegraph.RoleAttempt && t.want.none() && t.got.open():
		return slices.ContainsFunc(p.members(), site.keptByRetry)
	}
	return t.want.Kind == nodegraph.KindRetry && t.want.settled() && t.got.open() &&
		slices.ContainsFunc(t.members(), func(m site) bool {
			return m.want.Phase == t.want.Phase && m.want.Message == t.want.Message && m.keptByRetry()
		})
}

// keptByRetry reports whether the recording alone has the node, an attempt that it had made before the last retry by hand although
// its Retry had ended.
func (t site) keptByRetry() bool {
	retry, ok := t.retriedIn()
	if !ok || t.want.none() || !t.got.none() || t.parent().want.Kind != nodegraph.KindRetry {
		return false
	}
	old := t.judge.recorded[retry-1].states
	return !old[t.id].none() && old[t.parent().id].settled()
}

// failedChild is what the controller says of a group: the id of a step that failed.
var failedChild = regexp.MustCompile(`^child '(\S+)' failed$`)

// childOrder is deviation 37: after a retry by hand the recording names another step of a group that failed.
func childOrder(t site) bool {
	want, got := failedChild.FindStringSubmatch(t.want.Message), failedChild.FindStringSubmatch(t.got.Message)
	if _, ok := t.retriedIn(); !ok || want == nil || got == nil || t.want.Kind != nodegraph.KindStepGroup || t.got.Phase != t.want.Phase {
		return false
	}
	failed := func(id string) bool { s := t.at(id); return s.parent().id == t.id && s.got.Phase.Unsuccessful() }
	return want[1] != got[1] && failed(want[1]) && failed(got[1])
}

// coveredAgain is deviation 38: the retry runs a failure again inside a DAG or Steps that a Retry stands for, although what comes after
// the Retry has succeeded and stays.
func coveredAgain(t site) bool {
	if !t.retriedNow() || !t.exists() || t.composite() || t.want.Phase != nodegraph.PhasePending || t.want.Message != "" || !t.before.Phase.Unsuccessful() || t.got != t.before {
		return false
	}
	for i := t.index; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		if n := t.graph.Node(i); n.Role == nodegraph.RoleAttempt && n.Kind.Composite() && t.at(t.graph.Node(n.Parent).ID()).followedBySuccess() {
			return true
		}
	}
	return false
}

// followedBySuccess reports whether something that comes after the node, or after what it is inside of, succeeded and stays.
func (t site) followedBySuccess() bool {
	var succeeded func(site) bool
	succeeded = func(s site) bool {
		return s.want == s.before && s.want.Phase == nodegraph.PhaseSucceeded || slices.ContainsFunc(s.members(), succeeded)
	}
	for i := t.index; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		for d := range t.graph.Dependents(i) {
			if succeeded(t.at(t.graph.Node(d).ID())) {
				return true
			}
		}
	}
	return false
}
