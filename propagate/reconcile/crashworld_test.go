package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A cluster is what outlives the host: the objects, what the host has stored beside them, the pods, and the clock. Pods go their
// way by themselves.
type cluster struct {
	t       *testing.T
	now     time.Time
	names   []string          // of the workflows, in the order in which the host looks at them
	objects map[string][]byte // by workflow
	states  map[string][]byte // saved states, by workflow
	pods    []*clusterPod     // all that were ever made
	served  map[string]bool   // HTTP nodes that an agent was told to serve
	ended   map[string]bool   // workflows of whose end the host has said something
	fails   []string          // nodes whose pods fail
	stuck   []string          // pods that stay in a phase: "Running node"
	changes int               // how often anything has changed

	asked  []asked // what the hosts were asked to do
	crash  []crashPoint
	host   host
	makes  func(*cluster) host
	deaths int
}

type clusterPod struct {
	workflow string
	status   propagate.PodStatus
	gone     bool
	locked   bool // its node has a lock
	daemon   bool
}

// asked is an action that a host was asked to carry out, by the host that lived then.
type asked struct {
	life    int
	subject string // the workflow and the node
	text    string
	what    propagate.ActionType
	nothing bool // is to be done for it: it is the start of a composite or a Suspend
}

// A crashPoint is where the host dies: at an action, by its place among all that are carried out.
type crashPoint struct {
	at    int
	after bool // it has been carried out
}

// A host is a controller. It dies by a panic, and is made anew then.
type host interface {
	settle(workflow string)
	wake() time.Time // the next timer that is set
}

type death struct{}

// carryOut has the host carry out an action, unless it dies before, or dies then.
func (c *cluster) carryOut(workflow string, a *propagate.Action, do func()) {
	at := len(c.asked)
	idle := a.Type == propagate.ActionStart && (a.Kind.Composite() || a.Kind == nodegraph.KindSuspend)
	c.asked = append(c.asked, asked{c.deaths, workflow + " " + a.ID, a.String(), a.Type, idle})
	if slices.Contains(c.crash, crashPoint{at, false}) {
		panic(death{})
	}
	do()
	if slices.Contains(c.crash, crashPoint{at, true}) {
		panic(death{})
	}
}

// live lets the host do something. If it dies another takes its place, which looks at all workflows.
func (c *cluster) live(do func(h host)) {
	defer func() {
		if p := recover(); p != nil {
			if _, died := p.(death); !died {
				panic(p)
			}
			c.deaths++
			c.changes++
			c.host = c.makes(c)
		}
	}()
	do(c.host)
}

// settle has the host look at all workflows until nothing changes.
func (c *cluster) settle() {
	for range mostCalls {
		before := c.changes
		for _, name := range c.names {
			c.live(func(h host) { h.settle(name) })
		}
		if c.changes == before {
			return
		}
	}
	c.t.Fatal("the host never comes to rest")
}

// store keeps an object or a state.
func (c *cluster) store(in map[string][]byte, workflow string, data []byte) {
	if string(in[workflow]) != string(data) {
		in[workflow] = data
		c.changes++
	}
}

// start makes the pod of a node, or has it served. Twice is as good as once.
func (c *cluster) start(workflow string, e *propagate.Engine, a *propagate.Action) {
	switch {
	case a.Kind == nodegraph.KindHTTP:
		c.served[a.Name] = true
	case a.Kind != nodegraph.KindPod:
	case slices.ContainsFunc(c.pods, func(p *clusterPod) bool { return p.status.Node == a.ID && !p.gone }):
	default:
		template := e.Graph().Node(e.Graph().Find(a.ID)).Template
		p := &clusterPod{workflow: workflow, locked: len(template.Locks) > 0, daemon: template.Daemon, status: podOf(a.ID, "Pending")}
		p.status.Name, p.status.UID = a.Name, fmt.Sprint("uid-", len(c.pods))
		c.pods, c.changes = append(c.pods, p), c.changes+1
		alive := 0
		for _, p := range c.pods {
			if p.locked && !p.gone && (p.status.Phase == "Pending" || p.status.Phase == "Running") {
				alive++
			}
		}
		require.LessOrEqual(c.t, alive, 1, "%s has a pod beside that of another holder of the lock", a.Name)
	}
}

// end deletes the pod of a node.
func (c *cluster) end(a *propagate.Action) {
	for _, p := range c.pods {
		if p.status.Node == a.ID && !p.gone {
			p.gone, c.changes = true, c.changes+1
		}
	}
}

// listed are the pods of a workflow that exist.
func (c *cluster) listed(workflow string) []propagate.PodStatus {
	var list []propagate.PodStatus
	for _, p := range c.pods {
		if p.workflow == workflow && !p.gone {
			list = append(list, p.status)
		}
	}
	return list
}

// reports are what the agent says of HTTP nodes that it serves and that are open, and what users say of gates.
func (c *cluster) reports(e *propagate.Engine) []propagate.Event {
	var events []propagate.Event
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if n := e.Graph().Node(i); c.served[n.Name()] && e.Exists(i) && !e.Verdict(i).Fulfilled && c.now.After(epoch.Add(time.Second)) {
			events = append(events, propagate.NodeEnded(n.ID(), nodegraph.PhaseSucceeded, ""))
		}
	}
	return events
}

// goOn lets pods run and end, or else time pass until the next timer that the host has set. It reports whether anything happened.
func (c *cluster) goOn() bool {
	moved := false
	for _, p := range c.pods {
		next := map[propagate.PodPhase]propagate.PodPhase{"Pending": "Running", "Running": "Succeeded"}[p.status.Phase]
		if next == "Succeeded" && slices.Contains(c.fails, p.status.Name) {
			next = "Failed"
		}
		if next == "" || p.gone || slices.Contains(c.stuck, string(p.status.Phase)+" "+p.status.Name) || p.daemon && p.status.Phase == "Running" {
			continue
		}
		p.status.Phase, p.status.Containers = next, podOf("", string(next)).Containers
		p.status.Containers[0].Ready = next == "Running"
		moved = true
	}
	if at := c.host.wake(); !moved && at.After(c.now) {
		c.now, moved = at, true
	}
	if !moved && len(c.served) > 0 && !c.now.After(epoch.Add(time.Second)) {
		c.now, moved = epoch.Add(2*time.Second), true
	}
	return moved
}
