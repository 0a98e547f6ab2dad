package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// admit reports whether node i may start now: the workflow is not held, its locks are granted, its memoization key was
// looked up, and no limit of parallelism is reached.
func (e *Engine) admit(i nodegraph.Index, v rule.Brief) bool {
	n := e.graph.Node(i)
	if e.facts.Suspended() || e.facts.Started().IsZero() {
		return false
	}
	if n.Kind == nodegraph.KindStepGroup || n.Kind == nodegraph.KindTaskGroup {
		return true
	}
	if !e.parallelismAllows(i, v) {
		return false
	}
	if v.WantsAttempt() {
		return e.rules.Barred(i) || e.hasLocks(i) // it does, unless it gave them back when an attempt of it was a ready daemon
	}
	return e.hasLocks(i) && (n.Template.Memoize == "" || e.lookedUp(i, n.Template.Memoize))
}

// parallelismAllows checks the workflow's limit on active pods and the boundary's on active members (Argo:
// checkParallelism). The boundary's limit holds back a Retry as a whole, not its later attempts. Where the boundary fails
// fast, only a Retry with a lock makes more attempts: what still runs there may be waiting for that lock.
func (e *Engine) parallelismAllows(i nodegraph.Index, v rule.Brief) bool {
	if !e.has.limits {
		return true
	}
	b := e.graph.Boundary(i)
	places, near := e.keptPlaces(i, b)
	if p := e.graph.Spec().Parallelism; p > 0 && e.starts.active+places >= p {
		return false
	}
	if b == nodegraph.None {
		return true
	}
	t := e.graph.Node(b).Template
	if v.WantsAttempt() && (!t.FailFast || e.facts.Node(i).Lock() == fact.LockHeld) {
		return true
	}
	if t.Parallelism <= 0 && !t.FailFast {
		return true
	}
	c := e.countIn(b)
	if t.FailFast && c.Failed != nodegraph.None {
		e.abandon(i) // it never starts, and what still runs may want its lock
		return false
	}
	return t.Parallelism <= 0 || c.Active+near < t.Parallelism
}

// keptPlaces counts the places that are kept for nodes about which the host was asked, but for node i, and those of them in
// boundary b.
func (e *Engine) keptPlaces(i, b nodegraph.Index) (places, near int) {
	for m := range e.starts.asked {
		if m != i {
			places++
			if e.graph.Boundary(m) == b {
				near++
			}
		}
	}
	return places, near
}

// countIn is the census of a boundary. It is taken once for all that wait there, until something is judged anew.
func (e *Engine) countIn(boundary nodegraph.Index) rule.Census {
	c := &e.starts.census
	if c.boundary != boundary || c.generation != e.sched.Generation() {
		*c = countedCensus{Census: e.rules.Census(boundary), boundary: boundary, generation: e.sched.Generation()}
	}
	return c.Census
}

// ask asks the host, once, for what the library can't work out itself.
func (e *Engine) ask(i nodegraph.Index) {
	n := e.graph.Node(i)
	if e.facts.Node(i).Answer() != fact.AnswerNone {
		return
	}
	e.facts.SetAnswer(i, fact.AnswerAsked)
	if n.Kind == nodegraph.KindTaskGroup {
		e.actOn(ActionExpand, i, n.Task.Loop.Unresolved)
		return
	}
	e.actOn(ActionResolve, i, e.rules.When(i))
}

// lookedUp reports whether the host has found nothing under the memoization key of node i. It asks if nobody did.
func (e *Engine) lookedUp(i nodegraph.Index, key string) bool {
	if e.facts.Memo(i) == fact.AnswerNone {
		e.facts.SetMemo(i, fact.AnswerAsked)
		e.starts.asked[i] = struct{}{}
		e.actOn(ActionLookup, i, key)
	}
	return e.facts.Memo(i) == fact.AnswerRun
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
		e.act(Action{Type: ActionAcquire, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: locks, Within: e.lockedAround(i)})
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

// askAgain forgets what the host was asked and has not answered before the engine was loaded, so that it is asked again.
func (e *Engine) askAgain() {
	for _, i := range e.restored.pendingQuestions {
		if e.facts.Node(i).Answer() == fact.AnswerAsked {
			e.facts.SetAnswer(i, fact.AnswerNone)
		}
		if e.facts.Node(i).Lock() == fact.LockAsked {
			e.facts.SetLock(i, fact.LockNone)
		}
		if e.facts.Memo(i) == fact.AnswerAsked {
			e.facts.SetMemo(i, fact.AnswerNone)
		}
	}
	e.restored.pendingQuestions = nil
}
