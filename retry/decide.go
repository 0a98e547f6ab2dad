package retry

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// Outcome is how an attempt stands.
type Outcome uint8

// The outcomes.
const (
	Unfinished Outcome = iota // it was started and is not fulfilled
	Succeeded                 // it ended well, or its node was skipped
	Failed                    // it ended with a failure of its own (phase Failed)
	Errored                   // something outside of it ended it, such as the deletion of its pod (phase Error)
)

var outcomeNames = enum.Names{Type: "Outcome", Of: []string{"Running", "Succeeded", "Failed", "Error"}}

// String names the outcome as Argo names the phase.
func (o Outcome) String() string { return outcomeNames.String(uint8(o)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (o Outcome) MarshalText() ([]byte, error) { return outcomeNames.Marshal(uint8(o)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (o *Outcome) UnmarshalText(text []byte) error { return enum.Unmarshal(&outcomeNames, text, o) }

// An Attempt is one attempt, in the order in which they were made.
type Attempt struct {
	Outcome     Outcome   // Unfinished only for the last
	Message     string    // of its node; the policy OnTransientError and the expression read it
	ExitCode    int       // of the container that does the node's work
	HasExitCode bool      // ExitCode is known; without it a rule on exit codes does not match
	Reason      string    // the pod's status reason, or ReasonPodDeleted
	Conditions  []string  // types of the pod's conditions that are true
	Started     time.Time // when it began; Backoff.MaxDuration counts from when the first did
	Finished    time.Time // zero: nobody knows, and no backoff is waited for
}

// An Environment is what is around the attempts.
type Environment struct {
	Now      time.Time // the time as of which Decide decides
	Seen     time.Time // when the last attempt was seen to have ended; zero: as soon as it had
	Shutdown string    // "", "Stop" or "Terminate"
	Deadline time.Time // the workflow's; zero for none
	Key      string    // the node's id: what jitter is made from

	// Transient matches the messages of errors that are transient besides those that IsTransient knows; nil for none (Argo:
	// TRANSIENT_ERROR_PATTERN).
	Transient *regexp.Regexp
}

// Verb is what to do.
type Verb uint8

// The verbs.
const (
	Await   Verb = iota // the last attempt must end first
	Succeed             // the node has succeeded
	Wait                // start the next attempt, but not before Until
	Start               // start the next attempt now
	Stop                // the node ends as the last attempt did
)

var verbNames = enum.Names{Type: "Verb", Of: []string{"await", "succeed", "wait", "start", "stop"}}

// String is the verb in lower case.
func (v Verb) String() string { return verbNames.String(uint8(v)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (v Verb) MarshalText() ([]byte, error) { return verbNames.Marshal(uint8(v)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (v *Verb) UnmarshalText(text []byte) error { return enum.Unmarshal(&verbNames, text, v) }

// Check is the step of the decision that decided: see the package comment.
type Check uint8

// The steps.
const (
	CheckFirstAttempt Check = iota // there was no attempt yet: Start
	CheckUnfinished                // the last attempt is unfinished: Await
	CheckSuccess                   // the last attempt succeeded: Succeed
	CheckShutdown                  // the workflow is shut down: Stop
	CheckDeadline                  // the workflow is past its deadline: Stop
	CheckRule                      // a rule of the strategy matches the last attempt: Stop, or Start without counting it
	CheckDisruption                // a disruption ended the last attempt, and those are ignored: Start
	CheckMaxDuration               // Backoff.MaxDuration is over, or would be by the next attempt: Stop
	CheckBackoff                   // the backoff is not over: Wait
	CheckPolicy                    // the policy does not retry such an end: Stop
	CheckLimit                     // the attempts that the limit allows were made: Stop
	CheckExpression                // the expression is false, or can't be evaluated: Stop
	CheckRetry                     // nothing is against it: Start
)

var checkNames = enum.Names{Type: "Check", Of: []string{"first attempt", "unfinished attempt", "success", "shutdown", "deadline", "rule", "disruption", "max duration", "backoff", "policy", "limit", "expression", "retry"}}

// String names the step.
func (s Check) String() string { return checkNames.String(uint8(s)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (s Check) MarshalText() ([]byte, error) { return checkNames.Marshal(uint8(s)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (s *Check) UnmarshalText(text []byte) error { return enum.Unmarshal(&checkNames, text, s) }

// A Decision is what to do, and why.
type Decision struct {
	Verb      Verb          // what to do
	Check     Check         // the step that says so
	Attempt   int           // Start, Wait: number of the attempt to start, from 0
	Until     time.Time     // when the backoff is, or was, over; zero if there is none
	Backoff   time.Duration // Wait: the whole backoff
	Remaining time.Duration // Wait: what remains of it
	Outcome   Outcome       // Succeed, Stop: how the node ends
	Message   string        // of the node, in Argo's words
	Rule      int           // CheckRule: index of the rule; -1 otherwise
	// ExecutionDeadline, of Start: no attempt may run past it; zero without MaxDuration.
	ExecutionDeadline time.Time
}

// Decide says what to do after these attempts. It is deterministic. It allocates for an expression and for the messages of
// a backoff, a shutdown and a deadline. It decides as if it had been asked all the time since the last attempt was seen to
// have ended. So a node that it has ended stays as it is, whatever time it is asked at later.
func (s *Strategy) Decide(attempts []Attempt, env Environment) Decision {
	d := Decision{Attempt: len(attempts), Rule: -1}
	if len(attempts) == 0 {
		d.Verb, d.Check = Start, CheckFirstAttempt
		return d
	}
	last := &attempts[len(attempts)-1]
	switch last.Outcome {
	case Unfinished:
		d.Check = CheckUnfinished
		return d
	case Succeeded:
		d.Verb, d.Check, d.Outcome = Succeed, CheckSuccess, Succeeded
		return d
	}
	if env.Shutdown != "" {
		return d.stop(CheckShutdown, last, "Stopped with strategy '"+env.Shutdown+"'")
	}
	decided := s.afterFailure(d, attempts, env)
	if max := decided.ExecutionDeadline; decided.Verb == Start && !max.IsZero() && env.Now.After(max) && (env.Deadline.IsZero() || max.Before(env.Deadline)) {
		decided = d.stop(CheckMaxDuration, last, maxExceeded) // it was held back for too long, and ended before the deadline
	}
	if env.overdue(last, &decided) {
		return d.stop(CheckDeadline, last, fmt.Sprintf("retry exceeded workflow deadline %s", env.Deadline.UTC()))
	}
	return decided
}

// overdue reports whether the workflow's deadline ends the node: it has passed when the node could first end otherwise, or
// another attempt would come after it. A node that had ended before stays as it is when the deadline passes.
func (env *Environment) overdue(last *Attempt, d *Decision) bool {
	if env.Deadline.IsZero() || env.Now.Before(env.Deadline) {
		return false
	}
	return !env.seen(last).Before(env.Deadline) || !d.Until.Before(env.Deadline) || d.Verb == Start
}

// seen is when the end of an attempt was seen.
func (env *Environment) seen(a *Attempt) time.Time {
	if ended := a.ended(); ended.After(env.Seen) {
		return ended
	}
	return env.Seen
}

// ended is when the attempt ended, or began where that is not known.
func (a *Attempt) ended() time.Time {
	if a.Finished.IsZero() {
		return a.Started
	}
	return a.Finished
}

// stop ends the node as the attempt ended.
func (d Decision) stop(step Check, last *Attempt, message string) Decision {
	d.Verb, d.Check, d.Outcome, d.Message = Stop, step, last.Outcome, message
	return d
}

// afterFailure decides after an attempt that failed in a workflow that goes on.
func (s *Strategy) afterFailure(d Decision, attempts []Attempt, env Environment) Decision {
	last := &attempts[len(attempts)-1]
	counted := s.counted(attempts)
	action, rule := s.ruleFor(last)
	free := action == ActionIgnore
	if action == ActionStop {
		d.Rule = rule
		return d.stop(CheckRule, last, last.Message)
	}
	if s.Backoff != nil {
		if s.backoff(&d, attempts, counted, env) {
			return d
		}
	}
	if free {
		d.Verb, d.Check, d.Rule = Start, CheckRule, rule
		if rule < 0 {
			d.Check = CheckDisruption
		}
		return d
	}
	if !s.policyRetries(last, &env) {
		return d.stop(CheckPolicy, last, last.Message)
	}
	if s.Limit != nil && counted > *s.Limit {
		return d.stop(CheckLimit, last, "No more retries left")
	}
	return s.askExpression(d, attempts)
}

// counted is how many of the attempts count against the limit.
func (s *Strategy) counted(attempts []Attempt) int {
	n := 0
	for i := range attempts {
		if action, _ := s.ruleFor(&attempts[i]); action != ActionIgnore {
			n++
		}
	}
	return n
}

// ruleFor returns what the rules and the disruption option make of an attempt, and the rule's index, -1 if it was no
// rule.
func (s *Strategy) ruleFor(a *Attempt) (RuleAction, int) {
	if a.Outcome != Failed && a.Outcome != Errored {
		return ActionCount, -1
	}
	for i := range s.Rules {
		if s.Rules[i].Matches(a) {
			return s.Rules[i].Action, i
		}
	}
	if s.IgnoreDisruptions && disrupted(a) {
		return ActionIgnore, -1
	}
	return ActionCount, -1
}

// policyRetries reports whether the policy makes another attempt after one that ended like this.
func (s *Strategy) policyRetries(last *Attempt, env *Environment) bool {
	switch s.PolicyActual() {
	case PolicyAlways:
		return true
	case PolicyOnError:
		return last.Outcome == Errored
	case PolicyOnTransientError:
		return env.transient(last.Message)
	}
	return last.Outcome == Failed
}

// askExpression is the last step: the expression may stop what all else would retry.
func (s *Strategy) askExpression(d Decision, attempts []Attempt) Decision {
	last := &attempts[len(attempts)-1]
	if s.Expression != nil {
		v := Variables{Retries: len(attempts) - 1, LastExitCode: "-1", LastStatus: last.Outcome.String(), LastMessage: last.Message}
		if last.HasExitCode {
			v.LastExitCode = strconv.Itoa(last.ExitCode)
		}
		if !last.Finished.IsZero() {
			v.LastDuration = last.Finished.Sub(last.Started).Seconds()
		}
		switch ok, err := s.Expression.Eval(v); {
		case err != nil:
			d = d.stop(CheckExpression, last, wordsOf(err))
			d.Outcome = Errored
			return d
		case !ok:
			return d.stop(CheckExpression, last, "retryStrategy.expression evaluated to false")
		}
	}
	d.Verb, d.Check = Start, CheckRetry
	return d
}
