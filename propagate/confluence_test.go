package propagate_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// The facts of one container set, in any order, each once or twice, with a restart between any two, come to the same
// (I3, I7), and the invariants hold all along. The workflow is kept open by a Suspend.
func TestFactsComeToTheSameInAnyOrder(t *testing.T) {
	shapes := []struct{ name, set string }{
		{"chain", "pod(a -> b -> c)"}, {"diamond", "pod(a -> {b, x} -> c)"}, {"fan", "pod(b -> {a, c, d})"},
	}
	stories := []struct {
		name string
		said []propagate.Event
	}{
		{"ran, and was deleted", []propagate.Event{
			said(1, propagate.PodPending("wf.set", "")), said(1, propagate.PodRunning("wf.set")),
			said(1, propagate.ContainerEnded("wf.set", "a", 0, "")), said(1, propagate.PodDeleted("wf.set")),
		}},
		{"a result beats an absence", []propagate.Event{
			said(1, propagate.ContainerRunning("wf.set", "b")), said(1, propagate.ContainerEnded("wf.set", "b", 1, "")),
			said(1, propagate.PodFailed("wf.set", "")), said(1, propagate.PodDeleted("wf.set")),
		}},
		{"evicted without a word about containers", []propagate.Event{
			said(1, propagate.PodRunning("wf.set")), said(1, propagate.ContainerRunning("wf.set", "a")),
			said(1, propagate.PodEvicted("wf.set", "")), said(1, propagate.PodDeleted("wf.set")),
		}},
		{"a new pod after a lost one", []propagate.Event{
			said(1, propagate.PodRunning("wf.set")), said(1, propagate.PodDeleted("wf.set")),
			said(2, propagate.PodPending("wf.set", "")), said(2, propagate.ContainerRunning("wf.set", "a")),
			said(1, propagate.ContainerEnded("wf.set", "a", 1, "")),
		}},
		{"a container is retried in the same pod", []propagate.Event{
			said(1, propagate.PodRunning("wf.set")), said(1, propagate.ContainerEnded("wf.set", "a", 0, "")),
			said(1, propagate.ContainerEnded("wf.set", "b", 1, "")), said(1, run(2, propagate.ContainerRetried("wf.set", "b"))),
			said(1, run(2, propagate.ContainerEnded("wf.set", "b", 0, ""))),
		}},
		{"a container is retried in a new pod", []propagate.Event{
			said(1, propagate.PodRunning("wf.set")), said(1, propagate.ContainerEnded("wf.set", "b", 1, "")),
			said(1, propagate.PodDeleted("wf.set")), said(2, run(1, propagate.ContainerRetried("wf.set", "b"))),
		}},
	}
	for _, shape := range shapes {
		for _, story := range stories {
			t.Run(shape.name+"/"+story.name, func(t *testing.T) {
				t.Parallel()
				var want map[string]string
				orders := 0
				permute(story.said, func(order []propagate.Event) {
					orders++
					for _, restarts := range []bool{false, true} {
						got := deliver(t, shape.set, order, restarts)
						if want == nil {
							want = got
						}
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("in the order %v (-first order +this):\n%s", order, diff)
						}
					}
				})
				t.Logf("%d orders", orders)
			})
		}
	}
}

// deliver says every event in turn, and every third once more.
func deliver(t *testing.T, set string, order []propagate.Event, restarts bool) map[string]string {
	e := drawn(t, "dag(set: "+set+", hold: suspend)")
	for k, ev := range order {
		tell(t, e, ev)
		if k%3 == 0 {
			require.Empty(t, tell(t, e, ev).Changes, "%v once more", ev)
		}
		if restarts {
			e = reloaded(t, e)
		}
	}
	phases := make(map[string]string)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		phase, _ := e.Phase(i)
		phases[e.Graph().Node(i).Name()] = phase.String()
	}
	phases["waits for"] = fmt.Sprint(waitsFor(e))
	return phases
}

// permute calls do with every order of events.
func permute(events []propagate.Event, do func([]propagate.Event)) {
	order := slices.Clone(events)
	var next func(k int)
	next = func(k int) {
		if k == len(order) {
			do(order)
			return
		}
		for m := k; m < len(order); m++ {
			order[k], order[m] = order[m], order[k]
			next(k + 1)
			order[k], order[m] = order[m], order[k]
		}
	}
	next(0)
}

// ContainerRetried without the name of a pod is about the pod that is known, or about the next one if that is gone.
func TestContainerRetried(t *testing.T) {
	const set = "wf.set"
	prelude := []propagate.Event{propagate.PodRunning(set), propagate.ContainerEnded(set, "a", 0, ""), propagate.ContainerEnded(set, "b", 1, "")}
	tests := []struct {
		name, why string
		shape     string
		events    []propagate.Event
		want      map[string]nodegraph.Phase
	}{
		{"same pod", "the container and what comes after it run anew; what came before it stays",
			"pod(a -> b -> c)", []propagate.Event{propagate.ContainerRetried(set, "b")},
			map[string]nodegraph.Phase{"": nodegraph.PhaseRunning, "a": nodegraph.PhaseSucceeded, "b": nodegraph.PhaseRunning, "c": nodegraph.PhasePending}},
		{"twice", "the second run ends, and a third begins",
			"pod(a -> b -> c)", []propagate.Event{propagate.ContainerRetried(set, "b"), propagate.ContainerEnded(set, "b", 1, ""), propagate.ContainerRetried(set, "b")},
			map[string]nodegraph.Phase{"a": nodegraph.PhaseSucceeded, "b": nodegraph.PhaseRunning, "c": nodegraph.PhasePending}},
		{"late", "the word of an older run changes nothing",
			"pod(a -> b -> c)", []propagate.Event{run(3, propagate.ContainerRetried(set, "b")), run(3, propagate.ContainerEnded(set, "b", 0, "")), run(2, propagate.ContainerRetried(set, "b"))},
			map[string]nodegraph.Phase{"b": nodegraph.PhaseSucceeded, "c": nodegraph.PhasePending}},
		{"after the deletion", "it runs in a new pod, where everything begins anew",
			"pod(a -> b -> c)", []propagate.Event{propagate.PodDeleted(set), propagate.ContainerRetried(set, "b")},
			map[string]nodegraph.Phase{"": nodegraph.PhaseRunning, "a": nodegraph.PhasePending, "b": nodegraph.PhaseRunning, "c": nodegraph.PhasePending}},
		{"before the deletion it answers", "it names the new pod, so the deletion of the old one comes too late",
			"pod(a -> b -> c)", []propagate.Event{said(2, propagate.ContainerRetried(set, "b")), said(1, propagate.PodDeleted(set))},
			map[string]nodegraph.Phase{"": nodegraph.PhaseRunning, "b": nodegraph.PhaseRunning, "c": nodegraph.PhasePending}},
		{"diamond", "a sibling beside it is not touched",
			"pod(a -> {b, x} -> c)", []propagate.Event{propagate.ContainerEnded(set, "x", 0, ""), propagate.ContainerRetried(set, "b")},
			map[string]nodegraph.Phase{"a": nodegraph.PhaseSucceeded, "b": nodegraph.PhaseRunning, "x": nodegraph.PhaseSucceeded, "c": nodegraph.PhasePending}},
		{"fan", "all that comes after it begins anew",
			"pod(b -> {a, c})", []propagate.Event{propagate.ContainerRetried(set, "b")},
			map[string]nodegraph.Phase{"b": nodegraph.PhaseRunning, "a": nodegraph.PhasePending, "c": nodegraph.PhasePending}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := drawn(t, "dag(set: "+test.shape+", hold: suspend)")
			for _, ev := range append(slices.Clone(prelude), test.events...) {
				tell(t, e, ev)
				e = reloaded(t, e)
			}
			for container, want := range test.want {
				name := set
				if container != "" {
					name += "." + container
				}
				expect(t, e, name, want)
			}
		})
	}
}
