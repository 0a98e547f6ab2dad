package propagate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// When the host must call again.

// A wait is over once the time it was until has come, however often it was asked about before.
func TestBackoffIsWaitedForOnce(t *testing.T) {
	spec, err := nodegraph.Parse("retry(2, pod)")
	require.NoError(t, err)
	spec.Templates[0].Retry.Backoff = &retry.Backoff{Duration: 10 * time.Second}
	e := started(t, spec)
	tell(t, e, propagate.PodFailed("wf(0)", ""))
	for second := range 11 {
		_, err := e.Apply(epoch.Add(time.Duration(second) * time.Second))
		require.NoError(t, err)
		require.NoError(t, e.Check())
		require.Equal(t, second > 9, e.Graph().Find("wf(1)") != nodegraph.None, "after %d s", second)
	}
}

// The timer of a Suspend node was used up when the host called at exactly the time it had been asked to call at, and the
// node was never looked at again.
func TestTimersAreDueAtTheVeryInstant(t *testing.T) {
	e := drawn(t, `dag(a: suspend(10s) -> b)`)
	until := e.Obligations()[0].Until
	_, err := e.Apply(until)
	require.NoError(t, err)
	require.NoError(t, e.Check())
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
}

// A timer of the very moment at which the host was woken was not told: nobody would have woken it again.
func TestWakeAtTheMomentOfWaking(t *testing.T) {
	e := drawn(t, `dag(a: suspend(5s) -> many over [1] when "1 == 2" exit pod -> b)`)
	wake := epoch.Add(5 * time.Second)
	r, err := e.Apply(wake)
	require.NoError(t, err)
	require.Equal(t, []string{"wf.many: timer", "wf.b: start"}, waitsFor(e), "its exit hook runs with the next call")
	last := r.Actions[len(r.Actions)-1]
	require.Equal(t, propagate.ActionWake, last.Type, "%v", r.Actions)
	require.Equal(t, wake, last.At)
	_, err = e.Apply(wake)
	require.NoError(t, err)
	require.Equal(t, []string{"wf.b: start", "wf.many.onExit: start"}, waitsFor(e))
}
