package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// What stops one workflow stops no other, and whatever a workflow waits for is to be seen.

const innocent = `spec: {entrypoint: main, templates: [{name: main, container: {image: busybox}}]}`

const underAMutex = `
spec:
  entrypoint: main
  synchronization: {mutexes: [{name: m}]}
  templates: [{name: main, container: {image: busybox}}]`

// The holder of a mutex is deleted while no controller runs. Whoever waits for it gets it one after the other.
func TestMutexAfterATakeover(t *testing.T) {
	const n = 50
	c := newCluster(t)
	before := c.start(1, nil)
	k := c.startKubelet(1, false)
	c.submit("holder", strings.Replace(underAMutex, "busybox", "hold", 1))
	c.awaitNode("holder", "holder", "Running")
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("waiter-%d", i))
		c.submit(names[i], underAMutex)
	}
	c.awaitPhase(names[n-1], nodegraph.PhasePending)
	before.stop()
	holder, _ := c.workflow("holder")
	require.NoError(t, c.client.Delete(t.Context(), holder))
	c.start(1, nil)
	c.awaitAll(k, names)
	k.once()
}

// A workflow that can't be read, one whose status can't be stored and one whose semaphore has no limit are there when a
// controller starts. All others go on.
func TestOneBadWorkflowStopsNoOther(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	c.submit("unreadable", `spec: {entrypoint: main, templates: [{name: main, container: {image: busybox}, retryStrategy: {limit: [1]}}]}`)
	c.submit("forbidden", innocent)
	c.submit("unlimited", limited)
	c.limits("two", "many")
	c.start(1, func(req *http.Request) error {
		if req.Method == http.MethodPatch && strings.HasSuffix(req.URL.Path, "/workflows/forbidden") {
			return fmt.Errorf("nobody writes this one")
		}
		return nil
	})
	c.submit("innocent", innocent)
	c.awaitPhase("innocent", nodegraph.PhaseSucceeded)
	c.awaitPhase("unreadable", nodegraph.PhaseError)
	require.Equal(t, "Waiting for "+c.namespace+`/ConfigMap/limits/two lock: want a positive number, found "many"`, c.stored("unlimited", "message"))
	c.awaitEvent("forbidden", "nobody writes this one")
	c.limits("two", "2")
	c.awaitPhase("unlimited", nodegraph.PhaseSucceeded)
}

// A pod that can't be created is tried for again, and its node says why it waits.
func TestWhyAPodIsNotCreated(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	c.start(1, nil)
	c.enforce("restricted")
	c.submit("forbidden", innocent)
	c.awaitMessage("forbidden", "violates PodSecurity")
	c.awaitEvent("forbidden", "violates PodSecurity")
	c.enforce("privileged")
	c.awaitPhase("forbidden", nodegraph.PhaseSucceeded)

	taken := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "taken"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "hold"}}},
	}
	require.NoError(t, c.client.Create(t.Context(), taken))
	c.submit("taken", innocent)
	c.awaitMessage("taken", "the name taken is taken by a pod that is not of this workflow")
	c.lose(taken)
	c.awaitPhase("taken", nodegraph.PhaseSucceeded)
	c.healthy("taken")
}

// enforce sets the security standard of the namespace's pods.
func (c *cluster) enforce(level string) {
	c.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}
	patch := `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "` + level + `"}}}`
	require.NoError(c, c.client.Patch(c.Context(), namespace, client.RawPatch(types.MergePatchType, []byte(patch))))
}

// awaitMessage waits until the only node of a workflow is Pending and says so.
func (c *cluster) awaitMessage(workflow, says string) {
	c.Helper()
	c.await(fmt.Sprintf("node %s is to say %q", workflow, says), func() bool {
		looks := c.nodes(workflow)[workflow]
		return strings.HasPrefix(looks, "Pending: ") && strings.Contains(looks, says)
	})
}

// awaitEvent waits for an Event about a workflow.
func (c *cluster) awaitEvent(workflow, says string) {
	c.Helper()
	c.await(fmt.Sprintf("an Event of %s is to say %q", workflow, says), func() bool {
		var list corev1.EventList
		require.NoError(c, c.client.List(c.Context(), &list, client.InNamespace(c.namespace)))
		for _, e := range list.Items {
			if e.InvolvedObject.Name == workflow && strings.Contains(e.Message, says) {
				return true
			}
		}
		return false
	})
}

// A record that is too large for the API server is compressed, and one that is too large nevertheless ends the workflow before pods
// are made. The nodes of the second have names that don't compress.
func TestRecordsThatGrow(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	const fan = `
spec:
  entrypoint: main
  templates:
    - {name: main, steps: [[{name: t, template: LEAF, withSequence: {count: "COUNT"}}]]}
    - {name: hold, suspend: {}}
    - {name: pod, container: {image: hold}}
    - {name: more, steps: [[{name: u, template: pod, withItems: ITEMS}]]}`
	c.submit("large", strings.NewReplacer("LEAF", "hold", "COUNT", "5000", "ITEMS", "[a]").Replace(fan))
	c.await("its nodes are stored", func() bool { return len(c.stored("large", "compressedNodes")) > 0 })
	require.Less(t, len(c.stored("large", "compressedNodes")), 1<<20)
	require.Greater(t, len(c.nodes("large")), 5000)
	c.patch("large", `{"spec": {"shutdown": "Terminate"}}`)
	c.awaitPhase("large", nodegraph.PhaseFailed)

	items, random := []string{}, rand.NewChaCha8([32]byte{1})
	for range 60 {
		text := make([]byte, 1500)
		_, _ = random.Read(text) // never fails
		items = append(items, hex.EncodeToString(text))
	}
	c.submit("too-large", strings.NewReplacer("LEAF", "more", "COUNT", "60", "ITEMS", "["+strings.Join(items, ", ")+"]").Replace(fan))
	c.awaitPhase("too-large", nodegraph.PhaseError)
	require.Contains(t, c.stored("too-large", "message"), "the record of the workflow is too large to be stored: its nodes take ")
	require.Empty(t, c.pods(""))
}
