package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A condition of a loop is filled in for each item, as the message of an item that is skipped shows. What no item stands
// for is left to the host.
func TestConditionsOfItems(t *testing.T) {
	item := nodegraph.Item{Text: "i", Fields: map[string]string{"k": "v", "empty": ""}}
	for _, c := range []struct{ when, filled string }{
		{"{{item}} == no", "i == no"},
		{"a{{item}}b == no", "aib == no"},
		{"{{ item }}{{item}} == no", "ii == no"},
		{"'{{item.k}}' == '{{item}}'", "'v' == 'i'"},
		{"'{{item.empty}}' == no", "'' == no"},
		{"no == a{{item.k}}", "no == av"},
		{"'}}{{item}}' == no", "'}}i' == no"},
		{"{{item}} == {{item.other}}", ""},
		{"{{item}} == {{items}}", ""},
		{"{{item}} == {{}}", ""},
		{"{{item}} == '{{item'", ""},
		{"no == {{item", ""},
		{"{{k}} == no", ""},
	} {
		t.Run(c.when, func(t *testing.T) {
			spec := &nodegraph.Spec{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{
				{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{
					{Name: "l", Template: "pod", When: c.when, Loop: &nodegraph.Loop{Items: []nodegraph.Item{item}}}}},
				{Name: "pod", Kind: nodegraph.KindPod},
			}}
			e, err := propagate.New(spec)
			require.NoError(t, err)
			r := tell(t, e).Actions
			if c.filled == "" {
				require.Equal(t, propagate.ActionResolve, r[len(r)-1].Type, "%v", r)
				return
			}
			require.Equal(t, "Skipped: when '"+c.filled+"' evaluated false", looks(e, "wf.l(0:i)")["wf.l(0:i)"])
		})
	}
}

// A ready daemon is fulfilled, and Daemoned is all that may be said of it.
func TestDependsOnAReadyDaemon(t *testing.T) {
	e := drawn(t, `dag(a: daemon, b depends "a.Daemoned", c depends "a.Succeeded || a.Failed")`)
	expect(t, e, "wf.b", nodegraph.PhasePlanned)
	tell(t, e, propagate.PodRunning("wf.a"))
	expect(t, e, "wf.b", nodegraph.PhasePending)
	expect(t, e, "wf.c", nodegraph.PhaseOmitted)
}

// What an omitted target counts as is told by the failures before it, also where those are items of a loop.
func TestBranchesLeadThroughItems(t *testing.T) {
	for _, c := range []struct{ text, failed, succeeded string }{
		{"dag(s: steps(x over [i, j]) -> t)", "wf.s[0].x(0:i)", "wf.s[0].x(1:j)"},
		{"dag(s over [i, j] -> t)", "wf.s(0:i)", "wf.s(1:j)"},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := drawn(t, c.text)
			tell(t, e, propagate.PodFailed(c.failed, ""), propagate.PodSucceeded(c.succeeded))
			expect(t, e, "wf.t", nodegraph.PhaseOmitted)
			expect(t, e, "wf", nodegraph.PhaseFailed)
		})
	}
}

// Nothing comes after the hook of a task, and the branches end there.
func TestBranchesEndAtHooks(t *testing.T) {
	e := drawn(t, `dag(x: dag(a exit pod), t depends "x.Failed")`)
	tell(t, e, propagate.PodSucceeded("wf.x.a"))
	tell(t, e, propagate.PodFailed("wf.x.a.onExit", ""))
	expect(t, e, "wf.t", nodegraph.PhaseOmitted)
	expect(t, e, "wf", nodegraph.PhaseSucceeded)
}

// A step that failed decides, whatever daemon is inside of it.
func TestADAGWithADaemonIsNone(t *testing.T) {
	e := drawn(t, "steps(x: dag(a, d: daemon))")
	tell(t, e, propagate.PodRunning("wf[0].x.d"), propagate.PodFailed("wf[0].x.a", ""))
	expect(t, e, "wf[0].x", nodegraph.PhaseFailed)
	expect(t, e, "wf", nodegraph.PhaseFailed)
}

// A Retry that never came to an attempt was no daemon that was ready.
func TestARetryWithoutAnAttempt(t *testing.T) {
	e := drawn(t, `steps(d: daemon, r: retry(1, pod) when "a (")`)
	tell(t, e, propagate.PodRunning("wf[0].d"))
	expect(t, e, "wf[0].r", nodegraph.PhaseError)
	expect(t, e, "wf", nodegraph.PhaseFailed)
}

// A step whose condition the host has answered still runs if there was no place for it then.
func TestAnAnsweredStepRunsLater(t *testing.T) {
	e := drawnWith(t, `steps(a, b when "{{x}} == 1")`, func(spec *nodegraph.Spec) { spec.Parallelism = 1 })
	tell(t, e, propagate.Resolved("wf[0].b", true, ""))
	require.Equal(t, []string{"wf[0].a: start", "wf[0].b: parallelism"}, waitsFor(e))
	tell(t, e, propagate.PodSucceeded("wf[0].a"))
	expect(t, e, "wf[0].b", nodegraph.PhasePending)
}

// A branch may begin with a Retry that made no attempt: it was found in the cache.
func TestABranchFromACachedRetry(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(a: retry(1, pod), b: pod depends "a.Failed")`)
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Retry != nil {
			template.Memoize = "key"
		}
	}
	e := started(t, spec)
	tell(t, e, propagate.Memoized("wf.a", true))
	expect(t, e, "wf.b", nodegraph.PhaseOmitted)
	expect(t, e, "wf", nodegraph.PhaseSucceeded)
	require.NoError(t, e.Check())
}
