package retry

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm"
)

// Limits of expressions.
const (
	MaxExpressionLength = 16 << 10 // bytes
	maxExpressionNodes  = 1000
	maxExpressionMemory = 1 << 20 // elements an evaluation may allocate
)

// An Expression is a retryStrategy.expression, compiled or not to be compiled. It is immutable and may be shared.
type Expression struct {
	text    string
	program *vm.Program
	err     error // why it can't be compiled
}

// An ExpressionError says why an expression can't be compiled or evaluated.
type ExpressionError struct {
	Text string // the expression as it was written
	Err  error  // the cause, in Argo's words where Argo has some

	program *vm.Program // of an expression that is refused only since it comes to no truth value; nil for any other
}

// Error shows the expression, bounded, and the cause.
func (e *ExpressionError) Error() string {
	return fmt.Sprintf("retry: expression %q: %s", bounded(e.Text, 200), bounded(e.Err.Error(), 400))
}

// wordsOf is what the node says whose expression has failed, as Argo puts it: EvalBool names the expression where that matters.
func wordsOf(err error) string {
	if e := (*ExpressionError)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return bounded(err.Error(), 1000)
}

// Unwrap returns the cause.
func (e *ExpressionError) Unwrap() error { return e.Err }

// Variables are what an expression sees as retries and lastRetry.exitCode, .status, .duration and .message.
type Variables struct {
	Retries      int     // attempts after the first that were made so far
	LastExitCode string  // "-1" where there is none
	LastStatus   string  // "Failed" or "Error"
	LastDuration float64 // seconds
	LastMessage  string  // of the node of the last attempt
}

func (v Variables) environment() map[string]any {
	return map[string]any{
		"retries": strconv.Itoa(v.Retries),
		"lastRetry": map[string]any{
			"exitCode": v.LastExitCode,
			"status":   v.LastStatus,
			"duration": strconv.FormatFloat(v.LastDuration, 'f', -1, 64),
			"message":  v.LastMessage,
		},
	}
}

// Compile compiles an expression, once. The error is an [*ExpressionError].
func Compile(text string) (*Expression, error) {
	if len(text) > MaxExpressionLength {
		return nil, &ExpressionError{Text: text, Err: fmt.Errorf("longer than %d bytes", MaxExpressionLength)}
	}
	program, _ := compile(text)
	if _, err := compile(text, expr.AsBool()); err != nil {
		return nil, &ExpressionError{Text: text, Err: err, program: program}
	}
	return &Expression{text: text, program: program}, nil
}

// compile compiles an expression in the language of retries.
func compile(text string, more ...expr.Option) (*vm.Program, error) {
	options, refused := Language()
	options = append(options, more...)
	program, err := expr.Compile(text, append(options, expr.Env(Variables{}.environment()),
		expr.Function("asInt", asInt, new(func(any) any)), expr.Function("asFloat", asFloat, new(func(any) any)))...)
	if err == nil {
		err = refused()
	}
	if err != nil {
		return nil, err
	}
	return program, nil
}

// Uncompiled is an expression that can't be compiled, and says why whenever it is evaluated: it is an error of the node that
// asks it, and of nothing else. One that comes to no truth value says what it comes to, as in Argo.
func Uncompiled(text string, why error) *Expression {
	if e := (*ExpressionError)(nil); errors.As(why, &e) && e.program != nil {
		return &Expression{text: text, program: e.program}
	}
	return &Expression{text: text, err: why}
}

// String returns the expression as it was written.
func (e *Expression) String() string { return e.text }

// Err says why the expression can't be compiled, nil if it can.
func (e *Expression) Err() error { return e.err }

// Eval evaluates the expression. It allocates. The error is an [*ExpressionError].
func (e *Expression) Eval(v Variables) (ok bool, err error) {
	if e.err != nil {
		return false, e.err
	}
	machine := vm.VM{MemoryBudget: maxExpressionMemory}
	result, err := machine.Run(e.program, v.environment())
	if err != nil {
		return false, &ExpressionError{Text: e.text, Err: fmt.Errorf("unable to evaluate expression '%s': %w", bounded(e.text, 400), err)}
	}
	ok, is := result.(bool)
	if !is {
		return false, &ExpressionError{Text: e.text, Err: fmt.Errorf("unable to cast expression result '%s' to bool", result)}
	}
	return ok, nil
}

// asInt is the function int of expr, as in Argo. A text must be a whole number, and a number must have an int.
func asInt(args ...any) (any, error) {
	if f, _ := args[0].(float64); !(f >= -1<<53 && f <= 1<<53) {
		return 0, fmt.Errorf("asInt: %v is no whole number of 53 bits", f)
	}
	return builtin.Int(args[0]), nil // it panics on what is no number, and the machine says so
}

// asFloat is the function float of expr, as in Argo.
func asFloat(args ...any) (any, error) { return builtin.Float(args[0]), nil }
