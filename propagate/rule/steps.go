package rule

import "github.com/nodestatus/nodestatus/nodegraph"

// stepsRule: the groups of a Steps node run one after the other; the first that failed ends it, with its message, once
// no group is open.
func (e *Evaluator) stepsRule(i nodegraph.Index) Ruling {
	if v, decided := e.failFastRule(i, false, steps1); decided {
		return v
	}
	failed := nodegraph.None
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		switch v := e.briefs[m]; {
		case v.Phase().Unsuccessful() && failed == nodegraph.None:
			failed = m
		case !v.Fulfilled() && (failed == nodegraph.None || e.facts.Node(m).Exists()):
			return e.boundaryOpen(i, m, steps2, steps3)
		}
	}
	if failed != nodegraph.None {
		return settled(nodegraph.PhaseFailed, e.messages[failed], steps4, failed)
	}
	return e.failedFastRule(i, settled(nodegraph.PhaseSucceeded, Message{}, steps5, nodegraph.None), steps1)
}

// stepGroupRule: a StepGroup is done when its steps, their items and their hooks are; the first declared step that
// failed without continueOn decides. Once the next group was created, daemons in it are not waited for.
func (e *Evaluator) stepGroupRule(i nodegraph.Index) Ruling {
	if m, open := e.firstOpen(i, e.passed(i)); open {
		return running(stepGroup1, m)
	}
	failed := e.failedStep(i)
	if failed == nodegraph.None {
		return settled(nodegraph.PhaseSucceeded, Message{}, stepGroup2, nodegraph.None)
	}
	if !e.facts.Node(failed).Exists() && e.messages[failed].kind != messageTooDeep { // its when is not a condition
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
