package diagnose_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// trimmed is a record without the templates of two of its nodes, with changes.
func trimmed(t *testing.T, changes ...string) diagnose.Input {
	t.Helper()
	text, err := os.ReadFile("testdata/trimmed.yaml")
	require.NoError(t, err)
	_, in := storedIn(t, []byte(strings.NewReplacer(changes...).Replace(string(text))), nil, time.Date(2026, 3, 10, 8, 3, 0, 0, time.UTC))
	return in
}

// What was made by a template that is not stored is what the record says of it, with all that is inside it.
func TestTrimmedTemplates(t *testing.T) {
	report, err := diagnose.Diagnose(trimmed(t))
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	assert.Empty(t, report.Ignored, "nodes that nobody asks for")
	kinds := make(map[string]nodegraph.Kind)
	for _, n := range trimmed(t).Snapshot.Nodes {
		kinds[n.Name] = report.Graph.Node(report.Graph.Find(n.ID)).Kind
	}
	want := map[string]nodegraph.Kind{
		"tr": nodegraph.KindDAG, "tr.a": nodegraph.KindDAG, "tr.a.x": nodegraph.KindPod,
		"tr.s": nodegraph.KindSteps, "tr.s[0]": nodegraph.KindStepGroup, "tr.s[0].y": nodegraph.KindPod,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds of the nodes (-want +got):\n%s", diff)
	}
	assert.Equal(t, []string{"tr.a.x: pod", "tr.s[0].y: pod"}, waitsOf(report))
}

// Once all that is known inside a DAG has ended, it goes on in a way that only the controller knows: it is not taken for done.
func TestTrimmedTemplatesGoOn(t *testing.T) {
	report, err := diagnose.Diagnose(trimmed(t, `name: tr.a.x, displayName: x, type: Pod, phase: Running,`, `name: tr.a.x, displayName: x, type: Pod, phase: Succeeded, finishedAt: "2026-03-10T08:02:00Z",`))
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	assert.Equal(t, []string{"tr.a." + diagnose.WhatComesNext + ": condition", "tr.s[0].y: pod"}, waitsOf(report))
}

// waitsOf are the names of what a workflow waits for, and what for, sorted.
func waitsOf(r *diagnose.Report) []string {
	var list []string
	for _, w := range r.Waits {
		list = append(list, w.Name+": "+w.For.String())
	}
	slices.Sort(list)
	return list
}
