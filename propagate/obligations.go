package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Obligations lists all that an unfinished workflow waits for, in the order of the nodes; nothing when it is
// complete. An empty list for an unfinished workflow would be a bug in this library.
func (e *Engine) Obligations() []Obligation {
	var list []Obligation
	root := e.rules.Brief(nodegraph.Root)
	if root.Fulfilled() {
		return nil
	}
	if e.facts.Started.IsZero() {
		need := WaitStart
		if len(e.graph.Spec().Locks) > 0 && !e.facts.Now.IsZero() {
			need = WaitLock
		}
		return []Obligation{{Node: nodegraph.Root, For: need, Message: e.rules.MessageWords(nodegraph.Root)}}
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		need, ok := e.need(i)
		if !ok {
			continue
		}
		list = append(list, Obligation{
			Node: i, Name: e.graph.Node(i).Name(), For: need, Since: e.facts.Created(i).Time(), Until: e.rules.Wake(i).Time(), Message: e.rules.MessageWords(i),
		})
	}
	e.sayNever(list)
	return list
}

// need says what node i itself waits for; false when it waits for other nodes only, or for nothing.
func (e *Engine) need(i nodegraph.Index) (WaitReason, bool) {
	v := e.rules.Brief(i)
	if v.Wants() && !e.rules.WithinEnded(i) && !e.rules.WithinClosing(i) {
		return e.startNeed(i)
	}
	if v.Fulfilled() {
		if e.rules.ExitHookLater(i, v) && !e.rules.WithinEnded(i) {
			return WaitTimer, true // its exit hook starts with the next call
		}
		return 0, false
	}
	switch v.Rule() {
	case rule.RuleLockWait:
		return WaitLock, true
	case rule.RuleStartOwed, rule.RulePodRecreate:
		switch {
		case e.facts.Node(i).Lock == fact.LockAsked:
			return WaitLock, true
		case e.retryWaits(i):
			return 0, false // its Retry waits for the locks
		}
		return WaitStart, true
	case rule.RulePodPending, rule.RulePodRunning:
		return WaitPod, true
	case rule.RuleUnsynced:
		return WaitResult, true
	case rule.RuleSuspended:
		if e.rules.Wake(i) != 0 {
			return WaitTimer, true
		}
		return WaitResume, true
	case rule.RuleServed:
		return WaitServed, true
	case rule.RuleRetry:
		if e.rules.Wake(i) != 0 {
			return WaitTimer, true
		}
	}
	return 0, false
}

// startNeed says why a node that may start does not.
func (e *Engine) startNeed(i nodegraph.Index) (WaitReason, bool) {
	v, f := e.rules.Brief(i), e.facts.Node(i)
	switch {
	case v.WantsAnswer() && e.graph.Node(i).Kind == nodegraph.KindTaskGroup:
		return WaitItems, true
	case v.WantsAnswer():
		return WaitCondition, true
	case e.facts.Suspended:
		return WaitSuspended, true
	case f.Lock == fact.LockAsked:
		return WaitLock, true
	case e.facts.Memo(i) == fact.AnswerAsked:
		return WaitCache, true
	case e.heldAround(i):
		return 0, false // what it is inside of waits
	case !v.WantsStart() && !v.WantsAttempt():
		return WaitTimer, true // its hook starts with the next call
	case e.failsFastAround(i, v):
		return 0, false // it never starts: what it is inside of waits for those that run, and fails
	case len(e.starts.wanted) > 0: // nobody has called the engine since it was made of what was stored
		return e.firstNeed(i), true
	}
	return WaitParallelism, true
}

// firstNeed says what node i, which wants to start, waits for before the first call.
func (e *Engine) firstNeed(i nodegraph.Index) WaitReason {
	b := e.graph.Boundary(i)
	places, near := e.keptPlaces(i, b)
	switch t := e.graph.Node(i).Template; {
	case e.has.limits && (!e.workflowHasPlace(places) || b != nodegraph.None && !e.boundaryHasPlace(i, b, near)):
		return WaitParallelism
	case len(e.rules.LocksOf(i)) > 0 && e.facts.Node(i).Lock != fact.LockHeld && e.facts.Node(i).Lock != fact.LockGranted:
		return WaitLock
	case t != nil && t.Memoize != "" && e.facts.Memo(i) == fact.AnswerNone:
		return WaitCache
	}
	return WaitStart
}
