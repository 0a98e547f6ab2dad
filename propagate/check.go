package propagate

import (
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// An InvariantError says which of the engine's invariants does not hold, and at which node. It is a bug of this library.
type InvariantError struct {
	Invariant string // "containment", "progress", "agreement" or "locks"
	Node      string // its name, empty for the workflow
	Detail    string
}

// Error names the invariant and the node.
func (e *InvariantError) Error() string {
	return fmt.Sprintf("propagate: invariant %s does not hold at %q: %s", e.Invariant, e.Node, e.Detail)
}

// Check tests what must hold after every call: nothing unfulfilled is inside something fulfilled; an unfinished workflow
// waits for something and a complete one for nothing; the reference evaluator agrees; what has settled holds no lock. It
// evaluates every node anew and is for tests of the library and of its hosts. The error is an [*InvariantError].
func (e *Engine) Check() error {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if err := e.checkContainment(i); err != nil {
			return err
		}
		v := e.eval.verdicts[i]
		ended := v.fulfilled() && !v.daemoned() || v.phase() == nodegraph.Planned && e.eval.withinEnded(i)
		if ended && e.facts.nodes[i].Lock != LockNone && e.sched.endedQueue.empty() { // a restored engine gives them back with its first call
			return &InvariantError{"locks", e.nameOf(i), "it has settled and still holds or awaits a lock"}
		}
	}
	if open := e.Obligations(); e.Complete() != (len(open) == 0) {
		return &InvariantError{"progress", "", fmt.Sprintf("complete: %v, waits for %v", e.Complete(), open)}
	}
	return e.checkAgreement()
}

func (e *Engine) checkContainment(i nodegraph.Index) error {
	v := e.eval.verdicts[i]
	if !e.facts.nodes[i].created() || v.fulfilled() && !v.daemoned() {
		return nil
	}
	if e.Complete() || e.eval.withinEnded(i) && (!v.daemoned() || e.boundaryEnded(i)) {
		return &InvariantError{"containment", e.nameOf(i), "it is " + v.phase().String() + " inside something that has ended"}
	}
	return nil
}

// boundaryEnded tells whether the boundary of a daemon has ended: until then it may outlive its Retry and its groups.
func (e *Engine) boundaryEnded(i nodegraph.Index) bool {
	b := e.graph.Boundary(i)
	return b != nodegraph.None && e.eval.verdicts[b].fulfilled()
}

func (e *Engine) checkAgreement() error {
	for i, want := range reference(e.graph, e.facts) {
		got, message := e.eval.verdicts[i], e.eval.messages[i]
		if got != want.verdict || message != want.message {
			return &InvariantError{"agreement", e.nameOf(nodegraph.Index(i)), fmt.Sprintf("the engine says %s %q (%s), the reference %s %q (%s)",
				got.phase(), e.eval.words(message), got.rule(), want.phase(), e.eval.words(want.message), want.rule())}
		}
	}
	return nil
}
