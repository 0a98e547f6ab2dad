package rule

import (
	"time"

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

// StopText says that the shutdown in force stopped a node.
func (e *Evaluator) StopText() string { return texts[stoppedBy(e.facts.Shutdown).kind] }

// Stops reports whether the shutdown in force applies to node i: Stop spares exit handlers (Argo: ShouldExecute).
func (e *Evaluator) Stops(i nodegraph.Index) bool {
	return e.facts.Shutdown == "Terminate" || e.facts.Shutdown == "Stop" && !e.graph.Node(i).InExitHandler()
}

// Barred reports whether a shutdown, the deadline or something around it that only ends keeps node i from running.
func (e *Evaluator) Barred(i nodegraph.Index) bool {
	return e.Stops(i) || e.facts.Overdue && !e.graph.Node(i).InExitHandler() || e.WithinClosing(i)
}

// WithinClosing reports whether node i is inside a composite that only ends: nothing starts there any more.
func (e *Evaluator) WithinClosing(i nodegraph.Index) bool {
	if !e.facts.HasClosing {
		return false
	}
	for p := e.facts.Node(i).Parent; p > nodegraph.Root; p = e.facts.Node(p).Parent {
		if e.facts.Node(p).Closing() {
			return true
		}
	}
	return false
}

// WithinEnded reports whether node i is inside something that has ended. A TaskGroup that ended with its items does not count:
// their hooks outlive it. Groups and Retries do not count for a daemon: it lives, and is tried again, until its boundary ends.
// Around a boundary that is open nothing has ended.
func (e *Evaluator) WithinEnded(i nodegraph.Index) bool {
	daemon := e.isDaemon(i)
	for p := e.graph.Node(i).Parent; p != nodegraph.None; p = e.graph.Node(p).Parent {
		v, n := e.briefs[p], e.facts.Node(p)
		switch n.Kind {
		case nodegraph.KindTaskGroup:
			if daemon || n.Stage != fact.StageEnded {
				continue
			}
		case nodegraph.KindStepGroup, nodegraph.KindRetry:
			if daemon {
				continue
			}
		}
		if v.Fulfilled() && !v.Daemoned() {
			return true
		}
	}
	return false
}

// Deadline is when the workflow's activeDeadlineSeconds are over; zero if it has none or has not started.
func (e *Evaluator) Deadline() time.Time {
	d := e.graph.Spec().ActiveDeadline
	if d == 0 || e.facts.Started.IsZero() {
		return time.Time{}
	}
	return e.facts.Started.Truncate(time.Second).Add(d)
}
