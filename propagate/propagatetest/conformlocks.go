package propagatetest

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A lockOf is a lock that a pod needs, by the node that has to hold it.
type lockOf struct {
	lock   nodegraph.Lock
	holder string // the workflow and the node
}

// locksOf are the locks of a node, or of the workflow.
func locksOf(e *propagate.Engine, i nodegraph.Index) []nodegraph.Lock {
	n := e.Graph().Node(i)
	switch {
	case i == nodegraph.Root:
		return e.Graph().Spec().Locks
	case n.Role == nodegraph.RoleAttempt || n.Kind == nodegraph.KindTaskGroup || n.Kind == nodegraph.KindStepGroup:
		return nil // what they are inside of, or their members, hold the locks of the template
	}
	return n.Template.Locks
}

// checkStart: a pod is made for a node that exists and has not ended, under its locks, after that was stored.
func (c *Cluster) checkStart(workflow, node string) {
	e := c.engine(workflow)
	if e == nil {
		c.fault(StartsUnasked, "a pod of %s is made before anything is known of %s", node, workflow)
		return
	}
	pods := c.world.PodsOf(workflow, "")
	made, i := pods[len(pods)-1], e.Graph().Find(node)
	if i == nodegraph.None {
		c.fault(StartsUnasked, "a pod is made for %q, and no node is called so", node)
		return
	}
	name := e.Graph().Node(i).Name()
	for at := i; at != nodegraph.None; at = e.Graph().Node(at).Parent {
		for _, l := range locksOf(e, at) {
			if e.Fact(at).Lock != fact.LockHeld {
				c.fault(StartsWithoutLock, "the pod of %s is made, and %s does not hold %s", name, nameOf(e, at), l.Key)
				return
			}
			c.wants[made] = append(c.wants[made], lockOf{l, workflow + " " + nameOf(e, at)})
		}
		if at == nodegraph.Root {
			break
		}
	}
	switch v := e.Verdict(i); {
	case !e.Exists(i) || v.Fulfilled || e.Kind(i) != nodegraph.KindPod:
		c.fault(StartsUnasked, "a pod of %s is made, which is %s", name, v.Phase)
	case !c.stored[workflow][name].exists:
		c.fault(ActsBeforeStoring, "the pod of %s is made, and nothing that was stored says that %s has begun", name, name)
	case !slices.Equal(containerNames(e.Graph().Node(i).Template), containerNames(made.Template)):
		c.fault(MakesOtherContainers, "the pod of %s has the containers %v, and its template has %v", name,
			containerNames(made.Template), containerNames(e.Graph().Node(i).Template))
	default:
		c.checkAmong(e, pods, made, i)
	}
}

// containerNames are the names of the containers of a ContainerSet, none for any other pod.
func containerNames(t *nodegraph.Template) []string {
	var names []string
	for _, c := range t.Containers {
		names = append(names, c.Name)
	}
	return names
}

// checkAmong: the pod is the only one of its node, no attempt runs twice, and no lock has more holders than places.
func (c *Cluster) checkAmong(e *propagate.Engine, pods []*simhost.Pod, made *simhost.Pod, i nodegraph.Index) {
	name := e.Graph().Node(i).Name()
	for _, p := range pods {
		if p == made || e.Graph().Find(p.Node) != i {
			continue
		}
		if p.Alive() {
			c.fault(MakesTwoPods, "%s has the pod %s, and is given %s", name, p.Status.Name, made.Status.Name)
			return
		}
		if ran := p.Status.Phase != "" && p.Status.Phase != propagate.PodPhasePending; ran {
			c.fault(RunsTwice, "the pod of %s has run, and it is given another", name)
			return
		}
	}
	for _, want := range c.wants[made] {
		holders := make(map[string]bool)
		for p, all := range c.wants {
			for _, other := range all {
				if other.lock.Key == want.lock.Key && c.goesOn(p) {
					holders[other.holder] = true
				}
			}
		}
		if len(holders) > max(1, want.lock.Limit) {
			c.fault(SharesALock, "the pod of %s is made under %s, and so many others live under it: %d", name, want.lock.Key, len(holders)-1)
		}
	}
}

// goesOn reports whether a pod lives and its node has not ended. One that is to end does not hold its locks any more.
func (c *Cluster) goesOn(p *simhost.Pod) bool {
	e := c.engine(p.Workflow)
	i := e.Graph().Find(p.Node) // there is none where a controller has died before it stored that
	return p.Alive() && !p.Terminating && (i == nodegraph.None || !e.Verdict(i).Fulfilled)
}

// checkTerminate: a pod is deleted because its node has ended, after that was stored.
func (c *Cluster) checkTerminate(p *simhost.Pod) {
	e := c.engine(p.Workflow)
	if e == nil || e.Graph().Find(p.Node) == nodegraph.None {
		return
	}
	i := e.Graph().Find(p.Node)
	name, v := e.Graph().Node(i).Name(), e.Verdict(i)
	switch {
	case !v.Fulfilled || v.Daemoned:
		c.fault(DeletesUnasked, "the pod of %s is deleted, which is %s", name, v.Phase)
	case c.stored[p.Workflow][name].phase != v.Phase:
		c.fault(ActsBeforeStoring, "the pod of %s is deleted because that is %s, and nothing that was stored says so", name, v.Phase)
	}
}

// takenLocks are the keys of locks that somebody holds, or for which somebody waits who waits for a lock that is taken.
func (c *Cluster) takenLocks() map[string]bool {
	holders, limit := make(map[string]int), make(map[string]int)
	var waiting [][]nodegraph.Lock
	for _, name := range c.Workflows() {
		e := c.engine(name)
		for i := nodegraph.Root; e != nil && int(i) < e.Graph().Len(); i++ {
			for _, l := range locksOf(e, i) {
				limit[l.Key] = max(1, l.Limit)
				if e.Fact(i).Lock == fact.LockHeld && !(e.Verdict(i).Fulfilled && !e.Verdict(i).Daemoned) {
					holders[l.Key]++
				}
			}
			if e.Fact(i).Lock == fact.LockWaits {
				waiting = append(waiting, locksOf(e, i))
			}
		}
	}
	taken := make(map[string]bool)
	for key, n := range holders {
		taken[key] = n >= limit[key]
	}
	for range waiting {
		for _, locks := range waiting {
			for _, l := range locks {
				if taken[l.Key] {
					for _, other := range locks {
						taken[other.Key] = true
					}
				}
			}
		}
	}
	return taken
}

// clock shows a time of the day, "never" for none.
func clock(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("15:04:05")
}
