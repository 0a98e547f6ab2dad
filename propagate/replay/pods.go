package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
)

// The annotations by which Argo's controller finds the node of a pod.
const (
	annotationNodeID   = "workflows.argoproj.io/node-id"
	annotationNodeName = "workflows.argoproj.io/node-name"
)

// annotationOrdered names init containers that are containers of the node, as package podstatus has it.
const annotationOrdered = "nodestatus.example/ordered"

// podJSON is the part of a Kubernetes pod that decides status.
type podJSON struct {
	Metadata struct {
		Name        string            `json:"name"`
		UID         string            `json:"uid"`
		Created     time.Time         `json:"creationTimestamp"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Status struct {
		Phase      string          `json:"phase"`
		Reason     string          `json:"reason"`
		Message    string          `json:"message"`
		Conditions []conditionJSON `json:"conditions"`
		Init       []containerJSON `json:"initContainerStatuses"`
		Containers []containerJSON `json:"containerStatuses"`
	} `json:"status"`
}

type conditionJSON struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type containerJSON struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	State struct {
		Waiting    *stateJSON `json:"waiting"`
		Running    *stateJSON `json:"running"`
		Terminated *stateJSON `json:"terminated"`
	} `json:"state"`
}

type stateJSON struct {
	Reason   string    `json:"reason"`
	Message  string    `json:"message"`
	ExitCode int       `json:"exitCode"`
	Finished time.Time `json:"finishedAt"`
}

// ReadPods reads what `kubectl get pods -o json` prints, a list or one pod, into observations.
func ReadPods(data []byte) ([]propagate.PodStatus, error) {
	var list struct {
		Kind  string    `json:"kind"`
		Items []podJSON `json:"items"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("replay: pods: %w", err)
	}
	if list.Kind == "Pod" {
		list.Items = make([]podJSON, 1)
		if err := json.Unmarshal(data, &list.Items[0]); err != nil {
			return nil, fmt.Errorf("replay: pods: %w", err)
		}
	}
	pods := make([]propagate.PodStatus, len(list.Items))
	for k := range list.Items {
		pods[k] = list.Items[k].status()
	}
	return pods, nil
}

func (p *podJSON) status() propagate.PodStatus {
	s := propagate.PodStatus{
		Node: p.Metadata.Annotations[annotationNodeID], UID: p.Metadata.UID, Created: p.Metadata.Created, Name: p.Metadata.Name,
		Phase: cmp.Or(propagate.PodPhase(p.Status.Phase), propagate.PodPhasePending), Reason: p.Status.Reason, Message: p.Status.Message,
		Init: containerStatuses(p.Status.Init), Containers: containerStatuses(p.Status.Containers),
	}
	if s.Node == "" {
		s.Node = p.Metadata.Annotations[annotationNodeName]
	}
	if names := p.Metadata.Annotations[annotationOrdered]; names != "" {
		s.RunsInOrder(strings.Split(names, ",")...)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == "PodScheduled" && c.Reason == "Unschedulable" {
			s.Unschedulable, s.UnschedulableMessage = true, c.Message
		}
		if c.Status == "True" {
			s.Conditions = append(s.Conditions, c.Type)
		}
	}
	return s
}

func containerStatuses(in []containerJSON) []propagate.ContainerStatus {
	out := make([]propagate.ContainerStatus, 0, len(in))
	for _, c := range in {
		s := propagate.ContainerStatus{Name: c.Name, Ready: c.Ready}
		state := c.State.Waiting
		switch {
		case c.State.Terminated != nil:
			s.Terminated, state = true, c.State.Terminated
			s.ExitCode, s.Finished = state.ExitCode, state.Finished
		case c.State.Running != nil:
			s.Running, state = true, nil
		case state != nil:
			s.Waiting = true
		}
		if state != nil {
			s.Reason, s.Message = state.Reason, state.Message
		}
		out = append(out, s)
	}
	return out
}
