package propagate_test

import (
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
			if template.Kind == nodegraph.DAG {
				template.Targets = []string{"b"}
			}
		}
	})
	require.Equal(t, []string{"wf.a: start"}, waitsFor(e))
	tell(t, e, propagate.Shutdown("Terminate"))
	expect(t, e, "wf", nodegraph.Failed)
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
	expect(t, e, "wf.a", nodegraph.Running)
	wake(late)
	expect(t, e, "wf.a", nodegraph.Failed)
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
	expect(t, e, "wf.a(1)", nodegraph.Pending)
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
	expect(t, e, "wf.x.z", nodegraph.Error)
	expect(t, e, "wf.x.a", nodegraph.Failed)
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
	expect(t, e, "wf.x.r", nodegraph.Failed)
	expect(t, e, "wf", nodegraph.Failed)
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
	expect(t, e, "wf.a", nodegraph.Failed)
	expect(t, e, "wf.d", nodegraph.Succeeded)
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
					if template.Kind == nodegraph.Pod {
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
			expect(t, e, "wf.a", nodegraph.Pending)
			at(18)
			expect(t, e, "wf.a", nodegraph.Failed)
		})
	}
}

// No timeout is too short to be one.
func TestTimeoutOfANanosecond(t *testing.T) {
	e := drawnWith(t, "dag(a: pod)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.Pod {
				template.Timeout = 1
			}
		}
	})
	_, err := e.Apply(epoch.Add(1))
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.Failed)
}
