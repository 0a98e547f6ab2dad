package whatif

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// walk plays the world to its end, and calls visit, if it is set, whenever the life with this number can be lost, before
// it makes its step. Ends says when daemons are ended, as an earlier walk has found it; without it they are not visited
// then.
func (w *world) walk(ends map[string]int, visit func(k int, when Moment) error) error {
	for {
		if visit != nil {
			if err := w.visit(ends, visit); err != nil {
				return err
			}
		}
		if more, err := w.step(); err != nil || !more {
			for uid, step := range w.ends {
				if step < 0 {
					w.ends[uid] = w.steps
				}
			}
			return err
		}
	}
}

// visit calls visit for the lives that can be lost now.
func (w *world) visit(ends map[string]int, visit func(k int, when Moment) error) error {
	if w.over() {
		return nil
	}
	if len(ends) > 0 {
		for k := range w.lives {
			if l := &w.lives[k]; l.daemon && (l.stage == ready || l.stage == serving) {
				if step, ok := ends[l.uid]; ok && step == w.steps+1 {
					if err := visit(k, Reporting); err != nil {
						return err
					}
				}
			}
		}
	}
	if w.cursor >= w.bound {
		return nil
	}
	switch l := &w.lives[w.cursor]; {
	case l.stage == pending:
		return visit(w.cursor, Pending)
	case l.stage == running && !l.begun, l.stage == ready:
		return visit(w.cursor, Running)
	case l.stage == worked:
		return visit(w.cursor, Reporting)
	}
	return nil
}

// over tells whether nothing more will be simulated.
func (w *world) over() bool { return w.e.Complete() || w.endless != "" || w.idle > maxIdle }

// step lets one thing happen; false if nothing can.
func (w *world) step() (more bool, err error) {
	if w.over() {
		return false, nil
	}
	w.steps++
	if w.cursor < w.bound {
		w.cursor++
		return true, w.stepLife(w.cursor - 1)
	}
	if !w.moved {
		more, err := w.elsewhere()
		if err != nil || !more {
			w.steps--
			return false, err
		}
	}
	w.lives = slices.DeleteFunc(w.lives, func(l life) bool { return l.stage == ended })
	w.cursor, w.bound, w.moved = 0, len(w.lives), false
	return true, nil
}

// stepLife lets life k go on by one step.
func (w *world) stepLife(k int) error {
	l := &w.lives[k]
	if l.stage == serving || l.stage == ended {
		return nil
	}
	w.moved, w.idle = true, 0
	id, served := l.id, l.kind != nodegraph.KindPod
	var events []propagate.Event
	switch l.stage {
	case asked:
		l.stage = pending
		events = []propagate.Event{propagate.PodPending(id, "")}
	case pending:
		l.stage = running
		events = append(w.containers(id), propagate.PodRunning(id))
		if l.daemon {
			l.stage = ready
			w.ends[l.uid] = -1
			w.argoDaemon(l)
		}
	case ready:
		l.stage = serving
		return nil
	case running:
		if !served {
			events = w.containers(id)
		}
		if l.begun = true; served || lastLayer(events) {
			l.stage = worked
		}
	case doomed:
		l.stage = ended
		if events = []propagate.Event{propagate.PodDeleted(id)}; served {
			return nil // the engine has ended it itself
		}
	case worked:
		l.stage = ended
		if served {
			return w.apply(propagate.NodeEnded(id, nodegraph.PhaseSucceeded, ""))
		}
		events = []propagate.Event{propagate.PodSucceeded(id)}
	}
	if served || len(events) == 0 {
		return nil // the agent says nothing until a node has ended
	}
	return w.apply(named(events, l.uid)...)
}

// named says of which pod the events tell.
func named(events []propagate.Event, uid string) []propagate.Event {
	for k := range events {
		events[k].Pod.UID = uid
	}
	return events
}

// containers returns the next step of the containers of a pod: those that run end, and those that came after them alone
// run. Before any does, those that come after nothing run.
func (w *world) containers(id string) []propagate.Event {
	g := w.e.Graph()
	pod := g.Find(id)
	ends := make(map[nodegraph.Index]bool)
	var events []propagate.Event
	for m := range g.Members(pod) {
		if phase, _ := w.e.Phase(m); phase == nodegraph.PhaseRunning && g.Node(m).Role == nodegraph.RoleContainer {
			ends[m] = true
			events = append(events, propagate.ContainerEnded(id, w.container(m), 0, ""))
		}
	}
	for m := range g.Members(pod) {
		phase, _ := w.e.Phase(m)
		free := phase == nodegraph.PhasePending && g.Node(m).Role == nodegraph.RoleContainer
		for before := range g.Dependencies(m) {
			phase, _ := w.e.Phase(before)
			free = free && (ends[before] || phase.Settled())
		}
		if free {
			events = append(events, propagate.ContainerRunning(id, w.container(m)))
		}
	}
	return events
}

// container is the name of container i in its pod.
func (w *world) container(i nodegraph.Index) string {
	n := w.e.Graph().Node(i)
	return w.e.Graph().Node(n.Parent).Template.Containers[n.DeclIndex].Name
}

// lastLayer tells whether no container is left to run after these events.
func lastLayer(events []propagate.Event) bool {
	return !slices.ContainsFunc(events, func(ev propagate.Event) bool { return ev.Type == propagate.EventContainerRunning })
}

// elsewhere lets people act or time pass; false if there is nothing to wait for.
func (w *world) elsewhere() (more bool, err error) {
	var acts []propagate.Event
	var waits []propagate.Obligation
	if w.people {
		waits = w.e.Obligations()
	}
	until, timer := w.wake, !w.wake.IsZero()
	for _, o := range waits {
		id := w.e.Graph().Node(o.Node).ID()
		switch o.For {
		case propagate.WaitSuspended:
			return true, w.apply(propagate.Suspended(false))
		case propagate.WaitResume:
			acts = append(acts, propagate.Resumed(id))
		case propagate.WaitResult:
			acts = append(acts, propagate.ResultSynced(id))
		case propagate.WaitTimer:
			if !timer || o.Until.Before(until) {
				until, timer = o.Until, true
			}
		}
	}
	if len(acts) > 0 {
		w.idle = 0
		return true, w.apply(acts...)
	}
	if !w.wake.IsZero() && !w.wake.After(w.now) { // what was to come with the next call
		w.wake = time.Time{}
		w.idle++
		return true, w.apply()
	}
	if !timer || w.frozen && len(w.parked) > 0 {
		return false, nil
	}
	w.idle++
	switch {
	case until.After(w.now):
		w.now = until
	case !until.IsZero():
		w.now = w.now.Add(time.Second) // it was reached and changed nothing
	}
	if !w.wake.After(w.now) {
		w.wake = time.Time{} // the engine tells the next one
	}
	return true, w.apply()
}

// lost says what is about to be lost.
func (w *world) lost(k int, when Moment, how Way) Lost {
	l := &w.lives[k]
	return Lost{ID: l.id, Name: l.name, Pod: l.number, Agent: l.kind != nodegraph.KindPod, When: when, How: how}
}

// evictedMessage is what the kubelet says.
const evictedMessage = "The node was low on resource: memory."

// lose takes away the pod of life k, before its step.
func (w *world) lose(k int, how Way) error {
	w.moved, w.idle = true, 0
	l := w.lives[k]
	delete(w.ends, l.uid)
	if l.kind != nodegraph.KindPod {
		for k := range w.lives {
			if w.lives[k].kind != nodegraph.KindPod {
				w.lives[k].stage = ended // the agent serves them all
			}
		}
		return w.apply(propagate.AgentEnded("the agent's pod was " + string(how)))
	}
	w.lives[k].stage = ended
	ev := propagate.PodDeleted(l.id)
	w.argoLoses(&l, how)
	if how == Evicted {
		ev = propagate.PodEvicted(l.id, evictedMessage)
		ev.Conditions = []string{"DisruptionTarget"}
	}
	return w.apply(named([]propagate.Event{ev}, l.uid)...)
}
