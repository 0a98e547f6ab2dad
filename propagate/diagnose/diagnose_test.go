package diagnose_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/retry"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// played is what a controller has recorded of a workflow after these events, each a minute after the one before.
func played(t *testing.T, text string, events ...propagate.Event) diagnose.Input {
	t.Helper()
	return playedWith(t, func(*nodegraph.Spec) {}, text, events...)
}

// playedWith is played with a change to the specification.
func playedWith(t *testing.T, change func(*nodegraph.Spec), text string, events ...propagate.Event) diagnose.Input {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	change(spec)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	now := start
	_, err = e.Apply(now)
	require.NoError(t, err)
	for _, ev := range events {
		now = now.Add(time.Minute)
		_, err = e.Apply(now, ev)
		require.NoError(t, err, "%s", ev)
	}
	return diagnose.Input{Spec: spec, Snapshot: e.Snapshot(), Pods: []propagate.PodStatus{}, Now: now}
}

// set changes how a node is recorded; a settled phase keeps the time of its end.
func set(name string, phase nodegraph.Phase, message string) func(*diagnose.Input) {
	return func(in *diagnose.Input) {
		for k := range in.Snapshot.Nodes {
			if n := &in.Snapshot.Nodes[k]; n.Name == name {
				n.Phase, n.Message = phase, message
				if !phase.Settled() {
					n.Finished = time.Time{}
				}
				return
			}
		}
		panic("no node " + name)
	}
}

// daemoned marks a node as a ready daemon.
func daemoned(name string) func(*diagnose.Input) {
	return func(in *diagnose.Input) {
		set(name, nodegraph.PhaseRunning, "")(in)
		for k := range in.Snapshot.Nodes {
			if n := &in.Snapshot.Nodes[k]; n.Name == name {
				n.Daemoned = true
			}
		}
	}
}

func running(in *diagnose.Input) {
	in.Snapshot.Phase, in.Snapshot.Finished = nodegraph.PhaseRunning, time.Time{}
}

func succeeded(in *diagnose.Input) {
	in.Snapshot.Phase, in.Snapshot.Finished = nodegraph.PhaseSucceeded, in.Now
}

func hourLater(in *diagnose.Input) { in.Now = in.Now.Add(time.Hour) }

// without removes a node from the record.
func without(name string) func(*diagnose.Input) {
	return func(in *diagnose.Input) {
		var rest []nodegraph.NodeStatus
		for _, n := range in.Snapshot.Nodes {
			if n.Name != name {
				rest = append(rest, n)
			}
		}
		in.Snapshot.Nodes = rest
	}
}

// with adds a node to the record.
func with(kind nodegraph.Kind, name string, phase nodegraph.Phase) func(*diagnose.Input) {
	return func(in *diagnose.Input) {
		in.Snapshot.Nodes = append(in.Snapshot.Nodes, nodegraph.NodeStatus{
			ID: nodegraph.NodeID(in.Spec.Name, name), Name: name, Kind: kind, Phase: phase, Started: in.Now,
		})
	}
}

func pod(node string, phase propagate.PodPhase) func(*diagnose.Input) {
	return func(in *diagnose.Input) {
		in.Pods = append(in.Pods, propagate.PodStatus{Node: nodegraph.NodeID(in.Spec.Name, node), UID: node, Name: "pod-of-" + node, Phase: phase})
	}
}

// line is what a test looks at of a finding.
type line struct {
	Kind   diagnose.Kind
	Name   string
	Should string
	Heals  bool
}

func lines(findings []diagnose.Finding) []line {
	var list []line
	for _, f := range findings {
		l := line{f.Kind, f.Name, "", f.Heals}
		if f.Should.Phase != nodegraph.PhasePlanned {
			l.Should = f.Should.String()
		}
		list = append(list, l)
	}
	return list
}

type edits = []func(*diagnose.Input)

var (
	retried  = []propagate.Event{propagate.PodFailed("wf.r(0)", ""), propagate.PodSucceeded("wf.r(1)")}
	failed   = []propagate.Event{propagate.PodFailed("wf.r(0)", "no"), propagate.PodFailed("wf.r(1)", "no")}
	bothDone = []propagate.Event{propagate.PodSucceeded("wf.fan(0:x)"), propagate.PodSucceeded("wf.fan(1:y)")}
	aDone    = []propagate.Event{propagate.PodSucceeded("wf.a")}
)

// Each kind of finding, on the smallest workflow that can have it. What heals is healed, and then it is not found again.
func TestKinds(t *testing.T) {
	cases := []struct {
		why    string
		text   string
		events []propagate.Event
		edits  edits
		want   []line
	}{
		{
			"the pod was deleted, and the container behind the first was forgotten",
			"wf: dag(b: pod(x -> y))", []propagate.Event{propagate.ContainerRunning("wf.b", "x"), propagate.PodRunning("wf.b"), propagate.PodDeleted("wf.b")},
			edits{set("wf.b.y", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running},
			[]line{{diagnose.OrphanedContainer, "wf.b.y", `Error "container deleted"`, true}},
		},
		{
			"the pod failed without container statuses",
			"wf: dag(b: pod(x))", []propagate.Event{propagate.PodRunning("wf.b"), propagate.PodEvicted("wf.b", "low on memory")},
			edits{set("wf.b.x", nodegraph.PhasePending, ""), set("wf", nodegraph.PhaseRunning, ""), running},
			[]line{{diagnose.OrphanedContainer, "wf.b.x", `Failed "Pod Failed whilst container running"`, true}},
		},
		{
			"the pod is Succeeded and so is what was in it, also once the workflow is complete",
			"wf: dag(b: pod(x))", []propagate.Event{propagate.PodSucceeded("wf.b")},
			edits{set("wf.b.x", nodegraph.PhaseRunning, "")},
			[]line{{diagnose.OrphanedContainer, "wf.b.x", "Succeeded", true}},
		},
		{
			"an attempt after one that succeeded; its pod is gone",
			"wf: dag(r: retry(3, pod))", retried,
			edits{with(nodegraph.KindPod, "wf.r(2)", nodegraph.PhasePending), set("wf", nodegraph.PhaseRunning, ""), running},
			[]line{{diagnose.LateAttempt, "wf.r(2)", `Error "pod deleted"`, true}},
		},
		{
			"what such an attempt has inside is ended with it",
			"wf: dag(r: retry(1, dag(a)))", []propagate.Event{propagate.PodSucceeded("wf.r(0).a")},
			edits{
				with(nodegraph.KindDAG, "wf.r(1)", nodegraph.PhaseRunning), with(nodegraph.KindPod, "wf.r(1).a", nodegraph.PhaseSucceeded),
				set("wf", nodegraph.PhaseRunning, ""), running,
			},
			[]line{{diagnose.LateAttempt, "wf.r(1)", `Failed "closed: what it is inside of has ended"`, true}},
		},
		{
			"a pod in a DAG that has ended",
			"wf: dag(x: dag(a), y)", []propagate.Event{propagate.PodRunning("wf.x.a")},
			edits{set("wf.x", nodegraph.PhaseFailed, "")},
			[]line{{diagnose.OpenInsideFinished, "wf.x.a", `Error "pod deleted"`, true}},
		},
		{
			"a suspended node in a workflow that has ended",
			"wf: dag(a: suspend)", nil,
			edits{set("wf", nodegraph.PhaseSucceeded, ""), succeeded},
			[]line{{diagnose.OpenInsideFinished, "wf.a", `Failed "closed: what it is inside of has ended"`, true}},
		},
		{
			"a node that an agent may still serve is named, and not touched",
			"wf: dag(x: dag(a: http), y)", nil,
			edits{set("wf.x", nodegraph.PhaseFailed, "")},
			[]line{{diagnose.OpenInsideFinished, "wf.x.a", `Failed "closed: what it is inside of has ended"`, false}},
		},
		{
			"a pod in a workflow that has ended, and how it ended is seen",
			"wf: dag(a, b)", []propagate.Event{propagate.PodRunning("wf.a")},
			edits{succeeded, pod("wf.a", "Succeeded"), pod("wf.b", "Failed")},
			[]line{{diagnose.OpenInsideFinished, "wf", "Failed", true}, // as its members say
				{diagnose.OpenInsideFinished, "wf.a", "Succeeded", true}, {diagnose.OpenInsideFinished, "wf.b", "Failed", true}},
		},
		{
			"a node of a workflow that has ended, which the specification does not know, is named and not touched",
			"wf: dag(a)", aDone, edits{with(nodegraph.KindSuspend, "wf.z", nodegraph.PhaseRunning)},
			[]line{{diagnose.OpenInsideFinished, "wf.z", `Failed "closed: what it is inside of has ended"`, false}},
		},
		{
			"a request in an attempt after the end",
			"wf: dag(r: retry(3, http))", []propagate.Event{propagate.NodeEnded("wf.r(0)", nodegraph.PhaseSucceeded, "")},
			edits{with(nodegraph.KindHTTP, "wf.r(1)", nodegraph.PhasePending), set("wf", nodegraph.PhaseRunning, ""), running},
			[]line{{diagnose.LateAttempt, "wf.r(1)", `Failed "closed: what it is inside of has ended"`, false}},
		},
		{
			"a daemon that outlived its DAG",
			"wf: dag(x: dag(d: daemon -> a), y)", []propagate.Event{propagate.PodRunning("wf.x.d"), propagate.PodSucceeded("wf.x.a")},
			edits{daemoned("wf.x.d")},
			[]line{{diagnose.DaemonLeft, "wf.x.d", "Succeeded", true}},
		},
		{
			"a daemon that outlived its workflow",
			"wf: daemon", []propagate.Event{propagate.PodRunning("wf")},
			edits{daemoned("wf"), succeeded},
			[]line{{diagnose.DaemonLeft, "wf", "Succeeded", true}},
		},
		{
			"a pod that was deleted and is Succeeded",
			"wf: dag(a, b)", []propagate.Event{propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a")},
			edits{set("wf.a", nodegraph.PhaseSucceeded, "pod deleted")},
			[]line{{diagnose.Rewritten, "wf.a", `Error "pod deleted"`, true}},
		},
		{
			"a TaskGroup whose items are done",
			"wf: dag(fan: pod over [x, y])", bothDone,
			edits{set("wf.fan", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running, hourLater},
			[]line{{diagnose.TaskGroupDone, "wf.fan", "Succeeded", true}},
		},
		{
			"a Retry that has no attempt left",
			"wf: dag(r: retry(1, pod))", failed,
			edits{set("wf.r", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running, hourLater},
			[]line{{diagnose.RetryOver, "wf.r", `Failed "No more retries left"`, true}},
		},
		{
			"a Retry that succeeded is the controller's: it takes over outputs",
			"wf: dag(r: retry(1, pod))", retried,
			edits{set("wf.r", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running, hourLater},
			[]line{{diagnose.RetryOver, "wf.r", "Succeeded", false}},
		},
		{
			"a DAG whose tasks are done",
			"wf: dag(a)", aDone, edits{set("wf", nodegraph.PhaseRunning, ""), running, hourLater},
			[]line{{diagnose.Stalled, "wf", "Succeeded", false}},
		},
		{
			"a workflow whose nodes are done",
			"wf: dag(a)", aDone, edits{running, hourLater},
			[]line{{diagnose.Stalled, "wf", "Succeeded", false}},
		},
		{
			"an exit handler that was never started",
			"wf: dag(a) exit pod", aDone, edits{without("wf.onExit"), hourLater},
			[]line{{diagnose.ExitHookMissing, "wf.onExit", "", false}},
		},
		{
			"a workflow that was terminated runs no exit handler, and should be complete",
			"wf: dag(a) exit pod", aDone,
			edits{without("wf.onExit"), hourLater, func(in *diagnose.Input) { in.Snapshot.Shutdown = "Terminate" }},
			[]line{{diagnose.Stalled, "wf", "Succeeded", false}},
		},
		{
			"an exit handler of a complete workflow that was never started",
			"wf: dag(a) exit pod", aDone, edits{without("wf.onExit"), succeeded},
			[]line{{diagnose.ExitHookMissing, "wf.onExit", "", false}},
		},
		{
			"an exit hook of a task that was never started",
			"wf: dag(a exit pod -> b)", aDone, edits{without("wf.a.onExit"), hourLater},
			[]line{{diagnose.ExitHookMissing, "wf.a.onExit", "", false}},
		},
		{
			"a pod of a node that is not there",
			"wf: dag(a)", nil, edits{pod("wf.a", "Running"), pod("wf.z", "Running")},
			[]line{{diagnose.UnknownPod, nodegraph.NodeID("wf", "wf.z"), "", false}},
		},
		{
			"a lock of a node that has ended",
			"wf: dag(a: mutex(m, pod) -> b)", append([]propagate.Event{propagate.LockGranted("wf.a")}, aDone...),
			edits{func(in *diagnose.Input) {
				in.Holdings = []diagnose.Holding{{Key: "default/Mutex/m", Node: nodegraph.NodeID("wf", "wf.a")}}
			}, hourLater, pod("wf.b", "Running")},
			[]line{{diagnose.LockHeldByFinished, "wf.a", "", true}},
		},
		{
			"a lock of a node that is not there, and one of a workflow that has ended",
			"wf: dag(a)", aDone,
			edits{func(in *diagnose.Input) {
				in.Holdings = []diagnose.Holding{{Key: "default/Mutex/m", Node: "wf-1"}, {Key: "default/Mutex/n"}}
			}},
			[]line{{diagnose.LockHeldByFinished, "wf", "", true}, {diagnose.LockHeldByFinished, "wf-1", "", true}},
		},
		{
			"a lock of a workflow that waits for ever",
			"wf: dag(b: mutex(m, dag(c: pod(x))))", []propagate.Event{propagate.LockGranted("wf.b"), propagate.PodSucceeded("wf.b.c")},
			edits{
				set("wf.b.c.x", nodegraph.PhaseRunning, ""), set("wf.b", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running,
			},
			[]line{
				{diagnose.OrphanedContainer, "wf.b.c.x", "Succeeded", true}, {diagnose.LockHeldForEver, "wf.b", "", false},
			},
		},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			in := played(t, c.text, c.events...)
			for _, edit := range c.edits {
				edit(&in)
			}
			report, err := diagnose.Diagnose(in)
			require.NoError(t, err)
			if diff := cmp.Diff(c.want, lines(report.Findings)); diff != "" {
				t.Fatalf("findings (-want +got):\n%s", diff)
			}
			for _, f := range report.Findings {
				assert.NotEmpty(t, f.Reason, "%s", f)
				assert.NotEmpty(t, f.Remedy, "%s", f)
			}
			healedOnce(t, in, report)
		})
	}
}

// healedOnce checks that what heals is not found again, and that nothing else has changed.
func healedOnce(t *testing.T, in diagnose.Input, report *diagnose.Report) {
	t.Helper()
	changed, err := report.Heal()
	require.NoError(t, err)
	heals := 0
	for _, f := range report.Findings {
		if f.Heals && f.Kind != diagnose.LockHeldByFinished { // that is no node's
			heals++
		}
	}
	require.Len(t, changed, heals, "one node for each finding that heals")
	for _, n := range changed {
		assert.True(t, n.Phase.Settled() && !n.Daemoned && !n.Finished.IsZero(), "%s is healed: %+v", n.Name, n)
	}
	after := in
	after.Snapshot.Nodes = append([]nodegraph.NodeStatus{}, in.Snapshot.Nodes...)
	for _, n := range changed {
		for k := range after.Snapshot.Nodes {
			if after.Snapshot.Nodes[k].ID == n.ID {
				after.Snapshot.Nodes[k] = n
			}
		}
	}
	again, err := diagnose.Diagnose(after)
	require.NoError(t, err)
	for _, f := range again.Findings {
		assert.False(t, f.Heals && f.Kind != diagnose.LockHeldByFinished, "found again: %s", f)
	}
	e, _, err := propagate.FromSnapshot(after.Spec, after.Snapshot)
	require.NoError(t, err)
	require.NoError(t, e.Check())
}

// What is unfinished, behind, or odd but sound is no finding.
func TestNoFinding(t *testing.T) {
	cases := []struct {
		why    string
		text   string
		events []propagate.Event
		edits  edits
	}{
		{"not begun", "wf: dag(a)", nil, edits{func(in *diagnose.Input) { in.Snapshot = nodegraph.Snapshot{} }}},
		{"a pod runs", "wf: dag(a)", []propagate.Event{propagate.PodRunning("wf.a")}, edits{pod("wf.a", "Running"), hourLater}},
		{"its pod is gone, and the controller has still to see it", "wf: dag(a)", []propagate.Event{propagate.PodRunning("wf.a")}, nil},
		{"a container runs in a pod that runs", "wf: dag(b: pod(x -> y))", []propagate.Event{propagate.PodRunning("wf.b")}, nil},
		{"the items are done for a minute only", "wf: dag(fan: pod over [x, y])", bothDone,
			edits{set("wf.fan", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running}},
		{"nobody says what time it is", "wf: dag(fan: pod over [x, y])", bothDone,
			edits{set("wf.fan", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running, func(in *diagnose.Input) { in.Now = time.Time{} }}},
		{"the workflow is suspended", "wf: dag(a)", aDone,
			edits{set("wf", nodegraph.PhaseRunning, ""), running, hourLater, func(in *diagnose.Input) { in.Snapshot.Suspended = true }}},
		{"a limit of parallelism is reached, and Argo looks at nothing", "wf: dag(fan: pod over [x, y], z)", bothDone,
			edits{set("wf.fan", nodegraph.PhaseRunning, ""), hourLater, func(in *diagnose.Input) { in.Spec.Parallelism = 1 }, pod("wf.z", "Running")}},
		{"a daemon is ready inside its DAG", "wf: dag(d: daemon -> a)", []propagate.Event{propagate.PodRunning("wf.d")}, edits{pod("wf.d", "Running")}},
		{"a daemon outlives its Retry, not its DAG", "wf: dag(d: retry(1, daemon) -> a)",
			[]propagate.Event{propagate.PodRunning("wf.d(0)")}, edits{set("wf.d", nodegraph.PhaseSucceeded, "")}},
		{"an exit handler is not started where the workflow was terminated", "wf: dag(a) exit pod", aDone,
			edits{without("wf.onExit"), succeeded, func(in *diagnose.Input) { in.Snapshot.Shutdown = "Terminate" }}},
		{"an attempt that was asked for", "wf: dag(r: retry(1, pod))", []propagate.Event{propagate.PodFailed("wf.r(0)", "")}, nil},
		{"a pod that was made before its node was stored", "wf: dag(a -> b)", aDone, edits{without("wf.b"), pod("wf.b", "Pending")}},
		{"a pod without a node is an agent's", "wf: dag(a)", nil,
			edits{func(in *diagnose.Input) { in.Pods = []propagate.PodStatus{{Name: "wf-agent", Phase: "Running"}} }}},
		{"a young pod whose node is still to be stored", "wf: dag(a)", nil, edits{func(in *diagnose.Input) {
			in.Pods = []propagate.PodStatus{{Node: "wf-7", Phase: "Pending", Created: in.Now.Add(-time.Minute)}}
		}}},
		{"the pod in a DAG that has ended has ended too, and the controller has still to see it", "wf: dag(x: dag(a), y)",
			[]propagate.Event{propagate.PodRunning("wf.x.a")}, edits{set("wf.x", nodegraph.PhaseFailed, ""), pod("wf.x.a", "Failed")}},
		{"the pod has ended and its results are awaited", "wf: dag(b: pod(x))", []propagate.Event{propagate.PodSucceeded("wf.b")},
			edits{set("wf.b.x", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running, func(in *diagnose.Input) {
				for k := range in.Snapshot.Nodes {
					in.Snapshot.Nodes[k].Unsynced = in.Snapshot.Nodes[k].Name == "wf.b"
				}
			}}},
		{"nobody says when the items ended", "wf: dag(fan: pod over [x, y])", bothDone,
			edits{set("wf.fan", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running, hourLater, func(in *diagnose.Input) {
				for k := range in.Snapshot.Nodes {
					in.Snapshot.Nodes[k].Started, in.Snapshot.Nodes[k].Finished = time.Time{}, time.Time{}
				}
			}}},
		{"an attempt that the library would not make, of a Retry that goes on", "wf: dag(r: retry(3, pod))", retried,
			edits{with(nodegraph.KindPod, "wf.r(2)", nodegraph.PhaseRunning), set("wf.r", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running}},
		{"an unknown node inside an attempt that was asked for", "wf: dag(r: retry(3, dag(a)), y)", []propagate.Event{propagate.PodSucceeded("wf.r(0).a")},
			edits{with(nodegraph.KindSuspend, "wf.r(0).z", nodegraph.PhaseRunning)}},
		{"the exit hook of a TaskGroup itself, which Argo may never start", "wf: dag(fan: pod over [x] exit pod, s: suspend)",
			[]propagate.Event{propagate.PodSucceeded("wf.fan(0:x)"), propagate.PodSucceeded("wf.fan(0:x).onExit")}, edits{without("wf.fan.onExit"), hourLater}},
		{"a lock of a node that has just ended", "wf: dag(a: mutex(m, pod) -> b)", append([]propagate.Event{propagate.LockGranted("wf.a")}, aDone...),
			edits{func(in *diagnose.Input) {
				in.Holdings = []diagnose.Holding{{Key: "default/Mutex/m", Node: nodegraph.NodeID("wf", "wf.a")}}
			}}},
		{"an ended attempt after the end is in nobody's way", "wf: dag(r: retry(3, pod), y)", retried,
			edits{with(nodegraph.KindPod, "wf.r(2)", nodegraph.PhaseSucceeded)}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			in := played(t, c.text, c.events...)
			for _, edit := range c.edits {
				edit(&in)
			}
			report, err := diagnose.Diagnose(in)
			require.NoError(t, err)
			assert.Empty(t, report.Findings)
			assert.False(t, report.Stuck)
			changed, err := report.Heal()
			require.NoError(t, err)
			assert.Empty(t, changed)
		})
	}
}

// What only the controller can decide it has to decide in time.
func TestDecidedElsewhere(t *testing.T) {
	unresolved := func(in *diagnose.Input) {
		for _, x := range in.Spec.Templates {
			if x.Retry != nil {
				x.Unresolved = []nodegraph.Unresolved{{Field: "spec.templates[1].retryStrategy.retryPolicy", Text: "{{x}}"}}
			}
		}
	}
	expression := func(in *diagnose.Input) {
		for _, x := range in.Spec.Templates {
			if x.Retry != nil {
				x.Retry.Expression = retry.Uncompiled("sprig.int(lastRetry.exitCode) > 1", errors.New("unknown name sprig"))
			}
		}
	}
	open := edits{set("wf.r", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running}
	for why, c := range map[string]struct {
		events []propagate.Event
		edits  edits
	}{
		"a limit that the controller alone knows": {failed, append(open, unresolved)}, "an expression that it alone can evaluate": {failed[:1], append(open, without("wf.r(1)"), expression)},
	} {
		in := played(t, "wf: dag(r: retry(1, pod))", c.events...)
		for _, edit := range c.edits {
			edit(&in)
		}
		report, err := diagnose.Diagnose(in)
		require.NoError(t, err)
		assert.Empty(t, report.Findings, why)
		hourLater(&in)
		report, err = diagnose.Diagnose(in)
		require.NoError(t, err)
		assert.Equal(t, []line{{diagnose.StartOverdue, "wf.r", "", false}}, lines(report.Findings), why)
		assert.Contains(t, report.Findings[0].Reason, "only the controller can evaluate", why)
	}
}

// Findings say in one line what is wrong and why.
func TestFindingText(t *testing.T) {
	report, err := diagnose.Diagnose(orphan(t))
	require.NoError(t, err)
	require.Len(t, report.Findings, 1)
	assert.Equal(t, `orphaned-container wf.b.x: Running, should be Error "container deleted": `+
		`its pod wf.b has ended (Error "pod deleted"), and nobody reports on its containers any more`, report.Findings[0].String())
	assert.Equal(t, "not created", diagnose.State{}.String())
}

// Where a pod that has to go first is alive the remedy names it.
func TestRemedyNamesThePod(t *testing.T) {
	cases := []struct {
		why    string
		text   string
		events []propagate.Event
		edits  edits
		says   string
	}{
		{"a daemon", "wf: dag(x: dag(d: daemon -> a), y)", []propagate.Event{propagate.PodRunning("wf.x.d"), propagate.PodSucceeded("wf.x.a")},
			edits{daemoned("wf.x.d"), pod("wf.x.d", "Running")}, "delete pod pod-of-wf.x.d, then heal the workflow"},
		{"a pod in a DAG that has ended", "wf: dag(x: dag(a), y)", []propagate.Event{propagate.PodRunning("wf.x.a")},
			edits{set("wf.x", nodegraph.PhaseFailed, ""), pod("wf.x.a", "Running")}, "delete pod pod-of-wf.x.a, then heal the workflow"},
	}
	for _, c := range cases {
		in := played(t, c.text, c.events...)
		for _, edit := range c.edits {
			edit(&in)
		}
		report, err := diagnose.Diagnose(in)
		require.NoError(t, err)
		require.Len(t, report.Findings, 1, c.why)
		assert.Equal(t, c.says, report.Findings[0].Remedy, c.why)
		_, err = report.Heal()
		require.ErrorAs(t, err, new(*diagnose.LivePodError), c.why)
	}
}

// A specification that can't be is no report.
func TestBadSpecification(t *testing.T) {
	_, err := diagnose.Diagnose(diagnose.Input{Spec: &nodegraph.Spec{Name: "wf", Entrypoint: "none"}})
	require.Error(t, err)
	assert.ErrorAs(t, err, new(*nodegraph.SpecError))
}
