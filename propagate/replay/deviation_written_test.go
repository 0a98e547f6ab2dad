package replay_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// Deviations that no recording shows. The frames here are written by hand: they say what the source of the controller does.

// A writtenFrame is one frame: the state of each node and the phase of each pod, one a line.
type writtenFrame struct {
	after string // the time since the first frame
	nodes string // "name Kind Phase message"
	pods  string // "name Phase message"
	ended bool   // whether the workflow has Succeeded
}

// written makes a recording of frames that were written by hand. The workflow is wf, its entry node too.
func written(t *testing.T, spec string, frames ...writtenFrame) *replay.Recording {
	t.Helper()
	type object = map[string]any
	var list []any
	began := make(map[string]time.Time)
	for _, f := range frames {
		d, err := time.ParseDuration(f.after)
		require.NoError(t, err)
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(d)
		nodes, pods := object{}, []object{}
		for line := range strings.Lines(f.nodes) {
			word := strings.Fields(line)
			if len(word) == 0 {
				continue
			}
			id := nodegraph.NodeID("wf", word[0])
			if began[id].IsZero() {
				began[id] = now
			}
			n := object{"id": id, "name": word[0], "type": word[1], "phase": word[2], "startedAt": began[id]}
			n["message"] = strings.Join(word[3:], " ")
			if word[0] != "wf" {
				n["boundaryID"] = "wf"
			}
			if word[2] == "Succeeded" || word[2] == "Failed" {
				n["finishedAt"] = now
			}
			n["nodeFlag"] = object{"hooked": strings.HasSuffix(word[0], ".onExit"), "retried": strings.HasSuffix(word[0], "(0)") || strings.HasSuffix(word[0], "(1)")}
			var children []string
			for child := range strings.Lines(f.nodes) {
				if name := strings.Fields(child); len(name) > 0 && strings.HasPrefix(name[0], word[0]+"(") {
					children = append(children, nodegraph.NodeID("wf", name[0]))
				}
			}
			n["children"] = children
			nodes[id] = n
		}
		for line := range strings.Lines(f.pods) {
			ended := object{"name": "main", "state": object{"terminated": object{"finishedAt": now, "exitCode": 1, "reason": "Error"}}}
			if word := strings.Fields(line); len(word) > 0 {
				id := nodegraph.NodeID("wf", word[0])
				pods = append(pods, object{
					"metadata": object{"name": id, "uid": "uid-" + id, "annotations": object{"workflows.argoproj.io/node-id": id, "workflows.argoproj.io/node-name": word[0]}},
					"status":   object{"phase": word[1], "message": strings.Join(word[2:], " "), "containerStatuses": []object{ended}},
				})
			}
		}
		status := object{"phase": "Running", "startedAt": began["wf"], "nodes": nodes}
		if f.ended {
			status["phase"], status["finishedAt"] = "Succeeded", now
		}
		list = append(list, object{"now": now, "pods": pods, "status": status})
	}
	var parsed object
	require.NoError(t, json.Unmarshal([]byte(spec), &parsed))
	data, err := json.Marshal(object{
		"name": t.Name(), "frames": list,
		"workflow": object{
			"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": parsed,
			"metadata": object{"name": "wf", "creationTimestamp": "2026-01-02T03:04:05Z"},
		},
	})
	require.NoError(t, err)
	r, err := replay.Read(data)
	require.NoError(t, err)
	return r
}

// playWritten plays and judges frames that were written by hand.
func playWritten(t *testing.T, r *replay.Recording, mode replay.Mode) *played {
	t.Helper()
	p := playRecording(t, r, mode, (*propagate.Engine).Check)
	v, err := replay.Judge(&replay.Player{Recording: r, Mode: mode})
	require.NoError(t, err)
	p.verdict = v
	for _, d := range v.Differences {
		require.NotZero(t, d.Deviation, "%s", fmt.Sprint(d))
	}
	return p
}

// Another attempt waits for a place under parallelism. Meanwhile b has the one that there is.
func TestDeviation42LaterAttemptTakesAPlace(t *testing.T) {
	const spec = `{"entrypoint": "main", "parallelism": 1, "templates": [
		{"name": "main", "dag": {"tasks": [{"name": "a", "template": "again"}, {"name": "b", "template": "work"}]}},
		{"name": "again", "retryStrategy": {"limit": 1, "backoff": {"duration": "10s"}}, "container": {"image": "i"}},
		{"name": "work", "container": {"image": "i"}}]}`
	r := written(t, spec,
		writtenFrame{after: "0s", nodes: "wf DAG Running\n wf.a Retry Running\n wf.a(0) Pod Pending"},
		writtenFrame{
			after: "1s", pods: "wf.a(0) Failed Evicted",
			nodes: "wf DAG Running\n wf.a Retry Running Backoff for 10 seconds\n wf.a(0) Pod Failed Evicted\n wf.b Pod Pending",
		},
		writtenFrame{
			after: "12s", pods: "wf.a(0) Failed Evicted\n wf.b Running",
			nodes: "wf DAG Running\n wf.a Retry Running\n wf.a(0) Pod Failed Evicted\n wf.a(1) Pod Pending\n wf.b Pod Running",
		},
	)
	for _, mode := range modes {
		playWritten(t, r, mode).shows(t,
			sight{2, "wf.a(1)", `Pod Pending`, `(none)`, 42},
			sight{2, "wf.b", `Pod Running`, `Pod Running`, 0},
		)
	}
}

// The exit hook of a TaskGroup runs although the group is all that its DAG waits for.
func TestDeviation43ExitHookOfALoop(t *testing.T) {
	const spec = `{"entrypoint": "main", "templates": [
		{"name": "main", "dag": {"tasks": [{"name": "a", "template": "work", "withItems": ["x"], "hooks": {"exit": {"template": "work"}}}]}},
		{"name": "work", "container": {"image": "i"}}]}`
	r := written(t, spec,
		writtenFrame{after: "0s", nodes: "wf DAG Running\n wf.a TaskGroup Running\n wf.a(0:x) Pod Pending"},
		writtenFrame{
			after: "1s", pods: "wf.a(0:x) Succeeded",
			nodes: "wf DAG Running\n wf.a TaskGroup Succeeded\n wf.a(0:x) Pod Succeeded\n wf.a(0:x).onExit Pod Pending",
		},
		writtenFrame{
			after: "2s", pods: "wf.a(0:x).onExit Succeeded", ended: true,
			nodes: "wf DAG Succeeded\n wf.a TaskGroup Succeeded\n wf.a(0:x) Pod Succeeded\n wf.a(0:x).onExit Pod Succeeded",
		},
	)
	playWritten(t, r, replay.Free).shows(t,
		sight{2, "wf.a", `TaskGroup Succeeded`, `TaskGroup Succeeded`, 0},
		sight{2, "wf.a.onExit", `(none)`, `Pod Pending`, 43},
		sight{2, "wf", `DAG Succeeded`, `DAG Running`, 43},
		sight{2, "", `Succeeded`, `Running`, 43},
	)
}
