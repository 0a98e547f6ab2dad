package reconcile

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// Kept is what a host keeps of one workflow between two calls, so that the next costs what has changed: the object that was read,
// and the engine. [Reconciler.Keep] makes one. It is a matter of speed alone: a call returns what [Reconciler.Reconcile] would return
// for the same object and pods, the patch to the byte. A Kept may be dropped at any time.
//
//   - Nodes of the object that are as they were are recognised by their bytes. The engine goes on if the object says what the call
//     before has set, whoever has written that.
//   - The engine is made anew if a node, the workflow's own status, its specification, its labels or its annotations say anything
//     else: the patch was refused or is not seen yet, or somebody else has written. It is made anew after a manual retry, after an
//     error, and where the object said something else than the engine that was made of it. Once half of the text that was read first
//     is out of date, all is read anew.
//   - A workflow with locks is read anew with each call where Reconciler.Limit is set: it may say another limit.
//   - An engine that goes on knows more than the object holds: whether a pod that is listed alive is the one with which its node has
//     ended, that a daemon was ready, what the host was asked, and times to a part of a second. That decides what comes again of what
//     is owed, and when a backoff ends.
//
// One goroutine at a time may call the methods of a Reconciler and of all its Kepts. It is for the host to see to that.
type Kept struct {
	host    *Reconciler
	object  *argo.Workflow     // as it is if what the call before has set was stored; nil if nothing is kept
	engine  *propagate.Engine  // that says the same
	changes []propagate.Change // of the call before
}

// Keep returns a Kept for one workflow. It holds nothing yet.
func (r *Reconciler) Keep() *Kept { return &Kept{host: r} }

// Reconcile is [Reconciler.Reconcile]: it asks again for all that is owed, and knows that pods which are not listed are gone. The
// Object and the Engine of the outcome are good until the next call, and must not be changed.
func (k *Kept) Reconcile(now time.Time, object []byte, pods []propagate.PodStatus, events ...propagate.Event) (*Outcome, error) {
	return k.reconcile(&call{host: k.host, now: now, pods: pods, locks: k.host.locks}, object, events)
}

// ReconcileChanged is Reconcile for a host that knows which pods are new or look different than in the call before, and which do not
// exist any more: of these the node and the UID are enough. A pod that was Unknown was not told. Actions are new ones alone: a host
// that could not carry one out calls Reconcile, which asks for all that is owed.
//
// The error wraps [ErrListNeeded] where the engine has to be made anew, and with the first call. Nothing is kept then, so that
// Reconcile follows.
func (k *Kept) ReconcileChanged(
	now time.Time, object []byte, changed, gone []propagate.PodStatus, events ...propagate.Event,
) (*Outcome, error) {
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
		k.object, k.engine, k.changes = c.out.Object, c.out.Engine, slices.Clone(c.out.Changes)
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
	err := c.restore(argo.Read(object, argo.WithBorrowedNodes()))
	c.clean = err == nil && !retried && len(c.out.Unknown) == 0 && c.isClean()
	return err
}

// asksForLimits reports whether the host is asked for limits of locks, which may have changed.
func (k *Kept) asksForLimits() bool {
	return k.host.Limit != nil && k.engine.Graph().Features().Locks
}
