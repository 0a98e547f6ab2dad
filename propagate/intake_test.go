package propagate

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// stored returns the Workflow object of a layered workflow of n pods, half of which have ended, as a controller stores it.
func stored(t testing.TB, n int) []byte {
	t.Helper()
	e := half(layered(n))
	type task struct {
		Name         string   `json:"name"`
		Template     string   `json:"template"`
		Dependencies []string `json:"dependencies,omitempty"`
	}
	var tasks []task
	for _, from := range e.graph.Spec().Templates[0].Tasks {
		tasks = append(tasks, task{from.Name, from.Template, from.Dependencies})
	}
	object, err := json.Marshal(map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"name": "w", "namespace": "default"},
		"spec": map[string]any{"entrypoint": "dag", "templates": []any{
			map[string]any{"name": "dag", "dag": map[string]any{"tasks": tasks}},
			map[string]any{"name": "pod", "container": map[string]any{"image": "busybox"}},
		}},
	})
	require.NoError(t, err)
	w, err := argo.Read(object)
	require.NoError(t, err)
	require.NoError(t, w.SetStatus(e.Snapshot()))
	object, err = w.Encode()
	require.NoError(t, err)
	return object
}

// BenchmarkIntake: from the bytes of a stored workflow of 10,000 nodes to its first settled state.
func BenchmarkIntake(b *testing.B) {
	object := stored(b, 10_000)
	b.SetBytes(int64(len(object)))
	b.ReportAllocs()
	nodes := 0
	for b.Loop() {
		w, err := argo.Read(object)
		if err != nil {
			b.Fatal(err)
		}
		e, _, err := FromSnapshot(w.Spec, w.Snapshot)
		if err != nil {
			b.Fatal(err)
		}
		nodes = e.graph.Len()
	}
	per(b, "node", nodes)
}
