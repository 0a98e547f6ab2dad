package argo_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// What was read encodes to the same bytes, and setting what is there already is no change.
func TestRecordingsStayAsTheyAre(t *testing.T) {
	forEachRecording(t, func(t *testing.T, r *recording) {
		t.Parallel()
		for k := range r.Frames {
			text := r.frame(t, k)
			w := read(t, text)
			require.Equal(t, string(text), string(encode(t, w)))
			require.NoError(t, w.SetStatus(w.Snapshot))
			require.Equal(t, "{}", string(patch(t, w)), "frame %d", k)
			require.Equal(t, string(text), string(encode(t, w)))
		}
	})
}

// Setting the status of the next frame in the object of this one gives the next status, save for the order of
// children, and the patch of that, applied to the status of this frame, gives the same status.
func TestRecordingsFrameByFrame(t *testing.T) {
	forEachRecording(t, func(t *testing.T, r *recording) {
		t.Parallel()
		w := read(t, r.frame(t, 0))
		for k := 1; k < len(r.Frames); k++ {
			following := read(t, r.frame(t, k))
			next := following.Snapshot
			w.RemoveNodes(missing(w.Snapshot, next)...)
			require.NoError(t, w.SetStatus(next))
			now := encode(t, w)
			want, got := inOrder(next), inOrder(read(t, now).Snapshot)
			if !reflect.DeepEqual(want, got) {
				t.Fatalf("frame %d (-want +got):\n%s", k, cmp.Diff(want, got))
			}
			encoded, patched := decoded(t, statusOf(t, now)), applied(t, r.Frames[k-1].Status, statusOf(t, patch(t, w)))
			if !reflect.DeepEqual(encoded, patched) {
				t.Fatalf("frame %d (-encoded +patched):\n%s", k, cmp.Diff(encoded, patched))
			}
			w = following
		}
	})
}

// statusOf returns the status of an object, or the patch of it.
func statusOf(t *testing.T, text []byte) json.RawMessage {
	t.Helper()
	var o struct {
		Status json.RawMessage `json:"status"`
	}
	require.NoError(t, json.Unmarshal(text, &o))
	if o.Status == nil {
		return json.RawMessage(`{}`)
	}
	return o.Status
}

// inOrder returns the status with the children of each node in order, and without what belongs to the spec.
func inOrder(s nodegraph.Snapshot) nodegraph.Snapshot {
	s.Shutdown, s.Suspended = "", false
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		s.Nodes[i].Children = slices.Clone(s.Nodes[i].Children)
		slices.Sort(s.Nodes[i].Children)
	}
	return s
}

// missing returns the ids of nodes that are in the first snapshot only.
func missing(s, next nodegraph.Snapshot) []string {
	has := recordsOf(next)
	var ids []string
	for i := range s.Nodes {
		if has[s.Nodes[i].ID] == nil {
			ids = append(ids, s.Nodes[i].ID)
		}
	}
	return ids
}

// A workflow without nodes that gets all of a recording's becomes what the controller wrote, but for the fields that
// it counts itself and times that are not set.
func TestCreatedNodesAreAsTheControllerMakesThem(t *testing.T) {
	forEachRecording(t, func(t *testing.T, r *recording) {
		last := len(r.Frames) - 1
		w := read(t, r.frame(t, last))
		s := w.Snapshot
		for i := range s.Nodes { // what is derived when a node is created
			s.Nodes[i].DisplayName = ""
			if s.Nodes[i].Kind == nodegraph.KindContainer {
				s.Nodes[i].Retried = false
			}
		}
		r.Frames[last].Status = json.RawMessage(`{}`)
		w = read(t, r.frame(t, last))
		require.NoError(t, w.SetStatus(s))
		assert.JSONEq(t, string(recordedNodes(t, openRecording(t, "../../testdata/recordings/"+r.file), last)), string(nodesOf(t, encode(t, w))))
	})
}

// recordedNodes returns the nodes of a frame without what a library can't know.
func recordedNodes(t *testing.T, r *recording, k int) []byte {
	t.Helper()
	var nodes map[string]map[string]any
	require.NoError(t, json.Unmarshal(nodesOf(t, r.frame(t, k)), &nodes))
	for _, n := range nodes {
		for _, key := range []string{"progress", "resourcesDuration", "estimatedDuration", "hostNodeName", "outboundNodes"} {
			delete(n, key)
		}
		if n["finishedAt"] == nil {
			delete(n, "finishedAt")
		}
		if n["type"] == "Pod" { // release 3.6.2 says so later
			n["taskResultSynced"] = true
		}
	}
	text, err := json.Marshal(nodes)
	require.NoError(t, err)
	return text
}

// nodesOf returns the nodes of a whole object.
func nodesOf(t *testing.T, text []byte) []byte {
	t.Helper()
	var status struct {
		Nodes json.RawMessage `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal(statusOf(t, text), &status))
	return status.Nodes
}
