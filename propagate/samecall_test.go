package propagate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// What the events of a call tell comes before what the call stops: a shutdown that it tells, the deadline and the timeouts that
// pass with it (Argo looks at all pods first). The order of the events does not matter, and an engine that was loaded or
// restored in between does the same.
func TestWhatIsToldWithAStopComesFirst(t *testing.T) {
	const overdue = "Failed: Step exceeded its deadline"
	stop, terminate := propagate.Shutdown("Stop"), propagate.Shutdown("Terminate")
	for _, c := range []struct {
		why    string
		text   string
		set    func(*nodegraph.Spec)
		before []propagate.Event
		after  time.Duration
		events []propagate.Event
		want   string // of wf.a
	}{
		{why: "a pod that runs when its timeout passes", text: "dag(a, b: suspend)", set: timeouts(time.Minute, 0),
			after: time.Minute, events: []propagate.Event{propagate.PodRunning("wf.a")}, want: "Failed: timeout"},
		{why: "a pod that ends when its timeout passes", text: "dag(a, b: suspend)", set: timeouts(time.Minute, 0),
			after: time.Minute, events: []propagate.Event{propagate.PodSucceeded("wf.a")}, want: "Succeeded"},
		{why: "a pod that runs when a timeout passes that the host enforces", text: "dag(a, b: suspend)",
			set:   func(spec *nodegraph.Spec) { timeouts(time.Minute, 0)(spec); spec.TimeoutsByHost = true },
			after: time.Minute, events: []propagate.Event{propagate.PodRunning("wf.a")}, want: "Running"},
		{why: "a pod that runs when its timeout for pending pods passes", text: "dag(a, b: suspend)", set: timeouts(0, time.Minute),
			after: time.Hour, events: []propagate.Event{propagate.PodRunning("wf.a")}, want: "Running"},
		{why: "a pod that is still pending", text: "dag(a, b: suspend)", set: timeouts(0, time.Minute),
			after: time.Minute, events: []propagate.Event{propagate.PodPending("wf.a", "Unschedulable")}, want: "Failed: timeout"},
		{why: "a pod that is lost before it ran", text: "dag(a, b: suspend)", set: timeouts(time.Minute, 0),
			after: time.Minute, events: []propagate.Event{propagate.PodDeleted("wf.a")}, want: "Failed: timeout"},
		{why: "an answer of the agent", text: "dag(a: http, b: suspend)", set: timeouts(time.Minute, 0),
			after: time.Minute, events: []propagate.Event{propagate.NodeEnded("wf.a", nodegraph.PhaseSucceeded, "")}, want: "Succeeded"},
		{why: "a pod that is gone as the workflow is stopped", text: "dag(a, b: suspend)", before: []propagate.Event{propagate.PodRunning("wf.a")},
			events: []propagate.Event{propagate.PodDeleted("wf.a"), stop}, want: "Error: pod deleted"},
		{why: "a pod that is gone as the workflow is terminated", text: "dag(a, b: suspend)", before: []propagate.Event{propagate.PodRunning("wf.a")},
			events: []propagate.Event{terminate, propagate.PodDeleted("wf.a")}, want: "Error: pod deleted"},
		{why: "a pod that is lost before it ran, as the workflow is stopped", text: "dag(a, b: suspend)",
			events: []propagate.Event{propagate.PodDeleted("wf.a"), stop}, want: "Failed: workflow shutdown with strategy:  Stop"},
		{why: "a pod that begins to run as the workflow is stopped", text: "dag(a, b: suspend)",
			events: []propagate.Event{propagate.PodRunning("wf.a"), stop}, want: "Failed: workflow shutdown with strategy:  Stop"},
		{why: "a pod that ends as the workflow is stopped", text: "dag(a, b: suspend)",
			events: []propagate.Event{stop, propagate.PodFailed("wf.a", "boom")}, want: "Failed: boom"},
		{why: "a pod that is gone as the deadline passes", text: "dag(a, b: suspend)", set: deadlineAfter(time.Minute),
			before: []propagate.Event{propagate.PodRunning("wf.a")}, after: time.Minute, events: []propagate.Event{propagate.PodDeleted("wf.a")}, want: "Error: pod deleted"},
		{why: "a pod that runs as the deadline passes", text: "dag(a, b: suspend)", set: deadlineAfter(time.Minute),
			after: time.Minute, events: []propagate.Event{propagate.PodRunning("wf.a")}, want: overdue},
		{why: "a Suspend that is resumed as the deadline passes", text: "dag(a: suspend, b: suspend)", set: deadlineAfter(time.Minute),
			after: time.Minute, events: []propagate.Event{propagate.Resumed("wf.a")}, want: "Succeeded"},
		{why: "a shutdown and the deadline at once", text: "dag(a, b: suspend)", set: deadlineAfter(time.Minute),
			after: time.Minute, events: []propagate.Event{stop}, want: "Failed: workflow shutdown with strategy:  Stop"},
		{why: "the deadline and a timeout at once", text: "dag(a, b: suspend)",
			set:   func(spec *nodegraph.Spec) { deadlineAfter(time.Minute)(spec); timeouts(time.Minute, 0)(spec) },
			after: time.Minute, want: overdue},
		{why: "a Retry runs, whatever its attempts do", text: "dag(a: retry(1, pod), b: suspend)", set: timeouts(time.Minute, time.Minute),
			after: time.Hour, want: "Running"},
		{why: "a Retry that waits for its lock is pending", text: "dag(a: mutex(m, retry(1, pod)), b: suspend)", set: timeouts(time.Minute, 0),
			before: []propagate.Event{propagate.LockQueued("wf.a", "default/Mutex/m", "Waiting for default/Mutex/m lock. Lock status: 0/1")},
			after:  time.Minute, want: "Failed: timeout"},
	} {
		reversed := slices.Clone(c.events)
		slices.Reverse(reversed)
		if c.set == nil {
			c.set = func(*nodegraph.Spec) {}
		}
		for k, again := range []func(testing.TB, *propagate.Engine) *propagate.Engine{
			func(_ testing.TB, e *propagate.Engine) *propagate.Engine { return e }, reloaded, restored,
		} {
			for _, events := range [][]propagate.Event{c.events, reversed} {
				why := fmt.Sprintf("%s, engine %d, %v", c.why, k, events)
				e := drawnWith(t, c.text, c.set)
				tell(t, e, c.before...)
				e = again(t, e)
				r, err := e.Apply(epoch.Add(c.after), events...)
				require.NoError(t, err, why)
				require.NoError(t, propagatetest.Check(e), why)
				assert.Equal(t, map[string]string{"wf.a": c.want}, looks(e, "wf.a"), why)
				terminated := 0
				for _, a := range r.Actions {
					require.False(t, a.Type == propagate.ActionRecreate && a.Name == "wf.a", why)
					if a.Type == propagate.ActionTerminate {
						terminated++
					}
				}
				assert.LessOrEqual(t, terminated, 1, "%s: a pod is ended once: %v", why, r.Actions)
			}
		}
	}
}

// timeouts gives every template these timeouts.
func timeouts(timeout, pending time.Duration) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, t := range spec.Templates {
			if t.Kind != nodegraph.KindDAG {
				t.Timeout, t.PendingTimeout = timeout, pending
			}
		}
	}
}

// deadlineAfter gives the workflow a deadline.
func deadlineAfter(after time.Duration) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { spec.ActiveDeadline = after }
}
