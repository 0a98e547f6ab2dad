package nodegraph

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

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

// A HookCondition is the compiled expression of a lifecycle hook. It is immutable.
type HookCondition struct {
	expression string
	program    *vm.Program
	refs       []statusRef // what the expression refers to; the variables of the program are named after their places
	err        error       // why the expression can't be evaluated
}

// statusRef is a reference to a status: of the workflow, or of the task or step with a name.
type statusRef struct{ tag, group, name string }

// CompileHook compiles the expression of a lifecycle hook. It may refer to workflow.status, steps.NAME.status and
// tasks.NAME.status, with quotes and brackets around names with dashes. The language is that of package retry. An
// expression that is not of it says so when it is evaluated.
func CompileHook(expression string) *HookCondition {
	c := &HookCondition{expression: expression}
	if len(expression) > MaxHookLength {
		c.err = &LimitError{Limit: "MaxHookLength", Max: MaxHookLength}
		return c
	}
	text := statusTag.ReplaceAllStringFunc(expression, func(tag string) string {
		m := statusTag.FindStringSubmatch(tag)
		c.refs = append(c.refs, statusRef{tag: tag, group: m[1] + m[2], name: m[3] + m[4]})
		return variable(len(c.refs) - 1)
	})
	options, refused := retry.Language()
	program, err := expr.Compile(text, append(options, expr.Env(c.variables(nil)), expr.AsBool())...)
	if err == nil {
		err = refused()
	}
	if err != nil {
		c.err = &HookError{Expression: expression, Err: err}
		return c
	}
	c.program = program
	return c
}

// variable is the name of a reference in the program, by its place.
func variable(place int) string { return "status" + strconv.Itoa(place) }

// variables are the variables of the program, with the values of the references.
func (c *HookCondition) variables(values []string) map[string]any {
	env := make(map[string]any, len(c.refs))
	for k := range c.refs {
		value := ""
		if values != nil {
			value = values[k]
		}
		env[variable(k)] = value
	}
	return env
}

// NamesWorkflow reports whether the expression refers to workflow.status.
func (c *HookCondition) NamesWorkflow() bool {
	return slices.ContainsFunc(c.refs, func(r statusRef) bool { return r.group == "workflow" })
}

// Eval evaluates the expression; status returns each status that it refers to, false where the name is unknown. The error, a
// [*HookError], [*ValueError] or [*LimitError], says which reference or which part of the expression is wrong.
func (c *HookCondition) Eval(status func(group, name string) (string, bool)) (bool, error) {
	values := make([]string, len(c.refs))
	var unknown error
	for k, r := range c.refs {
		value, ok := status(r.group, r.name)
		if !ok && unknown == nil {
			unknown = &ValueError{Field: "hook expression", Value: r.tag, Reason: "names no node that exists"}
		}
		values[k] = value
	}
	if unknown != nil {
		return false, unknown
	}
	if c.err != nil {
		return false, c.err
	}
	result, err := expr.Run(c.program, c.variables(values))
	if err != nil {
		return false, &HookError{Expression: c.expression, Err: err}
	}
	return result.(bool), nil
}
