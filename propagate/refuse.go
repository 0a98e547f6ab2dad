package propagate

import (
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// check refuses event k of a call if it can't be taken. Nothing has been changed when it is called.
func (e *Engine) check(k int, ev *Event) error {
	if field, value, err := e.refusal(ev); err != nil {
		node := ev.Node
		if i, err := e.locate(ev); err == nil {
			node = e.nameOf(i)
		}
		return &EventError{Index: k, Event: *ev, Node: node, Field: field, Value: value, Err: err}
	}
	return nil
}

// refusal says why an event can't be taken: the field, its value, and what is wrong with it.
func (e *Engine) refusal(ev *Event) (field, value string, err error) {
	if ev.Type == eventNone || int(ev.Type) >= len(eventNames) {
		return "type", ev.Type.String(), ErrInvalid
	}
	if ev.Type == EventManualRetry {
		if phase := e.verdicts[nodegraph.Root].phase(); !phase.Unsuccessful() {
			return "phase", phase.String(), ErrInvalid
		}
		return "", "", nil
	}
	if e.Complete() {
		return "node", ev.Node, ErrComplete
	}
	switch ev.Type {
	case EventShutdown:
		if ev.Reason != "Stop" && ev.Reason != "Terminate" {
			return "strategy", ev.Reason, ErrInvalid
		}
		return "", "", nil
	case EventSuspended, EventAgentEnded:
		return "", "", nil
	case EventLockGranted, EventLockQueued:
		if ev.Node == "" && ev.At == nodegraph.Root {
			return e.lockRefusal(nodegraph.Root)
		}
	}
	i, err := e.locate(ev)
	if err != nil {
		return "node", ev.Node, err
	}
	return e.nodeRefusal(ev, i)
}

// locate finds the node of an event.
func (e *Engine) locate(ev *Event) (nodegraph.Index, error) {
	i := ev.At
	if ev.Node != "" {
		i = e.g.Find(ev.Node)
	}
	if i <= nodegraph.Root || int(i) >= e.g.Len() {
		return nodegraph.None, ErrUnknownNode
	}
	return i, nil
}

// eventKinds says to which kinds of nodes an event can happen, as bits; 0 for any.
var eventKinds = [len(eventNames)]uint16{
	EventPodPending: 1 << nodegraph.Pod, EventPodRunning: 1 << nodegraph.Pod, EventPodEnded: 1 << nodegraph.Pod,
	EventPodDeleted: 1 << nodegraph.Pod, EventContainerPending: 1 << nodegraph.Pod, EventContainerRunning: 1 << nodegraph.Pod,
	EventContainerEnded: 1 << nodegraph.Pod, EventContainerRetried: 1 << nodegraph.Pod,
	EventNodeEnded: 1<<nodegraph.HTTP | 1<<nodegraph.Plugin, EventResumed: 1 << nodegraph.Suspend,
	EventExpanded: 1 << nodegraph.TaskGroup, EventResultPending: 1 << nodegraph.Pod, EventResultSynced: 1 << nodegraph.Pod,
}

// nodeRefusal says why an event can't happen to node i.
func (e *Engine) nodeRefusal(ev *Event, i nodegraph.Index) (field, value string, err error) {
	if kinds := eventKinds[ev.Type]; kinds != 0 && kinds&(1<<e.nodes[i].kind) == 0 {
		return "node", e.nameOf(i), ErrWrongKind
	}
	switch ev.Type {
	case EventResolved, EventMemoized, EventLockGranted, EventLockQueued, EventExpanded, EventUnanswerable:
		if most := e.g.Limits().Items; ev.Type == EventExpanded && len(ev.Items) > most {
			return "items", e.nameOf(i), &nodegraph.LimitError{Limit: "Items", Max: most, Node: e.nameOf(i)}
		}
		if ev.Type == EventLockGranted || ev.Type == EventLockQueued {
			return e.lockRefusal(i)
		}
		return "", "", nil // of nodes that wait to be created
	}
	if !e.nodes[i].created() {
		return "node", e.nameOf(i), ErrNotStarted
	}
	switch ev.Type {
	case EventContainerPending, EventContainerRunning, EventContainerEnded, EventContainerRetried:
		if e.container(i, ev.Container) == nodegraph.None {
			return "container", ev.Container, ErrUnknownNode
		}
	case EventPodEnded, EventNodeEnded, EventResumed:
		if !ev.Phase.Completed() {
			return "phase", ev.Phase.String(), ErrInvalid
		}
	}
	if ev.Pod.Attempt < 0 || ev.Pod.Attempt > maxAttempt {
		return "attempt", strconv.Itoa(ev.Pod.Attempt), ErrInvalid
	}
	return "", "", nil
}

// lockRefusal says why an answer about locks can't be about node i: it has none.
func (e *Engine) lockRefusal(i nodegraph.Index) (field, value string, err error) {
	if len(e.locksOf(i)) == 0 {
		return "node", e.nameOf(i), ErrWrongKind
	}
	return "", "", nil
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
