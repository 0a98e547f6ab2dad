package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// locked gives the workflow a lock of its own.
func locked(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{{Key: mutexM, Limit: 1}} }

var workflowScenes = []scene{
	{text: "dag(a)", record: []nodegraph.NodeStatus{onRecord("wf", nodegraph.KindDAG, nodegraph.PhaseFailed)}, phase: nodegraph.PhaseFailed,
		want: "Workflow 1: Failed"},
	{text: "dag(a)", set: locked, calls: told(propagate.Unanswerable("", "no limit")), want: "Workflow 1: Failed, no limit"},
	{text: "dag(a)", set: locked, calls: told(propagate.Shutdown("Terminate")),
		want: "Workflow 2: Failed, Stopped with strategy 'Terminate'"},
	{text: "dag(a)", silent: true, want: "Workflow 3: planned"},
	{text: "dag(a)", set: locked, want: "Workflow 4: Pending"},
	{text: "dag(a)", set: locked, calls: told(propagate.LockQueued("", mutexM, "later")), want: "Workflow 4: Pending, later"},
	{text: "dag(a)", want: "Workflow 5: Running, by wf"},
	{text: "dag(a) exit pod", calls: told(propagate.PodFailed("wf.a", "boom")), want: "Workflow 6: Running, by wf.onExit"},
	{text: "dag(a)", calls: told(propagate.PodFailed("wf.a", "boom")), want: "Workflow 7: Failed, by wf"},
	{text: "pod", calls: told(propagate.PodFailed("wf", "boom")), want: "Workflow 7: Failed, by wf, boom"},
	{text: "dag(a)", calls: told(running("wf.a"), propagate.Shutdown("Stop")),
		want: "Workflow 7: Failed, by wf, Stopped with strategy 'Stop'"},
	{text: "dag(a) exit pod", calls: eachTold(succeeded("wf.a"), propagate.PodFailed("wf.onExit", "boom")),
		want: "Workflow 8: Failed, by wf.onExit, boom"},
	{text: "dag(a) exit pod", calls: eachTold(failed("wf.a"), succeeded("wf.onExit")), want: "Workflow 7: Failed, by wf"},
	{text: "dag(a) exit pod", calls: eachTold(succeeded("wf.a"), succeeded("wf.onExit")), want: "Workflow 9: Succeeded, by wf"},
}

func TestWorkflow(t *testing.T) { chapter(t, workflowScenes) }
