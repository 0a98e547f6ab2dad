package main

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
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
	shard       shard
	namespace   string // the only one that is served; all if empty
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
	told     map[types.UID]string    // the resourceVersion of each pod that the engine was told of
	fresh    map[types.UID]*freshPod // pods that the cache does not show yet
	free     map[types.UID]bool      // pods that were let go
	timer    time.Time               // when the engine is to be called again
	recheck  time.Time               // when the pods are to be looked at again
}

// Reconcile does what is to be done for one workflow.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if err := r.adopt(ctx); err != nil {
		return reconcile.Result{}, err
	}
	object := newWorkflow()
	if err := r.client.Get(ctx, req.NamespacedName, object); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, err
	} else if err != nil || object.GetDeletionTimestamp() != nil {
		return r.leave(ctx, req.NamespacedName)
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
	err = r.settle(ctx, w, pods)
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
func (r *reconciler) leave(ctx context.Context, key types.NamespacedName) (reconcile.Result, error) {
	r.metrics.forget(key)
	pods, err := r.podsNamed(ctx, key)
	if err != nil {
		return reconcile.Result{}, err
	}
	w := r.known(key)
	if w == nil {
		w = &run{key: key, object: newWorkflow(), free: make(map[types.UID]bool)}
	}
	w = w.rest()
	if r.keep(w); len(pods) == 0 {
		r.drop(key)
	}
	now := newMetadata()
	if len(pods) > 0 {
		if err := r.live.Get(ctx, key, now); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, err
		} else if err == nil && now.DeletionTimestamp == nil && now.Labels[labelCompleted] != "true" {
			if r.shard.unfinished().Matches(labels.Set(now.Labels)) {
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

// settle tells the engine what there is, and answers its questions.
func (r *reconciler) settle(ctx context.Context, w *run, pods []*corev1.Pod) error {
	changed, gone, err := r.observe(ctx, w, pods)
	if err != nil {
		return err
	}
	news := w.news
	if !w.engine.Complete() {
		news = append(news, r.locks.answers(w.key, w.engine)...)
	}
	began := r.now()
	if !w.timer.After(began) {
		w.timer = time.Time{} // the engine tells the next one
	}
	w.recheck = time.Time{}
	for _, pod := range w.fresh {
		w.lookAgain(pod.since.Add(unseen))
	}
	s := &settling{r: r, w: w, now: began, changed: changed, gone: gone}
	if err = propagate.Drive(s, "", news...); err != nil {
		r.drop(w.key)
		return err
	}
	w.news = nil
	r.metrics.settled(time.Since(began), len(changed)+len(gone)+s.events, s.changes)
	w.changes = append(w.changes, s.changes...)
	for _, c := range s.changes { // when something new began is known to nobody else
		w.follows = w.follows || c.From == nodegraph.PhasePlanned
	}
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

// Call tells the engine what differs from what it knows, and what is new. How a pod looked comes before that it is gone.
func (s *settling) Call(_ string, events []propagate.Event) (result propagate.Result, err error) {
	if len(s.gone) > 0 && len(s.changed) > 0 {
		if result, err = s.w.engine.SyncChanged(s.now, s.changed, nil); err != nil {
			return result, err
		}
		s.changes, s.changed = append(s.changes, result.Changes...), nil
	}
	then, err := s.w.engine.SyncChanged(s.now, s.changed, s.gone, events...)
	if err != nil {
		return then, err
	}
	s.changed, s.gone, s.events = nil, nil, s.events+len(events)
	s.changes, result.Actions = append(s.changes, then.Changes...), append(result.Actions, then.Actions...)
	return result, nil
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
	snapshot := w.engine.Snapshot()
	children := argo.Children(w.engine.Graph(), w.engine.Exists)
	for k := range snapshot.Nodes {
		n := &snapshot.Nodes[k]
		n.Children = children(w.engine.Graph().Find(n.ID))
		if p := w.wanted[n.ID]; p != nil && p.why != "" && n.Phase == nodegraph.PhasePending {
			n.Message = p.why
		}
	}
	status, err := w.stored.newStatus(w.engine, snapshot)
	if err != nil {
		return err
	}
	if status != nil {
		metadata := map[string]any{"labels": w.stored.newLabels(snapshot.Phase, snapshot.Finished)}
		if waits := r.waitsSince(w); waits != "" {
			metadata["annotations"] = map[string]string{annotationWaits: waits}
		}
		if err := r.write(ctx, w, metadata, status); err != nil {
			return err
		}
		w.written = r.now()
		if w.stored, err = readWorkflow(w.object); err != nil {
			return err
		}
	}
	r.announce(w, w.changes)
	w.changes = nil
	r.metrics.describe(w, r.now())
	return nil
}
