package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

var stepsScenes = []scene{
	{text: "dag(x: steps(a continueOnFailed), b)", set: failsFast("x"), calls: told(failed("wf.x[0].a")),
		node: "wf.x", want: "Steps 1: Failed, by wf.x[0].a, " + fast},
	{text: "dag(x: steps(d: daemon, a continueOnFailed | b), c)", set: failsFast("x"), calls: told(running("wf.x[0].d"), failed("wf.x[0].a")),
		node: "wf.x", want: "Steps 2: Failed, by wf.x[0].a, " + fast},
	{text: "steps(a | b)", node: "", want: "Workflow 5: Running, by wf"},
	{text: "steps(a | b)", calls: told(succeeded("wf[0].a")), node: "wf", want: "Steps 3: Running, by wf[1]"},
	{text: "steps(a, b | c)", calls: told(propagate.PodFailed("wf[0].b", "boom"), succeeded("wf[0].a")),
		node: "wf", want: "Steps 4: Failed, by wf[0], child 'wf-4002989834' failed"},
	{text: "steps(a)", calls: told(succeeded("wf[0].a")), node: "wf", want: "Steps 5: Succeeded"},
}

var stepGroupScenes = []scene{
	{text: "steps(a, b)", calls: told(succeeded("wf[0].a")), node: "wf[0]", want: "StepGroup 1: Running, by wf[0].b"},
	{text: "steps(a exit pod)", calls: told(succeeded("wf[0].a")), node: "wf[0]", want: "StepGroup 1: Running, by wf[0].a.onExit"},
	{text: "steps(a continueOnFailed)", calls: told(failed("wf[0].a")), node: "wf[0]", want: "StepGroup 2: Succeeded"},
	{text: "steps(d: daemon, a)", calls: eachTold(running("wf[0].d"), failed("wf[0].d"), succeeded("wf[0].a")),
		node: "wf[0]", want: "StepGroup 4: Failed, by wf[0].d, child 'wf-3902324120' failed"},
	{text: "steps(d: daemon | a | b)", calls: eachTold(running("wf[0].d"), failed("wf[0].d")),
		node: "wf[0]", want: "StepGroup 4: Failed, by wf[0].d, child 'wf-3902324120' failed"},
	{text: "steps(d: daemon | a | b)", calls: eachTold(running("wf[0].d"), failed("wf[0].d")), node: "wf", want: "Steps 3: Running, by wf[1]"},
	{text: "steps(d: daemon | a | b)", calls: eachTold(running("wf[0].d"), failed("wf[0].d"), succeeded("wf[1].a")),
		node: "wf[2]", want: "Planned 8: planned, by wf[0]"},
	{text: "steps(d: daemon | a | b)", calls: eachTold(running("wf[0].d"), failed("wf[0].d"), succeeded("wf[1].a")),
		node: "wf", want: "Steps 4: Failed, by wf[0], child 'wf-3902324120' failed"},
	{text: "steps(d: retry(1, daemon) | a | b)", calls: eachTold(running("wf[0].d(0)"), failed("wf[0].d(0)")), node: "wf[0]", want: "StepGroup 2: Succeeded"},
	{text: "steps(d: retry(1, daemon) | a | b)", calls: eachTold(running("wf[0].d(0)"), failed("wf[0].d(0)")), node: "wf[0].d(1)", want: "Pod 11: Pending"},
	{text: "steps(d: daemon exit pod | a | b)", calls: eachTold(running("wf[0].d"), failed("wf[0].d")),
		node: "wf[0]", want: "StepGroup 4: Failed, by wf[0].d, child 'wf-3902324120' failed"},
	{text: "steps(a when `1 ==`, b)", calls: told(failed("wf[0].b")),
		node: "wf[0]", want: "StepGroup 3: Error, by wf[0].a, Invalid 'when' expression '1 ==': unexpected end of expression"},
	{text: "steps(a: dag(x))", set: func(spec *nodegraph.Spec) { template(spec, "main").Steps[0][0].Template = "main" }, limits: nodegraph.Limits{Nesting: 2},
		node: "wf[0].a[0].a[0]", want: "StepGroup 4: Failed, by wf[0].a[0].a[0].a, child 'wf-2815982653' failed"},
	{text: "steps(a, b)", calls: told(failed("wf[0].a"), failed("wf[0].b")),
		node: "wf[0]", want: "StepGroup 4: Failed, by wf[0].a, child 'wf-3986212215' failed"},
}

func TestSteps(t *testing.T)     { chapter(t, stepsScenes) }
func TestStepGroup(t *testing.T) { chapter(t, stepGroupScenes) }
