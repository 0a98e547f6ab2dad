package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

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
	l, rule := e.facts.leaf(i), &eventRules[ev.Type]
	switch {
	case rule.about == aboutWait && !l.n.created() && e.eval.withinEnded(i):
		return // too late: nothing inside what has ended changes
	case l.d.hit && rule.kinds == pods:
		return // it was found in the cache and has no pod: that one is from before a manual retry
	}
	switch ev.Type {
	case EventPodPending:
		e.observe(l, ev, StagePending)
	case EventPodRunning:
		e.observe(l, ev, StageRunning)
	case EventPodEnded:
		e.podEnded(l, ev)
	case EventPodDeleted:
		e.podDeleted(l, ev)
	case EventContainerPending:
		e.observeContainer(l, ev, StagePending)
	case EventContainerRunning:
		e.observeContainer(l, ev, StageRunning)
	case EventContainerEnded:
		e.observeContainer(l, ev, StageEnded)
	case EventContainerRetried:
		e.containerRetried(l, ev)
	case EventNodeEnded, EventResumed:
		o := l.ending(StageEnded, ev.Phase, ev.Message, e.eval.finishedAt(ev))
		e.facts.join(l, &o)
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
		e.resultTold(l, ev)
	}
}

// applyWorkflow takes an event that concerns the workflow as a whole.
func (e *Engine) applyWorkflow(ev *Event) {
	switch ev.Type {
	case EventShutdown:
		e.applyShutdown(ev.Reason)
	case EventSuspended:
		e.facts.held, e.waiting.triedAt = ev.Value, -1
	case EventManualRetry:
		e.manualRetry()
	case EventAgentEnded:
		e.agentEnded(ev.Message)
	case EventLockGranted, EventLockQueued:
		e.workflowLockAnswered(ev)
	}
}
