package propagate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
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

// What an engine owes that was made from a record, and that nobody has called, its clone owes too; what the clone was before owes
// nothing any more. Here the pod of the daemon is to end, because the record has all that the DAG waits for as ended.
func TestCloneOfARestoredEngine(t *testing.T) {
	restored := func() *propagate.Engine {
		e := drawn(t, "dag(server: daemon, a, b)")
		call := func(events ...propagate.Event) {
			_, err := e.Apply(epoch, events...)
			require.NoError(t, err)
		}
		call()
		call(propagate.PodRunning("wf.server"), propagate.PodSucceeded("wf.a"), propagate.PodRunning("wf.b"))
		return adopted(t, e, func(s *nodegraph.Snapshot) {
			for k := range s.Nodes {
				if s.Nodes[k].Name == "wf.b" {
					s.Nodes[k].Phase, s.Nodes[k].Finished = nodegraph.PhaseSucceeded, epoch
				}
			}
		})
	}
	for into, c := range map[string]*propagate.Engine{"zero": {}, "another restored one": restored(), "another": drawn(t, "dag(a)")} {
		e := restored()
		require.NoError(t, e.CloneTo(c), into)
		want, err := e.Apply(epoch.Add(time.Second))
		require.NoError(t, err, into)
		require.Contains(t, fmt.Sprint(want.Actions), "Terminate", into)
		got, err := c.Apply(epoch.Add(time.Second))
		require.NoError(t, err, into)
		require.Empty(t, cmp.Diff(want, got), "%s: what the clone (+) says with its first call and the engine (-)", into)
		require.NoError(t, c.Check(), into)
	}
	c := restored()
	e := drawn(t, "dag(a)")
	require.NoError(t, e.CloneTo(c))
	want, err := e.Apply(epoch)
	require.NoError(t, err)
	got, err := c.Apply(epoch)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, got), "what was a restored engine owes nothing of its own")
}
