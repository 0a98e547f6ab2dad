package nodegraph

import (
	"iter"
	"regexp"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// An Index names a node of a Graph densely: the first node is 0. Indices never change and are never reused.
type Index int32

// None is the Index of no node.
const None Index = -1

// Root is the Index of the workflow itself, the node that everything is inside of.
const Root Index = 0

// Entry is the Index of the workflow's entry node, Argo's first node.
const Entry Index = 1

// Role says why a node exists.
type Role uint8

// The roles.
const (
	RoleRoot      Role = iota // the workflow itself
	RoleEntry                 // the entry node
	RoleTask                  // a task of a DAG
	RoleGroup                 // a StepGroup of Steps
	RoleStep                  // a step of a StepGroup
	RoleItem                  // one item of a task or step with a loop
	RoleAttempt               // one attempt of a Retry
	RoleContainer             // a container of a Pod
	RoleHook                  // a lifecycle hook of its Owner, the exit hook and the workflow's exit handler included
)

var roleNames = enum.Names{Type: "Role", Of: []string{"root", "entry", "task", "group", "step", "item", "attempt", "container", "hook"}}

// String names the role.
func (r Role) String() string { return roleNames.String(uint8(r)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (r Role) MarshalText() ([]byte, error) { return roleNames.Marshal(uint8(r)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (r *Role) UnmarshalText(text []byte) error { return enum.Unmarshal(&roleNames, text, r) }

// A Node is what the graph knows of a node: everything but its state.
//
// It is as large as a line of a processor's cache: a workflow may have a million nodes.
type Node struct {
	text       string // the name, then the id
	nameLength uint32
	last       Index // the member that was added last
	next       Index // the next member of the same parent; of the last one ^ the first
	inner      int32 // of a DAG or Pod its template, an index into Graph.made; of others ^ the first member; 0 for none

	Template  *Template // what the node is made from; nil for the workflow and StepGroups share that of their Steps
	Task      *Task     // the task or step; nil for nodes that are neither. Attempts and hooks have none.
	Parent    Index     // what the node is inside of; None for the workflow
	DeclIndex int32     // position among its like: task, group, step, item, attempt or container number
	Kind      Kind      // what its template makes of it, whether it comes to run or is skipped
	Role      Role      // why it exists
	traits    nodeTraits
	depth     uint16 // of containment, 0 for the workflow
	nesting   uint16 // templates inside templates
}

// nodeTraits are what is true of a node.
type nodeTraits uint8

const (
	nodeExpanded nodeTraits = 1 << iota
	nodeInExit              // part of the workflow's exit handler or of an exit hook
	nodeHooked              // its task or step has hooks
)

// Name is Argo's node name, from the workflow's name down; empty for the workflow itself. It does not allocate.
func (n *Node) Name() string { return n.text[:n.nameLength] }

// ID is Argo's node id; empty for the workflow itself. It does not allocate.
func (n *Node) ID() string { return n.text[n.nameLength:] }

// Depth is how many nodes the node is inside of.
func (n *Node) Depth() int { return int(n.depth) }

// Nesting is how many templates the node's template is inside of.
func (n *Node) Nesting() int { return int(n.nesting) }

// InExitHandler reports whether the node is an exit handler or exit hook, or inside one (Argo: IsPartOfExitHandler).
func (n *Node) InExitHandler() bool { return n.traits&nodeInExit != 0 }

// Expanded reports whether the members that the specification promises have been added.
func (n *Node) Expanded() bool { return n.traits&nodeExpanded != 0 }

// Hooked reports whether the task or step that the node is made from has hooks.
func (n *Node) Hooked() bool { return n.traits&nodeHooked != 0 }

// A Graph holds the nodes of one workflow. It only grows. It is not safe for use by several goroutines while one of
// them adds nodes.
type Graph struct {
	spec           *Spec
	limits         Limits
	templates      templates
	features       Features
	made           []made              // of every template; the first is empty: nodes whose members have no order
	madeOf         map[*Template]int32 // the index in made
	nodes          []Node
	ids            hashTable // of indices
	text           text
	base           Index                 // the one from whose name that of the last node was made
	baseHash       uint32                // of its name
	suffix         []byte                // scratch of add
	items          map[loopOf][]Item     // of the loops that were expanded
	hooks          map[Index][]Index     // by owner
	hookOf         map[Index]hookOfOwner // by hook node
	onExit         *Hook
	hookConditions map[string]*HookCondition // by expression
	transient      *regexp.Regexp            // Spec.TransientErrors; nil for none
}

// loopOf names a loop: the node that its items are inside of, and the task.
type loopOf struct {
	parent Index
	task   *Task
}

type hookOfOwner struct {
	hook  *Hook
	owner Index
}

// New checks spec and returns the graph of the workflow and its entry node. The error is a [*SpecError] that names
// the template, the node and the field, and wraps a [*CycleError] or [*ParseError] where one is the cause.
func New(spec *Spec, opts ...Option) (*Graph, error) {
	if spec == nil {
		return nil, &SpecError{Field: "spec", Reason: "is nil"}
	}
	var o options
	for _, set := range opts {
		set(&o)
	}
	limits := o.limits.withDefaults()
	checked, err := spec.check(limits)
	if err != nil {
		return nil, err
	}
	g := &Graph{
		spec:           spec,
		limits:         limits,
		templates:      checked.templates,
		features:       checked.features,
		hookConditions: checked.hookConditions,
		transient:      checked.transient,
		made:           checked.made,
		madeOf:         checked.madeOf,
		base:           None,
	}
	if checked.edges > g.limits.Edges {
		return nil, &LimitError{Limit: "Edges", Max: g.limits.Edges}
	}
	if spec.OnExit != "" {
		g.onExit = &Hook{Name: ExitHook, Template: spec.OnExit}
	}
	entry := g.templates.find(spec.Entrypoint)
	g.nodes = make([]Node, 1, 2+min(limits.Nodes, entry.within()+len(entry.Tasks)))
	g.ids = newHashTable(cap(g.nodes))
	g.nodes[Root] = Node{Kind: KindWorkflow, Role: RoleRoot, Parent: None, last: None, next: None}
	if _, err := g.add(Root, Root, []byte(spec.Name), &Node{Kind: entry.kind(), Role: RoleEntry, Template: entry}); err != nil {
		return nil, err
	}
	return g, nil
}

// kind is the kind of a node made from the template: a Retry where the template has a retry strategy.
func (t *Template) kind() Kind {
	if t.Retry != nil {
		return KindRetry
	}
	return t.Kind
}

// NodeID returns Argo's id of the node called name in the workflow called workflow. The id of the entry node is the
// workflow's name. Any other id is that name and a 32-bit FNV-1a hash of the node's name.
func NodeID(workflow, name string) string {
	if name == workflow {
		return name
	}
	var room [64]byte
	return string(strconv.AppendUint(append(append(room[:0], workflow...), '-'), uint64(extend(hashSeed, name)), 10))
}

// Spec returns the specification the graph was made from. Do not modify it.
func (g *Graph) Spec() *Spec { return g.spec }

// HookCondition returns the compiled expression of a hook of the specification.
func (g *Graph) HookCondition(h *Hook) *HookCondition { return g.hookConditions[h.Expression] }

// TransientErrors is the pattern of that name of the specification, nil for none.
func (g *Graph) TransientErrors() *regexp.Regexp { return g.transient }

// Features tells what the specification makes use of.
func (g *Graph) Features() Features { return g.features }

// Len is the number of nodes, the workflow itself included.
func (g *Graph) Len() int { return len(g.nodes) }

// Cap is the number of nodes for which there is memory: whoever keeps something of each node keeps pace with it.
func (g *Graph) Cap() int { return cap(g.nodes) }

// Reserve makes room for n nodes in all, as after a restart, when they are known to come.
func (g *Graph) Reserve(n int) { g.reserve(n - len(g.nodes)) }

// Node returns node i. The pointer is valid until the next node is added. It panics if there is no node i, as for [None].
func (g *Graph) Node(i Index) *Node { return &g.nodes[i] }

// Find returns the node with this id or name, [None] if there is none: no method of a graph or an engine takes that for a node.
func (g *Graph) Find(idOrName string) Index {
	if idOrName == g.spec.Name {
		return Entry
	}
	if hash, ok := hashInID(g.spec.Name, idOrName); ok {
		if i := g.withHash(hash, idOrName); i != None {
			return i
		}
	}
	return g.withHash(extend(hashSeed, idOrName), idOrName)
}

// hashOf is the hash of the name of node i, as in its id.
func (g *Graph) hashOf(i Index) uint32 {
	switch i {
	case Root:
		return hashSeed
	case Entry: // its id has none
		return extend(hashSeed, g.spec.Name)
	}
	return g.nodes[i].hash()
}

// Members yields what is directly inside node i. Groups, steps, items and attempts come in declared order. Tasks and
// containers come each after all it depends on: in declared order if that is such an order. Hooks come after all else.
func (g *Graph) Members(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		for m := g.First(i); m != None; m = g.Next(m) {
			if !yield(m) {
				return
			}
		}
	}
}

// First and Next walk the members of a node without a closure: First(i), then Next of each until None.
func (g *Graph) First(i Index) Index {
	switch n := &g.nodes[i]; {
	case n.inner < 0:
		return Index(^n.inner)
	case n.last == None:
		return None
	default:
		return ^g.nodes[n.last].next
	}
}

// Next returns the member after m of the same parent, None after the last.
func (g *Graph) Next(m Index) Index { return max(g.nodes[m].next, None) }

// Last returns the member of i that was added last, None if it has none.
func (g *Graph) Last(i Index) Index { return g.nodes[i].last }

// OnExit returns the hook of the workflow's exit handler, nil if the specification has none.
func (g *Graph) OnExit() *Hook { return g.onExit }

// Limits returns the limits in force.
func (g *Graph) Limits() Limits { return g.limits }

// Hooks returns the hook nodes of owner that exist. Do not modify the slice.
func (g *Graph) Hooks(owner Index) []Index { return g.hooks[owner] }

// Owner returns the node whose hook i is, and the hook; None and nil for a node that is no hook.
func (g *Graph) Owner(i Index) (Index, *Hook) {
	if g.nodes[i].Role != RoleHook {
		return None, nil
	}
	h := g.hookOf[i]
	return h.owner, h.hook
}

// Item returns the item that node i is for; nil for a node that is for none.
func (g *Graph) Item(i Index) *Item {
	n := &g.nodes[i]
	if n.Role != RoleItem {
		return nil
	}
	return &g.items[loopOf{n.Parent, n.Task}][n.DeclIndex]
}

// Boundary returns the node that Argo calls the boundary of i: the DAG or Steps (or Pod, for a container) that i's
// name is relative to. It returns None for the entry node and the workflow's exit handler.
func (g *Graph) Boundary(i Index) Index {
	p := g.nodes[i].Parent
	for p > Root {
		switch g.nodes[p].Kind {
		case KindDAG, KindSteps, KindPod:
			return p
		}
		p = g.nodes[p].Parent
	}
	return None
}
