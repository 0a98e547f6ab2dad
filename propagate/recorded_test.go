package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What an engine of a record makes of what the record does not say.

// A task is recorded as omitted, and what it comes after has ended, but a hook of that is due only now, or runs again. It stays
// omitted.
func TestRecordedAsOmittedBeforeAHook(t *testing.T) {
	t.Run("after a manual retry", func(t *testing.T) {
		e := drawn(t, "dag(a exit steps(p, q) -> b)")
		tell(t, e, propagate.PodFailed("wf.a", ""))
		tell(t, e, propagate.PodSucceeded("wf.a.onExit[0].q"), propagate.PodFailed("wf.a.onExit[0].p", ""))
		e = restored(t, e) // in what has ended the omission is final
		tell(t, e, propagate.ManualRetry())
		for name, again := range map[string]*propagate.Engine{"it goes on": e, "recorded": restored(t, e)} {
			require.Len(t, waitsFor(again), 1, name)
			require.Equal(t, map[string]string{"wf.a": "Failed", "wf.b": "Omitted: omitted: depends condition not met", "wf.a.onExit": "Running"},
				looks(again, "wf.a", "wf.b", "wf.a.onExit"), name)
		}
	})
	t.Run("with another status", func(t *testing.T) {
		e := drawnWith(t, `dag(a when "x ==" -> b, z)`, withHook("a", nodegraph.ExitHook, `workflow.status == "Running"`, asItIs))
		expect(t, e, "wf.b", nodegraph.PhaseOmitted)
		expect(t, restored(t, e), "wf.b", nodegraph.PhaseOmitted)
	})
}

// The end of an attempt that was lost is told after the next was made: it succeeded. Both are known after restarts.
func TestAttemptsAfterOneThatIsToldToHaveSucceeded(t *testing.T) {
	e := drawn(t, "dag(r: retry(2, pod), z)")
	tell(t, e, of("1", propagate.PodRunning("wf.r(0)")))
	tell(t, e, of("1", propagate.PodDeleted("wf.r(0)")))
	tell(t, e, of("2", propagate.PodFailed("wf.r(1)", "")))
	tell(t, e, of("1", propagate.PodSucceeded("wf.r(0)")))
	want := map[string]string{"wf.r(0)": "Succeeded", "wf.r(1)": "Failed", "wf.r(2)": "Pending", "wf.r": "Running"}
	names := []string{"wf.r(0)", "wf.r(1)", "wf.r(2)", "wf.r"}
	require.Equal(t, want, looks(e, names...))
	require.Equal(t, want, looks(restored(t, e), names...))
}

// Steps and a group of theirs are recorded in Error, for a parameter that could not be resolved, and a sibling still runs. What is
// on record stays, and neither the step that was never begun nor what was omitted is begun now.
func TestRecordedInErrorBeginsNothing(t *testing.T) {
	spec, err := nodegraph.Parse("dag(x: steps(a | b) -> y, z)")
	require.NoError(t, err)
	const text, omitted = "failed to resolve {{steps.a.outputs.parameters.p}}", "Omitted: omitted: depends condition not met"
	inError := func(name string, kind nodegraph.Kind) nodegraph.NodeStatus {
		n := onRecord(name, kind, nodegraph.PhaseError)
		n.Message = text
		return n
	}
	e, unknown, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: epoch, Nodes: []nodegraph.NodeStatus{
		onRecord("wf", nodegraph.KindDAG, nodegraph.PhaseRunning), inError("wf.x", nodegraph.KindSteps),
		onRecord("wf.x[0]", nodegraph.KindStepGroup, nodegraph.PhaseSucceeded), onRecord("wf.x[0].a", nodegraph.KindPod, nodegraph.PhaseSucceeded),
		inError("wf.x[1]", nodegraph.KindStepGroup), onRecord("wf.z", nodegraph.KindPod, nodegraph.PhaseRunning),
		onRecord("wf.y", nodegraph.KindSkipped, nodegraph.PhaseOmitted),
	}})
	require.NoError(t, err)
	require.Empty(t, unknown)
	for _, again := range []*propagate.Engine{e, restored(t, e), reloaded(t, e)} {
		require.Empty(t, actionsOf(listed(t, again, podsRunning("wf.z")...)), "nothing is begun")
		require.Equal(t, []string{"wf.z: pod"}, waitsFor(again))
		require.Equal(t, map[string]string{"wf.x": "Error: " + text, "wf.x[1]": "Error: " + text, "wf.y": omitted}, looks(again, "wf.x", "wf.x[1]", "wf.y"))
	}
	tell(t, e, propagate.PodSucceeded("wf.z"))
	expectWorkflow(t, e, nodegraph.PhaseError)
}
