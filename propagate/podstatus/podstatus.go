// Package podstatus turns a Kubernetes pod into what package propagate observes of it.
//
// It is a module of its own, because it needs the types of Kubernetes, which the library does not.
//
// It decides nothing: it only leaves out what decides no node's status. Some things need a word.
//
//   - A pod that is being deleted (it has a deletionTimestamp) still exists, and its containers may still end well within
//     the grace period. So it is told as it looks. It counts as gone when the object is gone, which only a list, a watch
//     or a look-up can tell.
//   - Phase Unknown, which only controllers of old clusters set, says that a node does not answer. That is no end: the
//     pod is told as running if a container was seen to start and as pending if not. What becomes of it shows when the
//     node is back, or when the pod is collected.
//   - When the pod was created is left out. Kubernetes keeps the second only, and of the pods of one node there is one at a
//     time, because they have one name: the one that is there is the newest. An engine that was restored from a record,
//     which names no pods, takes it for the one that the record tells of.
//   - Init containers that go on running (restartPolicy Always, "sidecars") never decide how a pod ends, so they are
//     left out.
//   - Init containers that do the work of the node, one after the other, are named by the annotation [Ordered]. They are told
//     with the other containers. Once one of them has begun the pod runs, although Kubernetes calls it Pending.
package podstatus

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodestatus/nodestatus/propagate"
)

// The annotations by which a pod names its node. Argo's controller sets the same.
const (
	NodeID   = "workflows.argoproj.io/node-id"   // the id of the node; [Of] reads it first
	NodeName = "workflows.argoproj.io/node-name" // the name of the node, for pods without an id
)

// Ordered is the annotation that names the init containers which are containers of the node, with commas between them.
const Ordered = "nodestatus.example/ordered"

// Of returns what is observed of a pod. It shares nothing with the pod.
func Of(pod *corev1.Pod) propagate.PodStatus {
	s := propagate.PodStatus{
		Node: pod.Annotations[NodeID], Name: pod.Name, UID: string(pod.UID),
		Phase: phase(pod), Reason: pod.Status.Reason, Message: pod.Status.Message,
		Init: initContainers(pod), Containers: containers(pod.Status.ContainerStatuses),
	}
	if names := pod.Annotations[Ordered]; names != "" {
		s.RunsInOrder(strings.Split(names, ",")...)
	}
	if s.Node == "" {
		s.Node = pod.Annotations[NodeName]
	}
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Status == corev1.ConditionTrue:
			s.Conditions = append(s.Conditions, string(c.Type))
		case c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable:
			s.Unschedulable, s.UnschedulableMessage = true, c.Message
		}
	}
	return s
}

// phase is the phase of the pod, where Unknown says nothing new, and no phase that no API server has stored the pod yet.
func phase(pod *corev1.Pod) propagate.PodPhase {
	switch pod.Status.Phase {
	case "":
		return propagate.PodPhasePending
	case corev1.PodUnknown:
	default:
		return propagate.PodPhase(pod.Status.Phase)
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Running != nil || c.State.Terminated != nil {
			return propagate.PodPhaseRunning
		}
	}
	return propagate.PodPhasePending
}

// initContainers are those that must end before the others start.
func initContainers(pod *corev1.Pod) []propagate.ContainerStatus {
	sidecar := make(map[string]bool)
	for _, c := range pod.Spec.InitContainers {
		sidecar[c.Name] = c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	}
	var list []corev1.ContainerStatus
	for _, c := range pod.Status.InitContainerStatuses {
		if !sidecar[c.Name] {
			list = append(list, c)
		}
	}
	return containers(list)
}

func containers(in []corev1.ContainerStatus) []propagate.ContainerStatus {
	var out []propagate.ContainerStatus
	for _, c := range in {
		s := propagate.ContainerStatus{Name: c.Name, Ready: c.Ready}
		switch state := c.State; {
		case state.Terminated != nil:
			s.Terminated, s.ExitCode, s.Finished = true, int(state.Terminated.ExitCode), state.Terminated.FinishedAt.UTC()
			s.Reason, s.Message = state.Terminated.Reason, state.Terminated.Message
		case state.Running != nil:
			s.Running = true
		default: // a state without any of the three is waiting
			s.Waiting = true
			if state.Waiting != nil {
				s.Reason, s.Message = state.Waiting.Reason, state.Waiting.Message
			}
		}
		out = append(out, s)
	}
	return out
}
