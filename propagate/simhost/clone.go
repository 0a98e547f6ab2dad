package simhost

import (
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/propagate"
)

// Clone returns a host that is in the same position, and goes on by itself. An engine can't be copied, so the two share
// each until one of them calls it: that one makes all calls of the engine once more, on an engine of its own.
func (h *Host) Clone() *Host {
	c := *h
	c.Locks, c.Owed = h.Locks.Clone(), slices.Clone(h.Owed)
	c.Workflows = make([]*Workflow, len(h.Workflows))
	for k, w := range h.Workflows {
		w.shared, w.calls = true, slices.Clip(w.calls)
		flow := *w
		flow.Served, flow.made, flow.Pods = slices.Clone(w.Served), maps.Clone(w.made), make([]*Pod, len(w.Pods))
		for at, p := range w.Pods {
			pod := *p // what its fields point to is replaced, and never written
			flow.Pods[at] = &pod
		}
		c.Workflows[k] = &flow
	}
	return &c
}

// begin gives the workflow an engine that nobody has called. Origin makes another that is the same.
func (w *Workflow) begin(e *propagate.Engine, origin func() *propagate.Engine) {
	w.Engine, w.origin, w.calls, w.shared = e, origin, nil, false
}

// own gives the workflow an engine of its own.
func (w *Workflow) own() {
	if !w.shared {
		return
	}
	w.Engine, w.shared = w.origin(), false
	for k := range w.calls {
		_ = must(w.calls[k].make(w.Engine))
	}
}

// must returns what was made before without an error.
func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}
