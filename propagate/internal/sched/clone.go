package sched

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// CloneTo makes c a copy of the schedule, for a copy of what it reads. What c held is overwritten, and its memory is used again.
func (s *Schedule) CloneTo(c *Schedule, graph *nodegraph.Graph, facts *store.Store, rules *rule.Evaluator) {
	old := *c
	*c = Schedule{graph: graph, facts: facts, rules: rules, due: old.due[:0], generation: s.generation, uses: s.uses}
	c.nodes, c.fast = store.Copied(old.nodes, s.nodes), store.Copied(old.fast, s.fast)
	for k := range s.judged { // the copy does not track
		c.nodes[s.judged[k]].judged = false
	}
	c.timers.list, c.timers.told = append(old.timers.list[:0], s.timers.list...), s.timers.told
	s.queue.cloneTo(&old.queue)
	c.queue = old.queue
}

// cloneTo makes c a copy of the queue.
func (q *queue) cloneTo(c *queue) {
	for k := range c.lists {
		c.lists[k] = rankList{nodes: c.lists[k].nodes[:0]}
	}
	if n := len(q.lists); n > len(c.lists) {
		c.deepen(n - 1)
	}
	c.top, c.size = q.top, q.size
	for rank := range q.lists {
		if l := &q.lists[rank]; l.head < len(l.nodes) {
			copied := c.list(rank)
			copied.nodes = append(copied.nodes, l.nodes[l.head:]...)
		}
	}
}
