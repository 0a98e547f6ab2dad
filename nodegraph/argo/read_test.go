package argo_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// at is a moment of the tests' day.
func at(second int) time.Time { return time.Date(2026, 8, 21, 10, 0, second, 0, time.UTC) }

// object is a Workflow of one pod with this status.
func object(status string) string {
	return `{"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"w","namespace":"default","uid":"u"},` +
		`"spec":{"entrypoint":"main","templates":[{"name":"main","container":{"image":"busybox"}}]},"status":` + status + `}`
}

// withNode is a Workflow whose status has one node, "w", with these fields after its id.
func withNode(fields string) string { return object(`{"nodes":{"w":{"id":"w",` + fields + `}}}`) }

// withSpec is a Workflow with this spec and no status.
func withSpec(spec string) string {
	return `{"kind":"Workflow","metadata":{"name":"w","namespace":"default"},"spec":` + spec + `}`
}

// packed is text as compressedNodes holds it.
func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Every input that can't be read gets an error that names the workflow, the node and the field, as far as there are
// any.
func TestReadErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		// Not an object at all.
		{"nothing", ``, `argo: the input is empty`},
		{"white space and a byte order mark", "\ufeff \n\t", `argo: the input is empty`},
		{"words", `hello`, `argo: the input is neither a JSON object nor YAML`},
		{"a scalar in YAML", `"a: b"`, `argo: want an object, found a string`},
		{"a list", `[1]`, `argo: items[0]: want an object, found a number`},
		{"not UTF-8", "{\"a\":\"\xff\"}", `argo: the input is not UTF-8`},
		{"JSON cut off", `{"kind":"Workflow"`, `argo: byte 18: unexpected end of JSON input`},
		{"JSON with a comma too many", `{"kind":"Workflow",}`, `argo: byte 20: invalid character '}' looking for beginning of object key string`},
		{"more after the object", object(`{}`) + ` {}`, `argo: workflow "w": byte 216: invalid character '{' after top-level value`},
		{"two documents", "kind: Workflow\n---\nkind: Workflow\n", `argo: want one YAML document, found 2`},
		{"bad YAML", "kind: [", `argo: yaml: line 1: did not find expected node content`},
		{"a key twice in YAML", "kind: Workflow\nkind: Workflow\n", "argo: yaml: unmarshal errors:\n  line 2: key \"kind\" already set in map"},
		{"an alias to nothing", "kind: *x", `argo: yaml: unknown anchor 'x' referenced`},

		// Not one workflow.
		{"another kind", `{"kind":"Pod","metadata":{"name":"p"}}`, `argo: workflow "p": kind: want Workflow, found "Pod"`},
		{"no kind", `{"metadata":{"name":"p"}}`, `argo: workflow "p": kind: want Workflow, found ""`},
		{"a number for a kind", `{"kind":1}`, `argo: kind: want a string, found a number`},
		{"an empty list", `{"kind":"List","items":[]}`, `argo: items: want one workflow, found 0`},
		{"a list without items", `{"kind":"WorkflowList"}`, `argo: items: want one workflow, found 0`},
		{"two workflows", `{"kind":"List","items":[` + object(`{}`) + `,` + object(`{}`) + `]}`, `argo: items: want one workflow, found 2`},
		{"a list of something else", `{"kind":"List","items":[1]}`, `argo: items[0]: want an object, found a number`},
		{"a list of a list", `{"kind":"List","items":[{"kind":"List","items":[` + object(`{}`) + `]}]}`, `argo: kind: want Workflow, found "List"`},
		{"items that are no list", `{"kind":"List","items":{}}`, `argo: items: want a list, found an object`},
		{"no name", `{"kind":"Workflow","metadata":{}}`, `argo: metadata.name: is empty`},
		{"a number for a name", `{"kind":"Workflow","metadata":{"name":1}}`, `argo: metadata.name: want a string, found a number`},

		// Keys that are there twice.
		{"a key twice", `{"kind":"Workflow","kind":"Workflow"}`, `argo: kind: the key is there twice`},
		{"a key twice in the metadata", `{"kind":"Workflow","metadata":{"name":"w","name":"v"}}`, `argo: workflow "w": metadata.name: the key is there twice`},
		{"a key twice in the status", object(`{"phase":"Running","phase":"Failed"}`), `argo: workflow "w": status.phase: the key is there twice`},
		{"a key twice in the spec", withSpec(`{"templates":[{"name":"a"},{"name":"b","dag":{"tasks":[{"name":"x","name":"y"}]}}]}`),
			`argo: workflow "w": spec.templates[1].dag.tasks[0].name: the key is there twice`},
		{"an empty key twice", `{"kind":"Workflow","metadata":{"":1,"":2}}`, `argo: metadata.: the key is there twice`},
		{"a key twice, deep inside", withSpec(strings.Repeat(`{"templates":[`, 200) + `{"a":1,"a":2}` + strings.Repeat(`]}`, 200)),
			`argo: workflow "w": spec.templates[0]` + strings.Repeat(".templates[0]", 14) + `....: the key is there twice`},
		{"a key twice among many", withSpec(`{"hooks":{` + manyKeys(40) + `"k3":{}}}`), `argo: workflow "w": spec.hooks.k3: the key is there twice`},
		{"a node twice", object(`{"nodes":{"w":{"id":"w","name":"w","type":"Pod","phase":"Running"},"w":{}}}`),
			`argo: workflow "w": node "w": the key is there twice`},
		{"a field of a node twice", withNode(`"phase":"Running","phase":"Failed"`), `argo: workflow "w": node "w": phase: the key is there twice`},
		{"a field of a node twice, once in disguise", withNode(`"phase":"Running","ph\u0061se":"Failed"`), `argo: workflow "w": node "w": phase: the key is there twice`},

		// The status.
		{"a status that is no object", object(`[]`), `argo: workflow "w": status: want an object, found a list`},
		{"an unknown phase", object(`{"phase":"Happy"}`), `argo: workflow "w": status.phase: "Happy" is not a phase of a workflow`},
		{"a phase that only nodes have", object(`{"phase":"Omitted"}`), `argo: workflow "w": status.phase: "Omitted" is not a phase of a workflow`},
		{"a phase that is a number", object(`{"phase":1}`), `argo: workflow "w": status.phase: want a string, found a number`},
		{"a message that is a list", object(`{"message":[]}`), `argo: workflow "w": status.message: want a string, found a list`},
		{"a start that is no time", object(`{"startedAt":"today"}`), `argo: workflow "w": status.startedAt: "today" is not a time`},
		{"an end that is a number", object(`{"finishedAt":1}`), `argo: workflow "w": status.finishedAt: want a string, found a number`},
		{"offloaded nodes", object(`{"offloadNodeStatusVersion":"fnv:1"}`),
			`argo: workflow "w": status.offloadNodeStatusVersion: the nodes are offloaded to a database: ask the Argo server for the workflow, or turn off nodeStatusOffload: argo get w -n default -o json`},
		{"nodes that are no object", object(`{"nodes":[]}`), `argo: workflow "w": status.nodes: want an object, found a list`},

		// Compressed nodes.
		{"compressed nodes that are no text", object(`{"compressedNodes":1}`), `argo: workflow "w": status.compressedNodes: want a string, found a number`},
		{"compressed nodes that are not base64", object(`{"compressedNodes":"!!!!!!!!"}`), `argo: workflow "w": status.compressedNodes: illegal base64 data at input byte 0`},
		{"compressed nodes that are not gzip", object(`{"compressedNodes":"aGVsbG8gd29ybGQgaGVsbG8="}`), `argo: workflow "w": status.compressedNodes: gzip: invalid header`},
		{"compressed nodes cut off", object(`{"compressedNodes":"` + packed(`{"a":"b"}`)[:36] + `"}`), `argo: workflow "w": status.compressedNodes: unexpected EOF`},
		{"compressed nodes that are not JSON", object(`{"compressedNodes":"` + packed(`{`) + `"}`), `argo: workflow "w": status.compressedNodes: unexpected end of JSON input`},
		{"compressed nodes that are no object", object(`{"compressedNodes":"` + packed(`1`) + `"}`), `argo: workflow "w": status.nodes: want an object, found a number`},
		{"a bad node among them", object(`{"compressedNodes":"` + packed(`{"x":{}}`) + `"}`), `argo: workflow "w": node "x": id: is ""`},

		// Nodes.
		{"a node that is null", object(`{"nodes":{"w":null}}`), `argo: workflow "w": node "w": id: is ""`},
		{"a node that is text", object(`{"nodes":{"w":"x"}}`), `argo: workflow "w": node "w": want an object, found a string`},
		{"another id than the key", object(`{"nodes":{"w":{"id":"v"}}}`), `argo: workflow "w": node "w": id: is "v"`},
		{"an empty id", object(`{"nodes":{"":{"id":""}}}`), `argo: workflow "w": id: is ""`},
		{"a node without a name", withNode(`"type":"Pod","phase":"Running"`), `argo: workflow "w": node "w": name: is empty`},
		{"a node without a phase", withNode(`"name":"w","type":"Pod"`), `argo: workflow "w": node "w": phase: is empty`},
		{"an unknown phase of a node", withNode(`"name":"w","type":"Pod","phase":"Happy"`), `argo: workflow "w": node "w": phase: nodegraph: phase "Happy" is not a node phase`},
		{"a phase that is true", withNode(`"name":"w","phase":true`), `argo: workflow "w": node "w": phase: want a string, found a boolean`},
		{"a node without a type", withNode(`"name":"w","phase":"Running"`), `argo: workflow "w": node "w": type: is empty`},
		{"an unknown type", withNode(`"name":"w","phase":"Running","type":"Robot"`), `argo: workflow "w": node "w": type: "Robot" is not a node type`},
		{"the type of a workflow", withNode(`"name":"w","phase":"Running","type":"Workflow"`), `argo: workflow "w": node "w": type: "Workflow" is not a node type`},
		{"a type that is null", withNode(`"name":"w","phase":"Running","type":null`), `argo: workflow "w": node "w": type: is empty`},
		{"a type that is a list", withNode(`"type":[]`), `argo: workflow "w": node "w": type: want a string, found a list`},
		{"a start of a node that is no time", withNode(`"startedAt":"2026"`), `argo: workflow "w": node "w": startedAt: "2026" is not a time`},
		{"daemoned that is text", withNode(`"daemoned":"yes"`), `argo: workflow "w": node "w": daemoned: want true or false, found a string`},
		{"restarts that are no whole number", withNode(`"failedPodRestarts":1.5`), `argo: workflow "w": node "w": failedPodRestarts: want a whole number, found the number 1.5`},
		{"children that are text", withNode(`"children":"x"`), `argo: workflow "w": node "w": children: want a list, found a string`},
		{"a child that is a number", withNode(`"children":["x",1]`), `argo: workflow "w": node "w": children[1]: want a string, found a number`},
		{"a node flag that is a list", withNode(`"nodeFlag":[]`), `argo: workflow "w": node "w": nodeFlag: want an object, found a list`},
		{"a flag that is null in a list", withNode(`"nodeFlag":{"hooked":{}}`), `argo: workflow "w": node "w": nodeFlag.hooked: want true or false, found an object`},
		{"an exit code that is a number", withNode(`"outputs":{"exitCode":1}`), `argo: workflow "w": node "w": outputs.exitCode: want a string, found a number`},
		{"a fault in a field that is not looked at is none, the next one is", withNode(`"progress":[1,{"a":"]"}],"message":1`), `argo: workflow "w": node "w": message: want a string, found a number`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, err := argo.Read([]byte(test.in))
			require.EqualError(t, err, test.want)
			assert.Nil(t, w)
			var e *argo.ReadError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, e.Err, errors.Unwrap(e))
		})
	}
}

// manyKeys are so many members of an object, each with a comma behind it.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":{},`, i)
	}
	return b.String()
}

func TestReadErrorsKeepTheirCause(t *testing.T) {
	_, err := argo.Read([]byte(object(`{"offloadNodeStatusVersion":"fnv:1"}`)))
	require.ErrorIs(t, err, argo.ErrOffloaded)

	_, err = argo.Read([]byte(`{"a":1,"a":1}`))
	require.ErrorIs(t, err, argo.ErrDuplicateKey)

	_, err = argo.Read([]byte(withNode(`"name":"` + strings.Repeat("n", 1000) + `","phase":"` + strings.Repeat("p", 1000) + `"`)))
	var value *nodegraph.ValueError
	require.ErrorAs(t, err, &value)
	assert.Less(t, len(err.Error()), 500, "errors stay short whatever the input says")
}

// Hostile input is refused by a limit, or at least in the time that reading it takes.
func TestReadHostileInput(t *testing.T) {
	bomb := strings.Repeat(" ", 1<<20)
	limited := func(max string) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			var limit *nodegraph.LimitError
			require.ErrorAs(t, err, &limit)
			assert.Equal(t, max, limit.Limit)
		}
	}
	refused := func(t *testing.T, err error) { require.Error(t, err) }
	var aliases strings.Builder
	aliases.WriteString("kind: Workflow\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range 9 {
		fmt.Fprintf(&aliases, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i, i)
	}
	tests := []struct {
		name  string
		in    string
		check func(*testing.T, error)
	}{
		{"more than fits", object(`{"message":"` + strings.Repeat("x", 2<<20) + `"}`), limited("Bytes")},
		{"a gzip bomb", object(`{"compressedNodes":"` + packed(`{"a":"`+bomb+`"}`) + `"}`), limited("Decompressed")},
		{"YAML that becomes more than fits", "kind: &k " + strings.Repeat("x", 1000) + "\n" + repeated("k%d: *k\n", 2000), limited("Bytes")},
		{"a variable that becomes more than fits", withSpec(`{"arguments":{"parameters":[{"name":"p","value":"` + strings.Repeat("x", 10_000) +
			`"}]},"onExit":"` + strings.Repeat("{{workflow.parameters.p}}", 1000) + `"}`), limited("Bytes")},
		{"aliases of aliases", aliases.String(), refused},
		{"nested lists", withSpec(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)), refused},
		{"nested lists in YAML", "a: " + strings.Repeat("[", 20_000), refused},
		{"nested blocks in YAML", strings.Repeat("- ", 20_000) + "a: b", refused},
		{"a megabyte of zeros", strings.Repeat("\x00", 1<<20-1), refused},
		{"a megabyte of colons", strings.Repeat(":", 1<<20-1), refused},
		{"a megabyte of braces", strings.Repeat("{", 1<<20-1), refused},
		{"inline templates in one another", withSpec(`{"templates":[` + inlined(200) + `]}`), limited("Nesting")},
		{"a sequence without end", withSpec(taskWith(`"withSequence":{"count":"2000000000"}`)), limited("Items")},
		{"a sequence beyond numbers", withSpec(taskWith(`"withSequence":{"start":"-9223372036854775808","end":"9223372036854775807"}`)), limited("Items")},
		{"a sequence of more than numbers", withSpec(taskWith(`"withSequence":{"count":9223372036854775807}`)), limited("Items")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := argo.Read([]byte(test.in), argo.WithLimits(argo.Limits{Bytes: 1 << 20, Decompressed: 1 << 20}))
			test.check(t, err)
			assert.Less(t, len(err.Error()), 2000)
		})
	}
}

func repeated(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// inlined is a template with a template inside it, and so on.
func inlined(depth int) string {
	return strings.Repeat(`{"name":"t","steps":[[{"name":"s","inline":`, depth) + `{"container":{}}` + strings.Repeat(`}]]}`, depth)
}

// taskWith is the spec of a DAG with one task.
func taskWith(fields string) string {
	return `{"entrypoint":"main","templates":[{"name":"main","dag":{"tasks":[{"name":"t","template":"one",` + fields + `}]}},{"name":"one","container":{}}]}`
}

// A long chain of references between stored templates is no danger to the stack.
func TestReadLongChainOfReferences(t *testing.T) {
	const n = 50_000
	var stored strings.Builder
	for i := range n {
		fmt.Fprintf(&stored, `"namespaced/t/%d":{"steps":[[{"name":"s","template":"%d"}]]},`, i, i+1)
	}
	fmt.Fprintf(&stored, `"namespaced/t/%d":{"container":{}}`, n)
	text := `{"kind":"Workflow","metadata":{"name":"w"},"spec":{"templates":[{"name":"main","steps":[[{"name":"s","templateRef":{"name":"t","template":"0"}}]]}]},` +
		`"status":{"storedTemplates":{` + stored.String() + `}}}`
	assert.Len(t, read(t, []byte(text)).Spec.Templates, n+2)
}

// Who waits longest for a lock is served first, so the reader says when the workflow was created.
func TestReadCreated(t *testing.T) {
	const object = `{"kind":"Workflow","metadata":{"name":"w","creationTimestamp":%s},"spec":{"entrypoint":"a","templates":[{"name":"a","container":{}}]}}`
	assert.Equal(t, at(1), read(t, fmt.Appendf(nil, object, `"2026-08-21T12:00:01+02:00"`)).Spec.Created)
	assert.Zero(t, read(t, fmt.Appendf(nil, object, "null")).Spec.Created)
	_, err := argo.Read(fmt.Appendf(nil, object, `"yesterday"`))
	assert.ErrorContains(t, err, "metadata")
}

// All that decides how a node stands is read from it.
func TestReadStatus(t *testing.T) {
	full := `"name":"w","displayName":"W","type":"Pod","phase":"Running","message":"m","boundaryID":"b","templateName":"main",
		"templateScope":"local/w","startedAt":"2026-08-21T12:00:01+02:00","finishedAt":null,"daemoned":true,"taskResultSynced":false,
		"nodeFlag":{"hooked":true,"retried":true,"new":[1]},"memoizationStatus":{"hit":true,"key":"k"},
		"synchronizationStatus":{"waiting":"default/Mutex/m"},"outputs":{"parameters":[{"name":"p"}],"exitCode":"3"},
		"failedPodRestarts":2,"restartingPodUID":"u","children":["a","b"],"unknown":{"a":["}"]}`
	record := nodegraph.NodeStatus{ID: "w", Name: "w", DisplayName: "W", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseRunning, Message: "m",
		Boundary: "b", Template: "main", Started: at(1), Daemoned: true, Unsynced: true, Hooked: true, Retried: true, CacheHit: true,
		WaitsFor: "default/Mutex/m", ExitCode: 3, HasExit: true, Restarts: 2, Restarting: "u", Children: []string{"a", "b"}}
	small := nodegraph.NodeStatus{ID: "w", Name: "w", Kind: nodegraph.KindDAG, Phase: nodegraph.PhasePending}
	with := func(change func(*nodegraph.NodeStatus)) nodegraph.NodeStatus {
		r := small
		change(&r)
		return r
	}
	const least = `"name":"w","type":"DAG","phase":"Pending"`
	tests := []struct {
		name, in string
		want     nodegraph.Snapshot
	}{
		{"no status", withSpec(`{}`), nodegraph.Snapshot{}},
		{"an empty status", object(`{}`), nodegraph.Snapshot{}},
		{"a status that is null", object(`null`), nodegraph.Snapshot{}},
		{"nodes that are null", object(`{"nodes":null}`), nodegraph.Snapshot{}},
		{"the workflow itself", object(`{"phase":"Failed","message":"m","startedAt":"2026-08-21T10:00:01Z","finishedAt":"2026-08-21T10:00:02Z"}`),
			nodegraph.Snapshot{Phase: nodegraph.PhaseFailed, Message: "m", Started: at(1), Finished: at(2)}},
		{"a request to stop", withSpec(`{"shutdown":"Stop","suspend":true}`), nodegraph.Snapshot{Shutdown: "Stop", Suspended: true}},
		{"suspend that is false", withSpec(`{"suspend":false}`), nodegraph.Snapshot{}},
		{"a node with all fields", withNode(full), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{record}}},
		{"a daemon that is not ready", withNode(least + `,"daemoned":false`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Unready = true })}}},
		{"a node with the least", withNode(least), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"a node in YAML", "kind: Workflow\nmetadata: {name: w, creationTimestamp: 2026-08-21T10:00:00Z}\nstatus:\n  nodes:\n    w: {id: w, name: w, type: DAG, phase: Pending, startedAt: 2026-08-21T10:00:01Z}\n",
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Started = at(1) })}}},
		{"compressed nodes", object(`{"compressedNodes":"` + packed(`{"w":{"id":"w",`+least+`}}`) + `"}`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"compressed nodes beside an empty object", object(`{"nodes":{},"compressedNodes":"` + packed(`{"w":{"id":"w",`+least+`}}`) + `"}`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"compressed nodes beside others do not count, as in Argo", object(`{"nodes":{"w":{"id":"w",` + least + `}},"compressedNodes":"x"}`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"nodes in the order of their names", object(`{"nodes":{"2":{"id":"2","name":"b","type":"DAG","phase":"Pending"},"1":{"id":"1","name":"a","type":"DAG","phase":"Pending"}}}`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{
				{ID: "1", Name: "a", Kind: nodegraph.KindDAG, Phase: nodegraph.PhasePending}, {ID: "2", Name: "b", Kind: nodegraph.KindDAG, Phase: nodegraph.PhasePending}}}},
		{"an exit code that is no number says nothing", withNode(least + `,"outputs":{"exitCode":"none"}`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"results that are in", withNode(least + `,"taskResultSynced":true`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"nothing known of the results", withNode(least + `,"taskResultSynced":null`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"nulls", withNode(least + `,"daemoned":null,"children":null,"nodeFlag":null,"failedPodRestarts":null,"message":null,"startedAt":""`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{small}}},
		{"escapes", withNode(least + `,"message":"a\u0022\\"`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Message = `a"\` })}}},
		{"a key with escapes", withNode(least + `,"m\u0065ssage":"m"`), nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Message = "m" })}}},
		{"a template of a WorkflowTemplate", withNode(least + `,"templateRef":{"name":"lib","template":"build"}`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Template = "namespaced/lib/build" })}}},
		{"a template of a ClusterWorkflowTemplate", withNode(least + `,"templateRef":{"name":"lib","template":"build","clusterScope":true}`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Template = "cluster/lib/build" })}}},
		{"a template beside one of a WorkflowTemplate", withNode(least + `,"templateName":"test","templateScope":"namespaced/lib"`),
			nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{with(func(r *nodegraph.NodeStatus) { r.Template = "namespaced/lib/test" })}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, []byte(test.in))
			if diff := cmp.Diff(test.want, w.Snapshot); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A workflow may come in any form in which people keep it.
func TestReadForms(t *testing.T) {
	yaml := "# a comment\n---\nkind: Workflow\nmetadata:\n  name: w\n  namespace: default\n  uid: u\nspec:\n  entrypoint: main\n---\n# nothing\n...\n"
	tests := []struct{ name, in string }{
		{"JSON", object(`{}`)},
		{"JSON with white space around it", " \n" + object(`{}`) + "\n\n"},
		{"JSON with a byte order mark", "\ufeff" + object(`{}`)},
		{"a list with one item", `{"apiVersion":"v1","kind":"List","items":[` + object(`{}`) + `],"metadata":{}}`},
		{"a WorkflowList", `{"kind":"WorkflowList","items":[` + object(`{}`) + `]}`},
		{"YAML", yaml},
		{"a document with its mark on the same line", "--- {kind: Workflow, metadata: {name: w, namespace: default, uid: u}}"},
		{"a list in YAML", "kind: List\nitems:\n- kind: Workflow\n  metadata: {name: w, namespace: default, uid: u}\n"},
		{"YAML with a directive", "%YAML 1.1\n---\nkind: Workflow\nmetadata: {name: w, namespace: default, uid: u}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, []byte(test.in))
			assert.Equal(t, [3]string{"w", "default", "u"}, [3]string{w.Name, w.Namespace, w.UID})
		})
	}
}

// The caller may use its buffer again.
func TestReadKeepsNothingOfTheInput(t *testing.T) {
	text := []byte(object(`{"phase":"Running"}`))
	w := read(t, text)
	clear(text)
	assert.Equal(t, object(`{"phase":"Running"}`), string(encode(t, w)))
}

// The walk over a node allocates nothing. Its task has a list of dependencies, and a path for errors.
func TestReadingANodeHardlyAllocates(t *testing.T) {
	allocations := func(n int) float64 {
		text := wide(n)
		return testing.AllocsPerRun(3, func() { read(t, text) })
	}
	const few, many = 100, 1100
	assert.Less(t, (allocations(many)-allocations(few))/(many-few), 3.5, "allocations of a node and its task")
}
