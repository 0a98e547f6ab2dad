package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

// applyShutdown stops what the strategy stops. Rules read the strategy, so everything is looked at again, also if it
// is told once more: a restored engine knows the strategy from the specification, and not how far it was carried out.
func (e *Engine) applyShutdown(strategy string) {
	if e.shutdown == "Terminate" {
		strategy = e.shutdown // nothing is stronger
	}
	e.shutdown = strategy
	if e.started.IsZero() && strategy == "Terminate" {
		e.terminateWaiting()
	}
	e.wakeEverybody() // of what has ended, a hook that has not started may not start any more, nor is it waited for
	for i := range nodegraph.Index(e.g.Len()) {
		if !e.verdicts[i].fulfilled() && e.stops(i) {
			e.halt(i)
			e.stopLeaf(i, "workflow shutdown with strategy:  "+strategy, stoppedBy(e.shutdown).own())
		}
	}
}

// terminateWaiting ends a workflow that waits for its locks. One that a manual retry has put back there has nodes, which
// end first; it does without the locks.
func (e *Engine) terminateWaiting() {
	if !e.nodes[nodegraph.Entry].created() {
		e.stopWaiting()
		return
	}
	e.releaseLocks(nodegraph.Root)
	e.started = e.now
}

// halt notes that the shutdown found composite i unfinished.
func (e *Engine) halt(i nodegraph.Index) {
	if e.nodes[i].created() && e.g.Node(i).Kind.Composite() {
		e.inputs.halt(i, e.shutdown)
	}
}

// applyDeadline stops what is unfinished when the workflow's deadline has passed.
func (e *Engine) applyDeadline() {
	if d := e.deadline(); !e.overdue && !d.IsZero() && !e.now.Before(d) {
		e.overdue = true
		e.wakeEverybody()
		for i := nodegraph.Entry; int(i) < e.g.Len(); i++ {
			if !e.g.Node(i).InExitHandler() {
				e.stopLeaf(i, deadlineExceeded.own(), deadlineExceeded.own())
			}
		}
	}
}

// stopLeaf stops node i if it is a leaf that exists and has not ended: a pod with podMessage, what runs in no pod of
// its own, or waits for a lock, with message.
func (e *Engine) stopLeaf(i nodegraph.Index, podMessage, message string) {
	l, kind := e.leaf(i), e.nodes[i].kind
	if !l.n.created() || e.verdicts[i].fulfilled() {
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
			e.end(i, nodegraph.Failed, message, e.now)
		}
		return
	}
	stop := l.ending(StageStopped, nodegraph.Failed, message, e.instant)
	if !e.join(l, &stop) {
		return
	}
	if kind == nodegraph.Pod && !waiting { // the pod, or the one that will be in its place
		e.actOn(ActionTerminate, i, message)
	}
}

// checkTimeouts fails node i, whose timer has run out, if it is pending still: it has been so for as long as its template
// allows (Argo: checkTemplateTimeouts).
func (e *Engine) checkTimeouts(i nodegraph.Index) {
	if e.verdicts[i].phase() == nodegraph.Pending {
		e.stopLeaf(i, "timeout", "timeout")
	}
}

// seeToEnded does what else follows from a node's having ended, now that no other verdict is open: its locks are given
// back, a daemon that ends later undoes its omission no more, and what is left inside it is ended, ready daemons and all that
// a template that fails fast leaves open. It stops at the first that had anything left, which those around it may read.
func (e *Engine) seeToEnded() {
	for !e.unseen.empty() && e.swept() {
		i := e.unseen.pop()
		if !e.verdicts[i].fulfilled() {
			continue // it goes on
		}
		e.releaseLocks(i)
		switch e.verdicts[i].rule() {
		case RuleFailFast:
			e.closeMembers(i, failedFast.own())
		case RuleOmitted:
			e.setAnswer(i, AnswerOmit)
		}
		if e.daemons {
			e.endDaemonsIn(i)
		}
	}
}

// closeMembers ends everything open inside node b, which has failed: nothing inside a finished node is unfinished.
func (e *Engine) closeMembers(b nodegraph.Index, message string) {
	stack := []nodegraph.Index{b}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
			if f := &e.nodes[m]; f.created() && !e.verdicts[m].fulfilled() {
				stack = append(stack, m)
				switch {
				case e.g.Node(m).Kind.Composite():
					e.end(m, nodegraph.Failed, message, e.now)
				case f.Stage == StageEnded:
					e.endResults(m)
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
	l := e.leaf(i)
	e.closeMembers(i, err.Error())
	e.endDaemonsIn(i)
	if l.n.kind == nodegraph.Pod && l.n.created() && l.n.Stage < StageGone {
		e.actOn(ActionTerminate, i, err.Error())
	}
	e.endResults(i)
	e.fail(i, err)
	e.release(i)
	e.see(i)
}

// endDaemonsIn ends the ready daemons of boundary i: each becomes Succeeded as a fact of its own, and the host is asked
// to end its pod (Argo: killDaemonedChildren).
func (e *Engine) endDaemonsIn(i nodegraph.Index) {
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		switch e.g.Node(m).Kind {
		case nodegraph.Pod:
			if e.verdicts[m].daemoned() {
				e.end(m, nodegraph.Succeeded, "", e.now)
				e.endResults(m)
				e.release(m)
				e.actOn(ActionTerminate, m, "its boundary has ended")
			}
		case nodegraph.Retry, nodegraph.StepGroup, nodegraph.TaskGroup:
			e.endDaemonsIn(m)
		}
	}
}
