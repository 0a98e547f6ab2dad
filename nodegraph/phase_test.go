package nodegraph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

func TestPhases(t *testing.T) {
	for _, c := range []struct {
		phase                            nodegraph.Phase
		name                             string
		completed, unsuccessful, settled bool
	}{
		{nodegraph.Planned, "", false, false, false},
		{nodegraph.Pending, "Pending", false, false, false},
		{nodegraph.Running, "Running", false, false, false},
		{nodegraph.Succeeded, "Succeeded", true, false, true},
		{nodegraph.Skipped, "Skipped", false, false, true},
		{nodegraph.Failed, "Failed", true, true, true},
		{nodegraph.Error, "Error", true, true, true},
		{nodegraph.Omitted, "Omitted", false, false, true},
	} {
		assert.Equal(t, c.name, c.phase.String())
		got, err := nodegraph.ParsePhase(c.name)
		require.NoError(t, err)
		assert.Equal(t, c.phase, got)
		assert.Equal(t, c.completed, c.phase.Completed(), c.name)
		assert.Equal(t, c.unsuccessful, c.phase.Unsuccessful(), c.name)
		assert.Equal(t, c.settled, c.phase.Settled(), c.name)
	}
	assert.Equal(t, "Phase(99)", nodegraph.Phase(99).String())
	_, err := nodegraph.ParsePhase("succeeded")
	assert.EqualError(t, err, `nodegraph: phase "succeeded" is not a node phase`)
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kind      nodegraph.Kind
		name      string
		composite bool
	}{
		{nodegraph.Workflow, "Workflow", true},
		{nodegraph.Pod, "Pod", false},
		{nodegraph.Container, "Container", false},
		{nodegraph.Steps, "Steps", true},
		{nodegraph.StepGroup, "StepGroup", true},
		{nodegraph.DAG, "DAG", true},
		{nodegraph.TaskGroup, "TaskGroup", true},
		{nodegraph.Retry, "Retry", true},
		{nodegraph.Suspend, "Suspend", false},
		{nodegraph.HTTP, "HTTP", false},
		{nodegraph.Plugin, "Plugin", false},
		{nodegraph.NodeSkipped, "Skipped", false},
	} {
		assert.Equal(t, c.name, c.kind.String())
		got, err := nodegraph.ParseKind(c.name)
		require.NoError(t, err)
		assert.Equal(t, c.kind, got)
		assert.Equal(t, c.composite, c.kind.Composite(), c.name)
	}
	assert.Equal(t, "Kind(99)", nodegraph.Kind(99).String())
	_, err := nodegraph.ParseKind("pod")
	assert.EqualError(t, err, `nodegraph: type "pod" is not a node type`)
}

func TestContinueOnCovers(t *testing.T) {
	failed, either := nodegraph.ContinueOn{Failed: true}, nodegraph.ContinueOn{Failed: true, Error: true}
	assert.True(t, failed.Covers(nodegraph.Failed))
	assert.False(t, failed.Covers(nodegraph.Error))
	assert.True(t, either.Covers(nodegraph.Error))
	assert.False(t, either.Covers(nodegraph.Succeeded))
}

// The more specific time wins, and nothing is said of a workflow that has not ended.
func TestTTLAfter(t *testing.T) {
	second, minute, hour := time.Second, time.Minute, time.Hour
	all := nodegraph.TTL{Completion: &second, Success: &minute, Failure: &hour}
	for _, c := range []struct {
		name  string
		ttl   nodegraph.TTL
		phase nodegraph.Phase
		want  time.Duration
		ok    bool
	}{
		{"nothing said", nodegraph.TTL{}, nodegraph.Succeeded, 0, false},
		{"success", all, nodegraph.Succeeded, minute, true},
		{"failure", all, nodegraph.Failed, hour, true},
		{"error is a failure", all, nodegraph.Error, hour, true},
		{"completion only", nodegraph.TTL{Completion: &second}, nodegraph.Failed, second, true},
		{"success does not count for a failure", nodegraph.TTL{Success: &minute}, nodegraph.Failed, 0, false},
		{"still running", all, nodegraph.Running, 0, false},
		{"not looked at yet", all, nodegraph.Planned, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.ttl.After(c.phase)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.ok, ok)
		})
	}
}

// Limits that are not set have defaults.
func TestLimitsDefaults(t *testing.T) {
	g := mustGraph(t, "pod")
	assert.Equal(t, nodegraph.Limits{Nodes: 2_000_000, Nesting: 100, Items: 100_000, Edges: 10_000_000, Expression: 64 << 10, Parts: 64 << 10}, g.Limits())
}
