package simhost

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// ErrExists says that a pod of this name exists.
var ErrExists = errors.New("the pod exists")

// A Cluster is what outlives a controller: its pods, what it has stored, its timers and the clock. It is for a controller that
// keeps its engines itself, where a [Host] would have them. Nothing in it happens by itself, either.
type Cluster struct {
	Slow bool // pods stay [PodNew], which no list shows, until the test says more of them

	now    time.Time
	pods   []*Pod // all that were ever made
	stored map[string][]byte
	timers map[string]time.Time
}

// NewCluster makes a cluster that has nothing.
func NewCluster(now time.Time) *Cluster {
	return &Cluster{now: now, stored: make(map[string][]byte), timers: make(map[string]time.Time)}
}

// Now is the time.
func (c *Cluster) Now() time.Time { return c.now }

// Pass lets time pass until then. It never goes back.
func (c *Cluster) Pass(until time.Time) {
	if until.After(c.now) {
		c.now = until
	}
}

// CreatePod makes the pod of a node, which is given by id or name. Without containers it has one called main. The error is
// [ErrExists] if the workflow has a pod of this name that is not gone.
func (c *Cluster) CreatePod(workflow, node, name string, containers ...nodegraph.ContainerSpec) error {
	if c.Named(workflow, name) != nil {
		return fmt.Errorf("pod %s of %s: %w", name, workflow, ErrExists)
	}
	t := &nodegraph.Template{Kind: nodegraph.KindPod, Containers: containers}
	p := &Pod{
		Workflow: workflow, Node: node, Serial: len(c.pods) + 1, UID: fmt.Sprint("uid-", len(c.pods)+1), Created: c.now,
		Template: t, Status: propagate.PodStatus{Name: name},
	}
	if !c.Slow {
		p.State, p.Status.Phase = PodPending, propagate.PodPhasePending
	}
	p.Number = 1 + len(c.PodsOf(workflow, node))
	c.pods = append(c.pods, p)
	return nil
}

// DeletePod asks for the end of a pod. One that lives is listed until it is gone: see [Pod.Terminating].
func (c *Cluster) DeletePod(workflow, name string) {
	if p := c.Named(workflow, name); p != nil && p.Alive() {
		p.Terminating = true
	} else if p != nil {
		p.State = PodGone
	}
}

// Named returns the pod of this name that is not gone, nil for none.
func (c *Cluster) Named(workflow, name string) *Pod {
	for _, p := range c.pods {
		if p.Workflow == workflow && p.Status.Name == name && p.State != PodGone {
			return p
		}
	}
	return nil
}

// Pods lists the pods of a workflow that are not gone.
func (c *Cluster) Pods(workflow string) []propagate.PodStatus {
	var list []propagate.PodStatus
	for _, p := range c.pods {
		if s, listed := p.Listed(); listed && p.Workflow == workflow {
			s.Name = p.Status.Name
			list = append(list, s)
		}
	}
	return list
}

// PodsOf returns all pods that a node has ever had, the oldest first; those of all nodes of the workflow where the node is
// empty. A node is called here what CreatePod was given, its id or its name.
func (c *Cluster) PodsOf(workflow, node string) []*Pod {
	var list []*Pod
	for _, p := range c.pods {
		if p.Workflow == workflow && (node == "" || p.Node == node) {
			list = append(list, p)
		}
	}
	return list
}

// Store keeps what a controller has to remember of a workflow.
func (c *Cluster) Store(workflow string, data []byte) { c.stored[workflow] = slices.Clone(data) }

// Stored returns what was stored last of a workflow, nil for nothing.
func (c *Cluster) Stored(workflow string) []byte { return c.stored[workflow] }

// WakeAt sets the timer of a workflow, in place of the one that it has.
func (c *Cluster) WakeAt(workflow string, at time.Time) { c.timers[workflow] = at }

// Timer is the time for which the timer of a workflow is set; zero for none.
func (c *Cluster) Timer(workflow string) time.Time { return c.timers[workflow] }

// ForgetTimers takes back all timers: a controller that has died had them in its memory.
func (c *Cluster) ForgetTimers() { clear(c.timers) }

// NextTimer is the first time for which a timer is set that is still to come; zero for none.
func (c *Cluster) NextTimer() (next time.Time) {
	for _, at := range c.timers {
		if at.After(c.now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
