package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A pipeline is a resource of somebody else.
type pipeline struct {
	Spec struct {
		Stages []struct {
			Name, Image, Lock string
			Needs             []string
		}
		Keep *int64 // seconds
	}
}

// pipelineAsWorkflow is what README.md asks for.
func pipelineAsWorkflow(object *unstructured.Unstructured) ([]byte, error) {
	data, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var p pipeline
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	var tasks, templates []any
	for _, s := range p.Spec.Stages {
		template := map[string]any{
			"name": s.Name, "container": map[string]any{"image": s.Image}, "retryStrategy": map[string]any{"limit": "10", "retryPolicy": "Always"},
		}
		if s.Lock != "" {
			template["synchronization"] = map[string]any{"mutexes": []any{map[string]any{"name": s.Lock}}}
		}
		tasks, templates = append(tasks, map[string]any{"name": s.Name, "template": s.Name, "dependencies": s.Needs}), append(templates, template)
	}
	spec := map[string]any{"entrypoint": "stages", "templates": append(templates, map[string]any{"name": "stages", "dag": map[string]any{"tasks": tasks}})}
	if p.Spec.Keep != nil {
		spec["ttlStrategy"] = map[string]any{"secondsAfterCompletion": *p.Spec.Keep}
	}
	return json.Marshal(map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": object.Object["metadata"], "spec": spec, "status": object.Object["status"],
	})
}

// install adds the resource under a kind, with a status subresource or without, and has the controller run it.
func (c *cluster) install(kind string, subresource bool) {
	c.Helper()
	data, err := os.ReadFile("deploy/workflow.yaml")
	require.NoError(c, err)
	plural := strings.ToLower(kind) + "s"
	text := strings.NewReplacer("workflows.argoproj.io", plural+".example.com", "group: argoproj.io", "group: example.com", "kind: Workflow", "kind: "+kind,
		"listKind: WorkflowList", "listKind: "+kind+"List", "plural: workflows", "plural: "+plural, "singular: workflow", "singular: "+strings.ToLower(kind),
		"shortNames: [wf]", "shortNames: []").Replace(string(data))
	if subresource {
		text = strings.Replace(text, "      storage: true\n", "      storage: true\n      subresources: {status: {}}\n", 1)
	}
	file := filepath.Join(c.TempDir(), "crd.yaml")
	require.NoError(c, os.WriteFile(file, []byte(text), 0o600))
	_, err = envtest.InstallCRDs(control.config, envtest.CRDInstallOptions{Paths: []string{file}, ErrorIfPathMissing: true})
	require.NoError(c, err)
	kindBefore, asBefore := workflowKind, asWorkflow
	workflowKind, asWorkflow = schema.GroupVersionKind{Group: "example.com", Version: kindBefore.Version, Kind: kind}, pipelineAsWorkflow
	c.Cleanup(func() { workflowKind, asWorkflow = kindBefore, asBefore })
}

// The controller runs a resource of somebody else, with a status subresource and without: what fails is tried again, locks are handed
// on, what can't be run is refused, what is complete is hidden from the caches and deleted when its time has come.
func TestAnotherResource(t *testing.T) {
	for _, subresource := range []bool{false, true} {
		t.Run(fmt.Sprintf("subresource %v", subresource), func(t *testing.T) {
			c := newCluster(t)
			c.install(map[bool]string{false: "Pipeline", true: "Build"}[subresource], subresource)
			k := c.startKubelet(5, true)
			before := c.startAs(control.config, 2, nil, func(o *options) { o.subresource = subresource })
			var names []string
			for i := range 10 {
				names = append(names, fmt.Sprintf("pipeline-%d", i))
				c.submit(names[i], `spec: {stages: [{name: fetch, image: busybox}, {name: build, image: busybox, needs: [fetch], lock: m}]}`)
			}
			c.await("some are complete", func() bool { return c.complete() > 0 })
			before.stop()
			c.startAs(control.config, 2, nil, func(o *options) { o.subresource = subresource })
			c.awaitAll(k, names)
			k.once()
			c.submit("refused", `spec: {stages: [{name: a, image: busybox, needs: [nothing]}]}`)
			c.awaitPhase("refused", nodegraph.PhaseError)
			c.submit("gone", `spec: {stages: [{name: a, image: busybox}], keep: 0}`)
			c.await("it is deleted", func() bool {
				return apierrors.IsNotFound(c.client.Get(t.Context(), client.ObjectKey{Namespace: c.namespace, Name: "gone"}, newWorkflow()))
			})
		})
	}
}

// A controller that was killed between the status and the labels of a complete workflow leaves it to the next.
func TestKilledBeforeTheLabels(t *testing.T) {
	c := newCluster(t)
	c.submit("done", `{status: {phase: Succeeded, finishedAt: "2026-01-02T03:04:05Z"}, `+strings.Replace(strings.TrimPrefix(innocent, "spec: {"), "entrypoint", `spec: {ttlStrategy: {secondsAfterFailure: 1}, entrypoint`, 1)+"}")
	c.start(1, nil)
	c.await("it has its labels", func() bool { return c.complete() == 1 })
	object, _ := c.workflow("done")
	finished, _, _ := unstructured.NestedString(object.Object, "status", "finishedAt")
	require.Equal(t, metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)).UTC().Format(time.RFC3339), finished, "nothing else was written")
}
