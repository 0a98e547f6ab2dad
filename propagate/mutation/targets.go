package main

// A target is a package whose code is broken, and the tests that should notice.
type target struct {
	folder string   // from the root of the module
	files  []string // patterns of names
	tests  []suite  // in the order in which they are asked
}

// A suite is the tests of a package.
type suite struct {
	folder string
	args   []string
}

// targets are the rules, the facts, the retries and the conditions on order.
var targets = []target{
	{"retry", []string{"*.go"}, []suite{{folder: "retry"}}},
	{"nodegraph", []string{"depends*.go", "when.go", "order.go"}, []suite{{folder: "nodegraph"}}},
	{"propagate", []string{
		"rules*.go", "fact.go", "observe.go", "stop.go", "start.go", "answer.go", "refuse.go", "manualretry.go", "locks.go",
		"obligations.go", "check.go", "pods.go",
	}, []suite{{"propagate", []string{"-explore=1"}}, {folder: "propagate/replay"}}},
}
