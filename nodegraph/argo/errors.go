package argo

import (
	"errors"
	"fmt"
	"strings"
)

// A ReadError says what could not be read, and where.
type ReadError struct {
	Workflow string // the name, if it was read
	Node     string // the id of the node, if one is at fault
	Field    string // the path in the object, or in the node if there is one; empty for the input as a whole
	Err      error  // the cause
}

// Error names the workflow, the node and the field.
func (e *ReadError) Error() string { return describe(e.Workflow, e.Node, e.Field, e.Err) }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// A WriteError says what could not be written back, and where. Nothing was changed.
type WriteError struct {
	Workflow string // the name
	Node     string // the id of the node, empty for the workflow itself
	Field    string // the path in the object, or in the node if there is one
	Err      error  // the cause
}

// Error names the workflow, the node and the field.
func (e *WriteError) Error() string { return describe(e.Workflow, e.Node, e.Field, e.Err) }

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// ErrOffloaded is in the chain of the error for a workflow whose nodes Argo keeps in a database.
var ErrOffloaded = errors.New("the nodes are offloaded to a database: ask the Argo server for the workflow, or turn off nodeStatusOffload")

// ErrDuplicateKey is in the chain of the error for an object that has one key twice.
var ErrDuplicateKey = errors.New("the key is there twice")

// errEmpty is the cause where something must not be empty.
var errEmpty = errors.New("is empty")

func describe(workflow, node, field string, err error) string {
	var b strings.Builder
	b.WriteString("argo: ")
	if workflow != "" {
		fmt.Fprintf(&b, "workflow %q: ", bounded(workflow))
	}
	if node != "" {
		fmt.Fprintf(&b, "node %q: ", bounded(node))
	}
	if field != "" {
		b.WriteString(bounded(field) + ": ")
	}
	b.WriteString(shortened(err.Error(), 600))
	return b.String()
}

// A typeError is a JSON value of the wrong type.
type typeError struct {
	want, found string
}

func (e *typeError) Error() string { return fmt.Sprintf("want %s, found %s", e.want, e.found) }

// A pathError says where in a value something is wrong.
type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }

func (e *pathError) Unwrap() error { return e.err }

// within puts an error under a key.
func within(key string, err error) error {
	switch e := err.(type) { // as they come from a value inside
	case *pathError:
		return &pathError{join(bounded(key), e.path), e.err}
	case *ReadError: // it says where it is
		return err
	}
	return &pathError{bounded(key), err}
}

// withinElement puts an error under an element of a list.
func withinElement(k int, err error) error { return within(fmt.Sprintf("[%d]", k), err) }

// join puts two parts of a path together. No more is kept than an error shows.
func join(a, b string) string {
	b = bounded(b)
	switch {
	case a == "":
		return b
	case strings.HasPrefix(b, "["):
		return a + b
	}
	return a + "." + b
}

// inField makes an error of reading a field, if there is one.
func inField(field string, err error) error {
	switch e := err.(type) { // as they come from a value inside
	case nil:
		return nil
	case *pathError:
		return &ReadError{Field: join(field, e.path), Err: e.err}
	case *ReadError: // it says where it is
		return err
	}
	return &ReadError{Field: field, Err: err}
}

// bounded keeps error texts short whatever the input says.
func bounded(s string) string {
	return shortened(s, 200)
}

func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
