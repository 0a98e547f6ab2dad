package propagate

import (
	"errors"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// answer takes the host's word on a when condition.
func (e *Engine) answer(i nodegraph.Index, ev *Event) {
	f := e.facts.Node(i)
	if f.Exists() || f.Stage() == fact.StageEnded || f.Answer() == fact.AnswerRun || f.Answer() == fact.AnswerSkip {
		return
	}
	if ev.Value {
		e.facts.SetAnswer(i, fact.AnswerRun)
		return
	}
	when := ev.Message
	if when == "" {
		when = e.graph.Node(i).Task.When
	}
	e.facts.SetAnswer(i, fact.AnswerSkip)
	e.facts.Say(i, "when '"+when+"' evaluated false")
}

// unanswerable takes the host's word that it can't answer what it was asked about node i.
func (e *Engine) unanswerable(i nodegraph.Index, ev *Event) {
	if e.facts.Node(i).Answer() == fact.AnswerAsked && !e.facts.Node(i).Exists() {
		e.fail(i, errors.New(ev.Message))
	}
}

// expanded takes the items of a loop. The items of a step become members of its StepGroup.
func (e *Engine) expanded(i nodegraph.Index, ev *Event) {
	n := e.graph.Node(i)
	if n.Expanded() || n.Task.Loop.Unresolved == "" {
		return
	}
	into := i
	if n.Role == nodegraph.RoleStep && len(ev.Items) > 0 {
		into = n.Parent
	}
	if err := e.graph.AddItems(into, n.Task, ev.Items); err != nil {
		e.fail(i, err)
		return
	}
	e.grow()
	if into == i {
		e.facts.SetAnswer(i, fact.AnswerNone) // the items say it
		return
	}
	e.graph.MarkExpanded(i)
	e.facts.SetAnswer(i, fact.AnswerRun)
}

// memoized takes the host's word on a memoization key.
func (e *Engine) memoized(i nodegraph.Index, ev *Event) {
	if e.facts.Node(i).Exists() || e.facts.Memo(i) == fact.AnswerRun {
		return
	}
	e.facts.SetMemo(i, fact.AnswerRun)
	if ev.Value {
		e.starts.forget(i)
		e.facts.Create(i, e.facts.Instant(), e.afterOlder(i))
		e.facts.EndHit(i, ev.Message, e.facts.Now())
	} else {
		e.starts.want(i)
	}
}

// ask asks the host, once, for what the library can't work out itself.
func (e *Engine) ask(i nodegraph.Index) {
	n := e.graph.Node(i)
	if e.facts.Node(i).Answer() != fact.AnswerNone {
		return
	}
	e.facts.SetAnswer(i, fact.AnswerAsked)
	if n.Kind == nodegraph.TaskGroup {
		e.actOn(ActionExpand, i, n.Task.Loop.Unresolved)
		return
	}
	e.actOn(ActionResolve, i, e.rules.When(i))
}

// lookedUp reports whether the host has found nothing under the memoization key of node i. It asks if nobody did.
func (e *Engine) lookedUp(i nodegraph.Index, key string) bool {
	if e.facts.Memo(i) == fact.AnswerNone {
		e.facts.SetMemo(i, fact.AnswerAsked)
		e.starts.asked[i] = struct{}{}
		e.actOn(ActionLookup, i, key)
	}
	return e.facts.Memo(i) == fact.AnswerRun
}

// askAgain forgets what the host was asked and has not answered before the engine was loaded, so that it is asked again.
func (e *Engine) askAgain() {
	for _, i := range e.restored.pendingQuestions {
		if e.facts.Node(i).Answer() == fact.AnswerAsked {
			e.facts.SetAnswer(i, fact.AnswerNone)
		}
		if e.facts.Node(i).Lock() == fact.LockAsked {
			e.facts.SetLock(i, fact.LockNone)
		}
		if e.facts.Memo(i) == fact.AnswerAsked {
			e.facts.SetMemo(i, fact.AnswerNone)
		}
	}
	e.restored.pendingQuestions = nil
}
