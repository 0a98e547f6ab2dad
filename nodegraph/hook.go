package nodegraph

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/nodestatus/nodestatus/retry"
)

// MaxHookLength bounds the expression of a lifecycle hook, in bytes.
const MaxHookLength = 4096

// hookTag is a reference to the status of the workflow, or to the status or the exit code of a step or task, as hook expressions
// write it.
var hookTag = regexp.MustCompile(`\b(workflow)\.(status)\b|\b(steps|tasks)(?:\.([A-Za-z0-9_-]+)|\[\s*["']([^"']+)["']\s*\])\.(status|exitCode)\b`)

// A HookCondition is the compiled expression of a lifecycle hook. It is immutable.
type HookCondition struct {
	program *vm.Program
	refs    []hookRef // what the expression refers to; the variables of the program are named after their places
	err     error     // why the text is no expression
}

// hookRef is a reference to a field of the workflow, or of the task or step with a name.
type hookRef struct{ group, name, field string }

// A HookValue returns what a hook expression refers to: field "status" of group "workflow", or "status" or "exitCode" of the
// node with a name in group "tasks" or "steps". It returns false where that is not known.
type HookValue func(group, name, field string) (value string, known bool)

// CompileHook compiles the expression of a lifecycle hook. It may refer to workflow.status, and to status and exitCode of
// steps.NAME and tasks.NAME, with quotes and brackets around names with dashes. The language is that of package retry. What is
// an expression and not of this language compiles, too, and only somebody else can evaluate it: see [HookCondition.Eval].
func CompileHook(expression string) *HookCondition {
	c := &HookCondition{}
	if len(expression) > MaxHookLength {
		c.err = &LimitError{Limit: "MaxHookLength", Max: MaxHookLength}
		return c
	}
	text := hookTag.ReplaceAllStringFunc(expression, func(tag string) string {
		m := hookTag.FindStringSubmatch(tag)
		c.refs = append(c.refs, hookRef{group: m[1] + m[3], name: m[4] + m[5], field: m[2] + m[6]})
		return variable(len(c.refs) - 1)
	})
	if _, err := parser.Parse(text); err != nil {
		c.err = &ParseError{Of: ofHook, Text: expression, Reason: err.Error()}
		return c
	}
	options, refused := retry.Language()
	if program, err := expr.Compile(text, append(options, expr.Env(c.variables(nil)), expr.AsBool())...); err == nil && refused() == nil {
		c.program = program
	}
	return c
}

// variable is the name of a reference in the program, by its place.
func variable(place int) string { return "value" + strconv.Itoa(place) }

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
	return slices.ContainsFunc(c.refs, func(r hookRef) bool { return r.group == "workflow" })
}

// Err says why the text is no expression: a [*ParseError] or a [*LimitError], nil if it is one.
func (c *HookCondition) Err() error { return c.err }

// Eval evaluates the expression. It is not known whether it holds if it refers to what is not known, or is not of the language of
// [CompileHook].
func (c *HookCondition) Eval(value HookValue) (holds, known bool) {
	if c.program == nil {
		return false, false
	}
	values := make([]string, len(c.refs))
	for k, r := range c.refs {
		if values[k], known = value(r.group, r.name, r.field); !known {
			return false, false
		}
	}
	result, err := expr.Run(c.program, c.variables(values))
	if err != nil {
		return false, false
	}
	return result.(bool), true
}
