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

// listChanges lists the nodes that look different since the call began, the deepest first.
func (e *Engine) listChanges() {
	if len(e.changed) == 0 {
		return
	}
	e.perDepth = e.perDepth[:0]
	kept := e.changed[:0]
	for _, b := range e.changed {
		e.marks[b.node] &^= markChanged
		if v := e.verdicts[b.node]; b.phase == v.phase() && b.message == e.messages[b.node] {
			continue
		}
		depth := int(e.shapes[b.node].depth)
		for depth >= len(e.perDepth) {
			e.perDepth = append(e.perDepth, 0)
		}
		e.perDepth[depth]++
		kept = append(kept, b)
	}
	place := int32(0)
	for depth := len(e.perDepth) - 1; depth >= 0; depth-- {
		e.perDepth[depth], place = place, place+e.perDepth[depth]
	}
	e.result.Changes = slices.Grow(e.result.Changes, len(kept))[:len(kept)]
	for k := range kept {
		b, at := &kept[k], &e.perDepth[e.shapes[kept[k].node].depth]
		e.change(&e.result.Changes[*at], b)
		*at++
	}
	e.changed = e.changed[:0]
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
