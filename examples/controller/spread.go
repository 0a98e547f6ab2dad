package main

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

// A share is what one replica leads of the shards that are spread over the replicas.
type share struct {
	replica string        // in leases
	fair    int           // as many it takes at once
	patient time.Duration // how long it leaves further ones to others

	mu    sync.Mutex
	taken int // that it leads, or is about to take
}

// newShare makes the share of this process.
func newShare(o *options) (*share, error) {
	host, err := os.Hostname()
	replicas := max(o.replicas, 1)
	return &share{
		replica: host + "_" + string(uuid.NewUUID()), fair: (o.shards + replicas - 1) / replicas, patient: 3 * *o.manager.RetryPeriod,
	}, err
}

// lease makes the lease of a name.
func (s *share) lease(config *rest.Config, o *options, name string) (resourcelock.Interface, error) {
	l, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, o.leaseNamespace, lease(o.instance, name),
		resourcelock.ResourceLockConfig{Identity: s.replica}, config, *o.manager.RenewDeadline)
	return &sharedLease{Interface: l, share: s}, err
}

// A sharedLease is the lease of a shard. A replica that has its fair share leaves it to others for a while.
type sharedLease struct {
	resourcelock.Interface
	share        *share
	taken, leads bool
}

// take counts the lease as that of this replica, unless the replica has its share of others.
func (l *sharedLease) take(beyond bool) bool {
	l.share.mu.Lock()
	defer l.share.mu.Unlock()
	if !l.taken && (beyond || l.share.taken < l.share.fair) {
		l.taken = true
		l.share.taken++
	}
	return l.taken
}

// give counts the lease no more.
func (l *sharedLease) give() {
	l.share.mu.Lock()
	defer l.share.mu.Unlock()
	if l.taken {
		l.taken, l.leads = false, false
		l.share.taken--
	}
}

// Get reads the lease. If it is free, and it is for others to take it, that is said after a while alone.
func (l *sharedLease) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if l.leads {
		return l.Interface.Get(ctx)
	}
	l.give() // it was not to be had
	record, raw, err := l.Interface.Get(ctx)
	if !apierrors.IsNotFound(err) && (err != nil || record.HolderIdentity != "" && time.Since(record.RenewTime.Time) < time.Duration(record.LeaseDurationSeconds)*time.Second) {
		return record, raw, err
	}
	for until := time.Now().Add(l.share.patient); ctx.Err() == nil && !l.take(time.Now().After(until)); {
		select {
		case <-ctx.Done():
		case <-time.After(l.share.patient / 20):
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
