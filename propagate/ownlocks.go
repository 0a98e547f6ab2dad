package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// workflowLockAnswered takes the host's word on the locks of the workflow.
func (e *Engine) workflowLockAnswered(ev *Event) {
	if e.facts.Root().Lock() == fact.LockHeld {
		return
	}
	if ev.Type == EventLockQueued {
		e.facts.WaitFor(nodegraph.Root, ev.Reason, ev.Message)
		return
	}
	e.facts.Grant(nodegraph.Root)
	e.beginWorkflow()
}

// hasLocks reports whether node i holds the locks that it needs, if any. It asks for them if nobody did.
func (e *Engine) hasLocks(i nodegraph.Index) bool {
	locks, lock := e.rules.LocksOf(i), e.facts.Node(i).Lock()
	if len(locks) == 0 || lock == fact.LockHeld {
		return true
	}
	if lock == fact.LockNone {
		n := e.graph.Node(i)
		e.facts.SetLock(i, fact.LockAsked)
		e.starts.asked[i] = struct{}{}
		e.act(Action{Type: ActionAcquire, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: locks})
	}
	return false
}

// releaseLocks gives back what node i holds, or waits for.
func (e *Engine) releaseLocks(i nodegraph.Index) {
	if e.facts.Node(i).Lock() != fact.LockNone {
		e.giveBackLocks(i)
	}
}

// giveBackLocks gives back the locks of node i, which may have been granted to it although nobody asked any more.
func (e *Engine) giveBackLocks(i nodegraph.Index) {
	e.facts.SetLock(i, fact.LockNone)
	n := e.graph.Node(i)
	e.act(Action{Type: ActionRelease, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: e.rules.LocksOf(i)})
}

// lockAnswered takes the host's word on the locks of node i. A node that must wait is created at once, so that the
// user sees it waiting; it goes on when they are granted.
func (e *Engine) lockAnswered(i nodegraph.Index, ev *Event) {
	f := e.facts.Node(i)
	switch {
	case f.Lock() == fact.LockHeld:
		return
	case f.Lock() == fact.LockNone && e.rules.Brief(i).Want()&rule.WantStart == 0: // it does not want them any more
		e.giveBackLocks(i)
		return
	}
	if ev.Type == EventLockQueued {
		e.lockQueued(i, ev)
		return
	}
	if !f.Exists() {
		e.facts.SetLock(i, fact.LockHeld)
		e.starts.want(i)
		return
	}
	e.facts.Grant(i)
	if e.expand(i) && e.facts.Node(i).Kind() == nodegraph.Pod {
		e.actOn(ActionRecreate, i, "")
	}
}

// lockQueued makes node i wait for its locks.
func (e *Engine) lockQueued(i nodegraph.Index, ev *Event) {
	e.starts.forget(i)
	e.facts.SetLock(i, fact.LockWaits)
	created := e.facts.Node(i).Exists()
	if !created && e.rules.WithinEnded(i) {
		e.abandon(i)
		return
	}
	if !created && e.rules.Barred(i) {
		e.releaseLocks(i) // it is not to wait for anything any more
		e.create(i)
		return
	}
	e.facts.WaitFor(i, ev.Reason, ev.Message)
	if !created {
		e.facts.CreateWaiting(i, e.facts.Instant(), e.afterOlder(i))
		e.watchTimeouts(i)
		e.actOn(ActionStart, i, ev.Message)
	}
}
