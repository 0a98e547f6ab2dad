package diagnose

import (
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Argo's words for what is left when a pod is lost.
const (
	podDeleted       = "pod deleted"
	containerDeleted = "container deleted"
	podFailedUnder   = "Pod Failed whilst container running"
)

const healIt = "heal the workflow: nothing else will end this node"

// contradiction finds what no controller would come to.
func (d *diagnosis) contradiction(r *nodegraph.NodeStatus) {
	switch {
	case r.Phase == nodegraph.PhaseSucceeded &&
		(r.Kind == nodegraph.KindPod && r.Message == podDeleted || r.Kind == nodegraph.KindContainer && r.Message == containerDeleted):
		d.found(Rewritten, r, State{nodegraph.PhaseError, r.Message}, true,
			"it can't have succeeded and have lost its pod: the controller rewrote a result",
			"heal the workflow, and check what relied on the success")
	case !open(r):
	case r.Daemoned:
		d.daemonLeft(r)
	case d.orphaned(r), d.lateAttempt(r):
	default:
		d.openInside(r)
	}
}

// orphaned finds containers of pods that are recorded as ended. The record alone tells: of the order among containers,
// or of what the specification asks for, nothing depends.
func (d *diagnosis) orphaned(r *nodegraph.NodeStatus) bool {
	pod := d.record.byID[r.Boundary]
	if r.Kind != nodegraph.KindContainer || pod == nil || pod.Kind != nodegraph.KindPod || !pod.Phase.Settled() || pod.Unsynced {
		return false
	}
	should, ok := d.computedState(r)
	if !ok || !should.Phase.Settled() {
		should = forced(pod)
	}
	d.found(OrphanedContainer, r, should, true,
		fmt.Sprintf("its pod %s has ended (%s), and nobody reports on its containers any more", pod.Name, State{pod.Phase, pod.Message}), healIt)
	return true
}

// forced is how an open container ends with its pod.
func forced(pod *nodegraph.NodeStatus) State {
	switch {
	case pod.Phase == nodegraph.PhaseSucceeded:
		return State{Phase: nodegraph.PhaseSucceeded}
	case pod.Phase == nodegraph.PhaseError && pod.Message == podDeleted:
		return State{nodegraph.PhaseError, containerDeleted}
	}
	return State{nodegraph.PhaseFailed, podFailedUnder}
}

// lateAttempt finds what is open in an attempt that should not exist.
func (d *diagnosis) lateAttempt(r *nodegraph.NodeStatus) bool {
	retry, attempt := d.record.lateUnder(r)
	if retry == nil {
		return false
	}
	remedy, heals := healIt, d.healable(r)
	switch {
	case d.pods.live(d.podOf(r)) != nil:
		remedy = "delete pod " + d.pods.live(d.podOf(r)).Name + ", then heal the workflow: nothing waits for its result"
	case !heals:
		remedy = "terminate the workflow: nobody can tell whether something still serves this node"
	}
	d.found(LateAttempt, r, d.ended(r), heals,
		fmt.Sprintf("%s was started although Retry %s has ended (%s)", attempt, retry.Name, retry.Phase), remedy)
	return true
}

// daemonLeft finds daemons whose boundary has ended.
func (d *diagnosis) daemonLeft(r *nodegraph.NodeStatus) {
	boundary := d.record.byID[r.Boundary]
	reason := ""
	switch {
	case boundary != nil && boundary.Phase.Settled():
		reason = fmt.Sprintf("%s %s, whose daemon it is, has ended (%s)", boundary.Kind, boundary.Name, boundary.Phase)
	case d.in.Snapshot.Phase.Completed():
		reason = fmt.Sprintf("the workflow has ended (%s)", d.in.Snapshot.Phase)
	default:
		return
	}
	remedy := healIt
	if pod := d.pods.live(r); pod != nil {
		remedy = "delete pod " + pod.Name + ", then heal the workflow"
	}
	d.found(DaemonLeft, r, State{Phase: nodegraph.PhaseSucceeded}, true, reason, remedy)
}

// openInside finds what is open inside something that has ended.
func (d *diagnosis) openInside(r *nodegraph.NodeStatus) {
	around, reason := d.record.endedAround(r), ""
	switch {
	case around != nil:
		reason = fmt.Sprintf("%s %s, which it is inside of, has ended (%s)", around.Kind, around.Name, around.Phase)
	case d.in.Snapshot.Phase.Completed():
		reason = fmt.Sprintf("the workflow has ended (%s)", d.in.Snapshot.Phase)
	default:
		return
	}
	if pod := d.pods.of(r); len(pod) > 0 && d.pods.live(r) == nil && !d.in.Snapshot.Phase.Completed() {
		return // the controller has still to look at how its pod ended
	}
	remedy, heals := healIt, d.healable(r)
	switch pod := d.pods.live(d.podOf(r)); {
	case pod != nil:
		remedy = "delete pod " + pod.Name + ", then heal the workflow"
	case !heals:
		remedy = "nothing waits for it; terminate the workflow if it is not complete"
	}
	d.found(OpenInsideFinished, r, d.ended(r), heals, reason, remedy)
}

// podOf returns the node whose pod reports for r: r itself, or the pod that container r is in.
func (d *diagnosis) podOf(r *nodegraph.NodeStatus) *nodegraph.NodeStatus { return podOf(d.record, r) }

func podOf(rec *record, r *nodegraph.NodeStatus) *nodegraph.NodeStatus {
	if pod := rec.byID[r.Boundary]; r.Kind == nodegraph.KindContainer && pod != nil {
		return pod
	}
	return r
}

// healable reports whether it is known what ending node r means: what an agent serves may still be served, and of a node
// that the specification never asks for only an attempt after the end is understood.
func (d *diagnosis) healable(r *nodegraph.NodeStatus) bool {
	retry, _ := d.record.lateUnder(r)
	return r.Kind != nodegraph.KindHTTP && r.Kind != nodegraph.KindPlugin && (retry != nil || d.record.find(r) != nodegraph.None)
}

// ended is how a node ends that is open although all around it has ended. What the library closes for that reason ends as its
// pod did.
func (d *diagnosis) ended(r *nodegraph.NodeStatus) State {
	if should, ok := d.computedState(r); ok && should.Phase.Settled() && should.Message != rule.TextClosed {
		return should
	}
	switch r.Kind {
	case nodegraph.KindPod:
		for _, pod := range d.pods.of(r) {
			switch pod.Phase {
			case "Succeeded":
				return State{Phase: nodegraph.PhaseSucceeded}
			case "Failed":
				return State{nodegraph.PhaseFailed, pod.Message}
			}
		}
		return State{nodegraph.PhaseError, podDeleted}
	case nodegraph.KindContainer:
		return State{nodegraph.PhaseError, containerDeleted}
	}
	return State{nodegraph.PhaseFailed, rule.TextClosed}
}
