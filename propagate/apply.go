package propagate

import (
	"maps"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// check refuses an event that can't be taken. Nothing has been changed when it is called.
func (e *Engine) check(k int, ev *Event) error {
	bad := func(field, value string, err error) error {
		return &EventError{Index: k, Event: *ev, Field: field, Value: value, Err: err}
	}
	if ev.Type == eventNone || int(ev.Type) >= len(eventNames) {
		return bad("type", ev.Type.String(), ErrInvalid)
	}
	if ev.Type == EventManualRetry {
		if !e.Complete() || !e.verdicts[nodegraph.Root].Phase.Unsuccessful() {
			return bad("phase", e.verdicts[nodegraph.Root].Phase.String(), ErrInvalid)
		}
		return nil
	}
	if e.Complete() {
		return bad("node", ev.Node, ErrComplete)
	}
	switch ev.Type {
	case EventShutdown:
		if ev.Reason != "Stop" && ev.Reason != "Terminate" {
			return bad("strategy", ev.Reason, ErrInvalid)
		}
		return nil
	case EventSuspended, EventAgentEnded:
		return nil
	case EventLockGranted, EventLockQueued:
		if ev.Node == "" && ev.At == nodegraph.Root {
			return nil
		}
	}
	i, err := e.locate(ev)
	if err != nil {
		return bad("node", ev.Node, err)
	}
	return e.checkNode(ev, i, bad)
}

// locate finds the node of an event.
func (e *Engine) locate(ev *Event) (nodegraph.Index, error) {
	i := ev.At
	if ev.Node != "" {
		i = e.g.Find(ev.Node)
	}
	if i <= nodegraph.Root || int(i) >= e.g.Len() {
		return nodegraph.None, ErrUnknownNode
	}
	return i, nil
}

// eventKinds says to which kinds of nodes an event can happen; an event that is not listed can happen to any.
var eventKinds = map[EventType][]nodegraph.Kind{
	EventPodPending: {nodegraph.Pod}, EventPodRunning: {nodegraph.Pod}, EventPodEnded: {nodegraph.Pod},
	EventPodDeleted: {nodegraph.Pod}, EventContainerPending: {nodegraph.Pod}, EventContainerRunning: {nodegraph.Pod},
	EventContainerEnded: {nodegraph.Pod}, EventContainerRetried: {nodegraph.Pod},
	EventNodeEnded: {nodegraph.HTTP, nodegraph.Plugin}, EventResumed: {nodegraph.Suspend},
	EventExpanded: {nodegraph.TaskGroup}, EventResultPending: {nodegraph.Pod}, EventResultSynced: {nodegraph.Pod},
}

// checkNode refuses an event that can't happen to node i.
func (e *Engine) checkNode(ev *Event, i nodegraph.Index, bad func(field, value string, err error) error) error {
	n := e.g.Node(i)
	if kinds := eventKinds[ev.Type]; kinds != nil && !slices.Contains(kinds, n.Kind) {
		return bad("node", n.Name, ErrWrongKind)
	}
	switch ev.Type {
	case EventResolved, EventMemoized, EventLockGranted, EventLockQueued, EventExpanded:
		if ev.Type == EventExpanded && len(ev.Items) > e.g.Limits().Items {
			return bad("items", n.Name, &nodegraph.LimitError{Limit: "Items", Max: e.g.Limits().Items, Node: n.Name})
		}
		return nil // of nodes that wait to be created
	}
	if !e.facts[i].created() {
		return bad("node", n.Name, ErrNotStarted)
	}
	switch ev.Type {
	case EventContainerPending, EventContainerRunning, EventContainerEnded, EventContainerRetried:
		if e.container(i, ev.Container) == nodegraph.None {
			return bad("container", ev.Container, ErrUnknownNode)
		}
	case EventPodEnded, EventNodeEnded, EventResumed:
		if !ev.Phase.Completed() {
			return bad("phase", ev.Phase.String(), ErrInvalid)
		}
	}
	if ev.Pod.Attempt < 0 {
		return bad("attempt", "negative", ErrInvalid)
	}
	return nil
}

// container finds a container of pod i by its name.
func (e *Engine) container(i nodegraph.Index, name string) nodegraph.Index {
	t := e.g.Node(i).Template
	for slot := range t.Containers {
		if t.Containers[slot].Name == name && e.g.First(i) != nodegraph.None {
			return e.g.Slot(i, int32(slot))
		}
	}
	return nodegraph.None
}

// apply takes an event that was checked.
func (e *Engine) apply(ev *Event) {
	if e.applyWorkflow(ev) {
		return
	}
	i, err := e.locate(ev)
	if err != nil {
		return // an event before it in the batch made the node go: a manual retry
	}
	f := &e.facts[i]
	switch ev.Type {
	case EventPodPending:
		e.observe(i, ev, StagePending)
	case EventPodRunning:
		e.observe(i, ev, StageRunning)
	case EventPodEnded:
		e.podEnded(i, ev)
	case EventPodDeleted:
		e.podDeleted(i, ev)
	case EventContainerPending:
		e.observeContainer(i, ev, StagePending)
	case EventContainerRunning:
		e.observeContainer(i, ev, StageRunning)
	case EventContainerEnded:
		e.observeContainer(i, ev, StageEnded)
	case EventContainerRetried:
		e.containerRetried(i, ev)
	case EventNodeEnded, EventResumed:
		f.Merge(Fact{Serial: f.Serial, Attempt: f.Attempt, Stage: StageEnded, Phase: ev.Phase, Message: ev.Message, Finished: e.finishedAt(ev)})
		e.touch(i)
	case EventResolved:
		e.answer(i, ev)
	case EventExpanded:
		e.expanded(i, ev)
	case EventMemoized:
		e.memoized(i, ev)
	case EventLockGranted, EventLockQueued:
		e.lockAnswered(i, ev)
	case EventResultPending, EventResultSynced:
		f.Synced = f.Synced || ev.Type == EventResultSynced || f.Stage == StageGone
		f.Unsynced = !f.Synced
		e.touch(i)
	}
}

// applyWorkflow takes an event that concerns the workflow as a whole.
func (e *Engine) applyWorkflow(ev *Event) bool {
	switch ev.Type {
	case EventShutdown:
		e.applyShutdown(ev.Reason)
	case EventSuspended:
		e.held = ev.Value
	case EventManualRetry:
		e.manualRetry()
	case EventAgentEnded:
		for i := nodegraph.Entry; int(i) < e.g.Len(); i++ {
			k := e.g.Node(i).Kind
			if (k == nodegraph.HTTP || k == nodegraph.Plugin) && e.facts[i].created() {
				f := &e.facts[i]
				if f.Merge(Fact{Serial: f.Serial, Attempt: f.Attempt, Stage: StageGone, Finished: e.now}) && f.Stage == StageGone {
					f.Message = ev.Message
				}
				e.touch(i)
			}
		}
	case EventLockGranted, EventLockQueued:
		if ev.Node != "" || ev.At != nodegraph.Root {
			return false
		}
		root := &e.facts[nodegraph.Root]
		if root.Lock == LockHeld {
			return true
		}
		root.Lock, root.Message, root.Reason = LockWaits, ev.Message, ev.Reason
		if ev.Type == EventLockGranted {
			root.Lock, root.Message, root.Reason = LockHeld, "", ""
			e.beginWorkflow()
		}
		e.touch(nodegraph.Root)
	default:
		return false
	}
	return true
}

// lateAttempt tells whether node i is inside an attempt of a Retry that has made a later one, or inside something that
// was ended as a whole: what happens there can no longer undo what was decided from it.
func (e *Engine) lateAttempt(i nodegraph.Index) bool {
	for p := i; p > nodegraph.Entry; p = e.g.Node(p).Parent {
		if e.g.Node(p).Role == nodegraph.RoleAttempt && e.g.Last(e.g.Node(p).Parent) != p {
			return true
		}
		if e.facts[p].Stage == StageEnded && e.g.Node(p).Kind.Composite() {
			return true
		}
	}
	return false
}

// incarnation places an observation among the lives of the pod of node i: it returns the serial and the attempt.
func (e *Engine) incarnation(i nodegraph.Index, ev *Event) (serial int64, attempt int) {
	f := &e.facts[i]
	attempt = ev.Pod.Attempt
	uid := ev.Pod.UID
	switch known, isOld := e.older[e.g.Node(i).ID][uid]; {
	case !ev.Pod.Created.IsZero():
		serial = ev.Pod.Created.UnixNano()
	case isOld:
		serial = known
	case uid == "" && f.Stage == StageGone && !f.Ran:
		serial = f.Serial + 1 // the pod that was to be created again
	case uid == "" || f.UID == "" || uid == f.UID:
		serial = f.Serial
	default:
		serial = f.Serial + 1
	}
	if f.UID != "" && uid != f.UID && serial > f.Serial {
		e.remember(e.g.Node(i).ID, map[string]int64{f.UID: f.Serial})
	}
	if attempt == 0 && serial == f.Serial {
		attempt = f.Attempt
	}
	return serial, max(attempt, 1)
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

// afterOlder is the first serial after those of the pods that a node had.
func (e *Engine) afterOlder(id string) int64 {
	next := int64(0)
	for _, serial := range e.older[id] {
		next = max(next, serial+1)
	}
	return next
}

func (e *Engine) observation(i nodegraph.Index, ev *Event, stage Stage) Fact {
	serial, attempt := e.incarnation(i, ev)
	return Fact{
		Serial: serial, UID: ev.Pod.UID, Attempt: attempt, Stage: stage, Ready: ev.Ready, Phase: ev.Phase,
		Message: ev.Message, Reason: ev.Reason, ExitCode: ev.ExitCode, HasExit: ev.HasExit,
	}
}

// observe merges what was seen of the pod of node i.
func (e *Engine) observe(i nodegraph.Index, ev *Event, stage Stage) {
	e.merge(i, e.observation(i, ev, stage))
}

// merge joins an observation into the facts of node i. A pod of an attempt that was followed by another can end, but
// not live again.
func (e *Engine) merge(i nodegraph.Index, o Fact) {
	f := &e.facts[i]
	if f.Stage >= StageGone && f.run().before(o.run()) && e.verdicts[i].Fulfilled && e.lateAttempt(i) {
		return
	}
	if f.Attempt == 0 {
		f.Attempt = 1
	}
	if f.Merge(o) {
		e.touchPod(i)
	}
}

// podEnded merges the end of a pod, unless it is one that failed before it ran and may be made anew (Argo:
// failedPodRestart).
func (e *Engine) podEnded(i nodegraph.Index, ev *Event) {
	o := e.observation(i, ev, StageEnded)
	o.Finished = e.finishedAt(ev)
	f := &e.facts[i]
	if f.Restarts > 0 && f.Stage == StageGone && !f.Ran && o.run() == f.run() && slices.Contains(restartReasons, ev.Reason) {
		return // once more what made the host replace it
	}
	if e.restartable(i, ev, &o) {
		f.Restarts++
		o.Stage, o.Phase, o.Finished = StageGone, nodegraph.Planned, f.Finished
		e.merge(i, o)
		f.Message = "Pod auto-restarting due to " + ev.Reason + ": " + ev.Message
		return
	}
	e.merge(i, o)
}

// restartable tells whether a pod that failed is replaced without counting as an attempt: it never ran, the
// infrastructure is the reason, and it was not replaced too often.
func (e *Engine) restartable(i nodegraph.Index, ev *Event, o *Fact) bool {
	f := &e.facts[i]
	if ev.Phase != nodegraph.Failed || !slices.Contains(restartReasons, ev.Reason) || o.run().before(f.run()) {
		return false
	}
	sameRun := o.run() == f.run()
	return f.Restarts < e.g.Spec().PodRestarts && !(sameRun && (f.Ran || f.Stage >= StageGone)) && !ev.HasExit
}

// restartReasons are the pod failures that the kubelet reports before a container runs (Argo: isRestartableReason).
var restartReasons = []string{"Evicted", "NodeShutdown", "NodeAffinity", "UnexpectedAdmissionError"}

// podDeleted merges that a pod does not exist any more. Results that were on their way will not come.
func (e *Engine) podDeleted(i nodegraph.Index, ev *Event) {
	o := e.observation(i, ev, StageGone)
	if ev.Pod.UID == "" && ev.Pod.Created.IsZero() {
		o.Serial = e.facts[i].Serial // the pod that is known
	}
	o.Finished = e.finishedAt(ev)
	e.merge(i, o)
	if f := &e.facts[i]; f.Serial == o.Serial && !f.Synced {
		f.Synced, f.Unsynced = true, false
		e.touch(i)
	}
}

// observeContainer merges what was seen of a container. Seeing it run, or end, says that its pod ran.
func (e *Engine) observeContainer(pod nodegraph.Index, ev *Event, stage Stage) {
	c := e.container(pod, ev.Container)
	o := e.observation(pod, ev, stage)
	if ev.Pod.Attempt == 0 {
		o.Attempt = max(1, e.facts[c].Attempt)
	}
	if stage == StageEnded {
		o.Phase, o.Finished = containerPhase(ev.ExitCode), e.finishedAt(ev)
	}
	p := &e.facts[pod]
	if p.Serial < o.Serial || p.UID == "" {
		e.merge(pod, Fact{Serial: o.Serial, UID: o.UID, Attempt: 1, Stage: StagePending})
	}
	e.merge(c, o)
	if stage >= StageRunning && p.Serial == o.Serial && !p.Ran {
		p.Ran = true
		e.touchPod(pod)
	}
	if ev.Container == "main" && stage == StageEnded && p.Serial == o.Serial {
		p.HasExit, p.ExitCode = true, ev.ExitCode
	}
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
	if e.lateAttempt(pod) && e.verdicts[pod].Fulfilled {
		return
	}
	c := e.container(pod, ev.Container)
	p := &e.facts[pod]
	serial, attempt := e.incarnation(pod, ev)
	if ev.Pod.UID == "" && ev.Pod.Created.IsZero() && p.Stage == StageGone {
		serial, attempt = p.Serial+1, max(ev.Pod.Attempt, 1) // the answer to the deletion: a new pod
	} else if ev.Pod.Attempt == 0 && serial == p.Serial {
		attempt = max(e.facts[c].Attempt, 1) + 1
		for _, m := range e.comesAfter(c) { // they begin anew too, whatever run they were in
			attempt = max(attempt, e.facts[m].Attempt+1)
		}
	}
	o := Fact{Serial: serial, UID: ev.Pod.UID, Attempt: attempt, Stage: StageRunning, Ran: true}
	if known := (run{serial, attempt}); !e.facts[c].run().before(known) {
		return // heard before
	}
	podRun := o
	if serial == p.Serial && p.Stage < StageGone {
		podRun.Attempt = p.Attempt // the pod goes on as it is
	}
	if serial > p.Serial { // a new pod: everything in it begins anew
		for m := e.g.First(pod); m != nodegraph.None; m = e.g.Next(m) {
			e.merge(m, Fact{Serial: serial, UID: ev.Pod.UID, Attempt: 1, Stage: StagePending})
		}
	}
	e.merge(pod, podRun)
	e.merge(c, o)
	o.Stage, o.Ran = StagePending, false
	for _, m := range e.comesAfter(c) {
		e.merge(m, o)
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

// answer takes the host's word on a when condition.
func (e *Engine) answer(i nodegraph.Index, ev *Event) {
	f := &e.facts[i]
	if f.created() || f.Answer == AnswerRun || f.Answer == AnswerSkip {
		return
	}
	f.Answer = AnswerSkip
	if ev.Value {
		f.Answer = AnswerRun
	} else {
		when := ev.Message
		if when == "" {
			when = e.g.Node(i).Task.When
		}
		f.Message = "when '" + when + "' evaluated false"
	}
	e.touch(i)
}

// expanded takes the items of a loop. The items of a step become members of its StepGroup.
func (e *Engine) expanded(i nodegraph.Index, ev *Event) {
	n := e.g.Node(i)
	if n.Expanded() || n.Task.Loop.Unresolved == "" {
		return
	}
	into := i
	if n.Role == nodegraph.RoleStep && len(ev.Items) > 0 {
		into = n.Parent
	}
	if err := e.g.AddItems(into, n.Task, ev.Items); err != nil {
		e.fail(i, err)
		return
	}
	e.grow()
	if into != i {
		e.g.MarkExpanded(i)
		e.facts[i].Answer = AnswerRun
		for m := e.g.First(into); m != nodegraph.None; m = e.g.Next(m) {
			e.touch(m)
		}
		e.touch(into)
	}
	e.touch(i)
}

// memoized takes the host's word on a memoization key.
func (e *Engine) memoized(i nodegraph.Index, ev *Event) {
	f := &e.facts[i]
	if f.created() || f.Memo == AnswerRun {
		return
	}
	f.Memo = AnswerRun
	if ev.Value {
		delete(e.asked, i)
		f.Created, f.Finished, f.Serial = e.now, e.now, e.afterOlder(e.g.Node(i).ID)
		f.Stage, f.Phase, f.Message, f.Hit = StageEnded, nodegraph.Succeeded, ev.Message, true
	} else {
		e.wanted = append(e.wanted, i)
	}
	e.touch(i)
}

// lockAnswered takes the host's word on the locks of node i. A node that must wait is created at once, so that the
// user sees it waiting; it goes on when they are granted.
func (e *Engine) lockAnswered(i nodegraph.Index, ev *Event) {
	f := &e.facts[i]
	if f.Lock == LockHeld || e.verdicts[i].Fulfilled {
		return
	}
	e.touch(i)
	if ev.Type == EventLockQueued {
		delete(e.asked, i)
		f.Lock, f.Message, f.Reason = LockWaits, ev.Message, ev.Reason
		if !f.created() {
			f.Created, f.Waited, f.Serial = e.now, true, e.afterOlder(e.g.Node(i).ID)
			e.watchTimeouts(i)
			e.actOn(ActionStart, i, ev.Message)
		}
		return
	}
	f.Lock = LockHeld
	if f.created() {
		f.Message, f.Reason = "", ""
		if e.g.Node(i).Kind == nodegraph.Pod {
			e.actOn(ActionRecreate, i, "")
		}
		e.expand(i)
	} else {
		e.wanted = append(e.wanted, i)
	}
}

// finishedAt is when what the event tells of ended.
func (e *Engine) finishedAt(ev *Event) time.Time {
	if ev.Finished.IsZero() {
		return e.now
	}
	return ev.Finished
}
