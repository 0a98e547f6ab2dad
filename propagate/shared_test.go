package propagate_test

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// epoch is the time at which tests begin.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// What all tests of the package use: engines of workflows that a line of text draws, what is told to them, and what is asked of
// them.

// TestMain collects garbage less often: the searches make much of it and keep little.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// drawn starts the workflow that a line of text draws.
func drawn(t testing.TB, text string) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	return started(t, spec)
}

// drawnWith is drawn for what a line of text can't say.
func drawnWith(t testing.TB, text string, set func(*nodegraph.Spec)) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	set(spec)
	return started(t, spec)
}

func started(t testing.TB, spec *nodegraph.Spec) *propagate.Engine {
	t.Helper()
	e, err := propagate.New(spec)
	require.NoError(t, err)
	tell(t, e)
	return e
}

// tell says events to an engine and checks the invariants.
func tell(t testing.TB, e *propagate.Engine, events ...propagate.Event) propagate.Result {
	t.Helper()
	r, err := e.Apply(epoch, events...)
	require.NoError(t, err)
	require.NoError(t, propagatetest.Check(e))
	return r
}

// expect asserts the phase of a node by its name; the message tells why it has the one it has.
func expect(t testing.TB, e *propagate.Engine, name string, want nodegraph.Phase) {
	t.Helper()
	i := e.Graph().Find(name)
	require.NotEqual(t, nodegraph.None, i, "no node %s", name)
	got, _ := e.Phase(i)
	require.Equal(t, want.String(), got.String(), "%s, because: %v", name, e.Explain(i))
}

// waitsFor lists what the workflow waits for.
func waitsFor(e *propagate.Engine) []string {
	var list []string
	for _, o := range e.Obligations() {
		list = append(list, o.String())
	}
	return list
}

func reloaded(t testing.TB, e *propagate.Engine) *propagate.Engine {
	t.Helper()
	loaded, unknown, err := propagate.FromState(e.Graph().Spec(), e.Save())
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.NoError(t, loaded.Check())
	return loaded
}

// restored is what a host has that keeps nothing but Argo's terms.
func restored(t testing.TB, e *propagate.Engine) *propagate.Engine {
	t.Helper()
	again, unknown, err := propagate.FromSnapshot(e.Graph().Spec(), e.Snapshot())
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.NoError(t, again.Check())
	return again
}

func actionsOf(r propagate.Result) []string {
	var list []string
	for _, a := range r.Actions {
		list = append(list, a.String())
	}
	return list
}

// said is an event of one life of the pod of wf.set: uid-1 is older than uid-2.
func said(uid int, ev propagate.Event) propagate.Event {
	ev.Pod.UID = fmt.Sprint("uid-", uid)
	ev.Pod.Created = epoch.Add(time.Duration(uid) * time.Second)
	if ev.Container != "" && ev.Pod.Attempt == 0 {
		ev.Pod.Attempt = 1
	}
	return ev
}

func run(attempt int, ev propagate.Event) propagate.Event {
	ev.Pod.Attempt = attempt
	return ev
}

// of makes an event one of the pod with this uid.
func of(uid string, ev propagate.Event) propagate.Event {
	ev.Pod.UID = uid
	return ev
}

// at is tell at a time of its own.
func at(t testing.TB, e *propagate.Engine, after time.Duration, events ...propagate.Event) propagate.Result {
	t.Helper()
	r, err := e.Apply(epoch.Add(after), events...)
	require.NoError(t, err)
	require.NoError(t, propagatetest.Check(e))
	return r
}

func lock(key string, limit int) nodegraph.Lock { return nodegraph.Lock{Key: key, Limit: limit} }

// looks are the phases and messages of nodes, by name.
func looks(e *propagate.Engine, names ...string) map[string]string {
	m := make(map[string]string)
	for _, name := range names {
		phase, message := e.Phase(e.Graph().Find(name))
		m[name] = phase.String()
		if message != "" {
			m[name] += ": " + message
		}
	}
	return m
}

// listed tells the engine which pods exist, as a host does that looks at all of them each time.
func listed(t testing.TB, e *propagate.Engine, pods ...propagate.PodStatus) propagate.Result {
	t.Helper()
	r, err := e.SyncPods(epoch, pods)
	require.NoError(t, err)
	require.NoError(t, propagatetest.Check(e))
	return r
}

// podOf is a pod of a node.
func podOf(node, uid string, phase propagate.PodPhase, containers ...propagate.ContainerStatus) propagate.PodStatus {
	return propagate.PodStatus{Node: node, UID: uid, Name: "pod-of-" + node, Phase: phase, Containers: containers}
}

func running(name string) propagate.ContainerStatus {
	return propagate.ContainerStatus{Name: name, Running: true, Ready: true}
}

func terminated(name string, code int) propagate.ContainerStatus {
	c := propagate.ContainerStatus{Name: name, Terminated: true, ExitCode: code, Reason: "Completed"}
	if code != 0 {
		c.Reason = "Error"
	}
	return c
}
