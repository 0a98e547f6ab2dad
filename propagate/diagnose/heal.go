package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// A LivePodError refuses to end a node on which a pod could still report.
type LivePodError struct {
	Node string // the name of the node
	Pod  string // the name of its pod; empty if it is not known whether there is one
}

// Error names the node and the pod.
func (e *LivePodError) Error() string {
	if e.Pod == "" {
		return fmt.Sprintf("diagnose: node %q may still be reported on: it is not known which pods exist", e.Node)
	}
	return fmt.Sprintf("diagnose: node %q may still be reported on: pod %q has not ended", e.Node, e.Pod)
}

// A WrongPodsError refuses to heal by a list of pods that can't be the one of the workflow.
type WrongPodsError struct {
	Reason string // a clause without a full stop
}

// Error says what is wrong with the list.
func (e *WrongPodsError) Error() string { return "diagnose: " + e.Reason }

// wrongPods says why the list that pods were taken from can't be trusted, nil if it can.
func (r *Report) wrongPods() error {
	l := r.in.Listed
	if l == nil {
		return nil
	}
	name := r.in.Spec.Name
	if r.in.Namespace != "" {
		name = r.in.Namespace + "/" + name
	}
	if len(l.Nameless) > 0 {
		return &WrongPodsError{fmt.Sprintf("pod %q of workflow %s says of no node that it is its pod: it has no annotation workflows.argoproj.io/node-id", l.Nameless[0], name)}
	}
	if len(l.Own) > 0 {
		return nil
	}
	if l.Foreign > 0 {
		of := ""
		if len(l.Workflows) > 0 {
			of = " (they are of " + strings.Join(l.Workflows, ", ") + ")"
		}
		return &WrongPodsError{fmt.Sprintf("none of the %d pods of the list is of workflow %s%s", l.Foreign, name, of)}
	}
	for k := range r.in.Snapshot.Nodes {
		n := &r.in.Snapshot.Nodes[k]
		if n.Kind == nodegraph.KindPod && open(n) && n.WaitsFor == "" && !n.Started.IsZero() && !r.faulty(n.ID) {
			return &WrongPodsError{fmt.Sprintf("the list has no pod of workflow %s, and at least that of node %q is expected", name, n.Name)}
		}
	}
	return nil
}

// faulty reports whether a finding is about a node, other than that its pod is missing.
func (r *Report) faulty(id string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == id && f.Kind != PodMissing })
}

// Heal returns the nodes that must change, as they should be, and no others; nothing if no finding can be healed this
// way. The error is a [*LivePodError] or a [*WrongPodsError], and then nothing is to be changed.
func (r *Report) Heal() ([]nodegraph.NodeStatus, error) {
	var changed []nodegraph.NodeStatus
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Heals }) {
		if err := r.wrongPods(); err != nil {
			return nil, err
		}
	}
	for k := range r.Findings {
		f := &r.Findings[k]
		if !f.Heals || f.Kind == LockHeldByFinished {
			continue
		}
		was := r.record.byID[f.ID]
		if err := r.refusal(was); err != nil {
			return nil, err
		}
		now := *was
		now.Children = nil
		if f.Kind == ResultMissing {
			now.Unsynced = false
			changed = append(changed, now)
			continue
		}
		now.Phase, now.Message, now.Daemoned, now.WaitsFor = f.Should.Phase, f.Should.Message, false, ""
		if now.Finished.IsZero() {
			now.Finished = r.end // not when its pod ended: from now on the controller has its time to see it
		}
		changed = append(changed, now)
	}
	return changed, nil
}

// refusal says why a node must not be ended. The pod of a node that is recorded as ended can't report any more, unless
// it is seen to live.
func (r *Report) refusal(was *nodegraph.NodeStatus) error {
	node := podOf(r.record, was)
	if node.Kind != nodegraph.KindPod {
		return nil
	}
	if pod := r.pods.live(node); pod != nil {
		return &LivePodError{Node: was.Name, Pod: pod.Name}
	}
	if open(node) && !r.pods.known {
		return &LivePodError{Node: was.Name}
	}
	return nil
}

// Heal diagnoses the workflow and sets the status of the nodes that [Report.Heal] returns, so that w.Patch returns the
// patch and w.Encode the healed workflow. In its Spec, Snapshot and StoresOutputs are those of w.
func Heal(w *argo.Workflow, in Input) (*Report, error) {
	in.Spec, in.Snapshot, in.StoresOutputs = specOf(w), w.Snapshot, w.StoresOutputs
	report, err := Diagnose(in)
	if err != nil {
		return nil, err
	}
	changed, err := report.Heal()
	if err != nil {
		return report, err
	}
	status := w.Snapshot
	status.Nodes = changed
	if err := w.SetStatus(status); err != nil {
		return report, err
	}
	for k := range report.Findings {
		switch f := &report.Findings[k]; f.Kind {
		case ResultMissing:
			w.CompleteResults(f.ID)
			w.SetHealed(report.end)
		case LockHeldByFinished:
			w.ReleaseLock(f.Lock, f.user)
		}
	}
	return report, nil
}
