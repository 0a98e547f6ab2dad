package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// podRule: a pod settles from its own facts (Argo: assessNodeStatus and the missing pods of podReconciliation).
//
//  1. Its result is known: that is its phase. A daemon that ended by itself has failed, whatever its exit code.
//  2. The workflow stopped it: Failed, until its own result is known.
//  3. It is gone and had run: Error, "pod deleted".
//  4. It is gone and had not run: Pending, to be created again.
//  5. It runs: Running; a daemon only once it is ready, and then it is fulfilled.
//  6. Otherwise Pending.
func (w *evalContext) podRule(i nodegraph.Index, f *node) ruling {
	daemon := f.traits&traitDaemon != 0
	switch f.Stage {
	case StageEnded:
		return podResult(&f.fact, w.facts.told(i), daemon)
	case StageStopped:
		return settled(f.Phase, w.facts.told(i), RuleStopped, nodegraph.None)
	case StageGone:
		if f.Ran {
			return settled(nodegraph.Error, said(podDeleted), RulePodGone, nodegraph.None)
		}
		return pending(RulePodRecreate, w.facts.told(i))
	case StageRunning:
		if !daemon {
			return running(RulePodRunning, nodegraph.None)
		}
		if f.Ready {
			return daemonReady(nodegraph.None)
		}
		return pending(RulePodRunning, message{})
	case StagePending:
		v := pending(RulePodPending, w.facts.told(i))
		if f.Lock == LockHeld {
			v.message = message{} // Argo clears it together with the message about the lock
		}
		return v
	}
	return pending(RuleStartOwed, message{})
}

func podResult(f *fact, message message, daemon bool) ruling {
	if daemon && f.Phase == nodegraph.Succeeded && !f.Released {
		return settled(nodegraph.Failed, message, RuleDaemonEnded, nodegraph.None)
	}
	v := settled(f.Phase, message, RulePodResult, nodegraph.None)
	if f.Unsynced {
		v.verdict = newVerdict(f.Phase, RuleUnsynced) &^ verdictFulfilled
	}
	return v
}

// containerRule: a container settles from its own result, else from the end of its pod. Containers of one set order
// each other; they never decide who belongs to the pod.
func (w *evalContext) containerRule(i nodegraph.Index) ruling {
	f, pod := &w.facts.nodes[i], w.facts.nodes[i].parent
	p := &w.facts.nodes[pod]
	if f.Stage == StageEnded && w.inPod(i, pod) {
		return settled(f.Phase, w.facts.told(i), RuleContainerOwn, nodegraph.None)
	}
	switch {
	case p.Stage == StageEnded && p.Phase == nodegraph.Succeeded:
		return settled(nodegraph.Succeeded, message{}, RuleContainerPod, pod)
	case p.Stage == StageEnded:
		return settled(nodegraph.Failed, said(podFailedUnder), RuleContainerPod, pod)
	case p.Stage == StageStopped:
		return settled(nodegraph.Failed, w.facts.told(pod), RuleContainerPod, pod)
	case p.Stage == StageGone && p.Ran:
		return settled(nodegraph.Error, said(containerDeleted), RuleContainerPod, pod)
	case f.Stage == StageRunning && w.inPod(i, pod):
		return running(RuleContainerOwn, nodegraph.None)
	}
	return pending(RuleContainerOwn, message{})
}

// inPod tells whether what is known of a container is of the pod that is known, and not of one before it.
func (w *evalContext) inPod(container, pod nodegraph.Index) bool {
	return w.facts.details[container].serial >= w.facts.details[pod].serial
}

// suspendRule: a Suspend node runs until it is resumed, its duration has passed, or the workflow stops it.
func (w *evalContext) suspendRule(i nodegraph.Index) ruling {
	f := &w.facts.nodes[i]
	if f.Stage >= StageStopped {
		r := RuleResumed
		if f.Stage == StageStopped {
			r = RuleStopped
		}
		return settled(f.Phase, w.facts.told(i), r, nodegraph.None)
	}
	v := running(RuleSuspended, nodegraph.None)
	if d := w.graph.Node(i).Template.Suspend; d > 0 {
		until := w.facts.details[i].created.plus(d)
		if w.facts.instant >= until {
			return settled(nodegraph.Succeeded, message{}, RuleResumed, nodegraph.None)
		}
		v.wake = until
	}
	return v
}

// servedRule: HTTP and Plugin nodes are what the host reports of them.
func (w *evalContext) servedRule(i nodegraph.Index) ruling {
	f, message := &w.facts.nodes[i], w.facts.told(i)
	switch {
	case f.Stage >= StageStopped:
		return settled(f.Phase, message, RuleServed, nodegraph.None)
	case f.Stage == StageGone: // the pod that serves it ended
		return settled(nodegraph.Error, message, RuleServed, nodegraph.None)
	}
	return pending(RuleServed, message)
}
