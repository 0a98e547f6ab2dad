package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A ready daemon is fulfilled, so it gives its locks back in the result that says so, once. What needs the daemon may then have
// them. When the daemon ends with its boundary there is nothing left to give back.
func TestReadyDaemonGivesItsLocksBack(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, daemon) -> b: mutex(m, pod))`)
	tell(t, e, propagate.LockGranted("wf.a"))
	require.Equal(t, []string{"Release wf.a default/Mutex/m", "Acquire wf.b default/Mutex/m"}, actionsOf(tell(t, e, propagate.PodRunning("wf.a"))))
	require.Empty(t, actionsOf(tell(t, e, propagate.PodRunning("wf.a"))), "it is told twice")
	tell(t, e, propagate.LockGranted("wf.b"))
	require.Equal(t, []string{"Release wf.b default/Mutex/m", `Terminate wf.a "its boundary has ended"`, "Complete"},
		actionsOf(tell(t, e, propagate.PodSucceeded("wf.b"))))
}

// A daemon that dies after it was ready gives nothing back either.
func TestDaemonThatEndsHasNoLocksToGiveBack(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, daemon), s: suspend)`)
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.PodRunning("wf.a"))
	require.Empty(t, actionsOf(tell(t, e, propagate.PodFailed("wf.a", ""))))
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
}

// The locks around the attempts of a daemon are the Retry's. It gives them back with an attempt that is ready, and asks for them
// again before the next one: no pod is asked for without its locks. Meanwhile it says that it waits, and runs, as in Argo.
func TestRetryOfADaemonAsksForItsLocksAgain(t *testing.T) {
	const waits = "Waiting for default/Mutex/m lock. Lock status: 0/1"
	begin := func(t *testing.T) *propagate.Engine {
		e := drawn(t, `dag(a: mutex(m, retry(2, daemon)), s: suspend)`)
		tell(t, e, propagate.LockGranted("wf.a"))
		require.Equal(t, []string{"Release wf.a default/Mutex/m"}, actionsOf(tell(t, e, propagate.PodRunning("wf.a(0)"))))
		require.Equal(t, []string{"Acquire wf.a default/Mutex/m"}, actionsOf(tell(t, e, propagate.PodFailed("wf.a(0)", ""))))
		require.Equal(t, []string{"wf.a: lock", "wf.s: resume"}, waitsFor(e))
		return e
	}
	t.Run("granted at once", func(t *testing.T) {
		e := begin(t)
		require.Equal(t, []string{"Start Pod wf.a(1)"}, actionsOf(tell(t, e, propagate.LockGranted("wf.a"))))
		require.Equal(t, []string{"Release wf.a default/Mutex/m"}, actionsOf(tell(t, e, propagate.PodRunning("wf.a(1)"))))
	})
	restarts := map[string]func(testing.TB, *propagate.Engine) *propagate.Engine{
		"queued":                         func(_ testing.TB, e *propagate.Engine) *propagate.Engine { return e },
		"queued, and loaded":             reloaded,
		"queued, and read from a record": restored,
	}
	for name, restart := range restarts {
		t.Run(name, func(t *testing.T) {
			e := begin(t)
			require.Empty(t, actionsOf(tell(t, e, propagate.LockQueued("wf.a", mutexM, waits))))
			e = restart(t, e)
			phase, message := e.Phase(e.Graph().Find("wf.a"))
			require.Equal(t, nodegraph.PhaseRunning, phase)
			require.Equal(t, waits, message)
			require.Equal(t, []string{"wf.a: lock", "wf.s: resume"}, waitsFor(e))
			require.Equal(t, []string{"Start Pod wf.a(1)"}, actionsOf(tell(t, e, propagate.LockGranted("wf.a"))))
			require.Equal(t, []string{"wf.s: resume", "wf.a(1): start"}, waitsFor(e))
		})
	}
	t.Run("read from a record before the answer", func(t *testing.T) {
		e := restored(t, begin(t))
		require.Equal(t, []string{"Acquire wf.a default/Mutex/m"}, actionsOf(tell(t, e)))
	})
	t.Run("ended while it waits", func(t *testing.T) {
		e := begin(t)
		tell(t, e, propagate.LockQueued("wf.a", mutexM, waits))
		require.Contains(t, actionsOf(tell(t, e, propagate.Shutdown("Stop"))), "Release wf.a default/Mutex/m")
		require.True(t, e.Complete(), "%v", waitsFor(e))
	})
}

// Somebody replaces the pod of a ready daemon by one that is lost before it runs: the daemon is owed a pod, and first its locks.
func TestPodOfADaemonIsNotMadeAgainWithoutItsLocks(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, daemon), s: suspend)`)
	tell(t, e, propagate.LockGranted("wf.a"))
	pod := func(ev propagate.Event, uid string) propagate.Event {
		ev.Pod.UID = uid
		return ev
	}
	tell(t, e, pod(propagate.PodRunning("wf.a"), "u1"))
	tell(t, e, pod(propagate.PodPending("wf.a", ""), "u2"))
	require.Equal(t, []string{"Acquire wf.a default/Mutex/m"}, actionsOf(tell(t, e, pod(propagate.PodDeleted("wf.a"), "u2"))))
	require.Equal(t, []string{"wf.a: lock", "wf.s: resume"}, waitsFor(e))
	tell(t, e, propagate.LockQueued("wf.a", mutexM, "waits"))
	require.Equal(t, []string{"wf.a: lock", "wf.s: resume"}, waitsFor(e))
	require.Equal(t, []string{"Recreate wf.a"}, actionsOf(tell(t, e, propagate.LockGranted("wf.a"))))
	require.Equal(t, []string{"wf.a: start", "wf.s: resume"}, waitsFor(e))
}
