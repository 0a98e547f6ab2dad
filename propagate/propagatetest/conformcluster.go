package propagatetest

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A Cluster is all that a [Controller] finds when it starts, and all that stays when it dies: workflows, pods, what was stored,
// and the clock. Pods go their way by themselves while the controller rests. A call that changes something is where the
// controller may die: then the call does not return, and deferred functions run.
type Cluster struct {
	world      *simhost.Cluster
	playing    Case
	makes      func(*Cluster) (Controller, error)
	strikes    func(call int, after bool) bool
	controller Controller // nil while none has started
	calls      []string   // what controllers called, in words
	changes    int        // how often anything has changed
	deaths     int
	dying      bool
	faults     []Fault

	stored   map[string]map[string]nodeLook // by workflow and node, what the engine said when it was stored last
	wants    map[*simhost.Pod][]lockOf      // what a pod needs to live
	served   map[string]bool                // nodes that an agent was told to serve, by workflow and node
	reported map[string]bool                // nodes of which somebody has said that they go on or have ended
	stopping bool
}

// A nodeLook is how a node looks to a host.
type nodeLook struct {
	exists bool
	phase  nodegraph.Phase
}

func newCluster(c Case, makes func(*Cluster) (Controller, error), strikes func(int, bool) bool) *Cluster {
	world := simhost.NewCluster(epoch)
	world.Slow = true
	return &Cluster{
		world: world, playing: c, makes: makes, strikes: strikes, stored: make(map[string]map[string]nodeLook),
		wants: make(map[*simhost.Pod][]lockOf), served: make(map[string]bool), reported: make(map[string]bool),
	}
}

// Workflows are the names of all workflows, in the order in which they were submitted.
func (c *Cluster) Workflows() []string {
	var names []string
	for _, s := range c.playing.Workflows {
		names = append(names, s.Name)
	}
	return names
}

// Spec is the specification of a workflow. It must not be changed.
func (c *Cluster) Spec(workflow string) *nodegraph.Spec {
	for _, s := range c.playing.Workflows {
		if s.Name == workflow {
			return s
		}
	}
	return nil
}

// Now is the time.
func (c *Cluster) Now() time.Time { return c.world.Now() }

// Pods lists the pods of a workflow that exist.
func (c *Cluster) Pods(workflow string) []propagate.PodStatus { return c.world.Pods(workflow) }

// Events are what is to be told of a workflow beside its pods, with each call. Users want a shutdown, or let a Suspend node go
// on; an agent says how an HTTP node has ended. There are none for a workflow that is complete.
func (c *Cluster) Events(workflow string) []propagate.Event {
	e := c.engine(workflow)
	if e == nil || e.Complete() {
		return nil
	}
	var events []propagate.Event
	if c.stopping && workflow == c.Workflows()[0] {
		events = append(events, propagate.Shutdown(c.playing.Stop))
	}
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		n := e.Graph().Node(i)
		switch open := e.Exists(i) && !e.Verdict(i).Fulfilled; {
		case !open || !c.reported[workflow+" "+n.Name()]:
		case n.Kind == nodegraph.KindSuspend:
			events = append(events, propagate.Resumed(n.ID()))
		default:
			events = append(events, propagate.NodeEnded(n.ID(), nodegraph.PhaseSucceeded, ""))
		}
	}
	return events
}

// Stored returns what was stored last of a workflow, nil for nothing.
func (c *Cluster) Stored(workflow string) []byte { return c.world.Stored(workflow) }

// Store keeps what the controller has to remember of a workflow: its saved state, or its object. Before it has returned nothing
// is kept.
func (c *Cluster) Store(workflow string, data []byte) {
	c.call("Store "+workflow, string(c.world.Stored(workflow)) != string(data), func() {
		c.world.Store(workflow, data)
		c.stored[workflow] = looksOf(c.engine(workflow))
	})
}

// CreatePod makes the pod of a node, which is given by id or name. Without containers it has one called main. No list shows it at
// once, as in a cache that lags behind. The error is [simhost.ErrExists] if the workflow has a pod of this name.
func (c *Cluster) CreatePod(workflow, node, name string, containers ...nodegraph.ContainerSpec) (err error) {
	c.call("CreatePod "+name, c.world.Named(workflow, name) == nil, func() {
		if err = c.world.CreatePod(workflow, node, name, containers...); err == nil {
			c.checkStart(workflow, node)
		}
	})
	return err
}

// DeletePod asks for the end of a pod, which is listed until it is gone. It does nothing if there is none.
func (c *Cluster) DeletePod(workflow, name string) {
	p := c.world.Named(workflow, name)
	c.call("DeletePod "+name, p != nil && !p.Terminating, func() {
		if p != nil && p.Alive() && !p.Terminating {
			c.checkTerminate(p)
		}
		c.world.DeletePod(workflow, name)
	})
}

// Serve has an HTTP or Plugin node served, once.
func (c *Cluster) Serve(workflow, node string) {
	if e := c.engine(workflow); e != nil && e.Graph().Find(node) != nodegraph.None {
		node = e.Graph().Node(e.Graph().Find(node)).Name()
	}
	at := workflow + " " + node
	c.call("Serve "+node, !c.served[at], func() { c.served[at] = true })
}

// WakeAt sets the timer of a workflow: then, if not before, it is reconciled. Timers end with the controller that has set them.
func (c *Cluster) WakeAt(workflow string, at time.Time) {
	c.call("WakeAt "+workflow, !c.world.Timer(workflow).Equal(at), func() { c.world.WakeAt(workflow, at) })
}

// Answer is [Answer], as a call in which the controller may die.
func (c *Cluster) Answer(workflow string, a *propagate.Action) (ev propagate.Event) {
	c.call(a.Type.String()+" "+a.Name, true, func() { ev = Answer(a) })
	return ev
}

// Answer answers ActionResolve, ActionExpand and ActionLookup: conditions hold, loops have the items x and y, and caches are
// empty.
func Answer(a *propagate.Action) propagate.Event {
	switch a.Type {
	case propagate.ActionResolve:
		return propagate.Resolved(a.ID, true, "")
	case propagate.ActionExpand:
		return propagate.Expanded(a.ID, nodegraph.Item{Text: "x"}, nodegraph.Item{Text: "y"})
	case propagate.ActionLookup:
		return propagate.Memoized(a.ID, false)
	}
	return propagate.Event{}
}

// call is one call of a controller, which may die before it and after it unless it changes nothing.
func (c *Cluster) call(what string, changes bool, effect func()) {
	if !changes {
		effect()
		return
	}
	at := len(c.calls)
	c.calls = append(c.calls, what)
	if c.strikes(at, false) {
		c.Die()
	}
	c.changes++
	effect()
	if c.strikes(at, true) {
		c.Die()
	}
}

// Die ends the controller that calls it, as if its process were killed. It does not return. [Conformance.Run] does that by
// itself; this is for tests that choose for themselves where.
func (c *Cluster) Die() {
	c.dying = true
	runtime.Goexit()
}

// Deaths is how many controllers have died.
func (c *Cluster) Deaths() int { return c.deaths }

// Faults are what the controllers did wrong.
func (c *Cluster) Faults() []Fault { return slices.Clone(c.faults) }

func (c *Cluster) fault(r Rule, format string, args ...any) {
	c.faults = append(c.faults, Fault{Rule: r, Case: c.playing.Name, Text: fmt.Sprintf(format, args...)})
}

// engine is what the controller knows of a workflow; nil where none lives.
func (c *Cluster) engine(workflow string) *propagate.Engine {
	if c.controller == nil {
		return nil
	}
	return c.controller.Engine(workflow)
}

// looksOf are the looks of all nodes.
func looksOf(e *propagate.Engine) map[string]nodeLook {
	looks := make(map[string]nodeLook)
	if e == nil {
		return looks
	}
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		looks[e.Graph().Node(i).Name()] = nodeLook{e.Exists(i), e.Verdict(i).Phase}
	}
	return looks
}
