package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// Judge returns the verdict on node i: the table of rules. Each kind has one rule. It records nothing.
func (e *Evaluator) Judge(i nodegraph.Index) Ruling {
	if i == nodegraph.Root {
		return e.workflowRule()
	}
	var v Ruling
	n := e.facts.Node(i)
	switch {
	case !n.Exists:
		v = e.plannedRule(i, n)
	case n.Kind.Composite():
		v = e.compositeRule(i)
	case n.Waits() && n.Stage < fact.StageEnded:
		v = e.lockWaitRule(i, n, leaf1)
	case n.Kind == nodegraph.KindPod:
		v = e.podRule(i, n)
	case n.Kind == nodegraph.KindContainer:
		v = e.containerRule(i)
	case n.Kind == nodegraph.KindSuspend:
		v = e.suspendRule(i)
	default:
		v = e.servedRule(i)
	}
	if n.Hooked && e.hooksDue(i, v) {
		v.Brief |= wantHook
	}
	return v
}

// JudgeAside is Judge with scratch of its own: it may run while others read.
func (e *Evaluator) JudgeAside(i nodegraph.Index) Ruling {
	own := *e
	own.states, own.origins = nil, nil
	return own.Judge(i)
}

// hooksDue reports whether hooks of node i should exist and don't.
func (e *Evaluator) hooksDue(i nodegraph.Index, v Ruling) bool {
	due := false
	e.EachHookDue(i, v, func(*nodegraph.Hook) { due = true })
	return due
}
