package replay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// hostOf is the host of a workflow that is drawn in one line; its engine is checked after every call.
func hostOf(t *testing.T, text string) *replay.Host {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	return hostOfSpec(t, spec)
}

func hostOfSpec(t *testing.T, spec *nodegraph.Spec) *replay.Host {
	t.Helper()
	e, err := propagate.New(spec)
	require.NoError(t, err)
	return &replay.Host{Engine: e, Workflow: spec.Name, Locks: &propagate.LockTable{}, After: (*propagate.Engine).Check}
}

// say tells the host events and returns what it was asked, in the order in which it carried that out.
func say(t *testing.T, h *replay.Host, events ...propagate.Event) []string {
	t.Helper()
	r, err := h.Apply(noon, events...)
	require.NoError(t, err)
	var asked []string
	for _, a := range r.Actions {
		asked = append(asked, a.String())
	}
	return asked
}

// shown is how a node stands: its phase and message, or "(none)".
func shown(e *propagate.Engine, name string) string {
	i := e.Graph().Find(name)
	if i == nodegraph.None || !e.Exists(i) {
		return "(none)"
	}
	phase, message := e.Phase(i)
	return strings.TrimSpace(phase.String() + " " + message)
}

const mutexM, mutexN = "default/Mutex/m", "default/Mutex/n"

// A grant that its node or its workflow can't take any more goes back to the table, and on to whoever waits next.
func TestHostGivesBackLateGrants(t *testing.T) {
	other := propagate.Holder{Workflow: "other"}
	lock := []nodegraph.Lock{{Key: mutexM, Limit: 1}}
	tests := []struct {
		name string
		late string // the node of the grant
		end  bool   // the workflow is complete by then
	}{
		{"to a node of a complete workflow", nodegraph.NodeID("wf", "wf.a"), true},
		{"to a complete workflow", "", true},
		{"to a node that is gone", "wf-1", false},
	}
	for _, tt := range tests {
		for _, step := range []string{"Apply", "Step"} {
			t.Run(tt.name+" by "+step, func(t *testing.T) {
				h := hostOf(t, "dag(a: mutex(n, pod))")
				var granted []propagate.Holder
				h.Granted = func(g propagate.Holder) { granted = append(granted, g) }
				say(t, h)
				if tt.end {
					say(t, h, propagate.PodSucceeded("wf.a"))
				}
				ok, _, _ := h.Locks.Acquire(propagate.Holder{Workflow: "wf", Node: tt.late}, lock)
				require.True(t, ok)
				ok, _, _ = h.Locks.Acquire(other, lock)
				require.False(t, ok, "the other workflow waits behind the late grant")
				var err error
				if step == "Apply" {
					_, err = h.Apply(noon, propagate.LockGranted(tt.late))
				} else {
					_, err = h.Step(noon, nil, propagate.LockGranted(tt.late))
				}
				require.NoError(t, err, "a late grant is no error")
				assert.Equal(t, []propagate.Holder{other}, granted, "told of the lock")
				assert.Equal(t, []propagate.Holder{other}, h.Locks.Holders(mutexM), "holds the lock")
			})
		}
	}
}

// A workflow that ends while some of its nodes wait for locks leaves none of them behind in the table.
func TestHostLeavesNoWaiterBehind(t *testing.T) {
	for _, strategy := range []string{"Stop", "Terminate"} {
		h := hostOf(t, "dag(a: mutex(m, pod), b: mutex(m, pod), c: mutex(m, dag(x)))")
		h.Visits = true
		other := propagate.Holder{Workflow: "other"}
		var granted []propagate.Holder
		h.Granted = func(g propagate.Holder) { granted = append(granted, g) }
		say(t, h)
		h.Locks.Acquire(other, []nodegraph.Lock{{Key: mutexM, Limit: 1}})
		say(t, h, propagate.Shutdown(strategy))
		require.True(t, h.Engine.Complete(), "%s: waits for %v", strategy, h.Engine.Obligations())
		assert.Equal(t, []propagate.Holder{other}, granted, "%s: granted to the other workflow", strategy)
		assert.Equal(t, []propagate.Holder{other}, h.Locks.Holders(mutexM), "%s: holds the mutex", strategy)
		assert.Empty(t, h.Locks.Waiters(mutexM), "%s: waits for the mutex", strategy)
	}
}

// An event that is no answer is not swallowed when the engine refuses it.
func TestHostReportsRefusals(t *testing.T) {
	h := hostOf(t, "dag(a)")
	say(t, h)
	_, err := h.Apply(noon, propagate.PodSucceeded("wf.none"))
	require.ErrorIs(t, err, propagate.ErrUnknownNode)
	_, err = h.Apply(noon, propagate.LockGranted("wf.a"))
	require.ErrorIs(t, err, propagate.ErrWrongKind, "a lock of a node that has none")
	say(t, h, propagate.PodSucceeded("wf.a"))
	_, err = h.Apply(noon, propagate.PodRunning("wf.a"))
	require.ErrorIs(t, err, propagate.ErrComplete)
}

// A host that visits nodes as Argo does tells those that wait what they wait for now.
func TestHostAsksAgain(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: mutex(m, pod), b: mutex(n, pod), c: mutex(m, mutex(n, pod)))")
	require.NoError(t, err)
	h := hostOfSpec(t, spec)
	h.Visits = true
	say(t, h)
	waits := func(key string) string { return "Pending Waiting for " + key + " lock. Lock status: 0/1" }
	assert.Equal(t, waits(mutexM), shown(h.Engine, "wf.c"), "the first lock that is held")
	say(t, h, propagate.PodSucceeded("wf.a"))
	assert.Equal(t, waits(mutexN), shown(h.Engine, "wf.c"), "a gave m back")
	say(t, h, propagate.PodSucceeded("wf.b"))
	assert.Equal(t, "Pending", shown(h.Engine, "wf.c"), "it holds both")
}

// A node that was visited before the one that gives a lock back hears of it with the next step.
func TestHostVisitsInOrder(t *testing.T) {
	h := hostOf(t, "dag(a -> c: mutex(m, pod), z: mutex(m, pod))")
	h.Visits = true
	pods := func(phase propagate.PodPhase) []propagate.PodStatus {
		return []propagate.PodStatus{{Node: "wf.a", UID: "1", Phase: "Succeeded"}, {Node: "wf.z", UID: "2", Phase: phase}}
	}
	say(t, h)
	require.Negative(t, h.Engine.StartOrder(h.Engine.Graph().Find("wf.c"), h.Engine.Graph().Find("wf.z")), "c is visited before z")
	_, err := h.Step(noon, pods("Running"))
	require.NoError(t, err)
	require.Contains(t, shown(h.Engine, "wf.c"), "Waiting")
	_, err = h.Step(noon, pods("Succeeded"))
	require.NoError(t, err)
	assert.Contains(t, shown(h.Engine, "wf.c"), "Waiting", "c is visited before z")
	_, err = h.Step(noon, pods("Succeeded"))
	require.NoError(t, err)
	assert.Equal(t, "Pending", shown(h.Engine, "wf.c"), "c holds the mutex")
}

// So does one that goes on waiting: it hears with the next step what it waits for now.
func TestHostAsksAgainInOrder(t *testing.T) {
	h := hostOf(t, "dag(a -> c: mutex(m, mutex(n, pod)), y: mutex(n, pod), z: mutex(m, pod))")
	h.Visits = true
	say(t, h)
	say(t, h, propagate.PodSucceeded("wf.a"))
	waits := func(key string) string { return "Pending Waiting for " + key + " lock. Lock status: 0/1" }
	require.Negative(t, h.Engine.StartOrder(h.Engine.Graph().Find("wf.c"), h.Engine.Graph().Find("wf.z")), "c is visited before z")
	say(t, h, propagate.PodSucceeded("wf.z"))
	assert.Equal(t, waits(mutexM), shown(h.Engine, "wf.c"), "c was visited before z gave m back")
	_, err := h.Step(noon, []propagate.PodStatus{{Node: "wf.y", UID: "1", Phase: "Running"}})
	require.NoError(t, err)
	assert.Equal(t, waits(mutexN), shown(h.Engine, "wf.c"), "y holds n")
}

// A lock that goes back goes to the first node to which the controller comes then, also one that is new: a ends, so that the
// first attempt fails, and the second begins in the same step, before q is visited.
func TestHostHandsALockToTheNextVisited(t *testing.T) {
	h := hostOf(t, "dag(p: retry(1, steps(a: mutex(m, pod), f)), q: mutex(m, pod))")
	h.Visits = true
	const waits = "Pending Waiting for default/Mutex/m lock. Lock status: 0/1"
	step := func(pods ...propagate.PodStatus) {
		_, err := h.Step(noon, pods)
		require.NoError(t, err)
	}
	step()
	require.Equal(t, "Pending", shown(h.Engine, "wf.p(0)[0].a"))
	require.Equal(t, waits, shown(h.Engine, "wf.q"))
	evicted := propagate.PodStatus{Node: "wf.p(0)[0].f", UID: "f", Phase: "Failed", Reason: "Evicted", Message: "evicted"}
	step(propagate.PodStatus{Node: "wf.p(0)[0].a", UID: "a", Phase: "Running"}, evicted)
	step(propagate.PodStatus{Node: "wf.p(0)[0].a", UID: "a", Phase: "Succeeded"}, evicted)
	require.Equal(t, "Pending", shown(h.Engine, "wf.p(1)[0].a"), "visited right after the release")
	require.Equal(t, waits, shown(h.Engine, "wf.q"))
}

// What is free after a step goes to the first that waits in the order of visits, not to the one that came first.
func TestHostHandsAFreeLockOverInOrder(t *testing.T) {
	h := hostOf(t, "dag(a: steps(w | y: mutex(m, pod)), b: steps(x | z: mutex(m, pod)), c: mutex(m, pod))")
	h.Visits = true
	step := func(ended ...string) {
		var pods []propagate.PodStatus
		for _, node := range ended {
			pods = append(pods, propagate.PodStatus{Node: node, UID: node, Phase: "Succeeded"})
		}
		_, err := h.Step(noon, pods)
		require.NoError(t, err)
	}
	step()
	step("wf.b[0].x")
	step("wf.b[0].x", "wf.a[0].w")
	step("wf.b[0].x", "wf.a[0].w", "wf.c")
	const waits = "Pending Waiting for default/Mutex/m lock. Lock status: 0/1"
	require.Equal(t, waits, shown(h.Engine, "wf.a[1].y"), "visited before c")
	require.Equal(t, waits, shown(h.Engine, "wf.b[1].z"), "visited before c")
	step("wf.b[0].x", "wf.a[0].w", "wf.c")
	require.Equal(t, "Pending", shown(h.Engine, "wf.a[1].y"))
	require.Equal(t, waits, shown(h.Engine, "wf.b[1].z"))
}

// A node that is new and comes before the one that gives its lock back is visited first, and waits until the next step, in which
// all are asked anew.
func TestHostVisitsBeforeALockGoesBack(t *testing.T) {
	h := hostOf(t, "dag(a: steps(x | y: mutex(m, pod)), b: mutex(m, pod))")
	h.Visits = true
	step := func(pods ...propagate.PodStatus) {
		_, err := h.Step(noon, pods)
		require.NoError(t, err)
	}
	pod := func(node string, phase propagate.PodPhase) propagate.PodStatus {
		return propagate.PodStatus{Node: node, UID: node, Phase: phase}
	}
	step()
	step(pod("wf.a[0].x", "Succeeded"), pod("wf.b", "Succeeded"))
	require.Equal(t, "Pending Waiting for default/Mutex/m lock. Lock status: 0/1", shown(h.Engine, "wf.a[1].y"))
	step(pod("wf.a[0].x", "Succeeded"), pod("wf.b", "Succeeded"))
	require.Equal(t, "Pending", shown(h.Engine, "wf.a[1].y"))
}

// A node that got its lock while nobody told its host has it with the next step.
func TestHostFindsLocksThatWereGranted(t *testing.T) {
	h := hostOf(t, "dag(a: mutex(m, pod))")
	h.Visits = true
	other := propagate.Holder{Workflow: "other"}
	h.Locks.Acquire(other, []nodegraph.Lock{{Key: mutexM, Limit: 1}})
	say(t, h)
	require.Contains(t, shown(h.Engine, "wf.a"), "Waiting")
	h.Locks.Release(other)
	_, err := h.Step(noon, nil)
	require.NoError(t, err)
	assert.Equal(t, "Pending", shown(h.Engine, "wf.a"), "a holds the mutex")
}

// Conditions over what the engine knows are answered from it.
func TestHostResolvesConditions(t *testing.T) {
	exit := func(node string, code int) propagate.Event {
		ev := propagate.PodFailed(node, "")
		ev.HasExit, ev.ExitCode = true, code
		return ev
	}
	tests := []struct {
		name   string
		text   string
		events []propagate.Event
		node   string
		want   string
	}{
		{"the status of a task", `dag(a -> b when "{{tasks.a.status}} == Succeeded")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b", "Pending"},
		{"a status that it has not", `dag(a -> b when "{{tasks.a.status}} == Failed")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b", "Skipped when 'Succeeded == Failed' evaluated false"},
		{"of one that was skipped", `dag(a when false -> b when "{{ tasks.a.status }} == Skipped")`, nil, "wf.b", "Pending"},
		{"of a task before the one before", `dag(a -> b -> c when "{{tasks.a.status}} != Succeeded")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.b")}, "wf.c",
			"Skipped when 'Succeeded != Succeeded' evaluated false"},
		{"the exit code of a pod", `dag(a, b depends "a.Failed" when "{{tasks.a.exitCode}} == 3")`,
			[]propagate.Event{exit("wf.a", 3)}, "wf.b", "Pending"},
		{"the exit code of a Retry's last attempt", `dag(a: retry(1, pod), b depends "a.Failed" when "{{tasks.a.exitCode}} == 3")`,
			[]propagate.Event{exit("wf.a(0)", 3), exit("wf.a(1)", 4)}, "wf.b", "Skipped when '4 == 3' evaluated false"},
		{"no exit code of a DAG", `dag(a: dag(x) -> b when "{{tasks.a.exitCode}} == 0")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a.x")}, "wf.b", "(none)"},
		{"the status of a step", `steps(a | b | c when "{{steps.a.status}} == Succeeded")`,
			[]propagate.Event{propagate.PodSucceeded("wf[0].a"), propagate.PodSucceeded("wf[1].b")}, "wf[2].c", "Pending"},
		{"a step beside it is not before it", `steps(a, b when "{{steps.a.status}} == Running")`, nil, "wf[0].b", "(none)"},
		{"a DAG knows no steps", `dag(a -> b when "{{steps.a.status}} == Succeeded")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b", "(none)"},
		{"items of a step that ended alike", `steps(a over [x, y] | b when "{{steps.a.status}} == Failed")`,
			[]propagate.Event{propagate.PodSucceeded("wf[0].a(0:x)"), propagate.PodSucceeded("wf[0].a(1:y)")}, "wf[1].b",
			"Skipped when 'Succeeded == Failed' evaluated false"},
		{"items of a step that did not", `steps(a over [x, y] continueOnFailed | b when "{{steps.a.status}} == Failed")`,
			[]propagate.Event{propagate.PodSucceeded("wf[0].a(0:x)"), propagate.PodFailed("wf[0].a(1:y)", "")}, "wf[1].b", "(none)"},
		{"the TaskGroup of a task", `dag(a over [x, y], b depends "a.Failed" when "{{tasks.a.status}} == Failed")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a(0:x)"), propagate.PodFailed("wf.a(1:y)", "")}, "wf.b", "Pending"},
		{"an item with its own condition", `dag(a -> b over [x, y] when "'{{tasks.a.status}} {{item}}' == 'Succeeded y'")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b(0:x)", "Skipped when ''Succeeded x' == 'Succeeded y'' evaluated false"},
		{"the id of a task", `dag(a -> b when "'{{tasks.a.id}}' == none")`, []propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b",
			"Skipped when ''" + nodegraph.NodeID("wf", "wf.a") + "' == none' evaluated false"},
		{"the status of the workflow", `dag(a) exit steps(b when "{{workflow.status}} == Failed", c when "{{workflow.status}} == Succeeded")`,
			[]propagate.Event{propagate.PodFailed("wf.a", "")}, "wf.onExit[0].c", "Skipped when 'Failed == Succeeded' evaluated false"},
		{"of one that has not ended", `dag(a when "{{workflow.status}} == Running")`, nil, "wf.a", "(none)"},
		{"what is no condition", `dag(a -> b when "{{tasks.a.status}} + 1")`, []propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b",
			"Error Expected boolean evaluation for 'Succeeded + 1'. Got Succeeded1"},
		{"what only others know", `dag(a -> b when "{{tasks.a.outputs.result}} == 1")`,
			[]propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b", "(none)"},
		{"an open brace", `dag(a -> b when "{{tasks.a.status")`, []propagate.Event{propagate.PodSucceeded("wf.a")}, "wf.b", "(none)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := hostOf(t, strings.ReplaceAll(tt.text, "when false", `when "false"`))
			say(t, h)
			for _, ev := range tt.events {
				say(t, h, ev)
			}
			assert.Equal(t, tt.want, shown(h.Engine, tt.node), "%s in %s", tt.node, tt.text)
		})
	}
}

// What the host can't carry out by itself it asks of its Answer, and of nobody what it can.
func TestHostAsksForAnswers(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(l: mutex(m, pod), c when "{{inputs.parameters.go}} == yes", s when "{{tasks.l.status}} == x", i over "{{items}}", k: dag(x))`)
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Kind == nodegraph.KindDAG && len(template.Tasks) == 1 {
			template.Memoize = "key"
		}
	}
	h := hostOfSpec(t, spec)
	asked := make(map[string]int)
	h.Answer = func(a *propagate.Action) []propagate.Event {
		asked[a.Type.String()+" "+a.Name]++
		switch a.Type {
		case propagate.ActionResolve:
			return []propagate.Event{propagate.Resolved(a.ID, false, "no == yes")}
		case propagate.ActionExpand:
			return []propagate.Event{propagate.Expanded(a.ID, nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"})}
		case propagate.ActionLookup:
			return []propagate.Event{propagate.Memoized(a.ID, true)}
		}
		return nil
	}
	say(t, h)
	assert.Equal(t, "Skipped when 'no == yes' evaluated false", shown(h.Engine, "wf.c"), "the condition was answered")
	assert.Equal(t, "Pending", shown(h.Engine, "wf.i(1:y)"), "the loop was answered")
	assert.Equal(t, "Succeeded", shown(h.Engine, "wf.k"), "the cache was answered")
	assert.Equal(t, "Pending", shown(h.Engine, "wf.l"), "the lock is the host's")
	for _, once := range []string{"Resolve wf.c", "Expand wf.i", "Lookup wf.k", "Resolve wf.s", "Acquire wf.l"} {
		assert.Equal(t, 1, asked[once], "%s among %v", once, asked)
	}
}

// A lock that the surroundings don't have is not asked of the table.
func TestHostIsRefusedALock(t *testing.T) {
	h := hostOf(t, "dag(l: mutex(m, pod), k: mutex(m, pod))")
	h.Answer = func(a *propagate.Action) []propagate.Event {
		if a.Type == propagate.ActionAcquire && a.Name == "wf.l" {
			return []propagate.Event{propagate.Unanswerable(a.ID, "no limit")}
		}
		return nil
	}
	say(t, h)
	assert.Equal(t, "Error no limit", shown(h.Engine, "wf.l"))
	assert.Equal(t, "Pending", shown(h.Engine, "wf.k"), "it has the lock")
}

// Without an Answer what nobody answers stays open, and the workflow says so.
func TestHostWithoutAnswers(t *testing.T) {
	h := hostOf(t, `dag(a when "{{inputs.parameters.go}} == yes")`)
	say(t, h)
	obligations := h.Engine.Obligations()
	require.Len(t, obligations, 1)
	assert.Equal(t, "wf.a: condition", obligations[0].String())
}
