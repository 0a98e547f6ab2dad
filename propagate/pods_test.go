package propagate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

func waiting(name, reason, message string) propagate.ContainerStatus {
	return propagate.ContainerStatus{Name: name, Waiting: true, Reason: reason, Message: message}
}

// saying gives a container state a message.
func saying(c propagate.ContainerStatus, message string) propagate.ContainerStatus {
	c.Message = message
	return c
}

// A pod of one container, as its node looks after the first list that has it.
func TestSyncPodsReadsAPod(t *testing.T) {
	unschedulable := podOf("wf.a", "u", "Pending")
	unschedulable.Unschedulable, unschedulable.UnschedulableMessage = true, "0/3 nodes are available"
	silent := podOf("wf.a", "u", "Pending")
	silent.Unschedulable = true
	both := podOf("wf.a", "u", "Pending", waiting("main", "ImagePullBackOff", "no such image"))
	both.Unschedulable, both.UnschedulableMessage = true, "0/3 nodes are available"
	evicted := podOf("wf.a", "u", "Failed", terminated("main", 137))
	evicted.Reason, evicted.Message = "Evicted", "The node was low on resource: memory."
	init := func(phase propagate.PodPhase, states ...propagate.ContainerStatus) propagate.PodStatus {
		p := podOf("wf.a", "u", phase, waiting("wait", "PodInitializing", ""), waiting("main", "PodInitializing", ""))
		p.Init = states
		return p
	}
	tests := []struct {
		name string
		pod  propagate.PodStatus
		want string
	}{
		{"being created",
			podOf("wf.a", "u", "Pending", waiting("main", "ContainerCreating", "")), "Pending: ContainerCreating"},
		{"an image that is not there",
			podOf("wf.a", "u", "Pending", waiting("main", "ImagePullBackOff", "no such image")),
			"Pending: ImagePullBackOff: no such image"},
		{"the first container that waits speaks",
			podOf("wf.a", "u", "Pending", running("wait"), waiting("main", "A", "b"), waiting("side", "C", "")),
			"Pending: A: b"},
		{"no machine for it", unschedulable, "Pending: Unschedulable: 0/3 nodes are available"},
		{"no machine for it, and no word why", silent, "Pending: Unschedulable"},
		{"a container's word before the scheduler's", both, "Pending: ImagePullBackOff: no such image"},
		{"an init container runs", init("Pending", running("init")), "Pending: PodInitializing"},

		{"it runs", podOf("wf.a", "u", "Running", running("main"), running("wait")), "Running"},
		{"it runs and is not ready",
			podOf("wf.a", "u", "Running", waiting("main", "CrashLoopBackOff", ""), running("wait")), "Running"},
		{"it ended well", podOf("wf.a", "u", "Succeeded", terminated("main", 0), terminated("wait", 0)), "Succeeded"},
		{"it ended well and still stores results",
			podOf("wf.a", "u", "Succeeded", terminated("main", 0), running("wait")), "Running"},
		{"its supervisor still stores results",
			podOf("wf.a", "u", "Succeeded", terminated("main", 0), running("supervisor")), "Running"},
		{"a sidecar runs on",
			podOf("wf.a", "u", "Succeeded", terminated("main", 0), terminated("wait", 0), running("side")), "Succeeded"},
		{"a phase that is none",
			podOf("wf.a", "u", "Unknown", running("main")), "Error: Unexpected pod phase for pod-of-wf.a: Unknown"},

		{"main failed",
			podOf("wf.a", "u", "Failed", terminated("main", 1), terminated("wait", 0)),
			"Failed: main: Error (exit code 1)"},
		{"main failed and says why",
			podOf("wf.a", "u", "Failed", saying(terminated("main", 2), "disk full"), terminated("wait", 0)),
			"Failed: main: Error (exit code 2): disk full"},
		{"main was killed",
			podOf("wf.a", "u", "Failed", terminated("main", 137), terminated("wait", 0)),
			"Failed: main: Error (exit code 137)"},
		{"the executor failed",
			podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 64)),
			"Error: wait: Error (exit code 64)"},
		{"main speaks before the executor",
			podOf("wf.a", "u", "Failed", terminated("wait", 1), terminated("main", 3)),
			"Failed: main: Error (exit code 3)"},
		{"main speaks before a sidecar",
			podOf("wf.a", "u", "Failed", terminated("side", 9), terminated("main", 3)),
			"Failed: main: Error (exit code 3)"},
		{"the executor speaks before a sidecar",
			podOf("wf.a", "u", "Failed", terminated("side", 9), terminated("wait", 1), terminated("main", 0)),
			"Error: wait: Error (exit code 1)"},
		{"a supervisor failed before main",
			podOf("wf.a", "u", "Failed", terminated("main", 65), saying(terminated("supervisor", 64), "no artifact")),
			"Error: supervisor: Error (exit code 64): no artifact"},
		{"main passes on what no supervisor says",
			podOf("wf.a", "u", "Failed", terminated("main", 65), terminated("supervisor", 0)),
			"Failed: main: Error (exit code 65)"},
		{"main failed by itself, and a supervisor too",
			podOf("wf.a", "u", "Failed", terminated("main", 3), terminated("supervisor", 64)),
			"Failed: main: Error (exit code 3)"},
		{"a sidecar has the exit code with which a main passes on",
			podOf("wf.a", "u", "Failed", terminated("side", 65), terminated("main", 3), terminated("supervisor", 64)),
			"Failed: main: Error (exit code 3)"},
		{"a sidecar ended well after all else did",
			podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 0), terminated("side", 0)),
			"Succeeded"},
		{"a sidecar failed",
			podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 0), terminated("side", 9)),
			"Failed: side: Error (exit code 9)"},
		{"a sidecar was killed in the end",
			podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 0), terminated("side", 137)),
			"Succeeded"},
		{"a sidecar was terminated in the end",
			podOf("wf.a", "u", "Failed", terminated("main", 0), terminated("wait", 0), terminated("side", 143)),
			"Succeeded"},
		{"the executor was lost",
			podOf("wf.a", "u", "Failed", terminated("main", 0), running("wait")),
			"Failed: pod failed: wait container did not complete successfully"},
		{"main was lost",
			podOf("wf.a", "u", "Failed", running("main"), terminated("wait", 0)),
			"Failed: pod failed: main container did not complete successfully"},
		{"all was lost",
			podOf("wf.a", "u", "Failed", running("main"), running("wait")),
			"Failed: pod failed: neither main nor wait container completed successfully"},
		{"a container never started",
			podOf("wf.a", "u", "Failed", waiting("main", "ErrImagePull", "denied")),
			"Error: Pod failed before main container starts due to ErrImagePull: denied"},
		{"nothing is known of its containers",
			podOf("wf.a", "u", "Failed"), "Failed: can't find failed message for pod pod-of-wf.a namespace "},
		{"evicted", evicted, "Failed: The node was low on resource: memory."},
		{"init failed",
			init("Failed", saying(terminated("init", 64), "no artifact")),
			"Error: init: Error (exit code 64): no artifact"},
		{"an init container of the user failed",
			init("Failed", terminated("prepare", 1)), "Failed: prepare: Error (exit code 1)"},
		{"an init container never started",
			init("Failed", waiting("init", "CreateContainerError", "bad")),
			"Error: Pod failed before init container starts due to CreateContainerError: bad"},
		{"init speaks before main", podFailedInInitToo(), "Error: init: Error (exit code 2)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := drawn(t, "dag(a, hold: suspend)")
			r := listed(t, e, test.pod)
			require.Empty(t, r.Unknown)
			if diff := cmp.Diff(map[string]string{"wf.a": test.want}, looks(e, "wf.a")); diff != "" {
				t.Errorf("the pod is %+v (-want +got):\n%s", test.pod, diff)
			}
			state := e.Save()
			again := listed(t, e, test.pod)
			require.Empty(t, again.Changes, "the same list once more")
			require.Empty(t, again.Actions, "the same list once more")
			if diff := cmp.Diff(state, e.Save()); diff != "" {
				t.Errorf("the same list once more changed the state (-before +after):\n%s", diff)
			}
		})
	}
}

func podFailedInInitToo() propagate.PodStatus {
	p := podOf("wf.a", "u", "Failed", terminated("main", 1))
	p.Init = []propagate.ContainerStatus{terminated("init", 2)}
	return p
}

// The containers of a ContainerSet are nodes, each with the state of its own.
func TestSyncPodsReadsAContainerSet(t *testing.T) {
	at := epoch.Add(-time.Minute)
	finished := func(c propagate.ContainerStatus, after time.Duration) propagate.ContainerStatus {
		c.Finished = at.Add(after)
		return c
	}
	names := []string{"wf.set", "wf.set.a", "wf.set.b"}
	tests := []struct {
		name string
		pod  propagate.PodStatus
		want map[string]string
	}{
		{"being created", podOf("wf.set", "u", "Pending", waiting("a", "ContainerCreating", ""), waiting("b", "ContainerCreating", "")),
			map[string]string{"wf.set": "Pending: ContainerCreating", "wf.set.a": "Pending", "wf.set.b": "Pending"}},
		{"the first runs", podOf("wf.set", "u", "Running", running("a"), waiting("b", "", ""), running("wait")),
			map[string]string{"wf.set": "Running", "wf.set.a": "Running", "wf.set.b": "Pending"}},
		{"the first has ended", podOf("wf.set", "u", "Running", terminated("a", 0), running("b"), running("wait")),
			map[string]string{"wf.set": "Running", "wf.set.a": "Succeeded", "wf.set.b": "Running"}},
		{"the first failed", podOf("wf.set", "u", "Running", saying(terminated("a", 1), "boom"), running("b")),
			map[string]string{"wf.set": "Running", "wf.set.a": "Failed: a: Error (exit code 1): boom", "wf.set.b": "Running"}},
		{"the executor's own exit code", podOf("wf.set", "u", "Running", terminated("a", 64), running("b")),
			map[string]string{"wf.set": "Running", "wf.set.a": "Error: a: Error (exit code 64): ", "wf.set.b": "Running"}},
		{"both have ended", podOf("wf.set", "u", "Succeeded", finished(terminated("a", 0), time.Second), finished(terminated("b", 0), 2*time.Second)),
			map[string]string{"wf.set": "Succeeded", "wf.set.a": "Succeeded", "wf.set.b": "Succeeded"}},
		{"the pod failed with the second", podOf("wf.set", "u", "Failed", terminated("a", 0), terminated("b", 7), terminated("wait", 0)),
			map[string]string{"wf.set": "Failed: b: Error (exit code 7)", "wf.set.a": "Succeeded", "wf.set.b": "Failed: b: Error (exit code 7): "}},
		{"evicted before the second ended", propagate.PodStatus{Node: "wf.set", UID: "u", Phase: "Failed", Reason: "Evicted", Message: "low on memory",
			Containers: []propagate.ContainerStatus{terminated("a", 0)}},
			map[string]string{"wf.set": "Failed: low on memory", "wf.set.a": "Succeeded", "wf.set.b": "Failed: Pod Failed whilst container running"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := drawn(t, "dag(set: pod(a -> b), hold: suspend)")
			listed(t, e, test.pod)
			if diff := cmp.Diff(test.want, looks(e, names...)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			require.Empty(t, listed(t, e, test.pod).Changes, "the same list once more")
		})
	}

	e := drawn(t, "dag(set: pod(a -> b), hold: suspend)")
	listed(t, e, tests[5].pod)
	for name, want := range map[string]time.Duration{"wf.set": 2 * time.Second, "wf.set.a": time.Second, "wf.set.b": 2 * time.Second} {
		require.Equal(t, at.Add(want), e.Fact(e.Graph().Find(name)).Finished, "%s ended when its last container did", name)
	}
}

// The exit code of main is what retry decisions read.
func TestSyncPodsKeepsTheExitCode(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	listed(t, e, podOf("wf.a", "u", "Failed", terminated("wait", 9), terminated("main", 3)))
	f := e.Fact(e.Graph().Find("wf.a"))
	require.True(t, f.HasExit)
	require.Equal(t, 3, f.ExitCode, "main's, whatever the others'")

	e = drawn(t, "dag(a, set: pod(x), hold: suspend)")
	listed(t, e, podOf("wf.a", "u", "Running", running("main"), terminated("side", 9)),
		podOf("wf.set", "v", "Running", terminated("x", 4), running("wait")))
	require.False(t, e.Fact(e.Graph().Find("wf.a")).HasExit, "main still runs")
	x := e.Fact(e.Graph().Find("wf.set.x"))
	require.Equal(t, [2]any{true, 4}, [2]any{x.HasExit, x.ExitCode}, "a container keeps its own")
}

// The pod of a workflow that is nothing else.
func TestSyncPodsOfTheEntryNode(t *testing.T) {
	e := drawn(t, "pod")
	require.Empty(t, listed(t, e, podOf("wf", "u", "Running", running("main"))).Unknown)
	expect(t, e, "wf", nodegraph.PhaseRunning)
}

// Bare messages name no container.
func TestSetBareMessages(t *testing.T) {
	pod := podOf("wf.set", "u", "Failed", terminated("a", 0), saying(terminated("b", 7), "boom"))
	for bare, want := range map[bool]map[string]string{
		false: {"wf.set": "Failed: b: Error (exit code 7): boom", "wf.set.b": "Failed: b: Error (exit code 7): boom"},
		true:  {"wf.set": "Failed: Error (exit code 7): boom", "wf.set.b": "Failed: Error (exit code 7): boom"},
	} {
		e := drawn(t, "dag(set: pod(a -> b), hold: suspend)")
		e.SetBareMessages(bare)
		listed(t, e, pod)
		if diff := cmp.Diff(want, looks(e, "wf.set", "wf.set.b")); diff != "" {
			t.Errorf("bare %t (-want +got):\n%s", bare, diff)
		}
	}
}

// The same list again and again changes nothing; what is no longer in it is gone.
func TestSyncPodsThroughALife(t *testing.T) {
	ran := podOf("wf.b", "b-1", "Running", running("main"))
	type step struct {
		name    string
		pods    []propagate.PodStatus
		changes []string
		actions []string
	}
	e := drawn(t, "dag(a -> c, b, hold: suspend)")
	for _, s := range []step{
		{"no pod was made yet, so none is lost", nil, nil, nil},
		{"a pod is new", []propagate.PodStatus{podOf("wf.a", "a-1", "Pending")}, nil, nil},
		{"it says why it is pending",
			[]propagate.PodStatus{podOf("wf.a", "a-1", "Pending", waiting("main", "ContainerCreating", ""))},
			[]string{`Pod wf.a: Pending -> Pending "ContainerCreating"`}, nil},
		{"another is new, and runs", []propagate.PodStatus{podOf("wf.a", "a-1", "Running", running("main")), ran},
			[]string{"Pod wf.a: Pending -> Running", "Pod wf.b: Pending -> Running"}, nil},
		{"the order of the list does not matter",
			[]propagate.PodStatus{ran, podOf("wf.a", "a-1", "Running", running("main"))}, nil, nil},
		{"one has changed, one is gone", []propagate.PodStatus{podOf("wf.a", "a-1", "Succeeded", terminated("main", 0))},
			[]string{"Pod wf.a: Running -> Succeeded", "Pod wf.c: (new) -> Pending", `Pod wf.b: Running -> Error "pod deleted"`}, []string{"Start Pod wf.c"}},
		{"a pod that was lost shows up once more in an old list",
			[]propagate.PodStatus{podOf("wf.a", "a-1", "Succeeded", terminated("main", 0)), ran}, nil, nil},
		{"a pod that ended may go", nil, nil, nil},
		{"and what never had a pod has not lost it", nil, nil, nil},
	} {
		for _, again := range []string{"", ", once more"} {
			r := listed(t, e, s.pods...)
			var changes, actions []string
			for _, c := range r.Changes {
				changes = append(changes, c.String())
			}
			for _, a := range r.Actions {
				actions = append(actions, a.String())
			}
			require.Equal(t, s.changes, changes, "%s%s: changes", s.name, again)
			require.Equal(t, s.actions, actions, "%s%s: actions", s.name, again)
			require.Empty(t, r.Unknown)
			s.changes, s.actions = nil, nil
		}
	}
	require.ElementsMatch(t, []string{"wf.c: start", "wf.hold: resume"}, waitsFor(e))
}

// A pod that is gone before it ran is made once more, and only once is that asked for.
func TestSyncPodsGoneBeforeItRan(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	listed(t, e, podOf("wf.a", "a-1", "Pending"))
	r := listed(t, e)
	expect(t, e, "wf.a", nodegraph.PhasePending)
	require.Len(t, r.Actions, 1)
	require.Equal(t, "Recreate wf.a", r.Actions[0].String())
	require.Empty(t, listed(t, e).Actions, "it was asked for already")
	require.Equal(t, []string{"wf.a: start", "wf.hold: resume"}, waitsFor(e))
	listed(t, e, podOf("wf.a", "a-2", "Running", running("main")))
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	require.Empty(t, listed(t, e, podOf("wf.a", "a-2", "Running", running("main")), podOf("wf.a", "a-1", "Pending")).Changes, "the old pod is still in the list")
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
}

// The pod of a ContainerSet is lost: all its containers are, but those whose end was seen.
func TestSyncPodsGoneWithItsContainers(t *testing.T) {
	e := drawn(t, "dag(set: pod(a -> b -> c), hold: suspend)")
	listed(t, e, podOf("wf.set", "u", "Running", terminated("a", 0), running("b"), waiting("c", "", "")))
	listed(t, e)
	want := map[string]string{
		"wf.set": "Error: pod deleted", "wf.set.a": "Succeeded", "wf.set.b": "Error: container deleted", "wf.set.c": "Error: container deleted",
	}
	if diff := cmp.Diff(want, looks(e, "wf.set", "wf.set.a", "wf.set.b", "wf.set.c")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Two pods of one node in one list: the newer counts, wherever it stands.
// A pod takes its containers with it, whatever its task comes after.
func TestPodOfALaterTaskGoneWithItsContainers(t *testing.T) {
	e := drawn(t, "dag(a -> b: pod(x -> y))")
	tell(t, e, propagate.PodSucceeded("wf.a"))
	tell(t, e, propagate.ContainerRunning("wf.b", "x"))
	expect(t, e, "wf.b.x", nodegraph.PhaseRunning)
	tell(t, e, propagate.PodDeleted("wf.b"))
	for _, name := range []string{"wf.b", "wf.b.x", "wf.b.y", "wf"} {
		expect(t, e, name, nodegraph.PhaseError)
	}
}

func TestSyncPodsOfOneNode(t *testing.T) {
	older, newer := podOf("wf.a", "z", "Failed", terminated("main", 1)), podOf("wf.a", "y", "Running", running("main"))
	older.Created, newer.Created = epoch, epoch.Add(time.Second)
	for _, pods := range [][]propagate.PodStatus{{older, newer}, {newer, older}} {
		e := drawn(t, "dag(a, hold: suspend)")
		listed(t, e, pods...)
		expect(t, e, "wf.a", nodegraph.PhaseRunning)
		require.Equal(t, "y", e.Fact(e.Graph().Find("wf.a")).UID)
	}
}

// Pods of nodes that the workflow never asked for are named and ignored.
func TestSyncPodsOfUnknownNodes(t *testing.T) {
	e := drawn(t, "dag(a -> later, set: pod(x), hold: suspend)")
	before := e.Save()
	r := listed(t, e,
		podOf("wf.nobody", "1", "Running"), podOf("wf.later", "2", "Running"), podOf("wf.hold", "3", "Failed"),
		podOf("wf", "4", "Failed"), podOf("", "5", "Failed"), podOf("wf.set.x", "6", "Failed"))
	require.Equal(t, []string{"wf.nobody", "wf.later", "wf.hold", "wf", "", "wf.set.x"}, r.Unknown)
	require.Empty(t, r.Changes)
	require.Empty(t, r.Actions)
	if diff := cmp.Diff(before, e.Save()); diff != "" {
		t.Errorf("pods of unknown nodes changed the state (-before +after):\n%s", diff)
	}

	r = listed(t, e, podOf("wf.nobody", "1", "Running"), podOf("wf.a", "7", "Succeeded", terminated("main", 0)))
	require.Equal(t, []string{"wf.nobody"}, r.Unknown)
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded) // the others count nevertheless
	expect(t, e, "wf.later", nodegraph.PhasePending)
}

// A list may name nodes by their ids too.
func TestSyncPodsByID(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	id := e.Graph().Node(e.Graph().Find("wf.a")).ID()
	require.Empty(t, listed(t, e, podOf(id, "u", "Running", running("main"))).Unknown)
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
}

// A daemon is ready when all its containers are, and lost when it is not listed any more.
func TestSyncPodsOfADaemon(t *testing.T) {
	e := drawn(t, "dag(d: daemon -> b, hold: suspend)")
	starting := running("main")
	starting.Ready = false
	listed(t, e, podOf("wf.d", "u", "Running", starting, running("wait")))
	expect(t, e, "wf.d", nodegraph.PhasePending)
	require.Equal(t, nodegraph.PhasePlanned.String(), looks(e, "wf.b")["wf.b"], "b waits until the daemon is ready")
	listed(t, e, podOf("wf.d", "u", "Running", running("main"), running("wait")))
	expect(t, e, "wf.d", nodegraph.PhaseRunning)
	expect(t, e, "wf.b", nodegraph.PhasePending)
	listed(t, e)
	require.Equal(t, map[string]string{"wf.d": "Error: pod deleted"}, looks(e, "wf.d"))
}

// A pod that was evicted before it ran is replaced as often as the workflow allows, without a new attempt.
func TestSyncPodsRestartsEvictedPods(t *testing.T) {
	evicted := func(uid, reason string) propagate.PodStatus {
		return propagate.PodStatus{Node: "wf.a", UID: uid, Phase: "Failed", Reason: reason, Message: "low on memory"}
	}
	restartable := func(t *testing.T) *propagate.Engine {
		spec, err := nodegraph.Parse("dag(a, hold: suspend)")
		require.NoError(t, err)
		spec.PodRestarts = 1
		return started(t, spec)
	}
	for _, reason := range []string{"Evicted", "NodeShutdown", "NodeAffinity", "UnexpectedAdmissionError"} {
		t.Run(reason, func(t *testing.T) {
			e := restartable(t)
			listed(t, e, podOf("wf.a", "1", "Pending"))
			r := listed(t, e, evicted("1", reason))
			require.Equal(t, map[string]string{"wf.a": "Pending: Pod auto-restarting due to " + reason + ": low on memory"}, looks(e, "wf.a"))
			require.Len(t, r.Actions, 1)
			require.Equal(t, "Recreate wf.a", r.Actions[0].String())
			again := listed(t, e, evicted("1", reason))
			require.Empty(t, again.Actions, "the pod that was replaced is still listed")
			require.Empty(t, again.Changes)

			listed(t, e, evicted("2", reason)) // the one in its place: no restart is left
			require.Equal(t, map[string]string{"wf.a": "Failed: low on memory"}, looks(e, "wf.a"))
			require.Equal(t, 1, e.Fact(e.Graph().Find("wf.a")).Restarts)
		})
	}
	t.Run("one that ran is not replaced", func(t *testing.T) {
		e := restartable(t)
		listed(t, e, podOf("wf.a", "1", "Running", running("main")))
		require.Empty(t, listed(t, e, evicted("1", "Evicted")).Actions)
		expect(t, e, "wf.a", nodegraph.PhaseFailed)
	})
	t.Run("one that failed by itself is not replaced", func(t *testing.T) {
		e := restartable(t)
		require.Empty(t, listed(t, e, evicted("1", "DeadlineExceeded")).Actions)
		expect(t, e, "wf.a", nodegraph.PhaseFailed)
	})
}

// Under a Retry a lost pod is followed by the next attempt; the late list of the first one's pod disturbs nothing.
func TestSyncPodsUnderARetry(t *testing.T) {
	e := drawn(t, "dag(a: retry(2, pod), hold: suspend)")
	first := podOf("wf.a(0)", "u-0", "Running", running("main"))
	listed(t, e, first)
	r := listed(t, e)
	require.Len(t, r.Actions, 1)
	require.Equal(t, "Start Pod wf.a(1)", r.Actions[0].String())
	require.Empty(t, listed(t, e, first).Changes)
	listed(t, e, first, podOf("wf.a(1)", "u-1", "Succeeded", terminated("main", 0)))
	require.Equal(t, map[string]string{"wf.a": "Succeeded", "wf.a(0)": "Error: pod deleted", "wf.a(1)": "Succeeded"}, looks(e, "wf.a", "wf.a(0)", "wf.a(1)"))
}

// Lists of a complete workflow are of no interest, save together with a manual retry.
func TestSyncPodsOfACompleteWorkflow(t *testing.T) {
	e := drawn(t, "dag(a, b)")
	pods := []propagate.PodStatus{podOf("wf.a", "a", "Succeeded", terminated("main", 0)), podOf("wf.b", "b", "Failed", terminated("main", 1))}
	listed(t, e, pods...)
	require.True(t, e.Complete())
	before := e.Save()
	for _, list := range [][]propagate.PodStatus{pods, nil, {podOf("wf.nobody", "x", "Running")}} {
		r := listed(t, e, list...)
		require.Empty(t, r.Changes)
		require.Empty(t, r.Actions)
	}
	if diff := cmp.Diff(before, e.Save()); diff != "" {
		t.Errorf("lists of a complete workflow changed its state (-before +after):\n%s", diff)
	}

	r, err := e.SyncPods(epoch, pods, propagate.ManualRetry())
	require.NoError(t, err)
	require.NoError(t, e.Check())
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	expect(t, e, "wf.b", nodegraph.PhasePending)
	require.Contains(t, r.Actions[len(r.Actions)-1].String(), "Start Pod wf.b")
	require.Empty(t, listed(t, e, pods...).Changes, "the pod that failed before the retry is still listed")
	expect(t, e, "wf.b", nodegraph.PhasePending)
	listed(t, e, pods[0], podOf("wf.b", "b-2", "Succeeded", terminated("main", 0)))
	require.True(t, e.Complete())
}

// Events that are known besides the list are taken with it.
func TestSyncPodsWithEvents(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	r, err := e.SyncPods(epoch, []propagate.PodStatus{podOf("wf.a", "u", "Succeeded", terminated("main", 0))}, propagate.Resumed("wf.hold"))
	require.NoError(t, err)
	require.True(t, e.Complete())
	require.Equal(t, "Complete", r.Actions[len(r.Actions)-1].String())
}

// A controller that keeps nothing between two lists stores a snapshot, restores it and lists the pods. It comes to the
// same phases and messages, and waits for the same, as one that keeps its engine.
func TestSyncPodsFromSnapshots(t *testing.T) {
	type list = []propagate.PodStatus
	at := func(seconds int, c propagate.ContainerStatus) propagate.ContainerStatus {
		c.Finished = epoch.Add(time.Duration(seconds) * time.Second)
		return c
	}
	evicted := func(node, uid string) propagate.PodStatus {
		p := podOf(node, uid, "Failed")
		p.Reason, p.Message = "Evicted", "low on memory"
		return p
	}
	good := func(node string) propagate.PodStatus { return podOf(node, node, "Succeeded", terminated("main", 0)) }
	bad := func(node string) propagate.PodStatus { return podOf(node, node, "Failed", terminated("main", 1)) }
	type step struct {
		pods   list
		events []propagate.Event
	}
	tests := []struct {
		name, workflow string
		steps          []step
		complete       bool // in the end
	}{
		{"a container set is lost and tried again", "dag(set: retry(2, pod(a -> b)) -> end)", []step{
			{pods: list{podOf("wf.set(0)", "1", "Pending", waiting("a", "ContainerCreating", ""))}},
			{pods: list{podOf("wf.set(0)", "1", "Running", at(1, terminated("a", 0)), running("b"))}},
			{pods: list{}},
			{pods: list{podOf("wf.set(1)", "2", "Running", running("a"), waiting("b", "", ""))}},
			{pods: list{evicted("wf.set(1)", "2")}},
			{pods: list{evicted("wf.set(1)", "2"), podOf("wf.set(2)", "3", "Succeeded", at(2, terminated("a", 0)), at(3, terminated("b", 0)))}},
			{pods: list{good("wf.end")}},
		}, true},
		{"a container fails in a pod that goes on", "dag(set: pod(a -> b, c), hold: suspend)", []step{
			{pods: list{podOf("wf.set", "1", "Running", terminated("a", 1), waiting("b", "", ""), running("c"))}},
			{pods: list{podOf("wf.set", "1", "Failed", terminated("a", 1), terminated("b", 64), terminated("c", 0))}},
		}, false},
		{"the end of a container is heard after its pod was lost", "dag(set: pod(a -> b), hold: suspend)", []step{
			{pods: list{podOf("wf.set", "1", "Running", running("a"), waiting("b", "", ""))}},
			{pods: list{}},
			{events: []propagate.Event{propagate.ContainerEnded("wf.set", "a", 0, "")}},
		}, false},
		{"the limit of attempts is reached", "dag(r: retry(1, pod) -> never, other)", []step{
			{pods: list{bad("wf.r(0)"), podOf("wf.other", "o", "Running", running("main"))}},
			{pods: list{bad("wf.r(0)"), bad("wf.r(1)"), podOf("wf.other", "o", "Running", running("main"))}},
			{pods: list{good("wf.other")}},
		}, true},
		{"steps, items and conditions", `steps(a, skip when "1 == 2" | many over ["x", "y"], none over [] | z)`, []step{
			{pods: list{good("wf[0].a")}},
			{pods: list{good("wf[1].many(0:x)"), podOf("wf[1].many(1:y)", "y", "Running", running("main"))}},
			{pods: list{good("wf[1].many(1:y)")}},
			{pods: list{good("wf[2].z")}},
		}, true},
		{"loops that only the host can resolve", `dag(many over "{{a}}", none over "{{b}}", s: steps(in over "{{c}}"))`, []step{
			{events: []propagate.Event{propagate.Expanded("wf.many", nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"}), propagate.Expanded("wf.none"),
				propagate.Expanded("wf.s[0].in", nodegraph.Item{Text: "p"})}},
			{pods: list{good("wf.many(0:x)"), podOf("wf.many(1:y)", "y", "Running", running("main")), podOf("wf.s[0].in(0:p)", "p", "Pending")}},
			{pods: list{bad("wf.many(1:y)"), good("wf.s[0].in(0:p)")}},
		}, true},
		{"a loop of retries that only the host can resolve", `dag(many: retry(1, pod) over "{{a}}")`, []step{
			{events: []propagate.Event{propagate.Expanded("wf.many", nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"})}},
			{pods: list{bad("wf.many(0:x)(0)"), good("wf.many(1:y)(0)")}},
			{pods: list{good("wf.many(0:x)(1)")}},
		}, true},
		{"conditions that only the host can evaluate", `dag(a when "{{a}}", b when "{{b}}", c)`, []step{
			{events: []propagate.Event{propagate.Resolved("wf.a", true, ""), propagate.Resolved("wf.b", false, "x == y")}},
			{pods: list{good("wf.a")}},
			{pods: list{good("wf.c")}},
		}, true},
		{"a daemon, and what is omitted beside it", `dag(d: daemon -> use, x -> y, z depends "x.Failed")`, []step{
			{pods: list{podOf("wf.d", "d", "Running", running("main")), good("wf.x")}},
			{pods: list{podOf("wf.d", "d", "Running", running("main")), good("wf.y")}},
			{pods: list{podOf("wf.d", "d", "Running", running("main")), good("wf.use")}},
		}, true},
		{"people and servers", `dag(wait: suspend, call: http, plug: plugin) exit pod`, []step{
			{events: []propagate.Event{propagate.Resumed("wf.wait")}},
			{events: []propagate.Event{propagate.NodeEnded("wf.call", nodegraph.PhaseSucceeded, "")}},
			{events: []propagate.Event{propagate.AgentEnded("the agent's pod was deleted")}},
			{pods: list{good("wf.onExit")}},
		}, true},
		{"hooks of tasks", `dag(a exit pod -> b)`, []step{
			{pods: list{good("wf.a")}},
			{pods: list{good("wf.a.onExit")}},
			{pods: list{good("wf.b")}},
		}, true},
		{"a shutdown", `dag(a, set: pod(x -> y), r: retry(2, pod), s: suspend, in: dag(c -> d)) exit pod`, []step{
			{pods: list{podOf("wf.a", "a", "Running", running("main")), podOf("wf.set", "s", "Running", running("x"))}},
			{pods: list{podOf("wf.a", "a", "Running", running("main")), podOf("wf.set", "s", "Running", running("x"))},
				events: []propagate.Event{propagate.Shutdown("Stop")}},
			{pods: list{good("wf.onExit")}},
		}, true},
		{"results that are stored later", `dag(a -> b)`, []step{
			{pods: list{podOf("wf.a", "wf.a", "Running", running("main"))}, events: []propagate.Event{propagate.ResultPending("wf.a")}},
			{pods: list{good("wf.a")}},
			{pods: list{good("wf.a")}, events: []propagate.Event{propagate.ResultSynced("wf.a")}},
			{pods: list{good("wf.b")}},
		}, true},
		{"a lock", `dag(a: mutex(m, pod), b: mutex(m, dag(c)))`, []step{
			{events: []propagate.Event{propagate.LockGranted("wf.a"), propagate.LockQueued("wf.b", mutexM, "waits")}},
			{pods: list{podOf("wf.a", "a", "Running", running("main"))}},
			{pods: list{good("wf.a")}},
			{pods: list{}, events: []propagate.Event{propagate.LockGranted("wf.b")}},
			{pods: list{good("wf.b.c")}},
		}, true},
		{"the whole workflow is suspended", `dag(a -> b)`, []step{
			{events: []propagate.Event{propagate.Suspended(true)}},
			{pods: list{good("wf.a")}},
			{pods: list{good("wf.a")}, events: []propagate.Event{propagate.Suspended(false)}},
			{pods: list{good("wf.b")}},
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			keeps := drawn(t, test.workflow)
			forgets := restored(t, keeps)
			for k, s := range test.steps {
				for _, e := range []*propagate.Engine{keeps, forgets} {
					_, err := e.SyncPods(epoch, s.pods, s.events...)
					require.NoError(t, err, "list %d", k)
					require.NoError(t, e.Check(), "list %d", k)
				}
				if diff := cmp.Diff(looksAll(keeps), looksAll(forgets)); diff != "" {
					t.Fatalf("after list %d (-keeps its engine +keeps nothing):\n%s", k, diff)
				}
				require.ElementsMatch(t, waitsFor(keeps), waitsFor(forgets), "after list %d", k)
				forgets = restored(t, forgets)
				if diff := cmp.Diff(looksAll(keeps), looksAll(forgets)); diff != "" {
					t.Fatalf("restored after list %d (-keeps its engine +keeps nothing):\n%s", k, diff)
				}
			}
			require.Equal(t, test.complete, keeps.Complete(), "it waits for %v", waitsFor(keeps))
		})
	}
}

// What is recorded of nodes that the specification never asks for is named and left out.
func TestRestoreNamesWhatIsUnknown(t *testing.T) {
	e := drawn(t, "dag(a: retry(2, pod), b)")
	tell(t, e, propagate.PodSucceeded("wf.a(0)"))
	snapshot := e.Snapshot()
	snapshot.Nodes = append(snapshot.Nodes,
		onRecord("wf.removed", nodegraph.KindPod, nodegraph.PhaseRunning),  // a task that an edit took away
		onRecord("wf.a(1)", nodegraph.KindPod, nodegraph.PhaseRunning),     // an attempt after one that succeeded
		onRecord("wf.b.inner", nodegraph.KindPod, nodegraph.PhaseRunning),  // inside a pod
		onRecord("wf.b.onExit", nodegraph.KindPod, nodegraph.PhaseRunning)) // a hook that the task has not
	again, unknown, err := propagate.FromSnapshot(e.Graph().Spec(), snapshot)
	require.NoError(t, err)
	require.NoError(t, again.Check())
	var names []string
	for _, r := range snapshot.Nodes[len(snapshot.Nodes)-4:] {
		names = append(names, r.ID)
	}
	require.Equal(t, names, unknown)
	if diff := cmp.Diff(looksAll(e), looksAll(again)); diff != "" {
		t.Errorf("the unknown records changed something (-before +after):\n%s", diff)
	}
}

// A record without times is one of a workflow that has started nevertheless.
func TestRestoreWithoutTimes(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a, b)")
	require.NoError(t, err)
	e, unknown, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Nodes: []nodegraph.NodeStatus{
		{ID: "wf", Name: "wf", Kind: nodegraph.KindDAG, Phase: nodegraph.PhaseRunning},
		{ID: nodegraph.NodeID("wf", "wf.a"), Name: "wf.a", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseRunning},
	}})
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.False(t, e.Started().IsZero())
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	require.Equal(t, "Start Pod wf.b", tell(t, e).Actions[0].String(), "b was not recorded, so it is still to start")
	require.Equal(t, []string{"wf.a: pod", "wf.b: start"}, waitsFor(e))
}

// A specification that can't be is refused, whatever is recorded; so is a record past the host's limits.
func TestRestoreRefuses(t *testing.T) {
	_, _, err := propagate.FromSnapshot(&nodegraph.Spec{Name: "wf", Entrypoint: "nobody"}, nodegraph.Snapshot{})
	var wrong *nodegraph.SpecError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "entrypoint", wrong.Field)
	_, _, err = propagate.FromState(&nodegraph.Spec{Name: "wf", Entrypoint: "nobody"}, propagate.State{})
	require.ErrorAs(t, err, &wrong)

	e := drawn(t, `dag(many over "{{x}}")`)
	tell(t, e, propagate.Expanded("wf.many", nodegraph.Item{Text: "p"}, nodegraph.Item{Text: "q"}))
	var limit *nodegraph.LimitError
	_, _, err = propagate.FromSnapshot(e.Graph().Spec(), e.Snapshot(), nodegraph.WithLimits(nodegraph.Limits{Items: 1}))
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "Items", limit.Limit)
	_, _, err = propagate.FromState(e.Graph().Spec(), e.Save(), nodegraph.WithLimits(nodegraph.Limits{Nodes: 3}))
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "Nodes", limit.Limit)
}

// A composite that came from the cache has no members to follow from; a snapshot says so.
func TestRestoreOfACachedComposite(t *testing.T) {
	spec, err := nodegraph.Parse("dag(in: dag(a), hold: suspend)")
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Name == "in" {
			template.Memoize = "key"
		}
	}
	e := started(t, spec)
	require.Equal(t, []string{"wf.in: cache", "wf.hold: resume"}, waitsFor(e))
	tell(t, e, propagate.Memoized("wf.in", true))
	expect(t, e, "wf.in", nodegraph.PhaseSucceeded)
	again := restored(t, e)
	expect(t, again, "wf.in", nodegraph.PhaseSucceeded)
	require.Empty(t, listed(t, again).Actions, "nothing inside it is started")
	require.Equal(t, []string{"wf.hold: resume"}, waitsFor(again))
}

// Kubernetes keeps the second in which a pod was created, and hosts make a pod again at once: two pods of a node that
// were created in one second are two, and the one that was seen last counts.
func TestSyncPodsMadeAgainWithinASecond(t *testing.T) {
	pod := func(uid string, phase propagate.PodPhase) propagate.PodStatus {
		p := podOf("wf.a", uid, phase)
		p.Created = epoch
		return p
	}
	e := drawn(t, "dag(a, hold: suspend)")
	for _, uid := range []string{"y", "z", "x"} {
		listed(t, e, pod(uid, "Pending"))
		require.Equal(t, []string{"wf.a: pod", "wf.hold: resume"}, waitsFor(e), uid)
		require.Equal(t, "Recreate wf.a", listed(t, e).Actions[0].String(), uid)
	}
	listed(t, e, pod("w", "Pending"))
	listed(t, e, pod("w", "Running"), pod("z", "Pending"))
	require.Equal(t, "w", e.Fact(e.Graph().Find("wf.a")).UID)
	listed(t, e, pod("w", "Succeeded"))
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
}

// That messages are bare outlives a manual retry.
func TestBareMessagesOutliveAManualRetry(t *testing.T) {
	e := drawn(t, "dag(a)")
	e.SetBareMessages(true)
	failed := podOf("wf.a", "uid-1", "Failed", terminated("main", 1))
	listed(t, e, failed)
	_, before := e.Phase(e.Graph().Find("wf.a"))
	tell(t, e, propagate.ManualRetry())
	failed.UID = "uid-2"
	listed(t, e, failed)
	_, after := e.Phase(e.Graph().Find("wf.a"))
	require.Equal(t, before, after)
	require.NotContains(t, after, "main:")
}

// Before the first call a workflow waits to be started, with locks or without; then for its locks, and it says why.
func TestObligationsOfAWorkflowThatHasNotBegun(t *testing.T) {
	for _, locks := range [][]nodegraph.Lock{nil, {lock(mutexM, 1)}} {
		spec, err := nodegraph.Parse("dag(a)")
		require.NoError(t, err)
		spec.Locks = locks
		e, err := propagate.New(spec)
		require.NoError(t, err)
		require.Equal(t, []propagate.Obligation{{Node: nodegraph.Root, For: propagate.WaitStart}}, e.Obligations())
		v := e.Verdict(nodegraph.Root)
		require.Equal(t, rule.Verdict{Rule: v.Rule, Line: "Workflow 3", By: nodegraph.None}, v)
		if locks == nil {
			continue
		}
		tell(t, e)
		require.Equal(t, []propagate.Obligation{{Node: nodegraph.Root, For: propagate.WaitLock}}, e.Obligations())
		tell(t, e, propagate.LockQueued("", mutexM, "why"))
		require.Equal(t, []propagate.Obligation{{Node: nodegraph.Root, For: propagate.WaitLock, Message: "why"}}, e.Obligations())
	}
}

// The containers of a daemon go on inside it once it is ready, which counts as its end for others.
func TestContainersOfAReadyDaemonStayOpen(t *testing.T) {
	spec, err := nodegraph.Parse("dag(d: pod(x -> y) -> next, hold: suspend)")
	require.NoError(t, err)
	for _, template := range spec.Templates {
		template.Daemon = len(template.Containers) > 0
	}
	e := started(t, spec)
	tell(t, e, propagate.PodRunning("wf.d"), propagate.ContainerRunning("wf.d", "x"))
	require.NoError(t, e.Check())
	expect(t, e, "wf.d.x", nodegraph.PhaseRunning)
	expect(t, e, "wf.d.y", nodegraph.PhasePending)
	expect(t, e, "wf.next", nodegraph.PhasePending)
	require.Equal(t, []string{"wf.next: start", "wf.hold: resume"}, waitsFor(e))
}

// A host that knows more than the second in which pods were created has them in that order, whichever it tells of first.
func TestPodsOfOneSecondWithPreciseTimes(t *testing.T) {
	of := func(uid string, after time.Duration, ev propagate.Event) propagate.Event {
		ev.Pod.UID, ev.Pod.Created = uid, epoch.Add(after)
		return ev
	}
	e := drawn(t, "dag(a)")
	tell(t, e, of("second", 200*time.Millisecond, propagate.PodRunning("wf.a")))
	tell(t, e, of("first", 100*time.Millisecond, propagate.PodFailed("wf.a", "")))
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
}

// After a manual retry the node waits for another pod, which may be created in the second of the one before: it was taken
// for an older one, and the node waited for ever.
func TestPodAfterAManualRetryWithinASecond(t *testing.T) {
	pod := func(uid string, phase propagate.PodPhase, code int) propagate.PodStatus {
		p := podOf("wf.a", uid, phase, terminated("main", code))
		p.Created = epoch
		return p
	}
	e := drawn(t, "dag(a)")
	listed(t, e, pod("first", "Failed", 1))
	tell(t, e, propagate.ManualRetry())
	listed(t, e, pod("first", "Failed", 1))
	require.Equal(t, []string{"wf.a: start"}, waitsFor(e), "the one before the retry is still listed")
	listed(t, e, pod("second", "Succeeded", 0))
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	require.True(t, e.Complete())
}

// A pod of a time before a manual retry may still be listed while its node has ended without one, or waits for a lock. All
// that came with such a list was refused, the lock too.
func TestSyncPodsOfNodesWithoutAPod(t *testing.T) {
	ended := podOf("wf.a", "before", "Failed", terminated("x", 1))
	tests := map[string]struct {
		set    func(*nodegraph.Template)
		answer propagate.Event
		want   nodegraph.Phase
	}{
		"memoized": {func(template *nodegraph.Template) { template.Memoize = "key" }, propagate.Memoized("wf.a", true), nodegraph.PhaseSucceeded},
		"lock": {func(template *nodegraph.Template) { template.Locks = []nodegraph.Lock{{Key: "m"}} },
			propagate.LockQueued(nodegraph.NodeID("wf", "wf.a"), "m", "it waits"), nodegraph.PhasePending},
	}
	for name, test := range tests {
		for _, kind := range []string{"pod", "pod(x)"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				e := drawnWith(t, "dag(a: "+kind+", hold: suspend)", eachOf(nodegraph.KindPod, test.set))
				tell(t, e, test.answer)
				expect(t, e, "wf.a", test.want)
				for _, e := range []*propagate.Engine{e, reloaded(t, e), restored(t, e)} {
					r := listed(t, e, ended)
					require.Equal(t, []string{"wf.a"}, r.Unknown)
					expect(t, e, "wf.a", test.want)
				}
			})
		}
	}
}

// A list is taken although it shows containers of a set that the graph had no room for.
func TestSyncPodsOfASetWithoutRoom(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: pod(x, y, z), hold: suspend)")
	require.NoError(t, err)
	e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: 6}))
	require.NoError(t, err)
	tell(t, e)
	expect(t, e, "wf.a", nodegraph.PhaseError)
	r := listed(t, e, podOf("wf.a", "u", "Running", running("x"), running("y"), running("z")))
	require.Equal(t, []string{"wf.a"}, r.Unknown)
	expect(t, e, "wf.a", nodegraph.PhaseError)
}

// A lock that is granted to a workflow which is complete is refused together with a list too, or nobody would give it back.
func TestLockGrantedWithAListOfACompleteWorkflow(t *testing.T) {
	e := drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{{Key: "m"}} })
	tell(t, e, propagate.Shutdown("Terminate"))
	require.True(t, e.Complete())
	_, err := e.SyncPods(epoch, nil, propagate.LockGranted(""))
	require.ErrorIs(t, err, propagate.ErrComplete)
	_, err = e.SyncChanged(epoch, nil, nil, propagate.LockGranted(""))
	require.ErrorIs(t, err, propagate.ErrComplete)
}

// The name of a pod that is gone may be heard of after that: it is not another pod.
func TestNameOfAPodThatIsGone(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	tell(t, e, propagate.PodRunning("wf.a"))
	tell(t, e, propagate.PodDeleted("wf.a"))
	expect(t, e, "wf.a", nodegraph.PhaseError)
	late := propagate.PodRunning("wf.a")
	late.Pod.UID = "u"
	tell(t, e, late)
	expect(t, e, "wf.a", nodegraph.PhaseError)
}

// Failure rules never saw the conditions of a pod.
func TestFailureRulesSeeTheConditionsOfAPod(t *testing.T) {
	limit := 0
	spec, err := nodegraph.Parse(`dag(a: retry(0, pod))`)
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Retry != nil {
			template.Retry = &retry.Strategy{Limit: &limit, Policy: retry.PolicyAlways, IgnoreDisruptions: true}
		}
	}
	e := started(t, spec)
	_, err = e.SyncPods(epoch, []propagate.PodStatus{{Node: "wf.a(0)", UID: "1", Phase: "Running"}})
	require.NoError(t, err)
	_, err = e.SyncPods(epoch, []propagate.PodStatus{{Node: "wf.a(0)", UID: "1", Phase: "Failed", Message: "gone", Conditions: []string{retry.DisruptionTarget}}})
	require.NoError(t, err)
	expect(t, e, "wf.a(1)", nodegraph.PhasePending)
}

// Late word on the results of an older pod settled the newer one.
func TestResultSyncedOfAnOlderPodSettlesNoOther(t *testing.T) {
	e := drawn(t, `dag(a -> b)`)
	tell(t, e, said(1, propagate.PodPending("wf.a", "")))
	tell(t, e, said(2, propagate.PodRunning("wf.a")), said(2, propagate.ResultPending("wf.a")))
	tell(t, e, said(1, propagate.ResultSynced("wf.a"))) // late
	tell(t, e, said(2, propagate.PodSucceeded("wf.a")))
	require.Equal(t, []string{"wf.a: result"}, waitsFor(e), "the results of uid-2 are not stored")
}

// The late result of a pod in an attempt that was followed by another started what comes after it, in a dead attempt.
func TestLateResultStartsNothingInADeadAttempt(t *testing.T) {
	e := drawn(t, `retry(2, dag(a -> b, c depends "a.Failed"))`)
	tell(t, e, propagate.PodRunning("wf(0).a"))
	tell(t, e, propagate.PodDeleted("wf(0).a"))
	expect(t, e, "wf(0).a", nodegraph.PhaseError)
	expect(t, e, "wf(0).c", nodegraph.PhaseOmitted)
	expect(t, e, "wf(1).a", nodegraph.PhasePending)
	tell(t, e, propagate.PodFailed("wf(0).a", "main: Error (exit code 1)"))
	expect(t, e, "wf(0).c", nodegraph.PhaseOmitted)
	expect(t, e, "wf(0)", nodegraph.PhaseError)
}

// An eviction that was heard of after the deletion of the pod, which had not run, failed the node; heard of before the
// deletion it had made the host replace the pod.
func TestEvictionHeardAfterTheDeletion(t *testing.T) {
	of := func(ev propagate.Event) propagate.Event {
		ev.Pod.UID = "p1"
		return ev
	}
	evicted, deleted := of(propagate.PodEvicted("wf.a", "")), of(propagate.PodDeleted("wf.a"))
	for _, events := range [][]propagate.Event{{evicted, deleted}, {deleted, evicted}} {
		e := drawnWith(t, "dag(a)", func(spec *nodegraph.Spec) { spec.PodRestarts = 1 })
		tell(t, e, of(propagate.PodPending("wf.a", "")))
		for _, ev := range events {
			tell(t, e, ev)
		}
		expect(t, e, "wf.a", nodegraph.PhasePending)
		require.Equal(t, 1, e.Fact(e.Graph().Find("wf.a")).Restarts, "%v", events)
	}
}
