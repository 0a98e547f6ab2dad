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
