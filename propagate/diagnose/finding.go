package diagnose

import (
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Kind says what is wrong. The texts are stable: programs may compare them.
type Kind string

// The kinds of findings.
const (
	// OrphanedContainer: a container is open and its pod has ended, so nobody will report it.
	OrphanedContainer Kind = "orphaned-container"
	// LateAttempt: a node is open inside an attempt that was started after its Retry had ended.
	LateAttempt Kind = "attempt-after-end"
	// OpenInsideFinished: a node is open inside something that has ended, against the containment invariant.
	OpenInsideFinished Kind = "open-inside-finished"
	// DaemonLeft: a daemon is ready although its boundary has ended.
	DaemonLeft Kind = "daemon-left"
	// Rewritten: a node is recorded as Succeeded with the message of a deleted pod.
	Rewritten Kind = "rewritten"
	// TaskGroupDone: all items of a TaskGroup have ended and the group is open.
	TaskGroupDone Kind = "task-group-done"
	// RetryOver: a Retry is open and no further attempt will be made.
	RetryOver Kind = "retry-over"
	// Stalled: all inside another composite, or inside the workflow, has ended and it is open.
	Stalled Kind = "stalled"
	// ExitHookMissing: an exit hook or exit handler is due and was never started.
	ExitHookMissing Kind = "exit-hook-missing"
	// LockHeldByFinished: a lock is recorded for a holder that has ended.
	LockHeldByFinished Kind = "lock-held-by-finished"
	// LockHeldForEver: a lock is held by a workflow that will not go on.
	LockHeldForEver Kind = "lock-held-for-ever"
	// UnknownPod: a pod exists that no node of the workflow asked for.
	UnknownPod Kind = "unknown-pod"
)

// kinds is the order in which findings are listed: what heals others before what follows from them.
var kinds = []Kind{
	OrphanedContainer, LateAttempt, OpenInsideFinished, DaemonLeft, Rewritten, TaskGroupDone, RetryOver, Stalled,
	ExitHookMissing, UnknownPod, LockHeldByFinished, LockHeldForEver,
}

// A State is a phase and a message.
type State struct {
	Phase   nodegraph.Phase // Planned where there is none
	Message string
}

// String shows the state in the form Failed "why".
func (s State) String() string {
	switch {
	case s.Phase == nodegraph.PhasePlanned:
		return "not created"
	case s.Message == "":
		return s.Phase.String()
	}
	return fmt.Sprintf("%s %q", s.Phase, s.Message)
}

// A Node names a node of the record, as it is and as it should be.
type Node struct {
	ID, Name string // the workflow itself has its name and no id
	Type     nodegraph.Kind
	Recorded State
	Should   State // Planned where the library does not say
}

// A Finding is one thing that is wrong.
type Finding struct {
	Kind Kind
	Node
	Lock   string // the key, for findings about locks
	Pod    string // the name, for findings about pods
	Reason string // one sentence without a full stop
	Remedy string // what to do, likewise
	Heals  bool   // [Report.Heal] sets Recorded to Should
}

// String shows the finding in one line.
func (f Finding) String() string {
	s := fmt.Sprintf("%s %s: %s", f.Kind, f.Name, f.Recorded)
	if f.Should.Phase != nodegraph.PhasePlanned && f.Should != f.Recorded {
		s += ", should be " + f.Should.String()
	}
	return s + ": " + f.Reason
}
