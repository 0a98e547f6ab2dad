package diagnose

import (
	"fmt"

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

// Heal returns the nodes that must change, as they should be, and no others; nothing if no finding can be healed this
// way. The error is a [*LivePodError], and then nothing is to be changed.
func (r *Report) Heal() ([]nodegraph.NodeStatus, error) {
	var changed []nodegraph.NodeStatus
	for k := range r.Findings {
		f := &r.Findings[k]
		if !f.Heals {
			continue
		}
		was := r.record.byID[f.ID]
		if err := r.refusal(was); err != nil {
			return nil, err
		}
		now := *was
		now.Phase, now.Message, now.Daemoned, now.WaitsFor, now.Children = f.Should.Phase, f.Should.Message, false, "", nil
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
// patch and w.Encode the healed workflow. In its Spec and Snapshot are those of w.
func Heal(w *argo.Workflow, in Input) (*Report, error) {
	in.Spec, in.Snapshot = w.Spec, w.Snapshot
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
	return report, w.SetStatus(status)
}
