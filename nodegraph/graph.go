package nodegraph

import (
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"strings"
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

// A Node is what the graph knows of a node: everything but its state.
type Node struct {
	ID       string // Argo's node id
	Name     string // Argo's node name, from the workflow's name down
	Kind     Kind
	Role     Role
	Parent   Index     // what the node is inside of; None for the workflow
	Owner    Index     // RoleHook: the node whose hook this is; None otherwise
	Slot     int32     // position among its like: task, group, step, item, attempt or container number
	Template *Template // what the node is made from; nil for the workflow and StepGroups share that of their Steps
	Task     *Task     // the task or step; nil for nodes that are neither. Attempts and hooks have none.
	Item     *Item     // RoleItem: the item
	Hook     *Hook     // RoleHook: the hook

	depth       int32 // of containment, 0 for the workflow
	nesting     int32 // templates inside templates
	first, last Index // members
	next        Index // next member of the same parent
	expanded    bool
	inExit      bool // part of the workflow's exit handler or of an exit hook
}

// Depth is how many nodes the node is inside of.
func (n *Node) Depth() int { return int(n.depth) }

// Nesting is how many templates the node's template is inside of.
func (n *Node) Nesting() int { return int(n.nesting) }

// InExitHandler tells whether the node is an exit handler or exit hook, or inside one (Argo: IsPartOfExitHandler).
func (n *Node) InExitHandler() bool { return n.inExit }

// Expanded tells whether the members that the specification promises have been added.
func (n *Node) Expanded() bool { return n.expanded }

// A Graph holds the nodes of one workflow. It only grows. It is not safe for use by several goroutines while one of
// them adds nodes.
type Graph struct {
	spec      *Spec
	limits    Limits
	templates map[string]*Template
	nodes     []Node
	ids       map[string]Index
	hooks     map[Index][]Index // by owner
	onExit    *Hook
}

// New checks spec and returns the graph of the workflow and its entry node. The error is a [*SpecError] that names
// the template, the node and the field, and wraps a [*CycleError] or [*DependsError] where one is the cause.
func New(spec *Spec) (*Graph, error) { return NewLimited(spec, Limits{}) }

// NewLimited is New with the host's own limits.
func NewLimited(spec *Spec, limits Limits) (*Graph, error) {
	if spec == nil {
		return nil, &SpecError{Field: "spec", Reason: "is nil"}
	}
	if err := spec.compile(); err != nil {
		return nil, err
	}
	g := &Graph{
		spec:      spec,
		limits:    limits.withDefaults(),
		templates: make(map[string]*Template, len(spec.Templates)),
		ids:       make(map[string]Index),
	}
	for _, t := range spec.Templates {
		g.templates[t.Name] = t
	}
	if spec.OnExit != "" {
		g.onExit = &Hook{Name: ExitHook, Template: spec.OnExit}
	}
	g.nodes = append(g.nodes, Node{Kind: Workflow, Role: RoleRoot, Parent: None, Owner: None, first: None, last: None, next: None})
	entry := g.templates[spec.Entrypoint]
	_, err := g.add(Root, Node{Name: spec.Name, Kind: entry.kind(), Role: RoleEntry, Template: entry})
	return g, err
}

// kind is the kind of a node made from the template: a Retry where the template has a retry strategy.
func (t *Template) kind() Kind {
	if t.Retry != nil {
		return Retry
	}
	return t.Kind
}

// NodeID returns Argo's id of the node called name in the workflow called workflow: the workflow's name for its entry
// node, else that name and a 32-bit FNV-1a hash of the node's name.
func NodeID(workflow, name string) string {
	if name == workflow {
		return name
	}
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails
	return workflow + "-" + strconv.FormatUint(uint64(h.Sum32()), 10)
}

// Spec returns the specification the graph was made from. Do not modify it.
func (g *Graph) Spec() *Spec { return g.spec }

// Len is the number of nodes, the workflow itself included.
func (g *Graph) Len() int { return len(g.nodes) }

// Node returns node i. The pointer is valid until the next node is added.
func (g *Graph) Node(i Index) *Node { return &g.nodes[i] }

// Find returns the node with this id or name, None if there is none.
func (g *Graph) Find(idOrName string) Index {
	if i, ok := g.ids[idOrName]; ok {
		return i
	}
	if i, ok := g.ids[NodeID(g.spec.Name, idOrName)]; ok && g.nodes[i].Name == idOrName {
		return i
	}
	return None
}

// Members yields what is directly inside node i: groups, steps, items and attempts in declared order, tasks and
// containers each after all it depends on, hooks after all else.
func (g *Graph) Members(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		for m := g.nodes[i].first; m != None; m = g.nodes[m].next {
			if !yield(m) {
				return
			}
		}
	}
}

// First and Next walk the members of a node without a closure: First(i), then Next of each until None.
func (g *Graph) First(i Index) Index { return g.nodes[i].first }

// Next returns the member after m of the same parent, None after the last.
func (g *Graph) Next(m Index) Index { return g.nodes[m].next }

// Last returns the member of i that was added last, None if it has none.
func (g *Graph) Last(i Index) Index { return g.nodes[i].last }

// OnExit returns the hook of the workflow's exit handler, nil if the specification has none.
func (g *Graph) OnExit() *Hook { return g.onExit }

// Limits returns the limits in force.
func (g *Graph) Limits() Limits { return g.limits }

// Hooks returns the hook nodes of owner that exist. Do not modify the slice.
func (g *Graph) Hooks(owner Index) []Index { return g.hooks[owner] }

// Boundary returns the node that Argo calls the boundary of i: the DAG or Steps (or Pod, for a container) that i's
// name is relative to; None for the entry node and the workflow's exit handler.
func (g *Graph) Boundary(i Index) Index {
	p := g.nodes[i].Parent
	for p > Root {
		switch g.nodes[p].Kind {
		case DAG, Steps, Pod:
			return p
		}
		p = g.nodes[p].Parent
	}
	return None
}

// plan returns the compiled order among the members of i, nil where there is none.
func (g *Graph) plan(i Index) *dagPlan {
	n := &g.nodes[i]
	if n.Template == nil || (n.Kind != DAG && n.Kind != Pod) {
		return nil
	}
	return n.Template.dag
}

// slotOf returns the node of a slot of DAG, Pod or Steps i, which must be expanded. Members of a DAG or Pod lie in an
// order in which each comes after all it depends on, so that a walk by index meets causes before effects.
func (g *Graph) slotOf(i Index, slot int32) Index {
	if p := g.plan(i); p != nil {
		slot = p.rank[slot]
	}
	return g.nodes[i].first + Index(slot)
}

// After yields the nodes that node i comes after directly: tasks its depends names, containers it depends on, the
// StepGroup before it.
func (g *Graph) After(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		n := &g.nodes[i]
		switch n.Role {
		case RoleTask, RoleContainer:
			for _, d := range g.plan(n.Parent).deps[n.Slot] {
				if !yield(g.slotOf(n.Parent, d)) {
					return
				}
			}
		case RoleGroup:
			if n.Slot > 0 {
				yield(g.slotOf(n.Parent, n.Slot-1))
			}
		}
	}
}

// Before yields the nodes that come after node i directly: the inverse of After.
func (g *Graph) Before(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		n := &g.nodes[i]
		switch n.Role {
		case RoleTask, RoleContainer:
			for _, d := range g.plan(n.Parent).dependents[n.Slot] {
				if !yield(g.slotOf(n.Parent, d)) {
					return
				}
			}
		case RoleGroup:
			if next := n.next; next != None && g.nodes[next].Role == RoleGroup {
				yield(next)
			}
		}
	}
}

// Condition returns the compiled depends of task i and the tasks it names, in the order of [Condition.Tasks]; nil for
// a node that comes after nothing.
func (g *Graph) Condition(i Index) (*Condition, []int32) {
	n := &g.nodes[i]
	if n.Role != RoleTask {
		return nil, nil
	}
	p := g.plan(n.Parent)
	return p.conditions[n.Slot], p.deps[n.Slot]
}

// Slot returns the member of DAG, Pod or Steps i with this slot.
func (g *Graph) Slot(i Index, slot int32) Index { return g.slotOf(i, slot) }

// Order returns the slots of DAG or Pod i, each after all it depends on. Do not modify the slice.
func (g *Graph) Order(i Index) []int32 { return g.plan(i).order }

// Visit returns the place of task i in the order in which Argo visits the tasks of a DAG: from the targets, by name,
// down to what they depend on, which comes first.
func (g *Graph) Visit(i Index) int {
	n := &g.nodes[i]
	return int(g.plan(n.Parent).visit[n.Slot])
}

// Targets returns the slots of the tasks that decide how DAG i ends, in the order in which they do.
func (g *Graph) Targets(i Index) []int32 { return g.plan(i).targets }

// Needed tells whether task i is a target of its DAG or something a target depends on; others never run.
func (g *Graph) Needed(i Index) bool {
	n := &g.nodes[i]
	return n.Role != RoleTask || g.plan(n.Parent).needed[n.Slot]
}

// add appends one node inside parent.
func (g *Graph) add(parent Index, n Node) (Index, error) {
	if len(g.nodes) >= g.limits.Nodes {
		return None, &LimitError{Limit: "Nodes", Max: g.limits.Nodes, Node: n.Name}
	}
	p := &g.nodes[parent]
	n.ID = NodeID(g.spec.Name, n.Name)
	if other, ok := g.ids[n.ID]; ok {
		return None, &SpecError{Node: n.Name, Field: "id", Reason: fmt.Sprintf("%s is also the id of node %q", n.ID, bounded(g.nodes[other].Name))}
	}
	i := Index(len(g.nodes))
	n.Parent, n.first, n.last, n.next = parent, None, None, None
	if n.Role != RoleHook {
		n.Owner = None
	}
	n.depth = p.depth + 1
	n.inExit = n.inExit || p.inExit
	if p.last == None {
		p.first = i
	} else {
		g.nodes[p.last].next = i
	}
	p.last = i
	g.nodes = append(g.nodes, n)
	g.ids[n.ID] = i
	return i, nil
}

// truncate forgets every node from n on: the way back when a batch of additions fails midway.
func (g *Graph) truncate(n int) {
	for i := len(g.nodes) - 1; i >= n; i-- {
		node := &g.nodes[i]
		delete(g.ids, node.ID)
		p := &g.nodes[node.Parent]
		p.last = None
		if p.first == Index(i) {
			p.first = None
		}
		for m := p.first; m != None && m < Index(i); m = g.nodes[m].next {
			p.last = m
		}
		if p.last != None {
			g.nodes[p.last].next = None
		}
		if node.Role == RoleHook {
			g.hooks[node.Owner] = g.hooks[node.Owner][:len(g.hooks[node.Owner])-1]
		}
	}
	g.nodes = g.nodes[:n]
}

// templateOf resolves the template of a task.
func (g *Graph) templateOf(t *Task) *Template {
	if t.Inline != nil {
		return t.Inline
	}
	return g.templates[t.Template]
}

// ErrTooDeep is in the chain of the error of [Graph.Expand] when templates call each other too deeply.
var ErrTooDeep = errors.New("maximum recursion depth exceeded")

// Expand adds the members that the specification promises for composite i, once: tasks of a DAG, groups of Steps,
// steps of a StepGroup (items of steps whose loops are known), containers of a Pod. Attempts, items of a TaskGroup
// and hooks are added one by one. On an error, which is a [*LimitError] or [*SpecError], nothing was added.
func (g *Graph) Expand(i Index) error {
	n := &g.nodes[i]
	if n.expanded {
		return nil
	}
	before := len(g.nodes)
	var err error
	switch n.Kind {
	case DAG:
		err = g.expandDAG(i)
	case Steps:
		err = g.expandSteps(i)
	case StepGroup:
		err = g.expandGroup(i)
	case Pod:
		err = g.expandPod(i)
	}
	if err != nil {
		g.truncate(before)
		return err
	}
	g.nodes[i].expanded = true
	return nil
}

func (g *Graph) expandDAG(i Index) error {
	n := g.nodes[i]
	for _, slot := range n.Template.dag.order {
		task := &n.Template.Tasks[slot]
		t := g.templateOf(task)
		kind := t.kind()
		if task.Loop != nil {
			kind = TaskGroup
		}
		_, err := g.add(i, Node{Name: n.Name + "." + task.Name, Kind: kind, Role: RoleTask, Slot: slot,
			Template: t, Task: task, nesting: n.nesting + 1})
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) expandSteps(i Index) error {
	n := g.nodes[i]
	for slot := range n.Template.Steps {
		name := n.Name + "[" + strconv.Itoa(slot) + "]"
		_, err := g.add(i, Node{Name: name, Kind: StepGroup, Role: RoleGroup, Slot: int32(slot), Template: n.Template, nesting: n.nesting})
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) expandGroup(i Index) error {
	n := g.nodes[i]
	group := n.Template.Steps[n.Slot]
	for slot := range group {
		step := &group[slot]
		t := g.templateOf(step)
		node := Node{Name: n.Name + "." + step.Name, Kind: t.kind(), Role: RoleStep, Slot: int32(slot), Template: t, Task: step, nesting: n.nesting + 1}
		if step.Loop != nil {
			if step.Loop.Unresolved == "" && len(step.Loop.Items) > 0 {
				if err := g.AddItems(i, step, step.Loop.Items); err != nil {
					return err
				}
				continue
			}
			// No items, or none known yet: one node stands for the step.
			node.Kind = TaskGroup
		}
		if _, err := g.add(i, node); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) expandPod(i Index) error {
	n := g.nodes[i]
	for _, slot := range n.Template.dag.order {
		c := &n.Template.Containers[slot]
		_, err := g.add(i, Node{Name: n.Name + "." + c.Name, Kind: Container, Role: RoleContainer, Slot: slot, Template: n.Template, nesting: n.nesting})
		if err != nil {
			return err
		}
	}
	return nil
}

// AddAttempt adds the next attempt of Retry i and returns it. Its name is the Retry's with the number in parentheses.
func (g *Graph) AddAttempt(i Index) (Index, error) {
	n := g.nodes[i]
	attempt := int32(0)
	if n.last != None {
		attempt = g.nodes[n.last].Slot + 1
	}
	name := n.Name + "(" + strconv.Itoa(int(attempt)) + ")"
	return g.add(i, Node{Name: name, Kind: n.Template.Kind, Role: RoleAttempt, Slot: attempt, Template: n.Template, nesting: n.nesting})
}

// AddItems adds a node for every item of task inside i: the TaskGroup of a DAG task, the StepGroup of a step. The
// error is a [*LimitError] or [*SpecError]; nothing was added then.
func (g *Graph) AddItems(i Index, task *Task, items []Item) error {
	if len(items) > g.limits.Items {
		return &LimitError{Limit: "Items", Max: g.limits.Items, Node: g.nodes[i].Name}
	}
	before := len(g.nodes)
	prefix, nesting := g.nodes[i].Name, g.nodes[i].nesting
	if g.nodes[i].Kind == StepGroup {
		prefix, nesting = prefix+"."+task.Name, nesting+1
	}
	t := g.templateOf(task)
	for slot := range items {
		item := &items[slot]
		_, err := g.add(i, Node{Name: ItemName(prefix, slot, item.Text), Kind: t.kind(), Role: RoleItem, Slot: int32(slot),
			Template: t, Task: task, Item: item, nesting: nesting})
		if err != nil {
			g.truncate(before)
			return err
		}
	}
	g.nodes[i].expanded = true
	return nil
}

// ItemName is Argo's name of the node for one item of a loop: parentheses of the item's text are left out.
func ItemName(task string, number int, text string) string {
	text = strings.NewReplacer("(", "", ")", "").Replace(text)
	return task + "(" + strconv.Itoa(number) + ":" + text + ")"
}

// AddHook adds the node of owner's hook and returns it: "<owner>.onExit" for the exit hook, "<owner>.hooks.<name>"
// for another. It is inside what owner is inside of, so that this can't end before the hook has; for an item that is
// the DAG, because a TaskGroup is done when its items are (as in Argo).
func (g *Graph) AddHook(owner Index, hook *Hook) (Index, error) {
	o := g.nodes[owner]
	suffix := ".hooks." + hook.Name
	if hook.Name == ExitHook {
		suffix = ".onExit"
	}
	t := g.templates[hook.Template]
	parent := o.Parent
	if g.nodes[parent].Kind == TaskGroup {
		parent = g.nodes[parent].Parent
	}
	i, err := g.add(parent, Node{Name: o.Name + suffix, Kind: t.kind(), Role: RoleHook, Owner: owner,
		Template: t, Hook: hook, nesting: o.nesting + 1, inExit: hook.Name == ExitHook})
	if err != nil {
		return None, err
	}
	if g.hooks == nil {
		g.hooks = make(map[Index][]Index)
	}
	g.hooks[owner] = append(g.hooks[owner], i)
	return i, nil
}

// MarkExpanded records that the members promised for i exist elsewhere: the items of a step are members of its
// StepGroup.
func (g *Graph) MarkExpanded(i Index) { g.nodes[i].expanded = true }
