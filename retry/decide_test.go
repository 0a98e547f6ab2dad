package retry_test

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/retry"
)

// errored is an attempt that ended in Error after ten seconds, through no disruption.
func errored(message string) retry.Attempt {
	return retry.Attempt{Outcome: retry.Errored, Message: message, Started: at(0), Finished: at(10)}
}

// ended is an attempt that ended with an exit code: Failed.
func ended(code int) retry.Attempt {
	return retry.Attempt{Outcome: retry.Failed, ExitCode: code, HasExitCode: true, Started: at(0), Finished: at(10)}
}

// because is an attempt whose pod has a status reason: Failed, without an exit code.
func because(reason string) retry.Attempt {
	return retry.Attempt{Outcome: retry.Failed, Message: "reason " + reason, Reason: reason, Started: at(0), Finished: at(10)}
}

// times is n attempts that all ended alike.
func times(n int, a retry.Attempt) []retry.Attempt {
	all := make([]retry.Attempt, n)
	for i := range all {
		all[i] = a
	}
	return all
}

// meant is a decision without the fields that say nothing under its verb.
func meant(d retry.Decision) retry.Decision {
	m := retry.Decision{Verb: d.Verb, Check: d.Check, Message: d.Message, Rule: d.Rule}
	switch d.Verb {
	case retry.Succeed, retry.Stop:
		m.Outcome = d.Outcome
	case retry.Wait:
		m.Attempt, m.Until, m.Backoff, m.Remaining = d.Attempt, d.Until, d.Backoff, d.Remaining
	case retry.Start:
		m.Attempt, m.ExecutionDeadline = d.Attempt, d.ExecutionDeadline
	}
	return m
}

// start, stop and wait make the decisions that most tests expect.
func start(step retry.Check, attempt int) retry.Decision {
	return retry.Decision{Verb: retry.Start, Check: step, Attempt: attempt, Rule: -1}
}

func stop(step retry.Check, outcome retry.Outcome, message string) retry.Decision {
	return retry.Decision{Verb: retry.Stop, Check: step, Outcome: outcome, Message: message, Rule: -1}
}

// noneLeft is the decision where the limit is reached after a failure.
var noneLeft = stop(retry.CheckLimit, retry.Failed, "No more retries left")

func wait(attempt int, backoff, remaining time.Duration, until time.Time) retry.Decision {
	return retry.Decision{Verb: retry.Wait, Check: retry.CheckBackoff, Attempt: attempt, Backoff: backoff, Remaining: remaining,
		Until: until, Message: "Backoff for " + retry.HumanDuration(backoff), Rule: -1}
}

// byRule is a decision that a rule has made.
func byRule(d retry.Decision, rule int) retry.Decision {
	d.Rule = rule
	return d
}

// decision is one line of a table: what a strategy decides.
type decision struct {
	why      string
	strategy retry.Strategy
	attempts []retry.Attempt
	env      retry.Environment
	want     retry.Decision
}

// checkDecisions compares whole decisions.
func checkDecisions(t *testing.T, table []decision) {
	t.Helper()
	for _, c := range table {
		t.Run(c.why, func(t *testing.T) {
			got := meant(c.strategy.Decide(c.attempts, c.env))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("after %d attempts, the decision (-want +got):\n%s", len(c.attempts), diff)
			}
		})
	}
}

// Where several steps have something to say, the earlier one decides: each line has all that the lines below it need.
func TestTheFirstStepThatSaysSomethingDecides(t *testing.T) {
	never := expression(t, "false")
	rules := []retry.FailureRule{{Action: retry.ActionStop, In: []int{7}}, {Action: retry.ActionIgnore, In: []int{8}}}
	all := retry.Strategy{
		Limit: limit(0), Policy: retry.PolicyOnError, Expression: never, Rules: rules, IgnoreDisruptions: true,
		Backoff: &retry.Backoff{Duration: 10 * time.Second, MaxDuration: 60 * time.Second},
	}
	without := func(change func(*retry.Strategy)) retry.Strategy {
		s := all
		b := *all.Backoff
		s.Backoff = &b
		change(&s)
		return s
	}
	calm := retry.Environment{Now: at(15)}
	over := retry.Environment{Now: at(30)}
	both := retry.Environment{Now: at(15), Shutdown: "Terminate", Deadline: at(5)}
	late := retry.Environment{Now: at(15), Deadline: at(5)}
	goes := retry.Attempt{Outcome: retry.Failed, Message: "m", ExitCode: 7, HasExitCode: true, Reason: "Evicted",
		Started: at(0), Finished: at(10)}
	longest := without(func(s *retry.Strategy) { s.Backoff.MaxDuration = 5 * time.Second })
	overdue := "retry exceeded workflow deadline 2026-01-02 03:04:10 +0000 UTC"
	checkDecisions(t, []decision{
		{"nothing was tried, and the workflow is shut down", all, nil, both, start(retry.CheckFirstAttempt, 0)},
		{"an attempt that runs is awaited under a shutdown", all, []retry.Attempt{goes, {}}, both,
			retry.Decision{Verb: retry.Await, Check: retry.CheckUnfinished, Rule: -1}},
		{"a success counts under a shutdown and past the deadline", all, []retry.Attempt{goes, {Outcome: retry.Succeeded}}, both,
			retry.Decision{Verb: retry.Succeed, Check: retry.CheckSuccess, Outcome: retry.Succeeded, Rule: -1}},
		{"a shutdown before the deadline", all, []retry.Attempt{goes}, both,
			stop(retry.CheckShutdown, retry.Failed, "Stopped with strategy 'Terminate'")},
		{"the deadline before a rule", all, []retry.Attempt{goes}, late, stop(retry.CheckDeadline, retry.Failed, overdue)},
		{"a rule that stops before a disruption", all, []retry.Attempt{goes}, calm,
			byRule(stop(retry.CheckRule, retry.Failed, "m"), 0)},
		{"a rule that stops before the longest time", longest, []retry.Attempt{goes}, calm,
			byRule(stop(retry.CheckRule, retry.Failed, "m"), 0)},
		{"the longest time before a rule that ignores", longest, []retry.Attempt{ended(8)}, calm,
			stop(retry.CheckMaxDuration, retry.Failed, "Max duration limit exceeded")},
		{"the longest time before a disruption", longest, []retry.Attempt{because("Evicted")}, calm,
			stop(retry.CheckMaxDuration, retry.Failed, "Max duration limit exceeded")},
		{"the longest time before the policy", longest, []retry.Attempt{ended(1)}, calm,
			stop(retry.CheckMaxDuration, retry.Failed, "Max duration limit exceeded")},
		{"the backoff before a rule that ignores", all, []retry.Attempt{ended(8)}, calm,
			wait(1, 10*time.Second, 5*time.Second, at(20))},
		{"the backoff before a disruption", all, []retry.Attempt{lost()}, calm, wait(1, 10*time.Second, 5*time.Second, at(20))},
		{"the backoff before the policy", without(func(s *retry.Strategy) { s.Limit = nil }), []retry.Attempt{ended(1)}, calm,
			wait(1, 10*time.Second, 5*time.Second, at(20))},
		{"no backoff where the limit leaves nothing to wait for", all, []retry.Attempt{ended(1)}, calm,
			stop(retry.CheckPolicy, retry.Failed, "")},
		{"the policy before the limit", all, []retry.Attempt{ended(1)}, over, stop(retry.CheckPolicy, retry.Failed, "")},
		{"the limit before the expression", all, []retry.Attempt{errored("m")}, over,
			stop(retry.CheckLimit, retry.Errored, "No more retries left")},
		{"the expression last", without(func(s *retry.Strategy) { s.Limit = limit(1) }), []retry.Attempt{errored("m")}, over,
			stop(retry.CheckExpression, retry.Errored, "retryStrategy.expression evaluated to false")},
	})
}

// What a rule or the option ignores goes round the policy, the limit and the expression.
func TestIgnoredAttemptsGoRoundTheRest(t *testing.T) {
	s := retry.Strategy{Limit: limit(0), Policy: retry.PolicyOnTransientError, Expression: expression(t, "false"),
		IgnoreDisruptions: true, Rules: []retry.FailureRule{{Action: retry.ActionIgnore, In: []int{8}}}}
	checkDecisions(t, []decision{
		{"by a rule", s, times(3, ended(8)), retry.Environment{}, byRule(start(retry.CheckRule, 3), 0)},
		{"by the option", s, times(3, lost()), retry.Environment{}, start(retry.CheckDisruption, 3)},
	})
}

func TestPolicies(t *testing.T) {
	transient := "dial tcp: i/o timeout"
	ends := []struct {
		name    string
		attempt retry.Attempt
	}{
		{"a failure", failed("m")}, {"an error", errored("m")},
		{"a transient failure", failed(transient)}, {"a transient error", errored(transient)},
	}
	yes, no := true, false
	for _, c := range []struct {
		strategy retry.Strategy
		actual   retry.Policy
		retries  [4]bool // in the order of ends
	}{
		{retry.Strategy{}, retry.PolicyOnFailure, [4]bool{yes, no, yes, no}},
		{retry.Strategy{Expression: expression(t, "true")}, retry.PolicyAlways, [4]bool{yes, yes, yes, yes}},
		{retry.Strategy{Policy: retry.PolicyAlways}, retry.PolicyAlways, [4]bool{yes, yes, yes, yes}},
		{retry.Strategy{Policy: retry.PolicyOnFailure}, retry.PolicyOnFailure, [4]bool{yes, no, yes, no}},
		{retry.Strategy{Policy: retry.PolicyOnError}, retry.PolicyOnError, [4]bool{no, yes, no, yes}},
		{retry.Strategy{Policy: retry.PolicyOnTransientError}, retry.PolicyOnTransientError, [4]bool{no, no, yes, yes}},
		{retry.Strategy{Policy: retry.PolicyOnError, Expression: expression(t, "true")}, retry.PolicyOnError,
			[4]bool{no, yes, no, yes}},
	} {
		assert.Equal(t, c.actual, c.strategy.PolicyActual(), "policy %q, with an expression: %t", c.strategy.Policy,
			c.strategy.Expression != nil)
		for k, end := range ends {
			want := stop(retry.CheckPolicy, end.attempt.Outcome, end.attempt.Message)
			if c.retries[k] {
				want = start(retry.CheckRetry, 1)
			}
			got := meant(c.strategy.Decide([]retry.Attempt{end.attempt}, retry.Environment{Now: at(10)}))
			assert.Empty(t, cmp.Diff(want, got), "policy %s after %s (-want +got)", c.actual, end.name)
		}
	}
}

// Every text that makes an error transient, as it stands in the middle of a message; their case counts. What Argo asks of the
// type of an error besides its text can't be told from a message.
func TestIsTransient(t *testing.T) {
	for _, text := range []string{
		"etcdserver: leader changed", "etcdserver: request timed out", "etcdserver: too many requests",
		"unexpected error when reading response body", "stream error when reading response body",
		"Connection closed by foreign host", "net/http: TLS handshake timeout", "i/o timeout", "connection timed out",
		"connection reset by peer", "connect: connection refused", "invalid connection", "http2: client connection lost",
		"http2: server sent GOAWAY and closed the connection", "request did not complete within requested timeout",
		"client rate limiter Wait returned an error", "upper: no more rows in",
	} {
		assert.True(t, retry.IsTransient(text), "%q alone", text)
		assert.True(t, retry.IsTransient("pods \"p\": "+text+", again"), "%q in a message", text)
		assert.False(t, retry.IsTransient(text[:len(text)-1]), "%q cut short", text)
	}
	for _, text := range []string{
		"", "EOF", "timeout", "Error (exit code 1)", "pod deleted", "connect: Connection Refused",
		"connection refused", "unexpected EOF", "no such host", "exceeded quota",
		"Operation cannot be fulfilled on resourcequota", "resource quota evaluation timed out",
		"the server has received too many requests", "the server is currently unable to handle the request",
	} {
		assert.False(t, retry.IsTransient(text), "%q", text)
	}
}

// The host may know more messages of transient errors.
func TestTransientForTheHost(t *testing.T) {
	s := retry.Strategy{Policy: retry.PolicyOnTransientError}
	env := retry.Environment{Transient: regexp.MustCompile("^quota .* exceeded$")}
	checkDecisions(t, []decision{
		{"a message of the host's", s, []retry.Attempt{failed("quota q exceeded")}, env, start(retry.CheckRetry, 1)},
		{"one that it does not match", s, []retry.Attempt{failed("a quota q exceeded")}, env,
			stop(retry.CheckPolicy, retry.Failed, "a quota q exceeded")},
		{"one of Argo's besides", s, []retry.Attempt{failed("i/o timeout")}, env, start(retry.CheckRetry, 1)},
		{"no pattern", s, []retry.Attempt{failed("quota q exceeded")}, retry.Environment{},
			stop(retry.CheckPolicy, retry.Failed, "quota q exceeded")},
	})
}

// The limit is of retries: one more attempt is made than it says.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		limit *int
		most  int // attempts, 0 for no end
	}{{limit(0), 1}, {limit(1), 2}, {limit(2), 3}, {limit(7), 8}, {limit(math.MaxInt), 0}, {nil, 0}} {
		s := retry.Strategy{Limit: c.limit}
		for n := 1; n <= 20; n++ {
			want := start(retry.CheckRetry, n)
			if c.most > 0 && n >= c.most {
				want = noneLeft
			}
			got := meant(s.Decide(times(n, failed("m")), retry.Environment{Now: at(10)}))
			require.Empty(t, cmp.Diff(want, got), "at most %d attempts, after %d (-want +got)", c.most, n)
		}
	}
}

func TestBackoffGrows(t *testing.T) {
	const longest = math.MaxInt64 / 2
	second := time.Second
	for _, c := range []struct {
		why     string
		backoff retry.Backoff
		want    []time.Duration // after one attempt, two, ...
	}{
		{"without a factor it stays", retry.Backoff{Duration: 5 * second}, []time.Duration{5 * second, 5 * second, 5 * second}},
		{"a factor of one changes nothing", retry.Backoff{Duration: 5 * second, Factor: 1},
			[]time.Duration{5 * second, 5 * second, 5 * second}},
		{"a factor of two doubles", retry.Backoff{Duration: 5 * second, Factor: 2},
			[]time.Duration{5 * second, 10 * second, 20 * second, 40 * second}},
		{"a factor of ten", retry.Backoff{Duration: time.Millisecond, Factor: 10},
			[]time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, second}},
		{"the cap ends growth", retry.Backoff{Duration: 5 * second, Factor: 2, Cap: 12 * second},
			[]time.Duration{5 * second, 10 * second, 12 * second, 12 * second}},
		{"a cap that is met is no change", retry.Backoff{Duration: 5 * second, Factor: 2, Cap: 20 * second},
			[]time.Duration{5 * second, 10 * second, 20 * second, 20 * second}},
		{"a cap below the first wait", retry.Backoff{Duration: 5 * second, Cap: 2 * second},
			[]time.Duration{2 * second, 2 * second}},
		{"a cap of next to nothing", retry.Backoff{Duration: 5 * second, Cap: 1}, []time.Duration{1, 1}},
		{"the longest wait is a nanosecond less than this", retry.Backoff{Duration: longest + 1}, []time.Duration{longest}},
		{"a huge factor does not overflow", retry.Backoff{Duration: second, Factor: math.MaxInt},
			[]time.Duration{second, longest, longest}},
		{"a huge duration does not overflow", retry.Backoff{Duration: math.MaxInt64}, []time.Duration{longest, longest}},
		{"both", retry.Backoff{Duration: math.MaxInt64, Factor: math.MaxInt}, []time.Duration{longest, longest}},
		{"a cap holds past an overflow", retry.Backoff{Duration: second, Factor: math.MaxInt, Cap: time.Minute},
			[]time.Duration{second, time.Minute, time.Minute}},
	} {
		t.Run(c.why, func(t *testing.T) {
			s := retry.Strategy{Backoff: &c.backoff}
			for k, want := range c.want {
				got := meant(s.Decide(times(k+1, failed("m")), retry.Environment{Now: at(10)}))
				assert.Empty(t, cmp.Diff(wait(k+1, want, want, at(10).Add(want)), got), "after %d attempts (-want +got)", k+1)
			}
		})
	}
}

// However many attempts there were, a wait never becomes shorter, negative or endless.
func TestBackoffAfterThousandsOfAttempts(t *testing.T) {
	for _, factor := range []int{2, 3, math.MaxInt32} {
		s := retry.Strategy{Limit: limit(math.MaxInt), Backoff: &retry.Backoff{Duration: time.Second, Factor: factor, Jitter: 1}}
		for _, n := range []int{100, 2000, 5000} { // 2 to the 2000th is infinite
			d := s.Decide(times(n, failed("m")), retry.Environment{Now: at(10), Key: "k"})
			assert.Equal(t, retry.Wait, d.Verb, "factor %d after %d attempts", factor, n)
			assert.Equal(t, time.Duration(math.MaxInt64/2), d.Backoff, "factor %d after %d attempts: about 146 years", factor, n)
			assert.True(t, d.Until.After(at(10)), "factor %d after %d attempts: until %v", factor, n, d.Until)
		}
	}
}

// Only attempts that count make the backoff longer. An attempt that does not count waits as the one before it did.
func TestBackoffGrowsWithCountedAttempts(t *testing.T) {
	s := retry.Strategy{Limit: limit(2), IgnoreDisruptions: true, Backoff: &retry.Backoff{Duration: time.Second, Factor: 2}}
	now := retry.Environment{Now: at(10)}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	checkDecisions(t, []decision{
		{"one disruption", s, []retry.Attempt{lost()}, now, wait(1, seconds(1), seconds(1), at(11))},
		{"five disruptions", s, times(5, lost()), now, wait(5, seconds(1), seconds(1), at(11))},
		{"a failure among them", s, []retry.Attempt{lost(), failed("m"), lost()}, now, wait(3, seconds(1), seconds(1), at(11))},
		{"two failures among them", s, []retry.Attempt{failed("m"), lost(), lost(), failed("m")}, now,
			wait(4, seconds(2), seconds(2), at(12))},
		{"the limit is used up in between", s, []retry.Attempt{failed("m"), lost(), failed("m"), lost(), failed("m")}, now,
			noneLeft},
	})
}

// A backoff is counted from the end of the last attempt; what remains of it shrinks with time.
func TestWhatRemainsOfABackoff(t *testing.T) {
	s := retry.Strategy{Backoff: &retry.Backoff{Duration: time.Minute}}
	one := []retry.Attempt{failed("m")}
	open := []retry.Attempt{{Outcome: retry.Failed, Started: at(3)}}
	env := func(now time.Time) retry.Environment { return retry.Environment{Now: now} }
	checkDecisions(t, []decision{
		{"the clock is behind the attempt", s, one, env(at(-5)), wait(1, time.Minute, 75*time.Second, at(70))},
		{"at the end of the attempt", s, one, env(at(10)), wait(1, time.Minute, time.Minute, at(70))},
		{"half of it is over", s, one, env(at(40)), wait(1, time.Minute, 30*time.Second, at(70))},
		{"a moment before its end", s, one, env(at(70).Add(-1)), wait(1, time.Minute, 1, at(70))},
		{"at its end", s, one, env(at(70)), start(retry.CheckRetry, 1)},
		{"long after", s, one, env(at(7000)), start(retry.CheckRetry, 1)},
		{"nothing after an attempt whose end is not known", s, open, env(at(3)), start(retry.CheckRetry, 1)},
	})
}

func TestMaxDuration(t *testing.T) {
	second := time.Second
	longest := func(d, most int) retry.Strategy {
		b := retry.Backoff{Duration: time.Duration(d) * second, MaxDuration: time.Duration(most) * second}
		return retry.Strategy{Backoff: &b}
	}
	started := func(from, to int) retry.Attempt {
		return retry.Attempt{Outcome: retry.Failed, Message: "m", Started: at(from), Finished: at(to)}
	}
	until := func(end int) retry.Decision {
		d := start(retry.CheckRetry, 1)
		d.ExecutionDeadline = at(end)
		return d
	}
	exceeded := stop(retry.CheckMaxDuration, retry.Failed, "Max duration limit exceeded")
	would := stop(retry.CheckMaxDuration, retry.Failed, "Backoff would exceed max duration limit")
	env := func(now int) retry.Environment { return retry.Environment{Now: at(now)} }
	one, two := []retry.Attempt{failed("m")}, []retry.Attempt{started(0, 10), started(20, 30)}
	checkDecisions(t, []decision{
		{"there is time: no attempt may run past it", longest(1, 20), one, env(11), until(20)},
		{"while it waits", longest(5, 20), one, env(11), wait(1, 5*second, 4*second, at(15))},
		{"the attempt took longer", longest(1, 9), one, env(10), exceeded},
		{"the attempt took just so long, and the backoff goes past it", longest(1, 10), one, env(10), would},
		{"the backoff goes past it", longest(11, 20), one, env(10), would},
		{"the backoff ends just at it", longest(10, 20), one, env(19), wait(1, 10*second, second, at(20))},
		{"and the attempt may start then", longest(10, 20), one, env(20), until(20)},
		{"held back until after it", longest(10, 20), one, env(21), exceeded},
		{"what ended the node does not change with time", longest(11, 20), one, env(21), would},
		{"it is counted from the first attempt", longest(1, 25), two, env(31), exceeded},
		{"not from the last", longest(1, 31), two, env(30), wait(2, second, second, at(31))},
	})
}

// Jitter adds to a backoff, up to its part of it, the same each time for one node and attempt. The many nodes of a
// loop that fail together come back spread.
func TestJitter(t *testing.T) {
	const nodes = 1000
	for _, jitter := range []float64{0.1, 0.5, 1} {
		s := retry.Strategy{Backoff: &retry.Backoff{Duration: 100 * time.Second, Jitter: jitter}}
		least, most := math.Inf(1), 0.0
		for node := range nodes {
			env := retry.Environment{Now: at(10), Key: fmt.Sprintf("wf-%d", node)}
			d := s.Decide([]retry.Attempt{failed("m")}, env)
			require.Equal(t, retry.Wait, d.Verb, "node %s", env.Key)
			require.Equal(t, d, s.Decide([]retry.Attempt{failed("m")}, env), "node %s decides the same again", env.Key)
			part := float64(d.Backoff-100*time.Second) / float64(100*time.Second) / jitter
			require.GreaterOrEqual(t, part, 0.0, "node %s: jitter never shortens", env.Key)
			require.Less(t, part, 1.0, "node %s: no more than %v is added", env.Key, jitter)
			require.Equal(t, at(10).Add(d.Backoff), d.Until, "node %s", env.Key)
			least, most = min(least, part), max(most, part)
		}
		assert.Less(t, least, 0.01, "jitter %v: of %d nodes some wait hardly longer", jitter, nodes)
		assert.Greater(t, most, 0.99, "jitter %v: of %d nodes some wait for almost all of it", jitter, nodes)
	}

	s := retry.Strategy{Backoff: &retry.Backoff{Duration: 100 * time.Second, Jitter: 1}}
	var tenths [10]int
	for key := 'a'; key <= 'z'; key++ {
		d := s.Decide([]retry.Attempt{failed("m")}, retry.Environment{Now: at(10), Key: string(key)})
		tenths[(d.Backoff-100*time.Second)/(10*time.Second)]++
	}
	for k, n := range tenths {
		assert.Less(t, n, 10, "of 26 nodes with names of one letter, those that wait for the tenth from %d%% on", k*10)
	}

	waits := make(map[time.Duration]bool)
	for n := 1; n <= 20; n++ {
		waits[s.Decide(times(n, failed("m")), retry.Environment{Now: at(10), Key: "wf"}).Backoff] = true
	}
	assert.Len(t, waits, 20, "each attempt of one node waits differently")

	plain := retry.Strategy{Backoff: &retry.Backoff{Duration: 100 * time.Second}}
	d := plain.Decide([]retry.Attempt{failed("m")}, retry.Environment{Now: at(10), Key: "wf"})
	assert.Equal(t, 100*time.Second, d.Backoff, "no jitter, whatever the key")
}

// What is added depends on the node and the attempt alone. A new release must not move waits that have begun.
func TestJitterStaysTheSame(t *testing.T) {
	s := retry.Strategy{Backoff: &retry.Backoff{Duration: 1000 * time.Hour, Jitter: 1}} // so long that every bit shows
	for _, c := range []struct {
		key      string
		attempts int
		want     time.Duration
	}{{"wf-1", 1, 6503593938446086}, {"wf-1", 2, 4944285274001295}, {"wf-2", 1, 5414818724821744}, {"", 1, 4591834883433268}} {
		d := s.Decide(times(c.attempts, failed("m")), retry.Environment{Now: at(10), Key: c.key})
		assert.Equal(t, c.want, d.Backoff, "%q after %d attempts", c.key, c.attempts)
	}
}

// Jitter is added after the cap, so that nodes that have reached it stay spread.
func TestJitterGoesPastTheCap(t *testing.T) {
	s := retry.Strategy{Backoff: &retry.Backoff{Duration: time.Hour, Cap: time.Minute, Jitter: 1}}
	d := s.Decide([]retry.Attempt{failed("m")}, retry.Environment{Now: at(10), Key: "wf-1"})
	assert.Greater(t, d.Backoff, time.Minute)
	assert.Less(t, d.Backoff, 2*time.Minute)
}

func TestShutdown(t *testing.T) {
	s := retry.Strategy{Policy: retry.PolicyAlways, IgnoreDisruptions: true, Backoff: &retry.Backoff{Duration: time.Hour}}
	for _, how := range []string{"Stop", "Terminate"} {
		message := "Stopped with strategy '" + how + "'"
		env := retry.Environment{Now: at(10), Shutdown: how}
		checkDecisions(t, []decision{
			{how + ": a failure is the end", s, []retry.Attempt{failed("m")}, env, stop(retry.CheckShutdown, retry.Failed, message)},
			{how + ": an error too", s, []retry.Attempt{errored("m")}, env, stop(retry.CheckShutdown, retry.Errored, message)},
			{how + ": a disruption too", s, []retry.Attempt{lost()}, env, stop(retry.CheckShutdown, retry.Errored, message)},
		})
	}
}

// The deadline of the workflow ends a node that it met open. One that had ended before keeps its own end.
func TestWorkflowDeadline(t *testing.T) {
	second := time.Second
	always := retry.Strategy{Policy: retry.PolicyAlways}
	limited := retry.Strategy{Limit: limit(0)}
	waits := retry.Strategy{Backoff: &retry.Backoff{Duration: 20 * second}}
	errors := retry.Strategy{Policy: retry.PolicyOnError, Backoff: waits.Backoff}
	used := retry.Strategy{Limit: limit(0), Backoff: waits.Backoff}
	bounded := retry.Strategy{Backoff: &retry.Backoff{Duration: second, MaxDuration: 20 * second}}
	rule := retry.Strategy{Rules: []retry.FailureRule{{Action: retry.ActionStop, In: []int{1}}}}
	one := []retry.Attempt{failed("m")} // ends at 10
	env := func(now, deadline int) retry.Environment {
		return retry.Environment{Now: at(now), Deadline: at(deadline)}
	}
	passed := func(message string) retry.Decision { return stop(retry.CheckDeadline, retry.Failed, message) }
	at10 := "retry exceeded workflow deadline 2026-01-02 03:04:15 +0000 UTC"
	at15 := "retry exceeded workflow deadline 2026-01-02 03:04:20 +0000 UTC"
	at30 := "retry exceeded workflow deadline 2026-01-02 03:04:35 +0000 UTC"
	running := []retry.Attempt{{Outcome: retry.Failed, Started: at(12)}}
	checkDecisions(t, []decision{
		{"it is not there yet", always, one, env(14, 15), start(retry.CheckRetry, 1)},
		{"another attempt would begin at it", always, one, env(15, 15), passed(at15)},
		{"another attempt would begin after it", always, one, env(99, 15), passed(at15)},
		{"it is not there yet, while a backoff is", waits, one, env(14, 15), wait(1, 20*second, 16*second, at(30))},
		{"it comes during a backoff", waits, one, env(15, 15), passed(at15)},
		{"it came during a backoff that was never to end in an attempt", errors, one, env(99, 15), passed(at15)},
		{"it came as such a backoff was over", errors, one, env(99, 30), passed(at30)},
		{"it came after one", errors, one, env(99, 31), stop(retry.CheckPolicy, retry.Failed, "m")},
		{"it came during a backoff that nobody waits for", used, one, env(99, 15), noneLeft},
		{"the attempt ended at it", limited, one, env(10, 10), passed(at10)},
		{"the attempt outlived it", rule, one, env(12, 10), passed(at10)},
		{"the limit had ended the node before", limited, one, env(99, 15), noneLeft},
		{"a rule had ended the node before", rule, one, env(99, 15), byRule(stop(retry.CheckRule, retry.Failed, "m"), 0)},
		{"the longest time had ended the node before", bounded, one, env(99, 30), stop(retry.CheckMaxDuration, retry.Failed, "Max duration limit exceeded")},
		{"the longest time would have ended the node later", bounded, one, env(99, 15), passed(at15)},
		{"an attempt without an end counts from its start", limited, running, env(15, 10), passed(at10)},
		{"and may have begun before", limited, running, env(99, 15), noneLeft},
	})

	zone := retry.Environment{Now: at(99), Deadline: at(10).In(time.FixedZone("east", 3600))}
	assert.Equal(t, at10, always.Decide(one, zone).Message, "the message is in UTC wherever the deadline came from")
}

// A controller that was away sees the end of an attempt late, and decides by the time at which it sees it (Argo:
// processNodeRetries looks at the clock). What it has decided then stays.
func TestAnEndThatIsSeenLate(t *testing.T) {
	one := []retry.Attempt{failed("m")} // ends at 10
	unknown := []retry.Attempt{{Outcome: retry.Failed, Message: "m", Started: at(0)}}
	limited := retry.Strategy{Limit: limit(0)}
	waits := retry.Strategy{Limit: limit(1), Backoff: &retry.Backoff{Duration: 20 * time.Second}}
	longest := retry.Strategy{Limit: limit(0), Backoff: &retry.Backoff{Duration: time.Second, MaxDuration: 60 * time.Second}}
	env := func(seen, now, deadline int) retry.Environment {
		return retry.Environment{Seen: at(seen), Now: at(now), Deadline: at(deadline)}
	}
	passed := stop(retry.CheckDeadline, retry.Failed, "retry exceeded workflow deadline 2026-01-02 03:04:20 +0000 UTC")
	exceeded := stop(retry.CheckMaxDuration, retry.Failed, "Max duration limit exceeded")
	checkDecisions(t, []decision{
		{"before the deadline", limited, one, env(14, 14, 15), noneLeft},
		{"before the deadline, asked later", limited, one, env(14, 99, 15), noneLeft},
		{"at the deadline", limited, one, env(15, 15, 15), passed},
		{"after the deadline", limited, one, env(16, 16, 15), passed},
		{"after the deadline, asked later", limited, one, env(16, 99, 15), passed},
		{"after the deadline, of an end that nobody knows", limited, unknown, env(16, 16, 15), passed},
		{"before the longest time is over", longest, one, env(60, 60, 999), noneLeft},
		{"before the longest time is over, asked later", longest, one, env(60, 99, 999), noneLeft},
		{"after the longest time", longest, one, env(61, 61, 999), exceeded},
		{"after the longest time, of an end that nobody knows", longest, unknown, env(61, 61, 999), exceeded},
		{"an end that nobody knows exceeds nothing by its backoff", longest, unknown, env(60, 60, 999), noneLeft},
		{"the backoff counts from the end", waits, one, env(29, 29, 999), wait(1, 20*time.Second, time.Second, at(30))},
		{"the backoff is over", waits, one, env(30, 30, 999), start(retry.CheckRetry, 1)},
		{"the clock is behind the attempt", limited, one, env(5, 10, 10), stop(retry.CheckDeadline, retry.Failed,
			"retry exceeded workflow deadline 2026-01-02 03:04:15 +0000 UTC")},
	})
}

// Every reason that says that the infrastructure ended the pod.
func TestDisruptions(t *testing.T) {
	retried := retry.Strategy{Limit: limit(0), Policy: retry.PolicyOnError, IgnoreDisruptions: true}
	plain := retry.Strategy{Limit: limit(0), Policy: retry.PolicyAlways}
	for _, reason := range []string{
		"Evicted", "Preempting", "Preempted", "NodeLost", "NodeShutdown", "Terminated", "Shutdown", "NodeAffinity",
		"UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory", "OutOfpods", "OutOfephemeral-storage", "TaintManagerEviction",
		"DeletionByTaintManager", "DeletionByPodGC", "EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet",
		retry.ReasonPodDeleted,
	} {
		assert.True(t, retry.IsDisruption(reason), "%s is a disruption", reason)
		d := meant(retried.Decide(times(3, because(reason)), retry.Environment{}))
		assert.Empty(t, cmp.Diff(start(retry.CheckDisruption, 3), d), "%s is retried and not counted (-want +got)", reason)
		d = meant(plain.Decide([]retry.Attempt{because(reason)}, retry.Environment{}))
		assert.Empty(t, cmp.Diff(noneLeft, d),
			"%s counts without the option (-want +got)", reason)
	}
	for _, reason := range []string{"", "OOMKilled", "Error", "DeadlineExceeded", "evicted", "OutOfgpu", "Completed"} {
		assert.False(t, retry.IsDisruption(reason), "%q is no disruption", reason)
		d := retried.Decide([]retry.Attempt{because(reason)}, retry.Environment{})
		assert.Equal(t, retry.CheckPolicy, d.Check, "%q is left to the policy", reason)
	}
}

func TestDisruptionByCondition(t *testing.T) {
	s := retry.Strategy{Limit: limit(0), IgnoreDisruptions: true}
	with := func(o retry.Outcome, conditions ...string) []retry.Attempt {
		return []retry.Attempt{{Outcome: o, Message: "m", ExitCode: 137, HasExitCode: true, Conditions: conditions}}
	}
	env := retry.Environment{Now: at(10)}
	checkDecisions(t, []decision{
		{"the condition alone", s, with(retry.Failed, retry.DisruptionTarget), env, start(retry.CheckDisruption, 1)},
		{"among others", s, with(retry.Errored, "Ready", retry.DisruptionTarget), env, start(retry.CheckDisruption, 1)},
		{"other conditions", s, with(retry.Failed, "Ready", "PodScheduled"), env, noneLeft},
		{"a success in spite of it", s, with(retry.Succeeded, retry.DisruptionTarget), env,
			retry.Decision{Verb: retry.Succeed, Check: retry.CheckSuccess, Outcome: retry.Succeeded, Rule: -1}},
	})
}

// Attempts that are not counted leave the limit to those that are.
func TestLimitCountsWhatIsNotIgnored(t *testing.T) {
	s := retry.Strategy{Limit: limit(1), Policy: retry.PolicyAlways, IgnoreDisruptions: true, Rules: []retry.FailureRule{
		{Action: retry.ActionIgnore, In: []int{8}}, {Action: retry.ActionCount, Reasons: []string{"Evicted"}}}}
	env := retry.Environment{Now: at(10)}
	checkDecisions(t, []decision{
		{"one that counts", s, []retry.Attempt{lost(), ended(8), ended(1)}, env, start(retry.CheckRetry, 3)},
		{"two that count", s, []retry.Attempt{ended(1), lost(), ended(8), ended(1)}, env, noneLeft},
		{"a rule counts what the option would ignore", s, []retry.Attempt{ended(1), because("Evicted")}, env, noneLeft},
		{"the last does not count", s, []retry.Attempt{ended(1), lost()}, env, start(retry.CheckDisruption, 2)},
		{"a success before counts as an attempt", s, []retry.Attempt{{Outcome: retry.Succeeded}, ended(1)}, env, noneLeft},
		{"even one that ended like an ignored one", s,
			[]retry.Attempt{{Outcome: retry.Succeeded, ExitCode: 8, HasExitCode: true}, ended(1)}, env, noneLeft},
	})
}

// Rules alone, without the option, leave attempts out too.
func TestLimitDoesNotCountWhatARuleIgnores(t *testing.T) {
	s := retry.Strategy{Limit: limit(1), Policy: retry.PolicyAlways, Rules: []retry.FailureRule{{Action: retry.ActionIgnore, In: []int{8}}}}
	env := retry.Environment{Now: at(10)}
	checkDecisions(t, []decision{
		{"one that counts", s, []retry.Attempt{ended(8), ended(8), ended(1)}, env, start(retry.CheckRetry, 3)},
		{"two that count", s, []retry.Attempt{ended(8), ended(1), ended(1)}, env, noneLeft},
	})
}

func TestRulesMatch(t *testing.T) {
	coded := func(code int) retry.Attempt { return retry.Attempt{ExitCode: code, HasExitCode: true} }
	reason := func(r string) retry.Attempt { return retry.Attempt{Reason: r} }
	conditions := func(c ...string) retry.Attempt { return retry.Attempt{Conditions: c} }
	for _, c := range []struct {
		why     string
		rule    retry.FailureRule
		attempt retry.Attempt
		want    bool
	}{
		{"a code that is in the list", retry.FailureRule{In: []int{1, 42}}, coded(42), true},
		{"a code that is not", retry.FailureRule{In: []int{1, 42}}, coded(2), false},
		{"no code: the zero is not one", retry.FailureRule{In: []int{0}}, retry.Attempt{}, false},
		{"a code that is not excluded", retry.FailureRule{NotIn: []int{1, 42}}, coded(2), true},
		{"a code that is excluded", retry.FailureRule{NotIn: []int{1, 42}}, coded(1), false},
		{"no code is not another code", retry.FailureRule{NotIn: []int{1}}, retry.Attempt{}, false},
		{"in the list and not excluded", retry.FailureRule{In: []int{1, 2}, NotIn: []int{2}}, coded(1), true},
		{"in the list but excluded", retry.FailureRule{In: []int{1, 2}, NotIn: []int{2}}, coded(2), false},
		{"a reason", retry.FailureRule{Reasons: []string{"Evicted", "NodeLost"}}, reason("NodeLost"), true},
		{"another reason", retry.FailureRule{Reasons: []string{"Evicted"}}, reason("NodeLost"), false},
		{"no reason", retry.FailureRule{Reasons: []string{"Evicted"}}, reason(""), false},
		{"one of the conditions", retry.FailureRule{Conditions: []string{"A", "B"}}, conditions("X", "B"), true},
		{"none of the conditions", retry.FailureRule{Conditions: []string{"A", "B"}}, conditions("X"), false},
		{"no conditions", retry.FailureRule{Conditions: []string{"A"}}, conditions(), false},
		{"every field matches", retry.FailureRule{In: []int{1}, NotIn: []int{2}, Reasons: []string{"R"}, Conditions: []string{"C"}},
			retry.Attempt{ExitCode: 1, HasExitCode: true, Reason: "R", Conditions: []string{"C"}}, true},
		{"all but the code", retry.FailureRule{In: []int{1}, Reasons: []string{"R"}, Conditions: []string{"C"}},
			retry.Attempt{ExitCode: 3, HasExitCode: true, Reason: "R", Conditions: []string{"C"}}, false},
		{"all but the reason", retry.FailureRule{In: []int{1}, Reasons: []string{"R"}, Conditions: []string{"C"}},
			retry.Attempt{ExitCode: 1, HasExitCode: true, Reason: "S", Conditions: []string{"C"}}, false},
		{"all but the condition", retry.FailureRule{In: []int{1}, Reasons: []string{"R"}, Conditions: []string{"C"}},
			retry.Attempt{ExitCode: 1, HasExitCode: true, Reason: "R", Conditions: []string{"D"}}, false},
	} {
		assert.Equal(t, c.want, c.rule.Matches(&c.attempt), c.why)
	}
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	ignore := retry.FailureRule{Action: retry.ActionIgnore, In: []int{1}}
	count := retry.FailureRule{Action: retry.ActionCount, In: []int{1}}
	stops := retry.FailureRule{Action: retry.ActionStop, In: []int{1}}
	other := retry.FailureRule{Action: retry.ActionStop, In: []int{2}}
	with := func(rules ...retry.FailureRule) retry.Strategy { return retry.Strategy{Limit: limit(0), Rules: rules} }
	one, env := []retry.Attempt{failed("m")}, retry.Environment{Now: at(10)}
	stopped := stop(retry.CheckRule, retry.Failed, "m")
	checkDecisions(t, []decision{
		{"ignore before stop", with(ignore, stops), one, env, byRule(start(retry.CheckRule, 1), 0)},
		{"stop before ignore", with(stops, ignore), one, env, byRule(stopped, 0)},
		{"count before stop", with(count, stops), one, env, noneLeft},
		{"count before ignore", with(count, ignore), one, env, noneLeft},
		{"one that does not match is passed over", with(other, ignore), one, env, byRule(start(retry.CheckRule, 1), 1)},
		{"the decision names the rule", with(other, other, stops), one, env, byRule(stopped, 2)},
		{"none matches", with(other), one, env, noneLeft},
		{"only the last attempt is asked for its rule", with(other), []retry.Attempt{ended(2), failed("m")}, env, noneLeft},
		{"the end is that of the attempt", with(retry.FailureRule{Action: retry.ActionStop, Reasons: []string{retry.ReasonPodDeleted}}),
			[]retry.Attempt{lost()}, env, byRule(stop(retry.CheckRule, retry.Errored, "pod deleted"), 0)},
		{"a rule goes before the option",
			retry.Strategy{IgnoreDisruptions: true, Rules: []retry.FailureRule{{Action: retry.ActionStop, Reasons: []string{"Evicted"}}}},
			[]retry.Attempt{because("Evicted")}, env, byRule(stop(retry.CheckRule, retry.Failed, "reason Evicted"), 0)},
	})
}

// What an expression sees of the attempts: texts, as in Argo.
func TestExpressionsInDecide(t *testing.T) {
	last := retry.Attempt{Outcome: retry.Errored, Message: "out of memory", ExitCode: 137, HasExitCode: true,
		Started: at(20), Finished: at(22).Add(500 * time.Millisecond)}
	bare := retry.Attempt{Outcome: retry.Failed, Started: at(20)}
	brief := retry.Attempt{Outcome: retry.Failed, Started: at(20), Finished: at(20).Add(10 * time.Microsecond)}
	for _, c := range []struct {
		text     string
		attempts []retry.Attempt
		want     bool
	}{
		{"true", []retry.Attempt{last}, true},
		{"lastRetry.exitCode == '137'", []retry.Attempt{last}, true},
		{"lastRetry.exitCode == 137", []retry.Attempt{last}, false}, // a text is no number
		{"asInt(lastRetry.exitCode) == 137", []retry.Attempt{last}, true},
		{"asInt(lastRetry.exitCode) in [1, 2]", []retry.Attempt{last}, false},
		{"lastRetry.exitCode == '-1'", []retry.Attempt{bare}, true},
		{"lastRetry.status == 'Error'", []retry.Attempt{last}, true},
		{"lastRetry.status == 'Failed'", []retry.Attempt{bare}, true},
		{"lastRetry.message contains 'memory'", []retry.Attempt{last}, true},
		{"lastRetry.message == ''", []retry.Attempt{bare}, true},
		{"lastRetry.message matches '^out of .*y$'", []retry.Attempt{last}, true},
		{"lastRetry.duration == '2.5'", []retry.Attempt{last}, true},
		{"asFloat(lastRetry.duration) > 2.4", []retry.Attempt{last}, true},
		{"int(asFloat(lastRetry.duration)) == 2", []retry.Attempt{last}, true},
		{"lastRetry.duration == '0'", []retry.Attempt{bare}, true}, // the end is not known
		{"retries == '0'", []retry.Attempt{last}, true},
		{"retries == '2'", []retry.Attempt{last, bare, last}, true},
		{"asInt(retries) < 2", []retry.Attempt{last, bare, last}, false},
		{"lastRetry.exitCode == '-1'", []retry.Attempt{last, bare}, true}, // of the last one only
		{"lastRetry.nothing == nil", []retry.Attempt{last}, true},
		{"asInt(3) + asInt(1.9) == 4 && asFloat(3) == 3.0", []retry.Attempt{last}, true},
		{"asInt('9007199254740993') == 9007199254740993", []retry.Attempt{last}, true}, // a text is as exact as an int
		{"asInt(9007199254740992.0) == 9007199254740992", []retry.Attempt{last}, true}, // all smaller ones are exact
		{"asInt(-9007199254740992.0) == -9007199254740992", []retry.Attempt{last}, true},
		{"lastRetry.duration == '0.00001'", []retry.Attempt{brief}, true},
	} {
		s := retry.Strategy{Policy: retry.PolicyAlways, Expression: expression(t, c.text)}
		want := start(retry.CheckRetry, len(c.attempts))
		if !c.want {
			last := c.attempts[len(c.attempts)-1]
			want = stop(retry.CheckExpression, last.Outcome, "retryStrategy.expression evaluated to false")
		}
		got := meant(s.Decide(c.attempts, retry.Environment{Now: at(30)}))
		assert.Empty(t, cmp.Diff(want, got), "%s after %d attempts (-want +got)", c.text, len(c.attempts))
		assert.Equal(t, c.text, s.Expression.String())
	}
}

func TestExpressionsThatDoNotCompile(t *testing.T) {
	for _, c := range []struct{ why, text, want string }{
		{"nothing", "", "unexpected token EOF"},
		{"half an expression", "lastRetry.status ==", "unexpected token EOF"},
		{"a name that is not there", "lastTry.status == 'Failed'", "unknown name lastTry"},
		{"a text", "retries", "expected bool"},
		{"a number", "1 + 1", "expected bool"},
		{"a function that is not there", "sprig.trim(retries) == ''", "unknown name sprig"},
		{"too few arguments", "asInt() == 1", "not enough arguments"},
		{"too many arguments", "asFloat(1, 2) == 1", "too many arguments"},
		{"a bad pattern", "lastRetry.message matches '('", "missing closing )"},
		{"too many parts", strings.Repeat("true && ", 1000) + "true", "exceeds maximum allowed nodes"},
		{"too long", strings.Repeat(" ", retry.MaxExpressionLength) + "1", "longer than 16384 bytes"},
	} {
		e, err := retry.Compile(c.text)
		assert.Nil(t, e, c.why)
		var wrong *retry.ExpressionError
		if assert.ErrorAs(t, err, &wrong, c.why) {
			assert.Equal(t, c.text, wrong.Text, c.why)
			assert.ErrorContains(t, wrong.Unwrap(), c.want, c.why)
		}
	}

	_, err := retry.Compile(strings.Repeat("x", retry.MaxExpressionLength+1))
	assert.EqualError(t, err, fmt.Sprintf("retry: expression %q: longer than 16384 bytes", strings.Repeat("x", 200)+"..."))
	_, err = retry.Compile(strings.Repeat(" ", retry.MaxExpressionLength-4) + "true")
	assert.NoError(t, err, "just so long is allowed")

	_, err = retry.Compile(strings.Repeat("x", 200))
	assert.ErrorContains(t, err, fmt.Sprintf("retry: expression %q: ", strings.Repeat("x", 200)), "just so much is shown")
	_, err = retry.Compile(strings.Repeat("!", 999) + "true")
	assert.NoError(t, err, "just so many parts are allowed")
	_, err = retry.Compile(strings.Repeat("!", 1000) + "true")
	assert.ErrorContains(t, err, "exceeds maximum allowed nodes")
}

// An expression that can't be compiled says why whenever it is asked, and the node is in Error.
func TestUncompiledExpression(t *testing.T) {
	_, why := retry.Compile("1 +")
	require.Error(t, why)
	e := retry.Uncompiled("1 +", why)
	assert.Equal(t, "1 +", e.String())
	holds, err := e.Eval(retry.Variables{})
	assert.False(t, holds)
	assert.Equal(t, why, err)
	s := &retry.Strategy{Expression: e}
	d := s.Decide([]retry.Attempt{{Outcome: retry.Failed}}, retry.Environment{})
	assert.Equal(t, retry.Decision{Verb: retry.Stop, Check: retry.CheckExpression, Attempt: 1, Outcome: retry.Errored, Message: "unexpected token EOF (1:3)\n | 1 +\n | ..^", Rule: -1}, d)

	plain := retry.Strategy{Expression: retry.Uncompiled("1 +", errors.New("why not"))}
	assert.Equal(t, "why not", plain.Decide([]retry.Attempt{{Outcome: retry.Failed}}, retry.Environment{}).Message)
}

// One that comes to no truth value is refused where it is compiled, and says what it comes to where that is let pass.
func TestExpressionThatIsNoTruthValue(t *testing.T) {
	for text, want := range map[string]string{
		"1 + 1":   "unable to cast expression result '%!s(int=2)' to bool",
		"retries": "unable to cast expression result '0' to bool",
	} {
		_, why := retry.Compile(text)
		require.ErrorContains(t, why, "expected bool", text)
		s := retry.Strategy{Expression: retry.Uncompiled(text, why)}
		assert.Equal(t, stop(retry.CheckExpression, retry.Errored, want), meant(s.Decide([]retry.Attempt{failed("m")}, retry.Environment{})), text)
	}
	_, err := expression(t, "lastRetry.status").Eval(retry.Variables{LastStatus: "Failed"}) // nobody knows the type before
	assert.ErrorContains(t, err, "unable to cast expression result 'Failed' to bool")
}

// An expression that can't be evaluated ends the node in Error, whatever the attempt ended in, and says why.
func TestExpressionsThatCanNotBeEvaluated(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"asInt(lastRetry.message) == 1", "invalid operation: int(not a number)"},
		{"asFloat(lastRetry.message) == 1", "invalid operation: float(not a number)"},
		{"asInt(lastRetry.duration) < 100", "invalid operation: int(1.5) (1:1)\n | asInt(lastRetry.duration) < 100\n | ^"},
		{"asInt('2.0') == 2", "invalid operation: int(2.0)"},
		{"asInt(true) == 1", "invalid operation: int(bool)"},
		{"asInt('1e3') == 1", "invalid operation: int(1e3)"},
		{"asInt(9007199254740994.0) == 1", "asInt: 9.007199254740994e+15 is no whole number of 53 bits"},
		{"asInt(-9007199254740994.0) == 1", "asInt: -9.007199254740994e+15 is no whole number of 53 bits"},
		{"asInt(nil) == 1", "zero Value"},
		{"[1][5] == 1", "index out of range"},
		{"lastRetry.message matches lastRetry.message + '('", "missing closing )"},
	} {
		e := expression(t, c.text)
		ok, err := e.Eval(retry.Variables{LastMessage: "not a number", LastStatus: "Failed", LastDuration: 1.5})
		assert.False(t, ok, c.text)
		var wrong *retry.ExpressionError
		if assert.ErrorAs(t, err, &wrong, c.text) {
			assert.Equal(t, c.text, wrong.Text)
			assert.ErrorContains(t, wrong.Err, "unable to evaluate expression '"+c.text+"': ", c.text)
			assert.ErrorContains(t, wrong.Err, c.want, c.text)
		}

		s := retry.Strategy{Expression: e}
		last := retry.Attempt{Outcome: retry.Failed, Message: "not a number", Started: at(8), Finished: at(9).Add(500 * time.Millisecond)}
		d := meant(s.Decide([]retry.Attempt{last}, retry.Environment{Now: at(10)}))
		assert.Empty(t, cmp.Diff(stop(retry.CheckExpression, retry.Errored, wrong.Err.Error()), d), "%s (-want +got)", c.text)
	}
}

func TestValidate(t *testing.T) {
	ok := []retry.Strategy{
		{},
		{Limit: limit(0)},
		{Policy: retry.PolicyAlways}, {Policy: retry.PolicyOnFailure}, {Policy: retry.PolicyOnError},
		{Policy: retry.PolicyOnTransientError},
		{Backoff: &retry.Backoff{Duration: 1}},
		{Backoff: &retry.Backoff{Duration: 1, Factor: 2, Cap: 1, MaxDuration: 1, Jitter: 1}},
		{Rules: []retry.FailureRule{{In: []int{0}}, {Action: retry.ActionCount, NotIn: []int{0}},
			{Action: retry.ActionStop, Reasons: []string{"r"}}, {Conditions: []string{"c"}}}},
		{Rules: []retry.FailureRule{{In: []int{0}, NotIn: []int{1}}, {In: []int{0}, Reasons: []string{"r"}},
			{In: []int{0}, Conditions: []string{"c"}}}},
	}
	for _, s := range ok {
		assert.NoError(t, s.Validate(), "%+v", s)
	}
	some := []int{1}
	for _, c := range []struct {
		strategy retry.Strategy
		want     retry.FieldError
	}{
		{retry.Strategy{Policy: "Sometimes"},
			retry.FieldError{Field: "retryPolicy", Value: "Sometimes", Reason: "is not a policy"}},
		{retry.Strategy{Limit: limit(-1)}, retry.FieldError{Field: "limit", Value: "-1", Reason: "is negative"}},
		{retry.Strategy{Rules: []retry.FailureRule{{In: some}, {}}},
			retry.FieldError{Field: "rules[1]", Value: "", Reason: "matches nothing in particular"}},
		{retry.Strategy{Rules: []retry.FailureRule{{In: some, Action: retry.ActionStop + 1}}},
			retry.FieldError{Field: "rules[0].action", Value: "3", Reason: "is not an action"}},
		{retry.Strategy{Backoff: &retry.Backoff{}},
			retry.FieldError{Field: "backoff.duration", Value: "0s", Reason: "is not positive"}},
		{retry.Strategy{Backoff: &retry.Backoff{Duration: -1}},
			retry.FieldError{Field: "backoff.duration", Value: "-1ns", Reason: "is not positive"}},
		{retry.Strategy{Backoff: &retry.Backoff{Duration: 1, Cap: -1}},
			retry.FieldError{Field: "backoff.cap", Value: "-1ns", Reason: "is negative"}},
		{retry.Strategy{Backoff: &retry.Backoff{Duration: 1, MaxDuration: -1}},
			retry.FieldError{Field: "backoff.maxDuration", Value: "-1ns", Reason: "is negative"}},
		{retry.Strategy{Backoff: &retry.Backoff{Duration: 1, Jitter: -0.5}},
			retry.FieldError{Field: "backoff.jitter", Value: "-0.5", Reason: "is not between 0 and 1"}},
		{retry.Strategy{Backoff: &retry.Backoff{Duration: 1, Jitter: 1.5}},
			retry.FieldError{Field: "backoff.jitter", Value: "1.5", Reason: "is not between 0 and 1"}},
		{retry.Strategy{Backoff: &retry.Backoff{Duration: 1, Jitter: math.NaN()}},
			retry.FieldError{Field: "backoff.jitter", Value: "NaN", Reason: "is not between 0 and 1"}},
	} {
		err := c.strategy.Validate()
		var field *retry.FieldError
		if assert.ErrorAs(t, err, &field, "%+v", c.want) {
			assert.Empty(t, cmp.Diff(c.want, *field), "(-want +got)")
			assert.EqualError(t, err, fmt.Sprintf("retry: %s %q %s", c.want.Field, c.want.Value, c.want.Reason))
		}
	}
}

func TestNames(t *testing.T) {
	var outcomes, verbs, steps []string
	for o := retry.Unfinished; o <= retry.Errored; o++ {
		outcomes = append(outcomes, o.String())
	}
	for v := retry.Await; v <= retry.Stop; v++ {
		verbs = append(verbs, v.String())
	}
	for s := retry.CheckFirstAttempt; s <= retry.CheckRetry; s++ {
		steps = append(steps, s.String())
	}
	assert.Equal(t, []string{"Running", "Succeeded", "Failed", "Error"}, outcomes)
	assert.Equal(t, []string{"await", "succeed", "wait", "start", "stop"}, verbs)
	assert.Equal(t, []string{"first attempt", "unfinished attempt", "success", "shutdown", "deadline", "rule", "disruption",
		"max duration", "backoff", "policy", "limit", "expression", "retry"}, steps)
}

func TestParseDurationBounds(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"+5": 5 * time.Second, "-0": 0, "0s": 0, "007": 7 * time.Second, "1.5h": 90 * time.Minute, ".5s": 500 * time.Millisecond,
		"4611686018":       4611686018 * time.Second, // 146 years
		"2562047h47m16.8s": 2562047*time.Hour + 47*time.Minute + 16800*time.Millisecond,
	} {
		d, err := retry.ParseDuration(text)
		assert.NoError(t, err, "%q", text)
		assert.Equal(t, want, d, "%q", text)
	}
	for text, reason := range map[string]string{
		"4611686019": "is out of range", "-1": "is out of range", "9223372036854775807": "is out of range",
		"9223372036854775808": "is not a duration", "-1ms": "is negative", "2562048h": "is not a duration",
		"1d": "is not a duration", "1 m": "is not a duration", " 1": "is not a duration", "1.5": "is not a duration",
		"{{workflow.parameters.wait}}": "is not a duration",
	} {
		_, err := retry.ParseDuration(text)
		var field *retry.FieldError
		if assert.ErrorAs(t, err, &field, "%q", text) {
			assert.Empty(t, cmp.Diff(retry.FieldError{Field: "duration", Value: text, Reason: reason}, *field), "(-want +got)")
		}
	}
}

func TestHumanDurationUnits(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for d, want := range map[time.Duration]string{
		-time.Hour:              "0 seconds",
		999 * time.Millisecond:  "0 seconds",
		1500 * time.Millisecond: "1 second",
		time.Minute:             "1 minute 0 seconds",
		time.Hour - 1:           "59 minutes 59 seconds",
		time.Hour:               "1 hour 0 minutes",
		day - 1:                 "23 hours 59 minutes",
		day:                     "1 day 0 hours",
		2*day + 4*time.Hour:     "2 days 4 hours",
		7 * day:                 "1 week 0 hours",
		15 * day:                "2 weeks 0 hours",
		31 * day:                "1 month 0 hours",
		90*day + 5*time.Hour:    "3 months 5 hours",
		year:                    "1 year 0 hours",
		math.MaxInt64:           "292 years 23 hours",
	} {
		assert.Equal(t, want, retry.HumanDuration(d), "%v", d)
	}
}

// A controller asks for many nodes on every event. Only expressions, jitter, and messages that are worded anew (of a
// backoff, a shutdown or a deadline) allocate.
func TestDecideDoesNotAllocate(t *testing.T) {
	rules := []retry.FailureRule{{Action: retry.ActionStop, In: []int{42}},
		{Action: retry.ActionIgnore, Reasons: []string{"Evicted"}}, {Action: retry.ActionCount, Conditions: []string{"Ready"}}}
	attempts := append(times(50, lost()), times(50, failed("m"))...)
	for _, c := range []struct {
		why      string
		strategy retry.Strategy
		attempts []retry.Attempt
		env      retry.Environment
		step     retry.Check
	}{
		{"nothing was tried", retry.Strategy{}, nil, retry.Environment{}, retry.CheckFirstAttempt},
		{"an attempt runs", retry.Strategy{}, []retry.Attempt{{}}, retry.Environment{}, retry.CheckUnfinished},
		{"a success", retry.Strategy{}, []retry.Attempt{{Outcome: retry.Succeeded}}, retry.Environment{}, retry.CheckSuccess},
		{"a rule stops", retry.Strategy{Rules: rules}, []retry.Attempt{ended(42)}, retry.Environment{}, retry.CheckRule},
		{"a rule ignores", retry.Strategy{Rules: rules, Limit: limit(0)}, []retry.Attempt{because("Evicted")},
			retry.Environment{}, retry.CheckRule},
		{"a disruption", retry.Strategy{IgnoreDisruptions: true, Limit: limit(0)}, times(100, lost()), retry.Environment{},
			retry.CheckDisruption},
		{"the policy", retry.Strategy{Policy: retry.PolicyOnTransientError}, attempts, retry.Environment{}, retry.CheckPolicy},
		{"the limit", retry.Strategy{Limit: limit(9)}, attempts, retry.Environment{}, retry.CheckLimit},
		{"the limit of what is counted", retry.Strategy{Limit: limit(49), IgnoreDisruptions: true, Rules: rules}, attempts,
			retry.Environment{}, retry.CheckLimit},
		{"another attempt", retry.Strategy{Limit: limit(50), IgnoreDisruptions: true, Rules: rules}, attempts,
			retry.Environment{Now: at(10), Deadline: at(20), Key: "wf-1"}, retry.CheckRetry},
		{"the longest time", retry.Strategy{Backoff: &retry.Backoff{Duration: 1, MaxDuration: 1}}, attempts,
			retry.Environment{Now: at(20)}, retry.CheckMaxDuration},
		{"a backoff that is over", retry.Strategy{Backoff: &retry.Backoff{Duration: 1, Factor: 1}}, attempts,
			retry.Environment{Now: at(20), Key: "wf-1"}, retry.CheckRetry},
		{"a deadline that came after the end", retry.Strategy{Limit: limit(9)}, attempts,
			retry.Environment{Now: at(20), Deadline: at(15)}, retry.CheckLimit},
	} {
		t.Run(c.why, func(t *testing.T) {
			require.Equal(t, c.step.String(), c.strategy.Decide(c.attempts, c.env).Check.String(), "the step that is measured")
			assert.Zero(t, testing.AllocsPerRun(100, func() { c.strategy.Decide(c.attempts, c.env) }))
		})
	}
}

// A node that the policy, the limit or the expression had ended was ended anew when MaxDuration passed later: with another
// message, and once with another phase.
func TestWhatEndedBeforeTheLongestTimeStaysAsItIs(t *testing.T) {
	backoff := &retry.Backoff{Duration: time.Second, MaxDuration: 60 * time.Second}
	for why, s := range map[string]retry.Strategy{
		"policy":           {Policy: retry.PolicyOnError, Backoff: backoff},
		"limit":            {Limit: limit(0), Backoff: backoff},
		"expression":       {Expression: expression(t, "false"), Backoff: backoff},
		"expression error": {Expression: expression(t, "asInt('x') == 1"), Backoff: backoff},
	} {
		one := []retry.Attempt{failed("m")} // ends at 10
		first, later := s.Decide(one, retry.Environment{Now: at(11)}), s.Decide(one, retry.Environment{Now: at(61)})
		require.Equal(t, retry.Stop, first.Verb, why)
		assert.Equal(t, first.Check.String(), later.Check.String(), "%s: the step that ended the node", why)
		assert.Equal(t, first.Outcome, later.Outcome, "%s: the phase of the node", why)
		assert.Equal(t, first.Message, later.Message, "%s: the message of the node", why)
	}
}
