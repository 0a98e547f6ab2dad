package shards

import (
	"context"
	"os"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// A Replica is one process of a controller, which leads some of the shards.
type Replica struct {
	id      string        // in leases
	fair    int           // as many shards it takes at once
	patient time.Duration // how long it leaves further ones to others

	mu    sync.Mutex
	taken int // that it leads, or is about to take
}

// NewReplica makes the replica that this process is, one of several over which so many shards are spread. It takes its fair share of
// leases at once, and leaves others to the other replicas for a time, which is to be several times the period between two tries.
//
// So the shards are spread at the start, after a rollout, and when a replica is back before the others have taken its shards. They
// lead on what they have taken.
func NewReplica(shards, replicas int, patient time.Duration) (*Replica, error) {
	host, err := os.Hostname()
	replicas = max(replicas, 1)
	return &Replica{id: host + "_" + string(uuid.NewUUID()), fair: (shards + replicas - 1) / replicas, patient: patient}, err
}

// Lease makes the lease of a shard, for the election of its leader. A request that takes longer than half of the deadline for
// renewing it is given up.
func (r *Replica) Lease(config *rest.Config, s Shard, renewDeadline time.Duration) (resourcelock.Interface, error) {
	l, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, s.LeaseNamespace, s.LeaseName(),
		resourcelock.ResourceLockConfig{Identity: r.id}, config, renewDeadline)
	return &sharedLease{Interface: l, replica: r}, err
}

// A sharedLease is the lease of a shard. A replica that has its fair share leaves it to others for a while.
type sharedLease struct {
	resourcelock.Interface
	replica      *Replica
	taken, leads bool
}

// take counts the lease as that of this replica, unless the replica has its share of others.
func (l *sharedLease) take(beyond bool) bool {
	l.replica.mu.Lock()
	defer l.replica.mu.Unlock()
	if !l.taken && (beyond || l.replica.taken < l.replica.fair) {
		l.taken = true
		l.replica.taken++
	}
	return l.taken
}

// give counts the lease no more.
func (l *sharedLease) give() {
	l.replica.mu.Lock()
	defer l.replica.mu.Unlock()
	if l.taken {
		l.taken, l.leads = false, false
		l.replica.taken--
	}
}

// Get reads the lease. If the lease is free, and others are to take it first, Get waits for them before it says so.
func (l *sharedLease) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if l.leads {
		return l.Interface.Get(ctx)
	}
	l.give() // it was not to be had
	record, raw, err := l.Interface.Get(ctx)
	if held := err == nil && record.HolderIdentity != "" && time.Since(record.RenewTime.Time) < time.Duration(record.LeaseDurationSeconds)*time.Second; held || err != nil && !apierrors.IsNotFound(err) {
		return record, raw, err
	}
	for until := time.Now().Add(l.replica.patient); ctx.Err() == nil && !l.take(time.Now().After(until)); {
		select {
		case <-ctx.Done():
		case <-time.After(l.replica.patient / 20):
		}
	}
	return l.Interface.Get(ctx)
}

// Create makes the lease.
func (l *sharedLease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.written(record, l.Interface.Create(ctx, record))
}

// Update takes the lease, renews it, or gives it back.
func (l *sharedLease) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.written(record, l.Interface.Update(ctx, record))
}

// written takes note of what the lease says, if nothing went wrong.
func (l *sharedLease) written(record resourcelock.LeaderElectionRecord, err error) error {
	switch {
	case record.HolderIdentity != l.Identity(), err != nil && !l.leads:
		l.give()
	case err == nil:
		l.leads = l.take(true)
	}
	return err
}
