package replay_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

var flipSeed = flag.Uint64("flip.seed", 1, "seed of the test that plants wrong states")

// flipFloor is the least share of planted states, of a thousand, that must be defects.
const flipFloor = 995

// flips are the phases that a recorded phase is turned into.
var flips = map[nodegraph.Phase][]nodegraph.Phase{
	nodegraph.PhasePending:   {nodegraph.PhaseRunning, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError},
	nodegraph.PhaseRunning:   {nodegraph.PhasePending, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError},
	nodegraph.PhaseSucceeded: {nodegraph.PhaseFailed, nodegraph.PhaseError, nodegraph.PhaseRunning, nodegraph.PhasePending},
	nodegraph.PhaseFailed:    {nodegraph.PhaseSucceeded, nodegraph.PhaseError, nodegraph.PhaseRunning, nodegraph.PhasePending},
	nodegraph.PhaseError:     {nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseRunning, nodegraph.PhasePending},
	nodegraph.PhaseSkipped:   {nodegraph.PhaseOmitted, nodegraph.PhaseSucceeded, nodegraph.PhaseRunning},
	nodegraph.PhaseOmitted:   {nodegraph.PhaseSkipped, nodegraph.PhaseFailed, nodegraph.PhaseRunning},
}

var flipEvery = flag.Int("flip.every", 8, "plant wrong states in every recording of so many; in all: 1")

// A flip is one wrong state in one frame.
type flip struct {
	frame, node int // node is its place in the record, -1 for the workflow
	kind        nodegraph.Kind
	from, to    nodegraph.Phase
}

// A recording with one wrong phase in one node of one frame has a defect there: no recogniser excuses it, and it is not taken
// for the controller's lag. One state of each kind is planted in each recording. What slips through is listed by kind.
func TestAWrongStateIsADefect(t *testing.T) {
	t.Logf("seed %d", *flipSeed)
	files, err := filepath.Glob(filepath.Join(recordings, "*/*"))
	require.NoError(t, err)
	var mu sync.Mutex
	planted, caught := make(map[nodegraph.Kind]int), make(map[nodegraph.Kind]int)
	var slipped []string
	t.Run("recordings", func(t *testing.T) {
		for k, file := range files {
			if k%*flipEvery != 0 {
				continue
			}
			t.Run(replay.RecordingPath(file), func(t *testing.T) {
				t.Parallel()
				r, err := readFile(t, file)
				if err != nil {
					return // the list of causes has it
				}
				for _, f := range flipsOf(t, file, r) {
					d, ok := f.plant(t, r)
					mu.Lock()
					planted[f.kind]++
					if ok && d.Defect() {
						caught[f.kind]++
					} else {
						slipped = append(slipped, fmt.Sprintf("%s: %s to %s: %s", f.kind, f.from, f.to, d.String()))
					}
					mu.Unlock()
				}
			})
		}
	})
	all, good := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(planted)) {
		all, good = all+planted[kind], good+caught[kind]
		t.Logf("%-9s %4d of %4d", kind, caught[kind], planted[kind])
	}
	slices.Sort(slipped)
	for _, s := range slipped {
		t.Log("slipped: ", s)
	}
	t.Logf("%d of %d planted states are defects", good, all)
	assert.Greater(t, all*(*flipEvery), 1500, "states planted")
	assert.GreaterOrEqual(t, good*1000, all*flipFloor, "share of defects")
}

// flipsOf chooses a state of each kind among those that the library computes as recorded.
func flipsOf(t testing.TB, file string, r *replay.Recording) []flip {
	t.Helper()
	v := judge(t, file, replay.Step)
	if v.err != nil {
		return nil
	}
	type place struct {
		frame int
		id    string
	}
	differs := make(map[place]bool)
	for _, d := range v.Differences {
		differs[place{d.Frame, d.ID}] = true
	}
	byKind := make(map[nodegraph.Kind][]flip)
	for k := range r.Frames {
		recorded := &r.Frames[k].Recorded
		if !differs[place{k, ""}] && recorded.Phase != nodegraph.PhasePlanned {
			byKind[nodegraph.KindWorkflow] = append(byKind[nodegraph.KindWorkflow], flip{frame: k, node: -1, from: recorded.Phase})
		}
		for n := range recorded.Nodes {
			if node := &recorded.Nodes[n]; !differs[place{k, node.ID}] {
				byKind[node.Kind] = append(byKind[node.Kind], flip{frame: k, node: n, kind: node.Kind, from: node.Phase})
			}
		}
	}
	h := fnv.New64a()
	h.Write([]byte(r.Name))
	random := rand.New(rand.NewPCG(*flipSeed, h.Sum64()))
	var chosen []flip
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		f := byKind[kind][random.IntN(len(byKind[kind]))]
		if to := flips[f.from]; len(to) > 0 {
			f.to = to[random.IntN(len(to))]
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// plant judges the frame with the wrong state, and returns the difference at its place. The recording is as before then.
func (f flip) plant(t testing.TB, r *replay.Recording) (replay.Difference, bool) {
	t.Helper()
	recorded := &r.Frames[f.frame].Recorded
	id, phase := "", &recorded.Phase
	if f.node >= 0 {
		id, phase = recorded.Nodes[f.node].ID, &recorded.Nodes[f.node].Phase
	}
	*phase = f.to
	defer func() { *phase = f.from }()
	v, err := replay.JudgeFrame(&replay.Player{Recording: r, Mode: replay.Step}, f.frame)
	require.NoError(t, err)
	for _, d := range v.Differences {
		if d.ID == id {
			return d, true
		}
	}
	return replay.Difference{Recording: r.Name, Frame: f.frame, ID: id, Name: id + " (no difference)"}, false
}
