package diagnose_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

const recordings = "../../testdata/recordings/"

// each runs a subtest for every recording.
func each(t *testing.T, test func(t *testing.T, file string)) {
	files, err := filepath.Glob(recordings + "[ar]*/*") // the wide ones are judged in package replay
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, recordings), func(t *testing.T) { test(t, file) })
	}
}

// opened holds the recordings that were read, by file.
var opened = make(map[string]*replay.Recording)

// read reads a recording, each once for all tests: these run one after another, and change none.
func read(t testing.TB, file string) (*replay.Recording, *nodegraph.Spec) {
	t.Helper()
	r := opened[file]
	if r == nil {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		r, err = replay.Read(data)
		require.NoError(t, err, file)
		opened[file] = r
	}
	spec, err := r.Spec()
	require.NoError(t, err)
	return r, spec
}

// known makes a list of pods one that is known, also where it is empty.
func known(pods []propagate.PodStatus) []propagate.PodStatus {
	return append([]propagate.PodStatus{}, pods...)
}

// input is what a user finds after frame k: the status, and the pods.
func input(r *replay.Recording, spec *nodegraph.Spec, k int) diagnose.Input {
	f := &r.Frames[k]
	return diagnose.Input{Spec: spec, Snapshot: f.Recorded, Pods: known(f.Pods), Now: f.Now}
}

// hangs reports whether a recording ends with a workflow that is not complete, while no pod is alive and nothing is
// suspended.
func hangs(f *replay.Frame) bool {
	if f.Recorded.Phase.Completed() || f.Recorded.Suspended {
		return false
	}
	for _, p := range f.Pods {
		if p.Phase != "Succeeded" && p.Phase != "Failed" {
			return false
		}
	}
	for _, n := range f.Recorded.Nodes {
		if n.Kind == nodegraph.KindSuspend && !n.Phase.Settled() {
			return false
		}
	}
	return true
}

// workflow returns the object that holds the frame's nodes, as kubectl would print it.
func workflow(t *testing.T, spec *nodegraph.Spec, s nodegraph.Snapshot) *argo.Workflow {
	t.Helper()
	w, err := argo.Read([]byte(`{"kind": "Workflow", "metadata": {"name": "` + spec.Name + `"}, "spec": {"entrypoint": "x", "templates": [{"name": "x", "suspend": {}}]}}`))
	require.NoError(t, err)
	require.NoError(t, w.SetStatus(s))
	text, err := w.Encode()
	require.NoError(t, err)
	w, err = argo.Read(text)
	require.NoError(t, err)
	w.Spec, w.Snapshot.Shutdown, w.Snapshot.Suspended = spec, s.Shutdown, s.Suspended
	return w
}

// merge applies a JSON merge patch.
func merge(into, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	o, ok := into.(map[string]any)
	if !ok {
		o = map[string]any{}
	}
	for key, value := range p {
		if value == nil {
			delete(o, key)
		} else {
			o[key] = merge(o[key], value)
		}
	}
	return o
}

// mergedWith applies a JSON merge patch to an object.
func mergedWith(t *testing.T, object, patch []byte) []byte {
	t.Helper()
	var o, p any
	require.NoError(t, json.Unmarshal(object, &o))
	require.NoError(t, json.Unmarshal(patch, &p))
	text, err := json.Marshal(merge(o, p))
	require.NoError(t, err)
	return text
}

// patched applies the patch of w to the object it was read from, and reads what comes of it.
func patched(t *testing.T, before, patch []byte, w *argo.Workflow) nodegraph.Snapshot {
	t.Helper()
	healed, err := argo.Read(mergedWith(t, before, patch))
	require.NoError(t, err)
	s := healed.Snapshot
	s.Shutdown, s.Suspended = w.Snapshot.Shutdown, w.Snapshot.Suspended
	return s
}

// Of every recording that hangs a cause is named, and the patch ends it: nothing is found in what it makes of the
// status, the invariants hold, and the controller has nothing left that waits for what can't come.
func TestRecordingsThatHang(t *testing.T) {
	count := 0
	each(t, func(t *testing.T, file string) {
		r, spec := read(t, file)
		last := len(r.Frames) - 1
		if !hangs(&r.Frames[last]) {
			return
		}
		count++
		in := input(r, spec, last)
		report, err := diagnose.Diagnose(in)
		require.NoError(t, err)
		require.NotEmpty(t, report.Findings, "it hangs, and no cause is named")
		assert.True(t, report.Stuck, "nothing runs, and it is not said that it waits for ever; it waits for %v", report.Waits)
		causes(t, &in.Snapshot, report)

		w := workflow(t, spec, in.Snapshot)
		before, err := w.Encode()
		require.NoError(t, err)
		_, err = diagnose.Heal(w, in)
		require.NoError(t, err)
		patch, err := w.Patch()
		require.NoError(t, err)
		after := in
		after.Snapshot = patched(t, before, patch, w)
		healed, err := diagnose.Diagnose(after)
		require.NoError(t, err)
		assert.Empty(t, healed.Findings, "after the patch %s", patch)
		settled(t, after)
		smallest(t, in, report)
	})
	assert.Equal(t, 40, count, "recordings that hang")
}

// causes checks each finding against the record alone: the containers of ended pods, and what is inside attempts of
// ended Retries.
func causes(t *testing.T, s *nodegraph.Snapshot, report *diagnose.Report) {
	t.Helper()
	byID, byName := map[string]nodegraph.NodeStatus{}, map[string]nodegraph.NodeStatus{}
	for _, n := range s.Nodes {
		byID[n.ID], byName[n.Name] = n, n
	}
	for _, f := range report.Findings {
		switch f.Kind {
		case diagnose.OrphanedContainer:
			assert.Equal(t, nodegraph.KindContainer, byID[f.ID].Kind, f.Name)
			assert.False(t, byID[f.ID].Phase.Settled(), f.Name)
			assert.True(t, byID[byID[f.ID].Boundary].Phase.Completed(), "the pod of %s", f.Name)
		case diagnose.LateAttempt:
			ended := false
			for name, n := range byName {
				ended = ended || n.Kind == nodegraph.KindRetry && n.Phase.Completed() && strings.HasPrefix(f.Name, name+"(")
			}
			assert.True(t, ended, "%s is inside no Retry that has ended", f.Name)
		case diagnose.LockHeldForEver:
		default:
			t.Errorf("unexpected: %s", f)
		}
	}
}

// settled checks a status: the invariants hold, and no leaf is open whose pod does not exist.
func settled(t *testing.T, in diagnose.Input) {
	t.Helper()
	e, _, err := propagate.FromSnapshot(in.Spec, in.Snapshot)
	require.NoError(t, err)
	require.NoError(t, e.Check())
	for _, n := range in.Snapshot.Nodes {
		if !n.Kind.Composite() {
			assert.True(t, n.Phase.Settled(), "%s %s is %s, and no pod is alive", n.Kind, n.Name, n.Phase)
		}
		if i := e.Graph().Find(n.ID); i > nodegraph.Root && n.Phase.Settled() {
			phase, message := e.Phase(i)
			assert.Equal(t, [2]string{n.Phase.String(), n.Message}, [2]string{phase.String(), message}, "%s: recorded, computed", n.Name)
		}
	}
	_, err = e.SyncPods(e.Now(), in.Pods)
	require.NoError(t, err)
	require.NoError(t, e.Check())
	assert.True(t, e.Complete() || len(e.Obligations()) > 0)
}

// smallest checks that no node could be left out of what is healed.
func smallest(t *testing.T, in diagnose.Input, report *diagnose.Report) {
	t.Helper()
	changed, err := report.Heal()
	require.NoError(t, err)
	require.NotEmpty(t, changed)
	for _, without := range changed {
		partly := in
		partly.Snapshot.Nodes = append([]nodegraph.NodeStatus{}, in.Snapshot.Nodes...)
		for _, n := range changed {
			for k := range partly.Snapshot.Nodes {
				if partly.Snapshot.Nodes[k].ID == n.ID && n.ID != without.ID {
					partly.Snapshot.Nodes[k] = n
				}
			}
		}
		rest, err := diagnose.Diagnose(partly)
		require.NoError(t, err)
		var names []string
		for _, f := range rest.Findings {
			if f.Heals {
				names = append(names, f.Name)
			}
		}
		assert.Equal(t, []string{without.Name}, names, "all are healed but this one")
	}
}

// As long as the controller has kept the invariants nothing is found, whatever the workflow is doing: with and without
// the pods, with pods that are seen a moment later than the status, and, of the last frame, a day later.
func TestNoFalseAlarm(t *testing.T) {
	frames, complete := 0, 0
	each(t, func(t *testing.T, file string) {
		r, spec := read(t, file)
		v, err := replay.Judge(&replay.Player{Recording: r, Mode: replay.Step})
		require.NoError(t, err)
		sound := len(r.Frames) // frames before the first in which a number breaks an invariant that a record can show
		for _, d := range v.Differences {
			if d.Deviation > 1 && d.Deviation != 7 {
				sound = min(sound, d.Frame)
			}
		}
		for k := range sound {
			frames++
			healthy := func(why string, change func(*diagnose.Input)) {
				in := input(r, spec, k)
				change(&in)
				report, err := diagnose.Diagnose(in)
				require.NoError(t, err)
				assert.Empty(t, report.Findings, "frame %d, %s", k, why)
				assert.False(t, report.Stuck, "frame %d, %s", k, why)
				assert.Empty(t, report.Ignored, "frame %d, %s", k, why)
			}
			healthy("pods known", func(*diagnose.Input) {})
			healthy("pods not known", func(in *diagnose.Input) { in.Pods = nil })
			if k+1 < sound {
				healthy("pods of the next frame", func(in *diagnose.Input) { in.Pods = known(r.Frames[k+1].Pods) })
			}
			if k+1 == len(r.Frames) {
				complete++
				healthy("a day later", func(in *diagnose.Input) { in.Now = in.Now.Add(24 * time.Hour) })
			}
		}
	})
	assert.Greater(t, frames, 1000, "frames looked at")
	assert.Greater(t, complete, 150, "recordings without such a deviation")
}
