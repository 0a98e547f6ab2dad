package nodegraph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// expandAll expands every node there is, with one attempt for each Retry and the items of loops that are known.
func expandAll(t testing.TB, g *nodegraph.Graph) {
	t.Helper()
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		n := g.Node(i)
		switch {
		case g.First(i) != nodegraph.None:
		case n.Kind == nodegraph.KindRetry:
			_, err := g.AddAttempt(i)
			require.NoError(t, err)
		case n.Kind == nodegraph.KindTaskGroup:
			require.NoError(t, g.AddItems(i, n.Task, n.Task.Loop.Items))
		}
		require.NoError(t, g.Expand(i))
	}
}

// names returns the names of nodes.
func names(g *nodegraph.Graph, nodes []nodegraph.Index) []string {
	var out []string
	for _, i := range nodes {
		out = append(out, g.Node(i).Name())
	}
	return out
}

// checkGraph checks what holds in every graph: the tree of containment, ids, and order in both directions.
func checkGraph(t testing.TB, g *nodegraph.Graph) {
	t.Helper()
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		n := g.Node(i)
		last, walked := nodegraph.None, g.First(i)
		for m := range g.Members(i) {
			require.Equal(t, i, g.Node(m).Parent)
			require.Equal(t, n.Depth()+1, g.Node(m).Depth())
			require.Greater(t, m, max(i, last), "members lie behind their parent, in order")
			require.Equal(t, walked, m, "First and Next walk the same members")
			last, walked = m, g.Next(walked)
		}
		require.Equal(t, last, g.Last(i))
		if i == nodegraph.Root {
			continue
		}
		require.Contains(t, slices.Collect(g.Members(n.Parent)), i)
		require.Equal(t, i, g.Find(n.ID()))
		require.Equal(t, i, g.Find(n.Name()))
		require.Equal(t, nodegraph.NodeID(g.Spec().Name, n.Name()), n.ID())
		for before := range g.Dependencies(i) {
			require.Less(t, before, i, "a walk by index meets causes before effects")
			require.Equal(t, n.Parent, g.Node(before).Parent)
			require.Contains(t, slices.Collect(g.Dependents(before)), i)
		}
		for after := range g.Dependents(i) {
			require.Contains(t, slices.Collect(g.Dependencies(after)), i)
		}
		checkPlan(t, g, i)
	}
}

// targets are the tasks that decide how the entry node ends, which must be expanded.
func targets(g *nodegraph.Graph) []nodegraph.Index {
	var all []nodegraph.Index
	plan, first := g.PlanOf(nodegraph.Entry)
	for _, place := range plan.Targets() {
		all = append(all, first+nodegraph.Index(place))
	}
	return all
}

// checkPlan verifies what must hold of the order among the members of node i, if they have one.
func checkPlan(t testing.TB, g *nodegraph.Graph, i nodegraph.Index) {
	t.Helper()
	plan, _ := g.PlanOf(i)
	if plan == nil {
		return
	}
	for place := range int32(plan.Len()) {
		for _, other := range plan.Dependents(place) {
			require.Contains(t, plan.Dependencies(other), place)
		}
	}
	for m := range g.Members(i) {
		if n := g.Node(m); n.Role != nodegraph.RoleHook {
			require.Equal(t, m, g.MemberAt(i, n.DeclIndex), "where the template declares %s", n.Name())
		}
	}
}

func TestNewGraphHasWorkflowAndEntry(t *testing.T) {
	g := mustGraph(t, "build: dag(a)")
	assert.Equal(t, 2, g.Len())
	root, entry := g.Node(nodegraph.Root), g.Node(nodegraph.Entry)
	assert.Equal(t, nodegraph.KindWorkflow, root.Kind)
	assert.Equal(t, nodegraph.None, root.Parent)
	assert.Equal(t, nodegraph.RoleRoot, root.Role)
	assert.Equal(t, "build", entry.Name())
	assert.Equal(t, "build", entry.ID(), "the entry node has the workflow's name as its id")
	assert.Equal(t, nodegraph.KindDAG, entry.Kind)
	assert.Equal(t, nodegraph.RoleEntry, entry.Role)
	assert.Equal(t, nodegraph.Root, entry.Parent)
	owner, hook := g.Owner(nodegraph.Entry)
	assert.Equal(t, nodegraph.None, owner)
	assert.Nil(t, hook)
	assert.False(t, entry.Expanded())
	assert.Nil(t, g.OnExit())
	assert.Equal(t, "build", g.Spec().Name)
}

// Names and ids of nodes, as they stand in recordings of a real controller.
func TestNodeID(t *testing.T) {
	for _, c := range []struct{ workflow, name, want string }{
		{"nightly-ingest", "nightly-ingest", "nightly-ingest"},
		{"nightly-ingest", "nightly-ingest.extract", "nightly-ingest-1181119922"},
		{"nightly-ingest", "nightly-ingest.extract(0)", "nightly-ingest-2977119785"},
		{"nightly-ingest", "nightly-ingest.extract(0).main", "nightly-ingest-725464648"},
		{"nightly-ingest", "nightly-ingest.extract(1)", "nightly-ingest-360061484"},
		{"fan", "fan.fan", "fan-949071361"},
		{"fan", "fan.fan(2:z)", "fan-1418199494"},
		{"stepitems", "stepitems[0]", "stepitems-1840680549"},
		{"stepitems", "stepitems[0].a(1:2)", "stepitems-3613821454"},
		{"retryitems", "retryitems.fan(0:x)(1)", "retryitems-3511888357"},
		{"bye-ok", "bye-ok.onExit", "bye-ok-3726910319"},
		{"taskhook", "taskhook.a.onExit", "taskhook-1832621221"},
		{"depends", "depends.after-omitted", "depends-20279907"},
	} {
		assert.Equal(t, c.want, nodegraph.NodeID(c.workflow, c.name), c.name)
	}
}

// The graph makes the same names and ids as that controller.
func TestNodesHaveArgosIDs(t *testing.T) {
	for _, c := range []struct {
		text string
		ids  []string
	}{
		{"nightly-ingest: dag(extract: retry(pod(fetch -> main)) -> report)",
			[]string{"nightly-ingest", "nightly-ingest-1181119922", "nightly-ingest-1674373495", "nightly-ingest-2977119785",
				"nightly-ingest-756556835", "nightly-ingest-725464648"}},
		{"fan: dag(fan over [x, y, z])",
			[]string{"fan", "fan-949071361", "fan-2262012886", "fan-219603170", "fan-1418199494"}},
		{"stepitems: steps(a over [1, 2])",
			[]string{"stepitems", "stepitems-1840680549", "stepitems-3518165188", "stepitems-3613821454"}},
		{"retryitems: dag(fan: retry(pod) over [x, y])",
			[]string{"retryitems", "retryitems-718720520", "retryitems-712888001", "retryitems-4039980765",
				"retryitems-3310704024", "retryitems-1988290156"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			g := mustGraph(t, c.text)
			expandAll(t, g)
			var got []string
			for i := nodegraph.Entry; int(i) < g.Len(); i++ {
				got = append(got, g.Node(i).ID())
			}
			assert.Equal(t, c.ids, got)
			checkGraph(t, g)
		})
	}
}

func TestItemName(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"x", "wf.a(3:x)"},
		{"f(x) (y)", "wf.a(3:fx y)"}, // parentheses would be read as the number of an attempt
		{"", "wf.a(3:)"},
		{"k:v,l:w", "wf.a(3:k:v,l:w)"},
	} {
		assert.Equal(t, c.want, nodegraph.ItemName("wf.a", 3, c.text))
	}
}

func TestFind(t *testing.T) {
	g := mustGraph(t, "dag(a)")
	expandAll(t, g)
	assert.Equal(t, nodegraph.Entry, g.Find("wf"))
	assert.Equal(t, g.First(nodegraph.Entry), g.Find("wf.a"))
	assert.Equal(t, g.First(nodegraph.Entry), g.Find(nodegraph.NodeID("wf", "wf.a")))
	assert.Equal(t, nodegraph.None, g.Find("wf.b"))
	assert.Equal(t, nodegraph.None, g.Find(""))
}

// The tasks that decide how a DAG ends do so in the order of their names, however much of these is alike.
func TestTargetsAreInTheOrderOfTheirNames(t *testing.T) {
	tasks := []string{"target-10", "b", "target-9", "a", "target-1", "a-longer-name", "target-", "target"}
	b := nodegraph.NewBuilder("wf")
	b.Pod("pod")
	dag := b.DAG("main")
	for _, name := range tasks {
		dag.Task(name, "pod")
	}
	g, err := b.Graph()
	require.NoError(t, err)
	expandAll(t, g)
	var order []string
	for _, target := range targets(g) {
		order = append(order, g.Node(target).Task.Name)
	}
	slices.Sort(tasks)
	assert.Equal(t, tasks, order)
}

// Members of a DAG or pod lie in an order in which each comes after all it depends on.
func TestMembersAreInOrder(t *testing.T) {
	g := mustGraph(t, "dag(d, c -> d, b: pod(y, x -> y) -> c, a -> b)")
	expandAll(t, g)
	assert.Equal(t, []string{"wf.a", "wf.b", "wf.c", "wf.d"}, names(g, slices.Collect(g.Members(nodegraph.Entry))))
	_, first := g.PlanOf(nodegraph.Entry)
	for place, slot := range []int32{3, 2, 1, 0} {
		assert.Equal(t, slot, g.Node(first+nodegraph.Index(place)).DeclIndex, "slots are places in the template")
	}
	assert.Equal(t, g.Find("wf.d"), g.MemberAt(nodegraph.Entry, 0))
	b := g.Find("wf.b")
	assert.Equal(t, []string{"wf.b.x", "wf.b.y"}, names(g, slices.Collect(g.Members(b))))
	for m := range g.Members(nodegraph.Entry) {
		require.Equal(t, g.First(nodegraph.Entry), m)
		break // a walk may end early
	}
}

func TestRandomDAGsAreConsistent(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		n := 1 + r.IntN(12)
		var tasks []string
		place := r.Perm(n)
		for k := range n {
			tasks = append(tasks, fmt.Sprintf("t%d", k))
			for _, to := range r.Perm(n)[:r.IntN(n)] {
				if place[k] < place[to] {
					tasks = append(tasks, fmt.Sprintf("t%d -> t%d", k, to))
				}
			}
		}
		g := mustGraph(t, "dag("+strings.Join(tasks, ", ")+")")
		expandAll(t, g)
		checkGraph(t, g)
		assert.Equal(t, n+2, g.Len())
	}
}

// The order in which a template declares its tasks changes nothing but that: what a task comes after may be declared later, in
// a long template much later.
func TestTasksInAnyOrder(t *testing.T) {
	const seed, n = 1, 200
	r := rand.New(rand.NewPCG(seed, 0))
	tasks := make([]nodegraph.Task, n)
	for k := range tasks {
		tasks[k] = nodegraph.Task{Name: fmt.Sprint("t", k), Template: "pod", ContinueOn: nodegraph.ContinueOn{Failed: r.IntN(9) == 0}}
		var after []string
		for range min(k, r.IntN(4)) {
			after = append(after, fmt.Sprint("t", r.IntN(k)))
		}
		if r.IntN(3) == 0 {
			tasks[k].Depends = strings.Join(after, " && ")
		} else {
			tasks[k].Dependencies = after
		}
	}
	graph := func() *nodegraph.Graph {
		g, err := nodegraph.New(&nodegraph.Spec{Name: "wf", Entrypoint: "dag", Templates: []*nodegraph.Template{
			{Name: "dag", Kind: nodegraph.KindDAG, Tasks: slices.Clone(tasks)}, {Name: "pod", Kind: nodegraph.KindPod},
		}})
		require.NoError(t, err)
		expandAll(t, g)
		checkGraph(t, g)
		return g
	}
	declared := graph()
	for range 5 {
		r.Shuffle(n, func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
		shuffled := graph()
		for i := nodegraph.Entry + 1; int(i) < declared.Len(); i++ {
			name := declared.Node(i).Name()
			m := shuffled.Find(name)
			require.Equal(t, names(declared, slices.Collect(declared.Dependencies(i))), names(shuffled, slices.Collect(shuffled.Dependencies(m))),
				"seed %d: what %s comes after", seed, name)
			require.Equal(t, declared.Condition(i), shuffled.Condition(m), "seed %d: the condition of %s", seed, name)
		}
		require.Equal(t, names(declared, targets(declared)), names(shuffled, targets(shuffled)), "seed %d: what decides", seed)
	}
	tasks[0].Name = tasks[n-1].Name
	_, err := nodegraph.New(&nodegraph.Spec{Name: "wf", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.KindDAG, Tasks: tasks}, {Name: "pod", Kind: nodegraph.KindPod},
	}})
	require.ErrorContains(t, err, fmt.Sprintf("%q: name: is used by more than one task", tasks[0].Name))
}

func TestAfterAndBefore(t *testing.T) {
	g := mustGraph(t, "dag(a -> {b, c} -> d, s: steps(x, y | z | u), p: pod(i -> {j, k}))")
	expandAll(t, g)
	checkGraph(t, g)
	for _, c := range []struct {
		node          string
		after, before []string
	}{
		{"wf.a", nil, []string{"wf.b", "wf.c"}},
		{"wf.b", []string{"wf.a"}, []string{"wf.d"}},
		{"wf.d", []string{"wf.b", "wf.c"}, nil},
		{"wf.s[0]", nil, []string{"wf.s[1]"}},
		{"wf.s[1]", []string{"wf.s[0]"}, []string{"wf.s[2]"}},
		{"wf.s[2]", []string{"wf.s[1]"}, nil},
		{"wf.s[0].x", nil, nil}, // members of a group run in parallel
		{"wf.p.i", nil, []string{"wf.p.j", "wf.p.k"}},
		{"wf.p.k", []string{"wf.p.i"}, nil},
		{"wf", nil, nil},
	} {
		i := g.Find(c.node)
		assert.Equal(t, c.after, names(g, slices.Collect(g.Dependencies(i))), "after %s", c.node)
		assert.Equal(t, c.before, names(g, slices.Collect(g.Dependents(i))), "before %s", c.node)
		for range g.Dependencies(i) { // walks may end early
			break
		}
		for range g.Dependents(i) {
			break
		}
	}
}

// The hook of a step stands beside the groups, after the last of them; it comes after none.
func TestNoHookComesAfterAGroup(t *testing.T) {
	g := mustGraph(t, "steps(a exit pod | b)")
	expandAll(t, g)
	_, err := g.AddHook(g.Find("wf[0].a"), g.Node(g.Find("wf[0].a")).Task.ExitHook())
	require.NoError(t, err)
	assert.Equal(t, []string{"wf[1]"}, names(g, slices.Collect(g.Dependents(g.Find("wf[0]")))))
	assert.Empty(t, slices.Collect(g.Dependents(g.Find("wf[1]"))))
}

func TestConditionAndTargets(t *testing.T) {
	g := mustGraph(t, `dag(c, b, a, d depends "(c.Failed || b) && !c.Omitted", b -> e continueOnFailed -> f, p: pod(x -> y))`)
	expandAll(t, g)
	condition := g.Condition(g.Find("wf.d"))
	after := func(name string) []string { return names(g, slices.Collect(g.Dependencies(g.Find(name)))) }
	assert.Equal(t, []string{"c", "b"}, condition.Tasks())
	assert.Equal(t, []string{"wf.c", "wf.b"}, after("wf.d"))

	assert.Nil(t, g.Condition(g.Find("wf.a")), "it comes after nothing")
	assert.Empty(t, after("wf.a"))
	assert.Nil(t, g.Condition(g.Find("wf.p.y")), "containers have no condition")
	assert.Nil(t, g.Condition(nodegraph.Entry), "nor has what is no task")
	assert.Empty(t, slices.Collect(g.Dependencies(nodegraph.Entry)))
	assert.Empty(t, slices.Collect(g.Dependents(nodegraph.Entry)))
	assert.Equal(t, []string{"wf.p.x"}, after("wf.p.y"), "containers come after others")

	condition = g.Condition(g.Find("wf.f"))
	assert.Equal(t, nodegraph.True, condition.Eval([]nodegraph.DepState{ended(nodegraph.ResultFailed)}), "continueOn of the task counts")
	assert.Equal(t, nodegraph.False, condition.Eval([]nodegraph.DepState{ended(nodegraph.ResultErrored)}))

	assert.Equal(t, []string{"wf.a", "wf.d", "wf.f", "wf.p"}, names(g, targets(g)), "what nothing depends on, by name")
	assert.True(t, g.Needed(g.Find("wf.e")))
	assert.True(t, g.Needed(nodegraph.Entry))
}

// A plain list of dependencies asks of each task what its bare name stands for.
func TestConditionOfAList(t *testing.T) {
	g := mustGraph(t, "dag({a, b, c} -> d)")
	expandAll(t, g)
	c := g.Condition(g.Find("wf.d"))
	all := []string{"Succeeded", "Skipped", "Daemoned"}
	var text []string
	for _, task := range []string{"a", "b", "c"} {
		var one []string
		for _, result := range all {
			one = append(one, task+"."+result)
		}
		text = append(text, "("+strings.Join(one, " || ")+")")
	}
	assert.Equal(t, strings.Join(text, " && "), c.String())
	assert.Equal(t, 3, c.Literals())
	g = mustGraph(t, "dag(a -> b)")
	expandAll(t, g)
	assert.Equal(t, "a.Succeeded || a.Skipped || a.Daemoned", g.Condition(g.Find("wf.b")).String(), "a list of one")
	yes, no := ended(nodegraph.ResultSkipped), ended(nodegraph.ResultFailed)
	assert.Equal(t, nodegraph.True, c.Eval([]nodegraph.DepState{yes, yes, yes}))
	assert.Equal(t, nodegraph.False, c.Eval([]nodegraph.DepState{no, yes, yes}))
	assert.Equal(t, nodegraph.False, c.Eval([]nodegraph.DepState{yes, yes, no}))
	assert.Equal(t, nodegraph.Unknown, c.Eval([]nodegraph.DepState{open, yes, yes}))
}

// Tasks that no target depends on never run. Argo visits the others from the targets down.
func TestTargetsAndVisit(t *testing.T) {
	spec := mustParse(t, "dag(a -> b -> c, d -> e, a -> e, e -> b)")
	spec.Templates[0].Targets = []string{"b", "a"}
	spec.Templates[0].Tasks[2].ContinueOn = nodegraph.ContinueOn{Error: true}
	g, err := nodegraph.New(spec)
	require.NoError(t, err)
	expandAll(t, g)
	needed := make(map[string]bool)
	for m := range g.Members(nodegraph.Entry) {
		needed[g.Node(m).Task.Name] = g.Needed(m)
	}
	assert.Equal(t, map[string]bool{"a": true, "b": true, "c": false, "d": true, "e": true}, needed)
	assert.Equal(t, []string{"wf.b", "wf.a"}, names(g, targets(g)), "in the order in which they are written")
	plan, first := g.PlanOf(nodegraph.Entry)
	visit := func(task string) int { return plan.VisitOrder(int32(g.Find("wf."+task) - first)) }
	assert.Equal(t, []int{1, 2, 3, 4}, []int{visit("a"), visit("d"), visit("e"), visit("b")})
}

func TestExpandIsOnce(t *testing.T) {
	g := mustGraph(t, "dag(a: pod(x -> y), b: pod)")
	require.NoError(t, g.Expand(nodegraph.Entry))
	require.NoError(t, g.Expand(nodegraph.Entry))
	assert.True(t, g.Node(nodegraph.Entry).Expanded())
	assert.Equal(t, 4, g.Len())
	require.NoError(t, g.Expand(g.Find("wf.b")))
	assert.Equal(t, 4, g.Len(), "a plain pod has no members")
}

// A template that calls itself expands one level at a time, down to the limit on nesting.
func TestExpandIsLazyAndBounded(t *testing.T) {
	spec := &nodegraph.Spec{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{
		{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "a", Template: "main"}}},
	}}
	g, err := nodegraph.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nesting: 3}))
	require.NoError(t, err)
	assert.Equal(t, nodegraph.Limits{Nodes: 2_000_000, Nesting: 3, Items: 100_000, Edges: 10_000_000, Expression: 64 << 10, Parts: 64 << 10}, g.Limits())
	i := nodegraph.Entry
	for range 4 {
		require.NoError(t, g.Expand(i))
		i = g.First(i)
	}
	err = g.Expand(i)
	require.ErrorIs(t, err, nodegraph.ErrTooDeep)
	assert.EqualError(t, err, `nodegraph: node "wf.a.a.a.a": more than 3: limit Nesting`)
}

func TestAttempts(t *testing.T) {
	g := mustGraph(t, "dag(a: retry(pod(x)))")
	require.NoError(t, g.Expand(nodegraph.Entry))
	a := g.First(nodegraph.Entry)
	assert.Equal(t, nodegraph.KindRetry, g.Node(a).Kind)
	require.NoError(t, g.Expand(a))
	assert.Equal(t, nodegraph.None, g.First(a), "attempts are added one by one")
	for slot, name := range []string{"wf.a(0)", "wf.a(1)"} {
		i, err := g.AddAttempt(a)
		require.NoError(t, err)
		n := g.Node(i)
		assert.Equal(t, name, n.Name())
		assert.Equal(t, nodegraph.KindPod, n.Kind)
		assert.Equal(t, nodegraph.RoleAttempt, n.Role)
		assert.Equal(t, int32(slot), n.DeclIndex)
		assert.Equal(t, g.Node(a).Nesting(), n.Nesting())
		require.NoError(t, g.Expand(i))
		assert.Equal(t, name+".x", g.Node(g.First(i)).Name())
	}
	checkGraph(t, g)
}

func TestStepsWithLoops(t *testing.T) {
	g := mustGraph(t, `steps(a over [1, 2], b, none over [], later over "{{x}}")`)
	expandStepGroup := func() nodegraph.Index {
		require.NoError(t, g.Expand(nodegraph.Entry))
		group := g.First(nodegraph.Entry)
		require.NoError(t, g.Expand(group))
		return group
	}
	group := expandStepGroup()
	assert.Equal(t, []string{"wf[0].a(0:1)", "wf[0].a(1:2)", "wf[0].b", "wf[0].none", "wf[0].later"},
		names(g, slices.Collect(g.Members(group))))
	first := g.Node(g.Find("wf[0].a(0:1)"))
	assert.Equal(t, nodegraph.RoleItem, first.Role)
	assert.Equal(t, "1", g.Item(g.Find("wf[0].a(0:1)")).Text)
	assert.Nil(t, g.Item(group))
	assert.Equal(t, 1, first.Nesting())
	assert.Equal(t, nodegraph.KindTaskGroup, g.Node(g.Find("wf[0].none")).Kind)

	later := g.Find("wf[0].later")
	require.NoError(t, g.AddItems(group, g.Node(later).Task, []nodegraph.Item{{Text: "p"}}))
	g.MarkExpanded(later)
	assert.True(t, g.Node(later).Expanded())
	assert.Equal(t, group, g.Node(g.Find("wf[0].later(0:p)")).Parent)
	checkGraph(t, g)
}

func TestHooks(t *testing.T) {
	g := mustGraph(t, "dag(a: retry(pod) over [x] exit pod, b: dag(c)) exit steps(s)")
	expandAll(t, g)
	task := g.Node(g.Find("wf.a")).Task
	item := g.Find("wf.a(0:x)")

	hook, err := g.AddHook(item, task.ExitHook())
	require.NoError(t, err)
	n := g.Node(hook)
	assert.Equal(t, "wf.a(0:x).onExit", n.Name())
	assert.Equal(t, nodegraph.RoleHook, n.Role)
	owner, of := g.Owner(hook)
	assert.Equal(t, item, owner)
	assert.Same(t, task.ExitHook(), of)
	assert.Equal(t, nodegraph.Entry, n.Parent, "not the TaskGroup: it is done when its items are")
	assert.True(t, n.InExitHandler())
	assert.Equal(t, []nodegraph.Index{hook}, g.Hooks(item))
	assert.Empty(t, g.Hooks(nodegraph.Entry))

	onExit, err := g.AddHook(nodegraph.Entry, g.OnExit())
	require.NoError(t, err)
	assert.Equal(t, "wf.onExit", g.Node(onExit).Name())
	assert.Equal(t, nodegraph.Root, g.Node(onExit).Parent)
	expandAll(t, g)
	assert.True(t, g.Node(g.Find("wf.onExit[0].s")).InExitHandler(), "all inside an exit handler is part of it")
	assert.False(t, g.Node(g.Find("wf.b.c")).InExitHandler())

	running := &nodegraph.Hook{Name: "running", Template: "pod", Expression: "true"}
	i, err := g.AddHook(g.Find("wf.b"), running)
	require.NoError(t, err)
	assert.Equal(t, "wf.b.hooks.running", g.Node(i).Name())
	_, of = g.Owner(i)
	assert.Same(t, running, of)
	assert.False(t, g.Node(i).InExitHandler())

	_, err = g.AddHook(g.Find("wf.b"), running)
	require.ErrorContains(t, err, "is also the id of node", "a hook runs once")
	_, err = g.AddHook(g.Find("wf.b"), &nodegraph.Hook{Name: "x", Template: "nope"})
	require.EqualError(t, err, `nodegraph: "wf.b": hooks.x: no template is named "nope"`)
	_, err = g.AddHook(nodegraph.Root, running)
	require.EqualError(t, err, `nodegraph: hooks.running: belongs to the entry node, not to the workflow`)
	checkGraph(t, g)
}

func TestExitHookOfTask(t *testing.T) {
	task := &nodegraph.Task{Hooks: []nodegraph.Hook{{Name: "running"}}}
	assert.Nil(t, task.ExitHook())
	task.Hooks = append(task.Hooks, nodegraph.Hook{Name: nodegraph.ExitHook, Template: "t"})
	assert.Same(t, &task.Hooks[1], task.ExitHook())
}

// The boundary is the DAG, Steps or pod that a node's name is relative to, as in recordings of a real controller.
func TestBoundary(t *testing.T) {
	g := mustGraph(t, "dag(a: retry(pod(x)), b over [i], s: steps(y)) exit pod")
	expandAll(t, g)
	_, err := g.AddHook(nodegraph.Entry, g.OnExit())
	require.NoError(t, err)
	for _, c := range []struct{ node, boundary string }{
		{"wf.a", "wf"},
		{"wf.a(0)", "wf"},
		{"wf.a(0).x", "wf.a(0)"},
		{"wf.b(0:i)", "wf"},
		{"wf.s[0]", "wf.s"},
		{"wf.s[0].y", "wf.s"},
		{"wf", ""},
		{"wf.onExit", ""},
	} {
		got := g.Boundary(g.Find(c.node))
		if c.boundary == "" {
			assert.Equal(t, nodegraph.None, got, c.node)
			continue
		}
		assert.Equal(t, c.boundary, g.Node(got).Name(), c.node)
	}
	assert.Equal(t, nodegraph.None, g.Boundary(nodegraph.Root))
}

// shape is all of a graph that can be seen from outside, for comparisons before and after.
func shape(g *nodegraph.Graph) map[string][]string {
	out := map[string][]string{}
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		n := g.Node(i)
		out[fmt.Sprint(n.Name(), n.Expanded())] = names(g, slices.Collect(g.Members(i)))
	}
	return out
}

// Whatever fails adds nothing, and what is there stays as it was.
func TestFailedAdditionsAddNothing(t *testing.T) {
	for _, c := range []struct {
		name, text, node, wantErr string
		limits                    nodegraph.Limits
		items                     []nodegraph.Item
	}{
		{"tasks over the limit", "dag(a, b, c)", "wf", `node "wf.b": more than 3: limit Nodes`, nodegraph.Limits{Nodes: 3}, nil},
		{"containers over the limit", "pod(a, b, c)", "wf", `node "wf.b": more than 3: limit Nodes`, nodegraph.Limits{Nodes: 3}, nil},
		{"groups over the limit", "steps(a | b | c)", "wf", `node "wf[1]": more than 3: limit Nodes`, nodegraph.Limits{Nodes: 3}, nil},
		{"steps over the limit", "steps(a, b, c)", "wf[0]", `node "wf[0].c": more than 5: limit Nodes`, nodegraph.Limits{Nodes: 5}, nil},
		{"items of a step over the limit, after others", "steps(a over [1, 2], b over [3, 4])", "wf[0]",
			`node "wf[0].b(1:4)": more than 6: limit Nodes`, nodegraph.Limits{Nodes: 6}, nil},
		{"items of a step over the limit on items", "steps(a over [1], b over [3, 4])", "wf[0]",
			`node "wf[0]": more than 1: limit Items`, nodegraph.Limits{Items: 1}, nil},
		{"items over the limit on items", "dag(a over [])", "wf.a", `node "wf.a": more than 1: limit Items`,
			nodegraph.Limits{Items: 1}, []nodegraph.Item{{Text: "1"}, {Text: "2"}}},
		{"items over the limit on nodes", "dag(a over [])", "wf.a", `node "wf.a(1:2)": more than 4: limit Nodes`,
			nodegraph.Limits{Nodes: 4}, []nodegraph.Item{{Text: "1"}, {Text: "2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := nodegraph.New(mustParse(t, c.text), nodegraph.WithLimits(c.limits))
			require.NoError(t, err)
			if c.node != "wf" {
				require.NoError(t, g.Expand(nodegraph.Entry))
			}
			i, before := g.Find(c.node), shape(g)
			if c.items == nil {
				err = g.Expand(i)
			} else {
				err = g.AddItems(i, g.Node(i).Task, c.items)
			}
			var limit *nodegraph.LimitError
			require.ErrorAs(t, err, &limit)
			require.NotErrorIs(t, err, nodegraph.ErrTooDeep)
			assert.EqualError(t, err, "nodegraph: "+c.wantErr)
			assert.Empty(t, cmp.Diff(before, shape(g)))
			checkGraph(t, g)
		})
	}
}

// After items were rolled back others can be added, behind the members that were there before.
func TestRollbackKeepsEarlierMembers(t *testing.T) {
	g, err := nodegraph.New(mustParse(t, `steps(a, later over "{{x}}")`), nodegraph.WithLimits(nodegraph.Limits{Nodes: 7}))
	require.NoError(t, err)
	require.NoError(t, g.Expand(nodegraph.Entry))
	group := g.First(nodegraph.Entry)
	require.NoError(t, g.Expand(group))
	task := g.Node(g.Last(group)).Task
	before := shape(g)
	require.Error(t, g.AddItems(group, task, make([]nodegraph.Item, 3)))
	require.Empty(t, cmp.Diff(before, shape(g)))
	require.NoError(t, g.AddItems(group, task, make([]nodegraph.Item, 2)))
	assert.Equal(t, []string{"wf[0].a", "wf[0].later", "wf[0].later(0:)", "wf[0].later(1:)"}, names(g, slices.Collect(g.Members(group))))
	checkGraph(t, g)
}

func TestNoRoomForAttemptHookOrEntry(t *testing.T) {
	_, err := nodegraph.New(mustParse(t, "pod"), nodegraph.WithLimits(nodegraph.Limits{Nodes: 1}))
	require.ErrorContains(t, err, "limit Nodes")
	g, err := nodegraph.New(mustParse(t, "retry(pod) exit pod"), nodegraph.WithLimits(nodegraph.Limits{Nodes: 2}))
	require.NoError(t, err)
	_, err = g.AddAttempt(nodegraph.Entry)
	require.ErrorContains(t, err, "limit Nodes")
	_, err = g.AddHook(nodegraph.Entry, g.OnExit())
	require.ErrorContains(t, err, "limit Nodes")
	assert.Empty(t, g.Hooks(nodegraph.Entry))
}

// Argo's ids are 32-bit hashes, so two names can have the same one. Argo would take one node for the other; here the
// second can't be added.
func TestIDCollision(t *testing.T) {
	a, b := collidingTasks()
	require.NotEqual(t, a, b)
	require.Equal(t, nodegraph.NodeID("wf", "wf."+a), nodegraph.NodeID("wf", "wf."+b))
	g := mustGraph(t, "dag("+a+", "+b+")")
	err := g.Expand(nodegraph.Entry)
	var e *nodegraph.SpecError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "id", e.Field)
	assert.Equal(t, "wf."+b, e.Node)
	assert.Contains(t, e.Reason, fmt.Sprintf("is also the id of node %q", "wf."+a))
	assert.Equal(t, 2, g.Len())

	require.Equal(t, nodegraph.None, g.Find("wf."+a))
	g = mustGraph(t, "dag("+a+")")
	require.NoError(t, g.Expand(nodegraph.Entry))
	assert.Equal(t, nodegraph.None, g.Find("wf."+b), "the name decides, not the id alone")
}

// Items whose nodes would share an id are refused together, and others can be added in their place.
func TestIDCollisionOfItems(t *testing.T) {
	items := []nodegraph.Item{{Text: "260857"}, {Text: "1057370"}}
	require.Equal(t, nodegraph.NodeID("wf", "wf.a(0:260857)"), nodegraph.NodeID("wf", "wf.a(1:1057370)"))
	g := mustGraph(t, `dag(a over "{{x}}")`)
	require.NoError(t, g.Expand(nodegraph.Entry))
	a, before := g.Find("wf.a"), shape(g)
	var e *nodegraph.SpecError
	require.ErrorAs(t, g.AddItems(a, g.Node(a).Task, items), &e)
	assert.Equal(t, "id", e.Field)
	assert.Equal(t, "wf.a(1:1057370)", e.Node)
	assert.Empty(t, cmp.Diff(before, shape(g)))
	assert.False(t, g.Node(a).Expanded())
	checkGraph(t, g)
	require.NoError(t, g.AddItems(a, g.Node(a).Task, items[:1]))
	assert.Equal(t, []string{"wf.a(0:260857)"}, names(g, slices.Collect(g.Members(a))))
	checkGraph(t, g)
}

// collidingTasks looks for two names of tasks whose nodes have the same id.
func collidingTasks() (string, string) {
	r := rand.New(rand.NewPCG(7, 8))
	seen := make(map[string]string)
	for {
		name := fmt.Sprintf("t%x", r.Uint64())
		id := nodegraph.NodeID("wf", "wf."+name)
		if other, ok := seen[id]; ok && other != name {
			return other, name
		}
		seen[id] = name
	}
}

// New only reads a specification, so graphs in several goroutines may share one (the race detector looks on).
func TestSpecIsShared(t *testing.T) {
	spec := mustParse(t, "dag(a -> b, c: pod(x -> y))")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			g, err := nodegraph.New(spec)
			if assert.NoError(t, err) && assert.NoError(t, g.Expand(nodegraph.Entry)) {
				assert.Equal(t, 5, g.Len())
			}
		})
	}
	wait.Wait()
}

func TestIsMain(t *testing.T) {
	set := &nodegraph.Template{Containers: []nodegraph.ContainerSpec{{Name: "a"}}}
	assert.True(t, set.IsMain("a"))
	assert.False(t, set.IsMain("main"))
	assert.True(t, (&nodegraph.Template{}).IsMain("main"))
	assert.False(t, (&nodegraph.Template{}).IsMain("wait"))
}

// Only tasks and containers stand in an order of their parent's; of anything else nothing is asked there, whatever it is a
// member of.
func TestWhatStandsInNoOrder(t *testing.T) {
	g := mustGraph(t, "dag(a exit pod, p: pod(x -> y), s: steps(u))")
	expandAll(t, g)
	a := g.Find("wf.a")
	hook, err := g.AddHook(a, g.Node(a).Task.ExitHook())
	require.NoError(t, err)
	for _, i := range []nodegraph.Index{nodegraph.Root, nodegraph.Entry, hook, g.Find("wf.s[0]"), g.Find("wf.s[0].u")} {
		name := g.Node(i).Name()
		assert.Nil(t, g.Condition(i), name)
		assert.True(t, g.Needed(i), name)
	}
	x, y := g.Find("wf.p.x"), g.Find("wf.p.y")
	assert.Equal(t, []nodegraph.Index{y}, slices.Collect(g.Dependents(x)))
	assert.Equal(t, []nodegraph.Index{x}, slices.Collect(g.Dependencies(y)))
	for _, c := range []nodegraph.Index{x, y} {
		assert.True(t, g.Needed(c), "a container is needed as its pod is")
	}
}

// Items of one loop may run templates of their own, of other kinds too.
func TestItemsWithTemplatesOfTheirOwn(t *testing.T) {
	spec := func(names ...string) *nodegraph.Spec {
		s := &nodegraph.Spec{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{
			{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "a", Template: "p", Loop: &nodegraph.Loop{Unresolved: "{{x}}"}}}},
			{Name: "p", Kind: nodegraph.KindPod}, {Name: "q", CopyOf: "hold", Kind: nodegraph.KindSuspend},
		}}
		for _, name := range names {
			s.Templates[0].Tasks[0].Loop.Items = append(s.Templates[0].Tasks[0].Loop.Items, nodegraph.Item{Text: "i", Template: name})
		}
		return s
	}
	_, err := nodegraph.New(spec("p", "none"))
	require.EqualError(t, err, `nodegraph: template "main": "a": template: no template is named "none"`)
	g, err := nodegraph.New(spec())
	require.NoError(t, err)
	require.NoError(t, g.Expand(nodegraph.Entry))
	group := g.First(nodegraph.Entry)
	task := g.Node(group).Task
	require.ErrorContains(t, g.AddItems(group, task, spec("q", "none").Templates[0].Tasks[0].Loop.Items), `no template is named "none"`)
	require.Equal(t, nodegraph.None, g.First(group), "nothing was added")
	require.NoError(t, g.AddItems(group, task, spec("q", "", "p").Templates[0].Tasks[0].Loop.Items))
	var got []string
	for m := range g.Members(group) {
		got = append(got, g.Node(m).Kind.String()+" "+g.Node(m).Template.RecordedName())
	}
	require.Equal(t, []string{"Suspend hold", "Pod p", "Pod p"}, got)
}
