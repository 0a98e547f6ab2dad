package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

// patch changes a workflow as a user does.
func (c *cluster) patch(name, patch string) {
	c.Helper()
	object, _ := c.workflow(name)
	require.NoError(c, c.client.Patch(c.Context(), object, client.RawPatch(types.MergePatchType, []byte(patch))))
}

// A workflow that is terminated ends at once, its pods are deleted, and the next gets its mutex.
func TestTerminated(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	pod := c.two()
	c.runs(pod)
	c.awaitNode("first", "first.set1(0)", "Running")
	c.patch("first", `{"spec": {"shutdown": "Terminate"}}`)
	c.awaitPhase("first", nodegraph.PhaseFailed)
	c.await("its pod is deleted", func() bool { return len(c.pods("first")) == 0 })
	c.awaitPod("second", "second.set1(0)", nil)
	c.healthy("first")
}

// A controller that is new finds a pod that its predecessor was to delete, and deletes it.
func TestTerminatedWhileAway(t *testing.T) {
	c := newCluster(t)
	before := c.start(1, nil)
	pod := c.two()
	c.runs(pod)
	c.awaitNode("first", "first.set1(0)", "Running")
	before.stop()
	c.patch("first", `{"spec": {"shutdown": "Stop"}}`)
	c.start(1, nil)
	c.awaitPhase("first", nodegraph.PhaseFailed)
	c.await("its pod is deleted", func() bool { return len(c.pods("first")) == 0 })
}

// A workflow that is deleted gives its locks back.
func TestDeletedWithALock(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	c.two()
	object, _ := c.workflow("first")
	require.NoError(t, c.client.Delete(t.Context(), object))
	c.succeeds(c.awaitPod("second", "second.set1(0)", nil))
	c.awaitPhase("second", nodegraph.PhaseSucceeded)
}

// A controller that is new knows who holds the mutex, although it was told by nobody but the workflows.
func TestLocksAfterARestart(t *testing.T) {
	c := newCluster(t)
	before := c.start(1, nil)
	pod := c.two()
	before.stop()
	c.submit("a-third", spot) // sorts before the others
	c.start(1, nil)
	c.awaitPhase("a-third", nodegraph.PhasePending)
	require.Empty(t, c.pods("a-third"))
	require.Empty(t, c.pods("second"))
	c.succeeds(pod)
	c.awaitPhase("first", nodegraph.PhaseSucceeded)
	c.succeeds(c.awaitPod("second", "second.set1(0)", nil)) // it came before
	c.awaitPhase("second", nodegraph.PhaseSucceeded)
	c.succeeds(c.awaitPod("a-third", "a-third.set1(0)", nil))
	c.awaitPhase("a-third", nodegraph.PhaseSucceeded)
}

// Users write workflows while they run. The engine is made anew from what is stored, and goes on.
func TestWrittenByOthers(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	pod := c.two()
	for k := range 5 {
		c.patch("first", `{"metadata": {"annotations": {"note": "`+strings.Repeat("x", k+1)+`"}}}`)
	}
	c.runs(pod)
	c.patch("first", `{"metadata": {"labels": {"team": "a"}}}`)
	c.awaitNode("first", "first.set1(0)", "Running")
	c.finish(pod)
	object, _ := c.workflow("first")
	require.Equal(t, "a", object.GetLabels()["team"])
	require.Equal(t, "Succeeded", object.GetLabels()[labelPhase])
}

// What this example can't do ends with a word on it, and holds nothing up.
func TestWhatItCannotDo(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	for name, test := range map[string]struct{ templates, message string }{
		"variable": {
			`[{name: main, container: {image: "{{inputs.parameters.image}}"}}]`,
			`template "main": there is no value for {{inputs.parameters.image}}`,
		},
		"output": {
			`[{name: main, steps: [[{name: a, template: b}], [{name: c, template: d}]]}, {name: b, suspend: {duration: "0"}},
			  {name: d, container: {image: busybox, args: ["{{steps.a.outputs.result}}"]}}]`,
			`template "d": there is no value for {{steps.a.outputs.result}}: outputs are not kept`,
		},
		"condition": {
			`[{name: main, steps: [[{name: a, template: b, when: "{{steps.x.outputs.result}} == 1"}]]}, {name: b, container: {image: busybox}}]`,
			"there is no value for {{steps.x.outputs.result}}: outputs are not kept",
		},
		"invalid": {
			`[{name: main, container: {image: busybox, imagePullPolicy: Sometimes}}]`,
			`Pod "invalid" is invalid`,
		},
		"kind":   {`[{name: main, resource: {action: get}}]`, "not carried out: spec.templates[0].resource"},
		"served": {`[{name: main, http: {url: "http://localhost"}}]`, "not carried out: spec.templates[0].http"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{t, c.client, c.namespace}
			c.submit(name, "spec: {entrypoint: main, templates: "+test.templates+"}")
			c.await("its end", func() bool { p := c.stored(name, "phase"); return p == "Error" || p == "Failed" })
			said := c.stored(name, "message")
			for _, looks := range c.nodes(name) {
				said += "\n" + looks
			}
			require.Contains(t, said, test.message)
		})
	}
	c.submit("refused", "spec: {entrypoint: nothing, templates: []}")
	c.awaitPhase("refused", nodegraph.PhaseError)
	require.Contains(t, c.stored("refused", "message"), "nothing")
	require.Empty(t, c.pods(""))
}

// A node that waits for a time goes on when it has come, and a script finds its source in its pod.
func TestTimerAndScript(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	c.submit("timer", `
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: wait, template: wait}], [{name: run, template: script}]]
    - {name: wait, suspend: {duration: "1s"}}
    - {name: script, script: {image: busybox, command: [sh], source: "echo $HOME\n"}}`)
	pod := c.awaitPod("timer", "timer[1].run", nil)
	require.Equal(t, "echo $HOME\n", pod.Annotations[podspec.ScriptAnnotation])
	require.Equal(t, []string{"/nodestatus/script"}, pod.Spec.Containers[0].Args)
	c.succeeds(pod)
	c.awaitPhase("timer", nodegraph.PhaseSucceeded)
}

// What goes wrong is told as Events, with the reasons; and counted.
func TestEventsAndMetrics(t *testing.T) {
	c := newCluster(t)
	running := c.start(1, nil)
	pod := c.two()
	c.runs(pod)
	c.awaitNode("first", "first.set1(0)", "Running")
	c.lose(pod)
	c.await("an Event that explains", func() bool {
		var list corev1.EventList
		require.NoError(t, c.client.List(t.Context(), &list, client.InNamespace(c.namespace)))
		for _, e := range list.Items {
			if e.InvolvedObject.Name == "first" && strings.Contains(e.Message, "Pod first.set1(0) is Error: its pod ran and is gone without a result") {
				return true
			}
		}
		return false
	})
	require.NotZero(t, values(t, running.metrics, "nodestatus_events_applied_total")[""])
	require.Equal(t, map[string]float64{"Running": 1, "Pending": 1}, values(t, running.metrics, "nodestatus_workflows"))
	families, err := registry.Registry.Gather()
	require.NoError(t, err)
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	require.Contains(t, names, "workqueue_depth")
	require.Contains(t, names, "controller_runtime_reconcile_errors_total")
}
