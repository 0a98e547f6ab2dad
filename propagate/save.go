package propagate

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

// Save returns the engine's state. It shares nothing with the engine, and allocates.
func (e *Engine) Save() State {
	if e.fingerprint == "" {
		e.fingerprint = e.graph.Spec().Fingerprint()
	}
	s := e.state()
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if n := e.nodeState(i); n.Fact != (fact.Fact{}) || n.Resolved || e.graph.Node(i).Role == nodegraph.RoleHook {
			s.Nodes = append(s.Nodes, n)
		}
	}
	s.Count = len(s.Nodes)
	return s
}

// state is what is known of the workflow as a whole.
func (e *Engine) state() State {
	s := State{
		Version: stateVersion, Name: e.graph.Spec().Name, Structure: e.fingerprint,
		Now: e.facts.Now, Started: e.facts.Started, Shutdown: e.facts.Shutdown, Status: e.facts.Status,
		Suspended: e.facts.Suspended, Overdue: e.facts.Overdue, Workflow: e.facts.Fact(nodegraph.Root),
	}
	if len(e.older) > 0 {
		s.Older = make(map[string]map[string]int64, len(e.older))
	}
	for id, serials := range e.older {
		s.Older[id] = maps.Clone(serials)
	}
	return s
}

// resolvedItems returns the items of loop i that the host gave.
func (e *Engine) resolvedItems(i nodegraph.Index) []nodegraph.Item {
	n := e.graph.Node(i)
	if n.Kind != nodegraph.KindTaskGroup || n.Task.Loop.Unresolved == "" || !n.Expanded() {
		return nil
	}
	from := i
	if n.Role == nodegraph.RoleStep {
		from = n.Parent
	}
	var items []nodegraph.Item
	for m := e.graph.First(from); m != nodegraph.None; m = e.graph.Next(m) {
		if c := e.graph.Node(m); c.Role == nodegraph.RoleItem && c.Task == n.Task {
			items = append(items, *e.graph.Item(m))
		}
	}
	return items
}

// nodeState is what is known of node i.
func (e *Engine) nodeState(i nodegraph.Index) NodeState {
	n := e.graph.Node(i)
	resolved := n.Kind == nodegraph.KindTaskGroup && n.Task.Loop.Unresolved != "" && n.Expanded()
	return NodeState{Name: n.Name(), Fact: e.facts.Fact(i), Resolved: resolved, Items: e.resolvedItems(i), Unexpanded: e.unexpanded(i)}
}

// unexpanded reports whether node i was created and has nothing of what should be inside it.
func (e *Engine) unexpanded(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	return n.Exists && n.Kind != nodegraph.KindRetry && !n.Alone && !e.graph.Node(i).Expanded()
}

// fromState is FromState of a state that an engine has saved.
func fromState(spec *nodegraph.Spec, s State, opts ...nodegraph.Option) (*Engine, []string, error) {
	e, err := New(spec, opts...)
	if err != nil {
		return nil, nil, err
	}
	e.fingerprint = s.Structure
	e.facts.SetNow(s.Now)
	e.facts.SetStarted(s.Started)
	e.facts.SetShutdown(s.Shutdown)
	e.facts.SetStatus(s.Status)
	e.facts.SetSuspended(s.Suspended)
	e.facts.SetOverdue(s.Overdue)
	e.facts.Put(nodegraph.Root, &s.Workflow)
	for id, serials := range s.Older {
		e.remember(id, serials)
	}
	e.graph.Reserve(len(s.Nodes) + 1)
	r := &restorer{e: e, source: stateSource(s.Nodes)}
	if err := r.restore(); err != nil {
		return nil, nil, err
	}
	return e, r.source.rest(), nil
}

// stateSource reads facts out of saved nodes.
func stateSource(nodes []NodeState) source {
	at := make(map[string]int32, len(nodes)) // place in nodes by name
	for k := range nodes {
		at[nodes[k].Name] = int32(k)
	}
	taken := make([]bool, len(nodes))
	get := func(name string) *NodeState {
		if k, ok := at[name]; ok {
			return &nodes[k]
		}
		return nil
	}
	return source{
		has: func(_, name string) bool { return get(name) != nil },
		take: func(e *Engine, i nodegraph.Index) bool {
			k, known := at[e.graph.Node(i).Name()]
			if known {
				taken[k] = true
				e.facts.Put(i, &nodes[k].Fact)
			}
			return known
		},
		bare: func(e *Engine, i nodegraph.Index) bool { return get(e.graph.Node(i).Name()).Unexpanded },
		items: func(loop *nodegraph.Node) ([]nodegraph.Item, bool) {
			n := get(loop.Name())
			if n == nil {
				return nil, false
			}
			return n.Items, n.Resolved
		},
		attempt: func(string) retry.Attempt { return retry.Attempt{} }, // each was asked for
		rest: func() (rest []string) {
			for k := range nodes {
				if name := nodes[k].Name; !taken[at[name]] {
					rest = append(rest, name)
				}
			}
			return rest
		},
	}
}

// Snapshot returns the state of every node that exists, in Argo's terms: what a controller stores in its workflow
// object, and what [FromSnapshot] reads. Items of a loop that the host resolved, and hooks that are held back, are among them
// before they exist, as Pending and not started. A controller that restarts would not know of them otherwise. Node names are in
// the order of the graph; children are left to the writer. It allocates.
func (e *Engine) Snapshot() nodegraph.Snapshot {
	s := e.snapshotOfWorkflow()
	listed := 0
	e.eachRecorded(func(nodegraph.Index) { listed++ })
	if listed == 0 {
		return s
	}
	s.Nodes = make([]nodegraph.NodeStatus, 0, listed)
	e.eachRecorded(func(i nodegraph.Index) {
		s.Nodes = append(s.Nodes, nodegraph.NodeStatus{})
		e.record(i, &s.Nodes[len(s.Nodes)-1])
	})
	return s
}

// SnapshotSeq is Snapshot for whoever looks at one node after the other. The snapshot has no nodes: the sequence yields each with its
// index, in memory that is used again for the next. The sequence ends with the next call.
func (e *Engine) SnapshotSeq() (nodegraph.Snapshot, iter.Seq2[nodegraph.Index, *nodegraph.NodeStatus]) {
	return e.snapshotOfWorkflow(), func(yield func(nodegraph.Index, *nodegraph.NodeStatus) bool) {
		var r nodegraph.NodeStatus
		for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
			if !e.isRecorded(i) {
				continue
			}
			r = nodegraph.NodeStatus{}
			if e.record(i, &r); !yield(i, &r) {
				return
			}
		}
	}
}

// SnapshotChanges is Snapshot with those nodes alone that may be recorded otherwise than when it was called last. The first call
// returns all nodes, and so does one after a manual retry. It costs what has changed.
func (e *Engine) SnapshotChanges() nodegraph.Snapshot {
	judged, known := e.sched.TakeJudged()
	if !known {
		return e.Snapshot()
	}
	s := e.snapshotOfWorkflow()
	nodes := slices.Clone(judged)
	for _, i := range judged { // items are recorded once their group exists
		if kind := e.graph.Node(i).Kind; kind == nodegraph.KindTaskGroup || kind == nodegraph.KindStepGroup {
			for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
				nodes = append(nodes, m)
			}
		}
	}
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	s.Nodes = make([]nodegraph.NodeStatus, 0, len(nodes))
	for _, i := range nodes {
		if e.isRecorded(i) {
			s.Nodes = append(s.Nodes, nodegraph.NodeStatus{})
			e.record(i, &s.Nodes[len(s.Nodes)-1])
		}
	}
	return s
}

// snapshotOfWorkflow is a snapshot without nodes.
func (e *Engine) snapshotOfWorkflow() nodegraph.Snapshot {
	phase, message := e.Workflow()
	return nodegraph.Snapshot{
		Phase: phase, Message: message, Started: e.facts.Started, Finished: e.facts.Finished(nodegraph.Root).Time(),
		Shutdown: e.facts.Shutdown, Suspended: e.facts.Suspended,
	}
}

// eachRecorded calls do for each node that a controller stores.
func (e *Engine) eachRecorded(do func(nodegraph.Index)) {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if e.isRecorded(i) {
			do(i)
		}
	}
}

// isRecorded reports whether a controller stores node i.
func (e *Engine) isRecorded(i nodegraph.Index) bool {
	return e.Exists(i) || e.resolvedItem(i) || e.hookWaits(i)
}

// resolvedItem reports whether node i is an item of a loop that has begun and whose items only the host knew.
func (e *Engine) resolvedItem(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	return n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != "" && e.facts.Node(n.Parent).Exists
}

// hookWaits reports whether node i is a hook that is due and was held back: why it was due may not hold any more.
func (e *Engine) hookWaits(i nodegraph.Index) bool {
	return e.graph.Node(i).Role == nodegraph.RoleHook && !e.facts.Node(i).Exists && !e.rules.Brief(i).Fulfilled()
}

// record fills in node i as a controller stores it.
func (e *Engine) record(i nodegraph.Index, r *nodegraph.NodeStatus) {
	n, f, v := e.graph.Node(i), e.facts.Fact(i), e.rules.Brief(i)
	*r = nodegraph.NodeStatus{
		ID: n.ID(), Name: n.Name(), DisplayName: e.graph.DisplayName(i), Kind: e.Kind(i), Phase: v.Phase(), Message: e.rules.MessageWords(i),
		Started: f.Created, Finished: f.Finished, Daemoned: v.Daemoned(), Unsynced: f.Unsynced,
		Hooked: n.Role == nodegraph.RoleHook, Retried: n.Role == nodegraph.RoleAttempt,
		CacheHit: f.CacheHit, ExitCode: f.ExitCode, HasExit: f.HasExit, Restarts: f.Restarts,
	}
	if r.Started.IsZero() {
		r.Started = f.Finished
	}
	if r.Phase == nodegraph.PhasePlanned {
		r.Phase = nodegraph.PhasePending
	}
	if !v.Fulfilled() || f.Undated {
		r.Finished = time.Time{} // as in Argo
	}
	if e.facts.Node(i).Waits() {
		r.WaitsFor = f.Reason
	}
	r.Unready = v.Phase() == nodegraph.PhasePending && f.Stage == fact.StageRunning && e.facts.Node(i).IsDaemon
	if f.Restarts > 0 && v.Rule() == rule.RulePodRecreate {
		r.Restarting = f.UID
	}
	if b := e.graph.Boundary(i); b != nodegraph.None {
		r.Boundary = e.graph.Node(b).ID()
	}
	if n.Template != nil {
		r.Template = n.Template.RecordedName()
	}
}
