package nodegraph

import (
	"fmt"
	"strings"

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

// MaxWhenLength bounds a when condition, in bytes.
const MaxWhenLength = 16 << 10

// A WhenError says why a when condition can't be evaluated.
type WhenError struct {
	When   string
	Reason string
}

// Error shows the condition, bounded.
func (e *WhenError) Error() string {
	return fmt.Sprintf("Invalid 'when' expression '%s': %s", bounded(e.When), bounded(e.Reason))
}

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
	value, err := evaluateWords(when)
	if err != nil {
		return WhenFalse, &WhenError{When: when, Reason: err.Error()}
	}
	b, ok := value.(bool)
	if !ok {
		return WhenFalse, &WhenError{When: when, Reason: fmt.Sprintf("expected boolean evaluation, got %v", value)}
	}
	if b {
		return WhenTrue, nil
	}
	return WhenFalse, nil
}

// evaluateWords evaluates an expression whose variables stand for their own names.
func evaluateWords(text string) (any, error) {
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
	words, err := govaluate.NewEvaluableExpressionFromTokens(tokens)
	if err != nil {
		return nil, err
	}
	return words.Evaluate(nil)
}
