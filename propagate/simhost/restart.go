package simhost

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Kill ends the controller: what it kept in memory is gone, and the cluster goes on. Before anything else is done all
// workflows get new engines, by [Workflow.Load] or [Workflow.Restore], and then [Host.Adopt] is called.
func (h *Host) Kill() {
	h.Owed, h.Locks = nil, propagate.LockTable{}
	for _, w := range h.Workflows {
		w.told, w.Wake = nil, time.Time{}
	}
}

// Adopt enters the locks of all new engines, and owes those who have got theirs by that the word that they have.
func (h *Host) Adopt() {
	for _, w := range h.Workflows {
		h.Locks.Adopt(w.Name, w.Engine)
	}
	h.HandOn(h.Locks.Grant())
}

// Restart kills the controller and starts it again, from what each workflow would save if record is false, and else from
// its record. Engines of records are told which pods there are. It returns the ids of nodes that are not known any more.
func (h *Host) Restart(record bool) (unknown []string, err error) {
	h.Kill()
	for _, w := range h.Workflows {
		var left []string
		if record {
			left, err = w.Restore(w.Engine.Snapshot())
		} else {
			left, err = w.Load(w.Engine.Save())
		}
		if err != nil {
			return nil, err
		}
		unknown, w.Relist = append(unknown, left...), record
	}
	h.Adopt()
	return unknown, h.Begin()
}

// Load gives the workflow an engine that is loaded from a saved state. On an error it keeps the one that it has.
func (w *Workflow) Load(s propagate.State) (unknown []string, err error) {
	spec, limits := w.Spec, w.Limits
	return w.begin(func() (*propagate.Engine, []string, error) {
		return propagate.FromState(spec, s, nodegraph.WithLimits(limits))
	})
}

// Restore is Load from a record, as Kubernetes would keep it.
func (w *Workflow) Restore(s nodegraph.Snapshot) (unknown []string, err error) {
	s = inSeconds(s)
	spec, limits := w.Spec, w.Limits
	return w.begin(func() (*propagate.Engine, []string, error) {
		return propagate.FromSnapshot(spec, s, nodegraph.WithLimits(limits))
	})
}

// inSeconds returns a record without parts of seconds, which Kubernetes does not keep.
func inSeconds(s nodegraph.Snapshot) nodegraph.Snapshot {
	s.Started, s.Finished = s.Started.Truncate(time.Second), s.Finished.Truncate(time.Second)
	s.Nodes = slices.Clone(s.Nodes)
	for k := range s.Nodes {
		n := &s.Nodes[k]
		n.Started, n.Finished = n.Started.Truncate(time.Second), n.Finished.Truncate(time.Second)
	}
	return s
}
