package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// annotationWaits says since when a workflow has waited for locks, so that who came first is known after a restart.
const annotationWaits = "nodestatus.example/waits-since"

// adopt restores every unfinished workflow before any of them is acted on, so that all locks that are held are known to
// be held. It reads past the cache, which may be behind what the leader before has written. A workflow that can't be restored
// stops no other: what is wrong with it shows when it is reconciled.
func (r *reconciler) adopt(ctx context.Context) error {
	r.adopting.Lock()
	defer r.adopting.Unlock()
	if r.adopted {
		return nil
	}
	if err := r.shard.Ready(ctx, r.live, r.now()); err != nil {
		return err
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(workflowKind)
	err := r.live.List(ctx, list, client.InNamespace(r.shard.Namespace), client.MatchingLabelsSelector{Selector: r.shard.Unfinished()})
	if err != nil {
		return err
	}
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return strings.Compare(a.GetAnnotations()[annotationWaits], b.GetAnnotations()[annotationWaits])
	})
	for k := range list.Items {
		if _, err := r.load(ctx, &list.Items[k]); err != nil {
			log.FromContext(ctx).Error(err, "a workflow is not adopted", "name", list.Items[k].GetName())
		}
	}
	if err := r.adoptPods(ctx); err != nil {
		return err
	}
	r.locks.grant()
	r.adopted = true
	return nil
}

// adoptPods makes all pods known that there are, past the cache, and deletes those that the leader before was to delete: nobody else
// is to get the locks under which they run. A pod that the API server refuses to delete holds up nobody.
func (r *reconciler) adoptPods(ctx context.Context) error {
	var all corev1.PodList
	if err := r.live.List(ctx, &all, client.InNamespace(r.shard.Namespace), client.MatchingLabelsSelector{Selector: r.shard.Watched()}); err != nil {
		return err
	}
	pods := make(map[types.NamespacedName][]*corev1.Pod)
	for k := range all.Items {
		pod := &all.Items[k]
		key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[labelWorkflow]}
		pods[key] = append(pods[key], pod)
	}
	for key, pods := range pods {
		if err := r.adoptPodsOf(ctx, key, pods); apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			log.FromContext(ctx).Error(err, "a pod that is to end goes on", "workflow", key)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// adoptPodsOf does it for the pods of one workflow, and of former ones of its name.
func (r *reconciler) adoptPodsOf(ctx context.Context, key types.NamespacedName, pods []*corev1.Pod) error {
	w := r.known(key)
	if w == nil || w.engine == nil {
		_, err := r.leave(ctx, key, pods)
		return err
	}
	for _, pod := range pods {
		if metav1.IsControlledBy(pod, w.object) {
			w.created(pod, r.now())
		}
	}
	return r.deleteSurplus(ctx, pods, func(pod *corev1.Pod) bool { return metav1.IsControlledBy(pod, w.object) && w.needs(pod) })
}

// waitsSince is what annotationWaits is to say of a workflow that waits for locks and says nothing yet.
func (r *reconciler) waitsSince(w *run) string {
	if w.object.GetAnnotations()[annotationWaits] != "" || len(w.engine.QueuedLocks()) == 0 {
		return ""
	}
	return r.now().UTC().Format("2006-01-02T15:04:05.000000Z")
}

// runOf returns what is in memory of a workflow, read anew if somebody else has written it since; nil if it is gone.
// What is older than memory is the cache lagging behind our own writes.
func (r *reconciler) runOf(ctx context.Context, cached *unstructured.Unstructured) (*run, error) {
	w := r.known(client.ObjectKeyFromObject(cached))
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
	w := &run{
		key: client.ObjectKeyFromObject(object), object: object,
		wanted: make(map[string]*wantedPod), fresh: make(map[types.UID]*freshPod), free: make(map[types.UID]bool),
	}
	var err error
	if w.stored, err = readWorkflow(object); err != nil {
		w.stored = &stored{Version: object.GetResourceVersion()}
		return w, r.refuse(ctx, w, err)
	}
	if s := &w.stored.Snapshot; s.Phase.Completed() {
		if object.GetLabels()[labelCompleted] != "true" { // the leader before was killed between the status and the labels
			metadata := map[string]any{"labels": w.stored.newLabels(s.Phase, s.Finished)}
			if err := r.write(ctx, w, metadata, map[string]any{}); err != nil {
				return nil, err
			}
		}
		r.end(w, s.Phase)
		return w, nil
	}
	if err := r.runnable(w.stored); err != nil {
		return w, r.refuse(ctx, w, err)
	}
	if w.engine, _, err = propagate.FromSnapshot(w.stored.Spec, w.stored.Snapshot); err != nil {
		return w, r.refuse(ctx, w, err)
	}
	r.locks.adopt(w.key, w.engine)
	r.keep(w)
	return w, nil
}

// runnable says why this example can't run a workflow at all.
func (r *reconciler) runnable(w *stored) error {
	for _, u := range w.Unresolved {
		return fmt.Errorf("%s: %q: this example puts no values in place of variables", u.Field, u.Text)
	}
	var err error
	w.Spec.EachLock(func(l *nodegraph.Lock) {
		if err == nil && strings.Contains(l.Key, "/Database/") {
			err = fmt.Errorf("synchronization: %s: this example has no locks in a database", l.Key)
		}
	})
	if err != nil {
		return err
	}
	return r.shard.Covers(w.UID, w.Spec)
}

// refuse ends a workflow that can't be run, and says why.
func (r *reconciler) refuse(ctx context.Context, w *run, why error) error {
	metadata := map[string]any{"labels": w.stored.newLabels(nodegraph.PhaseError, r.now())}
	status := map[string]any{"phase": nodegraph.PhaseError.String(), "message": why.Error(), "finishedAt": metav1.NewTime(r.now())}
	if err := r.write(ctx, w, metadata, status); err != nil {
		return err
	}
	r.recorder.Eventf(w.object, nil, corev1.EventTypeWarning, "Refused", "Run", "%s", shortened(why.Error()))
	r.end(w, nodegraph.PhaseError)
	return nil
}

// end keeps of a complete workflow what tells it from one that was written since, and which of its pods were let go, until the
// cache has lost them. What is left of its pods is ended then.
func (r *reconciler) end(w *run, phase nodegraph.Phase) {
	r.metrics.ended.WithLabelValues(phase.String()).Inc()
	r.metrics.obligations.Forget(w.key.String())
	r.keep(w.rest())
	r.locks.forget(w.key)
}
