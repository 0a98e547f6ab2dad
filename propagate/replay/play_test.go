package replay_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// What surrounded the controller is answered as the record shows it, so that nothing differs. Each recording is about one
// kind of answer.
func TestSurroundingsAreTakenFromTheRecord(t *testing.T) {
	for name, what := range map[string]string{
		"mutex-waiting-stop":     "a grant to a workflow that was stopped is given back",
		"mutex-waiting-deadline": "a grant to a workflow past its deadline is given back",
		"mutex-crossed":          "what a lock lets start asks before the next task does",
		"mutex-several-overlap":  "several mutexes are granted together",
		"mutex-and-semaphore":    "a mutex and a semaphore are granted together",
		"sem-one-slot":           "one may hold the semaphore",
		"sem-two-slots":          "two may hold the semaphore",
		"when-status":            "conditions over statuses and exit codes",
		"when-param":             "conditions over parameters with literal values",
		"http-nodes":             "HTTP nodes end as it was reported",
		"http-agent-fails":       "HTTP nodes lose their agent",
		"plugin-node":            "a Plugin node ends as it was reported",
		"suspend-stopnode":       "one Suspend node is refused and one is resumed, by selectors",
	} {
		for _, mode := range modes {
			v := judge(t, filepath.Join(recordings, "wide", name+".json.gz"), mode)
			require.NoError(t, v.err, "%s: %s", name, what)
			require.NoError(t, v.broken, "%s: %s", name, what)
			for _, d := range v.Differences {
				assert.True(t, d.Ahead, "mode %s: %s: %s", mode, what, d.String())
			}
		}
	}
}

// A cache that the record shows to have held a key holds it for the engine, and one that it shows to have missed does not.
func TestCachesAreTakenFromTheRecord(t *testing.T) {
	r := read(t, filepath.Join(recordings, "wide/memoize-composite.json.gz"))
	for _, mode := range modes {
		require.NoError(t, (&replay.Player{Recording: r, Mode: mode}).Play(func(m *replay.Moment) error {
			if m.Frame == 0 {
				assert.Equal(t, "Succeeded", shown(m.Engine, "memoc.d"), "mode %s: a DAG whose key is cached", mode)
				assert.Equal(t, "(none)", shown(m.Engine, "memoc.d.a"), "mode %s: a task inside it", mode)
				assert.Equal(t, "Succeeded", shown(m.Engine, "memoc.s"), "mode %s: Steps whose key is cached", mode)
				assert.Equal(t, "Pending", shown(m.Engine, "memoc.r(0)"), "mode %s: an attempt whose key is not cached", mode)
			}
			return nil
		}))
	}
}

// A suspended workflow starts nothing until it goes on.
func TestSuspendedWorkflow(t *testing.T) {
	r := read(t, filepath.Join(recordings, "wide/suspend-workflow.json.gz"))
	for _, mode := range modes {
		require.NoError(t, (&replay.Player{Recording: r, Mode: mode}).Play(func(m *replay.Moment) error {
			want := "Pending"
			if m.Frame < 5 {
				want = "(none)"
			}
			if m.Frame <= 5 {
				assert.Equal(t, want, shown(m.Engine, "swf[1].b"), "mode %s frame %d: the step after one that ended while suspended", mode, m.Frame)
			}
			return nil
		}))
	}
}

// A made-up recording: what the controller did with a workflow of these templates, frame by frame.
type made struct {
	templates string
	frames    []madeFrame
}

type madeFrame struct {
	events string
	spec   string   // more of the specification, as in `"suspend": true`
	status string   // more of the status
	nodes  []string // "TYPE NAME PHASE" and, in braces, more of the node
	pods   []string // "NODE PHASE"
}

// recording reads what was made up.
func (m *made) recording(t *testing.T) *replay.Recording {
	t.Helper()
	var frames []string
	for k, f := range m.frames {
		var nodes, pods []string
		for _, line := range f.nodes {
			line, more, _ := strings.Cut(line, " {")
			parts := strings.Fields(line)
			more = strings.TrimSuffix(more, "}")
			if more != "" {
				more = "," + more
			}
			id := nodegraph.NodeID("wf", parts[1])
			nodes = append(nodes, fmt.Sprintf(`%q: {"id": %q, "name": %q, "type": %q, "phase": %q, "startedAt": %q%s}`,
				id, id, parts[1], parts[0], parts[2], noon.Format(time.RFC3339), more))
		}
		for _, line := range f.pods {
			node, phase, _ := strings.Cut(line, " ")
			pods = append(pods, fmt.Sprintf(`{"metadata": {"name": "p", "uid": %q, "annotations": {"workflows.argoproj.io/node-id": %q}}, "status": {"phase": %q}}`,
				node, nodegraph.NodeID("wf", node), phase))
		}
		spec, status := "null", ""
		if f.spec != "" {
			spec = m.spec(strings.TrimPrefix(f.spec, "none"))
		}
		if f.status != "" {
			status = "," + f.status
		}
		frames = append(frames, fmt.Sprintf(`{"now": %q, "events": [%q], "spec": %s, "pods": [%s], "status": {"phase": "Running", "nodes": {%s}%s}}`,
			noon.Add(time.Duration(k)*time.Second).Format(time.RFC3339), f.events, spec, strings.Join(pods, ","), strings.Join(nodes, ","), status))
	}
	text := fmt.Sprintf(`{"name": "made", "engine": "v4.1.2", "workflow": {"kind": "Workflow", "metadata": {"name": "wf", "namespace": "default"}, "spec": %s}, "frames": [%s]}`,
		m.spec(""), strings.Join(frames, ","))
	require.True(t, json.Valid([]byte(text)), text)
	r, err := replay.Read([]byte(text))
	require.NoError(t, err)
	return r
}

func (m *made) spec(more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"entrypoint": "main", "templates": [%s, {"name": "pod", "container": {"image": "x"}}]%s}`, m.templates, more)
}

// after plays what was made up and returns how nodes stand after the last frame.
func (m *made) after(t *testing.T, mode replay.Mode, nodes ...string) map[string]string {
	t.Helper()
	r := m.recording(t)
	got := make(map[string]string)
	require.NoError(t, (&replay.Player{Recording: r, Mode: mode, After: (*propagate.Engine).Check}).Play(func(moment *replay.Moment) error {
		for _, name := range nodes {
			got[name] = shown(moment.Engine, name)
		}
		return nil
	}))
	return got
}

// A user resumes, or refuses, Suspend nodes that run: all of them or those that a selector selects, also one that would go
// on by itself, but none that waits for a lock or was held back.
func TestUsersResume(t *testing.T) {
	const templates = `{"name": "main", "dag": {"tasks": [{"name": "s1", "template": "gate"}, {"name": "s2", "template": "timed"},
		{"name": "s3", "template": "locked"}, {"name": "s4", "template": "locked"}]}},
		{"name": "gate", "suspend": {}}, {"name": "timed", "suspend": {"duration": "1h"}},
		{"name": "locked", "suspend": {}, "synchronization": {"mutexes": [{"name": "m"}]}}`
	before := []string{"DAG wf Running", "Suspend wf.s1 Running", "Suspend wf.s2 Running", "Suspend wf.s3 Running",
		`Suspend wf.s4 Pending {"message": "Waiting for default/Mutex/m lock. Lock status: 0/1", "synchronizationStatus": {"waiting": "default/Mutex/m"}}`}
	const ends, runs, waits = "Succeeded", "Running", "Pending Waiting for default/Mutex/m lock. Lock status: 0/1"
	tests := []struct {
		events string
		want   [4]string // s1 to s4
	}{
		{"resume", [4]string{ends, ends, ends, runs}}, // the mutex goes to s4, which begins only then
		{"resume displayName=s1", [4]string{ends, runs, runs, waits}},
		{"resume templateName=locked", [4]string{runs, runs, ends, runs}},
		{"resume templateName==timed,displayName!=s1", [4]string{runs, ends, runs, waits}},
		{"resume name=wf.s4", [4]string{runs, runs, runs, waits}},
		{"resume id=" + nodegraph.NodeID("wf", "wf.s2"), [4]string{runs, ends, runs, waits}},
		{"resume phase=Running,displayName=s2", [4]string{runs, ends, runs, waits}},
		{"stopnode displayName=s1 not good", [4]string{"Failed not good", runs, runs, waits}},
		{"stopnode displayName=s1; resume displayName=s2", [4]string{"Failed", ends, runs, waits}},
		{"idle", [4]string{runs, runs, runs, waits}},
	}
	for _, tt := range tests {
		for _, mode := range modes {
			m := made{templates, []madeFrame{{events: "submit", nodes: before}, {events: tt.events, nodes: before}}}
			got := m.after(t, mode, "wf.s1", "wf.s2", "wf.s3", "wf.s4")
			want := map[string]string{"wf.s1": tt.want[0], "wf.s2": tt.want[1], "wf.s3": tt.want[2], "wf.s4": tt.want[3]}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, mode %s (-want +got):\n%s", tt.events, mode, diff)
			}
		}
	}
}

// Of a field that the engine does not hold the record says whom a selector selected.
func TestUsersResumeByUnknownField(t *testing.T) {
	const templates = `{"name": "main", "dag": {"tasks": [{"name": "a", "template": "gate"}, {"name": "b", "template": "gate"}]}}, {"name": "gate", "suspend": {}}`
	m := made{templates, []madeFrame{
		{events: "submit", nodes: []string{"DAG wf Running", "Suspend wf.a Running", "Suspend wf.b Running"}},
		{events: "resume inputs.parameters.go.value=yes", nodes: []string{"DAG wf Running", "Suspend wf.a Running", "Suspend wf.b Succeeded"}},
	}}
	for _, mode := range modes {
		want := map[string]string{"wf.a": "Running", "wf.b": "Succeeded"}
		assert.Equal(t, want, m.after(t, mode, "wf.a", "wf.b"), "mode %s", mode)
	}
}

// A user who resumes while a limit of parallelism holds a Suspend node back does nothing to it.
func TestUsersResumeWhatIsHeldBack(t *testing.T) {
	m := made{`{"name": "main", "parallelism": 1, "dag": {"tasks": [{"name": "a", "template": "pod"}, {"name": "s", "template": "gate"}]}},
		{"name": "gate", "suspend": {}}`, []madeFrame{
		{events: "submit", nodes: []string{"DAG wf Running", "Pod wf.a Pending"}},
		{events: "run a", nodes: []string{"DAG wf Running", "Pod wf.a Running"}, pods: []string{"wf.a Running"}},
		{events: "resume", nodes: []string{"DAG wf Running", "Pod wf.a Running"}, pods: []string{"wf.a Running"}},
	}}
	for _, mode := range modes {
		assert.Equal(t, map[string]string{"wf.a": "Running", "wf.s": "(none)"}, m.after(t, mode, "wf.a", "wf.s"), "mode %s", mode)
	}
}

// A manual retry of a workflow that was suspended when it ended tells the engine whether it still is.
func TestManualRetryOfASuspendedWorkflow(t *testing.T) {
	failed := []string{`DAG wf Failed {"finishedAt": "2026-01-02T12:00:01Z"}`,
		`Pod wf.a Failed {"finishedAt": "2026-01-02T12:00:01Z", "message": "main: Error (exit code 1)"}`}
	for _, tt := range []struct{ name, spec, want string }{
		{"goes on", "none", "Pending"}, {"still suspended", "", "(none)"},
	} {
		m := made{`{"name": "main", "dag": {"tasks": [{"name": "a", "template": "pod"}]}}`, []madeFrame{
			{events: "submit", nodes: []string{"DAG wf Running", "Pod wf.a Pending"}},
			{events: "suspend", spec: `"suspend": true`, nodes: []string{"DAG wf Running", "Pod wf.a Pending"}, pods: []string{"wf.a Pending"}},
			{events: "fail a 1", nodes: failed, status: `"finishedAt": "2026-01-02T12:00:01Z"`, pods: []string{"wf.a Failed"}},
			{events: "manual-retry", spec: tt.spec, nodes: []string{"DAG wf Running"}},
		}}
		assert.Equal(t, map[string]string{"wf.a": tt.want}, m.after(t, replay.Free, "wf.a"), tt.name)
	}
}

// Items of a loop that only the host knows are read off the names of the nodes that the controller made of them, in
// whichever frame it did.
func TestLoopsAreTakenFromTheRecord(t *testing.T) {
	const templates = `{"name": "main", "dag": {"tasks": [{"name": "a", "template": "pod", "withParam": "{{inputs.parameters.list}}"}]}}`
	tests := []struct {
		name  string
		nodes []string
		later []string // of the next frame
		want  map[string]string
	}{
		{"all at once", []string{"DAG wf Running", "TaskGroup wf.a Running", "Pod wf.a(0:x) Pending", "Pod wf.a(1:k:v) Pending"}, nil,
			map[string]string{"wf.a": "Running", "wf.a(0:x)": "Pending", "wf.a(1:k:v)": "Pending"}},
		{"one later", []string{"DAG wf Running", "TaskGroup wf.a Running", "Pod wf.a(0:x) Pending"},
			[]string{"DAG wf Running", "TaskGroup wf.a Running", "Pod wf.a(0:x) Pending", "Pod wf.a(1:y) Pending"},
			map[string]string{"wf.a": "Running", "wf.a(0:x)": "Pending", "wf.a(1:y)": "Pending"}},
		{"none", []string{`DAG wf Running`, `Skipped wf.a Skipped {"message": "Skipped, empty params"}`}, nil,
			map[string]string{"wf.a": "Skipped Skipped, empty params"}},
		{"one missing", []string{"DAG wf Running", "TaskGroup wf.a Running", "Pod wf.a(1:x) Pending"}, nil,
			map[string]string{"wf.a": "(none)", "wf.a(1:x)": "(none)"}},
		{"what is no list", []string{`DAG wf Running`, `Skipped wf.a Error {"message": "withParam value could not be parsed"}`}, nil,
			map[string]string{"wf.a": "Error withParam value could not be parsed"}},
	}
	for _, tt := range tests {
		m := made{templates, []madeFrame{{events: "submit", nodes: tt.nodes}}}
		if tt.later != nil {
			m.frames = append(m.frames, madeFrame{events: "idle", nodes: tt.later})
		}
		var names []string
		for name := range tt.want {
			names = append(names, name)
		}
		if diff := cmp.Diff(tt.want, m.after(t, replay.Free, names...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A condition over what only the controller knew is answered as the record shows it; one that can be computed is computed,
// whatever the record shows.
func TestConditionsAreTakenFromTheRecord(t *testing.T) {
	tests := []struct{ name, when, node, want string }{
		{"begun", "{{inputs.parameters.go}} == yes", "Pod wf.b Pending", "Pending"},
		{"skipped", "{{inputs.parameters.go}} == yes", `Skipped wf.b Skipped {"message": "when 'no == yes' evaluated false"}`,
			"Skipped when 'no == yes' evaluated false"},
		{"in error", "{{inputs.parameters.go}} == yes", `Skipped wf.b Error {"message": "failed to resolve {{inputs.parameters.go}}"}`,
			"Error failed to resolve {{inputs.parameters.go}}"},
		{"omitted says nothing", "{{inputs.parameters.go}} == yes", "Skipped wf.b Omitted", "(none)"},
		{"not there", "{{inputs.parameters.go}} == yes", "Pod wf.other Pending", "(none)"},
		{"computed true", "{{tasks.a.status}} == Succeeded", `Skipped wf.b Skipped {"message": "when 'x' evaluated false"}`, "Pending"},
		{"computed false", "{{tasks.a.status}} == Failed", "Pod wf.b Pending", "Skipped when 'Succeeded == Failed' evaluated false"},
	}
	for _, tt := range tests {
		m := made{fmt.Sprintf(`{"name": "main", "dag": {"tasks": [{"name": "a", "template": "pod"},
			{"name": "b", "template": "pod", "dependencies": ["a"], "when": %q}]}}`, tt.when), []madeFrame{
			{events: "submit", nodes: []string{"DAG wf Running", "Pod wf.a Pending"}},
			{events: "ok a", nodes: []string{"DAG wf Running", "Pod wf.a Succeeded", tt.node}, pods: []string{"wf.a Succeeded"}},
		}}
		assert.Equal(t, map[string]string{"wf.b": tt.want}, m.after(t, replay.Free, "wf.b"), tt.name)
	}
}

// The record is read from the frame on that is played: what a node was before a manual retry says nothing.
func TestRecordIsReadFromItsFrameOn(t *testing.T) {
	m := made{`{"name": "main", "dag": {"tasks": [{"name": "a", "template": "pod"},
		{"name": "b", "template": "pod", "dependencies": ["a"], "when": "{{inputs.parameters.go}} == yes"}]}}`, []madeFrame{
		{events: "submit", nodes: []string{"DAG wf Running", "Pod wf.a Pending", `Skipped wf.b Skipped {"message": "when 'no == yes' evaluated false"}`}},
		{events: "ok a", nodes: []string{"DAG wf Running", "Pod wf.a Succeeded", "Pod wf.b Pending"}, pods: []string{"wf.a Succeeded"}},
	}}
	assert.Equal(t, map[string]string{"wf.b": "Pending"}, m.after(t, replay.Free, "wf.b"))
}

// Pods that the workflow never asked for are reported, but for the agent that serves HTTP and Plugin nodes.
func TestUnknownPods(t *testing.T) {
	m := made{`{"name": "main", "dag": {"tasks": [{"name": "a", "template": "pod"}]}}`, []madeFrame{
		{events: "submit", nodes: []string{"DAG wf Running", "Pod wf.a Pending"}, pods: []string{"wf.none Running"}},
	}}
	for name, tt := range map[string]struct {
		recording *replay.Recording
		want      []string
	}{
		"a stray pod": {m.recording(t), []string{nodegraph.NodeID("wf", "wf.none")}},
		"an agent":    {read(t, filepath.Join(recordings, "wide/http-agent-fails.json.gz")), nil},
	} {
		var unknown []string
		require.NoError(t, (&replay.Player{Recording: tt.recording, Mode: replay.Free}).Play(func(moment *replay.Moment) error {
			unknown = append(unknown, moment.Result.Unknown...)
			return nil
		}))
		assert.Equal(t, tt.want, unknown, name)
	}
}

// How many may hold a semaphore is what a message says, else what it is called, but no less than held it at once.
func TestLimitsAreTakenFromTheRecord(t *testing.T) {
	const held = `"synchronization": {"semaphore": {"holding": [{"semaphore": "default/ConfigMap/sem/%s", "holders": [%s]}]}}`
	tests := []struct {
		name, key, status string
		holders           int // of four
	}{
		{"a message", "three", `"message": "Waiting for default/ConfigMap/sem/three lock. Lock status: 0/2"`, 2},
		{"its name", "two", fmt.Sprintf(held, "two", `"a"`), 2},
		{"its name alone", "three", "", 3},
		{"more than its name", "two", fmt.Sprintf(held, "two", `"a", "b", "c"`), 3},
		{"who held it", "many", fmt.Sprintf(held, "many", `"a", "b", "c"`), 3},
		{"nothing", "many", "", 1},
	}
	for _, tt := range tests {
		for _, inline := range []bool{false, true} {
			locked := fmt.Sprintf(`"container": {"image": "x"}, "synchronization": {"semaphores": [{"configMapKeyRef": {"name": "sem", "key": %q}}]}`, tt.key)
			task := `"template": "locked"`
			if inline {
				task = `"inline": {` + locked + `}`
			}
			var tasks []string
			for k := range 4 {
				tasks = append(tasks, fmt.Sprintf(`{"name": "t%d", %s}`, k, task))
			}
			m := made{fmt.Sprintf(`{"name": "main", "dag": {"tasks": [%s]}}, {"name": "locked", %s}`, strings.Join(tasks, ","), locked),
				[]madeFrame{{events: "submit", status: tt.status}}}
			holders := 0
			for _, stands := range m.after(t, replay.Free, "wf.t0", "wf.t1", "wf.t2", "wf.t3") {
				if stands == "Pending" {
					holders++
				}
			}
			assert.Equal(t, tt.holders, holders, "%s, inline %v: how many of four hold %s", tt.name, inline, tt.key)
		}
	}
}

// A node is not fulfilled while the record says that its results are on their way, and is once they came.
func TestResultsAreTakenFromTheRecord(t *testing.T) {
	synced := func(word string) string { return `Pod wf.a Succeeded {"taskResultSynced": ` + word + `}` }
	for _, tt := range []struct {
		name, node, status string
		want               string
	}{
		{"on their way", synced("false"), "", "(none)"},
		{"stored", synced("true"), "", "Pending"},
		{"on their way, as release 3.6 says it", "Pod wf.a Succeeded", `"taskResultsCompletionStatus": {"` + nodegraph.NodeID("wf", "wf.a") + `": false}`, "(none)"},
		{"stored, as release 3.6 says it", "Pod wf.a Succeeded", `"taskResultsCompletionStatus": {"` + nodegraph.NodeID("wf", "wf.a") + `": true}`, "Pending"},
	} {
		m := made{`{"name": "main", "dag": {"tasks": [{"name": "a", "template": "pod"}, {"name": "b", "template": "pod", "dependencies": ["a"]}]}}`, []madeFrame{
			{events: "submit", nodes: []string{"DAG wf Running", "Pod wf.a Pending"}},
			{events: "run a", nodes: []string{"DAG wf Running", `Pod wf.a Running {"taskResultSynced": false}`}, pods: []string{"wf.a Running"}},
			{events: "ok a", nodes: []string{"DAG wf Running", tt.node}, status: tt.status, pods: []string{"wf.a Succeeded"}},
		}}
		for _, mode := range modes {
			assert.Equal(t, map[string]string{"wf.b": tt.want}, m.after(t, mode, "wf.b"), "%s, mode %s: what comes after it", tt.name, mode)
		}
	}
}

// HTTP and Plugin nodes end as it was reported of them, and lose their agent when its pod fails; the pod itself runs no node.
func TestServedNodes(t *testing.T) {
	const templates = `{"name": "main", "dag": {"tasks": [{"name": "a", "template": "h"}, {"name": "b", "template": "h"}]}}, {"name": "h", "http": {"url": "x"}}`
	nodes := []string{"DAG wf Running", "HTTP wf.a Pending", "HTTP wf.b Pending"}
	for _, tt := range []struct{ events, a, b string }{
		{"http a Succeeded", "Succeeded", "Pending"},
		{"http wf.b Failed bad gateway", "Pending", "Failed bad gateway"},
		{"http * Succeeded", "Succeeded", "Succeeded"},
		{"http a Nothing", "Pending", "Pending"},
		{"http none Succeeded", "Pending", "Pending"},
	} {
		m := made{templates, []madeFrame{{events: "submit", nodes: nodes}, {events: tt.events, nodes: nodes}}}
		for _, mode := range modes {
			assert.Equal(t, map[string]string{"wf.a": tt.a, "wf.b": tt.b}, m.after(t, mode, "wf.a", "wf.b"), "%s, mode %s", tt.events, mode)
		}
	}
}
