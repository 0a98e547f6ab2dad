package propagate

import (
	"errors"
	"fmt"
)

// ErrComplete is in the chain of the error for an event of a workflow that is complete. Nothing was changed.
var ErrComplete = errors.New("the workflow is complete")

// ErrUnknownNode is in the chain of the error for an event that names no node of the workflow.
var ErrUnknownNode = errors.New("no such node")

// ErrWrongKind is in the chain of the error for an event that can't happen to a node of its kind.
var ErrWrongKind = errors.New("not for a node of this kind")

// ErrNotStarted is in the chain of the error for an event of a node that was never started.
var ErrNotStarted = errors.New("the node was not started")

// ErrInvalid is in the chain of the error for an event, a pod, a state or a record of which a field has a value that it can't have.
var ErrInvalid = errors.New("invalid value")

// ErrWaitsForLock is in the chain of the error for an event of a pod that was made although its node waits for a lock.
var ErrWaitsForLock = errors.New("the node waits for a lock and has no pod")

// An EventError says which event of a batch, or which pod of a list, was refused, and why. The engine is as it was before the call.
type EventError struct {
	Index int        // position in the batch or the list
	Event Event      // the event; zero for a pod
	Pod   *PodStatus // the pod; nil for an event
	Node  string     // the name of the node it is about, or what it gave for one; empty for the workflow
	Field string     // the field that is wrong
	Value string     // its value
	Err   error      // one of the errors of this package
	Hint  string     // what there is in place of that, for people; empty where the error says everything
}

// Error names the event or the pod, the node and the field.
func (e *EventError) Error() string {
	what := fmt.Sprintf("event %d (%s): ", e.Index, e.Event.Type)
	switch {
	case e.Pod != nil:
		what = fmt.Sprintf("pod %d of node %q: ", e.Index, bounded(e.Node))
	case e.Node != "" && e.Field != "node":
		what += fmt.Sprintf("node %q: ", e.Node)
	}
	hint := e.Hint
	if hint != "" {
		hint = "; " + hint
	}
	return fmt.Sprintf("propagate: %s%s %q: %v%s", what, e.Field, bounded(e.Value), e.Err, hint)
}

// Unwrap returns the cause.
func (e *EventError) Unwrap() error { return e.Err }

// bounded keeps error texts short, whatever a host says.
func bounded(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
