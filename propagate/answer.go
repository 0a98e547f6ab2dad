package propagate

import (
	"errors"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// workflowLockAnswered takes the host's word on the locks of the workflow.
func (e *Engine) workflowLockAnswered(ev *Event) {
	switch lock := e.facts.Node(nodegraph.Root).Lock; {
	case lock == fact.LockHeld:
		return
	case lock == fact.LockNone: // it was terminated in the meantime, and does without them
		e.tellRelease(nodegraph.Root)
		return
	}
	if ev.Type == EventLockQueued {
		e.facts.WaitFor(nodegraph.Root, ev.Reason, ev.Message)
		return
	}
	e.facts.Grant(nodegraph.Root)
	e.beginWorkflow()
}

// lockAnswered takes the host's word on the locks of node i. A node that must wait is created at once, so that the
// user sees it waiting; it goes on when they are granted.
func (e *Engine) lockAnswered(i nodegraph.Index, ev *Event) {
	f := e.facts.Node(i)
	switch {
	case f.Lock == fact.LockHeld, f.Lock == fact.LockGranted:
		return
	case f.Lock == fact.LockReturned, f.Lock == fact.LockNone && !e.rules.Brief(i).WantsStart(): // it did not ask for them
		e.tellRelease(i)
		return
	}
	if ev.Type == EventLockQueued {
		e.lockQueued(i, ev)
		return
	}
	if f.Exists {
		e.facts.SetLock(i, fact.LockGranted)
	} else {
		e.facts.SetLock(i, fact.LockHeld)
	}
	e.starts.want(i)
}

// lockQueued makes node i wait for its locks.
func (e *Engine) lockQueued(i nodegraph.Index, ev *Event) {
	e.starts.forget(i)
	e.facts.SetLock(i, fact.LockWaits)
	created := e.facts.Node(i).Exists
	if !created && e.rules.WithinEnded(i) {
		e.abandon(i)
		return
	}
	if !created && e.rules.Barred(i) {
		e.releaseLocks(i) // it is not to wait for anything any more
		e.create(i)
		return
	}
	e.facts.WaitFor(i, ev.Reason, ev.Message)
	if !created {
		e.facts.CreateWaiting(i, e.facts.Instant, e.afterOlder(i))
		e.watchTimeouts(i)
		e.actOn(ActionWait, i, ev.Message)
	}
}

// answer takes the host's word on a when condition.
func (e *Engine) answer(i nodegraph.Index, ev *Event) {
	f := e.facts.Node(i)
	if f.Exists || f.Stage == fact.StageEnded || f.Answer > fact.AnswerAsked { // it is decided
		return
	}
	if ev.Value {
		e.facts.SetAnswer(i, fact.AnswerRun)
		return
	}
	when := ev.Message
	if e.graph.Node(i).Role == nodegraph.RoleHook {
		e.facts.SetAnswer(i, fact.AnswerSkip)
		if owner, _ := e.graph.Owner(i); e.rules.Brief(owner).Fulfilled() {
			e.facts.See(i)
		}
		return
	}
	if when == "" {
		when = e.rules.When(i)
	}
	e.facts.SetAnswer(i, fact.AnswerSkip)
	e.facts.Say(i, "when '"+when+"' evaluated false")
}

// unanswerable takes the host's word that it can't answer what it was asked about node i, or that the locks for which the node waits
// can't be had.
func (e *Engine) unanswerable(i nodegraph.Index, ev *Event) {
	switch f := e.facts.Node(i); {
	case f.Stage >= fact.StageEnded || e.rules.Brief(i).Fulfilled():
		return
	case awaitsLocks(f), e.looksUp(i):
		e.starts.forget(i)
		e.releaseLocks(i)
	case f.Answer != fact.AnswerAsked || f.Exists:
		return
	}
	e.facts.SetMemo(i, fact.AnswerNone)
	e.fail(i, errors.New(ev.Message))
}

// workflowUnanswerable takes the host's word that the locks of the workflow can't be had (Argo: markWorkflowFailed). A manual retry
// may have opened nodes that wait for them, too: those are closed.
func (e *Engine) workflowUnanswerable(ev *Event) {
	if awaitsLocks(e.facts.Node(nodegraph.Root)) {
		e.endWorkflow(nodegraph.PhaseFailed, ev.Message)
	}
}

// endWorkflow ends the workflow with the host's word, and all that is open inside it.
func (e *Engine) endWorkflow(phase nodegraph.Phase, message string) {
	e.releaseLocks(nodegraph.Root)
	e.closeAll()
	e.facts.End(nodegraph.Root, phase, message, e.facts.Now)
	e.sched.WakeEverybody() // what is inside a complete workflow is as it was recorded
}

// expanded takes the items of a loop. The items of a step become members of its StepGroup.
func (e *Engine) expanded(i nodegraph.Index, ev *Event) {
	n := e.graph.Node(i)
	if n.Expanded() || n.Task.Loop.Unresolved == "" || e.facts.Node(i).Answer == fact.AnswerOmit {
		return
	}
	into := i
	if n.Role == nodegraph.RoleStep && len(ev.Items) > 0 {
		into = n.Parent
	}
	if err := e.graph.AddItems(into, n.Task, slices.Clone(ev.Items)); err != nil {
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
	f, memo := e.facts.Node(i), e.facts.Memo(i)
	if memo == fact.AnswerRun || memo == fact.AnswerSkip || f.Reopened || !awaitsLookup(f) {
		return
	}
	if ev.Value {
		e.facts.SetMemo(i, fact.AnswerSkip)
	} else {
		e.facts.SetMemo(i, fact.AnswerRun)
	}
	e.starts.want(i)
}
