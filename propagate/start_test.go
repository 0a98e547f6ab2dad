package propagate_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Nodes start in the order in which the workflow names them: what is inside a node after the node and before what comes
// after it, tasks as Argo visits them from the targets down, steps and items as declared.
func TestStartOrder(t *testing.T) {
	e := drawn(t, "dag(b: steps(s over [i, j], r), a, {z, y} -> c)")
	order := []string{"wf", "wf.a", "wf.b", "wf.b[0]", "wf.b[0].s(0:i)", "wf.b[0].s(1:j)", "wf.b[0].r", "wf.z", "wf.y", "wf.c"}
	for k, a := range order {
		for l, b := range order {
			got := e.StartOrder(e.Graph().Find(a), e.Graph().Find(b))
			require.Equal(t, [2]bool{k < l, k > l}, [2]bool{got < 0, got > 0}, "%s and %s: %d", a, b, got)
		}
	}
}

// limited starts a drawn workflow whose named templates have a limit of one.
func limited(t *testing.T, text string, names ...string) *propagate.Engine {
	t.Helper()
	return drawnWith(t, text, func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if slices.Contains(names, template.Name) {
				template.Parallelism = 1
			}
		}
	})
}

// A limit is about what is inside of the node that has it: neither a place that is kept elsewhere counts, nor what runs there.
func TestLimitsOfDifferentNodes(t *testing.T) {
	e := limited(t, "dag(x: dag(a: mutex(m, pod)), y: dag(b))", "x", "y")
	require.Equal(t, []string{"wf.x.a: lock", "wf.y.b: start"}, waitsFor(e), "a place is kept for a")

	e = limited(t, "dag(x: dag(a, b), y: dag(c, d))", "x", "y")
	require.ElementsMatch(t, []string{"wf.x.a: start", "wf.x.b: parallelism", "wf.y.c: start", "wf.y.d: parallelism"}, waitsFor(e))
	tell(t, e, propagate.PodSucceeded("wf.y.c"))
	require.ElementsMatch(t, []string{"wf.x.a: start", "wf.x.b: parallelism", "wf.y.d: start"}, waitsFor(e))
}

// Tasks that no target needs are in no order of Argo's; that of their places is an order at least.
func TestStartOrderOfWhatNobodyNeeds(t *testing.T) {
	e := drawnWith(t, "dag(x, y, z)", func(spec *nodegraph.Spec) { spec.Templates[0].Targets = []string{"x"} })
	y, z := e.Graph().Find("wf.y"), e.Graph().Find("wf.z")
	require.Negative(t, e.StartOrder(y, z))
	require.Positive(t, e.StartOrder(z, y))
}

// A place that is kept for a node while the host is asked about it is free once the node runs, which counts itself, or never
// will.
func TestPlacesThatWereKept(t *testing.T) {
	two := func(spec *nodegraph.Spec) {
		spec.Parallelism = 2
		for _, template := range spec.Templates {
			template.FailFast = template.Name == "x"
		}
	}
	e := drawnWith(t, "dag(a: mutex(m, pod), b, c)", two)
	require.ElementsMatch(t, []string{"wf.a: lock", "wf.b: start", "wf.c: parallelism"}, waitsFor(e))
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.PodSucceeded("wf.b"))
	require.ElementsMatch(t, []string{"wf.a: start", "wf.c: start"}, waitsFor(e))

	e = drawnWith(t, "dag(x: dag(p, q: mutex(m, pod)), y, z)", two)
	require.ElementsMatch(t, []string{"wf.x.p: start", "wf.x.q: lock", "wf.y: parallelism", "wf.z: parallelism"}, waitsFor(e))
	tell(t, e, propagate.PodFailed("wf.x.p", ""))
	require.ElementsMatch(t, []string{"wf.y: start", "wf.z: start"}, waitsFor(e))
}

// A pod that may not start any more has its containers all the same, which are told how they ended.
func TestContainersOfAPodThatWasRefused(t *testing.T) {
	e := drawn(t, "dag(a continueOnFailed -> b: pod(x -> main))")
	tell(t, e, propagate.PodRunning("wf.a"))
	tell(t, e, propagate.Shutdown("Stop"))
	for _, name := range []string{"wf.b", "wf.b.x", "wf.b.main"} {
		expect(t, e, name, nodegraph.PhaseFailed)
	}
}

// The items that the host resolves are all there are.
func TestItemsOfTheHostStandForDeclaredOnes(t *testing.T) {
	e := drawnWith(t, "dag(a over [i])", func(spec *nodegraph.Spec) { spec.Templates[0].Tasks[0].Loop.Unresolved = "{{x}}" })
	tell(t, e, propagate.Expanded("wf.a", nodegraph.Item{Text: "j"}))
	require.Equal(t, []string{"wf.a(0:j): start"}, waitsFor(e))
}

// A template that is written inside a task has a limit of its own too.
func TestTheParallelismOfAnInlineTemplate(t *testing.T) {
	inner := &nodegraph.Template{Name: "inner", Kind: nodegraph.KindDAG, Parallelism: 1, Tasks: []nodegraph.Task{
		{Name: "a", Template: "pod"}, {Name: "b", Template: "pod"},
	}}
	b := nodegraph.NewBuilder("wf")
	b.Pod("pod")
	b.Add(&nodegraph.Template{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "in", Inline: inner}}})
	spec, err := b.Spec()
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	pods := func(events ...propagate.Event) (names []string) {
		r, err := e.Apply(epoch, events...)
		require.NoError(t, err)
		for _, a := range r.Actions {
			if a.Type == propagate.ActionStart && a.Kind == nodegraph.KindPod {
				names = append(names, a.Name)
			}
		}
		return names
	}
	require.Equal(t, []string{"wf.in.a"}, pods())
	require.Equal(t, []string{"wf.in.b"}, pods(propagate.PodSucceeded("wf.in.a")))
}

// In one look a node was held back by a limit, and then the place of one that may not start any more was given up: nobody
// looked again.
func TestPlaceGivenUpAfterAnotherWasHeldBack(t *testing.T) {
	e := drawnWith(t, "dag(h: http -> w, x: dag(d: dag(z: http), y: pod(c)))", func(spec *nodegraph.Spec) {
		spec.Parallelism = 1
		for _, template := range spec.Templates {
			template.FailFast = template.Name == "x"
			if len(template.Containers) > 0 {
				template.Memoize = "key"
			}
		}
	})
	tell(t, e, propagate.NodeEnded("wf.h", nodegraph.PhaseSucceeded, ""))
	require.ElementsMatch(t, []string{"wf.w: parallelism", "wf.x.d.z: served", "wf.x.y: cache"}, waitsFor(e))
	tell(t, e, propagate.NodeEnded("wf.x.d.z", nodegraph.PhaseFailed, ""))
	require.Equal(t, []string{"wf.w: start"}, waitsFor(e))
}
