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

// held asks for mutexes, which must be granted, and queued for such that must not be.
func held(t *testing.T, table *propagate.LockTable, h propagate.Holder, keys ...string) {
	t.Helper()
	granted, key, _ := table.Acquire(h, mutexes(keys))
	require.True(t, granted, "%v waits for %s", h, key)
}

func queued(t *testing.T, table *propagate.LockTable, h propagate.Holder, keys ...string) {
	t.Helper()
	granted, _, _ := table.Acquire(h, mutexes(keys))
	require.False(t, granted, "%v has %v", h, keys)
}

func mutexes(keys []string) []nodegraph.Lock {
	var locks []nodegraph.Lock
	for _, key := range keys {
		locks = append(locks, lock(key, 1))
	}
	return locks
}

func nodeOf(workflow, node string) propagate.Holder {
	return propagate.Holder{Workflow: workflow, Node: node}
}

// Workflows that wait are served by priority, then by when they were created, then as they came (Argo: prepAcquire,
// priorityQueue). What a host said of none counts as priority 0.
func TestLockTableServesByRank(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var table propagate.LockTable
	rank := func(workflow string, priority int32, created time.Time) {
		table.Rank(workflow, &nodegraph.Spec{Priority: priority, Created: created})
	}
	rank("low", -1, day)
	rank("young", 0, day.Add(2*time.Hour))
	rank("old", 0, day)
	rank("as old", 0, day)
	rank("high", 5, day.Add(3*time.Hour))
	rank("raised", 0, day)
	held(t, &table, holder("holder"), mutexM)
	for _, w := range []string{"low", "young", "old", "as old", "high", "raised", "unknown"} {
		queued(t, &table, holder(w), mutexM)
	}
	rank("raised", 6, day)
	require.Equal(t, "raised high unknown old as old young low", holdersText(table.Waiters(mutexM)))
	for _, next := range []string{"raised", "high", "unknown", "old", "as old", "young", "low"} {
		require.Equal(t, next, holdersText(table.Release(table.Holders(mutexM)[0])))
	}
}

// Any node of the workflow in front may have the lock, whichever of them came first (Argo: isSameWorkflowNodeKeys): a host that
// asks anew in an order of its own frees first what is given back.
func TestLockTableServesAnyNodeOfTheFirstWorkflow(t *testing.T) {
	var table propagate.LockTable
	held(t, &table, nodeOf("w", "a"), mutexM)
	queued(t, &table, nodeOf("w", "b"), mutexM)
	queued(t, &table, nodeOf("other", "x"), mutexM)
	table.Free(nodeOf("w", "a"))
	queued(t, &table, nodeOf("other", "x"), mutexM)
	held(t, &table, nodeOf("w", "c"), mutexM)
	require.Equal(t, "w/b other/x", holdersText(table.Waiters(mutexM)))
}

// w2 waits for m, which w1 has, and stands before w1/a in the queue of j, which is free. It needs w1/a to end, so it is passed.
// Others are not let pass: as in Argo, they would keep it waiting.
func TestLockTableLetsPassWhomThoseInFrontNeed(t *testing.T) {
	const j = mutexN
	var table propagate.LockTable
	held(t, &table, holder("w1"), mutexM)
	queued(t, &table, holder("w2"), mutexM, j)
	queued(t, &table, holder("w3"), j)
	held(t, &table, nodeOf("w1", "a"), j)
	require.Empty(t, table.Deadlocks())
	require.Empty(t, table.Release(nodeOf("w1", "a")))
	require.Equal(t, "w2", holdersText(table.Release(holder("w1"))))
	require.Equal(t, "w3", holdersText(table.Release(holder("w2"))))
}

// It is the same where the one in front needs another to pass who needs the first: both get the lock one after the other.
func TestLockTableLetsPassAlongAChain(t *testing.T) {
	var table propagate.LockTable
	held(t, &table, holder("w1"), "a")
	held(t, &table, holder("w2"), "b")
	queued(t, &table, holder("front"), "a", "x")
	ask := func(h propagate.Holder, keys ...string) []propagate.Notice {
		return table.Answer(h.Workflow, &propagate.Action{Type: propagate.ActionAcquire, ID: h.Node, Locks: mutexes(keys)})
	}
	queued(t, &table, nodeOf("w1", "n"), "b", "y") // waits for w2
	queued(t, &table, holder("last"), "x", "y")
	require.Equal(t, []propagate.Notice{nodeOf("w2", "n").Granted()}, ask(nodeOf("w2", "n"), "x"))
	require.Empty(t, table.Release(nodeOf("w2", "n")))
	require.Equal(t, "w1/n", holdersText(table.Release(holder("w2"))))
}

// Nothing is kept for one who can never go on: node b waits inside a for what a has, and others want what else b waits for.
func TestLockTableKeepsNothingForOneWhoNeverGoesOn(t *testing.T) {
	e := drawnWith(t, `dag(a: mutex(n, dag(b: mutex(m, pod))))`, func(spec *nodegraph.Spec) {
		for _, template := range spec.Templates {
			if len(template.Locks) > 0 && template.Locks[0].Key == mutexM {
				template.Locks = append(template.Locks, lock(mutexN, 1))
			}
		}
	})
	var table propagate.LockTable
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.LockQueued("wf.a.b", mutexN, "waits"))
	table.Adopt("wf", e)
	held(t, &table, holder("other"), mutexM)
	id := func(name string) string { return e.Graph().Node(e.Graph().Find(name)).ID() }
	require.Equal(t, [][]propagate.LockWait{{{Waiter: nodeOf("wf", id("wf.a.b")), Key: mutexN, Holder: nodeOf("wf", id("wf.a"))}}}, table.Deadlocks())
}

// Two workflows each have the lock that a node of the other waits for. The table names them, from the waiter on that is served
// first. Who waits behind them is in no cycle.
func TestDeadlocks(t *testing.T) {
	var table propagate.LockTable
	held(t, &table, holder("w1"), mutexM)
	held(t, &table, holder("w2"), mutexN)
	queued(t, &table, holder("behind"), mutexM)
	queued(t, &table, nodeOf("w1", "a"), mutexN)
	require.Empty(t, table.Deadlocks(), "w2 may end")
	queued(t, &table, nodeOf("w2", "b"), mutexM)
	require.Equal(t, [][]propagate.LockWait{{
		{Waiter: nodeOf("w1", "a"), Key: mutexN, Holder: holder("w2")},
		{Waiter: nodeOf("w2", "b"), Key: mutexM, Holder: holder("w1")},
	}}, table.Deadlocks())
	require.Equal(t, "behind w2/b", holdersText(append(table.Release(holder("w1")), table.Release(holder("behind"))...)))
	require.Empty(t, table.Deadlocks())
}

// A pod that has a lock ends by itself, and keeps nobody waiting for ever, whatever else its workflow waits for. A DAG does not
// end before what waits inside it; the table knows that from the engine.
func TestDeadlocksAreOfWhatIsInsideAHolder(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       int
	}{
		{"beside each other", `dag(x: mutex(m, pod), y: mutex(n, pod))`, 0},
		{"one inside the other", `dag(x: mutex(m, dag(y: mutex(n, pod))))`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var table propagate.LockTable
			for _, w := range []string{"w1", "w2"} {
				text := test.text
				if w == "w2" { // the other way round
					text = swapped(text)
				}
				e := drawn(t, text)
				tell(t, e, propagate.LockGranted("wf.x"))
				y := "wf.y"
				if test.want > 0 {
					y = "wf.x.y"
				}
				tell(t, e, propagate.LockQueued(y, "k", "waits"))
				table.Adopt(w, e)
			}
			require.Empty(t, table.Grant())
			require.Len(t, table.Deadlocks(), test.want)
		})
	}
}

// swapped is a workflow with its two mutexes the other way round.
func swapped(text string) string {
	return strings.NewReplacer("mutex(m,", "mutex(n,", "mutex(n,", "mutex(m,").Replace(text)
}

// Whoever waits for locks asks again as it asked, once for each that waits, the workflow first.
func TestQueuedLocks(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: mutex(a, pod), b: mutex(b, pod))")
	require.NoError(t, err)
	spec.Locks = mutexes([]string{"ns/Mutex/w"})
	e, err := propagate.New(spec)
	require.NoError(t, err)
	asked := func(actions []propagate.Action) (list []propagate.Action) {
		for _, a := range actions {
			if a.Type == propagate.ActionAcquire {
				list = append(list, a)
			}
		}
		return list
	}
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	first, err := e.Apply(now)
	require.NoError(t, err)
	require.Empty(t, e.QueuedLocks(), "nobody waits who was not told to")
	_, err = e.Apply(now, propagate.LockQueued("", "ns/Mutex/w", "waits"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(asked(first.Actions), e.QueuedLocks()), "the workflow waits")
	then, err := e.Apply(now, propagate.LockGranted(""))
	require.NoError(t, err)
	nodes := asked(then.Actions)
	require.Len(t, nodes, 2)
	_, err = e.Apply(now, propagate.LockGranted(nodes[0].ID), propagate.LockQueued(nodes[1].ID, "default/Mutex/b", "waits"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(nodes[1:], e.QueuedLocks()), "one node waits, and the other holds its lock")
}
