package diagnose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// Pods are the pods of one workflow, out of a list that may hold those of others.
type Pods struct {
	Own       []propagate.PodStatus // of this workflow
	Info      map[string]PodInfo    // what else the pods say, by name
	Foreign   int                   // pods of other workflows or namespaces
	Nameless  []string              // pods that say they are of this workflow and name no node, other than agents
	Workflows []string              // the other workflows, as far as pods name them, each once
}

// podObject is the part of a pod that says whose it is.
type podObject struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Deleted     time.Time         `json:"deletionTimestamp"`
		Finalizers  []string          `json:"finalizers"`
		Owners      []struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Status struct {
		Phase      string `json:"phase"`
		Conditions []struct {
			Type   string    `json:"type"`
			Status string    `json:"status"`
			Reason string    `json:"reason"`
			Since  time.Time `json:"lastTransitionTime"`
		} `json:"conditions"`
	} `json:"status"`
}

// A PodIndex is a list of pods of any number of workflows.
type PodIndex struct {
	items []json.RawMessage
	pods  []podObject
}

// ReadPodIndex reads what kubectl prints of pods, as JSON or YAML, a list or one pod.
func ReadPodIndex(data []byte) (*PodIndex, error) {
	items, err := podItems(data)
	if err != nil {
		return nil, err
	}
	x := &PodIndex{items: items, pods: make([]podObject, len(items))}
	for k, item := range items {
		pod := &x.pods[k]
		if err := json.Unmarshal(item, pod); err != nil {
			return nil, fmt.Errorf("pods: items[%d]: %w", k, err)
		}
		if pod.Kind != "" && pod.Kind != "Pod" {
			return nil, fmt.Errorf("pods: items[%d]: want a Pod, found kind %q", k, pod.Kind)
		}
	}
	return x, nil
}

// Of returns the pods of one workflow. A pod belongs to the workflow that its label names, else to the one that owns it. One that
// names neither is told by its node.
func (x *PodIndex) Of(namespace, name string) (*Pods, error) {
	list := &Pods{Info: make(map[string]PodInfo)}
	var own []json.RawMessage
	for k := range x.pods {
		if list.take(&x.pods[k], namespace, name) {
			own = append(own, x.items[k])
		}
	}
	text, err := json.Marshal(map[string]any{"kind": "List", "items": own})
	if err != nil {
		return nil, err
	}
	if list.Own, err = replay.ReadPods(text); list.Own == nil {
		list.Own = []propagate.PodStatus{}
	}
	return list, err
}

// ReadPods reads a list as [ReadPodIndex] does and keeps the pods of one workflow.
func ReadPods(data []byte, namespace, name string) (*Pods, error) {
	x, err := ReadPodIndex(data)
	if err != nil {
		return nil, err
	}
	return x.Of(namespace, name)
}

// take counts a pod, and reports whether it is of the workflow.
func (l *Pods) take(pod *podObject, namespace, name string) bool {
	meta := &pod.Metadata
	of := meta.Labels[LabelWorkflow]
	for _, owner := range meta.Owners {
		if owner.Kind == "Workflow" && of == "" {
			of = owner.Name
		}
	}
	node := meta.Annotations["workflows.argoproj.io/node-name"]
	if node == "" {
		node = meta.Annotations["workflows.argoproj.io/node-id"]
	}
	stranger := of == "" && !ofWorkflow(node, name) // what names neither workflow nor node is no pod of any workflow
	if stranger || of != "" && of != name || meta.Namespace != "" && namespace != "" && meta.Namespace != namespace {
		l.Foreign++
		if of != "" && of != name && len(l.Workflows) < 3 && !slices.Contains(l.Workflows, of) {
			l.Workflows = append(l.Workflows, of)
		}
		return false
	}
	if node == "" && !strings.HasSuffix(meta.Name, "-agent") && meta.Labels["workflows.argoproj.io/component"] == "" {
		l.Nameless = append(l.Nameless, meta.Name)
	}
	info := PodInfo{Deleted: meta.Deleted, Finalizers: meta.Finalizers}
	for _, c := range pod.Status.Conditions {
		if c.Type == "Ready" && (c.Status == "Unknown" || c.Reason == "NodeStatusUnknown" || c.Reason == "NodeLost") {
			info.Lost = c.Since
		}
	}
	l.Info[meta.Name] = info
	return true
}

// ofWorkflow reports whether a node, by its name or id, can be one of a workflow.
func ofWorkflow(node, workflow string) bool {
	rest, ok := strings.CutPrefix(node, workflow)
	return ok && (rest == "" || strings.ContainsRune(".-[(", rune(rest[0])))
}

// podItems are the pods of a list, or the one pod.
func podItems(data []byte) ([]json.RawMessage, error) {
	data, err := argo.Text(data)
	if err != nil {
		return nil, inPods(err)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	switch {
	case !utf8.Valid(data):
		return nil, errors.New("pods: the input is not UTF-8")
	case len(data) == 0:
		return nil, errors.New("pods: the input is empty: kubectl get pods -o json prints a list also where there are none")
	case data[0] == '[':
		var items []json.RawMessage
		err := json.Unmarshal(data, &items)
		return items, inPods(err)
	case data[0] != '{':
		text, err := yaml.YAMLToJSON(data)
		if err != nil {
			return nil, inPods(err)
		}
		data = text
	}
	var list struct {
		Kind  string            `json:"kind"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, errors.New("pods: want a List of pods as kubectl get pods -o json prints it, found something else")
	}
	switch list.Kind {
	case "Pod":
		return []json.RawMessage{data}, nil
	case "List", "PodList":
		return list.Items, nil
	case "":
		if list.Items != nil {
			return list.Items, nil
		}
	}
	return nil, fmt.Errorf("pods: want a List of pods as kubectl get pods -o json prints it, found kind %q", list.Kind)
}

func inPods(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pods: %w", err)
}

// LabelWorkflow is the label by which a pod names its workflow.
const LabelWorkflow = "workflows.argoproj.io/workflow"

// PodInfo is what a pod says besides its status.
type PodInfo struct {
	Deleted    time.Time // metadata.deletionTimestamp
	Finalizers []string  // metadata.finalizers
	Lost       time.Time // since when nothing was heard of its machine; zero if it is heard of
}
