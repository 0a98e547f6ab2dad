package propagatetest

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A Random is a run of one workflow on a random cluster. Pods and containers run, fail, vanish and are evicted, answers come late
// and twice, users stop, suspend and retry the workflow, the controller restarts. The invariants of package propagate hold after
// every call ([Check]), what has ended stays so, no pod runs without its locks, and once only good things happen the workflow
// completes. The same Seed gives the same run.
type Random struct {
	Seed    uint64          // chooses all that happens, and how the host tells of pods
	Choices []byte          // if set, it chooses until it is used up: for a fuzzer
	Spec    *nodegraph.Spec // the workflow; nil for one of [RandomSpec]
	// Before, if set, is called before each call. What it returns is called with what came of that.
	Before func(e *propagate.Engine, now time.Time, events []propagate.Event) func(propagate.Result, error)
	// After, if set, is called after each call that the engine took.
	After func(e *propagate.Engine, events []propagate.Event, r *propagate.Result)
}

// A RandomCount says how much happened in a run.
type RandomCount struct {
	Calls, Restarts int // of the engine
}

// sizeOfRandom is the size of specifications that nobody gives.
const sizeOfRandom = 40

// Run fails the test at the first thing that is not as it must be, with all that has happened by then.
func (x Random) Run(t testing.TB) RandomCount {
	t.Helper()
	r := rand.New(rand.NewPCG(x.Seed, 0))
	if x.Choices != nil {
		r = rand.New(&choices{data: x.Choices, rest: rand.NewPCG(uint64(len(x.Choices)), 0)})
		return x.run(t, r, hostOf(r.Uint64()))
	}
	return x.run(t, r, hostOf(x.Seed))
}

// run runs with a host that is given.
func (x Random) run(t testing.TB, r *rand.Rand, h randomHost) RandomCount {
	t.Helper()
	spec := x.Spec
	if spec == nil {
		spec = randomSpec(r, sizeOfRandom, h != randomHost{})
	} else {
		h.limits = nodegraph.Limits{} // what has no room ends in Error
	}
	c := x.cluster(t, r, spec, h)
	c.live(r.IntN(120))
	c.drain()
	if phase, _ := c.e.Workflow(); phase.Unsuccessful() && r.IntN(3) == 0 {
		c.retry()
		c.live(r.IntN(40))
		c.drain()
	}
	return c.count
}

// choices are random numbers: the fuzzer's bytes first, then a fixed sequence.
type choices struct {
	data []byte
	rest *rand.PCG
}

// Uint64 implements [rand.Source].
func (s *choices) Uint64() uint64 {
	if len(s.data) >= 8 {
		n := binary.LittleEndian.Uint64(s.data)
		s.data = s.data[8:]
		return n
	}
	if len(s.data) > 0 {
		n := uint64(s.data[0])
		s.data = s.data[1:]
		return n << 56
	}
	return s.rest.Uint64()
}

// retry retries the workflow by hand.
func (c *randomCluster) retry() {
	c.retried = true
	c.apply(propagate.ManualRetry())
	if c.host.lively {
		c.apply(propagate.Suspended(false)) // it may have been told when the workflow was complete
	}
	if c.host.snapshots { // a Workflow object does not tell pods from those before a manual retry
		c.deletePods()
	}
	c.calm = false
}

// live lets up to n things happen, good and bad ones.
func (c *randomCluster) live(n int) {
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

// drain lets only good things happen until nothing is left, and the workflow must be complete.
func (c *randomCluster) drain() {
	c.calm = true
	for k := 0; !c.e.Complete(); k++ {
		if !c.step() {
			if !c.endDaemon() {
				require.Fail(c.t, "it hangs", "%v\n%s\n%s", c.e.Obligations(), c.history(), c.table())
			}
		}
		if k == 20000 {
			require.Fail(c.t, "it does not end", "%v\n%s\n%s", c.e.Obligations(), strings.Join(c.log[max(0, len(c.log)-20):], "\n"), c.table())
		}
	}
}

// endDaemon ends a ready daemon that nothing else would end.
func (c *randomCluster) endDaemon() bool {
	for _, p := range c.flow.Pods {
		if i := c.e.Graph().Find(p.Node); i != nodegraph.None && c.e.Verdict(i).Daemoned && p.State != simhost.PodGone {
			c.say(p, propagate.PodDeleted(""))
			return true
		}
	}
	return false
}

// throughJSON is a state as it comes back from where it was stored.
func throughJSON(t testing.TB, s propagate.State) propagate.State {
	data, err := json.Marshal(s)
	require.NoError(t, err)
	var back propagate.State
	require.NoError(t, json.Unmarshal(data, &back), "%s", data)
	require.Empty(t, cmp.Diff(s, back), "%s", data)
	return back
}
