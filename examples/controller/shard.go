package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// labelShard says to which shard a workflow and its pods belong: "0-of-4". With one shard there is no label.
const labelShard = "nodestatus.example/shard"

// A shard is one of several parts of all workflows. Each has one leader, whose cache holds that part alone.
type shard struct{ index, count int }

func (s shard) String() string { return fmt.Sprintf("%d-of-%d", s.index, s.count) }

// labels are those of what belongs to the shard.
func (s shard) labels() labels.Set {
	if s.count <= 1 {
		return nil
	}
	return labels.Set{labelShard: s.String()}
}

// unfinished selects the workflows of the shard that are not complete.
func (s shard) unfinished() labels.Selector {
	return s.labels().AsSelector().Add(requirement(labelCompleted, "true"))
}

// watched selects the pods of the shard that something is to be done for.
func (s shard) watched() labels.Selector {
	owned, err := labels.NewRequirement(labelWorkflow, selection.Exists, nil)
	if err != nil {
		panic(err) // the label is this program's
	}
	return s.unfinished().Add(*owned)
}

// unassigned selects unfinished workflows that are in none of so many shards.
func unassigned(count int) labels.Selector {
	var values []string
	for k := range count {
		values = append(values, shard{k, count}.String())
	}
	return labels.NewSelector().Add(requirement(labelShard, values...), requirement(labelCompleted, "true"))
}

// requirement is that a label is not there or has none of the values.
func requirement(label string, not ...string) labels.Requirement {
	r, err := labels.NewRequirement(label, selection.NotIn, not)
	if err != nil {
		panic(err) // the labels and values are those of this program
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
	return shard{int(h.Sum32() % uint32(count)), count}, err
}

// covers says why a workflow can't be run by this shard.
func (s shard) covers(uid string, spec *nodegraph.Spec) error {
	if s.count <= 1 {
		return nil
	}
	home, err := shardOf(uid, spec, s.count)
	named := false
	_ = eachLock(spec, func(*nodegraph.Lock) error { named = true; return nil })
	if err == nil && named && home != s {
		err = fmt.Errorf("it is labelled for shard %s, and its locks are of shard %s", s, home)
	}
	return err
}

// An assigner labels workflows with their shard. One leader does it for all.
type assigner struct {
	client client.Client
	count  int
}

// Reconcile labels one workflow.
func (a *assigner) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	object := newWorkflow()
	if err := a.client.Get(ctx, req.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	spec := &nodegraph.Spec{}
	if w, err := readWorkflow(object); err == nil {
		spec = w.Spec
	} // else the shard says what is wrong with it
	home, _ := shardOf(string(object.GetUID()), spec, a.count) // likewise
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": object.GetResourceVersion(), "labels": home.labels(),
	}})
	if err != nil {
		return reconcile.Result{}, err
	}
	err = a.client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
	if apierrors.IsConflict(err) {
		err = nil // the cache will show the new version
	}
	return reconcile.Result{}, client.IgnoreNotFound(err)
}
