package rule

import (
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/retry"
)

// retryRule: a Retry node asks package retry what its attempts and the time say (Argo: processNodeRetries). While its
// last attempt is unfinished it runs; a ready daemon makes it a ready daemon.
func (e *Evaluator) retryRule(i nodegraph.Index) Ruling {
	last := e.graph.Last(i)
	if last != nodegraph.None {
		if v := e.briefs[last]; v.Daemoned() {
			return daemonReady(retry1, last)
		} else if !v.Fulfilled() {
			return running(retry2, last)
		}
		if e.facts.Node(i).Halted && e.briefs[last].Phase().Unsuccessful() {
			v := settled(nodegraph.PhaseFailed, stoppedBy(e.facts.Halted(i)), retry3, last)
			v.Brief = v.decidedBy(retry.CheckShutdown)
			return v
		}
	}
	var few [8]retry.Attempt
	d := e.graph.Node(i).Template.Retry.Decide(e.attempts(i, few[:0]), e.environment(i))
	var v Ruling
	switch d.Verb {
	case retry.Wait:
		v = running(retry4, last)
		v.Message, v.Wake = Message{kind: messageBackoff, number: int64(d.Backoff)}, store.StampOf(d.Until)
	case retry.Start:
		v = running(retry5, last)
		v.Brief |= wantAttempt
		if !d.ExecutionDeadline.IsZero() {
			v.Wake = store.StampOf(d.ExecutionDeadline) + 1 // it may be held back until it is too late
		}
	case retry.Succeed:
		v = settled(nodegraph.PhaseSucceeded, Message{}, retry6, last)
	case retry.Stop:
		v = settled(phaseOf(d.Outcome), e.stopMessage(i, last, &d), retry7, last)
	}
	v.Brief = v.decidedBy(d.Check)
	return v
}

// stopMessage says why a Retry ends that made its last attempt.
func (e *Evaluator) stopMessage(i, last nodegraph.Index, d *retry.Decision) Message {
	switch d.Check {
	case retry.CheckDeadline:
		return Message{kind: messageRetryDeadline, number: e.Deadline().Unix()}
	case retry.CheckMaxDuration:
		if d.Message == textBackoffTooLong {
			return Message{kind: messageBackoffTooLong}
		}
		return Message{kind: messageMaxDuration}
	case retry.CheckLimit:
		return Message{kind: messageNoMoreRetries}
	case retry.CheckExpression:
		if d.Message != textExpressionFalse {
			return about(messageExpressionError, i)
		}
		return Message{kind: messageExpressionFalse}
	}
	return e.messages[last] // by a rule or the policy
}

// environment is what is around the attempts of Retry i. It decides when it is looked at: one that has ended as of then.
func (e *Evaluator) environment(i nodegraph.Index) retry.Environment {
	looked := e.facts.Now
	if ended := e.facts.Finished(i); ended != 0 {
		looked = ended.Time()
	}
	return retry.Environment{Now: looked, Seen: looked, Key: e.graph.Node(i).ID(), Deadline: e.Deadline(), Transient: e.graph.TransientErrors()}
}

// attempts describes the attempts of Retry i, all of which have ended, to package retry. They began in a whole second, since a
// controller reads that from its object.
func (e *Evaluator) attempts(i nodegraph.Index, into []retry.Attempt) []retry.Attempt {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		exit, hasExit := e.facts.Exit(m)
		a := retry.Attempt{
			Outcome: e.briefs[m].Outcome(), Message: e.MessageWords(m), Reason: e.facts.Reason(m),
			ExitCode: exit, HasExitCode: hasExit, Started: e.facts.Created(m).Time().Truncate(time.Second), Finished: e.facts.Finished(m).Time(),
		}
		if a.Started.IsZero() {
			a.Started = a.Finished // it ended without being created
		}
		if e.facts.Undated(m) {
			a.Finished = time.Time{}
		}
		if c := e.facts.Conditions(m); c != "" {
			a.Conditions = strings.Split(c, ",")
		}
		if e.facts.Node(m).Stage == fact.StageGone {
			a.Reason = retry.ReasonPodDeleted
		}
		into = append(into, a)
	}
	return into
}

// Outcome is a verdict on an attempt in the terms of package retry.
func (v Brief) Outcome() retry.Outcome {
	switch {
	case !v.Fulfilled():
		return retry.Unfinished
	case v.Phase() == nodegraph.PhaseFailed:
		return retry.Failed
	case v.Phase() == nodegraph.PhaseError:
		return retry.Errored
	}
	return retry.Succeeded
}

// phaseOf is the phase of a Retry that ends with an outcome.
func phaseOf(o retry.Outcome) nodegraph.Phase {
	if o == retry.Errored {
		return nodegraph.PhaseError
	}
	return nodegraph.PhaseFailed
}
