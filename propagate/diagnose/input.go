package diagnose

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// DefaultPatience is how long a controller may take for what it can do at any time.
const DefaultPatience = 10 * time.Minute

// podPatience is how many times as long a pod or the cluster may take for what they owe.
const podPatience = 6

// An Input is a workflow as it was recorded.
type Input struct {
	Spec     *nodegraph.Spec       // what the workflow is to do
	Snapshot nodegraph.Snapshot    // what the record says of it
	Pods     []propagate.PodStatus // all the pods of the workflow that exist; nil if that is not known
	PodInfo  map[string]PodInfo    // what else is known of pods, by name
	Listed   *Pods                 // what the list was that pods were taken from; nil if nobody says
	Holdings []Holding             // the locks recorded as held; nil if that is not known
	Now      time.Time             // zero if not known; then nothing counts as late
	Patience time.Duration         // 0 means DefaultPatience; pods and the cluster get six times as long

	Namespace  string    // of the workflow
	Awaited    []Awaited // the locks recorded as awaited
	Unreported []string  // ids of nodes of which the status says that their results are not complete
	Healed     time.Time // when somebody healed it; zero if nobody did, or that is not known
	Stopped    time.Time // when somebody asked for the shutdown; zero if not known
	Deleted    time.Time // when somebody asked for the deletion of the workflow; zero if nobody did
	Finalizers []string  // of the workflow
	Unwatched  bool      // its label says that it is complete: the controller does not look at it

	Unresolved []argo.Unresolved // what the specification leaves to the controller, and what that counts as here

	// StoresOutputs reports whether the controller may store more than the end with a DAG or Steps of a template that succeeds:
	// see [argo.Workflow.StoresOutputs]. Nil means that it may with any.
	StoresOutputs func(*nodegraph.Template) bool
}

// Awaited is a lock that the status records as awaited, and who holds the lock as the status says.
type Awaited struct {
	Key     string   // of the lock
	Holders []string // namespace/workflow or namespace/workflow/node, without this workflow
	Own     []string // ids of holders in this workflow, empty for the workflow itself
}

// FromWorkflow returns the input that a workflow itself holds. Its pods and the time are the caller's to add.
func FromWorkflow(w *argo.Workflow) (Input, error) {
	d, err := w.Details()
	if err != nil {
		return Input{}, err
	}
	in := Input{
		Spec: specOf(w), Snapshot: w.Snapshot, Namespace: w.Namespace, Unresolved: w.Unresolved,
		StoresOutputs: w.StoresOutputs, Unreported: d.Unreported, Healed: d.Healed, Stopped: d.Stopped, Deleted: d.Deleted, Finalizers: d.Finalizers,
		Unwatched: d.Unwatched,
	}
	if !d.Synchronized {
		return in, nil
	}
	in.Holdings = []Holding{}
	for _, use := range d.Holding {
		for _, user := range use.Users {
			if ours, node := w.Names(user); ours {
				in.Holdings = append(in.Holdings, Holding{Key: use.Key, Node: node, user: user})
			}
		}
	}
	for _, use := range d.Waiting {
		a := Awaited{Key: use.Key}
		for _, user := range use.Users {
			if ours, node := w.Names(user); ours {
				a.Own = append(a.Own, node)
			} else if !slices.Contains(a.Holders, user) {
				a.Holders = append(a.Holders, user)
			}
		}
		in.Awaited = append(in.Awaited, a)
	}
	return in, nil
}

// A Holding is one lock that the status records as held.
type Holding struct {
	Key  string // as in [nodegraph.Lock]
	Node string // id of the node, empty for the workflow itself

	user string // as the status names it
}

// UsePods makes pods those of the input.
func (in *Input) UsePods(pods *Pods) { in.Pods, in.PodInfo, in.Listed = pods.Own, pods.Info, pods }
