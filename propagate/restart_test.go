package propagate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/retry"
)

// A record names no pods. For a host that leaves out when pods were created, the pod that is there is the one that the
// record tells of, and does not undo its end.
func TestPodOfARestoredEngine(t *testing.T) {
	pod := podOf("wf.a", "u", "Running", running("main"))
	for name, tellFirst := range map[string]bool{"stopped before": true, "stopped while away": false} {
		t.Run(name, func(t *testing.T) {
			e := drawn(t, "dag(a)")
			listed(t, e, pod)
			if tellFirst {
				tell(t, e, propagate.Shutdown("Terminate"))
			}
			record := e.Snapshot()
			record.Shutdown, record.Phase = "Terminate", nodegraph.PhaseRunning
			again, _, err := propagate.FromSnapshot(e.Graph().Spec(), record)
			require.NoError(t, err)
			_, err = again.SyncPods(epoch, []propagate.PodStatus{pod}, propagate.Shutdown("Terminate"))
			require.NoError(t, err)
			require.NoError(t, again.Check())
			expect(t, again, "wf.a", nodegraph.PhaseFailed)
			require.True(t, again.Complete())
		})
	}
}

// A pod that is gone after a restart, which the record did not name, is made again; the one that is made is another.
func TestPodMadeAgainByARestoredEngine(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	listed(t, e, podOf("wf.a", "u", "Pending"))
	again := restored(t, e)
	require.Equal(t, "Recreate wf.a", listed(t, again).Actions[0].String())
	listed(t, again, podOf("wf.a", "v", "Pending"))
	require.Equal(t, []string{"wf.a: pod", "wf.hold: resume"}, waitsFor(again))
	listed(t, again, podOf("wf.a", "v", "Running"))
	expect(t, again, "wf.a", nodegraph.PhaseRunning)
	listed(t, again, podOf("wf.a", "v", "Succeeded"))
	expect(t, again, "wf.a", nodegraph.PhaseSucceeded)
}

// A shutdown that was asked for while the host was away is in the record; told once more, it stops what still runs.
func TestShutdownOfARestoredEngine(t *testing.T) {
	for _, strategy := range []string{"Stop", "Terminate"} {
		t.Run(strategy, func(t *testing.T) {
			e := drawn(t, "dag(a, b)")
			tell(t, e, propagate.PodRunning("wf.a"))
			record := e.Snapshot()
			record.Shutdown = strategy
			again, _, err := propagate.FromSnapshot(e.Graph().Spec(), record)
			require.NoError(t, err)
			r, err := again.Apply(epoch, propagate.Shutdown(strategy))
			require.NoError(t, err)
			require.NoError(t, again.Check())
			var stops []string
			for _, a := range r.Actions {
				stops = append(stops, a.String())
			}
			require.Contains(t, stops, `Terminate wf.a "workflow shutdown with strategy:  `+strategy+`"`)
			require.True(t, again.Complete())
		})
	}
}

// disrupted is an engine whose Retry wf.a has gone on to a second attempt, which its limit does not allow, because the first
// was evicted and such ends do not count.
func disrupted(t testing.TB) *propagate.Engine {
	e := drawnWith(t, "dag(a: retry(0, pod) -> b, hold: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Retry != nil {
				template.Retry.IgnoreDisruptions = true
			}
		}
	})
	evicted := propagate.PodEvicted("wf.a(0)", "low on memory")
	evicted.Conditions = []string{"DisruptionTarget"}
	tell(t, e, propagate.PodRunning("wf.a(0)"), evicted)
	return e
}

// What a record leaves out may be why a Retry went on: that a pod was evicted, where such ends do not count. While the
// Retry has not ended its later attempts are taken at their word, or the workflow would fail beside a pod that runs.
func TestAttemptsOfARestoredEngine(t *testing.T) {
	e := disrupted(t)
	tell(t, e, propagate.PodRunning("wf.a(1)"))
	e = restored(t, e)
	expect(t, e, "wf.a(1)", nodegraph.PhaseRunning)
	tell(t, e, propagate.PodSucceeded("wf.a(1)"))
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.b", nodegraph.PhasePending)
}

// A record keeps what it says has ended, where the rules would say otherwise of what is inside it: a controller may have
// decided otherwise than they do, and nothing must start because of that. Only an end with something open inside is not kept.
func TestRecordedEndsAreKept(t *testing.T) {
	const deleted = "pod deleted"
	failed := func(name string, kind nodegraph.Kind, phase nodegraph.Phase, message string) nodegraph.NodeStatus {
		r := onRecord(name, kind, phase)
		r.Message, r.Finished = message, epoch
		return r
	}
	lost := []nodegraph.NodeStatus{ // a container set that was lost after its container had ended, and what comes after it
		failed("wf.x.set", nodegraph.KindPod, nodegraph.PhaseError, deleted), failed("wf.x.set.main", nodegraph.KindContainer, nodegraph.PhaseSucceeded, ""),
		failed("wf.x.after", nodegraph.KindSkipped, nodegraph.PhaseOmitted, "omitted: depends condition not met"),
	}
	for name, c := range map[string]struct {
		text    string
		phase   nodegraph.Phase // of the workflow on record
		nodes   []nodegraph.NodeStatus
		node    string
		want    nodegraph.Phase
		message string
		waits   []string
	}{
		"a DAG that the rules call failed": {
			text: "dag(x: dag(set: pod(main) -> after), hold: suspend)", phase: nodegraph.PhaseRunning,
			nodes: append([]nodegraph.NodeStatus{failed("wf.x", nodegraph.KindDAG, nodegraph.PhaseSucceeded, "")}, lost...),
			node:  "wf.x", want: nodegraph.PhaseSucceeded, waits: []string{"wf.hold: resume"},
		},
		"a DAG that failed in another way than the rules say": {
			text: "dag(x: dag(set: pod(main) -> after), hold: suspend)", phase: nodegraph.PhaseRunning,
			nodes: append([]nodegraph.NodeStatus{failed("wf.x", nodegraph.KindDAG, nodegraph.PhaseFailed, "")}, lost...),
			node:  "wf.x", want: nodegraph.PhaseFailed, waits: []string{"wf.hold: resume"},
		},
		"a Retry that the rules would let go on": {
			text: "dag(r: retry(2, pod), hold: suspend)", phase: nodegraph.PhaseRunning,
			nodes: []nodegraph.NodeStatus{failed("wf.r", nodegraph.KindRetry, nodegraph.PhaseFailed, "enough"), failed("wf.r(0)", nodegraph.KindPod, nodegraph.PhaseFailed, "")},
			node:  "wf.r", want: nodegraph.PhaseFailed, message: "enough", waits: []string{"wf.hold: resume"},
		},
		"a DAG in which the rules would start a task": {
			text: "dag(x: dag(a, b), hold: suspend)", phase: nodegraph.PhaseRunning,
			nodes: []nodegraph.NodeStatus{failed("wf.x", nodegraph.KindDAG, nodegraph.PhaseSucceeded, ""), failed("wf.x.a", nodegraph.KindPod, nodegraph.PhaseSucceeded, "")},
			node:  "wf.x", want: nodegraph.PhaseSucceeded, waits: []string{"wf.hold: resume"},
		},
		"a container that its pod, which succeeded, does not end like that": {
			text: "dag(set: pod(main), hold: suspend)", phase: nodegraph.PhaseRunning,
			nodes: []nodegraph.NodeStatus{failed("wf.set", nodegraph.KindPod, nodegraph.PhaseSucceeded, ""), failed("wf.set.main", nodegraph.KindContainer, nodegraph.PhaseError, "container deleted")},
			node:  "wf.set.main", want: nodegraph.PhaseError, message: "container deleted", waits: []string{"wf.hold: resume"},
		},
		"a complete workflow": {
			text: "dag(x: dag(set: pod(main) -> after))", phase: nodegraph.PhaseSucceeded,
			nodes: append([]nodegraph.NodeStatus{failed("wf.x", nodegraph.KindDAG, nodegraph.PhaseSucceeded, "")}, lost...),
			node:  "wf.x", want: nodegraph.PhaseSucceeded,
		},
		"a DAG with a pod inside that runs": {
			text: "dag(x: dag(a), hold: suspend)", phase: nodegraph.PhaseRunning,
			nodes: []nodegraph.NodeStatus{failed("wf.x", nodegraph.KindDAG, nodegraph.PhaseSucceeded, ""), onRecord("wf.x.a", nodegraph.KindPod, nodegraph.PhaseRunning)},
			node:  "wf.x", want: nodegraph.PhaseRunning, waits: []string{"wf.hold: resume", "wf.x.a: pod"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := nodegraph.Parse(c.text)
			require.NoError(t, err)
			entry := onRecord("wf", nodegraph.KindDAG, c.phase)
			e, unknown, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: c.phase, Started: epoch,
				Nodes: append([]nodegraph.NodeStatus{entry, onRecord("wf.hold", nodegraph.KindSuspend, nodegraph.PhaseRunning)}, c.nodes...)})
			require.NoError(t, err)
			require.Equal(t, strings.Contains(c.text, "hold"), len(unknown) == 0, "unknown: %v", unknown)
			require.NoError(t, e.Check())
			r, err := e.Apply(epoch)
			require.NoError(t, err)
			require.NoError(t, e.Check(), "the invariants hold, though what is on record is not true")
			phase, message := e.Phase(e.Graph().Find(c.node))
			require.Equal(t, c.want.String()+" "+c.message, phase.String()+" "+message, "%s on record, because: %v", c.node, e.Explain(e.Graph().Find(c.node)))
			require.ElementsMatch(t, c.waits, waitsFor(e))
			for _, a := range r.Actions {
				require.NotEqual(t, propagate.ActionStart, a.Type, "nothing starts because a record says otherwise than the rules: %v", a)
			}
		})
	}
}

// A group that is on record as ended although something inside it runs ends so once that has ended. Until then it is open,
// and nothing starts inside it: no attempt, no hook, no task, no pod in place of one that is lost, and nothing waits for a lock.
func TestRecordedEndOverWhatIsOpen(t *testing.T) {
	spec, err := nodegraph.Parse("dag(x: dag(a: retry(2, pod) exit pod -> b, c, l: mutex(m, pod)), hold: suspend)")
	require.NoError(t, err)
	waiting := onRecord("wf.x.l", nodegraph.KindPod, nodegraph.PhasePending)
	waiting.WaitsFor, waiting.Message = "default/Mutex/m", "Waiting for default/Mutex/m lock. Lock status: 0/1"
	e, _, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: epoch, Nodes: []nodegraph.NodeStatus{
		onRecord("wf", nodegraph.KindDAG, nodegraph.PhaseRunning), onRecord("wf.hold", nodegraph.KindSuspend, nodegraph.PhaseRunning),
		onRecord("wf.x", nodegraph.KindDAG, nodegraph.PhaseError), onRecord("wf.x.a", nodegraph.KindRetry, nodegraph.PhaseRunning),
		onRecord("wf.x.a(0)", nodegraph.KindPod, nodegraph.PhaseRunning), onRecord("wf.x.c", nodegraph.KindPod, nodegraph.PhasePending), waiting,
	}})
	require.NoError(t, err)
	require.NoError(t, e.Check())
	expect(t, e, "wf.x", nodegraph.PhaseRunning)
	expect(t, e, "wf.x.l", nodegraph.PhaseFailed)
	require.ElementsMatch(t, []string{"wf.hold: resume", "wf.x.a(0): pod", "wf.x.c: pod"}, waitsFor(e))
	var started []string
	for _, r := range []propagate.Result{tell(t, e), tell(t, e, propagate.PodFailed("wf.x.a(0)", "")), tell(t, e, propagate.PodDeleted("wf.x.c"))} {
		for _, a := range r.Actions {
			if a.Type == propagate.ActionStart || a.Type == propagate.ActionRecreate {
				started = append(started, a.Name)
			}
		}
	}
	require.Empty(t, started, "what starts inside something that has ended")
	expect(t, e, "wf.x.a", nodegraph.PhaseFailed)
	expect(t, e, "wf.x", nodegraph.PhaseError)
	require.NoError(t, reloaded(t, e).Check())
	require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
}

// onRecord is a node of a workflow called wf as a controller recorded it.
func onRecord(name string, kind nodegraph.Kind, phase nodegraph.Phase) nodegraph.NodeStatus {
	return nodegraph.NodeStatus{ID: nodegraph.NodeID("wf", name), Name: name, Kind: kind, Phase: phase, Started: epoch}
}

// A loop that is recorded to have ended has ended, though none of its items is on record: nobody is asked for them again.
func TestLoopThatEndedWithoutItemsOnRecord(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(many over "{{list}}", b)`)
	require.NoError(t, err)
	for _, phase := range []nodegraph.Phase{nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError} {
		e, unknown, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: epoch, Nodes: []nodegraph.NodeStatus{
			onRecord("wf", nodegraph.KindDAG, nodegraph.PhaseRunning), onRecord("wf.many", nodegraph.KindTaskGroup, phase), onRecord("wf.b", nodegraph.KindPod, nodegraph.PhasePending),
		}})
		require.NoError(t, err)
		require.Empty(t, unknown)
		tell(t, e)
		expect(t, e, "wf.many", phase)
		require.Equal(t, []string{"wf.b: pod"}, waitsFor(e))
	}
}

// What a complete workflow recorded of a composite counts if it is an end. One that its controller left Running, as some
// did, is what its members make of it.
func TestCompositeLeftRunningInACompleteWorkflow(t *testing.T) {
	spec, err := nodegraph.Parse("dag(x: dag(a), b)")
	require.NoError(t, err)
	e, unknown, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseFailed, Started: epoch, Finished: epoch, Nodes: []nodegraph.NodeStatus{
		onRecord("wf", nodegraph.KindDAG, nodegraph.PhaseFailed), onRecord("wf.x", nodegraph.KindDAG, nodegraph.PhaseRunning),
		onRecord("wf.x.a", nodegraph.KindPod, nodegraph.PhaseSucceeded), onRecord("wf.b", nodegraph.KindPod, nodegraph.PhaseFailed),
	}})
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.NoError(t, e.Check())
	expect(t, e, "wf.x", nodegraph.PhaseSucceeded)
}

// A record does not say why pods failed, so that some may not have counted against the limit. Attempts that it needs to
// come to the end that is recorded are taken; without them a Retry that had succeeded failed.
func TestAttemptsOfARestoredEngineThatEnded(t *testing.T) {
	e := disrupted(t)
	tell(t, e, propagate.PodSucceeded("wf.a(1)"))
	expect(t, restored(t, e), "wf.a", nodegraph.PhaseSucceeded)
}

func ptr[T any](v T) *T { return &v }

// Why an attempt failed may be heard later than that it did. The Retry goes on if it did not count.
func TestReasonThatComesLate(t *testing.T) {
	exit3, err := retry.Compile("lastRetry.exitCode == '3'")
	require.NoError(t, err)
	tests := map[string]struct {
		strategy retry.Strategy
		late     propagate.Event
	}{
		"a disruption": {retry.Strategy{Limit: ptr(0), IgnoreDisruptions: true}, func() propagate.Event {
			ev := propagate.PodEvicted("wf.a(0)", "low on memory")
			ev.Conditions = []string{"DisruptionTarget"}
			return ev
		}()},
		"an exit code": {retry.Strategy{Limit: ptr(1), Expression: exit3},
			propagate.ContainerEnded("wf.a(0)", "main", 3, "")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := drawnWith(t, "dag(a: retry(0, pod(main)), hold: suspend)", func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					if template.Retry != nil {
						template.Retry = &test.strategy
					}
				}
			})
			failed := propagate.PodFailed("wf.a(0)", "low on memory")
			failed.Pod.UID, test.late.Pod.UID = "u", "u"
			tell(t, e, failed)
			expect(t, e, "wf.a", nodegraph.PhaseFailed)
			tell(t, e, test.late)
			require.ElementsMatch(t, []string{"wf.a(1): start", "wf.hold: resume"}, waitsFor(e))
		})
	}
}

// The pod that a restored engine is told of first is the one that the record tells of, whenever it was created. It was taken
// for a newer one, which had not run yet, and its eviction did not end the node.
func TestPodWithATimeOfARestoredEngine(t *testing.T) {
	e := drawnWith(t, "dag(a, hold: suspend)", func(spec *nodegraph.Spec) { spec.PodRestarts = 3 })
	pod := podOf("wf.a", "u", "Running", running("main"))
	pod.Created = epoch
	listed(t, e, pod)
	pod.Phase, pod.Reason, pod.Message = "Failed", "Evicted", "low on memory"
	listed(t, e, pod)
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
	again := restored(t, e)
	require.Empty(t, listed(t, again, pod).Actions)
	expect(t, again, "wf.a", nodegraph.PhaseFailed)

	pod.UID, pod.Created, pod.Phase = "v", epoch.Add(time.Second), "Running"
	require.Equal(t, `[Terminate wf.a "its node has ended"]`, fmt.Sprint(listed(t, again, pod).Actions), "a later one is another")
	require.Equal(t, "u", again.Fact(again.Graph().Find("wf.a")).UID, "it opens nothing again")
}

// So is one that was lost: it is not made to run again by a list that still shows it. And what its containers had come to
// stays.
func TestLostPodWithATimeOfARestoredEngine(t *testing.T) {
	e := drawn(t, "dag(a: pod(x, y), b: pod(x, y), hold: suspend)")
	pod := func(node string, phase propagate.PodPhase, containers ...propagate.ContainerStatus) propagate.PodStatus {
		p := podOf(node, "u-"+node, phase, containers...)
		p.Created = epoch
		return p
	}
	a, b := pod("wf.a", "Running", running("x"), running("y")), pod("wf.b", "Running", terminated("x", 0), running("y"))
	listed(t, e, a, b)
	listed(t, e, b)
	expect(t, e, "wf.a", nodegraph.PhaseError)
	again := restored(t, e)
	b.Phase, b.Reason, b.Containers = "Failed", "Evicted", nil
	listed(t, again, a, b)
	expect(t, again, "wf.a", nodegraph.PhaseError)
	expect(t, again, "wf.b", nodegraph.PhaseFailed)
	expect(t, again, "wf.b.x", nodegraph.PhaseSucceeded)
}

// The exit hook of a TaskGroup that a controller missed because the DAG had ended stays missed: it would run in what had ended long
// before.
func TestMissedHookOfARestoredEngine(t *testing.T) {
	e := drawnWith(t, "dag(x: dag(a, b -> many: pod over [1] exit pod), hold: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if k := slices.IndexFunc(template.Tasks, func(task nodegraph.Task) bool { return task.Name == "many" }); k >= 0 {
				template.Tasks[k].When = "1 == 2"
			}
		}
	})
	tell(t, e, propagate.PodSucceeded("wf.x.b"), propagate.PodFailed("wf.x.a", ""))
	expect(t, e, "wf.x.many", nodegraph.PhaseSucceeded)
	record := e.Snapshot()
	for k := range record.Nodes {
		if n := &record.Nodes[k]; n.Name == "wf.x" {
			n.Phase, n.Finished = nodegraph.PhaseFailed, epoch
		}
	}
	again, _, err := propagate.FromSnapshot(e.Graph().Spec(), record)
	require.NoError(t, err)
	require.Empty(t, tell(t, again).Actions)
	require.Equal(t, []string{"wf.hold: resume"}, waitsFor(again))
}

// Items that had not started yet when the controller went away are recorded, or they would never run: only the host knows
// what a loop is over, and it is not asked again.
func TestItemsOfARestoredEngine(t *testing.T) {
	for _, text := range []string{`dag(a over "list", b)`, `steps(a over "list" | b)`} {
		t.Run(text, func(t *testing.T) {
			e := drawnWith(t, text, func(spec *nodegraph.Spec) { spec.Parallelism = 1 })
			loop := waitsFor(e)[0]
			loop = loop[:strings.Index(loop, ":")]
			tell(t, e, propagate.Expanded(loop, nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"}, nodegraph.Item{Text: "z"}))
			first := waitsFor(e)[0]
			tell(t, e, propagate.PodPending(first[:strings.LastIndex(first, ":")], ""))
			again := restored(t, e)
			require.Empty(t, cmp.Diff(waitsFor(e), waitsFor(again)))
			require.Empty(t, cmp.Diff(e.Snapshot(), again.Snapshot()))
			require.NotEqual(t, nodegraph.None, again.Graph().Find(loop+"(2:z)"))
		})
	}
}

// Where an item is missing between two others, what it is can't be known: the host is asked for all of them again.
func TestMissingItemOfARestoredEngine(t *testing.T) {
	e := drawn(t, `dag(a over "list", hold: suspend)`)
	tell(t, e, propagate.Expanded("wf.a", nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"}))
	record := e.Snapshot()
	record.Nodes = slices.DeleteFunc(record.Nodes, func(n nodegraph.NodeStatus) bool { return n.Name == "wf.a(0:x)" })
	again, unknown, err := propagate.FromSnapshot(e.Graph().Spec(), record)
	require.NoError(t, err)
	require.Equal(t, []string{nodegraph.NodeID("wf", "wf.a(1:y)")}, unknown)
	require.Equal(t, `[Expand wf.a "list"]`, fmt.Sprint(tell(t, again).Actions))
	tell(t, again, propagate.Expanded("wf.a", nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"}))
	expect(t, again, "wf.a(1:y)", nodegraph.PhasePending)
}

// What was closed because its boundary failed fast is recorded as failed, though what is in it says otherwise.
func TestClosedInsideWhatARestoredEngineEnds(t *testing.T) {
	e := drawnWith(t, "dag(x: steps(a exit pod, b: retry(0, pod) exit pod), hold: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Name == "x"
		}
	})
	tell(t, e, propagate.PodFailed("wf.x[0].a", ""), propagate.PodFailed("wf.x[0].b(0)", ""))
	expect(t, e, "wf.x[0]", nodegraph.PhaseFailed)
	again := restored(t, e)
	require.Empty(t, tell(t, again).Actions)
	require.Empty(t, cmp.Diff(e.Snapshot(), again.Snapshot()))
}

// A Retry that had stopped for a reason which the record does not have stays ended inside an attempt that was followed by
// another.
func TestEndedInsideAnAttemptOfARestoredEngine(t *testing.T) {
	e := drawnWith(t, "dag(a: retry(1, dag(b: retry(1, pod))), hold: suspend)", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Retry != nil && template.Kind == nodegraph.KindPod {
				template.Retry.Policy = retry.PolicyOnError
			}
		}
	})
	tell(t, e, propagate.PodFailed("wf.a(0).b(0)", ""))
	expect(t, e, "wf.a(0).b", nodegraph.PhaseFailed)
	record := e.Snapshot()
	for k := range record.Nodes {
		if n := &record.Nodes[k]; n.Name == "wf.a(0).b(0)" {
			n.Phase, n.Message = nodegraph.PhaseError, "what made it fail was not recorded"
		}
	}
	again, _, err := propagate.FromSnapshot(e.Graph().Spec(), record)
	require.NoError(t, err)
	require.NoError(t, again.Check())
	expect(t, again, "wf.a(0).b", nodegraph.PhaseFailed)
}

// What was skipped while a daemon before it was ready stays skipped when the daemon begins anew, and so does its hook.
func TestWhatWasSkippedAfterADaemonStays(t *testing.T) {
	e := drawnWith(t, `dag(d: retry(1, daemon) -> x when "1 == 2", hold: suspend)`, func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			for k := range template.Tasks {
				if task := &template.Tasks[k]; task.Name == "x" {
					task.Hooks = []nodegraph.Hook{{Name: "h", Template: task.Template, Expression: `tasks.x.status == "Skipped"`}}
				}
			}
		}
	})
	tell(t, e, propagate.PodRunning("wf.d(0)"))
	tell(t, e, propagate.PodRunning("wf.x.hooks.h"))
	tell(t, e, propagate.PodFailed("wf.d(0)", ""))
	expect(t, e, "wf.d", nodegraph.PhaseRunning)
	expect(t, e, "wf.x", nodegraph.PhaseSkipped)
	expect(t, reloaded(t, e), "wf.x.hooks.h", nodegraph.PhaseRunning)
	expect(t, restored(t, e), "wf.x.hooks.h", nodegraph.PhaseRunning)
}

// A daemon that was ready and ended by itself is not waited for, results or not. A record does not say that it was ready.
func TestResultsInsideWhatARestoredEngineEnds(t *testing.T) {
	e := drawn(t, "dag(x: dag(d: daemon -> b), hold: suspend)")
	tell(t, e, propagate.PodRunning("wf.x.d"), propagate.ResultPending("wf.x.d"))
	tell(t, e, propagate.PodSucceeded("wf.x.d"))
	tell(t, e, propagate.PodSucceeded("wf.x.b"))
	require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
	require.Equal(t, []string{"wf.hold: resume"}, waitsFor(restored(t, e)))
}

// A restored engine that finds itself complete says so to a host that lists pods, once, and gives back what it holds.
func TestRestoredEngineThatIsComplete(t *testing.T) {
	e := drawn(t, "dag(a: mutex(m, pod))")
	tell(t, e, propagate.LockGranted(nodegraph.NodeID("wf", "wf.a")))
	tell(t, e, propagate.PodRunning("wf.a"))
	record := e.Snapshot()
	for k := range record.Nodes {
		record.Nodes[k].Phase, record.Nodes[k].Finished = nodegraph.PhaseSucceeded, epoch // written before the workflow's own
	}
	again, _, err := propagate.FromSnapshot(e.Graph().Spec(), record)
	require.NoError(t, err)
	require.True(t, again.Complete())
	actions := listed(t, again).Actions
	require.NotEmpty(t, actions)
	require.Equal(t, propagate.ActionComplete, actions[len(actions)-1].Type)
	require.Empty(t, listed(t, again).Actions)
}

// A loop that the host resolved to no items was asked for again after a restart, inside an attempt that had ended.
func TestEmptyLoopSurvivesARestart(t *testing.T) {
	e := drawn(t, `dag(a over "{{tasks.x.outputs.result}}", b)`)
	tell(t, e, propagate.Expanded("wf.a"))
	expect(t, e, "wf.a", nodegraph.PhaseSkipped)
	e = reloaded(t, e)
	expect(t, e, "wf.a", nodegraph.PhaseSkipped)
	require.Equal(t, []string{"wf.b: start"}, waitsFor(e))
	require.Empty(t, tell(t, e).Changes)
}

// What waited for a lock was asked for its containers' memoization keys after a restart, and they began without their pod.
func TestWhatWaitsForALockHasNothingInsideAfterARestart(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, pod(x -> y)))`)
	id := e.Graph().Node(e.Graph().Find("wf.a")).ID()
	tell(t, e, propagate.LockQueued(id, "default/Mutex/m", "Waiting"))
	e = reloaded(t, e)
	require.Equal(t, nodegraph.None, e.Graph().Find("wf.a.x"))
	tell(t, e, propagate.LockGranted(id))
	expect(t, e, "wf.a.x", nodegraph.PhasePending)
}

// Between Load and the next Apply a node whose lock was asked for waited for parallelism, and a workflow that waits for its
// own locks was not Pending any more.
func TestLoadKeepsThatALockWasAskedFor(t *testing.T) {
	e := drawn(t, "dag(a: mutex(m, pod))")
	require.Equal(t, waitsFor(e), waitsFor(reloaded(t, e)))
}

func TestLoadKeepsThatTheWorkflowWaitsForItsLocks(t *testing.T) {
	e := drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{{Key: mutexM, Limit: 1}} })
	phase, _ := e.Workflow()
	again, _ := reloaded(t, e).Workflow()
	require.Equal(t, phase.String(), again.String())
}

// A Workflow object does not say that the pod of the last attempt was evicted, so the Retry seemed to have ended until the
// pods were listed: it had lost its lock by then (random test, seed 405,356,343).
func TestRestoredRetryKeepsItsLock(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: mutex(m, retry(2, pod)), hold: suspend)")
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Retry != nil {
			template.Retry = &retry.Strategy{Limit: new(int), IgnoreDisruptions: true, Backoff: &retry.Backoff{Duration: time.Minute}}
		}
	}
	e := started(t, spec)
	tell(t, e, propagate.LockGranted("wf.a"))
	eviction := propagate.PodEvicted("wf.a(0)", "The node was low on resource: memory.")
	eviction.Finished = epoch // or there were no backoff
	tell(t, e, eviction)
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	snapshot := e.Snapshot()
	for _, evicted := range []bool{true, false} {
		again, _, err := propagate.FromSnapshot(spec, snapshot)
		require.NoError(t, err)
		var table propagate.LockTable
		table.Adopt("w", again)
		require.NotEmpty(t, table.Holders(mutexM))
		require.NoError(t, again.Check())
		if !evicted {
			r := tell(t, again)
			expect(t, again, "wf.a", nodegraph.PhaseFailed)
			require.Equal(t, propagate.ActionRelease, r.Actions[0].Type, "%v", r.Actions)
			continue
		}
		tell(t, again, eviction)
		expect(t, again, "wf.a", nodegraph.PhaseRunning)
		require.Equal(t, fact.LockHeld, again.Fact(again.Graph().Find("wf.a")).Lock)
	}
}

// A record may lack a task that is omitted: it is when the record is read, and stays so when the daemon before it ends.
func TestOmissionThatARecordLacks(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(d: daemon, b depends "d.Failed", s: suspend)`)
	require.NoError(t, err)
	node := func(name string, kind nodegraph.Kind, daemoned bool) nodegraph.NodeStatus {
		return nodegraph.NodeStatus{
			ID: nodegraph.NodeID("wf", name), Name: name, Kind: kind, Phase: nodegraph.PhaseRunning, Started: epoch, Daemoned: daemoned,
		}
	}
	e, _, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: epoch, Nodes: []nodegraph.NodeStatus{
		node("wf", nodegraph.KindDAG, false), node("wf.d", nodegraph.KindPod, true), node("wf.s", nodegraph.KindSuspend, false),
	}})
	require.NoError(t, err)
	require.NoError(t, e.Check(), "before the first call")
	expect(t, e, "wf.b", nodegraph.PhaseOmitted)
	require.Equal(t, "Planned 4", e.Explain(e.Graph().Find("wf.b"))[0].Line)
	tell(t, e, propagate.PodFailed("wf.d", "boom"))
	expect(t, e, "wf.b", nodegraph.PhaseOmitted)
}
