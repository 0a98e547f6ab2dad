package propagate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// timedOutAfter draws a workflow whose templates, but for those that only order others, may take a minute.
func timedOutAfter(t *testing.T, text string, byHost bool) *propagate.Engine {
	t.Helper()
	return drawnWith(t, text, func(spec *nodegraph.Spec) {
		spec.TimeoutsByHost = byHost
		for _, template := range spec.Templates {
			if !template.Kind.Composite() {
				template.Timeout = time.Minute
			}
		}
	})
}

// The engine ends what takes longer than its timeout, whatever it is, and asks for the end of its pod. Where the host enforces
// timeouts it ends only what is pending, and no attempt of a Retry: a pod ends by its own deadline.
func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   string
		events []propagate.Event // half a minute before the timeout
		want   map[string]string // phases a minute after the start
		asked  []string
		byHost map[string]string // the same where the host enforces timeouts
	}{
		{name: "a pod that runs", text: "dag(a)", events: []propagate.Event{propagate.PodRunning("wf.a")},
			want: map[string]string{"wf.a": "Failed: timeout", "wf": "Failed"}, asked: []string{`Terminate wf.a "timeout"`, "Complete"},
			byHost: map[string]string{"wf.a": "Running", "wf": "Running"}},
		{name: "a pod that is pending", text: "dag(a)",
			want: map[string]string{"wf.a": "Failed: timeout", "wf": "Failed"}, asked: []string{`Terminate wf.a "timeout"`, "Complete"},
			byHost: map[string]string{"wf.a": "Failed: timeout", "wf": "Failed"}},
		{name: "an attempt that runs is tried again", text: "dag(a: retry(1, pod))", events: []propagate.Event{propagate.PodRunning("wf.a(0)")},
			want:   map[string]string{"wf.a(0)": "Failed: timeout", "wf.a": "Running", "wf.a(1)": "Pending"},
			asked:  []string{`Terminate wf.a(0) "timeout"`, "Start Pod wf.a(1)", "Wake"},
			byHost: map[string]string{"wf.a(0)": "Running", "wf.a": "Running"}},
		{name: "the containers of a pod", text: "dag(a: pod(x -> y))", events: []propagate.Event{propagate.PodRunning("wf.a"), propagate.ContainerEnded("wf.a", "x", 0, "")},
			want: map[string]string{"wf.a": "Failed: timeout", "wf.a.x": "Succeeded", "wf.a.y": "Failed: timeout"}, asked: []string{`Terminate wf.a "timeout"`, "Complete"},
			byHost: map[string]string{"wf.a": "Running", "wf.a.x": "Succeeded", "wf.a.y": "Pending"}},
		{name: "a Suspend", text: "dag(a: suspend)", want: map[string]string{"wf.a": "Failed: timeout"}, asked: []string{"Complete"},
			byHost: map[string]string{"wf.a": "Running"}},
		{name: "a request", text: "dag(a: http)", want: map[string]string{"wf.a": "Failed: timeout"}, asked: []string{"Complete"},
			byHost: map[string]string{"wf.a": "Failed: timeout"}},
		{name: "a pod that has ended", text: "dag(a -> b: suspend)", events: []propagate.Event{propagate.PodSucceeded("wf.a")},
			want: map[string]string{"wf.a": "Succeeded", "wf.b": "Running"}, asked: []string{"Wake"},
			byHost: map[string]string{"wf.a": "Succeeded", "wf.b": "Running"}},
		{name: "a daemon that is ready", text: "dag(a: daemon, b: suspend)", events: []propagate.Event{propagate.PodRunning("wf.a")},
			want: map[string]string{"wf.a": "Succeeded", "wf.b": "Failed: timeout"}, asked: []string{`Terminate wf.a "its boundary has ended"`, "Complete"},
			byHost: map[string]string{"wf.a": "Running", "wf.b": "Running"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, byHost := range []bool{false, true} {
				e := timedOutAfter(t, c.text, byHost)
				at(t, e, 30*time.Second, c.events...)
				for _, e := range []*propagate.Engine{reloaded(t, e), restored(t, e), e} {
					r := at(t, e, time.Minute)
					want := c.want
					if byHost {
						want = c.byHost
					} else if diff := cmp.Diff(c.asked, endsAndStarts(r)); diff != "" {
						t.Errorf("actions, -want +got:\n%s", diff)
					}
					var names []string
					for name := range want {
						names = append(names, name)
					}
					if diff := cmp.Diff(want, looks(e, names...)); diff != "" {
						t.Errorf("by the host: %v, -want +got:\n%s", byHost, diff)
					}
				}
			}
		})
	}
}

// endsAndStarts are the actions of a result but for those that a restart repeats.
func endsAndStarts(r propagate.Result) []string {
	var list []string
	for _, a := range r.Actions {
		if a.Type != propagate.ActionRecreate {
			list = append(list, a.String())
		}
	}
	return list
}

// A pod that ended by itself after its timeout, and before anybody looked, is judged by its end.
func TestTimeoutThatNobodySawPass(t *testing.T) {
	e := timedOutAfter(t, "dag(a)", false)
	at(t, e, time.Hour, propagate.PodSucceeded("wf.a"))
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	require.True(t, e.Complete())
}
