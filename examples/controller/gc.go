package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

const (
	annotationGC = "nodestatus.example/pod-gc"  // of pods: the strategy of podGC and its delay, such as "OnPodSuccess 5s"
	labelExpires = "nodestatus.example/expires" // of complete workflows with a ttlStrategy: when they are deleted, in seconds of Unix
)

// markForGC notes on a pod what podGC wants of it, so that it can be carried out when the workflow is not in memory any more.
func markForGC(pod *corev1.Pod, gc *podspec.PodGC) error {
	if gc == nil || gc.Strategy == "" {
		return nil
	}
	switch gc.Strategy {
	case "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess":
	default:
		return fmt.Errorf("podGC: there is no strategy %q", gc.Strategy)
	}
	selector, err := metav1.LabelSelectorAsSelector(gc.LabelSelector)
	if gc.LabelSelector == nil {
		selector = labels.Everything()
	}
	delay := cmp.Or(gc.DeleteDelayDuration, "5s") // as in Argo
	if _, number := strconv.Atoi(delay); number == nil {
		delay += "s"
	}
	if _, invalid := time.ParseDuration(delay); err != nil || invalid != nil {
		return fmt.Errorf("podGC: %w", cmp.Or(err, invalid))
	}
	if selector.Matches(labels.Set(pod.Labels)) {
		pod.Annotations[annotationGC] = gc.Strategy + " " + delay
	}
	return nil
}

// A fate is what is to become of a pod that is over, once its end is on record.
type fate struct {
	held    bool      // until the workflow is complete
	deleted bool      // at a time; else it is let go and stays
	at      time.Time // when it is deleted: the delay after the pod's end
}

// fateOf is what podGC says of a pod, in a workflow of some phase; empty for one that does not exist any more.
func fateOf(pod *corev1.Pod, workflow string) fate {
	strategy, delay, _ := strings.Cut(pod.Annotations[annotationGC], " ")
	complete := workflow != nodegraph.PhaseRunning.String() && workflow != nodegraph.PhasePending.String()
	f := fate{at: endOf(pod)}
	switch strategy {
	case "OnPodCompletion":
		f.deleted = true
	case "OnPodSuccess":
		f.deleted = pod.Status.Phase == corev1.PodSucceeded
	case "OnWorkflowCompletion":
		f.held, f.deleted = !complete, complete
	case "OnWorkflowSuccess":
		f.held, f.deleted = !complete, workflow == nodegraph.PhaseSucceeded.String()
	}
	if wait, err := time.ParseDuration(delay); err == nil { // it was looked at when the pod was made
		f.at = f.at.Add(wait)
	}
	return f
}

// endOf is when the last container of a pod has ended; if nobody says, when the pod was created.
func endOf(pod *corev1.Pod) time.Time {
	last := pod.CreationTimestamp.Time
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && t.FinishedAt.After(last) {
			last = t.FinishedAt.Time
		}
	}
	return last
}

// expiry is the label that says when a workflow is deleted which has ended with a phase, if it is.
func expiry(ttl *podspec.TTLStrategy, phase nodegraph.Phase, finished time.Time) map[string]string {
	if ttl == nil {
		return nil
	}
	own := ttl.SecondsAfterFailure
	if phase == nodegraph.PhaseSucceeded {
		own = ttl.SecondsAfterSuccess
	}
	seconds := cmp.Or(own, ttl.SecondsAfterCompletion)
	if seconds == nil {
		return nil
	}
	return map[string]string{labelExpires: strconv.FormatInt(finished.Unix()+max(*seconds, 0), 10)}
}

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
