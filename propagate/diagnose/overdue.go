package diagnose

import (
	"fmt"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// overdue finds what should have happened by now. Each thing that an unfinished workflow waits for has somebody who owes it: the
// controller, a pod, or the cluster.
func (d *diagnosis) overdue() {
	d.deletion()
	if d.in.Snapshot.Phase.Completed() {
		return
	}
	d.unwatched()
	d.stoppedBeforeBegin()
	if d.in.Snapshot.Shutdown != "" {
		d.shutdown()
	}
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		if !open(r) || d.faulty[r.ID] {
			continue
		}
		d.passed(r)
		if r.Kind == nodegraph.KindPod && !d.late[r.ID] && r.WaitsFor == "" && !r.Started.IsZero() {
			d.podOverdue(r)
		}
	}
	for k := range d.report.Waits {
		d.waitOverdue(&d.report.Waits[k])
	}
	if len(d.report.Findings) == 0 {
		d.passedAround()
	}
}

// passedAround finds what time has settled although the record has nothing inside it that time has ended: what it was about to begin
// then was not created, and never will be.
func (d *diagnosis) passedAround() {
	around := d.report.Follows
	if w := d.report.Workflow; w.Should.Phase.Completed() {
		around = append([]Node{w}, around...)
	}
	for _, n := range around {
		i := d.g.Find(n.ID)
		if n.Type == nodegraph.KindWorkflow {
			i = nodegraph.Root
		}
		if at, known := d.due[i]; known && d.hadTimeForPods(at) {
			d.add(Finding{
				Kind: DeadlineOverdue, Node: n, Since: at, Remedy: lookAtController,
				Reason: fmt.Sprintf("it was over %s ago (%s), and is open", d.ago(at), n.Should),
			})
			return
		}
	}
}

// passed finds leaves that time has ended, and which are open.
func (d *diagnosis) passed(r *nodegraph.NodeStatus) {
	i := d.record.find(r)
	if i == nodegraph.None || r.Kind.Composite() || r.Kind == nodegraph.KindContainer {
		return
	}
	at, known := d.due[i]
	should, ok := d.computedState(r)
	if !known || !ok || !should.Phase.Settled() || !d.hadTimeForPods(at) {
		return
	}
	if should.Phase == nodegraph.PhaseSucceeded {
		d.lateAt(TimerOverdue, r, at, fmt.Sprintf("its time was over %s ago, and the workflow has not gone on", d.ago(at)), lookAtController)
		return
	}
	d.lateAt(DeadlineOverdue, r, at, fmt.Sprintf("it was to be stopped %s ago (%s), and is open", d.ago(at), should), lookAtController)
}

// shutdown finds a shutdown that was not carried out.
func (d *diagnosis) shutdown() {
	since := d.in.Stopped
	if since.IsZero() {
		since = d.record.lastSign()
	}
	if len(d.in.Snapshot.Nodes) == 0 || !d.hadTime(since) {
		return
	}
	var left, around []string
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		switch should, ok := d.computedState(r); {
		case !open(r) || d.faulty[r.ID]:
		case d.stops(r):
			left = append(left, r.Name)
			d.late[r.ID] = true
		case ok && should.Phase.Settled():
			around = append(around, r.Name)
		}
	}
	if len(left) == 0 {
		left = around // nothing of it runs, and it is not settled
	}
	if len(left) == 0 {
		return
	}
	d.add(Finding{
		Kind: ShutdownOverdue, Node: d.report.Workflow, Since: since,
		Reason: fmt.Sprintf("spec.shutdown is %s and was not carried out: %s still open", d.in.Snapshot.Shutdown, several(left)),
		Remedy: lookAtController,
	})
}

// stops reports whether the shutdown ends leaf r: pods by their deletion, all else at once. A Stop lets exit handlers run.
func (d *diagnosis) stops(r *nodegraph.NodeStatus) bool {
	if r.Kind == nodegraph.KindPod {
		return d.in.Snapshot.Shutdown == "Terminate" || !d.inExitHandler(r.ID)
	}
	should, ok := d.computedState(r)
	return ok && should.Phase.Settled() && !r.Kind.Composite() && r.Kind != nodegraph.KindContainer
}

// several names one or several things, with the verb.
func several(names []string) string {
	const most = 3
	switch {
	case len(names) == 1:
		return names[0] + " is"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more are", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ") + " are"
}

// stoppedBeforeBegin finds a specification that stops the workflow before it begins, as a copy of one that was stopped.
func (d *diagnosis) stoppedBeforeBegin() {
	if d.in.Snapshot.Shutdown == "" || len(d.in.Snapshot.Nodes) > 0 || d.in.Snapshot.Phase != nodegraph.PhasePlanned {
		return
	}
	d.add(Finding{
		Kind: StoppedBeforeBegin, Node: d.report.Workflow, Since: d.in.Spec.Created,
		Reason: fmt.Sprintf("spec.shutdown is %s: it stops the workflow before it begins, as in a copy of a workflow that was stopped", d.in.Snapshot.Shutdown),
		Remedy: "remove spec.shutdown, and submit the workflow again",
	})
}

// unwatched finds a workflow that is labelled as complete and is not: Argo's controller lists only what lacks that label.
func (d *diagnosis) unwatched() {
	if d.in.Unwatched {
		d.add(Finding{
			Kind: Unwatched, Node: d.report.Workflow, Since: d.record.lastSign(),
			Reason: "its label " + argo.LabelCompleted + " is true, so the controller does not look at it, and it is not complete",
			Remedy: "take the label away",
		})
	}
}

// deletion finds a workflow that somebody has deleted and that does not go.
func (d *diagnosis) deletion() {
	if !d.past(d.in.Deleted, d.in.Patience) {
		return
	}
	reason := "it was deleted " + d.ago(d.in.Deleted) + " ago and still exists"
	if len(d.in.Finalizers) > 0 {
		reason += ": it has the finalizers " + strings.Join(d.in.Finalizers, ", ")
	}
	d.add(Finding{
		Kind: DeletionOverdue, Node: d.report.Workflow, Since: d.in.Deleted, Reason: reason,
		Remedy: "check that the controller runs, which does what a finalizer is for; remove the finalizers if that is not needed",
	})
}

// waitOverdue judges one thing that the workflow waits for.
func (d *diagnosis) waitOverdue(w *Wait) {
	i := d.g.Find(w.ID)
	if w.Node.Type == nodegraph.KindWorkflow {
		i = nodegraph.Root
	}
	r := d.record.byID[w.ID]
	switch {
	case w.Never != "":
		kind, remedy := LockForEver, "change the specification so that what holds the lock does not wait for it, and stop the workflow"
		if w.For == propagate.WaitParallelism {
			kind, remedy = PlacesForEver, "raise parallelism, and stop the workflow"
		}
		if since, ready := d.readySince(i); ready && w.Since.IsZero() {
			w.Since = since
		}
		d.late[w.ID] = true
		d.add(Finding{Kind: kind, Node: w.Node, Since: w.Since, Lock: w.Lock, Reason: "it never comes true: " + w.Never, Remedy: remedy})
	case w.Next, r != nil && r.Started.IsZero():
		d.startOverdue(w, i)
	case w.For == propagate.WaitLock && i == nodegraph.Root && d.in.Snapshot.Phase == nodegraph.PhasePlanned:
		w.For = propagate.WaitStart // nobody has asked for its locks
		d.startOverdue(w, i)
	case w.For == propagate.WaitLock:
		d.lockOverdue(w)
	case w.For == propagate.WaitServed && r != nil && !d.late[w.ID]:
		d.servedOverdue(r)
	case i == nodegraph.Root:
		d.startOverdue(w, i)
	}
}

// servedOverdue finds nodes on which an agent does not report. A plugin may take its time while its agent lives.
func (d *diagnosis) servedOverdue(r *nodegraph.NodeStatus) {
	since, agent := r.Started, d.pods.agent()
	if !d.past(since, podPatience*d.in.Patience) || agent != nil || r.Kind == nodegraph.KindPlugin && !d.pods.known {
		return
	}
	reason := fmt.Sprintf("its agent was to report on it, it has waited %s", d.ago(since))
	if d.pods.known {
		reason += ", and no agent's pod exists"
	}
	d.lateAt(ServedOverdue, r, since, reason, "look at the agent's pod, whose name ends with -agent, and at the controller's log for why it was not made")
}
