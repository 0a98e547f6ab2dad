package explore_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
)

func exploration(t *testing.T, text string, events ...propagate.Event) *explore.Exploration {
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	return &explore.Exploration{Specs: []*nodegraph.Spec{spec}, Facts: explore.About(0, events...), Bound: 10, Count: &explore.Count{}}
}

// Two pods that end, in either order: nothing, the one, the other, both.
func TestRunVisitsEveryState(t *testing.T) {
	x := exploration(t, "dag(a, b)", propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.b", ""))
	x.Run(t)
	require.EqualValues(t, 1, x.Count.Cases.Load())
	require.EqualValues(t, 4, x.Count.States.Load(), "both orders end in one state")
	require.EqualValues(t, 4, x.Count.Transitions.Load())
	require.EqualValues(t, 1, x.Count.Maximal.Load())
	require.EqualValues(t, 4, x.Count.Restarts.Load(), "in every state")
	require.EqualValues(t, 2, x.Count.Repeated.Load(), "what was said, until the workflow is complete")
}

func TestRunStopsAtTheBound(t *testing.T) {
	x := exploration(t, "dag(a, b)", propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.b"))
	x.Bound = 1
	x.Run(t)
	require.EqualValues(t, 3, x.Count.States.Load())
	require.EqualValues(t, 0, x.Count.Maximal.Load())
}

func TestLastSeesWhatBecomesOfIt(t *testing.T) {
	x := exploration(t, "dag(a: mutex(m, pod), b: mutex(m, pod))", propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.b"))
	ends := make(map[string]bool)
	x.Last = func(t testing.TB, w *explore.World) {
		require.Empty(t, w.Locks.Holders("default/Mutex/m"), "after %v", x.Path(w))
		ends[explore.Look(w.Engines[0])] = true
	}
	x.Run(t)
	require.Equal(t, map[string]bool{"the workflow Succeeded\nwf Succeeded\nwf.a Succeeded\nwf.b Succeeded": true}, ends)
}

// A failing is a test that an exploration may fail.
type failing struct {
	testing.TB
	failed   bool
	messages []string
}

func (f *failing) Helper() {}
func (f *failing) FailNow() {
	f.failed = true
	runtime.Goexit()
}
func (f *failing) Errorf(format string, args ...any) {
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

// States that are said to look the same and do not: the exploration fails, and says how each came about.
func TestRunFailsWhereStatesDiffer(t *testing.T) {
	x := exploration(t, "dag(a)", propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.a"))
	x.Where = func(*explore.World, bool) string { return "all are one" }
	f := &failing{TB: t}
	done := make(chan bool)
	go func() {
		defer close(done)
		x.Run(f)
	}()
	<-done
	require.True(t, f.failed)
	require.Contains(t, strings.Join(f.messages, "\n"), `PodRunning wf.a@uid-1`)
}
