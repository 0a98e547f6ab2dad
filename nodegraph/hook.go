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
	if len(expression) > MaxHookLength {
		return false, &LimitError{Limit: "MaxHookLength", Max: MaxHookLength}
	}
	var unknown error
	text := statusTag.ReplaceAllStringFunc(expression, func(tag string) string {
		m := statusTag.FindStringSubmatch(tag)
		group, name := m[1]+m[2], m[3]+m[4]
		value, ok := status(group, name)
		if !ok && unknown == nil {
			unknown = &ValueError{Field: "hook expression", Value: tag, Reason: "names no node that exists"}
		}
		return strconv.Quote(value)
	})
	if unknown != nil {
		return false, unknown
	}
	options, refused := retry.Language()
	program, err := expr.Compile(text, append(options, expr.AsBool())...)
	if err == nil {
		err = refused()
	}
	if err != nil {
		return false, &HookError{Expression: expression, Err: err}
	}
	result, err := expr.Run(program, nil)
	if err != nil {
		return false, &HookError{Expression: expression, Err: err}
	}
	return result.(bool), nil
}
