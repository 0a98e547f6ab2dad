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
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A cluster plays everything around one engine: it makes the pods it is asked for and lets random things happen to
// them, answers what it is asked, keeps time, and checks the invariants after every call.
type cluster struct {
	t       testing.TB
	r       *rand.Rand
	e       *propagate.Engine
	spec    *nodegraph.Spec
	now     time.Time
	pods    map[string]*pod // by node name
	names   []string        // of the pods, in the order in which they were first asked for
	locks   propagate.LockTable
	freed   map[string]bool    // ids of those who have given back their locks and did not ask for them again
	owed    []propagate.Action // questions that were not answered yet
	said    []propagate.Event  // events that may be said again
	log     []string
	serial  int
	host    host
	told    map[string]propagate.PodStatus // how pods looked when the engine last heard of them, by node name
	vague   bool                           // a restored engine may know less: attempts were left out, hooks may find no room
	wake    time.Time                      // when the engine asked to be called again
	calm    bool                           // nothing bad happens any more
	retried bool                           // there was a manual retry

	calls, restarts int // of the engine, so far
}

// pod is one pod of the cluster.
type pod struct {
	unsynced   bool                // its results are still to come
	status     propagate.PodStatus // as it is listed; of no phase until then
	before     propagate.PodStatus // of the pod that it replaces, which is listed in its place until then
	uid        string
	created    time.Time
	phase      string
	containers map[string]string // name to state: waiting, running, or an exit code
	runs       map[string]int    // how often a container was run again
}

func newCluster(t testing.TB, r *rand.Rand, spec *nodegraph.Spec, h host) *cluster {
	e, err := propagate.NewLimited(spec, h.limits)
	require.NoError(t, err)
	c := &cluster{t: t, r: r, e: e, spec: spec, host: h, now: epoch, pods: make(map[string]*pod), freed: make(map[string]bool)}
	c.apply()
	return c
}

// apply says events to the engine, and carries out what it asks for.
func (c *cluster) apply(events ...propagate.Event) {
	for _, ev := range events {
		c.log = append(c.log, fmt.Sprintf("%s %v %s", c.now.Format("05"), ev, ev.Pod.UID))
	}
	c.calls++
	before := c.leaves()
	complete := c.e.Complete()
	result, err := c.tell(events)
	if err != nil {
		c.giveBack(events)
	} else if !c.wake.After(c.now) {
		c.wake = time.Time{}
	}
	switch {
	case complete && errors.Is(err, propagate.ErrComplete):
		return
	case c.retried && (errors.Is(err, propagate.ErrUnknownNode) || errors.Is(err, propagate.ErrNotStarted)):
		c.unsay(events) // a pod of a node that a manual retry has reset
		return
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
	c.carryOut(result)
	c.checkWake()
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
	for _, o := range c.e.Obligations() {
		if o.For == propagate.NeedTimer && (c.wake.IsZero() || !o.Until.IsZero() && c.wake.After(o.Until)) {
			require.Fail(c.t, "nobody wakes the engine", "%v, at %v\n%s\n%s", o, c.wake, c.history(), c.table())
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

// giveBack releases the locks whose grant the engine refused to hear of.
func (c *cluster) giveBack(events []propagate.Event) {
	for _, ev := range events {
		if ev.Type == propagate.EventLockGranted {
			c.release(ev.Node)
		}
	}
}

// release gives back the locks of a node, and tells those who get them.
func (c *cluster) release(id string) {
	for _, h := range c.locks.Release(propagate.Holder{Node: id}) {
		c.apply(propagate.LockGranted(h.Node))
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

// checkRewriting: a leaf that had ended changes only because a newer incarnation or a manual retry superseded it (I5).
func (c *cluster) checkRewriting(before map[string]nodegraph.Phase, events []propagate.Event) {
	for _, ev := range events {
		switch ev.Type {
		case propagate.EventContainerRetried, propagate.EventManualRetry:
			return
		}
	}
	for name, phase := range before {
		i := c.e.Graph().Find(name)
		if now := c.e.Verdict(i).Phase; now != phase {
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

func (c *cluster) carryOut(result propagate.Result) {
	for _, a := range result.Actions {
		if a.Type == propagate.ActionWake { // carrying out the others calls the engine again
			c.wake = a.At
		}
	}
	for _, a := range result.Actions {
		c.log = append(c.log, "   -> "+a.String())
		switch a.Type {
		case propagate.ActionStart, propagate.ActionRecreate:
			if a.Kind == nodegraph.Pod && (a.Type == propagate.ActionRecreate || a.Message == "") {
				c.create(a.Name)
			}
		case propagate.ActionTerminate:
			if p := c.pods[a.Name]; p != nil && p.phase != "gone" {
				p.phase = "terminating"
			}
		case propagate.ActionRelease:
			c.freed[a.ID] = true
			c.release(a.ID)
		case propagate.ActionAcquire, propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
			c.owed = append(c.owed, a)
		}
	}
}

// checkLocks checks that a pod which is made runs under all the locks of the nodes that it is, or is inside of.
func (c *cluster) checkLocks(name string) {
	g := c.e.Graph()
	for i := g.Find(name); i > nodegraph.Root; i = g.Node(i).Parent {
		n := g.Node(i)
		if n.Role == nodegraph.RoleAttempt || n.Kind == nodegraph.TaskGroup || n.Kind == nodegraph.StepGroup {
			continue // what they are inside of, or their members, hold the locks of the template
		}
		if c.freed[n.ID()] {
			continue // it had ended, and goes on because of what was learned later
		}
		for _, lock := range n.Template.Locks {
			require.Contains(c.t, c.locks.Holders(lock.Key), propagate.Holder{Node: n.ID()}, "%s is made without %s of %s\n%s\n%s",
				name, lock.Key, n.Name(), c.history(), c.table())
		}
	}
}

func (c *cluster) create(name string) {
	c.checkLocks(name)
	switch old := c.pods[name]; {
	case old == nil:
		c.names = append(c.names, name)
	case !c.retried && (old.phase == "new" || old.phase == "pending" || old.phase == "running"):
		return // it was made already: making it twice makes one
	}
	c.serial++
	p := &pod{created: c.date(), phase: "new", containers: make(map[string]string), runs: make(map[string]int)}
	if !c.host.nameless {
		p.uid = fmt.Sprintf("uid-%d", c.serial)
	}
	for _, ctr := range c.e.Graph().Node(c.e.Graph().Find(name)).Template.Containers {
		p.containers[ctr.Name] = "waiting"
	}
	p.status = propagate.PodStatus{Node: name, UID: p.uid, Created: p.created, Name: name}
	if old := c.pods[name]; old != nil && !c.retried && !c.host.nameless {
		p.before = old.listed()
	}
	c.pods[name] = p
}

// answer answers the oldest question that is open.
func (c *cluster) answer() {
	a := c.owed[0]
	c.owed = c.owed[1:]
	if c.e.Complete() {
		return
	}
	if c.host.lively && !c.calm && a.Type != propagate.ActionAcquire && c.r.IntN(20) == 0 {
		c.apply(propagate.Unanswerable(a.Name, "nobody knows"))
		if a.Type != propagate.ActionLookup {
			return
		}
	}
	switch a.Type {
	case propagate.ActionAcquire:
		delete(c.freed, a.ID)
		if granted, key, message := c.locks.Acquire(propagate.Holder{Node: a.ID}, a.Locks); granted {
			c.apply(propagate.LockGranted(a.ID))
		} else {
			c.apply(propagate.LockQueued(a.ID, key, message))
		}
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
	if len(c.owed) > 0 && (c.calm || c.r.IntN(2) == 0) {
		c.answer()
		return true
	}
	if !c.calm && len(c.said) > 0 && c.r.IntN(6) == 0 { // an old event comes late, or once more
		c.apply(c.said[c.r.IntN(len(c.said))])
		return true
	}
	for _, k := range c.r.Perm(len(c.names)) {
		name := c.names[k]
		if p := c.pods[name]; p.phase != "gone" && (p.phase != "done" || p.unsynced) {
			c.podStep(name, p)
			return true
		}
	}
	return c.elsewhere()
}

// say applies an event of a pod and remembers it.
func (c *cluster) say(p *pod, ev propagate.Event) {
	ev.Pod.UID, ev.Pod.Created = p.uid, p.created
	if ev.Container != "" {
		ev.Pod.Attempt = p.runs[ev.Container] + 1
	}
	if c.host.intake == intakeEvents {
		if !c.host.nameless {
			c.said = append(c.said, ev)
		}
		c.apply(ev)
		return
	}
	p.show(&ev)
	switch ev.Type { // a list does not show that
	case propagate.EventContainerRetried, propagate.EventResultPending, propagate.EventResultSynced:
		c.apply(ev)
		return
	}
	c.log = append(c.log, fmt.Sprintf("%s %v %s is listed", c.now.Format("05"), ev, ev.Pod.UID))
	c.apply()
}

// podStep lets something happen to one pod.
func (c *cluster) podStep(name string, p *pod) {
	bad := 0
	if !c.calm {
		bad = c.r.IntN(12)
	}
	switch {
	case p.phase == "terminating" || bad == 1:
		p.phase, p.unsynced = "gone", false
		c.say(p, propagate.PodDeleted(name))
	case p.phase == "done":
		p.unsynced = false
		c.say(p, propagate.ResultSynced(name))
	case bad == 2:
		p.phase = "done"
		c.say(p, propagate.PodEvicted(name, "The node was low on resource: memory."))
	case p.phase == "new":
		p.phase = "pending"
		c.say(p, propagate.PodPending(name, "ContainerCreating"))
	case p.phase == "pending":
		p.phase = "running"
		ev := propagate.PodRunning(name)
		ev.Ready = c.calm || c.r.IntN(2) == 0
		c.say(p, ev)
		for ctr := range p.containers {
			p.containers[ctr] = "running"
		}
	case c.runningContainer(name, p):
	case c.host.lively && !p.unsynced && bad == 3:
		p.unsynced = true
		c.say(p, propagate.ResultPending(name))
	default:
		p.phase = "done"
		if !c.calm && c.r.IntN(3) == 0 {
			c.say(p, propagate.PodFailed(name, "main: Error (exit code 1)"))
		} else {
			c.say(p, propagate.PodSucceeded(name))
		}
	}
}

// runningContainer lets something happen to a container of a running pod; false if none is left.
func (c *cluster) runningContainer(name string, p *pod) bool {
	i := c.e.Graph().Find(name)
	if i == nodegraph.None {
		return false // a manual retry has forgotten it
	}
	t := c.e.Graph().Node(i).Template
	if t.Daemon {
		if c.e.Verdict(i).Daemoned {
			return false
		}
		c.say(p, propagate.PodRunning(name)) // ready now
		return c.e.Verdict(i).Daemoned
	}
	for _, ctr := range t.Containers {
		switch p.containers[ctr.Name] {
		case "running":
			code := 0
			if !c.calm {
				code = []int{0, 0, 0, 1, 64}[c.r.IntN(5)]
			}
			p.containers[ctr.Name] = fmt.Sprint(code)
			c.say(p, propagate.ContainerEnded(name, ctr.Name, code, ""))
			return true
		case "1":
			if !c.calm && c.r.IntN(2) == 0 { // the executor runs it again
				anew := after(t, ctr.Name) // they begin anew with it
				anew[ctr.Name] = true
				number := 0
				for name := range anew {
					number = max(number, p.runs[name]+1)
				}
				for name := range anew {
					p.runs[name] = number
				}
				c.say(p, propagate.ContainerRetried(name, ctr.Name))
				p.containers[ctr.Name] = "running"
				return true
			}
		}
	}
	return false
}

// after returns the containers that come after one, directly or not.
func after(t *nodegraph.Template, container string) map[string]bool {
	later := make(map[string]bool)
	for grown := true; grown; {
		grown = false
		for _, c := range t.Containers {
			for _, d := range c.Dependencies {
				if (d == container || later[d]) && !later[c.Name] {
					later[c.Name], grown = true, true
				}
			}
		}
	}
	return later
}

// elsewhere lets time pass, people act, or served nodes end; false if nothing is left to happen.
func (c *cluster) elsewhere() bool {
	obligations := c.e.Obligations()
	for _, o := range obligations {
		switch o.For {
		case propagate.NeedStart:
			if (c.host.intake != intakeEvents || c.host.nameless) && c.pods[o.Name] != nil && c.pods[o.Name].phase == "gone" {
				c.log = append(c.log, o.Name+" vanished before it was listed")
				c.create(o.Name)
				return true
			}
		case propagate.NeedResume:
			c.apply(propagate.Resumed(o.Name))
			return true
		case propagate.NeedServed:
			switch served := c.serving(); served {
			case nodegraph.Planned:
				c.apply(propagate.AgentEnded("the agent is gone"))
			default:
				c.apply(propagate.NodeEnded(o.Name, served, ""))
			}
			return true
		case propagate.NeedTimer:
			if c.host.lively {
				if c.sleep() {
					return true
				}
				continue
			}
			c.now = c.now.Add(time.Second)
			if o.Until.After(c.now) {
				c.now = o.Until.Add(time.Nanosecond)
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
		return nodegraph.Succeeded
	}
	return []nodegraph.Phase{nodegraph.Succeeded, nodegraph.Succeeded, nodegraph.Failed, nodegraph.Error, nodegraph.Planned}[c.r.IntN(5)]
}

// sleep lets time pass until the engine wants to be called again; false if it does not.
func (c *cluster) sleep() bool {
	if c.wake.IsZero() {
		return false
	}
	c.now = c.wake
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
	for _, name := range c.names {
		if i := c.e.Graph().Find(name); i != nodegraph.None && c.e.Verdict(i).Daemoned && c.pods[name].phase != "gone" {
			p := c.pods[name]
			p.phase = "gone"
			c.say(p, propagate.PodDeleted(name))
			return true
		}
	}
	return false
}
