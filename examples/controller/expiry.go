package main

import (
	"context"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// labelExpires is a label of complete workflows with a ttlStrategy: when they are deleted, in seconds of Unix.
const labelExpires = "nodestatus.example/expires"

// expiring selects the workflows of the shard that are to be deleted at a time.
func (s shard) expiring() labels.Selector {
	return s.labels().AsSelector().Add(of(s.instance), exists(labelExpires))
}

// An expirer deletes complete workflows when their time has come. It sees nothing but the metadata of those that have one.
type expirer struct {
	cache  client.Reader
	client client.Client
}

// Reconcile deletes one workflow, or waits for its time.
func (x *expirer) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	object := newMetadata()
	if err := x.cache.Get(ctx, req.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	at, err := strconv.ParseInt(object.Labels[labelExpires], 10, 64)
	if err != nil || object.DeletionTimestamp != nil {
		return reconcile.Result{}, nil // somebody else has written it, or it goes already
	}
	if wait := time.Until(time.Unix(at, 0)); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	err = x.client.Delete(ctx, object, client.Preconditions{UID: &object.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	return reconcile.Result{}, client.IgnoreNotFound(err)
}

func newMetadata() *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(workflowKind)
	return object
}
