package main

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/nodestatus/nodestatus/propagate/podstatus"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

// finalizer holds every pod until its end is on record. So a pod that ran can't vanish unseen, and one that is not there
// never was.
const finalizer = "nodestatus.example/tracking"

// unseen is how long the watch may take to tell of a pod that was created here before the pod is looked up.
const unseen = 5 * time.Second

// indexOwner finds pods in the cache by the name of the workflow that owns them.
const indexOwner = "workflow"

func ownerOf(object client.Object) []string {
	if owner := metav1.GetControllerOf(object); owner != nil && owner.Kind == workflowKind.Kind {
		return []string{owner.Name}
	}
	return nil
}

// A freshPod was created here, and the cache has not shown it yet.
type freshPod struct {
	*corev1.Pod
	since time.Time
}

// podsNamed lists the pods of all workflows that ever had a name, as the cache has them. They are not to be changed.
func (r *reconciler) podsNamed(ctx context.Context, workflow types.NamespacedName) ([]*corev1.Pod, error) {
	var list corev1.PodList
	err := r.client.List(ctx, &list, client.InNamespace(workflow.Namespace),
		client.MatchingFields{indexOwner: workflow.Name}, client.UnsafeDisableDeepCopy)
	pods := make([]*corev1.Pod, len(list.Items))
	for k := range list.Items {
		pods[k] = &list.Items[k]
	}
	return pods, err
}

// podsOf lists the pods of a workflow, and those of others that had its name before.
func (r *reconciler) podsOf(ctx context.Context, w *run) (own, former []*corev1.Pod, err error) {
	all, err := r.podsNamed(ctx, w.key)
	if err != nil {
		return nil, nil, err
	}
	for _, pod := range all {
		if delete(w.fresh, pod.UID); metav1.IsControlledBy(pod, w.object) {
			own = append(own, pod)
		} else {
			former = append(former, pod)
		}
	}
	for uid, pod := range w.fresh {
		if r.now().Sub(pod.since) > unseen {
			now, err := r.lookUp(ctx, w, pod.Name)
			if err != nil {
				return nil, nil, err
			}
			if now == nil || now.UID != uid {
				delete(w.fresh, uid)
				continue
			}
			pod.Pod = now
		}
		w.lookAgain(r.now().Add(unseen))
		own = append(own, pod.Pod)
	}
	return own, former, nil
}

// found adds to the pods of a list those that the record tells of and the cache does not show yet, which may be older than the record.
func (r *reconciler) found(ctx context.Context, w *run, pods []*corev1.Pod) ([]*corev1.Pod, error) {
	for _, i := range podstatus.Missing(w.engine, pods) {
		if w.engine.Fact(i).UID != "" {
			continue // somebody took the finalizer away
		}
		pod, err := r.lookUp(ctx, w, podspec.Name(w.engine.Graph().Node(i)))
		if err != nil {
			return nil, err
		}
		if pod != nil {
			w.created(pod, r.now())
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// created takes note of a pod that the cache may not show yet.
func (w *run) created(pod *corev1.Pod, now time.Time) {
	w.fresh[pod.UID] = &freshPod{pod, now}
	w.lookAgain(now.Add(unseen))
}

// lookUp reads a pod of the workflow past the cache; nil if there is none of that name.
func (r *reconciler) lookUp(ctx context.Context, w *run, name string) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := r.live.Get(ctx, types.NamespacedName{Namespace: w.key.Namespace, Name: name}, pod)
	if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(pod, w.object) {
		return nil, nil
	}
	return pod, err
}

// letGo takes the finalizer away from pods whose end is on record, or will never be, in a workflow that stands so. What podGC wants
// deleted is deleted.
func (r *reconciler) letGo(ctx context.Context, w *run, pods []*corev1.Pod, complete, succeeded bool) error {
	var due []*corev1.Pod
	for _, pod := range pods {
		switch f := podspec.FateOf(pod, complete, succeeded); {
		case !podstatus.Over(pod) || f.Held || w.free[pod.UID] || !controllerutil.ContainsFinalizer(pod, finalizer):
		case f.Deleted && r.now().Before(f.At):
			w.lookAgain(f.At)
		default:
			due = append(due, pod)
		}
	}
	err := forAll(due, r.atOnce, func(pod *corev1.Pod) error {
		if podspec.FateOf(pod, complete, succeeded).Deleted && pod.DeletionTimestamp == nil {
			if err := r.deletePod(ctx, pod); err != nil {
				return err
			}
		}
		patch := `{"metadata": {"uid": "` + string(pod.UID) + `", "$deleteFromPrimitiveList/finalizers": ["` + finalizer + `"],
			"labels": {"` + labelCompleted + `": "true"}}}`
		return client.IgnoreNotFound(r.client.Patch(ctx, pod.DeepCopy(), client.RawPatch(types.StrategicMergePatchType, []byte(patch))))
	})
	for _, pod := range due {
		w.free[pod.UID] = err == nil // the cache may show it a little longer
	}
	return err
}

// retire ends and lets go pods that nobody waits for, and reports whether some are still alive: those of a workflow that is
// complete, and has succeeded or not, or is deleted, and of former ones of the same name.
func (r *reconciler) retire(ctx context.Context, w *run, pods []*corev1.Pod, succeeded bool) (alive bool, err error) {
	if err := r.letGo(ctx, w, pods, true, succeeded); err != nil {
		return true, err
	}
	alive = slices.ContainsFunc(pods, func(pod *corev1.Pod) bool { return !podstatus.Over(pod) })
	return alive, r.deleteSurplus(ctx, pods, func(*corev1.Pod) bool { return false })
}

// deletePod deletes a pod, this one and no other of its name.
func (r *reconciler) deletePod(ctx context.Context, pod *corev1.Pod) error {
	return client.IgnoreNotFound(r.client.Delete(ctx, pod.DeepCopy(), client.Preconditions{UID: &pod.UID}))
}
