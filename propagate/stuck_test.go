package propagate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// What users of workflow engines reported as stuck, one test for each family of reports. The numbers are issues and pull
// requests of argoproj/argo-workflows where no other project is named.

// eachOf lets set see every template of one kind.
func eachOf(kind nodegraph.Kind, set func(*nodegraph.Template)) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == kind {
				set(template)
			}
		}
	}
}

// expectAll asserts phases given as "name Phase", and that a restart changes none of them.
func expectAll(t testing.TB, e *propagate.Engine, wants ...string) {
	t.Helper()
	loaded := reloaded(t, e)
	for _, want := range wants {
		name, phase, ok := strings.Cut(want, " ")
		require.True(t, ok, want)
		p, err := nodegraph.ParsePhase(phase)
		require.NoError(t, err)
		expect(t, e, name, p)
		expect(t, loaded, name, p)
	}
}

// expectWorkflow asserts the phase of the workflow, and that it is complete.
func expectWorkflow(t testing.TB, e *propagate.Engine, want nodegraph.Phase) {
	t.Helper()
	got, message := e.Workflow()
	require.Equal(t, want.String(), got.String(), "the workflow, %q, which waits for %v", message, waitsFor(e))
	require.True(t, e.Complete(), "the workflow waits for %v", waitsFor(e))
}

// absent asserts that nothing was ever made of a name.
func absent(t testing.TB, e *propagate.Engine, name string) {
	t.Helper()
	if i := e.Graph().Find(name); i != nodegraph.None {
		require.False(t, e.Exists(i), "%s exists: %v", name, e.Explain(i))
	}
}

// 12210, 12756, 13951, 13978, 7635: a pod was deleted, and containers that came after its first one stayed Running for
// ever, with the DAG around them. A container is inside its pod wherever the order among containers puts it.
func TestStuckContainersOfADeletedPod(t *testing.T) {
	const pod = "wf.set(0)"
	for _, c := range []struct {
		name, set string
		before    []propagate.Event // before the deletion
		want      []string          // of attempt 0 after it
	}{
		{"the first runs", "pod(first -> main)",
			[]propagate.Event{propagate.PodRunning(pod), propagate.ContainerRunning(pod, "first")},
			[]string{".first Error", ".main Error"}},
		{"the first is done", "pod(first -> main)",
			[]propagate.Event{propagate.PodRunning(pod), propagate.ContainerEnded(pod, "first", 0, "")},
			[]string{".first Succeeded", ".main Error"}},
		{"one arm of a diamond runs", "pod(top -> {left, right} -> bottom)",
			[]propagate.Event{propagate.ContainerEnded(pod, "top", 0, ""), propagate.ContainerRunning(pod, "right")},
			[]string{".top Succeeded", ".left Error", ".right Error", ".bottom Error"}},
		{"the last of a chain waits", "pod(a -> b -> c -> d)",
			[]propagate.Event{propagate.PodRunning(pod)},
			[]string{".a Error", ".b Error", ".c Error", ".d Error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, "dag(set: retry(1, "+c.set+") -> next)")
			tell(t, e, c.before...)
			tell(t, e, propagate.PodDeleted(pod))
			for _, want := range c.want {
				expectAll(t, e, pod+want)
			}
			expectAll(t, e, pod+" Error", "wf.set(1) Pending")
			tell(t, e, propagate.PodSucceeded("wf.set(1)"))
			tell(t, e, propagate.PodSucceeded("wf.next"))
			expectWorkflow(t, e, nodegraph.PhaseSucceeded)
		})
	}
}

// The same reports: the pod was deleted before it ran, and neither went on nor could be stopped.
func TestStuckContainersOfAPodThatIsDeletedWhilePending(t *testing.T) {
	e := drawn(t, "dag(set: pod(first -> main))")
	tell(t, e, propagate.PodPending("wf.set", "ContainerCreating"))
	r := tell(t, e, propagate.PodDeleted("wf.set"))
	require.Equal(t, []string{"Recreate wf.set"}, actionsOf(r), "the host is asked for the pod again")
	require.Equal(t, []string{"wf.set: start"}, waitsFor(e))
	tell(t, e, propagate.Shutdown("Stop"))
	expectAll(t, e, "wf.set Failed", "wf.set.first Failed", "wf.set.main Failed")
	expectWorkflow(t, e, nodegraph.PhaseFailed)
}

// 4719, 5585, 5253: a pod was evicted, or vanished with its node, and told nothing about its containers.
func TestStuckContainersOfAPodWithoutStatuses(t *testing.T) {
	evicted := podOf("wf.set", "u", "Failed")
	evicted.Reason, evicted.Message = "Evicted", "The node was low on resource: memory."
	for _, c := range []struct {
		name string
		end  []propagate.PodStatus
		want []string
	}{
		{"evicted", []propagate.PodStatus{evicted}, []string{"wf.set Failed", "wf.set.a Succeeded", "wf.set.b Failed", "wf.set.c Failed"}},
		{"gone", nil, []string{"wf.set Error", "wf.set.a Succeeded", "wf.set.b Error", "wf.set.c Error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, "dag(set: pod(a -> b -> c) -> next)")
			listed(t, e, podOf("wf.set", "u", "Running", terminated("a", 0), running("b"), waiting("c", "", "")))
			listed(t, e, c.end...)
			expectAll(t, e, append(c.want, "wf.next Omitted")...)
			phase, _ := e.Phase(e.Graph().Find("wf.set"))
			expectWorkflow(t, e, phase)
		})
	}
}

// 12756, 8399: what had ended was given another end. A container that had succeeded became Error with its pod; a daemon
// that had died became Succeeded with its boundary.
func TestStuckNeverMeansRewritten(t *testing.T) {
	t.Run("a container that succeeded", func(t *testing.T) {
		e := drawn(t, "dag(set: pod(a -> b), hold: suspend)")
		tell(t, e, propagate.ContainerEnded("wf.set", "a", 0, ""))
		tell(t, e, propagate.PodDeleted("wf.set"))
		expectAll(t, e, "wf.set.a Succeeded", "wf.set.b Error", "wf.set Error")
	})
	t.Run("a pod that succeeded", func(t *testing.T) {
		e := drawn(t, "dag(a -> b)")
		tell(t, e, propagate.PodSucceeded("wf.a"))
		require.Empty(t, tell(t, e, propagate.PodDeleted("wf.a")).Changes)
		expectAll(t, e, "wf.a Succeeded", "wf.b Pending")
	})
	for name, end := range map[string]propagate.Event{
		"Error": propagate.PodDeleted("wf.d"), "Failed": propagate.PodFailed("wf.d", "main: Error (exit code 1)"),
	} {
		t.Run("a daemon that died in "+name, func(t *testing.T) {
			e := drawn(t, "dag(d: daemon -> work)")
			tell(t, e, propagate.PodRunning("wf.d"))
			tell(t, e, end)
			expectAll(t, e, "wf.d "+name, "wf.work Pending")
			tell(t, e, propagate.PodSucceeded("wf.work"))
			expectAll(t, e, "wf.d "+name)
			require.True(t, e.Complete())
		})
	}
	t.Run("a daemon that runs is not deleted", func(t *testing.T) {
		e := drawn(t, "dag(d: daemon -> work)")
		listed(t, e, podOf("wf.d", "u", "Running", running("main")))
		listed(t, e, podOf("wf.d", "u", "Running", running("main")), podOf("wf.work", "v", "Running", running("main")))
		expectAll(t, e, "wf.d Running", "wf.work Running")
	})
}

// 10045, 10717, 11892, 10491: an init container or the executor's own failed, main never ran, and the workflow waited for
// main. The pod's end decides.
func TestStuckOnAContainerThatIsNotMain(t *testing.T) {
	initFailed := podOf("wf.a", "u", "Failed", waiting("main", "PodInitializing", ""), waiting("wait", "PodInitializing", ""))
	initFailed.Init = []propagate.ContainerStatus{terminated("init", 1)}
	for _, c := range []struct {
		name string
		pod  propagate.PodStatus
		want nodegraph.Phase
	}{
		{"init failed", initFailed, nodegraph.PhaseError},
		{"wait failed", podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 1)), nodegraph.PhaseError},
		{"main never started", podOf("wf.a", "u", "Failed", waiting("main", "ImagePullBackOff", "no image"), terminated("wait", 0)), nodegraph.PhaseError},
		{"a sidecar failed", podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 0), terminated("proxy", 3)), nodegraph.PhaseFailed},
		{"a sidecar still runs", podOf("wf.a", "u", "Failed", terminated("main", 1), terminated("wait", 0), running("proxy")), nodegraph.PhaseFailed},
		{"no container has a status", podOf("wf.a", "u", "Failed"), nodegraph.PhaseFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, "dag(a -> b)")
			listed(t, e, podOf("wf.a", "u", "Pending"))
			listed(t, e, c.pod)
			expect(t, e, "wf.a", c.want)
			expectWorkflow(t, e, c.want)
		})
	}
	t.Run("init of a container set failed", func(t *testing.T) {
		e := drawn(t, "dag(a: pod(x -> y))")
		failed := initFailed
		failed.Containers = []propagate.ContainerStatus{waiting("x", "PodInitializing", ""), waiting("y", "PodInitializing", "")}
		listed(t, e, failed)
		expectAll(t, e, "wf.a.x Failed", "wf.a.y Failed")
		expectWorkflow(t, e, nodegraph.PhaseError)
	})
}

// 13533, 13152, 14625, 12993: a pod succeeded, its results were never reported, and then it vanished. Waiting for results
// is something the workflow tells of, with its age; a pod that is gone can't report any more.
func TestStuckOnAResultThatNeverComes(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(fmt.Sprintf("the pod is gone %v", gone), func(t *testing.T) {
			e := drawn(t, "dag(a -> b)")
			tell(t, e, propagate.PodRunning("wf.a"), propagate.ResultPending("wf.a"))
			tell(t, e, propagate.PodSucceeded("wf.a"))
			want := []propagate.Obligation{{Node: e.Graph().Find("wf.a"), Name: "wf.a", For: propagate.WaitResult, Since: epoch}}
			require.Empty(t, cmp.Diff(want, e.Obligations()))
			if gone {
				tell(t, e, propagate.PodDeleted("wf.a"))
			} else {
				tell(t, e, propagate.ResultSynced("wf.a"))
			}
			expectAll(t, e, "wf.a Succeeded", "wf.b Pending")
			require.Empty(t, tell(t, e, propagate.ResultPending("wf.a")).Changes, "a late word does not hold wf.a open again")
			require.Equal(t, []string{"wf.b: start"}, waitsFor(e))
		})
	}
}

// 4683, 5421, 5005, 6742, 7107, 8692, 10960: what comes after a daemon never started, or the daemon outlived the DAG it
// was for, and the workflow never finished. A ready daemon is fulfilled, and ends with its boundary, once.
func TestStuckOnADaemon(t *testing.T) {
	for _, c := range []struct{ name, text, daemon, work string }{
		{"in a DAG", "dag(d: daemon -> work)", "wf.d", "wf.work"},
		{"in Steps", "steps(d: daemon | work)", "wf[0].d", "wf[1].work"},
		{"under a Retry", "dag(d: retry(1, daemon) -> work)", "wf.d(0)", "wf.work"},
		{"an item of a loop", "dag(d: daemon over [x] -> work)", "wf.d(0:x)", "wf.work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			unready := propagate.PodRunning(c.daemon)
			unready.Ready = false
			tell(t, e, unready)
			absent(t, e, c.work)
			tell(t, e, propagate.PodRunning(c.daemon))
			expectAll(t, e, c.work+" Pending")
			r := tell(t, e, propagate.PodSucceeded(c.work))
			require.Equal(t, []string{"Terminate " + c.daemon + ` "its boundary has ended"`, "Complete"}, actionsOf(r))
			expectAll(t, e, c.daemon+" Succeeded")
			expectWorkflow(t, e, nodegraph.PhaseSucceeded)
		})
	}
	t.Run("a boundary inside the workflow", func(t *testing.T) {
		e := drawn(t, "dag(inner: dag(d: daemon -> work), hold: suspend)")
		tell(t, e, propagate.PodRunning("wf.inner.d"))
		tell(t, e, propagate.PodSucceeded("wf.inner.work"))
		expectAll(t, e, "wf.inner.d Succeeded", "wf.inner Succeeded", "wf Running")
		require.Empty(t, tell(t, e, propagate.PodDeleted("wf.inner.d")), "its end changes and asks for nothing more")
	})
}

// 5497, 5481, 14517, 15740, 12633, 7588, 9425: a Retry stayed Running after its last attempt, said that it waited when no
// attempt was left, did not wait where there was no limit, or went on after a success.
func TestStuckRetry(t *testing.T) {
	backoff := eachOf(nodegraph.KindPod, func(template *nodegraph.Template) {
		template.Retry.Backoff = &retry.Backoff{Duration: time.Minute}
	})
	t.Run("it ends with its last attempt", func(t *testing.T) {
		e := drawn(t, "dag(a: retry(1, pod) -> b)")
		tell(t, e, propagate.PodFailed("wf.a(0)", "boom"))
		tell(t, e, propagate.PodFailed("wf.a(1)", "boom"))
		expectAll(t, e, "wf.a Failed", "wf.b Omitted")
		absent(t, e, "wf.a(2)")
		expectWorkflow(t, e, nodegraph.PhaseFailed)
	})
	t.Run("it ends when the pod of the last attempt is deleted", func(t *testing.T) {
		e := drawn(t, "dag(a: retry(0, pod))")
		tell(t, e, propagate.PodRunning("wf.a(0)"))
		tell(t, e, propagate.PodDeleted("wf.a(0)"))
		expectAll(t, e, "wf.a Error")
		expectWorkflow(t, e, nodegraph.PhaseError)
	})
	t.Run("it waits for nothing after the limit", func(t *testing.T) {
		e := drawnWith(t, "retry(1, pod)", backoff)
		tell(t, e, propagate.PodFailed("wf(0)", "boom"))
		require.Equal(t, []string{"wf: timer"}, waitsFor(e))
		at(t, e, time.Minute)
		at(t, e, time.Minute, propagate.PodFailed("wf(1)", "boom"))
		expectWorkflow(t, e, nodegraph.PhaseFailed)
		_, message := e.Workflow()
		require.Equal(t, "No more retries left", message)
	})
	t.Run("it waits without a limit too", func(t *testing.T) {
		e := drawnWith(t, "retry(pod)", backoff)
		tell(t, e, propagate.PodFailed("wf(0)", "boom"))
		at(t, e, time.Minute-time.Second)
		absent(t, e, "wf(1)")
		at(t, e, time.Minute)
		expect(t, e, "wf(1)", nodegraph.PhasePending)
	})
	t.Run("it ends with the first success", func(t *testing.T) {
		e := drawn(t, "dag(a: retry(5, pod(x -> y)), hold: suspend)")
		tell(t, e, propagate.PodFailed("wf.a(0)", "boom"))
		tell(t, e, propagate.PodSucceeded("wf.a(1)"))
		expectAll(t, e, "wf.a Succeeded", "wf.a(0).y Failed")
		require.Empty(t, tell(t, e, propagate.PodDeleted("wf.a(0)")), "nothing comes of the pod of the attempt that failed")
		absent(t, e, "wf.a(2)")
	})
	t.Run("it starts nothing once the workflow stops", func(t *testing.T) {
		e := drawnWith(t, "dag(a: retry(5, pod))", backoff)
		tell(t, e, propagate.PodFailed("wf.a(0)", "boom"))
		tell(t, e, propagate.Shutdown("Stop"))
		expectWorkflow(t, e, nodegraph.PhaseFailed)
		absent(t, e, "wf.a(1)")
	})
}

// 6451, 13239, 14032, 10743, 9591, 13964: the exit hook of a node that was retried or failed never ran, held its group for
// ever, or was overtaken by the end of the workflow. A hook is a node, and what waits for its owner waits for it.
func TestStuckOnAnExitHook(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ends       []propagate.Event // what makes the hook due
		hook       string
		waits      string // what must not go on before the hook has ended
		want       nodegraph.Phase
	}{
		{"of a task that failed", "dag(a exit pod)", []propagate.Event{propagate.PodFailed("wf.a", "boom")}, "wf.a.onExit", "wf", nodegraph.PhaseFailed},
		{"of a task that is retried", "dag(a: retry(1, pod) exit pod)",
			[]propagate.Event{propagate.PodFailed("wf.a(0)", "boom"), propagate.PodSucceeded("wf.a(1)")}, "wf.a.onExit", "wf", nodegraph.PhaseSucceeded},
		{"of a task whose attempts are used up", "dag(a: retry(1, pod) exit pod)",
			[]propagate.Event{propagate.PodFailed("wf.a(0)", "boom"), propagate.PodFailed("wf.a(1)", "boom")}, "wf.a.onExit", "wf", nodegraph.PhaseFailed},
		{"of a step", "steps(a exit pod | b)", []propagate.Event{propagate.PodFailed("wf[0].a", "boom")}, "wf[0].a.onExit", "wf[0]", nodegraph.PhaseFailed},
		{"of a task whose pod is deleted", "dag(a exit pod)",
			[]propagate.Event{propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a")}, "wf.a.onExit", "wf", nodegraph.PhaseError},
		{"of the workflow", "dag(a) exit pod", []propagate.Event{propagate.PodFailed("wf.a", "boom")}, "wf.onExit", "", nodegraph.PhaseFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			for _, end := range c.ends {
				absent(t, e, c.hook)
				tell(t, e, end)
			}
			expectAll(t, e, c.hook+" Pending")
			if c.waits != "" {
				expect(t, e, c.waits, nodegraph.PhaseRunning)
			}
			require.Equal(t, []string{c.hook + ": start"}, waitsFor(e))
			tell(t, e, propagate.PodSucceeded(c.hook))
			expectWorkflow(t, e, c.want)
		})
	}
	t.Run("what comes after a task waits for its hook", func(t *testing.T) {
		e := drawn(t, "dag(a exit pod -> b)")
		tell(t, e, propagate.PodSucceeded("wf.a"))
		absent(t, e, "wf.b")
		tell(t, e, propagate.PodFailed("wf.a.onExit", "boom"))
		require.Contains(t, waitsFor(e), "wf.b: start", "wf.a succeeded, whatever its hook did")
	})
}

// 16450, 15802, 6593, 6834: all items were done and their group stayed Running; an empty list was never decided; items of
// an earlier run counted after a manual retry.
func TestStuckTaskGroup(t *testing.T) {
	for _, c := range []struct {
		name, text string
		events     []propagate.Event
		want       []string
	}{
		{"all items are done", "dag(a over [x, y] -> b)",
			[]propagate.Event{propagate.PodSucceeded("wf.a(0:x)"), propagate.PodSucceeded("wf.a(1:y)")},
			[]string{"wf.a Succeeded", "wf.b Pending"}},
		{"one item failed", "dag(a over [x, y] -> b)",
			[]propagate.Event{propagate.PodFailed("wf.a(0:x)", "boom"), propagate.PodSucceeded("wf.a(1:y)")},
			[]string{"wf.a Failed", "wf.b Omitted"}},
		{"no items", "dag(a over [] -> b)", nil, []string{"wf.a Skipped", "wf.b Pending"}},
		{"no items, as the host found out", `dag(a over "{{list}}" -> b)`, []propagate.Event{propagate.Expanded("wf.a")},
			[]string{"wf.a Skipped", "wf.b Pending"}},
		{"no items of a step", "steps(a over [] | b)", nil, []string{"wf[0] Succeeded", "wf[1].b Pending"}},
		{"items of container sets", "dag(a: pod(m -> n) over [x] -> b)",
			[]propagate.Event{propagate.PodRunning("wf.a(0:x)"), propagate.PodDeleted("wf.a(0:x)")},
			[]string{"wf.a(0:x).n Error", "wf.a Error", "wf.b Omitted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			tell(t, e, c.events...)
			expectAll(t, e, c.want...)
		})
	}
	t.Run("items of an earlier run", func(t *testing.T) {
		e := drawn(t, "dag(a over [x, y] -> b)")
		tell(t, e, propagate.PodSucceeded("wf.a(0:x)"), propagate.PodFailed("wf.a(1:y)", "boom"))
		tell(t, e, propagate.ManualRetry())
		expectAll(t, e, "wf.a(0:x) Succeeded", "wf.a(1:y) Pending", "wf.a Running")
		tell(t, e, propagate.PodSucceeded("wf.a(1:y)"))
		tell(t, e, propagate.PodSucceeded("wf.b"))
		expectWorkflow(t, e, nodegraph.PhaseSucceeded)
	})
}

// 8654, 9852, 8776: what came after an omitted task was never decided, and omitted tasks were not in the graph.
func TestStuckBehindSkippedAndOmitted(t *testing.T) {
	e := drawn(t, `dag(a -> b -> c -> d, skip when "1 == 2" -> next, other depends "b.Omitted", both depends "c.Omitted && skip.Skipped")`)
	tell(t, e, propagate.PodFailed("wf.a", "boom"))
	expectAll(t, e, "wf.b Omitted", "wf.c Omitted", "wf.d Omitted", "wf.skip Skipped", "wf.next Pending", "wf.other Pending", "wf.both Pending")
	tell(t, e, propagate.PodSucceeded("wf.next"), propagate.PodSucceeded("wf.other"), propagate.PodSucceeded("wf.both"))
	expectWorkflow(t, e, nodegraph.PhaseFailed)
	listed := make(map[string]nodegraph.Phase)
	for _, n := range e.Snapshot().Nodes {
		listed[n.Name] = n.Phase
	}
	for _, omitted := range []string{"wf.b", "wf.c", "wf.d"} {
		require.Equal(t, nodegraph.PhaseOmitted, listed[omitted], "%s in what the host stores", omitted)
	}
}

// 12997, 13048, 5622, 14337: a task hung below the wrong node of the list of children, or a leaf below none, and the DAG
// that looked for it there ran for ever. Whatever a record says in its children, no phase depends on it.
func TestStuckOnRenderedChildren(t *testing.T) {
	e := drawn(t, "dag(a: retry(1, pod(x -> y)) -> b: steps(s | u), c over [i, j], d)")
	tell(t, e, propagate.PodRunning("wf.a(0)"))
	tell(t, e, propagate.PodDeleted("wf.a(0)"), propagate.PodSucceeded("wf.c(0:i)"), propagate.PodDeleted("wf.d"))
	tell(t, e, propagate.PodSucceeded("wf.a(1)"))
	tell(t, e, propagate.PodRunning("wf.b[0].s"))
	want := looksAll(e)
	for name, children := range map[string]func(k int, all []string) []string{
		"none":                   func(int, []string) []string { return nil },
		"everything everywhere":  func(_ int, all []string) []string { return all },
		"each below the next":    func(k int, all []string) []string { return []string{all[(k+1)%len(all)]} },
		"some that do not exist": func(int, []string) []string { return []string{"wf-1", "wf-2"} },
	} {
		t.Run(name, func(t *testing.T) {
			record := e.Snapshot()
			var all []string
			for _, n := range record.Nodes {
				all = append(all, n.ID)
			}
			for k := range record.Nodes {
				record.Nodes[k].Children = children(k, all)
			}
			restored, unknown, err := propagate.FromSnapshot(e.Graph().Spec(), record)
			require.NoError(t, err)
			require.Empty(t, unknown)
			require.NoError(t, restored.Check())
			require.Empty(t, cmp.Diff(want, looksAll(restored)))
		})
	}
	t.Run("a task in Error ends its DAG", func(t *testing.T) {
		e := drawn(t, "dag(a, b)")
		tell(t, e, propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.b"))
		tell(t, e, propagate.PodDeleted("wf.a"))
		expectWorkflow(t, e, nodegraph.PhaseError)
	})
}

// 13806, 10312: a template failed fast and left siblings, or its last StepGroup, unfinished for ever.
func TestStuckSiblingsOfAFailFast(t *testing.T) {
	fails := func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind.Composite() {
				template.FailFast, template.Parallelism = true, 2
			}
		}
	}
	t.Run("in Steps", func(t *testing.T) {
		e := drawnWith(t, "steps(first | bad, slow, never)", fails)
		tell(t, e, propagate.PodSucceeded("wf[0].first"))
		tell(t, e, propagate.PodFailed("wf[1].bad", "boom"))
		expectAll(t, e, "wf[1].slow Pending", "wf[1] Running", "wf Running")
		tell(t, e, propagate.PodSucceeded("wf[1].slow"))
		expectAll(t, e, "wf[1] Failed", "wf Failed")
		absent(t, e, "wf[1].never")
		expectWorkflow(t, e, nodegraph.PhaseFailed)
	})
	t.Run("in a DAG", func(t *testing.T) {
		e := drawnWith(t, "dag(bad, hold: suspend, long: retry(3, pod(x -> y)), never: dag(z))", fails)
		tell(t, e, propagate.PodRunning("wf.long(0)"))
		tell(t, e, propagate.PodFailed("wf.bad", "boom"))
		tell(t, e, propagate.PodDeleted("wf.long(0)"))
		expectWorkflow(t, e, nodegraph.PhaseFailed)
		expectAll(t, e, "wf.long Failed", "wf.long(0) Error", "wf.long(0).y Error", "wf.hold Failed")
	})
	t.Run("a DAG that starts nothing after a failure", func(t *testing.T) { // failFast of a DAG, where it is not off
		e := drawn(t, "dag(bad, other -> after, hold: retry(2, pod) -> late)")
		tell(t, e, propagate.PodFailed("wf.bad", "boom"))
		tell(t, e, propagate.PodSucceeded("wf.other"), propagate.PodSucceeded("wf.hold(0)"))
		tell(t, e, propagate.PodSucceeded("wf.after"), propagate.PodSucceeded("wf.late"))
		expectWorkflow(t, e, nodegraph.PhaseFailed)
	})
}

// 12196, 10733, 13964, 15740: a stopped workflow waited for a lock, a pod that never ran, or an attempt. Stop still runs
// what is to run in the end; Terminate runs nothing.
func TestStuckWhileStopping(t *testing.T) {
	for _, strategy := range []string{"Stop", "Terminate"} {
		for _, c := range []struct {
			name, text string
			before     []propagate.Event
			want       []string
		}{
			{"a task that waits for a lock", "dag(a: mutex(m, pod) -> b)",
				[]propagate.Event{propagate.LockQueued("wf.a", mutexM, "Waiting")}, []string{"wf.a Failed"}},
			{"a pod that is pending", "dag(a: pod(x -> y) -> b)",
				[]propagate.Event{propagate.PodPending("wf.a", "Unschedulable")}, []string{"wf.a Failed", "wf.a.x Failed", "wf.a.y Failed"}},
			{"a pod that is gone and was to be made again", "dag(a -> b)",
				[]propagate.Event{propagate.PodPending("wf.a", ""), propagate.PodDeleted("wf.a")}, []string{"wf.a Failed"}},
			{"a Suspend", "dag(a: suspend -> b)", nil, []string{"wf.a Failed"}},
			{"a request", "dag(a: http)", nil, []string{"wf.a Failed"}},
		} {
			t.Run(strategy+" "+c.name, func(t *testing.T) {
				e := drawn(t, c.text)
				tell(t, e, c.before...)
				tell(t, e, propagate.Shutdown(strategy))
				expectAll(t, e, c.want...)
				expectWorkflow(t, e, nodegraph.PhaseFailed)
			})
		}
	}
	for _, answer := range []propagate.Event{propagate.Resolved("wf.a", true, ""), propagate.Resolved("wf.a", false, "")} {
		t.Run(fmt.Sprintf("a condition that was not answered yet, and is %v", answer.Value), func(t *testing.T) {
			e := drawn(t, `dag(a when "{{x}} == 1")`) // whether a is Failed or Skipped is still the host's to say
			tell(t, e, propagate.Shutdown("Terminate"))
			require.Equal(t, []string{"wf.a: condition"}, waitsFor(e))
			require.NotContains(t, strings.Join(actionsOf(tell(t, e, answer)), " "), "Start Pod")
			expectWorkflow(t, e, nodegraph.PhaseFailed)
		})
	}
	for _, items := range [][]nodegraph.Item{nil, {{Text: "x"}}} {
		t.Run(fmt.Sprintf("a loop that was not resolved yet, with %d items", len(items)), func(t *testing.T) {
			e := drawn(t, `dag(a over "{{x}}")`)
			tell(t, e, propagate.Shutdown("Terminate"))
			require.Equal(t, []string{"wf.a: items"}, waitsFor(e))
			require.NotContains(t, strings.Join(actionsOf(tell(t, e, propagate.Expanded("wf.a", items...))), " "), "Start Pod")
			expectWorkflow(t, e, nodegraph.PhaseFailed)
		})
	}
	t.Run("Stop runs the exit handler", func(t *testing.T) {
		e := drawn(t, "dag(a) exit pod")
		tell(t, e, propagate.PodRunning("wf.a"))
		tell(t, e, propagate.Shutdown("Stop"))
		require.Equal(t, []string{"wf.onExit: start"}, waitsFor(e))
		tell(t, e, propagate.PodSucceeded("wf.onExit"))
		expectWorkflow(t, e, nodegraph.PhaseFailed)
	})
	t.Run("Terminate does not", func(t *testing.T) {
		e := drawn(t, "dag(a) exit pod")
		tell(t, e, propagate.Shutdown("Terminate"))
		absent(t, e, "wf.onExit")
		expectWorkflow(t, e, nodegraph.PhaseFailed)
	})
	t.Run("a deadline", func(t *testing.T) {
		e := drawnWith(t, "dag(a: mutex(m, pod), b: pod(x -> y), c: suspend)", func(spec *nodegraph.Spec) { spec.ActiveDeadline = time.Minute })
		tell(t, e, propagate.LockQueued("wf.a", mutexM, "Waiting"), propagate.PodRunning("wf.b"))
		at(t, e, time.Minute)
		expectAll(t, e, "wf.a Failed", "wf.b Failed", "wf.b.y Failed", "wf.c Failed")
		expectWorkflow(t, e, nodegraph.PhaseFailed)
	})
}

// 4744, 14461, 13648, 12194, 10733: a mutex was kept by a workflow that had finished or hung, only one of several locks
// was given back, and the message about waiting stayed.
func TestStuckOnALock(t *testing.T) {
	locks := []nodegraph.Lock{lock(mutexM, 1), lock(mutexN, 1), lock(semaphoreS, 3)}
	for name, ends := range map[string][]propagate.Event{
		"succeeded": {propagate.PodSucceeded("wf.a")}, "failed": {propagate.PodFailed("wf.a", "boom")},
		"pod deleted": {propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a")}, "evicted": {propagate.PodEvicted("wf.a", "")},
		"stopped": {propagate.Shutdown("Stop")}, "terminated": {propagate.Shutdown("Terminate")},
	} {
		t.Run("of the node that "+name, func(t *testing.T) {
			e := drawnWith(t, "dag(a: pod(x -> y), hold: suspend)", func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					if len(template.Containers) > 0 {
						template.Locks = locks
					}
				}
			})
			tell(t, e, propagate.LockGranted("wf.a"))
			var released []propagate.Action
			for _, end := range ends {
				for _, action := range tell(t, e, end).Actions {
					if action.Type == propagate.ActionRelease {
						released = append(released, action)
					}
				}
			}
			require.Len(t, released, 1, "all locks are given back at once, in the result of the last event")
			require.Equal(t, "wf.a", released[0].Name)
			require.Empty(t, cmp.Diff(locks, released[0].Locks))
		})
		t.Run("of the workflow that "+name, func(t *testing.T) {
			e := drawnWith(t, "dag(a: pod(x -> y))", func(spec *nodegraph.Spec) { spec.Locks = locks })
			tell(t, e, propagate.LockGranted(""))
			var r propagate.Result
			for _, end := range ends {
				r = tell(t, e, end)
			}
			require.Subset(t, actionsOf(r), []string{"Release " + mutexM + " " + mutexN + " " + semaphoreS, "Complete"})
		})
	}
	t.Run("the message is no longer shown", func(t *testing.T) {
		e := drawn(t, "dag(a: mutex(m, pod))")
		tell(t, e, propagate.LockQueued("wf.a", mutexM, "Waiting for it"))
		require.Equal(t, map[string]string{"wf.a": "Pending: Waiting for it"}, looks(e, "wf.a"))
		tell(t, e, propagate.LockGranted("wf.a"))
		require.Equal(t, map[string]string{"wf.a": "Pending"}, looks(e, "wf.a"))
		expect(t, reloaded(t, e), "wf.a", nodegraph.PhasePending)
	})
}

// 12703, 12723: the pod that serves HTTP and plugin nodes failed, and they were Running for ever.
func TestStuckOnTheAgent(t *testing.T) {
	e := drawn(t, "dag(done: http, h: http -> a, p: plugin -> b, own)")
	tell(t, e, propagate.NodeEnded("wf.done", nodegraph.PhaseSucceeded, ""))
	tell(t, e, propagate.AgentEnded("the agent's pod was evicted"))
	expectAll(t, e, "wf.done Succeeded", "wf.h Error", "wf.p Error", "wf.a Omitted", "wf.b Omitted", "wf.own Pending")
	require.Equal(t, []string{"wf.own: start"}, waitsFor(e))
	tell(t, e, propagate.PodSucceeded("wf.own"))
	expectWorkflow(t, e, nodegraph.PhaseError)
}

// 9340, 9156, 13003, 14854, 13749: a manual retry reset nodes that had succeeded, kept some that had not, counted pods that
// were deleted, or left a workflow that looked finished while it started.
func TestStuckAfterAManualRetry(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ends       []propagate.Event
		want       []string // right after the manual retry
		gone       []string // what is forgotten
	}{
		{"what succeeded is kept", "dag(a -> b -> c)",
			[]propagate.Event{propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.b", "boom")},
			[]string{"wf.a Succeeded", "wf.b Pending", "wf Running"}, []string{"wf.c"}},
		{"a pod that was deleted", "dag(set: pod(x -> y), a)",
			[]propagate.Event{propagate.PodSucceeded("wf.a"), propagate.PodRunning("wf.set"), propagate.PodDeleted("wf.set")},
			[]string{"wf.a Succeeded", "wf.set Pending", "wf.set.x Pending", "wf.set.y Pending", "wf Running"}, nil},
		{"attempts begin anew", "dag(a: retry(1, pod))",
			[]propagate.Event{propagate.PodFailed("wf.a(0)", "boom"), propagate.PodFailed("wf.a(1)", "boom")},
			[]string{"wf.a(0) Pending", "wf.a Running"}, []string{"wf.a(1)"}},
		{"a group that failed", "steps(a, b | c)",
			[]propagate.Event{propagate.PodSucceeded("wf[0].a"), propagate.PodFailed("wf[0].b", "boom")},
			[]string{"wf[0].a Succeeded", "wf[0].b Pending", "wf[0] Running"}, []string{"wf[1].c"}},
		{"what is nested stays open around it", "dag(in: dag(x, y) -> after)",
			[]propagate.Event{propagate.PodSucceeded("wf.in.x"), propagate.PodFailed("wf.in.y", "boom")},
			[]string{"wf.in.x Succeeded", "wf.in.y Pending", "wf.in Running"}, []string{"wf.after"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			for _, end := range c.ends {
				tell(t, e, end)
			}
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			tell(t, e, propagate.ManualRetry())
			expectAll(t, e, c.want...)
			for _, name := range c.gone {
				absent(t, e, name)
			}
			require.NotEmpty(t, waitsFor(e))
			phase, _ := e.Workflow()
			require.Equal(t, nodegraph.PhaseRunning.String(), phase.String(), "the workflow while it starts")
		})
	}
}

// Argo restarts a pod that failed before it ran (the field failedPodRestart and its RestartingPodUID): word of the old pod
// that comes late must not end the new one.
func TestStuckOnTheOldPodOfARestart(t *testing.T) {
	e := drawnWith(t, "dag(a: pod(x -> y))", func(spec *nodegraph.Spec) { spec.PodRestarts = 1 })
	evicted := said(1, propagate.PodEvicted("wf.a", "The node was low on resource: memory."))
	tell(t, e, said(1, propagate.PodPending("wf.a", "")))
	r := tell(t, e, evicted)
	require.Equal(t, []string{"Recreate wf.a"}, actionsOf(r))
	expectAll(t, e, "wf.a Pending", "wf.a.x Pending")
	tell(t, e, said(2, propagate.PodPending("wf.a", "ContainerCreating")))
	for _, late := range []propagate.Event{evicted, said(1, propagate.PodFailed("wf.a", "boom")), said(1, propagate.PodDeleted("wf.a"))} {
		require.Empty(t, tell(t, e, late), "%v of the old pod", late)
		e = reloaded(t, e)
	}
	tell(t, e, said(2, propagate.PodRunning("wf.a")))
	expectAll(t, e, "wf.a Running")
	tell(t, e, said(2, propagate.PodEvicted("wf.a", "")))
	expectWorkflow(t, e, nodegraph.PhaseFailed)
}

// diamonds draws layers of two, each after both of the layer before: the number of paths doubles with every layer.
func diamonds(layers int) string {
	var links []string
	for k := range layers {
		links = append(links, fmt.Sprintf("{l%d, r%d}", k, k))
	}
	return strings.Join(links, " -> ")
}

// 1907, and the walk over the containers of a deleted pod: it followed every path of a layered graph. Here 80 layers have
// 2^80 paths, and twice the layers cost at most twice what 40 cost, in nodes that change and in allocations.
func TestStuckInALayeredGraph(t *testing.T) {
	const layers = 80
	for _, c := range []struct {
		name, text string // a line with room for the layers
		ran, end   propagate.Event
		each       nodegraph.Phase // of what is in the layers
		name0      string          // of a node in the layers, with room for what tells it apart
	}{
		{"containers of a deleted pod", "dag(set: pod(%s), hold: suspend)", propagate.PodRunning("wf.set"), propagate.PodDeleted("wf.set"),
			nodegraph.PhaseError, "wf.set.%s"},
		{"containers of an evicted pod", "dag(set: pod(%s), hold: suspend)", propagate.PodRunning("wf.set"), propagate.PodEvicted("wf.set", ""),
			nodegraph.PhaseFailed, "wf.set.%s"},
		{"containers that begin anew", "dag(set: pod(zero -> %s), hold: suspend)", propagate.PodRunning("wf.set"), propagate.ContainerRetried("wf.set", "zero"),
			nodegraph.PhasePending, "wf.set.%s"},
		{"tasks after one that failed", "dag(first -> %s, hold: suspend)", propagate.PodRunning("wf.first"), propagate.PodFailed("wf.first", "boom"),
			nodegraph.PhaseOmitted, "wf.%s"},
		{"branches from one that failed to the targets", "dag(first -> %s)", propagate.PodRunning("wf.first"), propagate.PodFailed("wf.first", "boom"),
			nodegraph.PhaseOmitted, "wf.%s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// What the end costs with so many layers; each run needs an engine of its own, made beforehand.
			costs := func(layers int) (changes int, allocations float64) {
				const runs = 4
				var engines []*propagate.Engine
				for range runs + 1 {
					e := drawn(t, fmt.Sprintf(c.text, diamonds(layers)))
					tell(t, e, c.ran)
					engines = append(engines, e)
				}
				last := engines[runs]
				allocations = testing.AllocsPerRun(runs, func() {
					r, err := engines[0].Apply(epoch, c.end)
					assert.NoError(t, err)
					changes, engines = len(r.Changes), engines[1:]
				})
				require.NoError(t, last.Check())
				for k := range layers {
					expect(t, last, fmt.Sprintf(c.name0, fmt.Sprint("l", k)), c.each)
					expect(t, last, fmt.Sprintf(c.name0, fmt.Sprint("r", k)), c.each)
				}
				return changes, allocations
			}
			halfChanges, halfAllocations := costs(layers / 2)
			changes, allocations := costs(layers)
			require.LessOrEqual(t, changes, 2*layers+3, "each of the layers' nodes changes once, and what is around them")
			require.LessOrEqual(t, changes, 2*halfChanges)
			require.LessOrEqual(t, allocations, 2*halfAllocations+8, "%v for half the layers", halfAllocations)
		})
	}
}

// kubeflow/pipelines 11979, 13321, 13322: the end of a task was told to the DAG around it and no further, so nested DAGs,
// loops and branches stayed Running. A fixed point has no levels.
func TestStuckParentsMoreThanOneLevelUp(t *testing.T) {
	for _, c := range []struct {
		name, text, leaf string
		inside           []string
	}{
		{"DAGs", "dag(a: dag(b: dag(c: dag(leaf))))", "wf.a.b.c.leaf", []string{"wf.a.b.c", "wf.a.b", "wf.a", "wf"}},
		{"Steps", "steps(a: steps(b: steps(leaf)))", "wf[0].a[0].b[0].leaf", []string{"wf[0].a[0].b[0]", "wf[0].a[0].b", "wf[0].a[0]", "wf[0].a", "wf[0]", "wf"}},
		{"loops", "dag(a: dag(b: dag(leaf over [k]) over [j]) over [i])", "wf.a(0:i).b(0:j).leaf(0:k)",
			[]string{"wf.a(0:i).b(0:j).leaf", "wf.a(0:i).b(0:j)", "wf.a(0:i).b", "wf.a(0:i)", "wf.a", "wf"}},
		{"if and else", `dag(if: dag(leaf) when "1 == 1", else: dag(other) when "1 != 1")`, "wf.if.leaf", []string{"wf.if", "wf"}},
		{"Retries", "dag(a: retry(1, dag(b: retry(1, pod))))", "wf.a(0).b(0)", []string{"wf.a(0).b", "wf.a(0)", "wf.a", "wf"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			for _, name := range c.inside {
				expect(t, e, name, nodegraph.PhaseRunning)
			}
			tell(t, e, propagate.PodSucceeded(c.leaf))
			for _, name := range c.inside {
				expect(t, e, name, nodegraph.PhaseSucceeded)
			}
			expectWorkflow(t, e, nodegraph.PhaseSucceeded)
		})
	}
}

// kubeflow/pipelines 13888, Airflow's skipped against upstream_failed, Dagu's list: what a workflow ended with depended on
// which of two ends was heard of first.
func TestStuckWithTheFirstVerdict(t *testing.T) {
	for _, c := range []struct {
		text string
		ends []propagate.Event
		want []string
	}{
		{"dag(a, b, c)", []propagate.Event{propagate.PodFailed("wf.a", ""), said(1, propagate.PodRunning("wf.b")), said(1, propagate.PodDeleted("wf.b")), propagate.PodSucceeded("wf.c")},
			[]string{"wf Failed"}},
		{"dag(b, a)", []propagate.Event{propagate.PodFailed("wf.b", ""), said(1, propagate.PodRunning("wf.a")), said(1, propagate.PodDeleted("wf.a"))},
			[]string{"wf Error"}},
		{`dag({bad, skip when "{{x}}"} -> both)`, []propagate.Event{propagate.PodFailed("wf.bad", ""), propagate.Resolved("wf.skip", false, "")},
			[]string{"wf.skip Skipped", "wf.both Omitted", "wf Failed"}},
		{`dag({bad, good} -> any, hold: suspend, x depends "bad.Failed || good.Failed")`,
			[]propagate.Event{propagate.PodFailed("wf.bad", ""), propagate.PodSucceeded("wf.good")}, []string{"wf.any Omitted", "wf.x Pending"}},
		{"steps(a, b)", []propagate.Event{propagate.PodFailed("wf[0].a", "one"), propagate.PodFailed("wf[0].b", "two")}, []string{"wf[0] Failed", "wf Failed"}},
		{"dag(a over [x, y])", []propagate.Event{propagate.PodFailed("wf.a(0:x)", ""), said(1, propagate.PodRunning("wf.a(1:y)")), said(1, propagate.PodDeleted("wf.a(1:y)"))},
			[]string{"wf.a Error", "wf Error"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			var first map[string]string
			permute(c.ends, func(order []propagate.Event) {
				e := drawn(t, c.text)
				for _, end := range order {
					tell(t, e, end)
				}
				expectAll(t, e, c.want...)
				got := looks(e, slices.Collect(names(e))...)
				if first == nil {
					first = got
				}
				require.Empty(t, cmp.Diff(first, got), "in the order %v", order)
			})
		})
	}
}

// names yields the names of all nodes that exist.
func names(e *propagate.Engine) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
			if e.Exists(i) && !yield(e.Graph().Node(i).Name()) {
				return
			}
		}
	}
}

// Kubernetes came to hold the pods of a Job with finalizers, because pods that had finished were deleted before they were
// counted. A host may do the same: as long as the workflow waits for a pod it must not let go of it, and what the workflow
// has heard of a pod is in what is saved, so that it may go after that.
func TestStuckOnAPodThatIsGoneBeforeItsEndWasSeen(t *testing.T) {
	waits := func(e *propagate.Engine) []string {
		return slices.DeleteFunc(waitsFor(e), func(o string) bool { return !strings.HasSuffix(o, ": pod") })
	}
	e := drawn(t, "dag(set: pod(a -> b) -> next)")
	listed(t, e, podOf("wf.set", "u", "Running", terminated("a", 0), running("b")))
	require.Equal(t, []string{"wf.set: pod"}, waits(e), "its end was not seen: hold it")
	before := reloaded(t, e)
	listed(t, e, podOf("wf.set", "u", "Succeeded", terminated("a", 0), terminated("b", 0)))
	require.Empty(t, waits(e), "its end was seen: once that is saved the pod may go")
	e = reloaded(t, e)
	listed(t, e)
	expectAll(t, e, "wf.set Succeeded", "wf.set.a Succeeded", "wf.set.b Succeeded", "wf.next Pending")

	t.Run("a host that saved too early and let go of it", func(t *testing.T) {
		listed(t, before)
		expectAll(t, before, "wf.set Error", "wf.set.a Succeeded", "wf.set.b Error", "wf.next Omitted")
		expectWorkflow(t, before, nodegraph.PhaseError)
	})
	t.Run("a host that saved too early and held it", func(t *testing.T) {
		e := drawn(t, "dag(set: pod(a -> b) -> next)")
		listed(t, e, podOf("wf.set", "u", "Running", terminated("a", 0), running("b")))
		e = reloaded(t, e)
		listed(t, e, podOf("wf.set", "u", "Succeeded", terminated("a", 0), terminated("b", 0)))
		expectAll(t, e, "wf.set Succeeded", "wf.set.b Succeeded")
	})
}
