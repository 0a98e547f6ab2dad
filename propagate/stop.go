package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

// applyShutdown stops what the strategy stops. Rules read the strategy, so everything is looked at again, also if it
// is told once more: a restored engine knows the strategy from the specification, and not how far it was carried out.
func (e *Engine) applyShutdown(strategy string) {
	if e.facts.shutdown == "Terminate" {
		strategy = e.facts.shutdown // nothing is stronger
	}
	e.facts.shutdown = strategy
	if e.facts.started.IsZero() && strategy == "Terminate" {
		e.terminateWaiting()
	}
	e.wakeEverybody() // of what has ended, a hook that has not started may not start any more, nor is it waited for
	for i := range nodegraph.Index(e.graph.Len()) {
		if !e.eval.verdicts[i].fulfilled() && e.eval.stops(i) {
			e.halt(i)
			e.stopLeaf(i, "workflow shutdown with strategy:  "+strategy, stoppedBy(e.facts.shutdown).own())
		}
	}
}

// terminateWaiting ends a workflow that waits for its locks. One that a manual retry has put back there has nodes, which
// end first; it does without the locks.
func (e *Engine) terminateWaiting() {
	if !e.facts.nodes[nodegraph.Entry].created() {
		e.facts.stopWaiting()
		return
	}
	e.releaseLocks(nodegraph.Root)
	e.facts.started = e.facts.now
}

// halt notes that the shutdown found composite i unfinished.
func (e *Engine) halt(i nodegraph.Index) {
	if e.facts.nodes[i].created() && e.graph.Node(i).Kind.Composite() {
		e.facts.halt(i, e.facts.shutdown)
	}
}

// applyDeadline stops what is unfinished when the workflow's deadline has passed.
func (e *Engine) applyDeadline() {
	if d := e.eval.deadline(); !e.facts.overdue && !d.IsZero() && !e.facts.now.Before(d) {
		e.facts.overdue = true
		e.wakeEverybody()
		for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
			if !e.graph.Node(i).InExitHandler() {
				e.stopLeaf(i, deadlineExceeded.own(), deadlineExceeded.own())
			}
		}
	}
}

// stopLeaf stops node i if it is a leaf that exists and has not ended: a pod with podMessage, what runs in no pod of
// its own, or waits for a lock, with message.
func (e *Engine) stopLeaf(i nodegraph.Index, podMessage, message string) {
	l, kind := e.facts.leaf(i), e.facts.nodes[i].kind
	if !l.n.created() || e.eval.verdicts[i].fulfilled() {
		return
	}
	waiting := l.n.Lock == LockWaits
	switch kind {
	case nodegraph.Pod:
		if !waiting {
			message = podMessage
		}
	case nodegraph.Suspend, nodegraph.HTTP, nodegraph.Plugin:
	default:
		if waiting {
			e.facts.end(i, nodegraph.Failed, message, e.facts.now)
		}
		return
	}
	stop := l.ending(StageStopped, nodegraph.Failed, message, e.facts.instant)
	if !e.facts.join(l, &stop) {
		return
	}
	if kind == nodegraph.Pod && !waiting { // the pod, or the one that will be in its place
		e.actOn(ActionTerminate, i, message)
	}
}

// checkTimeouts fails node i, whose timer has run out, if it is pending still: it has been so for as long as its template
// allows (Argo: checkTemplateTimeouts).
func (e *Engine) checkTimeouts(i nodegraph.Index) {
	if e.eval.verdicts[i].phase() == nodegraph.Pending {
		e.stopLeaf(i, "timeout", "timeout")
	}
}

// finalizeEnded does what follows from a node's having ended, now that no other verdict is open: its locks are given back, an
// omission is made final, since a daemon that ends later does not undo it, and what is left open inside the node is ended:
// ready daemons, and all that a template that fails fast leaves open. It stops at the first that had anything left, which
// those around it may read, and reports whether one had.
func (e *Engine) finalizeEnded() bool {
	for !e.sched.endedQueue.empty() && e.swept() {
		i := e.sched.endedQueue.pop()
		if !e.eval.verdicts[i].fulfilled() {
			continue // it goes on
		}
		e.releaseLocks(i)
		switch e.eval.verdicts[i].rule() {
		case RuleFailFast:
			e.closeMembers(i, failedFast.own())
		case RuleOmitted:
			e.facts.setAnswer(i, AnswerOmit)
		}
		if e.facts.daemons {
			e.endDaemonsIn(i)
		}
	}
	return !e.swept()
}

// closeMembers ends everything open inside node b, which has failed: nothing inside a finished node is unfinished.
func (e *Engine) closeMembers(b nodegraph.Index, message string) {
	stack := []nodegraph.Index{b}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if f := &e.facts.nodes[m]; f.created() && !e.eval.verdicts[m].fulfilled() {
				stack = append(stack, m)
				switch {
				case e.graph.Node(m).Kind.Composite():
					e.facts.end(m, nodegraph.Failed, message, e.facts.now)
				case f.Stage == StageEnded:
					e.facts.endResults(m)
				default:
					e.stopLeaf(m, message, message)
				}
			}
		}
	}
}

// failUnhooked ends node i in Error, and with it what is open of it, and its daemons: one of its hooks could not be added. It
// has none any more.
func (e *Engine) failUnhooked(i nodegraph.Index, err error) {
	l := e.facts.leaf(i)
	e.closeMembers(i, err.Error())
	e.endDaemonsIn(i)
	if l.n.kind == nodegraph.Pod && l.n.created() && l.n.Stage < StageGone {
		e.actOn(ActionTerminate, i, err.Error())
	}
	e.facts.endResults(i)
	e.fail(i, err)
	e.facts.release(i)
	e.facts.see(i)
}

// endDaemonsIn ends the ready daemons of boundary i: each becomes Succeeded as a fact of its own, and the host is asked
// to end its pod (Argo: killDaemonedChildren).
func (e *Engine) endDaemonsIn(i nodegraph.Index) {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		switch e.graph.Node(m).Kind {
		case nodegraph.Pod:
			if e.eval.verdicts[m].daemoned() {
				e.facts.end(m, nodegraph.Succeeded, "", e.facts.now)
				e.facts.endResults(m)
				e.facts.release(m)
				e.actOn(ActionTerminate, m, "its boundary has ended")
			}
		case nodegraph.Retry, nodegraph.StepGroup, nodegraph.TaskGroup:
			e.endDaemonsIn(m)
		}
	}
}
