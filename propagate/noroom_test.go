package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

// colliding looks for two names such that the nodes that are called one and other for them have the same id: hashes of 32
// bits, of which large workflows have such pairs.
func colliding(one, other string) (a, b string) {
	r := rand.New(rand.NewPCG(7, 8))
	ones, others := make(map[string]string), make(map[string]string)
	for {
		a, b = fmt.Sprintf("t%x", r.Uint32()), fmt.Sprintf("u%x", r.Uint32())
		id, otherID := nodegraph.NodeID("wf", fmt.Sprintf(one, a)), nodegraph.NodeID("wf", fmt.Sprintf(other, b))
		ones[id], others[otherID] = a, b
		switch {
		case others[id] != "":
			return a, others[id]
		case ones[otherID] != "":
			return ones[otherID], b
		}
	}
}

// anyOrder compares states whatever the order of their nodes.
var anyOrder = cmpopts.SortSlices(func(a, b propagate.NodeState) bool { return a.Name < b.Name })

// What a workflow could not have, because an id was taken or there was no room, it does not have after a restart either, from
// whichever form it is read, and what it has is not taken for that. All went well but the restart: a Retry was given an
// attempt that has the id of a task, which can't be; members for which there had been no room took that of what had it.
func TestRestartBesideWhatTheGraphRefused(t *testing.T) {
	retried := func(a, _ string) []propagate.Event {
		return []propagate.Event{propagate.PodFailed("wf."+a+"(0)", ""), propagate.PodSucceeded("wf." + a + "(1)")}
	}
	crowded := func(string, string) []propagate.Event { // the second attempt takes room
		return []propagate.Event{propagate.PodFailed("wf.r(0)", ""), propagate.PodSucceeded("wf.p"), propagate.PodSucceeded("wf.r(1)")}
	}
	for _, c := range []struct {
		name       string
		text       string // of a and b
		one, other string // nodes of a and b that have the same id
		nodes      int    // that there may be; 0 for any number
		events     func(a, b string) []propagate.Event
		refused    string // what ends in Error in the end
	}{
		{
			name: "attempt", text: "dag(%[1]s: retry(1, pod), %[2]s)", one: "wf.%s(1)", other: "wf.%s",
			events: func(a, b string) []propagate.Event {
				return []propagate.Event{propagate.PodSucceeded("wf." + b), propagate.PodFailed("wf."+a+"(0)", "")}
			},
			refused: "wf.%[1]s",
		},
		{
			name: "hook", text: "dag(%[1]s exit pod, %[2]s)", one: "wf.%s.onExit", other: "wf.%s",
			events: func(a, b string) []propagate.Event {
				return []propagate.Event{propagate.PodSucceeded("wf." + b), propagate.PodSucceeded("wf." + a)}
			},
			refused: "wf.%[1]s",
		},
		{name: "members beside an attempt", text: "dag(%[1]s: retry(1, pod) -> x: dag(%[2]s))", one: "wf.%s(1)", other: "wf.x.%s", events: retried, refused: "wf.x"},
		{name: "containers beside an attempt", text: "dag(%[1]s: retry(1, pod) -> x: pod(%[2]s))", one: "wf.%s(1)", other: "wf.x.%s", events: retried, refused: "wf.x"},
		{name: "steps beside an attempt", text: "dag(%[1]s: retry(1, pod) -> x: steps(%[2]s))", one: "wf.%s(1)", other: "wf.x[0].%s", events: retried, refused: "wf.x[0]"},
		{
			name: "an attempt's members", text: "dag(%[1]s: retry(1, pod) -> r: retry(1, dag(%[2]s)), f)", one: "wf.%s(1)", other: "wf.r(0).%s",
			events: func(a, b string) []propagate.Event {
				return []propagate.Event{
					propagate.PodFailed("wf."+a+"(0)", ""), propagate.PodSucceeded("wf." + a + "(1)"), propagate.PodSucceeded("wf.r(1)." + b),
					propagate.PodFailed("wf.f", ""),
				}
			},
			refused: "wf.r(0)",
		},
		{name: "members without room", text: "dag(r: retry(3, pod), p -> x: dag(a, b))", nodes: 7, events: crowded, refused: "wf.x"},
		{name: "groups without room", text: "dag(r: retry(3, pod), p -> x: steps(a | b))", nodes: 7, events: crowded, refused: "wf.x"},
		{name: "items without room", text: `dag(r: retry(3, pod), p -> x over ["a", "b"])`, nodes: 7, events: crowded, refused: "wf.x"},
		{name: "steps of a loop without room", text: `dag(r: retry(3, pod), p -> x: steps(s over ["a", "b"]))`, nodes: 8, events: crowded, refused: "wf.x[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := "", ""
			text, refused, limits := c.text, c.refused, nodegraph.Limits{Nodes: c.nodes}
			if c.one != "" {
				a, b = colliding(c.one, c.other)
				text = fmt.Sprintf(text, a, b)
				refused = strings.ReplaceAll(refused, "%[1]s", a)
			}
			spec, err := nodegraph.Parse(text)
			require.NoError(t, err)
			e, err := propagate.New(spec, nodegraph.WithLimits(limits))
			require.NoError(t, err)
			tell(t, e)
			for _, ev := range append([]propagate.Event{{}}, c.events(a, b)...) {
				if ev.Node != "" {
					tell(t, e, ev)
				}
				loaded, unknown, err := propagate.FromState(spec, e.Save(), nodegraph.WithLimits(limits))
				require.NoError(t, err, "%s\n%v", text, looksAll(e))
				require.Empty(t, unknown)
				require.NoError(t, loaded.Check())
				require.Empty(t, cmp.Diff(e.Save(), loaded.Save(), anyOrder), "loaded")
				require.Equal(t, e.Graph().Len(), loaded.Graph().Len())
				restored, unknown, err := propagate.FromSnapshot(spec, e.Snapshot(), nodegraph.WithLimits(limits))
				require.NoError(t, err, "%s\n%v", text, looksAll(e))
				require.Empty(t, unknown)
				require.NoError(t, restored.Check())
				require.Empty(t, cmp.Diff(looksAll(e), looksAll(restored)), "restored")
			}
			expect(t, e, refused, nodegraph.PhaseError)
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			tell(t, e, propagate.ManualRetry())
		})
	}
}

// Of what was recorded without names the ids count.
func TestRestoreWithoutNames(t *testing.T) {
	e := drawn(t, "dag(a: retry(1, pod) exit pod -> b)")
	tell(t, e, propagate.PodFailed("wf.a(0)", ""))
	tell(t, e, propagate.PodSucceeded("wf.a(1)"))
	tell(t, e, propagate.PodRunning("wf.a.onExit"))
	record := e.Snapshot()
	for k := range record.Nodes {
		record.Nodes[k].Name = ""
	}
	restored, unknown, err := propagate.FromSnapshot(e.Graph().Spec(), record)
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.Empty(t, cmp.Diff(looksAll(e), looksAll(restored)))
}

// withRoomFor starts a workflow that may have so many nodes, the workflow itself among them.
func withRoomFor(t testing.TB, nodes int, text string, change func(*nodegraph.Spec)) (*propagate.Engine, propagate.Result) {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	if change != nil {
		change(spec)
	}
	e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: nodes}))
	require.NoError(t, err)
	return e, tell(t, e)
}

// asks lists what a host is asked to do about pods and locks.
func asks(r propagate.Result) []string {
	var list []string
	for _, a := range r.Actions {
		if a.Type == propagate.ActionTerminate {
			list = append(list, "Terminate "+a.Name)
		} else if a.Kind == nodegraph.KindPod && a.Type != propagate.ActionComplete {
			list = append(list, a.String())
		}
	}
	return list
}

// A container set that the graph has no room for is in Error, and nobody is asked for its pod: the host's word on a container
// that the graph does not have would be refused.
func TestSetWithoutRoomIsNotStarted(t *testing.T) {
	e, r := withRoomFor(t, 6, "dag(a: pod(x, y, z), hold: suspend)", nil)
	require.Empty(t, asks(r))
	expect(t, e, "wf.a", nodegraph.PhaseError)

	locked := "dag(a: mutex(m, pod(x, y, z)), hold: suspend)"
	e, r = withRoomFor(t, 6, locked, nil)
	require.Equal(t, []string{"Acquire wf.a default/Mutex/m"}, asks(r))
	require.Equal(t, []string{"Release wf.a default/Mutex/m"}, asks(tell(t, e, propagate.LockGranted("wf.a"))))
	expect(t, e, "wf.a", nodegraph.PhaseError)

	e, _ = withRoomFor(t, 6, locked, nil)
	require.Equal(t, []string{`Wait Pod wf.a "waits"`}, asks(tell(t, e, propagate.LockQueued("wf.a", "default/Mutex/m", "waits"))))
	require.Equal(t, []string{"Release wf.a default/Mutex/m"}, asks(tell(t, e, propagate.LockGranted("wf.a"))))
	expect(t, e, "wf.a", nodegraph.PhaseError)
}

// A hook that the graph has no room for ends its node in Error while that runs, and all that is open of it with it.
func TestHookWithoutRoomOfWhatRuns(t *testing.T) {
	runs, onFailure := hookOn("a", `tasks["a"].status == "Running"`), hookOn("a", `tasks["c"].status == "Failed"`)
	failsFast := func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			template.FailFast = template.Name == "a"
			if template.Retry != nil {
				template.Retry.Backoff = &retry.Backoff{Duration: time.Minute}
			}
		}
	}
	for _, c := range []struct {
		name, text string
		nodes      int // as many as there are without hooks
		change     func(*nodegraph.Spec)
		events     []propagate.Event
		asked      []string // in the last call
		failed     []string
	}{
		{"a pod", "dag(a, b)", 4, runs, []propagate.Event{propagate.PodRunning("wf.a")},
			[]string{"Terminate wf.a"}, nil},
		{"the pod of a container set", "dag(a: pod(x), b)", 5, runs, []propagate.Event{propagate.PodRunning("wf.a")},
			[]string{"Terminate wf.a"}, []string{"wf.a.x"}},
		{"a pod whose results are to come", "dag(a, b)", 4, runs,
			[]propagate.Event{propagate.ResultPending("wf.a"), propagate.PodRunning("wf.a")}, []string{"Terminate wf.a"}, nil},
		{"a pod that is lost", "dag(a: pod(x), b)", 5, hookOn("a", `tasks["a"].status == "Error"`),
			[]propagate.Event{propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a")}, nil, []string{"wf.a.x"}},
		{"a Retry", "dag(a: retry(1, pod), b)", 5, runs, nil,
			[]string{"Start Pod wf.b"}, nil},
		{"a DAG", "dag(a: dag(x -> y), b)", 6, runs, nil,
			[]string{"Start Pod wf.b"}, nil},
		{"a loop", `dag(a over ["i", "j"], b)`, 6, runs, nil,
			[]string{"Start Pod wf.b"}, nil},
		{"a Retry whose pod runs", "dag(c: daemon -> a: retry(1, pod), b)", 6, onFailure,
			[]propagate.Event{propagate.PodRunning("wf.c"), propagate.PodRunning("wf.a(0)"), propagate.PodFailed("wf.c", "")},
			[]string{"Terminate wf.a(0)"}, []string{"wf.a(0)"}},
		{"a DAG in which a pod runs", "dag(c: daemon -> a: dag(x -> y), b)", 7, onFailure,
			[]propagate.Event{propagate.PodRunning("wf.c"), propagate.PodRunning("wf.a.x"), propagate.PodFailed("wf.c", "")},
			[]string{"Terminate wf.a.x"}, []string{"wf.a.x"}},
		{"a loop whose pods run", `dag(c: daemon -> a over ["i", "j"], b)`, 7, onFailure,
			[]propagate.Event{propagate.PodRunning("wf.c"), propagate.PodRunning("wf.a(0:i)"), propagate.PodFailed("wf.c", "")},
			[]string{"Terminate wf.a(0:i)", "Terminate wf.a(1:j)"}, []string{"wf.a(0:i)", "wf.a(1:j)"}},
		{"a daemon", "dag(c: daemon -> a: daemon, b)", 5, onFailure,
			[]propagate.Event{propagate.PodRunning("wf.c"), propagate.PodRunning("wf.a"), propagate.PodFailed("wf.c", "")},
			[]string{"Terminate wf.a"}, nil},
		{"a loop whose pods are ready daemons", `dag(a: retry(1, daemon) over ["i"] exit pod, b)`, 6, nil,
			[]propagate.Event{propagate.PodRunning("wf.a(0:i)(0)"), propagate.PodRunning("wf.b"), propagate.PodFailed("wf.a(0:i)(0)", "")},
			nil, nil},
		{"a pod that is skipped", `dag(a when "1 == 2", b)`, 4, hookOn("a", `tasks["a"].status == "Skipped"`), nil,
			[]string{"Start Pod wf.b"}, nil},
		{"a DAG that fails fast beside a Retry that waits", "dag(a: dag(x, r: retry(1, pod)) exit pod, b)", 7, failsFast,
			[]propagate.Event{propagate.PodFailed("wf.a.r(0)", ""), propagate.PodFailed("wf.a.x", "")}, nil, []string{"wf.a.r"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, r := withRoomFor(t, c.nodes, c.text, c.change)
			for _, ev := range c.events {
				r = tell(t, e, ev)
			}
			expect(t, e, "wf.a", nodegraph.PhaseError)
			for _, name := range c.failed {
				expect(t, e, name, nodegraph.PhaseFailed)
			}
			_, message := e.Phase(e.Graph().Find("wf.a"))
			require.Contains(t, message, "limit Nodes")
			require.Equal(t, c.asked, asks(r))
			for _, need := range waitsFor(e) {
				require.False(t, strings.HasPrefix(need, "wf.a"), need)
			}
			again := reloaded(t, e)
			require.Equal(t, waitsFor(e), waitsFor(again))
		})
	}
}

// A hook that the graph had no room for was due for ever: its node waited for a timer that was never set, and the workflow
// for the node.
func TestHookWithoutRoomIsNotWaitedFor(t *testing.T) {
	for _, c := range []struct {
		text   string
		nodes  int // as many as there are without hooks
		events []propagate.Event
		node   string
	}{
		{"dag(a exit pod)", 3, []propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.a"},
		{"dag(a exit pod -> b)", 4, []propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.a"},
		{"dag(d: daemon, a exit pod -> b)", 5, []propagate.Event{propagate.PodRunning("wf.d"), propagate.PodSucceeded("wf.a")}, "wf.a"},
		{"dag(r: retry(1, pod) exit pod)", 4, []propagate.Event{propagate.PodSucceeded("wf.r(0)")}, "wf.r"},
		{"steps(a exit pod | b)", 5, []propagate.Event{propagate.PodSucceeded("wf[0].a")}, "wf[0].a"},
		{"dag(a) exit pod", 3, []propagate.Event{propagate.PodSucceeded("wf.a")}, "wf"},
	} {
		t.Run(c.text, func(t *testing.T) {
			spec, err := nodegraph.Parse(c.text)
			require.NoError(t, err)
			e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: c.nodes}))
			require.NoError(t, err)
			tell(t, e)
			for _, ev := range c.events {
				tell(t, e, ev)
			}
			expect(t, e, c.node, nodegraph.PhaseError)
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			phase, _ := e.Workflow()
			require.True(t, phase.Unsuccessful(), "the workflow is %s", phase)
			again := reloaded(t, e)
			require.True(t, again.Complete(), "once loaded it waits for %v", waitsFor(again))
		})
	}
}

// A composite that the graph has no room for is in Error, and says so.
func TestCompositeThatCantBeExpanded(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a -> x: dag(b, c, d, e), hold: suspend)")
	require.NoError(t, err)
	e, err := propagate.New(spec, nodegraph.WithLimits(nodegraph.Limits{Nodes: 6}))
	require.NoError(t, err)
	tell(t, e)
	tell(t, e, propagate.PodSucceeded("wf.a"))
	x := e.Graph().Find("wf.x")
	v := e.Verdict(x)
	require.Equal(t, rule.Verdict{Phase: nodegraph.PhaseError, Message: v.Message, Fulfilled: true, Rule: v.Rule, Line: "Composite 2", By: nodegraph.None}, v)
	require.Contains(t, v.Message, "Nodes")
}
