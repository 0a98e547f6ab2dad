package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// observed is what an event says of a run of node i.
func observed(r fact.Run, ev *Event, stage fact.Stage) store.Observation {
	return store.Observation{
		Run: r, UID: ev.Pod.UID, Message: ev.Message, Reason: ev.Reason, Conditions: ev.Conditions, ExitCode: ev.ExitCode,
		HasExit: ev.HasExit, Ready: ev.Ready, Stage: stage,
	}
}

// onlySeen is that a run of a pod was seen in a stage, and nothing else.
func onlySeen(r fact.Run, ev *Event, stage fact.Stage) store.Observation {
	return store.Observation{Run: r, UID: ev.Pod.UID, Stage: stage}
}

// ending is that the run of node i which is known has ended, with a message.
func (e *Engine) ending(i nodegraph.Index, stage fact.Stage, phase nodegraph.Phase, message string, finished store.Stamp) store.Observation {
	return store.Observation{Run: e.facts.Run(i), Message: message, Stage: stage, Phase: phase, Finished: finished}
}

// finishedAt is when what the event tells of ended.
func (e *Engine) finishedAt(ev *Event) store.Stamp {
	if ev.Finished.IsZero() {
		return e.facts.Instant()
	}
	return store.StampOf(ev.Finished)
}

// observe merges what was seen of a pod that has not ended.
func (e *Engine) observe(i nodegraph.Index, ev *Event, stage fact.Stage) {
	o := observed(e.instance(i, ev), ev, stage)
	e.merge(i, &o)
}

// merge joins an observation into what is known of node i. What has ended in an attempt that was followed by another can't
// live again, and inside such an attempt no more is learned than which pod it was: how it ended could start what comes
// after it.
func (e *Engine) merge(i nodegraph.Index, o *store.Observation) {
	e.facts.BeginFirstRun(i)
	if e.facts.Knows(i, o) {
		return
	}
	n := e.facts.Node(i)
	if n.Stage() >= fact.StageGone && e.rules.Brief(i).Fulfilled() {
		switch {
		case e.facts.Run(i).Before(o.Run) && e.lateAttempt(i):
			return
		case e.lateAttempt(n.Parent()):
			o = &store.Observation{Run: o.Run, UID: o.UID}
		}
	}
	finished := e.facts.Finished(i)
	if e.facts.Join(i, o) && e.rules.Brief(i).Fulfilled() {
		e.facts.SetFinished(i, finished) // until it turns out that it runs again
	}
}

// lateAttempt reports whether node i is inside an attempt of a Retry that has made a later one, or inside something that
// was ended as a whole: what happens there can no longer undo what was decided from it.
func (e *Engine) lateAttempt(i nodegraph.Index) bool {
	for p := i; p > nodegraph.Entry; p = e.graph.Node(p).Parent {
		if e.graph.Node(p).Role == nodegraph.RoleAttempt && e.graph.Last(e.graph.Node(p).Parent) != p {
			return true
		}
		if e.facts.Node(p).Stage() == fact.StageEnded && e.graph.Node(p).Kind.Composite() {
			return true
		}
	}
	return false
}

// podEnded merges the end of a pod, unless it is one that failed before it ran and may be made anew (Argo:
// failedPodRestart).
func (e *Engine) podEnded(i nodegraph.Index, ev *Event) {
	o := observed(e.instance(i, ev), ev, fact.StageEnded)
	o.Phase, o.Finished = ev.Phase, e.finishedAt(ev)
	if ev.Phase == nodegraph.Failed && slices.Contains(restartReasons, ev.Reason) {
		f := e.facts.Fact(i)
		f.Attempt = max(f.Attempt, 1) // what was stopped before it was heard of
		if f.Restarts > 0 && (f.Stage == fact.StageGone || f.Stage == fact.StageStopped) && !f.Ran && o.Run == f.Run() {
			return // once more what made the host replace it
		}
		if e.restartable(&f, ev, &o) {
			e.facts.BeginFirstRun(i)
			e.facts.CountRestart(i)
			o.Stage, o.Phase, o.Finished = fact.StageGone, nodegraph.Planned, e.facts.Finished(i)
			e.merge(i, &o)
			e.facts.Say(i, "Pod auto-restarting due to "+ev.Reason+": "+ev.Message)
			return
		}
	}
	e.merge(i, &o)
}

// restartable reports whether a pod that failed is replaced without counting as an attempt: it never ran, the
// infrastructure is the reason, and it was not replaced too often.
func (e *Engine) restartable(f *fact.Fact, ev *Event, o *store.Observation) bool {
	if o.Before(f.Run()) {
		return false
	}
	sameRun := o.Run == f.Run()
	return f.Restarts < e.graph.Spec().PodRestarts && !(sameRun && (f.Ran || f.Stage > fact.StageGone)) && !ev.HasExit
}

// restartReasons are the pod failures that the kubelet reports before a container runs (Argo: isRestartableReason).
var restartReasons = []string{"Evicted", "NodeShutdown", "NodeAffinity", "UnexpectedAdmissionError"}

// podDeleted merges that a pod does not exist any more. Results that were on their way will not come.
func (e *Engine) podDeleted(i nodegraph.Index, ev *Event) {
	o := observed(e.instance(i, ev), ev, fact.StageGone)
	o.Finished = e.finishedAt(ev)
	e.merge(i, &o)
	if e.facts.Serial(i) == o.Serial {
		e.facts.EndResults(i)
	}
}

// resultTold takes word on the results of a pod: that they are on their way, or stored.
func (e *Engine) resultTold(i nodegraph.Index, ev *Event) {
	serial := e.instance(i, ev).Serial
	if serial < e.facts.Serial(i) {
		return // of an older pod
	}
	if serial > e.facts.Serial(i) || ev.Pod.UID != "" && e.facts.UID(i) == "" {
		o := onlySeen(fact.Run{Serial: serial, Attempt: 1}, ev, fact.StagePending)
		e.merge(i, &o)
	}
	e.facts.SetStored(i, ev.Type == EventResultSynced)
}

// agentEnded: the pod that serves HTTP and Plugin nodes is gone, and those that had not ended with it.
func (e *Engine) agentEnded(message string) {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		n := e.facts.Node(i)
		if n.Kind() != nodegraph.HTTP && n.Kind() != nodegraph.Plugin || !n.Exists() {
			continue
		}
		o := e.ending(i, fact.StageGone, nodegraph.Planned, "", e.facts.Instant())
		if e.facts.Join(i, &o) && n.Stage() == fact.StageGone {
			e.facts.Say(i, message)
		}
	}
}
