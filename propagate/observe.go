package propagate

import (
	"slices"
	"strings"
	"time"

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

// finishedAt is when what the event tells of ended, as far as anybody knows.
func (e *Engine) finishedAt(ev *Event) store.Stamp {
	if ev.Finished.IsZero() {
		return e.facts.Instant
	}
	return store.StampOf(ev.Finished)
}

// observe merges what was seen of a pod that has not ended.
func (e *Engine) observe(i nodegraph.Index, ev *Event, stage fact.Stage) {
	uid, run := e.facts.UID(i), e.facts.Run(i)
	o := observed(e.instance(i, ev), ev, stage)
	readied := stage == fact.StageRunning && ev.Ready && e.facts.Node(i).IsDaemon && !e.facts.Node(i).Ready
	switch {
	case stage != fact.StageRunning:
	case e.facts.Node(i).Lock == fact.LockHeld:
		o.Message = "" // Argo clears it together with the message about the lock
	case !ev.Ready:
		e.daemonWaits(i, &o)
	}
	e.merge(i, &o)
	e.failIfItRan(i)
	if readied && e.facts.Node(i).Ready {
		e.facts.Say(i, ev.Message) // what it waited for is over
	}
	if o.UID != "" && o.UID != uid && (run.Before(o.Run) || uid == "" && !e.toldToEnd(i)) {
		e.endUnwanted(i, &o)
	}
}

// daemonWaits keeps what was said of a daemon that waits to be ready, when it is seen to run or ends well: its node is Pending
// (Argo: assessNodeStatus).
func (e *Engine) daemonWaits(i nodegraph.Index, o *store.Observation) {
	if n := e.facts.Node(i); n.IsDaemon && !n.Ready && n.Stage <= fact.StageRunning && o.Message == "" && o.Run == e.facts.Run(i) {
		o.Message = e.facts.Message(i)
	}
}

// merge joins an observation into what is known of node i. What has ended does not live again because a newer pod was never seen to
// run, nor where a record says that it has ended, nor where that would undo what was decided: see final. Inside that the engine learns
// which pod it was and no more: its end could start what comes after it. When an attempt ended is not learned once its Retry has ended
// without knowing that: it would wait for a backoff after which nothing comes.
func (e *Engine) merge(i nodegraph.Index, o *store.Observation) {
	e.facts.BeginFirstRun(i)
	if e.facts.Knows(i, o) {
		return
	}
	n := e.facts.Node(i)
	if n.Stage >= fact.StageGone && e.rules.Brief(i).Fulfilled() {
		switch {
		case e.endedOnRecord(i, o), e.facts.Run(i).Before(o.Run) && (o.Stage == fact.StageNone || o.Stage == fact.StageGone || e.final(i)):
			return
		case n.Stage != fact.StageStopped && e.final(n.Parent):
			o = &store.Observation{Run: o.Run, UID: o.UID}
		case n.IsAttempt && o.Run == e.facts.Run(i) && e.facts.Undated(i) && e.rules.Brief(n.Parent).Fulfilled():
			late := *o
			late.Undated, o = true, &late
		}
	}
	finished := e.facts.Finished(i)
	if e.facts.Join(i, o) && e.rules.Brief(i).Fulfilled() {
		e.facts.SetFinished(i, finished) // until it turns out that it runs again
	}
}

// endedOnRecord reports whether a record says that node i has ended, and does not tell what an observation is of: a pod that is alive or
// another one, which may be one from before, or another run of a container.
func (e *Engine) endedOnRecord(i nodegraph.Index, o *store.Observation) bool {
	n := e.facts.Node(i)
	if n.Kind == nodegraph.KindContainer {
		return e.facts.Node(n.Parent).EndedOnRecord()
	}
	return n.EndedOnRecord() && (o.Stage < fact.StageGone || e.facts.Run(i).Before(o.Run))
}

// final reports whether what happens in node i can no longer undo what was decided from it. That is so in an attempt that was
// followed by another, in a pod that was stopped, in what was ended as a whole, and in what has given its locks back, which others may
// have: it has ended, or a manual retry has opened it again and it waits for them.
func (e *Engine) final(i nodegraph.Index) bool {
	for p := i; p > nodegraph.Root; p = e.graph.Node(p).Parent {
		n := e.facts.Node(p)
		switch {
		case e.superseded(p),
			n.Stage == fact.StageStopped && n.Kind == nodegraph.KindPod && p != i,
			n.Stage == fact.StageEnded && n.Kind.Composite(),
			len(e.rules.LocksOf(p)) > 0 && (n.Lock == fact.LockNone && e.rules.Brief(p).Fulfilled() || p != i && n.Waits()):
			return true
		}
	}
	return false
}

// superseded reports whether node i is an attempt that was followed by another.
func (e *Engine) superseded(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	return n.IsAttempt && e.graph.Last(n.Parent) != i
}

// podEnded merges the end of a pod, unless it is one that failed before it ran and may be made anew (Argo:
// failedPodRestart).
func (e *Engine) podEnded(i nodegraph.Index, ev *Event) {
	o := observed(e.instance(i, ev), ev, fact.StageEnded)
	o.Phase, o.Finished, o.Undated = ev.Phase, e.finishedAt(ev), ev.Undated && ev.Finished.IsZero()
	if ev.Phase == nodegraph.PhaseSucceeded {
		e.daemonWaits(i, &o)
	}
	if ev.Phase == nodegraph.PhaseFailed && slices.Contains(restartReasons, ev.Reason) {
		f := e.facts.Fact(i)
		f.Attempt = max(f.Attempt, 1) // what was stopped before it was heard of
		if f.Restarts > 0 && (f.Stage == fact.StageGone || f.Stage == fact.StageStopped) && !f.Ran && o.Run == f.Run() && !ev.HasExit {
			return // once more what made the host replace it
		}
		if e.restartable(&f, ev, &o) {
			o.Stage, o.Phase = fact.StageGone, nodegraph.PhasePlanned
			e.merge(i, &o)
			if e.facts.Run(i) == o.Run && e.facts.Node(i).Stage == fact.StageGone { // else the node has ended with a pod before
				e.facts.CountRestart(i)
				e.facts.Say(i, textRestarting+ev.Reason+": "+ev.Message)
			}
			return
		}
	}
	e.merge(i, &o)
}

// textRestarting begins what is said of a pod that is replaced without counting as an attempt, before the reason and the message
// of its end.
const textRestarting = "Pod auto-restarting due to "

// failIfItRan ends the pod of node i, which is replaced since it failed before it ran, if it turns out that it did run: then it
// has failed.
func (e *Engine) failIfItRan(i nodegraph.Index) {
	n := e.facts.Node(i)
	end, replaced := strings.CutPrefix(e.facts.Message(i), textRestarting)
	if !replaced || n.Stage != fact.StageGone || !n.Ran {
		return
	}
	o := e.ending(i, fact.StageEnded, nodegraph.PhaseFailed, "", e.facts.Finished(i))
	o.Reason, o.Message, _ = strings.Cut(end, ": ")
	o.Undated = e.facts.Undated(i)
	e.facts.UncountRestart(i)
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

// resultTold takes word on the results of a pod: that they are on their way, or stored. They are no pod: of one that is gone none
// will come, and what has ended does not wait for what was announced later.
func (e *Engine) resultTold(i nodegraph.Index, ev *Event) {
	n, v := e.facts.Node(i), e.rules.Brief(i)
	switch {
	case n.Stage == fact.StageNone && n.Waits(), // it has no pod yet: that one is from before a manual retry
		n.Stage == fact.StageGone && !ev.Pod.Named(),
		v.Fulfilled() && !v.Daemoned() && ev.Type == EventResultPending:
		return
	}
	serial := e.instance(i, ev).Serial
	if serial < e.facts.Serial(i) {
		return // of an older pod
	}
	if serial > e.facts.Serial(i) || ev.Pod.UID != "" && e.facts.UID(i) == "" {
		o := onlySeen(fact.Run{Serial: serial, Attempt: 1}, ev, fact.StageNone)
		if e.merge(i, &o); e.facts.Serial(i) < serial {
			return // of a newer pod than the one with which the node has ended
		}
	}
	e.facts.SetStored(i, ev.Type == EventResultSynced)
}

// agentEnded: the pod that serves HTTP and Plugin nodes is gone, and those that had not ended with it.
func (e *Engine) agentEnded(message string) {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		n := e.facts.Node(i)
		if n.Kind != nodegraph.KindHTTP && n.Kind != nodegraph.KindPlugin || !n.Exists || n.Stage >= fact.StageEnded {
			continue
		}
		o := e.ending(i, fact.StageStopped, nodegraph.PhaseError, message, e.facts.Instant)
		e.facts.Join(i, &o)
	}
}

// instance places what an event says among the lives of the pod of node i.
func (e *Engine) instance(i nodegraph.Index, ev *Event) fact.Run {
	known, n := e.facts.Run(i), e.facts.Node(i)
	r := fact.Run{Serial: known.Serial, Attempt: ev.Pod.Attempt}
	if ev.Pod.Named() || n.Stage == fact.StageGone && !n.Ran && ev.Type != EventPodDeleted {
		r.Serial = e.serialOf(i, ev)
	}
	if r.Attempt == 0 && r.Serial == e.facts.Serial(i) {
		r.Attempt = known.Attempt
	}
	r.Attempt = max(r.Attempt, 1)
	return r
}

// serialOf is instance where more than the pod that is known may be meant. It notes which pod it is of one that was waited
// for, and which it was before that.
func (e *Engine) serialOf(i nodegraph.Index, ev *Event) int64 {
	uid, serial, n := ev.Pod.UID, e.facts.Serial(i), e.facts.Node(i)
	had, known, isOld := e.facts.UID(i), int64(0), false
	if len(e.older) > 0 {
		known, isOld = e.older[e.graph.Node(i).ID()][uid]
	}
	switch {
	case isOld:
		serial = known
	case uid != "" && uid == had:
	case !ev.Pod.Created.IsZero():
		serial = ev.Pod.Created.UnixNano()
		if e.facts.Serial(i) == 0 && n.Ran && ev.Type != EventContainerRetried {
			e.date(i, serial, "")
		}
		if uid != "" && sameSecond(ev.Pod.Created, e.facts.Serial(i)) {
			serial = e.facts.Serial(i) // the pod that was waited for, unless there is one
			if had != "" {
				serial++
			}
		}
	case n.Stage == fact.StageGone && !n.Ran:
		serial++ // the pod that was to be created again
	case uid != "" && had != "":
		serial++
	}
	if had != "" && uid != had && serial > e.facts.Serial(i) {
		e.remember(e.graph.Node(i).ID(), map[string]int64{had: e.facts.Serial(i)})
	}
	if serial > e.facts.Serial(i) && e.stoppedUnheard(i) {
		e.date(i, serial, uid) // that is the pod that was stopped
	}
	return serial
}

// stoppedUnheard reports whether node i was stopped before anything was heard of its pod, or of the one that was asked for in
// the place of that.
func (e *Engine) stoppedUnheard(i nodegraph.Index) bool {
	serial := e.facts.Serial(i)
	return e.facts.Node(i).Stage == fact.StageStopped && (e.facts.RecreateSerial(i) > serial || serial == e.afterOlder(i))
}

// date gives the pod of node i its place among the pods with times: it is the first that is heard of. Only a record, or a host
// without times, has said that it ran.
func (e *Engine) date(i nodegraph.Index, serial int64, uid string) {
	e.facts.Redate(i, serial, uid)
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		e.facts.Redate(m, serial, "")
	}
}

// sameSecond reports whether the time at which a pod was created can't tell it from the pod with this serial: Kubernetes
// keeps whole seconds, and a pod that is gone is often made again within one.
func sameSecond(created time.Time, serial int64) bool {
	since := serial - created.UnixNano()
	return created.Nanosecond() == 0 && since >= 0 && since < int64(time.Second)
}
