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
	var spare []changed
	for _, n := range []int{0, 1, 2, 63, 64, 65, 3000, 70000} {
		for _, depths := range []int{1, 4, 3000} {
			var list []changed
			for _, i := range r.Perm(2 * n)[:n] {
				list = append(list, changed{node: nodegraph.Index(i), depth: uint16(r.IntN(depths))})
			}
			want := slices.SortedFunc(slices.Values(list), func(a, b changed) int {
				return cmp.Or(int(b.depth)-int(a.depth), int(a.node-b.node))
			})
			var got []changed
			got, spare = inOrder(list, spare, 2*n)
			require.Equal(t, want, got, "seed %d: %d changes of %d depths", seed, n, depths)
		}
	}
}
