package propagate

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// resultTold takes word on the results of a pod: that they are on their way, or stored.
func (e *Engine) resultTold(i nodegraph.Index, ev *Event) {
	f, d := &e.nodes[i], &e.details[i]
	serial, _ := e.incarnation(i, ev)
	if serial < d.serial {
		return // of an older pod
	}
	if serial > d.serial || d.uid == "" && ev.Pod.UID != "" {
		e.merge(i, &observation{run: run{serial, 1}, uid: ev.Pod.UID, stage: StagePending})
	}
	d.synced = d.synced || ev.Type == EventResultSynced
	f.Unsynced = !d.synced
	e.touch(i)
}

// sameRun is an observation, still empty, of the run of node i that is known.
func (e *Engine) sameRun(i nodegraph.Index) observation {
	return observation{run: e.run(i), uid: e.details[i].uid}
}

// agentEnded: the pod that serves HTTP and Plugin nodes is gone, and those that had not ended with it.
func (e *Engine) agentEnded(message string) {
	for i := nodegraph.Entry; int(i) < e.g.Len(); i++ {
		if k := e.nodes[i].kind; k != nodegraph.HTTP && k != nodegraph.Plugin || !e.nodes[i].created() {
			continue
		}
		o := e.sameRun(i)
		o.stage, o.finished = StageGone, e.instant
		if e.join(i, &o) && e.nodes[i].Stage == StageGone {
			e.details[i].message = e.phrases.say(message)
		}
		e.touch(i)
	}
}

// lateAttempt tells whether node i is inside an attempt of a Retry that has made a later one, or inside something that
// was ended as a whole: what happens there can no longer undo what was decided from it.
func (e *Engine) lateAttempt(i nodegraph.Index) bool {
	for p := i; p > nodegraph.Entry; p = e.g.Node(p).Parent {
		if e.g.Node(p).Role == nodegraph.RoleAttempt && e.g.Last(e.g.Node(p).Parent) != p {
			return true
		}
		if e.nodes[p].Stage == StageEnded && e.g.Node(p).Kind.Composite() {
			return true
		}
	}
	return false
}

// incarnation places an observation among the lives of the pod of node i: it returns the serial and the attempt.
func (e *Engine) incarnation(i nodegraph.Index, ev *Event) (serial int64, attempt int) {
	n, d := &e.nodes[i], &e.details[i]
	serial, attempt = d.serial, ev.Pod.Attempt
	if ev.Pod.named() || n.Stage == StageGone && !n.Ran {
		serial = e.serialOf(i, ev)
	}
	if attempt == 0 && serial == d.serial {
		attempt = int(d.attempt)
	}
	return serial, max(attempt, 1)
}

// serialOf is incarnation where more than the pod that is known may be meant. It notes which pod it is of one that was waited
// for, and which it was before that.
func (e *Engine) serialOf(i nodegraph.Index, ev *Event) int64 {
	n, d := &e.nodes[i], &e.details[i]
	uid, serial := ev.Pod.UID, d.serial
	known, isOld := int64(0), false
	if len(e.older) > 0 {
		known, isOld = e.older[e.g.Node(i).ID()][uid]
	}
	switch {
	case isOld:
		serial = known
	case uid != "" && uid == d.uid:
	case !ev.Pod.Created.IsZero():
		serial = ev.Pod.Created.UnixNano()
		if d.serial == 0 && n.Ran && ev.Type != EventContainerRetried {
			e.date(i, serial)
		}
		if uid != "" && sameSecond(ev.Pod.Created, d.serial) {
			serial = d.serial // the pod that was waited for, unless there is one
			if d.uid != "" {
				serial++
			}
		}
	case n.Stage == StageGone && !n.Ran:
		serial++ // the pod that was to be created again
	case uid != "" && d.uid != "":
		serial++
	}
	if d.uid != "" && uid != d.uid && serial > d.serial {
		e.remember(e.g.Node(i).ID(), map[string]int64{d.uid: d.serial})
	}
	if serial > d.serial && e.stoppedUnheard(i) {
		d.uid, d.serial = uid, serial // that is the pod that was stopped
	}
	return serial
}

// stoppedUnheard tells whether node i was stopped before anything was heard of its pod, or of the one that was asked for in
// the place of that.
func (e *Engine) stoppedUnheard(i nodegraph.Index) bool {
	d := &e.details[i]
	return e.nodes[i].Stage == StageStopped && (d.more().remade > d.serial || d.serial == e.afterOlder(i))
}

// date gives the pod of node i, which only a record or a host without times has said to have run, its place among the pods
// with times: it is the first that is heard of.
func (e *Engine) date(i nodegraph.Index, serial int64) {
	e.details[i].serial = serial
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		e.details[m].serial = serial
	}
}

// sameSecond tells whether the time at which a pod was created can't tell it from the pod with this serial: Kubernetes
// keeps whole seconds, and a pod that is gone is often made again within one.
func sameSecond(created time.Time, serial int64) bool {
	since := serial - created.UnixNano()
	return created.Nanosecond() == 0 && since >= 0 && since < int64(time.Second)
}

// remember notes serials of pods that a node had.
func (e *Engine) remember(id string, serials map[string]int64) {
	if e.older == nil {
		e.older = make(map[string]map[string]int64)
	}
	if e.older[id] == nil {
		e.older[id] = make(map[string]int64)
	}
	maps.Copy(e.older[id], serials)
}

// afterOlder is the first serial after those of the pods that node i had.
func (e *Engine) afterOlder(i nodegraph.Index) int64 {
	next := int64(0)
	if len(e.older) > 0 {
		for _, serial := range e.older[e.g.Node(i).ID()] {
			next = max(next, serial+1)
		}
	}
	return next
}

// observed puts into o what an event says of the pod of node i.
func (e *Engine) observed(o *observation, i nodegraph.Index, ev *Event, stage Stage) {
	o.serial, o.attempt = e.incarnation(i, ev)
	o.uid, o.stage, o.ready, o.phase, o.message, o.reason = ev.Pod.UID, stage, ev.Ready, ev.Phase, ev.Message, ev.Reason
	o.exitCode, o.hasExit = int32(ev.ExitCode), ev.HasExit
	if len(ev.Conditions) > 0 {
		o.conditions = conditions(ev.Conditions)
	}
}

// conditions puts condition types into the form in which a Fact holds them.
func conditions(types []string) string {
	sorted := slices.Clone(types)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), ",")
}

// observe merges what was seen of the pod of node i.
func (e *Engine) observe(i nodegraph.Index, ev *Event, stage Stage) {
	var o observation
	e.observed(&o, i, ev, stage)
	e.merge(i, &o)
}

// merge joins an observation into the facts of node i. What has ended in an attempt that was followed by another can't
// live again, and inside such an attempt no more is learned than which pod it was: how it ended could start what comes
// after it.
func (e *Engine) merge(i nodegraph.Index, o *observation) {
	n, d := &e.nodes[i], &e.details[i]
	if d.attempt == 0 {
		d.attempt = 1 // what was stopped before it was heard of is in its first run too
	}
	if o.stage == n.Stage && e.known(i, o) {
		return
	}
	if n.Stage >= StageGone && e.verdicts[i].fulfilled() {
		switch {
		case e.run(i).before(o.run) && e.lateAttempt(i):
			return
		case e.lateAttempt(n.parent):
			o = &observation{run: o.run, uid: o.uid}
		}
		e.touchDecision(i)
	}
	stage, serial, finished := n.Stage, d.serial, d.finished
	if !e.learn(i, o) {
		return
	}
	if d.finished == 0 && e.verdicts[i].fulfilled() {
		d.finished = finished // until it turns out that it runs again
	}
	if n.traits&traitAlone == 0 && (stage >= StageGone || n.Stage >= StageGone || serial != d.serial) {
		e.touchPod(i)
	} else {
		e.touch(i) // its containers, if it has any, go on as they were
	}
}

// touchDecision marks the Retry of which node i, if it has ended, is an attempt: why an attempt ended decides too, and may
// be learned later than that it did.
func (e *Engine) touchDecision(i nodegraph.Index) {
	if e.verdicts[i].fulfilled() && e.g.Node(i).Role == nodegraph.RoleAttempt {
		e.touch(e.nodes[i].parent)
	}
}

// run is the run of node i that is known.
func (e *Engine) run(i nodegraph.Index) run {
	return run{e.details[i].serial, int(e.details[i].attempt)}
}

// podEnded merges the end of a pod, unless it is one that failed before it ran and may be made anew (Argo:
// failedPodRestart).
func (e *Engine) podEnded(i nodegraph.Index, ev *Event) {
	var o observation
	e.observed(&o, i, ev, StageEnded)
	o.finished = e.finishedAt(ev)
	if ev.Phase == nodegraph.Failed && slices.Contains(restartReasons, ev.Reason) {
		f := e.fact(i)
		f.Attempt = max(f.Attempt, 1) // what was stopped before it was heard of
		if f.Restarts > 0 && (f.Stage == StageGone || f.Stage == StageStopped) && !f.Ran && o.run == f.run() {
			return // once more what made the host replace it
		}
		if e.restartable(&f, ev, &o) {
			f.Restarts++
			e.put(i, &f)
			o.stage, o.phase, o.finished = StageGone, nodegraph.Planned, e.details[i].finished
			e.merge(i, &o)
			e.details[i].message = e.phrases.say("Pod auto-restarting due to " + ev.Reason + ": " + ev.Message)
			e.touch(i) // it may have been known to be gone
			return
		}
	}
	e.merge(i, &o)
}

// restartable tells whether a pod that failed is replaced without counting as an attempt: it never ran, the
// infrastructure is the reason, and it was not replaced too often.
func (e *Engine) restartable(f *Fact, ev *Event, o *observation) bool {
	if o.before(f.run()) {
		return false
	}
	sameRun := o.run == f.run()
	return f.Restarts < e.g.Spec().PodRestarts && !(sameRun && (f.Ran || f.Stage > StageGone)) && !ev.HasExit
}

// restartReasons are the pod failures that the kubelet reports before a container runs (Argo: isRestartableReason).
var restartReasons = []string{"Evicted", "NodeShutdown", "NodeAffinity", "UnexpectedAdmissionError"}

// podDeleted merges that a pod does not exist any more. Results that were on their way will not come.
func (e *Engine) podDeleted(i nodegraph.Index, ev *Event) {
	var o observation
	e.observed(&o, i, ev, StageGone)
	if !ev.Pod.named() {
		o.serial = e.details[i].serial // the pod that is known
	}
	o.finished = e.finishedAt(ev)
	e.merge(i, &o)
	if e.details[i].serial == o.serial && e.endResults(i) {
		e.touch(i)
	}
}

// endResults ends the wait for the results of node i: they are not to come any more. It tells whether they were waited for.
func (e *Engine) endResults(i nodegraph.Index) bool {
	n := &e.nodes[i]
	waited := n.Unsynced
	e.details[i].synced, n.Unsynced = true, false
	return waited
}

// observeContainer merges what was seen of a container. Seeing it run, or end, says that its pod ran.
func (e *Engine) observeContainer(pod nodegraph.Index, ev *Event, stage Stage) {
	c := e.container(pod, ev.Container)
	var o observation
	e.observed(&o, pod, ev, stage)
	if ev.Pod.Attempt == 0 {
		o.attempt = e.runIn(c, o.serial)
	}
	if stage == StageEnded {
		o.phase, o.finished = containerPhase(ev.ExitCode), e.finishedAt(ev)
	}
	p, d := &e.nodes[pod], &e.details[pod]
	if d.serial < o.serial || d.uid == "" {
		e.merge(pod, &observation{run: run{o.serial, 1}, uid: o.uid, stage: StagePending})
	}
	if o.attempt > 1 {
		e.beginAnew(c, &o)
	}
	e.merge(c, &o)
	if stage >= StageRunning && d.serial == o.serial && !p.Ran {
		p.Ran = true
		if p.Stage >= StageGone {
			e.touchPod(pod)
		}
	}
	if ev.Container == "main" && stage == StageEnded && d.serial == o.serial {
		d.hasExit, d.exitCode = true, int32(ev.ExitCode)
		e.touchDecision(pod)
	}
}

// runIn is the run that container c is known to be in inside the pod with this serial, the first if it is not known.
func (e *Engine) runIn(c nodegraph.Index, serial int64) int {
	if e.details[c].serial != serial {
		return 1
	}
	return max(1, int(e.details[c].attempt))
}

// containerPhase is how Argo reads a container's exit code: 64 is the executor's own.
func containerPhase(exitCode int) nodegraph.Phase {
	switch exitCode {
	case 0:
		return nodegraph.Succeeded
	case 64:
		return nodegraph.Error
	}
	return nodegraph.Failed
}

// containerRetried makes a container and all that come after it unfinished again, and its pod with them.
func (e *Engine) containerRetried(pod nodegraph.Index, ev *Event) {
	c := e.container(pod, ev.Container)
	p := &e.nodes[pod]
	serial, attempt := e.incarnation(pod, ev)
	if !ev.Pod.named() && p.Stage == StageGone {
		serial, attempt = e.details[pod].serial+1, max(ev.Pod.Attempt, 1) // the answer to the deletion: a new pod
	} else if ev.Pod.Attempt == 0 && serial == e.details[pod].serial {
		attempt = e.runIn(c, serial) + 1
		for _, m := range e.comesAfter(c) { // they begin anew too, whatever run they were in
			attempt = max(attempt, e.runIn(m, serial)+1)
		}
	}
	o := observation{run: run{serial, attempt}, uid: ev.Pod.UID, stage: StageRunning}
	podRun := o
	if p.Stage < StageGone || ev.Pod.UID != "" {
		podRun.attempt = e.runIn(pod, serial) // a pod goes on as it is, and one with a name that has ended stays so
	}
	e.merge(pod, &podRun)
	e.merge(c, &o)
	e.beginAnew(c, &o)
}

// beginAnew makes what comes after container c pending in the run o of it, unless it has come further in that run.
func (e *Engine) beginAnew(c nodegraph.Index, o *observation) {
	anew := observation{run: o.run, uid: o.uid, stage: StagePending}
	for _, m := range e.comesAfter(c) {
		e.merge(m, &anew)
	}
}

// comesAfter lists the containers that come after c, directly or not, each once.
func (e *Engine) comesAfter(c nodegraph.Index) []nodegraph.Index {
	seen := map[nodegraph.Index]bool{c: true}
	list := []nodegraph.Index{c}
	for k := 0; k < len(list); k++ {
		for m := range e.g.Before(list[k]) {
			if !seen[m] {
				seen[m] = true
				list = append(list, m)
			}
		}
	}
	return list[1:]
}

// finishedAt is when what the event tells of ended.
func (e *Engine) finishedAt(ev *Event) stamp {
	if !ev.Finished.IsZero() {
		return stampOf(ev.Finished)
	}
	return e.instant
}
