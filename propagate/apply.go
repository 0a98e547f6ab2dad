package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// Apply tells the engine that it is now, and what happened. It returns what changed and what the host must do. Time
// never goes back: an earlier now counts as the latest one. The events of one call are one batch: either all are
// taken or, with an [*EventError], none. Their order does not matter, save where a constructor says so.
//
// Call it with no events when a timer has run out (ActionWake), and once at the beginning to start the workflow.
//
// The slices of the result are the caller's. [Engine.ApplyTo] reuses them and does not allocate.
func (e *Engine) Apply(now time.Time, events ...Event) (Result, error) {
	var r Result
	err := e.ApplyTo(&r, now, events...)
	return r, err
}

// ApplyTo is Apply with a result to fill in: what it held is overwritten, and its slices are used again. An event that
// adds no node does not allocate once they are large enough. On an error the result is empty.
func (e *Engine) ApplyTo(result *Result, now time.Time, events ...Event) error {
	result.reset()
	if err := e.check(events); err != nil {
		return err
	}
	complete := e.Complete() && !e.restored.completionUnreported
	e.out.result = result
	e.begin(now)
	e.take(events)
	e.settle()
	e.finish(complete)
	return nil
}

// begin opens a call: time moves on, and what waited for it is looked at again.
func (e *Engine) begin(now time.Time) {
	if now.After(e.facts.Now()) {
		e.facts.SetNow(now)
	}
	if e.Complete() {
		return
	}
	if e.reads.workflowStatus && e.facts.SetStatus(e.rules.Brief(nodegraph.Root).Phase()) {
		e.sched.WakeEverybody()
	}
	e.askAgain()
	e.beginWorkflow()
	e.recreateAgain()
	for _, i := range e.sched.TakeDue(e.facts.Instant()) {
		e.timeCame(i)
	}
	e.applyDeadline()
}

// timeCame looks again at a node whose timer has run out.
func (e *Engine) timeCame(i nodegraph.Index) {
	e.sched.WakeTimer(i)
	if i == nodegraph.Root {
		return
	}
	e.checkTimeouts(i)
	if e.rules.ExitHookLater(i, e.rules.Brief(i)) && !e.rules.WithinEnded(i) {
		e.facts.See(i)
	}
}

// beginWorkflow starts the workflow once, after its locks.
func (e *Engine) beginWorkflow() {
	lock := e.facts.Root().Lock()
	if !e.facts.Started().IsZero() || lock == fact.LockAsked || lock == fact.LockWaits {
		return
	}
	if locks := e.graph.Spec().Locks; len(locks) > 0 && lock == fact.LockNone {
		e.facts.SetLock(nodegraph.Root, fact.LockAsked)
		e.act(Action{Type: ActionAcquire, Node: nodegraph.Root, Locks: locks})
		return
	}
	e.facts.SetStarted(e.facts.Now())
	if d := e.rules.Deadline(); !d.IsZero() {
		e.sched.SetTimer(store.StampOf(d), nodegraph.Root)
	}
	e.sched.WakeStart()
}

// finish closes a call: it says that the workflow is complete, unless the host has known that, lists what changed and asks to
// be woken for the next timer.
func (e *Engine) finish(complete bool) {
	if e.Complete() && !complete {
		e.act(Action{Type: ActionComplete, Node: nodegraph.Root})
		e.restored.completionUnreported = false
	}
	e.listChanges()
	if e.facts.PhrasesFull() {
		e.facts.ForgetPhrases(e.rules.EachSaid)
	}
	if e.reads.workflowStatus && e.facts.Status() != e.rules.Brief(nodegraph.Root).Phase() {
		e.sched.SetTimer(e.facts.Instant(), nodegraph.Root) // the next call sees another status
	}
	if !e.Complete() {
		if at, isNew := e.sched.NextWake(); isNew {
			e.act(Action{Type: ActionWake, Node: nodegraph.Root, At: at.Time()})
		}
	}
	e.out.result = nil
}

// take takes the events of a call, which were checked.
func (e *Engine) take(events []Event) {
	for k, i := range e.out.targets[:len(events)] {
		e.apply(&events[k], i)
	}
}

// apply takes an event of node i that was checked.
func (e *Engine) apply(ev *Event, i nodegraph.Index) {
	if i == nodegraph.Root {
		e.applyWorkflow(ev)
		return
	}
	about := &eventRules[ev.Type]
	switch {
	case about.about == aboutWait && !e.facts.Node(i).Exists() && e.rules.WithinEnded(i):
		return // too late: nothing inside what has ended changes
	case about.kinds == pods && e.facts.Hit(i):
		return // it was found in the cache and has no pod: that one is from before a manual retry
	}
	switch ev.Type {
	case EventPodPending:
		e.observe(i, ev, fact.StagePending)
	case EventPodRunning:
		e.observe(i, ev, fact.StageRunning)
	case EventPodEnded:
		e.podEnded(i, ev)
	case EventPodDeleted:
		e.podDeleted(i, ev)
	case EventContainerPending:
		e.observeContainer(i, ev, fact.StagePending)
	case EventContainerRunning:
		e.observeContainer(i, ev, fact.StageRunning)
	case EventContainerEnded:
		e.observeContainer(i, ev, fact.StageEnded)
	case EventContainerRetried:
		e.containerRetried(i, ev)
	case EventNodeEnded, EventResumed:
		o := e.ending(i, fact.StageEnded, ev.Phase, ev.Message, e.finishedAt(ev))
		e.facts.Join(i, &o)
	case EventResolved:
		e.answer(i, ev)
	case EventExpanded:
		e.expanded(i, ev)
	case EventUnanswerable:
		e.unanswerable(i, ev)
	case EventMemoized:
		e.memoized(i, ev)
	case EventLockGranted, EventLockQueued:
		e.lockAnswered(i, ev)
	case EventResultPending, EventResultSynced:
		e.resultTold(i, ev)
	}
}

// applyWorkflow takes an event that concerns the workflow as a whole.
func (e *Engine) applyWorkflow(ev *Event) {
	switch ev.Type {
	case EventShutdown:
		e.applyShutdown(ev.Reason)
	case EventSuspended:
		e.facts.SetHeld(ev.Value)
		e.starts.lookAgain()
	case EventManualRetry:
		e.manualRetry()
	case EventAgentEnded:
		e.agentEnded(ev.Message)
	case EventLockGranted, EventLockQueued:
		e.workflowLockAnswered(ev)
	}
}
