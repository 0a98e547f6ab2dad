// Package expiry deletes complete workflows when their time has come, as a ttlStrategy says.
//
// A controller labels a workflow that is complete with when it is to be deleted; see [Label]. What deletes it has a cache of its own, of the
// metadata of those workflows alone, so workflows that are kept cost nothing.
package expiry

import (
	"context"
	"errors"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
)

// Label is the label of workflows that are to be deleted: when, as [At] writes it.
const Label = "nodestatus.example/expires"

// At is the value of Label for a time.
func At(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Add adds what deletes the workflows of a shard to its manager.
func Add(mgr manager.Manager, s shards.Shard) error {
	has, err := labels.NewRequirement(Label, selection.Exists, nil)
	if err != nil {
		return err
	}
	opts := cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		DefaultLabelSelector: s.All().Add(*has), DefaultTransform: cache.TransformStripManagedFields(),
	}
	if s.Namespace != "" {
		opts.DefaultNamespaces = map[string]cache.Config{s.Namespace: {}}
	}
	expiring, err := cache.New(mgr.GetConfig(), opts)
	if err != nil {
		return err
	}
	x := &expirer{expiring, mgr.GetClient(), s}
	return errors.Join(mgr.Add(expiring), builder.ControllerManagedBy(mgr).
		Named("expiry-"+s.String()).
		WatchesRawSource(source.Kind[client.Object](expiring, x.metadata(), &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{SkipNameValidation: new(true)}).
		Complete(x))
}

type expirer struct {
	cache  client.Reader
	client client.Client
	shard  shards.Shard
}

func (x *expirer) metadata() *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(x.shard.Kind)
	return object
}

// Reconcile deletes one workflow, or waits for its time.
func (x *expirer) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	object := x.metadata()
	if err := x.cache.Get(ctx, req.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	at, err := strconv.ParseInt(object.Labels[Label], 10, 64)
	if err != nil || object.DeletionTimestamp != nil {
		return reconcile.Result{}, nil // somebody else has written it, or it goes already
	}
	if wait := time.Until(time.Unix(at, 0)); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	err = x.client.Delete(ctx, object, client.Preconditions{UID: &object.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	return reconcile.Result{}, client.IgnoreNotFound(err)
}
