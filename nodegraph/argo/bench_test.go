package argo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// wide is a running DAG of n pods, each after the one before.
func wide(n int) []byte {
	var tasks, nodes strings.Builder
	fmt.Fprintf(&nodes, `"w":{"id":"w","name":"w","displayName":"w","type":"DAG","phase":"Running"}`)
	for i := range n {
		after := ""
		if i > 0 {
			after = fmt.Sprintf(`,"dependencies":["t%d"]`, i-1)
		}
		fmt.Fprintf(&tasks, `{"name":"t%d","template":"pod"%s},`, i, after)
		id := nodegraph.NodeID("w", fmt.Sprintf("w.t%d", i))
		fmt.Fprintf(&nodes, `,"%s":{"id":"%s","name":"w.t%d","displayName":"t%d","type":"Pod","templateName":"pod","templateScope":"local/w","phase":"Running",`+
			`"boundaryID":"w","startedAt":"2026-08-21T10:00:01Z","finishedAt":null,"estimatedDuration":1,"progress":"0/1","taskResultSynced":true,"hostNodeName":"node-1"}`, id, id, i, i)
	}
	return []byte(withSpec(`{"entrypoint":"main","templates":[{"name":"pod","container":{}},{"name":"main","dag":{"tasks":[` +
		strings.TrimSuffix(tasks.String(), ",") + `]}}]},"status":{"phase":"Running","nodes":{` + nodes.String() + `}}`))
}

func BenchmarkRead(b *testing.B) {
	text := wide(10_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := argo.Read(text)
		require.NoError(b, err)
	}
}

// One node of ten thousand has changed.
func BenchmarkPatch(b *testing.B) {
	w := read(b, wide(10_000))
	s := w.Snapshot
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Nodes[1].Message = fmt.Sprint(i)
		require.NoError(b, w.SetStatus(s))
		patch(b, w)
	}
}

func BenchmarkChildren(b *testing.B) {
	g, err := nodegraph.New(read(b, wide(10_000)).Spec)
	require.NoError(b, err)
	require.NoError(b, g.Expand(nodegraph.Entry))
	b.ReportAllocs()
	for b.Loop() {
		argo.Children(g, func(nodegraph.Index) bool { return true })
	}
}
