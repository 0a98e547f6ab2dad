package diagnose

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// composeEnds makes composites that are open inside what has ended end as their members say. The engine says how, of the same record
// with everything around them open and their leaves ended as they will be. What has not all of its members is closed as it is.
func (d *diagnosis) composeEnds() {
	composites := false
	ends := make(map[string]State)
	for k := range d.report.Findings {
		if f := &d.report.Findings[k]; f.Heals {
			closed := f.Node.Type.Composite() && f.Should.Message == rule.TextClosed
			composites = composites || closed
			if !closed {
				ends[f.ID] = f.Should
			}
		}
	}
	if !composites {
		return
	}
	e, _, err := propagate.FromSnapshot(d.in.Spec, d.reopened(ends))
	if err == nil {
		_, err = e.Apply(d.report.end)
	}
	if err != nil {
		return // as they are closed
	}
	for k := range d.report.Findings {
		f := &d.report.Findings[k]
		i := e.Graph().Find(f.ID)
		if !f.Heals || !f.Node.Type.Composite() || f.Should.Message != rule.TextClosed || i <= nodegraph.Root || !e.Exists(i) {
			continue
		}
		if phase, message := e.Phase(i); phase.Settled() && message != rule.TextClosed {
			f.Should = State{phase, message}
		}
	}
}

// reopened is the record in which these nodes have ended, and everything around something that is open is open.
func (d *diagnosis) reopened(ends map[string]State) nodegraph.Snapshot {
	s := d.in.Snapshot
	s.Phase, s.Message, s.Finished = nodegraph.PhaseRunning, "", time.Time{}
	s.Nodes = append([]nodegraph.NodeStatus{}, s.Nodes...)
	around := make(map[nodegraph.Index]bool)
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		if i := d.record.find(r); open(r) && i != nodegraph.None {
			for p := d.g.Node(i).Parent; p > nodegraph.Root; p = d.g.Node(p).Parent {
				around[p] = true
			}
		}
	}
	for k := range s.Nodes {
		n := &s.Nodes[k]
		if end, ok := ends[n.ID]; ok {
			n.Phase, n.Message, n.Daemoned, n.WaitsFor = end.Phase, end.Message, false, ""
			n.Finished = latest(n.Finished, d.report.end)
		} else if i := d.record.find(n); i != nodegraph.None && around[i] && n.Phase.Settled() && n.Kind.Composite() {
			n.Phase, n.Message, n.Finished = nodegraph.PhaseRunning, "", time.Time{}
		}
	}
	return s
}
