package propagate

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/enum"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// A Result is what one call of the engine brought about. Its slices belong to the caller.
//
// Changes come deepest first, and those of one depth in the order of the graph. Actions come in the order in which the host
// must carry them out: what starts together starts in [Engine.StartOrder], and ActionComplete is the last.
type Result struct {
	Changes []Change // nodes that look different now
	Actions []Action // what the host must do
	Unknown []string // pods or nodes that were reported and that the workflow never asked for
}

// A Change is a node that changed.
type Change struct {
	ID, Name string          // Name is the workflow's for the workflow itself, whose ID is empty
	Message  string          // the new message
	Node     nodegraph.Index // nodegraph.Root for the workflow itself
	Kind     nodegraph.Kind  // as [Engine.Kind] has it now
	From, To nodegraph.Phase // before the call and after it; the same where only the message changed, PhasePlanned before a new node
	Rule     rule.Rule       // what decided
}

// String shows the change in one line.
func (c Change) String() string {
	from := c.From.String()
	if c.From == nodegraph.PhasePlanned {
		from = "(new)"
	}
	s := fmt.Sprintf("%s %s: %s -> %s", c.Kind, c.Name, from, c.To)
	if c.Message != "" {
		s += fmt.Sprintf(" %q", c.Message)
	}
	return s
}

// An ActionType says what the host must do.
type ActionType uint8

// The actions.
const (
	// ActionStart: the node now exists. For a Pod the host creates the pod, under a name made from the node so that
	// doing it twice makes one. For HTTP and Plugin it has them served. For the others there is nothing to do. A host that
	// can't do it answers with Unrunnable.
	ActionStart ActionType = iota
	// ActionWait: the node now exists and waits for a lock; Message says for which. There is nothing to do: ActionRecreate
	// follows when the lock was granted.
	ActionWait
	// ActionRecreate: the pod is gone before it ran, or failed before it ran, or waited for a lock that is granted now;
	// the host creates it. An HTTP or Plugin node is to be served, because its lock is granted now. After a restart it may
	// come for what the host has done already.
	ActionRecreate
	// ActionTerminate: the pod must end: a shutdown, a deadline, a timeout, something around it that failed as a whole, or a
	// daemon whose boundary has ended. The first call after a restart says it again, and so does each list in which the pod is
	// alive.
	ActionTerminate
	// ActionAcquire: the node (or the workflow) needs Locks; the host answers with LockGranted or LockQueued, or with
	// Unanswerable where a lock can't be had. The consequences of an answer come before the remaining requests: a host that
	// answers a whole list first lets two DAGs take each other's lock.
	ActionAcquire
	// ActionRelease: the holder of Locks has settled, or does not want them any more.
	ActionRelease
	// ActionResolve: the host evaluates the node's when, in Message, and answers with Resolved. Where fields of the node's
	// template are left to the host (see nodegraph.Template.Unresolved), Message lists them. Resolved lets the node go on with
	// what they count as, and Unanswerable ends it in Error.
	ActionResolve
	// ActionExpand: the host resolves the node's loop, in Message, and answers with Expanded, or with Unanswerable.
	ActionExpand
	// ActionLookup: the host looks for the memoization key in Message and answers with Memoized, or with Unanswerable where the
	// cache can't be read.
	ActionLookup
	// ActionWake: the host calls Apply again at At, with no events if it has none.
	ActionWake
	// ActionComplete: the workflow is complete; there is nothing more to do for it.
	ActionComplete
)

var actionNames = enum.Names{Type: "ActionType", Of: []string{
	"Start", "Wait", "Recreate", "Terminate", "Acquire", "Release", "Resolve", "Expand", "Lookup", "Wake", "Complete",
}}

// String names the action type.
func (t ActionType) String() string { return actionNames.String(uint8(t)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (t ActionType) MarshalText() ([]byte, error) { return actionNames.Marshal(uint8(t)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (t *ActionType) UnmarshalText(text []byte) error { return enum.Unmarshal(&actionNames, text, t) }

// An Action is something the host must do.
//
// ID is unique in the workflow and stays over restarts. Where the workflow's name is a DNS label so is the ID, and it serves as the
// name of a pod. Name is for people. [Engine.Graph] has the template of Node, for each attempt of a Retry as well:
// Graph().Node(a.Node).Template.
type Action struct {
	Type     ActionType       // what to do; it decides which of the other fields count
	Kind     nodegraph.Kind   // of the node; nodegraph.KindWorkflow for the workflow
	Node     nodegraph.Index  // nodegraph.Root for the workflow, nodegraph.None for what a manual retry has forgotten
	ID, Name string           // of the node, empty for the workflow
	Locks    []nodegraph.Lock // Acquire, Release
	Within   []string         // Acquire: ids of the nodes around it that have locks
	At       time.Time        // Wake
	Message  string           // Wait, Resolve, Expand, Lookup: as the type says; Terminate: why the pod must end; else empty
}

// String shows the action in one line.
func (a Action) String() string {
	var b strings.Builder
	b.WriteString(a.Type.String())
	if a.Type == ActionStart || a.Type == ActionWait {
		b.WriteString(" " + a.Kind.String())
	}
	if a.Name != "" {
		b.WriteString(" " + a.Name)
	}
	for _, l := range a.Locks {
		b.WriteString(" " + l.Key)
	}
	if a.Message != "" {
		fmt.Fprintf(&b, " %q", a.Message)
	}
	return b.String()
}

// A WaitReason is what an unfinished workflow waits for.
type WaitReason uint8

// The reasons.
const (
	// WaitStart: the host still owes the pod. It makes one if there is none, as after one that vanished before the engine
	// was told of it.
	WaitStart       WaitReason = iota
	WaitPod                    // the pod must end
	WaitTimer                  // time must pass
	WaitLock                   // a lock must be granted
	WaitResume                 // somebody must resume it
	WaitCondition              // the host must evaluate its when
	WaitItems                  // the host must resolve its loop
	WaitCache                  // the host must look up its memoization key
	WaitParallelism            // other pods must end first
	WaitResult                 // its results must be stored
	WaitServed                 // the host must report how it ended
	WaitSuspended              // the workflow is suspended as a whole
)

var waitNames = enum.Names{Type: "WaitReason", Of: []string{
	"start", "pod", "timer", "lock", "resume", "condition", "items", "cache", "parallelism", "result", "served",
	"unsuspend",
}}

// String names the reason.
func (n WaitReason) String() string { return waitNames.String(uint8(n)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (n WaitReason) MarshalText() ([]byte, error) { return waitNames.Marshal(uint8(n)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (n *WaitReason) UnmarshalText(text []byte) error { return enum.Unmarshal(&waitNames, text, n) }

// An Obligation is one thing that an unfinished workflow waits for.
type Obligation struct {
	Node    nodegraph.Index // which waits; nodegraph.Root for the workflow
	Name    string          // of the node, empty for the workflow
	For     WaitReason      // what it waits for
	Since   time.Time       // when the node was created; zero if it was not
	Until   time.Time       // WaitTimer: when; zero where the next call is enough
	Message string          // of the node, as [Engine.Phase] has it; empty where the node says nothing
	// Never says why that does not come true while everything goes its way: a lock or a place is taken by what does not end
	// before. Only a stop, a timeout or a failure can end such a wait. It is empty for what may come true as far as this
	// workflow is concerned; see [LockTable.Deadlocks] for several.
	Never string
}

// String shows the obligation in one line.
func (o Obligation) String() string {
	name := o.Name
	if name == "" {
		name = "workflow"
	}
	text := name + ": " + o.For.String()
	if o.Never != "" {
		text += " for ever, since " + o.Never
	}
	return text
}
