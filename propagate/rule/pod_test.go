package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/propagate"
)

// unready is a pod that runs and whose containers are not all ready.
func unready(node string) propagate.Event {
	ev := propagate.PodRunning(node)
	ev.Ready = false
	return ev
}

var leafScenes = []scene{
	{text: "dag(a: mutex(m, pod))", calls: told(propagate.LockQueued("wf.a", mutexM, "later")), node: "wf.a", want: "Leaf 1: Pending, later"},
	{text: "dag(a: mutex(m, suspend))", calls: told(propagate.LockQueued("wf.a", mutexM, "later")), node: "wf.a", want: "Leaf 1: Pending, later"},
	{text: "dag(a: mutex(m, pod))", calls: eachTold(propagate.LockQueued("wf.a", mutexM, "later"), propagate.Shutdown("Stop")), node: "wf.a",
		want: "Pod 4: Failed, Stopped with strategy 'Stop'"},
}

var podScenes = []scene{
	{text: "dag(d: daemon, a)", calls: eachTold(propagate.PodRunning("wf.d"), propagate.PodSucceeded("wf.d")), node: "wf.d", want: "Pod 1: Failed"},
	{text: "dag(a, b)", calls: eachTold(propagate.ResultPending("wf.a"), propagate.PodSucceeded("wf.a")), node: "wf.a", want: "Pod 2: Succeeded, fulfilled false"},
	{text: "dag(a, b)", calls: told(propagate.PodFailed("wf.a", "boom")), node: "wf.a", want: "Pod 3: Failed, boom"},
	{text: "dag(d: daemon, a)", calls: eachTold(propagate.PodRunning("wf.d"), propagate.PodSucceeded("wf.a")), node: "wf.d", want: "Pod 3: Succeeded"},
	{text: "dag(a, b)", calls: eachTold(propagate.PodRunning("wf.a"), propagate.Shutdown("Stop")), node: "wf.a", want: "Pod 4: Failed, workflow shutdown with strategy:  Stop"},
	{text: "dag(a, b)", calls: eachTold(propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a")), node: "wf.a", want: "Pod 5: Error, pod deleted"},
	{text: "dag(a, b)", calls: eachTold(propagate.PodPending("wf.a", ""), propagate.PodDeleted("wf.a")), node: "wf.a", want: "Pod 6: Pending"},
	{text: "dag(a, b)", calls: told(propagate.PodRunning("wf.a")), node: "wf.a", want: "Pod 7: Running"},
	{text: "dag(d: daemon, a)", calls: told(propagate.PodRunning("wf.d")), node: "wf.d", want: "Pod 8: Running, fulfilled true"},
	{text: "dag(d: daemon, a)", calls: told(unready("wf.d")), node: "wf.d", want: "Pod 9: Pending"},
	{text: "dag(a, b)", calls: told(propagate.PodPending("wf.a", "no node has room")), node: "wf.a", want: "Pod 10: Pending, no node has room"},
	{text: "dag(a: mutex(m, pod))", calls: eachTold(propagate.LockGranted("wf.a"), propagate.PodPending("wf.a", "no node has room")), node: "wf.a", want: "Pod 10: Pending"},
	{text: "dag(a, b)", node: "wf.a", want: "Pod 11: Pending"},
}

func TestLeaf(t *testing.T) { chapter(t, leafScenes) }
func TestPod(t *testing.T)  { chapter(t, podScenes) }
