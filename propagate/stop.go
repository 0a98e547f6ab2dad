package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// stop carries out what the time and a shutdown end with this call. What the events of the call tell comes first, as in Argo, which
// looks at all pods before: a pod that is gone is not stopped, and one that runs is not pending for too long. A node is
// stopped once, by the first of these.
func (e *Engine) stop() {
	e.stops.looking = true
	e.sweep(0)
	e.stops.looking = false
	if e.stops.shutdown {
		e.stopAll(e.rules.Stops, "workflow shutdown with strategy:  "+e.facts.Shutdown, e.rules.StopText())
	}
	if e.stops.deadline {
		e.stopAll(func(i nodegraph.Index) bool { return !e.graph.Node(i).InExitHandler() }, textDeadline, textDeadline)
	}
	for _, i := range e.stops.timeouts {
		e.checkTimeouts(i)
	}
	for _, i := range e.stops.gone {
		e.sched.WakeTimer(i)
	}
	e.stops = stops{timeouts: e.stops.timeouts[:0], gone: e.stops.gone[:0]}
}

// stopAll stops all leaves that should be.
func (e *Engine) stopAll(should func(nodegraph.Index) bool, podMessage, message string) {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if should(i) {
			e.stopLeaf(i, podMessage, message)
		}
	}
}

// applyShutdown takes note of a strategy, and of the composites that it finds unfinished. Rules read the strategy, so everything
// is judged again. That holds for a strategy that is told once more, too: a restored engine does not know how far it was
// carried out.
func (e *Engine) applyShutdown(strategy string) {
	if e.facts.Shutdown == "Terminate" {
		strategy = e.facts.Shutdown // nothing is stronger
	}
	e.facts.SetShutdown(strategy)
	if e.facts.Started.IsZero() && strategy == "Terminate" {
		e.terminateWaiting()
	}
	e.sched.WakeEverybody() // of what has ended, a hook that has not started may not start any more, nor is it waited for
	for i := range nodegraph.Index(e.graph.Len()) {
		if !e.rules.Brief(i).Fulfilled() && e.rules.Stops(i) {
			e.halt(i)
		}
	}
	e.stops.shutdown = true
}

// terminateWaiting ends a workflow that waits for its locks. One that a manual retry has put back there has nodes, which
// end first; it does without the locks.
func (e *Engine) terminateWaiting() {
	if !e.facts.Node(nodegraph.Entry).Exists {
		e.facts.StopWaiting()
		return
	}
	e.releaseLocks(nodegraph.Root)
	e.facts.SetStarted(e.facts.Now)
}

// halt notes that the shutdown found composite i unfinished.
func (e *Engine) halt(i nodegraph.Index) {
	if e.facts.Node(i).Exists && e.graph.Node(i).Kind.Composite() {
		e.facts.Halt(i)
	}
}

// textDeadline is said of what a deadline stops, as Argo puts it.
const textDeadline = "Step exceeded its deadline"

// passDeadline takes note that the workflow's deadline has passed, if it has: a timer of the workflow has run out.
func (e *Engine) passDeadline() {
	if d := e.rules.Deadline(); !e.facts.Overdue && !d.IsZero() && !e.facts.Now.Before(d) {
		e.facts.SetOverdue(true)
		e.sched.WakeEverybody()
		e.stops.deadline = true
	}
}

// stopLeaf stops node i if it is a leaf that exists and has not ended. A pod gets podMessage; what runs in no pod of its own,
// or waits for a lock, gets message.
func (e *Engine) stopLeaf(i nodegraph.Index, podMessage, message string) {
	n := e.facts.Node(i)
	if !n.Exists || n.Stage >= fact.StageEnded || e.rules.Brief(i).Fulfilled() {
		return
	}
	waiting := n.Waits()
	switch n.Kind {
	case nodegraph.KindPod:
		if !waiting {
			message = podMessage
		}
	case nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin:
	default:
		if waiting {
			e.closeMembers(i, message) // a manual retry has opened it again
			e.facts.End(i, nodegraph.PhaseFailed, message, e.facts.Now)
		}
		return
	}
	if e.stopNode(i, nodegraph.PhaseFailed, message) && n.Kind == nodegraph.KindPod && !waiting { // the pod, or the one that will be in its place
		e.actOn(ActionTerminate, i, message)
	}
}

// stopNode ends leaf i in a phase, Failed or Error, with a message, and the containers of a pod that have not ended with it: nothing that is told of them
// later undoes that. It reports whether the leaf had not ended.
func (e *Engine) stopNode(i nodegraph.Index, phase nodegraph.Phase, message string) bool {
	o := e.ending(i, fact.StageStopped, phase, message, e.facts.Instant)
	stopped := e.facts.Join(i, &o)
	if stopped {
		e.endContainers(i, &o)
	}
	return stopped
}

// endContainers ends the containers of pod i that have not ended as the workflow ends the pod.
func (e *Engine) endContainers(pod nodegraph.Index, as *store.Observation) {
	for m := e.graph.First(pod); m != nodegraph.None; m = e.graph.Next(m) {
		ended := e.facts.Node(m).Stage >= fact.StageEnded && e.facts.Serial(m) >= as.Serial // and not with a pod before
		if e.facts.Node(m).Kind == nodegraph.KindContainer && !ended {
			o := *as
			o.Attempt = e.runIn(m, o.Serial)
			e.facts.Join(m, &o)
		}
	}
}

// checkTimeouts fails leaf i, whose timer has run out, if its time is over. One that runs where the host enforces timeouts is left
// to the host (Argo: checkTemplateTimeouts, and the pod's activeDeadlineSeconds).
func (e *Engine) checkTimeouts(i nodegraph.Index) {
	pending := e.rules.Brief(i).Phase() == nodegraph.PhasePending
	if !pending && e.graph.Spec().TimeoutsByHost {
		return
	}
	over := func(d time.Duration) bool { return d > 0 && e.facts.Instant >= e.facts.Created(i).Plus(d) }
	if d := e.timeoutsOf(i); over(d[0]) || pending && over(d[1]) {
		e.stopLeaf(i, textTimeout, textTimeout)
	}
}

// textTimeout is said of what has taken too long, as Argo puts it.
const textTimeout = "timeout"

// finalizeEnded releases locks, those of daemons that have become ready, too, makes last what was decided after daemons and hooks,
// and ends what is left open inside nodes that have just ended, or lives again inside what has: ready daemons, and whatever a template
// that fails fast leaves open. It stops at the first node that had anything left, since those around that may read it, and reports whether one had.
func (e *Engine) finalizeEnded() bool {
	for !e.ended.Empty() && e.sched.Empty() {
		i := e.ended.Pop()
		v := e.rules.Brief(i)
		if (!v.Fulfilled() || v.Daemoned()) && e.facts.Node(i).Exists && e.rules.WithinEnded(i) {
			e.endAgainAround(i) // it lives there
		}
		if !v.Fulfilled() {
			continue // it goes on
		}
		if e.facts.Node(i).Kind == nodegraph.KindTaskGroup {
			e.keepSuccess(i)
		}
		e.keepDecision(i)
		e.releaseLocks(i)
		if e.rules.Brief(i).Daemoned() {
			continue // it is ready, and has not ended
		}
		if e.rules.Brief(i).Rule() == rule.RuleFailFast {
			e.closeMembers(i, e.rules.MessageWords(i))
			e.failGroup(i, e.rules.MessageWords(i))
		}
		if e.facts.HasDaemons && boundaries.has(e.facts.Node(i).Kind) {
			e.endDaemonsIn(i)
		}
	}
	return !e.sched.Empty()
}

// endAgainAround ends anew the boundaries around node i that have ended, since a newer pod lives inside them that they do not wait for:
// it ends with them, as if it had been told of before they ended.
func (e *Engine) endAgainAround(i nodegraph.Index) {
	for p := e.facts.Node(i).Parent; p > nodegraph.Root; p = e.facts.Node(p).Parent {
		if boundaries.has(e.facts.Node(p).Kind) && e.rules.Brief(p).Fulfilled() {
			e.ended.Push(p)
		}
	}
}

// keepDecision makes last what was decided of node i before it was created, where that lasts.
func (e *Engine) keepDecision(i nodegraph.Index) {
	if e.facts.Node(i).Exists || !e.rules.Lasts(i) {
		return
	}
	switch words := e.rules.MessageWords(i); e.rules.Brief(i).Phase() {
	case nodegraph.PhaseOmitted:
		e.facts.SetAnswer(i, fact.AnswerOmit)
	case nodegraph.PhaseSkipped:
		e.facts.SetAnswer(i, fact.AnswerSkip)
		e.facts.Say(i, words)
	case nodegraph.PhaseError:
		e.facts.End(i, nodegraph.PhaseError, words, e.facts.Now)
	}
}

// keepSuccess makes the success of TaskGroup i last if its items are daemons: what comes after it goes on, and the end of a daemon
// does not undo that.
func (e *Engine) keepSuccess(i nodegraph.Index) {
	if e.facts.Node(i).Exists && e.graph.Node(i).Template.IsDaemon() && e.rules.Brief(i).Phase() == nodegraph.PhaseSucceeded {
		e.facts.KeepPhase(i, nodegraph.PhaseSucceeded)
	}
}

// failGroup ends the last group of Steps that have failed fast as they did, if it has ended with them: it was open when they
// were looked at (Argo: checkParallelism).
func (e *Engine) failGroup(i nodegraph.Index, message string) {
	group := nodegraph.None
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Kind == nodegraph.KindStepGroup && e.facts.Node(m).Exists {
			group = m
		}
	}
	if group != nodegraph.None && e.rules.Brief(group).Phase() == nodegraph.PhaseFailed && e.facts.Finished(group) == e.facts.Finished(i) &&
		e.rules.MessageWords(group) != message {
		e.facts.End(group, nodegraph.PhaseFailed, message, e.facts.Now)
	}
}

// closeMembers ends everything open inside node b, which has failed: nothing inside a finished node is unfinished.
func (e *Engine) closeMembers(b nodegraph.Index, message string) {
	stack := []nodegraph.Index{b}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if f := e.facts.Node(m); f.Exists && !e.rules.Brief(m).Fulfilled() {
				stack = append(stack, m)
				switch {
				case e.graph.Node(m).Kind.Composite():
					e.facts.End(m, nodegraph.PhaseFailed, message, e.facts.Now)
				case f.Stage == fact.StageEnded:
					e.facts.EndResults(m)
				default:
					e.stopLeaf(m, message, message)
				}
			}
		}
	}
}

// endDaemonsIn ends the daemons of boundary i: each becomes Succeeded as a fact of its own, and the host is asked to end its pod
// (Argo: killDaemonedChildren). One that is tried again ends with it, too: nobody waited for that.
func (e *Engine) endDaemonsIn(i nodegraph.Index) {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		n, v := e.facts.Node(m), e.rules.Brief(m)
		open := n.Exists && !v.Fulfilled()
		switch n.Kind {
		case nodegraph.KindPod:
			switch {
			case v.Daemoned(), open && n.IsDaemon && n.Stage < fact.StageEnded:
				e.endDaemon(m)
			case open && n.IsDaemon:
				e.facts.EndResults(m)
			}
		case nodegraph.KindStepGroup, nodegraph.KindTaskGroup:
			e.endDaemonsIn(m)
		case nodegraph.KindRetry:
			last := e.graph.Last(m)
			between := open && e.graph.Node(m).Template.IsDaemon() && last != nodegraph.None && // two attempts, if only for results of the first
				(e.facts.Node(last).Stage == fact.StageEnded || e.rules.OpenMember(m) == nodegraph.None)
			e.endDaemonsIn(m)
			if between {
				e.facts.End(m, e.rules.Brief(last).Phase(), rule.TextClosed, e.facts.Now)
			}
		}
	}
}

// endDaemon ends the ready daemon of node m, and its containers with it.
func (e *Engine) endDaemon(m nodegraph.Index) {
	o := e.ending(m, fact.StageEnded, nodegraph.PhaseSucceeded, "", e.facts.Instant)
	e.endContainers(m, &o)
	for c := e.graph.First(m); c != nodegraph.None; c = e.graph.Next(c) {
		e.facts.Release(c)
	}
	e.facts.End(m, nodegraph.PhaseSucceeded, "", e.facts.Now)
	e.facts.EndResults(m)
	e.facts.Release(m)
	e.actOn(ActionTerminate, m, textBoundary)
}
