package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Report is what was found.
type Report struct {
	Workflow Node
	Findings []Finding // in the order of the kinds and of the names
	Follows  []Node    // recorded as open, and settle by themselves once the findings are healed
	Waits    []Wait    // what the workflow waits for besides
	Locks    []Lock    // what it holds, or waits for
	Ignored  []string  // ids of recorded nodes that the specification never asks for and that are in nobody's way
	Notes    []string  // what an operator should know and is no fault, a sentence each
	Stuck    bool      // it is not complete, and as recorded nothing will happen any more
	Graph    *nodegraph.Graph

	in     *Input
	record *record
	pods   *pods
	end    time.Time // of nodes that are ended by healing
}

// Healthy reports whether nothing was found.
func (r *Report) Healthy() bool { return len(r.Findings) == 0 }

// Diagnose compares what was recorded with what follows from it at the present. The error is that of
// [propagate.FromSnapshot].
func Diagnose(in Input) (*Report, error) {
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

// diagnosis is one run of Diagnose.
type diagnosis struct {
	in     Input
	engine *propagate.Engine // the fixed point that follows from the record, the pods and the time
	g      *nodegraph.Graph  // of engine
	record *record
	pods   *pods
	report *Report
	faulty map[string]bool               // ids of nodes with a finding that says that the record contradicts itself, or that nobody acts
	late   map[string]bool               // ids of nodes with a finding that something is overdue
	held   []Holding                     // the locks that are held
	leaked map[string]bool               // keys of locks that are held by what has ended
	due    map[nodegraph.Index]time.Time // when time alone changed a node, after the record was made
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

// found adds a finding about recorded node r.
func (d *diagnosis) found(kind Kind, r *nodegraph.NodeStatus, should State, heals bool, reason, remedy string) *Finding {
	d.faulty[r.ID] = true
	return d.add(Finding{Kind: kind, Node: nodeOf(r, should), Reason: reason, Remedy: remedy, Heals: heals})
}

// add adds a finding, and returns it until the next one is added.
func (d *diagnosis) add(f Finding) *Finding {
	d.report.Findings = append(d.report.Findings, f)
	return &d.report.Findings[len(d.report.Findings)-1]
}

// nodeOf names a node as it is recorded.
func nodeOf(r *nodegraph.NodeStatus, should State) Node {
	return Node{r.ID, r.Name, r.Kind, State{r.Phase, r.Message}, should}
}

// computedState is what the engine says of recorded node r; false if the specification never asks for it.
func (d *diagnosis) computedState(r *nodegraph.NodeStatus) (State, bool) {
	i := d.g.Find(r.ID)
	if i == nodegraph.None || !d.engine.Exists(i) {
		return State{}, false
	}
	phase, message := d.engine.Phase(i)
	return State{phase, message}, true
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
