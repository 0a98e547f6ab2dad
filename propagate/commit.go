package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

// commit does what follows from the verdict on node i, which looks different now, and wakes who reads it.
func (e *Engine) commit(i nodegraph.Index, n *node, old, is verdict) {
	if n.kind == nodegraph.Pod {
		e.countActive(n, (is.phase() == nodegraph.Pending || is.phase() == nodegraph.Running) && is.rule() != RuleLockWait)
	}
	if is.want()&^wantWithin != 0 {
		e.waiting.wanted = append(e.waiting.wanted, i)
	}
	switch {
	case (is^old)&(verdictPhase|verdictFulfilled) == 0:
	case is.fulfilled() && !is.daemoned():
		e.ended(i, n)
	case old.fulfilled() && !is.fulfilled():
		e.resumed(i, n)
	}
	e.wakeVerdictReaders(i, n, old, is)
}

// boundaries are the kinds of what others are started and ended in.
const boundaries kinds = 1<<nodegraph.DAG | 1<<nodegraph.Steps | 1<<nodegraph.Workflow

// ended does what follows from a node's having ended.
func (e *Engine) ended(i nodegraph.Index, n *node) {
	e.forget(i)
	e.facts.setFinished(i, e.facts.instant)
	e.awaitHook(i)
	if boundaries.has(n.kind) || n.Lock != LockNone || e.facts.daemons && e.eval.verdicts[i].rule() == RuleOmitted {
		e.sched.endedQueue.push(i)
	}
}

// resumed does what follows from a node's being unfinished again.
func (e *Engine) resumed(i nodegraph.Index, n *node) {
	if !n.kind.Composite() {
		if n.Stage < StageGone {
			e.facts.clearFinished(i)
		}
		return
	}
	e.facts.clearFinished(i)
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.eval.verdicts[m].want() != 0 { // given up when this node ended
			e.waiting.wanted = append(e.waiting.wanted, m)
		}
		if e.eval.verdicts[m].fulfilled() {
			e.awaitHook(m) // so was that
		}
	}
}

// awaitHook makes sure that node i, which has ended, is looked at with the next call if its exit hook is decided then.
func (e *Engine) awaitHook(i nodegraph.Index) {
	if e.eval.exitHookLater(i, e.eval.verdicts[i]) {
		e.sched.timers.add(e.facts.instant, i)
	}
}

// forget frees the place that was kept for node i while the host was asked about it.
func (e *Engine) forget(i nodegraph.Index) {
	if len(e.waiting.asked) > 0 {
		e.forgetAsked(i)
	}
}

func (e *Engine) forgetAsked(i nodegraph.Index) {
	if _, kept := e.waiting.asked[i]; kept {
		delete(e.waiting.asked, i)
		e.waiting.triedAt = -1 // another may have the place
	}
}

// releaseLocks gives back what node i holds.
func (e *Engine) releaseLocks(i nodegraph.Index) {
	if e.facts.nodes[i].Lock != LockNone {
		e.giveBackLocks(i)
	}
}

func (e *Engine) giveBackLocks(i nodegraph.Index) {
	e.facts.setLock(i, LockNone)
	n := e.graph.Node(i)
	e.act(Action{Type: ActionRelease, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: e.eval.locksOf(i)})
}

// locksOf returns the locks that node i holds while it is unfinished. Groups hold none, their members do; the attempts
// of a Retry run under the locks of the Retry.
func (w *evalContext) locksOf(i nodegraph.Index) []nodegraph.Lock {
	n := w.graph.Node(i)
	switch {
	case i == nodegraph.Root:
		return w.graph.Spec().Locks
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.TaskGroup, n.Kind == nodegraph.StepGroup, n.Kind == nodegraph.Container:
		return nil
	}
	return n.Template.Locks
}
