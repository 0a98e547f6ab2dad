package main

import (
	"runtime"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// A sizeLine is a line of the table that is no time.
type sizeLine struct {
	name, mark string
	of         func(s *storedWorkflow) (float64, error)
}

var sizeLines = []sizeLine{
	{"allocations of a Kept.ReconcileChanged", "the same for all", allocationsTold},
	{"bytes kept a node by Read and FromSnapshot", "-", func(s *storedWorkflow) (float64, error) {
		return keptBytes(s, func() (any, error) {
			w, err := argo.Read(s.object, argo.WithBorrowedNodes())
			if err != nil {
				return nil, err
			}
			e, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot)
			return []any{w, e}, err
		})
	}},
	{"bytes kept a node by a Kept", "no more", func(s *storedWorkflow) (float64, error) {
		steps, err := s.keptSteps()
		if err != nil {
			return 0, err
		}
		list := s.podsAtFirst()
		return keptBytes(s, func() (any, error) {
			var r reconcile.Reconciler
			k := r.Keep()
			_, err := k.Reconcile(steps[0].now, steps[0].object, list)
			if err == nil {
				_, err = k.ReconcileChanged(steps[1].now, steps[1].object, steps[1].changed, nil)
			}
			return k, err
		})
	}},
}

// keptBytes is how much of the heap something takes, by node.
func keptBytes(s *storedWorkflow, keep func() (any, error)) (float64, error) {
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what the first has found to be garbage in pools
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before := heap()
	kept, err := keep()
	after := heap()
	runtime.KeepAlive(kept)
	runtime.KeepAlive(keep)
	return (after - before) / float64(s.nodes), err
}

// allocationsTold is how often a call allocates that is told of one pod.
func allocationsTold(s *storedWorkflow) (float64, error) {
	steps, err := s.keptSteps()
	if err != nil {
		return 0, err
	}
	var r reconcile.Reconciler
	k := r.Keep()
	if _, err := k.Reconcile(steps[0].now, steps[0].object, s.podsAtFirst()); err != nil {
		return 0, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range steps[1:] {
		if _, err := k.ReconcileChanged(steps[1+n].now, steps[1+n].object, steps[1+n].changed, nil); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(len(steps)-1), nil
}
