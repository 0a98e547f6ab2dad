package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/sched"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// New returns the engine of a workflow that was not started. Nothing happens before the first call of [Engine.Apply].
// The error is that of [nodegraph.New].
func New(spec *nodegraph.Spec, opts ...nodegraph.Option) (*Engine, error) {
	g, err := nodegraph.New(spec, opts...)
	if err != nil {
		return nil, err
	}
	has := g.Features()
	e := &Engine{graph: g, facts: store.New(spec.Suspended, has.Daemons)}
	e.self = e
	e.rules = rule.NewEvaluator(g, e.facts.Read())
	e.sched = sched.New(g, e.facts, e.rules)
	e.has = features{limits: has.FailFast || has.Parallelism, lockedComposites: has.LockedComposites, workflowStatus: has.WorkflowStatus}
	e.starts.asked = make(map[nodegraph.Index]struct{})
	e.grow()
	e.sched.All(e.judge)
	return e, nil
}

// become makes the engine go on as another one, which nobody uses afterwards.
func (e *Engine) become(other *Engine) {
	e.graph, e.facts, e.rules, e.sched = other.graph, other.facts, other.rules, other.sched
	e.stops, e.starts, e.ended, e.restored = other.stops, other.starts, other.ended, other.restored
	e.out, e.older, e.style, e.has = other.out, other.older, other.style, other.has
}
