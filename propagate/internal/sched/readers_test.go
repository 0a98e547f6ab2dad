package sched_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// What happens to pods.
var running, succeeded = propagate.PodRunning, propagate.PodSucceeded

func failed(node string) propagate.Event { return propagate.PodFailed(node, "") }

// hooked gives a task a hook.
func hooked(task, hook, expression string) func(*nodegraph.Spec) {
	return func(spec *nodegraph.Spec) {
		spec.Templates = append(spec.Templates, &nodegraph.Template{Name: "hook", Kind: nodegraph.KindPod})
		for _, template := range spec.Templates {
			for k := range template.Tasks {
				if t := &template.Tasks[k]; t.Name == task {
					t.Hooks = []nodegraph.Hook{{Name: hook, Template: "hook", Expression: expression}}
				}
			}
		}
	}
}

func onRecord(name string, kind nodegraph.Kind, phase nodegraph.Phase) nodegraph.NodeStatus {
	return nodegraph.NodeStatus{ID: nodegraph.NodeID("wf", name), Name: name, Kind: kind, Phase: phase, Started: epoch}
}

// Rows of the table of readers of which only one thing wakes the reader: what changes, and the reader as it is then. Each event
// is a call, after which the engine agrees with the reference evaluator.
func TestReaders(t *testing.T) {
	for _, c := range []struct {
		what, text string
		set        func(*nodegraph.Spec)
		record     []nodegraph.NodeStatus
		events     []propagate.Event
		node, want string
	}{
		{what: "the fact of a TaskGroup: it was seen to have ended", text: "dag(a over [i] -> b)", set: hooked("a", nodegraph.ExitHook, `workflow.status == "Failed"`),
			events: []propagate.Event{succeeded("wf.a(0:i)"), propagate.Suspended(false)}, node: "wf.b", want: "Pod 11"},
		{what: "the verdict of an item", text: "dag(a: daemon over [i, j], b depends `a.Failed && !a.AllFailed`, c)",
			events: []propagate.Event{propagate.Suspended(true), running("wf.a(0:i)"), failed("wf.a(1:j)"), failed("wf.a(0:i)")}, node: "wf.b", want: "Planned 4"},
		{what: "the phase of a task that a hook names from far behind", text: "dag(a: daemon -> b -> c)", set: hooked("c", "h", `tasks.a.status == "Failed"`),
			events: []propagate.Event{running("wf.a"), succeeded("wf.b"), running("wf.c"), failed("wf.a")}, node: "wf.c.hooks.h", want: "Pod 11"},
		{what: "the phase of the entry node", text: "daemon exit dag(b, c: suspend)", set: hooked("b", "h", `workflow.status == "Failed"`),
			events: []propagate.Event{running("wf"), running("wf.onExit.b"), failed("wf")}, node: "wf.onExit.b.hooks.h", want: "Pod 11"},
		{what: "the verdict of a member of what is inside something that only ends", text: "dag(x: dag(y: dag(a -> b), c))", record: []nodegraph.NodeStatus{
			onRecord("wf", nodegraph.KindDAG, nodegraph.PhaseRunning), onRecord("wf.x", nodegraph.KindDAG, nodegraph.PhaseError), onRecord("wf.x.y", nodegraph.KindDAG, nodegraph.PhaseRunning),
			onRecord("wf.x.y.a", nodegraph.KindPod, nodegraph.PhaseRunning), onRecord("wf.x.c", nodegraph.KindPod, nodegraph.PhaseRunning),
		}, events: []propagate.Event{succeeded("wf.x.y.a")}, node: "wf.x.y", want: "Composite 7"},
		{what: "a newer pod of an item tells what comes after the loop", text: "dag(a over [i, j], b depends `a.AllFailed`, c)", node: "wf.b", want: "Pod 11",
			events: []propagate.Event{running("wf.a(0:i)").WithPod("1", epoch), failed("wf.a(1:j)"), propagate.PodDeleted("wf.a(0:i)").WithPod("1", epoch),
				failed("wf.a(0:i)").WithPod("2", epoch.Add(time.Second))}},
	} {
		t.Run(c.what, func(t *testing.T) {
			spec, err := nodegraph.Parse(c.text)
			require.NoError(t, err)
			if c.set != nil {
				c.set(spec)
			}
			e, err := propagate.New(spec)
			if c.record != nil {
				e, _, err = propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: epoch, Nodes: c.record})
			}
			require.NoError(t, err)
			_, err = e.Apply(epoch)
			require.NoError(t, err)
			for _, ev := range c.events {
				_, err := e.Apply(epoch, ev)
				require.NoError(t, err)
				require.NoError(t, e.Check())
			}
			i := e.Graph().Find(c.node)
			require.NotEqual(t, nodegraph.None, i, "no node %s", c.node)
			require.Equal(t, c.want, e.Verdict(i).Line)
		})
	}
}
