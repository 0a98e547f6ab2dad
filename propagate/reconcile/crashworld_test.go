package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
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
	nothing bool // is to be done for it, as for a composite or a node that waits for a lock
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
	idle := a.Type == propagate.ActionStart && (a.Kind.Composite() || a.Kind == nodegraph.KindSuspend || a.Message != "")
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
	case a.Kind != nodegraph.KindPod || a.Type == propagate.ActionStart && a.Message != "":
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
		next := map[string]string{"Pending": "Running", "Running": "Succeeded"}[p.status.Phase]
		if next == "Succeeded" && slices.Contains(c.fails, p.status.Name) {
			next = "Failed"
		}
		if next == "" || p.gone || slices.Contains(c.stuck, p.status.Phase+" "+p.status.Name) || p.daemon && p.status.Phase == "Running" {
			continue
		}
		p.status.Phase, p.status.Containers = next, podOf("", next).Containers
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

// answers is what the host knows beside the engine.
func answers(a *propagate.Action) propagate.Event {
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

// An objectHost keeps nothing but the objects: see package reconcile.
type objectHost struct {
	*cluster
	reconcile.Reconciler
	wakes map[string]time.Time
	dying bool // once the call is over, before anything is stored
}

func newObjectHost(c *cluster) host {
	h := &objectHost{cluster: c, wakes: make(map[string]time.Time)}
	h.Answer = h.answer
	for _, name := range c.names {
		require.NoError(c.t, h.Adopt(c.objects[name]))
	}
	return h
}

// answer answers within the call. What is done then is the Reconciler's own, so to die after it is to die with the call.
func (h *objectHost) answer(w *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (ev propagate.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.dying = true
		}
	}()
	if !h.dying {
		h.carryOut(w.Name, a, func() { ev = answers(a) })
	}
	return ev, nil
}

func (h *objectHost) settle(workflow string) {
	var events []propagate.Event
	if w, err := argo.Read(h.objects[workflow]); err == nil && len(h.served) > 0 {
		if e, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot); err == nil {
			events = h.reports(e)
		}
	}
	out, err := h.Reconcile(h.now, h.objects[workflow], h.listed(workflow), events...)
	require.NoError(h.t, err)
	if h.dying {
		panic(death{})
	}
	require.NoError(h.t, out.Engine.Check())
	if out.Patch != nil {
		h.store(h.objects, workflow, patched(h.t, h.objects[workflow], out.Patch))
	}
	wakes := propagate.Action{Type: propagate.ActionWake, At: out.Wake}
	if !out.Wake.IsZero() && !h.wakes[workflow].Equal(out.Wake) {
		h.carryOut(workflow, &wakes, func() { h.wakes[workflow] = out.Wake })
	}
	for k := range out.Actions {
		a := &out.Actions[k]
		if a.Type == propagate.ActionComplete && h.ended[workflow] {
			continue
		}
		h.carryOut(workflow, a, func() {
			switch a.Type {
			case propagate.ActionStart, propagate.ActionRecreate:
				h.start(workflow, out.Engine, a)
			case propagate.ActionTerminate:
				h.end(a)
			case propagate.ActionRelease:
				h.Release(out.Workflow, a)
			case propagate.ActionComplete:
				h.ended[workflow] = true
			}
		})
	}
}

func (h *objectHost) wake() time.Time { return earliest(h.wakes, h.now) }

// earliest is the first of some times that is still to come.
func earliest(times map[string]time.Time, now time.Time) (first time.Time) {
	for _, at := range times {
		if at.After(now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// A stateHost keeps its engines, and saves each after each call.
type stateHost struct {
	*cluster
	locks   propagate.LockTable
	engines map[string]*propagate.Engine
	wakes   map[string]time.Time
	listing string // the workflow of which the pods are still to be told
	granted []propagate.Holder
}

func newStateHost(c *cluster) host {
	h := &stateHost{cluster: c, engines: make(map[string]*propagate.Engine), wakes: make(map[string]time.Time)}
	for _, name := range c.names {
		w, err := argo.Read(c.objects[name])
		require.NoError(c.t, err)
		e, err := propagate.New(w.Spec)
		if saved := c.states[name]; saved != nil {
			var state propagate.State
			require.NoError(c.t, json.Unmarshal(saved, &state))
			e, _, err = propagate.FromState(w.Spec, state)
		}
		require.NoError(c.t, err)
		h.engines[name] = e
		h.ended[name] = h.ended[name] || e.Complete() // the host before this one may not have said it
		h.locks.Adopt(name, e)
	}
	h.granted = h.locks.Grant()
	return h
}

func (h *stateHost) settle(workflow string) {
	e := h.engines[workflow]
	w, err := argo.Read(h.objects[workflow])
	require.NoError(h.t, err)
	events := h.reports(e)
	if !e.Complete() && w.Snapshot.Shutdown != "" {
		events = append(events, propagate.Shutdown(w.Snapshot.Shutdown))
	}
	for _, holder := range h.granted {
		if holder.Workflow == workflow {
			events = append(events, holder.Granted().Event)
		}
	}
	h.granted = slices.DeleteFunc(h.granted, func(holder propagate.Holder) bool { return holder.Workflow == workflow })
	h.listing = workflow
	require.NoError(h.t, propagate.Drive(h, workflow, events...))
}

// Call implements [propagate.Host].
func (h *stateHost) Call(workflow string, events []propagate.Event) (r propagate.Result, err error) {
	e := h.engines[workflow]
	if h.listing == workflow {
		h.listing = ""
		r, err = e.SyncPods(h.now, h.listed(workflow), events...)
	} else {
		r, err = e.Apply(h.now, events...)
	}
	require.NoError(h.t, e.Check())
	saved, failed := json.Marshal(e.Save())
	require.NoError(h.t, failed)
	h.store(h.states, workflow, saved)
	return r, err
}

// Do implements [propagate.Host].
func (h *stateHost) Do(workflow string, a *propagate.Action) (notices []propagate.Notice, err error) {
	h.carryOut(workflow, a, func() {
		switch a.Type {
		case propagate.ActionStart, propagate.ActionRecreate:
			h.start(workflow, h.engines[workflow], a)
		case propagate.ActionTerminate:
			h.end(a)
		case propagate.ActionAcquire, propagate.ActionRelease:
			notices = h.locks.Answer(workflow, a)
		case propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
			notices = []propagate.Notice{{Workflow: workflow, Event: answers(a)}}
		case propagate.ActionWake:
			h.wakes[workflow] = a.At
		case propagate.ActionComplete:
			h.ended[workflow] = true
		}
	})
	return notices, nil
}

func (h *stateHost) wake() time.Time { return earliest(h.wakes, h.now) }
