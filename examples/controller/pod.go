package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// scriptFile is where a script finds itself, out of an annotation of its pod.
const (
	scriptAnnotation = "nodestatus.example/script"
	scriptDirectory  = "/nodestatus"
)

// buildPod makes the pod of node i. Its name comes from the node, so that making it twice makes one. The error says what
// this example can't do; the node ends with it.
func (w *stored) buildPod(g *nodegraph.Graph, i nodegraph.Index, labels map[string]string) (*corev1.Pod, error) {
	n := g.Node(i)
	t := w.template(n)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Labels: make(map[string]string), Annotations: make(map[string]string), Finalizers: []string{finalizer},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(
				&metav1.ObjectMeta{Name: w.Name, UID: types.UID(w.UID)}, workflowKind)},
		},
		Spec: w.podSpec(t),
	}
	for _, from := range []podMetadata{w.spec.PodMetadata, t.Metadata} {
		maps.Copy(pod.Labels, from.Labels)
		maps.Copy(pod.Annotations, from.Annotations)
	}
	if err := setContainers(pod, t); err != nil {
		return nil, err
	}
	pod, err := w.filled(pod, t, g, i)
	if err != nil {
		return nil, err
	}
	pod.Namespace, pod.Name = w.Namespace, podName(n)
	set := func(in *map[string]string, values map[string]string) {
		if *in == nil {
			*in = make(map[string]string)
		}
		maps.Copy(*in, values)
	}
	set(&pod.Labels, labels)
	set(&pod.Labels, map[string]string{labelWorkflow: w.Name, labelCompleted: "false"})
	set(&pod.Annotations, map[string]string{podstatus.NodeID: n.ID(), podstatus.NodeName: n.Name()})
	return pod, nil
}

// podName makes the name of a node's pod: the same every time it is asked for.
func podName(n *nodegraph.Node) string { return strings.ToLower(n.ID()) }

// filled puts values in place of the variables of a pod, and its deadline, which may be one.
func (w *stored) filled(pod *corev1.Pod, t *templateFields, g *nodegraph.Graph, i nodegraph.Index) (*corev1.Pod, error) {
	raw, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	values := w.values(g, i)
	values["pod.name"] = podName(g.Node(i))
	full := fill(string(raw), values)
	if err := unfilled(full); err != nil {
		return nil, fmt.Errorf("template %q: %w", t.Name, err)
	}
	pod = &corev1.Pod{}
	if err := json.Unmarshal([]byte(full), pod); err != nil {
		return nil, fmt.Errorf("template %q: %w", t.Name, err)
	}
	if t.ActiveDeadlineSeconds != nil {
		var seconds int64
		if _, err := fmt.Sscanf(fill(t.ActiveDeadlineSeconds.String(), values), "%d", &seconds); err != nil || seconds < 1 {
			return nil, fmt.Errorf("template %q: activeDeadlineSeconds: want a positive number, found %s", t.Name, t.ActiveDeadlineSeconds)
		}
		pod.Spec.ActiveDeadlineSeconds = &seconds
	}
	return pod, nil
}

// podSpec is what the workflow and the template say of the pod; where both do the template counts, as in Argo.
func (w *stored) podSpec(t *templateFields) corev1.PodSpec {
	s := corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, ImagePullSecrets: w.spec.ImagePullSecrets, HostNetwork: w.spec.HostNetwork,
		DNSPolicy: w.spec.DNSPolicy, DNSConfig: w.spec.DNSConfig,
		ServiceAccountName:           cmp.Or(t.ServiceAccountName, w.spec.ServiceAccountName),
		AutomountServiceAccountToken: cmp.Or(t.AutomountServiceAccountToken, w.spec.AutomountServiceAccountToken),
		SchedulerName:                cmp.Or(t.SchedulerName, w.spec.SchedulerName),
		PriorityClassName:            cmp.Or(t.PriorityClassName, w.spec.PodPriorityClassName),
		Affinity:                     cmp.Or(t.Affinity, w.spec.Affinity),
		SecurityContext:              cmp.Or(t.SecurityContext, w.spec.SecurityContext),
		NodeSelector:                 w.spec.NodeSelector, Tolerations: w.spec.Tolerations,
		HostAliases: slices.Concat(w.spec.HostAliases, t.HostAliases),
		Volumes:     slices.Concat(w.spec.Volumes, t.Volumes), InitContainers: slices.Clone(t.InitContainers),
	}
	if len(t.NodeSelector) > 0 {
		s.NodeSelector = t.NodeSelector
	}
	if len(t.Tolerations) > 0 {
		s.Tolerations = t.Tolerations
	}
	for _, sidecar := range t.Sidecars { // they end with the pod's own containers
		sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		s.InitContainers = append(s.InitContainers, sidecar)
	}
	return s
}

// setContainers adds the containers that the user gave.
func setContainers(pod *corev1.Pod, t *templateFields) error {
	main := corev1.Container{}
	switch {
	case t.ContainerSet != nil: // they all start at once: ordering them is an executor's work, which this example has not
		for _, c := range t.ContainerSet.Containers {
			c.VolumeMounts = slices.Concat(c.VolumeMounts, t.ContainerSet.VolumeMounts)
			pod.Spec.Containers = append(pod.Spec.Containers, c.Container)
		}
		return nil
	case t.Container != nil:
		main = *t.Container
	case t.Script != nil:
		main = t.Script.Container
		main.Args = append(slices.Clone(main.Args), scriptDirectory+"/script")
		main.VolumeMounts = append(slices.Clone(main.VolumeMounts), corev1.VolumeMount{Name: "nodestatus-script", MountPath: scriptDirectory})
		pod.Annotations[scriptAnnotation] = t.Script.Source
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "nodestatus-script", VolumeSource: corev1.VolumeSource{
			DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{
				Path: "script", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + scriptAnnotation + "']"},
			}}},
		}})
	default:
		return errors.New("this example makes pods from container, script and containerSet templates only")
	}
	main.Name = "main"
	pod.Spec.Containers = []corev1.Container{main}
	return nil
}
