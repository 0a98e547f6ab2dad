package propagate_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A desk is the smallest host: it has no cluster, and answers at once.
type desk struct {
	engines map[string]*propagate.Engine
	locks   propagate.LockTable
	said    func(line string)
	fails   string // the first action that fails, as it is said
}

// newDesk makes the host of workflows that are drawn in one line each.
func newDesk(said func(line string), texts ...string) *desk {
	d := &desk{engines: make(map[string]*propagate.Engine), said: said}
	for _, text := range texts {
		spec, err := nodegraph.Parse(text)
		if err != nil {
			panic(err)
		}
		if d.engines[spec.Name], err = propagate.New(spec); err != nil {
			panic(err)
		}
	}
	return d
}

// Call tells an engine what happened. There is no clock: it is always noon.
func (d *desk) Call(workflow string, events []propagate.Event) (propagate.Result, error) {
	return d.engines[workflow].Apply(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC), events...)
}

// Do shows an action, and answers what it asks about locks and conditions.
func (d *desk) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	line := fmt.Sprintf("%s: %s", workflow, a)
	if line == d.fails {
		return nil, errors.New("it fails")
	}
	d.said(line)
	if a.Type == propagate.ActionResolve {
		return []propagate.Notice{{Workflow: workflow, Event: propagate.Resolved(a.ID, true, "")}}, nil
	}
	return d.locks.Answer(workflow, a), nil
}

// Two workflows share a mutex. The host keeps one table for all of them, which answers when an engine says Acquire, and
// says whose turn it is when an engine says Release. A Start with a message only shows the node while it waits: its pod
// is made when it holds its locks, after Recreate.
func ExampleDrive() {
	host := newDesk(func(line string) { fmt.Println(line) }, "first: dag(load: mutex(warehouse, pod))", "second: dag(load: mutex(warehouse, pod))")
	tell := func(workflow string, events ...propagate.Event) {
		if err := propagate.Drive(host, workflow, events...); err != nil {
			fmt.Println(err)
		}
	}
	tell("first")
	tell("second")
	for _, holder := range host.locks.Waiters("default/Mutex/warehouse") {
		fmt.Println("waits:", holder.Workflow)
	}
	tell("first", propagate.PodSucceeded("first.load"))
	tell("second", propagate.PodSucceeded("second.load"))
	fmt.Println(host.engines["first"].Complete(), host.engines["second"].Complete())
	// Output:
	// first: Start DAG first
	// first: Acquire first.load default/Mutex/warehouse
	// first: Start Pod first.load
	// second: Start DAG second
	// second: Acquire second.load default/Mutex/warehouse
	// second: Wait Pod second.load "Waiting for default/Mutex/warehouse lock. Lock status: 0/1"
	// waits: second
	// first: Release first.load default/Mutex/warehouse
	// second: Recreate second.load
	// first: Complete
	// second: Release second.load default/Mutex/warehouse
	// second: Complete
	// true true
}

// What was left out because an action failed is asked for again by engines that are made anew of what the host has stored, here of
// their states.
func ExampleDrive_error() {
	host := newDesk(func(line string) { fmt.Println(line) }, "build: dag(compile)")
	host.fails = "build: Start Pod build.compile"
	fmt.Println(propagate.Drive(host, "build"))

	host.fails, host.locks = "", propagate.LockTable{}
	for name, engine := range host.engines {
		again, _, err := propagate.FromState(engine.Graph().Spec(), engine.Save())
		if err != nil {
			fmt.Println(err)
			return
		}
		host.engines[name] = again
		host.locks.Adopt(name, again)
	}
	fmt.Println(propagate.Drive(host, "build"))
	// Output:
	// build: Start DAG build
	// it fails
	// build: Recreate build.compile
	// <nil>
}

// noting makes a desk that writes down what it does.
func noting(texts ...string) (*desk, *[]string) {
	lines := new([]string)
	return newDesk(func(line string) { *lines = append(*lines, line) }, texts...), lines
}

// What an answer brings about comes before the remaining requests, so that two DAGs don't take each other's lock.
func TestDriveAnswersDepthFirst(t *testing.T) {
	d, lines := noting("wf: dag(p: mutex(m, dag(x: mutex(n, pod))), q: mutex(n, dag(y: mutex(m, pod))))")
	require.NoError(t, propagate.Drive(d, "wf"))
	require.Equal(t, []string{
		"wf: Start DAG wf", "wf: Acquire wf.p " + mutexM, "wf: Start DAG wf.p", "wf: Acquire wf.p.x " + mutexN, "wf: Start Pod wf.p.x",
		"wf: Acquire wf.q " + mutexN, `wf: Wait DAG wf.q "Waiting for default/Mutex/n lock. Lock status: 0/1"`,
	}, *lines)
	require.NoError(t, propagate.Drive(d, "wf", propagate.PodSucceeded("wf.p.x")))
	require.NoError(t, propagate.Drive(d, "wf", propagate.PodSucceeded("wf.q.y")))
	require.True(t, d.engines["wf"].Complete(), "q got both when p gave them back")
}

// The time to wake that comes of an answer is later news than that of the call before it.
func TestDriveKeepsTheLastTimeToWake(t *testing.T) {
	d, lines := noting(`wf: dag(long: suspend(9s), short: suspend(5s) when "{{x}}")`)
	require.NoError(t, propagate.Drive(d, "wf"))
	require.Equal(t, []string{
		"wf: Wake", "wf: Start DAG wf", "wf: Start Suspend wf.long", `wf: Resolve wf.short "{{x}}"`, "wf: Wake", "wf: Start Suspend wf.short",
	}, *lines)
}

// An answer to somebody who has gone is left out of its call, and its locks are given to whoever waits next.
func TestDriveGivesBackLateGrants(t *testing.T) {
	for _, late := range []string{nodegraph.NodeID("wf", "wf.a"), "", "wf-1"} {
		d, lines := noting("wf: dag(a, b)", "next: dag(a: mutex(m, pod))")
		require.NoError(t, propagate.Drive(d, "wf"))
		if late != "wf-1" {
			require.NoError(t, propagate.Drive(d, "wf", propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.b")))
		}
		_, _, _ = d.locks.Acquire(propagate.Holder{Workflow: "wf", Node: late}, []nodegraph.Lock{lock(mutexM, 1)})
		require.NoError(t, propagate.Drive(d, "next"))
		*lines = nil
		events := []propagate.Event{propagate.LockGranted(late)}
		if late == "wf-1" {
			events = append(events, propagate.PodSucceeded("wf.a"))
		}
		require.NoError(t, propagate.Drive(d, "wf", events...))
		require.Equal(t, []string{"wf: Release", "next: Recreate next.a"}, *lines)
		require.True(t, d.engines["wf"].Verdict(d.engines["wf"].Graph().Find("wf.a")).Fulfilled, "the rest of the call was told")
	}
}

// A grant that is given back before it was told is not told. Here the grant of a makes the engine give back that of b.
func TestDriveForgetsAnswersThatAreVoid(t *testing.T) {
	var told []string
	h := scripted{
		call: func(events []propagate.Event) []propagate.Action {
			if len(events) == 0 {
				return []propagate.Action{{Type: propagate.ActionStart}}
			}
			told = append(told, events[0].Node)
			return []propagate.Action{{Type: propagate.ActionRelease, ID: "b"}}
		},
		do: func(a *propagate.Action) []propagate.Notice {
			if a.Type == propagate.ActionRelease {
				return nil
			}
			var all []propagate.Notice
			for _, node := range []string{"a", "b", "c"} {
				all = append(all, propagate.Holder{Workflow: "wf", Node: node}.Granted())
			}
			return all
		},
	}
	require.NoError(t, propagate.Drive(h, "wf"))
	require.Equal(t, []string{"a", "c"}, told)
}

// A scripted host has no engine.
type scripted struct {
	call func(events []propagate.Event) []propagate.Action
	do   func(a *propagate.Action) []propagate.Notice
}

func (h scripted) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	return propagate.Result{Actions: h.call(events)}, nil
}

func (h scripted) Do(_ string, a *propagate.Action) ([]propagate.Notice, error) { return h.do(a), nil }

// The first action that fails ends it, and so does an event that is wrong.
func TestDriveStops(t *testing.T) {
	d, lines := noting("wf: dag(a, b, c)")
	d.fails = "wf: Start Pod wf.b"
	require.EqualError(t, propagate.Drive(d, "wf"), "it fails")
	require.Equal(t, []string{"wf: Start DAG wf", "wf: Start Pod wf.a"}, *lines)
	require.ErrorIs(t, propagate.Drive(d, "wf", propagate.PodSucceeded("wf.nobody")), propagate.ErrUnknownNode)
}

// What becomes of a copy of a table does not become of the table.
func TestLockTablesAreCopied(t *testing.T) {
	var table propagate.LockTable
	m := []nodegraph.Lock{lock(mutexM, 1)}
	for _, workflow := range []string{"a", "b", "c"} {
		_, _, _ = table.Acquire(holder(workflow), m)
	}
	c := table.Clone()
	require.Equal(t, []propagate.Holder{holder("b")}, c.Release(holder("a")))
	require.Equal(t, "a", holderNames(table.Holders(mutexM)))
	require.Equal(t, "b c", holderNames(table.Waiters(mutexM)))
	require.Equal(t, "b", holderNames(c.Holders(mutexM)))
}
