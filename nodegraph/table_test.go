package nodegraph

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every number is found by its hash, whatever other hashes are in the table, and nothing by any other; a fifth of the table
// is free however full it is.
func TestHashTable(t *testing.T) {
	const seed = 1
	for n := range 200 {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		hashes := make([]uint32, n+1)
		table := newHashTable(n)
		for k := 1; k <= n; k++ {
			hashes[k] = r.Uint32() >> (r.IntN(3) * 10) // some look alike, and some are the same
			table.add(hashes[k], uint32(k))
		}
		require.LessOrEqual(t, n, table.room(), "seed %d", seed)
		require.Less(t, n, len(table))
		found := func(hash uint32) (numbers []uint32) {
			for k, at := table.next(hash, hash); k != 0; k, at = table.next(hash, at+1) {
				if hashes[k] == hash {
					numbers = append(numbers, k)
				}
			}
			return numbers
		}
		for k := 1; k <= n; k++ {
			assert.Contains(t, found(hashes[k]), uint32(k), "seed %d: hash %x of %d numbers", seed, hashes[k], n)
		}
		assert.Empty(t, found(1<<31+7), "seed %d", seed)
	}
}
