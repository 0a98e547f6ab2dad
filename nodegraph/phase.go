package nodegraph

import (
	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// Phase is the state of a node as a user sees it. The zero value, PhasePlanned, is a node that the specification promises
// and that was not created yet; Argo has no name for it because it does not list such nodes.
type Phase uint8

// The phases, in Argo's terms.
const (
	PhasePlanned   Phase = iota // promised by the specification, not created yet
	PhasePending                // created, not running: waits for its pod, a lock, or a host
	PhaseRunning                // running, or a composite with unfinished members
	PhaseSucceeded              // ended well
	PhaseSkipped                // its when was false, or it had no items
	PhaseFailed                 // ended with a failure of its own
	PhaseError                  // ended by something outside of it: its pod was deleted, its specification is wrong
	PhaseOmitted                // its depends condition can no longer hold
)

var phaseNames = enum.Names{Type: "Phase", Of: []string{"", "Pending", "Running", "Succeeded", "Skipped", "Failed", "Error", "Omitted"}}

// String returns Argo's name of the phase; PhasePlanned is the empty string.
func (p Phase) String() string { return phaseNames.String(uint8(p)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (p Phase) MarshalText() ([]byte, error) { return phaseNames.Marshal(uint8(p)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (p *Phase) UnmarshalText(text []byte) error { return enum.Unmarshal(&phaseNames, text, p) }

// ParsePhase returns the phase that Argo calls name; the empty name is Planned. The error is a [*ValueError].
func ParsePhase(name string) (Phase, error) {
	var p Phase
	if enum.Unmarshal(&phaseNames, []byte(name), &p) != nil {
		return PhasePlanned, &ValueError{Field: "phase", Value: name, Reason: "is not a node phase"}
	}
	return p, nil
}

// Completed reports whether the node ran and ended: Succeeded, Failed or Error (Argo: NodePhase.Completed).
func (p Phase) Completed() bool { return p == PhaseSucceeded || p.Unsuccessful() }

// Unsuccessful reports whether the phase is Failed or Error (Argo: FailedOrError).
func (p Phase) Unsuccessful() bool { return p == PhaseFailed || p == PhaseError }

// Settled reports whether the phase is one that a node keeps: Completed, Skipped or Omitted. A node is fulfilled when
// its phase is settled and its results are in, or when it is a ready daemon; only package propagate knows the latter.
func (p Phase) Settled() bool { return p.Completed() || p == PhaseSkipped || p == PhaseOmitted }

// Kind is what a node is, Argo's node type.
type Kind uint8

// The kinds, in Argo's terms. All but KindWorkflow are types of nodes in a workflow's status.
const (
	KindWorkflow  Kind = iota // the workflow itself, the root of containment; Argo has no node for it
	KindPod                   // runs as a pod: a container, script, resource, data or containerSet template
	KindContainer             // a container of a containerSet, inside its Pod
	KindSteps                 // a steps template: StepGroups that run one after the other
	KindStepGroup             // one group of a Steps: its steps run in parallel
	KindDAG                   // a dag template: tasks that run in the order of their dependencies
	KindTaskGroup             // a task with a loop, its items inside it; or a step whose loop has no items, or none known yet
	KindRetry                 // a node whose template has a retryStrategy: its attempts are inside it
	KindSuspend               // a suspend template: waits for somebody to resume it, or for its duration
	KindHTTP                  // an http template: the agent pod sends the request
	KindPlugin                // a plugin template: the agent pod calls the plugin
	KindSkipped               // a node that was skipped or omitted, in place of what it would have been
)

var kindNames = enum.Names{Type: "Kind", Of: []string{
	"Workflow", "Pod", "Container", "Steps", "StepGroup", "DAG", "TaskGroup", "Retry", "Suspend", "HTTP", "Plugin",
	"Skipped",
}}

// String returns Argo's name of the node type.
func (k Kind) String() string { return kindNames.String(uint8(k)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (k Kind) MarshalText() ([]byte, error) { return kindNames.Marshal(uint8(k)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (k *Kind) UnmarshalText(text []byte) error { return enum.Unmarshal(&kindNames, text, k) }

// ParseKind returns the kind that Argo calls name. The error is a [*ValueError].
func ParseKind(name string) (Kind, error) {
	var k Kind
	if enum.Unmarshal(&kindNames, []byte(name), &k) != nil {
		return KindWorkflow, &ValueError{Field: "type", Value: name, Reason: "is not a node type"}
	}
	return k, nil
}

// Composite reports whether nodes of this kind settle from their members: everything but Pod, Container, Suspend, HTTP
// and Plugin, which settle from facts.
func (k Kind) Composite() bool {
	switch k {
	case KindWorkflow, KindSteps, KindStepGroup, KindDAG, KindTaskGroup, KindRetry:
		return true
	}
	return false
}
