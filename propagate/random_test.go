package propagate_test

import (
	"cmp"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

var (
	seed = flag.Uint64("seed", 1, "first seed of the random tests")
	runs = flag.Int("runs", 0, "how many random workflows to run; 0: 200, and in the wide search all for which the list of known faults is exact")
)

// Random workflows on a random cluster: the invariants hold after every event, and once nothing bad happens any more
// the workflow completes.
func TestRandomWorkflowsComplete(t *testing.T) {
	last := *seed + uint64(cmp.Or(*runs, 200)) - 1
	t.Logf("seeds %d to %d", *seed, last)
	var calls, restarts atomic.Int64
	t.Cleanup(func() { t.Logf("%d calls of engines, %d restarts", calls.Load(), restarts.Load()) })
	for s := *seed; s <= last; s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			n := propagatetest.Random{Seed: s}.Run(t)
			calls.Add(int64(n.Calls))
			restarts.Add(int64(n.Restarts))
		})
	}
}
