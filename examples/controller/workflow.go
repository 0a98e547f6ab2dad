package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

// This file and pod.go are all that know what a workflow looks like in the cluster. For a resource of your own, put its
// kind here, make a nodegraph.Spec and a nodegraph.Snapshot of it in readWorkflow, and a patch of its status in
// statusPatch; everything else stays.

var workflowKind = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Workflow"}

const (
	labelWorkflow  = "workflows.argoproj.io/workflow"  // of pods: the name of the workflow
	labelPhase     = "workflows.argoproj.io/phase"     // of workflows
	labelCompleted = "workflows.argoproj.io/completed" // of workflows and pods: "true" once nothing is to be done for them
)

// mostBytes is how large nodes may be, compressed or not: an API server takes 1.5 MiB with all else that the object holds.
const mostBytes = 1 << 20

// errTooLarge is of a record that can't be stored.
var errTooLarge = errors.New("the record of the workflow is too large to be stored")

// tooLarge reports whether an error is that of a record which can't be stored, whoever says so.
func tooLarge(err error) bool {
	return errors.Is(err, errTooLarge) || apierrors.IsRequestEntityTooLargeError(err) || err != nil && strings.Contains(err.Error(), "request is too large")
}

// A stored workflow is one that was read from the API server.
type stored struct {
	*argo.Workflow
	Version string // resourceVersion
	pods    *podspec.Workflow
}

func newWorkflow() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(workflowKind)
	return object
}

func newWorkflowList() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(workflowKind.GroupVersion().WithKind(workflowKind.Kind + "List"))
	return list
}

// nameOnly is what it takes to name an object and to own others.
func nameOnly(object *unstructured.Unstructured) *unstructured.Unstructured {
	short := newWorkflow()
	short.SetNamespace(object.GetNamespace())
	short.SetName(object.GetName())
	short.SetUID(object.GetUID())
	short.SetResourceVersion(object.GetResourceVersion())
	return short
}

// readWorkflow reads what decides status, and what pods are made from.
func readWorkflow(object *unstructured.Unstructured) (*stored, error) {
	data, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	w, err := argo.Read(data)
	if err != nil {
		return nil, err
	}
	pods, err := podspec.Read(data)
	return &stored{w, object.GetResourceVersion(), pods}, err
}

// statusPatch returns the JSON merge patch that stores s, nil if there is nothing new in it, and since when the workflow waits, if
// it says so. The API server refuses the patch if anybody has written the object since it was read.
func (w *stored) statusPatch(e *propagate.Engine, s nodegraph.Snapshot, waits string) ([]byte, error) {
	if err := w.SetStatus(s); err != nil {
		return nil, err
	}
	w.SetProgress(e.Graph(), e.Exists)
	if w.NodesSize() > mostBytes {
		w.PackNodes()
	}
	patch, err := w.Patch()
	switch {
	case err != nil || string(patch) == "{}":
		return nil, err
	case len(patch) > mostBytes:
		return nil, fmt.Errorf("%w: its nodes take %d bytes, compressed %d", errTooLarge, w.NodesSize(), len(patch))
	}
	var status struct {
		Status json.RawMessage `json:"status"`
	}
	if err := json.Unmarshal(patch, &status); err != nil {
		return nil, err
	}
	metadata := w.patchMetadata(s.Phase, s.Finished)
	if waits != "" {
		metadata["annotations"] = map[string]string{annotationWaits: waits}
	}
	return json.Marshal(map[string]any{"metadata": metadata, "status": status.Status})
}

// refusalPatch returns the patch that ends a workflow which can't be run.
func (w *stored) refusalPatch(message string, now time.Time) ([]byte, error) {
	return json.Marshal(map[string]any{
		"metadata": w.patchMetadata(nodegraph.PhaseError, now),
		"status":   map[string]any{"phase": nodegraph.PhaseError.String(), "message": message, "finishedAt": metav1.NewTime(now)},
	})
}

// patchMetadata has the labels that say how a workflow stands, and until when it is kept.
func (w *stored) patchMetadata(phase nodegraph.Phase, finished time.Time) map[string]any {
	labels := map[string]string{labelPhase: phase.String(), labelCompleted: strconv.FormatBool(phase.Completed())}
	if w.pods != nil {
		if at, ok := w.pods.Expires(phase, finished); ok {
			labels[labelExpires] = strconv.FormatInt(at.Unix(), 10)
		}
	}
	return map[string]any{"resourceVersion": w.Version, "labels": labels}
}
