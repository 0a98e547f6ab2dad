package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// A podTemplate is the part of an Argo template, or of a workflow's spec, from which pods are made.
type podTemplate struct {
	Container *corev1.Container `json:"container"`
	Script    *struct {
		corev1.Container
		Source string `json:"source"`
	} `json:"script"`
	ContainerSet *struct {
		Containers   []corev1.Container   `json:"containers"`
		VolumeMounts []corev1.VolumeMount `json:"volumeMounts"`
	} `json:"containerSet"`

	InitContainers     []corev1.Container  `json:"initContainers"`
	Sidecars           []corev1.Container  `json:"sidecars"`
	Volumes            []corev1.Volume     `json:"volumes"`
	NodeSelector       map[string]string   `json:"nodeSelector"`
	Tolerations        []corev1.Toleration `json:"tolerations"`
	ServiceAccountName string              `json:"serviceAccountName"`
}

// podTemplates reads what a Workflow says of its pods: of all, and by template.
func podTemplates(workflow []byte) (all podTemplate, byName map[string]podTemplate, err error) {
	var object struct {
		Spec struct {
			podTemplate
			Templates []struct {
				Name string `json:"name"`
				podTemplate
			} `json:"templates"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(workflow, &object); err != nil {
		return all, nil, fmt.Errorf("what pods are made from: %w", err)
	}
	byName = make(map[string]podTemplate)
	for _, t := range object.Spec.Templates {
		byName[t.Name] = t.podTemplate
	}
	return object.Spec.podTemplate, byName, nil
}

// scriptFile is where a script finds itself, out of an annotation of its pod.
const (
	scriptAnnotation = "nodestatus.example/script"
	scriptDirectory  = "/nodestatus"
)

// variable is what Argo would put a value in place of.
var variable = regexp.MustCompile(`{{.*?}}`)

// buildPod makes the pod of a node. Its name comes from the node, so that making it twice makes one. The error says what
// this example can't do; the node ends with it.
func (w *stored) buildPod(n *nodegraph.Node, labels map[string]string) (*corev1.Pod, error) {
	t, ok := w.templates[n.Template.RecordedName()]
	if !ok {
		return nil, fmt.Errorf("template %q is not in the workflow: this example takes no pods from references and inline templates", n.Template.RecordedName())
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.Namespace, Name: podName(n), Labels: map[string]string{labelWorkflow: w.Name, labelCompleted: "false"}, Finalizers: []string{finalizer},
			Annotations: map[string]string{podstatus.NodeID: n.ID(), podstatus.NodeName: n.Name()},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(
				&metav1.ObjectMeta{Name: w.Name, UID: types.UID(w.UID)}, workflowKind)},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, NodeSelector: w.pod.NodeSelector, ServiceAccountName: w.pod.ServiceAccountName,
			Tolerations: slices.Concat(w.pod.Tolerations, t.Tolerations), Volumes: slices.Concat(w.pod.Volumes, t.Volumes),
			InitContainers: t.InitContainers,
		},
	}
	for key, value := range labels {
		pod.Labels[key] = value
	}
	if len(t.NodeSelector) > 0 {
		pod.Spec.NodeSelector = t.NodeSelector
	}
	if t.ServiceAccountName != "" {
		pod.Spec.ServiceAccountName = t.ServiceAccountName
	}
	if err := setContainers(pod, &t); err != nil {
		return nil, err
	}
	pod.Spec.Containers = append(pod.Spec.Containers, t.Sidecars...)
	if text, err := json.Marshal(pod); err != nil {
		return nil, err
	} else if v := variable.Find(text); v != nil {
		return nil, fmt.Errorf("template %q needs the value of %s: this example puts no values in place of variables", n.Template.RecordedName(), v)
	}
	return pod, nil
}

// podName makes the name of a node's pod: the same every time it is asked for.
func podName(n *nodegraph.Node) string { return strings.ToLower(n.ID()) }

// setContainers adds the containers that the user gave.
func setContainers(pod *corev1.Pod, t *podTemplate) error {
	main := corev1.Container{}
	switch {
	case t.ContainerSet != nil: // they all start at once: ordering them is an executor's work, which this example has not
		for _, c := range t.ContainerSet.Containers {
			c.VolumeMounts = slices.Concat(c.VolumeMounts, t.ContainerSet.VolumeMounts)
			pod.Spec.Containers = append(pod.Spec.Containers, c)
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
		return fmt.Errorf("this example makes pods from container, script and containerSet templates only")
	}
	main.Name = "main"
	pod.Spec.Containers = []corev1.Container{main}
	return nil
}
