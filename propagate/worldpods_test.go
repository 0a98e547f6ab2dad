package propagate_test

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
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
	name, p := w.podOf(f, m)
	if p == nil || f.e.Graph().Find(name) == nodegraph.None {
		return false
	}
	ev, ok := w.podEvent(f, name, p, &m)
	if !ok {
		return false
	}
	if m.op == "fail" {
		ev.Finished = w.now
	}
	if m.n != 1 || ev.Type != propagate.EventResultPending && ev.Type != propagate.EventResultSynced {
		ev.Pod.UID, ev.Pod.Created = p.uid, p.created // results are told of a pod, or of the node alone
	}
	silent := w.host.lists
	switch ev.Type { // a list does not show that
	case propagate.EventContainerRetried, propagate.EventResultPending, propagate.EventResultSynced:
		silent = false
	}
	p.untold = m.held
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
func (w *world) podOf(f *flow, m move) (string, *worldPod) {
	states := podOps[m.op]
	var names []string
	for _, name := range f.order {
		if slices.Contains(states, f.pods[name].state) {
			names = append(names, name)
		}
	}
	k := w.find(m.node, names)
	if k < 0 {
		return "", nil
	}
	return names[k], f.pods[names[k]]
}

// podEvent changes the pod, and returns the event that tells of it.
func (w *world) podEvent(f *flow, name string, p *worldPod, m *move) (propagate.Event, bool) {
	t := f.e.Graph().Node(f.e.Graph().Find(name)).Template
	s := &p.status
	switch m.op {
	case "pending", "unschedulable":
		p.state, s.Phase = "pending", "Pending"
		s.Unschedulable, s.UnschedulableMessage = m.op == "unschedulable", ""
		if s.Unschedulable {
			s.UnschedulableMessage = "0/3 nodes are available"
		}
		return propagate.PodPending(name, map[bool]string{true: "Unschedulable: 0/3 nodes are available"}[s.Unschedulable]), true
	case "running", "unready":
		p.run(t, m.op == "running")
		ev := propagate.PodRunning(name)
		ev.Ready = m.op == "running"
		return ev, true
	case "unsynced":
		p.unsynced = true
		return propagate.ResultPending(name), true
	case "synced":
		p.unsynced = false
		return propagate.ResultSynced(name), true
	case "delete":
		p.state, p.unsynced = "gone", false
		return propagate.PodDeleted(name), true
	case "ctrend", "ctrrun", "ctrwait", "ctrretry":
		return p.containerEvent(name, t, m)
	}
	return p.endEvent(name, m.op), true
}

// run makes the pod run.
func (p *worldPod) run(t *nodegraph.Template, ready bool) {
	if p.state != "running" {
		p.status.Containers = nil
		names := []string{"main"}
		if len(t.Containers) > 0 {
			names = nil
			for _, c := range t.Containers {
				names = append(names, c.Name)
			}
		}
		for _, name := range names {
			p.status.Containers = append(p.status.Containers, propagate.ContainerStatus{Name: name, Running: true})
		}
	}
	p.state, p.status.Phase = "running", "Running"
	p.status.Containers = slices.Clone(p.status.Containers)
	for k := range p.status.Containers {
		p.status.Containers[k].Ready = ready
	}
}

// endEvent ends the pod.
func (p *worldPod) endEvent(name, op string) propagate.Event {
	s := &p.status
	p.state, s.Phase = "ended", "Failed"
	switch op {
	case "ok":
		s.Phase = "Succeeded"
		p.endContainers(0)
		return propagate.PodSucceeded(name)
	case "evict":
		s.Reason, s.Message = "Evicted", "The node was low on resource: memory."
		return propagate.PodEvicted(name, s.Message)
	case "disrupt":
		s.Message, s.Conditions = "preempted", []string{"DisruptionTarget"}
		ev := propagate.PodFailed(name, s.Message)
		ev.Conditions = s.Conditions
		return ev
	case "unknown":
		s.Phase = "Unknown"
		ev := propagate.PodFailed(name, "Unexpected pod phase for "+name+": Unknown")
		ev.Phase = nodegraph.Error
		return ev
	}
	s.Message = "main: Error (exit code 1)"
	ev := propagate.PodFailed(name, s.Message)
	ev.ExitCode, ev.HasExit = 1, true
	p.endContainers(1)
	return ev
}

// endContainers ends the containers that run.
func (p *worldPod) endContainers(code int) {
	list := slices.Clone(p.status.Containers)
	for k, c := range list {
		if !c.Terminated {
			list[k] = propagate.ContainerStatus{Name: c.Name, Terminated: true, ExitCode: code}
		}
	}
	p.status.Containers = list
}

// containerEvent lets something happen to a container of a set.
func (p *worldPod) containerEvent(name string, t *nodegraph.Template, m *move) (propagate.Event, bool) {
	k := slices.IndexFunc(p.status.Containers, func(c propagate.ContainerStatus) bool { return c.Name == m.ctr })
	if k < 0 || len(t.Containers) == 0 {
		return propagate.Event{}, false
	}
	p.status.Containers = slices.Clone(p.status.Containers)
	c := &p.status.Containers[k]
	if c.Terminated != (m.op == "ctrretry") {
		return propagate.Event{}, false
	}
	var ev propagate.Event
	switch m.op {
	case "ctrend":
		code := []int{0, 1, 64}[m.n%3]
		*c = propagate.ContainerStatus{Name: c.Name, Terminated: true, ExitCode: code}
		ev = propagate.ContainerEnded(name, c.Name, code, "")
	case "ctrrun":
		*c = propagate.ContainerStatus{Name: c.Name, Running: true}
		ev = propagate.ContainerRunning(name, c.Name)
	case "ctrwait":
		*c = propagate.ContainerStatus{Name: c.Name, Waiting: true, Reason: "PodInitializing"}
		ev = propagate.ContainerPending(name, c.Name)
	case "ctrretry":
		anew := after(t, c.Name) // they begin anew with it
		anew[c.Name] = true
		run := 0
		for name := range anew {
			run = max(run, p.runs[name]+1)
		}
		for i := range p.status.Containers {
			if o := &p.status.Containers[i]; anew[o.Name] {
				p.runs[o.Name] = run
				*o = propagate.ContainerStatus{Name: o.Name, Running: true}
			}
		}
		ev = propagate.ContainerRetried(name, c.Name)
		ev.Pod.Attempt = p.runs[c.Name] + 1
		return ev, true
	}
	ev.Pod.Attempt = p.runs[c.Name] + 1
	return ev, true
}
