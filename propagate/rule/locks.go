package rule

import "github.com/nodestatus/nodestatus/nodegraph"

// LocksOf returns the locks that node i holds while it is unfinished. Groups hold none, their members do; the attempts of a
// Retry run under the locks of the Retry.
func (e *Evaluator) LocksOf(i nodegraph.Index) []nodegraph.Lock {
	n := e.graph.Node(i)
	switch {
	case i == nodegraph.Root:
		return e.graph.Spec().Locks
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.TaskGroup, n.Kind == nodegraph.StepGroup, n.Kind == nodegraph.Container:
		return nil
	}
	return n.Template.Locks
}
