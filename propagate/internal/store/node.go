package store

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Node is what the rules read of a node all the time: what it is in the graph, and the part of its Fact that decides most.
// Others can read it and only this package writes it.
type Node struct {
	parent   nodegraph.Index
	depth    uint16
	kind     nodegraph.Kind
	traits   traits
	stage    fact.Stage
	phase    nodegraph.Phase
	lock     fact.LockState
	answer   fact.Answer
	halted   bool
	ran      bool
	ready    bool
	unsynced bool
	released bool
	waited   bool
	seen     bool
	exists   bool
	written  bool // it is in Store.written
}

// traits say which rules a node has anything to do with.
type traits uint8

const (
	traitTask traits = 1 << iota
	traitCounts
	traitHooked
	traitHook
	traitDaemon
	traitAlone
	traitAttempt
)

// Parent is what the node is directly inside of.
func (n *Node) Parent() nodegraph.Index { return n.parent }

// Depth is how many nodes the node is inside of.
func (n *Node) Depth() int { return int(n.depth) }

// Kind is what kind of node it is.
func (n *Node) Kind() nodegraph.Kind { return n.kind }

// IsTask reports whether the node is a task of a DAG.
func (n *Node) IsTask() bool { return n.traits&traitTask != 0 }

// Counts reports whether the parent waits for the node.
func (n *Node) Counts() bool { return n.traits&traitCounts != 0 }

// Hooked reports whether the node has hooks, or may have.
func (n *Node) Hooked() bool { return n.traits&traitHooked != 0 }

// IsHook reports whether the node is a hook.
func (n *Node) IsHook() bool { return n.traits&traitHook != 0 }

// IsDaemon reports whether the node is a pod that is a daemon.
func (n *Node) IsDaemon() bool { return n.traits&traitDaemon != 0 }

// Alone reports whether nothing is ever inside the node.
func (n *Node) Alone() bool { return n.traits&traitAlone != 0 }

// IsAttempt reports whether the node is an attempt of a Retry.
func (n *Node) IsAttempt() bool { return n.traits&traitAttempt != 0 }

// The fields of the node's Fact; see fact.Fact.

func (n *Node) Stage() fact.Stage      { return n.stage }
func (n *Node) Phase() nodegraph.Phase { return n.phase }
func (n *Node) Lock() fact.LockState   { return n.lock }
func (n *Node) Answer() fact.Answer    { return n.answer }
func (n *Node) Halted() bool           { return n.halted }
func (n *Node) Ran() bool              { return n.ran }
func (n *Node) Ready() bool            { return n.ready }
func (n *Node) Unsynced() bool         { return n.unsynced }
func (n *Node) Released() bool         { return n.released }
func (n *Node) Waited() bool           { return n.waited }
func (n *Node) Seen() bool             { return n.seen }

// Exists reports whether the node was created: the host was asked to start it, or it was loaded.
func (n *Node) Exists() bool { return n.exists }

// Closing reports whether the node is a composite that only ends: see fact.StageStopped.
func (n *Node) Closing() bool { return n.stage == fact.StageStopped && n.kind.Composite() }

// describe fills in what node i of g is.
func (n *Node) describe(g *nodegraph.Graph, i nodegraph.Index) {
	is := g.Node(i)
	n.parent, n.depth, n.kind, n.traits = is.Parent, uint16(is.Depth()), is.Kind, traitCounts
	switch is.Role {
	case nodegraph.RoleTask:
		plan, first := g.Planned(is.Parent)
		n.traits |= traitTask
		if !plan.IsNeeded(int32(i - first)) {
			n.traits &^= traitCounts
		}
	case nodegraph.RoleHook:
		n.traits |= traitHook
	case nodegraph.RoleAttempt:
		n.traits |= traitAttempt
	}
	if is.Hooked() || i == nodegraph.Entry && (len(g.Spec().Hooks) > 0 || g.OnExit() != nil) {
		n.traits |= traitHooked
	}
	if is.Kind == nodegraph.Pod && is.Template.Daemon {
		n.traits |= traitDaemon
	}
	if !is.Kind.Composite() && g.Plan(i) == nil {
		n.traits |= traitAlone
	}
}
