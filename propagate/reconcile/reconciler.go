package reconcile

import (
	"errors"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Reconciler is what the workflows of one host share. It keeps nothing of a workflow but its locks. The zero value will do
// for a host whose workflows have neither semaphores nor questions.
//
// One goroutine at a time may call its methods. Apart from its callbacks they do no I/O.
type Reconciler struct {
	// Answer, if set, is asked about ActionResolve, ActionExpand and ActionLookup of a workflow, and about ActionAcquire before
	// the locks are asked for. It returns the event that answers the action, such as Resolved, or Unanswerable for locks that
	// can't be had; the zero Event if it has no answer yet. A question that is open then is among Outcome.Actions, of each
	// call anew until an event answers it. An error ends the call.
	Answer func(w *argo.Workflow, e *propagate.Engine, a *propagate.Action) (propagate.Event, error)
	// Limit, if set, says how many may hold a semaphore, by its key "namespace/ConfigMap/name/key"; 0 if nobody knows. Without
	// an answer a semaphore counts as a mutex. An error ends the call.
	Limit func(key string) (int, error)

	locks   propagate.LockTable
	adopted bool
}

// An Outcome is what one call of [Reconciler.Reconcile] brought about.
type Outcome struct {
	Workflow string // "namespace/name", which is what the Reconciler calls the workflow
	// Patch is the JSON merge patch that stores the status. It holds the resourceVersion of the object, so that it is refused
	// once somebody else has written the object. It is nil if there is nothing to store.
	Patch []byte
	// Actions are to be carried out in this order, once the patch is stored. The documentation of the package says how.
	Actions []propagate.Action
	Wake    time.Time // when to call again if nothing happens before; zero for never
	// Others are workflows that have got locks by this call: they are to be reconciled, whatever becomes of the patch.
	Others  []string
	Reset   []string           // ids of nodes that a manual retry has reset: their pods are deleted before the patch is stored
	Unknown []string           // pods, by what they gave as their nodes, and nodes on record that the specification never asks for
	Changes []propagate.Change // nodes that look different now
	Engine  *propagate.Engine  // to ask for Obligations, Explain and Workflow
	Object  *argo.Workflow     // with the new status; Encode returns the whole object. The nodes of its Snapshot must not be changed
}

// Adopt enters what unfinished workflows have on record about locks. A host that has started calls it once, with all of
// them, before it reconciles any that has locks: else one would be given what another holds. The error joins an [*Error] for
// each object that can't be read; the others are adopted.
func (r *Reconciler) Adopt(objects ...[]byte) error {
	var errs []error
	for _, object := range objects {
		c := &call{host: r}
		if err := c.restore(argo.Read(object, argo.WithBorrowedNodes())); err != nil {
			errs = append(errs, err)
			continue
		}
		r.locks.Adopt(c.out.Workflow, c.out.Engine)
	}
	r.adopted = true
	return errors.Join(errs...)
}

// Reconcile is called when something about a workflow or its pods has changed, and at the time of Wake. Object is the Workflow
// as the API server has it. Pods are all its pods that exist, not older than the object. Events are what else has happened:
// Resumed, NodeEnded, an answer, ManualRetry. What the object says of itself, spec.shutdown and spec.suspend, is no event.
//
// The error is an [*Error], and nothing has changed then, the locks included.
func (r *Reconciler) Reconcile(now time.Time, object []byte, pods []propagate.PodStatus, events ...propagate.Event) (*Outcome, error) {
	w, err := argo.Read(object, argo.WithBorrowedNodes())
	return r.reconcile(now, w, err, pods, events)
}

// ReconcileObject is Reconcile for an object that the host has decoded already: see [argo.ReadObject]. It must not be changed as long as
// the Object of the outcome is in use. [argo.DecodePatch] decodes the patch.
func (r *Reconciler) ReconcileObject(now time.Time, object any, pods []propagate.PodStatus, events ...propagate.Event) (*Outcome, error) {
	w, err := argo.ReadObject(object, argo.WithBorrowedNodes())
	return r.reconcile(now, w, err, pods, events)
}

// reconcile is a call for a workflow that was read, or could not be.
func (r *Reconciler) reconcile(now time.Time, w *argo.Workflow, wrong error, pods []propagate.PodStatus, events []propagate.Event) (*Outcome, error) {
	c := &call{host: r, now: now, pods: pods, locks: r.locks}
	if err := c.restore(w, wrong); err != nil {
		return nil, err
	}
	if err := c.run(events); err != nil {
		return nil, err
	}
	r.locks = c.locks
	return &c.out, nil
}

// Release carries out an ActionRelease, and returns the workflows that have got locks by it: they are to be reconciled.
func (r *Reconciler) Release(workflow string, a *propagate.Action) []string {
	return workflowsOf(r.locks.Release(propagate.Holder{Workflow: workflow, Node: a.ID}))
}

// Forget gives back what a workflow has that does not exist any more, and returns the workflows that have got locks by it.
func (r *Reconciler) Forget(workflow string) []string {
	return workflowsOf(r.locks.Forget(workflow))
}

// Locks returns a copy of the table of locks: who holds and who waits, and which waits never end.
func (r *Reconciler) Locks() propagate.LockTable { return r.locks.Clone() }

// workflowsOf lists the workflows of holders, each once.
func workflowsOf(holders []propagate.Holder) []string {
	var names []string
	for _, h := range holders {
		if !slices.Contains(names, h.Workflow) {
			names = append(names, h.Workflow)
		}
	}
	return names
}

// fillLimits fills in the limits of the semaphores of a specification.
func (r *Reconciler) fillLimits(spec *nodegraph.Spec) (err error) {
	if r.Limit == nil {
		return nil
	}
	spec.EachLock(func(l *nodegraph.Lock) {
		if err == nil && l.Limit == 0 {
			l.Limit, err = r.Limit(l.Key)
		}
	})
	return err
}
