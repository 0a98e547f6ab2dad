package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// memoized gives the template of this name a memoization key.
func memoized(name string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { template(spec, name).Memoize = "key" }
}

// pod and dag are nodes on record.
func pod(name string, phase nodegraph.Phase) nodegraph.NodeStatus {
	return onRecord(name, nodegraph.KindPod, phase)
}
func dag(name string, phase nodegraph.Phase) nodegraph.NodeStatus {
	return onRecord(name, nodegraph.KindDAG, phase)
}

// closing is a record in which wf.x has ended although something inside it is open.
func closing(inside ...nodegraph.NodeStatus) []nodegraph.NodeStatus {
	return append([]nodegraph.NodeStatus{
		dag("wf", nodegraph.PhaseRunning), dag("wf.x", nodegraph.PhaseError),
	}, inside...)
}

var runs, ended = nodegraph.PhaseRunning, nodegraph.PhaseSucceeded

// queued is a node that waits for mutexM.
func queued(node string) propagate.Event { return propagate.LockQueued(node, mutexM, "later") }

var compositeScenes = []scene{
	{text: "dag(x: dag(a))", phase: nodegraph.PhaseFailed, node: "wf.x", want: "Composite 1: Error", record: []nodegraph.NodeStatus{
		dag("wf", nodegraph.PhaseFailed), dag("wf.x", nodegraph.PhaseError), pod("wf.x.a", ended)}},
	{text: "dag(x: dag(a))", phase: nodegraph.PhaseFailed, node: "wf.x", want: "Composite 1: Failed, closed: what it is inside of has ended",
		record: []nodegraph.NodeStatus{dag("wf", nodegraph.PhaseFailed), dag("wf.x", runs), pod("wf.x.a", runs)}},
	{text: "dag(x: dag(a, b, c, d))", limits: nodegraph.Limits{Nodes: 4},
		node: "wf.x", want: "Composite 2: Error, nodegraph: node \"wf.x.b\": more than 4: limit Nodes"},
	{text: "dag(x: dag(a), b)", set: memoized("x"), calls: told(propagate.Memoized("wf.x", true)),
		node: "wf.x", want: "Composite 3: Succeeded"},
	{text: "dag(x: dag(a), b)", phase: runs, node: "wf.x", want: "Composite 4: Running, by wf.x.a",
		record: closing(pod("wf.x.a", runs))},
	{text: "dag(x: dag(a), b)", phase: runs, node: "wf.x", want: "Composite 5: Error",
		record: closing(pod("wf.x.a", runs)), calls: told(succeeded("wf.x.a"))},
	{text: "dag(x: mutex(m, dag(a)))", calls: told(queued("wf.x")),
		node: "wf.x", want: "Composite 6: Pending, later"},
	{text: "dag(x: mutex(m, retry(1, daemon)), s: suspend)", node: "wf.x", want: "Composite 6: Running, later", calls: eachTold(
		propagate.LockGranted("wf.x"), propagate.PodRunning("wf.x(0)"), propagate.PodFailed("wf.x(0)", ""), queued("wf.x"))},
	{text: "dag(x: mutex(m, retry(1, daemon)), s: suspend)", node: "wf.x", want: "Composite 6: Pending, later", calls: eachTold(queued("wf.x"),
		propagate.LockGranted("wf.x"), propagate.PodRunning("wf.x(0)"), propagate.PodFailed("wf.x(0)", ""), queued("wf.x"))},
	{text: "dag(x: mutex(m, dag(a, b)), c)", node: "wf.x", want: "Composite 6: Running, later", calls: eachTold(
		propagate.LockGranted("wf.x"), succeeded("wf.x.b"), failed("wf.x.a"), succeeded("wf.c"), propagate.ManualRetry(), queued("wf.x"))},
	{text: "dag(x: mutex(m, pod(a -> b)), c)", node: "wf.x", want: "Leaf 1: Pending, later", calls: eachTold(
		propagate.LockGranted("wf.x"), failed("wf.x"), succeeded("wf.c"), propagate.ManualRetry(), queued("wf.x"))},
	{text: "dag(x: mutex(m, dag(a)))", calls: eachTold(queued("wf.x"), propagate.LockGranted("wf.x")), node: "wf.x",
		want: "DAG 3: Pending, by wf.x.a"},
	{text: "dag(x: mutex(m, dag(a)))", calls: eachTold(queued("wf.x"), propagate.LockGranted("wf.x"), succeeded("wf.x.a")), node: "wf.x",
		want: "DAG 7: Succeeded"},
	{text: "dag(x: dag(y: dag(a -> b), c))", phase: runs,
		node: "wf.x.y", want: "Composite 7: Failed, closed: what it is inside of has ended",
		record: closing(dag("wf.x.y", runs), pod("wf.x.y.a", ended), pod("wf.x.c", runs))},
	{text: "dag(x: dag(y: dag(a -> b), c))", phase: runs, node: "wf.x.y", want: "DAG 3: Running, by wf.x.y.a",
		record: closing(dag("wf.x.y", runs), pod("wf.x.y.a", runs), pod("wf.x.c", runs))},
	{text: "dag(x: dag(y: dag(a), c))", phase: runs, node: "wf.x.y", want: "DAG 7: Succeeded",
		record: closing(dag("wf.x.y", runs), pod("wf.x.y.a", runs), pod("wf.x.c", runs)),
		calls:  told(succeeded("wf.x.y.a"))},
	{text: "dag(x: dag(y: dag(a exit pod), c))", phase: runs, node: "wf.x.y", want: "DAG 7: Succeeded",
		record: closing(dag("wf.x.y", runs), pod("wf.x.y.a", runs), pod("wf.x.c", runs)),
		calls:  told(succeeded("wf.x.y.a"))},
	{text: "dag(y: dag(a -> b), c)", phase: runs,
		node: "wf.y", want: "Composite 7: Failed, closed: what it is inside of has ended",
		record: []nodegraph.NodeStatus{dag("wf", nodegraph.PhaseError), dag("wf.y", runs), pod("wf.y.a", ended), pod("wf.c", runs)}},
	// What is not inside of what only ends goes on.
	{text: "dag(x: dag(a), y: dag(b -> c))", set: one, phase: runs, node: "wf.y", want: "DAG 3: Running, by wf.y.c",
		record: closing(pod("wf.x.a", runs), dag("wf.y", runs), pod("wf.y.b", ended))},
}

func TestComposite(t *testing.T) { chapter(t, compositeScenes) }
