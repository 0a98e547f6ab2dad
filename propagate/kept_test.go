package propagate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What a host has on record is up to date once it has taken over the changes, whatever happens. Nodes that come one by one are the same.
func TestSnapshotChanges(t *testing.T) {
	const seed = 1
	for _, text := range []string{
		"dag(a -> b, c -> d)", "steps(a | b, c | d)", "dag(x: dag(a -> b) -> y: steps(c | d))", "retry(2, pod(a -> main))", "dag(a: retry(1, pod), b: suspend)",
		"dag(d: daemon, a -> b)", "dag(a over [x, y, z] -> b exit pod) exit pod",
	} {
		e := drawn(t, text)
		r := rand.New(rand.NewPCG(seed, 7))
		record := make(map[string]nodegraph.NodeStatus)
		for k := range 60 {
			s := e.SnapshotChanges()
			for _, n := range s.Nodes {
				record[n.ID] = n
			}
			whole := e.Snapshot()
			for _, n := range whole.Nodes {
				require.Empty(t, cmp.Diff(n, record[n.ID]), "%s, seed %d: what is on record after call %d", text, seed, k)
			}
			oneByOne, nodes := e.SnapshotSeq()
			for i, n := range nodes {
				require.Equal(t, e.Graph().Node(i).ID(), n.ID)
				oneByOne.Nodes = append(oneByOne.Nodes, *n)
			}
			require.Equal(t, whole, oneByOne)
			s.Nodes, whole.Nodes = nil, nil
			require.Equal(t, whole, s)
			node := e.Graph().Node(nodegraph.Index(r.IntN(e.Graph().Len()))).Name()
			events := []propagate.Event{
				propagate.PodRunning(node), propagate.PodSucceeded(node), propagate.PodFailed(node, "boom"), propagate.PodDeleted(node),
				propagate.Resumed(node), propagate.PodPending(node, "why"), propagate.ManualRetry(),
			}
			_, _ = e.Apply(epoch.Add(time.Duration(k)*time.Second), events[r.IntN(len(events))]) // one that is refused changes nothing
		}
	}
}

// A host that is reminded hears again of what it has not done, and of nothing else.
func TestRemind(t *testing.T) {
	e := drawn(t, "dag(a, b -> c, hold: suspend)")
	again := func() (said []string) {
		e.Remind()
		r, err := e.Apply(epoch)
		require.NoError(t, err)
		for _, a := range r.Actions {
			said = append(said, a.String())
		}
		return said
	}
	require.Equal(t, []string{"Recreate wf.a", "Recreate wf.b"}, again(), "no pod was told of")
	tell(t, e, propagate.PodRunning("wf.a"))
	require.Equal(t, []string{"Recreate wf.b"}, again())
	tell(t, e, propagate.PodSucceeded("wf.b"))
	require.Equal(t, []string{"Recreate wf.c"}, again())
	tell(t, e, propagate.PodRunning("wf.c"))
	require.Empty(t, again())
	tell(t, e, propagate.Shutdown("Stop"))
	require.Empty(t, again(), "a workflow that has ended leaves its pods to their list")
}

// NextWake is the time of the last ActionWake, as long as something is to come then.
func TestNextWake(t *testing.T) {
	e := drawnWith(t, "dag(a, hold: suspend)", deadlineAfter(time.Minute))
	assert.Equal(t, epoch.Add(time.Minute), e.NextWake(), "the deadline")
	tell(t, e, propagate.Shutdown("Terminate"))
	require.True(t, e.Complete())
	assert.Zero(t, e.NextWake(), "nothing is to come")
}

// Once it is on record that a node has ended, a newer pod does not open it again.
func TestRecorded(t *testing.T) {
	newer := podOf("wf.a", "v", "Running", running("main"))
	for stored, want := range map[bool]nodegraph.Phase{false: nodegraph.PhaseRunning, true: nodegraph.PhaseFailed} {
		e := drawn(t, "dag(a, hold: suspend)")
		listed(t, e, podOf("wf.a", "u", "Running", running("main")))
		r := tell(t, e, propagate.PodFailed("wf.a", "boom"))
		if stored {
			e.Recorded(r.Changes)
		}
		newer.Created = epoch.Add(time.Second)
		listed(t, e, newer)
		expect(t, e, "wf.a", want)
	}
}
