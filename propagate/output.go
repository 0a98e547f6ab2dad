package propagate

import (
	"cmp"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// listChanges lists the nodes that look different since the call began.
func (e *Engine) listChanges() {
	o := &e.out
	o.inOrder()
	o.result.Changes = slices.Grow(o.result.Changes, len(o.changed))
	for k := range o.changed {
		b := &o.changed[k]
		o.place[b.node] = 0
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
	e.out.next = nil
	e.facts.ReleaseScratch()
	e.rules.ReleaseScratch()
	e.sched.ReleaseScratch()
	e.starts.releaseScratch()
}

// inOrder sorts the changes of the call: the deepest first, and those of one depth in the order of the graph. Where a good part of
// all nodes has changed a walk over them costs less than comparisons.
func (o *output) inOrder() {
	compare := func(a, b changed) int { return cmp.Or(int(b.depth)-int(a.depth), int(a.node-b.node)) }
	if slices.IsSortedFunc(o.changed, compare) {
		return
	}
	const few = 16
	if len(o.changed) < len(o.place)/few {
		slices.SortFunc(o.changed, compare)
		return
	}
	deepest := uint16(0)
	for k := range o.changed {
		deepest = max(deepest, o.changed[k].depth)
	}
	o.next = store.Grown(o.next[:0], int(deepest)+2, 0)
	clear(o.next)
	for k := range o.changed {
		o.next[deepest-o.changed[k].depth+1]++
	}
	for k := range o.next[1:] {
		o.next[k+1] += o.next[k]
	}
	o.spare = store.Grown(o.spare[:0], len(o.changed), 0)
	for _, place := range o.place {
		if place > 0 {
			c := &o.changed[place-1]
			to := &o.next[deepest-c.depth]
			o.spare[*to] = *c
			*to++
		}
	}
	o.changed, o.spare = o.spare, o.changed
}

// change describes a node that looks different from how it was before.
func (e *Engine) change(b *changed) Change {
	g, is := e.graph.Node(b.node), e.rules.Brief(b.node)
	c := Change{
		ID: g.ID(), Name: g.Name(), Message: e.rules.MessageWords(b.node), Node: b.node, Kind: e.Kind(b.node),
		From: b.phase, To: is.Phase(), Rule: is.Rule(),
	}
	if b.node == nodegraph.Root {
		c.Name, c.Kind = e.graph.Spec().Name, nodegraph.KindWorkflow
	}
	return c
}

// dropVoid takes back what the call has asked for and does not need now that it has settled: it has ended the node, or has given
// up on it. What would undo such a request goes with it.
func (e *Engine) dropVoid() {
	r := e.out.result
	var void []Action
	undone := func(by Action, types ...ActionType) bool {
		return slices.ContainsFunc(void, func(a Action) bool { return a.Node == by.Node && slices.Contains(types, a.Type) })
	}
	r.Actions = slices.DeleteFunc(r.Actions, func(a Action) bool {
		switch {
		case e.void(&a):
			void = append(void, a)
			return true
		case a.Type == ActionTerminate:
			return undone(a, ActionStart, ActionWait, ActionRecreate)
		case a.Type == ActionRelease:
			return undone(a, ActionAcquire)
		}
		return false
	})
}

// void reports whether what an action asks for is not needed any more.
func (e *Engine) void(a *Action) bool {
	switch a.Type {
	case ActionStart, ActionWait, ActionRecreate:
		return startedByHost.has(a.Kind) && (e.rules.Brief(a.Node).Fulfilled() || e.Complete())
	case ActionAcquire:
		return e.facts.Node(a.Node).Lock != fact.LockAsked
	case ActionLookup:
		return !e.looksUp(a.Node) || e.rules.WithinEnded(a.Node)
	case ActionResolve, ActionExpand:
		return e.facts.Node(a.Node).Answer != fact.AnswerAsked || e.rules.WithinEnded(a.Node)
	}
	return false
}
