package propagate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What a manual retry has opened again goes on around what stays inside it, and holds nothing while it can't.

// locked gives the workflow the mutex w, and the templates of some kinds the mutex m.
func locked(workflow bool, kinds ...nodegraph.Kind) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		if workflow {
			spec.Locks = []nodegraph.Lock{lock("default/Mutex/w", 1)}
		}
		for _, template := range spec.Templates {
			for _, kind := range kinds {
				if template.Kind == kind {
					template.Locks = []nodegraph.Lock{lock("default/Mutex/m", 1)}
				}
			}
		}
	}
}

// It has begun: its memoization key is not looked up, and what others have stored under it in the meantime does not end it.
func TestAManualRetryLooksNothingUp(t *testing.T) {
	for _, c := range []struct{ text, pod string }{
		{"steps(s)", "wf[0].s"}, {"dag(a)", "wf.a"}, {"dag(in: steps(s))", "wf.in[0].s"}, {"dag(l over [i])", "wf.l(0:i)"},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
				entry := spec.Templates[0]
				entry.Locks, entry.Memoize = []nodegraph.Lock{lock("default/Mutex/m", 1)}, "key"
			})
			require.Equal(t, []string{`Lookup wf "key"`}, actionsOf(tell(t, e, propagate.LockGranted("wf"))))
			tell(t, e, propagate.Memoized("wf", false))
			tell(t, e, propagate.PodFailed(c.pod, ""))
			tell(t, e, propagate.ManualRetry())
			require.Equal(t, []string{"wf: lock"}, waitsFor(e))
			tell(t, e, propagate.LockGranted("wf"), propagate.Memoized("wf", true))
			require.Equal(t, []string{c.pod + ": start"}, waitsFor(e))
			expect(t, e, "wf", nodegraph.PhaseRunning)
			tell(t, e, propagate.PodSucceeded(c.pod))
			require.True(t, e.Complete())
		})
	}
}

// The host's word on the locks of a workflow comes with a Terminate, which does without them: the workflow does not wait for them.
func TestLocksOfAWorkflowThatIsTerminated(t *testing.T) {
	for name, answer := range map[string]propagate.Event{
		"granted": propagate.LockGranted(""), "queued": propagate.LockQueued("", "default/Mutex/w", "waits"),
	} {
		t.Run(name, func(t *testing.T) {
			e := drawnWith(t, "dag(a)", locked(true))
			tell(t, e, propagate.LockGranted(""))
			tell(t, e, propagate.PodFailed("wf.a", ""))
			tell(t, e, propagate.ManualRetry())
			require.Equal(t, []string{"workflow: lock"}, waitsFor(e))
			r := tell(t, e, propagate.Shutdown("Terminate"), answer)
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			require.Contains(t, actionsOf(r), "Release default/Mutex/w")
		})
	}
}

// What is inside of something that waits is granted its locks, as after a restart from a record, which tells of both only that they
// wait: it can't go on, and gives them back, since whoever has to end first may need them.
func TestLocksInsideWhatWaits(t *testing.T) {
	e := drawnWith(t, "dag(a: dag(b: retry(0, http)))", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Name == "a" || template.Name == "b" {
				template.Locks = []nodegraph.Lock{lock("default/Mutex/"+template.Name, 1)}
			}
		}
	})
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.LockGranted("wf.a.b"))
	tell(t, e, propagate.NodeEnded("wf.a.b(0)", nodegraph.PhaseFailed, ""))
	tell(t, e, propagate.ManualRetry())
	again := restored(t, e)
	tell(t, again)
	require.Equal(t, []string{"wf.a: lock", "wf.a.b: lock"}, waitsFor(again))
	require.Equal(t, []string{"Release wf.a.b default/Mutex/b"}, actionsOf(tell(t, again, propagate.LockGranted("wf.a.b"))))
	tell(t, again, propagate.LockGranted("wf.a"))
	require.Equal(t, []string{"wf.a.b: lock"}, waitsFor(again))
	tell(t, again, propagate.LockGranted("wf.a.b"))
	require.Equal(t, []string{"wf.a.b(0): served"}, waitsFor(again))
}

// The exit hook of a group that a manual retry leaves as it ended comes to be due with the status of the workflow: the host is woken
// for the call with which it starts.
func TestExitHookOfAGroupAfterAManualRetry(t *testing.T) {
	e := drawnWith(t, "dag(a, l: mutex(m, retry(1, pod)) over [j])", func(spec *nodegraph.Spec) {
		spec.Locks = []nodegraph.Lock{lock("default/Mutex/w", 1)}
		withHook("l", nodegraph.ExitHook, `workflow.status == "Running"`, asItIs)(spec)
	})
	tell(t, e, propagate.LockGranted(""))
	tell(t, e, propagate.Shutdown("Terminate"))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	tell(t, e, propagate.LockGranted(""))
	r := tell(t, e, propagate.PodRunning("wf.a"))
	require.Equal(t, []string{"wf.a: pod", "wf.l: timer"}, waitsFor(e))
	require.Contains(t, actionsOf(r), "Wake")
	tell(t, e)
	require.Equal(t, []string{"wf.a: pod", "wf.l.onExit: start"}, waitsFor(e))
	tell(t, e, propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.l.onExit"))
	require.True(t, e.Complete())
}

// The group of a daemon that runs again is open until that is ready, although the group after it stays as it ended. So it is after a
// restart.
func TestTheGroupOfADaemonIsOpenedAgain(t *testing.T) {
	e := drawn(t, "steps(d: daemon | a | b)")
	tell(t, e, propagate.PodRunning("wf[0].d"))
	tell(t, e, propagate.PodSucceeded("wf[1].a"))
	tell(t, e, propagate.PodFailed("wf[2].b", ""))
	tell(t, e, propagate.ManualRetry())
	for name, again := range map[string]*propagate.Engine{"it goes on": e, "saved": reloaded(t, e), "recorded": restored(t, e)} {
		require.Len(t, waitsFor(again), 2, name) // for d and b, which a record does not tell from one that has a pod
		expect(t, again, "wf[0]", nodegraph.PhaseRunning)
		expect(t, again, "wf[1]", nodegraph.PhaseSucceeded)
		_, err := again.Apply(epoch.Add(time.Second), propagate.PodRunning("wf[0].d"))
		require.NoError(t, err, name)
		require.NoError(t, again.Check(), name)
		expect(t, again, "wf[0]", nodegraph.PhaseSucceeded)
		require.Len(t, waitsFor(again), 1, name)
	}
}
