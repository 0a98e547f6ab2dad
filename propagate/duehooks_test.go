package propagate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// Hooks that are due at odd moments: of what ends as it is created, when a boundary ends, and over a restart.

// withHook gives the tasks and steps of a name a hook whose template is a pod of its own.
func withHook(task, hook, expression string, change func(*nodegraph.Template)) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		pod := &nodegraph.Template{Name: "hook", Kind: nodegraph.KindPod}
		change(pod)
		for _, template := range spec.Templates {
			for _, tasks := range append([][]nodegraph.Task{template.Tasks}, template.Steps...) {
				for k := range tasks {
					if tasks[k].Name == task {
						tasks[k].Hooks = append(tasks[k].Hooks, nodegraph.Hook{Name: hook, Template: pod.Name, Expression: expression})
					}
				}
			}
		}
		spec.Templates = append(spec.Templates, pod)
	}
}

func asItIs(*nodegraph.Template) {}

// A node that ends as it is created has its hooks judged like any other: it never ran, and the workflow has since the next call.
func TestHookOfWhatEndsAsItIsCreated(t *testing.T) {
	for _, text := range []string{`dag(a, b when "x == y")`, `dag(a, b when "x ==")`, `dag(a, b over [])`} {
		t.Run(text, func(t *testing.T) {
			e := drawnWith(t, text, withHook("b", "h", `workflow.status == "Running"`, asItIs))
			require.Equal(t, nodegraph.None, e.Graph().Find("wf.b.hooks.h"), "the workflow had no status before the first call")
			tell(t, e, propagate.PodRunning("wf.a"))
			expect(t, e, "wf.b.hooks.h", nodegraph.PhasePending)
			tell(t, e, propagate.PodSucceeded("wf.a"))
			require.Equal(t, []string{"wf.b.hooks.h: start"}, waitsFor(e))
		})
	}
}

// A daemon that is ended with its boundary was Running when that was decided: a hook that asks for its success is not due because
// of that, and opens nothing again.
func TestDaemonThatIsEndedMakesNoHookDue(t *testing.T) {
	for _, c := range []struct{ text, daemon, after, expression string }{
		{"steps(a: daemon | c)", "wf[0].a", "wf[1].c", `steps.a.status == "Succeeded"`},
		{"steps(a: retry(1, daemon) | c)", "wf[0].a(0)", "wf[1].c", `steps.a.status == "Succeeded"`},
		{"dag(a: daemon -> c)", "wf.a", "wf.c", `tasks.a.status == "Succeeded"`},
		{"dag(a: daemon -> c over [i])", "wf.a", "wf.c(0:i)", `tasks.a.status == "Succeeded"`},
	} {
		for name, end := range map[string]func(node string) propagate.Event{
			"it succeeds": propagate.PodSucceeded, "it is terminated": func(string) propagate.Event { return propagate.Shutdown("Terminate") },
		} {
			t.Run(c.text+": "+name, func(t *testing.T) {
				e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
					withHook("c", "h", c.expression, asItIs)(spec)
					for _, template := range spec.Templates {
						template.FailFast = template.Kind.Composite()
					}
				})
				tell(t, e, propagate.PodRunning(c.daemon))
				tell(t, e, end(c.after))
				expect(t, e, c.daemon, nodegraph.PhaseSucceeded)
				require.True(t, e.Complete())
				require.NoError(t, restored(t, e).Check())
				for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
					require.True(t, e.Verdict(i).Fulfilled, e.Graph().Node(i).Name())
				}
			})
		}
	}
}

// The exit hook of an item ends at once, since its template can't run. That of the group comes with the next call all the same.
func TestExitHookOfAGroupAfterOneThatCanNotRun(t *testing.T) {
	e := drawnWith(t, "dag(a over [i])", withHook("a", nodegraph.ExitHook, "", func(pod *nodegraph.Template) { pod.Err = "no such template" }))
	tell(t, e, propagate.PodSucceeded("wf.a(0:i)"))
	require.Equal(t, []string{"wf.a: timer"}, waitsFor(e))
	tell(t, e)
	require.Equal(t, map[string]string{"wf.a(0:i).onExit": "Error: no such template", "wf.a.onExit": "Error: no such template", "wf": "Succeeded"},
		looks(e, "wf.a(0:i).onExit", "wf.a.onExit", "wf"))
	require.True(t, e.Complete())
}

// A hook that is due and held back is so after a restart, from the saved state and from a record: what comes after its owner waits
// for it, though its expression does not hold any more.
func TestHookThatIsHeldBackIsRestored(t *testing.T) {
	for _, c := range []struct {
		why    string
		text   string
		hook   func(*nodegraph.Template)
		set    func(*nodegraph.Spec)
		events []propagate.Event // in which the hook becomes due
		asks   string            // of the host, after the restart
		waits  string
	}{
		{why: "a lock", text: "dag(a -> b, z: suspend)", hook: func(pod *nodegraph.Template) { pod.Locks = []nodegraph.Lock{lock("default/Mutex/m", 1)} },
			asks: "Acquire wf.a.hooks.h default/Mutex/m", waits: "lock"},
		{why: "a cache", text: "dag(a -> b, z: suspend)", hook: func(pod *nodegraph.Template) { pod.Memoize = "k" },
			asks: `Lookup wf.a.hooks.h "k"`, waits: "cache"},
		{why: "parallelism", text: "dag(a -> b, z, y, x depends \"a\")", set: func(spec *nodegraph.Spec) { spec.Parallelism = 2 }, waits: "parallelism"},
		{why: "a suspended workflow", text: "dag(a -> b, z: suspend)", events: []propagate.Event{propagate.Suspended(true)}, waits: "unsuspend"},
	} {
		t.Run(c.why, func(t *testing.T) {
			hook := c.hook
			if hook == nil {
				hook = asItIs
			}
			e := drawnWith(t, c.text, func(spec *nodegraph.Spec) {
				withHook("a", "h", `tasks.a.status == "Running"`, hook)(spec)
				if c.set != nil {
					c.set(spec)
				}
			})
			tell(t, e, append([]propagate.Event{of("1", propagate.PodRunning("wf.a"))}, c.events...)...)
			ended := of("1", propagate.PodSucceeded("wf.a"))
			if c.waits != "parallelism" { // there the place of a goes to its hook
				tell(t, e, ended)
			}
			require.Contains(t, waitsFor(e), "wf.a.hooks.h: "+c.waits)
			for name, again := range map[string]*propagate.Engine{"saved": reloaded(t, e), "recorded": restored(t, e)} {
				r := tell(t, again)
				require.Contains(t, waitsFor(again), "wf.a.hooks.h: "+c.waits, name)
				if c.asks != "" {
					require.Contains(t, actionsOf(r), c.asks, name)
				}
				if b := again.Graph().Find("wf.b"); again.Exists(b) {
					require.Fail(t, "what comes after a has begun", name)
				}
			}
		})
	}
}

// Under a limit of parallelism the exit hook of an item starts before that of its group, which comes with the next call. A record
// does not tell which of the two was due first.
func TestHookOfAnItemBeforeThatOfItsGroup(t *testing.T) {
	e := drawnWith(t, "dag(l: suspend over [i, j] exit pod -> z, k: suspend -> m)", func(spec *nodegraph.Spec) { spec.Parallelism = 1 })
	tell(t, e, propagate.Resumed("wf.k"))
	tell(t, e, of("1", propagate.PodRunning("wf.m")), propagate.Resumed("wf.l(1:j)"))
	tell(t, e, propagate.Resumed("wf.l(0:i)"))
	tell(t, e)
	require.Equal(t, []string{"wf.m: pod", "wf.l(1:j).onExit: parallelism", "wf.l(0:i).onExit: parallelism", "wf.l.onExit: parallelism"}, waitsFor(e))
	for name, again := range map[string]*propagate.Engine{"it goes on": e, "saved": reloaded(t, e), "recorded": restored(t, e)} {
		var order []string
		for node := "wf.m"; node != ""; {
			r, err := again.Apply(epoch.Add(time.Second), of("1", propagate.PodSucceeded(node)))
			require.NoError(t, err)
			require.NoError(t, propagatetest.Check(again))
			node = ""
			for _, a := range r.Actions {
				if a.Type == propagate.ActionStart {
					node = a.Name
					order = append(order, a.Name)
				}
			}
		}
		require.Equal(t, []string{"wf.l(0:i).onExit", "wf.l(1:j).onExit", "wf.l.onExit", "wf.z"}, order, name)
	}
}

// A hook about which only the host can judge is answered while its owner runs, in the call that tells of the owner's end: the host
// is asked once more, now that the owner has ended.
func TestHookIsAskedOnceMoreAfterItsOwner(t *testing.T) {
	e := drawnWith(t, "steps(b: dag(x))", hookOfB(`steps["nobody"].status == "Error"`))
	no := propagate.Resolved("wf[0].b.hooks.h", false, "")
	r := tell(t, e, no, propagate.PodFailed("wf[0].b.x", ""))
	require.True(t, slices.ContainsFunc(r.Actions, func(a propagate.Action) bool { return a.Type == propagate.ActionResolve }))
	require.Equal(t, []string{"wf[0].b.hooks.h: condition"}, waitsFor(e))
	tell(t, e, no)
	require.True(t, e.Complete())
}

// A hook that asks for the status of the workflow, which it sees with the next call, does not become due inside what had ended by then:
// that would open again what a Retry has judged.
func TestHookInsideWhatHasEndedIsNotDueLater(t *testing.T) {
	running := `workflow.status == "Running"`
	for _, c := range []struct{ text, hook, want string }{
		{`retry(1, dag(b when "x == y")) exit pod`, "wf(0).b.hooks.h", "Succeeded"},
		{`retry(1, dag(d: dag(b when "x == y"))) exit pod`, "wf(0).d.b.hooks.h", "Succeeded"},
		{`retry(0, steps(b when "x ==")) exit pod`, "wf(0)[0].b.hooks.h", "Failed: No more retries left"},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := drawnWith(t, c.text, withHook("b", "h", running, asItIs))
			require.Equal(t, []string{"wf.onExit: start"}, waitsFor(e))
			tell(t, e, propagate.PodRunning("wf.onExit"))
			require.Equal(t, map[string]string{"wf": c.want}, looks(e, "wf"))
			require.Equal(t, nodegraph.None, e.Graph().Find(c.hook))
			require.Equal(t, []string{"wf.onExit: pod"}, waitsFor(reloaded(t, e)))
		})
	}
}

// What was decided of a task stays when a hook of what it comes after begins only later, or is a daemon that is tried again.
func TestWhatIsDecidedBeforeAHookBeginsStays(t *testing.T) {
	for _, c := range []struct {
		name, text string
		hook       func(*nodegraph.Spec)
		before     []propagate.Event
		events     []propagate.Event
	}{
		{name: "an exit hook whose expression comes to hold", text: `dag(a when "x ==" -> b, z)`,
			hook: withHook("a", nodegraph.ExitHook, `workflow.status == "Running"`, asItIs), events: []propagate.Event{propagate.PodRunning("wf.z")}},
		{name: "a daemon that ends", text: `dag(a exit retry(2, daemon), b depends "a.Skipped", z)`, hook: func(*nodegraph.Spec) {},
			before: []propagate.Event{propagate.PodFailed("wf.a", "")}, events: []propagate.Event{propagate.PodFailed("wf.a.onExit(0)", "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawnWith(t, c.text, c.hook)
			if c.before != nil {
				tell(t, e, c.before...)
				tell(t, e, propagate.PodRunning("wf.a.onExit(0)"))
			}
			expect(t, e, "wf.b", nodegraph.PhaseOmitted)
			tell(t, e, c.events...)
			require.NotEqual(t, nodegraph.None, e.Graph().Find("wf.a.onExit"))
			expect(t, e, "wf.b", nodegraph.PhaseOmitted)
			expect(t, restored(t, e), "wf.b", nodegraph.PhaseOmitted)
		})
	}
}

// A Retry that was not found in the cache is Pending while its daemon is ready. It is so to hooks when the daemon ends with its boundary:
// none is due that asks whether it runs.
func TestHookOfARetryThatStaysPending(t *testing.T) {
	e := drawnWith(t, "mutex(m, steps(b: retry(1, daemon)))", func(spec *nodegraph.Spec) {
		withHook("b", "h", `steps["b"].status == "Running"`, asItIs)(spec)
		for _, template := range spec.Templates {
			if template.Daemon {
				template.Memoize = "key"
			}
		}
	})
	tell(t, e, propagate.LockGranted("wf"))
	tell(t, e, propagate.Memoized("wf[0].b", false))
	tell(t, e, propagate.PodRunning("wf[0].b(0)"))
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}
