package propagate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Daemons that are ready, die, and are ended with their boundary.

// A daemon that was ended with its boundary made its exit hook due, and so opened the boundary that had ended.
func TestReleasedDaemonRunsNoExitHook(t *testing.T) {
	e := drawn(t, `dag(inner: dag(d: daemon exit pod -> b) -> c)`)
	ready := propagate.PodRunning("wf.inner.d")
	tell(t, e, ready)
	tell(t, e, propagate.PodSucceeded("wf.inner.b"))
	expect(t, e, "wf.inner", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.inner.d", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.c", nodegraph.PhasePending)
	require.Equal(t, nodegraph.None, e.Graph().Find("wf.inner.d.onExit"))
}

// A task that was omitted beside ready daemons ran after all when the last of them ended.
func TestOmittedStaysOmittedWhenADaemonEnds(t *testing.T) {
	e := drawn(t, `dag(d: daemon over [x, y], next depends "d.AllFailed", other)`)
	tell(t, e, propagate.PodRunning("wf.d(0:x)"), propagate.PodFailed("wf.d(1:y)", "boom"))
	expect(t, e, "wf.next", nodegraph.PhaseOmitted)
	tell(t, e, propagate.PodFailed("wf.d(0:x)", "boom"))
	expect(t, e, "wf.next", nodegraph.PhaseOmitted)
}

// That a daemon was ready was forgotten when it was heard of after its end, so that the order of two events decided
// whether a Steps goes on.
func TestReadyHeardAfterTheEndCounts(t *testing.T) {
	ready, failed := propagate.PodRunning("wf[0].d"), propagate.PodFailed("wf[0].d", "")
	ready.Pod.UID, failed.Pod.UID = "u", "u"
	phases := make(map[string]bool)
	for _, order := range [][]propagate.Event{{ready, failed}, {failed, ready}} {
		e := drawn(t, `steps(d: daemon, hold: suspend | b)`)
		tell(t, e, order...)
		tell(t, e, propagate.Resumed("wf[0].hold"))
		phase, _ := e.Workflow()
		phases[phase.String()] = true
	}
	require.Len(t, phases, 1, "the same two events in either order give %v", phases)
}

// A ready daemon counts as a success while it is ready and once it was ended with its DAG alike, and what is inside of the task
// before it does not count: the DAG is what it was when it ended the daemon.
func TestDaemonEndedWithItsBoundaryDecidesAsBefore(t *testing.T) {
	e := drawn(t, "dag(x: dag(set: pod(a, b) -> d: daemon), hold: suspend)")
	tell(t, e, propagate.PodRunning("wf.x.set"), propagate.ContainerEnded("wf.x.set", "a", 1, ""), propagate.ContainerEnded("wf.x.set", "b", 0, ""), propagate.PodSucceeded("wf.x.set"))
	r := tell(t, e, propagate.PodRunning("wf.x.d"))
	require.Equal(t, "Terminate wf.x.d \"its boundary has ended\"", r.Actions[0].String())
	expect(t, e, "wf.x.d", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.x", nodegraph.PhaseSucceeded)
}

// A hook that is a ready daemon is on a branch of its DAG, and no task of it.
func TestHookThatIsAReadyDaemonOnABranch(t *testing.T) {
	e := drawn(t, `dag(x: dag(a exit daemon -> b when "1 == 2"), y: dag(c -> d when "1 == 2"), hold: suspend)`)
	tell(t, e, propagate.PodSucceeded("wf.y.c")) // the branches of y are walked before the hook exists
	tell(t, e, propagate.PodSucceeded("wf.x.a"))
	tell(t, e, propagate.PodRunning("wf.x.a.onExit"))
	expect(t, e, "wf.x", nodegraph.PhaseSucceeded)
}

// A task that was omitted because a daemon was ready stays so when the daemon begins anew.
func TestOmittedBesideADaemonThatBeginsAnew(t *testing.T) {
	e := drawn(t, `dag(d: retry(1, daemon), x depends "d.Failed", hold: suspend)`)
	tell(t, e, propagate.PodRunning("wf.d(0)"))
	expect(t, e, "wf.x", nodegraph.PhaseOmitted)
	tell(t, e, propagate.PodFailed("wf.d(0)", ""))
	expect(t, e, "wf.d", nodegraph.PhaseRunning)
	expect(t, e, "wf.x", nodegraph.PhaseOmitted)
}

// Daemons do not hold a StepGroup open once the next group was created, whatever else happens in it: here a step ends that a later pod
// has opened again, while the next attempt of a daemon, which is a step or its exit hook, is Pending.
func TestPassedGroupDoesNotWaitForDaemons(t *testing.T) {
	for _, text := range []string{"steps(a continueOnFailed, s: retry(2, daemon) | b)", "steps(a continueOnFailed, s exit retry(2, daemon) | b)"} {
		e := drawn(t, text)
		of := func(ev propagate.Event, uid string) propagate.Event {
			ev.Pod.UID = uid
			return ev
		}
		daemon := "wf[0].s"
		tell(t, e, of(propagate.PodFailed("wf[0].a", ""), "1"))
		if strings.Contains(text, "exit") {
			tell(t, e, propagate.PodSucceeded("wf[0].s"))
			daemon = "wf[0].s.onExit"
		}
		tell(t, e, of(propagate.PodRunning(daemon+"(0)"), "d"))
		expect(t, e, "wf[0]", nodegraph.PhaseSucceeded)
		expect(t, e, "wf[1]", nodegraph.PhaseRunning)
		tell(t, e, of(propagate.PodFailed(daemon+"(0)", ""), "d"))
		expect(t, e, daemon+"(1)", nodegraph.PhasePending)
		expect(t, e, "wf[0]", nodegraph.PhaseSucceeded)
		tell(t, e, of(propagate.PodRunning("wf[0].a"), "2"))
		expect(t, e, "wf[0]", nodegraph.PhaseRunning)
		tell(t, e, of(propagate.PodSucceeded("wf[0].a"), "2"))
		expect(t, e, "wf[0]", nodegraph.PhaseSucceeded)
		require.NoError(t, e.Check(), text)
	}
}

// A daemon that is tried again ends with its boundary, also where its last attempt has failed and only waits for results.
func TestRetriedDaemonThatWaitsForResultsEndsWithItsBoundary(t *testing.T) {
	e := drawn(t, "steps(d: retry(2, daemon) | a)")
	tell(t, e, propagate.PodRunning("wf[0].d(0)"), propagate.ResultPending("wf[0].d(0)"))
	tell(t, e, propagate.PodFailed("wf[0].d(0)", "evicted"))
	tell(t, e, propagate.PodFailed("wf[1].a", ""))
	require.True(t, e.Complete())
	expect(t, e, "wf[0].d", nodegraph.PhaseFailed)
	expect(t, e, "wf", nodegraph.PhaseFailed)
}
