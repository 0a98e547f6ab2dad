package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/propagate"
)

var taskGroupScenes = []scene{
	{text: "dag(a over [i, j])", calls: told(propagate.PodSucceeded("wf.a(0:i)")), node: "wf.a", want: "TaskGroup 1: Running, by wf.a(1:j)"},
	{text: "dag(a over [i, j, k])", calls: told(propagate.PodFailed("wf.a(0:i)", ""), propagate.PodFailed("wf.a(1:j)", ""), propagate.PodSucceeded("wf.a(2:k)")), node: "wf.a",
		want: "TaskGroup 2: Failed, by wf.a(1:j)"},
	{text: "dag(a over [i, j])", calls: told(propagate.PodSucceeded("wf.a(0:i)"), propagate.PodSucceeded("wf.a(1:j)")), node: "wf.a", want: "TaskGroup 3: Succeeded"},
}

func TestTaskGroup(t *testing.T) { chapter(t, taskGroupScenes) }
