package nodegraph

import (
	"fmt"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph/enum"

	"github.com/casbin/govaluate"
)

// WhenResult is what a when condition comes to.
type WhenResult uint8

// The results of a when condition.
const (
	WhenFalse      WhenResult = iota // the node is skipped
	WhenTrue                         // the node runs
	WhenUnresolved                   // it holds variables that only the host knows
)

var whenNames = enum.Names{Type: "WhenResult", Of: []string{"false", "true", "unresolved"}}

// String names the result.
func (r WhenResult) String() string { return whenNames.String(uint8(r)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (r WhenResult) MarshalText() ([]byte, error) { return whenNames.Marshal(uint8(r)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (r *WhenResult) UnmarshalText(text []byte) error { return enum.Unmarshal(&whenNames, text, r) }

// MaxWhenLength bounds a when condition, in bytes.
const MaxWhenLength = 16 << 10

// A WhenError says why a when condition can't be evaluated.
type WhenError struct {
	When   string // the condition as the task has it
	Reason string // what is wrong with it, for people

	words string // those of Argo's error, with the condition and the reason left out; empty for an expression that is invalid
	value string // what the condition comes to, where it is no truth value: Argo's words have it in place of the reason
}

// Error shows the condition, bounded, in Argo's words (shouldExecute).
func (e *WhenError) Error() string {
	words, reason := e.words, e.Reason
	switch words {
	case "":
		words = "Invalid 'when' expression '%s': %s"
		if strings.Contains(reason, "Invalid token") {
			words += ` (hint: try wrapping the affected expression in quotes ("))`
		}
	case wordsNoTruth:
		reason = e.value
	}
	return fmt.Sprintf(words, bounded(e.When), bounded(reason))
}

const (
	wordsNoTruth   = "Expected boolean evaluation for '%s'. Got %s"
	wordsEvaluated = "Failed to evaluate 'when' expresion '%s': %s" // the spelling is Argo's
)

// EvalWhen evaluates a when condition in the dialect of Argo, in which words without quotes are strings: an empty one
// is true, one with {{variables}} left is unresolved. The error is a [*WhenError].
func EvalWhen(when string) (result WhenResult, err error) {
	switch {
	case when == "":
		return WhenTrue, nil
	case strings.Contains(when, "{{"):
		return WhenUnresolved, nil
	case when == "true":
		return WhenTrue, nil
	case when == "false":
		return WhenFalse, nil
	case len(when) > MaxWhenLength:
		return WhenFalse, &WhenError{When: when, Reason: fmt.Sprintf("longer than %d bytes", MaxWhenLength)}
	}
	defer func() { // the evaluator is not ours, and panics on some inputs
		if p := recover(); p != nil {
			result, err = WhenFalse, &WhenError{When: when, Reason: fmt.Sprint(p)}
		}
	}()
	words, err := compileWords(when)
	if err != nil {
		return WhenFalse, &WhenError{When: when, Reason: err.Error()}
	}
	value, err := words.Evaluate(nil)
	if err != nil {
		return WhenFalse, &WhenError{When: when, Reason: err.Error(), words: wordsEvaluated}
	}
	b, ok := value.(bool)
	if !ok {
		text := fmt.Sprint(value)
		return WhenFalse, &WhenError{When: when, Reason: "expected boolean evaluation, got " + text, words: wordsNoTruth, value: text}
	}
	if b {
		return WhenTrue, nil
	}
	return WhenFalse, nil
}

// compileWords compiles an expression whose variables stand for their own names.
func compileWords(text string) (*govaluate.EvaluableExpression, error) {
	parsed, err := govaluate.NewEvaluableExpression(text)
	if err != nil {
		return nil, err
	}
	tokens := parsed.Tokens()
	for k := range tokens {
		if tokens[k].Kind == govaluate.VARIABLE {
			tokens[k].Kind = govaluate.STRING
		}
	}
	return govaluate.NewEvaluableExpressionFromTokens(tokens)
}
