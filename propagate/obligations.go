package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// Obligations lists all that an unfinished workflow waits for, in the order of the nodes; nothing when it is
// complete. An empty list for an unfinished workflow would be a bug in this library.
func (e *Engine) Obligations() []Obligation { return obligations(&e.eval) }

// obligations is the same for any evaluator.
func obligations(w *evalContext) []Obligation {
	var list []Obligation
	root := w.verdicts[nodegraph.Root]
	if root.fulfilled() {
		return nil
	}
	if w.facts.started.IsZero() {
		need := NeedStart
		if len(w.graph.Spec().Locks) > 0 && !w.facts.now.IsZero() {
			need = NeedLock
		}
		return []Obligation{{Node: nodegraph.Root, For: need, Message: w.message(nodegraph.Root)}}
	}
	for i := nodegraph.Entry; int(i) < w.graph.Len(); i++ {
		need, ok := w.need(i)
		if !ok {
			continue
		}
		list = append(list, Obligation{
			Node: i, Name: w.graph.Node(i).Name(), For: need, Since: w.facts.details[i].created.time(), Until: w.wakes[i].time(), Message: w.message(i),
		})
	}
	return list
}

// need says what node i itself waits for; false when it waits for other nodes only, or for nothing.
func (w *evalContext) need(i nodegraph.Index) (Need, bool) {
	v := w.verdicts[i]
	if v.want()&(wantStart|wantAttempt|wantHook|wantAnswer) != 0 && !w.withinEnded(i) && !w.withinClosing(i) {
		return w.startNeed(i)
	}
	if v.fulfilled() {
		if w.exitHookLater(i, v) && !w.withinEnded(i) {
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
func (w *evalContext) startNeed(i nodegraph.Index) (Need, bool) {
	v, f := w.verdicts[i], &w.facts.nodes[i]
	switch {
	case v.want()&wantAnswer != 0 && w.graph.Node(i).Kind == nodegraph.TaskGroup:
		return NeedItems, true
	case v.want()&wantAnswer != 0:
		return NeedCondition, true
	case w.facts.held:
		return NeedUnsuspend, true
	case f.Lock == LockAsked:
		return NeedLock, true
	case w.facts.details[i].memo == AnswerAsked:
		return NeedCache, true
	case v.want()&(wantStart|wantAttempt) == 0:
		return NeedTimer, true // its hook starts with the next call
	}
	return NeedParallelism, true
}

// withinEnded tells whether node i is inside something that has ended. A TaskGroup that ended with its items does not count:
// their hooks outlive it.
func (w *evalContext) withinEnded(i nodegraph.Index) bool {
	for p := w.graph.Node(i).Parent; p != nodegraph.None; p = w.graph.Node(p).Parent {
		if v := w.verdicts[p]; v.fulfilled() && !v.daemoned() && (w.facts.nodes[p].kind != nodegraph.TaskGroup || w.facts.nodes[p].Stage == StageEnded) {
			return true
		}
	}
	return false
}
