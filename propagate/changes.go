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

// listChanges lists the nodes that look different since the call began, the deepest first. That is mostly the order in
// which they have changed.
func (e *Engine) listChanges() {
	if len(e.changed) == 0 {
		return
	}
	kept, count, depth, sorted := e.changed, 0, uint16(1<<16-1), true
	for k := range kept {
		b := &kept[k]
		n, is := &e.nodes[b.node], &e.verdicts[b.node]
		n.marks &^= markChanged
		if b.phase == is.phase() && b.message == is.message {
			continue
		}
		if n.depth > depth {
			sorted = false
		}
		depth = n.depth
		kept[count] = *b
		count++
	}
	kept = kept[:count]
	e.perDepth = e.perDepth[:0]
	if !sorted {
		e.countDepths(kept)
	}
	e.result.Changes = slices.Grow(e.result.Changes, len(kept))[:len(kept)]
	e.describe(e.result.Changes, kept)
	e.changed = e.changed[:0]
}

// countDepths finds the place in the list at which the nodes of each depth begin: a counting sort, which keeps the order of
// those of one depth.
func (e *Engine) countDepths(nodes []before) {
	for k := range nodes {
		depth := int(e.nodes[nodes[k].node].depth)
		for depth >= len(e.perDepth) {
			e.perDepth = append(e.perDepth, 0)
		}
		e.perDepth[depth]++
	}
	place := int32(0)
	for depth := len(e.perDepth) - 1; depth >= 0; depth-- {
		e.perDepth[depth], place = place, place+e.perDepth[depth]
	}
}

// describe says how nodes look different. The workflow itself, if it is among them, is the last in the list.
func (e *Engine) describe(list []Change, nodes []before) {
	for k := range nodes {
		b := &nodes[k]
		n, h, is := e.g.Node(b.node), &e.nodes[b.node], &e.verdicts[b.node]
		at := k
		if len(e.perDepth) > 0 {
			place := &e.perDepth[h.depth]
			at = int(*place)
			*place++
		}
		c := &list[at]
		c.ID, c.Name, c.Message = n.ID(), n.Name(), e.phrases.text(is.message)
		c.Node, c.Kind, c.From, c.To, c.Rule = b.node, n.Kind, b.phase, is.phase(), is.rule()
		if !h.exists && is.phase() != nodegraph.Planned {
			c.Kind = nodegraph.NodeSkipped
		}
	}
	if last := len(list) - 1; last >= 0 && list[last].Node == nodegraph.Root {
		list[last].Name, list[last].Kind = e.g.Spec().Name, nodegraph.Workflow
	}
}
