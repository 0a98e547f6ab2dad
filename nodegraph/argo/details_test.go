package argo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

const detailed = `{"kind": "Workflow", "metadata": {"name": "w", "namespace": "n", "resourceVersion": "42", "creationTimestamp": "2026-03-10T08:00:00Z",
	"deletionTimestamp": "2026-03-10T09:00:00Z", "finalizers": ["f"], "annotations": {"a": "b", "nodestatus/healed-at": "2026-03-10T10:00:00Z"},
	"managedFields": [{"time": "2026-03-10T08:30:00Z", "fieldsV1": {"f:spec": {"f:shutdown": {}}}}, {"time": "2026-03-10T08:40:00Z", "fieldsV1": {"f:status": {}}}]},
	"spec": {"entrypoint": "x", "templates": [{"name": "x", "suspend": {}}]},
	"status": {"phase": "Running", "nodes": {"w": {"id": "w", "name": "w", "type": "Suspend", "phase": "Running"}},
		"taskResultsCompletionStatus": {"w-2": false, "w-1": false, "w-3": true},
		"synchronization": {
			"mutex": {"holding": [{"mutex": "n/Mutex/m", "holder": "n/w/w"}, {"mutex": "n/Mutex/o", "holder": "n/w"}], "waiting": [{"mutex": "n/Mutex/p", "holder": ""}]},
			"semaphore": {"holding": [{"semaphore": "n/ConfigMap/c/k", "holders": ["n/w", "n/other"]}]}}}}`

// What an object says besides its specification and nodes.
func TestDetails(t *testing.T) {
	w, err := argo.Read([]byte(detailed))
	require.NoError(t, err)
	got, err := w.Details()
	require.NoError(t, err)
	at := func(hour, minute int) time.Time { return time.Date(2026, 3, 10, hour, minute, 0, 0, time.UTC) }
	want := argo.Details{
		ResourceVersion: "42", Created: at(8, 0), Deleted: at(9, 0), Finalizers: []string{"f"}, Healed: at(10, 0), Stopped: at(8, 30),
		Unreported: []string{"w-1", "w-2"}, Synchronized: true,
		Holding: []argo.LockUse{{Key: "n/Mutex/m", Users: []string{"n/w/w"}}, {Key: "n/Mutex/o", Users: []string{"n/w"}}, {Key: "n/ConfigMap/c/k", Users: []string{"n/w", "n/other"}}},
		Waiting: []argo.LockUse{{Key: "n/Mutex/p"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// What is not of the form that Argo writes is an error that names the field.
func TestDetailsOfAnotherForm(t *testing.T) {
	for field, status := range map[string]string{
		"status.synchronization":             `"synchronization": 7`,
		"status.taskResultsCompletionStatus": `"taskResultsCompletionStatus": {"w": "no"}`,
	} {
		w, err := argo.Read([]byte(`{"kind": "Workflow", "metadata": {"name": "w"}, "spec": {"entrypoint": "x", "templates": [{"name": "x", "suspend": {}}]}, "status": {` + status + `}}`))
		require.NoError(t, err)
		_, err = w.Details()
		require.ErrorAs(t, err, new(*argo.ReadError))
		assert.ErrorContains(t, err, field)
	}
}

// A user of a lock is the workflow, a node of it, or somebody else.
func TestNames(t *testing.T) {
	w, err := argo.Read([]byte(detailed))
	require.NoError(t, err)
	for user, want := range map[string]struct {
		ours bool
		node string
	}{
		"n/w": {true, ""}, "n/w/w-1": {true, "w-1"}, "w": {true, ""}, "n/v": {}, "m/w": {}, "v": {}, "n/v/w": {},
	} {
		ours, node := w.Names(user)
		assert.Equal(t, want.ours, ours, user)
		assert.Equal(t, want.node, node, user)
	}
}

// A guarded patch names the version that was read, and changes nothing else but what was asked for.
func TestGuardedPatch(t *testing.T) {
	cases := []struct {
		why    string
		change func(*argo.Workflow)
		want   string
	}{
		{"nothing", func(*argo.Workflow) {}, `{}`},
		{"a mutex is given back", func(w *argo.Workflow) { assert.True(t, w.ReleaseLock("n/Mutex/m", "n/w/w")) },
			`{"metadata": {"resourceVersion": "42"}, "status": {"synchronization": {"mutex": {"holding": [{"mutex": "n/Mutex/o", "holder": "n/w"}]}}}}`},
		{"the last holder", func(w *argo.Workflow) { w.ReleaseLock("n/Mutex/m", "n/w/w"); w.ReleaseLock("n/Mutex/o", "n/w") },
			`{"metadata": {"resourceVersion": "42"}, "status": {"synchronization": {"mutex": {"holding": null}}}}`},
		{"one place of a semaphore", func(w *argo.Workflow) { assert.True(t, w.ReleaseLock("n/ConfigMap/c/k", "n/w")) },
			`{"metadata": {"resourceVersion": "42"}, "status": {"synchronization": {"semaphore": {"holding": [{"semaphore": "n/ConfigMap/c/k", "holders": ["n/other"]}]}}}}`},
		{"nobody who holds it", func(w *argo.Workflow) { assert.False(t, w.ReleaseLock("n/Mutex/m", "n/v")) }, `{}`},
		{"results are complete", func(w *argo.Workflow) { w.CompleteResults("w-1", "w-9") },
			`{"metadata": {"resourceVersion": "42"}, "status": {"taskResultsCompletionStatus": {"w-1": true}}}`},
		{"when it was healed", func(w *argo.Workflow) {
			w.CompleteResults("w-2")
			w.SetHealed(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
		}, `{"metadata": {"annotations": {"nodestatus/healed-at": "2026-03-10T12:00:00Z"}, "resourceVersion": "42"}, "status": {"taskResultsCompletionStatus": {"w-2": true}}}`},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			w, err := argo.Read([]byte(detailed))
			require.NoError(t, err)
			c.change(w)
			patch, err := w.GuardedPatch()
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(patch))
			text, err := w.Encode()
			require.NoError(t, err)
			again, err := argo.Read(text)
			require.NoError(t, err)
			was, err := w.Details()
			require.NoError(t, err)
			is, err := again.Details()
			require.NoError(t, err)
			assert.Equal(t, was.Holding, is.Holding, "the object says what the patch says")
			assert.Equal(t, was.Unreported, is.Unreported)
		})
	}
}
