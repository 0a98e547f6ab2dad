package nodegraph_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// The targets next to the tests of each language check what a text means. The ones here check what an embedder relies
// on for any text at all: the same answer each time, errors with a place, and answers that more knowledge does not take
// back.

// mostErrorText bounds the text of an error, however long the input is.
const mostErrorText = 600

// requirePlace checks the place of an error: in the text, or behind its end.
func requirePlace(t *testing.T, err error, text, inError string, column int) {
	t.Helper()
	require.Equal(t, text, inError, "the error has the text")
	require.GreaterOrEqual(t, column, 1, "columns count from one: %v", err)
	require.LessOrEqual(t, column, len(text)+1, "the place is in the text or behind its end: %v", err)
	require.LessOrEqual(t, len(err.Error()), mostErrorText, "the message is bounded")
}

// A depends condition that is decided stays decided: whatever is learned later, and in whatever way the tasks end. Once
// all have ended it is decided.
func FuzzDependsIsFinal(f *testing.F) {
	for _, text := range []string{
		"", "a", "a.Succeeded && !b.Failed || c", "(a || b-c) && !(d)", "a && zz.Failed", "a.Nothing", "a &", "fan.AnySucceeded",
	} {
		f.Add(text, uint64(0x0123456789abcdef), uint64(0xfedcba9876543210), uint64(0x5555555555555555))
	}
	f.Fuzz(func(t *testing.T, text string, may, must, ends uint64) {
		asked := make(map[string]int)
		resolve := func(task string) (nodegraph.Results, bool) {
			asked[task]++
			return nodegraph.BareResults | nodegraph.Results(len(task))&nodegraph.ResultFailed, !strings.HasPrefix(task, "zz")
		}
		c, err := nodegraph.ParseDepends(text, resolve)
		for task, n := range asked {
			require.Equal(t, 1, n, "task %q is resolved once", task)
			require.Contains(t, text, task, "only tasks of the expression are resolved")
		}
		_, errMoved := nodegraph.ParseDepends(" "+text, resolve)
		require.Equal(t, err == nil, errMoved == nil || len(text) == nodegraph.MaxDependsLength, "%q: spaces are free", text)
		if err != nil {
			var e, moved *nodegraph.ParseError
			require.ErrorAs(t, err, &e)
			requirePlace(t, err, text, e.Text, e.Column)
			require.ErrorAs(t, errMoved, &moved)
			if len(text) < nodegraph.MaxDependsLength {
				require.Equal(t, e.Column+1, moved.Column, "the place moves with the text: %v, %v", err, errMoved)
			}
			return
		}

		again, err := nodegraph.ParseDepends(text, resolve)
		require.NoError(t, err, "%q compiled before", text)
		require.Equal(t, c.Tasks(), again.Tasks(), "%q", text)
		require.Equal(t, c.Literals(), again.Literals(), "%q", text)
		require.Equal(t, c.String(), again.String(), "%q", text)

		now, done := make([]nodegraph.DepState, len(c.Tasks())), make([]nodegraph.DepState, len(c.Tasks()))
		for k := range now {
			open := nodegraph.Results(may>>(k*5%56)) & 0xff
			now[k] = nodegraph.DepState{May: open, Must: open & nodegraph.Results(must>>(k*7%56))}
			done[k] = ended(now[k].Must | open&nodegraph.Results(ends>>(k*3%56)))
		}
		got, final := c.Eval(now), c.Eval(done)
		require.Equal(t, got, c.Eval(now), "%q with %v comes to the same each time", text, now)
		require.Equal(t, got, again.Eval(now), "%q compiled twice", text)
		require.NotEqual(t, nodegraph.Unknown, final, "%q: nothing is open in %v", text, done)
		if got != nodegraph.Unknown {
			require.Equal(t, got, final, "%q: decided from %v, contradicted by %v", text, now, done)
		}
	})
}

// A when condition is decided, left to the host because it holds variables, or refused: then it lets no node run, and
// the error has it.
func FuzzWhenIsTyped(f *testing.F) {
	for _, when := range []string{"", "true", "a == b", "{{x}} == y", "a in (b, c)", "1 + 1", "true) || (true", "a ? b : c"} {
		f.Add(when)
	}
	f.Fuzz(func(t *testing.T, when string) {
		got, err := nodegraph.EvalWhen(when)
		again, errAgain := nodegraph.EvalWhen(when)
		require.Equal(t, got, again, "%q comes to the same again", when)
		require.Equal(t, err == nil, errAgain == nil, "%q: error %v, then %v", when, err, errAgain)
		require.Equal(t, strings.Contains(when, "{{"), got == nodegraph.WhenUnresolved, "%q: only variables are left open", when)
		if err != nil {
			var e *nodegraph.WhenError
			require.ErrorAs(t, err, &e)
			require.Equal(t, when, e.When, "the error has the condition")
			require.NotEmpty(t, e.Reason, "%q", when)
			require.Equal(t, nodegraph.WhenFalse, got, "%q: what can't be evaluated lets no node run", when)
		}
	})
}

// Words compare as texts, with quotes and without them.
func FuzzWhenComparesWords(f *testing.F) {
	for _, pair := range [][2]string{{"heads", "tails"}, {"heads", "heads"}, {"a", "A"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !isWord(a) || !isWord(b) || len(a)+len(b) > 1000 {
			return
		}
		const none = "otherwise" // something that is neither
		for when, want := range map[string]bool{
			a + " == " + b: a == b, "'" + a + "' == " + b: a == b, `"` + a + `" != '` + b + "'": a != b,
			"!(" + a + " == " + b + ")": a != b, a + " in (" + none + ", " + b + ")": a == b || a == none,
			a + " == " + b + " || " + a + " == " + a: true, a + " == " + b + " && " + a + " != " + a: false,
			a + " == " + b + " ? false : true": a != b,
		} {
			got, err := nodegraph.EvalWhen(when)
			require.NoError(t, err, when)
			require.Equal(t, want, got == nodegraph.WhenTrue, when)
		}
	})
}

// isWord reports whether a text is letters that mean nothing but themselves in a when condition.
func isWord(text string) bool {
	for _, c := range text {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return text != "" && text != "in" && text != "true" && text != "false" && text != "IN"
}

// A hook expression asks for the status of nodes that it names, and for nothing else. Names that begin with zz are
// unknown here.
func FuzzEvalHook(f *testing.F) {
	for _, expression := range []string{
		"", "true", `workflow.status == "Running"`, `tasks.a.status != steps["b-1"].status`, "tasks.zz.status == ''",
		"workflow.status", "nope.x == 1", "1 % 0 == 0",
	} {
		f.Add(expression, "Running")
	}
	f.Fuzz(func(t *testing.T, expression, value string) {
		type question struct{ Group, Name, Field string }
		eval := func() (holds, known bool, asked []question) {
			holds, known = nodegraph.CompileHook(expression).Eval(func(group, name, field string) (string, bool) {
				asked = append(asked, question{group, name, field})
				return value, !strings.HasPrefix(name, "zz")
			})
			return holds, known, asked
		}
		holds, known, asked := eval()
		unknown := false
		for _, q := range asked {
			require.Contains(t, []string{"workflow", "steps", "tasks"}, q.Group, "%q", expression)
			require.Equal(t, q.Group == "workflow", q.Name == "", "%q: only the workflow has no name", expression)
			require.Contains(t, expression, q.Name, "only what the expression names is asked for")
			unknown = unknown || strings.HasPrefix(q.Name, "zz")
		}
		require.False(t, holds && !known, "%q: what is not known does not hold", expression)
		require.False(t, unknown && known, "%q names a node that is not there", expression)
		if len(expression) > nodegraph.MaxHookLength {
			require.IsType(t, (*nodegraph.LimitError)(nil), nodegraph.CompileHook(expression).Err())
		}
		if openHook(expression) {
			return
		}
		again, knownAgain, askedAgain := eval()
		require.Equal(t, holds, again, "%q comes to the same again", expression)
		require.Equal(t, known, knownAgain, "%q is known again", expression)
		require.Empty(t, cmp.Diff(asked, askedAgain), "%q asks for the same again", expression)
	})
}

// openHook reports whether an expression may depend on the time or on the order of a map.
func openHook(expression string) bool {
	for _, name := range []string{"now", "keys", "values", "toPairs"} {
		if strings.Contains(expression, name) {
			return true
		}
	}
	return false
}

// The status of a node is a text in an expression, whatever it says: never a part of the expression.
func FuzzHookStatusIsText(f *testing.F) {
	for _, pair := range [][2]string{
		{"Running", "Running"}, {"", "Failed"}, {`" || true || "`, "x"}, {`\`, `\\`}, {"$1", "${1}"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return // no phase is like that
		}
		status := func(_, name, _ string) (string, bool) { return map[string]string{"a": a, "b": b}[name], true }
		for expression, want := range map[string]bool{
			"tasks.a.status == steps.b.status": a == b, `steps["a"].status != tasks['b'].status`: a != b,
			"tasks.a.status == tasks.a.status": true,
		} {
			holds, known := nodegraph.CompileHook(expression).Eval(status)
			require.True(t, known, "%s with %q and %q", expression, a, b)
			require.Equal(t, want, holds, "%s with %q and %q", expression, a, b)
		}
	})
}

// A graph drawn in one line reads the same each time, with any space before and behind it. An error has its place.
func FuzzParseIsStable(f *testing.F) {
	for _, text := range []string{
		"pod", "wf: dag(a -> {b, c: retry(2, pod)} -> d) exit pod", "steps(a, b | c: suspend(10s))", "pod exit",
		`dag(a, b depends "a.Failed" when "x" over [1, "2"] exit http)`, "mutex(m, dag(a -> b -> a))",
		"dag(a: pod(x -> ))", "retry(99999999999999999999, pod)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := nodegraph.Parse(text)
		again, errAgain := nodegraph.Parse(text)
		require.Equal(t, err, errAgain, "%q reads the same again", text)
		require.Empty(t, cmp.Diff(spec, again), "%q reads the same again", text)
		if len(text)+len(" \n") > nodegraph.MaxParseLength {
			return
		}
		spaced, errSpaced := nodegraph.Parse(" " + text + "\n")
		if err != nil {
			require.Nil(t, spec, "%q: an error comes alone", text)
			var e, moved *nodegraph.ParseError
			require.ErrorAs(t, err, &e)
			requirePlace(t, err, text, e.Text, e.Column)
			require.NotEmpty(t, e.Reason)
			_, errMoved := nodegraph.Parse(" " + text)
			require.ErrorAs(t, errMoved, &moved, "%q: a space before it mends nothing", text)
			require.Equal(t, e.Column+1, moved.Column, "the place moves with the text: %v, %v", err, errMoved)
			require.Equal(t, e.Reason, moved.Reason)
			return
		}
		require.NoError(t, errSpaced, "%q: spaces are free", text)
		require.Empty(t, cmp.Diff(spec, spaced), "%q: spaces mean nothing", text)

		err = spec.Validate()
		if err != nil {
			require.IsType(t, (*nodegraph.SpecError)(nil), err)
		}
		require.Empty(t, cmp.Diff(again, spec), "%q: checking a specification does not change it", text)
		errAgain = again.Validate()
		require.Equal(t, err, errAgain, "%q is found good or bad alike", text)
	})
}
