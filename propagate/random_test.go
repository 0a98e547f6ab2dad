package propagate_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
)

var (
	seed = flag.Uint64("seed", 1, "first seed of the random tests")
	runs = flag.Int("runs", 400, "how many random workflows to run")
)

// Random workflows on a random cluster: the invariants hold after every event, and once nothing bad happens any more
// the workflow completes.
func TestRandomWorkflowsComplete(t *testing.T) {
	t.Logf("seeds %d to %d", *seed, *seed+uint64(*runs)-1)
	var calls, restarts atomic.Int64
	t.Cleanup(func() { t.Logf("%d calls of engines, %d restarts", calls.Load(), restarts.Load()) })
	for s := *seed; s < *seed+uint64(*runs); s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			c := randomWorkflow(t, s, hostOf(s))
			calls.Add(int64(c.calls))
			restarts.Add(int64(c.restarts))
		})
	}
}

// Seeds that found what has no smaller test: that what comes after a node may go on when a shutdown forbids the node's hooks.
func TestRandomWorkflowsThatFailed(t *testing.T) {
	for _, s := range []uint64{60_003_558, 60_017_271} {
		t.Run(fmt.Sprint(s), func(t *testing.T) { randomWorkflow(t, s, host{}) })
	}
}

func randomWorkflow(t *testing.T, seed uint64, h host) *cluster {
	r := rand.New(rand.NewPCG(seed, 0))
	c := newCluster(t, r, randomSpec(r, 40, h != host{}), h)
	c.live(r.IntN(120))
	c.drain()
	if phase, _ := c.e.Workflow(); phase.Unsuccessful() && r.IntN(3) == 0 {
		c.retried = true
		c.apply(propagate.ManualRetry())
		if c.host.lively {
			c.apply(propagate.Suspended(false)) // it may have been told when the workflow was complete
		}
		if c.host.snapshots { // a Workflow object does not tell pods from those before a manual retry
			c.deletePods()
		}
		c.calm = false
		c.live(r.IntN(40))
		c.drain()
	}
	return c
}

// live lets up to n things happen, good and bad ones.
func (c *cluster) live(n int) {
	for k := 0; k < n && !c.e.Complete(); k++ {
		switch c.r.IntN(60) {
		case 0:
			c.restart()
		case 1:
			if c.r.IntN(6) == 0 {
				c.apply(propagate.Shutdown([]string{"Stop", "Terminate"}[c.r.IntN(2)]))
			}
		case 2:
			c.apply(propagate.Suspended(true))
			c.apply(propagate.Suspended(false))
		case 3:
			if c.host.lively {
				c.Now = c.Now.Add(time.Duration(c.r.IntN(20_000)) * time.Millisecond)
				c.apply()
			}
		default:
			c.step()
		}
	}
}
