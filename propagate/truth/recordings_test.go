package truth_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

var (
	folder = flag.String("recordings", "../../testdata/recordings", "folder whose subfolders hold recordings")
	every  = flag.Int("every", 3, "judge every recording of so many; all: 1")
)

// recordings returns the recordings that -every chooses, by their paths below the folder. One that can't be read is left out and logged: to
// read recordings is not what is tested here. Nobody may change them.
func recordings(t *testing.T) map[string]*replay.Recording {
	t.Helper()
	all := readOnce()
	require.NoError(t, all.err)
	require.NotEmpty(t, all.recordings, *folder)
	for _, err := range all.leftOut {
		t.Logf("left out: %v", err)
	}
	return all.recordings
}

// A reading is what came of reading the folder.
type reading struct {
	recordings map[string]*replay.Recording
	leftOut    []error
	err        error
}

// readOnce reads the folder, once for all tests.
var readOnce = sync.OnceValue(func() reading {
	r := reading{recordings: make(map[string]*replay.Recording)}
	files, err := filepath.Glob(filepath.Join(*folder, "*", "*.json*"))
	if err != nil {
		return reading{err: err}
	}
	for k, file := range files {
		if k%*every != 0 {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return reading{err: err}
		}
		name, err := filepath.Rel(*folder, file)
		if err != nil {
			return reading{err: err}
		}
		name, _, _ = strings.Cut(filepath.ToSlash(name), ".json")
		if recording, err := replay.Read(data); err != nil {
			r.leftOut = append(r.leftOut, err)
		} else {
			r.recordings[name] = recording
		}
	}
	return r
})

// TestMain collects garbage less often: what is read stays, and the tests make much that does not.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// records returns what the controller said after each frame. A record forgets that a daemon was ready once the daemon
// has died; the records before tell.
func records(t *testing.T, r *replay.Recording) []*truth.Claim {
	t.Helper()
	spec, err := r.Spec()
	require.NoError(t, err)
	var claims []*truth.Claim
	ready := make(map[string]bool) // by id
	for k := range r.Frames {
		c, _, err := truth.OfRecord(spec, r.Frames[k].Recorded)
		require.NoError(t, err, "frame %d", k)
		for i := nodegraph.Entry; int(i) < c.Graph.Len(); i++ {
			id, said := c.Graph.Node(i).ID(), &c.Nodes[i]
			ready[id] = said.Fact.Ready || ready[id] && said.Phase != nodegraph.PhasePending
			said.Fact.Ready = ready[id]
		}
		claims = append(claims, c)
	}
	return claims
}

// What Argo itself says, frame by frame, is true and within bounds but for what is known.
func TestArgo(t *testing.T) {
	all := recordings(t)
	states, frames := 0, make(map[string]int)
	found := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for k, c := range records(t, all[name]) {
			for i := range c.Nodes {
				if c.Graph.Node(nodegraph.Index(i)).Kind == nodegraph.KindDAG && c.Nodes[i].Phase.Completed() {
					states++
				}
			}
			for _, v := range c.Violations() {
				key := strings.Join([]string{name, broken([]truth.Violation{v})[0]}, " ")
				if !found[key] {
					t.Logf("%s, frame %d: %v", name, k, &v)
				}
				found[key] = true
				frames[v.Line]++
			}
		}
	}
	t.Logf("%d recordings, %d completed DAG states; frames that are spoken against, by line: %v", len(all), states, frames)
	assert.NotZero(t, states, "completed DAG states")
	compare(t, all, argoSays, found)
}

// compare compares what was found with what is known of the recordings that exist here.
func compare(t *testing.T, all map[string]*replay.Recording, known map[string][]string, found map[string]bool) {
	t.Helper()
	var want []string
	for _, list := range known {
		for _, key := range list {
			if name, _, _ := strings.Cut(key, " "); all[name] != nil || name == "any" {
				want = append(want, key)
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("what is spoken against (-known +found):\n%s", diff)
	}
}

// play modes: from what was recorded for the frame before, or from the engine's own state, which is kept, saved and loaded,
// or stored as a controller does and restored.
const (
	step     = "step"
	free     = "free"
	reloaded = "reloaded"
	restored = "restored"
)

// inherited returns what is not true, or not within bounds, of what Argo recorded in each frame: what starts from there
// says so too.
func inherited(t *testing.T, r *replay.Recording) []map[string]bool {
	t.Helper()
	spec, err := r.Spec()
	require.NoError(t, err)
	var list []map[string]bool
	for k := range r.Frames {
		c, _, err := truth.OfRecord(spec, r.Frames[k].Recorded)
		require.NoError(t, err, "frame %d", k)
		all := make(map[string]bool)
		for _, b := range broken(c.Violations()) {
			all[b] = true
		}
		list = append(list, all)
	}
	return list
}

// What the engine says and asks for in all recordings is true and within bounds, but for what is known of it today.
func TestEngine(t *testing.T) {
	all := recordings(t)
	modes := make(map[string][]string) // by what is broken: in which modes
	calls := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		argo := inherited(t, all[name])
		for _, mode := range []string{step, free, reloaded, restored} {
			var w truth.Watch
			last := 0
			see := func(frame int, e *propagate.Engine, r propagate.Result, manual bool) {
				calls++
				if frame != last && mode == step {
					w = truth.Watch{} // every frame starts from what another controller did
				}
				last = frame
				if manual {
					w.ManualRetry()
				}
				c := truth.Of(e)
				for _, v := range append(c.Violations(), w.Violations(c, r)...) {
					b := broken([]truth.Violation{v})[0]
					key := name + " " + b
					if mode == step && frame > 0 && argo[frame-1][b] {
						continue
					}
					if !slices.Contains(modes[key], mode) {
						t.Logf("%s, %s, frame %d: %v", name, mode, frame, &v)
						modes[key] = append(modes[key], mode)
					}
				}
			}
			require.NoError(t, play(all[name], mode, see), "%s, %s", name, mode)
		}
	}
	t.Logf("%d recordings, %d calls", len(all), calls)
	found := make(map[string]bool)
	for key, in := range modes {
		found[key+": "+strings.Join(in, ", ")] = true
	}
	compare(t, all, engineSays, found)
}
