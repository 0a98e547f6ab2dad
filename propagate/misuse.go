package propagate

import (
	"errors"
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Errors of calls that can't be made. Each is in the chain of a [*UseError].
var (
	ErrNotMade      = errors.New("the engine was not made by New, FromState or FromSnapshot")
	ErrCopied       = errors.New("the engine is a copy of another")
	ErrInUse        = errors.New("the engine is in use by another goroutine, or a call of it has panicked")
	ErrGraphChanged = errors.New("nodes were added to the engine's graph by somebody else")
	ErrNoResult     = errors.New("the result to fill in is nil")
	ErrNoTime       = errors.New("the time is zero")
)

// A UseError says why a call of an engine can't be made. Nothing was changed.
type UseError struct {
	Field string // what is wrong: "engine", "graph", "result" or "now"
	Err   error  // one of the errors of this package
}

// Error names what is wrong.
func (e *UseError) Error() string { return fmt.Sprintf("propagate: %s: %v", e.Field, e.Err) }

// Unwrap returns the cause.
func (e *UseError) Unwrap() error { return e.Err }

// noCopy makes go vet report copies of what has it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// usable says why no call of the engine can be made. Another goroutine is noticed where it is inside a call, as with a map of Go.
func (e *Engine) usable() error {
	switch {
	case e.self == nil:
		return &UseError{Field: "engine", Err: ErrNotMade}
	case e.self != e:
		return &UseError{Field: "engine", Err: ErrCopied}
	case e.out.result != nil:
		return &UseError{Field: "engine", Err: ErrInUse}
	case e.graph.Len() != e.facts.Len():
		return &UseError{Field: "graph", Err: ErrGraphChanged}
	}
	return nil
}

// callable says why a call can't be made.
func (e *Engine) callable(result *Result, now time.Time) error {
	if err := e.usable(); err != nil {
		return err
	}
	switch {
	case result == nil:
		return &UseError{Field: "result", Err: ErrNoResult}
	case now.IsZero():
		return &UseError{Field: "now", Err: ErrNoTime}
	}
	return nil
}

// must panics where there is no node i: a name that no node has, for which [nodegraph.Graph.Find] returns nodegraph.None.
func (e *Engine) must(i nodegraph.Index) {
	if uint(i) >= uint(e.graph.Len()) {
		panic(noNode(i, e.graph.Len()))
	}
}

// noNode is what a panic says of an index.
func noNode(i nodegraph.Index, nodes int) string {
	return fmt.Sprintf("propagate: there is no node %d of %d; Graph.Find returns nodegraph.None, -1, for a name that no node has", i, nodes)
}

// must panics where there is no table: the zero value of a LockTable is an empty one, and a nil pointer is none.
func (t *LockTable) must() {
	if t == nil {
		panic("propagate: the LockTable is nil; its zero value is an empty table")
	}
}
