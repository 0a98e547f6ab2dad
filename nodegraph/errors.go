package nodegraph

import (
	"errors"
	"fmt"
	"strings"
)

// A SpecError says what is wrong with a specification, where, and in which field.
type SpecError struct {
	Template string // the template, empty for the workflow itself
	Node     string // the task, step, container or hook inside the template, empty for the template itself
	Field    string // the field, in Argo's spelling
	Reason   string // what is wrong, for people
	Err      error  // the cause, if there is one
}

// Error names the template, the node and the field.
func (e *SpecError) Error() string {
	var b strings.Builder
	b.WriteString("nodegraph: ")
	if e.Template != "" {
		fmt.Fprintf(&b, "template %q: ", e.Template)
	}
	if e.Node != "" {
		fmt.Fprintf(&b, "%q: ", e.Node)
	}
	fmt.Fprintf(&b, "%s: %s", e.Field, e.Reason)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *SpecError) Unwrap() error { return e.Err }

// A ValueError is a value that a field can't have.
type ValueError struct {
	Field  string // the field, in Argo's spelling
	Value  string // what stands in the field, in full
	Reason string // why the field can't have it: the end of a sentence that begins with field and value
}

// Error names the field and shows the value, bounded.
func (e *ValueError) Error() string {
	return fmt.Sprintf("nodegraph: %s %q %s", e.Field, bounded(e.Value), e.Reason)
}

// A ParseError says where a text is wrong: a drawing, a depends expression or the expression of a hook.
type ParseError struct {
	Of     string // what the text is: "drawing", "depends" or "hook expression"
	Text   string // all of it
	Column int    // where it is wrong, in bytes from 1; 0 if the reason says where
	Reason string // what is wrong there, for people
}

// What a text is that does not parse.
const (
	ofDrawing = "drawing"
	ofDepends = "depends"
	ofHook    = "hook expression"
)

// Error shows the text around the place.
func (e *ParseError) Error() string {
	switch e.Of {
	case ofDepends:
		return fmt.Sprintf("depends %q: column %d: %s", excerpt(e.Text, e.Column), e.Column, e.Reason)
	case ofHook:
		return fmt.Sprintf("nodegraph: hook expression %q: %s", bounded(e.Text), bounded(e.Reason))
	}
	return fmt.Sprintf("nodegraph: %q: column %d: %s", excerpt(e.Text, e.Column), e.Column, e.Reason)
}

// A CycleError names the nodes of a cycle, one after the other, beginning with the one whose name is smallest.
type CycleError struct {
	Nodes []string // each comes after the one before it, and the first after the last; none is named twice
}

// Error lists the cycle, the first ten nodes of a longer one.
func (e *CycleError) Error() string {
	shown := e.Nodes
	more := ""
	if len(shown) > 10 {
		more = fmt.Sprintf(" -> ... (%d more)", len(shown)-10)
		shown = shown[:10]
	}
	return fmt.Sprintf("cycle: %s%s -> %s", strings.Join(shown, " -> "), more, e.Nodes[0])
}

// ErrTooDeep is in the chain of the [*LimitError] that [Graph.Expand] returns when templates call each other too deeply.
var ErrTooDeep = errors.New("maximum recursion depth exceeded")

// limitNesting is the field of Limits that bounds templates inside templates.
const limitNesting = "Nesting"

// A LimitError says which limit an input goes past. Nothing was changed.
type LimitError struct {
	Limit string // the name of the field of Limits, or MaxHookLength
	Max   int    // the limit itself: the input has more
	Node  string // the node at which it was found, if one can be named
}

// Error names the limit and the node.
func (e *LimitError) Error() string {
	if e.Node == "" {
		return fmt.Sprintf("nodegraph: more than %d: limit %s", e.Max, e.Limit)
	}
	return fmt.Sprintf("nodegraph: node %q: more than %d: limit %s", bounded(e.Node), e.Max, e.Limit)
}

// Unwrap returns [ErrTooDeep] where the limit is Nesting.
func (e *LimitError) Unwrap() error {
	if e.Limit == limitNesting {
		return ErrTooDeep
	}
	return nil
}

// bounded keeps error texts short whatever a hostile input says.
func bounded(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// excerpt returns the part of text around a column.
func excerpt(text string, column int) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	from := min(max(0, column-most/2), len(text)-most)
	return "..." + text[from:from+most] + "..."
}
