package propagate

import (
	"cmp"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// changed is a node that changed during the current call, and how it looked before.
type changed struct {
	node    nodegraph.Index
	phase   nodegraph.Phase
	message phrase
}

// listChanges lists the nodes that look different since the call began: the deepest first, and those of one depth in the
// order of the graph.
func (e *Engine) listChanges() {
	slices.SortFunc(e.changed, func(a, b changed) int {
		return cmp.Or(cmp.Compare(e.nodes[b.node].depth, e.nodes[a.node].depth), cmp.Compare(a.node, b.node))
	})
	for k := range e.changed {
		b := &e.changed[k]
		n, is := &e.nodes[b.node], &e.verdicts[b.node]
		n.marks &^= markChanged
		if b.phase != is.phase() || b.message != is.message {
			e.result.Changes = append(e.result.Changes, e.change(b))
		}
	}
	e.changed = e.changed[:0]
}

// change describes a node that looks different from how it was before.
func (e *Engine) change(b *changed) Change {
	g, is := e.g.Node(b.node), &e.verdicts[b.node]
	c := Change{
		ID: g.ID(), Name: g.Name(), Message: e.message(b.node), Node: b.node, Kind: e.Kind(b.node),
		From: b.phase, To: is.phase(), Rule: is.rule(),
	}
	if b.node == nodegraph.Root {
		c.Name, c.Kind = e.g.Spec().Name, nodegraph.Workflow
	}
	return c
}
