package simhost

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/enum"
	"github.com/nodestatus/nodestatus/propagate"
)

// A State is how far a pod has come.
type State uint8

// The states.
const (
	PodNew     State = iota // it was asked for, and no list shows it
	PodPending              // it exists and does not run yet
	PodRunning              // it runs; some of its containers may have ended
	PodEnded                // it has ended, and lists still show it
	PodGone                 // it does not exist any more
)

var stateNames = enum.Names{Type: "State", Of: []string{"new", "pending", "running", "ended", "gone"}}

// String names the state in lower case.
func (s State) String() string { return stateNames.String(uint8(s)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (s State) MarshalText() ([]byte, error) { return stateNames.Marshal(uint8(s)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (s *State) UnmarshalText(text []byte) error { return enum.Unmarshal(&stateNames, text, s) }

// A Pod is one pod of a node.
type Pod struct {
	Workflow    string              // the name of its workflow
	Node        string              // its name; in a Cluster what CreatePod was given
	Number      int                 // 1 is the node's first
	Serial      int                 // among all pods of the host, from 1
	UID         string              // "uid-" and Number, unless Host.Stamp sets another
	Created     time.Time           // later than that of the node's pod before, unless Host.Stamp sets another
	State       State               // how far it has come
	Ready       bool                // all its containers were ready when it was last said to run
	Terminating bool                // the engine wants its end
	Unsynced    bool                // its results are still to come
	Synced      bool                // they have come
	Stray       bool                // nobody asked for it
	Before      propagate.PodStatus // of the pod that it replaces, which is listed while this one is new
	Template    *nodegraph.Template // of its node: it says which containers there are
	Status      propagate.PodStatus // how it looks, without its names
	runs        map[string]int      // how often containers were run again
}

// Alive reports whether the pod has not ended, and is not gone.
func (p *Pod) Alive() bool { return p.State < PodEnded }

// Pod returns the newest pod of a node, nil if the node has none.
func (w *Workflow) Pod(node string) *Pod {
	for _, p := range w.Pods {
		if p.Node == node {
			return p
		}
	}
	return nil
}

// Make makes a pod of a node, in the place of the one that it has.
func (h *Host) Make(workflow, node string) *Pod {
	w := h.Workflow(workflow)
	h.made++
	w.made[node]++
	g := w.Engine.Graph()
	p := &Pod{
		Workflow: workflow, Node: node, Number: w.made[node], Serial: h.made, UID: fmt.Sprint("uid-", w.made[node]),
		Created: h.Now.Add(time.Duration(w.made[node])), Template: g.Node(g.Find(node)).Template,
	}
	if !h.Slow {
		p.State, p.Status.Phase = PodPending, "Pending"
	}
	if h.Stamp != nil {
		h.Stamp(h, p)
	}
	if at := slices.Index(w.Pods, w.Pod(node)); at >= 0 {
		w.Pods[at] = p
	} else {
		w.Pods = append(w.Pods, p)
	}
	return p
}

// DeletePods deletes the pods of what runs anew after a manual retry. A host does that before it makes others.
func (w *Workflow) DeletePods() {
	for _, p := range w.Pods {
		if i := w.Engine.Graph().Find(p.Node); i == nodegraph.None || !w.Engine.Verdict(i).Fulfilled {
			p.State = PodGone
		}
	}
}

// Become lets happen to the pod what an event says, and returns the event with the pod's names.
func (p *Pod) Become(ev propagate.Event) propagate.Event {
	switch ev.Type {
	case propagate.EventPodPending:
		p.State, p.Status.Phase = PodPending, "Pending"
		_, p.Status.UnschedulableMessage, p.Status.Unschedulable = strings.Cut(ev.Message, "Unschedulable: ")
	case propagate.EventPodRunning:
		p.run(ev.Ready)
	case propagate.EventPodEnded:
		p.end(&ev)
	case propagate.EventPodDeleted:
		p.State, p.Unsynced = PodGone, false
	case propagate.EventResultPending:
		p.Unsynced = true
	case propagate.EventResultSynced:
		p.Unsynced, p.Synced = false, true
	case propagate.EventContainerPending:
		p.show(propagate.ContainerStatus{Name: ev.Container, Waiting: true, Reason: "PodInitializing"})
	case propagate.EventContainerRunning:
		p.show(propagate.ContainerStatus{Name: ev.Container, Running: true})
	case propagate.EventContainerEnded:
		p.show(propagate.ContainerStatus{Name: ev.Container, Terminated: true, ExitCode: ev.ExitCode})
	case propagate.EventContainerRetried:
		p.runAgain(ev.Container)
	}
	return p.Named(ev)
}

// Named returns an event about this pod, and the present run of its container.
func (p *Pod) Named(ev propagate.Event) propagate.Event {
	ev.Node, ev.Pod.UID, ev.Pod.Created = p.Node, p.UID, p.Created
	if ev.Container != "" {
		ev.Pod.Attempt = p.runs[ev.Container] + 1
	}
	return ev
}

// run lets the pod run, ready or not.
func (p *Pod) run(ready bool) {
	if p.State != PodRunning {
		p.State, p.Status.Phase, p.Status.Containers = PodRunning, "Running", nil
		for _, c := range p.Template.Containers {
			p.Status.Containers = append(p.Status.Containers, propagate.ContainerStatus{Name: c.Name, Running: true})
		}
		if len(p.Template.Containers) == 0 {
			p.Status.Containers = []propagate.ContainerStatus{{Name: cmp.Or(p.Template.MainContainer, "main"), Running: true}}
		}
	}
	p.Ready, p.Status.Containers = ready, slices.Clone(p.Status.Containers)
	for k := range p.Status.Containers {
		p.Status.Containers[k].Ready = ready
	}
}

// end lets the pod end. Its containers end with it if the event says how: that of a pod that is evicted does not.
func (p *Pod) end(ev *propagate.Event) {
	p.State, p.Status.Phase, p.Status.Reason, p.Status.Message, p.Status.Conditions = PodEnded, propagate.PodPhase(ev.Phase.String()), ev.Reason, ev.Message, ev.Conditions
	if ev.Phase == nodegraph.PhaseError {
		p.Status.Phase, p.Status.Message = propagate.PodPhaseUnknown, ""
	}
	for _, c := range p.Status.Containers {
		if ev.HasExit && !c.Terminated {
			p.show(propagate.ContainerStatus{Name: c.Name, Terminated: true, ExitCode: ev.ExitCode, Finished: ev.Finished})
		}
	}
}

// show lets a container of a pod that runs look in another way.
func (p *Pod) show(c propagate.ContainerStatus) {
	if p.State < PodRunning {
		p.run(false)
	}
	p.Status.Containers = slices.Clone(p.Status.Containers)
	for k := range p.Status.Containers {
		if p.Status.Containers[k].Name == c.Name {
			p.Status.Containers[k] = c
		}
	}
}

// runAgain lets a container begin anew, and with it those that come after it: all have a run of the same number.
func (p *Pod) runAgain(container string) {
	anew := later(p.Template, container)
	anew[container] = true
	run := 0
	for name := range anew {
		run = max(run, p.runs[name]+1)
	}
	runs := make(map[string]int, len(p.runs)+len(anew))
	maps.Copy(runs, p.runs)
	for name := range anew {
		runs[name] = run
		p.show(propagate.ContainerStatus{Name: name, Running: true})
	}
	p.runs = runs
}

// later returns the containers that come after one, directly or not.
func later(t *nodegraph.Template, container string) map[string]bool {
	found := make(map[string]bool)
	for grown := true; grown; {
		grown = false
		for _, c := range t.Containers {
			for _, d := range c.Dependencies {
				if (d == container || found[d]) && !found[c.Name] {
					found[c.Name], grown = true, true
				}
			}
		}
	}
	return found
}

// Listed returns how a list shows the pod, and false if it does not.
func (p *Pod) Listed() (propagate.PodStatus, bool) {
	s := p.Status
	s.Node, s.Name, s.UID, s.Created = p.Node, p.Node, p.UID, p.Created
	if p.State == PodNew && !p.Terminating {
		s = p.Before
	}
	return s, p.State != PodGone && s.Phase != ""
}

// Listed are the pods that a list shows.
func (w *Workflow) Listed() []propagate.PodStatus {
	var list []propagate.PodStatus
	for _, p := range w.Pods {
		if s, listed := p.Listed(); listed {
			list = append(list, s)
		}
	}
	return list
}
