package argo_test

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// podFields is a running pod as a controller writes it, with fields that this package does not know.
const podFields = `"name":"w","displayName":"w","type":"Pod","templateName":"main","templateScope":"local/w","phase":"Running",` +
	`"startedAt":"2026-08-21T10:00:01Z","finishedAt":null,"progress":"0/1","taskResultSynced":true,"new":{"b":1, "a":[ ]}`

// runningPod is the record of it.
func runningPod(changes ...func(*nodegraph.NodeStatus)) nodegraph.Snapshot {
	r := nodegraph.NodeStatus{ID: "w", Name: "w", DisplayName: "w", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseRunning, Template: "main", Started: at(1)}
	for _, change := range changes {
		change(&r)
	}
	return nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{r}}
}

// Each change of a node becomes the smallest patch of it.
func TestSetStatusOfANode(t *testing.T) {
	type record = nodegraph.NodeStatus
	tests := []struct {
		name   string
		extra  string // fields of the node, beside those of podFields
		change func(*record)
		want   string // the patch of the node, empty for none
	}{
		{"nothing", ``, func(*record) {}, ``},
		{"phase", ``, func(r *record) { r.Phase = nodegraph.PhaseFailed }, `{"phase":"Failed"}`},
		{"its end", ``, func(r *record) { r.Phase, r.Finished = nodegraph.PhaseFailed, at(2).Add(time.Millisecond) }, `{"phase":"Failed","finishedAt":"2026-08-21T10:00:02Z"}`},
		{"times that differ by less than a second are the same", ``, func(r *record) { r.Started = at(1).Add(999 * time.Millisecond) }, ``},
		{"a time in another zone", ``, func(r *record) { r.Started = at(3).In(time.FixedZone("", 3600)) }, `{"startedAt":"2026-08-21T10:00:03Z"}`},
		{"a start that is not set stays", ``, func(r *record) { r.Started = time.Time{} }, ``},
		{"message", ``, func(r *record) { r.Message = `a "b" <c> & d` }, `{"message":"a \"b\" <c> & d"}`},
		{"message that goes", `,"message":"m"`, func(*record) {}, `{"message":null}`},
		{"type", ``, func(r *record) { r.Kind = nodegraph.KindSkipped }, `{"type":"Skipped"}`},
		{"ready", ``, func(r *record) { r.Daemoned = true }, `{"daemoned":true}`},
		{"no longer ready", `,"daemoned":true`, func(*record) {}, `{"daemoned":null}`},
		{"runs, and is not ready yet", ``, func(r *record) { r.Unready = true }, `{"daemoned":false}`},
		{"ready after that", `,"daemoned":false`, func(r *record) { r.Daemoned = true }, `{"daemoned":true}`},
		{"pending again", `,"daemoned":false`, func(*record) {}, `{"daemoned":null}`},
		{"results that are not in", ``, func(r *record) { r.Unsynced = true }, `{"taskResultSynced":false}`},
		{"waits for a lock", ``, func(r *record) { r.WaitsFor = "default/Mutex/m" }, `{"synchronizationStatus":{"waiting":"default/Mutex/m"}}`},
		{"has the lock", `,"synchronizationStatus":{"waiting":"default/Mutex/m"}`, func(*record) {}, `{"synchronizationStatus":null}`},
		{"has the lock, and something else is said", `,"synchronizationStatus":{"waiting":"default/Mutex/m","x":1}`, func(*record) {}, `{"synchronizationStatus":{"waiting":null}}`},
		{"exit code", ``, func(r *record) { r.HasExit = true }, `{"outputs":{"exitCode":"0"}}`},
		{"exit code beside other outputs", `,"outputs":{"artifacts":[1]}`, func(r *record) { r.HasExit, r.ExitCode = true, 3 }, `{"outputs":{"exitCode":"3"}}`},
		{"another exit code", `,"outputs":{"exitCode":"1"}`, func(r *record) { r.HasExit, r.ExitCode = true, 3 }, `{"outputs":{"exitCode":"3"}}`},
		{"an exit code goes when the node runs again", `,"outputs":{"exitCode":"1"}`, func(*record) {}, `{"outputs":null}`},
		{"an exit code that is not set stays when the node has ended", `,"outputs":{"exitCode":"1"}`, func(r *record) { r.Phase = nodegraph.PhaseFailed }, `{"phase":"Failed"}`},
		{"restarts", ``, func(r *record) { r.Restarts = 2 }, `{"failedPodRestarts":2}`},
		{"no restarts", `,"failedPodRestarts":2`, func(*record) {}, `{"failedPodRestarts":null}`},
		{"a pod that is made anew", ``, func(r *record) { r.Restarting = "u" }, `{"restartingPodUID":"u"}`},
		{"a pod that was made anew", `,"restartingPodUID":"u"`, func(*record) {}, `{"restartingPodUID":null}`},
		{"a hit in the cache", ``, func(r *record) { r.CacheHit = true }, `{"memoizationStatus":{"hit":true,"key":"","cacheName":""}}`},
		{"a hit where the key is known", `,"memoizationStatus":{"hit":false,"key":"k","cacheName":"c"}`, func(r *record) { r.CacheHit = true }, `{"memoizationStatus":{"hit":true}}`},
		{"a hit before a manual retry", `,"memoizationStatus":{"hit":true,"key":"k","cacheName":"c"}`, func(*record) {}, `{"memoizationStatus":{"hit":false}}`},
		{"children", ``, func(r *record) { r.Children = []string{"a", "b"} }, `{"children":["a","b"]}`},
		{"children that are not rendered stay", `,"children":["a"]`, func(*record) {}, ``},
		{"children that are there already, in another order", `,"children":["b","a"]`, func(r *record) { r.Children = []string{"a", "b"} }, ``},
		{"a child more comes last", `,"children":["b","a"]`, func(r *record) { r.Children = []string{"c", "a", "b", "c"} }, `{"children":["b","a","c"]}`},
		{"a child less", `,"children":["b","a","x"]`, func(r *record) { r.Children = []string{"a", "b"} }, `{"children":["b","a"]}`},
		{"no children", `,"children":["b"]`, func(r *record) { r.Children = []string{} }, `{"children":null}`},
		{"what was said at its creation stays", ``, func(r *record) {
			r.DisplayName, r.Boundary, r.Template, r.Hooked, r.Retried = "x", "x", "x", true, true
		}, ``},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := withNode(podFields + test.extra)
			w := read(t, []byte(text))
			require.NoError(t, w.SetStatus(runningPod(test.change)))
			want := `{}`
			if test.want != "" {
				want = `{"status":{"nodes":{"w":` + test.want + `}}}`
			}
			assert.Equal(t, want, string(patch(t, w)))
			now := encode(t, w)
			assert.Equal(t, applied(t, []byte(text), patch(t, w)), decoded(t, now))
			assert.Contains(t, string(now), `"new":{"b":1, "a":[ ]}`, "what is not known stays byte for byte")
			require.NoError(t, w.SetStatus(runningPod(test.change)), "once more is no change")
			assert.Equal(t, string(now), string(encode(t, w)))
		})
	}
}

// The workflow as a whole.
func TestSetStatusOfTheWorkflow(t *testing.T) {
	const running = `{"phase":"Running","startedAt":"2026-08-21T10:00:01Z","finishedAt":null,"conditions":[ ]}`
	const ended = `{"phase":"Failed","message":"m","startedAt":"2026-08-21T10:00:01Z","finishedAt":"2026-08-21T10:00:02Z"}`
	tests := []struct {
		name, status string
		set          nodegraph.Snapshot
		want         string
	}{
		{"nothing", running, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: at(1)}, `{}`},
		{"its phase alone", running, nodegraph.Snapshot{Phase: nodegraph.PhaseFailed}, `{"status":{"phase":"Failed"}}`},
		{"requests belong to the spec", running, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Shutdown: "Stop", Suspended: true}, `{}`},
		{"its end", running, nodegraph.Snapshot{Phase: nodegraph.PhaseError, Message: "m", Started: at(1), Finished: at(9)},
			`{"status":{"phase":"Error","finishedAt":"2026-08-21T10:00:09Z","message":"m"}}`},
		{"its beginning", `{}`, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: at(1)}, `{"status":{"phase":"Running","startedAt":"2026-08-21T10:00:01Z"}}`},
		{"its beginning where there is no status", `null`, nodegraph.Snapshot{Phase: nodegraph.PhasePending}, `{"status":{"phase":"Pending"}}`},
		{"it runs again", ended, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: at(1)}, `{"status":{"phase":"Running","message":null,"finishedAt":null}}`},
		{"an end that is not set stays", ended, nodegraph.Snapshot{Phase: nodegraph.PhaseFailed, Message: "m"}, `{}`},
		{"not looked at yet", running, nodegraph.Snapshot{}, `{"status":{"phase":null}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := object(test.status)
			w := read(t, []byte(text))
			require.NoError(t, w.SetStatus(test.set))
			assert.JSONEq(t, test.want, string(patch(t, w)))
			assert.Equal(t, applied(t, []byte(text), patch(t, w)), withoutNulls(decoded(t, encode(t, w)), decoded(t, []byte(text))))
		})
	}
	t.Run("an object without a status", func(t *testing.T) {
		w := read(t, []byte(withSpec(`{}`)))
		require.NoError(t, w.SetStatus(nodegraph.Snapshot{Phase: nodegraph.PhaseRunning}))
		assert.Equal(t, strings.TrimSuffix(withSpec(`{}`), "}")+`,"status":{"phase":"Running"}}`, string(encode(t, w)))
	})
}

// withoutNulls takes a status out that stayed null: a merge patch can't say null.
func withoutNulls(now, was any) any {
	if now.(map[string]any)["status"] == nil && was.(map[string]any)["status"] == nil {
		return was
	}
	return now
}

// A node that the workflow does not have is created with Argo's fields.
func TestSetStatusCreatesNodes(t *testing.T) {
	const dag = `"name":"w","displayName":"w","type":"DAG","templateName":"main","templateScope":"local/w","phase":"Running"`
	tests := []struct {
		name, has string // the fields of the node "w"
		record    nodegraph.NodeStatus
		want      string
	}{
		{"a pod", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w", Template: "main", Started: at(1)},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"Pod","templateName":"main","templateScope":"local/w","phase":"Pending","boundaryID":"w","startedAt":"2026-08-21T10:00:01Z","taskResultSynced":true}`},
		{"a pod that did all at once", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", DisplayName: "A", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseFailed, Message: "m", Boundary: "w", Template: "main",
			Started: at(1), Finished: at(2), Unsynced: true, Hooked: true, Retried: true, CacheHit: true, HasExit: true, ExitCode: 1, Restarts: 1, WaitsFor: "l", Daemoned: true, Children: []string{"x"}},
			`{"id":"w-1","name":"w.a","displayName":"A","type":"Pod","templateName":"main","templateScope":"local/w","phase":"Failed","boundaryID":"w","message":"m","startedAt":"2026-08-21T10:00:01Z","finishedAt":"2026-08-21T10:00:02Z",` +
				`"daemoned":true,"taskResultSynced":false,"synchronizationStatus":{"waiting":"l"},"nodeFlag":{"hooked":true,"retried":true},"failedPodRestarts":1,"outputs":{"exitCode":"1"},"memoizationStatus":{"hit":true,"key":"","cacheName":""},"children":["x"]}`},
		{"a StepGroup", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w[0]", Kind: nodegraph.KindStepGroup, Phase: nodegraph.PhaseRunning, Boundary: "w"},
			`{"id":"w-1","name":"w[0]","displayName":"[0]","type":"StepGroup","templateScope":"local/w","phase":"Running","boundaryID":"w","nodeFlag":{}}`},
		{"a step", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w[12].a(0:x.y)", Kind: nodegraph.KindRetry, Phase: nodegraph.PhaseRunning, Boundary: "w", Template: "main"},
			`{"id":"w-1","name":"w[12].a(0:x.y)","displayName":"a(0:x.y)","type":"Retry","templateName":"main","templateScope":"local/w","phase":"Running","boundaryID":"w"}`},
		{"a task that was skipped", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindSkipped, Phase: nodegraph.PhaseSkipped, Boundary: "w", Template: "main"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"Skipped","templateName":"main","templateScope":"local/w","phase":"Skipped","boundaryID":"w","nodeFlag":{}}`},
		{"an exit handler", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.onExit", Kind: nodegraph.KindHTTP, Phase: nodegraph.PhasePending, Template: "main", Hooked: true},
			`{"id":"w-1","name":"w.onExit","displayName":"w.onExit","type":"HTTP","templateName":"main","templateScope":"local/w","phase":"Pending","nodeFlag":{"hooked":true}}`},
		{"a container of an attempt", `"name":"w","type":"Pod","phase":"Running","nodeFlag":{"retried":true}`, nodegraph.NodeStatus{ID: "w-1", Name: "w.x", Kind: nodegraph.KindContainer, Phase: nodegraph.PhasePending, Boundary: "w", Template: "main"},
			`{"id":"w-1","name":"w.x","displayName":"x","type":"Container","templateName":"main","templateScope":"local/w","phase":"Pending","boundaryID":"w","nodeFlag":{"retried":true}}`},
		{"an inline template has no name", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w", Template: "a"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"Pod","templateScope":"local/w","phase":"Pending","boundaryID":"w","taskResultSynced":true}`},
		{"a template of a WorkflowTemplate", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindDAG, Phase: nodegraph.PhaseRunning, Boundary: "w", Template: "namespaced/lib/build"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"DAG","templateRef":{"name":"lib","template":"build"},"templateScope":"local/w","phase":"Running","boundaryID":"w"}`},
		{"a template of a ClusterWorkflowTemplate", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindDAG, Phase: nodegraph.PhaseRunning, Boundary: "w", Template: "cluster/lib/build"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"DAG","templateRef":{"name":"lib","template":"build","clusterScope":true},"templateScope":"local/w","phase":"Running","boundaryID":"w"}`},
		{"beside it in the same WorkflowTemplate", `"name":"w","type":"DAG","templateRef":{"name":"lib","template":"build"},"templateScope":"local/w","phase":"Running"`,
			nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindDAG, Phase: nodegraph.PhaseRunning, Boundary: "w", Template: "namespaced/lib/test"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"DAG","templateName":"test","templateScope":"namespaced/lib","phase":"Running","boundaryID":"w"}`},
		{"a boundary that does not exist", dag, nodegraph.NodeStatus{ID: "w-1", Name: "v.a", Kind: nodegraph.KindSuspend, Phase: nodegraph.PhaseRunning, Boundary: "v", Template: "main"},
			`{"id":"w-1","name":"v.a","displayName":"v.a","type":"Suspend","templateName":"main","templateScope":"local/w","phase":"Running","boundaryID":"v"}`},
		{"a boundary without a scope", `"name":"w","type":"DAG","phase":"Running"`, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindSuspend, Phase: nodegraph.PhaseRunning, Boundary: "w"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"Suspend","templateScope":"local/w","phase":"Running","boundaryID":"w"}`},
		{"a name like a key", dag, nodegraph.NodeStatus{ID: "w-1", Name: "w.a", Kind: nodegraph.KindSuspend, Phase: nodegraph.PhaseRunning, Boundary: "w", Template: "other/x/y"},
			`{"id":"w-1","name":"w.a","displayName":"a","type":"Suspend","templateScope":"local/w","phase":"Running","boundaryID":"w"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := withNode(test.has)
			w := read(t, []byte(text))
			require.NoError(t, w.SetStatus(nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{test.record}}))
			assert.Equal(t, `{"status":{"nodes":{"w-1":`+test.want+`}}}`, string(patch(t, w)))
			assert.Equal(t, applied(t, []byte(text), patch(t, w)), decoded(t, encode(t, w)))
		})
	}
	t.Run("in any order, each knows its boundary", func(t *testing.T) {
		w := read(t, []byte(object(`{}`)))
		require.NoError(t, w.SetStatus(nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{
			{ID: "w-1", Name: "w.a.b", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w-2", Template: "namespaced/lib/test"},
			{ID: "w-2", Name: "w.a", Kind: nodegraph.KindDAG, Phase: nodegraph.PhaseRunning, Boundary: "w", Template: "namespaced/lib/build"},
			{ID: "w", Name: "w", Kind: nodegraph.KindDAG, Phase: nodegraph.PhaseRunning, Template: "main"},
		}}))
		assert.Contains(t, string(encode(t, w)), `"displayName":"b","type":"Pod","templateName":"test","templateScope":"namespaced/lib"`)
	})
}

// A snapshot that can't be written changes nothing.
func TestSetStatusErrors(t *testing.T) {
	good := runningPod(func(r *nodegraph.NodeStatus) { r.Phase = nodegraph.PhaseFailed }).Nodes[0]
	with := func(change func(*nodegraph.NodeStatus)) nodegraph.Snapshot {
		r := good
		r.ID, r.Name = "w-1", "w.a"
		change(&r)
		return nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{good, r}}
	}
	tests := []struct {
		name string
		set  nodegraph.Snapshot
		want string
	}{
		{"a phase of nodes", nodegraph.Snapshot{Phase: nodegraph.PhaseOmitted}, `argo: workflow "w": status.phase: "Omitted" is not a phase of a workflow`},
		{"no phase at all", nodegraph.Snapshot{Phase: 99}, `argo: workflow "w": status.phase: "Phase(99)" is not a phase of a workflow`},
		{"no id", with(func(r *nodegraph.NodeStatus) { r.ID = "" }), `argo: workflow "w": id: is empty`},
		{"an id twice", with(func(r *nodegraph.NodeStatus) { r.ID = "w" }), `argo: workflow "w": node "w": id: is in the snapshot twice`},
		{"no name", with(func(r *nodegraph.NodeStatus) { r.Name = "" }), `argo: workflow "w": node "w-1": name: is empty`},
		{"a node that does not exist yet", with(func(r *nodegraph.NodeStatus) { r.Phase = nodegraph.PhasePlanned }), `argo: workflow "w": node "w-1": phase: "" can't be written`},
		{"a phase that is none", with(func(r *nodegraph.NodeStatus) { r.Phase = 99 }), `argo: workflow "w": node "w-1": phase: "Phase(99)" can't be written`},
		{"the workflow itself", with(func(r *nodegraph.NodeStatus) { r.Kind = nodegraph.KindWorkflow }), `argo: workflow "w": node "w-1": type: "Workflow" can't be written`},
		{"a kind that is none", with(func(r *nodegraph.NodeStatus) { r.Kind = 99 }), `argo: workflow "w": node "w-1": type: "Kind(99)" can't be written`},
		{"another node of this id", runningPod(func(r *nodegraph.NodeStatus) { r.Name = "v" }), `argo: workflow "w": node "w": name: is "v" in the snapshot, "w" in the workflow`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, []byte(withNode(podFields)))
			err := w.SetStatus(test.set)
			require.EqualError(t, err, test.want)
			var e *argo.WriteError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, e.Err, errors.Unwrap(e))
			assert.Equal(t, "{}", string(patch(t, w)))
			assert.Equal(t, withNode(podFields), string(encode(t, w)))
		})
	}
}

// Nodes that are removed are gone from the lists of all others too.
func TestRemoveNodes(t *testing.T) {
	text := object(`{"nodes":{` +
		`"w":{"id":"w","name":"w","type":"DAG","phase":"Failed","children":["w-1","w-3"],"outboundNodes":["w-2"]},` +
		`"w-1":{"id":"w-1","name":"w.a","type":"Pod","phase":"Succeeded","children":["w-2"],"outboundNodes":{"odd":1}},` +
		`"w-2":{"id":"w-2","name":"w.b","type":"Pod","phase":"Failed"},` +
		`"w-3":{"id":"w-3","name":"w.c","type":"Pod","phase":"Succeeded","message":"stays"}}}`)
	w := read(t, []byte(text))
	w.RemoveNodes("w-2", "none", "w-2")
	assert.Equal(t, `{"status":{"nodes":{"w":{"outboundNodes":null},"w-1":{"children":null},"w-2":null}}}`, string(patch(t, w)))
	assert.Equal(t, applied(t, []byte(text), patch(t, w)), decoded(t, encode(t, w)))
	assert.Len(t, read(t, encode(t, w)).Snapshot.Nodes, 3)

	w.RemoveNodes("none")
	w.RemoveNodes("w-3")
	assert.Equal(t, `{"status":{"nodes":{"w":{"children":["w-1"],"outboundNodes":null},"w-1":{"children":null},"w-2":null,"w-3":null}}}`, string(patch(t, w)))

	again := nodegraph.NodeStatus{ID: "w-2", Name: "w.b", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w"}
	added := nodegraph.NodeStatus{ID: "w-4", Name: "w.d", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w"}
	require.NoError(t, w.SetStatus(nodegraph.Snapshot{Nodes: []nodegraph.NodeStatus{again, added}}))
	w.RemoveNodes("w-4")
	assert.Equal(t, `{"w":{"children":["w-1"],"outboundNodes":null},"w-1":{"children":null},`+
		`"w-2":{"displayName":"b","templateScope":"local/w","phase":"Pending","boundaryID":"w","taskResultSynced":true},"w-3":null}`,
		strings.TrimSuffix(strings.TrimPrefix(string(patch(t, w)), `{"status":{"nodes":`), `}}`), "a node that was removed and comes again is patched, one that came and went is not there")
}

// Nodes that came compressed are compressed again, and patched as a whole.
func TestSetStatusOfCompressedNodes(t *testing.T) {
	nodes := `{"w":{"id":"w",` + podFields + `}}`
	text := object(`{"phase":"Running","compressedNodes":"` + packed(nodes) + `","nodes":null}`)
	w := read(t, []byte(text))
	assert.Equal(t, text, string(encode(t, w)), "unchanged nodes stay as they are packed")

	s := runningPod(func(r *nodegraph.NodeStatus) { r.Phase, r.Finished = nodegraph.PhaseSucceeded, at(5) })
	s.Phase = nodegraph.PhaseRunning
	require.NoError(t, w.SetStatus(s))
	var p struct {
		Status map[string]string
	}
	require.NoError(t, json.Unmarshal(patch(t, w), &p))
	assert.Len(t, p.Status, 1)
	want := strings.NewReplacer(`"Running"`, `"Succeeded"`, `"finishedAt":null`, `"finishedAt":"2026-08-21T10:00:05Z"`).Replace(nodes)
	assert.Equal(t, want, unpacked(t, p.Status["compressedNodes"]))
	assert.Equal(t, nodegraph.PhaseSucceeded, read(t, encode(t, w)).Snapshot.Nodes[0].Phase)
	assert.Equal(t, withoutKey(applied(t, []byte(text), patch(t, w))), withoutKey(decoded(t, encode(t, w))))

	require.NoError(t, w.SetStatus(nodegraph.Snapshot{Phase: nodegraph.PhaseRunning}))
	w.RemoveNodes("w")
	assert.Empty(t, read(t, encode(t, w)).Snapshot.Nodes)
}

// Nodes that came plain are written compressed where there are many, and read back the same.
func TestPackNodes(t *testing.T) {
	text := object(`{"phase":"Running","nodes":{"w":{"id":"w",` + podFields + `}}}`)
	w := read(t, []byte(text))
	require.NoError(t, w.SetStatus(runningPod(func(r *nodegraph.NodeStatus) { r.Phase, r.Finished = nodegraph.PhaseSucceeded, at(5) })))
	plain := w.NodesSize()
	w.PackNodes()
	require.Equal(t, plain, w.NodesSize(), "it is the size of what is packed")
	require.Contains(t, string(patch(t, w)), `"nodes":null`)
	for _, whole := range [][]byte{encode(t, w), []byte(must(json.Marshal(applied(t, []byte(text), patch(t, w)))))} {
		again := read(t, whole)
		require.Equal(t, nodegraph.PhaseSucceeded, again.Snapshot.Nodes[0].Phase)
		require.NotContains(t, string(whole), `"nodes":{`)
	}
}

func must(text []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(text)
}

// withoutKey takes out a null that the object had from the beginning.
func withoutKey(o any) any {
	delete(o.(map[string]any)["status"].(map[string]any), "nodes")
	return o
}

func unpacked(t *testing.T, text string) string {
	t.Helper()
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(b)
}

// Nodes may come one by one in the same memory.
func TestSetStatusSeq(t *testing.T) {
	s := nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Nodes: []nodegraph.NodeStatus{
		{ID: "w", Name: "w", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseRunning, Message: "m", Children: []string{"a"}},
		{ID: "a", Name: "w.a", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w"},
		{ID: "b", Name: "w.b", Kind: nodegraph.KindSkipped, Phase: nodegraph.PhaseSkipped, Boundary: "w"},
	}}
	listed, oneByOne := read(t, []byte(withNode(podFields))), read(t, []byte(withNode(podFields)))
	require.NoError(t, listed.SetStatus(s))
	var memory nodegraph.NodeStatus
	require.NoError(t, oneByOne.SetStatusSeq(s, func(yield func(*nodegraph.NodeStatus) bool) {
		for k := range s.Nodes {
			if memory = s.Nodes[k]; !yield(&memory) {
				return
			}
		}
	}))
	memory = nodegraph.NodeStatus{}
	require.Equal(t, string(patch(t, listed)), string(patch(t, oneByOne)))
	require.Contains(t, string(patch(t, oneByOne)), `"w.b"`)
}

// A node whose keys are sorted, as an API server has them, is sorted still once something was added. Others keep their order.
func TestSortedNodesStaySorted(t *testing.T) {
	for fields, want := range map[string]string{
		`"id":"w","name":"w","phase":"Running","type":"Pod"`: `"finishedAt":"2026-08-21T10:00:09Z","id":"w","message":"m","name":"w","phase":"Failed","type":"Pod"`,
		`"name":"w","id":"w","phase":"Running","type":"Pod"`: `"name":"w","id":"w","phase":"Failed","type":"Pod","message":"m","finishedAt":"2026-08-21T10:00:09Z"`,
	} {
		w := read(t, []byte(object(`{"phase":"Running","nodes":{"w":{`+fields+`}}}`)))
		require.NoError(t, w.SetStatus(nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Nodes: []nodegraph.NodeStatus{
			{ID: "w", Name: "w", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseFailed, Message: "m", Finished: at(9)},
		}}))
		assert.Contains(t, string(encode(t, w)), want)
		assert.Contains(t, string(patch(t, w)), `{"phase":"Failed","message":"m","finishedAt":"2026-08-21T10:00:09Z"}`, "a patch has them in the order of a node")
	}
}

// A change that is taken back is no change, however the text looks by then.
func TestPatchComparesMeaning(t *testing.T) {
	w := read(t, []byte(withNode(`  "name" : "w", "type":"Pod","phase":"Running","children": [ "a", "b" ], "message":"\u0061","outputs":{ "exitCode" : "1" },"startedAt":"2026-08-21T10:00:01+00:00"`)))
	was := w.Snapshot
	was.Nodes[0].Children = []string{"a", "b"}
	changed := runningPod(func(r *nodegraph.NodeStatus) {
		r.Phase, r.Message, r.Children = nodegraph.PhaseFailed, "x", []string{"a"}
		r.HasExit, r.ExitCode = true, 2
	})
	require.NoError(t, w.SetStatus(changed))
	require.NoError(t, w.SetStatus(was))
	assert.Equal(t, `{}`, string(patch(t, w)))
}

// YAML that is read is written as YAML with the same meaning.
func TestEncodeYAML(t *testing.T) {
	w := read(t, []byte(withNode(podFields+`,"message":"\ud83d\ude00 <b>","big":12345678901234567890,"small":0.10`)))
	require.NoError(t, w.SetStatus(runningPod(func(r *nodegraph.NodeStatus) { r.Message = "\U0001F600 <c>" })))
	text, err := w.EncodeYAML()
	require.NoError(t, err)
	assert.Contains(t, string(text), "kind: Workflow\n")
	again := read(t, text)
	assert.Equal(t, "\U0001F600 <c>", again.Snapshot.Nodes[0].Message)
	assert.Contains(t, string(encode(t, again)), `"big":12345678901234567890`)
}

// Control characters in a message, as programs print them, came back as something else or were refused.
func TestYAMLKeepsControlCharacters(t *testing.T) {
	for _, c := range []string{"\u0085", "\u007f", "\u009b", "\ufffe"} {
		w := read(t, []byte(object(`{"phase":"Failed","message":"x`+c+`y"}`)))
		inYAML, err := w.EncodeYAML()
		if assert.NoError(t, err, "%+q", c) {
			assert.Equal(t, w.Snapshot.Message, read(t, inYAML).Snapshot.Message, "%+q", c)
		}
	}
}

// A manual retry takes the shutdown out of the spec; everything else in it stays byte for byte.
func TestClearShutdown(t *testing.T) {
	for _, tt := range []struct{ spec, want, patch string }{
		{`{"entrypoint": "m",  "shutdown": "Stop", "templates": [{"name": "m", "container": {}}]}`, `{"entrypoint":"m","templates":[{"name": "m", "container": {}}]}`, `{"spec":{"shutdown":null}}`},
		{`{"entrypoint": "m",  "templates": [{"name": "m", "container": {}}]}`, `{"entrypoint": "m",  "templates": [{"name": "m", "container": {}}]}`, `{}`},
	} {
		w := read(t, []byte(`{"kind": "Workflow", "metadata": {"name": "wf"}, "spec": `+tt.spec+`}`))
		w.ClearShutdown()
		encoded, err := w.Encode()
		require.NoError(t, err)
		assert.Contains(t, string(encoded), tt.want)
		patch, err := w.Patch()
		require.NoError(t, err)
		assert.Equal(t, tt.patch, string(patch))
	}
}
