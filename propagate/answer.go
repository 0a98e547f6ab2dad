package propagate

import (
	"errors"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// workflowLockAnswered takes the host's word on the locks of the workflow.
func (e *Engine) workflowLockAnswered(ev *Event) {
	root := e.root()
	if root.Lock == LockHeld {
		return
	}
	e.touch(nodegraph.Root)
	if ev.Type == EventLockQueued {
		root.Lock, e.details[nodegraph.Root].message = LockWaits, e.phrases.say(ev.Message)
		e.sayReason(nodegraph.Root, ev.Reason)
		return
	}
	root.Lock, e.details[nodegraph.Root].message = LockHeld, noMessage
	e.sayReason(nodegraph.Root, "")
	e.beginWorkflow()
}

// answer takes the host's word on a when condition.
func (e *Engine) answer(i nodegraph.Index, ev *Event) {
	f := &e.nodes[i]
	if f.created() || f.Stage == StageEnded || f.Answer == AnswerRun || f.Answer == AnswerSkip {
		return
	}
	f.Answer = AnswerSkip
	if ev.Value {
		f.Answer = AnswerRun
	} else {
		when := ev.Message
		if when == "" {
			when = e.g.Node(i).Task.When
		}
		e.details[i].message = e.phrases.say("when '" + when + "' evaluated false")
	}
	e.touch(i)
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
	e.nodes[i].Answer = AnswerNone // the items say it
	if into != i {
		e.g.MarkExpanded(i)
		e.nodes[i].Answer = AnswerRun
		for m := e.g.First(into); m != nodegraph.None; m = e.g.Next(m) {
			e.touch(m)
		}
		e.touch(into)
	}
	e.touch(i)
}

// memoized takes the host's word on a memoization key.
func (e *Engine) memoized(i nodegraph.Index, ev *Event) {
	d := &e.details[i]
	if e.nodes[i].created() || d.memo == AnswerRun {
		return
	}
	d.memo = AnswerRun
	if ev.Value {
		e.forget(i)
		e.inputs.create(i, e.instant)
		d.serial = e.afterOlder(i)
		e.end(i, nodegraph.Succeeded, e.phrases.say(ev.Message), e.now)
		d.hit = true
	} else {
		e.wanted = append(e.wanted, i)
	}
	e.touch(i)
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
	e.touch(i)
	if ev.Type == EventLockQueued {
		e.forget(i)
		f.Lock = LockWaits
		if !f.created() && e.withinEnded(i) {
			e.abandon(i)
			return
		}
		if !f.created() && (e.stops(i) || e.overdue && !e.g.Node(i).InExitHandler()) {
			e.releaseLocks(i) // it is not to wait for anything any more
			e.create(i)
			return
		}
		e.details[i].message = e.phrases.say(ev.Message)
		e.sayReason(i, ev.Reason)
		if !f.created() {
			e.inputs.create(i, e.instant)
			f.Waited, e.details[i].serial = true, e.afterOlder(i)
			e.watchTimeouts(i)
			e.actOn(ActionStart, i, ev.Message)
		}
		return
	}
	f.Lock = LockHeld
	if f.created() {
		e.details[i].message = noMessage
		e.sayReason(i, "")
		if e.expand(i) && e.nodes[i].kind == nodegraph.Pod {
			e.actOn(ActionRecreate, i, "")
		}
	} else {
		e.wanted = append(e.wanted, i)
	}
}
