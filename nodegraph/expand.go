package nodegraph

import (
	"fmt"
	"strconv"
	"strings"
)

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
	if n.Kind == DAG || n.Kind == Pod {
		n.plan = g.plans[n.Template]
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

// truncate forgets every node from n on: the way back when a batch of additions fails midway. Hooks are added one by
// one, so there are none among them.
func (g *Graph) truncate(n int) {
	for i := n; i < len(g.nodes); i++ {
		node := &g.nodes[i]
		delete(g.ids, node.ID)
		if parent := &g.nodes[node.Parent]; parent.last >= Index(n) {
			g.keepMembers(parent, Index(n))
		}
	}
	clear(g.nodes[n:])
	g.nodes = g.nodes[:n]
}

// keepMembers cuts the members from end on off the list of a node.
func (g *Graph) keepMembers(parent *Node, end Index) {
	parent.last = None
	for m := parent.first; m != None && m < end; m = g.nodes[m].next {
		parent.last = m
	}
	if parent.last == None {
		parent.first = None
	} else {
		g.nodes[parent.last].next = None
	}
}

// templateOf resolves the template of a task.
func (g *Graph) templateOf(t *Task) *Template {
	if t.Inline != nil {
		return t.Inline
	}
	return g.templates[t.Template]
}

// Expand adds the members that the specification promises for composite i, once: tasks of a DAG, groups of Steps,
// steps of a StepGroup (items of steps whose loops are known), containers of a Pod. Attempts, items of a TaskGroup
// and hooks are added one by one. On an error, which is a [*LimitError] or [*SpecError], nothing was added.
func (g *Graph) Expand(i Index) error {
	n := &g.nodes[i]
	if n.expanded {
		return nil
	}
	if int(n.nesting) > g.limits.Nesting {
		return &LimitError{Limit: limitNesting, Max: g.limits.Nesting, Node: n.Name}
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
		g.nodes[i].expanded = false // items of a first step may have set it
		return err
	}
	g.nodes[i].expanded = true
	return nil
}

func (g *Graph) expandDAG(i Index) error {
	n := g.nodes[i]
	for _, slot := range n.plan.order {
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
	for _, slot := range n.plan.order {
		c := &n.Template.Containers[slot]
		_, err := g.add(i, Node{Name: n.Name + "." + c.Name, Kind: Container, Role: RoleContainer, Slot: slot, Template: n.Template, nesting: n.nesting})
		if err != nil {
			return err
		}
	}
	return nil
}

// AddAttempt adds the next attempt of Retry i and returns it. Its name is the Retry's with the number in parentheses.
// The error is a [*LimitError] or [*SpecError].
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
	if strings.ContainsAny(text, "()") {
		text = strings.NewReplacer("(", "", ")", "").Replace(text)
	}
	return task + "(" + strconv.Itoa(number) + ":" + text + ")"
}

// AddHook adds the node of owner's hook and returns it: "<owner>.onExit" for the exit hook, "<owner>.hooks.<name>"
// for another. It is inside what owner is inside of, so that this can't end before the hook has; for an item that is
// the DAG, because a TaskGroup is done when its items are (as in Argo). The owner of the workflow's own hooks is its
// entry node. The error is a [*LimitError] or [*SpecError].
func (g *Graph) AddHook(owner Index, hook *Hook) (Index, error) {
	o := g.nodes[owner]
	suffix := ".hooks." + hook.Name
	if hook.Name == ExitHook {
		suffix = ".onExit"
	}
	t := g.templates[hook.Template]
	switch {
	case owner == Root:
		return None, &SpecError{Field: "hooks." + hook.Name, Reason: "belongs to the entry node, not to the workflow"}
	case t == nil:
		return None, &SpecError{Node: o.Name, Field: "hooks." + hook.Name, Reason: noTemplate(hook.Template)}
	}
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
