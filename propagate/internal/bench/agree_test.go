package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	domgraph "github.com/dominikbraun/graph"
	"github.com/google/go-cmp/cmp"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/internal/workload"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A comparison of speed means something only between things that compute the same.

// phases lists the phases of all nodes that a controller would list, by name.
func phases(e *propagate.Engine) map[string]string {
	all := map[string]string{}
	for _, n := range e.Snapshot().Nodes {
		all[n.Name] = n.Phase.String()
	}
	return all
}

func argoPhases(c *argoLike) map[string]string {
	all := map[string]string{}
	for _, n := range c.nodes {
		all[n.Name] = n.Phase.String()
	}
	return all
}

// together runs a workflow in both evaluators, on the same pods, to its end. exits gives the exit code of a container.
func together(t *testing.T, spec *nodegraph.Spec, set func(c *argoLike), exits func() int) {
	t.Helper()
	e, err := begun(spec)
	require.NoError(t, err)
	argo, err := newArgoLike(spec)
	require.NoError(t, err)
	set(argo)
	argo.reconcile(began, nil)
	list := podsOf(e)
	for step := 0; ; step++ {
		if diff := cmp.Diff(argoPhases(argo), phases(e)); diff != "" {
			t.Fatalf("phases after %d pods, - Argo-like, + nodestatus:\n%s", step, diff)
		}
		if len(list.pods) == 0 {
			break
		}
		codes := []int{exits()}
		for range len(list.pods[0].Containers) - 1 {
			codes = append(codes, exits())
		}
		list.end(codes...)
		result, err := e.SyncPods(began, list.pods)
		require.NoError(t, err)
		created, _ := argo.reconcile(began, list.pods)
		ours := createdBy(&result)
		assert.ElementsMatch(t, ours, created, "pods to create after pod %s", list.pods[0].Name)
		list.seen(ours)
	}
	assert.True(t, e.Complete(), "nodestatus: the workflow is complete once no pod is left")
	_, argoPhase := argo.reconcile(began, nil)
	phase, _ := e.Workflow()
	assert.Equal(t, argoPhase, phase, "the phase of the workflow, Argo-like and nodestatus")
}

// randomLayers is a DAG in layers whose tasks depend on random ones of the layer before, by dependencies or by a depends
// expression that asks for all kinds of results, with failures that are gone on after.
func randomLayers(r *rand.Rand) *nodegraph.Spec {
	const width = 4
	results := []string{"", "", ".Succeeded", ".Failed", ".Errored", ".Omitted", ".Skipped"}
	spec := workload.DAG(width*(2+r.IntN(4)), func(int) []int { return nil })
	dag := spec.Templates[0]
	dag.NoFailFast = r.IntN(2) == 0
	for k := range dag.Tasks {
		task := &dag.Tasks[k]
		task.ContinueOn.Failed = r.IntN(5) == 0
		if k < width {
			continue
		}
		before := dag.Tasks[(k/width-1)*width:][:width]
		some := r.Perm(width)[:1+r.IntN(3)]
		if r.IntN(3) == 0 {
			for _, d := range some {
				task.Dependencies = append(task.Dependencies, before[d].Name)
			}
			continue
		}
		for j, d := range some {
			if j > 0 {
				task.Depends += []string{" && ", " || "}[r.IntN(2)]
			}
			task.Depends += []string{"", "", "", "!"}[r.IntN(4)] + before[d].Name + results[r.IntN(len(results))]
		}
	}
	return spec
}

// On random layers some of whose pods fail, every node has the same phase in both evaluators after every pod, whichever
// expression language the Argo-like one uses. No pod ends in Error: where Failed and Error meet, the controller takes
// the one it comes across first, in the order of a map.
func TestArgoLikeAgreesOnRandomLayers(t *testing.T) {
	variants := map[string]func(c *argoLike){
		"expr-lang": func(*argoLike) {},
		"govaluate": func(c *argoLike) { c.evaluate = evalGovaluate },
		"indexed":   func(c *argoLike) { c.indexed = true },
	}
	for name, set := range variants {
		for seed := range uint64(40) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 0))
				together(t, randomLayers(r), set, func() int { return max(0, r.IntN(4)-2) })
			})
		}
	}
}

// The shapes of the benchmark agree too, all well and with failures. In the sets a failed attempt is followed by another.
func TestArgoLikeAgreesOnShapes(t *testing.T) {
	for _, shape := range shapes {
		for name, fails := range map[string]int{"well": 0, "with failures": 8} {
			t.Run(shape.name+" "+name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 0))
				together(t, shape.spec(60), func(*argoLike) {}, func() int {
					if fails > 0 && r.IntN(fails) == 0 {
						return 1
					}
					return 0
				})
			})
		}
	}
}

// Tasks after a loop of retries hang below its last attempts in the evaluator's children. They agree whether the loop
// ended well, in part or not at all, and whatever they ask of it.
func TestArgoLikeAgreesAfterLoops(t *testing.T) {
	for fails := range 4 { // of four attempts' containers
		t.Run(fmt.Sprint(fails, " in 4"), func(t *testing.T) {
			spec := workload.Sets(21)
			dag := spec.Templates[0]
			for k, depends := range []string{"g.AnySucceeded", "g.AllFailed", "g", "g.Failed || g.Errored"} {
				task := nodegraph.Task{Name: "after" + strconv.Itoa(k), Template: "set", Depends: depends}
				dag.Tasks = append(dag.Tasks, task)
			}
			r := rand.New(rand.NewPCG(2, 0))
			together(t, spec, func(*argoLike) {}, func() int {
				if r.IntN(4) < fails {
					return 1
				}
				return 0
			})
		})
	}
}

// The state in which the benchmark begins is the same for both.
func TestArgoLikeStartsFromTheSameState(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			spec := shape.spec(100)
			state, err := halfDone(spec)
			require.NoError(t, err)
			e, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted))
			require.NoError(t, err)
			argo, err := argoLikeAt(e)
			require.NoError(t, err)
			got := phases(e)
			assert.Empty(t, cmp.Diff(argoPhases(argo), got), "phases, - Argo-like, + nodestatus")
			count := map[string]int{}
			for _, p := range got {
				count[p]++
			}
			assert.Positive(t, count["Succeeded"], "some nodes are done")
			assert.Positive(t, count["Pending"], "some pods are still to end")
		})
	}
}

// A pod that ran and is not listed any more is in Error in both, and what comes after it is omitted.
func TestArgoLikeAgreesOnMissingPod(t *testing.T) {
	spec := workload.Chain(3)
	e, err := begun(spec)
	require.NoError(t, err)
	argo, err := newArgoLike(spec)
	require.NoError(t, err)
	argo.reconcile(began, nil)
	pods := podsOf(e).pods
	pods[0].Phase = "Running"
	for _, list := range [][]propagate.PodStatus{pods, nil} {
		_, err := e.SyncPods(began, list)
		require.NoError(t, err)
		argo.reconcile(began, list)
	}
	want := map[string]string{"w": "Error", "w.t0": "Error", "w.t1": "Omitted", "w.t2": "Omitted"}
	assert.Empty(t, cmp.Diff(want, phases(e)), "nodestatus")
	assert.Empty(t, cmp.Diff(want, argoPhases(argo)), "Argo-like")
}

// What the Argo-like evaluator does not know it refuses, so that nothing is measured that it gets wrong.
func TestArgoLikeRefuses(t *testing.T) {
	for _, text := range []string{
		`dag(a when "x == y")`, `dag(a exit pod)`, `dag(a over "x")`, `dag(a: daemon -> b)`, `mutex(m, pod)`,
		`retry(2, pod)`, `steps(a | b)`, `suspend`, `pod exit pod`,
	} {
		spec, err := nodegraph.Parse(text)
		require.NoError(t, err, text)
		_, err = newArgoLike(spec)
		assert.ErrorContains(t, err, "leaves out", "%s", text)
	}
}

// Every library visits every node once. Those that promise an order put each node after all that its edges come from.
func TestGraphLibrariesAgree(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			e, err := begun(shape.spec(60))
			require.NoError(t, err)
			d := draw(e.Graph())
			named := func(ids []int64, err error) []string {
				require.NoError(t, err)
				order := make([]string, len(ids))
				for k, id := range ids {
					order[k] = d.names[id]
				}
				return order
			}
			own, _ := inGonum(d)
			braun, err := inDominikbraun(d, true)
			require.NoError(t, err)
			heimdalr, err := inHeimdalr(d)
			require.NoError(t, err)
			sorted, err := domgraph.TopologicalSort(braun)
			require.NoError(t, err)
			stable, err := domgraph.StableTopologicalSort(braun, func(a, b string) bool { return a < b })
			require.NoError(t, err)
			descendants, err := heimdalr.GetOrderedDescendants(d.names[0])
			require.NoError(t, err)
			require.NoError(t, heimdalrFlow(heimdalr, d.names[0]))

			for library, order := range map[string][]string{
				"gonum, our view": named(gonumOrder(e.Graph().Directed(both))), "gonum": named(gonumOrder(own)),
				"dominikbraun": sorted, "dominikbraun stable": stable, "heimdalr": heimdalrWalk(heimdalr),
			} {
				assert.ElementsMatch(t, d.names, order, "%s visits every node once", library)
				for _, edge := range d.edges {
					from, to := slices.Index(order, edge[0]), slices.Index(order, edge[1])
					assert.Less(t, from, to, "%s: %s comes before %s", library, edge[0], edge[1])
				}
			}
			assert.ElementsMatch(t, d.names[1:], descendants, "heimdalr: everything is below the workflow")
		})
	}
}

// A cycle is an error for those that promise to find one, as it is for us.
func TestGraphLibrariesRefuseCycles(t *testing.T) {
	d := drawing{names: []string{"a", "b", "c"}, edges: [][2]string{{"a", "b"}, {"b", "c"}, {"c", "a"}}}
	own, _ := inGonum(d)
	_, err := gonumOrder(own)
	assert.Error(t, err, "gonum")
	_, err = inDominikbraun(d, true)
	assert.Error(t, err, "dominikbraun, with PreventCycles")
	_, err = inHeimdalr(d)
	assert.Error(t, err, "heimdalr")

	spec := workload.Chain(3)
	tasks := spec.Templates[0].Tasks
	tasks[0].Dependencies = []string{tasks[2].Name}
	_, err = begun(spec)
	var cycle *nodegraph.CycleError
	assert.ErrorAs(t, err, &cycle, "nodestatus")
}

// All ways to evaluate a condition say the same, for every combination of how its tasks ended.
func TestConditionsAgree(t *testing.T) {
	condition, _, err := compileSix()
	require.NoError(t, err)
	require.Equal(t, 6, condition.Literals())
	ends := []struct {
		ours   nodegraph.Results
		theirs taskResults
	}{
		{nodegraph.ResultSucceeded, taskResults{Succeeded: true}}, {nodegraph.ResultFailed, taskResults{Failed: true}},
		{nodegraph.ResultErrored, taskResults{Errored: true}}, {nodegraph.ResultSkipped, taskResults{Skipped: true}},
		{nodegraph.ResultOmitted, taskResults{Omitted: true}},
	}
	held := 0
	for _, a := range ends {
		for _, b := range ends {
			for _, c := range ends {
				states := []nodegraph.DepState{{Must: a.ours, May: a.ours}, {Must: b.ours, May: b.ours}, {Must: c.ours, May: c.ours}}
				results := map[string]taskResults{"fetch_1": a.theirs, "build_2": b.theirs, "lint_3": c.theirs}
				ours := condition.Eval(states) == nodegraph.True
				if ours {
					held++
				}
				for name, eval := range map[string]func(string, map[string]taskResults) (bool, error){
					"expr-lang": evalExpr, "govaluate": evalGovaluate,
				} {
					theirs, err := eval(strings.ReplaceAll(sixLiterals, "-", "_"), results)
					require.NoError(t, err, name)
					assert.Equal(t, ours, theirs, "%s for %s, %s, %s", name, a.ours, b.ours, c.ours)
				}
			}
		}
	}
	assert.Equal(t, 8, held, "combinations for which the condition holds: two ends of each task")
	ways, err := dependsWays()
	require.NoError(t, err)
	for _, w := range ways {
		holds, err := w.eval()
		require.NoError(t, err, w.name)
		assert.True(t, holds, "%s: the measured condition holds", w.name)
	}
}

// The program prints a line for every contestant, and refuses flags that it can't follow.
func TestProgram(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-n", "40", "-shape", "layered,sets", "-time", "1ns"}, &out))
	for _, part := range []string{
		"| layered | sets |", "six literals", "build", "full pass", "one pod ends", "nodestatus ApplyTo",
		"gonum Sort, our view", "dominikbraun StableSort", "heimdalr DescendantsFlow", "Argo-like, tasks in a map",
		"Argo-like, govaluate",
	} {
		assert.Contains(t, out.String(), part)
	}
	assert.NotContains(t, out.String(), "fan-in", "only the shapes that were asked for")
	for _, args := range [][]string{{"-n", "x"}, {"-n", "9"}, {"-shape", "ring"}} {
		assert.Error(t, run(args, io.Discard), "%v", args)
	}
}
