package propagate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
)

// Two workflows that share a mutex, with everything that their host does about it in any order: asking for it and handing
// it on may take its time. In the end both are complete and nobody has the mutex or waits for it.
func exploreMutex(t *testing.T, faults *faultList, count *explore.Count) {
	whole := func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{lock(mutexM, 1)} }
	ok := func(workflow int, nodes ...string) []explore.Fact {
		var facts []explore.Fact
		for _, node := range nodes {
			facts = append(facts, explore.About(workflow, said(1, propagate.PodSucceeded(node)))...)
		}
		return facts
	}
	lost := func(workflow int, node string) []explore.Fact {
		return explore.About(workflow, said(1, propagate.PodRunning(node)), said(1, propagate.PodDeleted(node)))
	}
	halt := explore.About(0, propagate.Shutdown("Terminate"))
	for _, c := range []struct {
		name   string
		texts  [2]string
		wholes [2]bool // the workflow needs the mutex as a whole
		facts  [][]explore.Fact
	}{
		{"one node each", [2]string{"dag(a: mutex(m, pod))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]explore.Fact{ok(0, "wf.a"), ok(1, "wf.a"), lost(0, "wf.a"), halt}},
		{"two nodes and one", [2]string{"dag(a: mutex(m, pod), b: mutex(m, pod))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]explore.Fact{ok(0, "wf.a", "wf.b"), ok(1, "wf.a"), halt}},
		{"one after the other", [2]string{"steps(a: mutex(m, pod) | b: mutex(m, pod))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]explore.Fact{ok(0, "wf[0].a", "wf[1].b"), ok(1, "wf.a"), lost(0, "wf[0].a")}},
		{"a Retry and a node", [2]string{"dag(a: mutex(m, retry(1, pod)))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]explore.Fact{ok(0, "wf.a(0)", "wf.a(1)"), ok(1, "wf.a"), lost(0, "wf.a(0)")}},
		{"a container set and a Suspend", [2]string{"dag(a: mutex(m, pod(x -> y)))", "dag(a: mutex(m, suspend))"}, [2]bool{},
			[][]explore.Fact{ok(0, "wf.a"), lost(0, "wf.a"), explore.About(1, propagate.Resumed("wf.a")), halt}},
		{"two whole workflows", [2]string{"dag(a -> b)", "dag(a)"}, [2]bool{true, true},
			[][]explore.Fact{ok(0, "wf.a", "wf.b"), ok(1, "wf.a"), lost(0, "wf.a"), halt}},
		{"a whole workflow and a node", [2]string{"dag(a: retry(1, pod))", "dag(a: mutex(m, pod) -> b)"}, [2]bool{true, false},
			[][]explore.Fact{ok(0, "wf.a(0)", "wf.a(1)"), ok(1, "wf.a", "wf.b"), lost(0, "wf.a(0)")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &explore.Exploration{Facts: slices.Concat(c.facts...), Bound: 14, Count: count, Found: faults.of(t, c.name+": "+strings.Join(c.texts[:], "  &  "))}
			for k, text := range c.texts {
				spec, err := nodegraph.Parse(text)
				require.NoError(t, err)
				if c.wholes[k] {
					whole(spec)
				}
				x.Specs = append(x.Specs, spec)
			}
			// Who comes first depends on who asks first, but not what becomes of both in the end. What a shutdown finds
			// depends on when it comes.
			x.Where = func(w *explore.World, maximal bool) string {
				for m, f := range x.Facts {
					if !maximal || f.Event.Type == propagate.EventShutdown && w.Told(m) {
						return ""
					}
				}
				return x.ByFacts(w)
			}
			x.Last = func(t testing.TB, w *explore.World) {
				for k, e := range w.Engines {
					require.True(t, e.Complete(), "workflow %d waits for %v after %v", k, waitsFor(e), x.Path(w))
				}
				require.Empty(t, w.Locks.Holders(mutexM), "after %v", x.Path(w))
				require.Empty(t, w.Locks.Waiters(mutexM), "after %v", x.Path(w))
			}
			x.Run(t)
		})
	}
}
