package propagate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A batch is put in order where its nodes lie close together; where they don't it stays as it came.
func TestArrange(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	arranged, left := 0, 0
	for k := range 5000 {
		span, drawn := 1+r.IntN(3000), make(map[nodegraph.Index]bool)
		var batch []nodegraph.Index
		for range 1 + r.IntN(60) {
			if i := nodegraph.Index(7 + r.IntN(span)); !drawn[i] {
				drawn[i] = true
				batch = append(batch, i)
			}
		}
		var q queue
		is := slices.Clone(batch)
		q.arrange(is)
		if want := slices.Sorted(slices.Values(batch)); slices.Equal(is, want) {
			arranged++
		} else {
			left++
			require.Equal(t, batch, is, "seed %d, batch %d is neither in order nor as it came", seed, k)
			require.Greater(t, int(want[len(want)-1]-want[0])/64+1, len(want), "seed %d, batch %d lies close together and was left", seed, k)
		}
	}
	assert.Greater(t, arranged, 1000)
	assert.Greater(t, left, 100)
}

// In whatever order the nodes of one rank are taken, a workflow comes to the same.
func TestLargeWorkflowsAreAsSmallOnes(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			small, large := begun(s.spec(1000)), begun(s.spec(1000))
			require.False(t, small.queue.large)
			large.queue.large = true
			for step := 0; !small.Complete(); step++ {
				require.Less(t, step, 10_000)
				batch := endings(nil, slices.Values(openPods(small)))
				if step == 3 { // of those that come after it most are omitted
					batch[len(batch)-1].Phase = nodegraph.Failed
				}
				a, err := small.Apply(began, batch...)
				require.NoError(t, err)
				b, err := large.Apply(began, batch...)
				require.NoError(t, err)
				require.Empty(t, cmp.Diff(small.Save(), large.Save()), "after step %d", step)
				require.Equal(t, a.Actions, b.Actions)
				require.ElementsMatch(t, a.Changes, b.Changes)
			}
			require.NoError(t, large.Check())
		})
	}
}

// A workflow is large from a number of nodes on, and stays so when it gives back what a call needed.
func TestALargeWorkflowStaysLarge(t *testing.T) {
	e := begun(fanIn(largeWorkflow + 1))
	require.True(t, e.queue.large)
	_, err := e.Apply(began, Event{Type: EventPodRunning, At: openPods(e)[0]})
	require.NoError(t, err)
	assert.Empty(t, e.queue.lists)
	assert.True(t, e.queue.large)
}
