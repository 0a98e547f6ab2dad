package nodegraph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// withExpressions is a workflow that has expressions in all places.
func withExpressions(t *testing.T, depends, when, hook, again string) *nodegraph.Spec {
	t.Helper()
	expression, err := retry.Compile(again)
	require.NoError(t, err)
	return &nodegraph.Spec{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{
		{Name: "pod", Kind: nodegraph.KindPod, Retry: &retry.Strategy{Expression: expression}},
		{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{
			{Name: "a", Template: "pod"},
			{Name: "b", Template: "pod", Depends: depends, When: when, Hooks: []nodegraph.Hook{{Name: "h", Template: "pod", Expression: hook}}},
		}},
	}}
}

// A host may bound expressions: the longest that it allows is taken, and the error about a longer one names the place and
// the limit.
func TestLimitsOfExpressions(t *testing.T) {
	const short = "a"
	for _, c := range []struct {
		name        string
		text        [4]string // depends, when, of the hook, of the retry
		bytes       int
		parts       int
		node, field string
	}{
		{"depends", [4]string{"(a.Failed || a) && !a", short, short, "true"}, 21, 10, "b", "depends"},
		{"when", [4]string{short, `'it''s' == "a \" b" || 1 <= 2.5`, short, "true"}, 31, 11, "b", "when"},
		{"a hook's", [4]string{short, short, "workflow.status == `Running`", "true"}, 28, 4, "b", "hooks.h"},
		{"a retry's", [4]string{short, short, short, "asInt(lastRetry.exitCode) > 1"}, 29, 6, "", "retryStrategy.expression"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := withExpressions(t, c.text[0], c.text[1], c.text[2], c.text[3])
			_, err := nodegraph.New(spec, nodegraph.WithLimits(nodegraph.Limits{Expression: c.bytes, Parts: c.parts}))
			require.NoError(t, err)
			for _, past := range []struct {
				limits nodegraph.Limits
				want   nodegraph.LimitError
			}{
				{nodegraph.Limits{Expression: c.bytes - 1}, nodegraph.LimitError{Limit: "Expression", Max: c.bytes - 1}},
				{nodegraph.Limits{Parts: c.parts - 1}, nodegraph.LimitError{Limit: "Parts", Max: c.parts - 1}},
			} {
				_, err := nodegraph.New(spec, nodegraph.WithLimits(past.limits))
				var at *nodegraph.SpecError
				require.ErrorAs(t, err, &at)
				assert.Equal(t, [2]string{c.node, c.field}, [2]string{at.Node, at.Field}, "%v", err)
				var limit *nodegraph.LimitError
				require.ErrorAs(t, err, &limit)
				assert.Equal(t, past.want, *limit)
			}
		})
	}
}

// A hook whose expression is too long for its language would never run, and nobody would see why.
func TestHookPastItsLimitIsRefused(t *testing.T) {
	for _, c := range []struct {
		length int
		ok     bool
	}{{nodegraph.MaxHookLength, true}, {nodegraph.MaxHookLength + 1, false}} {
		_, err := nodegraph.New(withExpressions(t, "a", "", "true"+strings.Repeat(" ", c.length-4), "true"))
		if c.ok {
			require.NoError(t, err)
			continue
		}
		var limit *nodegraph.LimitError
		require.ErrorAs(t, err, &limit)
		assert.Equal(t, nodegraph.LimitError{Limit: "MaxHookLength", Max: nodegraph.MaxHookLength}, *limit)
	}
}

func TestEdgesAreLimited(t *testing.T) {
	spec := mustParse(t, `dag({a, b} -> {c, d}, e: pod(x -> y))`)
	_, err := nodegraph.New(spec, nodegraph.WithLimits(nodegraph.Limits{Edges: 5}))
	assert.NoError(t, err, "four between tasks and one between containers")
	_, err = nodegraph.New(spec, nodegraph.WithLimits(nodegraph.Limits{Edges: 4}))
	var over *nodegraph.LimitError
	assert.ErrorAs(t, err, &over)
	assert.Equal(t, nodegraph.LimitError{Limit: "Edges", Max: 4}, *over)
}
