package propagate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/retry"
)

// Tasks that no target needs never run, and a DAG that was shut down does not wait for them.
func TestShutdownOfADAGWithTasksThatNobodyNeeds(t *testing.T) {
	e := drawnWith(t, "dag(a -> b, c -> d)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindDAG {
				template.Targets = []string{"b"}
			}
		}
	})
	require.Equal(t, []string{"wf.a: start"}, waitsFor(e))
	tell(t, e, propagate.Shutdown("Terminate"))
	expect(t, e, "wf", nodegraph.PhaseFailed)
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}

// A Retry whose next attempt is held back when no attempt may start any more asks to be looked at then, not before.
func TestRetryHeldBackUntilItIsTooLate(t *testing.T) {
	e := drawnWith(t, "dag(a: retry(5, pod), b)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Retry != nil {
				template.Retry.Backoff = &retry.Backoff{Duration: 10 * time.Second, MaxDuration: time.Minute}
			}
		}
	})
	wake := func(now time.Time, events ...propagate.Event) time.Time {
		r, err := e.Apply(now, events...)
		require.NoError(t, err)
		require.NoError(t, e.Check())
		for _, a := range r.Actions {
			if a.Type == propagate.ActionWake {
				return a.At
			}
		}
		return time.Time{}
	}
	again := wake(epoch, propagate.PodFailed("wf.a(0)", ""))
	late := wake(again, propagate.Suspended(true))
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	wake(late)
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
}

// An attempt that ended without an exit code has none for the expression of its Retry either.
func TestRetryOfAnAttemptWithoutAnExitCode(t *testing.T) {
	expression, err := retry.Compile(`lastRetry.exitCode == "-1"`)
	require.NoError(t, err)
	e := drawnWith(t, "dag(a: retry(1, pod))", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Retry != nil {
				template.Retry.Expression = expression
			}
		}
	})
	tell(t, e, propagate.PodRunning("wf.a(0)"), propagate.PodDeleted("wf.a(0)"))
	expect(t, e, "wf.a(1)", nodegraph.PhasePending)
}

// failingFast starts a drawn workflow in which the templates of tasks x fail fast.
func failingFast(t *testing.T, text string) *propagate.Engine {
	t.Helper()
	return drawnWith(t, text, func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Name == "x"
		}
	})
}

// What is open inside of what has failed fast ends with it, at every depth, and what has not begun never does.
func TestFailFastClosesWhatIsOpen(t *testing.T) {
	const message = "Failed: template has failed or errored children and failFast enabled"
	e := failingFast(t, "dag(x: steps(a, s: suspend | b), hold: suspend)")
	tell(t, e, propagate.PodFailed("wf.x[0].a", ""))
	require.Equal(t, map[string]string{"wf.x": message, "wf.x[0]": message, "wf.x[0].s": message, "wf.x[1]": ""},
		looks(e, "wf.x", "wf.x[0]", "wf.x[0].s", "wf.x[1]"))

	e = failingFast(t, "dag(x: steps(a | b), hold: suspend)") // nothing is open, and it fails as one that fails fast
	tell(t, e, propagate.PodFailed("wf.x[0].a", ""))
	require.Equal(t, map[string]string{"wf.x": message}, looks(e, "wf.x"))

	e = failingFast(t, "dag(x: dag(a, s: suspend -> y: dag(q)), hold: suspend)")
	tell(t, e, propagate.PodFailed("wf.x.a", ""))
	require.Equal(t, map[string]string{"wf.x": message, "wf.x.s": message, "wf.x.y": "Omitted: omitted: depends condition not met"}, looks(e, "wf.x", "wf.x.s", "wf.x.y"))
}

// What ends inside of what has failed fast may decide how a DAG around that ends, by the branches that lead through it.
func TestFailFastIsLookedIntoAgain(t *testing.T) {
	e := failingFast(t, "dag(x: dag(a: suspend, z) -> t)")
	tell(t, e, propagate.PodRunning("wf.x.z"), propagate.PodDeleted("wf.x.z"))
	expect(t, e, "wf.x.z", nodegraph.PhaseError)
	expect(t, e, "wf.x.a", nodegraph.PhaseFailed)
	require.True(t, e.Complete())
}

// A workflow that is terminated while it waits for its locks never started.
func TestTerminatedBeforeItHeldItsLocks(t *testing.T) {
	e := drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{lock(mutexM, 1)} })
	tell(t, e, propagate.Shutdown("Terminate"))
	require.True(t, e.Complete())
	require.True(t, e.Started().IsZero(), "it started at %v", e.Started())
}

// A DAG around what has failed fast is judged by what is inside of that when all of it has ended.
func TestFailFastDecidesTheDAGAround(t *testing.T) {
	e := failingFast(t, "dag(x: dag(f continueOnFailed -> g, s -> r: suspend) -> t)")
	tell(t, e, propagate.PodSucceeded("wf.x.s"))
	tell(t, e, propagate.PodFailed("wf.x.f", ""))
	expect(t, e, "wf.x.r", nodegraph.PhaseFailed)
	expect(t, e, "wf", nodegraph.PhaseFailed)
}

// What never began has no end either.
func TestWhatNeverBeganIsNotStopped(t *testing.T) {
	e := failingFast(t, "dag(x: dag(a, s: suspend -> y: dag(q)), hold: suspend)")
	tell(t, e, propagate.PodFailed("wf.x.a", ""))
	require.Equal(t, fact.StageNone, e.Fact(e.Graph().Find("wf.x.y")).Stage)

	e = drawn(t, "dag(a -> b: dag(c))")
	tell(t, e, propagate.Shutdown("Stop"))
	require.Empty(t, e.Fact(e.Graph().Find("wf.b")).Halted)
}

// A pod is ended once, however often the host says that the workflow is stopped.
func TestStoppedTwiceAtOnce(t *testing.T) {
	e := drawn(t, "dag(a)")
	r := tell(t, e, propagate.Shutdown("Stop"), propagate.Shutdown("Stop"))
	ends := 0
	for _, a := range r.Actions {
		if a.Type == propagate.ActionTerminate {
			ends++
		}
	}
	require.Equal(t, 1, ends, "%v", r.Actions)
}

// The deadline stops what is unfinished. A daemon that is ready isn't: it ends well, with what it serves.
func TestDeadlineOfADaemon(t *testing.T) {
	e := drawnWith(t, "dag(a, d: daemon)", func(spec *nodegraph.Spec) { spec.ActiveDeadline = time.Minute })
	tell(t, e, propagate.PodRunning("wf.d"))
	_, err := e.Apply(epoch.Add(time.Minute))
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
	expect(t, e, "wf.d", nodegraph.PhaseSucceeded)
}

// A pod is pending for too long when its own time is over, not when that of the one before a manual retry would be.
func TestTimeoutsAfterAManualRetry(t *testing.T) {
	for name, set := range map[string]func(*nodegraph.Template){
		"timeout":         func(pod *nodegraph.Template) { pod.Timeout = 10 * time.Second },
		"pending timeout": func(pod *nodegraph.Template) { pod.PendingTimeout = 10 * time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			e := drawnWith(t, "dag(a: pod)", func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					if template.Kind == nodegraph.KindPod {
						set(template)
					}
				}
			})
			at := func(seconds int, events ...propagate.Event) {
				_, err := e.Apply(epoch.Add(time.Duration(seconds)*time.Second), events...)
				require.NoError(t, err)
				require.NoError(t, e.Check())
			}
			at(5, propagate.PodFailed("wf.a", ""))
			at(8, propagate.ManualRetry())
			at(10)
			expect(t, e, "wf.a", nodegraph.PhasePending)
			at(18)
			expect(t, e, "wf.a", nodegraph.PhaseFailed)
		})
	}
}

// No timeout is too short to be one.
func TestTimeoutOfANanosecond(t *testing.T) {
	e := drawnWith(t, "dag(a: pod)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindPod {
				template.Timeout = 1
			}
		}
	})
	_, err := e.Apply(epoch.Add(1))
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
}

// A Retry that had ended before the workflow's deadline got another message when the deadline passed.
func TestWhatEndedBeforeTheDeadlineStaysAsItIs(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(a: retry(0, pod), b)`)
	require.NoError(t, err)
	spec.ActiveDeadline = time.Minute
	e := started(t, spec)
	tell(t, e, propagate.PodFailed("wf.a(0)", "boom"))
	_, before := e.Phase(e.Graph().Find("wf.a"))
	_, err = e.Apply(epoch.Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, e.Check())
	_, after := e.Phase(e.Graph().Find("wf.a"))
	require.Equal(t, before, after)
	expect(t, e, "wf.b", nodegraph.PhaseFailed)
}

// A pod that was stopped before it was heard of, and then evicted, was said to be made anew.
func TestEvictionOfAPodThatWasStopped(t *testing.T) {
	e := drawnWith(t, "dag(a) exit suspend", func(spec *nodegraph.Spec) { spec.PodRestarts = 1 })
	tell(t, e, propagate.Shutdown("Stop"))
	tell(t, e, propagate.PodEvicted("wf.a", "low on memory"))
	require.Equal(t, "Failed: low on memory", looks(e, "wf.a")["wf.a"])
}

// The pod that was made in the place of a lost one was made once more when it was lost too, though the workflow had been
// stopped in the meantime, or was past its deadline (random test, seed 10,010,366).
func TestAPodIsNotMadeAnewInAStoppedWorkflow(t *testing.T) {
	for name, stop := range map[string]func(*propagate.Engine) propagate.Result{
		"shutdown": func(e *propagate.Engine) propagate.Result { return tell(t, e, propagate.Shutdown("Stop")) },
		"deadline": func(e *propagate.Engine) propagate.Result {
			r, err := e.Apply(epoch.Add(time.Minute))
			require.NoError(t, err)
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := drawnWith(t, "dag(set: pod(x -> y), hold: suspend) exit pod", func(spec *nodegraph.Spec) { spec.ActiveDeadline = time.Minute })
			tell(t, e, of("1", propagate.PodPending("wf.set", "")))
			tell(t, e, of("1", propagate.PodDeleted("wf.set")))
			stop(e)
			tell(t, e, of("2", propagate.PodPending("wf.set", "")))
			r := tell(t, e, of("2", propagate.PodDeleted("wf.set")))
			expect(t, e, "wf.set", nodegraph.PhaseFailed)
			expect(t, e, "wf.set.x", nodegraph.PhaseFailed)
			for _, a := range r.Actions {
				require.NotEqual(t, propagate.ActionRecreate, a.Type)
			}
		})
	}
}

// A pod that timed out before anything was heard of it, or of the one in its place, was made again when it was reported to
// be gone, and without its lock (random test, seeds 405,357,986, 405,301,196, 405,304,093 and 405,415,063).
func TestPodThatTimedOutUnheardOf(t *testing.T) {
	timed := func(e *propagate.Engine, after time.Duration, events ...propagate.Event) propagate.Result {
		r, err := e.Apply(epoch.Add(after), events...)
		require.NoError(t, err)
		require.NoError(t, e.Check())
		return r
	}
	of := func(ev propagate.Event, uid string, created time.Duration) propagate.Event {
		ev.Pod.UID = uid
		if created >= 0 {
			ev.Pod.Created = epoch.Add(created)
		}
		return ev
	}
	for _, times := range []bool{true, false} {
		for _, replaced := range []bool{true, false} {
			t.Run(fmt.Sprintf("times %v, replaced %v", times, replaced), func(t *testing.T) {
				created := func(at time.Duration) time.Duration {
					if times {
						return at
					}
					return -1
				}
				e := drawnWith(t, "dag(a: mutex(m, pod), hold: suspend)", func(spec *nodegraph.Spec) {
					for _, template := range spec.Templates {
						if template.Kind == nodegraph.KindPod {
							template.Timeout = time.Minute
						}
					}
				})
				timed(e, 0, propagate.LockGranted("wf.a"))
				if replaced {
					first := created(time.Second)
					timed(e, 2*time.Second, of(propagate.PodPending("wf.a", ""), "first", first))
					r := timed(e, 3*time.Second, of(propagate.PodDeleted("wf.a"), "first", first))
					require.Equal(t, propagate.ActionRecreate, r.Actions[0].Type)
				}
				timed(e, time.Minute)
				expect(t, e, "wf.a", nodegraph.PhaseFailed)
				second := created(4 * time.Second)
				for _, ev := range []propagate.Event{propagate.PodPending("wf.a", ""), propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a")} {
					timed(e, time.Minute, of(ev, "second", second))
					expect(t, e, "wf.a", nodegraph.PhaseFailed)
				}
				require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
			})
		}
	}
}

// What the workflow stopped stays so, whatever is told of another pod: a newer one that somebody made, or an older one from
// before a manual retry.
func TestOtherPodsOfAStoppedNode(t *testing.T) {
	start := func(t *testing.T) *propagate.Engine {
		return drawnWith(t, "dag(a, c: suspend)", eachOf(nodegraph.KindPod, func(template *nodegraph.Template) { template.Timeout = time.Minute }))
	}
	at := func(t *testing.T, e *propagate.Engine, after time.Duration, events ...propagate.Event) {
		_, err := e.Apply(epoch.Add(after), events...)
		require.NoError(t, err)
		require.NoError(t, e.Check())
	}
	named := func(ev propagate.Event, pod fact.PodInstance) propagate.Event {
		ev.Pod = pod
		return ev
	}
	for _, pods := range [][2]fact.PodInstance{
		{{UID: "first"}, {UID: "second"}},
		{{Created: epoch.Add(time.Second)}, {Created: epoch.Add(2 * time.Second)}},
	} {
		e := start(t)
		at(t, e, 2*time.Second, named(propagate.PodPending("wf.a", ""), pods[0]))
		at(t, e, time.Minute)
		expect(t, e, "wf.a", nodegraph.PhaseFailed)
		at(t, e, time.Minute, named(propagate.PodRunning("wf.a"), pods[1]))
		expect(t, e, "wf.a", nodegraph.PhaseFailed)
	}
	e := drawn(t, "dag(a) exit pod")
	at(t, e, 0, named(propagate.PodPending("wf.a", ""), fact.PodInstance{UID: "first"}))
	at(t, e, 0, propagate.Shutdown("Stop"))
	r, err := e.Apply(epoch, named(propagate.PodDeleted("wf.a"), fact.PodInstance{UID: "second"}))
	require.NoError(t, err)
	require.Empty(t, r.Actions, "no other is made in a workflow that was stopped")
	expect(t, e, "wf.a", nodegraph.PhaseFailed)

	e = start(t)
	old := fact.PodInstance{UID: "old", Created: epoch}
	refused := propagate.Resumed("wf.c")
	refused.Phase = nodegraph.PhaseFailed
	at(t, e, time.Second, named(propagate.PodFailed("wf.a", ""), old), refused)
	at(t, e, time.Second, propagate.ManualRetry("wf.c"))
	at(t, e, time.Minute+time.Second)
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
	at(t, e, time.Minute+time.Second, named(propagate.PodDeleted("wf.a"), old))
	at(t, e, time.Minute+time.Second, named(propagate.PodDeleted("wf.a"), fact.PodInstance{UID: "new", Created: epoch.Add(2 * time.Second)}))
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
}

// Ready daemons have all places of a boundary, and end after what waits there: what is created only to be refused by a shutdown ends at
// once, and takes none.
func TestWhatIsRefusedWhileDaemonsHaveAllPlaces(t *testing.T) {
	for _, strategy := range []string{"Stop", "Terminate"} {
		t.Run(strategy, func(t *testing.T) {
			e := drawnWith(t, `steps(d: daemon | b: dag(x when "{{q}} == y" exit pod))`, func(spec *nodegraph.Spec) { spec.Templates[0].Parallelism = 1 })
			tell(t, e, propagate.PodRunning("wf[0].d"))
			tell(t, e, propagate.Shutdown(strategy))
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			require.Equal(t, map[string]string{"wf[0].d": "Succeeded", "wf[1].b": "Failed: Stopped with strategy '" + strategy + "'"}, looks(e, "wf[0].d", "wf[1].b"))
		})
	}
}
