package replay_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// What the library says to be waited for for ever was waited for for ever under the controller, too: no such node ran in any later
// frame, unless the workflow was stopped or had ended and was started again.
func TestWaitsForEverAreForEver(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings, "wide", "*"))
	require.NoError(t, err)
	count := 0
	for _, file := range files {
		r, err := readFile(t, file)
		if err != nil {
			continue
		}
		said := make(map[string]int) // by name: the first frame
		player := &replay.Player{Recording: r, Mode: replay.Step}
		_ = player.Play(func(m *replay.Moment) error {
			frame := &r.Frames[m.Frame]
			if frame.Shutdown != "" || frame.Recorded.Phase.Completed() {
				clear(said)
				return nil
			}
			for k := range frame.Recorded.Nodes {
				n := &frame.Recorded.Nodes[k]
				if first, never := said[n.Name]; never {
					ran := n.Phase == nodegraph.PhaseSucceeded || n.Phase == nodegraph.PhaseRunning && n.WaitsFor == ""
					assert.False(t, ran, "%s: %s was to wait for ever in frame %d, and is %s in frame %d", file, n.Name, first, n.Phase, m.Frame)
				}
			}
			for _, o := range m.Engine.Obligations() {
				if _, known := said[o.Name]; o.Never != "" && !known {
					said[o.Name] = m.Frame
					count++
				}
			}
			return nil
		})
	}
	t.Logf("%d waits for ever", count)
	require.NotZero(t, count)
}
