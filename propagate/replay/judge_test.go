package replay_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

const chainSucceeds = "argo-4.1/containerset-chain-succeeds.json"

// In mode free a run begins with every frame, so n frames are played n times or less; in mode step each is played once.
func TestARunBeginsWithEveryFrame(t *testing.T) {
	r := read(t, filepath.Join(recordings, chainSucceeds))
	calls := func(mode replay.Mode) int {
		n := 0
		v, err := replay.Judge(&replay.Player{Recording: r, Mode: mode, After: func(*propagate.Engine) error { n++; return nil }})
		require.NoError(t, err)
		require.Empty(t, v.Differences)
		return n
	}
	step := calls(replay.Step)
	require.GreaterOrEqual(t, step, len(r.Frames))
	assert.Greater(t, calls(replay.Free), step*len(r.Frames)/3, "the runs go on to the end")
}

// The first frame of a run that differs is the last that the run tells of. A difference that several runs find at one place is
// counted once.
func TestARunEndsWithItsFirstDifference(t *testing.T) {
	r := read(t, filepath.Join(recordings, chainSucceeds))
	last := len(r.Frames) - 1
	wrong := func(frame int, name string) {
		nodes := r.Frames[frame].Recorded.Nodes
		for k := range nodes {
			if nodes[k].Name == name {
				nodes[k].Message = "planted"
				return
			}
		}
		require.Fail(t, "no node "+name)
	}
	wrong(2, "chain-ok.build")
	wrong(last, "chain-ok.build")
	v, err := replay.Judge(&replay.Player{Recording: r, Mode: replay.Free})
	require.NoError(t, err)
	places := make(map[string]int)
	for _, d := range v.Defects() {
		places[fmt.Sprintf("frame %d %s", d.Frame, d.Name)]++
		if d.Frame == last {
			assert.Greater(t, d.Start, 2, "a run that began before frame 2 ended there")
		}
	}
	assert.Equal(t, map[string]int{"frame 2 chain-ok.build": 1, fmt.Sprintf("frame %d chain-ok.build", last): 1}, places)
	assert.Equal(t, v.Nodes, v.Equal+len(v.Differences))
}

// A free run goes on from its own state, so it finds what a run that starts from the record can't: here the record says from the
// frame after it on that an attempt ended later, and shows that the backoff is waited for until then.
func TestAFreeRunCarriesItsOwnState(t *testing.T) {
	const failed, due = 2, 4 // the frames in which the first attempt failed, and in which the second is made
	r := read(t, filepath.Join(recordings, "argo-4.1/retry-backoff.json"))
	r.Frames = r.Frames[:due+1]
	r.Frames[due].Recorded.Nodes = slices.Clone(r.Frames[failed].Recorded.Nodes)
	for k := failed; k <= due; k++ {
		for n := range r.Frames[k].Recorded.Nodes {
			if node := &r.Frames[k].Recorded.Nodes[n]; node.Name == "backoff.a(0)" {
				node.Finished = node.Finished.Add(time.Minute)
			}
		}
	}
	found := func(mode replay.Mode) (names []string) {
		v, err := replay.Judge(&replay.Player{Recording: r, Mode: mode})
		require.NoError(t, err)
		for _, d := range v.Defects() {
			names = append(names, fmt.Sprint(d.Frame, " ", d.Name))
		}
		return names
	}
	assert.Empty(t, found(replay.Step), "each frame follows from the one before it")
	assert.Equal(t, []string{"4 backoff.a", "4 backoff.a(1)"}, found(replay.Free))
}

// A frame that can't be played ends the runs that come to it, and the verdict is on the others.
func TestAnErrorEndsARunOnly(t *testing.T) {
	r := read(t, filepath.Join(recordings, chainSucceeds))
	broken := fmt.Errorf("broken")
	frames := 0
	v, err := replay.Judge(&replay.Player{Recording: r, Mode: replay.Step, After: func(e *propagate.Engine) error {
		if phase, _ := e.Workflow(); phase == nodegraph.PhaseSucceeded {
			return broken
		}
		frames++
		return nil
	}})
	require.ErrorIs(t, err, broken)
	var format *replay.FormatError
	require.ErrorAs(t, err, &format)
	assert.Positive(t, format.Frame)
	assert.Positive(t, v.Nodes, "what could be played is compared")
	assert.Equal(t, v.Nodes, v.Equal)
}

// What is shown late is no defect where nothing happens in between that the node depends on, and the controller does not
// show that it has already decided.
func TestAhead(t *testing.T) {
	for _, c := range []struct {
		recording string
		frame     int
		node      string
		ahead     bool
		why       string
	}{
		{"wide/retry-exit-hook.json.gz", 0, "rxhook.a.hooks.running", true, "the hook comes one frame later, in which a pod of its owner runs; its owner is as it was"},
		{"wide/par-failfast.json.gz", 2, "", true, "the workflow closes one frame after its entry failed fast"},
		{"wide/items-exit-hook-dag.json.gz", 2, "ixdag.f(1:y).onExit", false, "it never comes"},
		{"wide/failfast-lock-leak.json.gz", 2, "ffleak.p.b", false, "it never comes"},
	} {
		r := read(t, filepath.Join(recordings, c.recording))
		v, err := replay.JudgeFrame(&replay.Player{Recording: r, Mode: replay.Step}, c.frame)
		require.NoError(t, err)
		found := false
		for _, d := range v.Differences {
			if d.Name == c.node && (d.ID == "") == (c.node == "") {
				found = true
				assert.Equal(t, c.ahead, d.Ahead, "%s: %s", c.why, d.String())
			}
		}
		assert.True(t, found, "%s frame %d differs at %q", c.recording, c.frame, c.node)
	}
}
