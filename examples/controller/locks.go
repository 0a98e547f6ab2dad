package main

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// locks is the table of a shard. Workflows that name the same lock are of the same shard (see shardOf), so nobody else
// grants what this table grants. It is kept in memory alone: who holds and who waits is in the status of the workflows,
// and a new leader adopts all of them before it acts on any.
type locks struct {
	wake func(types.NamespacedName) // called for workflows that are to ask again

	mu      sync.Mutex
	table   propagate.LockTable
	configs map[types.NamespacedName]map[string]string // the data of ConfigMaps, which have the limits of semaphores
	asked   map[string]bool                            // keys of semaphores that somebody named
}

func newLocks(wake func(types.NamespacedName)) *locks {
	return &locks{wake: wake, configs: make(map[types.NamespacedName]map[string]string), asked: make(map[string]bool)}
}

// configured takes note of what a ConfigMap holds now, nil if it is gone. Nobody loses a lock by it.
func (l *locks) configured(name types.NamespacedName, data map[string]string) {
	l.tell(func() []propagate.Holder {
		before := l.configs[name]
		if l.configs[name] = data; data == nil {
			delete(l.configs, name)
		}
		var waiters []propagate.Holder
		for _, values := range []map[string]string{before, data} {
			for value := range values {
				key := name.Namespace + "/ConfigMap/" + name.Name + "/" + value
				if limit, _ := l.limit(key); l.asked[key] && before[value] != data[value] {
					l.table.SetLimit(key, limit)
					waiters = append(waiters, l.table.Waiters(key)...) // the reason of their wait is another
				}
			}
		}
		return append(waiters, l.table.Grant()...)
	})
}

// Create, Update, Delete and Generic have the locks told of ConfigMaps: they are a [handler.EventHandler].
func (l *locks) Create(_ context.Context, e event.CreateEvent, _ queue)   { l.see(e.Object) }
func (l *locks) Update(_ context.Context, e event.UpdateEvent, _ queue)   { l.see(e.ObjectNew) }
func (l *locks) Generic(_ context.Context, e event.GenericEvent, _ queue) { l.see(e.Object) }
func (l *locks) Delete(_ context.Context, e event.DeleteEvent, _ queue) {
	l.configured(client.ObjectKeyFromObject(e.Object), nil)
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

func (l *locks) see(object client.Object) {
	data := map[string]string{}
	if config, ok := object.(*corev1.ConfigMap); ok {
		maps.Copy(data, config.Data)
	}
	l.configured(client.ObjectKeyFromObject(object), data)
}

// numbersOnly keeps of a ConfigMap what may be a limit.
func numbersOnly(object any) (any, error) {
	if config, ok := object.(*corev1.ConfigMap); ok {
		config.ManagedFields, config.BinaryData, config.Annotations = nil, nil, nil
		for key, value := range config.Data {
			config.Data[key] = value[:min(len(value), len("999999999"))]
		}
	}
	return object, nil
}

// limit returns how many may hold a semaphore; without a limit nobody, and why.
func (l *locks) limit(key string) (limit int, why string) {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) < 4 {
		return 0, "the key of a semaphore is namespace/ConfigMap/name/key"
	}
	data, ok := l.configs[types.NamespacedName{Namespace: parts[0], Name: parts[2]}]
	text, has := data[parts[3]]
	limit, err := strconv.Atoi(strings.TrimSpace(text))
	switch {
	case !ok:
		return 0, "there is no such ConfigMap"
	case !has:
		return 0, "the ConfigMap has no such key"
	case err != nil || limit < 1:
		return 0, fmt.Sprintf("want a positive number, found %q", text)
	}
	return limit, ""
}

// setLimits tells the table the limits of semaphores, and returns the first that has none, with the reason.
func (l *locks) setLimits(named []nodegraph.Lock) (key, why string) {
	for _, lock := range named {
		if lock.Limit > 0 {
			continue // a mutex
		}
		l.asked[lock.Key] = true
		limit, without := l.limit(lock.Key)
		l.table.SetLimit(lock.Key, limit)
		if without != "" && why == "" {
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
	for _, h := range granted {
		l.wakeUp(h.Workflow)
	}
}

func (l *locks) wakeUp(workflow string) {
	namespace, name, _ := strings.Cut(workflow, "/")
	l.wake(types.NamespacedName{Namespace: namespace, Name: name})
}

// acquire answers a node, or the workflow, that needs its locks. Asking again gives the answer of now.
func (l *locks) acquire(workflow types.NamespacedName, a *propagate.Action) propagate.Event {
	l.mu.Lock()
	key, why := l.setLimits(a.Locks)
	answers := l.table.Answer(workflow.String(), a)
	l.mu.Unlock()
	for _, other := range answers[1:] { // has got its locks because this one waits
		l.wakeUp(other.Workflow)
	}
	if ev := answers[0].Event; ev.Type == propagate.EventLockGranted || why == "" {
		return ev
	}
	return propagate.LockQueued(a.ID, key, why)
}

// answers asks again for whatever the workflow waits for. Answers are not remembered: they are looked up, so none is lost
// when an engine is restored in between.
func (l *locks) answers(workflow types.NamespacedName, e *propagate.Engine) []propagate.Event {
	var events []propagate.Event
	for i := nodegraph.Root; e.Graph().Features().Locks && int(i) < e.Graph().Len(); i++ {
		if e.Fact(i).Lock != fact.LockWaits {
			continue
		}
		id, wanted := "", e.Graph().Spec().Locks
		if i != nodegraph.Root {
			n := e.Graph().Node(i)
			id, wanted = n.ID(), n.Template.Locks
		}
		events = append(events, l.acquire(workflow, &propagate.Action{Type: propagate.ActionAcquire, ID: id, Locks: wanted}))
	}
	return events
}
