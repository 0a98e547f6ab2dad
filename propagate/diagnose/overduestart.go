package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// postponed is in the message of a workflow that the controller does not begin, or not go on with, because it counts too many.
const postponed = "postponed because too many workflows"

// owes says what the controller has to do with what is not on record. It does not have to begin what waits for a place, or while the
// workflow is suspended.
func owes(w *Wait) string {
	switch w.For {
	case propagate.WaitParallelism, propagate.WaitSuspended:
		return ""
	case propagate.WaitCondition:
		return "have its condition evaluated"
	case propagate.WaitItems:
		return "have its items resolved"
	case propagate.WaitCache:
		return "be looked up in its cache"
	}
	return "be begun"
}

// startOverdue finds what the controller should have begun. Of what it never looked at one thing is said, whatever comes first.
func (d *diagnosis) startOverdue(w *Wait, i nodegraph.Index) {
	owed := owes(w)
	if owed == "" || d.in.Snapshot.Suspended || d.late[w.ID] || w.Next && d.mayNotBeDue(w, i) {
		return
	}
	since, ready := d.readySince(i)
	if !ready || !d.hadTime(since) {
		return
	}
	w.Since = since
	n := w.Node
	reason := fmt.Sprintf("it was to %s by the controller %s ago: all before it has ended, and no pod of it is missing", owed, d.ago(since))
	remedy := "compare the controller's limit of parallelism with what really runs, and restart the controller"
	if len(d.in.Snapshot.Nodes) == 0 {
		if d.late[d.in.Spec.Name] {
			return
		}
		n, d.late[d.in.Spec.Name] = d.report.Workflow, true
		reason = fmt.Sprintf("it was to %s by the controller %s ago, and nothing of the workflow is on record%s", owed, d.ago(since), because(d.in.Snapshot.Message))
		if !strings.Contains(d.in.Snapshot.Message, postponed) {
			remedy = lookAtController + "; where several controllers run, compare the workflow's instance id label with theirs"
		}
	}
	n.Should = State{}
	d.add(Finding{Kind: StartOverdue, Node: n, Since: since, Reason: reason, Remedy: remedy})
}

// mayNotBeDue reports whether node i, which is not on record, is a hook that its controller may never start. The exit hook of a TaskGroup
// itself runs for some groups only. Of a hook whose expression does not hold nothing is recorded.
func (d *diagnosis) mayNotBeDue(w *Wait, i nodegraph.Index) bool {
	if i <= nodegraph.Root || d.g.Node(i).Role != nodegraph.RoleHook {
		return false
	}
	owner, _ := d.g.Owner(i)
	group := owner > nodegraph.Root && d.g.Node(owner).Kind == nodegraph.KindTaskGroup
	return group || w.For == propagate.WaitCondition && (owner <= nodegraph.Root || d.record.of(owner) != nil)
}

// readySince returns since when the record has all that node i waits for; false if something before it has still to be recorded.
func (d *diagnosis) readySince(i nodegraph.Index) (since time.Time, ready bool) {
	if i <= nodegraph.Root {
		since = latest(d.in.Spec.Created, d.in.Snapshot.Started, d.due[nodegraph.Root])
		return since, !since.IsZero()
	}
	if since, ready = d.insideSince(d.g.Node(i).Parent); !ready {
		return since, false
	}
	since = latest(since, d.due[i])
	for _, r := range d.before(i) {
		switch {
		case r.Daemoned && !r.Phase.Settled():
			since = latest(since, r.Started)
		case open(r) || r.Unsynced:
			return since, false
		default:
			since = latest(since, ended(r))
		}
	}
	return since, !since.IsZero()
}

// insideSince returns since when members of node p may begin; false if that is not on record.
func (d *diagnosis) insideSince(p nodegraph.Index) (time.Time, bool) {
	if r := d.record.of(p); p > nodegraph.Root && r != nil {
		return r.Started, r.Kind == d.g.Node(p).Kind // else the record is of another specification
	}
	return d.readySince(p)
}

// before lists the recorded nodes that node i comes after.
func (d *diagnosis) before(i nodegraph.Index) []*nodegraph.NodeStatus {
	var list []*nodegraph.NodeStatus
	add := func(j nodegraph.Index) {
		if r := d.record.of(j); r != nil {
			list = append(list, r)
		}
	}
	for j := range d.g.Dependencies(i) {
		add(j)
	}
	n := d.g.Node(i)
	switch n.Role {
	case nodegraph.RoleAttempt:
		for j := range d.g.Members(n.Parent) {
			if j != i {
				add(j)
			}
		}
	case nodegraph.RoleHook:
		if owner, hook := d.g.Owner(i); owner > nodegraph.Root && hook.Name == nodegraph.ExitHook {
			add(owner)
		}
	}
	return list
}
