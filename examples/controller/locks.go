package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus/semaphore"
)

// locks is the table of a shard. Workflows that name the same lock are of the same shard (see package shards), so nobody else
// grants what this table grants. It is kept in memory alone: who holds and who waits is in the status of the workflows,
// and a new leader adopts all of them before it acts on any.
type locks struct {
	configs client.Reader              // has the limits of semaphores: a cache
	wake    func(...reconcile.Request) // called for workflows that are to ask again

	mu    sync.Mutex
	table propagate.LockTable
}

// waiting lists the workflows that wait for a semaphore of a ConfigMap, which has changed. Nobody loses a lock by that.
func (l *locks) waiting(_ context.Context, config client.Object) (requests []reconcile.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lock := range semaphore.Keys(config.(*corev1.ConfigMap)) {
		requests = append(requests, requestsOf(l.table.Waiters(lock))...)
	}
	return requests
}

// config reads a ConfigMap.
func (l *locks) config(name types.NamespacedName) (*corev1.ConfigMap, error) {
	config := &corev1.ConfigMap{}
	return config, l.configs.Get(context.Background(), name, config)
}

// setLimits tells the table the limits of semaphores, and returns the first that has none, with the reason.
func (l *locks) setLimits(named []nodegraph.Lock) (key, why string) {
	for _, lock := range named {
		if lock.Limit > 0 {
			continue // a mutex
		}
		limit, without := semaphore.Limit(lock.Key, l.config)
		l.table.SetLimit(lock.Key, limit)
		if without != nil && why == "" {
			key, why = lock.Key, fmt.Sprintf("Waiting for %s lock: %s", lock.Key, without)
		}
	}
	return key, why
}

// adopt enters what a workflow's record says it holds, in place of what the table has of it. Others are not given
// anything before grant.
func (l *locks) adopt(workflow types.NamespacedName, e *propagate.Engine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Graph().Spec().EachLock(func(lock *nodegraph.Lock) { l.setLimits([]nodegraph.Lock{*lock}) })
	l.table.Adopt(workflow.String(), e)
}

// grant gives free locks to those who wait for them.
func (l *locks) grant() { l.tell(func() []propagate.Holder { return l.table.Grant() }) }

// release gives back what a node (empty: the workflow) has.
func (l *locks) release(workflow types.NamespacedName, node string) {
	l.tell(func() []propagate.Holder {
		return l.table.Release(propagate.Holder{Workflow: workflow.String(), Node: node})
	})
}

// forget gives back all that a workflow has.
func (l *locks) forget(workflow types.NamespacedName) {
	l.tell(func() []propagate.Holder { return l.table.Forget(workflow.String()) })
}

// tell changes the table and wakes those who have got their locks by it.
func (l *locks) tell(change func() []propagate.Holder) {
	l.mu.Lock()
	granted := change()
	l.mu.Unlock()
	l.wake(requestsOf(granted)...)
}

// requestsOf are the requests to look at workflows.
func requestsOf(holders []propagate.Holder) (requests []reconcile.Request) {
	for _, h := range holders {
		namespace, name, _ := strings.Cut(h.Workflow, "/")
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	}
	return requests
}

// acquire answers a node, or the workflow, that needs its locks. Asking again gives the answer of now.
func (l *locks) acquire(workflow types.NamespacedName, a *propagate.Action) propagate.Event {
	l.mu.Lock()
	key, why := l.setLimits(a.Locks)
	answers := l.table.Answer(workflow.String(), a)
	l.mu.Unlock()
	for _, other := range answers[1:] { // has got its locks because this one waits
		l.wake(requestsOf([]propagate.Holder{{Workflow: other.Workflow}})...)
	}
	if ev := answers[0].Event; ev.Type == propagate.EventLockGranted || why == "" {
		return ev
	}
	return propagate.LockQueued(a.ID, key, why)
}

// answers asks again for whatever the workflow waits for. Answers are not remembered: they are looked up, so none is lost
// when an engine is restored in between.
func (l *locks) answers(workflow types.NamespacedName, e *propagate.Engine) (events []propagate.Event) {
	actions := e.QueuedLocks()
	for k := range actions {
		events = append(events, l.acquire(workflow, &actions[k]))
	}
	return events
}
