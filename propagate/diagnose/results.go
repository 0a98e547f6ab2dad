package diagnose

import (
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// missingResults finds nodes that have ended and whose results were never reported complete: from v3.6 on the node says so, before
// that the status of the workflow.
func (d *diagnosis) missingResults() {
	if d.in.Snapshot.Phase.Completed() || d.in.Snapshot.Suspended {
		return
	}
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		field := ""
		switch {
		case r.Kind != nodegraph.KindPod || !r.Phase.Settled():
		case r.Unsynced:
			field = "its taskResultSynced is false"
		case slices.Contains(d.in.Unreported, r.ID):
			field = "it is false in status.taskResultsCompletionStatus"
		}
		if field == "" || d.faulty[r.ID] || !d.past(ended(r), d.in.Patience) {
			continue
		}
		if pod := d.pods.live(r); pod != nil {
			d.resultLingers(r, pod, field)
			continue
		}
		f := d.found(ResultMissing, r, State{r.Phase, r.Message}, true,
			fmt.Sprintf("it ended %s ago and its task result was never reported complete (%s): restarting the controller does not help",
				d.ago(ended(r)), field),
			"label its WorkflowTaskResult as complete, and let the executor create and patch workflowtaskresults; or heal the workflow")
		f.Since = ended(r)
	}
}

// resultLingers finds a node that has ended and whose results are not complete because its pod goes on.
func (d *diagnosis) resultLingers(r *nodegraph.NodeStatus, pod *propagate.PodStatus, field string) {
	if !d.past(ended(r), podPatience*d.in.Patience) {
		return
	}
	f := d.found(PodLingers, r, State{}, false,
		fmt.Sprintf("it ended %s ago, and its task result is not complete (%s): its pod %s lives", d.ago(ended(r)), field, pod.Name),
		"look at the log of the container that runs; delete the pod if it does not end: its results are lost then")
	f.Since, f.Pod = ended(r), pod.Name
}

// missesResults reports whether a finding says so of anything inside node i, itself included.
func (d *diagnosis) missesResults(i nodegraph.Index) bool {
	for k := range d.report.Findings {
		f := &d.report.Findings[k]
		if f.Kind != ResultMissing {
			continue
		}
		for p := d.g.Find(f.ID); p >= nodegraph.Root; p = d.g.Node(p).Parent {
			if p == i {
				return true
			}
			if p == nodegraph.Root {
				break
			}
		}
	}
	return false
}

// falseSuccess finds composites, and a workflow, that are recorded as Succeeded although something that they need failed. It
// asks package truth, which shares nothing with the rules.
func (d *diagnosis) falseSuccess() {
	if len(d.in.Snapshot.Nodes) == 0 {
		return // a list may leave them out
	}
	claim, _, err := truth.OfRecord(d.in.Spec, d.in.Snapshot)
	if err != nil {
		return // the record is so odd that nothing can be said of it; other findings say why
	}
	for _, v := range claim.Truth() {
		n, since := d.report.Workflow, d.in.Snapshot.Finished
		if v.Node != "" {
			r := d.record.byID[nodegraph.NodeID(d.in.Spec.Name, v.Node)]
			if r == nil || d.faulty[r.ID] || d.wasEndedBefore(r) || d.countedDaemon(r) {
				continue
			}
			n, since = nodeOf(r, State{}), r.Finished
			d.faulty[r.ID] = true
		}
		n.Should = State{}
		d.add(Finding{
			Kind: FalseSuccess, Node: n, Since: since,
			Reason: fmt.Sprintf("it is recorded as Succeeded and something that it needs was not: %s (%s)", v.Detail, v.Line),
			Remedy: "check what relied on the success, and run the workflow again",
		})
	}
}

// wasEndedBefore reports whether r is a Retry of which an attempt succeeded: what was started after that is a late attempt, which
// counts for nothing.
func (d *diagnosis) wasEndedBefore(r *nodegraph.NodeStatus) bool {
	i := d.record.find(r)
	if r.Kind != nodegraph.KindRetry || i == nodegraph.None {
		return false
	}
	for m := range d.g.Members(i) {
		if attempt := d.record.of(m); attempt != nil && attempt.Phase == nodegraph.PhaseSucceeded {
			return true
		}
	}
	return false
}

// countedDaemon reports whether r is a group with a daemon in it: the group counted the daemon while it was ready, and how it ended
// later says nothing.
func (d *diagnosis) countedDaemon(r *nodegraph.NodeStatus) bool {
	i := d.record.find(r)
	if i == nodegraph.None || r.Kind != nodegraph.KindStepGroup && r.Kind != nodegraph.KindTaskGroup {
		return false
	}
	for m := range d.g.Members(i) {
		if t := d.g.Node(m).Template; t != nil && t.IsDaemon() {
			return true
		}
	}
	return false
}
