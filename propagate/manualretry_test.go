package propagate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// What a manual retry keeps, and what it forgets.

// A loop that the host resolved to no items was asked for again after a manual retry.
func TestEmptyLoopSurvivesAManualRetry(t *testing.T) {
	e := drawn(t, `dag(a: dag(l over "{{tasks.x.outputs.result}}"), b)`)
	tell(t, e, propagate.Expanded("wf.a.l"), propagate.PodFailed("wf.b", "main: Error (exit code 1)"))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.b", nodegraph.PhasePending)
}

// A workflow that was terminated while it waited for its locks again, after a manual retry, ended around nodes that were
// still running.
func TestTerminatedWhileItWaitsForItsLocksAgain(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(a, b -> c)`)
	require.NoError(t, err)
	spec.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}}
	e := started(t, spec)
	tell(t, e, propagate.LockGranted(""))
	tell(t, e, propagate.PodFailed("wf.a", "boom"), propagate.PodSucceeded("wf.b"))
	tell(t, e, propagate.PodSucceeded("wf.c"))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	tell(t, e, propagate.Shutdown("Terminate"))
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}

// A ManualRetry that came twice in one batch took the state after the first for the state before the call.
func TestManualRetryTwiceInABatch(t *testing.T) {
	changes := func(events ...propagate.Event) []string {
		e := drawn(t, `dag(a -> b, c)`)
		tell(t, e, propagate.PodSucceeded("wf.c"), propagate.PodFailed("wf.a", "m"))
		var list []string
		for _, c := range tell(t, e, events...).Changes {
			list = append(list, c.String())
		}
		return list
	}
	require.Equal(t, changes(propagate.ManualRetry()), changes(propagate.ManualRetry(), propagate.ManualRetry()))
}

// A composite that a shutdown had found open stayed marked by it after a manual retry: whatever became of its members, the
// workflow failed once more.
func TestStoppedWorkflowRetriedByHandMaySucceed(t *testing.T) {
	for text, suspend := range map[string]string{
		"dag(a, b: suspend)": "wf.b", "steps(a, b: suspend)": "wf[0].b", "dag(in: steps(a, b: suspend))": "wf.in[0].b",
	} {
		for _, strategy := range []string{"Stop", "Terminate"} {
			t.Run(strategy+" "+text, func(t *testing.T) {
				e := drawn(t, text)
				tell(t, e, propagate.Shutdown(strategy))
				require.True(t, e.Complete())
				tell(t, e, propagate.ManualRetry(suspend))
				for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
					switch name := e.Graph().Node(i).Name(); e.Kind(i) {
					case nodegraph.KindPod:
						tell(t, e, propagate.PodSucceeded(name))
					case nodegraph.KindSuspend:
						tell(t, e, propagate.Resumed(name))
					}
				}
				expect(t, e, "wf", nodegraph.PhaseSucceeded)
				require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			})
		}
	}
}

// What was left inside a composite with a lock of its own ran again after a manual retry, and nobody had the lock.
func TestManualRetryRunsNothingWithoutItsLock(t *testing.T) {
	for _, c := range []struct{ text, locked, runs string }{
		{"dag(in: mutex(m, dag(x, y)), other)", "wf.in", "wf.in."},
		{"mutex(m, dag(x, y))", "wf", "wf."},
		{"dag(in: mutex(m, steps(x, y)))", "wf.in", "wf.in[0]."},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := drawn(t, c.text)
			tell(t, e, propagate.LockGranted(c.locked))
			if strings.Contains(c.text, "other") {
				tell(t, e, propagate.PodSucceeded("wf.other"))
			}
			tell(t, e, propagate.PodSucceeded(c.runs+"x"), propagate.PodFailed(c.runs+"y", ""))
			require.True(t, e.Complete())
			r := tell(t, e, propagate.ManualRetry())
			require.Contains(t, actionsOf(r), "Acquire "+c.locked+" default/Mutex/m")
			for _, o := range waitsFor(e) {
				require.NotContains(t, o, "start", "before it has the lock")
			}
			tell(t, e, propagate.LockGranted(c.locked))
			tell(t, e, propagate.PodSucceeded(c.runs+"x"), propagate.PodSucceeded(c.runs+"y"))
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			expect(t, e, "wf", nodegraph.PhaseSucceeded)
		})
	}
}

// A pod that was first heard of when it was gone, after its boundary had failed fast, was not remembered: heard of once more
// after a manual retry it was taken for a newer one, and the end of the one that had run in the meantime was undone.
func TestPodOfABoundaryThatFailedFastIsRemembered(t *testing.T) {
	e := drawnWith(t, "steps(a exit pod, b) exit pod", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Kind == nodegraph.KindSteps
		}
	})
	lost := propagate.PodDeleted("wf[0].a")
	lost.Pod.UID = "old"
	tell(t, e, propagate.Shutdown("Stop"))
	tell(t, e, lost)
	tell(t, e, propagate.PodFailed("wf.onExit", ""))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	ended := propagate.PodFailed("wf[0].a", "boom")
	ended.Pod.UID = "new"
	tell(t, e, ended)
	tell(t, e, lost)
	expect(t, e, "wf[0].a", nodegraph.PhaseFailed)
}

// A daemon that was ended with its boundary took a place there for ever, when a manual retry had opened that again.
func TestEndedDaemonTakesNoPlaceAfterAManualRetry(t *testing.T) {
	e := drawnWith(t, "dag(x: dag(d: daemon -> {a, b}))", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindDAG {
				template.Parallelism = 2
			}
		}
	})
	tell(t, e, propagate.PodRunning("wf.x.d"))
	tell(t, e, propagate.PodFailed("wf.x.a", ""))
	tell(t, e, propagate.PodFailed("wf.x.b", ""))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	require.Equal(t, []string{"wf.x.d: start"}, waitsFor(e))
	tell(t, e, propagate.PodRunning("wf.x.d"))
	require.Equal(t, []string{"wf.x.a: start", "wf.x.b: parallelism"}, waitsFor(e), "a ready daemon takes one place")
}

// A manual retry forgot the hook of a task that was omitted, and with it that the DAG around had ended (random test, seed
// 10,002,698).
func TestHookOfAnOmittedTaskAfterAManualRetry(t *testing.T) {
	e := hooked(t, `dag(a, b depends "a.Failed", f)`, `tasks.b.status == "Omitted"`)
	tell(t, e, propagate.PodSucceeded("wf.a"))
	tell(t, e, propagate.PodSucceeded("wf.b.hooks.h"), propagate.PodFailed("wf.f", ""))
	tell(t, e, propagate.ManualRetry())
	require.Equal(t, []string{"wf.f: start"}, waitsFor(e))

	e = hooked(t, `dag(r: dag(a, b depends "a.Failed"), f)`, `tasks.b.status == "Omitted"`)
	tell(t, e, propagate.PodSucceeded("wf.r.a"))
	tell(t, e, propagate.PodSucceeded("wf.r.b.hooks.h"), propagate.PodFailed("wf.f", ""))
	expect(t, e, "wf.r", nodegraph.PhaseSucceeded)
	expectWorkflow(t, e, nodegraph.PhaseFailed)
	tell(t, e, propagate.ManualRetry())
	expect(t, e, "wf.r", nodegraph.PhaseSucceeded)
	require.Equal(t, []string{"wf.f: start"}, waitsFor(e))
}

// A manual retry forgot that a task was omitted while a daemon ran that failed later, inside of an attempt that another
// followed.
func TestOmittedBesideADaemonAfterAManualRetry(t *testing.T) {
	e := drawn(t, `dag(r: retry(1, dag(d: daemon, b depends "d.Failed", s: suspend)), f)`)
	tell(t, e, propagate.PodRunning("wf.r(0).d"))
	expect(t, e, "wf.r(0).b", nodegraph.PhaseOmitted)
	tell(t, e, propagate.PodFailed("wf.r(0).d", ""))
	tell(t, e, propagate.Resumed("wf.r(0).s"))
	tell(t, e, propagate.PodRunning("wf.r(1).d"), propagate.Resumed("wf.r(1).s"))
	tell(t, e, propagate.PodFailed("wf.f", ""))
	expect(t, e, "wf.r", nodegraph.PhaseSucceeded)
	expectWorkflow(t, e, nodegraph.PhaseFailed)
	tell(t, e, propagate.ManualRetry())
	expect(t, e, "wf.r(0).b", nodegraph.PhaseOmitted)
	expect(t, e, "wf.r(0)", nodegraph.PhaseFailed)
	require.Equal(t, []string{"wf.f: start"}, waitsFor(e))
}

// What succeeded is kept by a manual retry as it is: inside of it the end of a shutdown let hooks start that the shutdown
// had forbidden (random test, seed 40,053,461).
func TestWhatIsKeptByAManualRetryStays(t *testing.T) {
	e := drawn(t, "steps(x: dag(b: pod(c) exit pod) continueOnFailed | f)")
	tell(t, e, propagate.PodRunning("wf[0].x.b"), propagate.ContainerEnded("wf[0].x.b", "c", 0, ""))
	tell(t, e, propagate.Shutdown("Terminate"))
	expect(t, e, "wf[0]", nodegraph.PhaseSucceeded)
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	expect(t, e, "wf[0]", nodegraph.PhaseSucceeded)
	require.Equal(t, []string{"wf[1].f: start"}, waitsFor(e))
}

// A manual retry keeps what is inside of what succeeded as it is, and what the rules say of it.
func TestKeptByAManualRetry(t *testing.T) {
	e := drawn(t, `steps(a: retry(1, pod), skipped: dag(y) when "{{x}} == 2", many over "list" | b)`)
	tell(t, e, propagate.Resolved("wf[0].skipped", false, ""))
	tell(t, e, propagate.Expanded("wf[0].many", nodegraph.Item{Text: "i"}))
	tell(t, e, propagate.PodSucceeded("wf[0].many(0:i)"))
	tell(t, e, propagate.PodRunning("wf[0].a(0)"), propagate.PodDeleted("wf[0].a(0)"))
	tell(t, e, propagate.PodSucceeded("wf[0].a(1)"))
	tell(t, e, propagate.PodFailed("wf[1].b", ""))
	require.True(t, e.Complete())
	rules := func() map[string]string {
		list := make(map[string]string)
		for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
			if n := e.Graph().Node(i); n.Role != nodegraph.RoleGroup && strings.HasPrefix(n.Name(), "wf[0]") && !n.Kind.Composite() {
				v := e.Verdict(i)
				list[n.Name()] = fmt.Sprint(v.Phase, " ", v.Rule)
			}
		}
		v := e.Verdict(e.Graph().Find("wf[0].skipped"))
		list["wf[0].skipped"] = fmt.Sprint(v.Phase, " ", v.Rule)
		return list
	}
	before := rules()
	tell(t, e, propagate.ManualRetry())
	require.Empty(t, cmp.Diff(before, rules()))
	require.Equal(t, []string{"wf[1].b: start"}, waitsFor(e))
}

// What was told of the pod that a node had before a manual retry undid that the node was found in the cache since.
func TestThePodBeforeANodeWasMemoized(t *testing.T) {
	for _, ev := range []propagate.Event{
		propagate.PodPending("wf.a", "ContainerCreating"), propagate.PodRunning("wf.a"), propagate.PodFailed("wf.a", "exit 1"),
		propagate.PodDeleted("wf.a"),
		propagate.ResultPending("wf.a"),
	} {
		e := drawnWith(t, "dag(a: pod(x), hold: suspend)", eachOf(nodegraph.KindPod, func(template *nodegraph.Template) { template.Memoize = "key" }))
		tell(t, e, propagate.Memoized("wf.a", true))
		ev.Pod = fact.PodInstance{UID: "before", Created: epoch}
		for _, e := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
			r, err := e.Apply(epoch, ev)
			require.NoError(t, err)
			require.Empty(t, r.Actions, "%v", ev)
			require.Empty(t, r.Changes, "%v", ev)
			expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
		}
	}
}

// A controller may record a workflow as Failed while something in it runs. That was closed with the workflow, so a manual retry
// resets it like what failed, and opens what is around it.
func TestManualRetryResetsWhatIsRecordedAsUnfinished(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: retry(1, pod), b, c: dag(d, e))")
	require.NoError(t, err)
	node := func(name string, kind nodegraph.Kind, phase nodegraph.Phase) nodegraph.NodeStatus {
		return nodegraph.NodeStatus{ID: nodegraph.NodeID("wf", name), Name: name, Kind: kind, Phase: phase, Started: epoch}
	}
	e, _, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{
		Phase: nodegraph.PhaseFailed, Started: epoch, Finished: epoch, Nodes: []nodegraph.NodeStatus{
			node("wf", nodegraph.KindDAG, nodegraph.PhaseFailed),
			node("wf.a", nodegraph.KindRetry, nodegraph.PhaseRunning), node("wf.a(0)", nodegraph.KindPod, nodegraph.PhaseRunning),
			node("wf.b", nodegraph.KindPod, nodegraph.PhaseFailed),
			node("wf.c", nodegraph.KindDAG, nodegraph.PhaseRunning),
			node("wf.c.d", nodegraph.KindPod, nodegraph.PhaseSucceeded), node("wf.c.e", nodegraph.KindPod, nodegraph.PhasePending),
		},
	})
	require.NoError(t, err)
	tell(t, e, propagate.ManualRetry())
	for name, phase := range map[string]nodegraph.Phase{
		"wf.a": nodegraph.PhaseRunning, "wf.a(0)": nodegraph.PhasePending, "wf.b": nodegraph.PhasePending, "wf.c": nodegraph.PhaseRunning,
		"wf.c.d": nodegraph.PhaseSucceeded, "wf.c.e": nodegraph.PhasePending,
	} {
		expect(t, e, name, phase)
	}
	require.Equal(t, []string{"wf.a(0): start", "wf.b: start", "wf.c.e: start"}, sortedWaits(e))
	tell(t, e, propagate.PodSucceeded("wf.a(0)"), propagate.PodSucceeded("wf.b"), propagate.PodSucceeded("wf.c.e"))
	expect(t, e, "wf", nodegraph.PhaseSucceeded)
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}

func sortedWaits(e *propagate.Engine) []string {
	list := waitsFor(e)
	slices.Sort(list)
	return list
}

// A loop that is kept by a manual retry has ended as a whole: exit hooks of its items that a shutdown forbade are not due any more, and
// hold nothing open.
func TestHooksInsideWhatAManualRetryKeeps(t *testing.T) {
	e := drawn(t, "dag(l over [i, j] exit pod, f)")
	tell(t, e, propagate.PodSucceeded("wf.l(0:i)"), propagate.PodSucceeded("wf.l(1:j)"), propagate.Shutdown("Terminate"))
	expect(t, e, "wf.l", nodegraph.PhaseSucceeded)
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	tell(t, e, propagate.PodSucceeded("wf.f"))
	for _, o := range e.Obligations() {
		tell(t, e, propagate.PodSucceeded(o.Name))
	}
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
	expectWorkflow(t, e, nodegraph.PhaseSucceeded)
}

// The end of a pod is asked for by the index that its node has after the retry, if it still has one.
func TestOutlivedPodOfWhatARetryForgets(t *testing.T) {
	e := drawnWith(t, `steps(b, c when "(1 == 1")`, hookOfB(`steps.b.status == "Running"`))
	tell(t, e, propagate.PodRunning("wf[0].b"))
	hook := e.Graph().Node(e.Graph().Find("wf[0].b.hooks.h")).ID()
	tell(t, e, propagate.PodSucceeded("wf[0].b"), propagate.PodFailed("wf[0].b.hooks.h", ""))
	require.True(t, e.Complete())
	r, err := e.SyncPods(epoch, []propagate.PodStatus{{Node: hook, UID: "another", Phase: "Running"}}, propagate.ManualRetry())
	require.NoError(t, err)
	ended := r.Actions[slices.IndexFunc(r.Actions, func(a propagate.Action) bool { return a.Type == propagate.ActionTerminate })]
	require.Equal(t, hook, ended.ID)
	require.Equal(t, e.Graph().Find(hook), ended.Node)
	require.Less(t, int(ended.Node), e.Graph().Len())
}

// A node that waits for its locks after a manual retry has no pod: what is told late of the results of the one before is not of it.
func TestResultOfThePodBeforeAManualRetry(t *testing.T) {
	for _, late := range []propagate.Event{propagate.ResultPending("wf.a"), propagate.ResultSynced("wf.a")} {
		e := drawn(t, "dag(a: mutex(m, pod), b)")
		tell(t, e, propagate.LockGranted("wf.a"))
		tell(t, e, propagate.PodFailed("wf.a", ""), propagate.PodSucceeded("wf.b"))
		tell(t, e, propagate.ManualRetry())
		tell(t, e, propagate.LockQueued("wf.a", "default/Mutex/m", "later"))
		before := e.Fact(e.Graph().Find("wf.a"))
		tell(t, e, late.WithPod("u0", epoch.Add(-time.Minute)))
		require.Equal(t, before, e.Fact(e.Graph().Find("wf.a")), "what is known of wf.a, which waits for its lock, after %v", late)
	}
}
