package truth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// start is when every claim of these tests starts.
var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// at is so many seconds after the start.
func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

// parse reads a specification and lets edit change what a line of text can't say.
func parse(t *testing.T, text string, edit func(*nodegraph.Spec)) *nodegraph.Spec {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err, text)
	if edit != nil {
		edit(spec)
	}
	return spec
}

// claim makes a claim by hand: of each node what states say, as in "wf.a Failed". The workflow is called workflow.
// Facts are those of a controller's record unless facts has others, by name.
func claim(t *testing.T, spec *nodegraph.Spec, states []string, facts map[string]fact.Fact) *truth.Claim {
	t.Helper()
	s := nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: start}
	for _, state := range states {
		name, word, ok := strings.Cut(state, " ")
		require.True(t, ok, "a name and a phase: %q", state)
		phase, err := nodegraph.ParsePhase(word)
		require.NoError(t, err)
		if name == "workflow" {
			s.Phase = phase
			continue
		}
		s.Nodes = append(s.Nodes, nodegraph.NodeStatus{ID: nodegraph.NodeID(spec.Name, name), Name: name, Phase: phase, Started: start})
	}
	c, ignored, err := truth.OfRecord(spec, s)
	require.NoError(t, err)
	require.Empty(t, ignored, "nodes that the specification has no place for")
	for name, fact := range facts {
		i := c.Graph.Find(name)
		require.NotEqual(t, nodegraph.None, i, name)
		c.Nodes[i].Fact = fact
	}
	c.Now = at(3600)
	return c
}

// broken shows which lines are broken at which nodes.
func broken(all []truth.Violation) []string {
	var list []string
	for _, v := range all {
		node := v.Node
		if node == "" {
			node = "workflow"
		}
		list = append(list, v.Line+" "+node)
	}
	return list
}

// ended is the fact of a leaf that ended.
func ended(phase nodegraph.Phase) fact.Fact {
	return fact.Fact{Created: start, Stage: fact.StageEnded, Phase: phase, Ran: true}
}

// died is the fact of a daemon that was ready and died so many seconds after the start.
func died(seconds int) fact.Fact {
	f := ended(nodegraph.PhaseFailed)
	f.Ready, f.Finished = true, at(seconds)
	return f
}

// finished is the fact of a leaf that succeeded so many seconds after the start.
func finished(seconds int) fact.Fact {
	f := ended(nodegraph.PhaseSucceeded)
	f.Finished = at(seconds)
	return f
}

func continueOn(task string, on nodegraph.ContinueOn) func(*nodegraph.Spec) {
	return func(s *nodegraph.Spec) {
		for _, t := range s.Templates {
			for k := range t.Tasks {
				if t.Tasks[k].Name == task {
					t.Tasks[k].ContinueOn = on
				}
			}
		}
	}
}

func TestTruth(t *testing.T) {
	type facts = map[string]fact.Fact
	for _, test := range []struct {
		name   string
		text   string
		edit   func(*nodegraph.Spec)
		states []string
		facts  facts
		want   []string // line and node; none for a claim that is true
	}{
		// I8.1, leaves
		{name: "a pod that ended well", text: "pod", states: []string{"wf Succeeded"}},
		{name: "a pod that failed", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": ended(nodegraph.PhaseFailed)}, want: []string{"I8.1 wf"}},
		{name: "a pod that is in error", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": ended(nodegraph.PhaseError)}, want: []string{"I8.1 wf"}},
		{name: "a pod that still runs", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageRunning, Ran: true}}, want: []string{"I8.1 wf"}},
		{name: "a pod that ran and was deleted", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageGone, Ran: true}}, want: []string{"I8.1 wf"}},
		{name: "a pod that was deleted before it ran", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageGone}}, want: []string{"I8.1 wf"}},
		{name: "a pod from the cache", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, CacheHit: true}}},
		{name: "a failed claim is not judged", text: "pod", states: []string{"wf Failed"}, facts: facts{"wf": ended(nodegraph.PhaseSucceeded)}},
		{name: "containers inside a pod are not asked", text: "pod(a -> main)", states: []string{"wf Succeeded", "wf.a Failed", "wf.main Succeeded"}},
		{name: "a container without an end of its own, in a pod that ended well", text: "pod(main)", states: []string{"wf Succeeded", "wf.main Succeeded"},
			facts: facts{"wf.main": {Created: start, Stage: fact.StageRunning}}},
		{name: "a container without an end of its own, in a pod that was deleted", text: "pod(main)", states: []string{"wf Error", "wf.main Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageGone, Ran: true}, "wf.main": {Created: start, Stage: fact.StageRunning}},
			want:  []string{"I8.1 wf.main"}},
		{name: "a container that ended well before its pod was deleted", text: "pod(main)", states: []string{"wf Error", "wf.main Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageGone, Ran: true}, "wf.main": ended(nodegraph.PhaseSucceeded)}},
		{name: "a container that failed in a pod that ended well", text: "pod(main)", states: []string{"wf Succeeded", "wf.main Succeeded"},
			facts: facts{"wf.main": ended(nodegraph.PhaseFailed)}, want: []string{"I8.1 wf.main"}},
		{name: "somebody resumed it", text: "suspend", states: []string{"wf Succeeded"}},
		{name: "nobody resumed it", text: "suspend", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start}}, want: []string{"I8.1 wf"}},
		{name: "its duration passed", text: "suspend(1h)", states: []string{"wf Succeeded"}, facts: facts{"wf": {Created: start}}},
		{name: "its duration did not pass", text: "suspend(2h)", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start}}, want: []string{"I8.1 wf"}},
		{name: "a request that failed", text: "http", states: []string{"wf Succeeded"},
			facts: facts{"wf": ended(nodegraph.PhaseFailed)}, want: []string{"I8.1 wf"}},
		{name: "a plugin whose agent is gone", text: "plugin", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageGone}}, want: []string{"I8.1 wf"}},

		// I8.2, retries
		{name: "the last attempt covers the earlier ones", text: "retry(2, pod)", states: []string{"wf Succeeded", "wf(0) Failed", "wf(1) Error", "wf(2) Succeeded"}},
		{name: "a retry whose last attempt failed", text: "retry(1, pod)", states: []string{"wf Succeeded", "wf(0) Succeeded", "wf(1) Failed"},
			want: []string{"I8.2 wf"}},
		{name: "a retry whose last attempt runs", text: "retry(1, pod)", states: []string{"wf Succeeded", "wf(0) Succeeded", "wf(1) Running"},
			want: []string{"I8.2 wf"}},
		{name: "a retry without an attempt", text: "retry(1, pod)", states: []string{"wf Succeeded"}, want: []string{"I8.2 wf"}},
		{name: "a retry from the cache", text: "retry(1, pod)", states: []string{"wf Succeeded"}, facts: facts{"wf": {Created: start, CacheHit: true}}},

		// I8.3, groups
		{name: "items that ended well or were passed over", text: "dag(a over [x, y])",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Succeeded", "wf.a(1:y) Skipped"}},
		{name: "an item that failed", text: "dag(a over [x, y])",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Succeeded", "wf.a(1:y) Failed"}, want: []string{"I8.3 wf.a"}},
		{name: "continueOn of a task does not cover its items", text: "dag(a over [x] continueOnFailed)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Failed"}, want: []string{"I8.3 wf.a"}},
		{name: "a step that failed", text: "steps(a, b)",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a Succeeded", "wf[0].b Failed"}, want: []string{"I8.3 wf[0]"}},
		{name: "a step whose continueOn covers its failure", text: "steps(a, b continueOnFailed)",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a Succeeded", "wf[0].b Failed"}},
		{name: "a step whose continueOn covers another failure", text: "steps(a, b continueOnError)",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a Succeeded", "wf[0].b Failed"}, want: []string{"I8.3 wf[0]"}},
		{name: "an item of a step whose continueOn covers its failure", text: "steps(a over [x, y] continueOnFailed)",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a(0:x) Failed", "wf[0].a(1:y) Succeeded"}},
		{name: "an item of a step that failed", text: "steps(a over \"{{list}}\")",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a(0:x) Failed", "wf[0].a(1:y) Succeeded"}, want: []string{"I8.3 wf[0]"}},
		{name: "items of a step that ended well, which only the controller knew", text: "steps(a over \"{{list}}\")",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a(0:x) Succeeded", "wf[0].a(1:y) Skipped"}},
		{name: "a group that failed", text: "steps(a | b)",
			states: []string{"wf Succeeded", "wf[0] Failed", "wf[0].a Failed"}, want: []string{"I8.3 wf"}},
		{name: "a group that was never started", text: "steps(a | b)",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a Succeeded"}, want: []string{"I8.3 wf"}},

		// I8.4, targets
		{name: "targets that ended well", text: "dag(a -> b, c)", states: []string{"wf Succeeded", "wf.a Succeeded", "wf.b Succeeded", "wf.c Succeeded"}},
		{name: "a target that failed", text: "dag(a -> b)", states: []string{"wf Succeeded", "wf.a Succeeded", "wf.b Failed"}, want: []string{"I8.4 wf"}},
		{name: "a target in error", text: "dag(a, b)", states: []string{"wf Succeeded", "wf.a Succeeded", "wf.b Error"}, want: []string{"I8.4 wf"}},
		{name: "a target whose continueOn covers its failure", text: "dag(a continueOnFailed)", states: []string{"wf Succeeded", "wf.a Failed"}},
		{name: "a target whose continueOn covers another failure", text: "dag(a continueOnFailed)", states: []string{"wf Succeeded", "wf.a Error"},
			want: []string{"I8.4 wf"}},
		{name: "a failed task that is no target by name", text: "dag(a, b)",
			edit:   func(s *nodegraph.Spec) { s.Templates[0].Targets = []string{"b"} },
			states: []string{"wf Succeeded", "wf.a Failed", "wf.b Succeeded"}},
		{name: "a failed target by name that others come after", text: "dag(a -> b)",
			edit:   func(s *nodegraph.Spec) { s.Templates[0].Targets = []string{"a"} },
			states: []string{"wf Succeeded", "wf.a Failed", "wf.b Omitted"}, want: []string{"I8.4 wf"}},
		{name: "a target that was never started", text: "dag(a, b)", states: []string{"wf Succeeded", "wf.a Succeeded"}, want: []string{"I8.4 wf"}},
		{name: "an omitted target after a failure", text: "dag(a -> b)", states: []string{"wf Succeeded", "wf.a Failed", "wf.b Omitted"},
			want: []string{"I8.4 wf"}},
		{name: "a pod that was deleted, of which the containers had ended well", text: "dag(set: pod(main) -> after)",
			states: []string{"wf Succeeded", "wf.set Error", "wf.set.main Succeeded", "wf.after Omitted"}, want: []string{"I8.4 wf"}},
		{name: "a path through tasks that were passed over", text: "dag(a -> b -> c -> d)",
			states: []string{"wf Succeeded", "wf.a Error", "wf.b Omitted", "wf.c Skipped", "wf.d Omitted"}, want: []string{"I8.4 wf"}},
		{name: "a failure on one of two paths", text: "dag({a, b} -> c)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.b Failed", "wf.c Omitted"}, want: []string{"I8.4 wf"}},
		{name: "a skipped target after a success", text: "dag(a -> b)", states: []string{"wf Succeeded", "wf.a Succeeded", "wf.b Skipped"}},
		{name: "a failure inside a task that succeeded", text: "dag(a: dag(x continueOnFailed) -> b)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a.x Failed", "wf.b Skipped"}},
		{name: "continueOn of the failed task alone", text: "dag(a continueOnFailed -> c)",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.c Skipped"}, want: []string{"I8.4 wf"}},
		{name: "continueOn of the target alone", text: "dag(a -> c continueOnFailed)",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.c Omitted"}, want: []string{"I8.4 wf"}},
		{name: "continueOn of both", text: "dag(a continueOnFailed -> c continueOnFailed)",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.c Skipped"}},
		{name: "continueOn of both for different failures", text: "dag(a continueOnFailed -> c)",
			edit:   continueOn("c", nodegraph.ContinueOn{Error: true}),
			states: []string{"wf Succeeded", "wf.a Failed", "wf.c Skipped"}, want: []string{"I8.4 wf"}},

		// I8.5, a task that ran ends a path
		{name: "a task that handled the failure", text: "dag(a, b depends \"a.Failed\")",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.b Succeeded"}},
		{name: "a task that handled the failure before an omitted target", text: "dag(a, b depends \"a.Failed\", c depends \"b.Failed\")",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.b Succeeded", "wf.c Omitted"}},
		{name: "a task that ran after the failure and failed", text: "dag(a, b depends \"a.Failed\", c depends \"b.Succeeded\")",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.b Failed", "wf.c Omitted"}, want: []string{"I8.4 wf"}},

		// I8.6, daemons
		{name: "a ready daemon that is a target", text: "dag(d: daemon)", states: []string{"wf Succeeded", "wf.d Running"}},
		{name: "a daemon that ended with its boundary", text: "daemon", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageEnded, Phase: nodegraph.PhaseSucceeded, Released: true}}},
		{name: "a daemon that ended by itself without a failure", text: "daemon", states: []string{"wf Succeeded"},
			facts: facts{"wf": ended(nodegraph.PhaseSucceeded)}, want: []string{"I8.1 wf"}},
		{name: "a retried daemon that is ready", text: "dag(d: retry(daemon) -> a)", states: []string{"wf Running", "wf.d Succeeded", "wf.d(0) Running", "wf.a Running"},
			facts: facts{"wf.d(0)": {Created: start, Stage: fact.StageRunning, Ran: true, Ready: true}}},
		{name: "a daemon that died after its dependants went on", text: "dag(d: daemon -> a)", states: []string{"wf Succeeded", "wf.d Failed", "wf.a Succeeded"},
			facts: facts{"wf.d": died(30)}},
		{name: "a daemon that died and is a target", text: "dag(d: daemon)", states: []string{"wf Succeeded", "wf.d Failed"},
			facts: facts{"wf.d": died(30)}, want: []string{"I8.4 wf"}},
		{name: "a daemon that failed before it was ready", text: "dag(d: daemon -> a)", states: []string{"wf Succeeded", "wf.d Failed", "wf.a Omitted"},
			want: []string{"I8.4 wf"}},
		{name: "a task that was passed over while the daemon was ready", text: "dag(d: daemon, b, c depends \"d.Failed && b.Succeeded\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.c Omitted"},
			facts:  facts{"wf.d": died(30), "wf.b": finished(20)}},
		{name: "a task that was skipped while the daemon was ready", text: "dag(d: daemon -> c when \"false\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.c Skipped"}, facts: facts{"wf.d": died(30)}},
		{name: "a task that was omitted because the daemon had died", text: "dag({d: daemon, b: daemon} -> c)",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.c Omitted"}, facts: facts{"wf.d": died(30)}, want: []string{"I8.4 wf"}},
		{name: "a task that was omitted whatever the daemon was, while it was ready", text: "dag(d: daemon, b, c depends \"d.Succeeded && b.Failed\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.c Omitted"},
			facts:  facts{"wf.d": died(30), "wf.b": finished(20)}},
		{name: "a task that was omitted whatever the daemon was, after its death", text: "dag(d: daemon, b, c depends \"d.Succeeded && b.Failed\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.c Omitted"},
			facts:  facts{"wf.d": died(10), "wf.b": finished(20)}, want: []string{"I8.4 wf"}},
		{name: "a task that was omitted because one of two daemons had died", text: "dag(d: daemon, b: daemon, c depends \"d.Daemoned && b.Daemoned\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.c Omitted"}, facts: facts{"wf.d": died(30)}, want: []string{"I8.4 wf"}},
		{name: "a task that was omitted because the daemon had died, and not because of the items", text: "dag(d: daemon, b over [x, y], c depends \"d.Daemoned && b.AnySucceeded\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Error", "wf.b(0:x) Succeeded", "wf.b(1:y) Error", "wf.c Omitted"},
			edit: func(s *nodegraph.Spec) {
				continueOn("b", nodegraph.ContinueOn{Error: true})(s)
				continueOn("c", nodegraph.ContinueOn{Error: true})(s)
			},
			facts: facts{"wf.d": died(30)}, want: []string{"I8.4 wf"}},
		{name: "the same where all items failed", text: "dag(d: daemon, b over [x, y] continueOnFailed, c depends \"d.Daemoned && b.AllFailed\" continueOnFailed)",
			states: []string{"wf Succeeded", "wf.d Error", "wf.b Failed", "wf.b(0:x) Failed", "wf.b(1:y) Failed", "wf.c Omitted"},
			facts:  facts{"wf.d": died(30)}, want: []string{"I8.4 wf"}},
		{name: "a task that waited for a hook while the daemon died", text: "dag(d: daemon, b exit pod, c depends \"d.Succeeded && b.Failed\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.b.onExit Succeeded", "wf.c Omitted"},
			facts:  facts{"wf.d": died(10), "wf.b": finished(5), "wf.b.onExit": finished(20)}, want: []string{"I8.4 wf"}},
		{name: "a task that waited for one that was passed over while the daemon died", text: "dag(d: daemon, a, b depends \"a.Failed\", c depends \"d.Succeeded && b.Failed\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.a Succeeded", "wf.b Omitted", "wf.c Omitted"},
			facts:  facts{"wf.d": died(10), "wf.a": finished(20)}, want: []string{"I8.4 wf"}},
		{name: "a retried daemon that died after it was ready", text: "dag(d: retry(0, daemon), c depends \"d.Failed\")",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.d(0) Failed", "wf.c Omitted"}, facts: facts{"wf.d(0)": died(30)}},
		{name: "a task that was omitted after the daemon had died", text: "dag({d: daemon, b} -> c)",
			states: []string{"wf Succeeded", "wf.d Failed", "wf.b Succeeded", "wf.c Omitted"},
			facts:  facts{"wf.d": died(10), "wf.b": finished(20)}, want: []string{"I8.4 wf"}},
		{name: "a daemon among items that died after they were judged", text: "dag(a: daemon over [x, y] -> b)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Failed", "wf.a(1:y) Running", "wf.b Succeeded"},
			facts:  facts{"wf.a(0:x)": died(30), "wf.a(1:y)": {Created: start, Stage: fact.StageRunning, Ran: true, Ready: true}}},
		{name: "daemons among items that died one after the other", text: "dag(a: daemon over [x, y] -> b)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Failed", "wf.a(1:y) Failed", "wf.b Succeeded"},
			facts:  facts{"wf.a(0:x)": died(10), "wf.a(1:y)": died(30)}},
		{name: "a daemon among items that died before another item ended", text: "dag(a: daemon over [x] -> b)",
			edit: func(s *nodegraph.Spec) {
				s.Templates[0].Tasks[0].Loop.Items = []nodegraph.Item{{Text: "x"}, {Text: "y"}}
			},
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Failed", "wf.a(1:y) Failed", "wf.b Succeeded"},
			facts:  facts{"wf.a(0:x)": died(10), "wf.a(1:y)": {Created: start, Stage: fact.StageEnded, Phase: nodegraph.PhaseFailed, Finished: at(20)}},
			want:   []string{"I8.3 wf.a"}},
		{name: "a daemon among items that was never ready", text: "dag(a: daemon over [x] -> b)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a(0:x) Failed", "wf.b Succeeded"}, want: []string{"I8.3 wf.a"}},
		{name: "a daemon that died in open Steps", text: "steps(d: daemon | a)",
			states: []string{"wf Running", "wf[0] Succeeded", "wf[0].d Failed", "wf[1] Running", "wf[1].a Running"},
			facts:  facts{"wf[0].d": died(30)}, want: []string{"I8.3 wf[0]"}},

		// I8.7, hooks
		{name: "hooks that failed", text: "dag(a exit pod -> b exit pod)",
			states: []string{"wf Succeeded", "wf.a Succeeded", "wf.a.onExit Failed", "wf.b Succeeded", "wf.b.onExit Error"}},
		{name: "a hook of a step that failed", text: "steps(a exit pod)",
			states: []string{"wf Succeeded", "wf[0] Succeeded", "wf[0].a Succeeded", "wf[0].a.onExit Failed"}},
		{name: "a hook does not make good a failed target", text: "dag(a exit pod)",
			states: []string{"wf Succeeded", "wf.a Failed", "wf.a.onExit Succeeded"}, want: []string{"I8.4 wf"}},
		{name: "a hook is not the last attempt", text: "dag(a: retry(1, pod) exit retry(1, pod))",
			states: []string{"wf Failed", "wf.a Succeeded", "wf.a(0) Failed", "wf.a.onExit Succeeded", "wf.a.onExit(0) Succeeded"}, want: []string{"I8.2 wf.a"}},

		// I8.8, the workflow
		{name: "a workflow whose entry failed", text: "pod", states: []string{"workflow Succeeded", "wf Failed"}, want: []string{"I8.8 workflow"}},
		{name: "a workflow whose entry was never started", text: "pod", states: []string{"workflow Succeeded"}, want: []string{"I8.8 workflow"}},
		{name: "a workflow whose exit handler failed", text: "pod exit pod", states: []string{"workflow Succeeded", "wf Succeeded", "wf.onExit Failed"},
			want: []string{"I8.8 workflow"}},
		{name: "a workflow whose other hook failed", text: "pod exit pod",
			edit: func(s *nodegraph.Spec) {
				s.Hooks = []nodegraph.Hook{{Name: "running", Template: "pod", Expression: `workflow.status == "Running"`}}
			},
			states: []string{"workflow Succeeded", "wf Succeeded", "wf.onExit Succeeded", "wf.hooks.running Failed"}},

		// I8.9, what is a failure and what is none
		{name: "an empty loop and a false when", text: "dag(a over [] -> b when \"false\")",
			states: []string{"workflow Succeeded", "wf Succeeded", "wf.a Skipped", "wf.b Skipped"}},
		{name: "a pod that a shutdown stopped", text: "pod", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageStopped, Phase: nodegraph.PhaseFailed}}, want: []string{"I8.1 wf"}},
		{name: "a Suspend that a deadline stopped", text: "suspend(1h)", states: []string{"wf Succeeded"},
			facts: facts{"wf": {Created: start, Stage: fact.StageStopped, Phase: nodegraph.PhaseFailed}}, want: []string{"I8.1 wf"}},
		{name: "an omitted task that ran and failed", text: "dag(a)", states: []string{"wf Succeeded", "wf.a Omitted"},
			facts: facts{"wf.a": ended(nodegraph.PhaseFailed)}, want: []string{"I8.9 wf.a"}},
		{name: "a skipped task whose pod ran and was deleted", text: "dag(a)", states: []string{"wf Succeeded", "wf.a Skipped"},
			facts: facts{"wf.a": {Created: start, Stage: fact.StageGone, Ran: true}}, want: []string{"I8.9 wf.a"}},
		{name: "a skipped task whose pod was deleted before it ran", text: "dag(a)", states: []string{"wf Succeeded", "wf.a Skipped"},
			facts: facts{"wf.a": {Created: start, Stage: fact.StageGone}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := claim(t, parse(t, test.text, test.edit), test.states, test.facts)
			assert.Equal(t, test.want, broken(c.Truth()), "%s: lines that are broken by %v", test.text, test.states)
		})
	}
}

// Check returns the first violation, as a typed error.
func TestCheckReturnsTheFirst(t *testing.T) {
	c := claim(t, parse(t, "dag(a)", nil), []string{"workflow Succeeded", "wf Failed", "wf.a Failed"}, nil)
	var v *truth.Violation
	require.ErrorAs(t, c.Check(), &v)
	assert.Equal(t, &truth.Violation{Line: "I8.8", Detail: "it is Succeeded, but its entry wf is Failed"}, v)
	assert.EqualError(t, v, "truth: I8.8: the workflow: it is Succeeded, but its entry wf is Failed")
	require.NoError(t, claim(t, parse(t, "dag(a)", nil), []string{"workflow Failed", "wf Failed", "wf.a Failed"}, nil).Check())
}

// A claim of an engine says what the engine says, and is true before, while and after it runs.
func TestClaimOfAnEngine(t *testing.T) {
	e, err := propagate.New(parse(t, "dag(a -> b)", nil))
	require.NoError(t, err)
	for _, step := range []struct {
		events []propagate.Event
		want   map[string]nodegraph.Phase
	}{
		{want: map[string]nodegraph.Phase{"wf": nodegraph.PhaseRunning, "wf.a": nodegraph.PhasePending}},
		{events: []propagate.Event{propagate.PodSucceeded("wf.a")},
			want: map[string]nodegraph.Phase{"wf": nodegraph.PhaseRunning, "wf.a": nodegraph.PhaseSucceeded, "wf.b": nodegraph.PhasePending}},
		{events: []propagate.Event{propagate.Shutdown("Stop")},
			want: map[string]nodegraph.Phase{"wf": nodegraph.PhaseFailed, "wf.a": nodegraph.PhaseSucceeded, "wf.b": nodegraph.PhaseFailed}},
	} {
		_, err := e.Apply(start, step.events...)
		require.NoError(t, err)
		c := truth.Of(e)
		require.NoError(t, c.Check())
		got := make(map[string]nodegraph.Phase)
		for i := nodegraph.Entry; int(i) < c.Graph.Len(); i++ {
			if c.Nodes[i].Exists {
				got[c.Graph.Node(i).Name()] = c.Nodes[i].Phase
			}
		}
		assert.Equal(t, step.want, got, "phases after %v", step.events)
	}
	assert.Equal(t, "Stop", truth.Of(e).Shutdown, "the strategy of the shutdown")
	assert.Equal(t, start, truth.Of(e).Started, "when the workflow started")
}

// A record tells of daemons what it can: who is ready holds no lock any more, one that was rewritten when its boundary
// ended did not end well, and what ended with its boundary did.
func TestClaimOfARecord(t *testing.T) {
	spec := parse(t, "dag(a: mutex(m, daemon), b: mutex(m, pod), c: daemon, d: daemon, e: mutex(m, pod))", nil)
	node := func(name string, phase nodegraph.Phase) nodegraph.NodeStatus {
		return nodegraph.NodeStatus{ID: nodegraph.NodeID("wf", name), Name: name, Phase: phase, Started: start}
	}
	ready, waiting, gone := node("wf.a", nodegraph.PhaseRunning), node("wf.e", nodegraph.PhasePending), node("wf.c", nodegraph.PhaseSucceeded)
	ready.Daemoned, waiting.WaitsFor, gone.Message = true, "default/Mutex/m", "pod deleted"
	stranger := node("wf.x", nodegraph.PhaseFailed)
	c, ignored, err := truth.OfRecord(spec, nodegraph.Snapshot{Phase: nodegraph.PhaseRunning, Started: start, Shutdown: "Stop", Nodes: []nodegraph.NodeStatus{
		node("wf", nodegraph.PhaseRunning), ready, node("wf.b", nodegraph.PhaseRunning), gone, node("wf.d", nodegraph.PhaseSucceeded), waiting, stranger,
	}})
	require.NoError(t, err)
	assert.Equal(t, []nodegraph.NodeStatus{stranger}, ignored, "nodes that the specification has no place for")
	assert.Equal(t, "Stop", c.Shutdown, "the strategy of the shutdown")
	locks := make(map[string]fact.LockState)
	for i := range c.Nodes {
		if f := c.Nodes[i].Fact; f.Lock != fact.LockNone {
			locks[c.Graph.Node(nodegraph.Index(i)).Name()] = f.Lock
		}
	}
	assert.Equal(t, map[string]fact.LockState{"wf.b": fact.LockHeld, "wf.e": fact.LockWaits}, locks, "who holds and who waits")
	assert.Equal(t, []string{"I8.1 wf.c"}, broken(c.Violations()), "wf.c was deleted, wf.d ended with its boundary")
}
