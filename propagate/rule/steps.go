package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// stepsRule: the groups of a Steps node run one after the other; the first that failed ends it, with its message, once
// no group is open. The lines on templates that fail fast are failFastRule.
func (e *Evaluator) stepsRule(i nodegraph.Index) Ruling {
	failed := nodegraph.None
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		switch v := e.briefs[m]; {
		case v.Phase().Unsuccessful() && failed == nodegraph.None:
			failed = m
		case !v.Fulfilled() && (failed == nodegraph.None || e.facts.Node(m).Exists):
			return running(steps3, m)
		}
	}
	if failed != nodegraph.None {
		return settled(nodegraph.PhaseFailed, e.messages[failed], steps4, failed)
	}
	return settled(nodegraph.PhaseSucceeded, Message{}, steps5, nodegraph.None)
}

// stepGroupRule: a StepGroup is done when its steps, their items and their hooks are; the first declared step that
// failed without continueOn decides. Once the next group was created, daemons in it are not waited for.
func (e *Evaluator) stepGroupRule(i nodegraph.Index) Ruling {
	if m := e.firstOpen(i, e.passed(i)); m != nodegraph.None {
		return running(stepGroup1, m)
	}
	failed := e.failedStep(i)
	if failed == nodegraph.None {
		return settled(nodegraph.PhaseSucceeded, Message{}, stepGroup2, nodegraph.None)
	}
	if !e.facts.Node(failed).Exists && e.messages[failed].kind != messageTooDeep { // its when is not a condition
		return settled(nodegraph.PhaseError, e.messages[failed], stepGroup3, failed)
	}
	return settled(nodegraph.PhaseFailed, about(messageChildFailed, failed), stepGroup4, failed)
}

// failedStep is the first step of group i that failed and counts.
func (e *Evaluator) failedStep(i nodegraph.Index) nodegraph.Index {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		n, v := e.graph.Node(m), e.briefs[m]
		if v.Phase().Unsuccessful() && n.Task != nil && !n.Task.ContinueOn.Covers(v.Phase()) {
			return m
		}
	}
	return nodegraph.None
}

// passed reports whether node i is a StepGroup after which the next was created, and not opened again by a manual retry, when that
// waits for the group anew. After a group that a manual retry has opened the next is the first that did not stay as it had ended.
func (e *Evaluator) passed(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	if n.Role != nodegraph.RoleGroup {
		return false
	}
	reopened := e.facts.Node(i).Reopened
	for k := int(n.DeclIndex) + 1; k < len(n.Template.Steps); k++ {
		next := e.facts.Node(e.graph.MemberAt(n.Parent, int32(k)))
		if !reopened || next.Stage != fact.StageEnded {
			return next.Exists && !next.Reopened
		}
	}
	return false
}
