package nodegraph

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/expr-lang/expr"

	"github.com/nodestatus/nodestatus/retry"
)

// MaxHookLength bounds the expression of a lifecycle hook, in bytes.
const MaxHookLength = 4096

// statusTag is a reference to the status of the workflow or of a step or task, as hook expressions write it.
var statusTag = regexp.MustCompile(`\b(workflow)\.status\b|\b(steps|tasks)(?:\.([A-Za-z0-9_-]+)|\[\s*["']([^"']+)["']\s*\])\.status\b`)

// A HookError says why the expression of a hook can't be compiled or evaluated.
type HookError struct {
	Expression string
	Err        error
}

// Error shows the expression and the cause, bounded.
func (e *HookError) Error() string {
	return fmt.Sprintf("nodegraph: hook expression %q: %s", bounded(e.Expression), bounded(e.Err.Error()))
}

// Unwrap returns the cause.
func (e *HookError) Unwrap() error { return e.Err }

// EvalHook evaluates the expression of a lifecycle hook. It may refer to workflow.status, steps.NAME.status and
// tasks.NAME.status, with quotes and brackets around names with dashes; status returns each of them, false where the
// name is unknown. The error, a [*HookError], [*ValueError] or [*LimitError], says which
// reference or which part of the expression is wrong. The language is that of package retry.
func EvalHook(expression string, status func(group, name string) (string, bool)) (bool, error) {
	return new(HookMemory).Eval(expression, status)
}

// A HookMemory evaluates expressions of hooks and remembers what they came to: statuses are few, and to compile an
// expression takes much longer than all else. Its zero value is ready for use, by one goroutine at a time.
type HookMemory struct{ known map[string]hookResult }

// hookResult is what an expression came to whose references were filled in.
type hookResult struct {
	holds bool
	err   error
}

// mostRemembered bounds a HookMemory, in expressions.
const mostRemembered = 1 << 10

// Eval is [EvalHook].
func (m *HookMemory) Eval(expression string, status func(group, name string) (string, bool)) (bool, error) {
	if len(expression) > MaxHookLength {
		return false, &LimitError{Limit: "MaxHookLength", Max: MaxHookLength}
	}
	text, err := fillIn(expression, status)
	if err != nil {
		return false, err
	}
	r, known := m.known[text]
	if !known {
		if m.known == nil || len(m.known) == mostRemembered {
			m.known = make(map[string]hookResult)
		}
		r.holds, r.err = evaluate(text)
		m.known[text] = r
	}
	if r.err != nil {
		return false, &HookError{Expression: expression, Err: r.err}
	}
	return r.holds, nil
}

// fillIn replaces the references of a hook expression by the statuses that they stand for.
func fillIn(expression string, status func(group, name string) (string, bool)) (text string, unknown error) {
	text = statusTag.ReplaceAllStringFunc(expression, func(tag string) string {
		m := statusTag.FindStringSubmatch(tag)
		group, name := m[1]+m[2], m[3]+m[4]
		value, ok := status(group, name)
		if !ok && unknown == nil {
			unknown = &ValueError{Field: "hook expression", Value: tag, Reason: "names no node that exists"}
		}
		return strconv.Quote(value)
	})
	return text, unknown
}

// evaluate compiles and runs an expression without references.
func evaluate(text string) (bool, error) {
	options, refused := retry.Language()
	program, err := expr.Compile(text, append(options, expr.AsBool())...)
	if err == nil {
		err = refused()
	}
	if err != nil {
		return false, err
	}
	result, err := expr.Run(program, nil)
	if err != nil {
		return false, err
	}
	return result.(bool), nil
}
