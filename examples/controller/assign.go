package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// errNotYet is the error of a leader that has to wait before it does anything, after the number of shards was changed.
var errNotYet = errors.New("the shards are not what they were")

// ready returns an error while this leader does not see all that it is to lead: somebody leads a shard of another number of shards, or
// what these have left is in no shard of now. Both would grant the same locks.
func (r *reconciler) ready(ctx context.Context) error {
	if err := r.alone(ctx); err != nil || r.shard.count <= 1 {
		return err
	}
	for kind, label := range map[schema.GroupVersionKind]string{workflowKind: labelPhase, corev1.SchemeGroupVersion.WithKind("Pod"): labelWorkflow} {
		var left metav1.PartialObjectMetadataList
		left.SetGroupVersionKind(kind)
		err := r.live.List(ctx, &left, client.InNamespace(r.namespace), client.Limit(1),
			client.MatchingLabelsSelector{Selector: unassigned(r.shard.count, r.shard.instance, label)})
		if err != nil {
			return err
		}
		if len(left.Items) > 0 {
			return fmt.Errorf("%w: %s %s is in none of them yet", errNotYet, kind.Kind, left.Items[0].Name)
		}
	}
	return nil
}

// alone returns an error while somebody leads a shard of another number of shards. Whoever leads has its own lease before it asks, so of two
// that begin at once one waits at least.
func (r *reconciler) alone(ctx context.Context) error {
	var list coordination.LeaseList
	if err := r.live.List(ctx, &list, client.InNamespace(r.leases)); err != nil {
		return err
	}
	for k := range list.Items {
		l := &list.Items[k]
		place, ours := strings.CutPrefix(l.Name, lease(r.shard.instance, leasePrefix))
		_, count, ok := strings.Cut(place, "-of-")
		s := &l.Spec
		if !ours || !ok || count == strconv.Itoa(r.shard.count) || s.HolderIdentity == nil || *s.HolderIdentity == "" || s.RenewTime == nil || s.LeaseDurationSeconds == nil {
			continue
		}
		if lasts := time.Duration(*s.LeaseDurationSeconds) * time.Second; r.now().Before(s.RenewTime.Add(2 * lasts)) { // clocks differ
			return fmt.Errorf("%w: %s is led by %s still", errNotYet, place, *s.HolderIdentity)
		}
	}
	return nil
}

// An assigner labels workflows and pods with their shard. One leader does it for all.
type assigner struct {
	client   client.Client
	live     client.Reader // past the cache
	count    int
	instance string
}

// Reconcile labels one workflow.
func (a *assigner) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	object := newWorkflow()
	if err := a.client.Get(ctx, req.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	spec := &nodegraph.Spec{}
	if w, err := readWorkflow(object); err == nil {
		spec = w.Spec
	} // else the shard says what is wrong with it
	home, _ := shardOf(string(object.GetUID()), spec, a.count) // likewise
	return reconcile.Result{}, a.assign(ctx, object, home)
}

// assign labels a workflow or a pod.
func (a *assigner) assign(ctx context.Context, object client.Object, home shard) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": object.GetResourceVersion(), "labels": home.labels(),
	}})
	if err != nil {
		return err
	}
	err = a.client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
	if apierrors.IsConflict(err) {
		err = nil // the cache will show the new version
	}
	return client.IgnoreNotFound(err)
}

// A podAssigner labels pods that were made when there were other shards with that of their workflow.
type podAssigner struct{ *assigner }

// Reconcile labels one pod. What is left of a workflow that is over is ended first, because another shard may grant the locks under which
// it runs, and is let go by any shard.
func (a podAssigner) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	pod, workflow := &corev1.Pod{}, newMetadata()
	if err := a.live.Get(ctx, req.NamespacedName, pod); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	owner := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[labelWorkflow]}
	err := a.live.Get(ctx, owner, workflow)
	home, _ := shardOf(string(pod.UID), &nodegraph.Spec{}, a.count)
	switch k := slices.Index(shards(a.count), workflow.Labels[labelShard]); {
	case client.IgnoreNotFound(err) != nil:
		return reconcile.Result{}, err
	case !metav1.IsControlledBy(pod, workflow) || workflow.Labels[labelCompleted] == "true":
		if err := deleteSurplus(ctx, a.client, 1, []*corev1.Pod{pod}, unneeded); err != nil {
			return reconcile.Result{}, err
		}
	case k < 0:
		return reconcile.Result{RequeueAfter: time.Second}, nil // the workflow comes first
	default:
		home.index = k
	}
	return reconcile.Result{}, a.assign(ctx, pod, home)
}
