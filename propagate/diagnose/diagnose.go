package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// DefaultPatience is how long a controller may take for what it can do at any time.
const DefaultPatience = 10 * time.Minute

// An Input is a workflow as it was recorded.
type Input struct {
	Spec     *nodegraph.Spec
	Snapshot nodegraph.Snapshot
	Pods     []propagate.PodStatus // all the pods of the workflow that exist; nil if that is not known
	Holdings []Holding             // the locks recorded as held; nil if that is not known
	Now      time.Time             // zero if not known; then nothing counts as late
	Patience time.Duration         // 0 means DefaultPatience
}

// A Report is what was found.
type Report struct {
	Workflow Node
	Findings []Finding // in the order of the kinds and of the names
	Follows  []Node    // recorded as open, and settle by themselves once the findings are healed
	Waits    []Wait    // what the workflow waits for besides
	Locks    []Lock    // what it holds, or waits for
	Ignored  []string  // ids of recorded nodes that the specification never asks for and that are in nobody's way
	Stuck    bool      // it is not complete, and as recorded nothing will happen any more
	Graph    *nodegraph.Graph

	record *record
	pods   *pods
	end    time.Time // of nodes that are ended by healing
}

// Healthy reports whether nothing was found.
func (r *Report) Healthy() bool { return len(r.Findings) == 0 }

// Hopeless reports whether the workflow waits for something that can never come true. Nothing is recorded wrongly then: the
// specification is at fault.
func (r *Report) Hopeless() bool {
	return slices.ContainsFunc(r.Waits, func(w Wait) bool { return w.Never != "" })
}

// Diagnose compares what was recorded with what follows from it. The error is that of [propagate.FromSnapshot].
func Diagnose(in Input) (*Report, error) {
	computed, unknown, err := propagate.FromSnapshot(in.Spec, in.Snapshot)
	if err != nil {
		return nil, err
	}
	// At the time of the record and not of its reader: what time alone decides is the controller's to do.
	now := computed.Now()
	if now.IsZero() { // it was not begun
		now = in.Now
	}
	if in.Pods == nil {
		_, err = computed.Apply(now)
	} else {
		_, err = computed.SyncPods(now, in.Pods)
	}
	if err != nil {
		return nil, err
	}
	d := &diagnosis{
		in: in, engine: computed, g: computed.Graph(),
		record: newRecord(&in.Snapshot, computed.Graph()), pods: newPods(in.Pods), report: &Report{Graph: computed.Graph()},
		faulty: make(map[string]bool),
	}
	if d.in.Patience <= 0 {
		d.in.Patience = DefaultPatience
	}
	d.report.record, d.report.pods, d.report.end = d.record, d.pods, now
	if in.Now.After(now) {
		d.report.end = in.Now.UTC().Truncate(time.Second)
	}
	d.run(unknown)
	return d.report, nil
}

// diagnosis is one run of Diagnose.
type diagnosis struct {
	in     Input
	engine *propagate.Engine // the fixed point that follows from the record
	g      *nodegraph.Graph  // of engine
	record *record
	pods   *pods
	report *Report
	faulty map[string]bool // ids of nodes with a finding
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
	for k := range d.in.Snapshot.Nodes {
		d.late(&d.in.Snapshot.Nodes[k])
	}
	d.lateWorkflow()
	d.missingHooks()
	d.unknownPods()
	d.follow()
	for _, id := range unknown {
		if !d.faulty[id] {
			d.report.Ignored = append(d.report.Ignored, id)
		}
	}
	d.wait()
	d.report.Stuck = d.stuck()
	d.locks()
	slices.SortStableFunc(d.report.Findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Lock, b.Lock), cmp.Compare(a.Pod, b.Pod))
	})
}

// found adds a finding about recorded node r.
func (d *diagnosis) found(kind Kind, r *nodegraph.NodeStatus, should State, heals bool, reason, remedy string) {
	d.faulty[r.ID] = true
	d.report.Findings = append(d.report.Findings, Finding{
		Kind: kind, Node: Node{r.ID, r.Name, r.Kind, State{r.Phase, r.Message}, should}, Reason: reason, Remedy: remedy, Heals: heals,
	})
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
