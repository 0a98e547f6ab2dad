package propagate

import (
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// refused says that the field of an event has a value with which it can't be taken.
func refused(field, value string, err error) *EventError {
	return &EventError{Field: field, Value: value, Err: err}
}

// check finds the node of event k of a call, and refuses the event if it can't be taken. Nothing has been changed when it is
// called.
func (e *Engine) check(k int, ev *Event) (nodegraph.Index, error) {
	i := ev.At
	if ev.Node != "" {
		i = e.g.Find(ev.Node)
	}
	var refusal *EventError
	if int(ev.Type) >= len(eventNames) || eventAbout[ev.Type] == aboutWorkflow || ev.ofWorkflowLocks() {
		i, refusal = nodegraph.Root, e.workflowRefusal(ev)
	} else {
		refusal = e.nodeRefusal(ev, i)
	}
	if refusal == nil {
		return i, nil
	}
	refusal.Index, refusal.Event, refusal.Node = k, *ev, ev.Node
	if i > nodegraph.Root && int(i) < len(e.nodes) {
		refusal.Node = e.nameOf(i)
	}
	return i, refusal
}

// nodeRefusal says why an event of node i can't be taken, nil if it can.
func (e *Engine) nodeRefusal(ev *Event, i nodegraph.Index) *EventError {
	switch {
	case e.Complete():
		return refused("node", ev.Node, ErrComplete)
	case i <= nodegraph.Root || int(i) >= len(e.nodes):
		return refused("node", ev.Node, ErrUnknownNode)
	}
	n, about := &e.nodes[i], eventAbout[ev.Type]
	if kinds := eventKinds[ev.Type]; kinds != 0 && kinds&(1<<n.kind) == 0 {
		return refused("node", e.nameOf(i), ErrWrongKind)
	}
	switch {
	case about == aboutWait:
		return e.answerRefusal(ev, i)
	case !n.exists:
		return refused("node", e.nameOf(i), ErrNotStarted)
	case about == aboutContainer && e.container(i, ev.Container) == nodegraph.None:
		return refused("container", ev.Container, ErrUnknownNode)
	case about == aboutEnd && !ev.Phase.Completed():
		return refused("phase", ev.Phase.String(), ErrInvalid)
	case ev.Pod.Attempt < 0 || ev.Pod.Attempt > maxAttempt:
		return refused("attempt", strconv.Itoa(ev.Pod.Attempt), ErrInvalid)
	}
	return nil
}

// workflowRefusal says why an event of the workflow as a whole can't be taken.
func (e *Engine) workflowRefusal(ev *Event) *EventError {
	switch {
	case ev.Type == eventNone || int(ev.Type) >= len(eventNames):
		return refused("type", ev.Type.String(), ErrInvalid)
	case ev.Type == EventManualRetry:
		if phase := e.verdicts[nodegraph.Root].phase(); !phase.Unsuccessful() {
			return refused("phase", phase.String(), ErrInvalid)
		}
	case e.Complete():
		return refused("node", ev.Node, ErrComplete)
	case ev.ofWorkflowLocks():
		return e.lockRefusal(nodegraph.Root)
	case ev.Type == EventShutdown && ev.Reason != "Stop" && ev.Reason != "Terminate":
		return refused("strategy", ev.Reason, ErrInvalid)
	}
	return nil
}

// eventKinds says to which kinds of nodes an event can happen, as bits; 0 for any.
var eventKinds = [len(eventNames)]uint16{
	EventPodPending: 1 << nodegraph.Pod, EventPodRunning: 1 << nodegraph.Pod, EventPodEnded: 1 << nodegraph.Pod,
	EventPodDeleted: 1 << nodegraph.Pod, EventContainerPending: 1 << nodegraph.Pod, EventContainerRunning: 1 << nodegraph.Pod,
	EventContainerEnded: 1 << nodegraph.Pod, EventContainerRetried: 1 << nodegraph.Pod,
	EventNodeEnded: 1<<nodegraph.HTTP | 1<<nodegraph.Plugin, EventResumed: 1 << nodegraph.Suspend,
	EventExpanded: 1 << nodegraph.TaskGroup, EventResultPending: 1 << nodegraph.Pod, EventResultSynced: 1 << nodegraph.Pod,
}

// about says what an event is about.
type about uint8

const (
	aboutWorkflow  about = iota // no node
	aboutPod                    // a node that was started
	aboutEnd                    // the same, with the phase in which it ended
	aboutContainer              // a container of it
	aboutWait                   // a node that waits to be started
)

var eventAbout = [len(eventNames)]about{
	EventPodPending: aboutPod, EventPodRunning: aboutPod, EventPodDeleted: aboutPod,
	EventResultPending: aboutPod, EventResultSynced: aboutPod,
	EventPodEnded: aboutEnd, EventNodeEnded: aboutEnd, EventResumed: aboutEnd,
	EventContainerPending: aboutContainer, EventContainerRunning: aboutContainer, EventContainerEnded: aboutContainer,
	EventContainerRetried: aboutContainer,
	EventResolved:         aboutWait, EventExpanded: aboutWait, EventUnanswerable: aboutWait, EventMemoized: aboutWait,
	EventLockGranted: aboutWait, EventLockQueued: aboutWait,
}

// answerRefusal says why an answer can't be one about node i.
func (e *Engine) answerRefusal(ev *Event, i nodegraph.Index) *EventError {
	switch ev.Type {
	case EventLockGranted, EventLockQueued:
		return e.lockRefusal(i)
	case EventExpanded:
		if most := e.g.Limits().Items; len(ev.Items) > most {
			return refused("items", e.nameOf(i), &nodegraph.LimitError{Limit: "Items", Max: most, Node: e.nameOf(i)})
		}
	}
	return nil
}

// lockRefusal says why an answer about locks can't be about node i: it has none.
func (e *Engine) lockRefusal(i nodegraph.Index) *EventError {
	if len(e.locksOf(i)) == 0 {
		return refused("node", e.nameOf(i), ErrWrongKind)
	}
	return nil
}

// maxAttempt is the highest number of a run inside one pod.
const maxAttempt = 1 << 30

// container finds a container of pod i by its name.
func (e *Engine) container(i nodegraph.Index, name string) nodegraph.Index {
	t := e.g.Node(i).Template
	for slot := range t.Containers {
		if t.Containers[slot].Name == name && e.g.First(i) != nodegraph.None {
			return e.g.Slot(i, int32(slot))
		}
	}
	return nodegraph.None
}
