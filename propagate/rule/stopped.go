package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// stoppedBy says that a shutdown with this strategy stopped a node.
func stoppedBy(strategy string) Message {
	if strategy == "Stop" {
		return Message{kind: messageStop}
	}
	return Message{kind: messageTerminate}
}

// Stops reports whether the shutdown in force applies to node i: Stop spares exit handlers (Argo: ShouldExecute).
func (e *Evaluator) Stops(i nodegraph.Index) bool {
	return e.facts.Shutdown() == "Terminate" || e.facts.Shutdown() == "Stop" && !e.graph.Node(i).InExitHandler()
}

// Barred reports whether a shutdown, the deadline or something around it that only ends keeps node i from running.
func (e *Evaluator) Barred(i nodegraph.Index) bool {
	return e.Stops(i) || e.facts.Overdue() && !e.graph.Node(i).InExitHandler() || e.WithinClosing(i)
}

// WithinClosing reports whether node i is inside a composite that only ends: nothing starts there any more.
func (e *Evaluator) WithinClosing(i nodegraph.Index) bool {
	if !e.facts.HasClosing() {
		return false
	}
	for p := e.facts.Node(i).Parent(); p > nodegraph.Root; p = e.facts.Node(p).Parent() {
		if e.facts.Node(p).Closing() {
			return true
		}
	}
	return false
}

// WithinEnded reports whether node i is inside something that has ended. A TaskGroup that ended with its items does not count:
// their hooks outlive it.
func (e *Evaluator) WithinEnded(i nodegraph.Index) bool {
	for p := e.graph.Node(i).Parent; p != nodegraph.None; p = e.graph.Node(p).Parent {
		if v, n := e.briefs[p], e.facts.Node(p); v.Fulfilled() && !v.Daemoned() && (n.Kind() != nodegraph.TaskGroup || n.Stage() == fact.StageEnded) {
			return true
		}
	}
	return false
}

// TextStopped says that a shutdown with this strategy stopped a node.
func TextStopped(strategy string) string { return texts[stoppedBy(strategy).kind] }
