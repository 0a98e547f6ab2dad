package rule_test

import (
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// refused resumes a node in vain.
func refused(node, message string) propagate.Event {
	ev := propagate.Resumed(node)
	ev.Phase, ev.Message = nodegraph.PhaseFailed, message
	return ev
}

var suspendScenes = []scene{
	{text: "dag(a: suspend, b)", calls: told(propagate.Shutdown("Stop")),
		node: "wf.a", want: "Suspend 1: Failed, Stopped with strategy 'Stop'"},
	{text: "dag(a: suspend, b)", calls: told(propagate.Resumed("wf.a")), node: "wf.a", want: "Suspend 2: Succeeded"},
	{text: "dag(a: suspend, b)", calls: told(refused("wf.a", "no")), node: "wf.a", want: "Suspend 2: Failed, no"},
	{text: "dag(a: suspend(5s), b)", calls: []call{{5 * time.Second, nil}}, node: "wf.a", want: "Suspend 3: Succeeded"},
	{text: "dag(a: suspend(0s) -> b)", node: "wf.a", want: "Suspend 3: Succeeded"},
	{text: "dag(a: suspend(5s), b)", calls: []call{{4 * time.Second, nil}}, node: "wf.a", want: "Suspend 4: Running"},
	{text: "dag(a: suspend, b)", calls: []call{{24 * time.Hour, nil}}, node: "wf.a", want: "Suspend 4: Running"},
}

func TestSuspend(t *testing.T) { chapter(t, suspendScenes) }
