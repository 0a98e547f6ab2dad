package rule_test

import "testing"

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
}

func TestTaskGroup(t *testing.T) { chapter(t, taskGroupScenes) }
