package diagnose_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// orphan has a container that is left open in a pod that was deleted.
func orphan(t *testing.T) diagnose.Input {
	in := played(t, "wf: dag(b: pod(x))", propagate.PodRunning("wf.b"), propagate.PodDeleted("wf.b"))
	for _, edit := range (edits{set("wf.b.x", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running}) {
		edit(&in)
	}
	return in
}

// The patch names the one node that is wrong. What is around it is the controller's.
func TestPatch(t *testing.T) {
	in := orphan(t)
	w := workflow(t, in.Spec, in.Snapshot)
	report, err := diagnose.Heal(w, in)
	require.NoError(t, err)
	require.Len(t, report.Findings, 1)
	patch, err := w.Patch()
	require.NoError(t, err)
	id := nodegraph.NodeID("wf", "wf.b.x")
	want := `{"status":{"nodes":{"` + id + `":{"phase":"Error","message":"container deleted","finishedAt":"2026-01-02T03:06:05Z"}}}}`
	assert.JSONEq(t, want, string(patch))
	follows := []diagnose.Node{{ID: "wf", Name: "wf", Type: nodegraph.KindDAG,
		Recorded: diagnose.State{Phase: nodegraph.PhaseRunning}, Should: diagnose.State{Phase: nodegraph.PhaseError}}}
	if diff := cmp.Diff(follows, report.Follows); diff != "" {
		t.Errorf("what follows (-want +got):\n%s", diff)
	}
}

// A workflow in which nothing is wrong is patched with nothing.
func TestNothingToHeal(t *testing.T) {
	in := played(t, "wf: dag(a)")
	w := workflow(t, in.Spec, in.Snapshot)
	_, err := diagnose.Heal(w, in)
	require.NoError(t, err)
	patch, err := w.Patch()
	require.NoError(t, err)
	assert.Equal(t, "{}", string(patch))
}

// Nothing is changed while a pod may still report on one of the nodes, be it that it is seen alive, be it that nobody
// knows.
func TestRefused(t *testing.T) {
	lateAttempt := func(t *testing.T) diagnose.Input {
		in := played(t, "wf: dag(r: retry(3, pod))", retried...)
		for _, edit := range (edits{with(nodegraph.KindPod, "wf.r(2)", nodegraph.PhaseRunning), set("wf", nodegraph.PhaseRunning, ""), running}) {
			edit(&in)
		}
		return in
	}
	cases := []struct {
		why  string
		in   func(*testing.T) diagnose.Input
		edit func(*diagnose.Input)
		want *diagnose.LivePodError
		says string
	}{
		{"the pod of the container lives", orphan, pod("wf.b", "Running"), &diagnose.LivePodError{Node: "wf.b.x", Pod: "pod-of-wf.b"}, `pod "pod-of-wf.b" has not ended`},
		{"the pod of the attempt is pending", lateAttempt, pod("wf.r(2)", "Pending"), &diagnose.LivePodError{Node: "wf.r(2)", Pod: "pod-of-wf.r(2)"}, "has not ended"},
		{"nobody knows about the pod of the attempt", lateAttempt, func(in *diagnose.Input) { in.Pods = nil }, &diagnose.LivePodError{Node: "wf.r(2)"}, "not known which pods exist"},
		{"the pod of the container has ended", orphan, pod("wf.b", "Failed"), nil, ""},
		{"the record says that the pod of the container is gone", orphan, func(in *diagnose.Input) { in.Pods = nil }, nil, ""},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			in := c.in(t)
			c.edit(&in)
			w := workflow(t, in.Spec, in.Snapshot)
			_, err := diagnose.Heal(w, in)
			patch, patchErr := w.Patch()
			require.NoError(t, patchErr)
			if c.want == nil {
				require.NoError(t, err)
				assert.NotEqual(t, "{}", string(patch))
				return
			}
			var refused *diagnose.LivePodError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, c.want, refused)
			assert.ErrorContains(t, err, c.says)
			assert.Equal(t, "{}", string(patch), "it was refused and something was changed")
		})
	}
}

// On the recording of an attempt that was started too late its pod is still alive: diagnose says to delete it first.
func TestRefusedOnARecording(t *testing.T) {
	r, spec := read(t, recordings+"argo-4.1/containerset-evicted-retried.json")
	in := input(r, spec, len(r.Frames)-1)
	report, err := diagnose.Diagnose(in)
	require.NoError(t, err)
	assert.False(t, report.Stuck, "a pod is alive")
	_, err = report.Heal()
	require.ErrorAs(t, err, new(*diagnose.LivePodError))
	alive := slices.IndexFunc(in.Pods, func(p propagate.PodStatus) bool { return p.Phase == "Pending" })
	for _, f := range report.Findings {
		if f.Name == "evicted-retry.build(2)" {
			assert.Contains(t, f.Remedy, "delete pod "+in.Pods[alive].Name)
		}
	}
	in.Pods = slices.Delete(in.Pods, alive, alive+1) // and so somebody did
	report, err = diagnose.Diagnose(in)
	require.NoError(t, err)
	changed, err := report.Heal()
	require.NoError(t, err)
	assert.Len(t, changed, 4, "the container of the evicted pod, and the late attempt with its two containers")
}

// What is stored with the success of a DAG nobody else knows, so that a DAG with outputs is left to its controller.
func TestOutputsAreTheControllers(t *testing.T) {
	text, err := os.ReadFile("testdata/situations/done-not-settled.yaml")
	require.NoError(t, err)
	object, _, _ := bytes.Cut(text, []byte("\n---\n"))
	for outputs, heals := range map[string]bool{"": true, `"outputs": {"parameters": [{"name": "total"}]}, `: false, `"memoize": {"key": "k"}, `: false} {
		changed := bytes.Replace(object, []byte(`{"name": "main", `), []byte(`{"name": "main", `+outputs), 1)
		_, in := storedIn(t, changed, nil, noon)
		report, err := diagnose.Diagnose(in)
		require.NoError(t, err)
		require.Len(t, report.Findings, 1)
		assert.Equal(t, heals, report.Findings[0].Heals, "a template with %q", outputs)
		if !heals {
			assert.Contains(t, report.Findings[0].ByHand, "outputs that nobody else knows")
		}
	}
}
