package argo_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// What real controllers wrote, and what is nearly that, in JSON and in YAML: it is read or refused with an error of the
// package, the same each time, and what was read means the same once it was written back in either form.
func FuzzReadRecordings(f *testing.F) {
	frame := func(r *recording, k int) []byte {
		w := r.Workflow
		if spec := r.Frames[k].Spec; spec != nil {
			w["spec"] = spec
		}
		w["status"] = r.Frames[k].Status
		text, err := json.Marshal(w)
		require.NoError(f, err)
		return text
	}
	for _, name := range []string{
		"argo-3.6.2/containerset-pod-deleted-retry.json", "argo-4.1/containerset-with-items-some-deleted.json",
		"argo-4.1/containerset-in-steps-in-dag.json", "argo-4.1/containerset-evicted-retried.json",
	} {
		var r recording
		text, err := os.ReadFile("../../testdata/recordings/" + name)
		require.NoError(f, err, "the recordings belong to the repository")
		require.NoError(f, json.Unmarshal(text, &r))
		for _, k := range []int{0, len(r.Frames) / 2, len(r.Frames) - 1} {
			seed := frame(&r, k)
			f.Add(seed)
			inYAML, err := read(f, seed).EncodeYAML()
			require.NoError(f, err)
			f.Add(inYAML)
		}
	}
	limits := argo.Limits{Bytes: 1 << 20, Decompressed: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := argo.Read(data, argo.WithLimits(limits))
		again, errAgain := argo.Read(data, argo.WithLimits(limits))
		if err != nil {
			require.Nil(t, w, "an error comes alone")
			var e *argo.ReadError
			require.ErrorAs(t, err, &e)
			require.NotNil(t, e.Err, "the error has a cause")
			require.Error(t, errAgain, "refused once, refused again: %v", err)
			return
		}
		require.NoError(t, errAgain, "read once, read again")
		requireSame(t, w, again, "read twice")
		require.Equal(t, w.Unresolved, again.Unresolved, "what is left to the host, in the same order")

		requireSame(t, w, read(t, encode(t, w)), "written back in JSON")
		inYAML, err := w.EncodeYAML()
		if err != nil {
			return // YAML has no place for these characters
		}
		fromYAML := read(t, inYAML)
		requireSame(t, w, fromYAML, "written back in YAML")
		twice, err := fromYAML.EncodeYAML()
		require.NoError(t, err)
		require.Equal(t, string(inYAML), string(twice), "YAML written back in YAML")
	})
}

// byID orders nodes: YAML is written with sorted keys.
func byID(a, b nodegraph.NodeStatus) bool { return a.ID < b.ID }

// requireSame checks that two workflows mean the same.
func requireSame(t *testing.T, want, got *argo.Workflow, how string) {
	t.Helper()
	require.Equal(t, [3]string{want.Name, want.Namespace, want.UID}, [3]string{got.Name, got.Namespace, got.UID}, how)
	if diff := cmp.Diff(want.Snapshot, got.Snapshot, cmpopts.EquateEmpty(), cmpopts.SortSlices(byID)); diff != "" {
		t.Fatalf("%s: the status (-want +got):\n%s", how, diff)
	}
	if diff := cmp.Diff(want.Spec, got.Spec, sameSpec); diff != "" {
		t.Fatalf("%s: the specification (-want +got):\n%s", how, diff)
	}
}
