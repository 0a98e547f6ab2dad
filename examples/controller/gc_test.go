package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// twoPods is a workflow of a pod that succeeds and one that fails, which decides nothing.
const twoPods = `
spec:
  entrypoint: main
  podGC: STRATEGY
  templates:
    - name: main
      steps: [[{name: good, template: good}], [{name: bad, template: bad, continueOn: {failed: true}}], [{name: wait, template: wait}]]
    - {name: good, metadata: {labels: {keep: "no"}}, container: {image: busybox}}
    - {name: bad, container: {image: fail}}
    - {name: wait, suspend: {}}`

// Each strategy deletes the pods that it names, when it says, also where a controller begins after their end. The others stay, and
// nothing holds them.
func TestPodGC(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	running := c.start(1, nil)
	for _, test := range []struct {
		name, gc      string
		before, after string // the nodes whose pods are there while the workflow runs, and once it has ended
	}{
		{"completion", `{strategy: OnPodCompletion, deleteDelayDuration: "0"}`, "", ""},
		{"success", `{strategy: OnPodSuccess, deleteDelayDuration: 0s}`, "bad", "bad"},
		{"selected", `{strategy: OnPodCompletion, deleteDelayDuration: 0s, labelSelector: {matchLabels: {keep: "no"}}}`, "bad", "bad"},
		{"workflow", `{strategy: OnWorkflowCompletion, deleteDelayDuration: 0s}`, "bad good", ""},
		{"workflow-success", `{strategy: OnWorkflowSuccess, deleteDelayDuration: 0s}`, "bad good", ""},
		{"later", `{strategy: OnPodSuccess, deleteDelayDuration: 1h}`, "bad good", "bad good"},
		{"never", `{}`, "bad good", "bad good"},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, c := c, &cluster{t, c.client, c.namespace}
			c.submit(test.name, strings.Replace(twoPods, "STRATEGY", test.gc, 1))
			c.awaitNode(test.name, test.name+"[2].wait", "Running")
			pods := func() string {
				var names []string
				for _, pod := range c.pods(test.name) {
					_, name, _ := strings.Cut(pod.Annotations[podstatus.NodeName], "].")
					names = append(names, name)
				}
				slices.Sort(names)
				return strings.Join(names, " ")
			}
			c.await("while it runs: "+test.before, func() bool { return pods() == test.before })
			if test.name == "workflow" {
				running.stop()
				all.start(1, nil) // for those that come after this one, too
			}
			c.patch(test.name, `{"spec": {"shutdown": "Terminate"}}`)
			c.awaitPhase(test.name, nodegraph.PhaseFailed)
			if test.name == "workflow-success" { // it did not succeed
				test.after = "bad good"
			}
			c.await("in the end: "+test.after, func() bool { return pods() == test.after })
			c.await("nothing holds them", func() bool {
				held := slices.ContainsFunc(c.pods(test.name), func(pod corev1.Pod) bool { return len(pod.Finalizers) > 0 })
				return held == (test.name == "later")
			})
		})
	}
}

// A workflow is deleted when its time has come, also by a controller that begins after its end, and those without a time stay.
func TestTTL(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	running := c.start(1, nil)
	ttl := func(name, strategy string) {
		c.submit(name, strings.Replace(innocent, "entrypoint", "ttlStrategy: "+strategy+", entrypoint", 1))
	}
	gone := func(name string) bool {
		return apierrors.IsNotFound(c.client.Get(t.Context(), client.ObjectKey{Namespace: c.namespace, Name: name}, newWorkflow()))
	}
	ttl("at-once", "{secondsAfterCompletion: 0}")
	ttl("failure-only", "{secondsAfterFailure: 0}")
	ttl("success-first", "{secondsAfterSuccess: 3600, secondsAfterCompletion: 0}")
	ttl("soon", "{secondsAfterSuccess: 3}")
	c.await("what has no time left is deleted", func() bool { return gone("at-once") })
	for _, name := range []string{"failure-only", "success-first", "soon"} {
		c.awaitPhase(name, nodegraph.PhaseSucceeded)
	}
	running.stop()
	c.start(1, nil)
	c.await("its time has come", func() bool { return gone("soon") })
	require.False(t, gone("failure-only") || gone("success-first"))
}
