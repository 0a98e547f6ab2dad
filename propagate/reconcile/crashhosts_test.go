package reconcile_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A crashHost is what both hosts have: the cluster, and what they are asked to carry out.
type crashHost struct {
	*propagatetest.Cluster
	*plan
	t       *testing.T
	engines map[string]*propagate.Engine
}

// Engine implements [propagatetest.Controller].
func (h *crashHost) Engine(workflow string) *propagate.Engine { return h.engines[workflow] }

// start makes the pod of a node, or has it served. Twice is as good as once.
func (h *crashHost) start(workflow string, a *propagate.Action) error {
	switch a.Kind {
	case nodegraph.KindHTTP:
		h.Serve(workflow, a.ID)
	case nodegraph.KindPod:
		g := h.engines[workflow].Graph()
		err := h.CreatePod(workflow, a.ID, a.Name, g.Node(g.Find(a.ID)).Template.Containers...)
		if !errors.Is(err, simhost.ErrExists) {
			return err
		}
	}
	return nil
}

// An objectHost keeps nothing but the objects: see package reconcile.
type objectHost struct {
	crashHost
	reconcile.Reconciler
	kept map[string]*reconcile.Kept // by workflow; nil for nothing
}

// newKeepingHost is an objectHost that keeps what it has read until it dies.
func newKeepingHost(t *testing.T, c *propagatetest.Cluster, p *plan) (propagatetest.Controller, error) {
	made, err := newObjectHost(t, c, p)
	if err == nil {
		made.(*objectHost).kept = make(map[string]*reconcile.Kept)
	}
	return made, err
}

func newObjectHost(t *testing.T, c *propagatetest.Cluster, p *plan) (propagatetest.Controller, error) {
	h := &objectHost{crashHost: crashHost{c, p, t, make(map[string]*propagate.Engine)}}
	h.Answer = func(w *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (ev propagate.Event, err error) {
		h.carryOut(c, w.Name, a, func() { ev = c.Answer(w.Name, a) })
		return ev, nil
	}
	for _, name := range c.Workflows() {
		w, err := argo.Read(h.object(name))
		if err != nil {
			return nil, err
		}
		if h.engines[name], _, err = propagate.FromSnapshot(w.Spec, w.Snapshot); err != nil {
			return nil, err
		}
		if err := h.Adopt(h.object(name)); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// object is that of a workflow as the API server has it.
func (h *objectHost) object(workflow string) []byte {
	if stored := h.Stored(workflow); stored != nil {
		return stored
	}
	return versioned(h.t, propagatetest.Manifest(h.Spec(workflow)))
}

// Reconcile implements [propagatetest.Controller].
func (h *objectHost) Reconcile(workflow string) error {
	object := h.object(workflow)
	events := h.Events(workflow)
	for k, ev := range events {
		if ev.Type == propagate.EventShutdown { // a user writes it into the object
			object, events = withField(h.t, object, "shutdown", ev.Reason), slices.Delete(events, k, k+1)
			break
		}
	}
	call := h.Reconciler.Reconcile
	if h.kept != nil {
		if h.kept[workflow] == nil {
			h.kept[workflow] = h.Keep()
		}
		call = h.kept[workflow].Reconcile
	}
	out, err := call(h.Now(), object, h.Pods(workflow), events...)
	if err != nil {
		return err
	}
	h.engines[workflow] = out.Engine
	if out.Patch != nil {
		h.Store(workflow, patched(h.t, object, out.Patch))
	}
	if !out.Wake.IsZero() {
		h.carryOut(h.Cluster, workflow, &propagate.Action{Type: propagate.ActionWake, At: out.Wake}, func() { h.WakeAt(workflow, out.Wake) })
	}
	for k := range out.Actions {
		a := &out.Actions[k]
		if a.Type == propagate.ActionComplete && h.ended[workflow] {
			continue
		}
		h.carryOut(h.Cluster, workflow, a, func() { err = errors.Join(err, h.do(out.Workflow, workflow, a)) })
	}
	return err
}

// do carries out an action of a workflow, which has another name in the Reconciler.
func (h *objectHost) do(known, workflow string, a *propagate.Action) error {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		return h.start(workflow, a)
	case propagate.ActionTerminate:
		h.DeletePod(workflow, a.Name)
	case propagate.ActionRelease:
		h.Release(known, a)
	case propagate.ActionComplete:
		h.ended[workflow] = true
	}
	return nil
}

// A stateHost keeps its engines, and saves each after each call.
type stateHost struct {
	crashHost
	locks   propagate.LockTable
	listing string // the workflow of which the pods are still to be told
}

func newStateHost(t *testing.T, c *propagatetest.Cluster, p *plan) (propagatetest.Controller, error) {
	h := &stateHost{crashHost: crashHost{c, p, t, make(map[string]*propagate.Engine)}}
	return h, h.load()
}

// load makes all engines of what is stored.
func (h *stateHost) load() error {
	c := h.Cluster
	h.locks = propagate.LockTable{}
	for _, name := range c.Workflows() {
		e, err := propagate.New(c.Spec(name))
		if saved := c.Stored(name); err == nil && saved != nil {
			var state propagate.State
			if err = json.Unmarshal(saved, &state); err == nil {
				e, _, err = propagate.FromState(c.Spec(name), state)
			}
		}
		if err != nil {
			return err
		}
		h.engines[name] = e
		h.ended[name] = h.ended[name] || e.Complete() // the host before this one may not have said it
		h.locks.Adopt(name, e)
	}
	return nil
}

// Reconcile implements [propagatetest.Controller].
func (h *stateHost) Reconcile(workflow string) (err error) {
	for _, holder := range h.locks.Grant() {
		err = errors.Join(err, propagate.Drive(h, holder.Workflow, holder.Granted().Event))
	}
	h.listing = workflow
	if err = errors.Join(err, propagate.Drive(h, workflow, h.Events(workflow)...)); err != nil {
		err = errors.Join(err, h.load())
	}
	return err
}

// Call implements [propagate.Host].
func (h *stateHost) Call(workflow string, events []propagate.Event) (r propagate.Result, err error) {
	e := h.engines[workflow]
	if h.listing == workflow {
		h.listing = ""
		r, err = e.SyncPods(h.Now(), h.Pods(workflow), events...)
	} else {
		r, err = e.Apply(h.Now(), events...)
	}
	if err != nil {
		return r, err
	}
	saved, err := json.Marshal(e.Save())
	h.Store(workflow, saved)
	return r, err
}

// Do implements [propagate.Host].
func (h *stateHost) Do(workflow string, a *propagate.Action) (notices []propagate.Notice, err error) {
	h.carryOut(h.Cluster, workflow, a, func() {
		switch a.Type {
		case propagate.ActionStart, propagate.ActionRecreate:
			err = h.start(workflow, a)
		case propagate.ActionTerminate:
			h.DeletePod(workflow, a.Name)
		case propagate.ActionAcquire, propagate.ActionRelease:
			notices = h.locks.Answer(workflow, a)
		case propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
			notices = []propagate.Notice{{Workflow: workflow, Event: h.Answer(workflow, a)}}
		case propagate.ActionWake:
			h.WakeAt(workflow, a.At)
		case propagate.ActionComplete:
			h.ended[workflow] = true
		}
	})
	return notices, err
}
