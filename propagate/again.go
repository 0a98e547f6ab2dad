package propagate

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Remind makes the next call tell the host again all that it was asked for and has not done, as the first call after a restart does.
// It looks at every node, and allocates for what is owed alone.
func (e *Engine) Remind() {
	o := &e.restored
	o.pendingQuestions, o.pendingEnds, o.pendingRecreate = o.pendingQuestions[:0], o.pendingEnds[:0], o.pendingRecreate[:0]
	for i := range nodegraph.Index(e.graph.Len()) {
		e.noteOwed(i, !e.Complete())
	}
}

// Recorded tells the engine that a host has stored what the last call has changed. With the next call the engine goes by the record, as
// one that [FromSnapshot] makes of it. What is on record as ended is not opened again by a pod that may be one from before.
func (e *Engine) Recorded(changes []Change) {
	for k := range changes {
		i := changes[k].Node
		if e.must(i); e.facts.Node(i).Kind != nodegraph.KindPod {
			continue
		}
		switch ended := e.rules.Brief(i).Phase().Completed(); {
		case ended && !e.facts.Node(i).EndedOnRecord():
			e.facts.See(i)
		case !ended && e.facts.Node(i).EndedOnRecord():
			e.facts.ForgetSeen(i)
		}
	}
}

// noteOwed notes what the host was asked about node i, and of ends of pods if those count.
func (e *Engine) noteOwed(i nodegraph.Index, ends bool) {
	n := e.facts.Node(i)
	if n.Answer == fact.AnswerAsked || n.Lock == fact.LockAsked || e.looksUp(i) {
		e.restored.pending, e.restored.pendingQuestions = true, append(e.restored.pendingQuestions, i)
	}
	if ends && e.toldToEnd(i) {
		e.restored.pending, e.restored.pendingEnds = true, append(e.restored.pendingEnds, i)
	}
	if e.owed(i) {
		e.restored.pending, e.restored.pendingRecreate = true, append(e.restored.pendingRecreate, i)
	}
}

// NextWake is when the host is to call again if nothing happens before; zero for never. It is what the last ActionWake said, as long as
// that counts.
func (e *Engine) NextWake() time.Time {
	if at := e.sched.FirstTimer(); at != 0 && !e.Complete() {
		return at.Time()
	}
	return time.Time{}
}

// shutDownAgain carries out the shutdown that was in force when the engine was made from a record.
func (e *Engine) shutDownAgain() {
	e.restored.shutdown = false
	e.applyShutdown(e.facts.Shutdown)
}

// askAgain asks the host again what it was asked before the engine was loaded and has not answered, with the first call either.
func (e *Engine) askAgain() {
	for _, i := range e.restored.pendingQuestions {
		n := e.facts.Node(i)
		if n.Answer == fact.AnswerAsked {
			e.tellQuestion(i)
		}
		if n.Lock == fact.LockAsked {
			e.tellAcquire(i)
		}
		if e.looksUp(i) {
			e.tellLookup(i)
		}
	}
	e.restored.pendingQuestions = nil
}

// demandAgain asks for the pods, and for the ends of pods, that were asked for before the engine was loaded and are owed after the
// first call still: the host may not have done it.
func (e *Engine) demandAgain() {
	for _, i := range e.restored.pendingRecreate {
		asked := func(a Action) bool { return a.Node == i && a.Type == ActionRecreate }
		if e.owed(i) && !slices.ContainsFunc(e.out.result.Actions, asked) {
			e.actOn(ActionRecreate, i, "")
		}
	}
	for _, i := range e.restored.pendingEnds {
		if e.toldToEnd(i) {
			e.actOn(ActionTerminate, i, e.whyToEnd(i))
		}
	}
	e.restored.pending, e.restored.pendingRecreate, e.restored.pendingEnds = false, nil, nil
}

// owed reports whether the host was asked for the pod of node i, or to have it served, and nobody has said that it did.
func (e *Engine) owed(i nodegraph.Index) bool {
	switch v := e.rules.Brief(i); v.Rule() {
	case rule.RuleStartOwed, rule.RulePodRecreate:
		return !e.retryWaits(i)
	case rule.RuleServed:
		return !v.Fulfilled()
	}
	return false
}
