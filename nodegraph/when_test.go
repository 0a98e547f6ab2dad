package nodegraph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

func TestEvalWhen(t *testing.T) {
	const yes, no, open = nodegraph.WhenTrue, nodegraph.WhenFalse, nodegraph.WhenUnresolved
	for _, c := range []struct {
		when string
		want nodegraph.WhenResult
	}{
		{"", yes},
		{"true", yes},
		{"false", no},
		{"heads == heads", yes}, // words without quotes are strings
		{"heads == tails", no},
		{"'heads' == heads", yes},
		{`"heads" != "tails"`, yes},
		{"1 < 2", yes},
		{"10 > 9 && 3 >= 4", no},
		{"!(a == b) || false", yes},
		{"a in (a, b)", yes},
		{"abc =~ '^a'", yes},
		{"{{inputs.parameters.x}} == 1", open},
		{"{{=1 + 1}} == 2", open},
	} {
		got, err := nodegraph.EvalWhen(c.when)
		require.NoError(t, err, c.when)
		assert.Equal(t, c.want, got, c.when)
	}
	got, err := nodegraph.EvalWhen("a == a" + strings.Repeat(" ", nodegraph.MaxWhenLength-6))
	require.NoError(t, err)
	assert.Equal(t, yes, got, "just so long is allowed")
}

func TestEvalWhenErrors(t *testing.T) {
	const invalid, evaluated = "Invalid 'when' expression '%s': ", "Failed to evaluate 'when' expresion '%s': "
	for _, c := range []struct{ name, when, reason, words string }{
		{"not a truth value", "1 + 1", "expected boolean evaluation, got 2", "Expected boolean evaluation for '%s'. Got 2"},
		{"a word alone", "heads", "expected boolean evaluation, got heads", "Expected boolean evaluation for '%s'. Got heads"},
		{"not closed", "(a == b", "unbalanced parenthesis", invalid},
		{"nothing on the right", "a ==", "unexpected end of expression", invalid},
		{"function that is not there", "f() == 1", "", invalid},
		{"a sign that is none", "a ::: b", "Invalid token: ':::'", invalid + "Invalid token: ':::' (hint: try wrapping the affected expression in quotes (\"))"},
		{"a word that is no regular expression", "a =~ [(]", "missing closing )", invalid},
		{"numbers and words", "a > 1", "", evaluated},
		{"what the evaluator panics on", `\`, "index out of range", invalid},
		{"longer than can be meant", strings.Repeat("a", nodegraph.MaxWhenLength+1), "longer than 16384 bytes", "Invalid 'when' expression '"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := nodegraph.EvalWhen(c.when)
			var e *nodegraph.WhenError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.when, e.When)
			assert.Contains(t, e.Reason, c.reason)
			assert.Equal(t, nodegraph.WhenFalse, got)
			assert.Contains(t, err.Error(), strings.ReplaceAll(c.words, "%s", c.when))
		})
	}
}

func TestEvalHook(t *testing.T) {
	value := func(group, name, field string) (string, bool) {
		known := map[string]string{"workflow//status": "Running", "tasks/a/status": "Succeeded", "steps/b-1/status": "Failed", "steps/b-1/exitCode": "3"}
		s, ok := known[group+"/"+name+"/"+field]
		return s, ok
	}
	for _, c := range []struct {
		expression string
		want       bool
	}{
		{`workflow.status == "Running"`, true},
		{`workflow.status != "Running"`, false},
		{`tasks.a.status == "Succeeded"`, true},
		{`tasks["a"].status == "Succeeded" && steps['b-1'].status == "Failed"`, true},
		{`steps.b-1.status == "Failed"`, true},
		{`steps["b-1"].exitCode == "3"`, true},
		{`steps["b-1"].status == "Failed" && int(steps["b-1"].exitCode) > 3`, false},
		{"true", true},
		{"1 > 2", false},
	} {
		condition := nodegraph.CompileHook(c.expression)
		require.NoError(t, condition.Err(), c.expression)
		got, known := condition.Eval(value)
		assert.True(t, known, c.expression)
		assert.Equal(t, c.want, got, c.expression)
	}
	for _, expression := range []string{
		`tasks.zz.status == "Failed" || tasks.yy.status == ""`, `tasks.a.exitCode == "1"`, "workflow.status", "nope.x == 1", `sprig.contains("a", "b")`,
		`tasks.a.outputs.result == "1"`, "1 % int(workflow.status) == 0",
	} {
		condition := nodegraph.CompileHook(expression)
		require.NoError(t, condition.Err(), "%s: somebody else may know", expression)
		_, known := condition.Eval(value)
		assert.False(t, known, expression)
	}
	for _, c := range []struct{ expression, want string }{
		{"workflow.status ==", "unexpected token"},
		{strings.Repeat(" ", nodegraph.MaxHookLength+1), "limit MaxHookLength"},
	} {
		condition := nodegraph.CompileHook(c.expression)
		require.ErrorContains(t, condition.Err(), c.want)
		_, known := condition.Eval(value)
		assert.False(t, known)
	}
}

// A compiled expression is evaluated over other statuses without being compiled anew.
func TestHookConditionIsEvaluatedAgain(t *testing.T) {
	now := "Running"
	failed := nodegraph.CompileHook(`tasks.a.status == "Failed"`)
	for _, now = range []string{"Running", "Failed", "Succeeded"} {
		holds, known := failed.Eval(func(_, _, _ string) (string, bool) { return now, true })
		require.True(t, known)
		require.Equal(t, now == "Failed", holds, now)
	}
	assert.True(t, nodegraph.CompileHook("workflow.status").NamesWorkflow())
	assert.False(t, failed.NamesWorkflow())
}

func FuzzEvalWhen(f *testing.F) {
	for _, when := range []string{
		"", "true", "a == b", "1 < 2 && (x != 'y')", "{{x}}", "a in (b, c)", "a =~ '['", "((", "1 +", "f(1)", "a ?? b", "x ? y : z",
		"'2020-01-01' > '2019-01-01'", "-1 ** 2", "\\", "a.b", "[x y] == 1", "\xff", "1 << 99", "1 % 0 == 0",
	} {
		f.Add(when)
	}
	f.Fuzz(func(t *testing.T, when string) {
		got, err := nodegraph.EvalWhen(when)
		if err != nil {
			require.IsType(t, (*nodegraph.WhenError)(nil), err)
			require.Equal(t, nodegraph.WhenFalse, got)
		}
		again, errAgain := nodegraph.EvalWhen(when)
		require.Equal(t, got, again)
		require.Equal(t, err == nil, errAgain == nil)
	})
}

// Errors of conditions repeated the whole condition, and became messages of nodes.
func TestErrorsOfConditionsAreBounded(t *testing.T) {
	_, err := nodegraph.EvalWhen(strings.Repeat("a", 16000))
	assert.Less(t, len(err.Error()), 1000, "a when condition")
	assert.Less(t, len(nodegraph.CompileHook("("+strings.Repeat("a", 4000)).Err().Error()), 1000, "a hook expression")
}

// Expressions that could run for ever, or loop over the bytes of a text, are left to somebody else.
func TestHookExpressionsEnd(t *testing.T) {
	for _, expression := range []string{"let a = 1..999; all(a, all(a, all(a, all(a, true))))", "any(true ? 'abc' : 1, # == 97)"} {
		_, known := nodegraph.CompileHook(expression).Eval(nil)
		assert.False(t, known, expression)
	}
	holds, known := nodegraph.CompileHook("any(['a', 'b'], # == 'b')").Eval(nil)
	assert.True(t, known && holds, "a list is fine")
}
