package propagate_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// The scripts under testdata/scripts draw a workflow in one line, tell the engine what happens, and show after each
// event what changed, what the host must do and what the workflow waits for. go test ./propagate -run Scripts -rewrite
// rewrites them; read the difference.
func TestScripts(t *testing.T) { propagatetest.Scripts{}.Run(t, "../testdata/scripts") }
