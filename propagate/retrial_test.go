package propagate_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What a manual retry resets: see the lines of retrial. The rest is in testdata/scripts/manual-retry.txt.

// What a host names is reset: a container stands for its pod, and an attempt that is a pod, or is not the last, for its Retry. What comes
// after it is reset too.
func TestManualRetryOfWhatIsNamed(t *testing.T) {
	for _, c := range []struct {
		text, named string
		want        []string
	}{
		{"dag(a -> b, c)", "wf.a", []string{"wf.a: start"}},
		{"dag(a -> b, c)", "wf.c", []string{"wf.c: start"}},
		{"dag(a -> b, c)", "wf", []string{"wf.a: start", "wf.c: start"}},
		{"dag(a: pod(x -> y) -> b)", "wf.a.y", []string{"wf.a: start"}},
		{"dag(r: retry(1, pod) -> b)", "wf.r(0)", []string{"wf.r(0): start"}},
		{"dag(d: dag(x -> y) -> b, c)", "wf.d.y", []string{"wf.d.y: start"}},
		{"steps(a, b | c | d)", "wf[1]", []string{"wf[1].c: start"}},
		{"steps(l over [i, j] | d)", "wf[0].l(1:j)", []string{"wf[0].l(1:j): start"}},
	} {
		t.Run(c.named+" of "+c.text, func(t *testing.T) {
			e := drawn(t, c.text)
			for !e.Complete() {
				for _, o := range e.Obligations() {
					tell(t, e, propagate.PodSucceeded(o.Name))
				}
			}
			expectWorkflow(t, e, nodegraph.PhaseSucceeded)
			tell(t, e, propagate.ManualRetry(c.named))
			require.Equal(t, c.want, sortedWaits(e))
			for !e.Complete() {
				for _, o := range e.Obligations() {
					tell(t, e, propagate.PodSucceeded(o.Name))
				}
			}
			expectWorkflow(t, e, nodegraph.PhaseSucceeded)
		})
	}
}

// With other parameters loops and step groups around what is reset expand anew; everything else stays.
func TestManualRetryWithOtherParameters(t *testing.T) {
	for _, c := range []struct {
		old, new string
		failed   string
		others   bool
		want     []string
	}{
		{"dag(l over [i, j], a -> b)", "dag(l over [k], a -> b)", "wf.l(1:j)", true, []string{"wf.l(0:k): start"}},
		{"dag(l over [i, j], a)", "dag(l over [i, j], a)", "wf.l(1:j)", false, []string{"wf.l(1:j): start"}},
		{"dag(l over [i, j], a -> b)", "dag(l over [k], a -> b)", "wf.b", true, []string{"wf.b: start"}},
		{"steps(l over [i, j], a)", "steps(l over [k], a)", "wf[0].l(0:i)", true, []string{"wf[0].a: start", "wf[0].l(0:k): start"}},
	} {
		t.Run(c.failed+" of "+c.old, func(t *testing.T) {
			e := drawn(t, c.old)
			for !e.Complete() {
				for _, o := range e.Obligations() {
					if o.Name == c.failed {
						tell(t, e, propagate.PodFailed(o.Name, "boom"))
					} else {
						tell(t, e, propagate.PodSucceeded(o.Name))
					}
				}
			}
			spec, err := nodegraph.Parse(c.new)
			require.NoError(t, err)
			retried := propagate.ManualRetry()
			if c.others {
				retried.Spec = spec
			}
			tell(t, e, retried)
			require.Equal(t, c.want, sortedWaits(e))
		})
	}
}

// A manual retry names what there is, and the specification of the same workflow.
func TestRefusedManualRetries(t *testing.T) {
	spec := func(text string, change func(*nodegraph.Spec)) *nodegraph.Spec {
		spec, err := nodegraph.Parse(text)
		require.NoError(t, err)
		change(spec)
		return spec
	}
	for _, c := range []struct {
		name, field string
		event       propagate.Event
		err         error
	}{
		{"no such node", "restart", propagate.ManualRetry("wf.nowhere"), propagate.ErrUnknownNode},
		{"a task that never began", "restart", propagate.ManualRetry("wf.in.x"), propagate.ErrUnknownNode},
		{"the workflow of another name", "spec", propagate.Event{
			Type: propagate.EventManualRetry, Spec: spec("dag(a)", func(s *nodegraph.Spec) { s.Name = "other" }),
		}, propagate.ErrInvalid},
		{"no entry", "spec", propagate.Event{
			Type: propagate.EventManualRetry, Spec: spec("dag(a)", func(s *nodegraph.Spec) { s.Entrypoint = "none" }),
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawn(t, "dag(a, in: dag(x) when \"1 == 2\")")
			tell(t, e, propagate.PodFailed("wf.a", "boom"))
			before := e.Save()
			refusal := refused(t, e, c.event)
			require.Equal(t, c.field, refusal.Field)
			if c.err != nil {
				require.ErrorIs(t, refusal, c.err)
			}
			require.Equal(t, before, e.Save())
		})
	}
}

// What failed is reset unless something inside it, after it, or a hook of it has succeeded; a Suspend is not.
func TestWhatAManualRetryResets(t *testing.T) {
	failed := func(name string) propagate.Event { return propagate.PodFailed(name, "boom") }
	refused := func(name string) propagate.Event {
		ev := propagate.Resumed(name)
		ev.Phase = nodegraph.PhaseFailed
		return ev
	}
	for _, c := range []struct {
		text   string
		events [][]propagate.Event
		want   []string // nil: the workflow fails again at once
	}{
		{"dag(a: pod(x -> y) -> b)", [][]propagate.Event{
			{propagate.ContainerEnded("wf.a", "x", 0, ""), propagate.ContainerEnded("wf.a", "y", 1, ""), failed("wf.a")},
		}, []string{"wf.a: start"}},
		{"dag(a: pod(x -> y) -> b)", [][]propagate.Event{
			{propagate.ContainerEnded("wf.a", "x", 0, ""), propagate.ContainerEnded("wf.a", "y", 0, ""), failed("wf.a")},
		}, nil},
		{"dag(a, b depends \"a.Failed\", c)", [][]propagate.Event{{failed("wf.a"), failed("wf.c")}, {propagate.PodSucceeded("wf.b")}}, []string{"wf.c: start"}},
		{"dag(a, b depends \"a.Failed\", c)", [][]propagate.Event{{failed("wf.a"), failed("wf.c")}, {failed("wf.b")}}, []string{"wf.a: start", "wf.c: start"}},
		{"dag(s: suspend, c)", [][]propagate.Event{{refused("wf.s"), failed("wf.c")}}, []string{"wf.c: start"}},
		{"dag(s: suspend -> c)", [][]propagate.Event{{refused("wf.s")}}, nil},
		{"dag(in: dag(a, b) continueOnFailed -> c -> d)", [][]propagate.Event{
			{failed("wf.in.a"), propagate.PodSucceeded("wf.in.b")}, {propagate.PodSucceeded("wf.c")}, {failed("wf.d")},
		}, []string{"wf.d: start"}},
		{"dag(in: dag(a, b) continueOnFailed -> c)", [][]propagate.Event{
			{failed("wf.in.a"), propagate.PodSucceeded("wf.in.b")}, {failed("wf.c")},
		}, []string{"wf.in.a: start"}},
		{"steps(a continueOnFailed, b | c)", [][]propagate.Event{
			{failed("wf[0].a"), propagate.PodSucceeded("wf[0].b")}, {failed("wf[1].c")},
		}, []string{"wf[0].a: start"}},
		{"dag(a) exit pod", [][]propagate.Event{{failed("wf.a")}, {propagate.PodSucceeded("wf.onExit")}}, []string{"wf.a: start"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := drawn(t, c.text)
			for _, events := range c.events {
				tell(t, e, events...)
			}
			expectWorkflow(t, e, nodegraph.PhaseFailed)
			r := tell(t, e, propagate.ManualRetry())
			require.Equal(t, c.want, sortedWaits(e))
			require.Equal(t, c.want == nil, slices.Contains(actionsOf(r), "Complete"))
		})
	}
}

// A manual retry opens a Retry with locks again in a boundary that fails fast, where an earlier attempt stays Failed: the Retry asks for
// its locks anew.
func TestManualRetryOfALockedRetryThatFailsFast(t *testing.T) {
	e := drawnWith(t, "dag(a: retry(1, mutex(m, dag(x))), b)", func(spec *nodegraph.Spec) { spec.Templates[0].FailFast = true })
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.PodFailed("wf.a(0).x", ""))
	tell(t, e, propagate.PodFailed("wf.a(1).x", ""))
	tell(t, e, propagate.PodSucceeded("wf.b"))
	require.True(t, e.Complete())
	tell(t, e, propagate.ManualRetry())
	require.Equal(t, []string{"wf.a: lock"}, waitsFor(e))
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.PodSucceeded("wf.a(1).x"))
	require.True(t, e.Complete(), "it waits for %v", waitsFor(e))
}
