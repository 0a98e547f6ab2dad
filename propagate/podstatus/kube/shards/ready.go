package shards

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrNotReady is in the chain of the error of a leader that has to wait, because the number of shards was another before.
var ErrNotReady = errors.New("the shards are not what they were")

// leasePrefix is how the names of the leases of shards begin.
const leasePrefix = "nodestatus-shard-"

var podKind = corev1.SchemeGroupVersion.WithKind("Pod")

// LeaseName is the name of the lease of the shard.
func (s Shard) LeaseName() string { return s.Division.LeaseName(leasePrefix + s.String()) }

// LeaseName is the name of a lease for other work of the controllers of the instance.
func (d Division) LeaseName(work string) string {
	if d.Instance != "" {
		return d.Instance + "-" + work
	}
	return work
}

// Ready returns nil once the leader of the shard sees all that it is to lead. It returns ErrNotReady while somebody leads a shard of
// another number of shards, and while there is a workflow or a pod that has begun and is in no shard. Both would have it grant a lock
// that is held. It reads past the cache, by a list of the leases and two lists of one object.
func (s Shard) Ready(ctx context.Context, live client.Reader, now time.Time) error {
	if err := s.alone(ctx, live, now); err != nil || s.Count <= 1 {
		return err
	}
	for kind, label := range map[schema.GroupVersionKind]string{s.Kind: LabelPhase, podKind: LabelWorkflow} {
		var left metav1.PartialObjectMetadataList
		left.SetGroupVersionKind(kind)
		err := live.List(ctx, &left, client.InNamespace(s.Namespace), client.Limit(1), client.MatchingLabelsSelector{Selector: s.unassigned(label)})
		if err != nil {
			return err
		}
		if len(left.Items) > 0 {
			return fmt.Errorf("%w: %s %s is in none of them yet", ErrNotReady, kind.Kind, left.Items[0].Name)
		}
	}
	return nil
}

// alone returns an error while somebody leads a shard of another number of shards. Whoever leads has its own lease before it asks, so
// of two that begin at once one waits at least.
func (s Shard) alone(ctx context.Context, live client.Reader, now time.Time) error {
	var list coordination.LeaseList
	if err := live.List(ctx, &list, client.InNamespace(s.LeaseNamespace)); err != nil {
		return err
	}
	_, ours, _ := strings.Cut(s.String(), "-of-")
	for k := range list.Items {
		l := &list.Items[k]
		place, named := strings.CutPrefix(l.Name, s.Division.LeaseName(leasePrefix))
		if _, count, ok := strings.Cut(place, "-of-"); !named || !ok || count == ours || !held(&l.Spec, now) {
			continue
		}
		return fmt.Errorf("%w: %s is led by %s still", ErrNotReady, place, *l.Spec.HolderIdentity)
	}
	return nil
}

// held reports whether somebody may hold a lease. It gives twice the time, because clocks differ.
func held(l *coordination.LeaseSpec, now time.Time) bool {
	if l.HolderIdentity == nil || *l.HolderIdentity == "" || l.RenewTime == nil || l.LeaseDurationSeconds == nil {
		return false
	}
	return now.Before(l.RenewTime.Add(2 * time.Duration(*l.LeaseDurationSeconds) * time.Second))
}
