package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// evaluate returns the verdict on node i, of which n is the record: the rule table. Each kind has one rule.
func (w *evalContext) evaluate(i nodegraph.Index, n *node) ruling {
	if i == nodegraph.Root {
		return w.workflowRule()
	}
	var v ruling
	switch {
	case !n.exists:
		v = w.plannedRule(i, n)
	case n.kind.Composite():
		v = w.compositeRule(i)
	case n.Lock == LockWaits && n.Stage < StageStopped:
		v = pending(RuleLockWait, w.facts.told(i))
	case n.kind == nodegraph.Pod:
		v = w.podRule(i, n)
	case n.kind == nodegraph.Container:
		v = w.containerRule(i)
	case n.kind == nodegraph.Suspend:
		v = w.suspendRule(i)
	default:
		v = w.servedRule(i)
	}
	if n.traits&traitHooked != 0 && w.hooksDue(i, v) {
		v.verdict = v.wanting(wantHook)
	}
	return v
}

// compositeRule is the rule of what has others inside it.
func (w *evalContext) compositeRule(i nodegraph.Index) ruling {
	n := &w.facts.nodes[i]
	switch {
	case w.facts.root().Stage == StageEnded && n.Phase.Settled():
		return settled(n.Phase, w.facts.told(i), RuleComplete, nodegraph.None) // a complete workflow is as it was recorded
	case n.Stage == StageEnded:
		return w.wholeRule(i)
	case n.closing():
		return w.closingRule(i)
	case n.Lock == LockWaits:
		return pending(RuleLockWait, w.facts.told(i))
	}
	v := w.membersRule(i)
	if w.facts.closing && !v.fulfilled() && w.withinClosing(i) && w.openMember(i) == nodegraph.None {
		return settled(nodegraph.Failed, said(closedAround), RuleWhole, nodegraph.None) // what it waits for never starts
	}
	if n.Waited && v.phase() == nodegraph.Running {
		v.verdict = v.verdict&^verdictPhase | verdict(nodegraph.Pending) // Argo never sets a composite that waited for a lock to Running
	}
	return v
}

// membersRule is the rule of a composite that goes by what is inside it.
func (w *evalContext) membersRule(i nodegraph.Index) ruling {
	switch w.facts.nodes[i].kind {
	case nodegraph.DAG:
		return w.dagRule(i)
	case nodegraph.Steps:
		return w.stepsRule(i)
	case nodegraph.StepGroup:
		return w.stepGroupRule(i)
	case nodegraph.TaskGroup:
		return w.taskGroupRule(i)
	}
	return w.retryRule(i)
}

// settled is the ruling on a node that has ended.
func settled(p nodegraph.Phase, m message, r Rule, by nodegraph.Index) ruling {
	return ruling{verdict: newVerdict(p, r), message: m, by: by}
}

func running(r Rule, by nodegraph.Index) ruling {
	return ruling{verdict: newVerdict(nodegraph.Running, r), by: by}
}

func pending(r Rule, m message) ruling {
	return ruling{verdict: newVerdict(nodegraph.Pending, r), message: m, by: nodegraph.None}
}

// daemonReady is the ruling on a daemon that is ready.
func daemonReady(by nodegraph.Index) ruling {
	return ruling{verdict: newVerdict(nodegraph.Running, RuleDaemonReady) | verdictFulfilled | verdictDaemoned, by: by}
}

// planned is the ruling on a node that was not created.
func planned(r Rule, by nodegraph.Index, w want) ruling {
	return ruling{verdict: newVerdict(nodegraph.Planned, r).wanting(w), by: by}
}

// workflowRule: the workflow waits for its locks, then ends as its entry node does once its hooks and its exit
// handler have ended; an exit handler that fails makes a workflow that succeeded fail.
func (w *evalContext) workflowRule() ruling {
	waiting := w.facts.told(nodegraph.Root)
	switch root := w.facts.root(); {
	case root.Stage == StageEnded: // it was complete when it was loaded: that is final
		return settled(root.Phase, waiting, RuleComplete, nodegraph.None)
	case root.Stage == StageStopped: // terminated before it ever held its locks
		return settled(nodegraph.Failed, said(stoppedBy(w.facts.shutdown)), RuleShutdown, nodegraph.None)
	case w.facts.started.IsZero() && root.Lock == LockNone:
		return planned(RuleReady, nodegraph.None, 0)
	case root.Lock == LockAsked, root.Lock == LockWaits:
		return pending(RuleLockWait, waiting)
	}
	entry := w.verdicts[nodegraph.Entry]
	if !entry.fulfilled() {
		return running(RuleMembersOpen, nodegraph.Entry)
	}
	exit := nodegraph.None
	for m := w.graph.First(nodegraph.Root); m != nodegraph.None; m = w.graph.Next(m) {
		if !w.verdicts[m].fulfilled() {
			return running(RuleExitHandler, m)
		}
		if _, h := w.graph.Owner(m); h != nil && h == w.graph.OnExit() {
			exit = m
		}
	}
	if entry.want()&wantHook != 0 {
		return running(RuleExitHandler, nodegraph.Entry)
	}
	if entry.phase().Unsuccessful() {
		message := w.messages[nodegraph.Entry]
		if w.facts.shutdown != "" {
			message = said(stoppedBy(w.facts.shutdown))
		}
		return settled(entry.phase(), message, RuleEntry, nodegraph.Entry)
	}
	if exit != nodegraph.None && w.verdicts[exit].phase().Unsuccessful() {
		return settled(w.verdicts[exit].phase(), w.messages[exit], RuleExitHandler, exit)
	}
	return settled(nodegraph.Succeeded, message{}, RuleEntry, nodegraph.Entry)
}

// stoppedBy says that a shutdown with this strategy stopped a node.
func stoppedBy(strategy string) phrase {
	if strategy == "Stop" {
		return stoppedStop
	}
	return stoppedTerminate
}

// stops tells whether the shutdown in force applies to node i: Stop spares exit handlers (Argo: ShouldExecute).
func (w *evalContext) stops(i nodegraph.Index) bool {
	return w.facts.shutdown == "Terminate" || w.facts.shutdown == "Stop" && !w.graph.Node(i).InExitHandler()
}

// closingRule: a composite that only ends does so in the phase on record for it, once nothing inside it is open.
func (w *evalContext) closingRule(i nodegraph.Index) ruling {
	if m := w.openMember(i); m != nodegraph.None {
		return running(RuleMembersOpen, m)
	}
	return settled(w.facts.nodes[i].Phase, w.facts.told(i), RuleWhole, nodegraph.None)
}

// barred reports whether a shutdown, the deadline or something around it that only ends keeps node i from running.
func (w *evalContext) barred(i nodegraph.Index) bool {
	return w.stops(i) || w.facts.overdue && !w.graph.Node(i).InExitHandler() || w.withinClosing(i)
}

// withinClosing reports whether node i is inside a composite that only ends: nothing starts there any more.
func (w *evalContext) withinClosing(i nodegraph.Index) bool {
	if !w.facts.closing {
		return false
	}
	for p := w.facts.nodes[i].parent; p > nodegraph.Root; p = w.facts.nodes[p].parent {
		if w.facts.nodes[p].closing() {
			return true
		}
	}
	return false
}

// openMember is something directly inside node i that was created and is not fulfilled; None if nothing is.
func (w *evalContext) openMember(i nodegraph.Index) nodegraph.Index {
	for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
		if w.facts.nodes[m].created() && !w.verdicts[m].fulfilled() {
			return m
		}
	}
	return nodegraph.None
}

// wholeRule: a composite that ended as a whole is as it ended, whatever is inside of it. Where what is inside of it says the same,
// that explains it. One in Error with nothing inside it could not be expanded.
func (w *evalContext) wholeRule(i nodegraph.Index) ruling {
	phase, message := w.facts.nodes[i].Phase, w.facts.told(i)
	switch {
	case w.graph.First(i) != nodegraph.None:
		if v := w.membersRule(i); v.fulfilled() && v.phase() == phase && w.words(v.message) == w.words(message) {
			return v
		}
	case phase == nodegraph.Error:
		return settled(phase, message, RuleInvalid, nodegraph.None)
	}
	return settled(phase, message, RuleWhole, nodegraph.None)
}
