package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What the host can't answer ends in Error, and what comes after it goes on from there.
func TestUnanswerable(t *testing.T) {
	for name, task := range map[string]nodegraph.Task{
		"a condition": {When: "{{tasks.x.outputs.result}} == 1"},
		"a loop":      {Loop: &nodegraph.Loop{Unresolved: "{{tasks.x.outputs.result}}"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := drawnWith(t, "dag(a -> b)", func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					for k := range template.Tasks {
						if at := &template.Tasks[k]; at.Name == "a" {
							at.When, at.Loop = task.When, task.Loop
						}
					}
				}
			})
			tell(t, e, propagate.Unanswerable("wf.a", "no outputs are kept"))
			expect(t, e, "wf.a", nodegraph.PhaseError)
			expect(t, e, "wf.b", nodegraph.PhaseOmitted)
			require.True(t, e.Complete())
			require.Equal(t, "no outputs are kept", e.Explain(e.Graph().Find("wf.a"))[0].Message)
			again := restored(t, e)
			require.True(t, again.Complete())
		})
	}
}

// It says nothing of a node about which nothing was asked.
func TestUnanswerableWithoutAQuestion(t *testing.T) {
	e := drawn(t, "dag(a -> b)")
	before := e.Save()
	tell(t, e, propagate.Unanswerable("wf.a", "?"))
	tell(t, e, propagate.Unanswerable("wf.b", "?"))
	require.Equal(t, before, e.Save())
}

// What the host could not answer stays so: other answers come too late, and it comes too late where others were first.
func TestUnanswerableIsFinal(t *testing.T) {
	t.Run("then answered", func(t *testing.T) {
		e := drawn(t, `dag(x when "{{a}} == 1", hold: suspend)`)
		tell(t, e, propagate.Unanswerable("wf.x", "nobody knows"))
		tell(t, e, propagate.Resolved("wf.x", false, ""))
		require.Equal(t, "Error: nobody knows", looks(e, "wf.x")["wf.x"])
	})
	t.Run("found in the cache", func(t *testing.T) {
		e := drawnWith(t, `dag(x when "{{a}} == 1", hold: suspend)`, eachOf(nodegraph.KindPod, func(template *nodegraph.Template) { template.Memoize = "key" }))
		tell(t, e, propagate.Resolved("wf.x", true, ""))
		tell(t, e, propagate.Memoized("wf.x", true))
		tell(t, e, propagate.Unanswerable("wf.x", "nobody knows"))
		expect(t, e, "wf.x", nodegraph.PhaseSucceeded)
	})
	t.Run("a daemon begins anew", func(t *testing.T) {
		e := drawn(t, `dag(d: retry(1, daemon) -> x when "{{a}} == 1", hold: suspend)`)
		tell(t, e, propagate.PodRunning("wf.d(0)"))
		tell(t, e, propagate.Unanswerable("wf.x", "nobody knows"))
		tell(t, e, propagate.PodFailed("wf.d(0)", ""))
		expect(t, e, "wf.d", nodegraph.PhaseRunning)
		expect(t, e, "wf.x", nodegraph.PhaseError)
	})
	t.Run("heard when a daemon has begun anew", func(t *testing.T) {
		e := drawn(t, `dag(d: retry(1, daemon) -> x when "{{a}} == 1", hold: suspend)`)
		tell(t, e, propagate.PodRunning("wf.d(0)"))
		tell(t, e, propagate.PodFailed("wf.d(0)", ""))
		tell(t, e, propagate.Unanswerable("wf.x", "nobody knows"))
		expect(t, e, "wf.x", nodegraph.PhaseError)
	})
	t.Run("kept by a manual retry", func(t *testing.T) {
		e := drawn(t, `dag(a: retry(1, dag(x over "list")), b)`)
		tell(t, e, propagate.Unanswerable("wf.a(0).x", "nobody knows"))
		tell(t, e, propagate.Expanded("wf.a(1).x"), propagate.PodFailed("wf.b", ""))
		require.True(t, e.Complete())
		tell(t, e, propagate.ManualRetry())
		expect(t, e, "wf.a(0).x", nodegraph.PhaseError)
		expect(t, reloaded(t, e), "wf.a(0).x", nodegraph.PhaseError)
	})
}

// The items of a step are added once, however often the host names them.
func TestItemsOfAStepTwice(t *testing.T) {
	e := drawn(t, `steps(many over "list" | b)`)
	for range 2 {
		tell(t, e, propagate.Expanded("wf[0].many", nodegraph.Item{Text: "i"}))
		require.Equal(t, []string{"wf[0].many(0:i): start"}, waitsFor(e))
	}
}
