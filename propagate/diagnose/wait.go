package diagnose

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Wait is one thing that the workflow waits for, once what was found is healed.
type Wait struct {
	Node
	For     propagate.WaitReason
	Since   time.Time // zero if nothing is recorded
	Until   time.Time // For a timer
	Message string
	Never   string // why it can never come true; empty if it may
	Next    bool   // not on record: the controller has still to begin it
}

// wait lists what the workflow waits for.
func (d *diagnosis) wait() {
	for _, o := range d.engine.Obligations() {
		n := d.g.Node(o.Node)
		w := Wait{
			Node: Node{ID: n.ID(), Name: n.Name(), Type: n.Kind}, For: o.For, Until: o.Until, Message: o.Message, Never: o.Never, Next: true,
		}
		if r := d.record.of(o.Node); r != nil {
			w.Since, w.Next, w.Recorded = r.Started, false, State{r.Phase, r.Message}
		}
		if o.Node == nodegraph.Root {
			w.Node, w.Next, w.Since = d.report.Workflow, false, d.in.Snapshot.Started
		}
		w.Should.Phase, w.Should.Message = d.engine.Phase(o.Node)
		d.report.Waits = append(d.report.Waits, w)
	}
}

// stuck reports whether a workflow with findings will not go on by itself: no node that is still open could be reported
// on, and no timer runs.
func (d *diagnosis) stuck() bool {
	if d.report.Healthy() || d.in.Snapshot.Phase.Completed() || d.in.Snapshot.Suspended {
		return false
	}
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		leaf := !r.Kind.Composite() && r.Kind != nodegraph.KindContainer || r.WaitsFor != ""
		if open(r) && leaf && (!d.faulty[r.ID] || d.pods.live(r) != nil) {
			return false
		}
	}
	for _, w := range d.report.Waits {
		if w.For == propagate.WaitTimer && !w.Next {
			return false
		}
	}
	return true
}
