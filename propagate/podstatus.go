package propagate

import (
	"slices"
	"time"
)

// A PodPhase is the phase of a pod, in Kubernetes' words.
type PodPhase string

// The phases that a pod can have. Kubernetes has no other, and SyncPods takes no other.
const (
	PodPhasePending   PodPhase = "Pending"   // it exists, and not all of its containers could be started yet
	PodPhaseRunning   PodPhase = "Running"   // it has a machine, and some container runs or is about to
	PodPhaseSucceeded PodPhase = "Succeeded" // all its containers ended with exit code 0
	PodPhaseFailed    PodPhase = "Failed"    // all its containers ended, one of them badly, or it was evicted or ended as a whole
	PodPhaseUnknown   PodPhase = "Unknown"   // its machine does not answer: the node ends in Error, as in Argo
)

// known reports whether Kubernetes has the phase.
func (p PodPhase) known() bool {
	switch p {
	case PodPhasePending, PodPhaseRunning, PodPhaseSucceeded, PodPhaseFailed, PodPhaseUnknown:
		return true
	}
	return false
}

// A PodStatus is a pod as the cluster reports it, reduced to what decides a node's status.
//
// A pod is judged by its own end: a container that runs on keeps its node open, a sidecar as well. Where a pod has failed, one
// container says why, and its exit code is the node's. That is the one that does the node's work (see
// nodegraph.Template.MainContainer) if that ended badly, else one beside it, unless that was killed (exit code 137 or 143). A pod
// of which nobody says which of several containers does the work has failed whichever failed.
type PodStatus struct {
	Node    string    // id or name of the node the pod is for
	UID     string    // tells the pod from others of the node; empty if the host does not know
	Created time.Time // orders the pods of the node; zero if the host does not know
	Name    string    // for messages
	Phase   PodPhase  // decides how its node stands; a list with any other than the five is refused
	Reason  string    // of a failed pod, such as Evicted; empty where its containers say why
	Message string    // of a failed pod: what its node says, in place of the containers' words; empty for those

	// Unschedulable says that the reason of the pod's PodScheduled condition is Unschedulable.
	Unschedulable        bool
	UnschedulableMessage string            // the message of that condition
	Init, Containers     []ContainerStatus // the containers that run before the others, and the others
	Conditions           []string          // types of the conditions that are true; failure rules and DisruptionTarget look at them
}

// RunsInOrder says that the named init containers are containers of the node, which run one after the other before its others do.
// They become the first of Containers. Once one of them has begun the pod runs, although Kubernetes calls it Pending until all
// init containers have ended.
func (s *PodStatus) RunsInOrder(names ...string) {
	var init, ordered []ContainerStatus
	for _, c := range s.Init {
		if !slices.Contains(names, c.Name) {
			init = append(init, c)
			continue
		}
		ordered = append(ordered, c)
		if s.Phase == PodPhasePending && (c.Running || c.Terminated) {
			s.Phase = PodPhaseRunning
		}
	}
	s.Init, s.Containers = init, append(ordered, s.Containers...)
}

// A ContainerStatus is the state of one container of a pod. At most one of Waiting, Running and Terminated is set; a container of
// which nothing is said waits.
type ContainerStatus struct {
	Name                         string    // as the pod has it: the template and Argo's own names say which does the node's work
	Waiting, Running, Terminated bool      // the state that it is in
	Reason, Message              string    // of the waiting or terminated state
	ExitCode                     int       // of the terminated state
	Finished                     time.Time // of the terminated state; zero if nobody knows
	Ready                        bool      // it serves: a daemon is ready once all containers of its pod are
}

// states is how many states the container is said to be in.
func (c *ContainerStatus) states() int {
	n := 0
	for _, is := range [...]bool{c.Waiting, c.Running, c.Terminated} {
		if is {
			n++
		}
	}
	return n
}

// A style is how messages about failed containers are put: whether they are bare, without the container's name.
type style bool

// of puts what a container's end says.
func (bare style) of(c *ContainerStatus, text string) string {
	if bare {
		return text
	}
	return c.Name + ": " + text
}

// checkPods says which pod of a list looks as no pod can. Nothing has been changed when it is called.
func checkPods(pods []PodStatus) error {
	for k := range pods {
		p := &pods[k]
		if !p.Phase.known() {
			return p.refused(k, "phase", string(p.Phase), "a pod is Pending, Running, Succeeded, Failed or Unknown")
		}
		for _, list := range [...][]ContainerStatus{p.Init, p.Containers} {
			for c := range list {
				if list[c].states() > 1 {
					return p.refused(k, "state of container", list[c].Name, "")
				}
			}
		}
	}
	return nil
}

// refused is the error for pod k of a list, a field of which has a value that no pod has.
func (s *PodStatus) refused(k int, field, value, hint string) *EventError {
	pod := *s
	return &EventError{Index: k, Pod: &pod, Node: s.Node, Field: field, Value: value, Err: ErrInvalid, Hint: hint}
}
