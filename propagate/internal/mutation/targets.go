package main

// A target is a package whose code is broken, and the tests that should notice.
type target struct {
	folder string   // from the root of the module
	files  []string // patterns of names
	tests  []suite  // in the order in which they are asked: of this package or of others that use it
}

// A suite is the tests of a package.
type suite struct {
	folder string
	args   []string
}

// What is inside the engine is tested through the engine.
var (
	engine = suite{"propagate", []string{"-explore=1"}}
	replay = suite{folder: "propagate/replay"}
)

// targets are the retries, the conditions on order, the facts, the rules, who is judged again, and the engine. What puts them into
// words is left out.
var targets = []target{
	{"retry", []string{"*.go"}, []suite{{folder: "retry"}}},
	{"nodegraph", []string{"depends*.go", "when.go", "plan.go"}, []suite{{folder: "nodegraph"}}},
	{"propagate/fact", []string{"fact.go"}, []suite{{folder: "propagate/fact"}, engine, replay}},
	{"propagate/rule", []string{
		"judge.go", "workflow.go", "planned.go", "admit.go", "composite.go", "boundary.go", "barred.go", "dag.go", "steps.go",
		"taskgroup.go", "retry.go", "pod.go", "container.go", "suspend.go", "served.go", "hooks.go", "hookvalue.go", "verdict.go", "evaluator.go",
	}, []suite{{folder: "propagate/rule"}, engine, replay}},
	{"propagate/internal/sched", []string{"readers.go"}, []suite{{folder: "propagate/internal/sched"}, engine, replay}},
	{"propagate", []string{
		"intake.go", "observe.go", "answer.go", "admit.go", "starts.go", "create.go", "stop.go", "settle.go", "manualretry.go",
		"locks.go", "obligations.go", "check.go", "pods.go", "output.go",
	}, []suite{engine, replay}},
}
