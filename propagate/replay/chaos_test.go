package replay_test

import (
	"flag"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

var (
	chaosSeed = flag.Uint64("chaos.seed", 1, "first seed of the chaos test")
	chaosRuns = flag.Int("chaos.runs", 1, "how many times each recording is disturbed")
)

// What a recording tells is told once more: pods in another order within each list, lists twice, old statuses of pods
// beside their new ones or long after them, lists in which some pods are as they were before, and lists that never come,
// so that the next one has to tell it all. In the end every node has the phase it has undisturbed, and the workflow
// waits for the same; and the invariants hold after every call.
func TestChaosSettlesToTheSame(t *testing.T) {
	t.Logf("seeds %d to %d of each recording", *chaosSeed, *chaosSeed+uint64(*chaosRuns)-1)
	each(t, scripted, func(t *testing.T, file string) {
		want := endOf(t, read(t, file))
		for seed := *chaosSeed; seed < *chaosSeed+uint64(*chaosRuns); seed++ {
			c := newChaos(t, file, seed)
			c.disturb()
			diff := cmp.Diff(want, endOf(t, c.recording))
			assert.Empty(t, diff, "seed %d, which did %v (-undisturbed +disturbed)", seed, c.did)
		}
	})
}

// The chaos does all that it says it does: over all recordings each disturbance comes about many times.
func TestChaosIsChaos(t *testing.T) {
	did := make(map[string]int)
	files, err := filepath.Glob(filepath.Join(recordings, scripted))
	require.NoError(t, err)
	for _, file := range files {
		c := newChaos(t, file, *chaosSeed)
		c.disturb()
		for what, n := range c.did {
			did[what] += n
		}
	}
	t.Logf("seed %d, %d recordings: %v", *chaosSeed, len(files), did)
	for _, what := range []string{"shuffled", "twice", "old beside new", "late", "partly old", "dropped"} {
		assert.Greater(t, did[what], 100, what)
	}
}

// endOf plays a recording freely, and returns the phases of all nodes in the end and what the workflow waits for.
func endOf(t *testing.T, r *replay.Recording) map[string]string {
	t.Helper()
	end := make(map[string]string)
	p := &replay.Player{Recording: r, Mode: replay.Free, After: (*propagate.Engine).Check}
	var last *replay.Moment
	require.NoError(t, p.Play(func(m *replay.Moment) error {
		last = m
		return nil
	}))
	for _, s := range last.States() {
		end[s.Name] = s.Phase.String() // the workflow's has no name
	}
	for _, o := range last.Engine.Obligations() {
		end[o.Name+" waits for "+o.For.String()] = "true"
	}
	return end
}

// chaos disturbs one recording.
type chaos struct {
	*rand.Rand
	recording *replay.Recording
	ordered   bool // the order of observations decides what starts first
	daemons   bool
	watched   bool // hooks look at phases on the way
	did       map[string]int
	told      []propagate.PodStatus // each status that was told so far, the oldest first
}

func newChaos(t testing.TB, file string, seed uint64) *chaos {
	h := fnv.New64a()
	h.Write([]byte(file[len(recordings):]))
	r := read(t, file)
	spec, err := r.Spec()
	require.NoError(t, err)
	c := &chaos{Rand: rand.New(rand.NewPCG(seed, h.Sum64())), recording: r, did: make(map[string]int)}
	c.ordered = spec.Parallelism > 0
	c.watched = len(spec.Hooks) > 0
	for _, template := range spec.Templates {
		c.ordered = c.ordered || template.Parallelism > 0 || len(template.Locks) > 0
		c.daemons = c.daemons || template.Daemon
		for _, tasks := range append([][]nodegraph.Task{template.Tasks}, template.Steps...) {
			for _, task := range tasks {
				for _, hook := range task.Hooks {
					c.watched = c.watched || hook.Name != nodegraph.ExitHook
				}
			}
		}
	}
	return c
}

// chance is true once in n times.
func (c *chaos) chance(n int) bool { return c.IntN(n) == 0 }

// disturb replaces the frames of the recording. What was done by users stays in its place. Lists that are partly old or
// missing are left out where the order of observations decides: under a limit of parallelism and with locks of nodes it
// decides what starts first, and the recording has the pods of one order only.
func (c *chaos) disturb() {
	frames := c.recording.Frames
	var out []replay.Frame
	dropped := false
	for k, f := range frames {
		if k > 0 && k+1 < len(frames) && !c.ordered && c.chance(3) && c.tellsAll(&frames[k], &frames[k+1]) {
			c.did["dropped"]++
			dropped = true
			continue
		}
		if k > 0 && !c.ordered && !acted(&f) && c.chance(3) {
			if partly, ok := c.partlyOld(frames[k-1].Pods, &f); ok && !dropped {
				out = append(out, partly)
			}
		}
		out = append(out, c.truth(f))
		again := c.IntN(3)
		if dropped { // what was to start before has started only now, and its pods are in the list already
			again = max(again, len(frames))
		}
		for range again {
			out = append(out, c.again(f))
		}
		c.told = append(c.told, f.Pods...)
		dropped = false
	}
	c.recording.Frames = out
}

// acted tells whether something was done by users, or let pass, just before the frame.
func acted(f *replay.Frame) bool {
	return slices.ContainsFunc(f.Events, func(e string) bool {
		for _, verb := range []string{"sleep", "wait", "resume", "stopnode", "http", "suspend", "unsuspend", "manual-retry", "shutdown"} {
			if len(e) >= len(verb) && e[:len(verb)] == verb {
				return true
			}
		}
		return false
	})
}

// tellsAll tells whether the list of frame next tells everything that the one of frame f does, so that f may be lost:
// each pod is still there; one that ran runs or has ended with a word on all its containers; no container that had ended
// is forgotten, as an eviction does. A daemon that was ready must be seen ready, and a hook may look at any phase on the
// way. A frame before or with something that users did is kept: what they do concerns what there is at that time.
func (c *chaos) tellsAll(f, next *replay.Frame) bool {
	if c.watched || acted(f) || acted(next) || f.Shutdown != next.Shutdown {
		return false
	}
	for _, p := range f.Pods {
		i := slices.IndexFunc(next.Pods, func(q propagate.PodStatus) bool { return q.UID == p.UID })
		if i < 0 || c.daemons && p.Phase == "Running" && next.Pods[i].Phase != "Running" {
			return false
		}
		for _, was := range p.Containers {
			is := slices.IndexFunc(next.Pods[i].Containers, func(s propagate.ContainerStatus) bool { return s.Name == was.Name })
			if p.Phase == "Running" && (is < 0 || was.Terminated && !next.Pods[i].Containers[is].Terminated) {
				return false
			}
		}
	}
	return true
}

// truth is the frame with its pods in another order, and with old statuses of pods beside their new ones.
func (c *chaos) truth(f replay.Frame) replay.Frame {
	pods := slices.Clone(f.Pods)
	for _, p := range f.Pods {
		for _, old := range c.told {
			if old.UID == p.UID && c.chance(4) {
				c.did["old beside new"]++
				pods = append(pods, old)
			}
		}
	}
	return c.shuffled(f, pods)
}

// again is a frame that comes once more, with late statuses of pods, those among them that are gone by now.
func (c *chaos) again(f replay.Frame) replay.Frame {
	c.did["twice"]++
	f.Events = nil
	pods := slices.Clone(f.Pods)
	for _, old := range c.told {
		if c.chance(6) {
			c.did["late"]++
			pods = append(pods, old)
		}
	}
	return c.shuffled(f, pods)
}

// partlyOld is a list that comes before that of the frame: some pods are as they were, some are as they will be. It is
// false if there is no difference.
func (c *chaos) partlyOld(before []propagate.PodStatus, f *replay.Frame) (replay.Frame, bool) {
	partly := *f
	partly.Events = nil
	latest := make(map[string]propagate.PodStatus)
	for _, p := range f.Pods {
		if c.chance(2) {
			latest[p.UID] = p
		}
	}
	different := len(latest) < len(f.Pods)
	for _, p := range before {
		if _, ok := latest[p.UID]; !ok { // a pod that was listed must not be missing: that says it is deleted
			latest[p.UID] = p
		}
	}
	if !different {
		return partly, false
	}
	c.did["partly old"]++
	pods := make([]propagate.PodStatus, 0, len(latest))
	for _, uid := range slices.Sorted(maps.Keys(latest)) {
		pods = append(pods, latest[uid])
	}
	return c.shuffled(partly, pods), true
}

// shuffled is the frame with these pods in another order.
func (c *chaos) shuffled(f replay.Frame, pods []propagate.PodStatus) replay.Frame {
	if len(pods) > 1 {
		c.did["shuffled"]++
	}
	c.Shuffle(len(pods), func(a, b int) { pods[a], pods[b] = pods[b], pods[a] })
	f.Pods = pods
	return f
}
