package argo_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// Nothing that is read makes Read panic. What is read encodes and reads back the same, setting the status that is
// there is no change, and a change that is patched is the change that is encoded.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		build, object(`{}`), object(`null`), withNode(podFields), withNode(`"name":"w","type":"DAG","phase":"Failed","children":["a"]`),
		object(`{"compressedNodes":"` + packed(`{"w":{"id":"w",`+podFields+`}}`) + `"}`),
		`{"kind":"List","items":[` + object(`{"phase":"Failed","message":"m"}`) + `]}`,
		withSpec(taskWith(`"withItems":[1,"{{item}}",{"a":[2]}],"hooks":{"exit":{"template":"one"}}`)),
		withSpec(taskWith(`"withSequence":{"start":3,"end":"1","format":"%02d"}`)),
		withSpec(`{"arguments":{"parameters":[{"name":"p","value":"{{workflow.name}}"}]},"onExit":"{{workflow.parameters.p}}","templates":[{"name":"w","suspend":{"duration":"5"}}]}`),
		withSpec(`{"templateDefaults":{"retryStrategy":{"limit":"2"}},"templates":[{"name":"a","containerSet":{"containers":[{"name":"x"}]},"synchronization":{"mutexes":[{"name":"m"}]}}]}`),
		`{"kind":"Workflow","metadata":{"":1,"":2}}`,
		"kind: Workflow\nmetadata: &m {name: w}\nstatus: {nodes: {}}\nx: *m\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := argo.Read(data, argo.WithLimits(argo.Limits{Bytes: 1 << 20, Decompressed: 1 << 20}))
		if err != nil {
			require.Nil(t, w)
			return
		}
		text := encode(t, w)
		again := read(t, text)
		if diff := cmp.Diff(w.Snapshot, again.Snapshot, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("-first +again:\n%s", diff)
		}
		if diff := cmp.Diff(w.Spec, again.Spec, sameSpec); diff != "" {
			t.Fatalf("-first +again:\n%s", diff)
		}
		require.NoError(t, w.SetStatus(w.Snapshot))
		require.Equal(t, "{}", string(patch(t, w)))
		require.Equal(t, string(text), string(encode(t, w)))
		change(t, w, text)
	})
}

// places are where a value can stand that nobody looks at: before it is known what the object is and after that, in each part, in a node.
var places = [][2]string{
	{`{"x":`, `,"kind":"Workflow","metadata":{"name":"w"}}`},
	{`{"kind":"Workflow","metadata":{"name":"w"},"x":`, `}`},
	{`{"kind":"Workflow","metadata":{"name":"w","x":`, `}}`},
	{`{"kind":"Workflow","metadata":{"name":"w"},"spec":{"x":`, `}}`},
	{`{"metadata":{"name":"w"},"spec":{"templates":[{"x":`, `}]}}`},
	{`{"kind":"Workflow","metadata":{"name":"w"},"status":{"x":`, `}}`},
	{`{"kind":"Workflow","metadata":{"name":"w"},"status":{"nodes":{"w":{"id":"w","name":"w","type":"DAG","phase":"Running","x":`, `}}}}`},
}

// What is read is what encoding/json takes for valid, wherever it stands. What is valid is refused for what it says alone.
func FuzzSyntax(f *testing.F) {
	for _, seed := range []string{
		`1`, `-0`, `-1.5e+10`, `01`, `1.`, `.5`, `1e`, `+1`, `0x1`, `1e400`, `"a"`, `"\u00e9\n\""`, `"\ud83d\ude00"`, `"\ud83d"`, `"\u12"`, `"\x"`,
		"\"\t\"", "\"\x7f\"", `"`, `"é"`, `"1234567\"890"`, `"12345678`, `[]`, `[1,]`, `[,]`, `[1 2]`, `[[],{}]`, `{}`, `{"a":1}`, `{"a" : [ 1 , 2 ] }`,
		`{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`, `true`, `True`, `nul`, `nullx`, ``, ` `, "\u00a01", "1\v", `//`, `1}`, `[}`, `{]`,
		strings.Repeat(`[`, 50) + strings.Repeat(`]`, 50), strings.Repeat(`{"a":`, 50) + `1` + strings.Repeat(`}`, 50),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) {
			return
		}
		for _, place := range places {
			text := []byte(place[0] + value + place[1])
			_, err := argo.Read(text)
			if !json.Valid(text) {
				require.Error(t, err, "encoding/json refuses %s", text)
			} else if err != nil {
				require.NotContains(t, err.Error(), "invalid JSON", "encoding/json takes %s", text)
			}
		}
	})
}

// change ends all nodes of a workflow, and adds one.
func change(t *testing.T, w *argo.Workflow, text []byte) {
	t.Helper()
	s := w.Snapshot
	s.Phase, s.Finished = nodegraph.PhaseFailed, at(9)
	s.Nodes = append([]nodegraph.NodeStatus(nil), s.Nodes...)
	for i := range s.Nodes {
		s.Nodes[i].Phase, s.Nodes[i].Message, s.Nodes[i].Children = nodegraph.PhaseError, "ended", []string{"w-9"}
	}
	added := nodegraph.NodeStatus{ID: "w-9", Name: "w.new", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w"}
	if !strings.Contains(string(text), added.ID) {
		s.Nodes = append(s.Nodes, added)
	}
	require.NoError(t, w.SetStatus(s))
	now := encode(t, w)
	again, err := argo.Read(now)
	require.NoError(t, err)
	require.Len(t, again.Snapshot.Nodes, len(s.Nodes))
	require.Equal(t, dropNulls(applied(t, text, patch(t, w))), dropNulls(decoded(t, now)))
}

// dropNulls takes out members that are null: a merge patch takes them for members that are not there.
func dropNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			} else {
				v[key] = dropNulls(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = dropNulls(v[i])
		}
	}
	return v
}
