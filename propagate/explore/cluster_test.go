package explore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
)

// What a cluster does to small workflows, counted by hand.
func TestClusters(t *testing.T) {
	for _, c := range []struct {
		name, text      string
		cluster         explore.Cluster
		states, maximal int64
	}{
		{"a pod succeeds", "pod", explore.Cluster{}, 2, 1},
		{"a pod runs and succeeds", "pod", explore.Cluster{Runs: true}, 3, 1},
		{"a pod succeeds or fails", "pod", explore.Cluster{Fail: true, Harm: 1}, 3, 2},
		{"harm is bounded", "pod", explore.Cluster{Fail: true}, 2, 1},
		{"a pod is made late", "pod", explore.Cluster{Slow: true}, 3, 1},
		{"a pod succeeds, or a shutdown comes", "pod", explore.Cluster{Shutdown: []string{"Stop"}, Harm: 1}, 4, 3},
		{"a daemon is ready before the other pod succeeds, or after", "dag(a: daemon, b)", explore.Cluster{}, 4, 1},
		{"somebody resumes", "suspend", explore.Cluster{}, 2, 1},
		{"time passes, and the host calls", "suspend(5s)", explore.Cluster{}, 3, 1},
		{"an agent serves", "http", explore.Cluster{}, 2, 1},
		{"an agent serves or ends", "http", explore.Cluster{Agent: true, Harm: 1}, 3, 2},
		{"a condition is true, false or unknown", `dag(a when "{{x}}")`, explore.Cluster{}, 5, 3},
		{"a list has an item or none, or is unknown", `dag(a over "{{x}}")`, explore.Cluster{Items: [][]nodegraph.Item{{{Text: "i"}}, {}}}, 5, 3},
		{"containers end before their pod", "pod(x -> y)", explore.Cluster{}, 4, 1},
		{"a workflow is suspended and goes on", "suspend", explore.Cluster{Suspend: true, Harm: 1}, 6, 3},
		{"two pods share a mutex", "dag(a: mutex(m, pod), b: mutex(m, pod))", explore.Cluster{}, 16, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exploration(t, c.text)
			x.Cluster = &c.cluster
			x.Run(t)
			require.Equal(t, c.states, x.Count.States.Load(), "states of %s", c.text)
			require.Equal(t, c.maximal, x.Count.Maximal.Load(), "maximal states of %s", c.text)
		})
	}
}

// A host that crashes before it has made the pod, or after, goes on: the pod is made once, and succeeds.
func TestHostsCrash(t *testing.T) {
	for _, cluster := range []explore.Cluster{{Crash: true, Harm: 1}, {Record: true, Harm: 1}} {
		x := exploration(t, "dag(a -> b)")
		x.Cluster = &cluster
		plain := exploration(t, "dag(a -> b)")
		plain.Cluster = &explore.Cluster{}
		plain.Run(t)
		x.Last = func(t testing.TB, w *explore.World) {
			phase, _ := w.Engines[0].Workflow()
			require.Equal(t, nodegraph.PhaseSucceeded, phase, "after %v", x.Path(w))
		}
		x.Run(t)
		require.Greater(t, x.Count.States.Load(), plain.Count.States.Load())
	}
}

// A manual retry forgets the pod that failed; the next one may succeed.
func TestWorkflowsAreRetriedByHand(t *testing.T) {
	x := exploration(t, "pod")
	x.Cluster = &explore.Cluster{Fail: true, Retry: true, Harm: 2}
	ends := make(map[string]bool)
	x.Last = func(_ testing.TB, w *explore.World) { ends[x.Path(w).String()] = true }
	x.Run(t)
	require.Equal(t, map[string]bool{
		"PodEnded wf Succeeded@uid-1": true,
		"PodEnded wf Failed@uid-1; ManualRetry ->Start Pod wf; PodEnded wf Succeeded@uid-2": true,
	}, ends)
}

// What is found is told with its kind and the way to it, and the search goes on.
func TestFoundIsTold(t *testing.T) {
	x := exploration(t, "dag(a, b)", propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.b", ""))
	x.Where = func(*explore.World, bool) string { return "all are one" }
	var found []string
	x.Found = func(kind string, path fmt.Stringer, _ error) { found = append(found, kind+": "+path.String()) }
	x.Run(t)
	require.Equal(t, []string{
		"the order counts: PodEnded wf.a Succeeded@uid-1",
		"the order counts: PodEnded wf.b Failed@uid-1",
		"the order counts: PodEnded wf.a Succeeded@uid-1; PodEnded wf.b Failed@uid-1",
	}, found)
}

// A workflow is suspended from the start, and nobody lets it go on.
func TestWhatHangsIsFound(t *testing.T) {
	x := exploration(t, "pod")
	x.Cluster, x.Specs[0].Suspended = &explore.Cluster{}, true
	var found []string
	x.Found = func(kind string, path fmt.Stringer, _ error) { found = append(found, kind+path.String()) }
	x.Run(t)
	require.Equal(t, []string{"it hangs: unsuspend: Pod"}, found)
}
