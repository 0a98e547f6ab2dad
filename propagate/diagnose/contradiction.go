package diagnose

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
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
		fmt.Sprintf("its pod %s has ended (%s), and nobody reports on its containers any more", pod.Name, State{pod.Phase, pod.Message}), healIt).Since = ended(pod)
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
	d.found(LateAttempt, r, d.endOf(r), heals,
		fmt.Sprintf("%s was started although Retry %s has ended (%s)", attempt, retry.Name, retry.Phase), remedy).Since = ended(retry)
	return true
}

// daemonLeft finds daemons whose boundary has ended.
func (d *diagnosis) daemonLeft(r *nodegraph.NodeStatus) {
	boundary, reason, since := d.record.byID[r.Boundary], "", time.Time{}
	switch {
	case boundary != nil && boundary.Phase.Settled():
		reason, since = fmt.Sprintf("%s %s, whose daemon it is, has ended (%s)", boundary.Kind, boundary.Name, boundary.Phase), ended(boundary)
	case d.in.Snapshot.Phase.Completed():
		since, reason = d.in.Snapshot.Finished, fmt.Sprintf("the workflow has ended (%s)", d.in.Snapshot.Phase)
	default:
		return
	}
	remedy := healIt
	if pod := d.pods.live(r); pod != nil {
		remedy = d.endPod(r, pod)
	}
	d.found(DaemonLeft, r, State{Phase: nodegraph.PhaseSucceeded}, true, reason, remedy).Since = since
}

// onlyNamed reports whether r was never begun, and is a hook that was held back or an item of a loop whose items the controller alone
// knew. The record has it so that it is known after a restart: see [propagate.Engine.Snapshot].
func (d *diagnosis) onlyNamed(r *nodegraph.NodeStatus) bool {
	i := d.record.find(r)
	if i == nodegraph.None || r.Phase != nodegraph.PhasePending || !r.Started.IsZero() {
		return false
	}
	n := d.g.Node(i)
	return n.Role == nodegraph.RoleHook || n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != ""
}

// openInside finds what is open inside something that has ended.
func (d *diagnosis) openInside(r *nodegraph.NodeStatus) {
	around, reason, since := d.endedAround(r), "", time.Time{}
	switch {
	case around != nil:
		since, reason = ended(around), fmt.Sprintf("%s %s, which it is inside of, has ended (%s)", around.Kind, around.Name, around.Phase)
	case d.in.Snapshot.Phase.Completed():
		since, reason = d.in.Snapshot.Finished, fmt.Sprintf("the workflow has ended (%s)", d.in.Snapshot.Phase)
	default:
		return
	}
	if pod := d.pods.of(r); len(pod) > 0 && d.pods.live(r) == nil && !d.in.Snapshot.Phase.Completed() || d.onlyNamed(r) {
		return // the controller has still to look at how its pod ended, or nobody is to look at anything
	}
	remedy, heals := healIt, d.healable(r)
	switch at, pod := d.livePodIn(r); {
	case pod != nil:
		remedy = d.endPod(at, pod)
	case !heals:
		remedy = "nothing waits for it; terminate the workflow if it is not complete"
	}
	d.found(OpenInsideFinished, r, d.endOf(r), heals, reason, remedy).Since = since
}

// endedAround returns the innermost node around r that is recorded as ended. A daemon runs on in groups and Retries that counted it
// while it was ready, up to its boundary.
func (d *diagnosis) endedAround(r *nodegraph.NodeStatus) *nodegraph.NodeStatus {
	around := d.record.endedAround(r)
	if i := d.record.find(r); around == nil || i == nodegraph.None || d.g.Node(i).Template == nil || !d.g.Node(i).Template.IsDaemon() {
		return around
	}
	for around != nil && (around.Kind == nodegraph.KindStepGroup || around.Kind == nodegraph.KindTaskGroup || around.Kind == nodegraph.KindRetry) {
		around = d.record.endedAround(around)
	}
	return around
}

// endPod says how the pod of node r is to end before anything is healed. One that cleans up is waited for.
func (d *diagnosis) endPod(r *nodegraph.NodeStatus, pod *propagate.PodStatus) string {
	if d.inExitHandler(r.ID) {
		return "wait until pod " + pod.Name + " has ended, which belongs to an exit handler and cleans up, then heal the workflow"
	}
	return "delete pod " + pod.Name + ", then heal the workflow"
}

// healable reports whether it is known what ending node r means: what an agent serves may still be served, and of a node
// that the specification never asks for only an attempt after the end is understood.
func (d *diagnosis) healable(r *nodegraph.NodeStatus) bool {
	retry, _ := d.record.lateUnder(r)
	return r.Kind != nodegraph.KindHTTP && r.Kind != nodegraph.KindPlugin && (retry != nil || d.record.find(r) != nodegraph.None)
}

// endOf is how a node ends that is open although all around it has ended. What the library closes for that reason ends as its
// pod did.
func (d *diagnosis) endOf(r *nodegraph.NodeStatus) State {
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
