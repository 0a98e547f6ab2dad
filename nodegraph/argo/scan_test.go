package argo_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// What stands at the scanner about keys, null and numbers, in the form of objects. Each is read as a Workflow, or says what is wrong.
func TestWhatIsRead(t *testing.T) {
	tests := []struct{ name, in, wrong string }{
		{"a key in another case is another key", withSpec(`{"Parallelism":"many","suspend":false}`), ``},
		{"a key of a node in another case is another key", withNode(`"name":"w","type":"DAG","phase":"Running","Phase":"Happy"`), ``},
		{"two keys that differ in case are two", withSpec(`{"entrypoint":"a","Entrypoint":"b"}`), ``},
		{"a key with escapes is the same key", withSpec(`{"\u0070arallelism":"3"}`), `spec.parallelism: want a whole number, found a string`},
		{"a key twice where nobody looks", withNode(`"name":"w","type":"DAG","phase":"Running","x":{"a":1,"a":2},"x":1`), ``},
		{"a key twice in a container", withSpec(`{"templates":[{"name":"w","container":{"a":1,"a":2}}]}`), `spec.templates[0].container.a: the key is there twice`},
		{"null is no field", withSpec(`{"entrypoint":null,"parallelism":null,"templates":null,"hooks":null,"suspend":null}`), ``},
		{"a number that is whole and not written so", withSpec(`{"parallelism":1.0}`), `spec.parallelism: want a whole number, found the number 1.0`},
		{"a number with an exponent", withSpec(`{"parallelism":1e3}`), `spec.parallelism: want a whole number, found the number 1e3`},
		{"a number beyond its type", withSpec(`{"priority":2147483648}`), `spec.priority: want a whole number, found the number 2147483648`},
		{"a number that nobody reads", withSpec(`{"x":1e999999}`), ``},
		{"half a pair of escapes", object(`{"message":"\ud83d"}`), ``},
		{"as deep as may be", withSpec(`{"x":` + strings.Repeat("[", 9_998) + strings.Repeat("]", 9_998) + `}`), ``},
		{"deeper", withSpec(`{"x":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}`), `byte 10076: invalid character '[' exceeded max depth`},
		{"a fault after one in a field", withSpec(`{"parallelism":"3"},`), `byte 93: invalid character '}' looking for beginning of object key string`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := argo.Read([]byte(test.in))
			if test.wrong == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, `argo: workflow "w": `+test.wrong)
			}
		})
	}
}

// The order of the keys of an object makes no difference: what comes before the kind is looked at once the kind is known.
func TestKeysComeInAnyOrder(t *testing.T) {
	parts := []string{`"kind":"Workflow"`, `"metadata":{"name":"w"}`, `"spec":{"entrypoint":"e","suspend":true}`,
		`"status":{"nodes":{"w":{"id":"w","name":"w","type":"DAG","phase":"Failed"}},"phase":"Failed"}`}
	want := read(t, []byte(`{`+strings.Join(parts, ",")+`}`))
	for range len(parts) {
		parts = append(parts[1:], parts[0])
		for _, order := range [][]string{parts, {parts[1], parts[0], parts[3], parts[2]}} {
			got := read(t, []byte(`{`+strings.Join(order, ",")+`}`))
			assert.Equal(t, want.Snapshot, got.Snapshot, "%v", order)
			assert.Equal(t, want.Spec, got.Spec, "%v", order)
		}
	}
}

// Borrowed nodes come in the order of the object. They stay as they were read, whatever is set.
func TestBorrowedNodes(t *testing.T) {
	text := object(`{"nodes":{"2":{"id":"2","name":"b","type":"DAG","phase":"Running"},"1":{"id":"1","name":"a","type":"DAG","phase":"Running"}}}`)
	w, err := argo.Read([]byte(text), argo.WithBorrowedNodes())
	require.NoError(t, err)
	names := func() (names []string) {
		for _, n := range w.Snapshot.Nodes {
			names = append(names, n.Name+" "+n.Phase.String())
		}
		return names
	}
	assert.Equal(t, []string{"b Running", "a Running"}, names())
	s := w.Snapshot
	s.Nodes = []nodegraph.NodeStatus{s.Nodes[0]}
	s.Nodes[0].Phase = nodegraph.PhaseFailed
	require.NoError(t, w.SetStatus(s))
	assert.Equal(t, []string{"b Running", "a Running"}, names(), "what was read")
	assert.JSONEq(t, `{"status":{"nodes":{"2":{"phase":"Failed"}}}}`, string(patch(t, w)))
}
