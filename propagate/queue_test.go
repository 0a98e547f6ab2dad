package propagate

import (
	"math/rand/v2"
	"slices"
	"testing"

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
