// Package podspec makes the pods of an Argo Workflow, for a controller that runs Workflows without Argo's executor.
//
// [Read] reads what pods are made from. It carries out container, script and containerSet templates, and all that a user says of
// their pods. It refuses a Workflow with any other field, and names the field: artifacts, outputs, templates by reference, resource,
// data, http and plugin templates, memoization, volumeClaimTemplates, podSpecPatch and templateDefaults are among them. What
// decides status alone is left to the library. [FateOf] says when podGC wants a pod deleted, and [Workflow.Expires] when ttlStrategy
// wants that of the Workflow: a host that does not do it breaks a promise.
//
// [Workflow.Pod] makes the pod of a node. Some things need a word.
//
//   - Variables have the values of parameters, items, labels and annotations, of the status of tasks, steps and the workflow, and
//     workflow.name and its like. A node that needs another, such as an output or an expression, can't have a pod: the error names it.
//   - Sidecars are those of Kubernetes, which end with the containers of the user.
//   - Containers of a set that wait for one another run as init containers, one after the other, and those that nobody waits for run
//     at once after them. The annotation [podstatus.Ordered] names the former, so that package podstatus reads them as the
//     containers that they are. An order that this can't keep, such as two that run at once with a third after both, is refused.
//     Init containers have no probes: the API server refuses a pod that has some there.
package podspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// A Workflow is what pods are made from. It is not changed by making them.
type Workflow struct {
	metav1.ObjectMeta
	spec *specFields
}

// Read reads a Workflow as the API server has it, in JSON. The error is an [*UnsupportedError] if the Workflow has fields that are
// not carried out.
func Read(object []byte) (*Workflow, error) {
	w, err := readFields(object)
	if err != nil {
		return nil, err
	}
	return &Workflow{w.Metadata, &w.Spec}, nil
}

// Name is the name of a node's pod: the same every time it is asked for, so that making a pod twice makes one.
func Name(n *nodegraph.Node) string { return strings.ToLower(n.ID()) }

// Pod makes the pod of node i. It has its name and namespace, and the annotations by which package podstatus finds the node. Owners,
// finalizers and labels of its own are added by the host. The error says what can't be carried out; the node ends with it, for
// trying again would not help.
func (w *Workflow) Pod(e *propagate.Engine, i nodegraph.Index) (*corev1.Pod, error) {
	n := e.Graph().Node(i)
	t := w.template(n)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: make(map[string]string), Annotations: make(map[string]string)},
		Spec:       w.podSpec(t),
	}
	for _, from := range []podMetadata{w.spec.PodMetadata, t.Metadata} {
		maps.Copy(pod.Labels, from.Labels)
		maps.Copy(pod.Annotations, from.Annotations)
	}
	if err := setContainers(pod, t); err != nil {
		return nil, err
	}
	pod, err := w.filled(pod, t, e, i)
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", t.Name, err)
	}
	pod.Namespace, pod.Name = w.Namespace, Name(n)
	if pod.Annotations == nil {
		pod.Annotations = make(map[string]string)
	}
	pod.Annotations[podstatus.NodeID], pod.Annotations[podstatus.NodeName] = n.ID(), n.Name()
	if err := w.spec.PodGC.mark(pod); err != nil {
		return nil, err
	}
	return pod, nil
}

// filled puts values in place of the variables of a pod, and its deadline, which may be one.
func (w *Workflow) filled(pod *corev1.Pod, t *templateFields, e *propagate.Engine, i nodegraph.Index) (*corev1.Pod, error) {
	raw, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	v := valuer{w, e}
	values := v.of(i)
	values["pod.name"] = Name(e.Graph().Node(i))
	full := fill(string(raw), values)
	if err := unfilled(full); err != nil {
		return nil, err
	}
	pod = &corev1.Pod{}
	if err := json.Unmarshal([]byte(full), pod); err != nil {
		return nil, err
	}
	if t.ActiveDeadlineSeconds != nil {
		var seconds int64
		if _, err := fmt.Sscanf(fill(t.ActiveDeadlineSeconds.String(), values), "%d", &seconds); err != nil || seconds < 1 {
			return nil, fmt.Errorf("activeDeadlineSeconds: want a positive number, found %s", t.ActiveDeadlineSeconds)
		}
		pod.Spec.ActiveDeadlineSeconds = &seconds
	}
	return pod, nil
}

// inOrder tells the containers that run one after the other from those that run at once after all of them. It is not ok where that
// is not the order of the user.
func (s *setFields) inOrder() (first, last []setContainer, ok bool) {
	done := make(map[string]bool)
	waits := func(c setContainer) bool {
		return slices.ContainsFunc(c.Dependencies, func(name string) bool { return !done[name] })
	}
	for last = slices.Clone(s.Containers); slices.ContainsFunc(last, waits); {
		next := slices.IndexFunc(last, func(c setContainer) bool { return !waits(c) })
		if next < 0 || slices.ContainsFunc(last[next+1:], func(c setContainer) bool { return !waits(c) }) {
			return nil, nil, false // nobody can begin, or more than one
		}
		first = append(first, last[next])
		done[last[next].Name] = true
		last = slices.Delete(last, next, next+1)
	}
	return first, last, true
}

// setContainers adds the containers that the user gave.
func setContainers(pod *corev1.Pod, t *templateFields) error {
	var main corev1.Container
	switch {
	case t.ContainerSet != nil:
		first, last, _ := t.ContainerSet.inOrder() // Read has looked at it
		var names []string
		for _, c := range first {
			c.VolumeMounts = slices.Concat(c.VolumeMounts, t.ContainerSet.VolumeMounts)
			pod.Spec.InitContainers, names = append(pod.Spec.InitContainers, c.Container), append(names, c.Name)
		}
		for _, c := range last {
			c.VolumeMounts = slices.Concat(c.VolumeMounts, t.ContainerSet.VolumeMounts)
			pod.Spec.Containers = append(pod.Spec.Containers, c.Container)
		}
		if len(names) > 0 {
			pod.Annotations[podstatus.Ordered] = strings.Join(names, ",")
		}
		return nil
	case t.Container != nil:
		main = *t.Container
	case t.Script != nil:
		main = t.Script.Container
		main.Args = append(slices.Clone(main.Args), scriptDirectory+"/script")
		main.VolumeMounts = append(slices.Clone(main.VolumeMounts), corev1.VolumeMount{Name: "nodestatus-script", MountPath: scriptDirectory})
		pod.Annotations[ScriptAnnotation] = t.Script.Source
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "nodestatus-script", VolumeSource: corev1.VolumeSource{
			DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{
				Path: "script", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + ScriptAnnotation + "']"},
			}}},
		}})
	default:
		return errors.New("pods are made from container, script and containerSet templates only")
	}
	main.Name = "main"
	pod.Spec.Containers = []corev1.Container{main}
	return nil
}
