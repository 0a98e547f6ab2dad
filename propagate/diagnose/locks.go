package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Holding is one lock that the status records as held.
type Holding struct {
	Key  string // as in [nodegraph.Lock]
	Node string // id of the node, empty for the workflow itself
}

// A Lock is a lock that the workflow has to do with.
type Lock struct {
	Key     string
	Holders []Node // in this workflow
	Waiters []Node // in this workflow
}

// locks lists the locks and finds those that are held for nothing.
func (d *diagnosis) locks() {
	table := make(map[string]*Lock)
	at := func(key string) *Lock {
		if table[key] == nil {
			table[key] = &Lock{Key: key}
		}
		return table[key]
	}
	for _, h := range d.holdings() {
		n := d.holder(h)
		at(h.Key).Holders = append(at(h.Key).Holders, n)
		d.judgeHolding(h, n)
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
				list = append(list, Holding{l.Key, r.ID})
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

func (d *diagnosis) judgeHolding(h Holding, n Node) {
	const forget = "take the holder out of status.synchronization and restart the controller, which reads there who holds what"
	f := Finding{Node: n, Lock: h.Key}
	f.Should = State{}
	switch {
	case n.Recorded.Phase.Settled():
		f.Kind, f.Reason, f.Remedy = LockHeldByFinished, fmt.Sprintf("it has ended (%s) and still holds %s", n.Recorded.Phase, h.Key), forget
	case n.Recorded.Phase == nodegraph.PhasePlanned && h.Node != "":
		f.Kind, f.Reason, f.Remedy = LockHeldByFinished, fmt.Sprintf("no such node is recorded, and it holds %s", h.Key), forget
	case d.report.Stuck:
		f.Kind, f.Reason = LockHeldForEver, fmt.Sprintf("the workflow will not go on by itself and keeps %s from others", h.Key)
		f.Remedy = "heal the other findings: the controller gives the lock back when its holder ends; or terminate the workflow"
	default:
		return
	}
	d.report.Findings = append(d.report.Findings, f)
}
