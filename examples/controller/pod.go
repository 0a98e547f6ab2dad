package main

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// buildPod makes the pod of node i: what the user gave, and what marks it as ours. The error says what can't be carried out; the
// node ends with it.
func (r *reconciler) buildPod(w *run, i nodegraph.Index) (*corev1.Pod, error) {
	pod, err := w.stored.pods.Pod(w.engine, i)
	if err != nil {
		return nil, err
	}
	if pod.Labels == nil {
		pod.Labels = make(map[string]string)
	}
	maps.Copy(pod.Labels, r.shard.labels())
	pod.Labels[labelWorkflow], pod.Labels[labelCompleted] = w.key.Name, "false"
	pod.Finalizers = []string{finalizer}
	owner := metav1.ObjectMeta{Name: w.key.Name, UID: types.UID(w.stored.UID)}
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(&owner, workflowKind)}
	return pod, nil
}
