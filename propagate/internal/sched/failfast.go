package sched

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// A fastCount counts the pods, DAGs and Steps of a boundary that fails fast, as far as that needs to know whether the boundary
// may fail now. It counts no fewer failures than [rule.Census], and no more that are busy where nothing waits for locks.
type fastCount struct {
	failed int32 // those that are Failed or in Error
	busy   int32 // those that are Pending or Running and no ready daemons
}

// countFailFast counts node n once as what it is now.
func (s *Schedule) countFailFast(c *fastCount, i nodegraph.Index, n *store.Node, is rule.Brief) {
	switch n.Kind {
	case nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps:
		was := &s.nodes[i]
		phase := is.Phase()
		recount(&c.failed, &was.failed, phase.Unsuccessful())
		recount(&c.busy, &was.busy, (phase == nodegraph.PhasePending || phase == nodegraph.PhaseRunning) && !is.Daemoned())
	}
}

// recount counts one thing that was counted, or not, and is to be counted now, or not.
func recount(count *int32, was *bool, is bool) {
	switch {
	case is && !*was:
		*count++
	case *was && !is:
		*count--
	}
	*was = is
}

// mayFailFast reports whether the rule of boundary i, which fails fast, may come to another verdict by that. While the boundary
// runs it can't if nothing in it has failed or something is busy. What waits for a lock is not busy, nor is what a manual retry
// holds back.
func (s *Schedule) mayFailFast(i nodegraph.Index) bool {
	if s.rules.Brief(i).Rule() != rule.RuleMembersOpen || s.facts.HasReopened {
		return true
	}
	c := &s.fast[i]
	return c.failed > 0 && (c.busy == 0 || s.uses.locks)
}

// MayHaveFailed reports whether something in boundary i, which fails fast, may have failed: what is not even counted has not.
func (s *Schedule) MayHaveFailed(i nodegraph.Index) bool { return s.fast[i].failed > 0 }
