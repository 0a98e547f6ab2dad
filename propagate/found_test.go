package propagate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// What random workflows found, each on its own and named after what went wrong.

// drawn starts the workflow that a line of text draws.
func drawn(t testing.TB, text string) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	return started(t, spec)
}

func started(t testing.TB, spec *nodegraph.Spec) *propagate.Engine {
	t.Helper()
	e, err := propagate.New(spec)
	require.NoError(t, err)
	tell(t, e)
	return e
}

// tell says events to an engine and checks the invariants.
func tell(t testing.TB, e *propagate.Engine, events ...propagate.Event) propagate.Result {
	t.Helper()
	r, err := e.Apply(epoch, events...)
	require.NoError(t, err)
	require.NoError(t, e.Check())
	return r
}

// expect asserts the phase of a node by its name; the message tells why it has the one it has.
func expect(t testing.TB, e *propagate.Engine, name string, want nodegraph.Phase) {
	t.Helper()
	i := e.Graph().Find(name)
	require.NotEqual(t, nodegraph.None, i, "no node %s", name)
	got, _ := e.Phase(i)
	require.Equal(t, want.String(), got.String(), "%s, because: %v", name, e.Explain(i))
}

// waitsFor lists what the workflow waits for.
func waitsFor(e *propagate.Engine) []string {
	var list []string
	for _, o := range e.Obligations() {
		list = append(list, o.String())
	}
	return list
}

func reloaded(t testing.TB, e *propagate.Engine) *propagate.Engine {
	t.Helper()
	loaded, unknown, err := propagate.Load(e.Graph().Spec(), e.Save())
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.NoError(t, loaded.Check())
	return loaded
}

// A loop that the host resolved to no items was asked for again after a restart, inside an attempt that had ended.
func TestEmptyLoopSurvivesARestart(t *testing.T) {
	e := drawn(t, `dag(a over "{{tasks.x.outputs.result}}", b)`)
	tell(t, e, propagate.Expanded("wf.a"))
	expect(t, e, "wf.a", nodegraph.Skipped)
	e = reloaded(t, e)
	expect(t, e, "wf.a", nodegraph.Skipped)
	require.Equal(t, []string{"wf.b: start"}, waitsFor(e))
	require.Empty(t, tell(t, e).Changes)
}

// The same through a manual retry of the workflow.
func TestEmptyLoopSurvivesAManualRetry(t *testing.T) {
	e := drawn(t, `dag(a: dag(l over "{{tasks.x.outputs.result}}"), b)`)
	tell(t, e, propagate.Expanded("wf.a.l"), propagate.PodFailed("wf.b", "main: Error (exit code 1)"))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	expect(t, e, "wf.a", nodegraph.Succeeded)
	expect(t, e, "wf.b", nodegraph.Pending)
}

// A daemon that was ended with its boundary made its exit hook due, and so opened the boundary that had ended.
func TestReleasedDaemonRunsNoExitHook(t *testing.T) {
	e := drawn(t, `dag(inner: dag(d: daemon exit pod -> b) -> c)`)
	ready := propagate.PodRunning("wf.inner.d")
	tell(t, e, ready)
	tell(t, e, propagate.PodSucceeded("wf.inner.b"))
	expect(t, e, "wf.inner", nodegraph.Succeeded)
	expect(t, e, "wf.inner.d", nodegraph.Succeeded)
	expect(t, e, "wf.c", nodegraph.Pending)
	require.Equal(t, nodegraph.None, e.Graph().Find("wf.inner.d.onExit"))
}

// Two Steps had the two places of their boundary and waited in them for the mutex of a Retry that waited for a place.
func TestHolderOfALockIsNotHeldBackByParallelism(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(first: mutex(m, pod), holder: mutex(m, retry(1, pod)), s1: steps(x: mutex(m, pod)), s2: steps(y: mutex(m, pod)))`)
	require.NoError(t, err)
	spec.Templates[0].Parallelism = 2
	for _, template := range spec.Templates {
		if template.Kind == nodegraph.DAG {
			template.Parallelism = 2
		}
	}
	e := started(t, spec)
	tell(t, e, propagate.LockGranted("wf.first"))
	tell(t, e, propagate.LockQueued("wf.holder", "default/Mutex/m", "waits"))
	// first ends; both Steps take the places before the host hands the lock over.
	tell(t, e, propagate.PodSucceeded("wf.first"))
	for _, o := range e.Obligations() {
		if o.For == propagate.NeedLock && o.Name != "wf.holder" {
			tell(t, e, propagate.LockQueued(o.Name, "default/Mutex/m", "waits"))
		}
	}
	tell(t, e, propagate.LockGranted("wf.holder"))
	require.Contains(t, waitsFor(e), "wf.holder(0): start")
}

// The late result of a pod in an attempt that was followed by another started what comes after it, in a dead attempt.
func TestLateResultStartsNothingInADeadAttempt(t *testing.T) {
	e := drawn(t, `retry(2, dag(a -> b, c depends "a.Failed"))`)
	tell(t, e, propagate.PodRunning("wf(0).a"))
	tell(t, e, propagate.PodDeleted("wf(0).a"))
	expect(t, e, "wf(0).a", nodegraph.Error)
	expect(t, e, "wf(0).c", nodegraph.Omitted)
	expect(t, e, "wf(1).a", nodegraph.Pending)
	tell(t, e, propagate.PodFailed("wf(0).a", "main: Error (exit code 1)"))
	expect(t, e, "wf(0).c", nodegraph.Omitted)
	expect(t, e, "wf(0)", nodegraph.Error)
}

// A wait is over once the time it was until has come, however often it was asked about before.
func TestBackoffIsWaitedForOnce(t *testing.T) {
	spec, err := nodegraph.Parse("retry(2, pod)")
	require.NoError(t, err)
	spec.Templates[0].Retry.Backoff = &retry.Backoff{Duration: 10 * time.Second}
	e := started(t, spec)
	tell(t, e, propagate.PodFailed("wf(0)", ""))
	for second := range 11 {
		_, err := e.Apply(epoch.Add(time.Duration(second) * time.Second))
		require.NoError(t, err)
		require.NoError(t, e.Check())
		require.Equal(t, second > 9, e.Graph().Find("wf(1)") != nodegraph.None, "after %d s", second)
	}
}
