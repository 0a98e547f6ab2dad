package main

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
)

// longestWait is how long anything that failed is left alone before the next try.
const longestWait = 8 * time.Second

// gathered is how long what happens to pods is gathered before their workflow is looked at.
const gathered = 50 * time.Millisecond

// A reconciler runs the workflows of one shard. Its order of doing things is what makes it safe to kill at any moment:
//
//  1. Tell the engine what exists.
//  2. Store the status, if nobody else has written the object since.
//  3. Only then do what follows from it: let pods go that have ended, create pods, delete pods, hand locks on.
//
// So whatever was done is on record before, and a successor asks for what is on record and not done. All of 3 can be done
// twice: a pod has its name from its node, and a lock is held by the record. Where nothing follows from how pods look now, 2 and
// 3 wait for a while, and one write tells of many pods: until then the finalizers of the pods keep what they have to tell.
type reconciler struct {
	client      client.Client
	live        client.Reader // past the cache
	recorder    events.EventRecorder
	shard       shards.Shard
	metrics     *metrics
	locks       *locks
	now         func() time.Time
	subresource bool          // the status is one
	lull        time.Duration // how long what nothing follows from is not stored
	atOnce      int           // how many requests are made at a time for one workflow

	adopting sync.Mutex
	adopted  bool
	mu       sync.Mutex
	runs     map[types.NamespacedName]*run
}

// Reconcile does what is to be done for one workflow.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if err := r.adopt(ctx); errors.Is(err, shards.ErrNotReady) {
		log.FromContext(ctx).Info("waiting", "why", err.Error())
		return reconcile.Result{RequeueAfter: time.Second}, nil
	} else if err != nil {
		return reconcile.Result{}, err
	}
	object := newWorkflow()
	if err := r.client.Get(ctx, req.NamespacedName, object); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, err
	} else if err != nil || object.GetDeletionTimestamp() != nil {
		pods, err := r.podsNamed(ctx, req.NamespacedName)
		if err != nil {
			return reconcile.Result{}, err
		}
		return r.leave(ctx, req.NamespacedName, pods)
	}
	w, err := r.runOf(ctx, object)
	if err == nil && w != nil && w.engine != nil {
		err = r.advance(ctx, w)
	}
	switch {
	case apierrors.IsConflict(err):
		return reconcile.Result{RequeueAfter: time.Millisecond}, nil // somebody wrote it: read it again, settle again
	case err != nil:
		r.recorder.Eventf(object, nil, corev1.EventTypeWarning, "NotReconciled", "Reconcile", "%s", shortened(err.Error()))
		return reconcile.Result{}, err
	case w == nil:
		return reconcile.Result{}, nil
	}
	return reconcile.Result{RequeueAfter: w.next(r.now())}, nil
}

// advance tells the engine what there is, stores what comes of it, and carries it out.
func (r *reconciler) advance(ctx context.Context, w *run) error {
	pods, former, err := r.podsOf(ctx, w)
	if err != nil {
		return err
	}
	if pods, err = r.found(ctx, w, pods); err != nil {
		return err
	}
	err = r.settle(w, pods)
	if until := w.written.Add(r.lull); err == nil && !w.follows && len(w.changes) > 0 && r.now().Before(until) {
		w.lookAgain(until)
		return nil
	}
	if err == nil {
		err = r.store(ctx, w)
	}
	if tooLarge(err) {
		return r.refuse(ctx, w, err) // before any pod is made that the record has no place for
	} else if err != nil {
		r.drop(w.key) // memory and record may differ now: the record counts
		return err
	}
	_, err = r.retire(ctx, w, former, false)
	if err := errors.Join(err, r.carryOut(ctx, w, pods)); err != nil {
		return err
	}
	if w.engine.Complete() {
		phase, _ := w.engine.Workflow()
		r.end(w, phase)
	}
	return nil
}

// leave gives up a workflow that is complete, is deleted, or is about to be. Its locks are free when its pods are over.
func (r *reconciler) leave(ctx context.Context, key types.NamespacedName, pods []*corev1.Pod) (reconcile.Result, error) {
	r.metrics.obligations.Forget(key.String())
	w := r.known(key)
	if w == nil {
		w = &run{key: key, object: newWorkflow(), free: make(map[types.UID]bool)}
	}
	w = w.rest()
	if r.keep(w); len(pods) == 0 {
		r.drop(key)
	}
	now := &metav1.PartialObjectMetadata{}
	now.SetGroupVersionKind(workflowKind)
	if len(pods) > 0 {
		if err := r.live.Get(ctx, key, now); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, err
		} else if err == nil && now.DeletionTimestamp == nil && now.Labels[labelCompleted] != "true" {
			if r.shard.Unfinished().Matches(labels.Set(now.Labels)) {
				return reconcile.Result{RequeueAfter: time.Second}, nil // the cache of workflows is older than that of pods
			}
			r.locks.forget(key) // it is another controller's now
			return reconcile.Result{}, nil
		}
	}
	alive, err := r.retire(ctx, w, pods, now.Labels[labelPhase] == nodegraph.PhaseSucceeded.String())
	if !alive {
		r.locks.forget(key)
	}
	return reconcile.Result{RequeueAfter: w.next(r.now())}, err
}
