package explore

import (
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// pods are those of all workflows, in the order in which they were made.
func (w *World) pods() []*simhost.Pod {
	var all []*simhost.Pod
	for _, f := range w.Workflows {
		all = append(all, f.Pods...)
	}
	slices.SortFunc(all, func(a, b *simhost.Pod) int { return a.Serial - b.Serial })
	return all
}

// podKey tells states of a pod apart.
func podKey(p *simhost.Pod) string {
	end := ""
	if p.State >= simhost.PodEnded && p.Status.Phase != "Pending" && p.Status.Phase != "Running" {
		end = string(p.Status.Phase)
	}
	return fmt.Sprint(p.Workflow, p.Node, p.Number, p.State, end, p.Ready, p.Unsynced, p.Synced, p.Terminating, codes(p), p.Created.Unix())
}

// codes are those with which containers of a container set have ended. They end in order.
func codes(p *simhost.Pod) []int {
	var list []int
	for _, c := range p.Status.Containers {
		if c.Terminated && len(p.Template.Containers) > 0 {
			list = append(list, c.ExitCode)
		}
	}
	return list
}

// A podMove is what may become of a pod.
type podMove int8

const (
	podBegins podMove = iota
	podBeginsUnready
	podSucceeds
	podVanishes
	podMade
	podSynced
	containerSucceeds
	podUnsynced // what follows is bad
	podFails
	podEvicted
	containerFails

	lastGood = containerSucceeds
)

// podMoves are what may become of a pod next: good things first, then those that do harm.
func (w *World) podMoves(p *simhost.Pod) (good, bad []podMove) {
	c := w.x.Cluster
	switch {
	case p.Unsynced && !p.Alive():
		return []podMove{podSynced}, nil
	case !p.Alive():
		return nil, nil
	case p.State == simhost.PodNew:
		if c.Late && !p.Synced && !p.Unsynced {
			bad = append(bad, podUnsynced)
		}
		return []podMove{podMade}, bad
	case p.Terminating:
		good = append(good, podVanishes)
		if c.Fail {
			bad = append(bad, podSucceeds, podFails)
			if len(codes(p)) < len(p.Template.Containers) {
				bad = append(bad, containerFails)
			}
		}
		return good, bad
	case p.State == simhost.PodPending && (c.Runs || p.Template.IsDaemon()):
		good = append(good, podBegins)
		if p.Template.IsDaemon() && c.Runs {
			good = append(good, podBeginsUnready)
		}
	case p.Template.IsDaemon() && !p.Ready:
		good = append(good, podBegins)
	case p.Template.IsDaemon():
	case len(codes(p)) < len(p.Template.Containers):
		good = append(good, containerSucceeds)
		if c.Fail {
			bad = append(bad, containerFails)
		}
	default:
		good = append(good, podSucceeds)
	}
	if c.Late && !p.Synced && !p.Unsynced {
		bad = append(bad, podUnsynced)
	}
	if c.Fail {
		bad = append(bad, podFails)
	}
	if c.Evict {
		bad = append(bad, podEvicted)
	}
	if c.Lose {
		bad = append(bad, podVanishes)
	}
	return good, bad
}

// become lets something become of a pod, and returns what the host hears of it.
func become(p *simhost.Pod, m podMove) propagate.Event {
	var ev propagate.Event
	switch m {
	case podBegins, podBeginsUnready:
		ev = propagate.PodRunning("")
		ev.Ready = m == podBegins
	case containerSucceeds:
		ev = propagate.ContainerEnded("", p.Template.Containers[len(codes(p))].Name, 0, "")
	case containerFails:
		ev = propagate.ContainerEnded("", p.Template.Containers[len(codes(p))].Name, 1, "")
	case podUnsynced: // results are told of the node
		p.Become(propagate.ResultPending(""))
		return propagate.ResultPending(p.Node)
	case podSynced:
		p.Become(propagate.ResultSynced(""))
		return propagate.ResultSynced(p.Node)
	case podVanishes:
		ev = propagate.PodDeleted("")
	case podSucceeds:
		ev = propagate.PodSucceeded("")
		if slices.Contains(codes(p), 1) {
			ev = propagate.PodFailed("", "")
		}
	case podFails:
		ev = propagate.PodFailed("", "")
	case podEvicted:
		ev = propagate.PodEvicted("", "")
	}
	ev = p.Become(ev)
	if p.State == simhost.PodEnded { // a list does not show containers of which nobody has said how they ended
		p.Status.Containers = slices.DeleteFunc(slices.Clone(p.Status.Containers), func(c propagate.ContainerStatus) bool { return !c.Terminated })
	}
	return ev
}
