package retry

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// Policy says after which ends another attempt is made.
type Policy string

// The policies of Argo's retryPolicy. The empty policy is Always where there is an expression, else OnFailure.
const (
	PolicyAlways           Policy = "Always"           // after any attempt that is Failed or in Error
	PolicyOnFailure        Policy = "OnFailure"        // after one that is Failed, but not after a deleted pod
	PolicyOnError          Policy = "OnError"          // after one that is in Error
	PolicyOnTransientError Policy = "OnTransientError" // after one whose message is that of a transient error: see IsTransient
)

// A Strategy is Argo's retryStrategy. The zero value retries failures for ever, without waiting, and neither errors nor pods that
// were deleted: see [Times].
type Strategy struct {
	Limit      *int        // retries after the first attempt; nil for no limit
	Policy     Policy      // which ends are retried; empty for the default, see [Strategy.PolicyActual]
	Backoff    *Backoff    // how long to wait between attempts; nil for not at all
	Expression *Expression // must hold for another attempt, after all else has agreed; nil for none

	// IgnoreDisruptions, beyond Argo: attempts that the infrastructure ended do not count against Limit and are
	// retried whatever the Policy. See IsDisruption.
	IgnoreDisruptions bool
	// Rules, beyond Argo: the first that matches the last attempt decides, as in a Kubernetes Job's podFailurePolicy.
	Rules []FailureRule
}

// Times is the strategy that makes n more attempts after the first, whatever ended an attempt: a failure, an error, or the loss of
// its pod. It does not wait between them.
func Times(n int) *Strategy { return &Strategy{Limit: &n, Policy: PolicyAlways} }

// A Backoff is how long to wait between attempts.
type Backoff struct {
	Duration    time.Duration // after the first attempt
	Factor      int           // each further wait is so many times longer; 0 for a constant wait
	Cap         time.Duration // longest wait; 0 for none
	MaxDuration time.Duration // from the start of the first attempt; 0 for none
	Jitter      float64       // beyond Argo: adds up to this part of the wait, the same each time for one node and attempt
}

// RuleAction is what a rule makes of an attempt.
type RuleAction uint8

// The rule actions.
const (
	ActionIgnore RuleAction = iota // retry, and do not count the attempt
	ActionCount                    // go on as without the rule
	ActionStop                     // no further attempt
)

var ruleActionNames = enum.Names{Type: "RuleAction", Of: []string{"ignore", "count", "stop"}}

// String names the action.
func (a RuleAction) String() string { return ruleActionNames.String(uint8(a)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (a RuleAction) MarshalText() ([]byte, error) { return ruleActionNames.Marshal(uint8(a)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (a *RuleAction) UnmarshalText(text []byte) error {
	return enum.Unmarshal(&ruleActionNames, text, a)
}

// A FailureRule matches attempts by any of its fields that is set; all that are set must match.
type FailureRule struct {
	Action     RuleAction // what becomes of an attempt that matches
	In, NotIn  []int      // exit codes
	Reasons    []string   // pod status reasons
	Conditions []string   // pod condition types that are true
}

// Matches reports whether the rule says something of the attempt.
func (r *FailureRule) Matches(a *Attempt) bool {
	if len(r.In)+len(r.NotIn) > 0 && !a.HasExitCode {
		return false
	}
	if len(r.In) > 0 && !slices.Contains(r.In, a.ExitCode) || slices.Contains(r.NotIn, a.ExitCode) {
		return false
	}
	if len(r.Reasons) > 0 && !slices.Contains(r.Reasons, a.Reason) {
		return false
	}
	return len(r.Conditions) == 0 || slices.ContainsFunc(r.Conditions, func(c string) bool { return slices.Contains(a.Conditions, c) })
}

// A FieldError is a field of a strategy with a value that it can't have.
type FieldError struct {
	Field  string // its path inside retryStrategy, in Argo's spelling
	Value  string // what stands in the field, as text
	Reason string // why the field can't have it: the end of a sentence that begins with field and value
}

// Error names the field and the value.
func (e *FieldError) Error() string {
	return fmt.Sprintf("retry: %s %q %s", e.Field, e.Value, e.Reason)
}

// PolicyActual is the policy in force (Argo: RetryPolicyActual).
func (s *Strategy) PolicyActual() Policy {
	switch {
	case s.Policy != "":
		return s.Policy
	case s.Expression != nil:
		return PolicyAlways
	}
	return PolicyOnFailure
}

// Validate returns a [*FieldError] for the first field that can't be used, nil if there is none.
func (s *Strategy) Validate() error {
	switch s.Policy {
	case "", PolicyAlways, PolicyOnFailure, PolicyOnError, PolicyOnTransientError:
	default:
		return &FieldError{"retryPolicy", string(s.Policy), "is not a policy"}
	}
	if s.Limit != nil && *s.Limit < 0 {
		return &FieldError{"limit", fmt.Sprint(*s.Limit), "is negative"}
	}
	for i, r := range s.Rules {
		if r.Action > ActionStop {
			return &FieldError{fmt.Sprintf("rules[%d].action", i), fmt.Sprint(uint8(r.Action)), "is not an action"}
		}
		if len(r.In)+len(r.NotIn)+len(r.Reasons)+len(r.Conditions) == 0 {
			return &FieldError{fmt.Sprintf("rules[%d]", i), "", "matches nothing in particular"}
		}
	}
	if b := s.Backoff; b != nil {
		switch {
		case b.Duration <= 0:
			return &FieldError{"backoff.duration", b.Duration.String(), "is not positive"}
		case b.Cap < 0:
			return &FieldError{"backoff.cap", b.Cap.String(), "is negative"}
		case b.MaxDuration < 0:
			return &FieldError{"backoff.maxDuration", b.MaxDuration.String(), "is negative"}
		case !(b.Jitter >= 0 && b.Jitter <= 1):
			return &FieldError{"backoff.jitter", fmt.Sprint(b.Jitter), "is not between 0 and 1"}
		}
	}
	return nil
}
