package propagate

import (
	"maps"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

// A State is all that an engine knows of a run, in plain data that a host can store in any format. [FromState] makes an
// engine of it that differs in nothing. [Engine.Snapshot] stores less, in Argo's terms.
type State struct {
	Now, Started time.Time // UTC
	Shutdown     string
	Status       nodegraph.Phase // of the workflow before the last call
	Suspended    bool            // suspended as a whole
	Overdue      bool            // past the workflow's deadline
	Workflow     fact.Fact
	Nodes        []NodeState                 // in the order of the graph
	Older        map[string]map[string]int64 // by node id: the pods it had before, by UID, with their serials
}

// A NodeState is what is known of one node. Of a hook that is due and was held back nothing may be known but that.
type NodeState struct {
	ID         string
	Name       string // where it is empty the ID alone counts, a hash that a node which does not exist may have too
	Fact       fact.Fact
	Resolved   bool             // a loop that the host resolved
	Items      []nodegraph.Item // its items
	Unexpanded bool             // it was created, and nothing was added inside it: there was no room, or an id was taken
}

// Save returns the engine's state. It shares nothing with the engine, and allocates.
func (e *Engine) Save() State {
	s := State{
		Now: e.facts.Now(), Started: e.facts.Started(), Shutdown: e.facts.Shutdown(), Status: e.facts.Status(), Suspended: e.facts.Suspended(), Overdue: e.facts.Overdue(),
		Workflow: e.facts.Fact(nodegraph.Root), Older: make(map[string]map[string]int64, len(e.older)),
	}
	for id, serials := range e.older {
		s.Older[id] = maps.Clone(serials)
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if n := e.nodeState(i); n.Fact != (fact.Fact{}) || n.Resolved || e.graph.Node(i).Role == nodegraph.RoleHook {
			s.Nodes = append(s.Nodes, n)
		}
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
	return NodeState{ID: n.ID(), Name: n.Name(), Fact: e.facts.Fact(i), Resolved: resolved, Items: e.resolvedItems(i), Unexpanded: e.unexpanded(i)}
}

// unexpanded reports whether node i was created and has nothing of what should be inside it.
func (e *Engine) unexpanded(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	return n.Exists() && n.Kind() != nodegraph.KindRetry && !n.Alone() && !e.graph.Node(i).Expanded()
}

// FromState returns the engine of a state that was saved, and the ids in it that the specification never asks for. What the
// host was asked and has not answered it is asked again by the next Apply.
func FromState(spec *nodegraph.Spec, s State, opts ...nodegraph.Option) (*Engine, []string, error) {
	e, err := New(spec, opts...)
	if err != nil {
		return nil, nil, err
	}
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
	r := &restorer{e: e, source: stateSource(s.Nodes)}
	if err := r.restore(); err != nil {
		return nil, nil, err
	}
	return e, r.source.rest(), nil
}

// stateSource reads facts out of saved nodes.
func stateSource(nodes []NodeState) source {
	byID := make(map[string]*NodeState, len(nodes))
	taken := make(map[string]bool, len(nodes))
	for k := range nodes {
		byID[nodes[k].ID] = &nodes[k]
	}
	return source{
		has: func(id, name string) bool { return byID[id] != nil && isNamed(byID[id].Name, name) },
		take: func(e *Engine, i nodegraph.Index) {
			n := byID[e.graph.Node(i).ID()]
			taken[n.ID] = true
			e.facts.Put(i, &n.Fact)
		},
		bare: func(e *Engine, i nodegraph.Index) bool { return byID[e.graph.Node(i).ID()].Unexpanded },
		items: func(loop *nodegraph.Node) ([]nodegraph.Item, bool) {
			n := byID[loop.ID()]
			if n == nil {
				return nil, false
			}
			return n.Items, n.Resolved
		},
		attempt: func(string) retry.Attempt { return retry.Attempt{} }, // each was asked for
		rest:    func() []string { return untaken(nodes, taken, func(n *NodeState) string { return n.ID }) },
	}
}

// Snapshot returns the state of every node that exists, in Argo's terms: what a controller stores in its workflow
// object, and what [FromSnapshot] reads. Items of a loop that the host resolved, and hooks that are held back, are among them
// before they exist, as Pending and not started, or a controller that restarts would not know of them. Node names are in the
// order of the graph; children are left to the writer. It allocates.
func (e *Engine) Snapshot() nodegraph.Snapshot {
	phase, message := e.Workflow()
	s := nodegraph.Snapshot{
		Phase: phase, Message: message, Started: e.facts.Started(), Finished: e.facts.Finished(nodegraph.Root).Time(),
		Shutdown: e.facts.Shutdown(), Suspended: e.facts.Suspended(),
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if e.Exists(i) || e.resolvedItem(i) || e.hookWaits(i) {
			s.Nodes = append(s.Nodes, e.recorded(i))
		}
	}
	return s
}

// resolvedItem reports whether node i is an item of a loop that has begun and whose items only the host knew.
func (e *Engine) resolvedItem(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	return n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != "" && e.facts.Node(n.Parent).Exists()
}

// hookWaits reports whether node i is a hook that is due and was held back: why it was due may not hold any more.
func (e *Engine) hookWaits(i nodegraph.Index) bool {
	return e.graph.Node(i).Role == nodegraph.RoleHook && !e.facts.Node(i).Exists() && !e.rules.Brief(i).Fulfilled()
}

// recorded is node i as a controller stores it.
func (e *Engine) recorded(i nodegraph.Index) nodegraph.NodeStatus {
	n, f, v := e.graph.Node(i), e.facts.Fact(i), e.rules.Brief(i)
	r := nodegraph.NodeStatus{
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
	r.Unready = v.Phase() == nodegraph.PhasePending && f.Stage == fact.StageRunning && e.facts.Node(i).IsDaemon()
	if f.Restarts > 0 && v.Rule() == rule.RulePodRecreate {
		r.Restarting = f.UID
	}
	if b := e.graph.Boundary(i); b != nodegraph.None {
		r.Boundary = e.graph.Node(b).ID()
	}
	if n.Template != nil {
		r.Template = n.Template.RecordedName()
	}
	return r
}
