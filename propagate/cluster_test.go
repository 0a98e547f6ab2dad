package propagate_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A cluster plays everything around one engine: it makes the pods it is asked for and lets random things happen to
// them, answers what it is asked, keeps time, and checks the invariants after every call.
type cluster struct {
	*simhost.Host
	t       testing.TB
	r       *rand.Rand
	flow    *simhost.Workflow
	e       *propagate.Engine // of the flow
	freed   map[string]bool   // ids of those who have given back their locks and did not ask for them again
	said    []propagate.Event // events that may be said again
	log     []string
	host    host
	vague   bool              // a restored engine may know less: attempts were left out, hooks may find no room
	calm    bool              // nothing bad happens any more
	retried bool              // there was a manual retry
	clone   *propagate.Engine // made to say before every call what the engine will; nil for none

	calls, restarts int // of the engine, so far
	census          census
}

func newCluster(t testing.TB, r *rand.Rand, spec *nodegraph.Spec, h host) *cluster {
	c := &cluster{t: t, r: r, host: h, freed: make(map[string]bool), census: make(census)}
	c.Host = &simhost.Host{Now: epoch, Intake: h.intake, Slow: true, Stamp: h.stamp}
	require.NoError(t, c.Add("", spec, h.limits))
	c.flow = c.Workflows[0]
	c.e = c.flow.Engine
	c.apply()
	return c
}

// apply says events to the engine, and carries out what it asks for.
func (c *cluster) apply(events ...propagate.Event) {
	require.NoError(c.t, propagate.Drive(c, "", events...))
}

// Call says events to the engine, and looks at what it makes of them. Nothing comes of what it refuses with good reason.
func (c *cluster) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	for _, ev := range events {
		c.log = append(c.log, fmt.Sprintf("%s %v %s", c.Now.Format("05"), ev, ev.Pod.UID))
	}
	c.calls++
	before := c.leaves()
	complete := c.e.Complete()
	cloned := c.callClone(events)
	result, err := c.Host.Call("", events)
	cloned(result, err)
	if err != nil {
		c.giveBack(events)
	}
	switch {
	case complete && errors.Is(err, propagate.ErrComplete):
		return propagate.Result{}, nil
	case c.retried && (errors.Is(err, propagate.ErrUnknownNode) || errors.Is(err, propagate.ErrNotStarted)):
		c.unsay(events) // a pod of a node that a manual retry has reset
		return propagate.Result{}, nil
	}
	c.census.called(events, &result)
	if err == nil {
		err = c.sound()
	}
	if err != nil {
		require.NoError(c.t, err, "%s\n%s", c.history(), c.table())
	}
	if !c.vague {
		c.checkRewriting(before, events)
	}
	c.checkWake()
	return result, nil
}

// sound is what all tests check, but that what a manual retry opens again is not held back by the parallelism around it.
func (c *cluster) sound() error {
	if c.retried {
		return soundBut(c.e, "I9.2")
	}
	return sound(c.e)
}

// checkWake: what waits for time alone has an ActionWake that is still to come, no later than that.
func (c *cluster) checkWake() {
	wake := c.flow.Wake
	for _, o := range c.e.Obligations() {
		if o.For == propagate.WaitTimer && (wake.IsZero() || !o.Until.IsZero() && wake.After(o.Until)) {
			require.Fail(c.t, "nobody wakes the engine", "%v, at %v\n%s\n%s", o, wake, c.history(), c.table())
		}
	}
}

// unsay makes sure that pods which the engine refused to hear of are not spoken of once more: it did not learn that they
// are older than those to come.
func (c *cluster) unsay(events []propagate.Event) {
	for _, ev := range events {
		c.said = slices.DeleteFunc(c.said, func(old propagate.Event) bool { return old.Node == ev.Node && old.Pod.UID == ev.Pod.UID })
	}
}

// giveBack releases the locks whose grant the engine refused to hear of, and tells those who get them.
func (c *cluster) giveBack(events []propagate.Event) {
	for _, ev := range events {
		if ev.Type == propagate.EventLockGranted {
			for _, h := range c.Locks.Release(propagate.Holder{Node: ev.Node}) {
				c.apply(propagate.LockGranted(h.Node))
			}
		}
	}
}

// history is what happened, for a message.
func (c *cluster) history() string { return strings.Join(c.log, "\n") }

// table shows every node, for a message.
func (c *cluster) table() string {
	var b strings.Builder
	reference := c.e.Reference()
	for i := range nodegraph.Index(c.e.Graph().Len()) {
		r, f := c.e.Explain(i)[0], c.e.Fact(i)
		fmt.Fprintf(&b, "%-40s %-9s %q %s [%s created=%v lock=%d %s:%d.%d]\n", r.Name, r.Phase, r.Message, r.Because, f.Stage, !f.Created.IsZero(), f.Lock, f.UID, f.Serial, f.Attempt)
		if want := reference[i]; want.Phase != r.Phase || want.Rule != r.Rule {
			fmt.Fprintf(&b, "    the reference says %s (%s) by %d\n", want.Phase, want.Rule, want.By)
		}
	}
	return b.String()
}

// checkRewriting: a leaf that had ended changes only because a newer incarnation or a manual retry superseded it (I5), or one
// of its hooks has no room in the graph, which is an error of the leaf (I10).
func (c *cluster) checkRewriting(before map[string]nodegraph.Phase, events []propagate.Event) {
	for _, ev := range events {
		switch ev.Type {
		case propagate.EventContainerRetried, propagate.EventManualRetry:
			return
		}
	}
	for name, phase := range before {
		i := c.e.Graph().Find(name)
		noRoom := strings.Contains(c.e.Explain(i)[0].Message, "limit Nodes")
		if now := c.e.Verdict(i).Phase; now != phase && !noRoom {
			require.Equal(c.t, phase.String(), now.String(), "%s was rewritten by %v\n%s\n%s", name, events, c.history(), c.table())
		}
	}
}

// leaves returns the phases of the leaves that have ended for good.
func (c *cluster) leaves() map[string]nodegraph.Phase {
	ended := make(map[string]nodegraph.Phase)
	for i := nodegraph.Entry; int(i) < c.e.Graph().Len(); i++ {
		n, v := c.e.Graph().Node(i), c.e.Verdict(i)
		stopped := c.e.Fact(i).Stage == fact.StageStopped || n.Parent > 0 && c.e.Fact(n.Parent).Stage == fact.StageStopped
		absent := v.Rule == rule.RulePodGone || v.Rule == rule.RuleContainerPod // a late result beats that
		if !n.Kind.Composite() && v.Fulfilled && !v.Daemoned && !stopped && !absent && v.Phase.Completed() {
			ended[n.Name()] = v.Phase
		}
	}
	return ended
}

// Do carries out an action. Whoever gets a lock hears of it at once, and of the older requests of those who do not want it
// any more the host hears when it comes to them.
func (c *cluster) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	c.log = append(c.log, "   -> "+a.String())
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		if a.Kind == nodegraph.KindPod {
			if c.host.lively && !c.calm && c.r.IntN(40) == 0 {
				return []propagate.Notice{{Workflow: workflow, Event: propagate.Unrunnable(a.ID, "the quota is used up")}}, nil
			}
			c.create(a.Name)
		}
		return nil, nil
	case propagate.ActionRelease:
		c.freed[a.ID] = true
		return c.Locks.Answer(workflow, a), nil
	}
	return c.Host.Do(workflow, a)
}

// checkLocks checks that a pod which is made runs under all the locks of the nodes that it is, or is inside of.
func (c *cluster) checkLocks(name string) {
	g := c.e.Graph()
	for i := g.Find(name); i > nodegraph.Root; i = g.Node(i).Parent {
		n := g.Node(i)
		if n.Role == nodegraph.RoleAttempt || n.Kind == nodegraph.KindTaskGroup || n.Kind == nodegraph.KindStepGroup {
			continue // what they are inside of, or their members, hold the locks of the template
		}
		if c.freed[n.ID()] {
			continue // it had ended, and goes on because of what was learned later
		}
		for _, lock := range n.Template.Locks {
			require.Contains(c.t, c.Locks.Holders(lock.Key), propagate.Holder{Node: n.ID()}, "%s is made without %s of %s\n%s\n%s",
				name, lock.Key, n.Name(), c.history(), c.table())
		}
	}
}

func (c *cluster) create(name string) {
	c.checkLocks(name)
	old := c.flow.Pod(name)
	if old != nil && !c.retried && old.Alive() && !old.Terminating {
		return // it was made already: making it twice makes one
	}
	p := c.Make("", name)
	if old != nil && !c.retried && !c.host.nameless {
		p.Before, _ = old.Listed()
	}
}

// answer answers the oldest question that is open.
func (c *cluster) answer() {
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
func (c *cluster) reply(ev propagate.Event) {
	if c.host.lively {
		c.said = append(c.said, ev)
	}
	c.apply(ev)
}

// step lets one thing happen. It tells whether there was anything left to happen.
func (c *cluster) step() bool {
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
func (c *cluster) say(p *simhost.Pod, ev propagate.Event) {
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
func (c *cluster) podStep(p *simhost.Pod) {
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
func (c *cluster) runningContainer(p *simhost.Pod) bool {
	i := c.e.Graph().Find(p.Node)
	if i == nodegraph.None {
		return false // a manual retry has forgotten it
	}
	if p.Template.Daemon {
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
func (c *cluster) elsewhere() bool {
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
func (c *cluster) serving() nodegraph.Phase {
	if !c.host.lively || c.calm {
		return nodegraph.PhaseSucceeded
	}
	return []nodegraph.Phase{nodegraph.PhaseSucceeded, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError, nodegraph.PhasePlanned}[c.r.IntN(5)]
}

// sleep lets time pass until the engine wants to be called again; false if it does not.
func (c *cluster) sleep() bool {
	if c.flow.Wake.IsZero() {
		return false
	}
	c.Now = c.flow.Wake
	c.apply()
	return true
}

// drain lets only good things happen until nothing is left, and the workflow must be complete.
func (c *cluster) drain() {
	c.calm = true
	for k := 0; !c.e.Complete(); k++ {
		if !c.step() {
			if !c.endDaemon() {
				require.Fail(c.t, "it hangs", "%v\n%s\n%s", c.e.Obligations(), c.history(), c.table())
			}
		}
		if k == 20000 {
			require.Fail(c.t, "it does not end", "%v\n%s\n%s", c.e.Obligations(), strings.Join(c.log[max(0, len(c.log)-20):], "\n"), c.table())
		}
	}
}

// endDaemon ends a ready daemon that nothing else would end.
func (c *cluster) endDaemon() bool {
	for _, p := range c.flow.Pods {
		if i := c.e.Graph().Find(p.Node); i != nodegraph.None && c.e.Verdict(i).Daemoned && p.State != simhost.PodGone {
			c.say(p, propagate.PodDeleted(""))
			return true
		}
	}
	return false
}
