package propagate

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// retryRule: a Retry node asks package retry what its attempts and the time say (Argo: processNodeRetries). While its
// last attempt is unfinished it runs; a ready daemon makes it a ready daemon.
func (w *evalContext) retryRule(i nodegraph.Index) ruling {
	last := w.graph.Last(i)
	if last != nodegraph.None {
		if v := w.verdicts[last]; v.daemoned() {
			return daemonReady(last)
		} else if !v.fulfilled() {
			return running(RuleMembersOpen, last)
		}
		if w.facts.nodes[i].Halted && w.verdicts[last].phase().Unsuccessful() {
			v := settled(nodegraph.Failed, said(stoppedBy(w.facts.more(&w.facts.details[i]).halted)), RuleRetry, last)
			v.verdict = v.decidedBy(retry.StepShutdown)
			return v
		}
	}
	var few [8]retry.Attempt
	d := w.graph.Node(i).Template.Retry.Decide(w.attempts(i, few[:0]), w.environment(i))
	v := running(RuleRetry, last)
	switch d.Verb {
	case retry.Wait:
		v.message, v.wake = message{kind: messageBackoff, number: int64(d.Backoff)}, stampOf(d.Until)
	case retry.Start:
		v.verdict = v.wanting(wantAttempt)
		if !d.ExecutionDeadline.IsZero() {
			v.wake = stampOf(d.ExecutionDeadline) + 1 // it may be held back until it is too late
		}
	case retry.Succeed:
		v = settled(nodegraph.Succeeded, message{}, RuleRetry, last)
	case retry.Stop:
		v = settled(phaseOf(d.Outcome), w.stopMessage(i, last, &d), RuleRetry, last)
	}
	v.verdict = v.decidedBy(d.Step)
	return v
}

// stopMessage says why a Retry ends that made its last attempt.
func (w *evalContext) stopMessage(i, last nodegraph.Index, d *retry.Decision) message {
	switch d.Step {
	case retry.StepDeadline:
		return message{kind: messageRetryDeadline, number: w.deadline().Unix()}
	case retry.StepMaxDuration:
		if d.Message == backoffTooLong.own() {
			return said(backoffTooLong)
		}
		return said(maxDuration)
	case retry.StepLimit:
		return said(noMoreRetries)
	case retry.StepExpression:
		if d.Outcome == retry.Errored && d.Message != expressionFalse.own() {
			return message{kind: messageExpressionError, node: i}
		}
		return said(expressionFalse)
	}
	return w.messages[last] // by a rule or the policy
}

func (w *evalContext) environment(i nodegraph.Index) retry.Environment {
	return retry.Environment{Now: w.facts.now, Key: w.graph.Node(i).ID(), Deadline: w.deadline()}
}

// attempts describes the attempts of Retry i to package retry.
func (w *evalContext) attempts(i nodegraph.Index, into []retry.Attempt) []retry.Attempt {
	for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
		d, v := &w.facts.details[m], w.verdicts[m]
		a := retry.Attempt{
			Outcome: outcomeOf(v), Message: w.message(m), Reason: w.facts.more(d).reason,
			ExitCode: int(d.exitCode), HasExitCode: d.hasExit, Started: d.created.time(), Finished: w.facts.finished[m].time(),
		}
		if c := w.facts.more(d).conditions; c != "" {
			a.Conditions = strings.Split(c, ",")
		}
		if w.facts.nodes[m].Stage == StageGone {
			a.Reason = retry.ReasonPodDeleted
		}
		into = append(into, a)
	}
	return into
}

func outcomeOf(v verdict) retry.Outcome {
	switch {
	case !v.fulfilled():
		return retry.Unfinished
	case v.phase() == nodegraph.Failed:
		return retry.Failed
	case v.phase() == nodegraph.Error:
		return retry.Errored
	}
	return retry.Succeeded
}

func phaseOf(o retry.Outcome) nodegraph.Phase {
	if o == retry.Errored {
		return nodegraph.Error
	}
	return nodegraph.Failed
}
