package propagate

import (
	"maps"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// resultTold takes word on the results of a pod: that they are on their way, or stored.
func (e *Engine) resultTold(l leaf, ev *Event) {
	d := l.d
	serial := e.incarnation(l, ev).serial
	if serial < d.serial {
		return // of an older pod
	}
	if serial > d.serial || ev.Pod.UID != "" && e.facts.uid(d) == "" {
		e.merge(l, &observation{run: run{serial, 1}, said: onlyPod(ev), stage: StagePending})
	}
	e.facts.setStored(l.i, ev.Type == EventResultSynced)
}

// ending is that the run which is known has ended, with a message.
func (l leaf) ending(stage Stage, phase nodegraph.Phase, message string, finished stamp) observation {
	return observation{run: l.run(), said: &Event{Message: message}, stage: stage, phase: phase, finished: finished}
}

// onlyPod is what an event says of which pod it is, and nothing else.
func onlyPod(ev *Event) *Event { return &Event{Pod: ev.Pod} }

// agentEnded: the pod that serves HTTP and Plugin nodes is gone, and those that had not ended with it.
func (e *Engine) agentEnded(message string) {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if k := e.facts.nodes[i].kind; k != nodegraph.HTTP && k != nodegraph.Plugin || !e.facts.nodes[i].created() {
			continue
		}
		l := e.facts.leaf(i)
		o := observation{run: l.run(), said: &Event{}, stage: StageGone, finished: e.facts.instant}
		if e.facts.join(l, &o) && l.n.Stage == StageGone {
			e.facts.say(i, message)
		}
	}
}

// lateAttempt tells whether node i is inside an attempt of a Retry that has made a later one, or inside something that
// was ended as a whole: what happens there can no longer undo what was decided from it.
func (e *Engine) lateAttempt(i nodegraph.Index) bool {
	for p := i; p > nodegraph.Entry; p = e.graph.Node(p).Parent {
		if e.graph.Node(p).Role == nodegraph.RoleAttempt && e.graph.Last(e.graph.Node(p).Parent) != p {
			return true
		}
		if e.facts.nodes[p].Stage == StageEnded && e.graph.Node(p).Kind.Composite() {
			return true
		}
	}
	return false
}

// incarnation places what an event says among the lives of a pod.
func (e *Engine) incarnation(l leaf, ev *Event) run {
	r := run{l.d.serial, ev.Pod.Attempt}
	if ev.Pod.named() || l.n.Stage == StageGone && !l.n.Ran && ev.Type != EventPodDeleted {
		r.serial = e.serialOf(l, ev)
	}
	if r.attempt == 0 && r.serial == l.d.serial {
		r.attempt = int(l.d.attempt)
	}
	r.attempt = max(r.attempt, 1)
	return r
}

// serialOf is incarnation where more than the pod that is known may be meant. It notes which pod it is of one that was waited
// for, and which it was before that.
func (e *Engine) serialOf(l leaf, ev *Event) int64 {
	i, n, d := l.i, l.n, l.d
	uid, serial := ev.Pod.UID, d.serial
	had, known, isOld := e.facts.uid(d), int64(0), false
	if len(e.older) > 0 {
		known, isOld = e.older[e.graph.Node(i).ID()][uid]
	}
	switch {
	case isOld:
		serial = known
	case uid != "" && uid == had:
	case !ev.Pod.Created.IsZero():
		serial = ev.Pod.Created.UnixNano()
		if d.serial == 0 && n.Ran && ev.Type != EventContainerRetried {
			e.date(i, serial)
		}
		if uid != "" && sameSecond(ev.Pod.Created, d.serial) {
			serial = d.serial // the pod that was waited for, unless there is one
			if had != "" {
				serial++
			}
		}
	case n.Stage == StageGone && !n.Ran:
		serial++ // the pod that was to be created again
	case uid != "" && had != "":
		serial++
	}
	if had != "" && uid != had && serial > d.serial {
		e.remember(e.graph.Node(i).ID(), map[string]int64{had: d.serial})
	}
	if serial > d.serial && e.stoppedUnheard(i) {
		e.facts.redate(i, serial, uid) // that is the pod that was stopped
	}
	return serial
}

// stoppedUnheard tells whether node i was stopped before anything was heard of its pod, or of the one that was asked for in
// the place of that.
func (e *Engine) stoppedUnheard(i nodegraph.Index) bool {
	d := &e.facts.details[i]
	return e.facts.nodes[i].Stage == StageStopped && (e.facts.more(d).remade > d.serial || d.serial == e.afterOlder(i))
}

// date gives the pod of node i, which only a record or a host without times has said to have run, its place among the pods
// with times: it is the first that is heard of.
func (e *Engine) date(i nodegraph.Index, serial int64) {
	e.facts.redate(i, serial, "")
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		e.facts.redate(m, serial, "")
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
		for _, serial := range e.older[e.graph.Node(i).ID()] {
			next = max(next, serial+1)
		}
	}
	return next
}

// observed puts into o what an event says of a pod. A literal would be made elsewhere and copied, for which a processor waits.
func (e *Engine) observed(o *observation, l leaf, ev *Event, stage Stage) {
	o.run, o.said, o.stage = e.incarnation(l, ev), ev, stage
}

// observe merges what was seen of a pod that has not ended.
func (e *Engine) observe(l leaf, ev *Event, stage Stage) {
	var o observation
	e.observed(&o, l, ev, stage)
	e.merge(l, &o)
}

// merge joins an observation into what is known of a leaf. What has ended in an attempt that was followed by another can't
// live again, and inside such an attempt no more is learned than which pod it was: how it ended could start what comes
// after it.
func (e *Engine) merge(l leaf, o *observation) {
	i, n := l.i, l.n
	e.facts.beginFirstRun(i)
	if o.stage == n.Stage && e.facts.known(l, o) {
		return
	}
	if n.Stage >= StageGone && e.eval.verdicts[i].fulfilled() {
		switch {
		case l.run().before(o.run) && e.lateAttempt(i):
			return
		case e.lateAttempt(n.parent):
			o = &observation{run: o.run, said: onlyPod(o.said)}
		}
	}
	finished := e.facts.finished[i]
	if e.facts.learn(l, o) && e.eval.verdicts[i].fulfilled() {
		e.facts.setFinished(i, finished) // until it turns out that it runs again
	}
}

// podEnded merges the end of a pod, unless it is one that failed before it ran and may be made anew (Argo:
// failedPodRestart).
func (e *Engine) podEnded(l leaf, ev *Event) {
	var o observation
	e.observed(&o, l, ev, StageEnded)
	o.phase, o.finished = ev.Phase, e.eval.finishedAt(ev)
	if ev.Phase == nodegraph.Failed && slices.Contains(restartReasons, ev.Reason) {
		f := e.facts.fact(l.i)
		f.Attempt = max(f.Attempt, 1) // what was stopped before it was heard of
		if f.Restarts > 0 && (f.Stage == StageGone || f.Stage == StageStopped) && !f.Ran && o.run == f.run() {
			return // once more what made the host replace it
		}
		if e.restartable(&f, ev, &o) {
			e.facts.beginFirstRun(l.i)
			e.facts.countRestart(l.i)
			o.stage, o.phase, o.finished = StageGone, nodegraph.Planned, e.facts.finished[l.i]
			e.merge(l, &o)
			e.facts.say(l.i, "Pod auto-restarting due to "+ev.Reason+": "+ev.Message)
			return
		}
	}
	e.merge(l, &o)
}

// restartable tells whether a pod that failed is replaced without counting as an attempt: it never ran, the
// infrastructure is the reason, and it was not replaced too often.
func (e *Engine) restartable(f *Fact, ev *Event, o *observation) bool {
	if o.before(f.run()) {
		return false
	}
	sameRun := o.run == f.run()
	return f.Restarts < e.graph.Spec().PodRestarts && !(sameRun && (f.Ran || f.Stage > StageGone)) && !ev.HasExit
}

// restartReasons are the pod failures that the kubelet reports before a container runs (Argo: isRestartableReason).
var restartReasons = []string{"Evicted", "NodeShutdown", "NodeAffinity", "UnexpectedAdmissionError"}

// podDeleted merges that a pod does not exist any more. Results that were on their way will not come.
func (e *Engine) podDeleted(l leaf, ev *Event) {
	var o observation
	e.observed(&o, l, ev, StageGone)
	o.finished = e.eval.finishedAt(ev)
	e.merge(l, &o)
	if l.d.serial == o.serial {
		e.facts.endResults(l.i)
	}
}

// observeContainer merges what was seen of a container. Seeing it run, or end, says that its pod ran.
func (e *Engine) observeContainer(pod leaf, ev *Event, stage Stage) {
	c := e.facts.leaf(e.container(pod.i, ev.Container))
	var o observation
	e.observed(&o, pod, ev, stage)
	if ev.Pod.Attempt == 0 {
		o.attempt = c.runIn(o.serial)
	}
	if stage == StageEnded {
		o.phase, o.finished = containerPhase(ev.ExitCode), e.eval.finishedAt(ev)
	}
	d := pod.d
	if d.serial < o.serial || e.facts.uid(d) == "" {
		e.merge(pod, &observation{run: run{o.serial, 1}, said: onlyPod(ev), stage: StagePending})
	}
	if o.attempt > 1 {
		e.beginAnew(c.i, &o)
	}
	e.merge(c, &o)
	if stage >= StageRunning && d.serial == o.serial {
		e.facts.sawRun(pod.i)
	}
	if ev.Container == "main" && stage == StageEnded && d.serial == o.serial {
		e.facts.exited(pod.i, ev.ExitCode)
	}
}

// runIn is the run that a leaf is known to be in inside the pod with this serial, the first if it is not known.
func (l leaf) runIn(serial int64) int {
	if l.d.serial != serial {
		return 1
	}
	return max(1, int(l.d.attempt))
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
func (e *Engine) containerRetried(pod leaf, ev *Event) {
	c := e.facts.leaf(e.container(pod.i, ev.Container))
	r := e.incarnation(pod, ev)
	if !ev.Pod.named() && pod.n.Stage == StageGone {
		r = run{pod.d.serial + 1, max(ev.Pod.Attempt, 1)} // the answer to the deletion: a new pod
	} else if ev.Pod.Attempt == 0 && r.serial == pod.d.serial {
		r.attempt = c.runIn(r.serial) + 1
		for _, m := range e.comesAfter(c.i) { // they begin anew too, whatever run they were in
			r.attempt = max(r.attempt, e.facts.leaf(m).runIn(r.serial)+1)
		}
	}
	o := observation{run: r, said: onlyPod(ev), stage: StageRunning}
	podRun := o
	if pod.n.Stage < StageGone || ev.Pod.UID != "" {
		podRun.attempt = pod.runIn(r.serial) // a pod goes on as it is, and one with a name that has ended stays so
	}
	e.merge(pod, &podRun)
	e.merge(c, &o)
	e.beginAnew(c.i, &o)
}

// beginAnew makes what comes after container c pending in the run o of it, unless it has come further in that run.
func (e *Engine) beginAnew(c nodegraph.Index, o *observation) {
	anew := observation{run: o.run, said: onlyPod(o.said), stage: StagePending}
	for _, m := range e.comesAfter(c) {
		e.merge(e.facts.leaf(m), &anew)
	}
}

// comesAfter lists the containers that come after c, directly or not, each once.
func (e *Engine) comesAfter(c nodegraph.Index) []nodegraph.Index {
	seen := map[nodegraph.Index]bool{c: true}
	list := []nodegraph.Index{c}
	for k := 0; k < len(list); k++ {
		for m := range e.graph.Before(list[k]) {
			if !seen[m] {
				seen[m] = true
				list = append(list, m)
			}
		}
	}
	return list[1:]
}

// finishedAt is when what the event tells of ended.
func (w *evalContext) finishedAt(ev *Event) stamp {
	if ev.Finished.IsZero() {
		return w.facts.instant
	}
	return stampOf(ev.Finished)
}
