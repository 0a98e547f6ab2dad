package main

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
)

const limited = `
spec:
  entrypoint: main
  synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: two}}]}
  templates: [{name: main, container: {image: busybox}}]`

// limits writes one limit into the ConfigMap that has them.
func (c *cluster) limits(key, value string) {
	c.Helper()
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "limits"}, Data: map[string]string{key: value}}
	err := c.client.Create(c.Context(), config)
	if apierrors.IsAlreadyExists(err) {
		err = c.client.Update(c.Context(), config)
	}
	require.NoError(c, err)
}

// A semaphore has its limit from a ConfigMap. One that is raised counts at once; one that is gone takes nothing from who holds
// the semaphore, and gives it to nobody else.
func TestSemaphore(t *testing.T) {
	c := newCluster(t)
	running := c.start(1, nil)
	c.limits("two", "2")
	c.submit("a", limited)
	pod := c.awaitPod("a", "a", nil)
	c.submit("b", limited)
	c.awaitPod("b", "b", nil)
	c.submit("c", limited)
	c.awaitPhase("c", nodegraph.PhasePending)
	c.submit("d", limited)
	c.awaitPhase("d", nodegraph.PhasePending)
	c.succeeds(pod)
	c.awaitPod("c", "c", nil)
	c.limits("two", "3")
	c.awaitPod("d", "d", nil)

	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "limits"}}
	require.NoError(t, c.client.Delete(t.Context(), config))
	running.stop()
	c.start(1, nil)
	c.submit("e", limited)
	c.await("e says what it waits for", func() bool {
		return c.stored("e", "phase") == "Pending" && strings.HasSuffix(c.stored("e", "message"), "/ConfigMap/limits/two lock: there is no such ConfigMap")
	})
	for _, holder := range []string{"b", "c", "d"} {
		c.patch(holder, `{"metadata": {"labels": {"touched": "yes"}}}`)
		c.succeeds(&c.pods(holder)[0])
		c.awaitPhase(holder, nodegraph.PhaseSucceeded)
	}
	require.Empty(t, c.pods("e"))
	c.limits("two", "1")
	c.awaitPod("e", "e", nil)
}

// Who came first is served first, also by a controller that is new. All are created within a second, and not in the order of their
// names.
func TestOrderOfWaitingAfterARestart(t *testing.T) {
	c := newCluster(t)
	k := c.startKubelet(1, false)
	running := c.start(1, nil)
	c.submit("holder", strings.Replace(underAMutex, "busybox", "hold", 1))
	c.awaitNode("holder", "holder", "Running")
	names := []string{"m", "z", "a", "k"}
	for _, name := range names {
		c.submit(name, underAMutex)
		c.awaitPhase(name, nodegraph.PhasePending)
	}
	running.stop()
	c.start(1, nil)
	c.patch("holder", `{"spec": {"shutdown": "Terminate"}}`)
	c.awaitAll(k, names)
	var versions []int
	for _, name := range names {
		object, _ := c.workflow(name)
		version, err := strconv.Atoi(object.GetResourceVersion())
		require.NoError(t, err)
		versions = append(versions, version)
	}
	require.IsIncreasing(t, versions, "in the order in which they ended: %v", names)
}

// A lock in a database is refused rather than taken for one that is not there.
func TestDatabaseLock(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	c.submit("database", strings.Replace(underAMutex, "name: m", "name: m, database: true", 1))
	c.awaitPhase("database", nodegraph.PhaseError)
	require.Contains(t, c.stored("database", "message"), "/Database/m: this example has no locks in a database")
}

// A workflow that is deleted and held by somebody's finalizer gives its lock back once its pod is gone, and so it is for a
// controller that is new.
func TestDeletedButHeld(t *testing.T) {
	for _, restart := range []bool{false, true} {
		c := newCluster(t)
		k := c.startKubelet(1, false)
		running := c.start(1, nil)
		c.submit("held", strings.Replace(underAMutex, "busybox", "hold", 1))
		c.awaitNode("held", "held", "Running")
		c.submit("next", underAMutex)
		c.awaitPhase("next", nodegraph.PhasePending)
		c.patch("held", `{"metadata": {"finalizers": ["example.com/x"]}}`)
		if restart {
			running.stop()
		}
		object, _ := c.workflow("held")
		require.NoError(t, c.client.Delete(t.Context(), object))
		if restart {
			c.start(1, nil)
		}
		c.awaitAll(k, []string{"next"})
		require.Empty(t, c.pods("held"))
		c.patch("held", `{"metadata": {"finalizers": null}}`)
		c.await("it is gone", func() bool {
			return apierrors.IsNotFound(c.client.Get(t.Context(), client.ObjectKeyFromObject(object), newWorkflow()))
		})
	}
}

// A pod that is to end is deleted before the lock under which it runs is given on, although the deletion fails at first or the
// controller is killed before it.
func TestPodIsDeletedBeforeItsLockIsFree(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	var refused atomic.Int64
	running := c.start(1, func(req *http.Request) error {
		if req.Method != http.MethodDelete || resourceOf(req.URL.Path) != "pods" {
			return nil
		}
		refused.Add(1)
		return errors.New("no pod is deleted")
	})
	c.submit("first", strings.Replace(underAMutex, "busybox", "hold", 1))
	c.awaitNode("first", "first", "Running")
	c.submit("second", underAMutex)
	c.awaitPhase("second", nodegraph.PhasePending)
	c.patch("first", `{"spec": {"shutdown": "Terminate"}}`)
	c.awaitPhase("first", nodegraph.PhaseFailed)
	c.await("it tries again", func() bool { return refused.Load() > 2 })
	require.Empty(t, c.pods("second"))
	running.stop()
	var deleted atomic.Bool
	c.start(1, func(req *http.Request) error {
		if deleted.CompareAndSwap(false, req.Method == http.MethodDelete) || deleted.Load() || req.Method != http.MethodPost || resourceOf(req.URL.Path) != "pods" {
			return nil
		}
		t.Error("the second runs and the first was not deleted")
		return nil
	})
	c.awaitPhase("second", nodegraph.PhaseSucceeded)
	require.True(t, deleted.Load())
}
