package propagate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// SyncPods is the level-triggered intake: these are all the pods of the workflow that exist now. Pods of nodes that
// the workflow never asked for are listed in the result and ignored. A node whose pod was there and is not listed has
// lost it, so a list that is not complete yet must not be told. The same list twice changes nothing. Events that are
// known besides are taken in the same batch and may be refused, as by [Engine.Apply]. A list is refused, with a
// [*EventError], only for what no pod can look like. Of a complete workflow all but a manual retry and the grant of a
// lock is ignored. The end of a pod that is listed alive is asked for, again if need be, where its node has ended without it.
func (e *Engine) SyncPods(now time.Time, pods []PodStatus, events ...Event) (Result, error) {
	if err := e.enter(); err != nil {
		return Result{}, err
	}
	listed := make([]bool, e.graph.Len())
	nodes := e.podNodes(pods)
	for _, of := range nodes {
		if of.node > nodegraph.Root {
			listed[of.node] = true
		}
	}
	var lost []nodegraph.Index
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if !listed[i] && e.hasPod(i) {
			lost = append(lost, i)
		}
	}
	r, err := e.sync(now, pods, nodes, lost, events)
	e.leave()
	return r, err
}

// SyncChanged is SyncPods for a host that knows what differs from what it told before. Changed are pods that are new or look
// different. Gone are pods that do not exist any more; their node and UID are enough. It costs what is listed, not what
// exists. A pod that was never told of and is gone changes nothing.
func (e *Engine) SyncChanged(now time.Time, changed, gone []PodStatus, events ...Event) (Result, error) {
	if err := e.enter(); err != nil {
		return Result{}, err
	}
	var lost []nodegraph.Index
	for k := range gone {
		if i, known := e.podNode(&gone[k]); known && e.hasPod(i) && gone[k].UID == e.facts.UID(i) {
			lost = append(lost, i)
		}
	}
	r, err := e.sync(now, changed, e.podNodes(changed), lost, events)
	e.leave()
	return r, err
}

// A podOf is the node that a pod is for, and whether the workflow has asked for the pod.
type podOf struct {
	node  nodegraph.Index
	known bool
}

// podNodes finds the nodes that pods are for.
func (e *Engine) podNodes(pods []PodStatus) []podOf {
	nodes := make([]podOf, len(pods))
	for k := range pods {
		nodes[k].node, nodes[k].known = e.podNode(&pods[k])
	}
	return nodes
}

// sync tells how pods look and which nodes have lost theirs. Of a complete workflow only a manual retry can change
// anything, and a lock that was granted is refused, so that the host gives it back.
func (e *Engine) sync(now time.Time, pods []PodStatus, nodes []podOf, lost []nodegraph.Index, events []Event) (Result, error) {
	if err := checkPods(pods); err != nil {
		return Result{}, err
	}
	outlived := e.outlived(pods, nodes)
	if e.Complete() {
		pods, lost = nil, nil
		if !slices.ContainsFunc(events, func(ev Event) bool { return ev.Type == EventManualRetry || ev.Type == EventLockGranted }) {
			events = nil // a restored engine may still have to say that it is complete
		}
	}
	batch, told, unknown := e.batch(pods, nodes, lost, events)
	var r Result
	err := e.call(&r, now, batch, told)
	r.Unknown = unknown
	for _, a := range outlived {
		a.Node = e.graph.Find(a.ID) // a manual retry has made another graph
		ended := e.Complete() || a.Node != nodegraph.None && e.rules.Brief(a.Node).Fulfilled()
		if ended && !slices.ContainsFunc(r.Actions, func(b Action) bool { return b.Type == a.Type && b.Node == a.Node }) {
			r.Actions = append(r.Actions, a)
		}
	}
	return r, err
}

// batch lists the events that pods and lost ones tell, after those that are known besides, and the pods that nobody asked for. The
// last of the events are those of told, and of lost pods where that is nil.
func (e *Engine) batch(
	pods []PodStatus, nodes []podOf, lost []nodegraph.Index, events []Event,
) (batch []Event, told []*PodStatus, unknown []string) {
	batch, told = append(make([]Event, 0, len(events)+len(pods)+len(lost)), events...), make([]*PodStatus, 0, len(pods)+len(lost))
	for k := range pods {
		if nodes[k].known {
			batch, told = append(batch, e.podEvent(nodes[k].node, &pods[k])), append(told, &pods[k])
		} else {
			unknown = append(unknown, pods[k].Node)
		}
	}
	for _, i := range lost {
		batch = append(batch, Event{Type: EventPodDeleted, At: i, Pod: fact.PodInstance{UID: e.facts.UID(i)}})
		told = append(told, nil)
	}
	return batch, told, unknown
}

// outlived asks for the end of each pod that is alive although its node, or its workflow, has ended otherwise than by that pod.
// Whoever was asked before may not have done it, of what a record leaves open nobody was, and a pod may be one that nobody had
// told of.
func (e *Engine) outlived(pods []PodStatus, nodes []podOf) []Action {
	var actions []Action
	for k := range pods {
		p, i := &pods[k], nodes[k].node
		if p.Phase != PodPhaseSucceeded && p.Phase != PodPhaseFailed && i != nodegraph.None && e.endedWithout(i, p.UID) {
			actions = append(actions, e.actionOn(ActionTerminate, i, e.whyToEnd(i)))
		}
	}
	return actions
}

// endedWithout reports whether node i has ended otherwise than by the pod with this UID. A list may be older than the end of that.
func (e *Engine) endedWithout(i nodegraph.Index, uid string) bool {
	f := e.facts.Node(i)
	if f.Released || f.Stage == fact.StageStopped || e.facts.CacheHit(i) {
		return true
	}
	return uid != e.facts.UID(i) && (e.Complete() || e.rules.Brief(i).Fulfilled() && (e.final(i) || f.EndedOnRecord()))
}

// hasPod reports whether node i has a pod of which something is still to come: its end, or results that are on their way.
func (e *Engine) hasPod(i nodegraph.Index) bool {
	f := e.facts.Node(i)
	return e.facts.Node(i).Kind == nodegraph.KindPod && (f.Stage == fact.StagePending || f.Stage == fact.StageRunning || f.Stage == fact.StageEnded && f.Unsynced)
}

// podNode finds the node that a pod is for, None if there is none. It returns false if the workflow never asked for the pod: the node
// has not started, or it has ended or waits for a lock without a pod, and the pod is from before a manual retry.
func (e *Engine) podNode(p *PodStatus) (nodegraph.Index, bool) {
	i := e.graph.Find(p.Node)
	if i <= nodegraph.Root || e.facts.Node(i).Kind != nodegraph.KindPod {
		return nodegraph.None, false
	}
	f := e.facts.Node(i)
	inside := len(e.graph.Node(i).Template.Containers) == 0 || e.graph.First(i) != nodegraph.None
	return i, f.Exists && !e.facts.CacheHit(i) && !f.Waits() && inside
}

// podEvent is what a pod tells, read as Argo's controller does (assessNodeStatus), but for its containers.
func (e *Engine) podEvent(i nodegraph.Index, p *PodStatus) Event {
	looks := lookAt(e.graph.Node(i).Template, p)
	pod := Event{At: i, Pod: fact.PodInstance{UID: p.UID, Created: p.Created}, Conditions: p.Conditions}
	switch p.Phase {
	case PodPhasePending:
		pod.Type, pod.Message = EventPodPending, pendingMessage(p)
	case PodPhaseRunning:
		pod.Type, pod.Ready = EventPodRunning, true
		for k := range p.Containers {
			pod.Ready = pod.Ready && p.Containers[k].Ready
		}
	case PodPhaseSucceeded:
		pod.Type, pod.Phase = EventPodEnded, nodegraph.PhaseSucceeded
	case PodPhaseFailed:
		pod.Type, pod.Reason = EventPodEnded, p.Reason
		pod.Phase, pod.Message = looks.failure(e.style)
	case PodPhaseUnknown:
		pod.Type, pod.Phase = EventPodEnded, nodegraph.PhaseError
		pod.Message = fmt.Sprintf("%s%s: %s", textUnknownPhase, cmp.Or(p.Name, p.Node), p.Phase)
	}
	if p.Phase != PodPhaseFailed && pod.Type == EventPodEnded && auxiliaryRuns(p) {
		pod = e.unchanged(i, &pod) // results are being stored
	}
	pod.Finished, pod.Undated = finishOf(p)
	pod.ExitCode, pod.HasExit = looks.exit()
	return pod
}

// takeContainers takes what a pod tells of its containers that are nodes. They are looked at when it is their turn: a list of events of
// them all would be the largest that a call needs.
func (e *Engine) takeContainers(pod *Event, p *PodStatus) {
	for k := range p.Containers {
		if c := &p.Containers[k]; isContainerNode(e.graph.Node(pod.At), c.Name) {
			ev := containerEvent(pod.At, pod.Pod, c, e.style)
			e.apply(&ev, pod.At)
		}
	}
}

// unchanged is the event that a pod is as it was, and what is said of it if anything is.
func (e *Engine) unchanged(i nodegraph.Index, ended *Event) Event {
	ev := Event{Type: EventPodRunning, At: i, Pod: ended.Pod, Message: ended.Message}
	if e.facts.Node(i).Stage == fact.StagePending {
		ev.Type = EventPodPending
		if ev.Message == "" {
			ev.Message = e.facts.Message(i)
		}
	}
	return ev
}

// finishOf is when a pod ended: with the last of its containers, those that prepare it included. It is now while one runs, and
// undated where none says anything (Argo: getLatestFinishedAt).
func finishOf(p *PodStatus) (at time.Time, undated bool) {
	for _, list := range [...][]ContainerStatus{p.Init, p.Containers} {
		for k := range list {
			switch c := &list[k]; {
			case c.Running:
				return time.Time{}, false
			case c.Terminated && c.Finished.After(at):
				at = c.Finished
			}
		}
	}
	return at, at.IsZero()
}

func isContainerNode(n *nodegraph.Node, name string) bool {
	return len(n.Template.Containers) > 0 && n.Template.IsMain(name)
}

func containerEvent(i nodegraph.Index, id fact.PodInstance, c *ContainerStatus, put style) Event {
	ev := Event{At: i, Pod: id, Container: c.Name, Type: EventContainerPending}
	switch {
	case c.Terminated:
		ev.Type, ev.ExitCode, ev.HasExit, ev.Finished = EventContainerEnded, c.ExitCode, true, c.Finished
		if c.ExitCode != 0 {
			ev.Message = put.of(c, fmt.Sprintf("%s (exit code %d): %s", c.Reason, c.ExitCode, c.Message))
		}
	case c.Running:
		ev.Type = EventContainerRunning
	}
	return ev
}

// auxiliaryRuns reports whether the container that stores results still runs.
func auxiliaryRuns(p *PodStatus) bool {
	return slices.ContainsFunc(p.Containers, func(c ContainerStatus) bool { return auxiliary(c.Name) && c.Running })
}

// auxiliary reports whether a container is Argo's own: "wait", or "supervisor" where pods have no init container.
func auxiliary(name string) bool { return name == "wait" || name == "supervisor" }

// pendingMessage says why a pod does not run (Argo: getPendingReason).
func pendingMessage(p *PodStatus) string {
	for _, c := range p.Containers {
		if c.Waiting {
			return join(c.Reason, c.Message)
		}
	}
	if p.Unschedulable {
		return join("Unschedulable", p.UnschedulableMessage)
	}
	return ""
}

func join(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + ": " + message
}
