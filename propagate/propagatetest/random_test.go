package propagatetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Seeds that found what has no smaller test: that what comes after a node may go on when a shutdown forbids the node's hooks.
func TestRandomWorkflowsThatFailed(t *testing.T) {
	for _, s := range []uint64{60_003_558, 60_017_271} {
		t.Run(fmt.Sprint(s), func(t *testing.T) { Random{}.run(t, rand.New(rand.NewPCG(s, 0)), randomHost{}) })
	}
}
