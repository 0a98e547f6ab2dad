package propagate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// What follows from the ends of nodes side by side is the same whether it is done at once or for each of them.
func TestEndsSideBySide(t *testing.T) {
	phases := []nodegraph.Phase{nodegraph.Succeeded, nodegraph.Succeeded, nodegraph.Failed, nodegraph.Error}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 0))
				runs, single := begun(s.spec(300)), begun(s.spec(300))
				single.EndOneByOne()
				for step := 0; !single.Complete(); step++ {
					require.Less(t, step, 1000, "seed %d", seed)
					batch := endings(nil, slices.Values(openPods(single)))
					if step == int(seed) {
						for k := range batch {
							batch[k].Phase = phases[r.IntN(len(phases))]
						}
					}
					a, err := runs.Apply(began, batch...)
					require.NoError(t, err)
					b, err := single.Apply(began, batch...)
					require.NoError(t, err)
					require.Empty(t, cmp.Diff(single.Save(), runs.Save()), "seed %d, after step %d", seed, step)
					require.Equal(t, b, a, "seed %d, after step %d", seed, step)
				}
				require.NoError(t, runs.Check(), "seed %d", seed)
			}
		})
	}
}
