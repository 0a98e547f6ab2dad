package argo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// typed is an object as a Record, and so is all that is inside it.
type typed map[string]any

// Fields implements [argo.Record].
func (o typed) Fields(yield func(key string, value any) bool) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !yield(key, typedValue(o[key])) {
			return
		}
	}
}

func typedValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return typed(v)
	case []any:
		list := make([]any, len(v))
		for k := range v {
			list[k] = typedValue(v[k])
		}
		return list
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at
		}
	}
	return value
}

// An object that is decoded is read, written back and patched as its text is: as maps and as Records.
func TestReadObject(t *testing.T) {
	forEachRecording(t, func(t *testing.T, r *recording) {
		for k := 0; k+1 < len(r.Frames) && k < 5; k++ {
			object := decoded(t, r.frame(t, k)).(map[string]any)
			text, err := json.Marshal(object)
			require.NoError(t, err)
			after := read(t, r.frame(t, k+1)).Snapshot
			for form, o := range map[string]any{"maps": object, "records": typed(object)} {
				want := read(t, text)
				got, err := argo.ReadObject(o)
				require.NoError(t, err, "frame %d as %s", k, form)
				requireSame(t, want, got, form)
				require.Equal(t, want.ResourceVersion, got.ResourceVersion)
				require.Equal(t, "{}", string(patch(t, got)), "frame %d as %s: nothing was set", k, form)

				require.NoError(t, want.SetStatus(after))
				require.NoError(t, got.SetStatus(after))
				require.Equal(t, string(patch(t, want)), string(patch(t, got)), "frame %d as %s: the patch", k, form)
				require.Equal(t, decoded(t, encode(t, want)), decoded(t, encode(t, got)), "frame %d as %s: the object", k, form)
				if len(after.Nodes) > 0 {
					want.RemoveNodes(after.Nodes[0].ID)
					got.RemoveNodes(after.Nodes[0].ID)
					require.Equal(t, string(patch(t, want)), string(patch(t, got)), "frame %d as %s: a node is removed", k, form)
				}
			}
		}
	})
}

// What is wrong in a text is wrong where it is decoded, and the error is the same.
func TestReadObjectRefuses(t *testing.T) {
	for _, text := range []string{
		`[]`, `{}`, `{"kind":"Pod"}`, object(`[]`), object(`{"nodes":[]}`), object(`{"nodes":{"w":1}}`), object(`{"nodes":{"w":{}}}`), object(`{"phase":1}`),
		withNode(`"name":1`), withNode(`"name":"w","type":"Pod"`), withNode(`"name":"w","type":"Pod","phase":"Happy"`),
		withNode(podFields + `,"message":{}`), withNode(podFields + `,"startedAt":"yesterday"`), withNode(podFields + `,"taskResultSynced":"x"`),
		withNode(podFields + `,"failedPodRestarts":1.5`), withNode(podFields + `,"children":[1]`), withNode(podFields + `,"children":"a"`),
		withNode(podFields + `,"nodeFlag":{"hooked":1,"retried":2}`), withNode(podFields + `,"outputs":{"exitCode":1}`),
		withSpec(`{"parallelism":"many"}`), withSpec(`{"templates":[{"dag":1}]}`),
	} {
		var o any
		require.NoError(t, json.Unmarshal([]byte(text), &o))
		_, wrong := argo.Read([]byte(text))
		require.Error(t, wrong, text)
		_, err := argo.ReadObject(o)
		require.Error(t, err, text)
		var want, got *argo.ReadError
		if require.ErrorAs(t, err, &got, text); errors.As(wrong, &want) && text != `[]` {
			assert.Equal(t, [2]string{want.Node, want.Field}, [2]string{got.Node, got.Field}, "where it is wrong: %s", text)
		}
	}
}

// A value that JSON does not have is an error once it would have to be written.
func TestReadObjectOfOtherValues(t *testing.T) {
	with := func(value any) *argo.Workflow {
		o := decoded(t, []byte(withNode(podFields))).(map[string]any)
		o["status"].(map[string]any)["nodes"].(map[string]any)["w"].(map[string]any)["inputs"] = map[string]any{"x": value}
		w, err := argo.ReadObject(o)
		require.NoError(t, err)
		return w
	}
	for _, value := range []any{nil, true, 1, int32(2), int64(3), 4.5, 1e300, json.Number("12345678901234567890"), []string{"a"}, map[string]string{"b": "c"}, at(9)} {
		w := with(value)
		var o map[string]any
		require.NoError(t, json.Unmarshal(encode(t, w), &o), "%v", value)
		want, err := json.Marshal(value)
		require.NoError(t, err)
		text, err := json.Marshal(o["status"].(map[string]any)["nodes"].(map[string]any)["w"].(map[string]any)["inputs"].(map[string]any)["x"])
		require.NoError(t, err)
		if _, long := value.(json.Number); !long {
			assert.JSONEq(t, string(want), string(text))
		}
	}
	w := with(make(chan int))
	s := w.Snapshot
	require.NoError(t, w.SetStatus(s), "nothing is to be written")
	s.Nodes[0].Message = "m"
	var wrong *argo.WriteError
	require.ErrorAs(t, w.SetStatus(s), &wrong)
	assert.Equal(t, [2]string{"w", "inputs.x"}, [2]string{wrong.Node, wrong.Field})
	_, err := w.Encode()
	require.ErrorAs(t, err, &wrong)
	w.RemoveNodes("other")
	_, err = w.Patch()
	require.ErrorAs(t, err, &wrong)
	require.ErrorAs(t, w.SetStatus(s), &wrong)
}

// A patch is decoded as encoding/json decodes it, but for whole numbers.
func TestDecodePatch(t *testing.T) {
	got, err := argo.DecodePatch([]byte(`{"a":[1,2.5,-3,1e2,"x",null,true],"b":{"c":{}}}`))
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": []any{int64(1), 2.5, int64(-3), 100.0, "x", nil, true}, "b": map[string]any{"c": map[string]any{}}}, got)
	none, err := argo.DecodePatch(nil)
	require.NoError(t, err)
	assert.Nil(t, none)
	for _, text := range []string{`{`, `{"a":1,"a":2}`, `{"a":01}`, `{} x`} {
		_, err := argo.DecodePatch([]byte(text))
		assert.Error(t, err, text)
	}
}

// A nodeStatus is a node as a host's own types have it.
type nodeStatus struct {
	ID, Name, Type, Phase string
	StartedAt             time.Time
	Children              []string
}

// Fields implements [argo.Record].
func (n *nodeStatus) Fields(yield func(key string, value any) bool) {
	_ = yield("id", n.ID) && yield("name", n.Name) && yield("type", n.Type) && yield("phase", n.Phase) &&
		yield("startedAt", n.StartedAt) && (len(n.Children) == 0 || yield("children", n.Children))
}

// A controller that holds its workflows in types of its own tells the fields of the nodes. What is small may stay a map.
func ExampleReadObject() {
	node := &nodeStatus{ID: "w", Name: "w", Type: "Pod", Phase: "Running", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w, err := argo.ReadObject(map[string]any{
		"kind":     "Workflow",
		"metadata": map[string]any{"name": "w"},
		"spec":     map[string]any{"entrypoint": "main", "templates": []any{map[string]any{"name": "main", "container": map[string]any{"image": "x"}}}},
		"status":   map[string]any{"phase": "Running", "nodes": map[string]any{"w": node}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := w.Snapshot
	s.Nodes[0].Message = "still here"
	if err := w.SetStatus(s); err != nil {
		fmt.Println(err)
		return
	}
	text, _ := w.Patch()
	patch, _ := argo.DecodePatch(text)
	fmt.Println(patch)
	// Output: map[status:map[nodes:map[w:map[message:still here]]]]
}
