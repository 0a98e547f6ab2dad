package reconcile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// write makes the patch that stores the status. Events are those that the host told.
func (c *call) write(events []propagate.Event) error {
	if slices.ContainsFunc(events, isManualRetry) {
		c.out.Reset = c.reset()
		c.out.Object.RemoveNodes(c.out.Reset...)
		c.out.Object.ClearShutdown()
	}
	if err := c.setStatus(); err != nil {
		return c.failed(StageWrite, err)
	}
	patch, err := c.out.Object.Patch()
	if err != nil {
		return c.failed(StageWrite, err)
	}
	c.out.Patch = versioned(patch, c.out.Object.ResourceVersion)
	return nil
}

func isManualRetry(ev propagate.Event) bool { return ev.Type == propagate.EventManualRetry }

// setStatus sets what the engine says now: where the object was clean, at least of the nodes of which it says something else now. Each
// has its children, or nil where the object has the right ones.
func (c *call) setStatus() error {
	g := c.out.Engine.Graph()
	if c.clean {
		if added, ok := c.added(); ok {
			if children, ok := argo.AddedChildren(g, c.out.Engine.Exists, added); ok {
				return c.out.Object.SetStatus(c.withAdded(c.out.Engine.SnapshotChanges(), children))
			}
		}
	}
	s, nodes := c.out.Engine.SnapshotSeq()
	children := argo.Children(g, c.out.Engine.Exists)
	return c.out.Object.SetStatusSeq(s, func(yield func(*nodegraph.NodeStatus) bool) {
		for i, n := range nodes {
			if n.Children = children(i); !yield(n) {
				return
			}
		}
	})
}

// isClean reports whether the object says all that the engine says, and nothing else of its nodes.
func (c *call) isClean() bool {
	s := c.withChildren(c.out.Engine.SnapshotChanges())
	for k := range s.Nodes {
		if r := c.out.Object.Record(s.Nodes[k].ID); r == nil || len(r.Children) != len(s.Nodes[k].Children) {
			return false
		}
	}
	return c.out.Object.Says(s)
}

// withChildren gives each node of a snapshot that has all of them its children.
func (c *call) withChildren(s nodegraph.Snapshot) nodegraph.Snapshot {
	g := c.out.Engine.Graph()
	children := argo.Children(g, c.out.Engine.Exists)
	i := nodegraph.Entry
	for k := range s.Nodes { // in the order of the graph
		for g.Node(i).ID() != s.Nodes[k].ID {
			i++
		}
		s.Nodes[k].Children = children(i)
	}
	return s
}

// added lists the nodes that have come to exist with this call, in the order of the graph; false if any has ceased to.
func (c *call) added() (added []nodegraph.Index, ok bool) {
	for k := range c.out.Changes {
		switch change := &c.out.Changes[k]; {
		case change.Node == nodegraph.Root:
		case !c.out.Engine.Exists(change.Node), change.To == nodegraph.PhasePlanned:
			return nil, false
		case change.From == nodegraph.PhasePlanned:
			added = append(added, change.Node)
		}
	}
	slices.Sort(added)
	return slices.Compact(added), true
}

// withAdded adds children to the lists of those that have got some. Those among them that have not changed otherwise join the snapshot.
func (c *call) withAdded(s nodegraph.Snapshot, children map[nodegraph.Index][]string) nodegraph.Snapshot {
	g := c.out.Engine.Graph()
	for k := range s.Nodes {
		n := &s.Nodes[k]
		i := g.Find(n.ID)
		if n.Children = children[i]; len(n.Children) > 0 {
			if was := c.out.Object.Record(n.ID); was != nil {
				n.Children = slices.Concat(was.Children, n.Children)
			}
			delete(children, i)
		}
	}
	for i, more := range children {
		n := *c.out.Object.Record(g.Node(i).ID())
		n.Children = slices.Concat(n.Children, more)
		s.Nodes = append(s.Nodes, n)
	}
	return s
}

// reset lists the nodes on record that a manual retry has reset: those that do not exist any more, and what has ended and is to
// run again. A composite that is open again is not made anew.
func (c *call) reset() []string {
	e := c.out.Engine
	isReset := func(was *nodegraph.NodeStatus) bool {
		i := e.Graph().Find(was.ID)
		if i == nodegraph.None || !e.Exists(i) {
			return true
		}
		phase, _ := e.Phase(i)
		return was.Phase.Settled() && !phase.Settled() && !e.Graph().Node(i).Kind.Composite()
	}
	var ids []string
	for k := range c.out.Object.Snapshot.Nodes {
		if was := &c.out.Object.Snapshot.Nodes[k]; !slices.Contains(c.out.Unknown, was.ID) && isReset(was) {
			ids = append(ids, was.ID)
		}
	}
	return ids
}

// versioned puts the resourceVersion into a patch; it is nil for one that changes nothing.
func versioned(patch []byte, version string) []byte {
	if string(patch) == "{}" {
		return nil
	}
	if version == "" {
		return patch
	}
	quoted, _ := json.Marshal(version) // of a string: can't fail
	return slices.Concat(fmt.Appendf(nil, `{"metadata":{"resourceVersion":%s},`, quoted), bytes.TrimPrefix(patch, []byte("{")))
}
