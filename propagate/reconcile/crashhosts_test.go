package reconcile_test

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// answers is what the host knows beside the engine.
func answers(a *propagate.Action) propagate.Event {
	switch a.Type {
	case propagate.ActionResolve:
		return propagate.Resolved(a.ID, true, "")
	case propagate.ActionExpand:
		return propagate.Expanded(a.ID, nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"})
	case propagate.ActionLookup:
		return propagate.Memoized(a.ID, false)
	}
	return propagate.Event{}
}

// An objectHost keeps nothing but the objects: see package reconcile.
type objectHost struct {
	*cluster
	reconcile.Reconciler
	wakes map[string]time.Time
	dying bool // once the call is over, before anything is stored
}

func newObjectHost(c *cluster) host {
	h := &objectHost{cluster: c, wakes: make(map[string]time.Time)}
	h.Answer = h.answer
	for _, name := range c.names {
		require.NoError(c.t, h.Adopt(c.objects[name]))
	}
	return h
}

// answer answers within the call. What is done then is the Reconciler's own, so to die after it is to die with the call.
func (h *objectHost) answer(w *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (ev propagate.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.dying = true
		}
	}()
	if !h.dying {
		h.carryOut(w.Name, a, func() { ev = answers(a) })
	}
	return ev, nil
}

func (h *objectHost) settle(workflow string) {
	var events []propagate.Event
	if w, err := argo.Read(h.objects[workflow]); err == nil && len(h.served) > 0 {
		if e, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot); err == nil {
			events = h.reports(e)
		}
	}
	out, err := h.Reconcile(h.now, h.objects[workflow], h.listed(workflow), events...)
	require.NoError(h.t, err)
	if h.dying {
		panic(death{})
	}
	require.NoError(h.t, out.Engine.Check())
	if out.Patch != nil {
		h.store(h.objects, workflow, patched(h.t, h.objects[workflow], out.Patch))
	}
	wakes := propagate.Action{Type: propagate.ActionWake, At: out.Wake}
	if !out.Wake.IsZero() && !h.wakes[workflow].Equal(out.Wake) {
		h.carryOut(workflow, &wakes, func() { h.wakes[workflow] = out.Wake })
	}
	for k := range out.Actions {
		a := &out.Actions[k]
		if a.Type == propagate.ActionComplete && h.ended[workflow] {
			continue
		}
		h.carryOut(workflow, a, func() {
			switch a.Type {
			case propagate.ActionStart, propagate.ActionRecreate:
				h.start(workflow, out.Engine, a)
			case propagate.ActionTerminate:
				h.end(a)
			case propagate.ActionRelease:
				h.Release(out.Workflow, a)
			case propagate.ActionComplete:
				h.ended[workflow] = true
			}
		})
	}
}

func (h *objectHost) wake() time.Time { return earliest(h.wakes, h.now) }

// earliest is the first of some times that is still to come.
func earliest(times map[string]time.Time, now time.Time) (first time.Time) {
	for _, at := range times {
		if at.After(now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// A stateHost keeps its engines, and saves each after each call.
type stateHost struct {
	*cluster
	locks   propagate.LockTable
	engines map[string]*propagate.Engine
	wakes   map[string]time.Time
	listing string // the workflow of which the pods are still to be told
	granted []propagate.Holder
}

func newStateHost(c *cluster) host {
	h := &stateHost{cluster: c, engines: make(map[string]*propagate.Engine), wakes: make(map[string]time.Time)}
	for _, name := range c.names {
		w, err := argo.Read(c.objects[name])
		require.NoError(c.t, err)
		e, err := propagate.New(w.Spec)
		if saved := c.states[name]; saved != nil {
			var state propagate.State
			require.NoError(c.t, json.Unmarshal(saved, &state))
			e, _, err = propagate.FromState(w.Spec, state)
		}
		require.NoError(c.t, err)
		h.engines[name] = e
		h.ended[name] = h.ended[name] || e.Complete() // the host before this one may not have said it
		h.locks.Adopt(name, e)
	}
	h.granted = h.locks.Grant()
	return h
}

func (h *stateHost) settle(workflow string) {
	e := h.engines[workflow]
	w, err := argo.Read(h.objects[workflow])
	require.NoError(h.t, err)
	events := h.reports(e)
	if !e.Complete() && w.Snapshot.Shutdown != "" {
		events = append(events, propagate.Shutdown(w.Snapshot.Shutdown))
	}
	for _, holder := range h.granted {
		if holder.Workflow == workflow {
			events = append(events, holder.Granted().Event)
		}
	}
	h.granted = slices.DeleteFunc(h.granted, func(holder propagate.Holder) bool { return holder.Workflow == workflow })
	h.listing = workflow
	require.NoError(h.t, propagate.Drive(h, workflow, events...))
}

// Call implements [propagate.Host].
func (h *stateHost) Call(workflow string, events []propagate.Event) (r propagate.Result, err error) {
	e := h.engines[workflow]
	if h.listing == workflow {
		h.listing = ""
		r, err = e.SyncPods(h.now, h.listed(workflow), events...)
	} else {
		r, err = e.Apply(h.now, events...)
	}
	require.NoError(h.t, e.Check())
	saved, failed := json.Marshal(e.Save())
	require.NoError(h.t, failed)
	h.store(h.states, workflow, saved)
	return r, err
}

// Do implements [propagate.Host].
func (h *stateHost) Do(workflow string, a *propagate.Action) (notices []propagate.Notice, err error) {
	h.carryOut(workflow, a, func() {
		switch a.Type {
		case propagate.ActionStart, propagate.ActionRecreate:
			h.start(workflow, h.engines[workflow], a)
		case propagate.ActionTerminate:
			h.end(a)
		case propagate.ActionAcquire, propagate.ActionRelease:
			notices = h.locks.Answer(workflow, a)
		case propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
			notices = []propagate.Notice{{Workflow: workflow, Event: answers(a)}}
		case propagate.ActionWake:
			h.wakes[workflow] = a.At
		case propagate.ActionComplete:
			h.ended[workflow] = true
		}
	})
	return notices, nil
}

func (h *stateHost) wake() time.Time { return earliest(h.wakes, h.now) }
