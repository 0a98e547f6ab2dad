package propagate_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// hooked starts a drawn workflow whose tasks or steps b have a hook with this expression.
func hooked(t *testing.T, text, expression string) *propagate.Engine {
	t.Helper()
	return drawnWith(t, text, hookOfB(expression))
}

// hookOfB gives the tasks and steps b a hook with this expression.
func hookOfB(expression string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			for _, tasks := range append([][]nodegraph.Task{template.Tasks}, template.Steps...) {
				for k := range tasks {
					if task := &tasks[k]; task.Name == "b" {
						task.Hooks = []nodegraph.Hook{{Name: "h", Template: task.Template, Expression: expression}}
					}
				}
			}
		}
	}
}

// The expression of a hook may name what its task comes after. Anything else may end before the task begins or after it: the host
// is asked whether it holds.
func TestHookNamesWhatComesBefore(t *testing.T) {
	succeeded, failed := propagate.PodSucceeded, func(node string) propagate.Event { return propagate.PodFailed(node, "") }
	for _, c := range []struct {
		name, text, expression string
		events                 []propagate.Event
		b, hook                string
	}{
		{"a task before", `dag(a, b depends "a || a.Failed")`, `tasks.a.status == "Failed"`, []propagate.Event{failed("wf.a")}, "wf.b", "starts"},
		{"that ended otherwise", `dag(a, b depends "a || a.Failed")`, `tasks.a.status == "Failed"`, []propagate.Event{succeeded("wf.a")}, "wf.b", ""},
		{"a task long before", "dag({a, c} -> {d, e} -> b)", `tasks["a"].status == "Succeeded"`,
			[]propagate.Event{succeeded("wf.a"), succeeded("wf.c"), succeeded("wf.d"), succeeded("wf.e")}, "wf.b", "starts"},
		{"a task beside", "dag(a, b, hold: suspend)", `tasks.a.status == "Succeeded"`, []propagate.Event{succeeded("wf.a")}, "wf.b", "asks"},
		{"a task after", "dag(b -> a)", `tasks.a.status == ""`, nil, "wf.b", "asks"},
		{"a task of no name", "dag(a -> b)", `tasks.nobody.status == ""`, []propagate.Event{succeeded("wf.a")}, "wf.b", "asks"},
		{"a loop before a loop", "dag(a over [i] -> b over [j])", `tasks.a.status == "Succeeded"`, []propagate.Event{succeeded("wf.a(0:i)")}, "wf.b", "starts"},
		{"a step before", "steps(a, c | d | b)", `steps.a.status == "Succeeded"`,
			[]propagate.Event{succeeded("wf[0].a"), succeeded("wf[0].c"), succeeded("wf[1].d")}, "wf[2].b", "starts"},
		{"the second of the steps before", "steps(c, a continueOnFailed | b)", `steps.a.status == "Failed"`,
			[]propagate.Event{succeeded("wf[0].c"), failed("wf[0].a")}, "wf[1].b", "starts"},
		{"a step before an item", "steps(a | b over [j])", `steps.a.status == "Succeeded"`, []propagate.Event{succeeded("wf[0].a")}, "wf[1].b(0:j)", "starts"},
		{"a step before one that has a hook", "steps(a | c exit pod | b)", `steps.a.status == "Succeeded"`,
			[]propagate.Event{succeeded("wf[0].a"), succeeded("wf[1].c"), succeeded("wf[1].c.onExit")}, "wf[2].b", "starts"},
		{"a step beside", "steps(a, b)", `steps.a.status == "Succeeded"`, []propagate.Event{succeeded("wf[0].a")}, "wf[0].b", "asks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := hooked(t, c.text, c.expression)
			for _, ev := range c.events {
				tell(t, e, ev)
			}
			if b := e.Graph().Find(c.b); e.Graph().Node(b).Kind == nodegraph.KindPod {
				tell(t, e, propagate.PodRunning(c.b))
			}
			hook := ""
			if h := e.Graph().Find(c.b + ".hooks.h"); h != nodegraph.None {
				hook = map[bool]string{true: "starts", false: "asks"}[e.Exists(h)]
			}
			require.Equal(t, c.hook, hook, "the hook of %s", c.b)
			require.NoError(t, reloaded(t, e).Check())
		})
	}
}

// A hook other than the exit hook starts while its task runs or once it has ended, the exit hook once that has ended with
// its results; both only if their expression holds.
func TestHookStartsWhenItsTaskDoes(t *testing.T) {
	ended := propagate.PodSucceeded("wf.b")
	for _, c := range []struct {
		name       string
		hook       string
		expression string
		events     []propagate.Event
		starts     bool
	}{
		{"the task waits", "h", `workflow.status == "Running"`, []propagate.Event{propagate.PodPending("wf.b", "")}, false},
		{"the task runs", "h", `workflow.status == "Running"`, []propagate.Event{propagate.PodRunning("wf.b")}, true},
		{"the task has ended before it was seen to run", "h", `workflow.status == "Running"`, []propagate.Event{ended}, true},
		{"an exit hook without an expression", nodegraph.ExitHook, "", []propagate.Event{ended}, true},
		{"an exit hook while the results are on their way", nodegraph.ExitHook, "", []propagate.Event{propagate.ResultPending("wf.b"), ended}, false},
		{"an exit hook whose expression holds", nodegraph.ExitHook, `tasks.b.status == "Succeeded"`, []propagate.Event{ended}, true},
		{"an exit hook whose expression does not hold", nodegraph.ExitHook, `tasks.b.status == "Failed"`, []propagate.Event{ended}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawnWith(t, "dag(b, hold: suspend)", func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					if template.Kind == nodegraph.KindDAG {
						b := &template.Tasks[0]
						b.Hooks = []nodegraph.Hook{{Name: c.hook, Template: b.Template, Expression: c.expression}}
					}
				}
			})
			tell(t, e, c.events...)
			node := map[string]string{"h": "wf.b.hooks.h", nodegraph.ExitHook: "wf.b.onExit"}[c.hook]
			require.Equal(t, c.starts, e.Graph().Find(node) != nodegraph.None, node)
		})
	}
}

// What a hook of the workflow says of a task only the host knows: no task is before it.
func TestHookOfTheWorkflowNamesATask(t *testing.T) {
	const expression = `tasks.a.status == ""`
	e := drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) {
		spec.Hooks = []nodegraph.Hook{{Name: "h", Template: "pod", Expression: expression}}
	})
	require.Equal(t, []string{"wf.a: start", "wf.hooks.h: condition"}, waitsFor(e))
}

// What a hook's expression names and the library does not know is a question to the host: while its owner runs, and once more when that
// has ended. A text that is no expression is an error of the owner.
func TestHooksThatOnlyTheHostCanJudge(t *testing.T) {
	const expression = `tasks.b.outputs.result == "1"`
	begin := func(t *testing.T, hook, expression string) *propagate.Engine {
		return drawnWith(t, "dag(b -> c, hold: suspend)", func(spec *nodegraph.Spec) {
			for _, template := range spec.Templates {
				if template.Kind == nodegraph.KindDAG {
					template.Tasks[0].Hooks = []nodegraph.Hook{{Name: hook, Template: template.Tasks[0].Template, Expression: expression}}
				}
			}
		})
	}
	t.Run("it holds", func(t *testing.T) {
		e := begin(t, "h", expression)
		require.Equal(t, []string{`Resolve wf.b.hooks.h "tasks.b.outputs.result == \"1\""`}, actionsOf(tell(t, e, propagate.PodRunning("wf.b"))))
		require.Equal(t, []string{"Start Pod wf.b.hooks.h"}, actionsOf(tell(t, e, propagate.Resolved("wf.b.hooks.h", true, ""))))
	})
	t.Run("it does not hold until its owner has ended", func(t *testing.T) {
		e := begin(t, "h", expression)
		tell(t, e, propagate.PodRunning("wf.b"))
		require.Empty(t, actionsOf(tell(t, e, propagate.Resolved("wf.b.hooks.h", false, ""))))
		require.False(t, e.Exists(e.Graph().Find("wf.b.hooks.h")))
		require.Len(t, actionsOf(tell(t, e, propagate.PodSucceeded("wf.b"))), 1, "it is asked again, and what comes after waits")
		again, _, err := propagate.FromState(e.Graph().Spec(), e.Save())
		require.NoError(t, err)
		for _, e := range []*propagate.Engine{again, e} {
			tell(t, e, propagate.Resolved("wf.b.hooks.h", false, ""))
			expect(t, e, "wf.c", nodegraph.PhasePending)
		}
	})
	t.Run("an exit hook", func(t *testing.T) {
		e := begin(t, nodegraph.ExitHook, expression)
		tell(t, e, propagate.PodSucceeded("wf.b"))
		require.Equal(t, []string{"wf.hold: resume", "wf.b.onExit: condition"}, waitsFor(e))
		tell(t, e, propagate.Unanswerable("wf.b.onExit", "nobody knows"))
		require.Equal(t, "Error: nobody knows", looks(e, "wf.b.onExit")["wf.b.onExit"])
		expect(t, e, "wf.c", nodegraph.PhasePending)
	})
	t.Run("no expression", func(t *testing.T) {
		e := begin(t, "h", "workflow.status ==")
		expect(t, e, "wf.b", nodegraph.PhaseError)
		require.Contains(t, looks(e, "wf.b")["wf.b"], `hook expression "workflow.status ==": unexpected token`)
		expect(t, e, "wf.c", nodegraph.PhaseOmitted)
	})
	t.Run("exit codes", func(t *testing.T) {
		e := begin(t, nodegraph.ExitHook, `tasks.b.exitCode == "3"`)
		failed := propagate.PodFailed("wf.b", "")
		failed.ExitCode, failed.HasExit = 3, true
		require.Contains(t, actionsOf(tell(t, e, failed)), "Start Pod wf.b.onExit")
	})
}

// The exit hook comes after the other hooks of its owner.
func TestTheExitHookComesLast(t *testing.T) {
	e := drawnWith(t, "dag(b -> c)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindDAG {
				pod := template.Tasks[0].Template
				template.Tasks[0].Hooks = []nodegraph.Hook{{Name: nodegraph.ExitHook, Template: pod}, {Name: "h", Template: pod, Expression: `tasks.b.status == "Succeeded"`}}
			}
		}
	})
	require.Equal(t, []string{"Start Pod wf.b.hooks.h"}, actionsOf(tell(t, e, propagate.PodSucceeded("wf.b"))))
	require.Equal(t, []string{"Start Pod wf.b.onExit"}, actionsOf(tell(t, e, propagate.PodFailed("wf.b.hooks.h", ""))))
	require.Equal(t, []string{"Start Pod wf.c"}, actionsOf(tell(t, e, propagate.PodSucceeded("wf.b.onExit"))))
}

// The hooks of a step come after those of the steps before it in its group; nobody waits for an exit hook.
func TestHooksOfStepsComeOneAfterTheOther(t *testing.T) {
	hooks := func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindSteps {
				for k := range template.Steps[0] {
					step := &template.Steps[0][k]
					step.Hooks = []nodegraph.Hook{
						{Name: nodegraph.ExitHook, Template: step.Template},
						{Name: "h", Template: step.Template, Expression: `steps.` + step.Name + `.status == "Running"`},
					}
				}
			}
		}
	}
	t.Run("a hook is waited for", func(t *testing.T) {
		e := drawnWith(t, "steps(a, b | c)", hooks)
		require.Equal(t, []string{"Start Pod wf[0].a.hooks.h"}, actionsOf(tell(t, e, propagate.PodRunning("wf[0].a"), propagate.PodRunning("wf[0].b"))))
		require.Equal(t, []string{"wf[0].a: pod", "wf[0].b: pod", "wf[0].a.hooks.h: start"}, waitsFor(e))
		require.Equal(t, []string{"Start Pod wf[0].b.hooks.h"}, actionsOf(tell(t, reloaded(t, e), propagate.PodSucceeded("wf[0].a.hooks.h"))))
		require.Empty(t, actionsOf(tell(t, e, propagate.PodSucceeded("wf[0].b"))), "the exit hook waits, too")
		require.Equal(t, []string{"Start Pod wf[0].b.onExit"}, actionsOf(tell(t, e, propagate.PodFailed("wf[0].a.hooks.h", ""))), "b does not run any more")
	})
	t.Run("an exit hook is not", func(t *testing.T) {
		e := drawnWith(t, "steps(a, b | c)", hooks)
		require.Equal(t, []string{"Start Pod wf[0].a.onExit"}, actionsOf(tell(t, e, propagate.PodSucceeded("wf[0].a"))))
		require.Equal(t, []string{"Start Pod wf[0].b.onExit"}, actionsOf(tell(t, e, propagate.PodSucceeded("wf[0].b"))))
		require.Equal(t, []string{"Start StepGroup wf[1]", "Start Pod wf[1].c"},
			actionsOf(tell(t, e, propagate.PodSucceeded("wf[0].a.onExit"), propagate.PodSucceeded("wf[0].b.onExit"))))
	})
	t.Run("nor a hook of a step after it, or of another group", func(t *testing.T) {
		e := drawnWith(t, "dag(x: steps(a, b), y: steps(a, b))", hooks)
		require.Equal(t, []string{"Start Pod wf.x[0].b.hooks.h"}, actionsOf(tell(t, e, propagate.PodRunning("wf.x[0].b"))))
		require.Equal(t, []string{"Start Pod wf.x[0].a.hooks.h"}, actionsOf(tell(t, e, propagate.PodRunning("wf.x[0].a"))))
		require.Equal(t, []string{"Start Pod wf.y[0].b.hooks.h"}, actionsOf(tell(t, e, propagate.PodRunning("wf.y[0].b"))))
	})
}

// A loop of a DAG has the hooks of its task once, its items the exit hook alone, which comes after the others of the group.
func TestHooksOfALoop(t *testing.T) {
	e := drawnWith(t, "dag(b over [i, j] -> c)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindDAG {
				pod := template.Tasks[0].Template
				template.Tasks[0].Hooks = []nodegraph.Hook{{Name: nodegraph.ExitHook, Template: pod}, {Name: "h", Template: pod, Expression: `tasks.b.status == "Running"`}}
			}
		}
	})
	require.Equal(t, []string{"wf.b(0:i): start", "wf.b(1:j): start", "wf.b.hooks.h: start"}, waitsFor(e))
	require.Empty(t, actionsOf(tell(t, e, propagate.PodRunning("wf.b(0:i)"), propagate.PodSucceeded("wf.b(1:j)"), propagate.PodSucceeded("wf.b(0:i)"))))
	require.Equal(t, []string{"Start Pod wf.b(0:i).onExit", "Start Pod wf.b(1:j).onExit", "Wake"}, actionsOf(tell(t, e, propagate.PodSucceeded("wf.b.hooks.h"))))
	require.Equal(t, []string{"Start Pod wf.b.onExit"}, actionsOf(tell(t, e)))
	require.Empty(t, actionsOf(tell(t, e, propagate.PodSucceeded("wf.b(0:i).onExit"), propagate.PodSucceeded("wf.b(1:j).onExit"))))
	require.Equal(t, []string{"Start Pod wf.c"}, actionsOf(tell(t, e, propagate.PodSucceeded("wf.b.onExit"))))
}

// A daemon that a hook names may end while nothing else happens to the hook's task.
func TestHookNamesADaemon(t *testing.T) {
	e := hooked(t, "dag(a: daemon -> b, hold: suspend)", `tasks.a.status == "Failed"`)
	tell(t, e, propagate.PodRunning("wf.a"))
	tell(t, e, propagate.PodRunning("wf.b"))
	require.Equal(t, nodegraph.None, e.Graph().Find("wf.b.hooks.h"))
	tell(t, e, propagate.PodFailed("wf.a", ""))
	expect(t, e, "wf.b.hooks.h", nodegraph.PhasePending)
}

// What a hook sees as workflow.status depends on where its owner is. Inside the entry node it is what the workflow was before
// the call, so nothing depends on its own outcome; the next call follows at once where that has changed. The exit handler
// and the workflow's own hooks see what has become of the entry node (Argo: setGlobalRuntimeParameters).
func TestHookReadsTheStatusOfTheWorkflow(t *testing.T) {
	fail := propagate.PodFailed("wf.a", "")
	of := func(b, status string) *propagate.Engine { return hooked(t, b, `workflow.status == "`+status+`"`) }
	starts := func(e *propagate.Engine, hook string, want bool, why string) {
		t.Helper()
		require.Equal(t, want, e.Graph().Find(hook) != nodegraph.None, "%s starts: %s", hook, why)
		require.NoError(t, e.Check())
		require.NoError(t, reloaded(t, e).Check())
	}

	e := of("dag(b: retry(1, pod))", "")
	starts(e, "wf.b.hooks.h", true, "there is no status before the first call")

	e = of("dag(b: retry(1, pod))", "Running")
	starts(e, "wf.b.hooks.h", false, "there is no status before the first call")
	r, err := e.Apply(e.Now())
	require.NoError(t, err)
	require.NotEmpty(t, r.Changes)
	starts(e, "wf.b.hooks.h", true, "the workflow was Running before the second call")

	e = of("dag(a -> b)", "Failed")
	tell(t, e, fail)
	starts(e, "wf.b.hooks.h", false, "the workflow was Running while its entry node was")
	require.True(t, e.Complete())

	e = of("dag(a) exit dag(b)", "Failed")
	tell(t, e, fail)
	tell(t, e, propagate.PodRunning("wf.onExit.b"))
	starts(e, "wf.onExit.b.hooks.h", true, "the entry node is Failed")

	e = drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) {
		spec.Hooks = []nodegraph.Hook{{Name: "h", Template: "pod", Expression: `workflow.status == "Failed"`}}
	})
	tell(t, e, fail)
	starts(e, "wf.hooks.h", true, "the entry node is Failed")
}

// A workflow asks to be called at once where a hook has yet to see its status, and not again after.
func TestStatusOfTheWorkflowIsSeenInTheNextCall(t *testing.T) {
	spec, err := nodegraph.Parse("dag(b, hold: suspend)")
	require.NoError(t, err)
	hookOfB(`workflow.status == "Failed"`)(spec)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	for call, want := range []bool{true, false, false} {
		r, err := e.Apply(epoch)
		require.NoError(t, err)
		wakes := slices.ContainsFunc(r.Actions, func(a propagate.Action) bool { return a.Type == propagate.ActionWake })
		require.Equal(t, want, wakes, "call %d asks for another", call+1)
	}
}

// The exit hook of an item never started where the end of that item also ended its TaskGroup and the DAG around it.
func TestLastItemOfADAGRunsItsExitHook(t *testing.T) {
	e := drawn(t, `dag(a over [x] exit pod)`)
	tell(t, e, propagate.PodSucceeded("wf.a(0:x)"))
	expect(t, e, "wf.a(0:x).onExit", nodegraph.PhasePending)
	expect(t, e, "wf", nodegraph.PhaseRunning)
}

func TestItemsThatEndTogetherRunTheHooksThatTheyRunOneByOne(t *testing.T) {
	ends := []propagate.Event{propagate.PodSucceeded("wf.a(0:x)"), propagate.PodSucceeded("wf.a(1:y)")}
	apart, together := drawn(t, `dag(a over [x, y] exit pod)`), drawn(t, `dag(a over [x, y] exit pod)`)
	tell(t, apart, ends[0])
	tell(t, apart, ends[1])
	tell(t, together, ends...)
	for _, hook := range []string{"wf.a(0:x).onExit", "wf.a(1:y).onExit"} {
		expect(t, apart, hook, nodegraph.PhasePending)
		expect(t, together, hook, nodegraph.PhasePending)
	}
}

// A hook that was due and was held back was forgotten by an engine that was saved and loaded after its expression had ceased
// to hold: what it was inside of ended without it.
func TestHookThatIsHeldBackIsSaved(t *testing.T) {
	e := drawnWith(t, "dag(a, b: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Kind == nodegraph.KindDAG {
				a := &template.Tasks[0]
				a.Hooks = []nodegraph.Hook{{Name: "h", Template: a.Template, Expression: `tasks.a.status == "Running"`}}
			}
		}
	})
	tell(t, e, propagate.PodRunning("wf.a"), propagate.Suspended(true))
	tell(t, e, propagate.PodSucceeded("wf.a"))
	for _, e := range []*propagate.Engine{reloaded(t, e), e} {
		tell(t, e, propagate.Resumed("wf.b"), propagate.Suspended(false))
		expect(t, e, "wf.a.hooks.h", nodegraph.PhasePending)
		expect(t, e, "wf", nodegraph.PhaseRunning)
	}
}

// Whether a hook is due was not asked again when a newer pod undid the end of what its expression names (random test, seed
// 10,010,366).
func TestHookNamesWhatRunsOnceMore(t *testing.T) {
	for _, c := range []struct{ text, expression, a, b string }{
		{`dag(a, b: suspend depends "a.Failed")`, `tasks.a.status == "Running"`, "wf.a", "wf.b"},
		{`dag(a, c when "1 == 2" depends "a.Failed", b: suspend depends "c")`, `tasks.a.status == "Running"`, "wf.a", "wf.b"},
		{`dag(a, b: suspend over [j] depends "a.Failed")`, `tasks.a.status == "Running"`, "wf.a", "wf.b"},
		{"steps(a continueOnFailed | b: suspend)", `steps.a.status == "Running"`, "wf[0].a", "wf[1].b"},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := hooked(t, c.text, c.expression)
			tell(t, e, of("1", propagate.PodFailed(c.a, "")))
			tell(t, e, of("2", propagate.PodRunning(c.a)))
			expect(t, e, c.b+".hooks.h", nodegraph.PhaseRunning)
		})
	}
}

// The exit hook of a loop that the host can't resolve starts with the next call, beside what comes after the loop.
func TestHookOfALoopThatNobodyCanResolve(t *testing.T) {
	e := drawn(t, `dag(x over "list" exit pod, y depends "x.Errored")`)
	tell(t, e, propagate.Unanswerable("wf.x", "nobody knows"))
	require.Equal(t, []string{"wf.x: timer", "wf.y: start"}, waitsFor(e))
	tell(t, e)
	require.Equal(t, []string{"wf.y: start", "wf.x.onExit: start"}, waitsFor(e))
}

// A hook that fails is no step that failed.
func TestHookOfAStepThatFails(t *testing.T) {
	e := drawn(t, "steps(a exit pod | b)")
	tell(t, e, propagate.PodSucceeded("wf[0].a"))
	tell(t, e, propagate.PodFailed("wf[0].a.onExit", ""))
	expect(t, e, "wf[0]", nodegraph.PhaseSucceeded)
	require.Equal(t, []string{"wf[1].b: start"}, waitsFor(e))
}
