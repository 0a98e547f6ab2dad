package propagate

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Changes are sorted the same way however many there are, and whatever was left in the scratch.
func TestChangesInOrder(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	var o output
	for _, n := range []int{0, 1, 2, 63, 64, 65, 3000, 70000} {
		for _, depths := range []int{1, 4, 3000} {
			for _, nodes := range []int{n + 1, 2 * n, 40 * n} {
				o.place = make([]int32, nodes)
				o.changed = o.changed[:0]
				for _, i := range r.Perm(nodes)[:min(n, nodes)] {
					o.changed = append(o.changed, changed{node: nodegraph.Index(i), depth: uint16(r.IntN(depths))})
					o.place[i] = int32(len(o.changed))
				}
				want := slices.SortedFunc(slices.Values(o.changed), func(a, b changed) int {
					return cmp.Or(int(b.depth)-int(a.depth), int(a.node-b.node))
				})
				o.inOrder()
				require.Equal(t, want, slices.Clip(o.changed[:len(want):len(want)]), "seed %d: %d changes of %d nodes and %d depths", seed, n, nodes, depths)
			}
		}
	}
}
