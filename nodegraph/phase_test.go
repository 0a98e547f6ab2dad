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
		{nodegraph.PhasePlanned, "", false, false, false},
		{nodegraph.PhasePending, "Pending", false, false, false},
		{nodegraph.PhaseRunning, "Running", false, false, false},
		{nodegraph.PhaseSucceeded, "Succeeded", true, false, true},
		{nodegraph.PhaseSkipped, "Skipped", false, false, true},
		{nodegraph.PhaseFailed, "Failed", true, true, true},
		{nodegraph.PhaseError, "Error", true, true, true},
		{nodegraph.PhaseOmitted, "Omitted", false, false, true},
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
		{nodegraph.KindWorkflow, "Workflow", true},
		{nodegraph.KindPod, "Pod", false},
		{nodegraph.KindContainer, "Container", false},
		{nodegraph.KindSteps, "Steps", true},
		{nodegraph.KindStepGroup, "StepGroup", true},
		{nodegraph.KindDAG, "DAG", true},
		{nodegraph.KindTaskGroup, "TaskGroup", true},
		{nodegraph.KindRetry, "Retry", true},
		{nodegraph.KindSuspend, "Suspend", false},
		{nodegraph.KindHTTP, "HTTP", false},
		{nodegraph.KindPlugin, "Plugin", false},
		{nodegraph.KindSkipped, "Skipped", false},
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
	assert.True(t, failed.Covers(nodegraph.PhaseFailed))
	assert.False(t, failed.Covers(nodegraph.PhaseError))
	assert.True(t, either.Covers(nodegraph.PhaseError))
	assert.False(t, either.Covers(nodegraph.PhaseSucceeded))
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
		{"nothing said", nodegraph.TTL{}, nodegraph.PhaseSucceeded, 0, false},
		{"success", all, nodegraph.PhaseSucceeded, minute, true},
		{"failure", all, nodegraph.PhaseFailed, hour, true},
		{"error is a failure", all, nodegraph.PhaseError, hour, true},
		{"completion only", nodegraph.TTL{Completion: &second}, nodegraph.PhaseFailed, second, true},
		{"success does not count for a failure", nodegraph.TTL{Success: &minute}, nodegraph.PhaseFailed, 0, false},
		{"still running", all, nodegraph.PhaseRunning, 0, false},
		{"not looked at yet", all, nodegraph.PhasePlanned, 0, false},
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
	assert.Equal(t, nodegraph.Limits{Nodes: 2_000_000, Nesting: 98, Items: 100_000, Edges: 10_000_000, Expression: 64 << 10, Parts: 64 << 10}, g.Limits())
}
