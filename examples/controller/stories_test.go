package main

import (
	"bytes"
	"context"
	"net/http"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// spot is the workflow that hung in Argo: a ContainerSet whose containers depend on each other, retried, under a mutex.
const spot = `
spec:
  entrypoint: main
  synchronization: {mutexes: [{name: spot}]}
  templates:
    - name: main
      dag: {tasks: [{name: set1, template: set}]}
    - name: set
      retryStrategy: {limit: "3", retryPolicy: Always}
      containerSet:
        containers:
          - {name: some-container, image: busybox}
          - {name: main, image: busybox, dependencies: [some-container]}
`

// two submits two workflows that want the same mutex, and returns the pod of the first.
func (c *cluster) two() *corev1.Pod {
	c.Helper()
	c.submit("first", spot)
	pod := c.awaitPod("first", "first.set1(0)", nil)
	c.submit("second", spot)
	c.awaitPhase("second", nodegraph.PhasePending)
	return pod
}

// finish lets the pod of the first workflow succeed, and then that of the second, which gets the mutex by it.
func (c *cluster) finish(pod *corev1.Pod) {
	c.Helper()
	require.Empty(c, c.pods("second"), "the first workflow still holds the mutex")
	c.succeeds(pod)
	c.awaitPhase("first", nodegraph.PhaseSucceeded)
	c.succeeds(c.awaitPod("second", "second.set1(0)", nil))
	c.awaitPhase("second", nodegraph.PhaseSucceeded)
	c.healthy("first")
	c.healthy("second")
}

// The story this library was written for: the machine goes away and the pod with it.
func TestPodDeleted(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	pod := c.two()
	c.begins(pod)
	c.awaitNode("first", "first.set1(0)", "Running")
	c.lose(pod)
	pod = c.awaitPod("first", "first.set1(1)", nil)
	want := map[string]string{
		"first": "Running", "first.set1": "Running",
		"first.set1(0)": "Error: pod deleted", "first.set1(0).some-container": "Error: container deleted", "first.set1(0).main": "Error: container deleted",
		"first.set1(1)": "Pending", "first.set1(1).some-container": "Pending", "first.set1(1).main": "Pending",
	}
	require.Empty(t, cmp.Diff(want, c.nodes("first")), "(-want +got)")
	c.finish(pod)
	require.Equal(t, "Succeeded", c.nodes("first")["first.set1"])
	c.diagnosed("first")
}

// diagnosed runs the program that operators use.
func (c *cluster) diagnosed(name string) {
	c.Helper()
	object, _ := c.workflow(name)
	data, err := object.MarshalJSON()
	require.NoError(c, err)
	cmd := exec.Command("go", "run", "./examples/nodestatus", "diagnose", "-")
	cmd.Dir, cmd.Stdin = "../..", bytes.NewReader(data)
	out, err := cmd.CombinedOutput()
	require.NoError(c, err, "%s", out)
	require.Contains(c, string(out), "complete, nothing is wrong")
}

// The kubelet evicts the pod and says nothing of its containers.
func TestPodEvicted(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	pod := c.two()
	c.runs(pod)
	c.awaitNode("first", "first.set1(0)", "Running")
	c.reportStatus(pod, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."})
	next := c.awaitPod("first", "first.set1(1)", nil)
	nodes := c.nodes("first")
	require.Equal(t, "Failed: The node was low on resource: memory.", nodes["first.set1(0)"])
	require.Equal(t, "Failed: Pod Failed whilst container running", nodes["first.set1(0).main"])
	c.finish(next)
}

// A pod that never ran is made again, under the same name and for the same attempt.
func TestPodDeletedWhilePending(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	pod := c.two()
	for range 3 { // within a second, as Kubernetes counts
		c.lose(pod)
		again := c.awaitPod("first", "first.set1(0)", pod)
		require.Equal(t, pod.Name, again.Name)
		pod = again
	}
	c.finish(pod)
	require.NotContains(t, c.nodes("first"), "first.set1(1)")
}

// The controller is killed after the pod was deleted and before it has written that down. Its successor starts from
// nothing but what is stored.
func TestKilledBeforeTheWrite(t *testing.T) {
	c := newCluster(t)
	deleted := make(chan struct{})      // closed when the pod is
	reached := make(chan struct{}, 100) // told when the write was about to be sent
	killed := c.start(1, func(req *http.Request) error {
		select {
		case <-deleted:
		default:
			return nil
		}
		if req.Method != http.MethodPatch || resourceOf(req.URL.Path) != "workflows" {
			return nil
		}
		reached <- struct{}{}
		<-req.Context().Done()
		return context.Canceled
	})
	pod := c.two()
	c.runs(pod)
	c.awaitNode("first", "first.set1(0)", "Running")
	close(deleted)
	c.lose(pod)
	<-reached
	killed.stop()
	require.Equal(t, "Running", c.nodes("first")["first.set1(0)"], "nothing was written")
	require.Len(t, c.pods(""), 1, "and nothing was done: the pod that is deleted is held until its end is on record")

	c.start(1, nil)
	c.finish(c.awaitPod("first", "first.set1(1)", nil))
}

// A pod runs and is deleted while no controller is there. It is held until a controller has seen that it ran, so that what it did is
// not done twice for one attempt.
func TestPodThatRanUnwatched(t *testing.T) {
	c := newCluster(t)
	before := c.start(1, nil)
	pod := c.two()
	before.stop()
	c.runs(pod)
	c.lose(pod)
	c.start(1, nil)
	pod = c.awaitPod("first", "first.set1(1)", nil)
	require.Equal(t, "Error: pod deleted", c.nodes("first")["first.set1(0)"])
	c.finish(pod)
}
