package propagate

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// changed is a node that changed during the current call, and how it looked before.
type changed struct {
	node    nodegraph.Index
	message message
	depth   uint16
	phase   nodegraph.Phase
}

// noteChange notes how node i, of which n is the record, looked before it first changed in this call.
func (e *Engine) noteChange(i nodegraph.Index, n *node, phase nodegraph.Phase, m message) {
	if n.marks&markChanged == 0 {
		n.marks |= markChanged
		e.out.changed = append(e.out.changed, changed{node: i, message: m, depth: n.depth, phase: phase})
	}
}

// listChanges lists the nodes that look different since the call began.
func (e *Engine) listChanges() {
	e.out.changed, e.out.spare = inOrder(e.out.changed, e.out.spare, len(e.facts.nodes))
	e.out.result.Changes = slices.Grow(e.out.result.Changes, len(e.out.changed))
	for k := range e.out.changed {
		b := &e.out.changed[k]
		e.facts.nodes[b.node].marks &^= markChanged
		if b.phase != e.eval.verdicts[b.node].phase() || b.message != e.eval.messages[b.node] && e.eval.words(b.message) != e.eval.message(b.node) {
			e.out.result.Changes = append(e.out.result.Changes, e.change(b))
		}
	}
	e.out.changed = e.out.changed[:0]
}

// inOrder sorts changes of a graph with so many nodes: the deepest first, and those of one depth in the order of the graph. It
// uses and returns spare. Sorting by comparisons would cost as much as all that a cascade evaluates; a radix sort does not.
func inOrder(list, spare []changed, nodes int) (sorted, unused []changed) {
	deepest := uint16(0)
	for k := range list {
		deepest = max(deepest, list[k].depth)
	}
	width := bits.Len(uint(nodes))
	key := func(c *changed) uint64 { return uint64(deepest-c.depth)<<width | uint64(c.node) }
	compare := func(a, b changed) int { return cmp.Compare(key(&a), key(&b)) }
	if slices.IsSortedFunc(list, compare) {
		return list, spare
	}
	const digit, few = 11, 64
	if len(list) < few {
		slices.SortFunc(list, compare)
		return list, spare
	}
	spare = slices.Grow(spare[:0], len(list))[:len(list)]
	for shift := 0; shift < width+bits.Len16(deepest); shift += digit {
		var ends [1 << digit]int32 // by digit: where those with it end
		at := func(c *changed) *int32 { return &ends[key(c)>>shift&(1<<digit-1)] }
		for k := range list {
			*at(&list[k])++
		}
		for k := 1; k < len(ends); k++ {
			ends[k] += ends[k-1]
		}
		for k := len(list) - 1; k >= 0; k-- {
			end := at(&list[k])
			*end--
			spare[*end] = list[k]
		}
		list, spare = spare, list
	}
	return list, spare
}

// change describes a node that looks different from how it was before.
func (e *Engine) change(b *changed) Change {
	g, is := e.graph.Node(b.node), e.eval.verdicts[b.node]
	c := Change{
		ID: g.ID(), Name: g.Name(), Message: e.eval.message(b.node), Node: b.node, Kind: e.Kind(b.node),
		From: b.phase, To: is.phase(), Rule: is.rule(),
	}
	if b.node == nodegraph.Root {
		c.Name, c.Kind = e.graph.Spec().Name, nodegraph.Workflow
	}
	return c
}
