package propagate

import (
	"errors"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// fail ends node i in Error: the graph could not take what it asks for, or the host has no answer. A composite that a manual retry has
// opened again ends so as soon as nothing inside it is open.
func (e *Engine) fail(i nodegraph.Index, err error) {
	if e.facts.Node(i).Reopened && e.rules.OpenMember(i) != nodegraph.None {
		e.facts.KeepPhase(i, nodegraph.PhaseError)
		e.facts.Say(i, err.Error())
		e.facts.Close(i)
		e.sched.WakeEverybody()
		e.stopWaitsInside()
		return
	}
	e.facts.End(i, nodegraph.PhaseError, err.Error(), e.facts.Now)
}

// unrunnable takes the host's word that it can't run node i, which it was asked to start.
func (e *Engine) unrunnable(i nodegraph.Index, ev *Event) {
	n := e.facts.Node(i)
	if v := e.rules.Brief(i); v.Fulfilled() && !v.Daemoned() {
		return
	}
	e.starts.forget(i)
	if n.Kind.Composite() {
		e.closeMembers(i, ev.Message)
		e.endDaemonsIn(i)
		e.fail(i, errors.New(ev.Message))
		return
	}
	lives := n.Kind == nodegraph.KindPod && (n.Stage == fact.StagePending || n.Stage == fact.StageRunning)
	if e.stopNode(i, nodegraph.PhaseError, ev.Message) && lives {
		e.actOn(ActionTerminate, i, ev.Message)
	}
}

// closeAll ends all that a record leaves open in a complete workflow: a ready daemon as with its boundary, what has a result
// that is not stored as it ended, and all else as Failed.
func (e *Engine) closeAll() {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		f, v := e.facts.Node(i), e.rules.Brief(i)
		switch {
		case v.Daemoned() && f.Kind == nodegraph.KindPod:
			e.endDaemon(i)
		case v.Fulfilled() || !f.Exists: // the Retry around a ready daemon ends with that
		case f.Kind.Composite():
			e.facts.End(i, nodegraph.PhaseFailed, rule.TextClosed, e.facts.Now)
		case f.Stage == fact.StageEnded:
			e.facts.EndResults(i)
		default:
			e.stopLeaf(i, rule.TextClosed, rule.TextClosed)
		}
	}
	e.sweep(0)
}

// closeEarlierAttempts ends what a record leaves open in an attempt although its Retry has made another, and the attempt with it:
// nobody waits for that. A daemon there ends with its boundary.
func (e *Engine) closeEarlierAttempts() {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		n := e.facts.Node(i)
		if !n.Kind.Composite() && (e.superseded(i) || !n.IsDaemon && e.inEarlierAttempt(i)) {
			e.stopLeaf(i, rule.TextClosed, rule.TextClosed)
		}
	}
	e.sweep(0)
	for i := nodegraph.Index(e.graph.Len()) - 1; i > nodegraph.Root; i-- {
		if e.superseded(i) && !e.rules.Brief(i).Fulfilled() && e.rules.OpenMember(i) == nodegraph.None {
			e.facts.End(i, nodegraph.PhaseFailed, rule.TextClosed, e.facts.Now)
			e.sweep(0)
		}
	}
}

// inEarlierAttempt reports whether node i is, or is inside of, an attempt of a Retry that has made another.
func (e *Engine) inEarlierAttempt(i nodegraph.Index) bool {
	for p := i; p > nodegraph.Root; p = e.facts.Node(p).Parent {
		if e.superseded(p) {
			return true
		}
	}
	return false
}

// stopWaitsInside stops what waits for a lock inside something that only ends: it is not to start any more.
func (e *Engine) stopWaitsInside() {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if e.facts.Node(i).Waits() && e.rules.WithinClosing(i) {
			e.stopLeaf(i, rule.TextClosed, rule.TextClosed)
		}
	}
	e.sweep(0)
}

// seeEnded notes that node i had ended before the call: no hook becomes due inside a DAG or Steps after that.
func (e *Engine) seeEnded(i nodegraph.Index) {
	e.facts.See(i)
	e.sched.WakeInside(i)
}
