package propagate_test

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// podOps are the moves of pods, and in which states of a pod they can happen.
var podOps = map[string][]string{
	"pending":       {"new", "pending"},
	"unschedulable": {"new", "pending"},
	"running":       {"new", "pending", "running"},
	"unready":       {"new", "pending", "running"},
	"ok":            {"new", "pending", "running"},
	"fail":          {"new", "pending", "running"},
	"evict":         {"new", "pending", "running"},
	"disrupt":       {"running"},
	"unknown":       {"running"},
	"delete":        {"new", "pending", "running", "ended"},
	"ctrend":        {"running"},
	"ctrrun":        {"running"},
	"ctrwait":       {"running"},
	"ctrretry":      {"running"},
	"unsynced":      {"new", "pending", "running", "gone"},
	"synced":        {"new", "pending", "running", "ended", "gone"},
}

// podMove lets something happen to the pod of a node.
func (w *world) podMove(f *flow, m move) bool {
	p := w.podOf(f, m)
	if p == nil || f.Engine.Graph().Find(p.Node) == nodegraph.None {
		return false
	}
	ev, ok := podEvent(p, &m)
	if !ok {
		return false
	}
	ev = p.Become(ev)
	if m.op == "fail" {
		ev.Finished = w.Now
	}
	silent := w.host.lists
	switch ev.Type { // a list does not show that
	case propagate.EventContainerRetried:
		silent = false
	case propagate.EventResultPending, propagate.EventResultSynced:
		silent = false
		if m.n == 1 { // results are told of a pod, or of the node alone
			ev.Pod = fact.PodInstance{}
		}
	}
	f.untold[p] = m.held
	if silent && m.held {
		return true // it is seen in the next list
	}
	if silent {
		w.call(f, m.crash)
		return true
	}
	if w.host.lists {
		return w.say(f, m, ev)
	}
	return w.said(f, m, ev)
}

// podOf finds the pod that a move is about, one in a state in which it can happen.
func (w *world) podOf(f *flow, m move) *simhost.Pod {
	states := podOps[m.op]
	pods := slices.DeleteFunc(slices.Clone(f.Pods), func(p *simhost.Pod) bool { return !slices.Contains(states, p.State.String()) })
	if k := w.find(m.node, nodesOf(pods)); k >= 0 {
		return pods[k]
	}
	return nil
}

// nodesOf are the names of the nodes of pods.
func nodesOf(pods []*simhost.Pod) []string {
	var names []string
	for _, p := range pods {
		names = append(names, p.Node)
	}
	return names
}

// podEvent returns the event that tells of what happens to the pod.
func podEvent(p *simhost.Pod, m *move) (propagate.Event, bool) {
	ev := propagate.Event{}
	switch m.op {
	case "pending":
		ev = propagate.PodPending("", "")
	case "unschedulable":
		ev = propagate.PodPending("", "Unschedulable: 0/3 nodes are available")
	case "running", "unready":
		ev = propagate.PodRunning("")
		ev.Ready = m.op == "running"
	case "unsynced":
		ev = propagate.ResultPending("")
	case "synced":
		ev = propagate.ResultSynced("")
	case "delete":
		ev = propagate.PodDeleted("")
	case "ok":
		for _, c := range p.Status.Containers {
			if !c.Terminated {
				p.Become(propagate.ContainerEnded("", c.Name, 0, ""))
			}
		}
		ev = propagate.PodSucceeded("")
	case "fail":
		ev = propagate.PodFailed("", "main: Error (exit code 1)")
		ev.ExitCode, ev.HasExit = 1, true
	case "evict":
		ev = propagate.PodEvicted("", "The node was low on resource: memory.")
	case "disrupt":
		ev = propagate.PodFailed("", "preempted")
		ev.Conditions = []string{"DisruptionTarget"}
	case "unknown":
		ev = propagate.PodFailed("", "Unexpected pod phase for "+p.Node+": Unknown")
		ev.Phase = nodegraph.PhaseError
	default:
		return containerEvent(p, m)
	}
	return ev, true
}

// containerEvent returns the event that tells of what happens to a container of a set.
func containerEvent(p *simhost.Pod, m *move) (propagate.Event, bool) {
	list := p.Status.Containers
	k := slices.IndexFunc(list, func(c propagate.ContainerStatus) bool { return c.Name == m.ctr })
	if k < 0 || len(p.Template.Containers) == 0 || list[k].Terminated != (m.op == "ctrretry") {
		return propagate.Event{}, false
	}
	switch m.op {
	case "ctrend":
		return propagate.ContainerEnded("", m.ctr, []int{0, 1, 64}[m.n%3], ""), true
	case "ctrrun":
		return propagate.ContainerRunning("", m.ctr), true
	case "ctrwait":
		return propagate.ContainerPending("", m.ctr), true
	}
	return propagate.ContainerRetried("", m.ctr), true
}
