package simhost

import (
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/propagate"
)

// Clone returns a host that is in the same position, and goes on by itself. An engine can't be copied, so the two share
// each until one of them calls it. That one makes all calls of the engine once more, on an engine of its own.
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

// An origin makes an engine that nobody has called, always the same, and says what it does not know any more.
type origin func() (*propagate.Engine, []string, error)

// begin gives the workflow an engine that nobody has called.
func (w *Workflow) begin(from origin) (unknown []string, err error) {
	e, unknown, err := from()
	if err == nil {
		w.Engine, w.origin, w.calls, w.shared = e, from, nil, false
	}
	return unknown, err
}

// own gives the workflow an engine of its own. What was made and told once without an error is so again.
func (w *Workflow) own() {
	if !w.shared {
		return
	}
	w.Engine, _, _ = w.origin()
	for k := range w.calls {
		_, _ = w.calls[k].make(w.Engine)
	}
	w.shared = false
}
