package podspec

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// ScriptAnnotation is where a pod keeps its script; it is mounted into the container.
const (
	ScriptAnnotation = "nodestatus.example/script"
	scriptDirectory  = "/nodestatus"
)

// podSpec is what the workflow and the template say of the pod; where both do the template counts, as in Argo.
func (w *Workflow) podSpec(t *templateFields) corev1.PodSpec {
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
