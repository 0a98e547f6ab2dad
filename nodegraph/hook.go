package nodegraph

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/expr-lang/expr"
)

// MaxHookLength bounds the expression of a lifecycle hook, in bytes.
const MaxHookLength = 4096

// statusTag is a reference to the status of the workflow or of a step or task, as hook expressions write it.
var statusTag = regexp.MustCompile(`\b(workflow)\.status\b|\b(steps|tasks)(?:\.([A-Za-z0-9_-]+)|\[\s*["']([^"']+)["']\s*\])\.status\b`)

// EvalHook evaluates the expression of a lifecycle hook. It may refer to workflow.status, steps.NAME.status and
// tasks.NAME.status, with quotes and brackets around names with dashes; status returns each of them, false where the
// name is unknown. The error says which reference or which part of the expression is wrong.
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
	program, err := expr.Compile(text, expr.AsBool())
	if err != nil {
		return false, fmt.Errorf("nodegraph: hook expression %q: %w", bounded(expression), err)
	}
	result, err := expr.Run(program, nil)
	if err != nil {
		return false, fmt.Errorf("nodegraph: hook expression %q: %w", bounded(expression), err)
	}
	return result.(bool), nil
}
