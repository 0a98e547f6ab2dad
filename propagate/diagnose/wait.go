package diagnose

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// wait lists what the workflow waits for.
func (d *diagnosis) wait() {
	d.waitForResume()
	for _, o := range d.engine.Obligations() {
		n := d.g.Node(o.Node)
		w := Wait{
			Node: Node{ID: n.ID(), Name: n.Name(), Type: n.Kind}, For: o.For, Until: o.Until, Message: o.Message, Never: o.Never, Next: true,
		}
		if r := d.record.of(o.Node); r != nil {
			w.Since, w.Next, w.Recorded, w.Lock = r.Started, false, State{r.Phase, r.Message}, r.WaitsFor
		}
		if o.Node == nodegraph.Root {
			w.Node, w.Next, w.Since = d.report.Workflow, false, latest(d.in.Spec.Created, d.in.Snapshot.Started)
			w.Lock = d.lockOfMessage(w.Message)
		}
		w.Should.Phase, w.Should.Message = d.engine.Phase(o.Node)
		d.report.Waits = append(d.report.Waits, w)
	}
}

// lockOfMessage is the lock of the workflow that a message names; the only one if it has one.
func (d *diagnosis) lockOfMessage(message string) string {
	for _, l := range d.in.Spec.Locks {
		if len(d.in.Spec.Locks) == 1 || strings.Contains(message, l.Key) {
			return l.Key
		}
	}
	return ""
}

// waitForResume adds that a suspended workflow waits for somebody to resume it, whatever of it runs.
func (d *diagnosis) waitForResume() {
	if d.in.Snapshot.Suspended && !d.in.Snapshot.Phase.Completed() {
		d.report.Waits = append(d.report.Waits, Wait{
			Node: d.report.Workflow, For: propagate.WaitSuspended, Since: latest(d.in.Spec.Created, d.in.Snapshot.Started),
		})
	}
}

// stuck reports whether a workflow with findings will not go on by itself: no node that is still open could be reported
// on, and no timer runs. What is only overdue may still come.
func (d *diagnosis) stuck() bool {
	late := slices.ContainsFunc(d.report.Findings, func(f Finding) bool { return !f.Kind.Overdue() })
	if !late || d.in.Snapshot.Phase.Completed() || d.in.Snapshot.Suspended {
		return false
	}
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		leaf := !r.Kind.Composite() && r.Kind != nodegraph.KindContainer || r.WaitsFor != ""
		if open(r) && leaf && !d.hopeless(r) {
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

// hopeless reports whether nothing that could happen by itself would end leaf r.
func (d *diagnosis) hopeless(r *nodegraph.NodeStatus) bool {
	for k := range d.report.Findings {
		switch f := &d.report.Findings[k]; {
		case f.ID != r.ID:
		case f.Kind == LockForEver, f.Kind == PlacesForEver, f.Kind == PodWedged:
			return true
		}
	}
	if r.Daemoned && d.forEver() || d.leaked[r.WaitsFor] {
		return true
	}
	return d.faulty[r.ID] && d.pods.live(r) == nil
}

// forEver reports whether a wait can never come true.
func (d *diagnosis) forEver() bool {
	return slices.ContainsFunc(d.report.Findings, func(f Finding) bool { return f.Kind == LockForEver || f.Kind == PlacesForEver })
}
