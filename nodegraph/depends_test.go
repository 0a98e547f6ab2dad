package nodegraph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// known resolves a fixed set of tasks to the results that their bare names stand for.
func known(tasks ...string) func(string) (nodegraph.Results, bool) {
	return func(task string) (nodegraph.Results, bool) {
		return nodegraph.BareResults, slices.Contains(tasks, task)
	}
}

// anyTask resolves every name.
func anyTask(string) (nodegraph.Results, bool) { return nodegraph.BareResults, true }

func mustDepends(t testing.TB, text string) *nodegraph.Condition {
	t.Helper()
	c, err := nodegraph.ParseDepends(text, anyTask)
	require.NoError(t, err)
	return c
}

// ended is what is known of a task that has ended.
func ended(r nodegraph.Results) nodegraph.DepState { return nodegraph.DepState{Must: r, May: r} }

// open is what is known of a task that may still end in any way.
var open = nodegraph.DepState{May: 1<<8 - 1}

func TestParseDependsSpelledOut(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		tasks            []string
	}{
		{"a result", "a.Failed", "a.Failed", []string{"a"}},
		{"a bare name is succeeded, skipped or a ready daemon", "a", "a.Succeeded || a.Skipped || a.Daemoned", []string{"a"}},
		{"with parentheses where it needs them", "a && b.Failed", "(a.Succeeded || a.Skipped || a.Daemoned) && b.Failed", []string{"a", "b"}},
		{"&& binds closer than ||", "a.Failed || b.Failed && c.Failed", "a.Failed || (b.Failed && c.Failed)", []string{"a", "b", "c"}},
		{"! binds closest", "!a.Failed && b.Failed", "!a.Failed && b.Failed", []string{"a", "b"}},
		{"parentheses win", "(a.Failed || b.Failed) && c.Failed", "(a.Failed || b.Failed) && c.Failed", []string{"a", "b", "c"}},
		{"right operand with parentheses", "c.Failed && (a.Failed || b.Failed)", "c.Failed && (a.Failed || b.Failed)", []string{"c", "a", "b"}},
		{"parentheses that say nothing go", "((a.Failed)) && (b.Failed)", "a.Failed && b.Failed", []string{"a", "b"}},
		{"the same operator inside needs none", "a.Failed || (b.Failed || c.Failed)", "a.Failed || b.Failed || c.Failed", []string{"a", "b", "c"}},
		{"not of a group", "!(a.Failed && b.Failed)", "!(a.Failed && b.Failed)", []string{"a", "b"}},
		{"not of a bare name", "!a", "!(a.Succeeded || a.Skipped || a.Daemoned)", []string{"a"}},
		{"not twice is nothing", "!!a.Failed", "a.Failed", []string{"a"}},
		{"not twice around parentheses", "!(!(a.Failed || b.Failed))", "a.Failed || b.Failed", []string{"a", "b"}},
		{"dashes and underscores are part of a name", "a-1.Failed && b_2-.Omitted", "a-1.Failed && b_2-.Omitted", []string{"a-1", "b_2-"}},
		{"names of digits", "1.Failed", "1.Failed", []string{"1"}},
		{"a name may be a result's", "Failed.Failed", "Failed.Failed", []string{"Failed"}},
		{"the order stays as it is written", "a.Failed || (b.Failed && !(c.Failed || d.Failed))", "a.Failed || (b.Failed && !(c.Failed || d.Failed))", []string{"a", "b", "c", "d"}},
		{"letters and digits from first to last", "azAZ09.Failed", "azAZ09.Failed", []string{"azAZ09"}},
		{"spaces around parentheses", " ( a.Failed ) ", "a.Failed", []string{"a"}},
		{"spaces are free", "\ta.Failed\n&&b.Errored ", "a.Failed && b.Errored", []string{"a", "b"}},
		{"results of loops", "a.AnySucceeded || a.AllFailed", "a.AnySucceeded || a.AllFailed", []string{"a"}},
		{"a task named twice is one task", "a.Failed || b.Failed || a.Errored", "a.Failed || b.Failed || a.Errored", []string{"a", "b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustDepends(t, c.text)
			assert.Equal(t, c.want, got.String())
			assert.Equal(t, c.tasks, got.Tasks())
			assert.Equal(t, c.want, mustDepends(t, got.String()).String(), "the text parses to the same")
		})
	}
}

func TestParseDependsErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		column     int
		reason     string
	}{
		{"nothing", "", 1, "expected a task"},
		{"spaces only", "  ", 3, "expected a task"},
		{"unknown task", "a && zzz.Failed", 6, `no task is named "zzz"`},
		{"unknown result", "a.Succeded", 3, `"Succeded" is not a result of a task`},
		{"result missing", "a. && b", 3, `"" is not a result of a task`},
		{"parenthesis not closed", "a && (b || c", 6, "the parenthesis is not closed"},
		{"parenthesis closed by something else", "(a b)", 1, "the parenthesis is not closed"},
		{"parenthesis not opened", "a && b)", 7, "no parenthesis is open"},
		{"operand missing on the left", "&& a", 1, `expected a task, found "&"`},
		{"operand missing on the right", "a &&", 5, "expected a task"},
		{"operand missing after or", "a || ", 6, "expected a task"},
		{"single &", "a & b", 3, "a single &: expected &&"},
		{"single |", "a | b", 3, "a single |: expected ||"},
		{"single & at the end", "a &", 3, "a single &: expected &&"},
		{"no operator", "a b", 3, "expected && or ||"},
		{"not after a task", "a !b", 3, "expected && or ||"},
		{"not of nothing", "!", 2, "expected a task"},
		{"empty parentheses", "()", 2, `expected a task, found ")"`},
		{"what comes after Z is no letter", "[", 1, `expected a task, found "["`},
		{"what comes after z is no letter", "{", 1, `expected a task, found "{"`},
		{"a name can't begin with a dash", "-a", 1, `expected a task, found "-"`},
		{"nested too deep", strings.Repeat("(", 201) + "a" + strings.Repeat(")", 201), 201, "nested more than 200 deep"},
		{"too long", strings.Repeat("a", nodegraph.MaxDependsLength+1), nodegraph.MaxDependsLength + 1, "is longer than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := nodegraph.ParseDepends(c.text, known("a", "b", "c"))
			var e *nodegraph.ParseError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, nodegraph.ParseError{Of: "depends", Text: c.text, Column: c.column, Reason: c.reason}, *e)
			assert.Contains(t, err.Error(), fmt.Sprintf("column %d: ", c.column))
			assert.Less(t, len(err.Error()), 400, "bounded however long the input is")
		})
	}
}

func TestDependsMayBeJustSoLong(t *testing.T) {
	text := "a" + strings.Repeat(" ", nodegraph.MaxDependsLength-1)
	_, err := nodegraph.ParseDepends(text, known("a"))
	require.NoError(t, err)
}

func TestDependenciesOnManyTasks(t *testing.T) {
	names := make([]string, 1<<17)
	for k := range names {
		names[k] = fmt.Sprint(k)
	}
	all, err := nodegraph.Dependencies(names, anyTask)
	require.NoError(t, err)
	deps := make([]nodegraph.DepState, len(names))
	for k := range deps {
		deps[k] = ended(nodegraph.ResultSucceeded)
	}
	assert.Equal(t, nodegraph.True, all.Eval(deps))
	deps[len(deps)-1] = ended(nodegraph.ResultFailed)
	assert.Equal(t, nodegraph.False, all.Eval(deps), "the last one counts")
}

func TestDependencies(t *testing.T) {
	none, err := nodegraph.Dependencies(nil, known())
	require.NoError(t, err)
	assert.Equal(t, nodegraph.True, none.Eval(nil), "nothing to wait for")
	assert.Empty(t, none.String())
	assert.Empty(t, none.Tasks())

	one, err := nodegraph.Dependencies([]string{"a"}, known("a"))
	require.NoError(t, err)
	assert.Equal(t, nodegraph.False, one.Eval([]nodegraph.DepState{ended(nodegraph.ResultFailed)}))

	two, err := nodegraph.Dependencies([]string{"a", "b", "a"}, known("a", "b"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, two.Tasks())
	assert.Equal(t, 3, two.Literals())
	assert.Equal(t, nodegraph.True, two.Eval([]nodegraph.DepState{ended(nodegraph.ResultSkipped), ended(nodegraph.ResultDaemoned)}))
	assert.Equal(t, nodegraph.Unknown, two.Eval([]nodegraph.DepState{ended(nodegraph.ResultSkipped), open}))

	_, err = nodegraph.Dependencies([]string{"a", "x"}, known("a"))
	assert.EqualError(t, err, `depends "a && x": column 6: no task is named "x"`)
}

// A bare name stands for what resolve says, which adds the results that continueOn covers.
func TestBareNameFollowsResolve(t *testing.T) {
	c, err := nodegraph.ParseDepends("a", func(string) (nodegraph.Results, bool) {
		return nodegraph.BareResults | nodegraph.ResultFailed, true
	})
	require.NoError(t, err)
	assert.Equal(t, nodegraph.True, c.Eval([]nodegraph.DepState{ended(nodegraph.ResultFailed)}))
	assert.Equal(t, nodegraph.False, c.Eval([]nodegraph.DepState{ended(nodegraph.ResultErrored)}))
	assert.Equal(t, "a.Succeeded || a.Failed || a.Skipped || a.Daemoned", c.String())
}

// Kleene's tables: f, u and t stand for False, Unknown and True of a.Failed and b.Failed.
func TestEvalTables(t *testing.T) {
	value := map[byte]nodegraph.DepState{'f': ended(nodegraph.ResultSucceeded), 'u': open, 't': ended(nodegraph.ResultFailed)}
	truth := map[byte]nodegraph.Truth{'f': nodegraph.False, 'u': nodegraph.Unknown, 't': nodegraph.True}
	for _, c := range []struct{ text, ab, want string }{
		{"a.Failed && b.Failed", "ff fu ft uf uu ut tf tu tt", "f f f f u u f u t"},
		{"a.Failed || b.Failed", "ff fu ft uf uu ut tf tu tt", "f u t u u t t t t"},
		{"!a.Failed && b.Failed", "ff fu ft uf uu ut tf tu tt", "f u t f u u f f f"},
		{"!(a.Failed && b.Failed)", "ff fu ft uf uu ut tf tu tt", "t t t t u u t u f"},
		{"!(a.Failed || b.Failed)", "ff fu ft uf uu ut tf tu tt", "t u f u u f f f f"},
		{"a.Failed || !a.Failed", "ff uf tf", "t u t"},
	} {
		t.Run(c.text, func(t *testing.T) {
			condition := mustDepends(t, c.text)
			wants := strings.Fields(c.want)
			for k, ab := range strings.Fields(c.ab) {
				deps := []nodegraph.DepState{value[ab[0]], value[ab[1]]}
				assert.Equal(t, truth[wants[k][0]], condition.Eval(deps), "a=%c b=%c", ab[0], ab[1])
			}
		})
	}
}

func TestTruthAndResultsNames(t *testing.T) {
	assert.Equal(t, "false unknown true", fmt.Sprint(nodegraph.False, nodegraph.Unknown, nodegraph.True))
	assert.Equal(t, "Succeeded|Skipped|Daemoned", nodegraph.BareResults.String())
	assert.Empty(t, nodegraph.Results(0).String())
}

// formula is a depends expression in a form that a test evaluates without the package.
type formula struct {
	sign  string // "&&", "||", "!", or "" for a test
	task  int
	mask  nodegraph.Results
	parts []formula
}

func (f formula) String() string {
	switch f.sign {
	case "":
		return fmt.Sprintf("t%d.%s", f.task, f.mask)
	case "!":
		return "!" + f.parts[0].String()
	}
	var texts []string
	for _, p := range f.parts {
		texts = append(texts, p.String())
	}
	return "(" + strings.Join(texts, " "+f.sign+" ") + ")"
}

// holds evaluates a formula for tasks that have all ended.
func (f formula) holds(results []nodegraph.Results) bool {
	switch f.sign {
	case "":
		return results[f.task]&f.mask != 0
	case "!":
		return !f.parts[0].holds(results)
	}
	for _, p := range f.parts {
		if p.holds(results) == (f.sign == "||") {
			return f.sign == "||"
		}
	}
	return f.sign == "&&"
}

// randomFormula draws a formula over tasks 0..2 and the first three results.
func randomFormula(r *rand.Rand, depth int) formula {
	switch k := r.IntN(8); {
	case depth == 0 || k == 0:
		return formula{task: r.IntN(3), mask: 1 << r.IntN(3)}
	case k == 1:
		return formula{sign: "!", parts: []formula{randomFormula(r, depth-1)}}
	default:
		f := formula{sign: []string{"&&", "||"}[k%2]}
		for range 2 + r.IntN(2) {
			f.parts = append(f.parts, randomFormula(r, depth-1))
		}
		return f
	}
}

// statesOf returns the states in the order in which the condition names its tasks t0, t1, ...
func statesOf(c *nodegraph.Condition, all []nodegraph.DepState) []nodegraph.DepState {
	var deps []nodegraph.DepState
	for _, name := range c.Tasks() {
		deps = append(deps, all[name[1]-'0'])
	}
	return deps
}

// completions yields every way in which the tasks can end, given what is known of them.
func completions(states []nodegraph.DepState, yield func([]nodegraph.Results)) {
	results := make([]nodegraph.Results, len(states))
	var choose func(k int)
	choose = func(k int) {
		if k == len(states) {
			yield(results)
			return
		}
		free := states[k].May &^ states[k].Must
		for sub := free; ; sub = (sub - 1) & free {
			results[k] = states[k].Must | sub
			choose(k + 1)
			if sub == 0 {
				return
			}
		}
	}
	choose(0)
}

// True and False are final: they agree with every way in which what is not known can turn out. What is known in full is
// never Unknown. A condition printed and compiled again comes to the same.
func TestEvalIsFinal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	decided := 0
	for range 3000 {
		f := randomFormula(r, 1+r.IntN(4))
		c := mustDepends(t, f.String())
		again := mustDepends(t, c.String())
		states := make([]nodegraph.DepState, 3)
		for k := range states {
			may := nodegraph.Results(r.IntN(8))
			states[k] = nodegraph.DepState{Must: may & nodegraph.Results(r.IntN(8)), May: may}
		}
		got := c.Eval(statesOf(c, states))
		require.Equal(t, got, again.Eval(statesOf(again, states)), "%s printed as %s", f, c)
		if got != nodegraph.Unknown {
			decided++
		}
		completions(states, func(results []nodegraph.Results) {
			whole := []nodegraph.DepState{ended(results[0]), ended(results[1]), ended(results[2])}
			want := nodegraph.False
			if f.holds(results) {
				want = nodegraph.True
			}
			require.Equal(t, want, c.Eval(statesOf(c, whole)), "%s with %v", f, results)
			if got != nodegraph.Unknown {
				require.Equal(t, want, got, "%s: decided from %v, contradicted by %v", f, states, results)
			}
		})
	}
	assert.Greater(t, decided, 500, "the check means something")
}

// nest returns a1 && (a2 || (a1 && ... depth parentheses deep.
func nest(depth int) string {
	var b strings.Builder
	for k := range depth {
		b.WriteString([]string{"a.Failed && (", "b.Failed || ("}[k%2])
	}
	return b.String() + "c.Failed" + strings.Repeat(")", depth)
}

// However deep the parentheses and however wide the expression, evaluation needs one word and allocates nothing.
func TestEvalDoesNotAllocate(t *testing.T) {
	balanced := "a.Failed"
	for range 10 {
		balanced = "(" + balanced + " && !" + balanced + ")"
	}
	for name, text := range map[string]string{
		"one test": "a", "nested 200 deep": nest(200), "not of nested": "!(" + nest(199) + ")",
		"wide": strings.Repeat("a.Failed || ", 3000) + "b.Failed", "balanced": balanced,
	} {
		t.Run(name, func(t *testing.T) {
			c := mustDepends(t, text)
			deps := []nodegraph.DepState{open, open, open}
			assert.Zero(t, testing.AllocsPerRun(100, func() { c.Eval(deps) }))
		})
	}
}

// Conditions that need more values than the word holds are reordered; what they come to stays the same.
func TestEvalNestedDeeply(t *testing.T) {
	c := mustDepends(t, nest(200))
	assert.Equal(t, 201, c.Literals())
	yes, no := ended(nodegraph.ResultFailed), ended(nodegraph.ResultSucceeded)
	for _, e := range []struct {
		a, b, c nodegraph.DepState
		want    nodegraph.Truth
	}{
		{yes, no, yes, nodegraph.True},
		{yes, no, no, nodegraph.False},
		{yes, no, open, nodegraph.Unknown},
		{yes, yes, no, nodegraph.True},
		{no, yes, yes, nodegraph.False},
		{open, yes, no, nodegraph.Unknown},
	} {
		states := map[string]nodegraph.DepState{"a": e.a, "b": e.b, "c": e.c}
		var deps []nodegraph.DepState
		for _, task := range c.Tasks() {
			deps = append(deps, states[task])
		}
		assert.Equal(t, e.want, c.Eval(deps), "%+v", e)
	}
}

// 32 values fit into the word. A condition that needs no more stays as it is written; one more, and it is reordered.
func TestEvalNestedAsDeepAsTheWord(t *testing.T) {
	yes, no := ended(nodegraph.ResultFailed), ended(nodegraph.ResultSucceeded)
	for values := 31; values <= 33; values++ {
		text := strings.Replace(nest(values), "(c.Failed)", "c.Failed", 1)
		c := mustDepends(t, text)
		assert.Equal(t, values <= 32, text == c.String(), "%d values, is it as it was written", values)
		require.Equal(t, []string{"a", "b", "c"}, c.Tasks())
		assert.Equal(t, nodegraph.True, c.Eval([]nodegraph.DepState{yes, no, yes}), "%d values", values)
		assert.Equal(t, nodegraph.False, c.Eval([]nodegraph.DepState{yes, no, no}), "%d values", values)
		assert.Equal(t, nodegraph.Unknown, c.Eval([]nodegraph.DepState{yes, no, open}), "%d values", values)
		assert.Equal(t, nodegraph.False, c.Eval([]nodegraph.DepState{no, no, yes}), "%d values: the outermost counts", values)
	}
}

// What is nested on the left is at hand when the rest is read, so it takes no room and nothing is reordered.
func TestEvalNestedOnTheLeft(t *testing.T) {
	left := "a.Failed"
	for range 20 {
		left = "((" + left + " && a.Failed) || b.Failed)"
	}
	const right = " && (b.Failed || (a.Failed && (b.Failed || c.Failed)))"
	c := mustDepends(t, left+right)
	assert.True(t, strings.HasSuffix(c.String(), right), c.String())
}

func FuzzParseDepends(f *testing.F) {
	for _, text := range []string{
		"", "a", "a.Succeeded && !b.Failed", "(a || b-c) && d", "!(a.Omitted)", "!!a", "a &", "((", "a..b", nest(40),
		"(task-a.Succeeded || task-b.Succeeded) && !task-c.Failed", "fan.AnySucceeded||fan.AllFailed", "a\x00", "ä",
	} {
		f.Add(text, uint64(0))
		f.Add(text, ^uint64(0)/3)
	}
	f.Fuzz(func(t *testing.T, text string, bits uint64) {
		c, err := nodegraph.ParseDepends(text, anyTask)
		if err != nil {
			require.IsType(t, (*nodegraph.ParseError)(nil), err)
			return
		}
		states := make(map[string]nodegraph.DepState)
		var deps []nodegraph.DepState
		for k, task := range c.Tasks() {
			may := nodegraph.Results(bits >> (k % 40) & 0xff)
			states[task] = nodegraph.DepState{Must: may & nodegraph.Results(bits>>(k%23)), May: may}
			deps = append(deps, states[task])
		}
		got := c.Eval(deps)
		printed := c.String()
		if len(printed) > nodegraph.MaxDependsLength || strings.Count(printed, "(") >= 200 {
			return // spelled out it is over the limits
		}
		again, err := nodegraph.ParseDepends(printed, anyTask)
		require.NoError(t, err)
		require.Equal(t, printed, again.String())
		deps = deps[:0]
		for _, task := range again.Tasks() {
			deps = append(deps, states[task])
		}
		require.Equal(t, got, again.Eval(deps))
	})
}

// BenchmarkCondition reports what one test of a condition costs.
func BenchmarkCondition(b *testing.B) {
	for _, n := range []int{1, 8, 64, 1024} {
		names := make([]string, n)
		for k := range names {
			names[k] = fmt.Sprintf("task-%d", k)
		}
		mixed := make([]string, 0, n/2)
		for k := 0; k+1 < n; k += 2 {
			mixed = append(mixed, fmt.Sprintf("(task-%d.Succeeded || !task-%d.Failed)", k, k+1))
		}
		for kind, text := range map[string]string{
			"all": strings.Join(names, " && "), "any": strings.Join(names, " || "), "mixed": strings.Join(mixed, " && "),
		} {
			if text == "" {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) { benchmarkEval(b, text) })
		}
	}
}

func benchmarkEval(b *testing.B, text string) {
	c := mustDepends(b, text)
	deps := make([]nodegraph.DepState, len(c.Tasks()))
	r := rand.New(rand.NewPCG(3, 4))
	for k := range deps {
		deps[k] = []nodegraph.DepState{open, ended(nodegraph.ResultSucceeded), ended(nodegraph.ResultFailed)}[r.IntN(3)]
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Eval(deps)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.Literals()), "ns/literal")
}

// A plan has no condition for a task that asks of each task, once and in order, what its bare name stands for. Such a condition comes
// to the same as one that says so in another way.
func TestPlainConditions(t *testing.T) {
	for _, c := range []struct {
		text  string
		plain bool
	}{
		{"a", true}, {"a && b", true}, {"(a && b) && c", true}, {"b && a", true},
		{"a.Succeeded || a.Skipped || a.Daemoned", false}, {"a || b", false}, {"!a", false}, {"a && b.Failed", false}, {"a && !b", false},
		{"a && b && a", false}, {"a && b || c", false},
	} {
		g := mustGraph(t, fmt.Sprintf("dag(a, b, c, x depends %q)", c.text))
		expandAll(t, g)
		plan, first := g.PlanOf(nodegraph.Entry)
		x := g.Find("wf.x")
		assert.Equal(t, c.plain, plan.Condition(int32(x-first)) == nil, c.text)
		assert.Equal(t, mustDepends(t, c.text), g.Condition(x), "%s: as it was compiled", c.text)
	}

	states := []nodegraph.DepState{open, {May: nodegraph.ResultFailed | nodegraph.ResultSkipped}, {May: nodegraph.ResultFailed},
		ended(nodegraph.ResultSucceeded), ended(nodegraph.ResultSkipped), ended(nodegraph.ResultFailed), ended(nodegraph.ResultDaemoned | nodegraph.ResultErrored)}
	plain, spelled := mustDepends(t, "a && b"), mustDepends(t, "!(!a || !b)")
	list, err := nodegraph.Dependencies([]string{"a", "b"}, anyTask)
	require.NoError(t, err)
	for _, a := range states {
		for _, b := range states {
			deps := []nodegraph.DepState{a, b}
			assert.Equal(t, spelled.Eval(deps), plain.Eval(deps), "a is %v and b is %v", a, b)
			assert.Equal(t, spelled.Eval(deps), list.Eval(deps), "a is %v and b is %v, as a list", a, b)
		}
	}
}
