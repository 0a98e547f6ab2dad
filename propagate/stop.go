package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// applyShutdown stops what the strategy stops. Rules read the strategy, so everything is judged again. That holds for a
// strategy that is told once more, too: a restored engine does not know how far it was carried out.
func (e *Engine) applyShutdown(strategy string) {
	if e.facts.Shutdown() == "Terminate" {
		strategy = e.facts.Shutdown() // nothing is stronger
	}
	e.facts.SetShutdown(strategy)
	if e.facts.Started().IsZero() && strategy == "Terminate" {
		e.terminateWaiting()
	}
	e.sched.WakeEverybody() // of what has ended, a hook that has not started may not start any more, nor is it waited for
	for i := range nodegraph.Index(e.graph.Len()) {
		if !e.rules.Brief(i).Fulfilled() && e.rules.Stops(i) {
			e.halt(i)
			e.stopLeaf(i, "workflow shutdown with strategy:  "+strategy, e.rules.StopText())
		}
	}
}

// terminateWaiting ends a workflow that waits for its locks. One that a manual retry has put back there has nodes, which
// end first; it does without the locks.
func (e *Engine) terminateWaiting() {
	if !e.facts.Node(nodegraph.Entry).Exists() {
		e.facts.StopWaiting()
		return
	}
	e.releaseLocks(nodegraph.Root)
	e.facts.SetStarted(e.facts.Now())
}

// halt notes that the shutdown found composite i unfinished.
func (e *Engine) halt(i nodegraph.Index) {
	if e.facts.Node(i).Exists() && e.graph.Node(i).Kind.Composite() {
		e.facts.Halt(i)
	}
}

// textDeadline is said of what a deadline stops, as Argo puts it.
const textDeadline = "Step exceeded its deadline"

// applyDeadline stops what is unfinished when the workflow's deadline has passed.
func (e *Engine) applyDeadline() {
	if d := e.rules.Deadline(); !e.facts.Overdue() && !d.IsZero() && !e.facts.Now().Before(d) {
		e.facts.SetOverdue(true)
		e.sched.WakeEverybody()
		for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
			if !e.graph.Node(i).InExitHandler() {
				e.stopLeaf(i, textDeadline, textDeadline)
			}
		}
	}
}

// stopLeaf stops node i if it is a leaf that exists and has not ended. A pod gets podMessage; what runs in no pod of its own,
// or waits for a lock, gets message.
func (e *Engine) stopLeaf(i nodegraph.Index, podMessage, message string) {
	n := e.facts.Node(i)
	if !n.Exists() || e.rules.Brief(i).Fulfilled() {
		return
	}
	waiting := n.Lock() == fact.LockWaits
	switch n.Kind() {
	case nodegraph.KindPod:
		if !waiting {
			message = podMessage
		}
	case nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin:
	default:
		if waiting {
			e.facts.End(i, nodegraph.PhaseFailed, message, e.facts.Now())
		}
		return
	}
	stop := e.ending(i, fact.StageStopped, nodegraph.PhaseFailed, message, e.facts.Instant())
	if !e.facts.Join(i, &stop) {
		return
	}
	if n.Kind() == nodegraph.KindPod && !waiting { // the pod, or the one that will be in its place
		e.actOn(ActionTerminate, i, message)
	}
}

// checkTimeouts fails node i, whose timer has run out, if it is pending still: it has been so for as long as its template
// allows (Argo: checkTemplateTimeouts).
func (e *Engine) checkTimeouts(i nodegraph.Index) {
	if e.rules.Brief(i).Phase() == nodegraph.PhasePending {
		e.stopLeaf(i, "timeout", "timeout")
	}
}

// finalizeEnded releases locks, makes omissions final, and ends what is left open inside nodes that have just ended: ready
// daemons, and whatever a template that fails fast leaves open. Of a daemon that has become ready it releases the locks. A daemon that ends later does not undo an omission. It
// stops at the first node that had anything left, since those around that may read it, and reports whether one had.
func (e *Engine) finalizeEnded() bool {
	for !e.ended.empty() && e.sched.Empty() {
		i := e.ended.pop()
		if !e.rules.Brief(i).Fulfilled() {
			continue // it goes on
		}
		e.releaseLocks(i)
		if e.rules.Brief(i).Daemoned() {
			continue // it is ready, and has not ended
		}
		switch e.rules.Brief(i).Rule() {
		case rule.RuleFailFast:
			e.closeMembers(i, e.rules.MessageWords(i))
		case rule.RuleOmitted:
			e.facts.SetAnswer(i, fact.AnswerOmit)
		}
		if e.facts.HasDaemons() {
			e.endDaemonsIn(i)
		}
	}
	return !e.sched.Empty()
}

// closeMembers ends everything open inside node b, which has failed: nothing inside a finished node is unfinished.
func (e *Engine) closeMembers(b nodegraph.Index, message string) {
	stack := []nodegraph.Index{b}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if f := e.facts.Node(m); f.Exists() && !e.rules.Brief(m).Fulfilled() {
				stack = append(stack, m)
				switch {
				case e.graph.Node(m).Kind.Composite():
					e.facts.End(m, nodegraph.PhaseFailed, message, e.facts.Now())
				case f.Stage() == fact.StageEnded:
					e.facts.EndResults(m)
				default:
					e.stopLeaf(m, message, message)
				}
			}
		}
	}
}

// endDaemonsIn ends the ready daemons of boundary i: each becomes Succeeded as a fact of its own, and the host is asked
// to end its pod (Argo: killDaemonedChildren).
func (e *Engine) endDaemonsIn(i nodegraph.Index) {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		switch e.graph.Node(m).Kind {
		case nodegraph.KindPod:
			if e.rules.Brief(m).Daemoned() {
				e.facts.End(m, nodegraph.PhaseSucceeded, "", e.facts.Now())
				e.facts.EndResults(m)
				e.facts.Release(m)
				e.actOn(ActionTerminate, m, "its boundary has ended")
			}
		case nodegraph.KindRetry, nodegraph.KindStepGroup, nodegraph.KindTaskGroup:
			e.endDaemonsIn(m)
		}
	}
}
