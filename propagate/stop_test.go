package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Tasks that no target needs never run, and a DAG that was shut down does not wait for them.
func TestShutdownOfADAGWithTasksThatNobodyNeeds(t *testing.T) {
	e := drawnWith(t, "dag(a -> b, c -> d)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.DAG {
				template.Targets = []string{"b"}
			}
		}
	})
	require.Equal(t, []string{"wf.a: start"}, waitsFor(e))
	tell(t, e, propagate.Shutdown("Terminate"))
	expect(t, e, "wf", nodegraph.Failed)
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}
