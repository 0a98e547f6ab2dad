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
	kept, depth, sorted := e.changed[:0], uint16(1<<16-1), true
	for _, b := range e.changed {
		e.nodes[b.node].marks &^= markChanged
		if v := e.verdicts[b.node]; b.phase == v.phase() && b.message == e.verdicts[b.node].message {
			continue
		}
		above := depth
		depth = e.nodes[b.node].depth
		sorted = sorted && depth <= above
		kept = append(kept, b)
	}
	list := slices.Grow(e.result.Changes, len(kept))[:len(kept)]
	e.result.Changes = list
	if sorted {
		for k := range kept {
			e.change(&list[k], &kept[k])
		}
	} else {
		e.deepestFirst(list, kept)
	}
	e.changed = e.changed[:0]
}

// deepestFirst lists nodes by how deep they are: a counting sort, which keeps the order of those of one depth.
func (e *Engine) deepestFirst(list []Change, kept []before) {
	e.perDepth = e.perDepth[:0]
	for k := range kept {
		depth := int(e.nodes[kept[k].node].depth)
		for depth >= len(e.perDepth) {
			e.perDepth = append(e.perDepth, 0)
		}
		e.perDepth[depth]++
	}
	place := int32(0)
	for depth := len(e.perDepth) - 1; depth >= 0; depth-- {
		e.perDepth[depth], place = place, place+e.perDepth[depth]
	}
	for k := range kept {
		at := &e.perDepth[e.nodes[kept[k].node].depth]
		e.change(&list[*at], &kept[k])
		*at++
	}
}

// change describes how one node looks different.
func (e *Engine) change(c *Change, b *before) {
	n, v := e.g.Node(b.node), e.verdicts[b.node]
	c.Node, c.ID, c.Name, c.Kind = b.node, n.ID(), e.nameOf(b.node), e.listedKind(b.node)
	c.From, c.To, c.Message, c.Rule = b.phase, v.phase(), e.message(b.node), v.rule()
}

func (e *Engine) listedKind(i nodegraph.Index) nodegraph.Kind {
	if i == nodegraph.Root {
		return nodegraph.Workflow
	}
	return e.Kind(i)
}
