package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// settle judges what is marked, from the deepest nodes up, and lets the effects of that happen, until nothing is left.
func (e *Engine) settle() {
	for e.sweep(0); e.effects(); e.sweep(0) {
	}
}

// effects lets happen what runs from a parent down to its members, and is no edge of the fixed point: it enters as facts between
// two sweeps. The first effect that wrote anything is the last of its turn, since others may read that. It reports whether
// anything is left to be judged.
//
//  1. What has ended is finalized: locks go back, omissions become final, and what is open inside it is closed.
//  2. In a complete workflow nothing starts any more.
//  3. What wants to start does, as far as nothing holds it back.
func (e *Engine) effects() bool {
	switch {
	case !e.ended.Empty() && e.finalizeEnded():
		return true
	case e.Complete():
		if len(e.starts.wanted)+len(e.starts.later) > 0 {
			e.abandonStarts()
		}
		return false
	}
	return e.startWanted() || !e.sched.Empty()
}

// sweep judges marked nodes that are at least so deep until none is left.
func (e *Engine) sweep(depth int) {
	for i := e.sched.Next(depth); i != nodegraph.None; i = e.sched.Next(depth) {
		e.judge(i)
	}
}

// judge judges node i, records the verdict and marks what reads it.
func (e *Engine) judge(i nodegraph.Index) {
	v := e.rules.Judge(i)
	if v.Wake != 0 && v.Wake != e.rules.Wake(i) {
		e.sched.SetTimer(v.Wake, i)
	}
	if v.Rule() == rule.RulePodRecreate {
		switch {
		case e.stops.looking:
			e.stops.gone = append(e.stops.gone, i)
		case e.refuse(i):
			v = e.rules.Judge(i)
		case e.gaveBack(i): // its locks, when it was fulfilled
			e.facts.SetLock(e.lockHolder(i), fact.LockReturned)
			v = e.rules.Judge(i)
		case e.retryWaits(i): // for the locks under which the pod is made
		default:
			e.recreate(i)
		}
	}
	old, message := e.rules.Brief(i), e.rules.Message(i)
	e.rules.Record(i, v)
	if e.has.limits && old != v.Brief && e.facts.Node(i).Kind == nodegraph.KindPod {
		e.starts.countActive(old, v.Brief)
	}
	if v.Fulfilled() && e.facts.HasHooks {
		e.awaitHook(i)
	}
	if !old.MeansSame(v.Brief) || message != v.Message {
		e.noteChange(i, old.Phase(), message)
		e.commit(i, old, v.Brief)
	}
}

// commit does what follows from the verdict on node i, which looks different now, and wakes who reads it.
func (e *Engine) commit(i nodegraph.Index, old, is rule.Brief) {
	if is.Wants() {
		e.starts.want(i)
	}
	switch {
	case is.Daemoned() && !old.Daemoned():
		e.becameReady(i, old)
	case old.SettledAlike(is):
	case is.Fulfilled() && !is.Daemoned():
		e.hasEnded(i)
	case old.Fulfilled() && !is.Fulfilled():
		e.reopened(i)
	}
	e.sched.WakeVerdictReaders(i, old, is)
}

// boundaries are the kinds of what others are started and ended in.
const boundaries kinds = 1<<nodegraph.KindDAG | 1<<nodegraph.KindSteps | 1<<nodegraph.KindWorkflow

// hasEnded does what follows at once from a node's having ended; finalizeEnded does the rest.
func (e *Engine) hasEnded(i nodegraph.Index) {
	if len(e.starts.asked) > 0 {
		e.starts.forget(i)
	}
	e.facts.SetFinished(i, e.facts.Instant)
	if e.facts.HasHooks {
		e.hooksAfter(i)
	}
	n := e.facts.Node(i)
	mayClose := boundaries.has(n.Kind) && (e.facts.HasDaemons || e.has.limits)
	mayLast := (n.Kind == nodegraph.KindTaskGroup || !n.Exists) && (e.facts.HasDaemons || e.facts.HasHooks)
	if mayClose || mayLast || n.Lock != fact.LockNone {
		e.ended.Push(i)
	}
}

// becameReady does what follows from a daemon's being ready: it is fulfilled, so finalizeEnded gives its locks back. One that had ended
// lives again.
func (e *Engine) becameReady(i nodegraph.Index, old rule.Brief) {
	if e.facts.Node(i).Lock != fact.LockNone || old.Fulfilled() {
		e.ended.Push(i)
	}
}

// reopened does what follows from a node's being unfinished again. If what it is inside of does not go on with it, finalizeEnded ends it.
func (e *Engine) reopened(i nodegraph.Index) {
	e.ended.Push(i)
	n := e.facts.Node(i)
	if !n.Kind.Composite() {
		if n.Stage < fact.StageGone {
			e.facts.ClearFinished(i)
		}
		return
	}
	e.facts.ClearFinished(i)
	if n.SeenEnded && boundaries.has(n.Kind) {
		e.facts.ForgetSeen(i)
		e.sched.WakeInside(i)
	}
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		v := e.rules.Brief(m)
		if v.Wants() { // given up when this node ended
			e.starts.want(m)
		}
		if v.Fulfilled() {
			e.awaitHook(m) // so was that
		}
	}
}

// awaitHook makes sure that node i, which has ended, is looked at with the next call if its exit hook is decided then.
func (e *Engine) awaitHook(i nodegraph.Index) {
	if e.rules.ExitHookLater(i, e.rules.Brief(i)) {
		e.sched.SetTimer(e.facts.Instant, i)
	}
}

// hooksAfter sees to the hooks that may be due because node i has ended: the exit hook of its owner, if it is a hook, and its own.
// The host is asked once more about those whose expressions did not hold while the node ran. If the node has ended with what it is
// inside of, the answer stays: no hook is due because of that.
func (e *Engine) hooksAfter(i nodegraph.Index) {
	if owner, _ := e.graph.Owner(i); owner != nodegraph.None {
		e.awaitHook(owner)
	}
	for _, h := range e.graph.Hooks(i) {
		switch n := e.facts.Node(h); {
		case n.Exists || n.Answer != fact.AnswerSkip || n.AnsweredAfterEnd():
		case e.rules.WithinEnded(i):
			e.facts.See(h)
		default:
			e.facts.SetAnswer(h, fact.AnswerNone)
			e.starts.want(h) // it may have been answered in this call, and looks as if it never was
		}
	}
}

// recreate asks the host, once for each pod that is lost, to make the pod of node i again.
func (e *Engine) recreate(i nodegraph.Index) {
	if e.facts.AskedToRemake(i) {
		e.actOn(ActionRecreate, i, "")
	}
}
