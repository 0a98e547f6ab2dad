package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// What is measured is a workflow that runs, of which one pod has ended since it was stored.
func TestStoredWorkflowsRun(t *testing.T) {
	for _, shape := range objectShapes {
		stored, err := store(shape.spec(300), shape.containers)
		require.NoError(t, err)
		assert.InDelta(t, 300, stored.nodes, 7, "%s: nodes on record", shape.name)
		var r reconcile.Reconciler
		out, err := r.Reconcile(stored.now, stored.object, stored.pods)
		require.NoError(t, err)
		assert.Contains(t, string(out.Patch), `"phase":"Succeeded"`, "%s: a pod has ended", shape.name)
		assert.False(t, out.Engine.Complete(), "%s: others run", shape.name)
		assert.Empty(t, out.Unknown, "%s: each pod has a node", shape.name)
		again, err := r.Reconcile(stored.now, stored.object, append(stored.pods[:0:0], stored.pods...))
		require.NoError(t, err)
		assert.Equal(t, string(out.Patch), string(again.Patch), "%s: the same each time", shape.name)
	}
}

func TestStatelessPrintsEveryLine(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-stateless", "-n", "100", "-time", "1ns"}, &out))
	for _, line := range sizeLines {
		assert.Equal(t, len(objectShapes), strings.Count(out.String(), "| "+line.name+" |"), "tables with %q", line.name)
	}
	for _, line := range statelessLines {
		assert.Equal(t, len(objectShapes), strings.Count(out.String(), "| "+line.name+" |"), "tables with %q", line.name)
	}
}
