package podspec

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// gcAnnotation keeps the strategy of podGC and its delay on a pod, such as "OnPodSuccess 5s".
const gcAnnotation = "nodestatus.example/pod-gc"

// A podGC says when pods are deleted that have ended.
type podGC struct {
	// Strategy is OnPodCompletion, OnPodSuccess, OnWorkflowCompletion or OnWorkflowSuccess; empty for never.
	Strategy            string                `json:"strategy"`
	LabelSelector       *metav1.LabelSelector `json:"labelSelector"`
	DeleteDelayDuration string                `json:"deleteDelayDuration"` // as time.ParseDuration reads it, or a number of seconds
}

// A ttlStrategy says for how many seconds a complete Workflow is kept; nil for ever. What is said of the way in which it ended counts.
type ttlStrategy struct {
	SecondsAfterCompletion *int64 `json:"secondsAfterCompletion"`
	SecondsAfterSuccess    *int64 `json:"secondsAfterSuccess"`
	SecondsAfterFailure    *int64 `json:"secondsAfterFailure"`
}

// mark notes on a pod what podGC wants of it.
func (gc *podGC) mark(pod *corev1.Pod) error {
	if gc == nil || gc.Strategy == "" {
		return nil
	}
	switch gc.Strategy {
	case "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess":
	default:
		return fmt.Errorf("podGC: there is no strategy %q", gc.Strategy)
	}
	selector, err := metav1.LabelSelectorAsSelector(gc.LabelSelector)
	if gc.LabelSelector == nil {
		selector = labels.Everything()
	}
	delay := cmp.Or(gc.DeleteDelayDuration, "5s") // as in Argo
	if _, number := strconv.Atoi(delay); number == nil {
		delay += "s"
	}
	if _, invalid := time.ParseDuration(delay); err != nil || invalid != nil {
		return fmt.Errorf("podGC: %w", cmp.Or(err, invalid))
	}
	if selector.Matches(labels.Set(pod.Labels)) {
		pod.Annotations[gcAnnotation] = gc.Strategy + " " + delay
	}
	return nil
}

// A Fate is what is to become of a pod that is over, once its end is on record.
type Fate struct {
	Held    bool      // until the workflow is complete
	Deleted bool      // at a time; else it is let go and stays
	At      time.Time // when it is deleted: the delay after the pod's end
}

// FateOf is what podGC says of a pod that [Workflow.Pod] has made, in a workflow that is complete or not, and has succeeded or not. It
// needs nothing but the pod, so it can be carried out when the workflow is not in memory any more.
func FateOf(pod *corev1.Pod, complete, succeeded bool) Fate {
	strategy, delay, _ := strings.Cut(pod.Annotations[gcAnnotation], " ")
	f := Fate{At: endOf(pod)}
	switch strategy {
	case "OnPodCompletion":
		f.Deleted = true
	case "OnPodSuccess":
		f.Deleted = pod.Status.Phase == corev1.PodSucceeded
	case "OnWorkflowCompletion":
		f.Held, f.Deleted = !complete, complete
	case "OnWorkflowSuccess":
		f.Held, f.Deleted = !complete, complete && succeeded
	}
	if wait, err := time.ParseDuration(delay); err == nil { // it was looked at when the pod was made
		f.At = f.At.Add(wait)
	}
	return f
}

// endOf is when the last container of a pod has ended; if nobody says, when the pod was created.
func endOf(pod *corev1.Pod) time.Time {
	last := pod.CreationTimestamp.Time
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && t.FinishedAt.After(last) {
			last = t.FinishedAt.Time
		}
	}
	return last
}

// Expires returns when the Workflow is to be deleted, if it has ended with a phase at a time and its ttlStrategy says that it is.
func (w *Workflow) Expires(phase nodegraph.Phase, finished time.Time) (at time.Time, ok bool) {
	ttl := w.spec.TTLStrategy
	if ttl == nil || !phase.Completed() {
		return time.Time{}, false
	}
	own := ttl.SecondsAfterFailure
	if phase == nodegraph.PhaseSucceeded {
		own = ttl.SecondsAfterSuccess
	}
	seconds := cmp.Or(own, ttl.SecondsAfterCompletion)
	if seconds == nil {
		return time.Time{}, false
	}
	return finished.Add(time.Duration(max(*seconds, 0)) * time.Second), true
}
