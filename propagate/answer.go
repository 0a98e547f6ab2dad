package propagate

import (
	"errors"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// workflowLockAnswered takes the host's word on the locks of the workflow.
func (e *Engine) workflowLockAnswered(ev *Event) {
	if e.root().Lock == LockHeld {
		return
	}
	if ev.Type == EventLockQueued {
		e.waitFor(nodegraph.Root, ev.Reason, ev.Message)
		return
	}
	e.grant(nodegraph.Root)
	e.beginWorkflow()
}

// answer takes the host's word on a when condition.
func (e *Engine) answer(i nodegraph.Index, ev *Event) {
	f := &e.nodes[i]
	if f.created() || f.Stage == StageEnded || f.Answer == AnswerRun || f.Answer == AnswerSkip {
		return
	}
	if ev.Value {
		e.setAnswer(i, AnswerRun)
		return
	}
	when := ev.Message
	if when == "" {
		when = e.g.Node(i).Task.When
	}
	e.setAnswer(i, AnswerSkip)
	e.say(i, "when '"+when+"' evaluated false")
}

// unanswerable takes the host's word that it can't answer what it was asked about node i.
func (e *Engine) unanswerable(i nodegraph.Index, ev *Event) {
	if e.nodes[i].Answer == AnswerAsked && !e.nodes[i].created() {
		e.fail(i, errors.New(ev.Message))
	}
}

// expanded takes the items of a loop. The items of a step become members of its StepGroup.
func (e *Engine) expanded(i nodegraph.Index, ev *Event) {
	n := e.g.Node(i)
	if n.Expanded() || n.Task.Loop.Unresolved == "" {
		return
	}
	into := i
	if n.Role == nodegraph.RoleStep && len(ev.Items) > 0 {
		into = n.Parent
	}
	if err := e.g.AddItems(into, n.Task, ev.Items); err != nil {
		e.fail(i, err)
		return
	}
	e.grow()
	if into == i {
		e.setAnswer(i, AnswerNone) // the items say it
		return
	}
	e.g.MarkExpanded(i)
	e.setAnswer(i, AnswerRun)
}

// memoized takes the host's word on a memoization key.
func (e *Engine) memoized(i nodegraph.Index, ev *Event) {
	if e.nodes[i].created() || e.details[i].memo == AnswerRun {
		return
	}
	e.setMemo(i, AnswerRun)
	if ev.Value {
		e.forget(i)
		e.inputs.create(i, e.instant, e.afterOlder(i))
		e.hit(i, ev.Message, e.now)
	} else {
		e.wanted = append(e.wanted, i)
	}
}

// lockAnswered takes the host's word on the locks of node i. A node that must wait is created at once, so that the
// user sees it waiting; it goes on when they are granted.
func (e *Engine) lockAnswered(i nodegraph.Index, ev *Event) {
	f := &e.nodes[i]
	switch {
	case f.Lock == LockHeld:
		return
	case f.Lock == LockNone && e.verdicts[i].want()&wantStart == 0: // it does not want them any more
		e.giveBackLocks(i)
		return
	}
	if ev.Type == EventLockQueued {
		e.lockQueued(i, ev)
		return
	}
	if !f.created() {
		e.setLock(i, LockHeld)
		e.wanted = append(e.wanted, i)
		return
	}
	e.grant(i)
	if e.expand(i) && e.nodes[i].kind == nodegraph.Pod {
		e.actOn(ActionRecreate, i, "")
	}
}

// lockQueued makes node i wait for its locks.
func (e *Engine) lockQueued(i nodegraph.Index, ev *Event) {
	e.forget(i)
	e.setLock(i, LockWaits)
	created := e.nodes[i].created()
	if !created && e.withinEnded(i) {
		e.abandon(i)
		return
	}
	if !created && (e.stops(i) || e.overdue && !e.g.Node(i).InExitHandler()) {
		e.releaseLocks(i) // it is not to wait for anything any more
		e.create(i)
		return
	}
	e.waitFor(i, ev.Reason, ev.Message)
	if !created {
		e.createWaiting(i, e.instant, e.afterOlder(i))
		e.watchTimeouts(i)
		e.actOn(ActionStart, i, ev.Message)
	}
}
