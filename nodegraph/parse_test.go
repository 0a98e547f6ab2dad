package nodegraph_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

func mustParse(t testing.TB, text string) *nodegraph.Spec {
	t.Helper()
	s, err := nodegraph.Parse(text)
	require.NoError(t, err)
	return s
}

func mustGraph(t testing.TB, text string) *nodegraph.Graph {
	t.Helper()
	g, err := nodegraph.New(mustParse(t, text))
	require.NoError(t, err)
	return g
}

// always is the strategy that retry(...) stands for.
func always(limit ...int) *retry.Strategy {
	s := &retry.Strategy{Policy: retry.PolicyAlways}
	if len(limit) > 0 {
		s.Limit = &limit[0]
	}
	return s
}

// The templates of texts; the name of the workflow, its namespace and its entry are those of every text.
func TestParse(t *testing.T) {
	type T = nodegraph.Template
	type Task = nodegraph.Task
	type C = nodegraph.ContainerSpec
	pod := &T{Name: "pod", Kind: nodegraph.KindPod}
	for _, c := range []struct {
		text string
		want []*T
	}{
		{"pod", []*T{{Name: "main", Kind: nodegraph.KindPod}}},
		{" daemon ", []*T{{Name: "main", Kind: nodegraph.KindPod, Daemon: true}}},
		{"http", []*T{{Name: "main", Kind: nodegraph.KindHTTP}}},
		{"plugin", []*T{{Name: "main", Kind: nodegraph.KindPlugin}}},
		{"suspend", []*T{{Name: "main", Kind: nodegraph.KindSuspend}}},
		{"suspend(0s)", []*T{{Name: "main", Kind: nodegraph.KindSuspend, Suspend: nodegraph.AtOnce}}},
		{"suspend( 1m30s )", []*T{{Name: "main", Kind: nodegraph.KindSuspend, Suspend: 90 * time.Second}}},
		{"pod(a)", []*T{{Name: "main", Kind: nodegraph.KindPod, Containers: []C{{Name: "a"}}}}},
		{"pod(a->main, b -> main)", []*T{{Name: "main", Kind: nodegraph.KindPod, Containers: []C{
			{Name: "a"}, {Name: "main", Dependencies: []string{"a", "b"}}, {Name: "b"}}}}},
		{"pod(a -> b-1 -> main, c)", []*T{{Name: "main", Kind: nodegraph.KindPod, Containers: []C{
			{Name: "a"}, {Name: "b-1", Dependencies: []string{"a"}}, {Name: "main", Dependencies: []string{"b-1"}}, {Name: "c"}}}}},
		{"pod({a, b} -> {c, d}, a -> c)", []*T{{Name: "main", Kind: nodegraph.KindPod, Containers: []C{
			{Name: "a"}, {Name: "b"}, {Name: "c", Dependencies: []string{"a", "b"}}, {Name: "d", Dependencies: []string{"a", "b"}}}}}},
		{"retry(pod)", []*T{{Name: "main", Kind: nodegraph.KindPod, Retry: always()}}},
		{"retry(2, pod(a))", []*T{{Name: "main", Kind: nodegraph.KindPod, Containers: []C{{Name: "a"}}, Retry: always(2)}}},
		{"mutex(m-1, retry(0, pod))", []*T{{Name: "main", Kind: nodegraph.KindPod, Retry: always(0),
			Locks: []nodegraph.Lock{{Key: "default/Mutex/m-1", Limit: 1}}}}},
		{"mutex(m, mutex(n, daemon))", []*T{{Name: "main", Kind: nodegraph.KindPod, Daemon: true,
			Locks: []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}, {Key: "default/Mutex/n", Limit: 1}}}}},
		{"dag()", []*T{{Name: "main", Kind: nodegraph.KindDAG}}},
		{"dag(a -> b)", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "pod"}, {Name: "b", Template: "pod", Dependencies: []string{"a"}}}}, pod}},
		{"dag(a: pod, b: pod(x -> y), a -> b)", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "pod"}, {Name: "b", Template: "b", Dependencies: []string{"a"}}}},
			pod, {Name: "b", Kind: nodegraph.KindPod, Containers: []C{{Name: "x"}, {Name: "y", Dependencies: []string{"x"}}}}}},
		{"dag(a: http -> {b, c: http})", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "http"}, {Name: "b", Template: "pod", Dependencies: []string{"a"}},
			{Name: "c", Template: "http", Dependencies: []string{"a"}}}},
			{Name: "http", Kind: nodegraph.KindHTTP}, pod}},
		{`dag(a, b depends "a.Succeeded || a.Failed" when "'x' == 'x'")`, []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "pod"},
			{Name: "b", Template: "pod", Depends: "a.Succeeded || a.Failed", When: "'x' == 'x'"}}}, pod}},
		{"dag(a over [x, `y z`, 3] continueOnFailed continueOnError)", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "pod", ContinueOn: nodegraph.ContinueOn{Failed: true, Error: true},
				Loop: &nodegraph.Loop{Items: []nodegraph.Item{{Text: "x"}, {Text: "y z"}, {Text: "3"}}}}}}, pod}},
		{`dag(a over [], b over "{{tasks.a.outputs.result}}")`, []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "pod", Loop: &nodegraph.Loop{}},
			{Name: "b", Template: "pod", Loop: &nodegraph.Loop{Unresolved: "{{tasks.a.outputs.result}}"}}}}, pod}},
		{"dag(a exit pod, b exit retry(pod))", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "pod", Hooks: []nodegraph.Hook{{Name: "exit", Template: "pod"}}},
			{Name: "b", Template: "pod", Hooks: []nodegraph.Hook{{Name: "exit", Template: "b-exit"}}}}},
			pod, {Name: "b-exit", Kind: nodegraph.KindPod, Retry: always()}}},
		{"steps()", []*T{{Name: "main", Kind: nodegraph.KindSteps}}},
		{"steps(a, b | c | d: suspend when `1 == 2`)", []*T{{Name: "main", Kind: nodegraph.KindSteps, Steps: [][]Task{
			{{Name: "a", Template: "pod"}, {Name: "b", Template: "pod"}},
			{{Name: "c", Template: "pod"}},
			{{Name: "d", Template: "suspend", When: "1 == 2"}}}}, pod, {Name: "suspend", Kind: nodegraph.KindSuspend}}},
		{"dag(a: retry(2, steps(x | y)), b)", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "a", Template: "a"}, {Name: "b", Template: "pod"}}},
			{Name: "a", Kind: nodegraph.KindSteps, Retry: always(2), Steps: [][]Task{{{Name: "x", Template: "pod"}}, {{Name: "y", Template: "pod"}}}},
			pod}},
		// Words of the language are names like any other, and names of templates stay apart.
		{"dag(pod: pod(main), main: dag(main: pod(x)), dag)", []*T{{Name: "main", Kind: nodegraph.KindDAG, Tasks: []Task{
			{Name: "pod", Template: "pod"}, {Name: "main", Template: "main-2"}, {Name: "dag", Template: "pod-2"}}},
			{Name: "pod", Kind: nodegraph.KindPod, Containers: []C{{Name: "main"}}},
			{Name: "main-2", Kind: nodegraph.KindDAG, Tasks: []Task{{Name: "main", Template: "main-3"}}},
			{Name: "main-3", Kind: nodegraph.KindPod, Containers: []C{{Name: "x"}}},
			{Name: "pod-2", Kind: nodegraph.KindPod}}},
	} {
		t.Run(c.text, func(t *testing.T) {
			got := mustParse(t, c.text)
			want := &nodegraph.Spec{Name: "wf", Namespace: "default", Entrypoint: "main", Templates: c.want}
			require.Empty(t, cmp.Diff(want, got))
			_, err := nodegraph.New(got)
			require.NoError(t, err)
		})
	}
}

func TestParseNamesTheWorkflow(t *testing.T) {
	s := mustParse(t, "nightly-1: dag(a) exit steps(report)")
	assert.Equal(t, "nightly-1", s.Name)
	assert.Equal(t, "exit", s.OnExit)
	assert.Equal(t, "pod", mustParse(t, "pod: dag(a)").Name)
	assert.Equal(t, "pod", mustParse(t, "dag(a) exit pod").OnExit, "a leaf is shared by the exit handler too")
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
		reason string
	}{
		{"", 1, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"job", 1, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"wf: ", 5, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"pod pod", 5, "expected the end"},
		{"pod)", 4, "expected the end"},
		{"pod exit", 9, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"pod()", 5, "expected the name of a container"},
		{"pod(a", 6, "expected ,, found the end"},
		{"pod(a ->)", 9, "expected a name"},
		{"pod(-> a)", 5, "expected a name"},
		{"pod({a)", 7, `expected ,, found ")"`},
		{"pod({})", 6, "expected a name"},
		{"pod(a: pod)", 6, `expected ,, found ":"`},
		{"suspend(10)", 9, "expected a duration such as 10s"},
		{"suspend(-1s)", 9, "expected a duration such as 10s"},
		{"suspend(10s", 9, "expected a duration such as 10s"},
		{"dag", 4, "expected (, found the end"},
		{"dag(a, )", 8, "expected a name"},
		{"dag(a b)", 7, `expected ,, found "b"`},
		{"dag(a: pod, a: http)", 14, `task "a" has a template already`},
		{"dag(a: job)", 8, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"dag(a when b)", 12, "expected a string in double quotes or backquotes"},
		{"dag(a when 'b')", 12, "expected a string in double quotes or backquotes"},
		{`dag(a depends "b)`, 15, "the string is not closed or not valid"},
		{`dag(a when "\q")`, 12, "the string is not closed or not valid"},
		{"dag(a over x)", 12, "expected a string in double quotes or backquotes"},
		{"dag(a over [x y])", 15, `expected ,, found "y"`},
		{"dag(a over [x,])", 15, "expected a string in double quotes or backquotes"},
		{"dag(a exit)", 11, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"steps", 6, "expected (, found the end"},
		{"steps(a -> b)", 9, `expected |, found "-"`},
		{"steps(a | )", 11, "expected a name"},
		{"steps(a: b)", 10, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"retry pod", 7, `expected (, found "p"`},
		{"retry(2 pod)", 9, `expected ,, found "p"`},
		{"retry(2x, pod)", 7, "expected a number of retries"},
		{"retry(job)", 7, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"retry(1, retry(2, pod))", 10, "a retry directly inside a retry"},
		{"retry(pod", 10, "expected ), found the end"},
		{"mutex", 6, "expected (, found the end"},
		{"mutex(, pod)", 7, "expected a name"},
		{"mutex(m)", 8, `expected ,, found ")"`},
		{"mutex(m, m)", 10, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex"},
		{"mutex(m, pod", 13, "expected ), found the end"},
		{"dag(-a)", 5, "expected a name"},
		{strings.Repeat("retry(", 101), 601, "templates are nested more than 100 deep"},
		{strings.Repeat("dag(a:", 101), 601, "templates are nested more than 100 deep"},
		{strings.Repeat("a", nodegraph.MaxParseLength+1), nodegraph.MaxParseLength + 1, "the text is longer than 1048576 bytes"},
	} {
		t.Run(fmt.Sprintf("%.40s", c.text), func(t *testing.T) {
			_, err := nodegraph.Parse(c.text)
			var e *nodegraph.ParseError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, nodegraph.ParseError{Of: "drawing", Text: c.text, Column: c.column, Reason: c.reason}, *e)
			assert.Contains(t, err.Error(), fmt.Sprintf("column %d: %s", c.column, c.reason))
			assert.Less(t, len(err.Error()), 400, "bounded however long the input is")
		})
	}
}

// Arrows between groups in braces stand for every pair, so their number is bounded apart from the length of the text.
func TestParseBoundsArrows(t *testing.T) {
	group := func(name string, n int) string {
		var names []string
		for k := range n {
			names = append(names, fmt.Sprint(name, k))
		}
		return "{" + strings.Join(names, ",") + "}"
	}
	_, err := nodegraph.Parse("dag(" + group("a", 100) + " -> " + group("b", 100) + ")")
	require.NoError(t, err)
	_, err = nodegraph.Parse("dag(" + group("a", 1025) + " -> " + group("b", 1024) + ")")
	require.ErrorContains(t, err, "arrows stand for more than 1048576 pairs")
}

func TestParseNestsUpTo100(t *testing.T) {
	text := strings.Repeat("dag(a: ", 99) + "pod" + strings.Repeat(")", 99)
	g := mustGraph(t, text)
	i := nodegraph.Entry
	for range 99 {
		require.NoError(t, g.Expand(i))
		i = g.First(i)
	}
	assert.Equal(t, nodegraph.KindPod, g.Node(i).Kind)
	assert.Equal(t, 99, g.Node(i).Nesting())
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"pod", "wf: dag(a: retry(2, steps(x | y)), b)", "dag({a, b} -> c exit pod)", "dag(a over [x, `y`], b over [])",
		`dag(a, b depends "a.Failed" when "true" continueOnFailed)`, "mutex(m, suspend(10s))", "dag(a -> a)", "pod(a -> b -> a)",
		"retry(retry(pod))", "dag(a: dag(b: dag(c: pod(d))))", "steps(a, b | c: http)", "dag(a: daemon -> b) exit plugin", "a:",
		`dag(a over "{{x}}")`, "dag(\x00)", "suspend(", "{", "dag(a exit", "steps(a: steps(a: steps(a over [1, 2, 3])))",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := nodegraph.Parse(text)
		if err != nil {
			var e *nodegraph.ParseError
			require.ErrorAs(t, err, &e)
			require.GreaterOrEqual(t, e.Column, 1)
			return
		}
		g, err := nodegraph.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: 300}))
		if err != nil {
			require.IsType(t, (*nodegraph.SpecError)(nil), err)
			return
		}
		for i := nodegraph.Root; int(i) < g.Len(); i++ {
			before := g.Len()
			if err := g.Expand(i); err != nil {
				require.Equal(t, before, g.Len(), "a failed expansion adds nothing")
				require.True(t, errors.As(err, new(*nodegraph.LimitError)) || errors.As(err, new(*nodegraph.SpecError)))
			}
		}
		checkGraph(t, g)
	})
}
