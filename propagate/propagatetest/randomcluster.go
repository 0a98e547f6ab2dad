package propagatetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A randomCluster plays everything around one engine. It makes the pods that it is asked for and lets random things happen to
// them. It answers what it is asked, keeps time, and checks the invariants after every call.
type randomCluster struct {
	*simhost.Host
	t       testing.TB
	r       *rand.Rand
	flow    *simhost.Workflow
	e       *propagate.Engine // of the flow
	freed   map[string]bool   // ids of those who have given back their locks and did not ask for them again
	said    []propagate.Event // events that may be said again
	log     []string
	host    randomHost
	vague   bool // a restored engine may know less: attempts were left out, hooks may find no room
	calm    bool // nothing bad happens any more
	retried bool // there was a manual retry

	count RandomCount
	run   Random
}

// cluster begins a run.
func (x Random) cluster(t testing.TB, r *rand.Rand, spec *nodegraph.Spec, h randomHost) *randomCluster {
	c := &randomCluster{t: t, r: r, host: h, freed: make(map[string]bool), run: x}
	c.Host = &simhost.Host{Now: epoch, Intake: h.intake, Slow: true, Stamp: h.stamp}
	require.NoError(t, c.Add("", spec, h.limits))
	c.flow = c.Workflows[0]
	c.e = c.flow.Engine
	c.apply()
	return c
}

// apply says events to the engine, and carries out what it asks for.
func (c *randomCluster) apply(events ...propagate.Event) {
	require.NoError(c.t, propagate.Drive(c, "", events...))
}

// Call says events to the engine, and looks at what it makes of them. Nothing comes of what it refuses with good reason.
func (c *randomCluster) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	for _, ev := range events {
		c.log = append(c.log, fmt.Sprintf("%s %v %s", c.Now.Format("05"), ev, ev.Pod.UID))
	}
	c.count.Calls++
	before := c.leaves()
	complete := c.e.Complete()
	told := func(propagate.Result, error) {}
	if c.run.Before != nil {
		told = c.run.Before(c.e, c.Now, events)
	}
	result, err := c.Host.Call("", events)
	told(result, err)
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
	if c.run.After != nil {
		c.run.After(c.e, events, &result)
	}
	return result, nil
}

// sound is what all tests check, but that what a manual retry opens again is not held back by the parallelism around it.
func (c *randomCluster) sound() error {
	if c.retried {
		return Check(c.e, "I9.2")
	}
	return Check(c.e)
}

// checkWake: what waits for time alone has an ActionWake that is still to come, no later than that.
func (c *randomCluster) checkWake() {
	wake := c.flow.Wake
	for _, o := range c.e.Obligations() {
		if o.For == propagate.WaitTimer && (wake.IsZero() || !o.Until.IsZero() && wake.After(o.Until)) {
			require.Fail(c.t, "nobody wakes the engine", "%v, at %v\n%s\n%s", o, wake, c.history(), c.table())
		}
	}
}

// unsay makes sure that pods which the engine refused to hear of are not spoken of once more: it did not learn that they
// are older than those to come.
func (c *randomCluster) unsay(events []propagate.Event) {
	for _, ev := range events {
		c.said = slices.DeleteFunc(c.said, func(old propagate.Event) bool { return old.Node == ev.Node && old.Pod.UID == ev.Pod.UID })
	}
}

// giveBack releases the locks whose grant the engine refused to hear of, and tells those who get them.
func (c *randomCluster) giveBack(events []propagate.Event) {
	for _, ev := range events {
		if ev.Type == propagate.EventLockGranted {
			for _, h := range c.Locks.Release(propagate.Holder{Node: ev.Node}) {
				c.apply(propagate.LockGranted(h.Node))
			}
		}
	}
}

// history is what happened, for a message.
func (c *randomCluster) history() string { return strings.Join(c.log, "\n") }

// table shows every node, for a message.
func (c *randomCluster) table() string {
	var b strings.Builder
	for i := range nodegraph.Index(c.e.Graph().Len()) {
		r, f := c.e.Explain(i)[0], c.e.Fact(i)
		fmt.Fprintf(&b, "%-40s %-9s %q %s [%s created=%v lock=%d %s:%d.%d]\n", r.Name, r.Phase, r.Message, r.Because, f.Stage, !f.Created.IsZero(), f.Lock, f.UID, f.Serial, f.Attempt)
	}
	return b.String()
}

// checkRewriting: a leaf that had ended changes only because a newer incarnation or a manual retry superseded it (I5), or one
// of its hooks has no room in the graph, which is an error of the leaf (I10).
func (c *randomCluster) checkRewriting(before map[string]nodegraph.Phase, events []propagate.Event) {
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
func (c *randomCluster) leaves() map[string]nodegraph.Phase {
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
func (c *randomCluster) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
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
func (c *randomCluster) checkLocks(name string) {
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

func (c *randomCluster) create(name string) {
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
