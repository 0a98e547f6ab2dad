package propagate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// adopted is an engine made from the record of another, which a user may have changed.
func adopted(t testing.TB, e *propagate.Engine, change func(*nodegraph.Snapshot)) *propagate.Engine {
	t.Helper()
	s := e.Snapshot()
	if change != nil {
		change(&s)
	}
	a, unknown, err := propagate.FromSnapshot(e.Graph().Spec(), s)
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.NoError(t, a.Check(), "before its first call")
	return a
}

// podsRunning is a list of pods that run.
func podsRunning(nodes ...string) (pods []propagate.PodStatus) {
	for _, n := range nodes {
		pods = append(pods, propagate.PodStatus{Node: n, UID: "u-" + n, Name: n, Phase: "Running"})
	}
	return pods
}

// made is a list of what is waited for, where it is not known whether a pod was made.
func made(waits []string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(waits, "\n"), ": start", ": pod"), "\n")
}

// A user stops a workflow by its object: the first call of an engine that reads it ends the pods, and so does each later one
// that begins with the object, until they are gone.
func TestShutdownInTheRecord(t *testing.T) {
	for strategy, want := range map[string][]string{"Stop": {"Terminate wf.a"}, "Terminate": {"Terminate wf.a"}} {
		e := drawn(t, "dag(a -> b, c: suspend)")
		_, err := e.SyncPods(epoch, podsRunning("wf.a"))
		require.NoError(t, err)
		a := adopted(t, e, func(s *nodegraph.Snapshot) { s.Shutdown = strategy })
		for range 2 {
			r, err := a.SyncPods(epoch.Add(time.Second), podsRunning("wf.a"))
			require.NoError(t, err)
			var ended []string
			for _, act := range r.Actions {
				if act.Type == propagate.ActionTerminate {
					ended = append(ended, "Terminate "+act.Name)
				}
			}
			require.Equal(t, want, ended, strategy)
			require.True(t, a.Complete(), "it waits for %v", waitsFor(a))
			expectWorkflow(t, a, nodegraph.PhaseFailed)
			expect(t, a, "wf.b", nodegraph.PhaseOmitted)
			a = adopted(t, a, nil)
		}
	}
}

// A deadline that passed while nobody looked ends the workflow with the first call.
func TestDeadlinePassedBeforeTheRecordWasRead(t *testing.T) {
	e := drawnWith(t, "dag(a)", func(s *nodegraph.Spec) { s.ActiveDeadline = time.Hour })
	a := adopted(t, e, nil)
	r, err := a.SyncPods(epoch.Add(2*time.Hour), podsRunning("wf.a"))
	require.NoError(t, err)
	require.Contains(t, actionsOf(r), `Terminate wf.a "Step exceeded its deadline"`)
	require.True(t, a.Complete())
}

// The clock of a machine may be an hour ahead: what its pods say of their ends moves no deadline, no Suspend and no backoff, not
// after a restart either.
func TestClockOfAPodIsAhead(t *testing.T) {
	set := func(s *nodegraph.Spec) { s.ActiveDeadline = 30 * time.Minute }
	e := drawnWith(t, "dag(a -> b: suspend(10m), c)", set)
	ahead := propagate.PodSucceeded("wf.a")
	ahead.Finished = epoch.Add(time.Hour)
	tell(t, e, ahead)
	want := []string{"wf.c: start", "wf.b: timer"}
	require.ElementsMatch(t, want, waitsFor(e))
	for how, again := range map[string]*propagate.Engine{"from the record": adopted(t, e, nil), "from its state": reloaded(t, e)} {
		require.Equal(t, epoch, again.Now(), how)
		_, err := again.Apply(epoch.Add(2 * time.Second))
		require.NoError(t, err)
		require.Equal(t, epoch.Add(2*time.Second), again.Now(), how)
		require.ElementsMatch(t, made(want), made(waitsFor(again)), how)
		phase, _ := again.Workflow()
		require.Equal(t, nodegraph.PhaseRunning, phase, how)
	}
}

// What the engine of a record waits for is right before its first call. A record does not tell whether a pod that is Pending was made.
func TestObligationsOfARecord(t *testing.T) {
	for _, text := range []string{
		"dag(a -> b, c: suspend, d: suspend(10m))",
		`dag(a when "{{p}} == 1", b over "{{list}}", c: mutex(m, pod))`,
		"steps(a, b | c)", "dag(a: retry(2, pod))", "dag(a: http)",
	} {
		e := drawn(t, text)
		require.ElementsMatch(t, made(waitsFor(e)), made(waitsFor(adopted(t, e, nil))), text)
		require.ElementsMatch(t, waitsFor(e), waitsFor(reloaded(t, e)), text)
	}
}

// An engine that nobody has called is sound.
func TestFreshEngineIsSound(t *testing.T) {
	for _, text := range fuzzedSpecs {
		spec, err := nodegraph.Parse(text)
		require.NoError(t, err)
		e, err := propagate.New(spec)
		require.NoError(t, err)
		require.NoError(t, e.Check(), text)
		require.NoError(t, adopted(t, e, nil).Check(), text)
	}
}

// A controller may mark a workflow as ended over what runs in it. That is closed as it is read, and its pods are ended.
func TestErrorOverWhatRuns(t *testing.T) {
	e := drawn(t, "dag(a: dag(x), b)")
	a := adopted(t, e, func(s *nodegraph.Snapshot) { s.Phase, s.Message, s.Finished = nodegraph.PhaseError, "panic", epoch })
	require.True(t, a.Complete())
	for _, name := range []string{"wf", "wf.a", "wf.a.x", "wf.b"} {
		i := a.Graph().Find(name)
		phase, message := a.Phase(i)
		require.True(t, phase.Completed(), "%s is %s %q", name, phase, message)
	}
	r, err := a.SyncPods(epoch, podsRunning("wf.a.x", "wf.b"))
	require.NoError(t, err)
	require.Len(t, r.Actions, 2)
	require.Empty(t, cmp.Diff("Terminate", r.Actions[0].Type.String()))
}

// A pod that a call lists is not asked for by that call, whatever an engine that was made anew had asked for before. One that is not
// listed is.
func TestListedPodIsNotAskedFor(t *testing.T) {
	e := drawn(t, "dag(a)")
	for how, again := range map[string]func() *propagate.Engine{
		"from its state":  func() *propagate.Engine { return reloaded(t, e) },
		"from the record": func() *propagate.Engine { return adopted(t, e, nil) },
	} {
		for _, phase := range []propagate.PodPhase{propagate.PodPhasePending, propagate.PodPhaseRunning, propagate.PodPhaseSucceeded, propagate.PodPhaseFailed, ""} {
			var pods []propagate.PodStatus
			if phase != "" {
				pods = []propagate.PodStatus{{Node: "wf.a", UID: "u", Phase: phase}}
			}
			r, err := again().SyncPods(epoch, pods)
			require.NoError(t, err)
			asked := strings.Contains(strings.Join(actionsOf(r), "\n"), "wf.a")
			require.Equal(t, phase == "", asked, "%s, listed as %q: %v", how, phase, r.Actions)
		}
	}
}

// A record may leave an attempt, or a pod inside one, open although another attempt was made after it. Nobody waits for that: the pod
// is ended.
func TestEarlierAttemptLeftOpen(t *testing.T) {
	for text, name := range map[string]string{"dag(a: retry(2, pod), g: suspend)": "", "dag(a: retry(2, dag(x)), g: suspend)": ".x"} {
		first, second := "wf.a(0)"+name, "wf.a(1)"+name
		e := drawn(t, text)
		tell(t, e, propagate.PodFailed(first, ""))
		a := adopted(t, e, func(s *nodegraph.Snapshot) {
			for k := range s.Nodes {
				if s.Nodes[k].Name == first {
					s.Nodes[k].Phase, s.Nodes[k].Finished = nodegraph.PhaseRunning, time.Time{}
				}
			}
		})
		r, err := a.SyncPods(epoch, podsRunning(first, second))
		require.NoError(t, err)
		require.Contains(t, actionsOf(r), "Terminate "+first+` "closed: what it is inside of has ended"`)
		tell(t, a, propagate.PodSucceeded(second))
		expect(t, a, "wf.a", nodegraph.PhaseSucceeded)
	}
}
