package propagate

import (
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// An InvariantError says which of the engine's invariants does not hold, and at which node. It is a bug of this library.
type InvariantError struct {
	Invariant string // "containment", "progress", "agreement" or "locks"
	Node      string // its name, empty for the workflow
	Detail    string // what is the case instead, for people
}

// Error names the invariant and the node.
func (e *InvariantError) Error() string {
	return fmt.Sprintf("propagate: invariant %s does not hold at %q: %s", e.Invariant, e.Node, e.Detail)
}

// Check tests what must hold after every call. Nothing unfulfilled is inside something fulfilled. An unfinished workflow
// waits for something, and a complete one for nothing. The reference evaluator agrees. What is fulfilled holds no lock. Check
// evaluates every node anew and is for tests of the library and of its hosts. The error is an [*InvariantError]; that of an
// engine that can't be used is a [*UseError], and that of a specification that was changed a [*nodegraph.SpecError].
func (e *Engine) Check() error {
	if err := e.enter(); err != nil {
		return err
	}
	err := e.checkInvariants()
	e.leave()
	return err
}

// checkInvariants is Check inside a call.
func (e *Engine) checkInvariants() error {
	if err := e.graph.CheckSpec(); err != nil {
		return err
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if err := e.checkContainment(i); err != nil {
			return err
		}
		v := e.rules.Brief(i)
		ended := v.Fulfilled() || v.Phase() == nodegraph.PhasePlanned && e.rules.WithinEnded(i)
		if ended && e.facts.Node(i).Lock != fact.LockNone && e.ended.Empty() { // a restored engine gives them back with its first call
			return &InvariantError{"locks", e.rules.NameOf(i), "it is fulfilled and still holds or awaits a lock"}
		}
	}
	if open := e.Obligations(); e.Complete() != (len(open) == 0) {
		return &InvariantError{"progress", "", fmt.Sprintf("complete: %v, waits for %v", e.Complete(), open)}
	}
	return e.checkAgreement()
}

func (e *Engine) checkContainment(i nodegraph.Index) error {
	v := e.rules.Brief(i)
	if !e.facts.Node(i).Exists || v.Fulfilled() && !v.Daemoned() || !e.ended.Empty() { // a restored engine ends it with its first call
		return nil
	}
	if e.Complete() || e.rules.WithinEnded(i) {
		return &InvariantError{"containment", e.rules.NameOf(i), "it is " + v.Phase().String() + " inside something that has ended"}
	}
	return nil
}

// checkAgreement compares the verdicts with those of the reference evaluator.
func (e *Engine) checkAgreement() error {
	for k, want := range e.rules.Reference() {
		i := nodegraph.Index(k)
		if got := e.rules.Ruling(i); got.Brief != want.Brief || got.Message != want.Message {
			return &InvariantError{"agreement", e.rules.NameOf(i), fmt.Sprintf("the engine says %s %q (%s), the reference %s %q (%s)",
				got.Phase(), e.rules.Words(got.Message), got.Rule(), want.Phase(), e.rules.Words(want.Message), want.Rule())}
		}
	}
	return nil
}
