package propagate

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// listChanges lists the nodes that look different since the call began.
func (e *Engine) listChanges() {
	o := &e.out
	o.changed, o.spare = inOrder(o.changed, o.spare, e.graph.Len())
	o.result.Changes = slices.Grow(o.result.Changes, len(o.changed))
	for k := range o.changed {
		b := &o.changed[k]
		o.listed[b.node] = false
		if b.phase != e.rules.Brief(b.node).Phase() || b.message != e.rules.Message(b.node) && e.rules.Words(b.message) != e.rules.MessageWords(b.node) {
			o.result.Changes = append(o.result.Changes, e.change(b))
		}
	}
	if cap(o.changed) > largeCall && len(o.result.Changes) < cap(o.changed)/16 {
		e.releaseScratch()
	}
	o.changed = o.changed[:0]
}

// largeCall is how many nodes may change in a call before the memory that it needed is looked at.
const largeCall = 1 << 6

// releaseScratch gives back what a call much larger than this one needed while it went on.
func (e *Engine) releaseScratch() {
	e.out.changed, e.out.spare, e.out.targets = nil, nil, nil
	e.facts.ReleaseScratch()
	e.rules.ReleaseScratch()
	e.sched.ReleaseScratch()
	e.starts.releaseScratch()
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
	g, is := e.graph.Node(b.node), e.rules.Brief(b.node)
	c := Change{
		ID: g.ID(), Name: g.Name(), Message: e.rules.MessageWords(b.node), Node: b.node, Kind: e.Kind(b.node),
		From: b.phase, To: is.Phase(), Rule: is.Rule(),
	}
	if b.node == nodegraph.Root {
		c.Name, c.Kind = e.graph.Spec().Name, nodegraph.Workflow
	}
	return c
}
