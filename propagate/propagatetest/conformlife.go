package propagatetest

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// mostRounds bounds how often a controller looks at all workflows until it rests.
const mostRounds = 40

// errEnded says that a controller left its goroutine otherwise than by a return.
var errEnded = errors.New("it ended its goroutine: it calls runtime.Goexit, or FailNow of a test")

// live lets the controller do something, in a goroutine that dies with it. It reports whether it lives on.
func (c *Cluster) live(do func() error) bool {
	done := make(chan error, 1)
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("it panics: %v\n%s", p, debug.Stack())
			}
		}()
		done <- do()
	}()
	err, returned := <-done
	switch {
	case c.dying:
		c.dying, c.controller = false, nil
		c.deaths++
		c.changes++
		c.world.ForgetTimers()
		return false
	case !returned:
		err = errEnded
	}
	if err != nil && !errors.Is(err, ErrRefused) {
		c.fault(ReturnsAnError, "%v", err)
		return false
	}
	return true
}

// start starts controllers until one does not die of it.
func (c *Cluster) start() {
	for c.controller == nil && len(c.faults) == 0 {
		c.live(func() (err error) {
			made, err := c.makes(c)
			if err == nil {
				c.controller = made
			}
			return err
		})
	}
}

// settle has the controller look at all workflows until nothing changes, and checks that nothing is owed then.
func (c *Cluster) settle() {
	for range mostRounds {
		before := c.changes
		for _, name := range c.Workflows() {
			c.start()
			if len(c.faults) == 0 {
				c.live(func() error { return c.controller.Reconcile(name) })
			}
			if len(c.faults) > 0 {
				return // an engine that is misused may not say anything more
			}
		}
		if c.changes == before && c.controller != nil {
			c.checkRest()
			return
		}
	}
	c.fault(NeverRests, "it has looked at all workflows %d times, and changed something each time", mostRounds)
}

// goOn lets pods run and end, or else time pass until the next timer, or else somebody report. It reports whether anything
// happened.
func (c *Cluster) goOn() bool {
	moved := false
	for _, name := range c.Workflows() {
		for _, p := range c.world.PodsOf(name, "") {
			moved = c.podGoesOn(p) || moved
		}
	}
	switch at := c.world.NextTimer(); {
	case moved && c.playing.Stop != "":
		c.stopping = c.stopping || c.anyRuns()
	case !moved && !at.IsZero():
		c.world.Pass(at)
		moved = true
	case !moved:
		moved = c.report()
	}
	return moved
}

// anyRuns reports whether a pod runs.
func (c *Cluster) anyRuns() bool {
	return slices.ContainsFunc(c.world.PodsOf(c.Workflows()[0], ""), func(p *simhost.Pod) bool { return p.State == simhost.PodRunning })
}

// podGoesOn lets a pod do what comes next. It reports whether it did anything.
func (c *Cluster) podGoesOn(p *simhost.Pod) bool {
	name := c.nodeName(p)
	is := string(p.Status.Phase) + " " + name // of one that no list has shown there is no phase
	switch {
	case !p.Alive():
		return false
	case p.Terminating, slices.Contains(c.playing.Vanishes, is) && p.Number == 1:
		p.Become(propagate.PodDeleted(""))
	case slices.Contains(c.playing.Stays, is):
		return false
	case p.State == simhost.PodNew:
		p.Become(propagate.PodPending("", ""))
	case p.State == simhost.PodPending:
		ready := propagate.PodRunning("")
		ready.Ready = true
		p.Become(ready)
	case c.isDaemon(p):
		return false
	case slices.Contains(c.playing.Fails, name):
		p.Become(propagate.Event{Type: propagate.EventPodEnded, Phase: nodegraph.PhaseFailed, HasExit: true, ExitCode: 1, Finished: c.Now()})
	default:
		p.Become(propagate.Event{Type: propagate.EventPodEnded, Phase: nodegraph.PhaseSucceeded, HasExit: true, Finished: c.Now()})
	}
	return true
}

// nodeName is the name of the node of a pod, or what the pod gives as its node.
func (c *Cluster) nodeName(p *simhost.Pod) string {
	if e := c.engine(p.Workflow); e != nil && e.Graph().Find(p.Node) != nodegraph.None {
		return e.Graph().Node(e.Graph().Find(p.Node)).Name()
	}
	return p.Node
}

func (c *Cluster) isDaemon(p *simhost.Pod) bool {
	e := c.engine(p.Workflow)
	i := nodegraph.None
	if e != nil {
		i = e.Graph().Find(p.Node)
	}
	return i != nodegraph.None && e.Graph().Node(i).Template.IsDaemon()
}

// report has somebody say how nodes that are served have ended, and lets Suspend nodes go on that wait for nothing else. It
// reports whether there were any.
func (c *Cluster) report() bool {
	told := false
	for _, name := range c.Workflows() {
		e := c.engine(name)
		if e == nil {
			continue
		}
		for _, o := range e.Obligations() {
			at := name + " " + o.Name
			if !c.reported[at] && (o.For == propagate.WaitServed && c.served[at] || o.For == propagate.WaitResume) {
				c.reported[at], told = true, true
			}
		}
	}
	return told
}

// Outcome is how a case has ended: the phase and message of each node, and how many pods each had and how many of those live.
func (c *Cluster) Outcome() map[string]string { return c.outcome(true) }

// outcome is Outcome, or that without messages: a list and an event do not always say the same of why a pod has failed.
func (c *Cluster) outcome(messages bool) map[string]string {
	end := make(map[string]string)
	for _, name := range c.Workflows() {
		e := c.engine(name)
		if e == nil {
			continue
		}
		for i := range nodegraph.Index(e.Graph().Len()) {
			v := e.Verdict(i)
			if !e.Exists(i) && i != nodegraph.Root {
				continue
			}
			end[name+": "+nameOf(e, i)] = fmt.Sprint(kindOf(e, i), " ", v.Phase)
			if messages && v.Message != "" {
				end[name+": "+nameOf(e, i)] += " " + v.Message
			}
		}
		c.countPods(name, end)
	}
	return end
}

// countPods adds how many pods each node of a workflow had, and how many of those live.
func (c *Cluster) countPods(workflow string, end map[string]string) {
	made, alive := make(map[string]int), make(map[string]int)
	for _, p := range c.world.PodsOf(workflow, "") {
		node := c.nodeName(p)
		made[node]++
		if p.Alive() {
			alive[node]++
		}
	}
	for node, n := range made {
		end[workflow+": pods of "+node] = fmt.Sprintf("%d made, %d alive", n, alive[node])
	}
}
