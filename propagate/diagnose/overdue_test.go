package diagnose_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// Whatever the controller has still to begin is named once it is overdue, whichever construct it belongs to; a minute after the
// last event it is not.
func TestStartsAreOverdue(t *testing.T) {
	failed := propagate.PodFailed("wf.r(0)", "")
	cases := []struct {
		why    string
		text   string
		events []propagate.Event
		gone   []string // nodes that the controller has not recorded
		want   string
	}{
		{"a task", "wf: dag(a -> b)", aDone, []string{"wf.b"}, "wf.b"},
		{"a step", "wf: steps(a | b)", []propagate.Event{propagate.PodSucceeded("wf[0].a")}, []string{"wf[1].b", "wf[1]"}, "wf[1].b"},
		{"an attempt", "wf: dag(r: retry(1, pod))", []propagate.Event{failed}, []string{"wf.r(1)"}, "wf.r(1)"},
		{"the first attempt", "wf: dag(r: retry(1, pod))", nil, []string{"wf.r(0)"}, "wf.r(0)"},
		{"items", "wf: dag(fan: pod over [x])", nil, []string{"wf.fan(0:x)"}, "wf.fan(0:x)"},
		{"what is inside a DAG", "wf: dag(x: dag(a))", nil, []string{"wf.x.a"}, "wf.x.a"},
		{"a whole DAG", "wf: dag(x: dag(a))", nil, []string{"wf.x.a", "wf.x"}, "wf.x.a"},
		{"a gate", "wf: dag(a -> s: suspend)", aDone, []string{"wf.s"}, "wf.s"},
		{"a request", "wf: dag(a -> h: http)", aDone, []string{"wf.h"}, "wf.h"},
		{"what comes after a ready daemon", "wf: dag(d: daemon -> a)", []propagate.Event{propagate.PodRunning("wf.d")}, []string{"wf.a"}, "wf.a"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			in := played(t, c.text, c.events...)
			for _, name := range c.gone {
				without(name)(&in)
			}
			for _, n := range in.Snapshot.Nodes {
				if n.Kind == nodegraph.KindPod && !n.Phase.Settled() {
					pod(n.Name, "Running")(&in)
				}
			}
			report, err := diagnose.Diagnose(in)
			require.NoError(t, err)
			assert.Empty(t, report.Findings, "the controller has still time")
			in.Now = in.Now.Add(time.Hour)
			report, err = diagnose.Diagnose(in)
			require.NoError(t, err)
			require.Len(t, report.Findings, 1, "%v", report.Findings)
			f := report.Findings[0]
			assert.Equal(t, diagnose.StartOverdue, f.Kind, "%s", f)
			assert.Equal(t, c.want, f.Name)
			assert.False(t, f.Since.IsZero())
			assert.Equal(t, diagnose.VerdictOverdue, report.Verdict())
			in.Patience = 2 * time.Hour
			report, err = diagnose.Diagnose(in)
			require.NoError(t, err)
			assert.Empty(t, report.Findings, "whoever is patient waits")
		})
	}
}

// What something before it has still to be recorded is no finding of its own: the cause is named, not what follows from it.
func TestOnlyTheCauseIsOverdue(t *testing.T) {
	in := played(t, "wf: dag(a -> b -> c)", propagate.PodRunning("wf.a"))
	in.Pods = []propagate.PodStatus{{Node: "wf.a", Name: "pod-a", Phase: "Succeeded"}}
	in.Now = in.Now.Add(time.Hour)
	report, err := diagnose.Diagnose(in)
	require.NoError(t, err)
	require.Len(t, report.Findings, 1)
	assert.Equal(t, diagnose.PodEndUnseen, report.Findings[0].Kind)
}

// Several timers that ran out one after the other are each overdue since their own time.
func TestTimersOneAfterTheOther(t *testing.T) {
	in := played(t, "wf: dag(s: suspend(10m) -> p: suspend(20m), q: suspend(1h))")
	in.Now = start.Add(3 * time.Hour)
	report, err := diagnose.Diagnose(in)
	require.NoError(t, err)
	since := map[string]time.Duration{}
	for _, f := range report.Findings {
		assert.Equal(t, diagnose.TimerOverdue, f.Kind, "%s", f)
		since[f.Name] = f.Since.Sub(start)
	}
	assert.Equal(t, map[string]time.Duration{"wf.s": 10 * time.Minute, "wf.q": time.Hour}, since)
}
