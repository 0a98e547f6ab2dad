package argo_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// Argo's controller has written the same progress and outbound nodes into all recordings.
func TestProgressOfRecordings(t *testing.T) {
	shown := regexp.MustCompile(`"progress":`)
	forEachRecording(t, func(t *testing.T, r *recording) {
		for k := range r.Frames {
			text := r.frame(t, k)
			if slices.Contains(r.Frames[k].Events, "resume") {
				return // a user has written the node, and its progress comes later
			}
			if !shown.Match(text) {
				continue
			}
			w := read(t, text)
			g, exists := recordsOf(w.Snapshot).grow(t, w.Spec)
			w.SetProgress(g, exists)
			require.Equal(t, "{}", string(patch(t, w)), "frame %d", k)
		}
	})
}

// What was never written is written; what a pod has reported of its own work counts, and is done when the node has ended well.
func TestProgress(t *testing.T) {
	ids := strings.NewReplacer("ID-A", nodegraph.NodeID("wf", "wf.a"), "ID-B", nodegraph.NodeID("wf", "wf.b"), "ID-C", nodegraph.NodeID("wf", "wf.c"))
	w := read(t, []byte(ids.Replace(`{"metadata": {"name": "wf"},
		"spec": {"entrypoint": "main", "templates": [{"name": "p", "container": {}}, {"name": "main", "dag": {"tasks": [
			{"name": "a", "template": "p"}, {"name": "b", "template": "p", "dependencies": ["a"]}, {"name": "c", "template": "p", "dependencies": ["a"]}]}}]},
		"status": {"phase": "Failed", "nodes": {
			"wf": {"id": "wf", "name": "wf", "type": "DAG", "phase": "Failed", "templateName": "main", "children": ["ID-A"]},
			"ID-A": {"id": "ID-A", "name": "wf.a", "type": "Pod", "phase": "Succeeded", "templateName": "p", "boundaryID": "wf", "progress": "3/5", "children": ["ID-B", "ID-C"]},
			"ID-B": {"id": "ID-B", "name": "wf.b", "type": "Pod", "phase": "Failed", "templateName": "p", "boundaryID": "wf", "progress": "1/4"},
			"ID-C": {"id": "ID-C", "name": "wf.c", "type": "Pod", "phase": "Failed", "templateName": "p", "boundaryID": "wf", "progress": "5/0"}}}}`)))
	g, exists := recordsOf(w.Snapshot).grow(t, w.Spec)
	w.SetProgress(g, exists)
	want := ids.Replace(`{"status": {"progress": "6/10", "nodes": {"wf": {"progress": "6/10", "outboundNodes": ["ID-B", "ID-C"]},
		"ID-A": {"progress": "5/5"}, "ID-C": {"progress": "0/1"}}}}`)
	require.JSONEq(t, want, string(patch(t, w)))
	w.SetProgress(g, exists)
	_, err := argo.Read(encode(t, w))
	require.NoError(t, err)
}
