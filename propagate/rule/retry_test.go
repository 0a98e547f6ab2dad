package rule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

// retries changes the retry strategy of task a.
func retries(change func(*retry.Strategy)) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { change(template(spec, "a").Retry) }
}

// backoff waits so long between attempts, and in all.
func backoff(each, most time.Duration) func(*nodegraph.Spec) {
	return retries(func(s *retry.Strategy) { s.Backoff = &retry.Backoff{Duration: each, MaxDuration: most} })
}

// when makes another attempt only if an expression holds.
func when(expression string) func(*nodegraph.Spec) {
	return retries(func(s *retry.Strategy) {
		x, err := retry.Compile(expression)
		if err != nil {
			panic(err)
		}
		s.Expression = x
	})
}

var retryScenes = []scene{
	{text: "dag(a: retry(1, daemon), b)", calls: told(running("wf.a(0)")),
		node: "wf.a", want: "Retry 1: Running, fulfilled true, by wf.a(0)"},
	{text: "dag(a: retry(1, pod), b)", node: "wf.a", want: "Retry 2: Running, by wf.a(0)"},
	{text: "dag(a: retry(1, pod), b)", calls: eachTold(running("wf.a(0)"), propagate.Shutdown("Stop")), node: "wf.a",
		want: "Retry 3: Failed, by wf.a(0), Stopped with strategy 'Stop'"},
	{text: "dag(a: retry(1, pod), b)", set: backoff(time.Minute, 0), calls: told(failed("wf.a(0)")), node: "wf.a",
		want: "Retry 4: Running, by wf.a(0), Backoff for 1 minute 0 seconds"},
	{text: "dag(a: retry(1, pod), b)", calls: eachTold(propagate.Suspended(true), failed("wf.a(0)")),
		node: "wf.a", want: "Retry 5: Running, by wf.a(0)"},
	{text: "dag(a: retry(1, pod), b)", calls: told(succeeded("wf.a(0)")), node: "wf.a", want: "Retry 6: Succeeded, by wf.a(0)"},
	{text: "dag(a: retry(0, pod), b)", calls: told(propagate.PodFailed("wf.a(0)", "boom")),
		node: "wf.a", want: "Retry 7: Failed, by wf.a(0), No more retries left"},
	{text: "dag(a: retry(0, pod), b)", calls: eachTold(running("wf.a(0)"), deleted("wf.a(0)")),
		node: "wf.a", want: "Retry 7: Error, by wf.a(0), No more retries left"},
	{text: "dag(a: retry(9, pod), b)", set: backoff(time.Minute, 90*time.Second), calls: []call{
		{0, []propagate.Event{failed("wf.a(0)")}}, {time.Minute, nil}, {time.Minute, []propagate.Event{failed("wf.a(1)")}},
	}, node: "wf.a", want: "Retry 7: Failed, by wf.a(1), Backoff would exceed max duration limit"},
	{text: "dag(a: retry(9, pod), b)", set: backoff(time.Minute, 90*time.Second), calls: []call{
		{0, []propagate.Event{failed("wf.a(0)")}}, {time.Minute, nil}, {2 * time.Minute, []propagate.Event{failed("wf.a(1)")}},
	}, node: "wf.a", want: "Retry 7: Failed, by wf.a(1), Max duration limit exceeded"},
	{text: "dag(a: retry(9, pod), b)", set: when("false"), calls: told(failed("wf.a(0)")), node: "wf.a",
		want: "Retry 7: Failed, by wf.a(0), retryStrategy.expression evaluated to false"},
	{text: "dag(a: retry(9, pod), b)", set: when("false"), calls: eachTold(running("wf.a(0)"), deleted("wf.a(0)")), node: "wf.a",
		want: "Retry 7: Error, by wf.a(0), retryStrategy.expression evaluated to false"},
	{text: "dag(a: retry(9, pod), b)", set: when("asInt(lastRetry.message) > 1"), calls: told(propagate.PodFailed("wf.a(0)", "boom")), node: "wf.a",
		want: "Retry 7: Error, by wf.a(0), task 'wf.a' errored: unable to evaluate expression 'asInt(lastRetry.message) > 1': invalid operation: int(boom) (1:1)\n | asInt(lastRetry.message) > 1\n | ^"},
}

func TestOutcome(t *testing.T) {
	for p, want := range map[nodegraph.Phase]retry.Outcome{
		nodegraph.PhasePlanned: retry.Unfinished, nodegraph.PhasePending: retry.Unfinished, nodegraph.PhaseRunning: retry.Unfinished,
		nodegraph.PhaseSucceeded: retry.Succeeded, nodegraph.PhaseSkipped: retry.Succeeded, nodegraph.PhaseOmitted: retry.Succeeded,
		nodegraph.PhaseFailed: retry.Failed, nodegraph.PhaseError: retry.Errored,
	} {
		require.Equal(t, want, rule.BriefOf(p, rule.RuleRetry).Outcome(), "%s", p)
	}
}

func TestRetry(t *testing.T) { chapter(t, retryScenes) }
