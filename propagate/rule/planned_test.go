package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// one lets one pod of the workflow run at a time.
func one(spec *nodegraph.Spec) { spec.Parallelism = 1 }

// broken makes the template of this name one that can't run.
func broken(name string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { template(spec, name).Err = "no image" }
}

// unresolved leaves the timeout of a template to the host.
func unresolved(name string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		template(spec, name).Unresolved = []nodegraph.Unresolved{{Field: "timeout", Text: "{{x}}"}}
	}
}

// endless is a DAG that is inside itself.
func endless(spec *nodegraph.Spec) { template(spec, "main").Tasks[0].Template = "main" }

var plannedScenes = []scene{
	{text: "dag(a, b over `{{x}}`)", calls: eachTold(propagate.Suspended(true), propagate.Expanded("wf.b", nodegraph.Item{Text: "i"})),
		node: "wf.b(0:i)", want: "Planned 1: planned, by wf.b"},
	{text: "dag(a when `{{x}} == 1`)", calls: told(propagate.Unanswerable("wf.a", "no x")),
		node: "wf.a", want: "Planned 2: Error, no x"},
	{text: "dag(a, b)", set: targets("a"), node: "wf.b", want: "Planned 3: planned"},
	{text: "dag(d: daemon, a depends `d.Failed`, b)", calls: eachTold(running("wf.d"), failed("wf.d")), node: "wf.a",
		want: "Planned 4: Omitted, by wf.d, omitted: depends condition not met"},
	{text: "dag({a, b} -> c, d)", calls: told(succeeded("wf.a"), failed("wf.b")), node: "wf.c",
		want: "Planned 6: Omitted, by wf.b, omitted: depends condition not met"},
	{text: "dag(a, b depends `a && !a`, c)", calls: told(succeeded("wf.a")), node: "wf.b",
		want: "Planned 6: Omitted, by wf.a, omitted: depends condition not met"},
	{text: "dag({a, b} -> c)", calls: told(succeeded("wf.a")), node: "wf.c", want: "Planned 5: planned, by wf.b"},
	{text: "dag(a exit pod -> b)", calls: told(succeeded("wf.a")), node: "wf.b", want: "Planned 5: planned, by wf.a.onExit"},
	{text: "dag(a)", set: locked, node: "wf", want: "Planned 7: planned, by the workflow"},
	{text: "steps(a | b)", node: "wf[1]", want: "Planned 8: planned, by wf[0]"},
	{text: "steps(a | b | c)", calls: told(failed("wf[0].a")), node: "wf[1]", want: "Planned 8: planned, by wf[0]"},
	{text: "steps(a over `{{x}}`)", calls: told(propagate.Expanded("wf[0].a", nodegraph.Item{Text: "i"})),
		node: "wf[0].a", want: "Planned 9: planned, fulfilled true, by wf[0]"},
	{text: "dag(a over `{{x}}`, b)", record: []nodegraph.NodeStatus{onRecord("wf", nodegraph.KindDAG, runs), noItems("wf.a")}, phase: runs, node: "wf.a",
		want: "Planned 10: Skipped, Skipped, empty params"},
	{text: "dag(a when `{{x}} == 1`)", calls: told(propagate.Resolved("wf.a", false, "2 == 1")),
		node: "wf.a", want: "Planned 11: Skipped, when '2 == 1' evaluated false"},
	{text: "dag(a: http, b)", set: broken("http"), node: "wf.a", want: "Planned 12: Error, no image"},
	{text: "dag(a)", set: endless, limits: nodegraph.Limits{Nesting: 2},
		node: "wf.a.a.a", want: "Planned 13: Error, Maximum recursion depth exceeded. See https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth"},
	{text: "dag(a over [])", node: "wf.a", want: "Planned 14: Skipped, Skipped, empty params"},
	{text: "dag(a over `{{x}}`)", calls: told(propagate.Expanded("wf.a")),
		node: "wf.a", want: "Planned 14: Skipped, Skipped, empty params"},
	{text: "dag(a over `{{x}}` when `1 == 2`)", node: "wf.a", want: "Planned 14: Skipped, Skipped, empty params"},
	{text: "dag(a over `{{x}}` when `1 == 1`)", node: "wf.a", want: "Planned 15: planned"},
	{text: "dag(a when `1 ==`)",
		node: "wf.a", want: "Planned 16: Error, Invalid 'when' expression '1 ==': unexpected end of expression"},
	{text: "dag(a when `{{x}} == 1`)", node: "wf.a", want: "Planned 17: planned"},
	{text: "dag(a: http, b)", set: unresolved("http"), node: "wf.a", want: "Planned 17: planned, only the host knows timeout: {{x}}"},
	{text: "dag(a when `1 == 2`)", node: "wf.a", want: "Planned 18: Skipped, when '1 == 2' evaluated false"},
	{text: "dag(a, b)", set: one, node: "wf.b", want: "Planned 19: planned"},
	{text: "dag(a, b over [i])", set: one, node: "wf.b(0:i)", want: "Planned 19: planned"},
}

// noItems is a node that was skipped for want of items.
func noItems(name string) nodegraph.NodeStatus {
	r := onRecord(name, nodegraph.KindSkipped, nodegraph.PhaseSkipped)
	r.Message = "Skipped, empty params"
	return r
}

// targets are the targets of the entry template.
func targets(names ...string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) { template(spec, "main").Targets = names }
}

// The items of a loop that was not started yet are not to be started either.
func TestItemsOfALoopThatWasNotStarted(t *testing.T) {
	s := scene{text: "dag(a, b over `{{x}}`)", calls: eachTold(propagate.Suspended(true), propagate.Expanded("wf.b", nodegraph.Item{Text: "i"}))}
	e := s.play(t)
	var waits []string
	for _, o := range e.Obligations() {
		waits = append(waits, o.String())
	}
	require.Equal(t, []string{"wf.a: start", "wf.b: unsuspend"}, waits)
}

func TestPlanned(t *testing.T) { chapter(t, plannedScenes) }
