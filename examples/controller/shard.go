package main

import (
	"fmt"
	"hash/fnv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// labelShard says to which shard a workflow and its pods belong: "0-of-4". With one shard there is no label.
const labelShard = "nodestatus.example/shard"

// labelInstance says which of several controllers is to run a workflow, and runs its pods.
const labelInstance = "workflows.argoproj.io/controller-instanceid"

// A shard is one of several parts of all workflows that name an instance. Each has one leader, whose cache holds that part alone.
type shard struct {
	index, count int
	instance     string
}

func (s shard) String() string { return fmt.Sprintf("%d-of-%d", s.index, s.count) }

// leasePrefix is how the names of the leases of shards begin.
const leasePrefix = "nodestatus-shard-"

// lease is the name of the lease of the shard, or of that for other work.
func lease(instance, name string) string {
	if instance != "" {
		return instance + "-" + name
	}
	return name
}

// labels are those of what belongs to the shard.
func (s shard) labels() labels.Set {
	set := labels.Set{}
	if s.count > 1 {
		set[labelShard] = s.String()
	}
	if s.instance != "" {
		set[labelInstance] = s.instance
	}
	return set
}

// of selects what is of an instance.
func of(instance string) labels.Requirement {
	if instance == "" {
		return requirement(labelInstance, selection.DoesNotExist)
	}
	return requirement(labelInstance, selection.In, instance)
}

// unfinished selects the workflows of the shard that are not complete.
func (s shard) unfinished() labels.Selector {
	return s.labels().AsSelector().Add(of(s.instance), requirement(labelCompleted, selection.NotIn, "true"))
}

// watched selects the pods of the shard for which something is to be done.
func (s shard) watched() labels.Selector {
	return s.unfinished().Add(exists(labelWorkflow))
}

func exists(label string) labels.Requirement { return requirement(label, selection.Exists) }

// unassigned selects what is not finished, is of an instance, has some labels, and is in none of so many shards.
func unassigned(count int, instance string, having ...string) labels.Selector {
	selector := labels.NewSelector().Add(of(instance), requirement(labelShard, selection.NotIn, shards(count)...),
		requirement(labelCompleted, selection.NotIn, "true"))
	for _, label := range having {
		selector = selector.Add(exists(label))
	}
	return selector
}

// shards are the values of labelShard where there are so many.
func shards(count int) (values []string) {
	for k := range count {
		values = append(values, shard{index: k, count: count}.String())
	}
	return values
}

// requirement is what a label must be.
func requirement(label string, is selection.Operator, values ...string) labels.Requirement {
	r, err := labels.NewRequirement(label, is, values)
	if err != nil {
		panic(err) // the labels and values are those of this program, and -instance, which names leases first
	}
	return *r
}

// shardOf says where a workflow belongs: by its uid or, if it names locks, by the namespace of these. So all that share
// a lock share a leader, which alone grants it. The error is that of a workflow whose locks are of two namespaces and
// would need two leaders.
func shardOf(uid string, spec *nodegraph.Spec, count int) (shard, error) {
	key, locks := uid, ""
	err := eachLock(spec, func(l *nodegraph.Lock) error {
		namespace, _, _ := strings.Cut(l.Key, "/")
		if locks != "" && locks != namespace {
			return fmt.Errorf("its locks are of the namespaces %s and %s: with several shards they must be of one", locks, namespace)
		}
		locks = namespace
		return nil
	})
	if locks != "" {
		key = "locks of " + locks
	}
	h := fnv.New32a()
	h.Write([]byte(key))
	return shard{index: int(h.Sum32() % uint32(count)), count: count}, err
}

// covers says why a workflow can't be run by this shard.
func (s shard) covers(uid string, spec *nodegraph.Spec) error {
	if s.count <= 1 {
		return nil
	}
	home, err := shardOf(uid, spec, s.count)
	named := false
	_ = eachLock(spec, func(*nodegraph.Lock) error { named = true; return nil })
	if err == nil && named && home.index != s.index {
		err = fmt.Errorf("it is labelled for shard %s, and its locks are of shard %s", s, home)
	}
	return err
}
