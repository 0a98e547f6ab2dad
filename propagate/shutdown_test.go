package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

// A shutdown that was asked for while the host was away is in the record; told once more, it stops what still runs.
func TestShutdownOfARestoredEngine(t *testing.T) {
	for _, strategy := range []string{"Stop", "Terminate"} {
		t.Run(strategy, func(t *testing.T) {
			e := drawn(t, "dag(a, b)")
			tell(t, e, propagate.PodRunning("wf.a"))
			record := e.Snapshot()
			record.Shutdown = strategy
			again, _, err := propagate.Restore(e.Graph().Spec(), record)
			require.NoError(t, err)
			r, err := again.Apply(epoch, propagate.Shutdown(strategy))
			require.NoError(t, err)
			require.NoError(t, again.Check())
			var stops []string
			for _, a := range r.Actions {
				stops = append(stops, a.String())
			}
			require.Contains(t, stops, `Terminate wf.a "workflow shutdown with strategy:  `+strategy+`"`)
			require.True(t, again.Complete())
		})
	}
}
