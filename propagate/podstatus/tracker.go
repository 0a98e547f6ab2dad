package podstatus

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// Ended reports whether a pod has come to its end.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// Over reports whether nothing more happens to a pod: it has ended, or it is deleted and nothing but finalizers holds it. The kubelet
// deletes a pod without grace when its containers are gone; so does whoever gives up a machine.
func Over(pod *corev1.Pod) bool {
	return Ended(pod) || pod.DeletionTimestamp != nil && pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0
}

// A Tracker remembers how the pods of one workflow looked when its engine was told of them last. The zero value knows of none. It is
// for a host that holds its pods by a finalizer, and lists them all.
type Tracker struct {
	told map[types.UID]string // the resourceVersion of each pod
}

// Changed returns what an engine is to be told of by [propagate.Engine.SyncChanged]: the pods of a list that look different from what
// it was told, and those that are gone. A pod is gone that is over without an end of its own, and one that the engine takes for alive
// and that is not listed. How a pod looked is to be told before that it is gone.
func (t *Tracker) Changed(e *propagate.Engine, pods []*corev1.Pod) (changed, gone []propagate.PodStatus) {
	told := make(map[types.UID]string, len(pods))
	for _, pod := range pods {
		told[pod.UID] = pod.ResourceVersion
		if t.told[pod.UID] == pod.ResourceVersion {
			continue
		}
		changed = append(changed, Of(pod))
		if Over(pod) && !Ended(pod) {
			gone = append(gone, propagate.PodStatus{Node: pod.Annotations[NodeID], UID: string(pod.UID)})
		}
	}
	t.told = told
	for _, i := range Missing(e, pods) {
		gone = append(gone, propagate.PodStatus{Node: e.Graph().Node(i).ID(), UID: e.Fact(i).UID})
	}
	return changed, gone
}

// Missing lists the nodes that have a pod which is alive, as far as an engine knows, and none in a list. An engine that was restored
// from a record does not know the UID of such a pod, and the list may be older than the record: a host looks it up then.
func Missing(e *propagate.Engine, pods []*corev1.Pod) (nodes []nodegraph.Index) {
	listed := make(map[string]bool, len(pods))
	for _, pod := range pods {
		listed[pod.Annotations[NodeID]] = true
	}
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if n := e.Graph().Node(i); n.Kind != nodegraph.KindPod || listed[n.ID()] {
			continue
		}
		if stage := e.Fact(i).Stage; stage == fact.StagePending || stage == fact.StageRunning {
			nodes = append(nodes, i)
		}
	}
	return nodes
}
