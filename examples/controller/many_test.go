package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// nightly is a workflow of four pods, every one of which may be lost; the last runs under a mutex.
const nightly = `
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        tasks:
          - {name: fetch, template: one}
          - {name: build, template: set, dependencies: [fetch]}
          - {name: check, template: script, dependencies: [fetch]}
          - {name: report, template: alone, dependencies: [build, check]}
    - name: one
      retryStrategy: {limit: "10", retryPolicy: Always}
      container: {image: busybox}
    - name: set
      retryStrategy: {limit: "10", retryPolicy: Always}
      containerSet:
        containers:
          - {name: compile, image: busybox}
          - {name: main, image: busybox, dependencies: [compile]}
    - name: script
      retryStrategy: {limit: "10", retryPolicy: Always}
      script: {image: busybox, command: [sh], source: "echo checked"}
    - name: alone
      synchronization: {mutexes: [{name: MUTEX}]}
      retryStrategy: {limit: "10", retryPolicy: Always}
      container: {image: busybox}
`

// submitMany submits n workflows, every other of which shares one of a few mutexes, and returns their names.
func (c *cluster) submitMany(n int) []string {
	c.Helper()
	names := make([]string, n)
	for k := range names {
		names[k] = fmt.Sprintf("nightly-%d", k)
		spec := strings.Replace(nightly, "MUTEX", fmt.Sprintf("report-%d", k%20), 1)
		if k%2 == 1 {
			spec = strings.Replace(nightly, "synchronization: {mutexes: [{name: MUTEX}]}", "parallelism: 1", 1)
		}
		c.submit(names[k], spec)
	}
	return names
}

// complete counts the workflows that are, of some names or of all; -1 while the API server is away.
func (c *cluster) complete(names ...string) int {
	c.Helper()
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(newWorkflowList().GroupVersionKind())
	err := c.client.List(c.Context(), list, client.InNamespace(c.namespace), client.MatchingLabels{labelCompleted: "true"})
	if away(err) {
		return -1
	}
	require.NoError(c, err)
	items := slices.DeleteFunc(list.Items, func(w metav1.PartialObjectMetadata) bool { return len(names) > 0 && !slices.Contains(names, w.Name) })
	return len(items)
}

// awaitAll waits until all workflows are complete, and asserts that each went well and reads back healthy.
func (c *cluster) awaitAll(k *kubelet, names []string) {
	c.Helper()
	last, since := -1, time.Now()
	for done := 0; done < len(names); done = c.complete(names...) {
		if done != last {
			last, since = done, time.Now()
		}
		if time.Since(since) > patience {
			c.unfinished()
		}
		require.Less(c, time.Since(since), patience, "seed %d: stuck with %d of %d complete", k.seed, done, len(names))
		time.Sleep(50 * time.Millisecond)
	}
	for _, name := range names {
		_, w := c.workflow(name)
		require.Equal(c, nodegraph.PhaseSucceeded.String(), w.Snapshot.Phase.String(), "%s, seed %d: %v", name, k.seed, c.nodes(name))
		c.healthy(name)
	}
}

// 200 workflows at once, and about a quarter of the pods lost.
func TestManyWithLosses(t *testing.T) {
	const n, seed = 200, 7
	c := newCluster(t)
	k := c.startKubelet(seed, true)
	running := c.start(1, nil)
	began := time.Now()
	names := c.submitMany(n)
	c.awaitAll(k, names)
	k.once()
	k.mu.Lock()
	defer k.mu.Unlock()
	t.Logf("%d workflows, %d pods, of which %d were lost before they ran and %d later (seed %d): %s, writes of the controller: %s",
		n, len(k.created), len(k.unborn), k.lost, seed, time.Since(began).Round(time.Millisecond), running.writes)
	require.NotEmpty(t, k.unborn)
	require.NotZero(t, k.lost)
}

// unfinished logs the workflows that are not complete, with what their nodes and pods look like.
func (c *cluster) unfinished() {
	c.Helper()
	list := newWorkflowList()
	require.NoError(c, c.client.List(c.Context(), list, client.InNamespace(c.namespace)))
	for _, object := range list.Items {
		if object.GetLabels()[labelCompleted] == "true" {
			continue
		}
		status, _, _ := unstructured.NestedMap(object.Object, "status") // for a log
		c.Logf("%s, labels %v: %v %v", object.GetName(), object.GetLabels(), status["message"], c.nodes(object.GetName()))
		for _, pod := range c.pods(object.GetName()) {
			c.Logf("  pod %s of %s: %s", pod.UID, pod.Annotations[podstatus.NodeName], pod.Status.Phase)
		}
	}
}
