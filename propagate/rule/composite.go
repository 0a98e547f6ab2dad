package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// compositeRule is the rule of what has others inside it.
func (e *Evaluator) compositeRule(i nodegraph.Index) Ruling {
	n := e.facts.Node(i)
	switch {
	case e.facts.Node(nodegraph.Root).Stage == fact.StageEnded && n.Phase.Settled():
		return settled(n.Phase, e.told(i), composite1, nodegraph.None) // a complete workflow is as it was recorded
	case n.Stage == fact.StageEnded:
		return e.wholeRule(i)
	case n.Closing():
		return e.closingRule(i)
	case n.Waits():
		return e.lockWaitRule(i, n, composite6)
	}
	v := e.membersRule(i)
	if !v.Fulfilled() && e.WithinClosing(i) && e.OpenMember(i) == nodegraph.None {
		return settled(nodegraph.PhaseFailed, Message{kind: messageClosed}, composite7, nodegraph.None) // what it waits for never starts
	}
	if v.Phase() == nodegraph.PhaseRunning && e.staysPending(i) {
		v.Brief = v.Brief&^briefPhase | Brief(nodegraph.PhasePending)
	}
	return v
}

// lockWaitRule: a node that waits for its locks is Pending; a composite that did not begin with such a wait stays Running (Argo:
// markNodeWaitingForLock). It has something inside it: a manual retry has opened it again, or a ready daemon in it has ended. One
// that was granted them goes on as soon as nothing else holds it back; until then it gives them back, and asks again.
func (e *Evaluator) lockWaitRule(i nodegraph.Index, n *store.Node, l line) Ruling {
	v := pending(l, e.told(i))
	if n.Kind.Composite() && !n.Waited {
		v.Brief = v.Brief&^briefPhase | Brief(nodegraph.PhaseRunning)
	}
	if n.Lock == fact.LockGranted || n.Lock == fact.LockReturned {
		v.Brief |= wantStart
	}
	return v
}

// membersRule is the rule of a composite that goes by what is inside it.
func (e *Evaluator) membersRule(i nodegraph.Index) Ruling {
	var v Ruling
	switch e.facts.Node(i).Kind {
	case nodegraph.KindDAG:
		v = e.dagRule(i)
	case nodegraph.KindSteps:
		v = e.stepsRule(i)
	case nodegraph.KindStepGroup:
		return e.stepGroupRule(i)
	case nodegraph.KindTaskGroup:
		return e.taskGroupRule(i)
	case nodegraph.KindRetry:
		return e.retryRule(i)
	}
	if e.graph.Node(i).Template.FailFast {
		return e.failFastRule(i, v)
	}
	return v
}

// closingRule: a composite that only ends does so in the phase on record for it, once nothing inside it is open.
func (e *Evaluator) closingRule(i nodegraph.Index) Ruling {
	if m := e.OpenMember(i); m != nodegraph.None {
		return running(composite4, m)
	}
	return settled(e.facts.Node(i).Phase, e.told(i), composite5, nodegraph.None)
}

// wholeRule: a composite that ended as a whole is as it ended, whatever is inside of it. Where what is inside of it says the same,
// that explains it. One in Error with nothing inside it could not be expanded.
func (e *Evaluator) wholeRule(i nodegraph.Index) Ruling {
	phase, message := e.facts.Node(i).Phase, e.told(i)
	switch {
	case e.graph.First(i) != nodegraph.None:
		if v := e.membersRule(i); v.Phase() == phase && e.Words(v.Message) == e.Words(message) {
			v.Brief = v.withoutWants() // hooks of its items do not start any more
			return v
		}
	case phase == nodegraph.PhaseError:
		return settled(phase, message, composite2, nodegraph.None)
	}
	return settled(phase, message, composite3, nodegraph.None)
}
