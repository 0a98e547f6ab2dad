package main

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// A run is one workflow in memory. It stands for one version of the object, and is dropped when somebody else has
// written another.
type run struct {
	key      types.NamespacedName
	object   *unstructured.Unstructured // to say events about
	stored   *stored
	engine   *propagate.Engine       // nil once the workflow is complete
	news     []propagate.Event       // for the next settle
	wanted   map[string]*wantedPod   // on record and not created yet, by node
	released []string                // nodes that gave locks back, on record and not carried out yet
	changes  []propagate.Change      // not on record yet
	follows  bool                    // something is to be done once the changes are on record
	written  time.Time               // when the status was stored last
	told     podstatus.Tracker       // how the pods looked that the engine was told of
	fresh    map[types.UID]*freshPod // pods that the cache does not show yet
	free     map[types.UID]bool      // pods that were let go
	timer    time.Time               // when the engine is to be called again
	recheck  time.Time               // when the pods are to be looked at again
}

// lookAgain makes sure that the workflow is looked at again by then.
func (w *run) lookAgain(at time.Time) {
	if w.recheck.IsZero() || at.Before(w.recheck) {
		w.recheck = at
	}
}

// next is how long from now the workflow is to be looked at again if nothing happens; 0 for ever.
func (w *run) next(now time.Time) time.Duration {
	at := w.timer
	if at.IsZero() || !w.recheck.IsZero() && w.recheck.Before(at) {
		at = w.recheck
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}

// rest is what is kept of a run that is over.
func (w *run) rest() *run {
	object := nameOnly(w.object)
	return &run{key: w.key, object: object, stored: &stored{Version: object.GetResourceVersion()}, free: w.free}
}

// known returns what is in memory of a workflow, nil for nothing.
func (r *reconciler) known(key types.NamespacedName) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs[key]
}

// keep remembers a run, drop forgets it; its locks stay until it is adopted again.
func (r *reconciler) keep(w *run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs[w.key] = w
}

func (r *reconciler) drop(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.runs, key)
}
