package propagatetest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// A Replay plays recordings through the engine, twice: from frame to frame, each beginning with what was recorded of the one
// before, and in one go. Where the engine shows something else than was recorded the test fails, and says which node differs and
// how. After each call [Check] holds.
type Replay struct {
	// Deviations are the numbers of differences that are expected: those in which a controller of Argo's breaks an invariant, as
	// testdata/DEVIATIONS.md lists them. Any other fails the test, with a number or not.
	Deviations []int
}

// Run plays the files that match a pattern, JSON or gzipped JSON. None that matches is a failure.
func (x Replay) Run(t *testing.T, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recording matches %s", pattern)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			x.Data(t, data)
		})
	}
}

// Data plays one recording.
func (x Replay) Data(t testing.TB, data []byte) {
	t.Helper()
	r, err := replay.Read(data)
	require.NoError(t, err)
	for _, mode := range []replay.Mode{replay.Step, replay.Free} {
		v, err := replay.Judge(&replay.Player{Recording: r, Mode: mode, After: func(e *propagate.Engine) error { return Check(e) }})
		require.NoError(t, err, "mode %s", mode)
		for k := range v.Differences {
			if d := &v.Differences[k]; !d.Ahead && !slices.Contains(x.Deviations, d.Deviation) {
				t.Errorf("mode %s: %s", mode, d)
			}
		}
	}
}
