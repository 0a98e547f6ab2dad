package rule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A node whose exit hook had no room has failed, and is no daemon that was ended with its boundary.
func TestFailFastBesideAHookWithoutRoom(t *testing.T) {
	chapter(t, []scene{
		{text: "dag(x: dag(a exit pod), d: daemon)", set: failsFast("x"), limits: nodegraph.Limits{Nodes: 5}, calls: told(succeeded("wf.x.a")),
			node: "wf.x", want: "DAG 1: Failed, by wf.x.a, " + fast},
	})
}

// both makes several changes.
func both(changes ...func(*nodegraph.Spec)) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, change := range changes {
			change(spec)
		}
	}
}

// atMost lets so many members of the template of this name be active at a time.
func atMost(name string, n int) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { template(spec, name).Parallelism = n }
}

// pendsFor lets pods of the template of this name be Pending so long.
func pendsFor(name string, d time.Duration) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { template(spec, name).PendingTimeout = d }
}

// childFailed is what a StepGroup says of a step that failed.
func childFailed(name string) string { return "child '" + nodegraph.NodeID("wf", name) + "' failed" }

// What fails in a template that fails fast counts there if it is a pod, a DAG or Steps.
func TestWhatFailsFast(t *testing.T) {
	ended := func(node string) propagate.Event { return propagate.NodeEnded(node, nodegraph.PhaseFailed, "") }
	chapter(t, []scene{
		// What was not created counts as little as an HTTP node, and the Retry around one.
		{text: "dag(x: dag(a: pod), b: suspend)", set: both(failsFast("x"), broken("pod")), node: "wf.x", want: "DAG 5: Error, by wf.x.a"},
		{text: "dag(x: dag(a: http), b)", set: failsFast("x"), calls: told(ended("wf.x.a")), node: "wf.x", want: "DAG 5: Failed, by wf.x.a"},
		{text: "dag(x: dag(a: retry(0, http)), b)", set: failsFast("x"), calls: told(ended("wf.x.a(0)")),
			node: "wf.x", want: "DAG 5: Failed, by wf.x.a"},
		// A Retry that has the place of its next attempt is not active (deviation 14), nor is what waits for a lock.
		{text: "dag(x: dag(a: mutex(m, retry(1, pod))), b)", set: failsFast("x"),
			calls: eachTold(propagate.LockGranted("wf.x.a"), failed("wf.x.a(0)")), node: "wf.x", want: "DAG 1: Failed, by wf.x.a(0), " + fast},
		// A ready daemon is active: the template ends as its members say, and the group in it keeps its words.
		{text: "dag(x: steps(d: daemon, a), b)", set: failsFast("x"), calls: told(running("wf.x[0].d"), failed("wf.x[0].a")),
			node: "wf.x", want: "Steps 4: Failed, by wf.x[0], " + childFailed("wf.x[0].a")},
	})
}

// The words of what fails fast say when it was looked at: after the pods, and before the DAGs and Steps inside.
func TestWordsOfWhatFailsFast(t *testing.T) {
	one := []call{{0, []propagate.Event{failed("wf.x.n.a")}}, {time.Second, []propagate.Event{running("wf.b")}}}
	chapter(t, []scene{
		// A pod has failed before, whatever fails beside it only now.
		{text: "dag(x: dag(a, n: dag(b)), c)", set: failsFast("x"), calls: told(failed("wf.x.a"), failed("wf.x.n.b")),
			node: "wf.x", want: "DAG 1: Failed, by wf.x.a, " + fast},
		// A DAG that fails as the template ends has not failed before, whenever that is judged again.
		{text: "dag(x: dag(n: dag(a)), b)", set: failsFast("x"), calls: one, node: "wf.x", want: "DAG 5: Failed, by wf.x.n"},
		// The template fails all the same where its members say that it has succeeded.
		{text: "dag(x: dag(n: dag(a) continueOnFailed), b)", set: failsFast("x"), calls: one, node: "wf.x", want: "DAG 1: Failed, by wf.x.n, " + fast},
		// That the DAG inside closed something as it failed fast itself says nothing of the template around it.
		{text: "dag(x: dag(n: dag(a, s: suspend)), b)", set: both(failsFast("x"), failsFast("n")), calls: one,
			node: "wf.x", want: "DAG 5: Failed, by wf.x.n"},
		// A pod that has waited too long was looked at with the others.
		{text: "dag(x: steps(a: pod), b: suspend)", set: both(failsFast("x"), pendsFor("pod", 5*time.Second)), calls: []call{{5 * time.Second, nil}},
			node: "wf.x", want: "Steps 1: Failed, by wf.x[0].a, " + fast},
		// An attempt is looked at as its Retry starts it, before anything inside has failed.
		{text: "dag(x: retry(0, steps(a)), b)", set: failsFast("x"), calls: told(failed("wf.x(0)[0].a")),
			node: "wf.x(0)", want: "Steps 4: Failed, by wf.x(0)[0], " + childFailed("wf.x(0)[0].a")},
		// An open group has the name of the step that failed only now,
		{text: "dag(x: steps(n: dag(a), b), c)", set: both(failsFast("x"), atMost("x", 1)), calls: told(failed("wf.x[0].n.a")),
			node: "wf.x", want: "Steps 4: Failed, by wf.x[0], " + childFailed("wf.x[0].n")},
		// but not of a pod, which failed before,
		{text: "dag(x: steps(d: daemon, a, b), c)", set: both(failsFast("x"), atMost("x", 2)),
			calls: eachTold(running("wf.x[0].d"), failed("wf.x[0].a")), node: "wf.x", want: "Steps 4: Failed, by wf.x[0], " + fast},
		// nor of a step that was in Error before, and not created,
		{text: "dag(x: steps(w when `1 ==`, n: dag(a), b), c)", set: both(failsFast("x"), atMost("x", 1)), calls: told(failed("wf.x[0].n.a")),
			node: "wf.x", want: "Steps 1: Failed, by wf.x[0].n, " + fast},
		// nor where a step that was created is open, a Suspend as well,
		{text: "dag(x: steps(n: dag(a), s: suspend), c)", set: failsFast("x"), calls: told(failed("wf.x[0].n.a")),
			node: "wf.x", want: "Steps 1: Failed, by wf.x[0].n, " + fast},
		// nor of a step before the group.
		{text: "dag(x: steps(n: dag(a) continueOnFailed | b), c)", set: failsFast("x"), calls: told(failed("wf.x[0].n.a")),
			node: "wf.x", want: "Steps 2: Failed, by wf.x[0].n, " + fast},
		// The items of a loop in a DAG are no steps.
		{text: "dag(x: dag(n: dag(a) over [i, j]), c)", set: both(failsFast("x"), atMost("x", 1)), calls: told(failed("wf.x.n(0:i).a")),
			node: "wf.x", want: "DAG 1: Failed, by wf.x.n(0:i), " + fast},
	})
}

// waiting is a scene that ends with all that the workflow waits for.
type waiting struct {
	scene
	waits []string
}

// wait plays scenes and compares what the workflow waits for in the end.
func wait(t *testing.T, scenes []waiting) {
	t.Helper()
	for _, s := range scenes {
		var waits []string
		for _, o := range s.play(t).Obligations() {
			waits = append(waits, o.String())
		}
		require.ElementsMatch(t, s.waits, waits, "%s after %v", s.text, s.calls)
	}
}

// of is what happens to the pod with this UID.
func of(uid string, ev propagate.Event) propagate.Event {
	ev.Pod.UID = uid
	return ev
}

// What is active inside a template has a place there. A Retry keeps the place of an attempt that has ended if it holds locks, for
// which those who have it next may wait.
func TestPlaces(t *testing.T) {
	wait(t, []waiting{
		// A Retry and its attempt have one place, with locks and without.
		{scene{text: "dag(x: dag(a: mutex(m, retry(1, pod)), b, c, d))", set: atMost("x", 2),
			calls: eachTold(propagate.LockGranted("wf.x.a"), succeeded("wf.x.b"))}, []string{"wf.x.a(0): start", "wf.x.c: start", "wf.x.d: parallelism"}},
		{scene{text: "dag(x: dag(d: retry(1, daemon) -> b), s: suspend)", set: atMost("x", 1), calls: told(running("wf.x.d(0)"))},
			[]string{"wf.s: resume", "wf.x.b: parallelism for ever, since parallelism 1 is used up by what ends later: wf.x.d(0)"}},
		// What holds locks and is no Retry has no place before it starts: here a second pod of a, which had ended, has the only one.
		{scene{text: "dag(x: dag(a, b: mutex(m, pod)))", set: atMost("x", 1),
			calls: eachTold(of("1", succeeded("wf.x.a")), of("2", running("wf.x.a")), propagate.LockGranted("wf.x.b"))},
			[]string{"wf.x.a: pod", "wf.x.b: parallelism"}},
	})
}

// What a manual retry has opened again and can't go on takes no place, and nothing inside it starts: it waits for its locks, or
// comes after a daemon that runs again (deviation 31).
func TestHeldAfterAManualRetry(t *testing.T) {
	again := propagate.ManualRetry()
	wait(t, []waiting{
		{scene{text: "dag(x: dag(a: mutex(m, retry(0, dag(b)))))", set: atMost("x", 1),
			calls: eachTold(propagate.LockGranted("wf.x.a"), failed("wf.x.a(0).b"), again)}, []string{"wf.x.a: lock"}},
		{scene{text: "dag(x: dag(a: mutex(m, retry(0, dag(b)))))", set: atMost("x", 1),
			calls: eachTold(propagate.LockGranted("wf.x.a"), failed("wf.x.a(0).b"), again, propagate.LockGranted("wf.x.a"))}, []string{"wf.x.a(0).b: start"}},
		{scene{text: "dag(a -> x: steps(d: daemon | s: dag(b)))",
			calls: eachTold(succeeded("wf.a"), running("wf.x[0].d"), failed("wf.x[1].s.b"), again)}, []string{"wf.x[0].d: start"}},
		// Ready daemons alone have the places that f waits for: s, which comes after it, has none.
		{scene{text: "dag(x: dag(d: daemon, e: daemon, f: daemon -> s: dag(b)))", set: atMost("x", 2),
			calls: eachTold(failed("wf.x.d"), failed("wf.x.e"), running("wf.x.f"), failed("wf.x.s.b"), again, running("wf.x.d"), running("wf.x.e"))},
			[]string{"wf.x.f: parallelism for ever, since parallelism 2 is used up by what ends later: wf.x.d, wf.x.e"}},
	})
	chapter(t, []scene{
		// What fails fast does not wait for it if nothing inside it runs,
		{text: "dag(x: steps(d: retry(1, daemon) | s: dag(a, b)))", set: failsFast("x"),
			calls: eachTold(running("wf.x[0].d(0)"), succeeded("wf.x[1].s.a"), failed("wf.x[1].s.b"), again, failed("wf.x[0].d(0)")),
			node:  "wf.x", want: "Steps 1: Failed, by wf.x[1].s, " + fast},
		// and waits for what began while the daemon was ready.
		{text: "dag(x: steps(d: retry(1, daemon) | s: dag(a, b)))", set: failsFast("x"),
			calls: eachTold(running("wf.x[0].d(0)"), succeeded("wf.x[1].s.a"), failed("wf.x[1].s.b"), again, running("wf.x[0].d(0)"), failed("wf.x[0].d(0)")),
			node:  "wf.x", want: "Steps 3: Running, by wf.x[0]"},
		// A daemon counts as active for what was decided beside it, whatever its containers have done.
		{text: "dag(x: dag(d: pod(p, q), a), b)", set: func(spec *nodegraph.Spec) { daemonSets(spec); failsFast("x")(spec) },
			calls: eachTold(running("wf.x.d"), propagate.ContainerEnded("wf.x.d", "q", 1, "boom"), failed("wf.x.a")),
			node:  "wf.x", want: "DAG 5: Failed, by wf.x.a"},
	})
}
