package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

// What has ended, or was stopped, is what it came to, though it still waits for a lock: line 1 of the leaves says how it is until then.
func TestWhatEndsWhileItWaitsForALock(t *testing.T) {
	for _, c := range []struct {
		calls []call
		want  string
	}{
		{eachTold(queued("wf.a")), "Leaf 1: Pending, later"},
		{eachTold(queued("wf.a"), propagate.Resumed("wf.a")), "Suspend 2: Succeeded"},
		{eachTold(queued("wf.a"), propagate.Shutdown("Terminate")), "Suspend 1: Failed, Stopped with strategy 'Terminate'"},
	} {
		s := scene{text: "dag(a: mutex(m, suspend), b)", calls: c.calls}
		require.Equal(t, c.want, verdict(t, s.play(t), "wf.a"), "wf.a in %s after %v", s.text, c.calls)
	}
}
