package main

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A reconciler runs the workflows of one shard. Its order of doing things is what makes it safe to kill at any moment:
//
//  1. Tell the engine what exists.
//  2. Store the status, if nobody else has written the object since.
//  3. Only then do what follows from it: create pods, delete pods, hand locks on.
//
// So whatever was done is on record before, and a successor asks for what is on record and not done. All of 3 can be done
// twice: a pod has its name from its node, and a lock is held by the record.
type reconciler struct {
	client   client.Client
	live     client.Reader // past the cache
	recorder events.EventRecorder
	shard    shard
	metrics  *metrics
	locks    locks

	farewells farewells
	adopting  sync.Mutex
	adopted   bool
	mu        sync.Mutex
	runs      map[types.NamespacedName]*run
}

// A run is one workflow in memory. It stands for one version of the object, and is dropped when somebody else has
// written another.
type run struct {
	key     types.NamespacedName
	object  *unstructured.Unstructured // to say events about
	stored  *stored
	engine  *propagate.Engine // nil once the workflow is complete
	phase   nodegraph.Phase   // then
	news    []propagate.Event // for the next settle
	todo    []effect          // on record, and not done yet
	pods    podView
	timer   time.Time // when the engine is to be called again
	recheck time.Time // when the pods are to be looked at again
}

// Reconcile does what is to be done for one workflow.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if err := r.adopt(ctx); err != nil {
		return reconcile.Result{}, err
	}
	object := newWorkflow()
	if err := r.client.Get(ctx, req.NamespacedName, object); apierrors.IsNotFound(err) {
		r.drop(req.NamespacedName)
		r.metrics.forget(req.NamespacedName)
		r.locks.forget(req.NamespacedName)
		r.farewells.said(req.NamespacedName, nil)
		return reconcile.Result{}, nil
	} else if err != nil || object.GetDeletionTimestamp() != nil {
		return reconcile.Result{}, err
	}
	w, err := r.runOf(ctx, object)
	if w == nil || err != nil {
		return reconcile.Result{}, err
	}
	pods, err := r.podsOf(ctx, w)
	if err == nil && w.engine != nil {
		if err = r.settle(ctx, w, pods); err != nil {
			r.drop(w.key) // memory and record may differ now: the record counts
		}
	}
	if err == nil {
		err = errors.Join(r.carryOut(ctx, w), r.deleteSurplus(ctx, w, pods))
	}
	r.metrics.describe(w, time.Now())
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: time.Millisecond}, nil // somebody wrote it: read it again, settle again
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: w.next(time.Now())}, nil
}

// next is how long from now the workflow is to be looked at again if nothing happens; 0 for ever.
func (w *run) next(now time.Time) time.Duration {
	at := w.timer
	if at.IsZero() || !w.recheck.IsZero() && w.recheck.Before(at) {
		at = w.recheck
	}
	if at.IsZero() || w.engine == nil {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}

// adopt restores every unfinished workflow before any of them is acted on, so that all locks that are held are known to
// be held. It reads past the cache, which may be behind what the leader before has written.
func (r *reconciler) adopt(ctx context.Context) error {
	r.adopting.Lock()
	defer r.adopting.Unlock()
	if r.adopted {
		return nil
	}
	list := newWorkflowList()
	if err := r.live.List(ctx, list, client.MatchingLabelsSelector{Selector: r.shard.unfinished()}); err != nil {
		return err
	}
	for k := range list.Items {
		if _, err := r.load(ctx, &list.Items[k]); err != nil {
			return err
		}
	}
	r.locks.grant()
	r.adopted = true
	return nil
}

// runOf returns what is in memory of a workflow, read anew if somebody else has written it since; nil if it is gone.
// What is older than memory is the cache lagging behind our own writes.
func (r *reconciler) runOf(ctx context.Context, cached *unstructured.Unstructured) (*run, error) {
	r.mu.Lock()
	w := r.runs[client.ObjectKeyFromObject(cached)]
	r.mu.Unlock()
	if w != nil && w.object.GetUID() == cached.GetUID() {
		order, err := resourceversion.CompareResourceVersion(cached.GetResourceVersion(), w.stored.Version)
		if err != nil {
			return nil, err
		}
		if order <= 0 {
			return w, nil
		}
	}
	object := newWorkflow()
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(cached), object); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	w, err := r.load(ctx, object)
	if w != nil && w.engine != nil {
		r.locks.grant()
	}
	return w, err
}

// load makes the engine of a stored workflow, and has it adopted. A workflow that can't be run is ended.
func (r *reconciler) load(ctx context.Context, object *unstructured.Unstructured) (*run, error) {
	w := &run{key: client.ObjectKeyFromObject(object), object: object, pods: newPodView()}
	var err error
	if w.stored, err = readWorkflow(object); err != nil {
		w.stored = &stored{Version: object.GetResourceVersion()}
		return w, r.refuse(ctx, w, err.Error())
	}
	if phase := w.stored.Snapshot.Phase; phase.Completed() {
		r.end(w, phase)
		return w, nil
	}
	if err := r.runnable(w.stored); err != nil {
		return w, r.refuse(ctx, w, err.Error())
	}
	if err := r.setLimits(ctx, w.stored.Spec); apierrors.IsNotFound(err) {
		return w, r.refuse(ctx, w, err.Error())
	} else if err != nil {
		return nil, err
	}
	if w.engine, _, err = propagate.FromSnapshot(w.stored.Spec, w.stored.Snapshot); err != nil {
		return w, r.refuse(ctx, w, err.Error())
	}
	r.locks.adopt(w.key, w.engine)
	r.keep(w)
	return w, nil
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

// settle tells the engine what there is, answers its questions, and stores what came of it.
func (r *reconciler) settle(ctx context.Context, w *run, pods []*corev1.Pod) error {
	deleted := r.farewells.of(w.key)
	changed, gone, err := r.observe(ctx, w, pods, deleted)
	if err != nil {
		return err
	}
	news := w.news
	if !w.engine.Complete() {
		news = append(news, r.locks.granted(w.key, w.engine)...)
	}
	began := time.Now()
	if !w.timer.After(began) {
		w.timer = time.Time{} // the engine tells the next one
	}
	s := &settling{r: r, w: w, now: began, changed: changed, gone: gone}
	err = propagate.Drive(s, "", news...)
	r.metrics.settled(time.Since(began), len(changed)+len(gone)+s.events, s.changes)
	if err == nil {
		err = r.store(ctx, w)
	}
	if err != nil {
		return err
	}
	w.news = nil
	r.farewells.said(w.key, deleted)
	r.announce(w, s.changes)
	return nil
}

// A settling is one call of settle: the host's side of [propagate.Drive] for one workflow. Locks that are given back are handed
// on when the status is stored, so nothing is said to other workflows meanwhile.
type settling struct {
	r             *reconciler
	w             *run
	now           time.Time
	changed, gone []propagate.PodStatus // of which the engine was not told yet
	changes       []propagate.Change
	events        int
}

// Call tells the engine what differs from what it knows, and what is new.
func (s *settling) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	result, err := s.w.engine.SyncChanged(s.now, s.changed, s.gone, events...)
	if err == nil {
		s.changed, s.gone, s.events = nil, nil, s.events+len(events)
		s.changes = append(s.changes, result.Changes...)
	}
	return result, err
}

// Do answers an action, or puts what it orders on the list.
func (s *settling) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	var notices []propagate.Notice
	for _, answer := range s.r.answer(s.w, a) {
		notices = append(notices, propagate.Notice{Workflow: workflow, Event: answer})
	}
	return notices, nil
}

// store writes the status. After it the run stands for what was written.
func (r *reconciler) store(ctx context.Context, w *run) error {
	patch, err := w.stored.statusPatch(w.engine.Snapshot())
	if patch == nil || err != nil {
		return err
	}
	object := newWorkflow()
	object.SetNamespace(w.key.Namespace)
	object.SetName(w.key.Name)
	if err := r.client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return err
	}
	w.object = object
	if w.stored, err = readWorkflow(object); err != nil {
		return err
	}
	return nil
}

// refuse ends a workflow that can't be run, and says why.
func (r *reconciler) refuse(ctx context.Context, w *run, why string) error {
	patch, err := refusalPatch(w.stored.Version, why, time.Now())
	if err != nil {
		return err
	}
	if err := r.client.Patch(ctx, w.object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return err
	}
	r.recorder.Eventf(w.object, nil, corev1.EventTypeWarning, "Refused", "Run", "%s", why)
	r.end(w, nodegraph.PhaseError)
	return nil
}

// end keeps of a complete workflow what it takes to delete the pods that are left.
func (r *reconciler) end(w *run, phase nodegraph.Phase) {
	w.engine, w.stored = nil, &stored{Version: w.object.GetResourceVersion()}
	w.phase, w.object = phase, nameOnly(w.object)
	r.keep(w)
	r.locks.forget(w.key)
}
