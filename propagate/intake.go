package propagate

import (
	"slices"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// take takes the events of a call, which were checked. Those about the workflow as a whole come last: what is told of a node in
// the same call has happened before a shutdown that stops it. The last of the events are about pods, whose containers come before them.
func (e *Engine) take(events []Event, pods []*PodStatus) {
	ofWorkflow := false
	targets, known := e.out.targets[:len(events)], len(events)-len(pods)
	for k, i := range targets {
		if k >= known && pods[k-known] != nil {
			e.takeContainers(&events[k], pods[k-known])
		}
		if i == nodegraph.Root {
			ofWorkflow = true
		} else {
			e.apply(&events[k], i)
		}
	}
	if !ofWorkflow {
		return
	}
	for k, i := range targets {
		if i == nodegraph.Root {
			e.applyWorkflow(&events[k])
		}
	}
}

// apply takes an event of node i that was checked.
func (e *Engine) apply(ev *Event, i nodegraph.Index) {
	about := &eventRules[ev.Type]
	switch {
	case about.about == aboutWait && !e.facts.Node(i).Exists && e.rules.WithinEnded(i):
		return // too late: nothing inside what has ended changes
	case about.kinds == pods && e.facts.CacheHit(i):
		return // it was found in the cache and has no pod: that one is from before a manual retry
	}
	if ev.Type == EventPodEnded || ev.Type == EventPodDeleted {
		e.restored.pendingEnds = slices.DeleteFunc(e.restored.pendingEnds, func(m nodegraph.Index) bool { return m == i })
	}
	switch ev.Type {
	case EventPodPending:
		e.observe(i, ev, fact.StagePending)
	case EventPodRunning:
		e.observe(i, ev, fact.StageRunning)
	case EventPodEnded:
		e.podEnded(i, ev)
	case EventPodDeleted:
		e.podDeleted(i, ev)
	case EventContainerPending:
		e.observeContainer(i, ev, fact.StagePending)
	case EventContainerRunning:
		e.observeContainer(i, ev, fact.StageRunning)
	case EventContainerEnded:
		e.observeContainer(i, ev, fact.StageEnded)
	case EventContainerRetried:
		e.containerRetried(i, ev)
	case EventNodeEnded, EventResumed:
		if !e.rules.Brief(i).Fulfilled() {
			o := e.ending(i, fact.StageEnded, ev.Phase, ev.Message, e.finishedAt(ev))
			e.facts.Join(i, &o)
		}
	case EventResolved:
		e.answer(i, ev)
	case EventExpanded:
		e.expanded(i, ev)
	case EventUnanswerable:
		e.unanswerable(i, ev)
	case EventUnrunnable:
		e.unrunnable(i, ev)
	case EventMemoized:
		e.memoized(i, ev)
	case EventLockGranted, EventLockQueued:
		e.lockAnswered(i, ev)
	case EventResultPending, EventResultSynced:
		e.resultTold(i, ev)
	}
}

// applyWorkflow takes an event that concerns the workflow as a whole.
func (e *Engine) applyWorkflow(ev *Event) {
	switch ev.Type {
	case EventShutdown:
		e.applyShutdown(ev.Reason)
	case EventSuspended:
		e.facts.SetSuspended(ev.Value)
		e.starts.lookAgain()
	case EventManualRetry:
		e.manualRetry(ev)
	case EventAgentEnded:
		e.agentEnded(ev.Message)
	case EventLockGranted, EventLockQueued:
		e.workflowLockAnswered(ev)
	case EventUnanswerable:
		e.workflowUnanswerable(ev)
	case EventUnrunnable:
		e.endWorkflow(nodegraph.PhaseError, ev.Message)
	}
}

// refused says that the field of an event has a value with which it can't be taken.
func refused(field, value string, err error) *EventError {
	return &EventError{Field: field, Value: value, Err: err}
}

// check finds the nodes of the events of a call, or says why one of them can't be taken. Nothing has been changed when it is
// called.
func (e *Engine) check(events []Event) error {
	complete := e.Complete()
	targets := slices.Grow(e.out.targets[:0], len(events))[:len(events)]
	e.out.targets = targets
	for k := range targets {
		ev := &events[k]
		rule, i := &eventRules[ev.Type], ev.At
		if ev.Node != "" {
			i = e.graph.Find(ev.Node)
		}
		var refusal *EventError
		switch {
		case rule.about == aboutWorkflow || i == nodegraph.Root && (rule.about == aboutLocks || rule.ofWorkflowToo):
			i, refusal = nodegraph.Root, e.workflowRefusal(ev)
		case complete:
			refusal = refused("node", ev.Node, ErrComplete)
		case i <= nodegraph.Root || int(i) >= e.graph.Len():
			refusal = refused("node", ev.Node, ErrUnknownNode)
		case !rule.kinds.has(e.facts.Node(i).Kind):
			refusal = refused("node", e.rules.NameOf(i), ErrWrongKind)
		case rule.about == aboutLocks:
			refusal = e.lockRefusal(i)
		case rule.about == aboutWait:
			refusal = e.answerRefusal(ev, i)
		case !e.facts.Node(i).Exists:
			refusal = refused("node", e.rules.NameOf(i), ErrNotStarted)
		case rule.about == aboutContainer && e.container(i, ev.Container) == nodegraph.None:
			refusal = refused("container", ev.Container, ErrUnknownNode)
		case rule.about == aboutEnd && !ev.Phase.Completed():
			refusal = refused("phase", ev.Phase.String(), ErrInvalid)
		case uint(ev.Pod.Attempt) > maxAttempt: // a negative one as well
			refusal = refused("attempt", strconv.Itoa(ev.Pod.Attempt), ErrInvalid)
		case ev.ExitCode != 0 && !ev.HasExit:
			refusal = refused("exitCode", strconv.Itoa(ev.ExitCode), ErrInvalid)
		case e.facts.Node(i).Waits() && e.madeWithoutLock(ev, i):
			refusal = refused("node", e.rules.NameOf(i), ErrWaitsForLock)
		}
		if refusal != nil {
			return e.ofEvent(refusal, k, ev, i)
		}
		targets[k] = i
	}
	return nil
}

// madeWithoutLock reports whether an event tells of a pod of node i, which waits for a lock and never had a pod. One that is known to
// be older is not meant.
func (e *Engine) madeWithoutLock(ev *Event, i nodegraph.Index) bool {
	switch ev.Type {
	case EventPodPending, EventPodRunning, EventPodEnded:
		_, isOld := e.older[e.graph.Node(i).ID()][ev.Pod.UID]
		return e.facts.Node(i).Stage == fact.StageNone && !isOld
	}
	return false
}

// ofEvent completes the refusal of event k of a call, which is about node i if there is one.
func (e *Engine) ofEvent(refusal *EventError, k int, ev *Event, i nodegraph.Index) *EventError {
	refusal.Index, refusal.Event, refusal.Node = k, *ev, ev.Node
	if i > nodegraph.Root && int(i) < e.graph.Len() {
		refusal.Node = e.rules.NameOf(i)
	}
	refusal.Hint = e.hint(refusal, ev, i)
	return refusal
}

// workflowRefusal says why an event of the workflow as a whole can't be taken.
func (e *Engine) workflowRefusal(ev *Event) *EventError {
	switch {
	case ev.Type == eventNone || int(ev.Type) >= len(eventNames.Of):
		return refused("type", ev.Type.String(), ErrInvalid)
	case ev.Type == EventManualRetry:
		return e.retryRefusal(ev)
	case e.Complete():
		return refused("node", ev.Node, ErrComplete)
	case eventRules[ev.Type].about == aboutLocks, ev.Type == EventUnanswerable: // the locks are all that is asked of the workflow
		return e.lockRefusal(nodegraph.Root)
	case ev.Type == EventShutdown && ev.Reason != "Stop" && ev.Reason != "Terminate":
		return refused("strategy", ev.Reason, ErrInvalid)
	}
	return nil
}

// retryRefusal says why the workflow can't be retried: it has not failed, and nothing is to run again in spite of that, or
// something is that never began; or it can't be retried with that specification.
func (e *Engine) retryRefusal(ev *Event) *EventError {
	if phase := e.rules.Brief(nodegraph.Root).Phase(); !phase.Unsuccessful() && (phase != nodegraph.PhaseSucceeded || len(ev.Restart) == 0) {
		return refused("phase", phase.String(), ErrInvalid)
	}
	for _, name := range ev.Restart {
		switch i := e.graph.Find(name); {
		case i <= nodegraph.Root:
			return refused("restart", name, ErrUnknownNode)
		case !e.Exists(i):
			return refused("restart", name, ErrNotStarted)
		}
	}
	if ev.Spec == nil {
		return nil
	}
	if ev.Spec.Name != e.graph.Spec().Name {
		return refused("spec", ev.Spec.Name, ErrInvalid)
	}
	if _, err := e.retriedBy(ev); err != nil {
		return refused("spec", ev.Spec.Name, err)
	}
	return nil
}

// about says what an event is about.
type about uint8

const (
	aboutWorkflow  about = iota // no node
	aboutPod                    // a node that was started, its pod if it is one
	aboutEnd                    // the same, with the phase in which it ended
	aboutContainer              // a container of it
	aboutWait                   // a node that waits to be created, and for an answer
	aboutLocks                  // the locks of a node, or of the workflow
)

// eventRules say what each event is about, and to which kinds of nodes it can happen. A number that is no type of event has
// the rule of the workflow's, whose check refuses it.
var eventRules = [1 << 8]struct {
	about         about
	kinds         kinds
	ofWorkflowToo bool // without a node it is about the workflow
}{
	EventPodPending:       {about: aboutPod, kinds: pods},
	EventPodRunning:       {about: aboutPod, kinds: pods},
	EventPodEnded:         {about: aboutEnd, kinds: pods},
	EventPodDeleted:       {about: aboutPod, kinds: pods},
	EventResultPending:    {about: aboutPod, kinds: pods},
	EventResultSynced:     {about: aboutPod, kinds: pods},
	EventContainerPending: {about: aboutContainer, kinds: pods},
	EventContainerRunning: {about: aboutContainer, kinds: pods},
	EventContainerEnded:   {about: aboutContainer, kinds: pods},
	EventContainerRetried: {about: aboutContainer, kinds: pods},
	EventNodeEnded:        {about: aboutEnd, kinds: 1<<nodegraph.KindHTTP | 1<<nodegraph.KindPlugin},
	EventResumed:          {about: aboutEnd, kinds: 1 << nodegraph.KindSuspend},
	EventResolved:         {about: aboutWait, kinds: anyKind},
	EventExpanded:         {about: aboutWait, kinds: 1 << nodegraph.KindTaskGroup},
	EventUnanswerable:     {about: aboutWait, kinds: anyKind, ofWorkflowToo: true},
	EventMemoized:         {about: aboutWait, kinds: anyKind},
	EventLockGranted:      {about: aboutLocks, kinds: anyKind},
	EventLockQueued:       {about: aboutLocks, kinds: anyKind},
	EventUnrunnable:       {about: aboutPod, kinds: anyKind &^ (1 << nodegraph.KindContainer), ofWorkflowToo: true},
}

// answerRefusal says why an answer can't be one about node i: it never asks for that, or it gets too many items.
func (e *Engine) answerRefusal(ev *Event, i nodegraph.Index) *EventError {
	switch {
	case ev.Type == EventMemoized && e.rules.MemoKey(i) == "",
		ev.Type == EventExpanded && e.graph.Node(i).Task.Loop.Unresolved == "",
		ev.Type == EventResolved && !e.facts.Node(i).Exists && !e.rules.MayAsk(i): // what was created is decided, and ignores it
		return refused("node", e.rules.NameOf(i), ErrWrongKind)
	}
	if most := e.graph.Limits().Items; len(ev.Items) > most {
		return refused("items", e.rules.NameOf(i), &nodegraph.LimitError{Limit: "Items", Max: most, Node: e.rules.NameOf(i)})
	}
	return nil
}

// lockRefusal says why an answer about locks can't be about node i: it has none.
func (e *Engine) lockRefusal(i nodegraph.Index) *EventError {
	if len(e.rules.LocksOf(i)) == 0 {
		return refused("node", e.rules.NameOf(i), ErrWrongKind)
	}
	return nil
}

// maxAttempt is the highest number of a run inside one pod.
const maxAttempt = 1 << 30
