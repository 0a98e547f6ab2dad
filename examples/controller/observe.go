package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// unseen is how long the watch may take to tell of a pod before the pod is looked up.
const unseen = 5 * time.Second

// indexOwner finds pods in the cache by the uid of the workflow that owns them.
const indexOwner = "workflow-uid"

func ownerOf(object client.Object) []string {
	if owner := metav1.GetControllerOf(object); owner != nil && owner.Kind == workflowKind.Kind {
		return []string{string(owner.UID)}
	}
	return nil
}

// A podView is what an engine was told of pods.
type podView struct {
	told  map[types.UID]string // resourceVersion of each pod that exists
	fresh []*corev1.Pod        // that were created here since
	// awaited are pods of which the watch has still to tell, and since when: the creation of one that was created here, the
	// end of one that the cache does not show any more.
	awaited map[types.UID]time.Time
}

func newPodView() podView {
	return podView{told: make(map[types.UID]string), awaited: make(map[types.UID]time.Time)}
}

// podsOf lists the pods of a workflow, as the cache has them. They are not to be changed.
func (r *reconciler) podsOf(ctx context.Context, w *run) ([]*corev1.Pod, error) {
	var list corev1.PodList
	err := r.client.List(ctx, &list, client.InNamespace(w.key.Namespace),
		client.MatchingFields{indexOwner: string(w.object.GetUID())}, client.UnsafeDisableDeepCopy)
	pods := make([]*corev1.Pod, len(list.Items))
	for k := range list.Items {
		pods[k] = &list.Items[k]
	}
	return pods, err
}

// farewells keep how deleted pods looked last, until their engines were told. A pod may start, end and go between
// two looks at the cache, and it matters whether it ran.
type farewells struct {
	mu   sync.Mutex
	pods map[types.NamespacedName]map[types.UID]*corev1.Pod // by workflow
}

// add takes note of a pod that was deleted.
func (f *farewells) add(object client.Object) {
	pod, ok := object.(*corev1.Pod)
	owner := metav1.GetControllerOf(object)
	if !ok || owner == nil || owner.Kind != workflowKind.Kind {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := types.NamespacedName{Namespace: pod.Namespace, Name: owner.Name}
	if f.pods == nil {
		f.pods = make(map[types.NamespacedName]map[types.UID]*corev1.Pod)
	}
	if f.pods[key] == nil {
		f.pods[key] = make(map[types.UID]*corev1.Pod)
	}
	f.pods[key][pod.UID] = pod
}

// of returns the pods of a workflow that were deleted, in the order in which they were created.
func (f *farewells) of(workflow types.NamespacedName) []*corev1.Pod {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.pods[workflow]), func(a, b *corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
	})
}

// said forgets pods whose engine was told; without pods, all of the workflow.
func (f *farewells) said(workflow types.NamespacedName, pods []*corev1.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, pod := range pods {
		delete(f.pods[workflow], pod.UID)
	}
	if pods == nil || len(f.pods[workflow]) == 0 {
		delete(f.pods, workflow)
	}
}

// observe returns the pods that look different from what the engine was told, and those that are gone; deleted are pods
// that were seen to go.
func (r *reconciler) observe(ctx context.Context, w *run, pods, deleted []*corev1.Pod) (changed, gone []propagate.PodStatus, err error) {
	w.recheck = time.Time{}
	for _, pod := range w.pods.fresh {
		changed = append(changed, podstatus.Of(pod))
		w.pods.awaited[pod.UID] = time.Now()
		w.lookAgain(time.Now().Add(unseen))
	}
	w.pods.fresh = nil
	told := make(map[types.UID]string, len(pods))
	listed := make(map[string]bool, len(pods))
	went := make(map[string]bool, len(deleted))
	for _, pod := range deleted {
		if metav1.IsControlledBy(pod, w.object) {
			changed = append(changed, podstatus.Of(pod))
			went[string(pod.UID)] = true
			delete(w.pods.awaited, pod.UID)
			w.lookAgain(time.Now()) // if the engine had not heard of it, it can't lose it yet
		}
	}
	for _, pod := range pods {
		told[pod.UID] = pod.ResourceVersion
		if w.pods.told[pod.UID] != pod.ResourceVersion {
			changed = append(changed, podstatus.Of(pod))
		}
		listed[pod.Annotations[podstatus.NodeID]] = true
		delete(w.pods.awaited, pod.UID)
	}
	before := w.pods.told
	w.pods.told = told
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
		if went[f.UID] {
			gone = append(gone, propagate.PodStatus{Node: n.ID(), UID: f.UID})
			continue
		}
		if before[types.UID(f.UID)] != "" { // its deletion is about to be told, and with it whether it ran
			w.pods.awaited[types.UID(f.UID)] = time.Now()
		}
		if at, ok := w.pods.awaited[types.UID(f.UID)]; ok && time.Since(at) < unseen {
			w.lookAgain(at.Add(unseen))
			continue
		}
		pod, err := r.lookUp(ctx, w, n)
		switch {
		case err != nil:
			return nil, nil, err
		case pod == nil, f.UID != "" && f.UID != string(pod.UID):
			gone = append(gone, propagate.PodStatus{Node: n.ID(), UID: f.UID})
		default:
			changed = append(changed, podstatus.Of(pod))
			w.pods.awaited[pod.UID] = time.Now() // the cache is still to show it
			w.lookAgain(time.Now().Add(unseen))
		}
	}
	return changed, gone, nil
}

// lookAgain makes sure that the pods are looked at again by then.
func (w *run) lookAgain(at time.Time) {
	if w.recheck.IsZero() || at.Before(w.recheck) {
		w.recheck = at
	}
}

// lookUp reads the pod of a node past the cache, which may be older than the record; nil if there is none. Only that
// makes an absence a loss.
func (r *reconciler) lookUp(ctx context.Context, w *run, n *nodegraph.Node) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := r.live.Get(ctx, types.NamespacedName{Namespace: w.key.Namespace, Name: podName(n)}, pod)
	if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(pod, w.object) {
		return nil, nil
	}
	return pod, err
}
