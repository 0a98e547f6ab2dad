package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

const (
	mutexM     = "default/Mutex/m"
	mutexN     = "default/Mutex/n"
	semaphoreS = "default/ConfigMap/limits/s"
)

// holder is a workflow that holds locks as a whole.
func holder(workflow string) propagate.Holder { return propagate.Holder{Workflow: workflow} }

// holderNames shows holders by their workflows, in order.
func holderNames(holders []propagate.Holder) string {
	var list []string
	for _, h := range holders {
		list = append(list, h.Workflow)
	}
	return strings.Join(list, " ")
}

// Workflows a, b, ... ask for locks and give them back. Each step says what the table answers.
func TestLockTable(t *testing.T) {
	m, n, s2 := lock(mutexM, 1), lock(mutexN, 1), lock(semaphoreS, 2)
	type step struct {
		who  string
		asks []nodegraph.Lock // nil: gives back
		want string           // asks: "" where granted, else the key waited for; gives back: who is granted now
		said string           // asks: the message while it waits
	}
	type state struct{ Holds, Waits string }
	tests := []struct {
		name  string
		steps []step
		end   map[string]state
	}{
		{"a mutex goes from hand to hand in the order of asking", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"c", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"a", nil, "c", ""},
			{"c", nil, "b", ""},
		}, map[string]state{mutexM: {"b", ""}}},
		{"a semaphore has as many holders as places", []step{
			{"a", []nodegraph.Lock{s2}, "", ""},
			{"b", []nodegraph.Lock{s2}, "", ""},
			{"c", []nodegraph.Lock{s2}, semaphoreS, "Waiting for default/ConfigMap/limits/s lock. Lock status: 0/2"},
			{"d", []nodegraph.Lock{s2}, semaphoreS, "Waiting for default/ConfigMap/limits/s lock. Lock status: 0/2"},
			{"a", nil, "c", ""},
		}, map[string]state{semaphoreS: {"b c", "d"}}},
		{"a lock whose limit nobody named has one place", []step{
			{"a", []nodegraph.Lock{lock(semaphoreS, 0)}, "", ""},
			{"b", []nodegraph.Lock{lock(semaphoreS, 0)}, semaphoreS, "Waiting for default/ConfigMap/limits/s lock. Lock status: 0/1"},
		}, map[string]state{semaphoreS: {"a", "b"}}},
		{"a limit that was named once counts for those who do not name it", []step{
			{"a", []nodegraph.Lock{s2}, "", ""},
			{"b", []nodegraph.Lock{lock(semaphoreS, 0)}, "", ""},
		}, map[string]state{semaphoreS: {"a b", ""}}},
		{"a second place for the next one who asks, once the limit was raised", []step{
			{"a", []nodegraph.Lock{lock(semaphoreS, 1)}, "", ""},
			{"b", []nodegraph.Lock{s2}, "", ""},
		}, map[string]state{semaphoreS: {"a b", ""}}},
		{"nobody is thrown out when the limit is lowered", []step{
			{"a", []nodegraph.Lock{s2}, "", ""},
			{"b", []nodegraph.Lock{s2}, "", ""},
			{"c", []nodegraph.Lock{lock(semaphoreS, 1)}, semaphoreS, "Waiting for default/ConfigMap/limits/s lock. Lock status: -1/1"},
			{"a", nil, "", ""},
			{"b", nil, "c", ""},
		}, map[string]state{semaphoreS: {"c", ""}}},
		{"several locks are granted together or not at all", []step{
			{"a", []nodegraph.Lock{n}, "", ""},
			{"b", []nodegraph.Lock{m, n}, mutexN, "Waiting for default/Mutex/n lock. Lock status: 0/1"},
		}, map[string]state{mutexM: {"", "b"}, mutexN: {"a", "b"}}},
		{"one who waits for another lock is not overtaken", []step{
			{"a", []nodegraph.Lock{n}, "", ""},
			{"b", []nodegraph.Lock{m, n}, mutexN, "Waiting for default/Mutex/n lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 1/1"},
			{"a", nil, "b", ""},
			{"b", nil, "c", ""},
		}, map[string]state{mutexM: {"c", ""}, mutexN: {"", ""}}},
		{"opposite orders do not block each other", []step{
			{"a", []nodegraph.Lock{m, n}, "", ""},
			{"b", []nodegraph.Lock{n, m}, mutexN, "Waiting for default/Mutex/n lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m, n}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"a", nil, "b", ""},
			{"b", nil, "c", ""},
			{"c", nil, "", ""},
		}, map[string]state{mutexM: {"", ""}, mutexN: {"", ""}}},
		{"what is given back may serve several", []step{
			{"a", []nodegraph.Lock{m, n}, "", ""},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{n}, mutexN, "Waiting for default/Mutex/n lock. Lock status: 0/1"},
			{"a", nil, "b c", ""},
		}, map[string]state{mutexM: {"b", ""}, mutexN: {"c", ""}}},
		{"a mutex and a semaphore", []step{
			{"a", []nodegraph.Lock{s2, m}, "", ""},
			{"b", []nodegraph.Lock{s2, m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{s2}, semaphoreS, "Waiting for default/ConfigMap/limits/s lock. Lock status: 1/2"},
			{"a", nil, "b c", ""},
		}, map[string]state{mutexM: {"b", ""}, semaphoreS: {"b c", ""}}},
		{"asking again keeps the place", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"a", nil, "b", ""},
		}, map[string]state{mutexM: {"b", "c"}}},
		{"a holder that asks again still holds", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"a", []nodegraph.Lock{m}, "", ""},
		}, map[string]state{mutexM: {"a", "b"}}},
		{"one who waits may leave the queue", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"b", nil, "", ""},
			{"a", nil, "c", ""},
		}, map[string]state{mutexM: {"c", ""}}},
		{"one who leaves lets those behind pass", []step{
			{"a", []nodegraph.Lock{n}, "", ""},
			{"b", []nodegraph.Lock{m, n}, mutexN, "Waiting for default/Mutex/n lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 1/1"},
			{"b", nil, "c", ""},
		}, map[string]state{mutexM: {"c", ""}, mutexN: {"a", ""}}},
		{"one who left and asks again is the last", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
			{"b", nil, "", ""},
			{"b", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
		}, map[string]state{mutexM: {"a", "c b"}}},
		{"one who gave back and asks again is the last", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"a", nil, "", ""},
			{"b", []nodegraph.Lock{m}, "", ""},
			{"a", []nodegraph.Lock{m}, mutexM, "Waiting for default/Mutex/m lock. Lock status: 0/1"},
		}, map[string]state{mutexM: {"b", "a"}}},
		{"those who wait for another lock are in nobody's way", []step{
			{"a", []nodegraph.Lock{n}, "", ""},
			{"b", []nodegraph.Lock{n}, mutexN, "Waiting for default/Mutex/n lock. Lock status: 0/1"},
			{"c", []nodegraph.Lock{m}, "", ""},
		}, map[string]state{mutexM: {"c", ""}, mutexN: {"a", "b"}}},
		{"a lock that is named twice is held once", []step{
			{"a", []nodegraph.Lock{s2, s2}, "", ""},
			{"b", []nodegraph.Lock{s2}, "", ""},
		}, map[string]state{semaphoreS: {"a b", ""}}},
		{"one whom the table does not know gives back nothing", []step{
			{"a", []nodegraph.Lock{m}, "", ""},
			{"x", nil, "", ""},
			{"a", nil, "", ""},
			{"a", nil, "", ""},
		}, map[string]state{mutexM: {"", ""}}},
		{"no locks are granted at once", []step{
			{"a", []nodegraph.Lock{}, "", ""},
		}, map[string]state{mutexM: {"", ""}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var table propagate.LockTable
			for k, s := range test.steps {
				if s.asks == nil {
					require.Equal(t, s.want, holderNames(table.Release(holder(s.who))), "step %d: who is granted when %s gives back", k, s.who)
					continue
				}
				granted, key, message := table.Acquire(holder(s.who), s.asks)
				require.Equal(t, s.want == "", granted, "step %d: %s is granted %v", k, s.who, s.asks)
				require.Equal(t, s.want, key, "step %d: what %s waits for", k, s.who)
				require.Equal(t, s.said, message, "step %d: what %s is told", k, s.who)
			}
			got := make(map[string]state)
			for key := range test.end {
				got[key] = state{holderNames(table.Holders(key)), holderNames(table.Waiters(key))}
			}
			if diff := cmp.Diff(test.end, got); diff != "" {
				t.Errorf("at the end (-want +got):\n%s", diff)
			}
		})
	}
}

// The nodes of one workflow are holders of their own, as are nodes of one name in several workflows.
func TestLockTableTellsHoldersApart(t *testing.T) {
	var table propagate.LockTable
	locks := []nodegraph.Lock{lock(semaphoreS, 3)}
	all := []propagate.Holder{{Workflow: "a"}, {Workflow: "a", Node: "n"}, {Workflow: "b", Node: "n"}, {Workflow: "b", Node: "o"}}
	for k, h := range all {
		granted, _, _ := table.Acquire(h, locks)
		require.Equal(t, k < 3, granted, "%v", h)
	}
	require.Equal(t, all[:3], table.Holders(semaphoreS))
	require.Equal(t, all[3:], table.Waiters(semaphoreS))
	require.Equal(t, all[3:], table.Release(all[1]))
	require.Equal(t, []propagate.Holder{all[0], all[2], all[3]}, table.Holders(semaphoreS))
}

// What the table returns is the caller's.
func TestLockTableSharesNothing(t *testing.T) {
	var table propagate.LockTable
	table.Acquire(holder("a"), []nodegraph.Lock{lock(mutexM, 1)})
	table.Acquire(holder("b"), []nodegraph.Lock{lock(mutexM, 1)})
	table.Holders(mutexM)[0].Workflow = "x"
	table.Waiters(mutexM)[0].Workflow = "x"
	require.Equal(t, "a", holderNames(table.Holders(mutexM)))
	require.Equal(t, "b", holderNames(table.Waiters(mutexM)))
	require.Empty(t, table.Holders("default/Mutex/unknown"))
	require.Empty(t, table.Waiters("default/Mutex/unknown"))
}

// Random workflows that ask for random sets of locks: no lock has more holders than places, nobody holds some of what
// it asked for and waits for the rest, somebody always holds while others wait, and in the end everybody was served.
func TestLockTableDoesNotDeadlock(t *testing.T) {
	t.Logf("seeds %d to %d", *seed, *seed+299)
	all := []nodegraph.Lock{lock(mutexM, 1), lock(mutexN, 1), lock(semaphoreS, 2), lock("default/ConfigMap/limits/r", 3)}
	for s := *seed; s < *seed+300; s++ {
		r := rand.New(rand.NewPCG(s, 5))
		var table propagate.LockTable
		wants := make(map[propagate.Holder][]nodegraph.Lock)
		var holding, waiting []propagate.Holder
		check := func() {
			held := make(map[propagate.Holder]int)
			for _, l := range all {
				holders := table.Holders(l.Key)
				require.LessOrEqual(t, len(holders), l.Limit, "-seed %d: holders of %s: %v", s, l.Key, holders)
				for _, h := range holders {
					held[h]++
				}
				for _, h := range table.Waiters(l.Key) {
					require.Zero(t, held[h], "-seed %d: %v holds some and waits for %s", s, h, l.Key)
				}
			}
			require.Len(t, held, len(holding), "-seed %d: who holds", s)
			for _, h := range holding {
				require.Equal(t, len(wants[h]), held[h], "-seed %d: %v holds all it asked for", s, h)
			}
			require.False(t, len(holding) == 0 && len(waiting) > 0, "-seed %d: %v wait and nobody holds", s, waiting)
		}
		release := func() {
			k := r.IntN(len(holding))
			h := holding[k]
			holding = slices.Delete(holding, k, k+1)
			for _, next := range table.Release(h) {
				at := slices.Index(waiting, next)
				require.GreaterOrEqual(t, at, 0, "-seed %d: %v is granted without waiting", s, next)
				waiting = slices.Delete(waiting, at, at+1)
				holding = append(holding, next)
			}
		}
		for k := range 30 {
			h := holder(fmt.Sprint("w", k))
			for _, l := range r.Perm(len(all))[:1+r.IntN(len(all))] {
				wants[h] = append(wants[h], all[l])
			}
			if granted, _, _ := table.Acquire(h, wants[h]); granted {
				holding = append(holding, h)
			} else {
				waiting = append(waiting, h)
			}
			check()
			for len(holding) > 0 && r.IntN(2) == 0 {
				release()
				check()
			}
		}
		for len(holding) > 0 {
			release()
			check()
		}
		require.Empty(t, waiting, "-seed %d: they were never served", s)
	}
}

// A host that restarts restores its engines and adopts them: who held holds, who waited waits, in the order of before.
func TestAdopt(t *testing.T) {
	const workflow = `dag(a: mutex(m, pod), b: mutex(m, pod), c: mutex(m, pod), free)`
	e := drawn(t, workflow)
	tell(t, e, propagate.LockGranted("wf.b"))
	wait := func(at int, node string) {
		_, err := e.Apply(epoch.Add(time.Duration(at)*time.Second), propagate.LockQueued(node, mutexM, "waits"))
		require.NoError(t, err)
	}
	wait(1, "wf.c") // c came before a
	wait(2, "wf.a")
	require.Equal(t, []string{"wf.a: lock", "wf.b: start", "wf.c: lock", "wf.free: start"}, waitsFor(e))

	restarts := []struct {
		name    string
		restart func(testing.TB, *propagate.Engine) *propagate.Engine
	}{
		{"from what Save stored", reloaded},
		{"from what Snapshot stored", restored},
	}
	for _, test := range restarts {
		t.Run(test.name, func(t *testing.T) {
			var table propagate.LockTable
			again := test.restart(t, e)
			table.Adopt("first", again)
			other := holder("second") // came while the host was away, so it is the last
			granted, key, message := table.Acquire(other, []nodegraph.Lock{lock(mutexM, 1)})
			require.False(t, granted, "wf.b holds it")
			require.Equal(t, mutexM, key)
			require.Equal(t, "Waiting for default/Mutex/m lock. Lock status: 0/1", message)

			id := func(name string) propagate.Holder {
				return propagate.Holder{Workflow: "first", Node: again.Graph().Node(again.Graph().Find(name)).ID()}
			}
			require.Equal(t, []propagate.Holder{id("wf.b")}, table.Holders(mutexM))
			require.Equal(t, []propagate.Holder{id("wf.c"), id("wf.a"), other}, table.Waiters(mutexM))
			require.Empty(t, table.Grant(), "nothing is free")
			require.Equal(t, []propagate.Holder{id("wf.c")}, table.Release(id("wf.b")))
			require.Equal(t, []propagate.Holder{id("wf.a")}, table.Release(id("wf.c")))
			require.Equal(t, []propagate.Holder{other}, table.Release(id("wf.a")))
		})
	}
}

// The holder may have ended while the host was away: after adopting, Grant serves those who waited for it.
func TestGrantAfterAdopting(t *testing.T) {
	whole := func(name string) *nodegraph.Spec {
		spec, err := nodegraph.Parse(name + ": dag(a)")
		require.NoError(t, err)
		spec.Locks = []nodegraph.Lock{lock(mutexM, 1)}
		return spec
	}
	first, second, third := started(t, whole("first")), started(t, whole("second")), started(t, whole("third"))
	tell(t, first, propagate.LockGranted(""))
	tell(t, second, propagate.LockQueued("", mutexM, "waits"))
	tell(t, third, propagate.LockQueued("", mutexM, "waits"))
	tell(t, first, propagate.PodSucceeded("first.a"))
	require.True(t, first.Complete())

	var table propagate.LockTable
	for _, e := range []*propagate.Engine{first, second, third} {
		table.Adopt(e.Graph().Spec().Name, restored(t, e))
	}
	require.Empty(t, table.Holders(mutexM), "first is complete and holds nothing")
	require.Equal(t, "second third", holderNames(table.Waiters(mutexM)))
	require.Equal(t, "second", holderNames(table.Grant()))
	require.Empty(t, table.Grant(), "once is enough")
	require.Equal(t, "second", holderNames(table.Holders(mutexM)))
	require.Equal(t, "third", holderNames(table.Waiters(mutexM)))
}

// The attempts of a Retry run under its locks; the table knows the Retry alone.
func TestAdoptRetry(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, retry(2, pod)))`)
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.PodFailed("wf.a(0)", ""))
	expect(t, e, "wf.a(1)", nodegraph.PhasePending)
	var table propagate.LockTable
	table.Adopt("w", reloaded(t, e))
	require.Equal(t, []propagate.Holder{{Workflow: "w", Node: e.Graph().Node(e.Graph().Find("wf.a")).ID()}}, table.Holders(mutexM))
	require.Empty(t, table.Waiters(mutexM))
}

// A ready daemon is fulfilled, so it holds no lock, and has none after a restart.
func TestAdoptAReadyDaemon(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, daemon), b: suspend)`)
	tell(t, e, propagate.LockGranted("wf.a"))
	tell(t, e, propagate.PodRunning("wf.a"))
	require.True(t, e.Verdict(e.Graph().Find("wf.a")).Daemoned)
	for _, again := range []*propagate.Engine{reloaded(t, e), restored(t, e)} {
		var table propagate.LockTable
		table.Adopt("w", again)
		require.Empty(t, table.Holders(mutexM))
		require.Empty(t, actionsOf(tell(t, again, propagate.PodRunning("wf.a"))), "nothing is given back twice")
	}
}

// A host that restores an engine anew, because its write was refused, adopts it again: what the engine does not know of
// is given to others, what it knows is neither lost nor entered twice.
func TestAdoptAgain(t *testing.T) {
	e := drawn(t, `dag(a: mutex(m, pod), b: mutex(n, pod))`)
	tell(t, e, propagate.LockGranted("wf.a")) // recorded; that wf.b was granted its lock is not
	before := restored(t, e)

	var table propagate.LockTable
	id := func(name string) string { return e.Graph().Node(e.Graph().Find(name)).ID() }
	for node, key := range map[string]string{"wf.a": mutexM, "wf.b": mutexN} {
		granted, _, _ := table.Acquire(propagate.Holder{Workflow: "w", Node: id(node)}, []nodegraph.Lock{lock(key, 1)})
		require.True(t, granted)
	}
	for _, key := range []string{mutexM, mutexN} {
		granted, _, _ := table.Acquire(holder("other of "+key), []nodegraph.Lock{lock(key, 1)})
		require.False(t, granted)
	}
	table.Adopt("w", before)
	require.Equal(t, []propagate.Holder{{Workflow: "w", Node: id("wf.a")}}, table.Holders(mutexM))
	require.Empty(t, table.Holders(mutexN))
	require.Equal(t, "other of "+mutexN, holderNames(table.Grant()))
}

// A host that makes an engine anew for each call adopts it each time. Nobody loses the turn by that, nor what was granted
// meanwhile: two workflows of one rank would else take each other's lock, call after call.
func TestAdoptKeepsTheTurn(t *testing.T) {
	waits := func(name string) *propagate.Engine {
		spec, err := nodegraph.Parse(name + ": dag(a: mutex(m, pod))")
		require.NoError(t, err)
		e := started(t, spec)
		tell(t, e, propagate.LockQueued(name+".a", mutexM, "waits"))
		return restored(t, e)
	}
	first, second := waits("first"), waits("second")
	var table propagate.LockTable
	granted, _, _ := table.Acquire(holder("before"), []nodegraph.Lock{lock(mutexM, 1)})
	require.True(t, granted)
	table.Adopt("first", first)
	table.Adopt("second", second)
	for range 2 {
		table.Adopt("first", first)
		require.Equal(t, "first second", holderNames(table.Waiters(mutexM)))
	}
	require.Equal(t, "first", holderNames(table.Release(holder("before"))))
	for _, name := range []string{"second", "first", "second", "first"} {
		table.Adopt(name, map[string]*propagate.Engine{"first": first, "second": second}[name])
		table.Grant()
		require.Equal(t, "first", holderNames(table.Holders(mutexM)), "after %s was adopted", name)
		require.Equal(t, "second", holderNames(table.Waiters(mutexM)))
	}
}

// A workflow that was deleted holds nothing and waits for nothing.
func TestForget(t *testing.T) {
	var table propagate.LockTable
	ask := func(workflow, node string, keys ...string) bool {
		var locks []nodegraph.Lock
		for _, key := range keys {
			locks = append(locks, lock(key, 1))
		}
		granted, _, _ := table.Acquire(propagate.Holder{Workflow: workflow, Node: node}, locks)
		return granted
	}
	require.True(t, ask("gone", "a", mutexM))
	require.True(t, ask("stays", "", mutexN))
	require.False(t, ask("gone", "b", mutexN))
	require.False(t, ask("next", "", mutexM))
	require.Equal(t, "next", holderNames(table.Forget("gone")))
	require.Empty(t, table.Waiters(mutexN))
	require.Equal(t, "stays", holderNames(table.Holders(mutexN)))
	require.Empty(t, table.Forget("gone"), "once is enough")
	require.False(t, ask("gone", "a", mutexM), "it has to ask again")
	require.Equal(t, "next", holderNames(table.Holders(mutexM)))
}

// Who shares a semaphore with a workflow that was deleted keeps its place.
func TestForgetOneOfSeveralHolders(t *testing.T) {
	var table propagate.LockTable
	for _, workflow := range []string{"gone", "stays"} {
		granted, _, _ := table.Acquire(propagate.Holder{Workflow: workflow}, []nodegraph.Lock{lock(mutexM, 2)})
		require.True(t, granted)
	}
	require.Empty(t, table.Forget("gone"))
	require.Equal(t, "stays", holderNames(table.Holders(mutexM)))
}

// Two Steps have the two places of their boundary and wait in them for a mutex. The Retry that is granted it has no place, and
// gives it back, so that one of the Steps goes on; it asks again when there is a place.
func TestALockIsGivenBackByWhatHasNoPlace(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(first: mutex(m, pod), holder: mutex(m, retry(1, pod)), s1: steps(x: mutex(m, pod)), s2: steps(y: mutex(m, pod)))`)
	require.NoError(t, err)
	spec.Templates[0].Parallelism = 2
	for _, template := range spec.Templates {
		if template.Kind == nodegraph.KindDAG {
			template.Parallelism = 2
		}
	}
	e := started(t, spec)
	tell(t, e, propagate.LockGranted("wf.first"))
	tell(t, e, propagate.LockQueued("wf.holder", "default/Mutex/m", "waits"))
	// first ends; both Steps take the places before the host hands the lock over.
	tell(t, e, propagate.PodSucceeded("wf.first"))
	for _, o := range e.Obligations() {
		if o.For == propagate.WaitLock && o.Name != "wf.holder" {
			tell(t, e, propagate.LockQueued(o.Name, "default/Mutex/m", "waits"))
		}
	}
	require.Equal(t, []string{"Release wf.holder default/Mutex/m"}, actionsOf(tell(t, e, propagate.LockGranted("wf.holder"))))
	require.Contains(t, waitsFor(e), "wf.holder: parallelism")
	tell(t, e, propagate.LockGranted("wf.s1[0].x"))
	require.Contains(t, actionsOf(tell(t, e, propagate.PodSucceeded("wf.s1[0].x"))), "Acquire wf.holder default/Mutex/m")
	require.Equal(t, []string{"Start Pod wf.holder(0)"}, actionsOf(tell(t, e, propagate.LockGranted("wf.holder"))))
}

// A lock that was granted to what had ended while it waited was never given back.
func TestALockThatIsGrantedTooLateIsGivenBack(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(a: mutex(m, pod), b: suspend)`)
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if len(template.Locks) > 0 {
			template.PendingTimeout = time.Minute
		}
	}
	e := started(t, spec)
	id := e.Graph().Node(e.Graph().Find("wf.a")).ID()
	tell(t, e, propagate.LockQueued(id, "default/Mutex/m", "Waiting"))
	_, err = e.Apply(epoch.Add(time.Hour))
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseFailed)
	require.Equal(t, []string{"Release wf.a default/Mutex/m"}, actionsOf(tell(t, e, propagate.LockGranted(id))))
}

// Every look at a waiter put back the limit that it had named when it came, so a raised limit served nobody.
func TestTheLimitNamedLastCounts(t *testing.T) {
	var table propagate.LockTable
	locks := func(limit int) []nodegraph.Lock {
		return []nodegraph.Lock{{Key: "default/ConfigMap/s/k", Limit: limit}}
	}
	table.Acquire(propagate.Holder{Workflow: "a"}, locks(1))
	table.Acquire(propagate.Holder{Workflow: "b"}, locks(1))
	granted, _, message := table.Acquire(propagate.Holder{Workflow: "b"}, locks(2)) // somebody has raised it
	require.True(t, granted, "two places, one holder: %s", message)
}

// A host that learns the limit of a semaphore from elsewhere sets it. Without a limit nobody gets the lock, and who has it keeps it.
func TestSetLimit(t *testing.T) {
	var table propagate.LockTable
	semaphore := []nodegraph.Lock{lock("default/ConfigMap/c/k", 0)}
	asks := func(workflow string, want bool) {
		t.Helper()
		granted, _, _ := table.Acquire(holder(workflow), semaphore)
		require.Equal(t, want, granted, workflow)
	}
	table.SetLimit(semaphore[0].Key, 0)
	asks("a", false)
	require.Empty(t, table.Deadlocks(), "a limit may come")
	table.SetLimit(semaphore[0].Key, 1)
	require.Equal(t, "a", holderNames(table.Grant()))
	asks("b", false)
	asks("c", false)
	table.SetLimit(semaphore[0].Key, 0)
	asks("a", true)
	table.SetLimit(semaphore[0].Key, 3)
	require.Equal(t, "b c", holderNames(table.Grant()))
}

// The other way round: a lowered limit is overrun.
func TestLoweredLimitIsNotOverrun(t *testing.T) {
	var table propagate.LockTable
	locks := func(limit int) []nodegraph.Lock {
		return []nodegraph.Lock{{Key: "default/ConfigMap/s/k", Limit: limit}}
	}
	for _, w := range []string{"a", "b", "c"} {
		table.Acquire(propagate.Holder{Workflow: w}, locks(2))
	}
	table.Acquire(propagate.Holder{Workflow: "d"}, locks(1)) // somebody has lowered it
	require.Empty(t, table.Release(propagate.Holder{Workflow: "a"}), "b still has the only place")
}

// Answers about locks were taken for nodes that have none: a running pod became Pending, and was asked for once more.
func TestLockAnswerForANodeWithoutLocks(t *testing.T) {
	e := drawn(t, `dag(a, b)`)
	tell(t, e, propagate.PodRunning("wf.a"))
	_, err := e.Apply(epoch, propagate.LockQueued("wf.a", "k", "waits"))
	require.ErrorIs(t, err, propagate.ErrWrongKind)
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	_, err = e.Apply(epoch, propagate.LockGranted("wf.b"))
	require.ErrorIs(t, err, propagate.ErrWrongKind)
}

// The host was asked for a lock, the workflow was shut down, or its deadline passed, and then the host answered that the
// node has to wait: it waited for as long as others held the lock. (Argo 12196, 10733.)
func TestNothingIsQueuedForALockAfterTheEnd(t *testing.T) {
	queued := propagate.LockQueued("wf.a", mutexM, "Waiting")
	for _, strategy := range []string{"Stop", "Terminate"} {
		t.Run(strategy, func(t *testing.T) {
			e := drawn(t, "dag(a: mutex(m, pod))")
			tell(t, e, propagate.Shutdown(strategy))
			require.True(t, e.Complete(), "after %s it waits for %v", strategy, waitsFor(e))
			_, err := e.Apply(epoch, queued)
			require.ErrorIs(t, err, propagate.ErrComplete)
		})
	}
	t.Run("deadline", func(t *testing.T) {
		e := drawnWith(t, "dag(a: mutex(m, pod))", func(spec *nodegraph.Spec) { spec.ActiveDeadline = time.Minute })
		at(t, e, time.Hour)
		require.True(t, e.Complete(), "past its deadline it waits for %v", waitsFor(e))
	})
}

// The host answered about a lock that a node had given back, and which it could not want before a daemon was ready again:
// it was made to wait for the lock all the same (random test, seed 20,005,239).
func TestAnswerAboutALockThatWasGivenBack(t *testing.T) {
	for _, answer := range []propagate.Event{propagate.LockQueued("wf.x", mutexM, "waits"), propagate.LockGranted("wf.x")} {
		e := drawn(t, "dag(d: retry(1, daemon) -> x: mutex(m, pod))")
		tell(t, e, propagate.PodRunning("wf.d(0)"))
		require.Equal(t, []string{"wf.x: lock"}, waitsFor(e))
		tell(t, e, propagate.PodFailed("wf.d(0)", ""))
		require.Equal(t, []string{"wf.d(1): start"}, waitsFor(e))
		r := tell(t, e, answer)
		require.Equal(t, []propagate.ActionType{propagate.ActionRelease}, []propagate.ActionType{r.Actions[0].Type})
		expect(t, e, "wf.x", nodegraph.PhasePlanned)
		tell(t, e, propagate.PodRunning("wf.d(1)"))
		require.Equal(t, []string{"wf.x: lock"}, waitsFor(e))
	}
}
