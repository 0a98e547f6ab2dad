package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// podRule: a pod settles from its own facts (Argo: assessNodeStatus and the missing pods of podReconciliation).
//
//  1. Its result is known: that is its phase. A daemon that ended by itself has failed, whatever its exit code.
//  2. The workflow stopped it: Failed, until its own result is known.
//  3. It is gone and had run: Error, "pod deleted".
//  4. It is gone and had not run: Pending, to be created again.
//  5. It runs: Running; a daemon only once it is ready, and then it is fulfilled.
//  6. Otherwise Pending.
func (e *Evaluator) podRule(i nodegraph.Index, f *store.Node) Ruling {
	daemon := f.IsDaemon()
	switch f.Stage() {
	case fact.StageEnded:
		return podResult(f, e.told(i), daemon)
	case fact.StageStopped:
		return settled(f.Phase(), e.told(i), pod4, nodegraph.None)
	case fact.StageGone:
		if f.Ran() {
			return settled(nodegraph.PhaseError, Message{kind: messagePodDeleted}, pod5, nodegraph.None)
		}
		return pending(pod6, e.told(i))
	case fact.StageRunning:
		if !daemon {
			return running(pod7, nodegraph.None)
		}
		if f.Ready() {
			return daemonReady(pod8, nodegraph.None)
		}
		return pending(pod9, Message{})
	case fact.StagePending:
		v := pending(pod10, e.told(i))
		if f.Lock() == fact.LockHeld {
			v.Message = Message{} // Argo clears it together with the message about the lock
		}
		return v
	}
	return pending(pod11, Message{})
}

// podResult: a result is that of the pod; with its results on their way the pod is not fulfilled.
func podResult(f *store.Node, message Message, daemon bool) Ruling {
	if daemon && f.Phase() == nodegraph.PhaseSucceeded && !f.Released() {
		return settled(nodegraph.PhaseFailed, message, pod1, nodegraph.None)
	}
	v := settled(f.Phase(), message, pod3, nodegraph.None)
	if f.Unsynced() {
		v.Brief = newBrief(f.Phase(), pod2) &^ briefFulfilled
	}
	return v
}
