package propagate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// What the host says and can't be: it is refused with its place in the batch, and the engine is as it was.

// ofAllKinds starts a workflow with a node of every kind that events are about. The pod of wf.set runs; wf.later waits.
func ofAllKinds(t testing.TB, limits nodegraph.Limits) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(`dag(set: pod(a -> b) -> {later: pod(a), stop: suspend},
		plain, wait: suspend, call: http, many over "{{inputs.parameters.list}}", again: retry(1, pod))`)
	require.NoError(t, err)
	e, err := propagate.New(spec, nodegraph.WithLimits(limits))
	require.NoError(t, err)
	tell(t, e)
	tell(t, e, propagate.PodRunning("wf.set"))
	return e
}

// refused says events of which one must be refused, and checks that nothing happened, not even that time went on.
func refused(t testing.TB, e *propagate.Engine, events ...propagate.Event) *propagate.EventError {
	t.Helper()
	state, snapshot, waits, complete := e.Save(), e.Snapshot(), waitsFor(e), e.Complete()
	result := propagate.Result{Unknown: []string{"left over from the call before"}}
	err := e.ApplyTo(&result, e.Now().Add(time.Hour), events...)
	var refusal *propagate.EventError
	require.ErrorAs(t, err, &refusal, "%v must be refused", events)
	require.Empty(t, result.Changes, "changes of a refused batch")
	require.Empty(t, result.Actions, "actions of a refused batch")
	require.Empty(t, result.Unknown, "a refused batch empties the result")
	if diff := cmp.Diff(state, e.Save()); diff != "" {
		t.Errorf("%v was refused and changed the state (-before +after):\n%s", events, diff)
	}
	if diff := cmp.Diff(snapshot, e.Snapshot()); diff != "" {
		t.Errorf("%v was refused and changed the snapshot (-before +after):\n%s", events, diff)
	}
	require.Equal(t, waits, waitsFor(e), "what the workflow waits for, after %v was refused", events)
	require.Equal(t, complete, e.Complete())
	require.NoError(t, e.Check(), "after %v was refused", events)
	return refusal
}

// ended gives the phase with which something ended.
func ended(phase nodegraph.Phase, ev propagate.Event) propagate.Event {
	ev.Phase = phase
	return ev
}

func TestRefusedEvents(t *testing.T) {
	item := nodegraph.Item{Text: "x"}
	tests := []struct {
		name  string
		event propagate.Event
		want  error
		field string
		value string
	}{
		{"no type", propagate.Event{Node: "wf.set"}, propagate.ErrInvalid, "type", "None"},
		{"a type that is none", propagate.Event{Type: 200, Node: "wf.set"}, propagate.ErrInvalid, "type", "EventType(200)"},

		{"a node that is not there", propagate.PodRunning("wf.nobody"), propagate.ErrUnknownNode, "node", "wf.nobody"},
		{"a node of another workflow", propagate.PodDeleted("other.set"), propagate.ErrUnknownNode, "node", "other.set"},
		{"no node", propagate.Event{Type: propagate.EventPodRunning}, propagate.ErrUnknownNode, "node", ""},
		{"an index past the last",
			propagate.Event{Type: propagate.EventPodRunning, At: 1 << 20}, propagate.ErrUnknownNode, "node", ""},
		{"a negative index", propagate.Event{Type: propagate.EventPodRunning, At: -1}, propagate.ErrUnknownNode, "node", ""},
		{"an attempt that was not made",
			propagate.PodRunning("wf.again(1)"), propagate.ErrUnknownNode, "node", "wf.again(1)"},
		{"an item that was not made",
			propagate.PodRunning("wf.many(0:x)"), propagate.ErrUnknownNode, "node", "wf.many(0:x)"},
		{"a lock of a node that is not there",
			propagate.LockGranted("wf.nobody"), propagate.ErrUnknownNode, "node", "wf.nobody"},
		{"an answer for a node that is not there",
			propagate.Resolved("wf.nobody", true, ""), propagate.ErrUnknownNode, "node", "wf.nobody"},
		{"a cache hit of a node that is not there",
			propagate.Memoized("wf.nobody", true), propagate.ErrUnknownNode, "node", "wf.nobody"},

		{"a pod of a Suspend pends", propagate.PodPending("wf.wait", ""), propagate.ErrWrongKind, "node", "wf.wait"},
		{"a pod of a DAG runs", propagate.PodRunning("wf"), propagate.ErrWrongKind, "node", "wf"},
		{"a pod of a Retry ends", propagate.PodSucceeded("wf.again"), propagate.ErrWrongKind, "node", "wf.again"},
		{"a pod of an HTTP node is gone", propagate.PodDeleted("wf.call"), propagate.ErrWrongKind, "node", "wf.call"},
		{"a container in place of its pod", propagate.PodRunning("wf.set.a"), propagate.ErrWrongKind, "node", "wf.set.a"},
		{"a container in a Suspend pends",
			propagate.ContainerPending("wf.wait", "main"), propagate.ErrWrongKind, "node", "wf.wait"},
		{"a container in a Retry runs",
			propagate.ContainerRunning("wf.again", "main"), propagate.ErrWrongKind, "node", "wf.again"},
		{"a container in an HTTP node ends",
			propagate.ContainerEnded("wf.call", "main", 0, ""), propagate.ErrWrongKind, "node", "wf.call"},
		{"a container in a loop runs again",
			propagate.ContainerRetried("wf.many", "main"), propagate.ErrWrongKind, "node", "wf.many"},
		{"a pod is served",
			propagate.NodeEnded("wf.plain", nodegraph.PhaseSucceeded, ""), propagate.ErrWrongKind, "node", "wf.plain"},
		{"a pod is resumed", propagate.Resumed("wf.plain"), propagate.ErrWrongKind, "node", "wf.plain"},
		{"a pod is a loop", propagate.Expanded("wf.plain", item), propagate.ErrWrongKind, "node", "wf.plain"},
		{"results of a Suspend are on their way",
			propagate.ResultPending("wf.wait"), propagate.ErrWrongKind, "node", "wf.wait"},
		{"results of an HTTP node are stored", propagate.ResultSynced("wf.call"), propagate.ErrWrongKind, "node", "wf.call"},

		{"a pod that was not asked for runs", propagate.PodRunning("wf.later"), propagate.ErrNotStarted, "node", "wf.later"},
		{"its container ends",
			propagate.ContainerEnded("wf.later", "a", 0, ""), propagate.ErrNotStarted, "node", "wf.later"},
		{"its results are stored", propagate.ResultSynced("wf.later"), propagate.ErrNotStarted, "node", "wf.later"},
		{"a Suspend that was not reached is resumed",
			propagate.Resumed("wf.stop"), propagate.ErrNotStarted, "node", "wf.stop"},

		{"a container that the pod has not",
			propagate.ContainerEnded("wf.set", "nobody", 1, ""), propagate.ErrUnknownNode, "container", "nobody"},
		{"a container without a name", propagate.ContainerRunning("wf.set", ""), propagate.ErrUnknownNode, "container", ""},
		{"a container of a pod without nodes for them",
			propagate.ContainerRunning("wf.plain", "main"), propagate.ErrUnknownNode, "container", "main"},
		{"a retry of a container that the pod has not",
			propagate.ContainerRetried("wf.set", "nobody"), propagate.ErrUnknownNode, "container", "nobody"},
		{"a container that the pod has not waits",
			propagate.ContainerPending("wf.set", "nobody"), propagate.ErrUnknownNode, "container", "nobody"},

		{"a pod ended and runs",
			ended(nodegraph.PhaseRunning, propagate.PodSucceeded("wf.set")), propagate.ErrInvalid, "phase", "Running"},
		{"a pod ended in no phase",
			ended(nodegraph.PhasePlanned, propagate.PodSucceeded("wf.set")), propagate.ErrInvalid, "phase", ""},
		{"an HTTP node ended and is Pending",
			propagate.NodeEnded("wf.call", nodegraph.PhasePending, ""), propagate.ErrInvalid, "phase", "Pending"},
		{"an HTTP node ended and was skipped",
			propagate.NodeEnded("wf.call", nodegraph.PhaseSkipped, ""), propagate.ErrInvalid, "phase", "Skipped"},
		{"a Suspend is resumed into Omitted",
			ended(nodegraph.PhaseOmitted, propagate.Resumed("wf.wait")), propagate.ErrInvalid, "phase", "Omitted"},
		{"a phase that is none", ended(99, propagate.PodFailed("wf.set", "")), propagate.ErrInvalid, "phase", "Phase(99)"},

		{"a run before the first", run(-1, propagate.PodRunning("wf.set")), propagate.ErrInvalid, "attempt", "-1"},
		{"a container run before the first",
			run(-7, propagate.ContainerRetried("wf.set", "b")), propagate.ErrInvalid, "attempt", "-7"},
		{"a run past the last",
			run(1<<30+1, propagate.ContainerEnded("wf.set", "a", 0, "")), propagate.ErrInvalid, "attempt", "1073741825"},

		{"a shutdown of no kind", propagate.Shutdown(""), propagate.ErrInvalid, "strategy", ""},
		{"a shutdown of an unknown kind", propagate.Shutdown("terminate"), propagate.ErrInvalid, "strategy", "terminate"},
		{"a retry of a workflow that runs", propagate.ManualRetry(), propagate.ErrInvalid, "phase", "Running"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := ofAllKinds(t, nodegraph.Limits{})
			err := refused(t, e, test.event)
			want := &propagate.EventError{Index: 0, Event: test.event, Node: test.event.Node, Field: test.field, Value: test.value, Err: test.want, Hint: err.Hint}
			require.NotEmpty(t, err.Hint, "the refusal says what there is in place of that")
			require.Equal(t, want, err)
			require.ErrorIs(t, err, test.want)
			for _, part := range []string{"event 0", test.event.Type.String(), test.field, test.value, test.want.Error()} {
				require.Contains(t, err.Error(), part, "the message says what is wrong with which event")
			}
		})
	}
}

// An event may name its node by the id; the refusal names the node as people know it.
func TestRefusalNamesTheNodeOfAnID(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{})
	at := e.Graph().Find("wf.wait")
	id := e.Graph().Node(at).ID()
	require.NotEqual(t, "wf.wait", id)
	for _, ev := range []propagate.Event{propagate.PodRunning(id), {Type: propagate.EventPodRunning, At: at}} {
		refusal := refused(t, e, ev)
		require.Equal(t, [2]string{"wf.wait", "wf.wait"}, [2]string{refusal.Node, refusal.Value}, "%v", refusal)
	}
	require.Equal(t, "wf", refused(t, e, propagate.Event{Type: propagate.EventPodRunning, At: nodegraph.Entry}).Node, "the entry node too")
}

// The types and indices just past the last are none.
func TestRefusalsJustPastTheLast(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{})
	past := propagate.EventType(1)
	for past.String() != fmt.Sprintf("EventType(%d)", past) {
		past++
	}
	require.Equal(t, "type", refused(t, e, propagate.Event{Type: past, Node: "wf.set"}).Field)
	require.ErrorIs(t, refused(t, e, propagate.Event{Type: propagate.EventPodRunning, At: nodegraph.Index(e.Graph().Len())}), propagate.ErrUnknownNode)
}

// Locks are the workflow's where an event names no node, and else those of the node, which may be named by its index.
func TestRefusalsAboutLocks(t *testing.T) {
	e := drawn(t, "dag(a: mutex(m, pod), b: mutex(m, pod(x -> y)), hold: suspend)")
	a, hold := e.Graph().Find("wf.a"), e.Graph().Find("wf.hold")
	for _, c := range []struct {
		about string
		event propagate.Event
		value string
	}{
		{"the workflow", propagate.LockGranted(""), "wf"},
		{"a node by name", propagate.LockQueued("wf.hold", mutexM, ""), "wf.hold"},
		{"a node by index", propagate.Event{Type: propagate.EventLockGranted, At: hold}, "wf.hold"},
	} {
		refusal := refused(t, e, c.event)
		require.ErrorIs(t, refusal, propagate.ErrWrongKind, c.about)
		require.Equal(t, [2]string{"node", c.value}, [2]string{refusal.Field, refusal.Value}, c.about)
	}
	tell(t, e, propagate.Event{Type: propagate.EventLockGranted, At: a})
	require.Equal(t, fact.LockHeld, e.Fact(a).Lock)

	tell(t, e, propagate.LockQueued("wf.b", mutexM, ""))
	require.ErrorIs(t, refused(t, e, propagate.ContainerEnded("wf.b", "y", 0, "")), propagate.ErrUnknownNode,
		"a pod that waits for its lock has no containers yet")
}

// A workflow whose exit handler runs is not complete, however it will end.
func TestRefusalOfAManualRetryDuringTheExitHandler(t *testing.T) {
	e := drawn(t, "dag(a) exit pod")
	tell(t, e, propagate.PodFailed("wf.a", ""))
	expect(t, e, "wf", nodegraph.PhaseFailed)
	require.Equal(t, "phase", refused(t, e, propagate.ManualRetry()).Field)
}

// Items that are few enough, but more than the graph has room for: their node ends in Error, and says why.
func TestItemsPastTheLimitOfNodesEndTheirNode(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(a over "{{x}}", hold: suspend)`)
	require.NoError(t, err)
	e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: 5}))
	require.NoError(t, err)
	tell(t, e)
	tell(t, e, propagate.Expanded("wf.a", nodegraph.Item{Text: "i"}, nodegraph.Item{Text: "j"}))
	expect(t, e, "wf.a", nodegraph.PhaseError)
	_, message := e.Phase(e.Graph().Find("wf.a"))
	require.Contains(t, message, "limit Nodes")
	require.Equal(t, 4, e.Graph().Len(), "nothing was added")
	require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
	require.Empty(t, tell(t, e, propagate.Expanded("wf.a")), "that is final")
}

// What the graph has no room for ends in Error what asked for it, and everything else goes on.
func TestNodesPastTheLimitEndTheirNode(t *testing.T) {
	for _, c := range []struct {
		name, text string
		nodes      int
		event      propagate.Event
		node       string
	}{
		{"members", "dag(in: dag(x, y, z), hold: suspend)", 5, propagate.Event{}, "wf.in"},
		{"an attempt", "dag(r: retry(5, pod), hold: suspend)", 5, propagate.PodFailed("wf.r(0)", ""), "wf.r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, err := nodegraph.Parse(c.text)
			require.NoError(t, err)
			e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: c.nodes}))
			require.NoError(t, err)
			tell(t, e)
			if c.event.Node != "" {
				tell(t, e, c.event)
			}
			expect(t, e, c.node, nodegraph.PhaseError)
			_, message := e.Phase(e.Graph().Find(c.node))
			require.Contains(t, message, "limit Nodes")
			require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
			tell(t, e, propagate.Resumed("wf.hold"))
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
		})
	}
}

// The host's limits bound what an answer may bring; the limit itself is allowed.
func TestRefusalOfTooManyItems(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{Items: 2})
	items := []nodegraph.Item{{Text: "x"}, {Text: "y"}, {Text: "z"}}
	err := refused(t, e, propagate.Expanded("wf.many", items...))
	var limit *nodegraph.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, &nodegraph.LimitError{Limit: "Items", Max: 2, Node: "wf.many"}, limit)
	require.Equal(t, "items", err.Field)
	require.Equal(t, "wf.many", err.Value)
	for _, part := range []string{"event 0", "Expanded", "items", "wf.many", limit.Error()} {
		require.Contains(t, err.Error(), part)
	}

	tell(t, e, propagate.Expanded("wf.many", items[:2]...))
	expect(t, e, "wf.many(1:y)", nodegraph.PhasePending)
}

// The highest run that can be is one that can be.
func TestHighestRunIsTaken(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{})
	tell(t, e, run(1<<30, propagate.ContainerRetried("wf.set", "b")))
	expect(t, e, "wf.set.b", nodegraph.PhaseRunning)
	require.Equal(t, 1<<30, e.Fact(e.Graph().Find("wf.set.b")).Attempt)
}

// A batch is taken as a whole or not at all.
func TestBatchWithABadEventChangesNothing(t *testing.T) {
	good := propagate.ContainerEnded("wf.set", "a", 0, "")
	bad := propagate.PodRunning("wf.nobody")
	for _, test := range []struct {
		name  string
		batch []propagate.Event
		index int
	}{
		{"the second", []propagate.Event{good, bad}, 1},
		{"the first", []propagate.Event{bad, good}, 0},
		{"the last of many",
			[]propagate.Event{good, propagate.PodSucceeded("wf.set"), propagate.Resumed("wf.wait"), propagate.Shutdown("Stop"), bad},
			4},
		{"of two the first is named", []propagate.Event{good, bad, propagate.Shutdown("")}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := ofAllKinds(t, nodegraph.Limits{})
			err := refused(t, e, test.batch...)
			require.Equal(t, test.index, err.Index)
			require.Equal(t, bad, err.Event)
			require.ErrorIs(t, err, propagate.ErrUnknownNode)

			tell(t, e, good) // without the bad one it is taken
			expect(t, e, "wf.set.a", nodegraph.PhaseSucceeded)
		})
	}
}

// Every event is judged by what was so before the batch: what the batch itself starts was not started yet.
func TestEventsOfABatchDoNotSeeEachOther(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{})
	err := refused(t, e, propagate.PodSucceeded("wf.set"), propagate.PodRunning("wf.later"))
	require.Equal(t, 1, err.Index)
	require.ErrorIs(t, err, propagate.ErrNotStarted)
	tell(t, e, propagate.PodSucceeded("wf.set"))
	tell(t, e, propagate.PodRunning("wf.later"))
	expect(t, e, "wf.later", nodegraph.PhaseRunning)
}

// Nothing happens to a complete workflow any more, whatever the event and whether or not it makes sense.
func TestRefusalsOfACompleteWorkflow(t *testing.T) {
	events := []propagate.Event{
		propagate.PodPending("wf.a", ""), propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.a"),
		propagate.PodFailed("wf.a", ""), propagate.PodEvicted("wf.a", ""), propagate.PodDeleted("wf.a"),
		propagate.ContainerPending("wf.a", "main"), propagate.ContainerRunning("wf.a", "main"),
		propagate.ContainerEnded("wf.a", "main", 0, ""), propagate.ContainerRetried("wf.a", "main"),
		propagate.NodeEnded("wf.a", nodegraph.PhaseFailed, ""), propagate.Resumed("wf.a"),
		propagate.Resolved("wf.a", true, ""), propagate.Expanded("wf.a"), propagate.Memoized("wf.a", true),
		propagate.LockGranted("wf.a"), propagate.LockQueued("wf.a", "k", ""), propagate.ResultPending("wf.a"),
		propagate.ResultSynced("wf.a"), propagate.PodRunning("wf.nobody"),
		propagate.LockGranted(""), propagate.AgentEnded(""), propagate.Suspended(true), propagate.Shutdown("Stop"),
	}
	for _, last := range []propagate.Event{propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.a", "main: Error (exit code 1)")} {
		e := drawn(t, "dag(a: pod(main))")
		tell(t, e, last)
		require.True(t, e.Complete(), "after %v", last)
		for _, ev := range events {
			err := refused(t, e, ev)
			require.ErrorIs(t, err, propagate.ErrComplete, "%v of a complete workflow", ev)
			require.Equal(t, "node", err.Field)
			require.Equal(t, ev.Node, err.Value)
		}
		if r := tell(t, e); len(r.Changes)+len(r.Actions) > 0 {
			t.Errorf("time changed a complete workflow: %v %v", r.Changes, r.Actions)
		}
	}
}

// A workflow is retried by hand only once it has failed, and not together with word of what it had.
func TestRefusalsOfManualRetry(t *testing.T) {
	e, err := propagate.New(ofAllKinds(t, nodegraph.Limits{}).Graph().Spec())
	require.NoError(t, err)
	_, err = e.Apply(epoch, propagate.ManualRetry())
	require.ErrorIs(t, err, propagate.ErrInvalid, "a workflow that was not started has not failed")

	e = drawn(t, "dag(a -> b)")
	tell(t, e, propagate.PodSucceeded("wf.a"))
	tell(t, e, propagate.PodSucceeded("wf.b"))
	refusal := refused(t, e, propagate.ManualRetry())
	require.ErrorIs(t, refusal, propagate.ErrInvalid, "a workflow that has succeeded")
	require.Equal(t, "phase", refusal.Field)
	require.Equal(t, "Succeeded", refusal.Value)

	e = drawn(t, "dag(a -> b)")
	tell(t, e, propagate.PodFailed("wf.a", ""))
	refusal = refused(t, e, propagate.ManualRetry(), propagate.PodRunning("wf.a"))
	require.ErrorIs(t, refusal, propagate.ErrComplete, "the workflow was complete before the batch")
	require.Equal(t, 1, refusal.Index)
	tell(t, e, propagate.ManualRetry())
	expect(t, e, "wf.a", nodegraph.PhasePending)
	require.ErrorIs(t, refused(t, e, propagate.ManualRetry()), propagate.ErrInvalid, "it was retried already")
}

// SyncPods refuses the events that it is given besides in the same way, with their places among them.
func TestSyncPodsRefusesBadEvents(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{})
	before := e.Save()
	_, err := e.SyncPods(epoch, nil, propagate.Resumed("wf.wait"), propagate.Shutdown("Halt"))
	var refusal *propagate.EventError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, 1, refusal.Index)
	require.Equal(t, "Halt", refusal.Value)
	if diff := cmp.Diff(before, e.Save()); diff != "" {
		t.Errorf("the refused list changed the state (-before +after):\n%s", diff)
	}
	expect(t, e, "wf.set", nodegraph.PhaseRunning) // it is not in the list, and not lost either
}

// A value of any length makes a message that can be read.
func TestRefusalIsBounded(t *testing.T) {
	e := ofAllKinds(t, nodegraph.Limits{})
	name := strings.Repeat("x", 100_000)
	err := refused(t, e, propagate.PodRunning(name))
	require.Equal(t, name, err.Value, "the field keeps all of it")
	require.Less(t, len(err.Error()), 400)
	require.Contains(t, err.Error(), strings.Repeat("x", 200)+`..."`)
}

// The message of a refused event did not name the node where another field was wrong.
func TestEventErrorNamesTheNode(t *testing.T) {
	e := drawn(t, `dag(set: pod(a), hold: suspend)`)
	attempt := propagate.PodRunning("wf.set")
	attempt.Pod.Attempt = -1
	for _, ev := range []propagate.Event{propagate.ContainerEnded("wf.set", "nobody", 1, ""), attempt,
		{Type: propagate.EventPodEnded, Node: "wf.set", Phase: nodegraph.PhaseRunning}} {
		_, err := e.Apply(epoch, ev)
		require.ErrorContains(t, err, "wf.set", "the message says which node the event was about")
	}
}
