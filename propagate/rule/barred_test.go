package rule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// The deadline of a workflow counts from its start, which comes with its locks. Nor does a restart before that begin it.
func TestDeadlineOfWhatWaitsForItsLocks(t *testing.T) {
	s := scene{text: "dag(a)", set: both(locked, func(spec *nodegraph.Spec) { spec.ActiveDeadline = time.Minute })}
	e := s.play(t)
	again, _, err := propagate.FromState(e.Graph().Spec(), e.Save())
	require.NoError(t, err)
	for _, e := range []*propagate.Engine{e, again} {
		_, err := e.Apply(epoch.Add(time.Hour), propagate.LockGranted(""))
		require.NoError(t, err)
		require.Equal(t, "Pod 11: Pending", verdict(t, e, "wf.a"), "it has just started")
		_, err = e.Apply(epoch.Add(time.Hour + time.Minute))
		require.NoError(t, err)
		require.Equal(t, "Pod 4: Failed, Step exceeded its deadline", verdict(t, e, "wf.a"), "its minute is over")
	}
}

// ready is a ready daemon on record, or the Retry around one.
func ready(name string, kind nodegraph.Kind) nodegraph.NodeStatus {
	r := onRecord(name, kind, runs)
	r.Daemoned = true
	return r
}

// A daemon in a group on record as ended is tried again until its boundary ends. Here the record gives the group words of its own,
// which the rules do not: it ended as a whole.
func TestDaemonInAGroupThatHasEnded(t *testing.T) {
	group := onRecord("wf.a", nodegraph.KindTaskGroup, nodegraph.PhaseFailed)
	group.Message = "an item failed"
	record := []nodegraph.NodeStatus{
		dag("wf", runs), pod("wf.b", runs), group,
		onRecord("wf.a(0:i)", nodegraph.KindRetry, nodegraph.PhaseFailed), pod("wf.a(0:i)(0)", nodegraph.PhaseFailed), pod("wf.a(0:i)(1)", nodegraph.PhaseFailed),
		ready("wf.a(1:j)", nodegraph.KindRetry), ready("wf.a(1:j)(0)", nodegraph.KindPod),
	}
	text, fails := "dag(a: retry(1, daemon) over [i, j], b)", told(failed("wf.a(1:j)(0)"))
	chapter(t, []scene{
		{text: text, phase: runs, record: record, calls: fails, node: "wf.a", want: "Composite 3: Failed, an item failed"},
		{text: text, phase: runs, record: record, calls: fails, node: "wf.a(1:j)(1)", want: "Pod 11: Pending"},
	})
}
