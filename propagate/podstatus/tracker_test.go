package podstatus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// A tracker tells of a pod once as it looks, and once that it is gone, and the engine follows.
func TestTracker(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a, b)")
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	_, err = e.Apply(now)
	require.NoError(t, err)
	node := make(map[string]nodegraph.Index)
	for i := nodegraph.Entry + 1; int(i) < e.Graph().Len(); i++ {
		name := e.Graph().Node(i).Name()
		node[name[strings.LastIndexByte(name, '.')+1:]] = i
	}
	pod := func(name, version string, phase corev1.PodPhase, set ...func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), ResourceVersion: version, Annotations: map[string]string{podstatus.NodeID: e.Graph().Node(node[name]).ID()}},
			Status:     corev1.PodStatus{Phase: phase},
		}
		for _, set := range set {
			set(p)
		}
		return p
	}
	deleted := func(grace int64) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &metav1.Time{Time: now}, &grace
		}
	}
	var tracker podstatus.Tracker
	for _, step := range []struct {
		what          string
		pods          []*corev1.Pod
		changed, gone []string
		phases        string
	}{
		{"both run", []*corev1.Pod{pod("a", "1", "Running"), pod("b", "1", "Running")}, []string{"a", "b"}, nil, "Running Running"},
		{"nothing new", []*corev1.Pod{pod("a", "1", "Running"), pod("b", "1", "Running")}, nil, nil, "Running Running"},
		{"a is to go and has time", []*corev1.Pod{pod("a", "2", "Running", deleted(30)), pod("b", "1", "Running")}, []string{"a"}, nil, "Running Running"},
		{"a is over, and only a finalizer holds it", []*corev1.Pod{pod("a", "3", "Running", deleted(0)), pod("b", "1", "Running")}, []string{"a"}, []string{"a"}, "Error Running"},
		{"a is listed a little longer", []*corev1.Pod{pod("a", "3", "Running", deleted(0)), pod("b", "1", "Running")}, nil, nil, "Error Running"},
		{"somebody took the finalizer of b away", nil, nil, []string{"b"}, "Error Error"},
		{"nothing new again", nil, nil, nil, "Error Error"},
	} {
		ids := func(list []propagate.PodStatus) (nodes []string) {
			for _, p := range list {
				name := e.Graph().Node(e.Graph().Find(p.Node)).Name()
				nodes = append(nodes, name[strings.LastIndexByte(name, '.')+1:])
			}
			return nodes
		}
		changed, gone := tracker.Changed(e, step.pods)
		require.Empty(t, cmp.Diff(step.changed, ids(changed)), "%s: told as they look", step.what)
		require.Empty(t, cmp.Diff(step.gone, ids(gone)), "%s: told as gone", step.what)
		_, err := e.SyncChanged(now, changed, nil)
		require.NoError(t, err, step.what)
		_, err = e.SyncChanged(now, nil, gone)
		require.NoError(t, err, step.what)
		a, _ := e.Phase(node["a"])
		b, _ := e.Phase(node["b"])
		require.Equal(t, step.phases, a.String()+" "+b.String(), "%s: phases of a and b", step.what)
	}
}
