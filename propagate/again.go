package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// shutDownAgain carries out the shutdown that was in force when the engine was made from a record.
func (e *Engine) shutDownAgain() {
	if e.restored.shutdown {
		e.restored.shutdown = false
		e.applyShutdown(e.facts.Shutdown())
	}
}

// askAgain asks the host again what it was asked before the engine was loaded and has not answered, with the first call either.
func (e *Engine) askAgain() {
	for _, i := range e.restored.pendingQuestions {
		n := e.facts.Node(i)
		if n.Answer() == fact.AnswerAsked {
			e.tellQuestion(i)
		}
		if n.Lock() == fact.LockAsked {
			e.tellAcquire(i)
		}
		if e.looksUp(i) {
			e.tellLookup(i)
		}
	}
	e.restored.pendingQuestions = nil
}

// recreateAgain asks for what was asked for before the engine was loaded and is owed after the first call still: the host may
// not have done it.
func (e *Engine) recreateAgain() {
	for _, i := range e.restored.pendingRecreate {
		asked := func(a Action) bool { return a.Node == i && a.Type == ActionRecreate }
		if e.owed(i) && !slices.ContainsFunc(e.out.result.Actions, asked) {
			e.actOn(ActionRecreate, i, "")
		}
	}
	e.restored.pendingRecreate = nil
}

// terminateAgain tells the host again to end the pods that it was told to end before the engine was loaded: it may not have done it.
func (e *Engine) terminateAgain() {
	for _, i := range e.restored.pendingEnds {
		if e.toldToEnd(i) {
			e.actOn(ActionTerminate, i, e.whyToEnd(i))
		}
	}
	e.restored.pendingEnds = nil
}

// owed reports whether the host was asked for the pod of node i, or to have it served, and nobody has said that it did.
func (e *Engine) owed(i nodegraph.Index) bool {
	switch v := e.rules.Brief(i); v.Rule() {
	case rule.RuleStartOwed, rule.RulePodRecreate:
		return !e.retryWaits(i)
	case rule.RuleServed:
		return !v.Fulfilled()
	}
	return false
}
