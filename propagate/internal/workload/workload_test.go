package workload_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/workload"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every shape is a workflow with about as many nodes as were asked for: those of loops are made while it runs.
func TestShapesAreValid(t *testing.T) {
	for name, spec := range map[string]func(int) *nodegraph.Spec{
		"fan-in": workload.FanIn, "chain": workload.Chain, "layered": workload.Layered, "sets": workload.Sets,
	} {
		for _, n := range []int{10, 1000} {
			s := spec(n)
			_, err := nodegraph.New(s)
			require.NoError(t, err, "%s of %d", name, n)
			tasks := s.Templates[0].Tasks
			if loop := tasks[0].Loop; loop != nil {
				assert.Len(t, loop.Items, n/7, name)
				continue
			}
			assert.Len(t, tasks, n, name)
		}
	}
}
