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

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
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

// ended reports whether a pod has come to its end.
func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// over reports whether nothing more happens to a pod: it has ended, or it is deleted and nothing but finalizers holds it. The
// kubelet deletes a pod without grace when its containers are gone; so does whoever gives up a machine.
func over(pod *corev1.Pod) bool {
	return ended(pod) || pod.DeletionTimestamp != nil && pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0
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

// observe returns the pods that look different from what the engine was told, and those that are gone.
func (r *reconciler) observe(ctx context.Context, w *run, pods []*corev1.Pod) (changed, gone []propagate.PodStatus, err error) {
	told, listed := make(map[types.UID]string, len(pods)), make(map[string]bool, len(pods))
	see := func(pod *corev1.Pod) {
		id := pod.Annotations[podstatus.NodeID]
		told[pod.UID], listed[id] = pod.ResourceVersion, true
		if w.told[pod.UID] == pod.ResourceVersion {
			return
		}
		changed = append(changed, podstatus.Of(pod))
		if over(pod) && !ended(pod) {
			gone = append(gone, propagate.PodStatus{Node: id, UID: string(pod.UID)})
		}
	}
	for _, pod := range pods {
		see(pod)
	}
	g := w.engine.Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		n := g.Node(i)
		if n.Kind != nodegraph.KindPod || listed[n.ID()] {
			continue
		}
		f := w.engine.Fact(i)
		if f.Stage != fact.StagePending && f.Stage != fact.StageRunning {
			continue
		}
		if f.UID == "" { // the record tells of a pod, and the cache may be older than the record
			if pod, err := r.lookUp(ctx, w, podspec.Name(n)); err != nil {
				return nil, nil, err
			} else if pod != nil {
				w.created(pod, r.now())
				see(pod)
				continue
			}
		}
		gone = append(gone, propagate.PodStatus{Node: n.ID(), UID: f.UID}) // somebody took the finalizer away
	}
	w.told = told
	return changed, gone, nil
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
		case !over(pod) || f.Held || w.free[pod.UID] || !controllerutil.ContainsFinalizer(pod, finalizer):
		case f.Deleted && r.now().Before(f.At):
			w.lookAgain(f.At)
		default:
			due = append(due, pod)
		}
	}
	err := forAll(due, r.atOnce, func(pod *corev1.Pod) error {
		if podspec.FateOf(pod, complete, succeeded).Deleted && pod.DeletionTimestamp == nil {
			if err := deletePod(ctx, r.client, pod); err != nil {
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
	alive = slices.ContainsFunc(pods, func(pod *corev1.Pod) bool { return !over(pod) })
	return alive, deleteSurplus(ctx, r.client, r.atOnce, pods, unneeded)
}

// deletePod deletes a pod, this one and no other of its name.
func deletePod(ctx context.Context, from client.Writer, pod *corev1.Pod) error {
	return client.IgnoreNotFound(from.Delete(ctx, pod.DeepCopy(), client.Preconditions{UID: &pod.UID}))
}
