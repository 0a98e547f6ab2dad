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
	if e.facts.Started().IsZero() {
		need := NeedStart
		if len(e.graph.Spec().Locks) > 0 && !e.facts.Now().IsZero() {
			need = NeedLock
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
	return list
}

// need says what node i itself waits for; false when it waits for other nodes only, or for nothing.
func (e *Engine) need(i nodegraph.Index) (Need, bool) {
	v := e.rules.Brief(i)
	if v.Wants() && !e.rules.WithinEnded(i) && !e.rules.WithinClosing(i) {
		return e.startNeed(i)
	}
	if v.Fulfilled() {
		if e.rules.ExitHookLater(i, v) && !e.rules.WithinEnded(i) {
			return NeedTimer, true // its exit hook starts with the next call
		}
		return 0, false
	}
	switch v.Rule() {
	case rule.RuleLockWait:
		return NeedLock, true
	case rule.RuleStartOwed, rule.RulePodRecreate:
		return NeedStart, true
	case rule.RulePodPending, rule.RulePodRunning:
		return NeedPod, true
	case rule.RuleUnsynced:
		return NeedResult, true
	case rule.RuleSuspended:
		if e.rules.Wake(i) != 0 {
			return NeedTimer, true
		}
		return NeedResume, true
	case rule.RuleServed:
		return NeedServed, true
	case rule.RuleRetry:
		if e.rules.Wake(i) != 0 {
			return NeedTimer, true
		}
	}
	return 0, false
}

// startNeed says why a node that may start does not.
func (e *Engine) startNeed(i nodegraph.Index) (Need, bool) {
	v, f := e.rules.Brief(i), e.facts.Node(i)
	switch {
	case v.WantsAnswer() && e.graph.Node(i).Kind == nodegraph.TaskGroup:
		return NeedItems, true
	case v.WantsAnswer():
		return NeedCondition, true
	case e.facts.Held():
		return NeedUnsuspend, true
	case f.Lock() == fact.LockAsked:
		return NeedLock, true
	case e.facts.Memo(i) == fact.AnswerAsked:
		return NeedCache, true
	case !v.WantsStart() && !v.WantsAttempt():
		return NeedTimer, true // its hook starts with the next call
	}
	return NeedParallelism, true
}
