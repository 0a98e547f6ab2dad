package propagate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// What the host can't run ends in Error with the host's words, and with it what is open inside it. An engine that was loaded
// knows it as well.
func TestUnrunnable(t *testing.T) {
	const quota = "pods \"a\" is forbidden: exceeded quota"
	for _, c := range []struct {
		name   string
		text   string
		events []propagate.Event
		node   string // empty for the workflow
		want   map[string]string
		asked  []string
	}{
		{name: "a pod", text: "dag(a -> b, hold: suspend)", node: "wf.a",
			want: map[string]string{"wf.a": "Error: " + quota, "wf.b": "Omitted: omitted: depends condition not met", "wf": "Running"}},
		{name: "a pod of a ContainerSet", text: "dag(a: pod(x -> y), hold: suspend)", node: "wf.a",
			want: map[string]string{"wf.a": "Error: " + quota, "wf.a.x": "Error: " + quota, "wf.a.y": "Error: " + quota}},
		{name: "an attempt", text: "dag(a: retry(1, pod), hold: suspend)", node: "wf.a(0)",
			want: map[string]string{"wf.a(0)": "Error: " + quota, "wf.a(1)": "Pending", "wf.a": "Running"}, asked: []string{"Start Pod wf.a(1)"}},
		{name: "a pod that was made after all", text: "dag(a, hold: suspend)", node: "wf.a", events: []propagate.Event{propagate.PodRunning("wf.a")},
			want: map[string]string{"wf.a": "Error: " + quota}, asked: []string{fmt.Sprintf("Terminate wf.a %q", quota)}},
		{name: "a pod that has ended", text: "dag(a, hold: suspend)", node: "wf.a", events: []propagate.Event{propagate.PodSucceeded("wf.a")},
			want: map[string]string{"wf.a": "Succeeded"}},
		{name: "a pod that is to be made again", text: "dag(a, hold: suspend)", node: "wf.a", events: []propagate.Event{propagate.PodDeleted("wf.a")},
			want: map[string]string{"wf.a": "Error: " + quota}},
		{name: "a pod that has its lock", text: "dag(a: mutex(m, pod), hold: suspend)", node: "wf.a", events: []propagate.Event{propagate.LockGranted("wf.a")},
			want: map[string]string{"wf.a": "Error: " + quota}, asked: []string{"Release wf.a default/Mutex/m"}},
		{name: "a request", text: "dag(a: http, hold: suspend)", node: "wf.a", want: map[string]string{"wf.a": "Error: " + quota}},
		{name: "a DAG", text: "dag(a: dag(x, y) -> b, hold: suspend)", node: "wf.a", events: []propagate.Event{propagate.PodRunning("wf.a.x")},
			want:  map[string]string{"wf.a": "Error: " + quota, "wf.a.x": "Failed: " + quota, "wf.a.y": "Failed: " + quota, "wf.b": "Omitted: omitted: depends condition not met"},
			asked: []string{fmt.Sprintf("Terminate wf.a.x %q", quota), fmt.Sprintf("Terminate wf.a.y %q", quota)}},
		{name: "the workflow", text: "dag(a, b: suspend)", want: map[string]string{"": "Error: " + quota}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, c.text)
			tell(t, e, c.events...)
			r := tell(t, e, propagate.Unrunnable(c.node, quota))
			if c.node == "" {
				phase, message := e.Workflow()
				require.Equal(t, c.want[""], phase.String()+": "+message)
				require.True(t, e.Complete())
				require.Empty(t, e.Obligations())
				require.Equal(t, propagate.ActionComplete, r.Actions[len(r.Actions)-1].Type)
				return
			}
			var names []string
			for name := range c.want {
				names = append(names, name)
			}
			for _, e := range []*propagate.Engine{e, reloaded(t, e)} {
				if diff := cmp.Diff(c.want, looks(e, names...)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				tell(t, e, propagate.Unrunnable(c.node, "once more"))
				require.Equal(t, c.want[c.node], looks(e, c.node)[c.node], "that is final")
			}
			if diff := cmp.Diff(c.asked, actionsOf(r)); diff != "" {
				t.Errorf("actions, -want +got:\n%s", diff)
			}
		})
	}
}

// What is told of a pod after the host could not make it changes nothing, whenever it was made.
func TestPodOfAnUnrunnableNode(t *testing.T) {
	e := drawn(t, "dag(a, hold: suspend)")
	tell(t, e, propagate.Unrunnable("wf.a", "timeout of the API server"))
	for _, ev := range []propagate.Event{propagate.PodPending("wf.a", ""), propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.a")} {
		tell(t, e, ev.WithPod("u", epoch.Add(time.Second)))
		expect(t, e, "wf.a", nodegraph.PhaseError)
	}
}

// The host does not know a container or a node that was not started to be unrunnable; a workflow that is complete is.
func TestUnrunnableIsRefused(t *testing.T) {
	e := drawn(t, "dag(a: pod(x) -> b)")
	require.ErrorIs(t, refused(t, e, propagate.Unrunnable("wf.a.x", "")), propagate.ErrWrongKind)
	require.ErrorIs(t, refused(t, e, propagate.Unrunnable("wf.b", "")), propagate.ErrNotStarted)
	tell(t, e, propagate.PodFailed("wf.a", ""))
	for _, node := range []string{"", "wf.a"} {
		require.ErrorIs(t, refused(t, e, propagate.Unrunnable(node, "")), propagate.ErrComplete)
	}
}

// A cache that can't be read ends the node that asks for it, and gives back the locks that it has.
func TestCacheThatCanNotBeRead(t *testing.T) {
	for _, text := range []string{"dag(a, hold: suspend)", "dag(a: mutex(m, pod), hold: suspend)"} {
		e := drawnWith(t, text, eachOf(nodegraph.KindPod, func(template *nodegraph.Template) { template.Memoize = "key" }))
		locked := len(e.Graph().Node(e.Graph().Find("wf.a")).Template.Locks) > 0
		var released []string
		if locked {
			tell(t, e, propagate.LockGranted("wf.a"))
			released = []string{"Release wf.a default/Mutex/m"}
		}
		require.Contains(t, waitsFor(e), "wf.a: cache")
		r := tell(t, e, propagate.Unanswerable("wf.a", "configmaps \"cache\" not found"))
		require.Equal(t, released, actionsOf(r))
		require.Equal(t, `Error: configmaps "cache" not found`, looks(e, "wf.a")["wf.a"])
		require.Equal(t, []string{"wf.hold: resume"}, waitsFor(e))
		tell(t, e, propagate.Memoized("wf.a", true))
		expect(t, e, "wf.a", nodegraph.PhaseError)
		require.Empty(t, actionsOf(tell(t, reloaded(t, e))), "nothing is asked again")
	}
}

// Helpers fill in which pod an event is about and how it exited.
func TestEventHelpers(t *testing.T) {
	limit := 5
	e := drawnWith(t, "dag(a: retry(5, pod))", func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if template.Retry != nil {
				template.Retry = &retry.Strategy{Limit: &limit, Policy: retry.PolicyAlways, Rules: []retry.FailureRule{{Action: retry.ActionStop, In: []int{42}}}}
			}
		}
	})
	tell(t, e, propagate.PodFailed("wf.a(0)", "exit 1").WithExit(1).WithPod("u", epoch))
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	f := e.Fact(e.Graph().Find("wf.a(0)"))
	require.Equal(t, [2]any{"u", 1}, [2]any{f.UID, f.ExitCode})
	tell(t, e, propagate.PodFailed("wf.a(1)", "exit 42").WithExit(42))
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
}
