package propagatetest

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
)

// An Exploration lets everything happen to a few small workflows that may happen, in every order, up to a bound. In every state
// the invariants hold, what is said is true, and no bound is exceeded. To say something again changes nothing, and neither does
// a restart. Whatever was said in another order comes to the same. Once only good things happen all workflows complete.
//
// Without Events pods are made, run, succeed, fail and vanish. Locks are granted, time passes, and questions are answered in
// every way. The host crashes before and after each action. With Events those come to the first workflow in every order, each
// once and again. It is exhaustive: a few tasks and six moves are thousands of states. Package explore has more to choose from.
type Exploration struct {
	Specs  []*nodegraph.Spec // they share their locks
	Events []propagate.Event // events about pods that name none are about the first pod of their node
	Bound  int               // most moves on a path; 0 is 6
	Harm   int               // most moves on a path that do harm: a failure, a loss, a crash
	// End, if set, is called in each state in which nothing can happen any more, with the engines of the workflows.
	End func(t testing.TB, engines []*propagate.Engine)
}

// mostMoves is the bound where nobody gives one.
const mostMoves = 6

// Run fails the test at the first state that is not as it must be, with the shortest way to it. It logs how much it has explored.
func (x Exploration) Run(t testing.TB) {
	t.Helper()
	search := &explore.Exploration{Specs: x.Specs, Bound: x.Bound, Count: &explore.Count{}}
	if x.Bound == 0 {
		search.Bound = mostMoves
	}
	if x.Events != nil {
		search.Facts = explore.About(0, x.Events...)
	} else {
		search.Cluster = &explore.Cluster{Runs: true, Fail: true, Lose: true, Crash: true, Harm: x.Harm}
	}
	if x.End != nil {
		search.Last = func(t testing.TB, w *explore.World) { x.End(t, w.Engines) }
	}
	search.Run(t)
	t.Log(search.Count)
}
