// Package shards divides workflows among the replicas of a controller, such that a lock is granted by one of them alone.
//
// It is a module of its own, because it needs controller-runtime, which the library does not.
//
// A [Division] has any number of shards. Each is led by the replica that has its lease, with a cache of its own part of the workflows
// and pods, told apart by [Label]. A workflow belongs to a shard by its uid or, where it names mutexes or semaphores, by the namespace
// of these. So all that share a lock share a leader, which alone grants it, from one [propagate.LockTable].
//
// # What a controller does
//
//   - It runs a manager for each shard. The election of its leader goes by [Replica.Lease], which spreads the shards over the replicas.
//     Its caches select [Shard.Unfinished] workflows and [Shard.Watched] pods, and the pods that it creates have [Shard.Labels].
//   - It runs one more manager, with [Division.AddAssigners], that labels what is in no shard yet.
//   - A leader asks [Shard.Ready] before it adopts what it leads, and waits as long as the answer is [ErrNotReady].
//   - It refuses a workflow for which [Shard.Covers] returns an error.
//
// # Another number of shards
//
// The number may change while workflows run. Leaders of the new shards wait until nobody leads an old one, and until all workflows and
// pods that there are have got a new label. A pod whose workflow is over is deleted before it gets one, because the lock under
// which it runs may be another shard's.
package shards

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// The labels that decide who looks at a workflow or a pod.
const (
	Label         = "nodestatus.example/shard"                    // the shard: "0-of-4"; with one shard there is none
	LabelInstance = "workflows.argoproj.io/controller-instanceid" // which of several controllers is to run a workflow, as in Argo
	LabelWorkflow = "workflows.argoproj.io/workflow"              // of pods: the name of the workflow, as in Argo
	LabelPhase    = "workflows.argoproj.io/phase"                 // of workflows that have begun, as in Argo
)

// A Division is how the workflows of a controller are divided.
type Division struct {
	Count          int                     // of shards; 0 is 1
	Instance       string                  // the value of LabelInstance that workflows and pods must have; empty: they must have none
	Kind           schema.GroupVersionKind // of workflows
	Namespace      string                  // the only one that is served; empty: all
	LeaseNamespace string                  // of the leases
}

// Shard returns shard k of the division.
func (d Division) Shard(k int) Shard { return Shard{d, k} }

// shards are the values of Label.
func (d Division) shards() (values []string) {
	for k := range d.Count {
		values = append(values, d.Shard(k).String())
	}
	return values
}

// of adds to a selector that things are of the instance.
func (d Division) of(selector labels.Selector) labels.Selector {
	instance := requirement(LabelInstance, selection.DoesNotExist)
	if d.Instance != "" {
		instance = requirement(LabelInstance, selection.In, d.Instance)
	}
	return selector.Add(instance)
}

// unassigned selects what has a label, is not finished, and is in none of the shards.
func (d Division) unassigned(having ...string) labels.Selector {
	selector := d.of(labels.NewSelector()).Add(requirement(Label, selection.NotIn, d.shards()...), unfinished())
	for _, label := range having {
		selector = selector.Add(requirement(label, selection.Exists))
	}
	return selector
}

func unfinished() labels.Requirement {
	return requirement(argo.LabelCompleted, selection.NotIn, "true")
}

// requirement is what a label must be.
func requirement(label string, is selection.Operator, values ...string) labels.Requirement {
	r, err := labels.NewRequirement(label, is, values)
	if err != nil {
		panic(err) // the labels and values are those of this package, and the instance, which is part of the names of leases
	}
	return *r
}

// home says where a workflow belongs. The error is that of a workflow whose locks are of two namespaces and would need two leaders.
func (d Division) home(uid string, spec *nodegraph.Spec) (k int, locks bool, err error) {
	var namespaces []string
	if spec != nil {
		spec.EachLock(func(l *nodegraph.Lock) {
			namespace, _, _ := strings.Cut(l.Key, "/")
			namespaces = append(namespaces, namespace)
		})
	}
	key := uid
	if namespaces = slices.Compact(namespaces); len(namespaces) > 0 {
		key = "locks of " + namespaces[0]
	}
	if len(namespaces) > 1 {
		err = fmt.Errorf("its locks are of the namespaces %s and %s: with several shards they must be of one", namespaces[0], namespaces[1])
	}
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(max(d.Count, 1))), len(namespaces) > 0, err
}

// A Shard is one part of the workflows of a Division.
type Shard struct {
	Division
	Index int // from 0
}

// String is the value of Label: "0-of-4".
func (s Shard) String() string { return fmt.Sprintf("%d-of-%d", s.Index, max(s.Count, 1)) }

// Labels are those of what belongs to the shard.
func (s Shard) Labels() labels.Set {
	set := labels.Set{}
	if s.Count > 1 {
		set[Label] = s.String()
	}
	if s.Instance != "" {
		set[LabelInstance] = s.Instance
	}
	return set
}

// All selects the workflows and pods of the shard, finished or not.
func (s Shard) All() labels.Selector { return s.of(s.Labels().AsSelector()) }

// Unfinished selects the workflows of the shard that are not complete.
func (s Shard) Unfinished() labels.Selector { return s.All().Add(unfinished()) }

// Watched selects the pods of the shard for which something is to be done.
func (s Shard) Watched() labels.Selector {
	return s.Unfinished().Add(requirement(LabelWorkflow, selection.Exists))
}

// Covers returns an error that says why the shard can't run a workflow, if it can't.
func (s Shard) Covers(uid string, spec *nodegraph.Spec) error {
	if s.Count <= 1 {
		return nil
	}
	home, locks, err := s.home(uid, spec)
	if err == nil && locks && home != s.Index {
		err = fmt.Errorf("it is labelled for shard %s, and its locks are of shard %s", s, s.Shard(home))
	}
	return err
}
