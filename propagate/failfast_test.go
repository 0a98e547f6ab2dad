package propagate_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/retry"
)

// Templates that fail fast.

// What a boundary that fails fast will never start kept its lock, and what still ran there waited for it.
func TestABoundaryThatFailsFastGivesLocksBack(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(f, a: mutex(m, pod), in: dag(b: mutex(m, pod)))`)
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Name == "main" {
			template.FailFast = true
		}
	}
	e := started(t, spec)
	a, b := e.Graph().Node(e.Graph().Find("wf.a")).ID(), e.Graph().Node(e.Graph().Find("wf.in.b")).ID()
	tell(t, e, propagate.LockQueued(b, "default/Mutex/m", "Waiting"))
	tell(t, e, propagate.PodFailed("wf.f", "boom"))
	r := tell(t, e, propagate.LockGranted(a))
	require.Contains(t, actionsOf(r), "Release wf.a default/Mutex/m")
}

// A shutdown refuses what would start; where one was refused in a template that fails fast, no other is created to be refused.
func TestFailFastUnderAShutdown(t *testing.T) {
	for _, failsFast := range []bool{true, false} {
		e := drawnWith(t, "dag(x: dag(a -> b), hold: suspend, y: steps(a, b))", func(spec *nodegraph.Spec) {
			spec.Parallelism = 1
			for _, template := range spec.Templates {
				template.FailFast = failsFast && template.Name == "y"
			}
		})
		tell(t, e, propagate.Shutdown("Stop"), propagate.PodFailed("wf.x.a", ""))
		require.True(t, e.Complete())
		require.Equal(t, "Failed: workflow shutdown with strategy: Stop", looks(e, "wf.y[0].a")["wf.y[0].a"])
		require.Equal(t, !failsFast, e.Exists(e.Graph().Find("wf.y[0].b")))
		require.Equal(t, "Failed: child '"+e.Graph().Node(e.Graph().Find("wf.y[0].a")).ID()+"' failed", looks(e, "wf.y")["wf.y"])
	}
}

// A daemon that was ended with its boundary counted as active there before and not after: a template that fails fast had
// succeeded beside the daemon and failed without it, when others had gone on.
func TestFailFastBesideADaemon(t *testing.T) {
	e := drawnWith(t, "dag(x: steps(d: daemon, b continueOnFailed) -> c, hold: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Kind == nodegraph.KindSteps
		}
	})
	unready := propagate.PodRunning("wf.x[0].d")
	unready.Ready = false
	tell(t, e, unready, propagate.PodFailed("wf.x[0].b", ""))
	expect(t, e, "wf.x", nodegraph.PhaseRunning)
	tell(t, e, propagate.PodRunning("wf.x[0].d"))
	expect(t, e, "wf.x", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.c", nodegraph.PhasePending)
	expect(t, reloaded(t, e), "wf.x", nodegraph.PhaseSucceeded)
}

// A template that fails fast waited for ever where a daemon was ready in it: for what may not start any more, while the
// daemon waited for the template (random test, seeds 40,012,857 and 40,053,953).
func TestFailFastWhileADaemonIsReady(t *testing.T) {
	for _, c := range []struct{ text, daemon, fails, waits string }{
		{"dag(x: dag(a: daemon, b, c))", "wf.x.a", "wf.x.b", "wf.x.c"},
		{"dag(x: steps(a: daemon, b, c))", "wf.x[0].a", "wf.x[0].b", "wf.x[0].c"},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
				spec.Parallelism = 2
				for _, template := range spec.Templates {
					template.FailFast = template.Name == "x"
				}
			})
			tell(t, e, propagate.PodRunning(c.daemon))
			require.ElementsMatch(t, []string{c.fails + ": start", c.waits + ": parallelism"}, waitsFor(e))
			tell(t, e, propagate.PodFailed(c.fails, ""))
			expect(t, e, "wf.x", nodegraph.PhaseFailed)
			expect(t, e, c.daemon, nodegraph.PhaseSucceeded)
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
		})
	}
}

// Of a boundary that failed fast, and of a ready daemon that was ended with its boundary, results were still waited for.
func TestResultsOfWhatWasEnded(t *testing.T) {
	t.Run("fails fast", func(t *testing.T) {
		e := drawnWith(t, "dag(x: dag(a -> c, b), hold: suspend)", func(spec *nodegraph.Spec) {
			for _, template := range spec.Templates {
				template.FailFast = template.Name == "x"
			}
		})
		tell(t, e, propagate.PodRunning("wf.x.a"), propagate.ResultPending("wf.x.a"), propagate.PodSucceeded("wf.x.a"))
		tell(t, e, propagate.PodFailed("wf.x.b", ""))
		expect(t, e, "wf.x", nodegraph.PhaseFailed)
		require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
	})
	t.Run("daemon", func(t *testing.T) {
		e := drawn(t, "dag(x: dag(d: daemon, b), hold: suspend)")
		tell(t, e, propagate.PodRunning("wf.x.d"), propagate.ResultPending("wf.x.d"), propagate.PodSucceeded("wf.x.b"))
		expect(t, e, "wf.x", nodegraph.PhaseSucceeded)
		require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
		tell(t, e, propagate.ResultPending("wf.x.d"))
		require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
	})
}

// A template that fails fast ends as its members say where none is open, a ready daemon in it or not.
func TestFailFastWithAReadyDaemonAndNothingOpen(t *testing.T) {
	e := drawnWith(t, "dag(x: dag(d: daemon, b), hold: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Name == "x"
		}
	})
	tell(t, e, propagate.PodRunning("wf.x.d"))
	tell(t, e, propagate.PodFailed("wf.x.b", ""))
	require.Equal(t, "DAG 5", e.Verdict(e.Graph().Find("wf.x")).Line)
}

// failFastAndBackOff makes the templates with these names fail fast, and every Retry wait for a minute.
func failFastAndBackOff(names ...string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = slices.Contains(names, template.Name)
			if template.Retry != nil {
				template.Retry.Backoff = &retry.Backoff{Duration: time.Minute}
			}
		}
	}
}

// A template that failed fast made a DAG around it fail that had just succeeded, and with it the Retry of that DAG go on
// inside of another that had failed fast in the same call: what was left in it had been ended already (random test, seed
// 405,029,728).
func TestFailFastInsideWhatFailsFast(t *testing.T) {
	e := drawnWith(t, "dag(x, y: retry(dag(s: steps(a | h: http, p: retry(pod)) -> t)))", failFastAndBackOff("main", "s"))
	tell(t, e, propagate.PodFailed("wf.x", ""))
	tell(t, e, propagate.PodSucceeded("wf.y(0).s[0].a"))
	require.Equal(t, []string{"wf.y(0).s[1].h: served", "wf.y(0).s[1].p(0): start"}, waitsFor(e))
	tell(t, e, propagate.PodFailed("wf.y(0).s[1].p(0)", ""))
	expect(t, e, "wf.y(0)", nodegraph.PhaseFailed)
	expect(t, e, "wf.y", nodegraph.PhaseFailed)
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}

// Seen while that was repaired: a DAG around it had ended in the same call, went on, and had lost its daemon.
func TestDaemonOfADAGThatGoesOn(t *testing.T) {
	e := drawnWith(t, "dag(o: dag(d: daemon, y: retry(dag(s: steps(a | h: http, p: retry(pod)) -> t))))", failFastAndBackOff("s"))
	tell(t, e, propagate.PodRunning("wf.o.d"))
	tell(t, e, propagate.PodSucceeded("wf.o.y(0).s[0].a"))
	tell(t, e, propagate.PodFailed("wf.o.y(0).s[1].p(0)", ""))
	expect(t, e, "wf.o", nodegraph.PhaseRunning)
	require.Equal(t, []string{"wf.o.y: timer"}, waitsFor(e))
	expect(t, e, "wf.o.d", nodegraph.PhaseRunning)
}

// Seen while that was repaired: a Retry that had ended in the same call had given back its lock, and went on without it.
func TestLockOfARetryThatGoesOn(t *testing.T) {
	e := drawnWith(t, "dag(y: mutex(m, retry(dag(s: steps(a | h: http, p: retry(pod)) -> t))), z)", failFastAndBackOff("s"))
	tell(t, e, propagate.LockGranted("wf.y"))
	tell(t, e, propagate.PodSucceeded("wf.y(0).s[0].a"))
	r := tell(t, e, propagate.PodFailed("wf.y(0).s[1].p(0)", ""))
	expect(t, e, "wf.y", nodegraph.PhaseRunning)
	require.Equal(t, fact.LockHeld, e.Fact(e.Graph().Find("wf.y")).Lock, "%v", r.Actions)
	r = tell(t, e, propagate.Shutdown("Terminate"))
	expect(t, e, "wf.y", nodegraph.PhaseFailed)
	require.True(t, slices.ContainsFunc(r.Actions, func(a propagate.Action) bool {
		return a.Type == propagate.ActionRelease && a.Name == "wf.y"
	}), "%v", r.Actions)
}

// Seen while that was repaired: a task was omitted for ever because a DAG that failed had succeeded before in the same call.
func TestOmittedBecauseOfADAGThatWentOn(t *testing.T) {
	e := drawnWith(t, `dag(d: daemon, y: dag(s: steps(a | h: http, p: retry(pod)) -> t), z depends "y.Failed")`, failFastAndBackOff("s"))
	tell(t, e, propagate.PodRunning("wf.d"))
	tell(t, e, propagate.PodSucceeded("wf.y.s[0].a"))
	tell(t, e, propagate.PodFailed("wf.y.s[1].p(0)", ""))
	expect(t, e, "wf.y", nodegraph.PhaseFailed)
	expect(t, e, "wf.z", nodegraph.PhasePending)
}

// The words of a template that fails fast say when it was looked at: a pod that failed, and what had failed before, are seen first,
// and of what fails only then the members speak. The phase is the same. An open group of Steps fails with their words.
func TestWordsOfFailFast(t *testing.T) {
	const fast = "Failed: template has failed or errored children and failFast enabled"
	child := func(name string) string { return "Failed: child '" + nodegraph.NodeID("wf", name) + "' failed" }
	type call struct {
		after  time.Duration
		events []propagate.Event
	}
	fail, ok := func(name string) propagate.Event { return propagate.PodFailed(name, "boom") }, propagate.PodSucceeded
	for _, c := range []struct {
		why, text string
		calls     []call
		want      map[string]string
	}{
		{"a pod fails", "dag(x: dag(a), hold: suspend)", []call{{time.Second, []propagate.Event{fail("wf.x.a")}}},
			map[string]string{"wf.x": fast}},
		{"a pod of Steps fails", "dag(x: steps(a), hold: suspend)", []call{{time.Second, []propagate.Event{fail("wf.x[0].a")}}},
			map[string]string{"wf.x": fast, "wf.x[0]": fast}},
		{"a DAG inside fails", "dag(x: steps(n: dag(a)), hold: suspend)", []call{{time.Second, []propagate.Event{fail("wf.x[0].n.a")}}},
			map[string]string{"wf.x": child("wf.x[0].n"), "wf.x[0]": child("wf.x[0].n")}},
		{"a DAG inside a DAG fails", "dag(x: dag(n: steps(a)), hold: suspend)", []call{{time.Second, []propagate.Event{fail("wf.x.n[0].a")}}},
			map[string]string{"wf.x": "Failed"}},
		{"a DAG inside had failed before the pod beside it ended", "dag(x: steps(n: dag(a), b), hold: suspend)",
			[]call{{time.Second, []propagate.Event{fail("wf.x[0].n.a")}}, {2 * time.Second, []propagate.Event{ok("wf.x[0].b")}}},
			map[string]string{"wf.x": fast, "wf.x[0]": fast}},
		{"both end at once", "dag(x: steps(n: dag(a), b), hold: suspend)",
			[]call{{time.Second, []propagate.Event{ok("wf.x[0].b"), fail("wf.x[0].n.a")}}},
			map[string]string{"wf.x": child("wf.x[0].n"), "wf.x[0]": child("wf.x[0].n")}},
		{"an earlier group has ended", "dag(x: steps(n: dag(a) | b), hold: suspend)",
			[]call{{time.Second, []propagate.Event{ok("wf.x[0].n.a")}}, {2 * time.Second, []propagate.Event{fail("wf.x[1].b")}}},
			map[string]string{"wf.x": fast, "wf.x[0]": "Succeeded", "wf.x[1]": fast}},
		{"what failed is covered, and the template fails all the same", "dag(x: dag(n: dag(a) continueOnFailed), hold: suspend)",
			[]call{{time.Second, []propagate.Event{fail("wf.x.n.a")}}},
			map[string]string{"wf.x": fast}},
	} {
		e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
			for _, template := range spec.Templates {
				template.FailFast = template.Kind == nodegraph.KindSteps || template.Kind == nodegraph.KindDAG && template.Name != "main"
			}
		})
		for _, call := range c.calls {
			at(t, e, call.after, call.events...)
		}
		names := slices.Sorted(maps.Keys(c.want))
		for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
			require.Equal(t, c.want, looks(again, names...), c.why)
		}
	}
}
