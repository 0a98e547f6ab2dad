package propagate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/retry"
)

// why explains a node, a line for each reason; the empty name is the workflow.
func why(t testing.TB, e *propagate.Engine, name string) []string {
	t.Helper()
	i := nodegraph.Root
	if name != "" {
		i = e.Graph().Find(name)
		require.NotEqual(t, nodegraph.None, i, "no node %s", name)
	}
	var lines []string
	for _, r := range e.Explain(i) {
		lines = append(lines, r.String())
	}
	return lines
}

// osFields gives every item of every loop the key os.
func osFields(spec *nodegraph.Spec) {
	for _, template := range spec.Templates {
		for k := range template.Tasks {
			if loop := template.Tasks[k].Loop; loop != nil {
				for item := range loop.Items {
					loop.Items[item].Fields = map[string]string{"os": loop.Items[item].Text}
				}
			}
		}
	}
}

// hookOn gives a task a hook that runs once its expression holds.
func hookOn(task, expression string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			for k := range template.Tasks {
				if t := &template.Tasks[k]; t.Name == task {
					t.Hooks = append(t.Hooks, nodegraph.Hook{Name: "h", Template: podTemplate(spec).Name, Expression: expression})
				}
			}
		}
	}
}

// podTemplate is the template of the workflow's pods.
func podTemplate(spec *nodegraph.Spec) *nodegraph.Template {
	for _, template := range spec.Templates {
		if template.Kind == nodegraph.KindPod {
			return template
		}
	}
	panic("the workflow has no pods")
}

// An explanation begins at the node that was asked about and goes down to the fact that decided.
func TestExplain(t *testing.T) {
	// later is a pod's end that came some seconds after the start.
	later := func(ev propagate.Event, seconds int) propagate.Event {
		ev.Finished = epoch.Add(time.Duration(seconds) * time.Second)
		return ev
	}
	tests := []struct {
		name, workflow string
		change         func(*nodegraph.Spec)
		batches        [][]propagate.Event
		wait           time.Duration // passes after the last batch
		node           string
		want           []string
	}{
		{name: "the pod of a container set was deleted, and the next attempt is owed",
			workflow: `dag(set: retry(2, pod(fetch -> main)) -> report)`,
			batches: [][]propagate.Event{
				{propagate.PodRunning("wf.set(0)"), propagate.ContainerEnded("wf.set(0)", "fetch", 0, "")},
				{later(propagate.PodDeleted("wf.set(0)"), 7)},
			},
			want: []string{
				"Workflow wf is Running: DAG wf has not ended",
				"DAG wf is Running: Retry wf.set has not ended",
				"Retry wf.set is Running: Pod wf.set(1) has not ended",
				"Pod wf.set(1) is Pending: the host was asked to create its pod and has not reported one",
			}},
		{name: "a container was lost with its pod", workflow: `dag(set: retry(2, pod(fetch -> main)) -> report)`,
			batches: [][]propagate.Event{
				{propagate.PodRunning("wf.set(0)"), propagate.ContainerEnded("wf.set(0)", "fetch", 0, "")},
				{later(propagate.PodDeleted("wf.set(0)"), 7)},
			},
			node: "wf.set(0).main",
			want: []string{
				"Container wf.set(0).main is Error: it is inside Pod wf.set(0), which has ended",
				"Pod wf.set(0) is Error: its pod ran and is gone without a result at 03:04:12Z",
			}},
		{name: "a container that had ended before its pod was lost speaks for itself", workflow: `dag(set: retry(2, pod(fetch -> main)))`,
			batches: [][]propagate.Event{
				{later(propagate.ContainerEnded("wf.set(0)", "fetch", 0, ""), 3)},
				{later(propagate.PodDeleted("wf.set(0)"), 7)},
			},
			node: "wf.set(0).fetch",
			want: []string{"Container wf.set(0).fetch is Succeeded: it was seen to end at 03:04:08Z"}},
		{name: "a container runs", workflow: `dag(set: pod(fetch -> main))`,
			batches: [][]propagate.Event{{propagate.ContainerRunning("wf.set", "fetch")}},
			node:    "wf.set.fetch", want: []string{"Container wf.set.fetch is Running: it was seen to run"}},
		{name: "a container waits", workflow: `dag(set: pod(fetch -> main))`,
			batches: [][]propagate.Event{{propagate.ContainerRunning("wf.set", "fetch")}},
			node:    "wf.set.main", want: []string{"Container wf.set.main is Pending: it was not seen to run yet"}},
		{name: "no attempt is left", workflow: `dag(set: retry(1, pod))`,
			batches: [][]propagate.Event{
				{propagate.PodFailed("wf.set(0)", "")}, {later(propagate.PodEvicted("wf.set(1)", "low on memory"), 60)},
			},
			want: []string{
				"Workflow wf is Failed: DAG wf decides it",
				"DAG wf is Failed: Retry wf.set decides it",
				"Retry wf.set is Failed: its attempts decide it (limit)",
				"Pod wf.set(1) is Failed: its pod ended at 03:05:05Z (Evicted)",
			}},
		{name: "a retry waits for its backoff", workflow: `dag(again: retry(2, pod))`,
			change: func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					if template.Retry != nil {
						template.Retry.Backoff = &retry.Backoff{Duration: 90 * time.Second}
					}
				}
			},
			batches: [][]propagate.Event{{propagate.PodFailed("wf.again(0)", "")}},
			node:    "wf.again",
			want: []string{
				"Retry wf.again is Running: its attempts decide it (backoff), until 03:05:35Z",
				"Pod wf.again(0) is Failed: its pod ended at 03:04:05Z",
			}},
		{name: "a task was omitted", workflow: `dag(test, clean depends "test.Failed")`,
			batches: [][]propagate.Event{{propagate.PodSucceeded("wf.test")}},
			node:    "wf.clean",
			want: []string{
				"Pod wf.clean is Omitted: its depends can no longer hold, because of Pod wf.test",
				"Pod wf.test is Succeeded: its pod ended at 03:04:05Z",
			}},
		{name: "a DAG with an omitted target names the task that failed", workflow: `dag(build -> publish)`,
			batches: [][]propagate.Event{{propagate.PodFailed("wf.build", "")}},
			want: []string{
				"Workflow wf is Failed: DAG wf decides it",
				"DAG wf is Failed: Pod wf.build failed, and a target that comes after it was skipped or omitted",
				"Pod wf.build is Failed: its pod ended at 03:04:05Z",
			}},
		{name: "a task waits for another", workflow: `dag(build -> publish)`,
			batches: [][]propagate.Event{{propagate.PodRunning("wf.build")}},
			node:    "wf.publish",
			want: []string{
				"Pod wf.publish is not created: it comes after Pod wf.build, which has not ended",
				"Pod wf.build is Running: its pod runs",
			}},
		{name: "its when is false", workflow: `steps(a when "1 == 2")`, node: "wf[0].a",
			want: []string{"Pod wf[0].a is Skipped: its when is false"}},
		{name: "its loop is empty", workflow: `dag(a over [])`, node: "wf.a",
			want: []string{"TaskGroup wf.a is Skipped: it has no items"}},
		{name: "the host must say what its when is", workflow: `dag(a when "{{x}} == 1")`,
			want: []string{
				"Workflow wf is Running: DAG wf has not ended",
				"DAG wf is Running: Pod wf.a has not ended",
				"Pod wf.a is not created: the host must evaluate its condition or resolve its items",
			}},
		{name: "its when is no condition", workflow: `dag(a when "((")`, node: "wf.a",
			want: []string{"Pod wf.a is Error: its specification can't run"}},
		{name: "a node waits for a lock", workflow: `dag(a: mutex(m, pod))`,
			batches: [][]propagate.Event{{propagate.LockQueued("wf.a", mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1")}},
			want: []string{
				"Workflow wf is Running: DAG wf has not ended",
				"DAG wf is Running: Pod wf.a has not ended",
				"Pod wf.a is Pending: it waits for a lock",
			}},
		{name: "the workflow waits for a lock", workflow: `dag(a)`,
			change:  func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{{Key: mutexM, Limit: 1}} },
			batches: [][]propagate.Event{{propagate.LockQueued("", mutexM, "waits")}},
			want:    []string{"Workflow wf is Pending: it waits for a lock"}},
		{name: "the host was asked for a lock", workflow: `dag(a: mutex(m, pod))`, node: "wf.a",
			want: []string{"Pod wf.a is not created: it may start, as soon as nothing limits it"}},
		{name: "the whole workflow is suspended", workflow: `dag(a)`, node: "wf",
			change: func(spec *nodegraph.Spec) { spec.Suspended = true },
			want:   []string{"DAG wf is not created: it may start, as soon as nothing limits it"}},
		{name: "suspended until somebody resumes it", workflow: `dag(wait: suspend)`,
			want: []string{
				"Workflow wf is Running: DAG wf has not ended",
				"DAG wf is Running: Suspend wf.wait has not ended",
				"Suspend wf.wait is Running: it waits to be resumed",
			}},
		{name: "suspended for a time", workflow: `dag(wait: suspend(10s))`, node: "wf.wait",
			want: []string{"Suspend wf.wait is Running: it waits to be resumed, until 03:04:15Z"}},
		{name: "resumed", workflow: `dag(wait: suspend, hold: suspend)`, node: "wf.wait",
			batches: [][]propagate.Event{{propagate.Resumed("wf.wait")}},
			want:    []string{"Suspend wf.wait is Succeeded: it was resumed, or its time came"}},
		{name: "a pod exists and does not run", workflow: `dag(a)`, node: "wf.a",
			batches: [][]propagate.Event{{propagate.PodPending("wf.a", "ContainerCreating")}},
			want:    []string{"Pod wf.a is Pending: its pod exists and does not run yet"}},
		{name: "a pod is made again", workflow: `dag(a)`, node: "wf.a",
			batches: [][]propagate.Event{{propagate.PodPending("wf.a", "")}, {propagate.PodDeleted("wf.a")}},
			want:    []string{"Pod wf.a is Pending: its pod is gone and never ran, so it is created again"}},
		{name: "results are not stored yet", workflow: `dag(a)`, node: "wf.a",
			batches: [][]propagate.Event{{propagate.ResultPending("wf.a")}, {propagate.PodSucceeded("wf.a")}},
			want:    []string{"Pod wf.a is Succeeded: its pod ended and its results are not stored yet"}},
		{name: "a daemon is ready", workflow: `dag(d: daemon -> b)`, node: "wf.d",
			batches: [][]propagate.Event{{propagate.PodRunning("wf.d")}},
			want:    []string{"Pod wf.d is Running: it is a daemon, and ready"}},
		{name: "a daemon ended by itself", workflow: `dag(d: daemon -> b, hold: suspend)`, node: "wf.d",
			batches: [][]propagate.Event{{propagate.PodSucceeded("wf.d")}},
			want:    []string{"Pod wf.d is Failed: it is a daemon, and ended by itself"}},
		{name: "a served node failed", workflow: `dag(call: http, hold: suspend)`, node: "wf.call",
			batches: [][]propagate.Event{{propagate.NodeEnded("wf.call", nodegraph.PhaseFailed, "503")}},
			want:    []string{"HTTP wf.call is Failed: this is what the host reported of it at 03:04:05Z"}},
		{name: "a served node is waited for", workflow: `dag(call: plugin)`, node: "wf.call",
			want: []string{"Plugin wf.call is Pending: this is what the host reported of it"}},
		{name: "a step failed", workflow: `steps(a, b | c)`, node: "wf",
			batches: [][]propagate.Event{{propagate.PodFailed("wf[0].b", ""), propagate.PodSucceeded("wf[0].a")}},
			want: []string{
				"Steps wf is Failed: StepGroup wf[0] decides it",
				"StepGroup wf[0] is Failed: Pod wf[0].b decides it",
				"Pod wf[0].b is Failed: its pod ended at 03:04:05Z",
			}},
		{name: "an item failed", workflow: `dag(many over ["x", "y"], hold: suspend)`, node: "wf.many",
			batches: [][]propagate.Event{{propagate.PodFailed("wf.many(0:x)", ""), propagate.PodSucceeded("wf.many(1:y)")}},
			want: []string{
				"TaskGroup wf.many is Failed: Pod wf.many(0:x) decides it",
				"Pod wf.many(0:x) is Failed: its pod ended at 03:04:05Z",
			}},
		{name: "all went well", workflow: `dag(a, b)`,
			batches: [][]propagate.Event{{propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.b")}},
			want: []string{
				"Workflow wf is Succeeded: DAG wf decides it",
				"DAG wf is Succeeded: all inside it has ended well",
			}},
		{name: "a shutdown stopped a pod", workflow: `dag(a)`, node: "wf.a",
			batches: [][]propagate.Event{{propagate.Shutdown("Stop")}},
			want:    []string{"Pod wf.a is Failed: the workflow stopped it at 03:04:05Z"}},
		{name: "a shutdown ended the workflow", workflow: `dag(a)`,
			batches: [][]propagate.Event{{propagate.Shutdown("Terminate")}},
			want: []string{
				"Workflow wf is Failed: DAG wf decides it",
				"DAG wf is Failed: the workflow was shut down",
			}},
		{name: "an exit handler is waited for", workflow: `dag(a) exit pod`,
			batches: [][]propagate.Event{{propagate.PodSucceeded("wf.a")}},
			want: []string{
				"Workflow wf is Running: Pod wf.onExit, an exit handler, decides it",
				"Pod wf.onExit is Pending: the host was asked to create its pod and has not reported one",
			}},
		{name: "an exit handler failed", workflow: `dag(a) exit pod`,
			batches: [][]propagate.Event{{propagate.PodSucceeded("wf.a")}, {propagate.PodFailed("wf.onExit", "")}},
			want: []string{
				"Workflow wf is Failed: Pod wf.onExit, an exit handler, decides it",
				"Pod wf.onExit is Failed: its pod ended at 03:04:05Z",
			}},
		{name: "a step whose when is no condition", workflow: `steps(a when "((" | b)`, node: "wf",
			want: []string{
				"Steps wf is Failed: StepGroup wf[0] decides it",
				"StepGroup wf[0] is Error: Pod wf[0].a decides it",
				"Pod wf[0].a is Error: its specification can't run",
			}},
		{name: "a template that can't run", workflow: `dag(a: suspend)`, node: "wf.a",
			change: func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					if template.Kind == nodegraph.KindSuspend {
						template.Err = "its template was not found"
					}
				}
			},
			want: []string{"Suspend wf.a is Error: its specification can't run"}},
		{name: "an item's when reads the item", workflow: `dag(on over ["linux", "mac"] when "{{item}} == linux")`, node: "wf.on(1:mac)",
			want: []string{"Pod wf.on(1:mac) is Skipped: its when is false"}},
		{name: "an item's when reads a key of the item", workflow: `dag(on over ["linux", "mac"] when "{{ item.os }} == linux")`, node: "wf.on(0:linux)",
			change: osFields,
			want:   []string{"Pod wf.on(0:linux) is Pending: the host was asked to create its pod and has not reported one"}},
		{name: "an item's when names a key that the item has not", workflow: `dag(on over ["linux", "mac"] when "{{item.arch}} == arm")`, node: "wf.on(0:linux)",
			change: osFields,
			want:   []string{"Pod wf.on(0:linux) is not created: the host must evaluate its condition or resolve its items"}},
		{name: "terminated while it waited for its lock", workflow: `dag(a)`,
			change:  func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{{Key: mutexM, Limit: 1}} },
			batches: [][]propagate.Event{{propagate.LockQueued("", mutexM, "waits")}, {propagate.Shutdown("Terminate")}},
			want:    []string{"Workflow wf is Failed: the workflow was shut down"}},
		{name: "past the workflow's deadline", workflow: `dag(a)`, node: "wf.a",
			change: func(spec *nodegraph.Spec) { spec.ActiveDeadline = 30 * time.Second }, wait: time.Minute,
			want: []string{"Pod wf.a is Failed: the workflow stopped it at 03:05:05Z"}},
		{name: "pending for too long", workflow: `dag(a)`, node: "wf.a",
			change: func(spec *nodegraph.Spec) { podTemplate(spec).PendingTimeout = 30 * time.Second }, wait: time.Minute,
			want: []string{"Pod wf.a is Failed: the workflow stopped it at 03:05:05Z"}},
		{name: "a pause that is over", workflow: `dag(wait: suspend(10s), hold: suspend)`, node: "wf.wait", wait: 10 * time.Second,
			want: []string{"Suspend wf.wait is Succeeded: it was resumed, or its time came"}},
		{name: "a hook that looks at its task", workflow: `dag(a, b)`, node: "wf.a.hooks.h", change: hookOn("a", `tasks["a"].status == "Running"`),
			batches: [][]propagate.Event{{propagate.PodRunning("wf.a")}},
			want:    []string{"Pod wf.a.hooks.h is Pending: the host was asked to create its pod and has not reported one"}},
		{name: "a hook that looks at another task", workflow: `dag(a -> b)`, node: "wf.b.hooks.h", change: hookOn("b", `tasks["a"].status == "Succeeded"`),
			batches: [][]propagate.Event{{propagate.PodSucceeded("wf.a")}, {propagate.PodRunning("wf.b")}},
			want:    []string{"Pod wf.b.hooks.h is Pending: the host was asked to create its pod and has not reported one"}},
		{name: "a hook that looks at the workflow", workflow: `dag(a, b)`, node: "wf.b.hooks.h", change: hookOn("b", `workflow.status == "Running"`),
			batches: [][]propagate.Event{{propagate.PodRunning("wf.b")}},
			want:    []string{"Pod wf.b.hooks.h is Pending: the host was asked to create its pod and has not reported one"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec, err := nodegraph.Parse(test.workflow)
			require.NoError(t, err)
			if test.change != nil {
				test.change(spec)
			}
			e := started(t, spec)
			for _, batch := range test.batches {
				tell(t, e, batch...)
			}
			if test.wait > 0 {
				_, err := e.Apply(epoch.Add(test.wait))
				require.NoError(t, err)
				require.NoError(t, e.Check())
			}
			if diff := cmp.Diff(test.want, why(t, e, test.node)); diff != "" {
				t.Errorf("why %q is as it is (-want +got):\n%s", test.node, diff)
			}
			if diff := cmp.Diff(test.want, why(t, reloaded(t, e), test.node)); diff != "" {
				t.Errorf("why %q is as it is, after a restart (-want +got):\n%s", test.node, diff)
			}
			// A snapshot keeps less, but no phase and no message may differ.
			if diff := cmp.Diff(looksAll(e), looksAll(restored(t, e))); diff != "" {
				t.Errorf("after a restart from a snapshot (-before +after):\n%s", diff)
			}
		})
	}
}

// A workflow that was complete when it was restored is as it was recorded, whatever its nodes would say.
func TestExplainACompleteRecord(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a)")
	require.NoError(t, err)
	e, _, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseFailed, Message: "by hand", Started: epoch, Finished: epoch})
	require.NoError(t, err)
	require.Equal(t, []string{"Workflow wf is Failed: it was complete when it was loaded"}, why(t, e, ""))
}

// A template that fails fast is explained by what failed.
func TestExplainFailFast(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a, b: suspend)")
	require.NoError(t, err)
	for _, template := range spec.Templates {
		template.FailFast = template.Kind == nodegraph.KindDAG
	}
	e := started(t, spec)
	tell(t, e, propagate.PodFailed("wf.a", ""))
	require.Equal(t, []string{
		"Workflow wf is Failed: DAG wf decides it",
		"DAG wf is Failed: Pod wf.a failed, and its template fails fast",
		"Pod wf.a is Failed: its pod ended at 03:04:05Z",
	}, why(t, e, ""))
	require.Equal(t, []string{"Suspend wf.b is Failed: the workflow stopped it at 03:04:05Z"}, why(t, e, "wf.b"))
}

// Templates that call each other for ever end where the limit of nesting is.
func TestExplainTooDeep(t *testing.T) {
	spec := &nodegraph.Spec{Name: "wf", Entrypoint: "again", Templates: []*nodegraph.Template{
		{Name: "again", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "x", Template: "again"}}},
	}}
	e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nesting: 2}))
	require.NoError(t, err)
	tell(t, e)
	require.True(t, e.Complete())
	require.Equal(t, []string{
		"Workflow wf is Error: DAG wf decides it",
		"DAG wf is Error: DAG wf.x decides it",
		"DAG wf.x is Error: DAG wf.x.x decides it",
		"DAG wf.x.x is Error: DAG wf.x.x.x decides it",
		"DAG wf.x.x.x is Error: its specification can't run",
	}, why(t, e, ""), "the third template inside another is one too many")
	require.Len(t, why(t, e, "wf.x.x.x"), 1, "nothing else decides it")
	require.Equal(t, "Error: Maximum recursion depth exceeded. See https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth", looks(e, "wf.x.x.x")["wf.x.x.x"])
}

// Whatever happens to a random workflow, every explanation begins with the node, follows what decided, names each node
// once, and ends at one that its own facts decide.
func TestExplanationsLeadToFacts(t *testing.T) {
	t.Logf("seeds %d to %d", *seed, *seed+59)
	for s := *seed; s < *seed+60; s++ {
		propagatetest.Random{Seed: s, After: func(e *propagate.Engine, _ []propagate.Event, _ *propagate.Result) {
			for i := range nodegraph.Index(e.Graph().Len()) {
				checkExplanation(t, s, e, i)
			}
		}}.Run(t)
	}
}

// looksAll are the phases and messages of all nodes that exist, by name.
func looksAll(e *propagate.Engine) map[string]string {
	var names []string
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if e.Exists(i) {
			names = append(names, e.Graph().Node(i).Name())
		}
	}
	all := looks(e, names...)
	phase, message := e.Workflow()
	all["the workflow"] = phase.String() + ": " + message
	return all
}

func checkExplanation(t *testing.T, s uint64, e *propagate.Engine, i nodegraph.Index) {
	t.Helper()
	reasons := e.Explain(i)
	require.NotEmpty(t, reasons, "-seed %d: why %s is as it is", s, e.Graph().Node(i).Name())
	seen := make(map[nodegraph.Index]bool)
	for next, k := i, 0; k < len(reasons); k++ {
		r := reasons[k]
		require.Equal(t, next, r.Node, "-seed %d: reason %d of %v", s, k, reasons)
		require.False(t, seen[r.Node], "-seed %d: %s comes twice in %v", s, r.Name, reasons)
		seen[r.Node] = true
		phase, message := e.Phase(r.Node)
		require.Equal(t, phase, r.Phase, "-seed %d: the phase of %s", s, r.Name)
		require.Equal(t, message, r.Message, "-seed %d: the message of %s", s, r.Name)
		require.NotEmpty(t, r.Because, "-seed %d: %s", s, r.Name)
		require.False(t, strings.Contains(r.Because, "%") || strings.HasSuffix(r.Because, "."), "-seed %d: %q", s, r.Because)
		next = e.Verdict(r.Node).By
		if k == len(reasons)-1 {
			require.True(t, next == nodegraph.None || seen[next], "-seed %d: %v ends too early", s, reasons)
		}
	}
}

// Explanations that were not true.
func TestExplainGroupAfterAFailedOne(t *testing.T) {
	e := drawn(t, `steps(a | b)`)
	tell(t, e, propagate.PodFailed("wf[0].a", ""))
	require.NotContains(t, why(t, e, "wf[1]")[0], "has not ended", "wf[0] has ended: it failed")
}

func TestExplainInsideWhatIsPlanned(t *testing.T) {
	e := drawn(t, `steps(a | b)`)
	require.NotContains(t, why(t, e, "wf[1]")[0], "comes after StepGroup wf[1]")
	spec, err := nodegraph.Parse("dag(a)")
	require.NoError(t, err)
	spec.Locks = []nodegraph.Lock{{Key: mutexM, Limit: 1}}
	e = started(t, spec)
	require.NotContains(t, why(t, e, "wf")[0], "comes after Workflow", "it is inside the workflow, it does not come after it")
}

func TestExplainTaskThatIsNotNeeded(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a, b)")
	require.NoError(t, err)
	spec.Templates[0].Targets = []string{"a"}
	require.Equal(t, nodegraph.KindDAG, spec.Templates[0].Kind)
	e := started(t, spec)
	require.NotContains(t, why(t, e, "wf.b")[0], "comes after something", "no target needs it")
}

func TestExplainNamesTheTaskThatOmits(t *testing.T) {
	e := drawn(t, `dag({a, c} -> b, hold: suspend)`)
	tell(t, e, propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.c", ""))
	require.Contains(t, why(t, e, "wf.b")[0], "because of Pod wf.c", "wf.a succeeded")
}

func TestExplainEmptyLoopAfterRestore(t *testing.T) {
	e := drawn(t, `dag(a over [], hold: suspend)`)
	require.Equal(t, why(t, e, "wf.a"), why(t, restored(t, e), "wf.a"), "it has no when")
}

// Explain said of a node that had ended that it had not, where only its exit hook was unfinished.
func TestExplainNamesTheOpenHook(t *testing.T) {
	e := drawn(t, "dag(a exit http -> b)")
	tell(t, e, propagate.PodSucceeded("wf.a"))
	require.Contains(t, why(t, e, "wf.b")[0], "comes after HTTP wf.a.onExit, which has not ended")
	reasons := e.Explain(nodegraph.Root)
	require.Equal(t, "wf.a.onExit", reasons[len(reasons)-1].Name, "where the way down from the workflow ends")
}
