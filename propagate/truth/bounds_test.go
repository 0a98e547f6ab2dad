package truth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

var (
	waits = fact.Fact{Created: start, Lock: fact.LockWaits}
	holds = fact.Fact{Created: start, Lock: fact.LockHeld}
)

func parallelism(template string, most int) func(*nodegraph.Spec) {
	return func(s *nodegraph.Spec) {
		if template == "" {
			s.Parallelism = most
		}
		for _, t := range s.Templates {
			if t.Name == template {
				t.Parallelism = most
			}
		}
	}
}

func TestBounds(t *testing.T) {
	type facts = map[string]fact.Fact
	for _, test := range []struct {
		name   string
		text   string
		edit   func(*nodegraph.Spec)
		states []string
		facts  facts
		want   []string
	}{
		// I9.1
		{name: "no limit", text: "dag(a, b)", states: []string{"wf Running", "wf.a Pending", "wf.b Running"}},
		{name: "as many pods as may", text: "dag(a, b, c)", edit: parallelism("", 2),
			states: []string{"wf Running", "wf.a Pending", "wf.b Running", "wf.c Succeeded"}},
		{name: "one pod too many", text: "dag(a, b, c)", edit: parallelism("", 2),
			states: []string{"wf Running", "wf.a Pending", "wf.b Running", "wf.c Pending"}, want: []string{"I9.1 workflow"}},
		{name: "a pod that waits for a lock is not active", text: "dag(a: mutex(m, pod), b: pod)", edit: parallelism("", 1),
			states: []string{"wf Running", "wf.a Pending", "wf.b Running"}, facts: facts{"wf.a": waits}},
		{name: "a pod that was granted its lock is active", text: "dag(a: mutex(m, pod), b: pod)", edit: parallelism("", 1),
			states: []string{"wf Running", "wf.a Pending", "wf.b Running"}, facts: facts{"wf.a": holds}, want: []string{"I9.1 workflow"}},
		{name: "a ready daemon is active", text: "dag(d: daemon -> b)", edit: parallelism("", 1),
			states: []string{"wf Running", "wf.d Running", "wf.b Pending"}, want: []string{"I9.1 workflow"}},
		{name: "a later attempt is active", text: "dag(a: retry(pod), b)", edit: parallelism("", 1),
			states: []string{"wf Running", "wf.a Running", "wf.a(0) Failed", "wf.a(1) Pending", "wf.b Running"}, want: []string{"I9.1 workflow"}},
		{name: "only pods count for the workflow", text: "dag(a: dag(x), b: suspend, c: http)", edit: parallelism("", 1),
			states: []string{"wf Running", "wf.a Running", "wf.a.x Running", "wf.b Running", "wf.c Running"}},

		// I9.2
		{name: "as many members as may", text: "dag(a: dag(x, y), b)", edit: parallelism("main", 2),
			states: []string{"wf Running", "wf.a Running", "wf.a.x Running", "wf.a.y Running", "wf.b Running"}},
		{name: "one member too many", text: "dag(a: dag(x), b, c)", edit: parallelism("main", 2),
			states: []string{"wf Running", "wf.a Running", "wf.b Pending", "wf.c Running"}, want: []string{"I9.2 wf"}},
		{name: "Steps are a member", text: "dag(a: steps(x), b)", edit: parallelism("main", 1),
			states: []string{"wf Running", "wf.a Running", "wf.a[0] Running", "wf.a[0].x Running", "wf.b Running"}, want: []string{"I9.2 wf"}},
		{name: "items and attempts are members", text: "dag(a over [x, y], b: retry(pod))", edit: parallelism("main", 2),
			states: []string{"wf Running", "wf.a Running", "wf.a(0:x) Running", "wf.a(1:y) Pending", "wf.b Running", "wf.b(0) Failed", "wf.b(1) Running"},
			want:   []string{"I9.2 wf"}},
		{name: "the steps of a group are members of the Steps", text: "steps(a, b)", edit: parallelism("main", 1),
			states: []string{"wf Running", "wf[0] Running", "wf[0].a Running", "wf[0].b Pending"}, want: []string{"I9.2 wf"}},
		{name: "a member that waits for a lock is not active", text: "dag(a: mutex(m, dag(x)), b)", edit: parallelism("main", 1),
			states: []string{"wf Running", "wf.a Pending", "wf.b Pending"}, facts: facts{"wf.a": waits}},
		{name: "a Suspend is no member that counts", text: "dag(a: suspend, b)", edit: parallelism("main", 1),
			states: []string{"wf Running", "wf.a Running", "wf.b Running"}},

		// I9.3
		{name: "a mutex that is held twice", text: "dag(a: mutex(m, pod), b: mutex(m, pod))",
			states: []string{"wf Running", "wf.a Running", "wf.b Pending"}, facts: facts{"wf.a": holds, "wf.b": holds}, want: []string{"I9.3 workflow"}},
		{name: "a mutex that one holds and one waits for", text: "dag(a: mutex(m, pod), b: mutex(m, pod))",
			states: []string{"wf Running", "wf.a Running", "wf.b Pending"}, facts: facts{"wf.a": holds, "wf.b": waits}},
		{name: "a semaphore with two places", text: "dag(a: mutex(m, pod), b: mutex(m, pod))",
			edit: func(s *nodegraph.Spec) {
				for _, t := range s.Templates {
					for k := range t.Locks {
						t.Locks[k].Limit = 2
					}
				}
			},
			states: []string{"wf Running", "wf.a Running", "wf.b Pending"}, facts: facts{"wf.a": holds, "wf.b": holds}},
		{name: "a semaphore whose limit only the host knows", text: "dag(a: mutex(m, pod), b: mutex(m, pod))",
			edit: func(s *nodegraph.Spec) {
				for _, t := range s.Templates {
					for k := range t.Locks {
						t.Locks[k].Limit = 0
					}
				}
			},
			states: []string{"wf Running", "wf.a Running", "wf.b Pending"}, facts: facts{"wf.a": holds, "wf.b": holds}},
		{name: "an attempt holds no lock beside its retry", text: "mutex(m, retry(pod))",
			states: []string{"wf Running", "wf(0) Running"}, facts: facts{"wf": holds, "wf(0)": holds}},
		{name: "a mutex of the workflow that a node holds too", text: "dag(a: mutex(m, pod))",
			edit:   func(s *nodegraph.Spec) { s.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}} },
			states: []string{"wf Running", "wf.a Pending"},
			facts:  facts{"wf.a": holds}}, // the workflow itself holds nothing yet
	} {
		t.Run(test.name, func(t *testing.T) {
			c := claim(t, parse(t, test.text, test.edit), test.states, test.facts)
			assert.Equal(t, test.want, broken(c.Bounds()), "%s: lines that are broken by %v", test.text, test.states)
		})
	}
}

// A lock that two workflows hold is given twice, although each claim alone keeps its bounds.
func TestHoldersOfSeveralWorkflows(t *testing.T) {
	of := func(name string, f fact.Fact) *truth.Claim {
		return claim(t, parse(t, name+": mutex(m, pod)", nil), []string{name + " Pending"}, map[string]fact.Fact{name: f})
	}
	first, second, third := of("one", holds), of("two", holds), of("three", waits)
	require.NoError(t, first.Check())
	require.NoError(t, second.Check())
	require.NoError(t, truth.Holders(first, third))
	err := truth.Holders(first, third, second)
	require.EqualError(t, err, `truth: I9.3: the workflow: ["one/one" "two/two"] hold lock default/Mutex/m, whose limit is 1`)

	workflow := claim(t, parse(t, "four: pod", func(s *nodegraph.Spec) {
		s.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}}
	}), nil, nil)
	require.NoError(t, truth.Holders(first, workflow))
	workflow.Nodes[nodegraph.Root].Fact.Lock = fact.LockHeld
	require.Error(t, truth.Holders(first, workflow), "the workflow holds what a node of another holds")
}

// asksFor is the result of a call that asks for the pod of a node.
func asksFor(g *nodegraph.Graph, action propagate.ActionType, name string) propagate.Result {
	i := g.Find(name)
	n := g.Node(i)
	return propagate.Result{Actions: []propagate.Action{{Type: action, Kind: n.Kind, Node: i, ID: n.ID(), Name: name}}}
}

// A Watch accepts what an engine asks for, and names the line that a pod breaks which should not have been asked for.
func TestWatch(t *testing.T) {
	deadline := func(s *nodegraph.Spec) { s.ActiveDeadline = time.Minute }
	type events = []propagate.Event
	for _, test := range []struct {
		name   string
		text   string
		edit   func(*nodegraph.Spec)
		calls  []events
		begin  time.Duration // after the whole second
		later  int           // seconds until one more call
		action propagate.ActionType
		pod    string
		want   []string // none for a pod that may be asked for
	}{
		{name: "a pod that may start", text: "dag(a)", pod: "wf.a"},
		{name: "a pod whose node waits for its lock is not asked for", text: "mutex(m, pod)", calls: []events{{propagate.LockQueued("wf", "m", "waits")}},
			action: propagate.ActionWait, pod: "wf"},
		{name: "a pod whose node waits for its lock", text: "mutex(m, pod)", calls: []events{{propagate.LockQueued("wf", "m", "waits")}},
			pod: "wf", want: []string{"I9.4 wf"}},
		{name: "a pod whose node has its lock", text: "mutex(m, pod)", calls: []events{{propagate.LockQueued("wf", "m", "waits")}, {propagate.LockGranted("wf")}},
			action: propagate.ActionRecreate, pod: "wf"},
		{name: "a pod inside what has its lock", text: "mutex(m, dag(a: retry(pod)))", calls: []events{{propagate.LockGranted("wf")}}, pod: "wf.a(0)"},
		{name: "an item that has its lock, in a group that needs none", text: "dag(a: mutex(m, pod) over [x])",
			calls: []events{{propagate.LockGranted("wf.a(0:x)")}}, pod: "wf.a(0:x)"},
		{name: "a pod of a workflow that has its lock", text: "dag(a)",
			edit:  func(s *nodegraph.Spec) { s.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}} },
			calls: []events{{propagate.LockGranted("")}}, pod: "wf.a"},
		{name: "a pod inside what has ended", text: "dag(a: dag(x), b)", calls: []events{{propagate.PodSucceeded("wf.a.x")}},
			pod: "wf.a.x", want: []string{"I9.5 wf.a.x", "I9.5 wf.a.x"}}, // it has ended, and so has wf.a
		{name: "a pod whose group has ended", text: "steps(a | b)", calls: []events{{propagate.PodSucceeded("wf[0].a")}},
			pod: "wf[0].a", want: []string{"I9.5 wf[0].a", "I9.5 wf[0].a"}}, // it has ended, and so has its group
		{name: "a pod after Stop", text: "dag(a, b)", calls: []events{{propagate.Shutdown("Stop"), propagate.PodSucceeded("wf.a")}},
			pod: "wf.b", want: []string{"I9.5 wf.b", "I9.5 wf.b", "I9.5 wf.b", "I9.6 wf.b"}}, // so have wf and the workflow
		{name: "a pod inside a Retry after Terminate", text: "dag(a: retry(pod), b: suspend)",
			calls:  []events{{propagate.PodPending("wf.a(0)", "")}, {propagate.Shutdown("Terminate")}},
			action: propagate.ActionRecreate, pod: "wf.a(0)",
			want: []string{"I9.5 wf.a(0)", "I9.5 wf.a(0)", "I9.5 wf.a(0)", "I9.5 wf.a(0)", "I9.6 wf.a(0)"}},
		{name: "an exit handler after Stop", text: "dag(a) exit pod", calls: []events{{propagate.Shutdown("Stop")}}, pod: "wf.onExit"},
		{name: "a pod before the deadline", text: "dag(a)", edit: deadline, later: 59, pod: "wf.a"},
		{name: "a pod after the deadline", text: "dag(a)", edit: deadline, later: 60, pod: "wf.a",
			want: []string{"I9.5 wf.a", "I9.5 wf.a", "I9.5 wf.a", "I9.7 wf.a"}},
		{name: "a pod after the deadline, which is on the whole second", text: "dag(a)", edit: deadline, begin: 900 * time.Millisecond, later: 60, pod: "wf.a",
			want: []string{"I9.5 wf.a", "I9.5 wf.a", "I9.5 wf.a", "I9.7 wf.a"}},
		{name: "an exit handler after the deadline", text: "dag(a) exit pod", edit: deadline, later: 61, pod: "wf.onExit"},
		{name: "a pod that ran", text: "dag(a)", calls: []events{{propagate.PodRunning("wf.a")}}, action: propagate.ActionRecreate, pod: "wf.a",
			want: []string{"I9.8 wf.a"}},
		{name: "a pod that was lost before it ran", text: "dag(a)", calls: []events{{propagate.PodPending("wf.a", "")}, {propagate.PodDeleted("wf.a")}},
			action: propagate.ActionRecreate, pod: "wf.a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := propagate.New(parse(t, test.text, test.edit))
			require.NoError(t, err)
			var w truth.Watch
			call := func(now time.Time, events ...propagate.Event) {
				r, err := e.Apply(now, events...)
				require.NoError(t, err)
				require.NoError(t, w.After(e, r), "what the engine itself asks for: %v", r.Actions)
			}
			call(start.Add(test.begin))
			for _, events := range test.calls {
				call(start, events...)
			}
			if test.later > 0 {
				call(at(test.later))
			}
			all := w.Violations(truth.Of(e), asksFor(e.Graph(), test.action, test.pod))
			assert.Equal(t, test.want, broken(all), "%s: lines that are broken by asking for the pod of %s after %v: %v", test.text, test.pod, test.calls, all)
		})
	}
}

// A group that counted a ready daemon stays as it is while the daemon is retried, and so do the pods of others inside it.
func TestWatchOfADaemonThatIsRetried(t *testing.T) {
	states := []string{"wf Running", "wf[0] Succeeded", "wf[0].d Running", "wf[0].d(0) Failed", "wf[0].d(1) Pending", "wf[1] Running", "wf[1].a Running"}
	for _, test := range []struct {
		text string
		want []string
	}{
		{text: "steps(d: retry(daemon) | a)"},
		{text: "steps(d: retry(pod) | a)", want: []string{"I9.5 wf[0].d(1)"}},
	} {
		c := claim(t, parse(t, test.text, nil), states, nil)
		var w truth.Watch
		all := w.Violations(c, asksFor(c.Graph, propagate.ActionStart, "wf[0].d(1)"))
		assert.Equal(t, test.want, broken(all), "%s: lines that are broken by asking for the pod of wf[0].d(1): %v", test.text, all)
	}
}

// Terminate stops exit handlers too, which Stop lets run.
func TestWatchOfAnExitHandler(t *testing.T) {
	e, err := propagate.New(parse(t, "dag(a) exit dag(b: pod)", nil))
	require.NoError(t, err)
	var w truth.Watch
	for _, events := range [][]propagate.Event{nil, {propagate.PodSucceeded("wf.a")}} {
		r, err := e.Apply(start, events...)
		require.NoError(t, err)
		require.NoError(t, w.After(e, r))
	}
	_, err = e.Apply(start, propagate.Shutdown("Terminate"))
	require.NoError(t, err)
	assert.Contains(t, broken(w.Violations(truth.Of(e), asksFor(e.Graph(), propagate.ActionStart, "wf.onExit.b"))), "I9.6 wf.onExit.b",
		"nothing starts after Terminate, exit handlers included")
}

// A pod that ran is not asked for again, unless a newer pod took its place or somebody retried the workflow by hand. What
// the watch knows outlives the engine.
func TestWatchRemembersWhatRan(t *testing.T) {
	spec := parse(t, "dag(a, b)", nil)
	pod := func(ev propagate.Event, uid string) propagate.Event {
		ev.Pod.UID = uid
		return ev
	}
	created := func(ev propagate.Event, seconds int) propagate.Event {
		ev.Pod.Created = at(seconds)
		return ev
	}
	restore := func(t *testing.T, e *propagate.Engine) *propagate.Engine {
		e, unknown, err := propagate.FromSnapshot(spec, e.Snapshot())
		require.NoError(t, err)
		require.Empty(t, unknown)
		return e
	}
	load := func(t *testing.T, e *propagate.Engine) *propagate.Engine {
		e, unknown, err := propagate.FromState(spec, e.Save())
		require.NoError(t, err)
		require.Empty(t, unknown)
		return e
	}
	for _, test := range []struct {
		name    string
		restart func(*testing.T, *propagate.Engine) *propagate.Engine
		first   []propagate.Event // before the restart
		then    []propagate.Event
		manual  bool
		want    []string
	}{
		{name: "it runs", first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1")}, want: []string{"I9.8 wf.a"}},
		{name: "it ran and is gone", first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1")},
			then: []propagate.Event{pod(propagate.PodDeleted("wf.a"), "1")}, want: []string{"I9.5 wf.a", "I9.8 wf.a"}},
		{name: "a newer pod is gone before it ran", first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1")},
			then: []propagate.Event{pod(propagate.PodPending("wf.a", ""), "2"), pod(propagate.PodDeleted("wf.a"), "2")}},
		{name: "it ran before a manual retry", first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1"), propagate.PodSucceeded("wf.b")},
			then: []propagate.Event{propagate.ManualRetry()}, manual: true},
		{name: "pods without names ran before a manual retry", first: []propagate.Event{propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.b")},
			then: []propagate.Event{propagate.ManualRetry()}, manual: true},
		{name: "a newer pod by its time is gone before it ran", first: []propagate.Event{created(propagate.PodRunning("wf.a"), 1)},
			then: []propagate.Event{created(propagate.PodPending("wf.a", ""), 2), created(propagate.PodDeleted("wf.a"), 2)}},
		{name: "it ran before the engine was loaded", restart: load, first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1")},
			want: []string{"I9.8 wf.a"}},
		{name: "it ran before the engine was restored", restart: restore, first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1")},
			want: []string{"I9.8 wf.a"}},
		{name: "a newer pod is gone after the engine was loaded", restart: load, first: []propagate.Event{pod(propagate.PodRunning("wf.a"), "1")},
			then: []propagate.Event{pod(propagate.PodPending("wf.a", ""), "2"), pod(propagate.PodDeleted("wf.a"), "2")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := propagate.New(spec)
			require.NoError(t, err)
			var w truth.Watch
			apply := func(events ...propagate.Event) {
				r, err := e.Apply(start, events...)
				require.NoError(t, err)
				require.NoError(t, w.After(e, r), "what the engine itself asks for: %v", r.Actions)
			}
			apply()
			apply(test.first...)
			if test.manual {
				failed := propagate.PodFailed("wf.a", "")
				failed.Pod = test.first[0].Pod
				apply(failed)
				w.ManualRetry()
			}
			if test.restart != nil {
				e = test.restart(t, e)
			}
			apply(test.then...)
			all := w.Violations(truth.Of(e), asksFor(e.Graph(), propagate.ActionRecreate, "wf.a"))
			assert.Equal(t, test.want, broken(all), "lines that are broken by asking for the pod of wf.a again: %v", all)
		})
	}
}
