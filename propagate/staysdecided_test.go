package propagate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// What was decided stays so when more is told of it late, after a restart or after a manual retry.

// A hook of a daemon did not hold while the daemon ran. The daemon ends with its boundary, which gives its lock back: the host is not
// asked once more, or the hook would run in what has ended, and without the lock.
func TestHookOfADaemonIsNotAskedAgainWithItsBoundary(t *testing.T) {
	for _, text := range []string{"mutex(m, dag(a: retry(1, daemon)))", "mutex(m, dag(a: retry(1, daemon), b))"} {
		e := drawnWith(t, text, withHook("a", "h", `tasks.other.status == "Running"`, asItIs))
		tell(t, e, propagate.LockGranted("wf"))
		tell(t, e, propagate.Resolved("wf.a.hooks.h", false, ""))
		r := tell(t, e, propagate.PodRunning("wf.a(0)"))
		if !e.Complete() {
			r = tell(t, e, propagate.PodSucceeded("wf.b"))
		}
		require.ElementsMatch(t, []string{
			`Terminate wf.a(0) "its boundary has ended"`, "Release wf default/Mutex/m", "Complete",
		}, actionsOf(r), text)
		for name, again := range map[string]*propagate.Engine{"loaded": reloaded(t, e), "restored": restored(t, e)} {
			require.True(t, again.Complete(), "%s, %s: it is not to be asked again either", text, name)
		}
	}
}

// A task was omitted since the daemon that it comes after has died. What the host answers later changes nothing.
func TestAnswerAboutWhatWasOmitted(t *testing.T) {
	e := drawn(t, `dag(a: daemon -> b when "{{x}}", hold: suspend)`)
	tell(t, e, propagate.PodRunning("wf.a"))
	require.Contains(t, waitsFor(e), "wf.b: condition")
	tell(t, e, propagate.PodSucceeded("wf.a"))
	for name, again := range map[string]*propagate.Engine{"it goes on": e, "loaded": reloaded(t, e), "restored": restored(t, e)} {
		for _, holds := range []bool{false, true} {
			tell(t, again, propagate.Resolved("wf.b", holds, ""))
			expect(t, again, "wf.b", nodegraph.PhaseOmitted)
			require.Equal(t, []string{"wf.hold: resume"}, waitsFor(again), name)
		}
	}

	e = drawn(t, `dag(a: daemon -> b over "list", hold: suspend)`)
	tell(t, e, propagate.PodRunning("wf.a"))
	tell(t, e, propagate.PodSucceeded("wf.a"))
	tell(t, e, propagate.Expanded("wf.b", nodegraph.Item{Text: "x"}))
	require.Equal(t, nodegraph.None, e.Graph().Find("wf.b(0:x)"), "nor do the items of a loop")
	tell(t, e, of("2", propagate.PodRunning("wf.a")))
	expect(t, e, "wf.b", nodegraph.PhaseOmitted)
}

// A stop ends a node that was to be looked up in the cache. The look-up is void after a restart and after a manual retry as well: it
// kept a place, for which the exit handler waited for ever.
func TestLookupOfWhatWasStoppedIsVoid(t *testing.T) {
	e := drawnWith(t, "pod exit suspend", func(spec *nodegraph.Spec) {
		spec.Parallelism, spec.ActiveDeadline = 1, 10*time.Second
		templateNamed(spec, spec.Entrypoint).Memoize = "key"
		templateNamed(spec, spec.OnExit).Kind = nodegraph.KindPod
	})
	require.Equal(t, []string{"wf: cache"}, waitsFor(e))
	at(t, e, 12*time.Second, propagate.Suspended(true))
	for name, again := range map[string]*propagate.Engine{"it goes on": e, "loaded": reloaded(t, e), "restored": restored(t, e)} {
		require.NotContains(t, actionsOf(at(t, again, 12*time.Second)), `Lookup wf "key"`, name)
		at(t, again, 12*time.Second, propagate.Suspended(false))
		require.Equal(t, []string{"wf.onExit: start"}, waitsFor(again), name)
	}
}

// Nobody knew when an attempt ended, so that its Retry waited for no backoff and has ended. That the time is told later opens the Retry
// not again: after the backoff nothing would come.
func TestTimeOfAnEndThatComesLate(t *testing.T) {
	e := drawnWith(t, "dag(a: retry(1, pod) -> b, hold: suspend)", withRetry(retry.Strategy{
		Policy: retry.PolicyOnError, Backoff: &retry.Backoff{Duration: 10 * time.Second},
	}))
	undated := propagate.PodEvicted("wf.a(0)", "no memory")
	dated := undated
	dated.Finished = epoch
	for _, ev := range []propagate.Event{undated, dated, undated, dated} {
		tell(t, e, ev)
		require.Equal(t, map[string]string{"wf.a": "Failed: no memory", "wf.b": "Omitted: omitted: depends condition not met"}, looks(e, "wf.a", "wf.b"))
	}
}

// A record does not tell with which pod a node has ended. Whatever is told of pods of the node opens nothing again: each may be from
// before, and gone. It was taken for a newer one, and waited for.
func TestPodsBeforeARecordOpenNothingAgain(t *testing.T) {
	e := drawnWith(t, "dag(a: retry(1, pod))", withRetry(retry.Strategy{Limit: retries(1), Backoff: &retry.Backoff{Duration: 10 * time.Second}}))
	first := propagate.PodPending("wf.a(0)", "").WithPod("1", epoch)
	second := propagate.PodRunning("wf.a(0)").WithPod("2", epoch.Add(time.Second))
	tell(t, e, first)
	tell(t, e, propagate.PodDeleted("wf.a(0)").WithPod("1", epoch))
	tell(t, e, second)
	tell(t, e, propagate.PodDeleted("wf.a(0)").WithPod("2", epoch.Add(time.Second)))
	for name, again := range map[string]*propagate.Engine{"it goes on": e, "loaded": reloaded(t, e), "restored": restored(t, e)} {
		tell(t, again, first)
		tell(t, again, second)
		require.Equal(t, map[string]string{"wf.a(0)": "Error: pod deleted", "wf.a": "Running: Backoff for 10 seconds"}, looks(again, "wf.a(0)", "wf.a"), name)
	}
}

// Nor is a pod that is alive the one of which a record says that it has ended. Its end is asked for with each list.
func TestPodThatIsAliveAfterARecordOfItsEnd(t *testing.T) {
	for text, pod := range map[string]propagate.PodStatus{
		"dag(a, hold: suspend)":         podOf("wf.a", "2", "Running", running("main")),
		"dag(a: pod(x), hold: suspend)": podOf("wf.a", "2", "Running", running("x")),
	} {
		e := drawn(t, text)
		tell(t, e, of("1", propagate.PodRunning("wf.a")))
		tell(t, e, of("1", propagate.PodDeleted("wf.a")))
		again := restored(t, e)
		for range 2 {
			require.Equal(t, []string{`Terminate wf.a "its node has ended"`}, actionsOf(listed(t, again, pod)), text)
			expect(t, again, "wf.a", nodegraph.PhaseError)
		}
	}
}

// A manual retry opens the DAG again that a task comes after, around a hook. The task is planned again, in an engine that was restored
// when the omission was final as well: else a record of that would make another of it.
func TestOmittedTaskAfterWhatAManualRetryOpensAgain(t *testing.T) {
	ended := drawn(t, "dag(a: dag(x exit pod(c)) -> b)")
	tell(t, ended, propagate.PodFailed("wf.a.x", ""))
	tell(t, ended, propagate.ContainerEnded("wf.a.x.onExit", "c", 0, ""), propagate.PodSucceeded("wf.a.x.onExit"))
	expect(t, ended, "wf.b", nodegraph.PhaseOmitted)
	for name, e := range map[string]*propagate.Engine{"it goes on": ended, "restored": restored(t, ended)} {
		tell(t, e, propagate.ManualRetry("wf.a.x.onExit.c"))
		for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
			require.Equal(t, map[string]string{"wf.a": "Running", "wf.a.x": "Failed", "wf.b": ""}, looks(again, "wf.a", "wf.a.x", "wf.b"), name)
		}
		tell(t, e, propagate.PodSucceeded("wf.a.x.onExit"))
		expect(t, e, "wf.b", nodegraph.PhaseOmitted)
		require.True(t, e.Complete(), name)
	}
}

// A node that was found in the cache has no pod. One that is listed alive is from before a manual retry, or made by somebody else, and
// must end, in a complete workflow too.
func TestPodOfWhatWasFoundInTheCacheMustEnd(t *testing.T) {
	for text, complete := range map[string]bool{"dag(a)": true, "dag(a, hold: suspend)": false} {
		e := drawnWith(t, text, func(spec *nodegraph.Spec) {
			for _, template := range spec.Templates {
				if template.Kind == nodegraph.KindPod {
					template.Memoize = "key"
				}
			}
		})
		tell(t, e, propagate.Memoized("wf.a", true))
		require.Equal(t, complete, e.Complete())
		for name, again := range map[string]*propagate.Engine{"it goes on": e, "loaded": reloaded(t, e), "restored": restored(t, e)} {
			r := listed(t, again, podOf("wf.a", "1", "Running"))
			require.Contains(t, actionsOf(r), `Terminate wf.a "its node has ended"`, "%s, %s", text, name)
			require.NotContains(t, actionsOf(listed(t, again, podOf("wf.a", "1", "Failed"))), `Terminate wf.a "its node has ended"`, "%s, %s: it has ended", text, name)
			expect(t, again, "wf.a", nodegraph.PhaseSucceeded)
		}
	}
}

// The status of the workflow is that of the last call, whether the engine has gone on, was loaded or is made from a record: a hook that
// asks for it is due with the next call, and what comes after its owner and has not begun waits for it.
func TestHookOfAStatusIsDueAfterARestartToo(t *testing.T) {
	e := drawnWith(t, `dag(a when "x == y" -> b)`, func(spec *nodegraph.Spec) {
		withHook("a", "h", `workflow.status == "Running"`, asItIs)(spec)
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindPod && template.Name != "hook" {
				template.Memoize = "key"
			}
		}
	})
	require.Equal(t, []string{"wf.b: cache"}, waitsFor(e))
	for name, again := range map[string]*propagate.Engine{"it goes on": e, "loaded": reloaded(t, e), "restored": restored(t, e)} {
		tell(t, again)
		require.Equal(t, []string{"wf.a.hooks.h: start"}, waitsFor(again), name)
	}
}

// A record does not tell how often a container ran again in its pod. While the pod runs, the end of an earlier run counts as that of the
// run that is known. Once the pod has ended, the container stays as it ended. A saved state tells it.
func TestRunOfAContainerThatARecordDoesNotTell(t *testing.T) {
	first := of("1", propagate.ContainerEnded("wf.a", "x", 1, ""))
	first.Pod.Attempt = 1
	pod := of("1", propagate.PodSucceeded("wf.a"))
	for _, c := range []struct {
		why                     string
		again                   func(testing.TB, *propagate.Engine) *propagate.Engine
		whileItRuns, afterwards nodegraph.Phase
	}{
		{"it goes on", func(_ testing.TB, e *propagate.Engine) *propagate.Engine { return e }, nodegraph.PhaseSucceeded, nodegraph.PhaseSucceeded},
		{"loaded", reloaded, nodegraph.PhaseSucceeded, nodegraph.PhaseSucceeded},
		{"restored", restored, nodegraph.PhaseFailed, nodegraph.PhaseSucceeded},
	} {
		for late, want := range map[bool]nodegraph.Phase{false: c.whileItRuns, true: c.afterwards} {
			e := drawn(t, "dag(a: pod(x, y), hold: suspend)")
			tell(t, e, first)
			tell(t, e, of("1", propagate.ContainerRetried("wf.a", "x")))
			tell(t, e, of("1", propagate.ContainerEnded("wf.a", "x", 0, "")))
			if late {
				tell(t, e, pod)
			}
			e = c.again(t, e)
			tell(t, e, first)
			tell(t, e, pod)
			require.Equal(t, map[string]string{"wf.a": "Succeeded", "wf.a.x": want.String()}, looks(e, "wf.a", "wf.a.x"), "%s, the pod had ended: %v", c.why, late)
		}
	}
}

// A pod that waits to be made again ends with its timeout, in the first call after a restart too, and is not taken for the one before
// that the list still shows.
func TestTimeoutOfAPodThatIsMadeAgainAfterARestart(t *testing.T) {
	e := drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) {
		spec.PodRestarts = 2
		templateNamed(spec, "pod").Timeout = 5 * time.Second
	})
	tell(t, e, of("1", propagate.PodEvicted("wf.a", "no memory")))
	gone := podOf("wf.a", "1", "Failed")
	gone.Reason, gone.Message = "Evicted", "no memory"
	for after, want := range map[time.Duration]string{4: "Pending: Pod auto-restarting due to Evicted: no memory", 6: "Failed: timeout"} {
		again := restored(t, e)
		_, err := again.SyncPods(epoch.Add(after*time.Second), []propagate.PodStatus{gone})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"wf.a": want}, looks(again, "wf.a"))
	}
}

// A group of daemons that has succeeded stays so, although an item of it has died since, when a manual retry resets nothing of it.
func TestManualRetryLeavesAGroupOfDaemonsThatSucceeded(t *testing.T) {
	e := drawn(t, "dag(a: daemon over [i] -> b exit pod)")
	tell(t, e, of("1", propagate.PodRunning("wf.a(0:i)")))
	tell(t, e, propagate.Shutdown("Stop"))
	tell(t, e, of("2", propagate.PodPending("wf.a(0:i)", "")))
	tell(t, e, of("2", propagate.PodDeleted("wf.a(0:i)")))
	tell(t, e, propagate.PodSucceeded("wf.b.onExit"))
	tell(t, e, propagate.ManualRetry())
	require.Equal(t, map[string]string{
		"wf.a": "Succeeded", "wf.a(0:i)": "Failed: workflow shutdown with strategy: Stop", "wf.b": "Failed: workflow shutdown with strategy:  Stop",
	}, looks(e, "wf.a", "wf.a(0:i)", "wf.b"), "the hook of wf.b has succeeded: nothing before it runs again")
}

// A pod that was asked for and is to end in the same moment is no pod that was refused: a host that crashed before it ended the pod is told
// so once more.
func TestPodThatIsStoppedAsItIsMade(t *testing.T) {
	e := drawn(t, `dag(a, b when "{{x}}")`)
	end := `Terminate wf.a "workflow shutdown with strategy:  Stop"`
	require.Equal(t, []string{end}, actionsOf(tell(t, e, propagate.Shutdown("Stop"))))
	require.Equal(t, []string{`Resolve wf.b "{{x}}"`, end}, actionsOf(tell(t, reloaded(t, e))))

	refused := drawn(t, `dag(a when "{{x}}", b when "{{y}}")`)
	tell(t, refused, propagate.Shutdown("Stop"))
	tell(t, refused, propagate.Resolved("wf.a", true, ""))
	expect(t, refused, "wf.a", nodegraph.PhaseFailed)
	require.Equal(t, []string{`Resolve wf.b "{{y}}"`}, actionsOf(tell(t, reloaded(t, refused))), "wf.a never had a pod")
}

// That its end is on record does not make it one that was refused either, if it was stopped later than it was made, or its pod was
// seen.
func TestPodThatIsStoppedAndRecorded(t *testing.T) {
	end := `Terminate wf.a "workflow shutdown with strategy:  Stop"`
	for _, c := range []struct {
		why   string
		seen  []propagate.Event
		after time.Duration // of the stop
	}{
		{"it was stopped after it was made", nil, time.Second},
		{"its pod was seen", []propagate.Event{of("1", propagate.PodPending("wf.a", ""))}, 0},
	} {
		e := drawn(t, `dag(a, b when "{{x}}")`)
		tell(t, e, c.seen...)
		e.Recorded(at(t, e, c.after, propagate.Shutdown("Stop")).Changes)
		require.Contains(t, actionsOf(at(t, reloaded(t, e), c.after)), end, c.why)
	}
	e := drawn(t, "pod exit pod")
	tell(t, e, propagate.Shutdown("Stop"))
	require.Contains(t, actionsOf(tell(t, restored(t, e))), `Terminate wf "workflow shutdown with strategy:  Stop"`, "a record does not tell whether it had a pod")
}
