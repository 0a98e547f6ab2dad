package replay

import (
	"maps"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Deviations is how many deviations of the controller are known; testdata/DEVIATIONS.md describes each.
const Deviations = 9

// DeviationName says in a few words what the controller does in deviation n.
func DeviationName(n int) string { return deviations[n-1].name }

// A deviation is a place where the controller breaks an invariant that the library keeps.
//
// The recogniser occurs looks at one node in one frame, at what is directly around it, inside it and before it, and at what
// was recorded of them in the frame before. It excuses that node alone. What the deviation brings about elsewhere in the
// same frame is recognised node by node by follows, each time at a neighbour whose difference has the number already.
type deviation struct {
	name    string
	occurs  func(site) bool
	follows []func(t site, number int) bool
}

// deviations are the recognisers, by number less one.
var deviations = [Deviations]deviation{
	{"a container that had ended is overwritten", overwrittenContainer, nil},
	{"a pod that ends without container statuses leaves its containers open", openInEndedPod, lagging},
	{"containers after another are left open when the pod is deleted", openInDeletedPod, lagging},
	{"a daemon whose pod was deleted is rewritten to Succeeded", rewrittenDaemon, nil},
	{"Steps complete while containers of a deleted pod run", openInEndedSteps, nil},
	{"a further attempt is started although the Retry has ended", attemptOfEndedRetry, []func(site, int) bool{madeInside}},
	{"the order of visits decides", orderOfVisits, []func(site, int) bool{madeInside, notMadeInside}},
	{"a failure that comes to an omitted target is reported as success", falseSuccess, taking},
	{"an omitted target takes another kind of failure", kindOfFailure, taking},
}

// number gives each difference of the scene the number of the deviation that it is or that it follows from.
func (s *scene) number() {
	ids := slices.Sorted(maps.Keys(s.differences))
	for _, id := range ids {
		for n := range deviations {
			if deviations[n].occurs(s.at(id)) {
				s.differences[id].Deviation = n + 1
				break
			}
		}
	}
	for again := true; again; {
		again = false
		for _, id := range ids {
			if d := s.differences[id]; d.Deviation == 0 {
				d.Deviation = s.at(id).consequence()
				again = again || d.Deviation > 0
			}
		}
	}
}

// consequence is the number of the deviation that the difference follows from, 0 for none.
func (t site) consequence() int {
	for n := range deviations {
		for _, follows := range deviations[n].follows {
			if follows(t, n+1) {
				return n + 1
			}
		}
	}
	return 0
}

// How a difference follows from one beside it. The recording lags: it keeps open, or has not made, what has moved on here.
var lagging = []func(site, int) bool{keptOpen, notMade, notMadeInside}

// keptOpen: the recording keeps a composite open that has ended here, and what keeps it open is inside it. The controller
// looks at all that is below a DAG, also through what has ended, so what ended in the recording over something open
// passes it on.
func keptOpen(t site, number int) bool {
	return t.composite() && t.want.open() && t.got.settled() && slices.ContainsFunc(t.members(), func(m site) bool { return m.holds(number) })
}

// holds reports whether the node is open in the recording by that number, or has ended around one that is.
func (t site) holds(number int) bool {
	if t.number() == number && t.want.open() {
		return true
	}
	return t.want.settled() && slices.ContainsFunc(t.members(), func(m site) bool { return m.holds(number) })
}

// notMade: the recording has not made a node because what it comes after is open there, or is not made either.
func notMade(t site, number int) bool {
	return t.want.none() && !t.got.none() && slices.ContainsFunc(t.after(), func(p site) bool {
		return p.number() == number && (p.want.open() || p.want.none())
	})
}

// notMadeInside: the recording has not made what the node is inside of.
func notMadeInside(t site, number int) bool {
	p := t.parent()
	return t.id != "" && t.want.none() && !t.got.none() && p.want.none() && p.number() == number
}

// madeInside: the recording has made what the node is inside of, and we have not.
func madeInside(t site, number int) bool {
	p := t.parent()
	return t.id != "" && t.got.none() && !t.want.none() && p.id != "" && p.got.none() && p.number() == number
}

// The recording leads: it has ended, or made, what waits here.
var leading = []func(site, int) bool{endedThere, made, madeInside}

// endedThere: the recording has ended a composite that is open here, and what keeps it open is inside it.
func endedThere(t site, number int) bool {
	return t.composite() && t.want.settled() && t.got.open() && slices.ContainsFunc(t.members(), func(m site) bool {
		return m.number() == number && m.got.open() && (m.want.settled() || m.want.none())
	})
}

// made: the recording has made a node that comes after something that is open here, or that is not made here either.
func made(t site, number int) bool {
	return t.got.none() && !t.want.none() && slices.ContainsFunc(t.after(), func(p site) bool {
		return p.number() == number && (p.got.open() || p.got.none())
	})
}

// How the end of a composite is taken over by what is around it, and what a Retry around it makes of it.
var taking = slices.Concat([]func(site, int) bool{takenOver, retried, triedAgain}, lagging, leading)

// takenOver: the node ends as what is inside it does, in the recording and here.
func takenOver(t site, number int) bool {
	return t.composite() && t.want.settled() && t.got.settled() && slices.ContainsFunc(t.members(), func(m site) bool {
		return m.number() == number && m.want.Phase == t.want.Phase && m.got.Phase == t.got.Phase
	})
}

// retried: the Retry has ended with its last attempt in the recording, and goes on here, or the other way round. The last
// attempt ended in two ways.
func retried(t site, number int) bool {
	return t.want.Kind == nodegraph.Retry && t.got.Kind == nodegraph.Retry && t.want.settled() != t.got.settled() &&
		slices.ContainsFunc(t.members(), func(m site) bool { return m.number() == number && m.want.settled() && m.got.settled() })
}

// triedAgain: an attempt after one that ended in two ways, which was made in the recording or here alone.
func triedAgain(t site, number int) bool {
	return t.want.none() != t.got.none() && t.role() == nodegraph.RoleAttempt && slices.ContainsFunc(t.after(), func(p site) bool {
		return p.number() == number && p.want.settled() && p.got.settled()
	})
}

// role is the node's role in its parent.
func (t site) role() nodegraph.Role {
	if !t.exists() {
		return nodegraph.RoleRoot
	}
	return t.node().Role
}

// composite reports whether the node settles from what is inside it.
func (t site) composite() bool {
	return t.id == "" || t.want.Kind.Composite() && (t.got.none() || t.got.Kind == t.want.Kind)
}

const (
	podDeleted       = "pod deleted"
	containerDeleted = "container deleted"
)

// overwrittenContainer is deviation 1: a container keeps here what the frame before recorded, and the recording says that
// it was deleted with its pod.
func overwrittenContainer(t site) bool {
	pod := t.parent()
	return t.want.Kind == nodegraph.Container && t.want.Phase == nodegraph.Error && t.want.Message == containerDeleted &&
		t.got.Phase.Completed() && t.got.Kind == nodegraph.Container &&
		pod.want.Phase == nodegraph.Error && pod.want.Message == podDeleted && !pod.differs()
}

// openContainer reports whether the recording keeps a container open whose pod has ended there as it has here.
func openContainer(t site) bool {
	pod := t.parent()
	return t.want.Kind == nodegraph.Container && t.want.open() && t.got.Phase.Completed() && pod.want.Phase.Completed() && !pod.differs()
}

// openInEndedPod is deviation 2: the pod ended by itself.
func openInEndedPod(t site) bool { return openContainer(t) && t.parent().want.Message != podDeleted }

// openInDeletedPod is deviation 3: the pod was deleted, and the workflow waits for its container.
func openInDeletedPod(t site) bool {
	return openContainer(t) && t.parent().want.Message == podDeleted && !t.within(State.settled)
}

// openInEndedSteps is deviation 5: the pod was deleted, and all that it is inside of has ended.
func openInEndedSteps(t site) bool {
	return openContainer(t) && t.parent().want.Message == podDeleted && t.within(State.settled)
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

// rewrittenDaemon is deviation 4: a pod that was a ready daemon has failed, as the frame before recorded, and is rewritten
// to Succeeded as the composite around it ends. Its message stays.
func rewrittenDaemon(t site) bool {
	return t.want.Kind == nodegraph.Pod && t.before == t.got && t.got.Phase.Unsuccessful() && t.before.Phase.Unsuccessful() &&
		t.scene.before.nodes[t.id].Daemoned && t.want.Phase == nodegraph.Succeeded && t.want.Message == t.got.Message &&
		t.parent().want.settled()
}

// attemptOfEndedRetry is deviation 6: the recording has an attempt that was made in or after the frame in which its Retry
// ended, and here there is none.
func attemptOfEndedRetry(t site) bool {
	p := t.parent()
	return t.got.none() && !t.want.none() && p.want.Kind == nodegraph.Retry && p.want.Phase.Completed() && !p.differs() &&
		strings.HasPrefix(t.want.Name, p.want.Name+"(")
}

// orderOfVisits is deviation 7: the controller came to other tasks first where a limit of parallelism let only some start,
// or came to none any more.
func orderOfVisits(t site) bool {
	switch {
	case t.id == "" || !t.exists():
		return false
	case t.got.none() && t.want.open() && t.isNew(): // it started there
		return t.needs[t.index] == propagate.NeedParallelism
	case t.want.none() && t.got.open(): // it started here
		return t.limitReached()
	}
	return t.want.Kind.Composite() && t.want.open() && t.want == t.before && t.got.settled() && t.limitReached()
}

// limitReached reports whether the recording shows as many active pods as a limit allows: that of the workflow, or that
// of a template which the node is inside of.
func (t site) limitReached() bool {
	if limit := t.graph.Spec().Parallelism; limit > 0 && t.at("").active() >= limit {
		return true
	}
	for i := t.node().Parent; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		n := t.graph.Node(i)
		if tmpl := n.Template; tmpl != nil && tmpl.Parallelism > 0 && (n.Kind == nodegraph.DAG || n.Kind == nodegraph.Steps) {
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
		if s.Kind != nodegraph.Pod || !s.open() {
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

// falseSuccess is deviation 8: the DAG fails here by a target that was skipped or omitted after a failure, and is
// Succeeded in the recording.
func falseSuccess(t site) bool {
	return t.want.Kind == nodegraph.DAG && t.want.Phase == nodegraph.Succeeded && t.got.Phase.Unsuccessful() && t.inherits()
}

// kindOfFailure is deviation 9: the DAG takes a failure from a target that was skipped or omitted, here and in the
// recording, but it is Failed in one and Error in the other.
func kindOfFailure(t site) bool {
	return t.want.Kind == nodegraph.DAG && t.want.Phase.Unsuccessful() && t.got.Phase.Unsuccessful() &&
		t.want.Phase != t.got.Phase && t.want.Message == t.got.Message && t.inherits()
}

// inherits reports whether the target that decided how the DAG ends was skipped or omitted.
func (t site) inherits() bool {
	if t.index <= nodegraph.Root || t.got.Kind != nodegraph.DAG {
		return false
	}
	by := t.moment.Engine.Verdict(t.index).By
	return by > nodegraph.Root && t.graph.Node(by).Parent == t.index && !t.moment.Engine.Verdict(by).Phase.Completed()
}
