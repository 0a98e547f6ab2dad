// Package explore searches through all that can happen to small workflows, for tests: of this library, and of hosts that
// want to know that theirs do not hang.
//
//	x := &explore.Exploration{Specs: []*nodegraph.Spec{spec}, Facts: explore.About(0, events...), Bound: 5}
//	x.Run(t)
//
// With a [Cluster] the pods that the engines ask for live and end, questions are answered, time passes and hosts crash:
//
//	x := &explore.Exploration{Specs: []*nodegraph.Spec{spec}, Cluster: &explore.Cluster{Fail: true, Harm: 2}, Bound: 8}
//
// It is exhaustive, so keep workflows, facts and bound small: a few tasks, ten facts, five moves are thousands of states.
package explore

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// An Exploration is a search, breadth first, through all that can happen to a few small workflows. Facts out of a
// list come in any order, as far as the workflows admit them. In every state that is reached the invariants hold, nothing
// is said that is not true and no bound is exceeded (package truth). Facts that are known change nothing when they are
// said again. An engine that is saved and loaded looks the same and does the same with every move that may come
// next. States to which the same facts have led look the same (I3). Where there is a cluster, all workflows end once
// only good things happen.
type Exploration struct {
	Specs   []*nodegraph.Spec // the workflows, which share their locks
	Facts   []Fact            // 64 at most; events that name pods and attempts can be told apart when they come late
	Cluster *Cluster          // if set, what else happens
	Bound   int               // most moves on a path
	// Where tells which states must look the same; those for which it returns "" are not compared. A state is maximal if
	// nothing can happen in it any more. Nil is ByFacts without a cluster and locks, otherwise BySaid.
	Where func(w *World, maximal bool) string
	// Last, if set, looks at maximal states.
	Last func(t testing.TB, w *World)
	// Found, if set, is told of what is not as it must be, under a short name for all of its kind, and how that was
	// reached. Nil fails the test. A state that breaks an invariant is not explored any further.
	Found func(kind string, path fmt.Stringer, err error)
	Heard func(events []propagate.Event, result *propagate.Result) // if set, is told of each call that an engine took
	Count *Count                                                   // if set, what is done is added to it

	seen  map[uint64]bool
	looks map[string]reached // by where
}

// A Fact is what may be told of one of the workflows.
type Fact struct {
	Workflow int             // index in Specs
	Event    propagate.Event // what is told
}

// About makes facts about one workflow. Events about pods that name none are about the first pod of their node.
func About(workflow int, events ...propagate.Event) []Fact {
	var facts []Fact
	for _, ev := range events {
		if ev.Type <= propagate.EventContainerRetried && ev.Pod.UID == "" {
			ev.Pod.UID = "uid-1"
		}
		facts = append(facts, Fact{workflow, ev})
	}
	return facts
}

// Count counts what explorations did. Several may share it.
type Count struct {
	Cases       atomic.Int64 // explorations
	States      atomic.Int64 // that were reached, each once
	Maximal     atomic.Int64 // of them, those in which nothing can happen any more
	Transitions atomic.Int64 // moves from one state to another
	Repeated    atomic.Int64 // facts that were said again
	Restarts    atomic.Int64 // engines that were saved and loaded
}

// String is the numbers in one line.
func (c *Count) String() string {
	return fmt.Sprintf("%d cases, %d states, %d of them maximal, %d transitions, %d facts said again, %d restarts",
		c.Cases.Load(), c.States.Load(), c.Maximal.Load(), c.Transitions.Load(), c.Repeated.Load(), c.Restarts.Load())
}

// epoch is the time at which everything begins.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A Cluster says what may become of what the engines ask for. Whatever else is chosen, pods may succeed, daemons become
// ready, and pods that are to end may be gone. HTTP and Plugin nodes may be served, Suspend nodes be resumed, questions be
// answered in every way, locks be granted, and time may pass. While nothing of that can happen any more no workflow may
// be incomplete. All else does harm.
type Cluster struct {
	Runs  bool // pods run before they end
	Fail  bool // pods, containers and served nodes may fail
	Evict bool // pods may be evicted
	Lose  bool // pods may vanish
	Newer bool // pods may appear that nobody asked for, of nodes that have had one
	Slow  bool // pods are made some time after they were asked for
	Late  bool // results of pods may come late
	Agent bool // the agent that serves HTTP and Plugin nodes may end

	Shutdown []string           // strategies of shutdowns that may come, each alone and in one call with something else
	Suspend  bool               // workflows may be suspended, and are resumed
	Retry    bool               // workflows may be retried by hand, once each
	Items    [][]nodegraph.Item // with which the host may answer for the items of a loop, one list each

	Crash  bool // the host may crash before and after everything that it does, and go on from the saved state
	Record bool // it may go on from the record
	// Written, if set, is what becomes of a record that is written and read.
	Written func(workflow int, s nodegraph.Snapshot) (nodegraph.Snapshot, error)

	Harm int // most moves on a path that do harm
}

// reached is how the world looked, and how it came about.
type reached struct {
	look string
	by   route
}

// A deed is a move as one engine hears of it.
type deed struct {
	workflow int
	events   []propagate.Event
	silent   bool // no engine hears of it
}

// A route is a path that is written out only if somebody reads it.
type route struct {
	x    *Exploration
	path []move
}
