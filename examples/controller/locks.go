package main

import (
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// locks is the table of a shard. Workflows that name the same lock are of the same shard (see shardOf), so nobody else
// grants what this table grants. It is kept in memory alone: who holds and who waits is in the status of the workflows,
// and a new leader adopts all of them before it acts on any.
type locks struct {
	mu    sync.Mutex
	table propagate.LockTable
	wake  func(types.NamespacedName) // called for workflows that have got their locks
}

// adopt enters what a workflow's record says it holds, in place of what the table has of it. Others are not given
// anything before grant.
func (l *locks) adopt(workflow types.NamespacedName, e *propagate.Engine) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
	answers := l.table.Answer(workflow.String(), a)
	l.mu.Unlock()
	for _, other := range answers[1:] { // has got its locks because this one waits
		l.wakeUp(other.Workflow)
	}
	return answers[0].Event
}

// granted asks again for whatever the workflow waits for, and returns the good news. Grants are not remembered: they are
// looked up, so none is lost when an engine is restored in between.
func (l *locks) granted(workflow types.NamespacedName, e *propagate.Engine) []propagate.Event {
	var events []propagate.Event
	for _, o := range e.Obligations() {
		if o.For != propagate.WaitLock || e.Fact(o.Node).Lock != fact.LockWaits {
			continue
		}
		id, wanted := "", e.Graph().Spec().Locks
		if o.Node != nodegraph.Root {
			n := e.Graph().Node(o.Node)
			id, wanted = n.ID(), n.Template.Locks
		}
		again := propagate.Action{Type: propagate.ActionAcquire, ID: id, Locks: wanted}
		if ev := l.acquire(workflow, &again); ev.Type == propagate.EventLockGranted {
			events = append(events, ev)
		}
	}
	return events
}
