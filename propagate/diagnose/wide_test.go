package diagnose_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// objects are the Workflow object of a recording after each of its frames, as kubectl would print it: the status with all of
// its fields, those too that decide no phase.
func objects(t *testing.T, file string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		require.NoError(t, err)
		data, err = io.ReadAll(z)
		require.NoError(t, err)
	}
	var r struct {
		Workflow map[string]json.RawMessage `json:"workflow"`
		Frames   []struct {
			Status json.RawMessage            `json:"status"`
			Spec   map[string]json.RawMessage `json:"spec"` // what somebody changed: shutdown, suspend
		} `json:"frames"`
	}
	require.NoError(t, json.Unmarshal(data, &r))
	var spec map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(r.Workflow["spec"], &spec))
	var list [][]byte
	for _, f := range r.Frames {
		maps.Copy(spec, f.Spec)
		r.Workflow["spec"], err = json.Marshal(spec)
		require.NoError(t, err)
		r.Workflow["status"] = f.Status
		text, err := json.Marshal(r.Workflow)
		require.NoError(t, err)
		list = append(list, text)
	}
	return list
}

// wide runs a subtest for every wide recording: what operators reported of many kinds, and random workflows.
func wide(t *testing.T, test func(t *testing.T, file string, r *replay.Recording)) {
	files, err := filepath.Glob(recordings + "wide/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, recordings), func(t *testing.T) {
			r, _ := read(t, file)
			test(t, file, r)
		})
	}
}

// inputAfter is what a user finds after frame k: the object, and the pods.
func inputAfter(t *testing.T, r *replay.Recording, object []byte, k int, now time.Time) diagnose.Input {
	t.Helper()
	_, in := storedIn(t, object, nil, now)
	in.Pods = known(r.Frames[k].Pods)
	return in
}

// Of every wide recording that hangs a cause is named an hour later, also where the controller has merely forgotten what comes
// next. Once the patch is stored, nothing is left that heals.
func TestWideRecordingsThatHang(t *testing.T) {
	count := 0
	wide(t, func(t *testing.T, file string, r *replay.Recording) {
		last := len(r.Frames) - 1
		if !hangs(&r.Frames[last]) {
			return
		}
		count++
		w, in := storedIn(t, objects(t, file)[last], nil, r.Frames[last].Now.Add(time.Hour))
		in.Pods = known(r.Frames[last].Pods)
		report, err := diagnose.Diagnose(in)
		require.NoError(t, err)
		assert.True(t, report.Verdict().Bad(), "%s: it hangs, and no cause is named; it waits for %v", report.Verdict(), report.Waits)
		for _, f := range again(t, w, in).Findings {
			assert.False(t, f.Heals, "left after the patch: %s", f)
			assert.NotEmpty(t, f.ByHand, "why nobody can patch it: %s", f)
			assert.NotEmpty(t, f.Commands, "what to type: %s", f)
		}
	})
	assert.Equal(t, 46, count, "recordings that hang")
}

// As long as the controller has kept the invariants nothing is found in the frames of the wide recordings either.
func TestNoFalseAlarmInWideRecordings(t *testing.T) {
	frames := 0
	wide(t, func(t *testing.T, file string, r *replay.Recording) {
		v, err := replay.Judge(&replay.Player{Recording: r, Mode: replay.Step})
		require.NoError(t, err)
		sound := len(r.Frames)
		for _, d := range v.Differences {
			if d.Deviation > 1 && d.Deviation != 7 {
				sound = min(sound, d.Frame)
			}
		}
		for k, object := range objects(t, file)[:sound] {
			frames++
			report, err := diagnose.Diagnose(inputAfter(t, r, object, k, r.Frames[k].Now))
			require.NoError(t, err)
			found := slices.DeleteFunc(report.Findings, func(f diagnose.Finding) bool {
				return f.Kind == diagnose.LockForEver || f.Kind == diagnose.PlacesForEver || f.Kind == diagnose.LockHeldForEver // true of its specification
			})
			assert.Empty(t, found, "frame %d", k)
		}
	})
	assert.Greater(t, frames, 1000, "frames looked at")
}
