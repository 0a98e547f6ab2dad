package rule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// hook gives the workflow a hook with this expression.
func hook(expression string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		spec.Templates = append(spec.Templates, &nodegraph.Template{Name: "h", Kind: nodegraph.KindPod})
		spec.Hooks = []nodegraph.Hook{{Name: "h", Template: "h", Expression: expression}}
	}
}

// The hooks of the workflow see what has become of the entry node. One that was skipped has succeeded.
func TestTheStatusThatHooksOfTheWorkflowSee(t *testing.T) {
	skipped := onRecord("wf", nodegraph.KindSkipped, nodegraph.PhaseSkipped)
	for _, c := range []struct {
		scene
		status string
	}{
		{scene{text: "pod"}, "Pending"},
		{scene{text: "pod", calls: told(running("wf"))}, "Running"},
		{scene{text: "pod", calls: told(succeeded("wf"))}, "Succeeded"},
		{scene{text: "pod", calls: told(failed("wf"))}, "Failed"},
		{scene{text: "pod", phase: nodegraph.PhaseRunning, record: []nodegraph.NodeStatus{skipped}}, "Succeeded"},
	} {
		for _, status := range []string{"Pending", "Running", "Succeeded", "Failed", "Skipped"} {
			c.set = hook(`workflow.status == "` + status + `"`)
			e := c.play(t)
			due := status == c.status && status != "Pending" // nothing runs before the entry node does
			require.Equal(t, due, e.Graph().Find("wf.hooks.h") != nodegraph.None, "%s: %v", status, c.scene.calls)
		}
	}
}

// hooks gives tasks and steps hooks, each drawn as "a.h: expression"; the exit hook is called exit and may do without one.
func hooks(drawn ...string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, text := range drawn {
			at, expression, _ := strings.Cut(text, ": ")
			task, name, _ := strings.Cut(at, ".")
			for _, in := range spec.Templates {
				for _, tasks := range append([][]nodegraph.Task{in.Tasks}, in.Steps...) {
					for k := range tasks {
						if tasks[k].Name == task {
							tasks[k].Hooks = append(tasks[k].Hooks, nodegraph.Hook{Name: name, Template: "h", Expression: expression})
						}
					}
				}
			}
		}
		spec.Templates = append(spec.Templates, &nodegraph.Template{Name: "h", Kind: nodegraph.KindPod})
	}
}

// none is what is expected of a hook that is not due.
const none = "none"

// A hookScene ends with the verdict on a hook, or on what comes of it.
type hookScene struct {
	why string
	scene
}

var hookScenes = []hookScene{
	{"two hooks may be due at once", scene{text: "dag(a)", set: hooks(`a.h: tasks.a.status == "Running"`, `a.i: tasks.a.status == "Running"`),
		calls: told(running("wf.a")), node: "wf.a.hooks.i", want: "Pod 11: Pending"}},
	{"a hook of a task waits for none of another", scene{text: "dag(a, b)", set: hooks(`a.h: tasks.a.status == "Running"`, `b.h: tasks.b.status == "Running"`),
		calls: told(running("wf.a"), running("wf.b")), node: "wf.b.hooks.h", want: "Pod 11: Pending"}},
	{"a hook of a step waits for two of the step before it", scene{text: "steps(a, b)",
		set:   hooks(`a.h: steps.a.status == "Running"`, `a.i: steps.a.status == "Running"`, `b.h: steps.b.status == "Running"`),
		calls: told(running("wf[0].a"), running("wf[0].b")), node: "wf[0].b.hooks.h", want: none}},
	{"another hook that is declared first is no exit hook", scene{text: "dag(a, b)", set: hooks(`a.a: tasks.a.status == "Failed"`, "a.exit"),
		calls: told(succeeded("wf.a")), node: "wf.a.onExit", want: "Pod 11: Pending"}},
	{"the exit hook of the workflow may stand among its hooks", scene{text: "dag(a)", set: func(spec *nodegraph.Spec) {
		spec.Hooks = []nodegraph.Hook{{Name: nodegraph.ExitHook, Template: "pod"}}
	}, calls: told(succeeded("wf.a")), node: "wf.onExit", want: "Pod 11: Pending"}},
	{"one expression of several is none", scene{text: "dag(a, b)", set: hooks(`a.h: tasks.a.status == "Running"`, "a.i: 1 =="),
		node: "wf.a", want: "Planned 12: Error, " + invalidHook}},
	{"nobody but the host knows an exit code that no event told", scene{text: "dag(a, b)", set: hooks(`a.exit: tasks.a.exitCode == "0"`),
		calls: told(failed("wf.a")), node: "wf.a.onExit", want: "Planned 17: planned"}},
	{"what has not ended has no exit code, and nobody is asked for it", scene{text: "dag(a)", set: hooks(`a.h: (tasks.a.exitCode ?? "") == ""`),
		calls: told(running("wf.a")), node: "wf.a.hooks.h", want: "Pod 11: Pending"}},

	{"no hook is due in the entry node, which had ended, because the status of the workflow is another now", scene{text: `dag(a when "1 == 2") exit pod`,
		set: hooks(`a.h: workflow.status == "Running"`), calls: told(running("wf.onExit")), node: "wf.a.hooks.h", want: none}},
	{"no hook is due inside what only ends, and nothing waits for it", scene{text: "steps(x: dag(a exit pod), c)", phase: runs, calls: told(succeeded("wf[0].x.a")),
		record: []nodegraph.NodeStatus{onRecord("wf", nodegraph.KindSteps, runs), onRecord("wf[0]", nodegraph.KindStepGroup, nodegraph.PhaseError),
			dag("wf[0].x", runs), pod("wf[0].x.a", runs), pod("wf[0].c", runs)}, node: "wf[0].x", want: "DAG 7: Succeeded"}},
	{"a daemon was Running as it ended with its boundary", scene{text: "steps(d: daemon | c)", set: hooks(`c.h: steps.d.status == "Pending"`),
		calls: eachTold(running("wf[0].d"), succeeded("wf[1].c")), node: "", want: "Workflow 9: Succeeded, by wf"}},
	{"no exit hook waits for a hook inside its owner, which failed fast over that", scene{text: "dag(a) exit pod", set: func(spec *nodegraph.Spec) {
		hooks(`a.h: tasks.a.status == "Failed"`)(spec)
		template(spec, "main").FailFast = true
	}, calls: told(failed("wf.a")), node: "wf.onExit", want: "Pod 11: Pending"}},

	{"what comes after a task waits for a hook that is due as that ends", scene{text: "dag(a -> c)", set: hooks(`a.h: tasks.a.status == "Failed"`),
		calls: told(failed("wf.a")), node: "wf.c", want: "Planned 5: planned, by wf.a.hooks.h"}},
	{"what comes after a loop waits for a hook that is due as that ends", scene{text: "dag(a over [i] -> c)", set: hooks(`a.h: tasks.a.status == "Failed"`),
		calls: told(failed("wf.a(0:i)")), node: "wf.c", want: "Planned 5: planned, by wf.a.hooks.h"}},
	{"what comes after a loop without hooks of items does not wait for its exit hook", scene{text: "dag(a when `1 == 2` over [i] exit pod, c depends `a.Errored`)",
		calls: told(), node: "wf.c", want: "Planned 6: Omitted, by wf.a, omitted: depends condition not met"}},
	{"the exit hook of a loop does not come once more after a manual retry in which nothing runs", scene{text: "dag(a: dag(x: http) over [i] exit pod)",
		set: broken("http"), calls: eachTold(succeeded("wf.a(0:i).onExit"), succeeded("wf.a.onExit"), propagate.ManualRetry()),
		node: "", want: "Workflow 7: Error, by wf"}},

	{"what was omitted stays so if a hook may be due yet", scene{text: "dag(a, c depends `a.Failed`, z)", set: hooks(`a.h: tasks.a.status == "Failed"`),
		calls: told(succeeded("wf.a")), node: "wf.c", want: "Planned 4: Omitted, by wf.a, omitted: depends condition not met"}},
	{"what was omitted follows from its depends if the hook has ended", scene{text: "dag(a -> c, z)", set: hooks(`a.h: tasks.a.status == "Failed"`),
		calls: eachTold(failed("wf.a"), succeeded("wf.a.hooks.h")), node: "wf.c", want: "Planned 6: Omitted, by wf.a, omitted: depends condition not met"}},
	{"what was omitted follows from its depends if the exit hook was not due", scene{text: "dag(a, c depends `a.Failed`, z)", set: hooks(`a.exit: tasks.a.status == "Failed"`),
		calls: told(succeeded("wf.a")), node: "wf.c", want: "Planned 6: Omitted, by wf.a, omitted: depends condition not met"}},
}

func TestHooks(t *testing.T) {
	for _, s := range hookScenes {
		t.Run(s.why, func(t *testing.T) {
			e := s.play(t)
			if s.want == none {
				require.Equal(t, nodegraph.None, e.Graph().Find(s.node), "%s in %s: %s", s.node, s.text, s.why)
				return
			}
			require.Equal(t, s.want, verdict(t, e, s.node), "%s in %s: %s", s.node, s.text, s.why)
		})
	}
}

// The exit hook of a loop starts after those of its items, even where they are due in the same call: a daemon of the loop ends in the
// call after the one in which the group ended.
func TestExitHookOfALoopStartsAfterThoseOfItems(t *testing.T) {
	s := scene{text: "dag(d: daemon over [i] exit pod)", calls: told(running("wf.d(0:i)"))}
	e := s.play(t)
	r, err := e.Apply(epoch, succeeded("wf.d(0:i)"))
	require.NoError(t, err)
	var starts []string
	for _, a := range r.Actions {
		starts = append(starts, a.String())
	}
	require.Equal(t, []string{"Start Pod wf.d(0:i).onExit", "Start Pod wf.d.onExit"}, starts)
}

// The exit hook of a loop comes a call later, and nobody who came after the loop has waited for it: what was omitted by then was not
// omitted anew.
func TestExitHookOfALoopChangesNothingAfterIt(t *testing.T) {
	s := scene{text: "dag(a when `1 == 2` over [i] exit pod, c depends `a.Errored`)", calls: []call{{after: time.Second}}}
	e := s.play(t)
	require.NotEqual(t, nodegraph.None, e.Graph().Find("wf.a.onExit"), "the exit hook is due in the second call")
	require.Equal(t, epoch, e.Fact(e.Graph().Find("wf.c")).Finished, "wf.c was omitted in the first")
}

// Nobody asks for a call that is to start the exit hook of a loop in a DAG that was seen to have ended: none is due there.
func TestExitHookOfALoopInWhatWasSeenToHaveEnded(t *testing.T) {
	s := scene{text: "dag(a over [i] exit pod, b when `{{x}} == 1`) exit pod", calls: told(failed("wf.a(0:i)"))}
	s.set = func(spec *nodegraph.Spec) {
		hooks(`b.h: workflow.status == "Error"`)(spec)
		template(spec, "main").FailFast = true
	}
	e := s.play(t)
	require.Equal(t, "DAG 1: Failed, by wf.a(0:i), "+fast, verdict(t, e, "wf"))
	r, err := e.Apply(epoch)
	require.NoError(t, err)
	require.Empty(t, r.Actions)
}
