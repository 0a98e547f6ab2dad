package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Pods that nobody asked for, of nodes that had ended: another instance of the host has made them, or the host before it crashed.

// Where that would undo what was decided the node stays as it ended, and the host is asked, once, to end the pod.
func TestAPodOfWhatEndedForGoodIsEnded(t *testing.T) {
	for _, c := range []struct {
		name, text, node string
		set              func(*nodegraph.Spec)
		before           []propagate.Event
	}{
		{name: "an attempt that another followed", text: "dag(r: retry(2, dag(a)), z)", node: "wf.r(0).a", before: []propagate.Event{of("1", propagate.PodFailed("wf.r(0).a", ""))}},
		{name: "it gave its locks back", text: "dag(a: mutex(m, pod), z)", node: "wf.a",
			before: []propagate.Event{propagate.LockGranted("wf.a"), of("1", propagate.PodSucceeded("wf.a"))}},
		{name: "what it is inside of waits for its locks again", text: "mutex(m, dag(a, b))", node: "wf.a", before: []propagate.Event{
			propagate.LockGranted("wf"), of("1", propagate.PodSucceeded("wf.a")), propagate.PodFailed("wf.b", ""), propagate.ManualRetry()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			for _, ev := range c.before {
				tell(t, e, ev)
			}
			was, waits := looks(e, c.node), waitsFor(e)
			lives := of("2", propagate.PodRunning(c.node))
			require.Equal(t, []string{"Terminate " + c.node + ` "its node has ended"`}, actionsOf(tell(t, e, lives)))
			require.Empty(t, actionsOf(tell(t, e, lives)))
			tell(t, e, of("2", propagate.PodDeleted(c.node)))
			require.Equal(t, was, looks(e, c.node))
			require.Equal(t, waits, waitsFor(e))
		})
	}
}

// An engine of a record does not know which pod a node had. One that is alive is ended.
func TestAPodOfWhatIsRecordedAsEnded(t *testing.T) {
	e := drawn(t, "dag(a, z)")
	tell(t, e, of("1", propagate.PodFailed("wf.a", "")))
	again := restored(t, e)
	require.Contains(t, actionsOf(listed(t, again, podOf("wf.a", "2", "Running"))), `Terminate wf.a "its node has ended"`)
	expect(t, again, "wf.a", nodegraph.PhaseFailed)
}

// What has ended and is waited for by nobody lives again inside a boundary that has ended: it ends with that, as if its pod had been
// told of before.
func TestAPodThatLivesInsideWhatHasEnded(t *testing.T) {
	fails := func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Kind.Composite()
		}
	}
	for _, c := range []struct {
		name, text, node string
		set              func(*nodegraph.Spec)
		before           []propagate.Event
		lives            propagate.Event
		want             string
	}{
		{name: "a daemon", text: "dag(s: steps(d: daemon | b), z)", node: "wf.s[0].d", before: []propagate.Event{
			of("1", propagate.PodRunning("wf.s[0].d")), of("1", propagate.PodDeleted("wf.s[0].d")), propagate.PodFailed("wf.s[1].b", "")},
			lives: propagate.PodPending("wf.s[0].d", ""), want: "Succeeded"},
		{name: "a hook that is a daemon", text: "dag(in: dag(a exit daemon), z)", node: "wf.in.a.onExit", before: []propagate.Event{
			propagate.PodSucceeded("wf.in.a"), of("1", propagate.PodFailed("wf.in.a.onExit", ""))},
			lives: propagate.PodRunning("wf.in.a.onExit"), want: "Succeeded"},
		{name: "a Retry of what fails fast", text: "dag(in: dag(a, r: retry(2, pod)), z)", node: "wf.in.r", set: fails, before: []propagate.Event{
			of("1", propagate.PodSucceeded("wf.in.r(0)")), propagate.PodFailed("wf.in.a", "")},
			lives: propagate.PodFailed("wf.in.r(0)", ""), want: "Failed: template has failed or errored children and failFast enabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
				if c.set != nil {
					c.set(spec)
				}
			})
			for _, ev := range c.before {
				tell(t, e, ev)
			}
			r := tell(t, e, of("2", c.lives))
			require.Equal(t, map[string]string{c.node: c.want}, looks(e, c.node))
			if c.want == "Succeeded" {
				require.Contains(t, actionsOf(r), "Terminate "+c.node+` "its boundary has ended"`)
			}
		})
	}
}

// Word on the results of a newer pod is no pod: what has ended does not live again because of it, nor does it wait for them.
func TestResultsOfANewerPod(t *testing.T) {
	for name, word := range map[string]func(string) propagate.Event{"pending": propagate.ResultPending, "synced": propagate.ResultSynced} {
		t.Run(name, func(t *testing.T) {
			e := drawn(t, "steps(a | b)")
			tell(t, e, of("1", propagate.PodSucceeded("wf[0].a")))
			tell(t, e, of("2", propagate.PodDeleted("wf[0].a")))
			tell(t, e, of("2", word("wf[0].a")))
			expect(t, e, "wf[0].a", nodegraph.PhaseSucceeded)
			require.Equal(t, []string{"wf[1].b: start"}, waitsFor(e))
		})
	}
}

// The pod of a daemon that was ready, and gave the locks of its Retry back, is lost before the next one ran: the Retry asks for them
// before another is made.
func TestAPodOfARetryIsMadeAgainUnderItsLocks(t *testing.T) {
	e := drawn(t, "dag(d: mutex(m, retry(1, daemon)), z)")
	tell(t, e, propagate.LockGranted("wf.d"))
	require.Equal(t, []string{"Release wf.d default/Mutex/m"}, actionsOf(tell(t, e, of("1", propagate.PodRunning("wf.d(0)")))))
	require.Equal(t, []string{"Acquire wf.d default/Mutex/m"}, actionsOf(tell(t, e, of("2", propagate.PodDeleted("wf.d(0)")))))
	require.Equal(t, []string{"wf.d: lock", "wf.z: start"}, sortedWaits(e))
	require.Equal(t, []string{"Recreate wf.d(0)"}, actionsOf(tell(t, e, propagate.LockGranted("wf.d"))))
}
