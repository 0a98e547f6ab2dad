package argo

import (
	"errors"
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// An OffloadError says that the nodes of a workflow are in a database, how to get them, and whether the workflow was ended because
// its controller could not read them. It wraps [ErrOffloaded].
type OffloadError struct {
	Command string // prints the workflow with its nodes
	Ended   string // the message with which the controller ended the workflow without its nodes; empty if it did not
}

// Error says so in a sentence.
func (e *OffloadError) Error() string {
	text := fmt.Sprintf("%s: %s", ErrOffloaded, e.Command)
	if e.Ended != "" {
		text += fmt.Sprintf("; the controller itself could not read them and ended the workflow for that (%q, progress 0/0): what ran may have gone well", bounded(e.Ended))
	}
	return text
}

// Unwrap returns [ErrOffloaded].
func (e *OffloadError) Unwrap() error { return ErrOffloaded }

// offloaded adds to an error about offloaded nodes what an operator needs.
func (r *reader) offloaded(err error) error {
	if !errors.Is(err, ErrOffloaded) {
		return err
	}
	e := &OffloadError{Command: "argo get " + r.w.Name}
	if r.w.Namespace != "" {
		e.Command += " -n " + r.w.Namespace
	}
	e.Command += " -o json"
	text := func(key string) string {
		s, _ := (&scanner{text: orNull(r.w.status.get(key))}).str()
		return s
	}
	// A controller that could read the nodes counts them. Those of a workflow that has nodes in a database are never none.
	if phase, _ := nodegraph.ParsePhase(text("phase")); phase == nodegraph.PhaseError && text("progress") == "0/0" {
		e.Ended = text("message")
	}
	return &ReadError{Field: "status.offloadNodeStatusVersion", Err: e}
}
