package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	// FalseSuccess: a node is recorded as Succeeded although something that it needs failed.
	FalseSuccess Kind = "false-success"
	// Unwatched: the workflow has the label of what is complete and is not, so that no controller looks at it.
	Unwatched Kind = "unwatched"
	// ResultMissing: a node has ended, its results were never reported complete, and nobody reports any more.
	ResultMissing Kind = "result-missing"
	// LockForEver: a node waits for a lock that is not given back before the node has ended.
	LockForEver Kind = "lock-wait-for-ever"
	// PlacesForEver: a node waits for parallelism that is not given back before the node has ended.
	PlacesForEver Kind = "parallelism-for-ever"
	// StoppedBeforeBegin: the specification asks for a shutdown and the workflow was never begun.
	StoppedBeforeBegin Kind = "stopped-before-begin"
	// PodWedged: a container of a pod has ended, and others that run or wait in the pod can't go on without it.
	PodWedged Kind = "pod-wedged"
	// PodMissing: a pod is recorded as open and does not exist.
	PodMissing Kind = "pod-missing"
	// PodEndUnseen: a pod has ended and is recorded as open.
	PodEndUnseen Kind = "pod-end-unseen"
	// PodLost: nothing is heard of the machine of a pod.
	PodLost Kind = "pod-lost"
	// PodTerminating: a pod was deleted and does not go.
	PodTerminating Kind = "pod-terminating"
	// PodPending: a pod does not begin to run.
	PodPending Kind = "pod-pending"
	// PodUnready: a daemon runs and is not ready, and what comes after it waits for that.
	PodUnready Kind = "pod-unready"
	// PodLingers: what a pod is for has ended, and the pod has not.
	PodLingers Kind = "pod-lingers"
	// ShutdownOverdue: a shutdown was asked for and not carried out.
	ShutdownOverdue Kind = "shutdown-overdue"
	// DeadlineOverdue: a node is open past the time at which it was to be stopped.
	DeadlineOverdue Kind = "deadline-overdue"
	// TimerOverdue: a node is open past the time at which it was to go on.
	TimerOverdue Kind = "timer-overdue"
	// StartOverdue: what is to begin next was never begun.
	StartOverdue Kind = "start-overdue"
	// ServedOverdue: an agent does not report.
	ServedOverdue Kind = "served-overdue"
	// LockFree: a node waits for a lock that nobody holds.
	LockFree Kind = "lock-free"
	// DeletionOverdue: the workflow was deleted and does not go.
	DeletionOverdue Kind = "deletion-overdue"
)

// kinds is the order in which findings are listed: what heals others before what follows from them.
var kinds = []Kind{
	OrphanedContainer, LateAttempt, OpenInsideFinished, DaemonLeft, Rewritten, FalseSuccess,
	Unwatched, StoppedBeforeBegin, ResultMissing, LockForEver, PlacesForEver, PodWedged, TaskGroupDone, RetryOver, Stalled, ExitHookMissing,
	ShutdownOverdue, DeadlineOverdue, TimerOverdue, PodMissing, PodEndUnseen, PodLost, PodTerminating, PodPending, PodUnready, PodLingers,
	StartOverdue, ServedOverdue, LockFree, DeletionOverdue, UnknownPod, LockHeldByFinished, LockHeldForEver,
}

// Code is the kind as Kubernetes writes reasons, such as OrphanedContainer.
func (k Kind) Code() string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(string(k), func(r rune) bool { return r == '-' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// Kinds returns all kinds, in the order in which they are listed.
func Kinds() []Kind { return slices.Clone(kinds) }

// contradicts reports whether a finding says that the record contradicts itself.
func (k Kind) contradicts() bool {
	switch k {
	case OrphanedContainer, LateAttempt, OpenInsideFinished, DaemonLeft, Rewritten, FalseSuccess:
		return true
	}
	return false
}

// Overdue reports whether a finding says that somebody has not done in time what is still to be done: nothing is recorded wrongly,
// and nothing is lost.
func (k Kind) Overdue() bool {
	switch k {
	case ShutdownOverdue, DeadlineOverdue, TimerOverdue, PodMissing, PodEndUnseen, PodLost, PodTerminating, PodPending, PodUnready, PodLingers,
		StartOverdue, ServedOverdue, LockFree, DeletionOverdue, UnknownPod:
		return true
	}
	return false
}

// A State is a phase and a message.
type State struct {
	Phase   nodegraph.Phase // Planned where there is none
	Message string          // empty where there is none
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
	ID, Name string         // the workflow itself has its name and no id
	Type     nodegraph.Kind // its kind in the graph
	Recorded State          // as the record has it
	Should   State          // Planned where the library does not say
}

// A Finding is one thing that is wrong.
type Finding struct {
	Kind     Kind      // what is wrong
	Node               // with which node
	Lock     string    // the key, for findings about locks
	Pod      string    // the name, for findings about pods
	Since    time.Time // since when it is so; zero if not known
	Reason   string    // one sentence without a full stop
	Remedy   string    // what to do, likewise
	Next     string    // what the controller does once that is done, likewise
	Commands []string  // to type, in their order
	ByHand   string    // why [Report.Heal] can't do it, likewise; empty if Heals
	Heals    bool      // [Report.Heal] sets Recorded to Should, or gives back what is held for nothing

	user string // of a lock, as the status names it
}

// String shows the finding in one line.
func (f Finding) String() string {
	s := fmt.Sprintf("%s %s: %s", f.Kind, f.Name, f.Recorded)
	if f.Should.Phase != nodegraph.PhasePlanned && f.Should != f.Recorded {
		s += ", should be " + f.Should.String()
	}
	return s + ": " + f.Reason
}
