package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// admit reports whether node i may start now, or go on after a wait for its locks: the workflow is not held, no limit of
// parallelism is reached, its locks are granted, and its memoization key was looked up, in this order (Argo: executeTemplate).
// What can't go on holds no locks, since those whose end it waits for may need them.
func (e *Engine) admit(i nodegraph.Index, v rule.Brief) bool {
	n := e.graph.Node(i)
	held := e.facts.Suspended || e.facts.Started.IsZero()
	if !e.facts.Started.IsZero() && e.rules.Barred(i) {
		if !e.facts.Node(i).Exists && v.WantsStart() && e.failsFastAround(i, v) {
			e.abandon(i) // nothing is created there any more (Argo: checkParallelism comes first)
			return false
		}
		if !v.WantsAttempt() {
			e.releaseLocks(i)
		}
		return e.refusedAtOnce(i) || e.placeForHooks(i)
	}
	around := e.heldAround(i)
	if n.Kind == nodegraph.KindStepGroup || n.Kind == nodegraph.KindTaskGroup {
		return !held && !around
	}
	if held || around || !e.parallelismAllows(i, v) {
		e.returnLocks(i)
		return false
	}
	// A Retry has its locks before it makes another attempt, unless it gave them back when an attempt of it was a ready daemon.
	return e.hasLocks(i) && (v.WantsAttempt() || !e.mayBeHit(i) || e.lookedUp(i))
}

// mayBeHit reports whether node i may be found in the cache instead of being run. What a manual retry opened again has begun, and
// goes on around what stays inside it: Argo looks it up once it holds its locks, and would end it around what is open there.
func (e *Engine) mayBeHit(i nodegraph.Index) bool {
	return e.rules.MemoKey(i) != "" && !e.facts.Node(i).Reopened
}

// refusedAtOnce reports whether node i, which is only created to be refused, ends as it is created. What is inside a composite without
// locks may have hooks, which run after a Stop, unless ready daemons have all places of its boundary: they end after it.
func (e *Engine) refusedAtOnce(i nodegraph.Index) bool {
	kind := e.graph.Node(i).Kind
	switch {
	case !kind.Composite(), len(e.rules.LocksOf(i)) > 0:
		return true
	case kind != nodegraph.KindDAG && kind != nodegraph.KindSteps:
		return false
	}
	limit, c := e.placesAround(i)
	return limit > 0 && c.Active-c.Held >= limit && c.Busy-c.Held < limit
}

// placeForHooks reports whether composite i, which is only created to be refused, has a place in its boundary. It waits for those that
// will end, not for ready daemons.
func (e *Engine) placeForHooks(i nodegraph.Index) bool {
	limit, c := e.placesAround(i)
	return limit <= 0 || c.Busy-c.Held < limit
}

// placesAround is how many may be active in the boundary of node i, 0 for any number, and who is if that is limited.
func (e *Engine) placesAround(i nodegraph.Index) (limit int, c rule.Census) {
	b := e.graph.Boundary(i)
	if !e.has.limits || b == nodegraph.None || e.graph.Node(b).Template.Parallelism <= 0 {
		return 0, c
	}
	return e.graph.Node(b).Template.Parallelism, e.countIn(b)
}

// heldAround reports whether something around node i holds it back: see [rule.Evaluator.Held].
func (e *Engine) heldAround(i nodegraph.Index) bool {
	return (e.has.lockedComposites || e.facts.HasDaemons || e.facts.HasHooks) && e.rules.Held(e.facts.Node(i).Parent)
}

// parallelismAllows checks the workflow's limit on active pods and the boundary's on active members (Argo:
// checkParallelism, which lets later attempts of a Retry pass). Where the boundary fails fast, only some go on: see
// heldByFailFast.
func (e *Engine) parallelismAllows(i nodegraph.Index, v rule.Brief) bool {
	if !e.has.limits {
		return true
	}
	b := e.graph.Boundary(i)
	places, near := e.keptPlaces(i, b)
	if !e.workflowHasPlace(places) {
		return false
	}
	if b == nodegraph.None {
		return true
	}
	t := e.graph.Node(b).Template
	failsFast := t.FailFast && e.sched.MayHaveFailed(b)
	if t.Parallelism <= 0 && !failsFast {
		return true
	}
	if c := e.countIn(b); e.heldByFailFast(i, v, t, &c) {
		e.abandon(i) // it never starts, and what still runs may want its lock
		return false
	}
	return e.boundaryHasPlace(i, b, near)
}

// workflowHasPlace reports whether the workflow has a place for one more active pod, beside so many that are kept.
func (e *Engine) workflowHasPlace(kept int) bool {
	p := e.graph.Spec().Parallelism
	return p <= 0 || e.starts.active+kept < p
}

// boundaryHasPlace reports whether boundary b has a place for node i, beside so many that are kept.
func (e *Engine) boundaryHasPlace(i, b nodegraph.Index, kept int) bool {
	p := e.graph.Node(b).Template.Parallelism
	if p <= 0 || e.rules.KeepsPlace(i) {
		return true
	}
	c := e.countIn(b)
	return c.Active-c.Held+kept < p
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
	if e.facts.Node(i).Answer == fact.AnswerNone {
		e.facts.SetAnswer(i, fact.AnswerAsked)
		e.tellQuestion(i)
	}
}

// tellQuestion tells the host what it must work out for node i.
func (e *Engine) tellQuestion(i nodegraph.Index) {
	if n := e.graph.Node(i); n.Kind == nodegraph.KindTaskGroup {
		e.actOn(ActionExpand, i, n.Task.Loop.Unresolved)
	} else {
		e.actOn(ActionResolve, i, e.rules.Question(i))
	}
}

// lookedUp reports whether the host has looked up the memoization key of node i. It asks if nobody did.
func (e *Engine) lookedUp(i nodegraph.Index) bool {
	if e.facts.Memo(i) == fact.AnswerNone {
		e.facts.SetMemo(i, fact.AnswerAsked)
		e.starts.asked[i] = struct{}{}
		e.tellLookup(i)
	}
	return e.facts.Memo(i) != fact.AnswerAsked
}

// tellLookup tells the host to look up the memoization key of node i.
func (e *Engine) tellLookup(i nodegraph.Index) {
	e.actOn(ActionLookup, i, e.rules.MemoKey(i))
}

// hasLocks reports whether node i holds the locks that it needs, if any. It asks for them if nobody did.
func (e *Engine) hasLocks(i nodegraph.Index) bool {
	locks, lock := e.rules.LocksOf(i), e.facts.Node(i).Lock
	if len(locks) == 0 || lock == fact.LockHeld || lock == fact.LockGranted {
		return true
	}
	if lock == fact.LockNone || lock == fact.LockReturned {
		e.facts.SetLock(i, fact.LockAsked)
		e.starts.asked[i] = struct{}{}
		e.tellAcquire(i)
	}
	return false
}

// tellAcquire tells the host to get the locks of node i, or of the workflow.
func (e *Engine) tellAcquire(i nodegraph.Index) { e.act(e.acquire(i)) }

// acquire is the action that asks for the locks of node i, or of the workflow.
func (e *Engine) acquire(i nodegraph.Index) Action {
	if i == nodegraph.Root {
		return Action{Type: ActionAcquire, Node: i, Locks: e.graph.Spec().Locks}
	}
	n := e.graph.Node(i)
	return Action{Type: ActionAcquire, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: e.rules.LocksOf(i), Within: e.lockedAround(i)}
}

// QueuedLocks returns what asks again for the locks of all who wait for theirs, the workflow first. A host whose answers may get lost, or
// whose limits change, asks its [LockTable] again by these. It looks at every node of a workflow with locks, and allocates.
func (e *Engine) QueuedLocks() (actions []Action) {
	for i := nodegraph.Root; e.graph.Features().Locks && int(i) < e.graph.Len(); i++ {
		if e.facts.Node(i).Lock == fact.LockWaits {
			actions = append(actions, e.acquire(i))
		}
	}
	return actions
}

// releaseLocks gives back what node i holds, or waits for.
func (e *Engine) releaseLocks(i nodegraph.Index) {
	switch e.facts.Node(i).Lock {
	case fact.LockNone:
		return
	case fact.LockReturned:
	default:
		e.tellRelease(i)
	}
	e.facts.SetLock(i, fact.LockNone)
}

// returnLocks gives back the locks that were granted to node i, which can't go on now and asks again when it can. What was looked
// up under them is forgotten: whoever has them next may change that.
func (e *Engine) returnLocks(i nodegraph.Index) {
	n := e.facts.Node(i)
	switch {
	case n.Lock == fact.LockGranted:
		e.facts.SetLock(i, fact.LockReturned)
	case n.Lock == fact.LockHeld && !n.Exists:
		e.facts.SetLock(i, fact.LockNone)
	default:
		return
	}
	e.facts.SetMemo(i, fact.AnswerNone)
	e.starts.forget(i)
	e.tellRelease(i)
}

// tellRelease tells the host to take back the locks of node i.
func (e *Engine) tellRelease(i nodegraph.Index) {
	n := e.graph.Node(i)
	e.act(Action{Type: ActionRelease, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: e.rules.LocksOf(i)})
}

// failsFastAround reports whether node i, which wants to start, is held back since its boundary fails fast.
func (e *Engine) failsFastAround(i nodegraph.Index, v rule.Brief) bool {
	b := e.graph.Boundary(i)
	if !e.has.limits || b == nodegraph.None || !e.graph.Node(b).Template.FailFast || !e.sched.MayHaveFailed(b) {
		return false
	}
	c := e.rules.Census(b)
	return e.heldByFailFast(i, v, e.graph.Node(b).Template, &c)
}

// heldByFailFast is failsFastAround where the template and the census of the boundary are known. A Retry that has locks makes more
// attempts all the same, and what a manual retry opened again asks for its locks.
func (e *Engine) heldByFailFast(i nodegraph.Index, v rule.Brief, t *nodegraph.Template, c *rule.Census) bool {
	n := e.facts.Node(i)
	return t.FailFast && c.Failed != nodegraph.None && !(v.WantsAttempt() && n.Lock == fact.LockHeld) && !n.Reopened
}

// lockedAround returns the ids of the nodes around node i that have locks.
func (e *Engine) lockedAround(i nodegraph.Index) []string {
	var ids []string
	for p := e.facts.Node(i).Parent; p > nodegraph.Root; p = e.facts.Node(p).Parent {
		if len(e.rules.LocksOf(p)) > 0 {
			ids = append(ids, e.graph.Node(p).ID())
		}
	}
	return ids
}

// lockHolder is the node under whose locks pod i runs, if there are any: of an attempt its Retry.
func (e *Engine) lockHolder(i nodegraph.Index) nodegraph.Index {
	if n := e.facts.Node(i); n.IsAttempt {
		return n.Parent
	}
	return i
}

// retryWaits reports whether node i is an attempt whose Retry waits for its locks.
func (e *Engine) retryWaits(i nodegraph.Index) bool {
	return e.lockHolder(i) != i && e.facts.Node(e.lockHolder(i)).Waits()
}

// gaveBack reports whether node i runs under locks and has given them back.
func (e *Engine) gaveBack(i nodegraph.Index) bool {
	holder := e.lockHolder(i)
	return len(e.rules.LocksOf(holder)) > 0 && e.facts.Node(holder).Lock == fact.LockNone
}
