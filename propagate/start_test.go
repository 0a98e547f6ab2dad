package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
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
