package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// finalizeEnded does what follows from a node's having ended, now that no other verdict is open: its locks are given back, an
// omission is made final, since a daemon that ends later does not undo it, and what is left open inside the node is ended:
// ready daemons, and all that a template that fails fast leaves open. It stops at the first that had anything left, which
// those around it may read, and reports whether one had.
func (e *Engine) finalizeEnded() bool {
	for !e.ended.empty() && e.sched.Empty() {
		i := e.ended.pop()
		if !e.rules.Brief(i).Fulfilled() {
			continue // it goes on
		}
		e.releaseLocks(i)
		switch e.rules.Brief(i).Rule() {
		case rule.RuleFailFast:
			e.closeMembers(i, rule.TextFailedFast)
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
					e.facts.End(m, nodegraph.Failed, message, e.facts.Now())
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
		case nodegraph.Pod:
			if e.rules.Brief(m).Daemoned() {
				e.facts.End(m, nodegraph.Succeeded, "", e.facts.Now())
				e.facts.EndResults(m)
				e.facts.Release(m)
				e.actOn(ActionTerminate, m, "its boundary has ended")
			}
		case nodegraph.Retry, nodegraph.StepGroup, nodegraph.TaskGroup:
			e.endDaemonsIn(m)
		}
	}
}
