package propagatetest

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// answer answers the oldest question that is open.
func (c *randomCluster) answer() {
	if c.e.Complete() {
		c.Owed = c.Owed[1:]
		return
	}
	e, ev := c.Run(0)
	a := e.Action
	if c.host.lively && !c.calm && a.Type != propagate.ActionAcquire && c.r.IntN(20) == 0 {
		c.apply(propagate.Unanswerable(a.Name, "nobody knows"))
		return
	}
	switch a.Type {
	case propagate.ActionAcquire:
		delete(c.freed, a.ID)
		c.apply(ev)
	case propagate.ActionResolve:
		c.reply(propagate.Resolved(a.Name, c.r.IntN(2) == 0, ""))
	case propagate.ActionExpand:
		c.reply(propagate.Expanded(a.Name, []nodegraph.Item{{Text: "p"}, {Text: "q"}, {Text: "r"}}[:c.r.IntN(4)]...))
	case propagate.ActionLookup:
		c.reply(propagate.Memoized(a.Name, c.r.IntN(4) == 0))
	}
}

// reply applies the answer to a question.
func (c *randomCluster) reply(ev propagate.Event) {
	if c.host.lively {
		c.said = append(c.said, ev)
	}
	c.apply(ev)
}

// step lets one thing happen. It tells whether there was anything left to happen.
func (c *randomCluster) step() bool {
	if len(c.Owed) > 0 && (c.calm || c.r.IntN(2) == 0) {
		c.answer()
		return true
	}
	if !c.calm && len(c.said) > 0 && c.r.IntN(6) == 0 { // an old event comes late, or once more
		c.apply(c.said[c.r.IntN(len(c.said))])
		return true
	}
	for _, k := range c.r.Perm(len(c.flow.Pods)) {
		if p := c.flow.Pods[k]; p.State != simhost.PodGone && (p.State != simhost.PodEnded || p.Unsynced || p.Terminating) {
			c.podStep(p)
			return true
		}
	}
	return c.elsewhere()
}

// say lets a pod do what an event says, applies that and remembers it.
func (c *randomCluster) say(p *simhost.Pod, ev propagate.Event) {
	before := p.Status.Containers
	ev = p.Become(ev)
	if ev.Type == propagate.EventContainerRetried { // those after it are seen to begin anew by the engine alone
		for k, ctr := range p.Status.Containers {
			if ctr.Name != ev.Container {
				p.Status.Containers[k] = before[k]
			}
		}
	}
	if c.host.intake == simhost.Events {
		if !c.host.nameless {
			c.said = append(c.said, ev)
		}
		c.apply(ev)
		return
	}
	switch ev.Type { // a list does not show that
	case propagate.EventContainerRetried, propagate.EventResultPending, propagate.EventResultSynced:
		c.apply(ev)
		return
	}
	c.log = append(c.log, fmt.Sprintf("%s %v %s is listed", c.Now.Format("05"), ev, ev.Pod.UID))
	c.apply()
}

// podStep lets something happen to one pod.
func (c *randomCluster) podStep(p *simhost.Pod) {
	bad := 0
	if !c.calm {
		bad = c.r.IntN(12)
	}
	switch {
	case p.Terminating || bad == 1:
		c.say(p, propagate.PodDeleted(""))
	case p.State == simhost.PodEnded:
		c.say(p, propagate.ResultSynced(""))
	case bad == 2:
		c.say(p, propagate.PodEvicted("", "The node was low on resource: memory."))
	case p.State == simhost.PodNew:
		c.say(p, propagate.PodPending("", "ContainerCreating"))
	case p.State == simhost.PodPending:
		ev := propagate.PodRunning("")
		ev.Ready = c.calm || c.r.IntN(2) == 0
		c.say(p, ev)
	case c.runningContainer(p):
	case c.host.lively && !p.Unsynced && bad == 3:
		c.say(p, propagate.ResultPending(""))
	default:
		p.Terminating = false // a daemon ends before it hears of that
		if !c.calm && c.r.IntN(3) == 0 {
			c.say(p, propagate.PodFailed("", "main: Error (exit code 1)"))
		} else {
			c.say(p, propagate.PodSucceeded(""))
		}
	}
}

// runningContainer lets something happen to a container of a running pod; false if none is left.
func (c *randomCluster) runningContainer(p *simhost.Pod) bool {
	i := c.e.Graph().Find(p.Node)
	if i == nodegraph.None {
		return false // a manual retry has forgotten it
	}
	if p.Template.IsDaemon() {
		if c.e.Verdict(i).Daemoned {
			return false
		}
		c.say(p, propagate.PodRunning("")) // ready now
		return c.e.Verdict(i).Daemoned
	}
	if len(p.Template.Containers) == 0 {
		return false
	}
	for _, ctr := range p.Status.Containers {
		switch {
		case !ctr.Terminated:
			code := 0
			if !c.calm {
				code = []int{0, 0, 0, 1, 64}[c.r.IntN(5)]
			}
			c.say(p, propagate.ContainerEnded("", ctr.Name, code, ""))
			return true
		case ctr.ExitCode == 1:
			if !c.calm && c.r.IntN(2) == 0 { // the executor runs it again
				c.say(p, propagate.ContainerRetried("", ctr.Name))
				return true
			}
		}
	}
	return false
}

// elsewhere lets time pass, people act, or served nodes end; false if nothing is left to happen.
func (c *randomCluster) elsewhere() bool {
	obligations := c.e.Obligations()
	for _, o := range obligations {
		switch o.For {
		case propagate.WaitStart:
			if p := c.flow.Pod(o.Name); (c.host.intake != simhost.Events || c.host.nameless) && p != nil && p.State == simhost.PodGone {
				c.log = append(c.log, o.Name+" vanished before it was listed")
				c.create(o.Name)
				return true
			}
		case propagate.WaitResume:
			c.apply(propagate.Resumed(o.Name))
			return true
		case propagate.WaitServed:
			switch served := c.serving(); served {
			case nodegraph.PhasePlanned:
				c.apply(propagate.AgentEnded("the agent is gone"))
			default:
				c.apply(propagate.NodeEnded(o.Name, served, ""))
			}
			return true
		case propagate.WaitTimer:
			if c.host.lively {
				if c.sleep() {
					return true
				}
				continue
			}
			c.Now = c.Now.Add(time.Second)
			if o.Until.After(c.Now) {
				c.Now = o.Until.Add(time.Nanosecond)
			}
			c.apply()
			return true
		}
	}
	return false
}

// serving is how an HTTP or Plugin node ends; Planned if the agent does.
func (c *randomCluster) serving() nodegraph.Phase {
	if !c.host.lively || c.calm {
		return nodegraph.PhaseSucceeded
	}
	return []nodegraph.Phase{nodegraph.PhaseSucceeded, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError, nodegraph.PhasePlanned}[c.r.IntN(5)]
}

// sleep lets time pass until the engine wants to be called again; false if it does not.
func (c *randomCluster) sleep() bool {
	if c.flow.Wake.IsZero() {
		return false
	}
	c.Now = c.flow.Wake
	c.apply()
	return true
}
