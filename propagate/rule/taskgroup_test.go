package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
)

var taskGroupScenes = []scene{
	{text: "dag(a over [i, j])", calls: told(succeeded("wf.a(0:i)")), node: "wf.a", want: "TaskGroup 1: Running, by wf.a(1:j)"},
	{text: "dag(a over [i, j, k])", calls: told(failed("wf.a(0:i)"), failed("wf.a(1:j)"), succeeded("wf.a(2:k)")), node: "wf.a",
		want: "TaskGroup 2: Failed, by wf.a(1:j)"},
	{text: "dag(a over [i, j])", calls: told(succeeded("wf.a(0:i)"), succeeded("wf.a(1:j)")),
		node: "wf.a", want: "TaskGroup 3: Succeeded"},
	{text: "dag(a: daemon over [i, j] -> b)", calls: eachTold(running("wf.a(0:i)"), running("wf.a(1:j)"), failed("wf.a(0:i)")),
		node: "wf.a", want: "TaskGroup 3: Succeeded"},
	{text: "dag(a: daemon over [i, j] -> b)", calls: eachTold(running("wf.a(0:i)"), failed("wf.a(0:i)"), running("wf.a(1:j)")),
		node: "wf.a", want: "TaskGroup 2: Failed, by wf.a(0:i)"},
	{text: "dag(a: retry(1, daemon) over [i], b)", calls: eachTold(running("wf.a(0:i)(0)"), failed("wf.a(0:i)(0)"), succeeded("wf.b")),
		node: "wf", want: "DAG 3: Running, by wf.a"},
	{text: "dag(a over [i], b)", phase: runs, node: "wf.a", want: "Composite 3: Succeeded", record: []nodegraph.NodeStatus{
		dag("wf", runs), onRecord("wf.a", nodegraph.KindTaskGroup, ended), pod("wf.a(0:i)", nodegraph.PhaseFailed), pod("wf.b", runs)}},
}

func TestTaskGroup(t *testing.T) { chapter(t, taskGroupScenes) }
