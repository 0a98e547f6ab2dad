package rule_test

import (
	"testing"
	"time"

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

// invalidHook is said of a node with the hook "1 ==".
const invalidHook = "nodegraph: hook expression \"1 ==\": unexpected token EOF (1:4)\n | 1 ==\n | ...^"

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
	{text: "dag(a: http over [i], b)", set: broken("http"), node: "wf.a", want: "Planned 12: Error, no image"},
	{text: "dag(a, b)", set: withHook("a", "1 =="), node: "wf.a", want: "Planned 12: Error, " + invalidHook},
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
	{text: "dag(a, b)", set: withHook("a", "tasks.a.outputs.result == '1'"), calls: told(running("wf.a")), node: "wf.a.hooks.h", want: "Planned 17: planned"},
	{text: "dag(a, b)", set: withHook("a", "tasks.a.outputs.result == '1'"),
		calls: eachTold(running("wf.a"), propagate.Resolved("wf.a.hooks.h", false, "")), node: "wf.a.hooks.h", want: "Planned 9: planned, fulfilled true"},
	{text: "steps(a | b)", set: unresolved("main"), calls: told(propagate.Resolved("wf", true, "")), node: "wf[0]", want: "StepGroup 1: Running, by wf[0].a"},
	{text: "dag(a when `1 == 2`)", node: "wf.a", want: "Planned 18: Skipped, when '1 == 2' evaluated false"},
	{text: "dag(a, b)", set: one, node: "wf.b", want: "Planned 19: planned"},
	{text: "dag(a, b over [i])", set: one, node: "wf.b(0:i)", want: "Planned 19: planned"},
}

// withHook gives the task of this name a hook called h with this expression.
func withHook(task, expression string) func(*nodegraph.Spec) {
	return hooks(task + ".h: " + expression)
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

// The question about a node names all that only the host knows of it: its condition, or the expression of which it is the hook, and the
// fields of its template.
func TestWhatTheHostIsAskedBeforeANodeStarts(t *testing.T) {
	both := func(spec *nodegraph.Spec) {
		template(spec, "http").Unresolved = []nodegraph.Unresolved{{Field: "timeout", Text: "{{x}}"}, {Field: "daemon", Text: "{{y}}"}}
	}
	hooked := func(spec *nodegraph.Spec) {
		withHook("a", "tasks.a.outputs.result == '1'")(spec)
		template(spec, "h").Unresolved = []nodegraph.Unresolved{{Field: "timeout", Text: "{{y}}"}}
	}
	for _, c := range []struct {
		text  string
		set   func(*nodegraph.Spec)
		event propagate.Event
		node  string
		asked string
	}{
		{"dag(a when `{{x}} == 1`)", nil, propagate.Suspended(false), "wf.a", "{{x}} == 1"},
		{"dag(a: http)", both, propagate.Suspended(false), "wf.a", "timeout: {{x}}; daemon: {{y}}"},
		{"dag(a: http when `{{x}} == 1`)", unresolved("http"), propagate.Suspended(false), "wf.a", "when: {{x}} == 1; timeout: {{x}}"},
		{"dag(a: http when `1 == 1`)", unresolved("http"), propagate.Suspended(false), "wf.a", "timeout: {{x}}"},
		{"dag(a, b)", hooked, running("wf.a"), "wf.a.hooks.h", "expression: tasks.a.outputs.result == '1'; timeout: {{y}}"},
	} {
		spec, err := nodegraph.Parse(c.text)
		require.NoError(t, err)
		if c.set != nil {
			c.set(spec)
		}
		e, err := propagate.New(spec)
		require.NoError(t, err)
		first, err := e.Apply(epoch)
		require.NoError(t, err)
		second, err := e.Apply(epoch, c.event)
		require.NoError(t, err)
		asked := ""
		for _, a := range append(first.Actions, second.Actions...) {
			if a.Type == propagate.ActionResolve && a.Name == c.node {
				asked = a.Message
			}
		}
		require.Equal(t, c.asked, asked, "what the host is asked about %s in %s", c.node, c.text)
	}
}

// A task that was omitted after what may have no hook any more is looked at again when that runs anew.
func TestOmittedAfterAHookThatHasEnded(t *testing.T) {
	s := scene{text: "dag(a exit pod -> b, c)", calls: eachTold(running("wf.a").WithPod("1", epoch), failed("wf.a").WithPod("1", epoch),
		succeeded("wf.a.onExit"), succeeded("wf.a").WithPod("2", epoch.Add(time.Second)))}
	require.Equal(t, "Pod 11: Pending", verdict(t, s.play(t), "wf.b"), "wf.b was omitted after wf.a had failed, and a newer pod of that succeeded")
}

// Daemon means nothing in a template that makes no pods: what comes after such a node is decided as after any other.
func TestDaemonOfWhatIsNoPod(t *testing.T) {
	everywhere := func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.Daemon = template.Kind != nodegraph.KindPod
		}
	}
	older, newer := epoch, epoch.Add(time.Second)
	for _, s := range []scene{
		{text: "dag(x: dag(a) -> b, c)", node: "wf.b", want: "Pod 11: Pending", calls: eachTold(running("wf.x.a").WithPod("1", older),
			failed("wf.x.a").WithPod("1", older), succeeded("wf.x.a").WithPod("2", newer))},
		{text: "dag(x: retry(1, dag(a)), b)", node: "wf.x", want: "Retry 2: Running, by wf.x(0)", calls: eachTold(running("wf.x(0).a"), succeeded("wf.b"))},
		{text: "dag(x: dag(a) over [i] -> b, c)", node: "wf.x", want: "TaskGroup 1: Running, by wf.x(0:i)", calls: eachTold(
			running("wf.x(0:i).a").WithPod("1", older), succeeded("wf.x(0:i).a").WithPod("1", older), running("wf.x(0:i).a").WithPod("2", newer))},
	} {
		s.set = everywhere
		require.Equal(t, s.want, verdict(t, s.play(t), s.node), "%s in %s, whose DAGs say daemon", s.node, s.text)
	}
}

func TestPlanned(t *testing.T) { chapter(t, plannedScenes) }
