package replay_test

// What all tests of the package use: the recordings, each read once and judged once in each mode.

import (
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

const recordings = "../../testdata/recordings"

// scripted are the recordings without the wide ones, in which the library still differs: see testdata/causes.txt.
const scripted = "[ar]*/*"

var modes = []replay.Mode{replay.Step, replay.Free}

var rewrite = flag.Bool("rewrite", false, "rewrite the lists under testdata; causes that were written by people are kept")

// TestMain collects garbage less often: the tests make much of it.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// shared holds what is computed once for all tests, by what it is computed from.
type shared[K comparable, V any] struct{ all sync.Map }

// of returns the value for key, which the first call computes.
func (s *shared[K, V]) of(key K, compute func() V) V {
	once, _ := s.all.LoadOrStore(key, sync.OnceValue(compute))
	return once.(func() V)()
}

// A reading is what came of reading a file.
type reading struct {
	recording *replay.Recording
	err       error
}

var readings shared[string, reading]

// readFile reads a recording. The caller may change its frames, and the phases and messages of their nodes.
func readFile(t testing.TB, file string) (*replay.Recording, error) {
	t.Helper()
	once := readings.of(filepath.Clean(file), func() reading {
		data, err := os.ReadFile(file)
		if err != nil {
			return reading{err: err}
		}
		r, err := replay.Read(data)
		return reading{r, err}
	})
	if once.err != nil {
		return nil, once.err
	}
	own := *once.recording
	own.Frames = slices.Clone(own.Frames)
	for k := range own.Frames {
		own.Frames[k].Recorded.Nodes = slices.Clone(own.Frames[k].Recorded.Nodes)
	}
	return &own, nil
}

// read reads a recording that can be read.
func read(t testing.TB, file string) *replay.Recording {
	t.Helper()
	r, err := readFile(t, file)
	require.NoError(t, err, file)
	return r
}

var every = flag.Int("every", 2, "judge every wide recording of so many, where all recordings are judged; all: 1")

// each runs a subtest for every recording whose path matches.
func each(t *testing.T, pattern string, test func(t *testing.T, file string)) {
	someOf(t, pattern, 1, test)
}

// someOf is each for one recording of so many.
func someOf(t *testing.T, pattern string, every int, test func(t *testing.T, file string)) {
	files, err := filepath.Glob(filepath.Join(recordings, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	for k, file := range files {
		if k%every != 0 {
			continue
		}
		t.Run(strings.TrimPrefix(file, recordings+"/"), func(t *testing.T) {
			t.Parallel()
			test(t, file)
		})
	}
}

// A judgment is what the judge says of a recording in one mode.
type judgment struct {
	*replay.Verdict
	err    error
	broken error // the first invariant that did not hold after a call of the engine
}

// A judged is a file in one mode.
type judged struct {
	file string
	mode replay.Mode
}

var judgments shared[judged, judgment]

// judge judges a recording that can be read, and checks the invariants after every call of an engine. Nobody may change
// the verdict.
func judge(t testing.TB, file string, mode replay.Mode) judgment {
	t.Helper()
	r := read(t, file)
	return judgments.of(judged{filepath.Clean(file), mode}, func() judgment {
		var j judgment
		j.Verdict, j.err = replay.Judge(&replay.Player{Recording: r, Mode: mode, After: func(e *propagate.Engine) error {
			if j.broken == nil {
				j.broken = e.Check()
			}
			return nil
		}})
		return j
	})
}
