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

// Locks that can't be had end what asked for them in Error, whether it waited before or not.
func TestUnanswerableLocks(t *testing.T) {
	const noLimit = "no limit"
	refuse, queue := propagate.Unanswerable("wf.a", noLimit), propagate.LockQueued("wf.a", mutexM, "later")
	for _, c := range []struct {
		text   string
		events []propagate.Event
		want   string
	}{
		{"dag(a: mutex(m, pod) -> b)", []propagate.Event{refuse}, "Error: no limit"},
		{"dag(a: mutex(m, pod) -> b)", []propagate.Event{queue, refuse}, "Error: no limit"},
		{"dag(a: mutex(m, retry(2, pod)) -> b)", []propagate.Event{refuse}, "Error: no limit"},
		{"dag(a: mutex(m, retry(2, pod)) -> b)", []propagate.Event{queue, refuse}, "Error: no limit"},
		{"dag(a: mutex(m, dag(x)) -> b)", []propagate.Event{queue, refuse}, "Error: no limit"},
		{"dag(a: mutex(m, suspend) -> b)", []propagate.Event{queue, refuse}, "Error: no limit"},
	} {
		e := drawn(t, c.text)
		for _, ev := range c.events {
			tell(t, e, ev)
		}
		require.Equal(t, c.want, looks(e, "wf.a")["wf.a"], "%s %v", c.text, c.events)
		expect(t, e, "wf.b", nodegraph.PhaseOmitted)
		require.True(t, e.Complete())
		require.Equal(t, looksAll(e), looksAll(restored(t, e)))
		require.Equal(t, looksAll(e), looksAll(reloaded(t, e)))
	}
	t.Run("around what a manual retry has opened again", func(t *testing.T) {
		e := drawn(t, "dag(a: mutex(m, dag(x, n: dag(y, z), l: mutex(n, dag(x)))) -> b)")
		tell(t, e, propagate.LockGranted("wf.a"))
		tell(t, e, propagate.LockGranted("wf.a.l"))
		tell(t, e, propagate.PodSucceeded("wf.a.x"), propagate.PodSucceeded("wf.a.n.y"), propagate.PodFailed("wf.a.n.z", ""), propagate.PodFailed("wf.a.l.x", ""))
		tell(t, e, propagate.ManualRetry())
		expect(t, e, "wf.a.n", nodegraph.PhaseRunning)
		tell(t, e, refuse)
		require.Equal(t, "Error: no limit", looks(e, "wf.a")["wf.a"])
		expect(t, e, "wf.a.n", nodegraph.PhaseFailed)
		expect(t, e, "wf.a.x", nodegraph.PhaseSucceeded)
		require.True(t, e.Complete())
	})
	for _, granted := range []string{"dag(a: mutex(m, pod) -> b)", "dag(a: mutex(m, dag(x)) -> b)"} {
		e := drawn(t, granted)
		tell(t, e, propagate.LockGranted("wf.a"))
		before := e.Save()
		tell(t, e, refuse)
		require.Equal(t, before, e.Save(), "it has its locks")
	}
}

// A waiting node gives back its place in the queue as its locks turn out not to be had.
func TestUnanswerableLocksLeaveTheQueue(t *testing.T) {
	e := drawn(t, "dag(a: mutex(m, pod), b)")
	tell(t, e, propagate.LockQueued("wf.a", mutexM, "later"))
	r := tell(t, e, propagate.Unanswerable("wf.a", "no limit"))
	release := []string{"Release wf.a default/Mutex/m"}
	require.Equal(t, release, actionsOf(r))
	require.Equal(t, release, actionsOf(tell(t, e, propagate.LockGranted("wf.a"))), "it came too late")
	expect(t, e, "wf.a", nodegraph.PhaseError)
}

// A workflow whose own locks can't be had has failed before anything of it began.
func TestUnanswerableLocksOfTheWorkflow(t *testing.T) {
	locked := func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{lock(mutexM, 1)} }
	ends := func(t *testing.T, e *propagate.Engine) {
		t.Helper()
		r := tell(t, e, propagate.Unanswerable("", "no limit"))
		phase, message := e.Workflow()
		require.Equal(t, "Failed no limit", phase.String()+" "+message)
		require.True(t, e.Complete())
		require.Contains(t, actionsOf(r), "Complete")
		require.Equal(t, looksAll(e), looksAll(restored(t, e)))
		require.Equal(t, looksAll(e), looksAll(reloaded(t, e)))
	}
	t.Run("asked for", func(t *testing.T) { ends(t, drawnWith(t, "dag(a) exit pod", locked)) })
	t.Run("waited for", func(t *testing.T) {
		e := drawnWith(t, "dag(a)", locked)
		tell(t, e, propagate.LockQueued("", mutexM, "later"))
		ends(t, e)
	})
	t.Run("asked for anew by a manual retry", func(t *testing.T) {
		e := drawnWith(t, "dag(a, n: dag(x, y))", locked)
		tell(t, e, propagate.LockGranted(""))
		tell(t, e, propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.n.x"), propagate.PodFailed("wf.n.y", ""))
		tell(t, e, propagate.ManualRetry())
		ends(t, e)
		expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
		expect(t, e, "wf.n", nodegraph.PhaseFailed)
	})
	t.Run("held already", func(t *testing.T) {
		e := drawnWith(t, "dag(a)", locked)
		tell(t, e, propagate.LockGranted(""))
		tell(t, e, propagate.Unanswerable("", "no limit"))
		require.False(t, e.Complete())
	})
	t.Run("there are none", func(t *testing.T) {
		_, err := drawn(t, "dag(a)").Apply(epoch, propagate.Unanswerable("", "no limit"))
		require.ErrorIs(t, err, propagate.ErrWrongKind)
	})
}

// An answer about a node that can never ask is refused: taken, it would skip the node, or end it well, with nothing run in it.
func TestAnswerToNoQuestion(t *testing.T) {
	cached := func(t *nodegraph.Template) { t.Memoize = "key" }
	unresolved := func(t *nodegraph.Template) {
		t.Unresolved = []nodegraph.Unresolved{{Field: "timeout", Text: "{{x}}"}}
	}
	for _, c := range []struct {
		text     string
		template string
		set      func(*nodegraph.Template) // that template
		before   []propagate.Event
		answer   propagate.Event
	}{
		{text: "dag(a -> b)", answer: propagate.Resolved("wf.b", false, "")},
		{text: "dag(a -> b)", answer: propagate.Resolved("wf.b", true, "")},
		{text: "dag(a -> b when `1 == 1`)", answer: propagate.Resolved("wf.b", false, "")},
		{text: "dag(a -> b over [i])", answer: propagate.Resolved("wf.b", false, "")},
		{text: "dag(a -> b: http over [i])", template: "http", set: unresolved, answer: propagate.Resolved("wf.b", false, "")},
		{text: "dag(a exit pod, b)", before: []propagate.Event{propagate.Suspended(true), propagate.PodSucceeded("wf.a")},
			answer: propagate.Resolved("wf.a.onExit", false, "")},
		{text: "steps(a | b)", answer: propagate.Resolved("wf[1]", false, "")},
		{text: "dag(x: steps(a | b))", template: "x", set: cached, answer: propagate.Memoized("wf.x[1]", true)},
		{text: "dag(a -> b over [i])", template: "pod", set: cached, answer: propagate.Memoized("wf.b", true)},
	} {
		e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
			for _, template := range spec.Templates {
				if template.Name == c.template {
					c.set(template)
				}
			}
		})
		for _, o := range e.Obligations() {
			if o.For == propagate.WaitCache {
				tell(t, e, propagate.Memoized(o.Name, false))
			}
		}
		tell(t, e, c.before...)
		refusal := refused(t, e, c.answer)
		require.ErrorIs(t, refusal, propagate.ErrWrongKind, "%v in %s", c.answer, c.text)
		require.Equal(t, "it never asks for that", refusal.Hint, "%v in %s", c.answer, c.text)
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
