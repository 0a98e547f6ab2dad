package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// failsFast makes the template of this name fail fast.
func failsFast(name string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { template(spec, name).FailFast = true }
}

const fast = "template has failed or errored children and failFast enabled"

var dagScenes = []scene{
	{text: "dag(x: dag(a continueOnFailed), b)", set: failsFast("x"), calls: told(failed("wf.x.a")),
		node: "wf.x", want: "DAG 1: Failed, by wf.x.a, " + fast},
	{text: "dag(x: dag(a, b -> c), d)", set: failsFast("x"), calls: told(failed("wf.x.a"), succeeded("wf.x.b")),
		node: "wf.x", want: "DAG 1: Failed, by wf.x.a, " + fast},
	{text: "dag(x: dag(d: daemon, a, b -> c), e)", set: failsFast("x"), calls: told(running("wf.x.d"), failed("wf.x.a"), succeeded("wf.x.b")),
		node: "wf.x", want: "DAG 2: Failed, by wf.x.a, " + fast},
	{text: "dag(x: dag(a, b -> c), d)", set: failsFast("x"), calls: told(failed("wf.x.a")),
		node: "wf.x", want: "DAG 3: Running, by wf.x.b"},
	{text: "dag(a exit pod, b)", calls: told(succeeded("wf.a"), succeeded("wf.b")),
		node: "wf", want: "DAG 3: Running, by wf.a.onExit"},
	{text: "dag(x: dag(a -> b), c)", calls: told(running("wf.x.a"), running("wf.c"), propagate.Shutdown("Stop")),
		node: "wf.x", want: "DAG 4: Failed"},
	{text: "dag(a, b, c)", calls: told(failed("wf.a"), succeeded("wf.b"), failed("wf.c")),
		node: "wf", want: "DAG 5: Failed, by wf.a"},
	{text: "dag(a -> b -> c)", calls: told(failed("wf.a")), node: "wf", want: "DAG 6: Failed, by wf.a"},
	{text: "dag(a -> b)", calls: eachTold(succeeded("wf.a"), succeeded("wf.b")), node: "wf", want: "DAG 7: Succeeded"},
}

// lost is a pod that ran and is gone.
func lost(node string) []propagate.Event {
	return []propagate.Event{running(node), deleted(node)}
}

// In DAGs whose last task was skipped or omitted the nearest failure before it counts: the phase and the task.
var branchScenes = []scene{
	{text: "dag({a, b} -> c)", calls: told(failed("wf.a"), failed("wf.b")), want: "DAG 6: Failed, by wf.a"},
	{text: "dag({b, a} -> c)", calls: told(failed("wf.a"), failed("wf.b")), want: "DAG 6: Failed, by wf.b"},
	{text: "dag(a, b, c depends `b && a`)", calls: told(failed("wf.a"), failed("wf.b")), want: "DAG 6: Failed, by wf.b"},
	{text: "dag(a -> b -> c, d -> c)", calls: told(failed("wf.a"), failed("wf.d")), want: "DAG 6: Failed, by wf.d"},
	// Of several as near the first in the order of visits: what an earlier target comes after is visited before.
	{text: "dag(a, before depends `a.Failed`, b, c depends `b && a`)", calls: eachTold(failed("wf.a"), failed("wf.b"), succeeded("wf.before")),
		want: "DAG 6: Failed, by wf.a"},
	{text: "dag(a -> x, before depends `a.Failed`, b, c depends `b && x`)", calls: eachTold(failed("wf.a"), failed("wf.b"), succeeded("wf.before")),
		want: "DAG 6: Failed, by wf.b"},
	// What ran ends the path.
	{text: "dag(a, b depends `a.Failed`, c depends `b.Failed`)", calls: eachTold(failed("wf.a"), succeeded("wf.b")),
		want: "DAG 7: Succeeded"},
	// A failure that its own continueOn and that of the target cover does not count.
	{text: "dag(a continueOnFailed, b depends `a.Succeeded`)", calls: told(failed("wf.a")), want: "DAG 6: Failed, by wf.a"},
	{text: "dag(a continueOnFailed, b depends `a.Succeeded` continueOnFailed)", calls: told(failed("wf.a")),
		want: "DAG 7: Succeeded"},
	{text: "dag(a continueOnFailed, b depends `a.Succeeded` continueOnError)", calls: told(failed("wf.a")),
		want: "DAG 6: Failed, by wf.a"},
	{text: "dag(a, b depends `a.Succeeded` continueOnFailed)", calls: told(failed("wf.a")), want: "DAG 6: Failed, by wf.a"},
	{text: "dag(a continueOnError, b depends `a.Succeeded`)", calls: told(lost("wf.a")...), want: "DAG 6: Error, by wf.a"},
	{text: "dag(a continueOnError, b depends `a.Succeeded` continueOnError)", calls: told(lost("wf.a")...),
		want: "DAG 7: Succeeded"},
	{text: "dag(a continueOnError, b depends `a.Succeeded` continueOnFailed)", calls: told(lost("wf.a")...),
		want: "DAG 6: Error, by wf.a"},
	{text: "dag(a, b depends `a.Succeeded` continueOnError)", calls: told(lost("wf.a")...), want: "DAG 6: Error, by wf.a"},
}

func TestBranches(t *testing.T) {
	for k := range branchScenes {
		branchScenes[k].node = "wf"
	}
	chapter(t, branchScenes)
}

func TestDAG(t *testing.T) { chapter(t, dagScenes) }
