package nodegraph

import (
	"maps"
	"slices"
)

// CloneTo makes c a copy of the graph that grows by itself: whatever c held is overwritten, and its memory is used again. The two
// share the specification and the names of nodes, which nobody changes. A graph that is large enough does not allocate, but for hooks
// and loops.
func (g *Graph) CloneTo(c *Graph) {
	nodes, ids := append(c.nodes[:0], g.nodes...), append(c.ids[:0], g.ids...)
	if len(c.nodes) > len(nodes) {
		clear(nodes[len(nodes):len(c.nodes)]) // as add expects it
	}
	suffix := c.suffix
	*c = Graph{
		spec: g.spec, limits: g.limits, templates: g.templates, features: g.features, made: g.made, madeOf: g.madeOf,
		onExit: g.onExit, hookConditions: g.hookConditions, transient: g.transient,
		nodes: nodes, ids: ids, base: None, suffix: suffix[:0], items: maps.Clone(g.items), hookOf: maps.Clone(g.hookOf),
	}
	if g.hooks != nil {
		c.hooks = make(map[Index][]Index, len(g.hooks))
		for owner, list := range g.hooks {
			c.hooks[owner] = slices.Clip(list) // what is appended to one is not the other's
		}
	}
}
