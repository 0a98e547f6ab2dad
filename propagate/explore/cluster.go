package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Cluster says what may become of what the engines ask for. Whatever else is chosen, pods may succeed, daemons become
// ready, pods that are to end may be gone, HTTP and Plugin nodes be served, Suspend nodes be resumed, questions be
// answered in every way, locks be granted, and time may pass. While nothing of that can happen any more no workflow may
// be incomplete. All else does harm.
type Cluster struct {
	Runs  bool // pods run before they end
	Fail  bool // pods, containers and served nodes may fail
	Evict bool // pods may be evicted
	Lose  bool // pods may vanish
	Newer bool // pods may appear that nobody asked for, of nodes that have had one
	Slow  bool // pods are made some time after they were asked for
	Late  bool // results of pods may come late
	Agent bool // the agent that serves HTTP and Plugin nodes may end

	Shutdown []string // strategies of shutdowns that may come, each alone and in one call with something else
	Suspend  bool     // workflows may be suspended, and are resumed
	Retry    bool     // workflows may be retried by hand, once each
	Items    [][]nodegraph.Item

	Crash  bool // the host may crash before and after everything that it does, and go on from the saved state
	Record bool // it may go on from the record
	// Written, if set, is what becomes of a record that is written and read.
	Written func(workflow int, s nodegraph.Snapshot) (nodegraph.Snapshot, error)

	Harm int // most moves on a path that do harm
}

// A pod is one pod of the cluster.
type pod struct {
	workflow    int
	node        string // its name
	serial      int    // 1 is the node's first
	created     time.Time
	daemon      bool
	stage       podStage
	ended       propagate.Event // how, if it has
	ready       bool
	unsynced    bool // its results are still to come
	synced      bool // they have come
	terminating bool
	stray       bool     // nobody asked for it
	names       []string // of the containers of a container set
	codes       []int    // of those that have ended
}

// podStage is how far a pod has come.
type podStage uint8

const (
	podAsked podStage = iota // it does not exist yet
	podNew
	podRuns
	podEnded
	podGone
)

// String tells states of a pod apart.
func (p *pod) String() string {
	return fmt.Sprint(p.workflow, p.node, p.serial, p.stage, p.ended.Type, p.ended.Phase, p.ready, p.unsynced, p.synced, p.terminating, p.codes, p.created.Unix())
}

func (p *pod) alive() bool { return p.stage <= podRuns }

// named is an event about this pod.
func (p *pod) named(ev propagate.Event) propagate.Event {
	ev.Node = p.node
	ev.Pod.UID, ev.Pod.Created = fmt.Sprint("uid-", p.serial), p.created
	if ev.Container != "" {
		ev.Pod.Attempt = 1
	}
	return ev
}

// pod is the last pod of a node, nil if it has none.
func (w *World) pod(k int, node string) *pod {
	for at := len(w.pods) - 1; at >= 0; at-- {
		if p := w.pods[at]; p.workflow == k && p.node == node {
			return p
		}
	}
	return nil
}

// serve makes the pod of a node, or has a node served.
func (w *World) serve(k int, a propagate.Action) {
	if w.x.Cluster == nil {
		return
	}
	switch a.Kind {
	case nodegraph.HTTP, nodegraph.Plugin:
		if !slices.Contains(w.flows[k].served, a.Name) {
			w.flows[k].served = append(w.flows[k].served, a.Name)
			slices.Sort(w.flows[k].served)
		}
	case nodegraph.Pod:
		old := w.pod(k, a.Name)
		if old != nil && old.alive() {
			if old.stage == podRuns && !w.odd {
				w.fault("a pod is asked for that runs", "workflow %d: %v", k, a)
			}
			return // to make it twice makes one
		}
		w.make(k, a.Name)
	}
}

func (w *World) make(k int, node string) *pod {
	e := w.Engines[k]
	t := e.Graph().Node(e.Graph().Find(node)).Template
	w.flows[k].serials[node]++
	serial := w.flows[k].serials[node]
	p := &pod{workflow: k, node: node, serial: serial, created: w.now.Add(time.Duration(serial)), daemon: t.Daemon, stage: podNew}
	for _, c := range t.Containers {
		p.names = append(p.names, c.Name)
	}
	if w.x.Cluster.Slow {
		p.stage = podAsked
	}
	w.pods = append(slices.DeleteFunc(w.pods, func(old *pod) bool { return old.workflow == k && old.node == node }), p)
	return p
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
func (w *World) podMoves(p *pod) (good, bad []podMove) {
	c := w.x.Cluster
	switch {
	case p.unsynced && !p.alive():
		return []podMove{podSynced}, nil
	case !p.alive():
		return nil, nil
	case p.stage == podAsked:
		if c.Late && !p.synced && !p.unsynced {
			bad = append(bad, podUnsynced)
		}
		return []podMove{podMade}, bad
	case p.terminating:
		good = append(good, podVanishes)
		if c.Fail {
			bad = append(bad, podSucceeds, podFails)
			if len(p.codes) < len(p.names) {
				bad = append(bad, containerFails)
			}
		}
		return good, bad
	case p.stage == podNew && (c.Runs || p.daemon):
		good = append(good, podBegins)
		if p.daemon && c.Runs {
			good = append(good, podBeginsUnready)
		}
	case p.daemon && !p.ready:
		good = append(good, podBegins)
	case p.daemon:
	case len(p.codes) < len(p.names):
		good = append(good, containerSucceeds)
		if c.Fail {
			bad = append(bad, containerFails)
		}
	default:
		good = append(good, podSucceeds)
	}
	if c.Late && !p.synced && !p.unsynced {
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
func (p *pod) become(m podMove) propagate.Event {
	var ev propagate.Event
	switch m {
	case podBegins, podBeginsUnready:
		p.stage, p.ready = podRuns, m == podBegins
		ev = propagate.PodRunning("")
		ev.Ready = p.ready
		return p.named(ev)
	case containerSucceeds, containerFails:
		code := 0
		if m == containerFails {
			code = 1
		}
		ev = propagate.ContainerEnded("", p.names[len(p.codes)], code, "")
		p.stage, p.codes = podRuns, append(slices.Clone(p.codes), code)
		return p.named(ev)
	case podUnsynced:
		p.unsynced = true
		return propagate.ResultPending(p.node)
	case podSynced:
		p.unsynced, p.synced = false, true
		return propagate.ResultSynced(p.node)
	case podVanishes:
		p.stage, p.unsynced = podGone, false
		return p.named(propagate.PodDeleted(""))
	case podSucceeds:
		ev = propagate.PodSucceeded("")
		if slices.Contains(p.codes, 1) {
			ev = propagate.PodFailed("", "")
		}
	case podFails:
		ev = propagate.PodFailed("", "")
	case podEvicted:
		ev = propagate.PodEvicted("", "")
	}
	p.stage, p.ended = podEnded, ev
	return p.named(ev)
}

// status is the pod as it is listed.
func (p *pod) status() propagate.PodStatus {
	named := p.named(propagate.Event{})
	s := propagate.PodStatus{Node: p.node, UID: named.Pod.UID, Created: named.Pod.Created, Name: p.node, Phase: "Pending"}
	names := p.names
	if len(names) == 0 {
		names = []string{"main"}
	}
	switch p.stage {
	case podRuns:
		s.Phase = "Running"
	case podEnded:
		s.Phase, s.Reason = p.ended.Phase.String(), p.ended.Reason
	}
	for at, name := range names {
		switch {
		case at < len(p.codes):
			s.Containers = append(s.Containers, propagate.ContainerStatus{Name: name, Terminated: true, ExitCode: p.codes[at]})
		case p.stage == podRuns:
			s.Containers = append(s.Containers, propagate.ContainerStatus{Name: name, Running: true, Ready: p.ready})
		}
	}
	return s
}

// listed are the pods of a workflow that a list shows.
func (w *World) listed(k int) []propagate.PodStatus {
	var list []propagate.PodStatus
	for _, p := range w.pods {
		if p.workflow == k && p.stage != podGone && p.stage != podAsked {
			list = append(list, p.status())
		}
	}
	return list
}

// deletePods deletes the pods of what runs anew after a manual retry, before others are made.
func (w *World) deletePods(k int) {
	e := w.Engines[k]
	for _, p := range w.pods {
		if i := e.Graph().Find(p.node); p.workflow == k && (i == nodegraph.None || !e.Verdict(i).Fulfilled) {
			p.stage = podGone
		}
	}
}
