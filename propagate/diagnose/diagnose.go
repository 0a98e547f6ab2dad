package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Diagnose compares what was recorded with what follows from it at the present. The error is that of
// [propagate.FromSnapshot].
func Diagnose(in Input) (*Report, error) {
	in.Snapshot.Started = cmp.Or(in.Snapshot.Started, firstStart(in.Snapshot.Nodes))
	computed, unknown, err := propagate.FromSnapshot(in.Spec, in.Snapshot)
	if err != nil {
		return nil, err
	}
	if in.Patience <= 0 {
		in.Patience = DefaultPatience
	}
	d := &diagnosis{
		in: in, engine: computed, g: computed.Graph(), pods: newPods(in.Pods, in.PodInfo),
		record: newRecord(&in.Snapshot, computed.Graph()), report: &Report{Graph: computed.Graph()},
		faulty: make(map[string]bool), late: make(map[string]bool), leaked: make(map[string]bool), due: make(map[nodegraph.Index]time.Time),
	}
	if err := d.toThePresent(); err != nil {
		return nil, err
	}
	d.report.in, d.report.record, d.report.pods = &d.in, d.record, d.pods
	d.run(unknown)
	return d.report, nil
}

// firstStart is when the first of some nodes started, zero if none says when.
func firstStart(nodes []nodegraph.NodeStatus) (first time.Time) {
	for k := range nodes {
		if at := nodes[k].Started; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func (d *diagnosis) run(unknown []string) {
	phase, message := d.engine.Workflow()
	d.report.Workflow = Node{
		Name: d.in.Spec.Name, Type: nodegraph.KindWorkflow, Recorded: State{d.in.Snapshot.Phase, d.in.Snapshot.Message},
		Should: State{phase, message},
	}
	for k := range d.in.Snapshot.Nodes {
		d.contradiction(&d.in.Snapshot.Nodes[k])
	}
	d.composeEnds()
	d.falseSuccess()
	d.missingResults()
	for k := range d.in.Snapshot.Nodes {
		d.unsettled(&d.in.Snapshot.Nodes[k])
	}
	d.unsettledWorkflow()
	d.missingHooks()
	d.unknownPods()
	d.follow()
	for _, id := range unknown {
		if !d.faulty[id] {
			d.report.Ignored = append(d.report.Ignored, id)
		}
	}
	d.locks()
	d.wait()
	d.overdue()
	d.report.Stuck = d.stuck()
	d.heldForEver()
	d.note()
	d.advise()
	slices.SortStableFunc(d.report.Findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Lock, b.Lock), cmp.Compare(a.Pod, b.Pod))
	})
}

// follow lists what is behind without a fault of its own.
func (d *diagnosis) follow() {
	for k := range d.in.Snapshot.Nodes {
		r := &d.in.Snapshot.Nodes[k]
		if should, ok := d.computedState(r); ok && open(r) && !d.faulty[r.ID] && should.Phase.Settled() {
			d.report.Follows = append(d.report.Follows, Node{r.ID, r.Name, r.Kind, State{r.Phase, r.Message}, should})
		}
	}
}
