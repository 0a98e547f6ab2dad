package diagnose_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/retry"
)

// What a healthy workflow waits for, since when, and what is next.
func TestWaits(t *testing.T) {
	in := played(t, "wf: dag(a -> b, s: suspend(10m), p)", propagate.PodRunning("wf.p"), propagate.PodSucceeded("wf.a"))
	without("wf.b")(&in)
	pod("wf.p", "Running")(&in)
	report, err := diagnose.Diagnose(in)
	require.NoError(t, err)
	require.True(t, report.Healthy())
	type wait struct {
		Name         string
		For          propagate.WaitReason
		Since, Until time.Time
		Next         bool
	}
	got := map[string]wait{}
	for _, w := range report.Waits {
		got[w.Name] = wait{w.Name, w.For, w.Since, w.Until, w.Next}
	}
	want := map[string]wait{
		"wf.b": {"wf.b", propagate.WaitStart, time.Time{}, time.Time{}, true},
		"wf.s": {"wf.s", propagate.WaitTimer, start, start.Add(10 * time.Minute), false},
		"wf.p": {"wf.p", propagate.WaitPod, start, time.Time{}, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// A wait that can never come true says why, and only where there is one the report is hopeless.
func TestHopeless(t *testing.T) {
	const queued = "Waiting for default/Mutex/m lock. Lock status: 0/1"
	for text, never := range map[string]string{
		"wf: dag(x: mutex(m, dag(a: mutex(m, pod))))": "wf.x, which it is inside of, holds default/Mutex/m",
		"wf: dag(x: mutex(n, dag(a: mutex(m, pod))))": "", // another workflow has it
	} {
		report, err := diagnose.Diagnose(played(t, text, propagate.LockGranted("wf.x"), propagate.LockQueued("wf.x.a", "default/Mutex/m", queued)))
		require.NoError(t, err)
		assert.Equal(t, never == "", report.Healthy(), text)
		assert.Equal(t, never != "", report.Hopeless(), text)
		require.Len(t, report.Waits, 1)
		assert.Equal(t, never, report.Waits[0].Never, text)
	}
}

// A workflow with a finding is not stuck while something else of it goes on.
func TestStuck(t *testing.T) {
	cases := []struct {
		why    string
		text   string
		events []propagate.Event
		more   edits
		want   bool
	}{
		{"nothing else", "wf: dag(b: pod(x))", nil, nil, true},
		{"a pod runs", "wf: dag(b: pod(x), p)", nil, edits{pod("wf.p", "Running")}, false},
		{"something waits to be resumed", "wf: dag(b: pod(x), s: suspend)", nil, nil, false},
		{"something waits for a lock", "wf: dag(b: pod(x), l: mutex(m, dag(q)))",
			[]propagate.Event{propagate.LockQueued("wf.l", "default/Mutex/m", "Waiting for default/Mutex/m lock. Lock status: 0/1")}, nil, false},
		{"a backoff runs", "wf: dag(b: pod(x), r: retry(1, pod))", []propagate.Event{propagate.PodFailed("wf.r(0)", "")}, nil, false},
		{"the workflow is suspended", "wf: dag(b: pod(x))", nil, edits{func(in *diagnose.Input) { in.Snapshot.Suspended = true }}, false},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			events := append([]propagate.Event{propagate.PodRunning("wf.b"), propagate.PodDeleted("wf.b")}, c.events...)
			spec := func(s *nodegraph.Spec) {
				for _, t := range s.Templates {
					if t.Retry != nil {
						t.Retry.Backoff = &retry.Backoff{Duration: time.Hour}
					}
				}
			}
			in := playedWith(t, spec, c.text, events...)
			for _, edit := range append(edits{set("wf.b.x", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running}, c.more...) {
				edit(&in)
			}
			report, err := diagnose.Diagnose(in)
			require.NoError(t, err)
			require.False(t, report.Healthy())
			assert.Equal(t, c.want, report.Stuck)
		})
	}
}

// Who holds which lock and who waits for it: from the nodes where the status does not tell, else as it says.
func TestLocks(t *testing.T) {
	const key = "default/Mutex/m"
	a, b := nodegraph.NodeID("wf", "wf.a"), nodegraph.NodeID("wf", "wf.b")
	in := played(t, "wf: dag(a: mutex(m, pod), b: mutex(m, pod))",
		propagate.LockGranted("wf.a"), propagate.LockQueued("wf.b", key, "Waiting for "+key+" lock. Lock status: 0/1"))
	for _, holdings := range [][]diagnose.Holding{nil, {{Key: key, Node: a}}} {
		in.Holdings = holdings
		report, err := diagnose.Diagnose(in)
		require.NoError(t, err)
		require.Len(t, report.Locks, 1)
		l := report.Locks[0]
		require.Len(t, l.Holders, 1)
		require.Len(t, l.Waiters, 1)
		assert.Equal(t, [3]string{key, a, b}, [3]string{l.Key, l.Holders[0].ID, l.Waiters[0].ID}, "holdings %v", holdings)
		assert.Empty(t, report.Findings)
	}
}

// The workflow's own locks: it holds them from its first node on, and waits for them before.
func TestWorkflowLocks(t *testing.T) {
	in := played(t, "wf: dag(a)")
	in.Spec.Locks = []nodegraph.Lock{{Key: "default/Mutex/w", Limit: 1}}
	report, err := diagnose.Diagnose(in)
	require.NoError(t, err)
	require.Len(t, report.Locks, 1)
	assert.Equal(t, []string{"wf"}, []string{report.Locks[0].Holders[0].Name})
	assert.Empty(t, report.Locks[0].Waiters)

	in.Snapshot = nodegraph.Snapshot{Phase: nodegraph.PhasePending, Message: "Waiting for default/Mutex/w lock. Lock status: 0/1"}
	report, err = diagnose.Diagnose(in)
	require.NoError(t, err)
	require.Len(t, report.Locks, 1)
	assert.Empty(t, report.Locks[0].Holders)
	assert.Equal(t, []string{"wf"}, []string{report.Locks[0].Waiters[0].Name})
	require.Len(t, report.Waits, 1)
	assert.Equal(t, propagate.WaitLock, report.Waits[0].For)

	in.Snapshot = nodegraph.Snapshot{Phase: nodegraph.PhaseSucceeded}
	report, err = diagnose.Diagnose(in)
	require.NoError(t, err)
	assert.Empty(t, report.Locks, "a complete workflow holds nothing")
}
