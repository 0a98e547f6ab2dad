package propagate

import (
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/sched"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Clone returns an engine that knows the same, and has told its host the same. The two share the specification alone. It costs
// what the memory of the engine costs to copy, and allocates that. The error is a [*UseError].
func (e *Engine) Clone() (*Engine, error) {
	c := new(Engine)
	return c, e.CloneTo(c)
}

// CloneTo makes c the engine that [Engine.Clone] returns. What c was is overwritten, and its memory is used again: a search that
// tries many ways from one state needs one engine to try them with. c is a zero Engine, or any other that is not in use.
func (e *Engine) CloneTo(c *Engine) error {
	if c == e {
		return nil
	}
	if err := e.enter(); err != nil {
		return err
	}
	err := e.cloneTo(c)
	e.leave()
	return err
}

// cloneTo is CloneTo inside a call of e.
func (e *Engine) cloneTo(c *Engine) error {
	if c.self == nil {
		c.graph, c.facts, c.rules, c.sched = new(nodegraph.Graph), new(store.Store), new(rule.Evaluator), new(sched.Schedule)
		c.self = c
	}
	if err := c.enter(); err != nil {
		return err
	}
	e.graph.CloneTo(c.graph)
	e.facts.CloneTo(c.facts)
	e.rules.CloneTo(c.rules, c.graph, c.facts.Read())
	e.sched.CloneTo(c.sched, c.graph, c.facts, c.rules)
	c.stops = stops{}
	e.ended.CloneTo(&c.ended)
	e.starts.cloneTo(&c.starts)
	e.restored.cloneTo(&c.restored)
	c.out.renew(e.graph.Len())
	c.older = e.older.clone()
	c.style, c.has, c.fingerprint = e.style, e.has, e.fingerprint
	c.leave()
	return nil
}

// cloneTo copies what wants to start, or is held back.
func (s *starts) cloneTo(c *starts) {
	old := *c
	*c = starts{active: s.active, census: s.census, lookedAt: s.lookedAt, candidates: old.candidates}
	c.wanted, c.later = append(old.wanted[:0], s.wanted...), append(old.later[:0], s.later...)
	c.asked = maps.Clone(s.asked)
}

// cloneTo copies what is owed.
func (r *restored) cloneTo(c *restored) {
	*c = *r
	c.pendingRecreate, c.pendingQuestions, c.pendingEnds = slices.Clone(r.pendingRecreate), slices.Clone(r.pendingQuestions), slices.Clone(r.pendingEnds)
}

// renew makes the output that of an engine of so many nodes, between two calls.
func (o *output) renew(nodes int) {
	o.result, o.changed = nil, o.changed[:0]
	clear(o.place)
	o.place = store.Grown(o.place[:0], nodes, nodes)
}

func (o olderPods) clone() olderPods {
	if o == nil {
		return nil
	}
	c := make(olderPods, len(o))
	for id, serials := range o {
		c[id] = maps.Clone(serials)
	}
	return c
}
