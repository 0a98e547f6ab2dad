package propagatetest_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A watcher is a host that tells single events, which it derives from how pods have changed. It lists them once, when it starts.
type watcher struct {
	*propagatetest.Cluster
	engines map[string]*propagate.Engine
	locks   propagate.LockTable
	seen    map[string]map[string]propagate.PodStatus // by workflow and UID; nil before the first list
}

func newWatcher(c *propagatetest.Cluster) (propagatetest.Controller, error) {
	w := &watcher{Cluster: c, engines: make(map[string]*propagate.Engine), seen: make(map[string]map[string]propagate.PodStatus)}
	for _, name := range c.Workflows() {
		e, err := propagate.New(c.Spec(name))
		if stored := c.Stored(name); err == nil && stored != nil {
			var state propagate.State
			if err = json.Unmarshal(stored, &state); err == nil {
				e, _, err = propagate.FromState(c.Spec(name), state)
			}
		}
		if err != nil {
			return nil, err
		}
		w.engines[name] = e
		w.locks.Adopt(name, e)
	}
	return w, nil
}

func (w *watcher) Engine(workflow string) *propagate.Engine { return w.engines[workflow] }

func (w *watcher) Reconcile(workflow string) error {
	for _, h := range w.locks.Grant() {
		if err := propagate.Drive(w, h.Workflow, h.Granted().Event); err != nil {
			return err
		}
	}
	events := w.Events(workflow)
	if w.seen[workflow] != nil && !w.engines[workflow].Complete() {
		events = append(events, w.changes(workflow)...)
	}
	return propagate.Drive(w, workflow, events...)
}

// changes are what has become of pods since the watcher looked at them last.
func (w *watcher) changes(workflow string) []propagate.Event {
	seen, now := w.seen[workflow], make(map[string]propagate.PodStatus)
	var events []propagate.Event
	for _, p := range w.Pods(workflow) {
		now[p.UID] = p
		if seen[p.UID].Phase != p.Phase {
			events = append(events, named(p, eventOf(p)))
		}
	}
	for uid, p := range seen {
		if _, there := now[uid]; !there {
			events = append(events, named(p, propagate.PodDeleted(p.Node)))
		}
	}
	w.seen[workflow] = now
	return events
}

// eventOf is what a pod shows.
func eventOf(p propagate.PodStatus) propagate.Event {
	switch p.Phase {
	case propagate.PodPhasePending:
		return propagate.PodPending(p.Node, "")
	case propagate.PodPhaseRunning:
		return propagate.PodRunning(p.Node)
	case propagate.PodPhaseSucceeded:
		return propagate.PodSucceeded(p.Node)
	}
	return propagate.PodFailed(p.Node, "")
}

// named is an event with the pod that it is about.
func named(p propagate.PodStatus, ev propagate.Event) propagate.Event {
	ev.Pod.UID, ev.Pod.Created = p.UID, p.Created
	return ev
}

// Call implements [propagate.Host].
func (w *watcher) Call(workflow string, events []propagate.Event) (r propagate.Result, err error) {
	e := w.engines[workflow]
	if w.seen[workflow] == nil {
		w.changes(workflow) // the list says it all
		r, err = e.SyncPods(w.Now(), w.Pods(workflow), events...)
	} else {
		r, err = e.Apply(w.Now(), events...)
	}
	if err != nil {
		return r, err
	}
	state, err := json.Marshal(e.Save())
	if err == nil {
		w.Store(workflow, state)
	}
	return r, err
}

// Do implements [propagate.Host].
func (w *watcher) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		switch a.Kind {
		case nodegraph.KindHTTP:
			w.Serve(workflow, a.ID)
		case nodegraph.KindPod:
			t := w.engines[workflow].Graph().Node(a.Node).Template
			if err := w.CreatePod(workflow, a.ID, a.Name, t.Containers...); !errors.Is(err, simhost.ErrExists) {
				return nil, err
			}
		}
	case propagate.ActionTerminate:
		w.DeletePod(workflow, a.Name)
	case propagate.ActionAcquire, propagate.ActionRelease:
		return w.locks.Answer(workflow, a), nil
	case propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
		return []propagate.Notice{{Workflow: workflow, Event: w.Answer(workflow, a)}}, nil
	case propagate.ActionWake:
		w.WakeAt(workflow, a.At)
	}
	return nil, nil
}

// A host that tells single events is as right as one that lists pods with each call.
func TestAHostThatTellsEvents(t *testing.T) {
	propagatetest.Conformance{New: newWatcher}.Run(t)
}
