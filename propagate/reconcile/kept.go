package reconcile

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// Kept is what a host keeps of one workflow between two calls, so that the next costs what has changed: the object that was read, and
// the engine. [Reconciler.Keep] makes one. It is a matter of speed alone. What a call returns is what [Reconciler.Reconcile] would
// return for the same object and the same pods, and a Kept may be dropped at any time.
//
//   - Nodes of the object that are as they were are recognised by their bytes. The engine goes on if the object says what the call before
//     has set, whoever has written that. It is made anew if a node, the workflow's own status, its specification, its labels or its
//     annotations say anything else: the patch was refused or is not seen yet, or somebody else has written. It is made anew, too, after
//     a manual retry and after an error, and once half of the text that was read first is out of date.
//   - An engine that goes on knows what the table in the documentation of the package calls lost: of two pods of one node it knows
//     which was first, and times to a part of a second. There it does as an engine that was never made anew.
//   - Workflows that wait for locks with a limit that Reconciler.Limit says are read anew with each call: it may say another.
//
// A Kept belongs to its Reconciler: one goroutine at a time may call the methods of all of them, and it is for the host to see to
// that.
type Kept struct {
	host    *Reconciler
	object  *argo.Workflow     // as it is if what the call before has set was stored; nil if nothing is kept
	engine  *propagate.Engine  // that says the same
	changes []propagate.Change // of the call before
}

// Keep returns a Kept for one workflow. It holds nothing yet.
func (r *Reconciler) Keep() *Kept { return &Kept{host: r} }

// Reconcile is [Reconciler.Reconcile]: it tells again what is owed, and knows that pods which are not listed are gone. The Object and
// the Engine of the outcome are good until the next call.
func (k *Kept) Reconcile(now time.Time, object []byte, pods []propagate.PodStatus, events ...propagate.Event) (*Outcome, error) {
	return k.reconcile(&call{host: k.host, now: now, pods: pods, locks: k.host.locks}, object, events)
}

// ReconcileChanged is Reconcile for a host that knows which pods are new or look different than in the call before, and which do not
// exist any more: their node and UID are enough. A pod that was Unknown was not told. Actions are new ones alone: a host that could not
// carry one out calls Reconcile, which asks for all that is owed.
//
// The error wraps [ErrListNeeded] where the engine has to be made anew, and with the first call. Nothing is kept then, so that
// Reconcile follows.
func (k *Kept) ReconcileChanged(now time.Time, object []byte, changed, gone []propagate.PodStatus, events ...propagate.Event) (*Outcome, error) {
	return k.reconcile(&call{host: k.host, now: now, pods: changed, gone: gone, changes: true, locks: k.host.locks}, object, events)
}

// reconcile makes a call with what is kept, and keeps what comes of it unless it fails.
func (k *Kept) reconcile(c *call, object []byte, events []propagate.Event) (*Outcome, error) {
	retried := slices.ContainsFunc(events, isManualRetry)
	err := k.begin(c, object, retried)
	if err == nil {
		err = c.run(events)
	}
	if *k = (Kept{host: k.host}); err != nil {
		return nil, err
	}
	if k.host.locks = c.locks; c.clean && !retried {
		k.object, k.engine, k.changes = c.out.Object, c.out.Engine, c.out.Changes
	}
	return &c.out, nil
}

// begin opens a call with the engine that is kept, or with one that is made anew.
func (k *Kept) begin(c *call, object []byte, retried bool) error {
	if !retried && k.object != nil && !k.asksForLimits() && k.object.Follow(object) {
		c.out.Object, c.out.Engine, c.clean = k.object, k.engine, true
		c.out.Workflow = k.object.Namespace + "/" + k.object.Name
		k.engine.Recorded(k.changes)
		if !c.changes {
			k.engine.Remind()
		}
		return nil
	}
	if c.changes {
		return c.failed(StageEvents, ErrListNeeded)
	}
	err := c.restore(object)
	c.clean = err == nil && !retried && len(c.out.Unknown) == 0 && c.isClean()
	return err
}

// asksForLimits reports whether the host is asked for limits of locks, which may have changed.
func (k *Kept) asksForLimits() bool {
	return k.host.Limit != nil && k.engine.Graph().Features().Locks
}
