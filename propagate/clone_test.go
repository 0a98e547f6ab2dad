package propagate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// Before every call of random workflows the engine is cloned, in the memory of the clone before, and the clone says and becomes what
// the engine does. In these seeds the host tells events, and no lists.
func TestCloneSaysTheSame(t *testing.T) {
	for s := 9 * *seed; s < 9*(*seed+12); s += 9 {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			clone := new(propagate.Engine)
			propagatetest.Random{Seed: s, Before: func(e *propagate.Engine, now time.Time, events []propagate.Event) func(propagate.Result, error) {
				before := e.Save()
				require.NoError(t, e.CloneTo(clone))
				got, gotErr := clone.Apply(now, events...)
				require.Empty(t, cmp.Diff(before, e.Save(), anyOrder), "the engine changes as its clone is called with %v", events)
				return func(want propagate.Result, wantErr error) {
					require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(gotErr), "%v", events)
					require.Empty(t, cmp.Diff(want, got), "what the clone (+) says of %v and the engine (-)", events)
					require.Empty(t, cmp.Diff(e.Save(), clone.Save(), anyOrder), "what the clone (+) knows after %v and the engine (-)", events)
					require.Empty(t, cmp.Diff(e.Obligations(), clone.Obligations()), "what the clone (+) waits for after %v and the engine (-)", events)
				}
			}}.Run(t)
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
