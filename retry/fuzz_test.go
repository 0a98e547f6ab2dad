package retry_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/retry"
)

// A duration is seconds, or what Go reads and is not negative; anything else is an error that names the value. What was
// read prints and reads back the same.
func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"10", "-1", "1m30s", "1d", "", "99999999999999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := retry.ParseDuration(text)
		seconds, notSeconds := strconv.ParseInt(text, 10, 64)
		inGo, notInGo := time.ParseDuration(text)
		if err != nil {
			var field *retry.FieldError
			require.ErrorAs(t, err, &field)
			require.Equal(t, [2]string{"duration", text}, [2]string{field.Field, field.Value}, "the error names the value")
			require.Zero(t, d, "%q: an error comes alone", text)
			require.True(t, notSeconds != nil || seconds < 0 || seconds > math.MaxInt64/2/int64(time.Second),
				"%q is a number of seconds: %v", text, err)
			require.True(t, notInGo != nil || inGo < 0 || notSeconds == nil, "%q is a duration: %v", text, err)
			return
		}
		require.GreaterOrEqual(t, d, time.Duration(0), "%q", text)
		if notSeconds == nil {
			require.Equal(t, float64(seconds), d.Seconds(), "%q is in seconds, without overflow", text)
		} else {
			require.Equal(t, inGo, d, "%q is read as Go reads it", text)
		}
		again, err := retry.ParseDuration(d.String())
		require.NoError(t, err, "%q is %v, which is read again", text, d)
		require.Equal(t, d, again, "%q", text)
	})
}

// The largest unit of a duration in words, times its number, is the whole duration or less, and one more is too much.
func FuzzHumanDuration(f *testing.F) {
	for _, d := range []int64{0, -1, int64(time.Second), int64(90 * time.Minute), int64(100 * 24 * time.Hour), math.MaxInt64} {
		f.Add(d)
	}
	lengths := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
		"week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour, "year": 365 * 24 * time.Hour}
	f.Fuzz(func(t *testing.T, nanoseconds int64) {
		d := time.Duration(nanoseconds)
		text := retry.HumanDuration(d)
		words := strings.Fields(text)
		if d < time.Second {
			require.Equal(t, "0 seconds", text, "%v", d)
			return
		}
		require.Contains(t, []int{2, 4}, len(words), "%v is %q: one number with its unit, or two", d, text)
		require.Equal(t, d < time.Minute, len(words) == 2, "%v is %q: two from a minute on", d, text)
		n, err := strconv.Atoi(words[0])
		require.NoError(t, err)
		require.Equal(t, n > 1, strings.HasSuffix(words[1], "s"), "%v is %q: one of many", d, text)
		unit := lengths[strings.TrimSuffix(words[1], "s")]
		require.Equal(t, time.Duration(n), d/unit, "%v is %q", d, text)
	})
}

// Whatever an expression says, it compiles or it does not, and evaluates to the same each time. Errors are typed.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"", "true", "retries", "lastRetry.status == 'Failed'", "asInt(lastRetry.exitCode) > 1", "asFloat('x') == 1",
		"lastRetry.message matches '('", "all(1..9, {# > 0})",
	} {
		f.Add(text, "main: Error (exit code 1)", 1, 2.5)
	}
	f.Fuzz(func(t *testing.T, text, message string, retries int, duration float64) {
		e, err := retry.Compile(text)
		if err != nil {
			require.Nil(t, e, "%q: an error comes alone", text)
			requireExpressionError(t, text, err)
			return
		}
		require.LessOrEqual(t, len(text), retry.MaxExpressionLength)
		require.Equal(t, text, e.String())
		if isOpen(text) {
			return
		}
		v := retry.Variables{Retries: retries, LastExitCode: strconv.Itoa(retries), LastStatus: "Failed", LastDuration: duration,
			LastMessage: message}
		first, err := e.Eval(v)
		if err != nil {
			require.False(t, first, "%q: an error comes alone", text)
			requireExpressionError(t, text, err)
		}
		other, errCompile := retry.Compile(text)
		require.NoError(t, errCompile, "%q compiled before", text)
		again, errAgain := other.Eval(v)
		require.Equal(t, first, again, "%q comes to the same again", text)
		require.Equal(t, err == nil, errAgain == nil, "%q: error %v, then %v", text, err, errAgain)

		s := retry.Strategy{Expression: e}
		d := s.Decide([]retry.Attempt{{Outcome: retry.Failed, Message: message}}, retry.Environment{})
		require.Contains(t, []retry.Verb{retry.Start, retry.Stop}, d.Verb, "%q retries or it does not", text)
	})
}

// isOpen reports whether an expression may depend on the time or on the order of a map, or go through lists of lists of
// lists, for which the language has no bound but that of the memory.
func isOpen(text string) bool {
	for _, name := range []string{"now", "keys", "values", "toPairs"} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return strings.Count(text, "#")+strings.Count(text, "{")+strings.Count(text, ",") > 4
}

func requireExpressionError(t *testing.T, text string, err error) {
	t.Helper()
	var e *retry.ExpressionError
	require.ErrorAs(t, err, &e)
	require.Equal(t, text, e.Text, "the error names the expression")
	require.NotNil(t, e.Unwrap(), "the error has a cause")
	require.NotEmpty(t, e.Error())
}

// Arbitrary attempts under an arbitrary strategy. The bytes of attempts are read by [drawnAttempts], flags by
// [drawnStrategy]; times are seconds after the start of the first attempt.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{}, uint16(0), 0, int64(1), 0, int64(0), int64(0), 0.0, uint16(0), uint16(0), "")
	f.Add([]byte{2, 1, 10, 2, 1, 10}, uint16(1), 1, int64(1), 2, int64(0), int64(0), 0.0, uint16(30), uint16(0), "wf-1")
	f.Add([]byte{3, 0x20, 9, 2, 1, 9}, uint16(0x0f3), 0, int64(60), 2, int64(90), int64(600), 0.5, uint16(20), uint16(0), "wf-1")
	f.Add([]byte("20\x00"), uint16(4), 0, int64(49999999931), 1, int64(0), int64(59999999990), 0.0, uint16(30), uint16(14), "0")
	f.Add([]byte{2, 8, 9}, uint16(0x101), 3, int64(1), math.MaxInt, int64(0), int64(0), 1.0, uint16(9), uint16(15), "wf-1")
	f.Fuzz(func(t *testing.T, data []byte, flags uint16, most int, wait int64, factor int, cap, longest int64, jitter float64,
		now, deadline uint16, key string) {
		s := drawnStrategy(flags, most, wait, factor, cap, longest, jitter)
		if err := s.Validate(); err != nil {
			require.IsType(t, (*retry.FieldError)(nil), err)
			return
		}
		attempts := drawnAttempts(data)
		env := retry.Environment{Now: at(int(now)), Key: key, Shutdown: []string{"", "", "Stop", "Terminate"}[flags>>12&3]}
		if deadline > 0 {
			env.Deadline = at(int(deadline))
		}
		given := slices.Clone(attempts)
		d := s.Decide(attempts, env)
		require.Empty(t, cmp.Diff(given, attempts), "the attempts are only read")
		require.Empty(t, cmp.Diff(d, s.Decide(attempts, env)), "the same question has the same answer")
		checkDecision(t, s, attempts, env, d)
		checkLater(t, s, attempts, env, d)
	})
}

// A strategy that is obeyed, whatever the attempts come to, makes no more of those that count than it says, and never
// asks for a wait that does not end.
func FuzzDecideObeyed(f *testing.F) {
	f.Add([]byte{2, 1, 10, 2, 1, 10}, uint16(1), 1, int64(1), 2, int64(0), int64(0), 0.0)
	f.Add([]byte{3, 0x20, 9, 3, 0x20, 9, 2, 1, 9}, uint16(0x0f3), 0, int64(60), 2, int64(90), int64(600), 0.5)
	f.Add([]byte{2, 1, 1, 2, 1, 200}, uint16(1), 9, int64(1), 10, int64(0), int64(60), 0.0)
	f.Fuzz(func(t *testing.T, data []byte, flags uint16, most int, wait int64, factor int, cap, longest int64, jitter float64) {
		s := drawnStrategy(flags, most, wait, factor, cap, longest, jitter)
		if s.Validate() != nil {
			return
		}
		env := retry.Environment{Now: at(0), Key: "wf-1"}
		outcomes := drawnAttempts(data)
		var made []retry.Attempt
		for {
			d := s.Decide(made, env)
			checkDecision(t, s, made, env, d)
			if d.Verb == retry.Wait {
				env.Now = d.Until
				d = s.Decide(made, env)
				require.NotEqual(t, retry.Wait, d.Verb, "after %d attempts: the wait until %v is over", len(made), env.Now)
			}
			if d.Verb != retry.Start || len(outcomes) == 0 {
				break
			}
			next := outcomes[0]
			next.Finished = env.Now.Add(next.Finished.Sub(next.Started))
			next.Started = env.Now
			if next.Outcome != retry.Unfinished {
				env.Now = next.Finished
			}
			made, outcomes = append(made, next), outcomes[1:]
		}
		if s.Limit != nil {
			// Compared without adding one, which could overflow.
			require.LessOrEqual(t, max(counted(s, made), 1)-1, *s.Limit, "retries that count, of %d attempts", len(made))
		}
	})
}

// drawnStrategy makes a strategy of numbers.
func drawnStrategy(flags uint16, most int, wait int64, factor int, cap, longest int64, jitter float64) *retry.Strategy {
	s := &retry.Strategy{IgnoreDisruptions: flags&2 != 0}
	s.Policy = []retry.Policy{"", retry.PolicyAlways, retry.PolicyOnFailure, retry.PolicyOnError, retry.PolicyOnTransientError,
		retry.PolicyAlways, retry.PolicyAlways, retry.PolicyOnFailure}[flags>>9&7]
	if flags&1 != 0 {
		s.Limit = &most
	}
	if flags&4 != 0 {
		s.Backoff = &retry.Backoff{Duration: time.Duration(wait), Factor: factor, Cap: time.Duration(cap),
			MaxDuration: time.Duration(longest), Jitter: jitter}
	}
	action := func(by uint) retry.RuleAction { return retry.RuleAction(flags >> by & 3) }
	if flags&8 != 0 {
		s.Rules = append(s.Rules, retry.FailureRule{Action: action(4), In: []int{1, 3}})
	}
	if flags&0x100 != 0 {
		s.Rules = append(s.Rules, retry.FailureRule{Action: action(6), NotIn: []int{2}, Conditions: []string{"C"}},
			retry.FailureRule{Action: action(5), Reasons: []string{"Evicted"}})
	}
	return s
}

// drawnAttempts makes an attempt of every three bytes: its outcome, its exit code, reason and conditions, and how many
// seconds it took. One begins when the one before it has ended.
func drawnAttempts(data []byte) []retry.Attempt {
	var attempts []retry.Attempt
	now := at(0)
	for ; len(data) >= 3 && len(attempts) < 100; data = data[3:] {
		a := retry.Attempt{Outcome: retry.Outcome(data[0] & 3), Message: "m", Started: now}
		if data[0]&4 != 0 {
			a.Message = "dial: i/o timeout"
		}
		if data[1]&8 != 0 {
			a.ExitCode, a.HasExitCode = int(data[1]&7), true
		}
		a.Reason = []string{"", "", "Evicted", retry.ReasonPodDeleted}[data[1]>>4&3]
		if data[1]&64 != 0 {
			a.Conditions = append(a.Conditions, "C")
		}
		if data[1]&128 != 0 {
			a.Conditions = append(a.Conditions, retry.DisruptionTarget)
		}
		now = now.Add(time.Duration(data[2]) * time.Second)
		if a.Outcome != retry.Unfinished && data[0]&8 == 0 {
			a.Finished = now
		}
		attempts = append(attempts, a)
	}
	return attempts
}

// counts is what the documentation says of an attempt: the first rule that matches, else the option.
func counts(s *retry.Strategy, a *retry.Attempt) bool {
	if a.Outcome == retry.Unfinished || a.Outcome == retry.Succeeded {
		return true
	}
	for i := range s.Rules {
		if s.Rules[i].Matches(a) {
			return s.Rules[i].Action != retry.ActionIgnore
		}
	}
	return !s.IgnoreDisruptions || !retry.IsDisruption(a.Reason) && !slices.Contains(a.Conditions, retry.DisruptionTarget)
}

// counted is how many of the attempts count.
func counted(s *retry.Strategy, attempts []retry.Attempt) int {
	n := 0
	for i := range attempts {
		if counts(s, &attempts[i]) {
			n++
		}
	}
	return n
}

// endOf is when an attempt ended, or began where that is not known.
func endOf(a *retry.Attempt) time.Time {
	if a.Finished.IsZero() {
		return a.Started
	}
	return a.Finished
}

// checkDecision checks what holds of every decision, whatever the strategy.
func checkDecision(t *testing.T, s *retry.Strategy, attempts []retry.Attempt, env retry.Environment, d retry.Decision) {
	t.Helper()
	if len(attempts) == 0 {
		require.Equal(t, retry.CheckFirstAttempt, d.Check, "the first attempt is never refused")
		require.Equal(t, retry.Start, d.Verb)
		return
	}
	last := &attempts[len(attempts)-1]
	require.Equal(t, last.Outcome == retry.Unfinished, d.Verb == retry.Await, "only an attempt that runs is awaited")
	require.Equal(t, last.Outcome == retry.Succeeded, d.Verb == retry.Succeed, "only a success is one")
	if d.Rule >= 0 {
		require.Equal(t, retry.CheckRule, d.Check)
		require.True(t, s.Rules[d.Rule].Matches(last), "rule %d decided of an attempt that it matches", d.Rule)
	}
	switch d.Verb {
	case retry.Start, retry.Wait:
		require.Equal(t, len(attempts), d.Attempt, "the next attempt")
		require.Empty(t, env.Shutdown, "nothing starts under a shutdown")
		require.True(t, env.Deadline.IsZero() || env.Now.Before(env.Deadline), "nothing starts past the deadline")
		if s.Limit != nil && counts(s, last) {
			require.LessOrEqual(t, counted(s, attempts), *s.Limit, "attempts that count before the next one")
		}
	case retry.Stop:
		require.Equal(t, last.Outcome, d.Outcome, "the node ends as the last attempt did")
	}
	if d.Verb == retry.Wait {
		checkWait(t, s, attempts, env, d)
	}
	if d.Verb == retry.Start && s.Backoff != nil && s.Backoff.MaxDuration > 0 {
		require.Equal(t, attempts[0].Started.Add(s.Backoff.MaxDuration), d.ExecutionDeadline)
		require.False(t, env.Now.After(d.ExecutionDeadline), "an attempt starts before it must end")
	}
}

// checkWait checks that a wait lies ahead and inside its bounds.
func checkWait(t *testing.T, s *retry.Strategy, attempts []retry.Attempt, env retry.Environment, d retry.Decision) {
	t.Helper()
	b := s.Backoff
	require.NotNil(t, b, "nothing waits without a backoff")
	require.True(t, d.Until.After(env.Now), "the wait ends at %v, which is after %v", d.Until, env.Now)
	require.Equal(t, d.Until.Sub(env.Now), d.Remaining)
	require.Equal(t, endOf(&attempts[len(attempts)-1]).Add(d.Backoff), d.Until, "the wait begins at the end of the attempt")
	least := float64(b.Duration)
	if b.Cap > 0 {
		least = min(least, float64(b.Cap))
		require.LessOrEqual(t, float64(d.Backoff), float64(b.Cap)*(1+b.Jitter)+1, "no longer than the cap, but for the jitter")
	}
	require.GreaterOrEqual(t, float64(d.Backoff), min(least, math.MaxInt64/2), "no shorter than the first wait")
	if b.MaxDuration > 0 {
		require.False(t, d.Until.After(attempts[0].Started.Add(b.MaxDuration)), "the wait ends inside the longest time")
	}
	require.Equal(t, "Backoff for "+retry.HumanDuration(d.Backoff), d.Message)
}

// checkLater checks that time ends a wait, and that it does not undo the end of a node.
func checkLater(t *testing.T, s *retry.Strategy, attempts []retry.Attempt, env retry.Environment, d retry.Decision) {
	t.Helper()
	later := env
	switch d.Verb {
	case retry.Wait:
		later.Now = d.Until
		require.NotEqual(t, retry.Wait, s.Decide(attempts, later).Verb, "the wait until %v is over then", d.Until)
	case retry.Stop:
		if env.Now.Before(endOf(&attempts[len(attempts)-1])) {
			return // the clock is behind the attempt
		}
		later.Now = env.Now.Add(1000 * time.Hour)
		again := s.Decide(attempts, later)
		require.Equal(t, retry.Stop, again.Verb, "a node that has ended starts no attempt later")
		require.Equal(t, d.Outcome, again.Outcome, "and keeps its end")
		require.Equal(t, d.Message, again.Message, "and its words")
	}
}
