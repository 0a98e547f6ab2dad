package reconcile

import (
	"errors"
	"fmt"
)

// ErrNotAdopted is in the chain of the error for a workflow with locks before [Reconciler.Adopt] was called.
var ErrNotAdopted = errors.New("the workflow has locks, and Adopt was not called")

// ErrInObject is in the chain of the error for an event that the next call would not know of, because the object alone can
// hold it. Shutdown is spec.shutdown, Suspended is spec.suspend, and the Spec of ManualRetry is the object's own.
var ErrInObject = errors.New("is to be written into the object")

// ErrListNeeded is in the chain of the error of [Kept.ReconcileChanged] where the engine has to be made anew. It is to be told of
// all pods then: [Kept.Reconcile] is the call that does it.
var ErrListNeeded = errors.New("what is kept does not show the workflow as the object does: all pods are to be listed")

// A Stage is a part of a call.
type Stage string

// The stages.
const (
	StageRead    Stage = "read"    // the object can't be read, nor will be until somebody changes it
	StageRestore Stage = "restore" // its specification or its record can't be: the same
	StageAnswer  Stage = "answer"  // a callback has failed, or Adopt was not called
	StageEvents  Stage = "events"  // an event is refused: the cause is a *propagate.EventError, ErrInObject, or ErrListNeeded
	StageWrite   Stage = "write"   // the status can't be written back
)

// An Error says which workflow could not be reconciled, and why. Nothing was changed.
type Error struct {
	Workflow string // "namespace/name"; empty if the object does not say
	Stage    Stage  // of the call
	Err      error  // the cause
}

// Error names the workflow and the stage.
func (e *Error) Error() string {
	if e.Workflow == "" {
		return fmt.Sprintf("reconcile: %s: %v", e.Stage, e.Err)
	}
	return fmt.Sprintf("reconcile: workflow %s: %s: %v", e.Workflow, e.Stage, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
