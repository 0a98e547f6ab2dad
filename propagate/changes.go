package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// before is how a node looked before the current call.
type before struct {
	node    nodegraph.Index
	phase   nodegraph.Phase
	message phrase
}

// changes are the nodes that changed during the current call, in the order in which they did first.
type changes struct {
	nodes     []before
	depth     uint16   // of the last one
	unordered bool     // one is deeper than the one before it
	perDepth  []int32  // scratch of sort: by depth, the place of the next node
	sorted    []before // scratch of sort
}

// add notes node i, which is so deep inside others, and how it looked before.
func (c *changes) add(i nodegraph.Index, depth uint16, phase nodegraph.Phase, message phrase) {
	if depth > c.depth {
		c.unordered = c.unordered || len(c.nodes) > 0
	}
	c.depth = depth
	c.nodes = append(c.nodes, before{i, phase, message})
}

// sort puts the deepest nodes first, and keeps the order of those of one depth: a counting sort.
func (c *changes) sort(nodes []node) {
	c.perDepth = c.perDepth[:0]
	for k := range c.nodes {
		depth := int(nodes[c.nodes[k].node].depth)
		for depth >= len(c.perDepth) {
			c.perDepth = append(c.perDepth, 0)
		}
		c.perDepth[depth]++
	}
	place := int32(0)
	for depth, n := range slices.Backward(c.perDepth) {
		c.perDepth[depth], place = place, place+n
	}
	c.sorted = slices.Grow(c.sorted[:0], len(c.nodes))[:len(c.nodes)]
	for _, b := range c.nodes {
		at := &c.perDepth[nodes[b.node].depth]
		c.sorted[*at] = b
		*at++
	}
	c.nodes, c.sorted = c.sorted, c.nodes
}

// clear forgets the nodes of the call that is over.
func (c *changes) clear() { c.nodes, c.unordered = c.nodes[:0], false }

// listChanges lists the nodes that look different since the call began, the deepest first. That is mostly the order in
// which they have changed.
func (e *Engine) listChanges() {
	if len(e.changed.nodes) == 0 {
		return
	}
	if e.changed.unordered {
		e.changed.sort(e.nodes)
	}
	changed := e.changed.nodes
	list, count := slices.Grow(e.result.Changes, len(changed))[:len(changed)], 0
	for k := range changed {
		b := &changed[k]
		n, is := &e.nodes[b.node], &e.verdicts[b.node]
		n.marks &^= markChanged
		if b.phase != is.phase() || b.message != is.message {
			c, g := &list[count], e.g.Node(b.node)
			c.ID, c.Name, c.Message = g.ID(), g.Name(), e.phrases.text(is.message)
			c.Node, c.Kind, c.From, c.To, c.Rule = b.node, n.kind, b.phase, is.phase(), is.rule()
			if !n.exists {
				e.describeOther(c, is.phase())
			}
			count++
		}
	}
	e.result.Changes = list[:count]
	e.changed.clear()
}

// describeOther corrects what is said of a node that does not exist: the workflow itself, or one that was omitted.
func (e *Engine) describeOther(c *Change, phase nodegraph.Phase) {
	switch {
	case c.Node == nodegraph.Root:
		c.Name = e.g.Spec().Name
	case phase != nodegraph.Planned:
		c.Kind = nodegraph.NodeSkipped
	}
}
