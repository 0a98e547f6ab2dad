package retry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/retry"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func limit(n int) *int { return &n }

func expression(t *testing.T, text string) *retry.Expression {
	t.Helper()
	e, err := retry.Compile(text)
	require.NoError(t, err)
	return e
}

func failed(message string) retry.Attempt {
	return retry.Attempt{Outcome: retry.Failed, Message: message, ExitCode: 1, HasExitCode: true, Started: at(0), Finished: at(10)}
}

func lost() retry.Attempt {
	return retry.Attempt{Outcome: retry.Errored, Message: "pod deleted", Reason: retry.ReasonPodDeleted, Started: at(0), Finished: at(10)}
}

func TestDecide(t *testing.T) {
	second := time.Second
	cases := []struct {
		why      string
		strategy retry.Strategy
		attempts []retry.Attempt
		env      retry.Environment
		verb     retry.Verb
		step     retry.Check
		message  string
		attempt  int
	}{
		{why: "nothing was tried", verb: retry.Start, step: retry.CheckFirstAttempt},
		{why: "the last one runs", attempts: []retry.Attempt{{}}, verb: retry.Await, step: retry.CheckUnfinished},
		{why: "one success is enough", attempts: []retry.Attempt{failed("x"), {Outcome: retry.Succeeded}},
			verb: retry.Succeed, step: retry.CheckSuccess},
		{why: "no attempt after a shutdown", attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Shutdown: "Stop"},
			verb: retry.Stop, step: retry.CheckShutdown, message: "Stopped with strategy 'Stop'"},
		{why: "no attempt after the deadline", attempts: []retry.Attempt{failed("x")},
			env:  retry.Environment{Now: at(11), Deadline: at(10)},
			verb: retry.Stop, step: retry.CheckDeadline, message: "retry exceeded workflow deadline 2026-01-02 03:04:15 +0000 UTC"},
		{why: "a failure is retried by default", attempts: []retry.Attempt{failed("x")}, verb: retry.Start, step: retry.CheckRetry, attempt: 1},
		{why: "an error is not, by default", attempts: []retry.Attempt{lost()}, verb: retry.Stop, step: retry.CheckPolicy, message: "pod deleted"},
		{why: "an error is, under Always", strategy: retry.Strategy{Policy: retry.PolicyAlways}, attempts: []retry.Attempt{lost()},
			verb: retry.Start, step: retry.CheckRetry, attempt: 1},
		{why: "a failure is not, under OnError", strategy: retry.Strategy{Policy: retry.PolicyOnError}, attempts: []retry.Attempt{failed("m")},
			verb: retry.Stop, step: retry.CheckPolicy, message: "m"},
		{why: "an ordinary failure is not transient", strategy: retry.Strategy{Policy: retry.PolicyOnTransientError},
			attempts: []retry.Attempt{failed("main: Error (exit code 1)")}, verb: retry.Stop, step: retry.CheckPolicy, message: "main: Error (exit code 1)"},
		{why: "a lost connection is", strategy: retry.Strategy{Policy: retry.PolicyOnTransientError},
			attempts: []retry.Attempt{failed("read: connection reset by peer")}, verb: retry.Start, step: retry.CheckRetry, attempt: 1},
		{why: "the limit counts retries", strategy: retry.Strategy{Limit: limit(1)}, attempts: []retry.Attempt{failed("x")},
			verb: retry.Start, step: retry.CheckRetry, attempt: 1},
		{why: "and stops after them", strategy: retry.Strategy{Limit: limit(1)}, attempts: []retry.Attempt{failed("x"), failed("x")},
			verb: retry.Stop, step: retry.CheckLimit, message: "No more retries left"},
		{why: "a backoff is waited for", strategy: retry.Strategy{Limit: limit(3), Backoff: &retry.Backoff{Duration: second}},
			attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Now: at(10)},
			verb: retry.Wait, step: retry.CheckBackoff, message: "Backoff for 1 second", attempt: 1},
		{why: "without a limit too, unlike Argo", strategy: retry.Strategy{Backoff: &retry.Backoff{Duration: second}},
			attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Now: at(10)},
			verb: retry.Wait, step: retry.CheckBackoff, message: "Backoff for 1 second", attempt: 1},
		{why: "it grows", strategy: retry.Strategy{Limit: limit(3), Backoff: &retry.Backoff{Duration: second, Factor: 2}},
			attempts: []retry.Attempt{failed("x"), failed("x")}, env: retry.Environment{Now: at(10)},
			verb: retry.Wait, step: retry.CheckBackoff, message: "Backoff for 2 seconds", attempt: 2},
		{why: "up to the cap", strategy: retry.Strategy{Limit: limit(3), Backoff: &retry.Backoff{Duration: second, Factor: 20, Cap: 5 * second}},
			attempts: []retry.Attempt{failed("x"), failed("x")}, env: retry.Environment{Now: at(10)},
			verb: retry.Wait, step: retry.CheckBackoff, message: "Backoff for 5 seconds", attempt: 2},
		{why: "and then it is over", strategy: retry.Strategy{Limit: limit(3), Backoff: &retry.Backoff{Duration: second}},
			attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Now: at(11)}, verb: retry.Start, step: retry.CheckRetry, attempt: 1},
		{why: "no backoff when no retry is left", strategy: retry.Strategy{Limit: limit(0), Backoff: &retry.Backoff{Duration: second}},
			attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Now: at(10)},
			verb: retry.Stop, step: retry.CheckLimit, message: "No more retries left"},
		{why: "not past the longest time", strategy: retry.Strategy{Backoff: &retry.Backoff{Duration: second, MaxDuration: 12 * second}},
			attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Now: at(13)},
			verb: retry.Stop, step: retry.CheckMaxDuration, message: "Max duration limit exceeded"},
		{why: "nor into it", strategy: retry.Strategy{Backoff: &retry.Backoff{Duration: 9 * second, MaxDuration: 12 * second}},
			attempts: []retry.Attempt{failed("x")}, env: retry.Environment{Now: at(10)},
			verb: retry.Stop, step: retry.CheckMaxDuration, message: "Backoff would exceed max duration limit"},
		{why: "an expression that holds", strategy: retry.Strategy{Expression: expression(t, "asInt(lastRetry.exitCode) == 1")},
			attempts: []retry.Attempt{failed("x")}, verb: retry.Start, step: retry.CheckRetry, attempt: 1},
		{why: "an expression that does not", strategy: retry.Strategy{Expression: expression(t, "lastRetry.status == 'Error'")},
			attempts: []retry.Attempt{failed("x")}, verb: retry.Stop, step: retry.CheckExpression, message: "retryStrategy.expression evaluated to false"},
		{why: "a disruption is not counted where the option says so", strategy: retry.Strategy{Limit: limit(0), IgnoreDisruptions: true},
			attempts: []retry.Attempt{lost(), lost()}, verb: retry.Start, step: retry.CheckDisruption, attempt: 2},
		{why: "the first rule that matches stops", strategy: retry.Strategy{Rules: []retry.FailureRule{{Action: retry.ActionStop, In: []int{1}}}},
			attempts: []retry.Attempt{failed("x")}, verb: retry.Stop, step: retry.CheckRule, message: "x"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			d := c.strategy.Decide(c.attempts, c.env)
			assert.Equal(t, c.verb.String(), d.Verb.String())
			assert.Equal(t, c.step.String(), d.Check.String())
			assert.Equal(t, c.message, d.Message)
			if c.verb == retry.Start || c.verb == retry.Wait {
				assert.Equal(t, c.attempt, d.Attempt)
			}
		})
	}
}

func TestHumanDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 seconds", time.Second: "1 second", 59 * time.Second: "59 seconds", 90 * time.Second: "1 minute 30 seconds",
		time.Hour + 5*time.Minute: "1 hour 5 minutes", 26 * time.Hour: "1 day 2 hours",
	} {
		assert.Equal(t, want, retry.HumanDuration(d))
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"10": 10 * time.Second, "1m30s": 90 * time.Second, "0": 0} {
		d, err := retry.ParseDuration(text)
		require.NoError(t, err)
		assert.Equal(t, want, d)
	}
	for _, text := range []string{"", "x", "-1", "-1s", "99999999999999999999"} {
		_, err := retry.ParseDuration(text)
		var field *retry.FieldError
		assert.ErrorAs(t, err, &field, text)
	}
}

// Times tries again whatever ended an attempt, the loss of its pod included, so many times.
func TestTimes(t *testing.T) {
	s := retry.Times(2)
	require.NoError(t, s.Validate())
	require.Error(t, retry.Times(-1).Validate())
	var attempts []retry.Attempt
	for _, a := range []retry.Attempt{{Outcome: retry.Errored, Reason: retry.ReasonPodDeleted}, {Outcome: retry.Failed}} {
		attempts = append(attempts, a)
		require.Equal(t, retry.Start, s.Decide(attempts, retry.Environment{}).Verb)
	}
	d := s.Decide(append(attempts, retry.Attempt{Outcome: retry.Errored}), retry.Environment{})
	require.Equal(t, retry.Stop, d.Verb)
	require.Equal(t, retry.CheckLimit, d.Check)
}
