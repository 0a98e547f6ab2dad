package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// podRule is chapter Pod: a pod settles from its own facts alone.
func (e *Evaluator) podRule(i nodegraph.Index, f *store.Node) Ruling {
	daemon := f.IsDaemon
	switch f.Stage {
	case fact.StageEnded:
		return e.podResult(i, f)
	case fact.StageStopped:
		return settled(f.Phase, e.told(i), pod4, nodegraph.None)
	case fact.StageGone:
		if f.Ran {
			return settled(nodegraph.PhaseError, Message{kind: messagePodDeleted}, pod5, nodegraph.None)
		}
		return pending(pod6, e.told(i))
	case fact.StageRunning:
		v := pending(pod9, Message{})
		switch {
		case !daemon:
			v = running(pod7, nodegraph.None)
		case f.Ready:
			v = daemonReady(pod8, nodegraph.None)
		}
		v.Message = e.told(i)
		return v
	case fact.StagePending:
		v := pending(pod10, e.told(i))
		if f.Lock == fact.LockHeld {
			v.Message = Message{} // Argo clears it together with the message about the lock
		}
		return v
	}
	return pending(pod11, Message{})
}

// daemonEnded reports whether pod i is a daemon that ended well by itself. One that came from the cache did not.
func (e *Evaluator) daemonEnded(i nodegraph.Index) bool {
	f := e.facts.Node(i)
	return f.IsDaemon && f.Phase == nodegraph.PhaseSucceeded && !f.Released && !e.facts.CacheHit(i)
}

// podResult is chapter Pod for a pod that ended.
func (e *Evaluator) podResult(i nodegraph.Index, f *store.Node) Ruling {
	if e.daemonEnded(i) {
		return settled(nodegraph.PhaseFailed, e.told(i), pod1, nodegraph.None)
	}
	v := settled(f.Phase, e.told(i), pod3, nodegraph.None)
	if f.Unsynced {
		v.Brief = newBrief(f.Phase, pod2) &^ briefFulfilled
	}
	return v
}

// isDaemon reports whether node i is a daemon, a container of one, or a Retry around one.
func (e *Evaluator) isDaemon(i nodegraph.Index) bool {
	if e.facts.Node(i).Kind == nodegraph.KindContainer {
		i = e.facts.Node(i).Parent
	}
	n := e.graph.Node(i)
	return (n.Kind == nodegraph.KindPod || n.Kind == nodegraph.KindRetry) && n.Template.IsDaemon()
}

// released reports whether node m is a daemon that was ended with its boundary. What was decided inside the boundary saw
// it running, and stays.
func (e *Evaluator) released(m nodegraph.Index) bool {
	if !e.facts.HasDaemons {
		return false
	}
	f := e.facts.Node(e.lastAttempt(m))
	return f.Released && f.Phase == nodegraph.PhaseSucceeded
}

// lastAttempt is the last attempt of a Retry, and any other node itself.
func (e *Evaluator) lastAttempt(m nodegraph.Index) nodegraph.Index {
	if e.graph.Node(m).Kind == nodegraph.KindRetry && e.graph.Last(m) != nodegraph.None {
		return e.graph.Last(m)
	}
	return m
}
