package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/propagate"
)

// unready is a pod that runs and whose containers are not all ready.
func unready(node string) propagate.Event {
	ev := running(node)
	ev.Ready = false
	return ev
}

var leafScenes = []scene{
	{text: "dag(a: mutex(m, pod))", calls: told(queued("wf.a")),
		node: "wf.a", want: "Leaf 1: Pending, later"},
	{text: "dag(a: mutex(m, suspend))", calls: told(queued("wf.a")),
		node: "wf.a", want: "Leaf 1: Pending, later"},
	{text: "dag(a: mutex(m, pod))", calls: eachTold(queued("wf.a"), propagate.Shutdown("Stop")), node: "wf.a",
		want: "Pod 4: Failed, Stopped with strategy 'Stop'"},
}

var podScenes = []scene{
	{text: "dag(d: daemon, a)", calls: eachTold(running("wf.d"), succeeded("wf.d")), node: "wf.d", want: "Pod 1: Failed"},
	{text: "dag(a, b)", calls: eachTold(propagate.ResultPending("wf.a"), succeeded("wf.a")),
		node: "wf.a", want: "Pod 2: Succeeded, fulfilled false"},
	{text: "dag(a, b)", calls: told(propagate.PodFailed("wf.a", "boom")), node: "wf.a", want: "Pod 3: Failed, boom"},
	{text: "dag(d: daemon, a)", calls: eachTold(running("wf.d"), succeeded("wf.a")), node: "wf.d", want: "Pod 3: Succeeded"},
	{text: "dag(a, b)", calls: eachTold(running("wf.a"), propagate.Shutdown("Stop")),
		node: "wf.a", want: "Pod 4: Failed, workflow shutdown with strategy:  Stop"},
	{text: "dag(a, b)", calls: eachTold(running("wf.a"), deleted("wf.a")), node: "wf.a", want: "Pod 5: Error, pod deleted"},
	{text: "dag(a, b)", calls: eachTold(propagate.PodPending("wf.a", ""), deleted("wf.a")), node: "wf.a", want: "Pod 6: Pending"},
	{text: "dag(a, b)", calls: told(running("wf.a")), node: "wf.a", want: "Pod 7: Running"},
	{text: "dag(d: daemon, a)", calls: told(running("wf.d")), node: "wf.d", want: "Pod 8: Running, fulfilled true"},
	{text: "dag(d: daemon, a)", calls: told(unready("wf.d")), node: "wf.d", want: "Pod 9: Pending"},
	{text: "dag(a, b)", calls: told(propagate.PodPending("wf.a", "no node has room")),
		node: "wf.a", want: "Pod 10: Pending, no node has room"},
	{text: "dag(a: mutex(m, pod))", calls: eachTold(propagate.LockGranted("wf.a"), propagate.PodPending("wf.a", "no node has room")),
		node: "wf.a", want: "Pod 10: Pending"},
	{text: "dag(a, b)", node: "wf.a", want: "Pod 11: Pending"},
}

func TestLeaf(t *testing.T) { chapter(t, leafScenes) }
func TestPod(t *testing.T)  { chapter(t, podScenes) }
