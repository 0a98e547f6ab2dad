package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
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
var anyOrder = cmpopts.SortSlices(func(a, b propagate.NodeState) bool { return a.ID < b.ID })

// whatExists are the nodes of an engine that exist, with their phases and messages.
func whatExists(e *propagate.Engine) map[string]string {
	phases := make(map[string]string)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if phase, message := e.Phase(i); phase != nodegraph.Planned {
			phases[e.Graph().Node(i).Name()] = phase.String() + " " + message
		}
	}
	return phases
}

// What a workflow could not have, because an id was taken or there was no room, it does not have after a restart either, from
// whichever form it is read, and what it has is not taken for that. All went well but the restart: a Retry was given an
// attempt that has the id of a task, which can't be; members for which there had been no room took that of what had it.
func TestRestartBesideWhatTheGraphRefused(t *testing.T) {
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
		{
			name: "members beside an attempt", text: "dag(%[1]s: retry(1, pod) -> x: dag(%[2]s))", one: "wf.%s(1)", other: "wf.x.%s",
			events: func(a, _ string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf."+a+"(0)", ""), propagate.PodSucceeded("wf." + a + "(1)")}
			},
			refused: "wf.x",
		},
		{
			name: "containers beside an attempt", text: "dag(%[1]s: retry(1, pod) -> x: pod(%[2]s))", one: "wf.%s(1)", other: "wf.x.%s",
			events: func(a, _ string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf."+a+"(0)", ""), propagate.PodSucceeded("wf." + a + "(1)")}
			},
			refused: "wf.x",
		},
		{
			name: "steps beside an attempt", text: "dag(%[1]s: retry(1, pod) -> x: steps(%[2]s))", one: "wf.%s(1)", other: "wf.x[0].%s",
			events: func(a, _ string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf."+a+"(0)", ""), propagate.PodSucceeded("wf." + a + "(1)")}
			},
			refused: "wf.x[0]",
		},
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
		{
			name: "members without room", text: "dag(r: retry(3, pod), p -> x: dag(a, b))", nodes: 7,
			events: func(string, string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf.r(0)", ""), propagate.PodSucceeded("wf.p"), propagate.PodSucceeded("wf.r(1)")}
			},
			refused: "wf.x",
		},
		{
			name: "groups without room", text: "dag(r: retry(3, pod), p -> x: steps(a | b))", nodes: 7,
			events: func(string, string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf.r(0)", ""), propagate.PodSucceeded("wf.p"), propagate.PodSucceeded("wf.r(1)")}
			},
			refused: "wf.x",
		},
		{
			name: "items without room", text: `dag(r: retry(3, pod), p -> x over ["a", "b"])`, nodes: 7,
			events: func(string, string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf.r(0)", ""), propagate.PodSucceeded("wf.p"), propagate.PodSucceeded("wf.r(1)")}
			},
			refused: "wf.x",
		},
		{
			name: "steps of a loop without room", text: `dag(r: retry(3, pod), p -> x: steps(s over ["a", "b"]))`, nodes: 8,
			events: func(string, string) []propagate.Event {
				return []propagate.Event{propagate.PodFailed("wf.r(0)", ""), propagate.PodSucceeded("wf.p"), propagate.PodSucceeded("wf.r(1)")}
			},
			refused: "wf.x[0]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := "", ""
			text, refused, limits := c.text, c.refused, nodegraph.Limits{Nodes: c.nodes}
			if c.one != "" {
				a, b = colliding(c.one, c.other)
				text = fmt.Sprintf(text, a, b)
				refused = fmt.Sprintf(refused+"%.0[1]s", a)
			}
			spec, err := nodegraph.Parse(text)
			require.NoError(t, err)
			e, err := propagate.NewLimited(spec, limits)
			require.NoError(t, err)
			tell(t, e)
			for _, ev := range append([]propagate.Event{{}}, c.events(a, b)...) {
				if ev.Node != "" {
					tell(t, e, ev)
				}
				loaded, unknown, err := propagate.LoadLimited(spec, e.Save(), limits)
				require.NoError(t, err, "%s\n%v", text, whatExists(e))
				require.Empty(t, unknown)
				require.NoError(t, loaded.Check())
				require.Empty(t, cmp.Diff(e.Save(), loaded.Save(), anyOrder), "loaded")
				require.Equal(t, e.Graph().Len(), loaded.Graph().Len())
				restored, unknown, err := propagate.RestoreLimited(spec, e.Snapshot(), limits)
				require.NoError(t, err, "%s\n%v", text, whatExists(e))
				require.Empty(t, unknown)
				require.NoError(t, restored.Check())
				require.Empty(t, cmp.Diff(whatExists(e), whatExists(restored)), "restored")
			}
			expect(t, e, refused, nodegraph.Error)
			require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
			tell(t, e, propagate.ManualRetry())
		})
	}
}
