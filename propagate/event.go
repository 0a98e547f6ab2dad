package propagate

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/enum"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// An EventType says what happened.
type EventType uint8

// The events. The constructor of the same name tells what each means and which fields it reads.
const (
	eventNone             EventType = iota
	EventPodPending                 // the node's pod exists and does not run yet: Message says why
	EventPodRunning                 // the node's pod runs: Ready says whether all its containers are ready, which a daemon needs
	EventPodEnded                   // the node's pod ended: Phase is Succeeded, Failed or Error; ExitCode and Message say why
	EventPodDeleted                 // the node's pod does not exist any more, and its result was not seen
	EventContainerPending           // the Container of the node's pod waits to be started
	EventContainerRunning           // the Container of the node's pod runs
	EventContainerEnded             // the Container of the node's pod ended with ExitCode, which HasExit says is known
	EventContainerRetried           // the Container of the node's pod runs once more: Pod.Attempt is the number of the run
	EventNodeEnded                  // an HTTP or Plugin node ended, as Phase says
	EventResumed                    // somebody let a Suspend node go on, or refused that: Phase is Succeeded or Failed
	EventResolved                   // answers ActionResolve: Value says whether the node runs
	EventExpanded                   // answers ActionExpand: Items are those of the loop
	EventMemoized                   // answers ActionLookup: Value says whether the key was found
	EventLockGranted                // answers ActionAcquire: the node, or the workflow, holds all its locks
	EventLockQueued                 // answers ActionAcquire: the node, or the workflow, waits for the lock with the key in Reason
	EventResultPending              // the results of the node are on their way, and not stored yet
	EventResultSynced               // the results of the node are stored
	EventShutdown                   // somebody asked the workflow to end: Reason is "Stop" or "Terminate"
	EventSuspended                  // the workflow starts nothing new, or goes on: Value is true or false
	EventManualRetry                // a workflow that ended starts again, with the nodes in Restart and, if set, with Spec
	EventAgentEnded                 // the pod that serves HTTP and Plugin nodes is gone: Message says why
	EventUnanswerable               // the host can't answer a question, or can't get the locks: Message says why
	EventUnrunnable                 // the host can't do what ActionStart or ActionRecreate asks: Message says why
)

var eventNames = enum.Names{Type: "EventType", Of: []string{
	"None", "PodPending", "PodRunning", "PodEnded", "PodDeleted", "ContainerPending", "ContainerRunning",
	"ContainerEnded", "ContainerRetried", "NodeEnded", "Resumed", "Resolved", "Expanded", "Memoized", "LockGranted",
	"LockQueued", "ResultPending", "ResultSynced", "Shutdown", "Suspended", "ManualRetry", "AgentEnded",
	"Unanswerable", "Unrunnable",
}}

// String names the event type.
func (t EventType) String() string { return eventNames.String(uint8(t)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (t EventType) MarshalText() ([]byte, error) { return eventNames.Marshal(uint8(t)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (t *EventType) UnmarshalText(text []byte) error { return enum.Unmarshal(&eventNames, text, t) }

// An Event is one thing that happened. Make it with a constructor and set the optional fields that are known.
type Event struct {
	Type      EventType        // what happened; it decides which of the other fields count
	At        nodegraph.Index  // the node, where Node is empty: saves the look-up
	Node      string           // id or name of the node
	Container string           // container events: the container's name inside the pod Node
	Pod       fact.PodInstance // pod and container events: which life of the pod it is about; zero for the one that is known

	Phase      nodegraph.Phase  // how it ended
	Ready      bool             // PodRunning: all containers are ready
	Value      bool             // Resolved: it runs; Memoized: the key was found; Suspended: nothing new is started
	HasExit    bool             // ExitCode is known
	ExitCode   int              // of the container: the one that did the node's work, or the one that ended; 0 without HasExit
	Message    string           // what the node says because of it; of Resolved the condition with its variables filled in
	Reason     string           // the pod's status reason, such as Evicted; LockQueued: the lock's key; Shutdown: the strategy
	Conditions []string         // pod events: types of the pod's conditions that are true, such as DisruptionTarget
	Finished   time.Time        // when it ended; the time of Apply if zero
	Undated    bool             // PodEnded without Finished: nobody knows when it ended, so that no backoff is waited for
	Items      []nodegraph.Item // Expanded
	Restart    []string         // ManualRetry: ids or names of nodes that run again although they have succeeded
	Spec       *nodegraph.Spec  // ManualRetry: the specification with other parameters; nil for the same
}

// String shows the event in one line.
func (e Event) String() string {
	s := e.Type.String()
	if e.Node != "" {
		s += " " + e.Node
	}
	if e.Container != "" {
		s += "/" + e.Container
	}
	if e.Phase != nodegraph.PhasePlanned {
		s += " " + e.Phase.String()
	}
	if e.Message != "" {
		s += fmt.Sprintf(" %q", e.Message)
	}
	return s
}

// WithPod returns the event with which pod it is about, by UID and by when it was created; zero if the host does not know that.
// Hosts that may hear of pods late, or twice, name them: see [fact.PodInstance].
func (e Event) WithPod(uid string, created time.Time) Event {
	e.Pod.UID, e.Pod.Created = uid, created
	return e
}

// WithExit returns the event with the exit code of the container that did the node's work.
func (e Event) WithExit(code int) Event {
	e.ExitCode, e.HasExit = code, true
	return e
}

// PodPending says that the node's pod exists and does not run yet. Message tells why, as Argo words it.
func PodPending(node, message string) Event {
	return Event{Type: EventPodPending, Node: node, Message: message}
}

// PodRunning says that the node's pod runs. Ready makes a daemon fulfilled.
func PodRunning(node string) Event { return Event{Type: EventPodRunning, Node: node, Ready: true} }

// PodSucceeded says that the node's pod ended well.
func PodSucceeded(node string) Event {
	return Event{Type: EventPodEnded, Node: node, Phase: nodegraph.PhaseSucceeded}
}

// PodFailed says that the node's pod failed, with the message of its node.
func PodFailed(node, message string) Event {
	return Event{Type: EventPodEnded, Node: node, Phase: nodegraph.PhaseFailed, Message: message}
}

// PodEvicted says that the node's pod was evicted: Failed, with no word about its containers, nor about when it ended.
func PodEvicted(node, message string) Event {
	return Event{Type: EventPodEnded, Node: node, Phase: nodegraph.PhaseFailed, Reason: "Evicted", Message: message, Undated: true}
}

// PodDeleted says that the node's pod does not exist any more and that its result was not seen. A pod that ran is
// lost with every container that had not ended; one that never ran may be created again.
func PodDeleted(node string) Event { return Event{Type: EventPodDeleted, Node: node} }

// ContainerPending says that a container of the node's pod waits to be started.
func ContainerPending(pod, container string) Event {
	return Event{Type: EventContainerPending, Node: pod, Container: container}
}

// ContainerRunning says that a container of the node's pod runs.
func ContainerRunning(pod, container string) Event {
	return Event{Type: EventContainerRunning, Node: pod, Container: container}
}

// ContainerEnded says that a container of the node's pod ended with an exit code: 0 is Succeeded, 64 is Error (the
// executor's own failure), any other is Failed.
func ContainerEnded(pod, container string, exitCode int, message string) Event {
	return Event{Type: EventContainerEnded, Node: pod, Container: container, ExitCode: exitCode, HasExit: true, Message: message}
}

// ContainerRetried says that a container runs again. It is in the same pod when Pod names the pod that is known, or none. It is
// in a new pod when Pod names another, or the known one is gone. The container and those that come after it are unfinished
// again, and so is everything around them. Pod.Attempt is the number of the new run; 0 means the next one, which makes the
// event count each time it is delivered.
func ContainerRetried(pod, container string) Event {
	return Event{Type: EventContainerRetried, Node: pod, Container: container}
}

// NodeEnded says how an HTTP or Plugin node ended.
func NodeEnded(node string, phase nodegraph.Phase, message string) Event {
	return Event{Type: EventNodeEnded, Node: node, Phase: phase, Message: message}
}

// AgentEnded says that the pod that serves HTTP and Plugin nodes is gone: those that had not ended are in Error.
func AgentEnded(message string) Event { return Event{Type: EventAgentEnded, Message: message} }

// Resumed says that somebody let a Suspend node go on. Phase is Succeeded, or Failed for a refusal.
func Resumed(node string) Event {
	return Event{Type: EventResumed, Node: node, Phase: nodegraph.PhaseSucceeded}
}

// Resolved answers a condition that the library could not evaluate, the when of a node: run it or skip it. Message is
// the condition with its variables filled in.
func Resolved(node string, run bool, message string) Event {
	return Event{Type: EventResolved, Node: node, Value: run, Message: message}
}

// Expanded answers a loop that the library could not resolve.
func Expanded(node string, items ...nodegraph.Item) Event {
	return Event{Type: EventExpanded, Node: node, Items: items}
}

// Unanswerable says that the host can't answer what it was asked of the node. That is ActionResolve, ActionExpand, ActionLookup
// of a cache that can't be read, or ActionAcquire of locks that can't be had, as of a semaphore whose limit can't be read. The
// node ends in Error with the message, the workflow (empty node) as Failed. It does nothing where no such question is open.
func Unanswerable(node, message string) Event {
	return Event{Type: EventUnanswerable, Node: node, Message: message}
}

// Unrunnable says that the host can't do what ActionStart or ActionRecreate asks, and that trying again would not help. The pod
// can't be made (a quota, an admission webhook, a name that is none), arguments can't be resolved, or the specification is
// invalid. The node ends in Error with the message, and with it all that is open inside it; the workflow (empty node) as well.
// It is the host's own word: what is told of a pod of the node afterwards does not undo it, and after the end of the node it
// does nothing. A Retry makes another attempt where its policy retries errors.
func Unrunnable(node, message string) Event {
	return Event{Type: EventUnrunnable, Node: node, Message: message}
}

// Memoized answers a look-up in the memoization cache. A hit ends the node with Succeeded without running it.
func Memoized(node string, hit bool) Event {
	return Event{Type: EventMemoized, Node: node, Value: hit}
}

// LockGranted says that the node (empty: the workflow) holds all its locks. If it is refused, because the node or the
// workflow has gone in the meantime, the host releases them. A node that does not want them any more gives them back at
// once. After an ActionRelease the host ignores older answers about that lock.
func LockGranted(node string) Event { return Event{Type: EventLockGranted, Node: node} }

// LockQueued says that the node (empty: the workflow) waits for a lock. Message is Argo's, Reason the lock's key.
func LockQueued(node, lock, message string) Event {
	return Event{Type: EventLockQueued, Node: node, Reason: lock, Message: message}
}

// ResultPending says that the results of the node are not stored yet (Argo: taskResultSynced false): it is not
// fulfilled until ResultSynced, or until its pod is gone.
func ResultPending(node string) Event { return Event{Type: EventResultPending, Node: node} }

// ResultSynced says that the results of the node are stored.
func ResultSynced(node string) Event { return Event{Type: EventResultSynced, Node: node} }

// Shutdown asks the workflow to end: strategy is "Stop" (exit handlers still run) or "Terminate" (nothing does).
func Shutdown(strategy string) Event { return Event{Type: EventShutdown, Reason: strategy} }

// Suspended holds the workflow, or lets it go on: while held nothing new is started (Argo: spec.suspend).
func Suspended(held bool) Event { return Event{Type: EventSuspended, Value: held} }

// ManualRetry starts a workflow that ended in Failed or Error again: what failed is reset with what comes after it, and what
// succeeded is kept. The nodes that are named are reset in any case, with what is inside them and comes after them; with at
// least one a workflow that Succeeded starts again, too. The host deletes the pods of what is reset before it makes others,
// and says Suspended if that changed since the end: a complete workflow does not hear it. It removes the records of what is
// reset from where the workflow is stored (argo.Workflow.RemoveNodes), or a restart would find them.
//
// Other parameters make another specification of the same templates: set Spec. Loops and step groups around what is reset then expand
// anew. What is kept and is not in that specification, such as an item of a loop that has ended, is forgotten.
func ManualRetry(restart ...string) Event { return Event{Type: EventManualRetry, Restart: restart} }
