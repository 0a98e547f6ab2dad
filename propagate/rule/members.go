package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// OpenMember is something directly inside node i that was created and is not fulfilled; None if nothing is.
func (e *Evaluator) OpenMember(i nodegraph.Index) nodegraph.Index {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Exists && !e.briefs[m].Fulfilled() {
			return m
		}
	}
	return nodegraph.None
}

// firstOpen returns a member that holds composite i open; a daemon does not where daemons are passed.
func (e *Evaluator) firstOpen(i nodegraph.Index, passed bool) (nodegraph.Index, bool) {
	kind := e.facts.Node(i).Kind
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Counts && e.briefs[m].HoldsOpen(kind) && !(passed && e.isDaemon(m)) {
			return m, true
		}
	}
	return nodegraph.None, false
}

// staysPending reports whether node i is a composite that has waited for a lock, or was not found in the cache: Argo never sets it to
// Running.
func (e *Evaluator) staysPending(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	return n.Kind.Composite() && (n.Waited || e.facts.Memo(i) == fact.AnswerRun)
}

// LocksOf returns the locks that node i holds while it is unfinished. Groups hold none, their members do; the attempts of a
// Retry run under the locks of the Retry.
func (e *Evaluator) LocksOf(i nodegraph.Index) []nodegraph.Lock {
	n := e.graph.Node(i)
	switch {
	case i == nodegraph.Root:
		return e.graph.Spec().Locks
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.KindTaskGroup, n.Kind == nodegraph.KindStepGroup, n.Kind == nodegraph.KindContainer:
		return nil
	}
	return n.Template.Locks
}

// replaced reports whether step m stood for items that are now nodes of their own.
func (e *Evaluator) replaced(m nodegraph.Index) bool {
	return e.facts.Node(m).Kind == nodegraph.KindTaskGroup && e.facts.Node(m).Answer == fact.AnswerRun
}
