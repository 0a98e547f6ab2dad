package propagate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/retry"
)

// When a Retry decides, and by which time.

// withRetry gives every retried template of a workflow this strategy.
func withRetry(s retry.Strategy) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, t := range spec.Templates {
			if t.Retry != nil {
				t.Retry = &s
			}
		}
	}
}

// retries is a limit.
func retries(n int) *int { return &n }

// The backoff counts from when the pod ended, as its containers tell: those that prepare it included. One of which no container
// tells anything has no such time, and the next attempt starts at once (Argo: getLatestFinishedAt).
func TestBackoffCountsFromTheEndOfThePod(t *testing.T) {
	ended := func(name string, after time.Duration) propagate.ContainerStatus {
		return propagate.ContainerStatus{Name: name, Terminated: true, Reason: "Error", ExitCode: 1, Finished: epoch.Add(after)}
	}
	running := propagate.ContainerStatus{Name: "wait", Running: true}
	for _, c := range []struct {
		why  string
		pod  propagate.PodStatus
		want map[string]string
	}{
		{"it was evicted", propagate.PodStatus{Reason: "Evicted", Message: "no memory"},
			map[string]string{"wf.a": "Running", "wf.a(1)": "Pending"}},
		{"it was not admitted", propagate.PodStatus{Reason: "UnexpectedAdmissionError", Message: "no room"},
			map[string]string{"wf.a": "Running", "wf.a(1)": "Pending"}},
		{"its container waits for an image", propagate.PodStatus{Containers: []propagate.ContainerStatus{{Name: "main", Waiting: true, Reason: "ErrImagePull"}}},
			map[string]string{"wf.a": "Running", "wf.a(1)": "Pending"}},
		{"its container ended", propagate.PodStatus{Containers: []propagate.ContainerStatus{ended("main", time.Hour)}},
			map[string]string{"wf.a": "Running: Backoff for 30 seconds"}},
		{"its container ended long ago", propagate.PodStatus{Containers: []propagate.ContainerStatus{ended("main", time.Minute)}},
			map[string]string{"wf.a": "Running", "wf.a(1)": "Pending"}},
		{"what prepares it ended", propagate.PodStatus{Init: []propagate.ContainerStatus{ended("init", time.Hour)}},
			map[string]string{"wf.a": "Running: Backoff for 30 seconds"}},
		{"what prepares it ended long ago", propagate.PodStatus{Init: []propagate.ContainerStatus{ended("init", time.Minute)}},
			map[string]string{"wf.a": "Running", "wf.a(1)": "Pending"}},
		{"a container ended long ago and another runs", propagate.PodStatus{Containers: []propagate.ContainerStatus{ended("main", time.Minute), running}},
			map[string]string{"wf.a": "Running: Backoff for 30 seconds"}},
		{"the last of them counts", propagate.PodStatus{Init: []propagate.ContainerStatus{ended("init", time.Minute)},
			Containers: []propagate.ContainerStatus{ended("main", time.Hour), ended("sidecar", time.Minute)}},
			map[string]string{"wf.a": "Running: Backoff for 30 seconds"}},
	} {
		e := drawnWith(t, "dag(a: retry(3, pod))", withRetry(retry.Strategy{Limit: retries(3), Policy: retry.PolicyAlways, Backoff: &retry.Backoff{Duration: 30 * time.Second}}))
		c.pod.Node, c.pod.UID, c.pod.Phase = "wf.a(0)", "1", "Failed"
		_, err := e.SyncPods(epoch.Add(time.Hour+time.Second), []propagate.PodStatus{c.pod})
		require.NoError(t, err)
		require.NoError(t, propagatetest.Check(e), c.why)
		for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
			shows := looks(again, "wf.a")
			if again.Graph().Find("wf.a(1)") != nodegraph.None {
				shows = looks(again, "wf.a", "wf.a(1)")
			}
			assert.Equal(t, c.want, shows, c.why)
		}
	}
}

// Between an eviction and the next attempt, which something holds back, the host may restart, and keeps what Argo records: no
// time at which the pod ended.
func TestUndatedEndSurvivesARestart(t *testing.T) {
	spec := func(spec *nodegraph.Spec) {
		withRetry(retry.Strategy{Limit: retries(3), Backoff: &retry.Backoff{Duration: 30 * time.Second}})(spec)
	}
	e := drawnWith(t, "dag(a: retry(3, pod))", spec)
	tell(t, e, propagate.Suspended(true), propagate.PodEvicted("wf.a(0)", "no memory"))
	for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
		assert.Equal(t, map[string]string{"wf.a": "Running", "wf.a(0)": "Failed: no memory"}, looks(again, "wf.a", "wf.a(0)"))
		assert.Equal(t, nodegraph.None, again.Graph().Find("wf.a(1)"), "it is held back")
		tell(t, again, propagate.Suspended(false))
		expect(t, again, "wf.a(1)", nodegraph.PhasePending)
	}

	// Who learns later when it ended waits from then on, as who learns both at once, in either order.
	dated := propagate.PodEvicted("wf.a(0)", "no memory")
	dated.Finished = epoch
	for _, batch := range [][]propagate.Event{
		{propagate.PodEvicted("wf.a(0)", "no memory"), dated}, {dated, propagate.PodEvicted("wf.a(0)", "no memory")},
	} {
		e := drawnWith(t, "dag(a: retry(3, pod))", spec)
		tell(t, e, batch...)
		assert.Equal(t, map[string]string{"wf.a": "Running: Backoff for 30 seconds"}, looks(e, "wf.a"))
	}
}

// A Retry decides by the time at which it is looked at, as in Argo. Once it has ended it stays as it is, whatever time it is asked
// at later: a search found one that forgot its message when the backoff was over.
func TestRetryDecidesWhenItIsLookedAt(t *testing.T) {
	const second = time.Second
	overdue := "retry exceeded workflow deadline 2026-01-02 03:04:25 +0000 UTC"
	for _, c := range []struct {
		why      string
		strategy retry.Strategy
		finished time.Duration // of the attempt
		told     time.Duration // when that is seen
		later    time.Duration // the Retry has ended by then
		want     string
	}{
		{"the deadline comes during a backoff after which the policy ends it", retry.Strategy{Policy: retry.PolicyOnError, Backoff: &retry.Backoff{Duration: 45 * second}},
			5 * second, 5 * second, 33 * second, "Failed: " + overdue},
		{"the deadline comes during a backoff", retry.Strategy{Limit: retries(1), Backoff: &retry.Backoff{Duration: 45 * second}},
			5 * second, 5 * second, 33 * second, "Failed: " + overdue},
		{"no retry was left before the deadline", retry.Strategy{Limit: retries(0)}, 5 * second, 5 * second, 5 * second, "Failed: No more retries left"},
		{"the end is seen after the deadline", retry.Strategy{Limit: retries(0)}, 5 * second, 21 * second, 21 * second, "Failed: " + overdue},
		{"the longest time is over when the end is seen", retry.Strategy{Limit: retries(0), Backoff: &retry.Backoff{Duration: second, MaxDuration: 10 * second}},
			5 * second, 11 * second, 11 * second, "Failed: Max duration limit exceeded"},
		{"the longest time is over later", retry.Strategy{Limit: retries(0), Backoff: &retry.Backoff{Duration: second, MaxDuration: 10 * second}},
			5 * second, 9 * second, 9 * second, "Failed: No more retries left"},
	} {
		e := drawnWith(t, "dag(a: retry(1, pod), other)", func(spec *nodegraph.Spec) {
			withRetry(c.strategy)(spec)
			spec.ActiveDeadline = 20 * second
		})
		failed := propagate.PodFailed("wf.a(0)", "m")
		failed.Finished = epoch.Add(c.finished)
		_, err := e.Apply(epoch.Add(c.told), failed)
		require.NoError(t, err)
		for _, after := range []time.Duration{0, second, 30 * second, time.Hour} {
			_, err := e.Apply(epoch.Add(c.later + after))
			require.NoError(t, err)
			require.NoError(t, propagatetest.Check(e), "%s, %v later", c.why, after)
			assert.Equal(t, map[string]string{"wf.a": c.want}, looks(e, "wf.a"), "%s, %v later", c.why, after)
			assert.Equal(t, map[string]string{"wf.a": c.want}, looks(reloaded(t, e), "wf.a"), "%s, %v later, loaded", c.why, after)
			assert.Equal(t, map[string]string{"wf.a": c.want}, looks(restored(t, e), "wf.a"), "%s, %v later, restored", c.why, after)
		}
	}
}

// A composite attempt whose pods can't run ends as it is created, and the deadline ends the Retry during its backoff.
func TestDeadlineDuringABackoffOfWhatCanNotRun(t *testing.T) {
	e := drawnWith(t, "retry(1, dag(a))", func(spec *nodegraph.Spec) {
		withRetry(retry.Strategy{Limit: retries(1), Backoff: &retry.Backoff{Duration: 45 * time.Second}})(spec)
		spec.ActiveDeadline = 20 * time.Second
		for _, t := range spec.Templates {
			if t.Kind == nodegraph.KindPod {
				t.Err = "no such template"
			}
		}
	})
	assert.Equal(t, map[string]string{"wf": "Running: Backoff for 45 seconds"}, looks(e, "wf"))
	for _, now := range []time.Duration{33 * time.Second, 52 * time.Second, time.Hour} {
		at(t, e, now)
		assert.Equal(t, map[string]string{"wf": "Error: retry exceeded workflow deadline 2026-01-02 03:04:25 +0000 UTC"}, looks(e, "wf"))
	}
}

// The host says which messages are those of transient errors besides Argo's own (TRANSIENT_ERROR_PATTERN).
func TestTransientErrorsOfTheHost(t *testing.T) {
	transient := func(pattern string) func(*nodegraph.Spec) {
		return func(spec *nodegraph.Spec) {
			withRetry(retry.Strategy{Limit: retries(3), Policy: retry.PolicyOnTransientError})(spec)
			spec.TransientErrors = pattern
		}
	}
	for _, c := range []struct {
		pattern, message string
		want             nodegraph.Phase
	}{
		{"", "connect: connection refused", nodegraph.PhaseRunning},
		{"", "connection refused", nodegraph.PhaseFailed},
		{"", "licence server is busy", nodegraph.PhaseFailed},
		{"^licence .* busy$", "licence server is busy", nodegraph.PhaseRunning},
		{"^licence .* busy$", "the licence server is busy", nodegraph.PhaseFailed},
		{"^licence .* busy$", "connect: connection refused", nodegraph.PhaseRunning},
	} {
		e := drawnWith(t, "dag(a: retry(3, pod), other)", transient(c.pattern))
		tell(t, e, propagate.PodFailed("wf.a(0)", c.message))
		for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
			expect(t, again, "wf.a", c.want)
		}
	}
}

// A composite that was looked up in the cache and not found is Pending as long as it is open: Argo never sets it to Running.
func TestCompositeThatIsNotInTheCacheIsPending(t *testing.T) {
	for text, pod := range map[string]string{
		"dag(a: retry(1, pod), b: suspend)": "wf.a(0)", "dag(a: dag(x), b: suspend)": "wf.a.x", "dag(a: steps(x), b: suspend)": "wf.a[0].x",
	} {
		e := drawnWith(t, text, func(spec *nodegraph.Spec) {
			for _, template := range spec.Templates {
				if template.Name != "main" && (template.Retry != nil || template.Kind == nodegraph.KindDAG || template.Kind == nodegraph.KindSteps) {
					template.Memoize = "key"
				}
			}
		})
		tell(t, e, propagate.Memoized("wf.a", false))
		tell(t, e, propagate.PodRunning(pod))
		for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
			expect(t, again, "wf.a", nodegraph.PhasePending)
			expect(t, again, pod, nodegraph.PhaseRunning)
		}
		tell(t, e, propagate.PodSucceeded(pod))
		expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	}
}
