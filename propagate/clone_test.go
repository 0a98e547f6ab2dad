package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

// callClone makes a clone of the engine, in the memory of the one before, and tells it events. What it returns compares the clone
// with the engine once that was told the same.
func (c *cluster) callClone(events []propagate.Event) func(propagate.Result, error) {
	if c.clone == nil {
		return func(propagate.Result, error) {}
	}
	before := c.e.Save()
	require.NoError(c.t, c.e.CloneTo(c.clone))
	got, gotErr := c.clone.Apply(c.Now, events...)
	require.Empty(c.t, cmp.Diff(before, c.e.Save(), anyOrder), "the engine changes as its clone is called\n%s", c.history())
	return func(want propagate.Result, wantErr error) {
		require.Equal(c.t, fmt.Sprint(wantErr), fmt.Sprint(gotErr), c.history())
		require.Empty(c.t, cmp.Diff(want, got), "what the clone (+) says and the engine (-)\n%s", c.history())
		require.Empty(c.t, cmp.Diff(c.e.Save(), c.clone.Save(), anyOrder), "what the clone (+) knows and the engine (-)\n%s", c.history())
		require.Empty(c.t, cmp.Diff(c.e.Obligations(), c.clone.Obligations()), "what the clone (+) waits for and the engine (-)\n%s", c.history())
	}
}

// Before every call of random workflows the engine is cloned, and the clone says and becomes what the engine does.
func TestCloneSaysTheSame(t *testing.T) {
	for s := *seed; s < *seed+12; s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(s, 0))
			c := newCluster(t, r, randomSpec(r, 30, false), host{})
			c.clone = new(propagate.Engine)
			c.live(r.IntN(100))
			c.drain()
		})
	}
}

// A clone can be made of an engine that nobody has called, and into any engine that is not in use; the clone is called as the engine is.
func TestCloneTo(t *testing.T) {
	fresh, err := propagate.New(busy(t).Graph().Spec())
	require.NoError(t, err)
	for name, e := range map[string]*propagate.Engine{"fresh": fresh, "busy": busy(t)} {
		for into, c := range map[string]*propagate.Engine{"zero": {}, "another": drawn(t, "dag(a -> b exit pod)"), "itself": e} {
			require.NoError(t, e.CloneTo(c), "%s into %s", name, into)
			require.Empty(t, cmp.Diff(e.Save(), c.Save(), anyOrder), "%s into %s", name, into)
			require.NoError(t, c.Check(), "%s into %s", name, into)
		}
	}
	var use *propagate.UseError
	require.ErrorAs(t, new(propagate.Engine).CloneTo(fresh), &use, "an engine that was not made by New")
}
