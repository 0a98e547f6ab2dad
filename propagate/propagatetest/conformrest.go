package propagatetest

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// checkRest: a controller that rests owes nothing.
func (c *Cluster) checkRest() {
	taken := c.takenLocks()
	for _, name := range c.Workflows() {
		e := c.engine(name)
		if e == nil {
			c.fault(HasNoEngine, "after Reconcile, Engine returns nil for %s", name)
			return
		}
		c.checkTold(name, e)
		for _, p := range c.world.PodsOf(name, "") {
			c.checkPod(e, p)
		}
		if c.stopping && name == c.Workflows()[0] && !e.Complete() && e.Save().Shutdown == "" {
			c.fault(DropsReport, "a user stops %s, and its engine does not know: tell it Cluster.Events", name)
		}
		for _, o := range e.Obligations() {
			c.checkObligation(name, e, o, taken)
		}
	}
}

// checkTold: the specification does what its author wants, and the engine was told the time.
func (c *Cluster) checkTold(workflow string, e *propagate.Engine) {
	for _, w := range e.Graph().Spec().Warnings() {
		c.fault(IgnoresWarnings, "%s: %v", workflow, w)
	}
	if e.Now().After(c.Now()) {
		c.fault(TellsTimesToCome, "it is %s, and the engine of %s was told that it is %s", clock(c.Now()), workflow, clock(e.Now()))
	}
}

// checkPod: the engine knows how a pod is, and a pod whose node has ended ends.
func (c *Cluster) checkPod(e *propagate.Engine, p *simhost.Pod) {
	i := e.Graph().Find(p.Node)
	if i == nodegraph.None {
		return // it was asked for before something made the node go
	}
	v, name := e.Verdict(i), e.Graph().Node(i).Name()
	newest := p == c.newest(p.Workflow, i)
	switch {
	case !newest:
	case p.Alive() && p.State > simhost.PodNew && (v.Rule == rule.RulePodGone || v.Rule == rule.RulePodRecreate):
		c.fault(SeesStalePods, "the pod of %s lives, and the engine was told that it is gone: a list that is not complete", name)
		return
	case p.State == simhost.PodEnded && !v.Fulfilled && !e.Complete():
		c.fault(SeesStalePods, "the pod of %s is %s, and the engine has %s: it was not told", name, p.Status.Phase, v.Phase)
		return
	case p.State == simhost.PodGone && !v.Fulfilled && (v.Rule == rule.RulePodRunning || v.Rule == rule.RulePodPending):
		c.fault(SeesStalePods, "the pod of %s is gone, and the engine has %s: it was not told", name, v.Phase)
		return
	case p.State == simhost.PodRunning && v.Phase == nodegraph.PhasePending && !v.Daemoned && v.Rule == rule.RulePodPending:
		c.fault(SeesStalePods, "the pod of %s runs, and the engine has %s: it was not told", name, v.Phase)
		return
	case v.Rule == rule.RulePodResult && (p.Status.Phase == propagate.PodPhaseSucceeded) == v.Phase.Unsuccessful() && p.State == simhost.PodEnded:
		c.fault(TellsAnotherEnd, "the pod of %s has %s, and the engine has %s: it was told another end", name, p.Status.Phase, v.Phase)
		return
	}
	if p.Alive() && !p.Terminating && v.Fulfilled && !v.Daemoned {
		c.fault(DropsTerminate, "%s is %s %q, and its pod runs on", name, v.Phase, v.Message)
	}
}

// newest is the last pod of a node.
func (c *Cluster) newest(workflow string, i nodegraph.Index) (last *simhost.Pod) {
	g := c.engine(workflow).Graph()
	for _, p := range c.world.PodsOf(workflow, "") {
		if g.Find(p.Node) == i {
			last = p
		}
	}
	return last
}

// checkObligation: what a workflow waits for can come without the controller.
func (c *Cluster) checkObligation(workflow string, e *propagate.Engine, o propagate.Obligation, taken map[string]bool) {
	switch o.For {
	case propagate.WaitStart:
		if p := c.newest(workflow, o.Node); e.Kind(o.Node) == nodegraph.KindPod && (p == nil || !p.Alive()) {
			c.fault(DropsStart, "%s waits for a pod, and none was made", o.Name)
		}
	case propagate.WaitServed:
		if !c.served[workflow+" "+o.Name] {
			c.fault(DropsServe, "nobody serves %s", o.Name)
		} else if c.reported[workflow+" "+o.Name] {
			c.fault(DropsReport, "%s was served and has ended, and its engine does not know: tell it Cluster.Events", o.Name)
		}
	case propagate.WaitResume:
		if c.reported[workflow+" "+o.Name] {
			c.fault(DropsReport, "a user lets %s go on, and its engine does not know: tell it Cluster.Events", o.Name)
		}
	case propagate.WaitCondition, propagate.WaitItems, propagate.WaitCache:
		c.fault(DropsQuestion, "%s waits for an answer about its %s", o.Name, o.For)
	case propagate.WaitTimer:
		at := c.world.Timer(workflow)
		if !at.After(c.Now()) || !o.Until.IsZero() && at.After(o.Until) {
			c.fault(DropsWake, "%s waits until %s, and the timer of %s is set for %s", o.Name, clock(o.Until), workflow, clock(at))
		}
	case propagate.WaitLock:
		c.checkLockWait(workflow, e, o, taken)
	}
}

// checkLockWait: whoever waits for a lock was put into the queue, and somebody holds it.
func (c *Cluster) checkLockWait(workflow string, e *propagate.Engine, o propagate.Obligation, taken map[string]bool) {
	who := workflow
	if o.Name != "" {
		who += ", " + o.Name
	}
	if e.Fact(o.Node).Lock == fact.LockAsked {
		c.fault(DropsAcquire, "%s has asked for its locks, and nobody has answered", who)
		return
	}
	locks := locksOf(e, o.Node)
	if !slices.ContainsFunc(locks, func(l nodegraph.Lock) bool { return taken[l.Key] }) {
		var keys []string
		for _, l := range locks {
			keys = append(keys, l.Key)
		}
		c.fault(DropsRelease, "%s waits for %s, and nobody holds it", who, strings.Join(keys, ", "))
	}
}

// checkEnd: where nothing happens any more all workflows are complete.
func (c *Cluster) checkEnd() {
	for _, name := range c.Workflows() {
		e := c.engine(name)
		if e == nil || len(c.faults) > 0 {
			continue
		}
		if err := Check(e); err != nil {
			c.fault(BreaksAnInvariant, "%s: %v", name, err)
		}
		if !e.Complete() {
			c.fault(NeverEnds, "%s waits for %v", name, e.Obligations())
		}
	}
}
