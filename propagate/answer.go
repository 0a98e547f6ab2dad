package propagate

import (
	"errors"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// workflowLockAnswered takes the host's word on the locks of the workflow.
func (e *Engine) workflowLockAnswered(ev *Event) {
	if e.facts.root().Lock == LockHeld {
		return
	}
	if ev.Type == EventLockQueued {
		e.facts.waitFor(nodegraph.Root, ev.Reason, ev.Message)
		return
	}
	e.facts.grant(nodegraph.Root)
	e.beginWorkflow()
}

// answer takes the host's word on a when condition.
func (e *Engine) answer(i nodegraph.Index, ev *Event) {
	f := &e.facts.nodes[i]
	if f.created() || f.Stage == StageEnded || f.Answer == AnswerRun || f.Answer == AnswerSkip {
		return
	}
	if ev.Value {
		e.facts.setAnswer(i, AnswerRun)
		return
	}
	when := ev.Message
	if when == "" {
		when = e.graph.Node(i).Task.When
	}
	e.facts.setAnswer(i, AnswerSkip)
	e.facts.say(i, "when '"+when+"' evaluated false")
}

// unanswerable takes the host's word that it can't answer what it was asked about node i.
func (e *Engine) unanswerable(i nodegraph.Index, ev *Event) {
	if e.facts.nodes[i].Answer == AnswerAsked && !e.facts.nodes[i].created() {
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
		e.facts.setAnswer(i, AnswerNone) // the items say it
		return
	}
	e.graph.MarkExpanded(i)
	e.facts.setAnswer(i, AnswerRun)
}

// memoized takes the host's word on a memoization key.
func (e *Engine) memoized(i nodegraph.Index, ev *Event) {
	if e.facts.nodes[i].created() || e.facts.details[i].memo == AnswerRun {
		return
	}
	e.facts.setMemo(i, AnswerRun)
	if ev.Value {
		e.forget(i)
		e.facts.create(i, e.facts.instant, e.afterOlder(i))
		e.facts.hit(i, ev.Message, e.facts.now)
	} else {
		e.waiting.wanted = append(e.waiting.wanted, i)
	}
}

// lockAnswered takes the host's word on the locks of node i. A node that must wait is created at once, so that the
// user sees it waiting; it goes on when they are granted.
func (e *Engine) lockAnswered(i nodegraph.Index, ev *Event) {
	f := &e.facts.nodes[i]
	switch {
	case f.Lock == LockHeld:
		return
	case f.Lock == LockNone && e.eval.verdicts[i].want()&wantStart == 0: // it does not want them any more
		e.giveBackLocks(i)
		return
	}
	if ev.Type == EventLockQueued {
		e.lockQueued(i, ev)
		return
	}
	if !f.created() {
		e.facts.setLock(i, LockHeld)
		e.waiting.wanted = append(e.waiting.wanted, i)
		return
	}
	e.facts.grant(i)
	if e.expand(i) && e.facts.nodes[i].kind == nodegraph.Pod {
		e.actOn(ActionRecreate, i, "")
	}
}

// lockQueued makes node i wait for its locks.
func (e *Engine) lockQueued(i nodegraph.Index, ev *Event) {
	e.forget(i)
	e.facts.setLock(i, LockWaits)
	created := e.facts.nodes[i].created()
	if !created && e.eval.withinEnded(i) {
		e.abandon(i)
		return
	}
	if !created && e.eval.barred(i) {
		e.releaseLocks(i) // it is not to wait for anything any more
		e.create(i)
		return
	}
	e.facts.waitFor(i, ev.Reason, ev.Message)
	if !created {
		e.facts.createWaiting(i, e.facts.instant, e.afterOlder(i))
		e.watchTimeouts(i)
		e.actOn(ActionStart, i, ev.Message)
	}
}
