package retry

import "slices"

// ReasonPodDeleted is the reason of an attempt whose pod was deleted by something other than the workflow.
const ReasonPodDeleted = "PodDeleted"

// DisruptionTarget is the condition that Kubernetes sets on a pod it is about to disrupt.
const DisruptionTarget = "DisruptionTarget"

// disruptionReasons are the pod status reasons that say the infrastructure ended the pod, not its program.
var disruptionReasons = []string{
	"Evicted",                                                        // kubelet: node pressure, or the eviction API
	"Preempting",                                                     // kubelet: made room for a critical pod
	"Preempted",                                                      // scheduler
	"NodeLost",                                                       // node controller: the node does not answer
	"NodeShutdown",                                                   // kubelet: graceful shutdown of the node
	"Terminated",                                                     // kubelet: graceful shutdown of the node, later versions
	"Shutdown",                                                       // cloud providers
	"NodeAffinity",                                                   // kubelet: the node does not match any more
	"UnexpectedAdmissionError",                                       // kubelet
	"OutOfcpu", "OutOfmemory", "OutOfpods", "OutOfephemeral-storage", // kubelet: admission lost a race
	"TaintManagerEviction", "DeletionByTaintManager",
	"DeletionByPodGC", "EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet",
	ReasonPodDeleted,
}

// IsDisruption reports whether a pod status reason says that the infrastructure ended the pod.
func IsDisruption(reason string) bool { return slices.Contains(disruptionReasons, reason) }

func disrupted(a *Attempt) bool {
	return IsDisruption(a.Reason) || slices.Contains(a.Conditions, DisruptionTarget)
}
