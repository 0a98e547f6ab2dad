package main

import (
	"fmt"
	"strings"

	"github.com/casbin/govaluate"
	"github.com/expr-lang/expr"
	"github.com/nodestatus/nodestatus/nodegraph"
)

// taskResults is what a depends expression may ask of a task, in the form in which Argo hands it to the evaluator.
type taskResults struct {
	Succeeded, Failed, Errored, Skipped, Omitted, Daemoned, AnySucceeded, AllFailed bool
}

// evalExpr compiles and evaluates a depends expression with expr-lang, as Argo does for depends.
func evalExpr(text string, results map[string]taskResults) (bool, error) {
	program, err := expr.Compile(text, expr.Env(results))
	if err != nil {
		return false, err
	}
	value, err := expr.Run(program, results)
	if err != nil {
		return false, err
	}
	return isTrue(value)
}

// evalGovaluate compiles and evaluates it with govaluate, which Argo uses for when conditions.
func evalGovaluate(text string, results map[string]taskResults) (bool, error) {
	expression, err := govaluate.NewEvaluableExpression(text)
	if err != nil {
		return false, err
	}
	parameters := make(map[string]any, len(results))
	for name, r := range results {
		parameters[name] = r
	}
	value, err := expression.Evaluate(parameters)
	if err != nil {
		return false, err
	}
	return isTrue(value)
}

func isTrue(value any) (bool, error) {
	is, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("not a truth value: %v", value)
	}
	return is, nil
}

// sixLiterals is a condition of six tests of three tasks, and how these ended. All six have to be looked at.
const sixLiterals = "(fetch-1.Failed || fetch-1.Succeeded) && (build-2.Failed || build-2.Skipped)" +
	" && (lint-3.Omitted || lint-3.Errored)"

var sixResults = map[string]taskResults{
	"fetch_1": {Succeeded: true}, "build_2": {Skipped: true}, "lint_3": {Errored: true},
}

// compileSix is the condition compiled by us, and the same results for it.
func compileSix() (*nodegraph.Condition, []nodegraph.DepState, error) {
	condition, err := nodegraph.ParseDepends(sixLiterals, func(string) (nodegraph.Results, bool) {
		return nodegraph.BareResults, true
	})
	if err != nil {
		return nil, nil, err
	}
	ended := func(r nodegraph.Results) nodegraph.DepState { return nodegraph.DepState{Must: r, May: r} }
	return condition, []nodegraph.DepState{
		ended(nodegraph.ResultSucceeded), ended(nodegraph.ResultSkipped), ended(nodegraph.ResultErrored),
	}, nil
}

// dependsWays are the ways to evaluate it, ours first. Each returns what is to be repeated.
func dependsWays() ([]way, error) {
	condition, states, err := compileSix()
	if err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(sixLiterals, "-", "_")
	program, err := expr.Compile(text, expr.Env(sixResults))
	if err != nil {
		return nil, err
	}
	compiled, err := govaluate.NewEvaluableExpression(text)
	if err != nil {
		return nil, err
	}
	parameters := map[string]any{}
	for name, r := range sixResults {
		parameters[name] = r
	}
	return []way{
		{"nodestatus, compiled once", func() (bool, error) { return condition.Eval(states) == nodegraph.True, nil }},
		{"nodestatus, compiled anew", func() (bool, error) {
			c, s, err := compileSix()
			return err == nil && c.Eval(s) == nodegraph.True, err
		}},
		{"expr-lang, compiled once", func() (bool, error) {
			value, err := expr.Run(program, sixResults)
			return value == true, err
		}},
		{"expr-lang, compiled anew (Argo's depends)", func() (bool, error) {
			return evalExpr(strings.ReplaceAll(sixLiterals, "-", "_"), sixResults)
		}},
		{"govaluate, compiled once", func() (bool, error) {
			value, err := compiled.Evaluate(parameters)
			return value == true, err
		}},
		{"govaluate, compiled anew (as Argo's when)", func() (bool, error) {
			return evalGovaluate(strings.ReplaceAll(sixLiterals, "-", "_"), sixResults)
		}},
	}, nil
}

// A way is one way to evaluate the condition.
type way struct {
	name string
	eval func() (bool, error)
}
