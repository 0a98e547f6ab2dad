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

// closing is a record in which wf.x has ended although something inside it is open.
func closing(inside ...nodegraph.Recorded) []nodegraph.Recorded {
	return append([]nodegraph.Recorded{
		onRecord("wf", nodegraph.DAG, nodegraph.Running), onRecord("wf.x", nodegraph.DAG, nodegraph.Error),
	}, inside...)
}

var runs, ended = nodegraph.Running, nodegraph.Succeeded

var compositeScenes = []scene{
	{text: "dag(x: dag(a))", phase: nodegraph.Failed, node: "wf.x", want: "Composite 1: Error", record: []nodegraph.Recorded{
		onRecord("wf", nodegraph.DAG, nodegraph.Failed), onRecord("wf.x", nodegraph.DAG, nodegraph.Error), onRecord("wf.x.a", nodegraph.Pod, ended)}},
	{text: "dag(x: dag(a, b, c, d))", limits: nodegraph.Limits{Nodes: 4}, node: "wf.x", want: "Composite 2: Error, nodegraph: node \"wf.x.b\": more than 4: limit Nodes"},
	{text: "dag(x: dag(a), b)", set: memoized("x"), calls: told(propagate.Memoized("wf.x", true)), node: "wf.x", want: "Composite 3: Succeeded"},
	{text: "dag(x: dag(a), b)", phase: runs, node: "wf.x", want: "Composite 4: Running, by wf.x.a",
		record: closing(onRecord("wf.x.a", nodegraph.Pod, runs))},
	{text: "dag(x: dag(a), b)", phase: runs, node: "wf.x", want: "Composite 5: Error",
		record: closing(onRecord("wf.x.a", nodegraph.Pod, runs)), calls: told(propagate.PodSucceeded("wf.x.a"))},
	{text: "dag(x: mutex(m, dag(a)))", calls: told(propagate.LockQueued("wf.x", mutexM, "later")), node: "wf.x", want: "Composite 6: Pending, later"},
	{text: "dag(x: mutex(m, dag(a)))", calls: eachTold(propagate.LockQueued("wf.x", mutexM, "later"), propagate.LockGranted("wf.x")), node: "wf.x",
		want: "DAG 3: Pending, by wf.x.a"},
	{text: "dag(x: mutex(m, dag(a)))", calls: eachTold(propagate.LockQueued("wf.x", mutexM, "later"), propagate.LockGranted("wf.x"), propagate.PodSucceeded("wf.x.a")), node: "wf.x",
		want: "DAG 7: Succeeded"},
	{text: "dag(x: dag(y: dag(a -> b), c))", phase: runs, node: "wf.x.y", want: "Composite 7: Failed, closed: what it is inside of has ended",
		record: closing(onRecord("wf.x.y", nodegraph.DAG, runs), onRecord("wf.x.y.a", nodegraph.Pod, ended), onRecord("wf.x.c", nodegraph.Pod, runs))},
	{text: "dag(x: dag(y: dag(a -> b), c))", phase: runs, node: "wf.x.y", want: "DAG 3: Running, by wf.x.y.a",
		record: closing(onRecord("wf.x.y", nodegraph.DAG, runs), onRecord("wf.x.y.a", nodegraph.Pod, runs), onRecord("wf.x.c", nodegraph.Pod, runs))},
	{text: "dag(x: dag(y: dag(a), c))", phase: runs, node: "wf.x.y", want: "DAG 7: Succeeded",
		record: closing(onRecord("wf.x.y", nodegraph.DAG, runs), onRecord("wf.x.y.a", nodegraph.Pod, runs), onRecord("wf.x.c", nodegraph.Pod, runs)),
		calls:  told(propagate.PodSucceeded("wf.x.y.a"))},
	{text: "dag(x: dag(y: dag(a exit pod), c))", phase: runs, node: "wf.x.y", want: "DAG 7: Succeeded",
		record: closing(onRecord("wf.x.y", nodegraph.DAG, runs), onRecord("wf.x.y.a", nodegraph.Pod, runs), onRecord("wf.x.c", nodegraph.Pod, runs)),
		calls:  told(propagate.PodSucceeded("wf.x.y.a"))},
	{text: "dag(y: dag(a -> b), c)", phase: runs, node: "wf.y", want: "Composite 7: Failed, closed: what it is inside of has ended",
		record: []nodegraph.Recorded{onRecord("wf", nodegraph.DAG, nodegraph.Error), onRecord("wf.y", nodegraph.DAG, runs), onRecord("wf.y.a", nodegraph.Pod, ended), onRecord("wf.c", nodegraph.Pod, runs)}},
	// What is not inside of what only ends goes on.
	{text: "dag(x: dag(a), y: dag(b -> c))", set: one, phase: runs, node: "wf.y", want: "DAG 3: Running, by wf.y.c",
		record: closing(onRecord("wf.x.a", nodegraph.Pod, runs), onRecord("wf.y", nodegraph.DAG, runs), onRecord("wf.y.b", nodegraph.Pod, ended))},
}

func TestComposite(t *testing.T) { chapter(t, compositeScenes) }
