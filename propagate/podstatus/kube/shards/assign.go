package shards

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// AssignerCache is what the cache of a manager is to hold to which AddAssigners is applied.
func (d Division) AssignerCache() map[client.Object]cache.ByObject {
	return map[client.Object]cache.ByObject{d.newWorkflow(): {Label: d.unassigned()}, newMetadata(podKind): {Label: d.unassigned(LabelWorkflow)}}
}

// AddAssigners adds what labels workflows and pods with their shard. One leader does it for all shards. AsWorkflow
// returns an object as an Argo Workflow, in JSON. One that can't be read belongs somewhere: its shard says what is wrong with it.
func (d Division) AddAssigners(mgr manager.Manager, asWorkflow func(*unstructured.Unstructured) ([]byte, error)) error {
	a := &assigner{d, mgr.GetClient(), mgr.GetAPIReader(), asWorkflow}
	options := controller.Options{SkipNameValidation: new(true)}
	return errors.Join(
		builder.ControllerManagedBy(mgr).Named("shards").For(d.newWorkflow()).WithOptions(options).Complete(reconcile.Func(a.workflow)),
		builder.ControllerManagedBy(mgr).Named("shards-of-pods").For(newMetadata(podKind)).WithOptions(options).Complete(reconcile.Func(a.pod)))
}

type assigner struct {
	Division
	client     client.Client
	live       client.Reader // past the cache
	asWorkflow func(*unstructured.Unstructured) ([]byte, error)
}

// workflow labels one workflow.
func (a *assigner) workflow(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	object := a.newWorkflow()
	if err := a.client.Get(ctx, req.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	var spec *nodegraph.Spec
	if data, err := a.asWorkflow(object); err == nil {
		if w, err := argo.Read(data); err == nil {
			spec = w.Spec
		}
	}
	home, _, _ := a.home(string(object.GetUID()), spec) // the shard says what is wrong
	return reconcile.Result{}, a.assign(ctx, object, home)
}

// pod labels one pod with the shard of its workflow. What is left of a workflow that is over is ended first, because another shard may
// grant the locks under which it runs, and is let go by any shard.
func (a *assigner) pod(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	pod, workflow := &corev1.Pod{}, newMetadata(a.Kind)
	if err := a.live.Get(ctx, req.NamespacedName, pod); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	owner := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[LabelWorkflow]}
	if err := a.live.Get(ctx, owner, workflow); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, err
	}
	home := slices.Index(a.shards(), workflow.Labels[Label])
	switch {
	case !metav1.IsControlledBy(pod, workflow) || workflow.Labels[argo.LabelCompleted] == "true":
		home, _, _ = a.home(string(pod.UID), nil)
		if podstatus.Over(pod) || pod.DeletionTimestamp != nil {
			break
		}
		if err := a.client.Delete(ctx, pod.DeepCopy(), client.Preconditions{UID: &pod.UID}); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, err
		}
	case home < 0:
		return reconcile.Result{RequeueAfter: time.Second}, nil // the workflow comes first
	}
	return reconcile.Result{}, a.assign(ctx, pod, home)
}

// assign labels a workflow or a pod.
func (a *assigner) assign(ctx context.Context, object client.Object, home int) error {
	metadata := map[string]any{"labels": map[string]string{Label: a.Shard(home).String()}}
	if pod, is := object.(*corev1.Pod); is {
		metadata["uid"] = pod.UID // another of its name has its label already
	} else {
		metadata["resourceVersion"] = object.GetResourceVersion() // where it belongs may have changed
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	err = a.client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
	if apierrors.IsConflict(err) {
		err = nil // the cache will show the new version
	}
	return client.IgnoreNotFound(err)
}

func (d Division) newWorkflow() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(d.Kind)
	return object
}

func newMetadata(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}
