package propagate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// What Check is there to find can't be brought about from outside, so these tests break an engine from inside.
func TestCheckFindsWhatIsBroken(t *testing.T) {
	is := func(e *Engine, name string, p nodegraph.Phase, r rule.Rule) {
		e.rules.Record(found(e, name), rule.Ruling{Brief: rule.BriefOf(p, r)})
	}
	becomes := func(name string, p nodegraph.Phase, r rule.Rule) func(*Engine) {
		return func(e *Engine) { is(e, name, p, r) }
	}
	holds := func(name string, l fact.LockState) func(*Engine) {
		return func(e *Engine) { e.facts.SetLock(e.graph.Find(name), l) }
	}
	all := func(breaks ...func(*Engine)) func(*Engine) {
		return func(e *Engine) {
			for _, b := range breaks {
				b(e)
			}
		}
	}
	ready := func(name string) func(*Engine) {
		return func(e *Engine) { e.rules.Record(e.graph.Find(name), readyDaemon(t)) }
	}
	const drawing = "dag(a: dag(x, y: mutex(m, pod)), d: dag(p: daemon, q), r: retry(pod), s: suspend)"
	for _, c := range []struct {
		name   string
		breaks func(*Engine)
		want   *InvariantError
	}{
		{"nothing is", func(*Engine) {}, nil},
		{"a pod runs inside a DAG that has ended", becomes("wf.a", nodegraph.PhaseSucceeded, rule.RuleWhole),
			&InvariantError{"containment", "wf.a.x", "it is Pending inside something that has ended"}},
		{"a DAG is open in a complete workflow", becomes("", nodegraph.PhaseFailed, rule.RuleShutdown),
			&InvariantError{"containment", "wf", "it is Running inside something that has ended"}},
		{"a daemon is ready inside a boundary that has ended",
			all(ready("wf.d.p"), becomes("wf.d.q", nodegraph.PhaseSucceeded, rule.RulePodResult), becomes("wf.d", nodegraph.PhaseSucceeded, rule.RuleWhole)),
			&InvariantError{"containment", "wf.d.p", "it is Running inside something that has ended"}},
		{"a daemon is ready in a complete workflow", all(ready("wf.d.p"), ready("wf.d"), ready("wf.a"), ready("wf"),
			becomes("", nodegraph.PhaseSucceeded, rule.RuleShutdown)),
			&InvariantError{"containment", "wf", "it is Running inside something that has ended"}},
		{"an attempt runs inside a Retry that has ended", becomes("wf.r", nodegraph.PhaseSucceeded, rule.RuleRetry),
			&InvariantError{"containment", "wf.r(0)", "it is Pending inside something that has ended"}},
		{"a node that has ended holds a lock", all(becomes("wf.a.y", nodegraph.PhaseSucceeded, rule.RulePodResult), holds("wf.a.y", fact.LockHeld)),
			&InvariantError{"locks", "wf.a.y", "it is fulfilled and still holds or awaits a lock"}},
		{"a node that will never be created awaits a lock",
			all(becomes("wf.a.x", nodegraph.PhaseFailed, rule.RulePodResult), becomes("wf.a", nodegraph.PhaseFailed, rule.RuleFailFast), holds("wf.a.y", fact.LockAsked)),
			&InvariantError{"locks", "wf.a.y", "it is fulfilled and still holds or awaits a lock"}},
		{"a daemon that is ready holds a lock", all(ready("wf.d.p"), holds("wf.d.p", fact.LockHeld)),
			&InvariantError{"locks", "wf.d.p", "it is fulfilled and still holds or awaits a lock"}},
		{"an open workflow waits for nothing", func(e *Engine) {
			for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
				e.rules.Record(i, rule.Ruling{Brief: rule.BriefOf(nodegraph.PhaseRunning, rule.RuleMembersOpen)})
			}
		}, &InvariantError{"progress", "", "complete: false, waits for []"}},
		{"a rule that the reference does not see", becomes("wf.a.x", nodegraph.PhasePending, rule.RulePodPending),
			&InvariantError{"agreement", "wf.a.x", `the engine says Pending "" (pod-pending), the reference Pending "" (start-owed)`}},
		{"a message that the reference does not see", func(e *Engine) {
			i := e.graph.Find("wf.s")
			r := e.rules.Ruling(i)
			r.Message = e.rules.Said(e.facts.Intern("old"))
			e.rules.Record(i, r)
		},
			&InvariantError{"agreement", "wf.s", `the engine says Running "old" (suspended), the reference Running "" (suspended)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, err := nodegraph.Parse(drawing)
			require.NoError(t, err)
			e, err := New(spec)
			require.NoError(t, err)
			_, err = e.Apply(time.Unix(1, 0))
			require.NoError(t, err)
			c.breaks(e)
			err = e.Check()
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			var got *InvariantError
			require.ErrorAs(t, err, &got)
			require.Empty(t, cmp.Diff(c.want, got), "(-want +got)")
			require.EqualError(t, err, "propagate: invariant "+c.want.Invariant+` does not hold at "`+c.want.Node+`": `+c.want.Detail)
		})
	}
}

// found is the node of this name, the workflow for none.
func found(e *Engine, name string) nodegraph.Index {
	if name == "" {
		return nodegraph.Root
	}
	return e.graph.Find(name)
}

// readyDaemon is the verdict on a daemon that is ready.
func readyDaemon(t *testing.T) rule.Ruling {
	spec, err := nodegraph.Parse("dag(p: daemon, q)")
	require.NoError(t, err)
	e := begun(spec)
	_, err = e.Apply(began, PodRunning("wf.p"))
	require.NoError(t, err)
	return e.rules.Ruling(e.graph.Find("wf.p"))
}
