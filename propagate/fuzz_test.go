package propagate_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// FuzzWorkflow lets the fuzzer choose the workflow and all that happens to it. After every call the invariants hold and
// the reference evaluator agrees, and when nothing bad happens any more the workflow completes.
func FuzzWorkflow(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			t.Skip("longer scripts only repeat what shorter ones do")
		}
		propagatetest.Random{Choices: data}.Run(t)
	})
}
