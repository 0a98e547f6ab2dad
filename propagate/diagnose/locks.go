package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// locks lists the locks and finds those that are held by what has ended.
func (d *diagnosis) locks() {
	table := make(map[string]*Lock)
	at := func(key string) *Lock {
		if table[key] == nil {
			table[key] = &Lock{Key: key}
		}
		return table[key]
	}
	d.held = d.holdings()
	for _, h := range d.held {
		n := d.holder(h)
		at(h.Key).Holders = append(at(h.Key).Holders, n)
		d.heldByFinished(h, n)
	}
	for k := range d.in.Snapshot.Nodes {
		if r := &d.in.Snapshot.Nodes[k]; r.WaitsFor != "" && open(r) {
			at(r.WaitsFor).Waiters = append(at(r.WaitsFor).Waiters, Node{r.ID, r.Name, r.Kind, State{r.Phase, r.Message}, State{}})
		}
	}
	if len(d.in.Snapshot.Nodes) == 0 && d.in.Snapshot.Phase == nodegraph.PhasePending {
		for _, l := range d.in.Spec.Locks {
			at(l.Key).Waiters = append(at(l.Key).Waiters, d.report.Workflow)
		}
	}
	for _, a := range d.in.Awaited {
		if l := table[a.Key]; l != nil && len(l.Waiters) > 0 {
			l.Others = a.Holders
		}
	}
	for _, l := range table {
		d.report.Locks = append(d.report.Locks, *l)
	}
	slices.SortFunc(d.report.Locks, func(a, b Lock) int { return cmp.Compare(a.Key, b.Key) })
}

// holdings are the locks that are held: as recorded, or as far as the nodes tell.
func (d *diagnosis) holdings() []Holding {
	if d.in.Holdings != nil {
		return d.in.Holdings
	}
	if d.in.Snapshot.Phase.Completed() {
		return nil
	}
	var list []Holding
	if len(d.in.Snapshot.Nodes) > 0 || d.in.Snapshot.Phase == nodegraph.PhaseRunning {
		for _, l := range d.in.Spec.Locks {
			list = append(list, Holding{Key: l.Key})
		}
	}
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		i := d.record.find(r)
		if i == nodegraph.None || !open(r) || r.WaitsFor != "" {
			continue
		}
		switch n := d.g.Node(i); {
		case n.Role == nodegraph.RoleAttempt, n.Template == nil: // attempts run under the locks of their Retry
		case n.Kind == nodegraph.KindTaskGroup, n.Kind == nodegraph.KindStepGroup, n.Kind == nodegraph.KindContainer:
		default:
			for _, l := range n.Template.Locks {
				list = append(list, Holding{Key: l.Key, Node: r.ID})
			}
		}
	}
	return list
}

// holder names who holds a lock.
func (d *diagnosis) holder(h Holding) Node {
	if h.Node == "" {
		return d.report.Workflow
	}
	if r := d.record.byID[h.Node]; r != nil {
		return Node{r.ID, r.Name, r.Kind, State{r.Phase, r.Message}, State{}}
	}
	return Node{ID: h.Node, Name: h.Node}
}

// heldByFinished finds a lock whose holder has ended, or does not exist.
func (d *diagnosis) heldByFinished(h Holding, n Node) {
	reason := ""
	switch {
	case n.Recorded.Phase.Settled():
		reason = fmt.Sprintf("it has ended (%s) and still holds %s", n.Recorded.Phase, h.Key)
	case n.Recorded.Phase == nodegraph.PhasePlanned && h.Node != "":
		reason = fmt.Sprintf("no such node is recorded, and it holds %s", h.Key)
	default:
		return
	}
	n.Should = State{}
	since := d.record.lastSign()
	if r := d.record.byID[h.Node]; r != nil {
		since = ended(r)
	}
	if !d.in.Snapshot.Phase.Completed() && !d.past(since, d.in.Patience) {
		return // the controller gives it back when it next stores the status
	}
	d.leaked[h.Key] = true
	d.add(Finding{
		Kind: LockHeldByFinished, Node: n, Lock: h.Key, Since: since, Reason: reason, Heals: true, user: h.user,
		Remedy: "heal the workflow, which takes the holder out of status.synchronization, and restart the controller, which reads there who holds what",
	})
}

// heldForEver finds locks that a workflow keeps from others although it will not go on.
func (d *diagnosis) heldForEver() {
	if !d.report.Stuck {
		return
	}
	var since time.Time // when the last of what keeps the workflow came about
	for k := range d.report.Findings {
		since = latest(since, d.report.Findings[k].Since)
	}
	for _, h := range d.held {
		n := d.holder(h)
		if n.Recorded.Phase.Settled() || n.Recorded.Phase == nodegraph.PhasePlanned && h.Node != "" {
			continue
		}
		n.Should = State{}
		d.add(Finding{
			Kind: LockHeldForEver, Node: n, Lock: h.Key, Since: since,
			Reason: fmt.Sprintf("the workflow will not go on by itself and keeps %s from others", h.Key),
			Remedy: "heal the other findings: the controller gives the lock back when its holder ends; or terminate the workflow",
		})
	}
}
