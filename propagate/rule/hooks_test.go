package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// hook gives the workflow a hook with this expression.
func hook(expression string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		spec.Templates = append(spec.Templates, &nodegraph.Template{Name: "h", Kind: nodegraph.KindPod})
		spec.Hooks = []nodegraph.Hook{{Name: "h", Template: "h", Expression: expression}}
	}
}

// The hooks of the workflow see what has become of the entry node. One that was skipped has succeeded.
func TestTheStatusThatHooksOfTheWorkflowSee(t *testing.T) {
	skipped := onRecord("wf", nodegraph.KindSkipped, nodegraph.PhaseSkipped)
	for _, c := range []struct {
		scene
		status string
	}{
		{scene{text: "pod"}, "Pending"},
		{scene{text: "pod", calls: told(running("wf"))}, "Running"},
		{scene{text: "pod", calls: told(succeeded("wf"))}, "Succeeded"},
		{scene{text: "pod", calls: told(failed("wf"))}, "Failed"},
		{scene{text: "pod", phase: nodegraph.PhaseRunning, record: []nodegraph.NodeStatus{skipped}}, "Succeeded"},
	} {
		for _, status := range []string{"Pending", "Running", "Succeeded", "Failed", "Skipped"} {
			c.set = hook(`workflow.status == "` + status + `"`)
			e := c.play(t)
			due := status == c.status && status != "Pending" // nothing runs before the entry node does
			require.Equal(t, due, e.Graph().Find("wf.hooks.h") != nodegraph.None, "%s: %v", status, c.scene.calls)
		}
	}
}
