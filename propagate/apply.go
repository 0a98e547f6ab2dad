package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

// apply takes an event of node i that was checked.
func (e *Engine) apply(ev *Event, i nodegraph.Index) {
	if i == nodegraph.Root {
		e.applyWorkflow(ev)
		return
	}
	if ev.answers() && !e.nodes[i].created() && e.withinEnded(i) {
		return // too late: nothing inside what has ended changes
	}
	if e.details[i].hit && eventKinds[ev.Type] == 1<<nodegraph.Pod {
		return // it was found in the cache and has no pod: that one is from before a manual retry
	}
	switch ev.Type {
	case EventPodPending:
		e.observe(i, ev, StagePending)
	case EventPodRunning:
		e.observe(i, ev, StageRunning)
	case EventPodEnded:
		e.podEnded(i, ev)
	case EventPodDeleted:
		e.podDeleted(i, ev)
	case EventContainerPending:
		e.observeContainer(i, ev, StagePending)
	case EventContainerRunning:
		e.observeContainer(i, ev, StageRunning)
	case EventContainerEnded:
		e.observeContainer(i, ev, StageEnded)
	case EventContainerRetried:
		e.containerRetried(i, ev)
	case EventNodeEnded, EventResumed:
		o := e.sameRun(i)
		o.stage, o.phase, o.message, o.finished = StageEnded, ev.Phase, ev.Message, e.finishedAt(ev)
		if e.join(i, &o) {
			e.touch(i)
		}
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
		e.held, e.tried = ev.Value, -1
	case EventManualRetry:
		e.manualRetry()
	case EventAgentEnded:
		e.agentEnded(ev.Message)
	case EventLockGranted, EventLockQueued:
		e.workflowLockAnswered(ev)
	}
}
