package nodegraph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Errors of conditions repeated the whole condition, and became messages of nodes.
func TestErrorsOfConditionsAreBounded(t *testing.T) {
	_, err := nodegraph.EvalWhen(strings.Repeat("a", 16000))
	assert.Less(t, len(err.Error()), 1000, "a when condition")
	_, err = nodegraph.CompileHook(strings.Repeat("a", 4000)).Eval(nil)
	assert.Less(t, len(err.Error()), 1000, "a hook expression")
}

// A hook expression could run for ever.
func TestHookExpressionsEnd(t *testing.T) {
	_, err := nodegraph.CompileHook("let a = 1..999; all(a, all(a, all(a, all(a, true))))").Eval(nil)
	var wrong *nodegraph.HookError
	assert.ErrorAs(t, err, &wrong)
}

// A hook expression could loop over the bytes of a text.
func TestLoopsOfHooksAreOverListsOnly(t *testing.T) {
	_, err := nodegraph.CompileHook("any(true ? 'abc' : 1, # == 97)").Eval(nil)
	var wrong *nodegraph.HookError
	assert.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "a loop over what is no list")
	holds, err := nodegraph.CompileHook("any(['a', 'b'], # == 'b')").Eval(nil)
	assert.NoError(t, err)
	assert.True(t, holds, "a list is fine")
}

func TestEdgesAreLimited(t *testing.T) {
	spec := mustParse(t, `dag({a, b} -> {c, d}, e: pod(x -> y))`)
	_, err := nodegraph.NewLimited(spec, nodegraph.Limits{Edges: 5})
	assert.NoError(t, err, "four between tasks and one between containers")
	_, err = nodegraph.NewLimited(spec, nodegraph.Limits{Edges: 4})
	var over *nodegraph.LimitError
	assert.ErrorAs(t, err, &over)
	assert.Equal(t, nodegraph.LimitError{Limit: "Edges", Max: 4}, *over)
}
