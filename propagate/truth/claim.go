package truth

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Claim is what somebody says of a workflow at one moment.
type Claim struct {
	Graph    *nodegraph.Graph // has every node that the claim is about
	Nodes    []Node           // by index; that of nodegraph.Root is the workflow
	Started  time.Time        // when the workflow started; zero for not yet
	Now      time.Time        // the moment; of a record the latest time in it
	Shutdown string           // "", "Stop" or "Terminate"
}

// A Node is what a claim says of one node.
type Node struct {
	Exists bool            // it was created; true for the workflow
	Phase  nodegraph.Phase // Planned for a node that does not exist
	Fact   fact.Fact       // what is known of it; of a record what that tells of leaves and locks
}

// Of returns what an engine says now.
func Of(e *propagate.Engine) *Claim {
	g := e.Graph()
	c := &Claim{Graph: g, Nodes: make([]Node, g.Len()), Started: e.Started(), Now: e.Now(), Shutdown: e.Save().Shutdown}
	for i := range nodegraph.Index(g.Len()) {
		phase, _ := e.Phase(i)
		c.Nodes[i] = Node{Exists: i == nodegraph.Root || e.Exists(i), Phase: phase, Fact: e.Fact(i)}
	}
	return c
}

// OfRecord returns what a controller recorded. The facts of leaves are those that the record tells: how a leaf ended is
// what is recorded of the leaf itself. Ignored are the recorded nodes for which the specification has no place.
func OfRecord(spec *nodegraph.Spec, s nodegraph.Snapshot) (c *Claim, ignored []nodegraph.NodeStatus, err error) {
	g, err := nodegraph.New(spec)
	if err != nil {
		return nil, nil, err
	}
	r := &record{g: g, all: s.Nodes, byID: make(map[string]*nodegraph.NodeStatus)}
	for k := range s.Nodes {
		r.byID[s.Nodes[k].ID] = &s.Nodes[k]
	}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ { // the graph grows, and every new node has a higher index
		if err := r.grow(i); err != nil {
			return nil, nil, err
		}
	}
	c = &Claim{Graph: g, Nodes: make([]Node, g.Len()), Started: s.Started, Shutdown: s.Shutdown}
	c.Nodes[nodegraph.Root] = Node{Exists: true, Phase: s.Phase}
	c.Now = later(s.Started, s.Finished)
	used := make(map[string]bool)
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if at := r.of(i); at != nil {
			c.Nodes[i] = Node{Exists: true, Phase: at.Phase, Fact: factOf(g.Node(i), at)}
			c.Now = later(c.Now, later(at.Started, at.Finished))
			used[at.ID] = true
		}
	}
	for _, at := range s.Nodes {
		if !used[at.ID] {
			ignored = append(ignored, at)
		}
	}
	return c, ignored, nil
}

// record is a controller's record, and the graph that is made for it.
type record struct {
	g    *nodegraph.Graph
	all  []nodegraph.NodeStatus
	byID map[string]*nodegraph.NodeStatus
}

// of returns the record of node i, nil if there is none.
func (r *record) of(i nodegraph.Index) *nodegraph.NodeStatus {
	return r.named(r.g.Node(i).Name())
}

func (r *record) named(name string) *nodegraph.NodeStatus {
	at := r.byID[nodegraph.NodeID(r.g.Spec().Name, name)]
	if at == nil || at.Name != name {
		return nil
	}
	return at
}

// grow adds to the graph what the record says is inside node i, and the hooks of the node.
func (r *record) grow(i nodegraph.Index) error {
	at := r.of(i)
	if at != nil && at.Kind != nodegraph.KindSkipped {
		// A node that failed may have failed because there was no room for what is inside it.
		if err := r.addMembers(i); err != nil && !at.Phase.Unsuccessful() {
			return err
		}
	}
	return r.addHooks(i)
}

func (r *record) addMembers(i nodegraph.Index) error {
	n := *r.g.Node(i)
	switch n.Kind {
	case nodegraph.KindRetry:
		for number := 0; r.named(n.Name()+"("+strconv.Itoa(number)+")") != nil; number++ {
			if _, err := r.g.AddAttempt(i); err != nil {
				return err
			}
		}
		return nil
	case nodegraph.KindTaskGroup:
		if n.Role == nodegraph.RoleStep {
			return nil // its items are in the StepGroup
		}
		return r.g.AddItems(i, n.Task, r.items(n.Name()))
	case nodegraph.KindDAG, nodegraph.KindSteps, nodegraph.KindPod:
		return r.g.Expand(i)
	case nodegraph.KindStepGroup:
		return r.addSteps(i)
	}
	return nil
}

// addSteps adds the steps of StepGroup i, and the items of steps whose loops were resolved by the controller.
func (r *record) addSteps(i nodegraph.Index) error {
	if err := r.g.Expand(i); err != nil {
		return err
	}
	for _, m := range slices.Collect(r.g.Members(i)) {
		n := *r.g.Node(m)
		if n.Kind != nodegraph.KindTaskGroup {
			continue
		}
		if items := r.items(n.Name()); len(items) > 0 {
			if err := r.g.AddItems(i, n.Task, items); err != nil {
				return err
			}
			r.g.MarkExpanded(m)
		}
	}
	return nil
}

// items reads the items of a loop off the names of its nodes: prefix(0:text). An item that is not recorded has no text.
func (r *record) items(prefix string) []nodegraph.Item {
	var items []nodegraph.Item
	for k := range r.all {
		rest, ok := strings.CutPrefix(r.all[k].Name, prefix+"(")
		if !ok || strings.IndexByte(rest, ')') != len(rest)-1 {
			continue
		}
		number, text, ok := strings.Cut(strings.TrimSuffix(rest, ")"), ":")
		slot, err := strconv.Atoi(number)
		if !ok || err != nil || slot < 0 || slot > len(r.all) {
			continue
		}
		for slot >= len(items) {
			items = append(items, nodegraph.Item{})
		}
		items[slot] = nodegraph.Item{Text: text}
	}
	return items
}

// addHooks adds the hooks of node i that are recorded.
func (r *record) addHooks(i nodegraph.Index) error {
	n := r.g.Node(i)
	var hooks []*nodegraph.Hook
	switch {
	case i == nodegraph.Entry:
		spec := r.g.Spec()
		for k := range spec.Hooks {
			hooks = append(hooks, &spec.Hooks[k])
		}
		if spec.OnExit != "" {
			hooks = append(hooks, &nodegraph.Hook{Name: nodegraph.ExitHook, Template: spec.OnExit})
		}
	case n.Task != nil:
		for k := range n.Task.Hooks {
			hooks = append(hooks, &n.Task.Hooks[k])
		}
	}
	name, added := n.Name(), make(map[string]bool)
	for _, h := range hooks {
		full := name + ".hooks." + h.Name
		if h.Name == nodegraph.ExitHook {
			full = name + ".onExit"
		}
		if r.named(full) == nil || added[full] {
			continue
		}
		added[full] = true
		if _, err := r.g.AddHook(i, h); err != nil {
			return err
		}
	}
	return nil
}

// podDeleted is what Argo records of a pod that does not exist any more.
const podDeleted = "pod deleted"

// factOf returns what the record of a node tells of it.
func factOf(n *nodegraph.Node, at *nodegraph.NodeStatus) fact.Fact {
	f := fact.Fact{Created: at.Started, Finished: at.Finished, CacheHit: at.CacheHit, ExitCode: at.ExitCode, HasExit: at.HasExit}
	switch {
	case at.WaitsFor != "":
		f.Lock, f.Reason = fact.LockWaits, at.WaitsFor
	case len(locksOf(n)) > 0 && !at.Phase.Settled() && !at.Daemoned: // a record tells who waits; who holds is what is left
		f.Lock = fact.LockHeld
	}
	if n.Kind.Composite() {
		return f
	}
	switch {
	case at.Phase == nodegraph.PhaseSucceeded && at.Message == podDeleted: // a dead daemon that was rewritten with its boundary
		f.Stage, f.Ran, f.Ready = fact.StageGone, true, at.Daemoned
	case at.Phase.Completed():
		f.Stage, f.Phase, f.Ran, f.Ready = fact.StageEnded, at.Phase, true, at.Daemoned
		// Argo sets a daemon to Succeeded when its boundary ends, and for no other reason.
		f.Released = n.Kind == nodegraph.KindPod && n.Template.IsDaemon() && at.Phase == nodegraph.PhaseSucceeded
	case at.Phase == nodegraph.PhaseRunning:
		f.Stage, f.Ran, f.Ready = fact.StageRunning, true, at.Daemoned
	case at.Phase == nodegraph.PhasePending:
		f.Stage = fact.StagePending
	}
	return f
}
