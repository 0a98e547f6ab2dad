package propagate_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
)

// What is told of containers and their runs, in any order.

// looksTheSame tells two events of wf.set in either order, after others.
func looksTheSame(t *testing.T, otherwise string, one, other propagate.Event, before ...propagate.Event) {
	t.Helper()
	looks := make(map[string]bool)
	for _, order := range [][]propagate.Event{{one, other}, {other, one}} {
		e := drawn(t, "dag(set: pod(a, b), hold: suspend)")
		for _, ev := range slices.Concat(before, order) {
			tell(t, e, ev)
		}
		looks[explore.Look(e)] = true
	}
	require.Len(t, looks, 1, "the same two events in either order: %s", otherwise)
}

// ContainerRetried that came after the end of the run it began did not say that the pod runs; in the other order it did.
func TestContainerRetriedHeardAfterItsEnd(t *testing.T) {
	again, end := said(1, run(2, propagate.ContainerRetried("wf.set", "a"))), said(1, run(2, propagate.ContainerEnded("wf.set", "a", 0, "")))
	looksTheSame(t, "wf.set is Running or Pending", again, end)
}

// A container runs again in a pod, then the pod fails. Heard in the other order the pod that had ended ran again, and
// nothing more was heard of it.
func TestContainerRetriedHeardAfterThePodsEnd(t *testing.T) {
	again, end := said(1, run(2, propagate.ContainerRetried("wf.set", "a"))), said(1, run(1, propagate.PodFailed("wf.set", "")))
	looksTheSame(t, "wf.set is Failed or Running", again, end, said(1, run(1, propagate.PodRunning("wf.set"))))
}

// A late ContainerRetried of a pod that is gone changed no phase and yet forgot when the pod and its containers ended.
func TestLateContainerRetriedKeepsWhenThePodEnded(t *testing.T) {
	e := drawn(t, "dag(set: pod(x), hold: suspend)")
	tell(t, e, said(1, propagate.PodRunning("wf.set")))
	tell(t, e, said(1, propagate.PodDeleted("wf.set")))
	tell(t, e, said(1, run(2, propagate.ContainerRetried("wf.set", "x"))))
	for _, name := range []string{"wf.set", "wf.set.x"} {
		expect(t, e, name, nodegraph.PhaseError)
		require.Equal(t, epoch, e.Fact(e.Graph().Find(name)).Finished, "when %s ended", name)
	}
}

// A pod that was first heard of through ContainerRetried was taken to be in the container's run, and its end came too early.
func TestPodFirstHeardOfThroughContainerRetried(t *testing.T) {
	again, end := said(1, run(2, propagate.ContainerRetried("wf.set", "a"))), said(1, run(1, propagate.PodFailed("wf.set", "")))
	looksTheSame(t, "wf.set is Failed or Running", again, end)
}

// The runs of a container in the pod before were counted in the next one: what a host said of its second run there, which
// it counts from the pod's beginning, was taken for late.
func TestRunsAreCountedInEachPodAnew(t *testing.T) {
	of := func(uid string, attempt int, ev propagate.Event) propagate.Event {
		ev.Pod.UID, ev.Pod.Attempt = uid, attempt
		return ev
	}
	e := drawn(t, "pod(a -> main)")
	tell(t, e, of("p1", 5, propagate.ContainerRetried("wf", "a")))
	tell(t, e, of("p2", 0, propagate.PodRunning("wf")))
	tell(t, e, of("p2", 0, propagate.ContainerRetried("wf", "a")))
	tell(t, e, of("p2", 2, propagate.ContainerEnded("wf", "a", 0, "")))
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
}

// What a container came to may be heard after its pod ended and was followed by another attempt.
func TestContainerThatEndsLate(t *testing.T) {
	e := drawn(t, "dag(set: retry(1, pod(a, b)), hold: suspend)")
	tell(t, e, propagate.PodRunning("wf.set(0)"), propagate.PodFailed("wf.set(0)", ""))
	expect(t, e, "wf.set(0).a", nodegraph.PhaseFailed)
	tell(t, e, propagate.ContainerEnded("wf.set(0)", "a", 0, ""))
	expect(t, e, "wf.set(0).a", nodegraph.PhaseSucceeded)
}
