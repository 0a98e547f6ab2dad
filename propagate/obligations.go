package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

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

// Obligations lists all that an unfinished workflow waits for, in the order of the nodes; nothing when it is
// complete. An empty list for an unfinished workflow would be a bug in this library.
func (e *Engine) Obligations() []Obligation { return obligations(&e.view) }

// obligations is the same for any evaluator.
func obligations(w *view) []Obligation {
	var list []Obligation
	root := w.verdicts[nodegraph.Root]
	if root.fulfilled() {
		return nil
	}
	if w.started.IsZero() {
		need := NeedStart
		if len(w.g.Spec().Locks) > 0 && !w.now.IsZero() {
			need = NeedLock
		}
		return []Obligation{{Node: nodegraph.Root, For: need, Message: w.message(nodegraph.Root)}}
	}
	for i := nodegraph.Entry; int(i) < w.g.Len(); i++ {
		need, ok := w.need(i)
		if !ok {
			continue
		}
		list = append(list, Obligation{
			Node: i, Name: w.g.Node(i).Name(), For: need, Since: w.details[i].created.time(), Until: w.wakes[i].time(), Message: w.message(i),
		})
	}
	return list
}

// need says what node i itself waits for; false when it waits for other nodes only, or for nothing.
func (w *view) need(i nodegraph.Index) (Need, bool) {
	v, f := w.verdicts[i], &w.facts[i]
	if v.want()&(wantStart|wantAttempt|wantHook|wantAnswer) != 0 && !w.withinEnded(i) {
		return w.startNeed(i)
	}
	if v.fulfilled() {
		if g := w.g.Node(i).Kind == nodegraph.TaskGroup; g && !w.withinEnded(i) && !f.Seen && f.created() && len(w.hooksOf(i)) > 0 && v.phase().Completed() && w.shutdown != "Terminate" {
			return NeedTimer, true // its exit hook starts with the next call
		}
		return 0, false
	}
	switch v.rule() {
	case RuleLockWait:
		return NeedLock, true
	case RuleStartOwed, RulePodRecreate:
		return NeedStart, true
	case RulePodPending, RulePodRunning:
		return NeedPod, true
	case RuleUnsynced:
		return NeedResult, true
	case RuleSuspended:
		if w.wakes[i] != 0 {
			return NeedTimer, true
		}
		return NeedResume, true
	case RuleServed:
		return NeedServed, true
	case RuleRetry:
		if w.wakes[i] != 0 {
			return NeedTimer, true
		}
	}
	return 0, false
}

// startNeed says why a node that may start does not.
func (w *view) startNeed(i nodegraph.Index) (Need, bool) {
	v, f := w.verdicts[i], &w.facts[i]
	switch {
	case v.want()&wantAnswer != 0 && w.g.Node(i).Kind == nodegraph.TaskGroup:
		return NeedItems, true
	case v.want()&wantAnswer != 0:
		return NeedCondition, true
	case w.held:
		return NeedUnsuspend, true
	case f.Lock == LockAsked:
		return NeedLock, true
	case w.details[i].memo == AnswerAsked:
		return NeedCache, true
	case v.want()&(wantStart|wantAttempt) == 0:
		return NeedTimer, true // its hook starts with the next call
	}
	return NeedParallelism, true
}

// withinEnded tells whether node i is inside something that has ended. A TaskGroup does not count: it ends with its items,
// and their hooks outlive it.
func (w *view) withinEnded(i nodegraph.Index) bool {
	for p := w.g.Node(i).Parent; p != nodegraph.None; p = w.g.Node(p).Parent {
		if v := w.verdicts[p]; v.fulfilled() && !v.daemoned() && w.g.Node(p).Kind != nodegraph.TaskGroup {
			return true
		}
	}
	return false
}
