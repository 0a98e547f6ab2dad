package shards_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
)

var kind = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Workflow"}

var four = shards.Division{Count: 4, Kind: kind, Namespace: "ns", LeaseNamespace: "ns"}

// locking is a workflow whose templates name mutexes.
func locking(mutexes ...string) *nodegraph.Spec {
	spec := &nodegraph.Spec{}
	for _, key := range mutexes {
		spec.Locks = append(spec.Locks, nodegraph.Lock{Key: key, Limit: 1})
	}
	return spec
}

// All workflows that name locks of a namespace are covered by one shard, whatever their uid; one that names those of two namespaces by
// none. A workflow without locks is covered by each, since its label alone decides.
func TestWhoCoversAWorkflow(t *testing.T) {
	covering := func(uid string, spec *nodegraph.Spec) (covers []int) {
		for k := range four.Count {
			if four.Shard(k).Covers(uid, spec) == nil {
				covers = append(covers, k)
			}
		}
		return covers
	}
	want := covering("0", locking("a/Mutex/m"))
	require.Len(t, want, 1)
	for uid := range 20 {
		require.Equal(t, want, covering(fmt.Sprint(uid), locking("a/Mutex/other", "a/ConfigMap/c/k")), "workflow %d", uid)
	}
	require.Len(t, covering("0", locking()), 4)
	require.ErrorContains(t, four.Shard(0).Covers("0", locking("a/Mutex/m", "b/Mutex/m")), "namespaces a and b")
	require.NoError(t, shards.Division{Count: 1}.Shard(0).Covers("0", locking("a/Mutex/m", "b/Mutex/m")), "one leader grants all")
}

// Each shard sees its own part, of its instance alone.
func TestWhatAShardSees(t *testing.T) {
	mine := labels.Set{shards.Label: "1-of-4", shards.LabelWorkflow: "w"}
	with := func(label, value string) labels.Set { return labels.Merge(mine, labels.Set{label: value}) }
	for _, tc := range []struct {
		what                       string
		labels                     labels.Set
		all, unfinished, isWatched bool
	}{
		{"a pod of the shard", mine, true, true, true},
		{"a workflow of the shard", labels.Set{shards.Label: "1-of-4"}, true, true, false},
		{"of another shard", with(shards.Label, "2-of-4"), false, false, false},
		{"of one of two shards", with(shards.Label, "1-of-2"), false, false, false},
		{"of none", labels.Set{}, false, false, false},
		{"complete", with("workflows.argoproj.io/completed", "true"), true, false, false},
		{"of another controller", with(shards.LabelInstance, "x"), false, false, false},
	} {
		s := four.Shard(1)
		require.Equal(t, tc.all, s.All().Matches(tc.labels), tc.what)
		require.Equal(t, tc.unfinished, s.Unfinished().Matches(tc.labels), tc.what)
		require.Equal(t, tc.isWatched, s.Watched().Matches(tc.labels), tc.what)
	}
	named := shards.Division{Count: 4, Instance: "x"}.Shard(1)
	require.True(t, named.Watched().Matches(labels.Merge(named.Labels(), labels.Set{shards.LabelWorkflow: "w"})))
	require.False(t, named.Watched().Matches(mine))
	require.True(t, shards.Division{}.Shard(0).Watched().Matches(mine), "one shard has all, with whatever label")
}

// A leader waits while somebody leads a shard of another number, or while what has begun is in no shard.
func TestReady(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	lease := func(name, holder string, ago time.Duration) client.Object {
		return &coordination.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name},
			Spec:       coordination.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: new(int32(15)), RenewTime: &metav1.MicroTime{Time: now.Add(-ago)}},
		}
	}
	pod := func(set labels.Set) client.Object {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", Labels: set}}
	}
	workflow := func(set labels.Set) client.Object {
		object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "w", Labels: set}}
		object.SetGroupVersionKind(kind)
		return object
	}
	for _, tc := range []struct {
		what   string
		exists client.Object
		waits  string
	}{
		{"nothing else", lease("nodestatus-shard-2-of-4", "b", 0), ""},
		{"a leader of one of two", lease("nodestatus-shard-1-of-2", "b", 20*time.Second), "1-of-2 is led by b still"},
		{"a leader of the only one", lease("nodestatus-shard-0-of-1", "b", 0), "0-of-1 is led by b still"},
		{"a leader that is long gone", lease("nodestatus-shard-1-of-2", "b", 31*time.Second), ""},
		{"a leader that has given its lease back", lease("nodestatus-shard-1-of-2", "", 0), ""},
		{"a leader of another instance", lease("x-nodestatus-shard-1-of-2", "b", 0), ""},
		{"a pod of no shard", pod(labels.Set{shards.LabelWorkflow: "w"}), "Pod p is in none of them yet"},
		{"a pod of one of two", pod(labels.Set{shards.LabelWorkflow: "w", shards.Label: "0-of-2"}), "Pod p is in none of them yet"},
		{"a pod of nobody's workflow", pod(nil), ""},
		{"a workflow that has begun", workflow(labels.Set{shards.LabelPhase: "Running"}), "Workflow w is in none of them yet"},
		{"a new workflow", workflow(nil), ""},
		{"a workflow of another shard", workflow(labels.Set{shards.LabelPhase: "Running", shards.Label: "3-of-4"}), ""},
	} {
		scheme := runtime.NewScheme()
		require.NoError(t, corev1.AddToScheme(scheme))
		require.NoError(t, coordination.AddToScheme(scheme))
		require.NoError(t, metav1.AddMetaToScheme(scheme))
		scheme.AddKnownTypeWithName(kind, &metav1.PartialObjectMetadata{})
		scheme.AddKnownTypeWithName(kind.GroupVersion().WithKind("WorkflowList"), &metav1.PartialObjectMetadataList{})
		live := fake.NewClientBuilder().WithScheme(scheme).WithObjects(tc.exists).Build()
		err := four.Shard(0).Ready(context.Background(), live, now)
		if tc.waits == "" {
			require.NoError(t, err, tc.what)
			continue
		}
		require.ErrorIs(t, err, shards.ErrNotReady, tc.what)
		require.ErrorContains(t, err, tc.waits, tc.what)
	}
}
