package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// Snapshot returns the state of every node that exists, in Argo's terms: what a controller stores in its workflow
// object, and what [Restore] reads. Items of a loop that the host resolved are among them before they exist, as Pending
// and not started, or a controller that restarts would not know of them. Node names are in the order of the graph;
// children are left to the writer. It allocates.
func (e *Engine) Snapshot() nodegraph.Snapshot {
	phase, message := e.Workflow()
	s := nodegraph.Snapshot{
		Phase: phase, Message: message, Started: e.facts.Started(), Finished: e.facts.Finished(nodegraph.Root).Time(),
		Shutdown: e.facts.Shutdown(), Held: e.facts.Held(),
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if e.Exists(i) || e.resolvedItem(i) {
			s.Nodes = append(s.Nodes, e.recorded(i))
		}
	}
	return s
}

// resolvedItem tells whether node i is an item of a loop that has begun and whose items only the host knew.
func (e *Engine) resolvedItem(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	return n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != "" && e.facts.Node(n.Parent).Exists()
}

// recorded is node i as a controller stores it.
func (e *Engine) recorded(i nodegraph.Index) nodegraph.Recorded {
	n, f, v := e.graph.Node(i), e.facts.Fact(i), e.rules.Brief(i)
	r := nodegraph.Recorded{
		ID: n.ID(), Name: n.Name(), DisplayName: e.graph.DisplayName(i), Kind: e.Kind(i), Phase: v.Phase(), Message: e.rules.MessageWords(i),
		Started: f.Created, Finished: f.Finished, Daemoned: v.Daemoned(), Unsynced: f.Unsynced,
		Hooked: n.Role == nodegraph.RoleHook, Retried: n.Role == nodegraph.RoleAttempt,
		CacheHit: f.Hit, ExitCode: f.ExitCode, HasExit: f.HasExit, Restarts: f.Restarts,
	}
	if r.Started.IsZero() {
		r.Started = f.Finished
	}
	if r.Phase == nodegraph.Planned {
		r.Phase = nodegraph.Pending
	}
	if !v.Fulfilled() {
		r.Finished = time.Time{}
	}
	if f.Lock == fact.LockWaits {
		r.WaitsFor = f.Reason
	}
	if b := e.graph.Boundary(i); b != nodegraph.None {
		r.Boundary = e.graph.Node(b).ID()
	}
	if n.Template != nil {
		r.Template = n.Template.Name
	}
	return r
}
