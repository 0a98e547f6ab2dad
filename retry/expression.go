package retry

import (
	"fmt"
	"strconv"

	"github.com/expr-lang/expr"
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
	Text string
	Err  error
}

// Error shows the expression, bounded, and the cause.
func (e *ExpressionError) Error() string {
	return fmt.Sprintf("retry: expression %q: %s", bounded(e.Text, 200), bounded(e.Err.Error(), 400))
}

// Unwrap returns the cause.
func (e *ExpressionError) Unwrap() error { return e.Err }

// Variables are what an expression sees as retries and lastRetry.exitCode, .status, .duration and .message.
type Variables struct {
	Retries      int
	LastExitCode string  // "-1" where there is none
	LastStatus   string  // "Failed" or "Error"
	LastDuration float64 // seconds
	LastMessage  string
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
		return nil, &ExpressionError{text, fmt.Errorf("longer than %d bytes", MaxExpressionLength)}
	}
	options, refused := Language()
	program, err := expr.Compile(text, append(options, expr.Env(Variables{}.environment()), expr.AsBool(),
		expr.Function("asInt", asInt, new(func(any) int)), expr.Function("asFloat", asFloat, new(func(any) float64)))...)
	if err == nil {
		err = refused()
	}
	if err != nil {
		return nil, &ExpressionError{text, err}
	}
	return &Expression{text: text, program: program}, nil
}

// Uncompiled is an expression that can't be compiled, and says why whenever it is evaluated: it is an error of the node that
// asks it, and of nothing else.
func Uncompiled(text string, why error) *Expression { return &Expression{text: text, err: why} }

// String returns the expression as it was written.
func (e *Expression) String() string { return e.text }

// Eval evaluates the expression. It allocates. The error is an [*ExpressionError].
func (e *Expression) Eval(v Variables) (ok bool, err error) {
	if e.err != nil {
		return false, e.err
	}
	machine := vm.VM{MemoryBudget: maxExpressionMemory}
	result, err := machine.Run(e.program, v.environment())
	if err != nil {
		return false, &ExpressionError{e.text, err}
	}
	ok, _ = result.(bool) // it is one, or Run has failed: see AsBool
	return ok, nil
}

func asInt(args ...any) (any, error) {
	f, err := number(args)
	if err == nil && !(f >= -1<<53 && f <= 1<<53) {
		return 0, fmt.Errorf("asInt: %v is no whole number of 53 bits", f)
	}
	return int(f), err
}

func asFloat(args ...any) (any, error) { return number(args) }

func number(args []any) (float64, error) {
	return strconv.ParseFloat(fmt.Sprint(args[0]), 64)
}
