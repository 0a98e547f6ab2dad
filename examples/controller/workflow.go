package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/expiry"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

// This file is all that knows what a workflow looks like in the cluster. For a resource of your own, put its kind here, and have
// asWorkflow say what it would be as a Workflow; everything else stays.

var workflowKind = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Workflow"}

// asWorkflow returns a resource as a Workflow, in JSON: its metadata, its spec in Argo's terms, and its status, which is what was stored.
var asWorkflow = (*unstructured.Unstructured).MarshalJSON

const (
	labelWorkflow  = shards.LabelWorkflow // of pods: the name of the workflow
	labelPhase     = shards.LabelPhase    // of workflows
	labelCompleted = argo.LabelCompleted  // of workflows and pods: "true" once nothing is to be done for them
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
	data, err := asWorkflow(object)
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

// newStatus returns what is to be stored of s, nil if there is nothing new in it: a JSON merge patch of the status.
func (w *stored) newStatus(e *propagate.Engine, s nodegraph.Snapshot) (json.RawMessage, error) {
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
	var changed struct {
		Status json.RawMessage `json:"status"`
	}
	return changed.Status, json.Unmarshal(patch, &changed)
}

// newLabels say how a workflow stands, and until when it is kept.
func (w *stored) newLabels(phase nodegraph.Phase, finished time.Time) map[string]string {
	labels := map[string]string{labelPhase: phase.String(), labelCompleted: strconv.FormatBool(phase.Completed())}
	if w.pods != nil {
		if at, ok := w.pods.Expires(phase, finished); ok {
			labels[expiry.Label] = expiry.At(at)
		}
	}
	return labels
}

// write stores metadata and status of a workflow by merge patches. The API server refuses them if anybody has written the object since
// it was read. Where the status is a subresource it is written first, because the labels hide a complete workflow from the caches.
func (r *reconciler) write(ctx context.Context, w *run, metadata map[string]any, status any) error {
	object := nameOnly(w.object)
	patch := map[string]any{"metadata": metadata, "status": status}
	if r.subresource {
		delete(patch, "status")
		version := map[string]any{"resourceVersion": object.GetResourceVersion()}
		data, err := json.Marshal(map[string]any{"metadata": version, "status": status})
		if err != nil {
			return err
		}
		if err := r.client.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, data)); err != nil {
			return err
		}
	}
	metadata["resourceVersion"] = object.GetResourceVersion()
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	if err := r.client.Patch(ctx, object, client.RawPatch(types.MergePatchType, data)); err != nil {
		return err
	}
	w.object = object
	return nil
}
