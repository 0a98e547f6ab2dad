package nodegraph

import (
	"fmt"
	"slices"
	"strconv"
)

// add appends one node inside parent: what is said of it by like, under the name of base, which is empty for the workflow,
// and a suffix. On an error nothing was added.
func (g *Graph) add(parent, base Index, suffix []byte, like *Node) (Index, error) {
	i := Index(len(g.nodes))
	if len(g.nodes) >= g.limits.Nodes {
		return None, &LimitError{Limit: "Nodes", Max: g.limits.Nodes, Node: g.nodes[base].Name() + string(suffix)}
	}
	if len(g.nodes) == cap(g.nodes) { // nodes that come one by one: half as many again, so that each is moved twice
		g.nodes = slices.Grow(g.nodes, 8+len(g.nodes)/2)
	}
	g.nodes = g.nodes[:i+1]
	n, p := &g.nodes[i], &g.nodes[parent]
	// A copy of all of it would have to wait for what was written to like just now.
	n.Template, n.Task, n.DeclIndex, n.Kind, n.Role = like.Template, like.Task, like.DeclIndex, like.Kind, like.Role
	n.traits, n.nesting = like.traits, like.nesting
	hash := g.nameNode(i, base, suffix)
	n.Parent, n.last = parent, None
	if n.Kind == KindDAG || n.Kind == KindPod {
		n.inner = g.indexOf(n.Template)
	}
	n.depth = p.depth + 1
	n.traits |= p.traits & nodeInExit
	if n.Task != nil && len(n.Task.Hooks) > 0 {
		n.traits |= nodeHooked
	}
	n.next = ^i
	if p.last != None {
		before := &g.nodes[p.last]
		n.next, before.next = before.next, i
	} else if p.inner == 0 {
		p.inner = int32(^i)
	}
	p.last = i
	if i > Entry {
		if err := g.claim(i, hash); err != nil {
			g.truncate(int(i))
			return None, err
		}
	}
	return i, nil
}

// claim enters node i, the last one, into the table of ids, which no two nodes share.
func (g *Graph) claim(i Index, hash uint32) error {
	id := g.nodes[i].ID()
	if other := g.withHash(hash, id); other != None {
		return &SpecError{Node: g.nodes[i].Name(), Field: "id",
			Reason: fmt.Sprintf("%s is also the id of node %q", id, bounded(g.nodes[other].Name()))}
	}
	g.reserveIDs(g.nodes[:i], len(g.nodes))
	g.ids.add(hash, uint32(i))
	return nil
}

// indexOf returns the index of a template in made. Siblings often share theirs.
func (g *Graph) indexOf(t *Template) int32 {
	if last := &g.nodes[len(g.nodes)-2]; last.Template == t && last.inner > 0 {
		return last.inner
	}
	return g.madeOf[t]
}

// reserve makes room for n more nodes, as far as the limits go.
func (g *Graph) reserve(n int) {
	n = min(n, g.limits.Nodes-len(g.nodes))
	if n <= 0 {
		return
	}
	g.nodes = slices.Grow(g.nodes, n)
	g.reserveIDs(g.nodes, len(g.nodes)+n)
}

// within is how many nodes come with one that is made from the template: the first attempt of a Retry, the containers of a
// pod. What a DAG or Steps brings is not counted: much of that may never be.
func (t *Template) within() int {
	n := len(t.Containers)
	if t.Retry != nil {
		n++
	}
	return n
}

// truncate forgets every node from n on: the way back when a batch of additions fails midway. Hooks are added one by
// one, so there are none among them.
func (g *Graph) truncate(n int) {
	for i := n; i < len(g.nodes); i++ {
		node := &g.nodes[i]
		if parent := &g.nodes[node.Parent]; parent.last >= Index(n) {
			g.keepMembers(parent, Index(n))
		}
		if node.Role == RoleItem {
			delete(g.items, loopOf{node.Parent, node.Task})
		}
	}
	g.enterIDs(g.nodes[:n], n)
	g.base = None
	clear(g.nodes[n:])
	g.nodes = g.nodes[:n]
}

// keepMembers cuts the members from end on, the last one among them, off the list of a node.
func (g *Graph) keepMembers(parent *Node, end Index) {
	first := ^g.nodes[parent.last].next
	parent.last = None
	for m := first; m < end; m = g.nodes[m].next {
		parent.last = m
	}
	if parent.last != None {
		g.nodes[parent.last].next = ^first
	} else {
		parent.inner = max(parent.inner, 0)
	}
}

// templateOf resolves the template of a task.
func (g *Graph) templateOf(t *Task) *Template {
	if t.Inline != nil {
		return t.Inline
	}
	return g.templates.find(t.Template)
}

// Expand adds the members that the specification promises for composite i, once. They are the tasks of a DAG, the
// groups of Steps, the steps of a StepGroup (or their items, where a loop is known), and the containers of a Pod.
// Attempts, items of a TaskGroup and hooks are added one by one. On an error, which is a [*LimitError] or
// [*SpecError], nothing was added.
func (g *Graph) Expand(i Index) error {
	n := &g.nodes[i]
	if n.Expanded() {
		return nil
	}
	if int(n.nesting) > g.limits.Nesting {
		return &LimitError{Limit: limitNesting, Max: g.limits.Nesting, Node: n.Name()}
	}
	if n.Template != nil {
		if err := g.unchanged(n.Template); err != nil {
			return err
		}
	}
	before := len(g.nodes)
	var err error
	switch n.Kind {
	case KindDAG:
		err = g.expandDAG(i)
	case KindSteps:
		err = g.expandSteps(i)
	case KindStepGroup:
		err = g.expandGroup(i)
	case KindPod:
		err = g.expandPod(i)
	}
	if err != nil {
		g.truncate(before)
		g.nodes[i].traits &^= nodeExpanded // items of a first step may have set it
		return err
	}
	g.nodes[i].traits |= nodeExpanded
	return nil
}

func (g *Graph) expandDAG(i Index) error {
	n := g.nodes[i]
	plan, _ := g.PlanOf(i)
	tasks := plan.Len()
	g.reserve(tasks)
	g.text.reserve(plan.names + tasks*(len(n.Name())+1+g.maxIDLength()))
	node := Node{Role: RoleTask, Template: n.Template, nesting: n.nesting + 1}
	for place := range int32(tasks) {
		node.DeclIndex = plan.slotOf(place)
		node.Task = &n.Template.Tasks[node.DeclIndex]
		node.Template = g.templateOf(node.Task)
		node.Kind = node.Template.kind()
		if node.Task.Loop != nil {
			node.Kind = KindTaskGroup
		}
		g.suffix = append(append(g.suffix[:0], '.'), node.Task.Name...)
		if _, err := g.add(i, i, g.suffix, &node); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) expandSteps(i Index) error {
	n := g.nodes[i]
	node := Node{Kind: KindStepGroup, Role: RoleGroup, Template: n.Template, nesting: n.nesting}
	for slot := range n.Template.Steps {
		node.DeclIndex = int32(slot)
		g.suffix = append(strconv.AppendInt(append(g.suffix[:0], '['), int64(slot), 10), ']')
		if _, err := g.add(i, i, g.suffix, &node); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) expandGroup(i Index) error {
	n := g.nodes[i]
	group := n.Template.Steps[n.DeclIndex]
	for slot := range group {
		step := &group[slot]
		t := g.templateOf(step)
		node := Node{Kind: t.kind(), Role: RoleStep, DeclIndex: int32(slot), Template: t, Task: step, nesting: n.nesting + 1}
		if step.Loop != nil {
			if step.Loop.Unresolved == "" && len(step.Loop.Items) > 0 {
				if err := g.addItems(i, step, step.Loop.Items); err != nil {
					return err
				}
				continue
			}
			// No items, or none known yet: one node stands for the step.
			node.Kind = KindTaskGroup
		}
		g.suffix = append(append(g.suffix[:0], '.'), step.Name...)
		if _, err := g.add(i, i, g.suffix, &node); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) expandPod(i Index) error {
	plan, _ := g.PlanOf(i)
	if plan == nil {
		return nil
	}
	n := g.nodes[i]
	node := Node{Kind: KindContainer, Role: RoleContainer, Template: n.Template, nesting: n.nesting}
	for place := range int32(plan.Len()) {
		node.DeclIndex = plan.slotOf(place)
		g.suffix = append(append(g.suffix[:0], '.'), n.Template.Containers[node.DeclIndex].Name...)
		if _, err := g.add(i, i, g.suffix, &node); err != nil {
			return err
		}
	}
	return nil
}

// AddAttempt adds the next attempt of Retry i and returns it. Its name is [AttemptName].
// The error is a [*LimitError] or [*SpecError].
func (g *Graph) AddAttempt(i Index) (Index, error) {
	n := g.nodes[i]
	if err := g.unchanged(n.Template); err != nil {
		return None, err
	}
	attempt := int32(0)
	if n.last != None {
		attempt = g.nodes[n.last].DeclIndex + 1
	}
	g.suffix = append(strconv.AppendInt(append(g.suffix[:0], '('), int64(attempt), 10), ')')
	return g.add(i, i, g.suffix, &Node{Kind: n.Template.Kind, Role: RoleAttempt, DeclIndex: attempt, Template: n.Template, nesting: n.nesting})
}

// AddItems adds a node for every item of task inside i: the TaskGroup of a DAG task, the StepGroup of a step. The
// error is a [*LimitError] or [*SpecError]; nothing was added then.
func (g *Graph) AddItems(i Index, task *Task, items []Item) error {
	before, traits := len(g.nodes), g.nodes[i].traits
	err := g.addItems(i, task, items)
	if err != nil {
		g.truncate(before)
		g.nodes[i].traits = traits
	}
	return err
}

// addItems is AddItems, but that on an error some of the nodes were added.
func (g *Graph) addItems(i Index, task *Task, items []Item) error {
	if len(items) > g.limits.Items {
		return &LimitError{Limit: "Items", Max: g.limits.Items, Node: g.nodes[i].Name()}
	}
	prefix, nesting := "", g.nodes[i].nesting
	if g.nodes[i].Kind == KindStepGroup {
		prefix, nesting = "."+task.Name, nesting+1
	}
	t := g.templateOf(task)
	g.reserve(len(items) * (1 + t.within()))
	node := Node{Kind: t.kind(), Role: RoleItem, Template: t, Task: task, nesting: nesting}
	for slot := range items {
		node.DeclIndex = int32(slot)
		if name := items[slot].Template; name != "" {
			if node.Template = g.templates.find(name); node.Template == nil {
				return &SpecError{Node: g.nodes[i].Name(), Field: "template", Reason: noTemplate(name)}
			}
			node.Kind = node.Template.kind()
		} else {
			node.Template, node.Kind = t, t.kind()
		}
		g.suffix = appendItemName(g.suffix[:0], prefix, slot, items[slot].Text)
		if _, err := g.add(i, i, g.suffix, &node); err != nil {
			return err
		}
	}
	if len(items) > 0 {
		if g.items == nil {
			g.items = make(map[loopOf][]Item)
		}
		g.items[loopOf{i, task}] = items
	}
	g.nodes[i].traits |= nodeExpanded
	return nil
}

// AddHook adds the node of owner's hook and returns it. Its name is [HookName]. The hook is inside what owner is inside
// of, so that this can't end before the hook has. The hook of an item is inside the DAG, because a TaskGroup is done when
// its items are (as in Argo). The owner of the workflow's own hooks is its entry node. The error is a [*LimitError] or
// [*SpecError].
func (g *Graph) AddHook(owner Index, hook *Hook) (Index, error) {
	o := g.nodes[owner]
	t := g.templates.find(hook.Template)
	switch {
	case owner == Root:
		return None, &SpecError{Field: "hooks." + hook.Name, Reason: "belongs to the entry node, not to the workflow"}
	case t == nil:
		return None, &SpecError{Node: o.Name(), Field: "hooks." + hook.Name, Reason: noTemplate(hook.Template)}
	}
	parent := o.Parent
	if g.nodes[parent].Kind == KindTaskGroup {
		parent = g.nodes[parent].Parent
	}
	node := Node{Kind: t.kind(), Role: RoleHook, Template: t, nesting: o.nesting + 1}
	if hook.Name == ExitHook {
		node.traits |= nodeInExit
	}
	i, err := g.add(parent, owner, []byte(hookSuffix(hook)), &node)
	if err != nil {
		return None, err
	}
	if g.hooks == nil {
		g.hooks, g.hookOf = make(map[Index][]Index), make(map[Index]hookOfOwner)
	}
	g.hookOf[i] = hookOfOwner{hook, owner}
	g.hooks[owner] = append(g.hooks[owner], i)
	return i, nil
}

// MarkExpanded records that the members promised for i exist elsewhere: the items of a step are members of its
// StepGroup.
func (g *Graph) MarkExpanded(i Index) { g.nodes[i].traits |= nodeExpanded }
