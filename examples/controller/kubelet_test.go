package main

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A kubelet moves the pods of a namespace on: each runs, then succeeds. One with the image "hold" runs until it is deleted, one with
// "fail" fails. Some it loses instead, by a dice that is thrown
// from the seed and the pod's name, so the same ones are lost whenever they run.
type kubelet struct {
	c       *cluster
	seed    uint64
	lossy   bool
	mu      sync.Mutex
	known   map[types.UID]bool
	dropped map[types.UID]bool         // those that are to be lost before they run
	holders map[string]map[string]bool // of locks, who runs under them
	created map[string]int             // how many pods were made, by name
	unborn  map[string]int             // how many of them were lost before they ran: each is to be made again
	lost    int                        // how many were lost while they ran, evictions included
}

// startKubelet runs a kubelet until the test ends.
func (c *cluster) startKubelet(seed uint64, lossy bool) *kubelet {
	c.Helper()
	k := &kubelet{
		c: c, seed: seed, lossy: lossy, known: make(map[types.UID]bool), dropped: make(map[types.UID]bool), holders: make(map[string]map[string]bool),
		created: make(map[string]int), unborn: make(map[string]int),
	}
	watcher, err := client.NewWithWatch(control.config, client.Options{Scheme: c.client.Scheme()})
	require.NoError(c, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			k.watch(ctx, watcher)
		}
	}()
	c.Cleanup(func() { cancel(); <-done })
	return k
}

// watch sees the pods that exist, and then what happens to them until the API server ends the watch: it does that to one
// who is slow.
func (k *kubelet) watch(ctx context.Context, from client.WithWatch) {
	var list corev1.PodList
	if err := from.List(ctx, &list, client.InNamespace(k.c.namespace)); err != nil {
		k.check(err)
		return
	}
	for _, pod := range list.Items {
		k.see(&pod)
	}
	w, err := from.Watch(ctx, &corev1.PodList{}, client.InNamespace(k.c.namespace),
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}})
	if err != nil {
		k.check(err)
		return
	}
	defer w.Stop()
	for ev := range w.ResultChan() {
		if pod, ok := ev.Object.(*corev1.Pod); ok && ev.Type != watch.Deleted {
			k.see(pod)
		}
	}
}

// see moves one pod on.
func (k *kubelet) see(pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.holds(pod, pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil)
	if pod.DeletionTimestamp != nil {
		return
	}
	if !k.known[pod.UID] {
		k.known[pod.UID] = true
		k.created[pod.Name]++
	}
	h := fnv.New64a()
	h.Write([]byte(pod.Name + string(pod.Status.Phase)))
	dice := rand.New(rand.NewPCG(k.seed, h.Sum64())).IntN(10)
	lost := k.lossy && k.created[pod.Name] == 1 && pod.Spec.Containers[0].Image == "busybox" // the second of a name, made because the first never ran, is spared
	switch pod.Status.Phase {
	case corev1.PodPending:
		if lost && dice == 0 {
			if !k.dropped[pod.UID] { // the API server may be away now
				k.dropped[pod.UID] = true
				k.unborn[pod.Name]++
			}
			k.lose(pod)
			return
		}
		k.tell(pod, statusOf(pod, corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}))
	case corev1.PodRunning:
		switch image := pod.Spec.Containers[0].Image; {
		case image == "hold":
		case image == "fail":
			k.tell(pod, statusOf(pod, corev1.PodFailed, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}))
		case lost && dice == 0:
			k.lost++
			k.lose(pod)
		case lost && dice == 1:
			k.lost++
			k.tell(pod, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."})
		default:
			k.tell(pod, statusOf(pod, corev1.PodSucceeded, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}))
		}
	}
}

func (k *kubelet) lose(pod *corev1.Pod) {
	k.check(k.c.client.Delete(k.c.Context(), pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID}))
}

func (k *kubelet) tell(pod *corev1.Pod, status corev1.PodStatus) {
	before := pod.DeepCopy()
	pod.Status = status
	k.check(k.c.client.Status().Patch(k.c.Context(), pod, client.MergeFrom(before)))
}

// check takes an error as the test's, unless the pod is another by now, the API server is away, or the test is over.
func (k *kubelet) check(err error) {
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !away(err) && k.c.Context().Err() == nil {
		k.c.Errorf("kubelet: %v", err)
	}
}

// away reports whether an error is that of an API server which does not answer, or is not ready to.
func away(err error) bool {
	status := apierrors.APIStatus(nil)
	return err != nil && (!errors.As(err, &status) || apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsInternalError(err))
}

// once asserts that every pod was made once, and once more only where it was lost before it ran, and that none is held for ever.
func (k *kubelet) once() {
	k.c.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, made := range k.created {
		require.Equal(k.c, 1+k.unborn[name], made, "pods named %s, seed %d", name, k.seed)
	}
	k.c.await("all pods are let go", func() bool {
		return !slices.ContainsFunc(k.c.pods(""), func(pod corev1.Pod) bool { return len(pod.Finalizers) > 0 })
	})
}
