package nodegraph

import "iter"

// slotOf returns the node of a slot of DAG, Pod or Steps i, which must be expanded. Members of a DAG or Pod lie in an
// order in which each comes after all it depends on, so that a walk by index meets causes before effects.
func (g *Graph) slotOf(i Index, slot int32) Index {
	if p := g.Plan(i); p != nil {
		slot = p.TopoIndex(slot)
	}
	return g.First(i) + Index(slot)
}

// Dependencies yields the nodes that node i comes after directly: tasks its depends names, containers it depends on, the
// StepGroup before it.
func (g *Graph) Dependencies(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		n := &g.nodes[i]
		switch n.Role {
		case RoleTask, RoleContainer:
			first := g.First(n.Parent)
			for _, place := range g.dependencyRow(i) {
				if !yield(first + Index(place)) {
					return
				}
			}
		case RoleGroup:
			if n.DeclIndex > 0 {
				yield(g.slotOf(n.Parent, n.DeclIndex-1))
			}
		}
	}
}

// Dependents yields the nodes that come after node i directly: the inverse of After.
func (g *Graph) Dependents(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		n := &g.nodes[i]
		switch n.Role {
		case RoleTask, RoleContainer:
			first := g.First(n.Parent)
			for _, place := range g.dependentRow(i) {
				if !yield(first + Index(place)) {
					return
				}
			}
		case RoleGroup:
			if next := g.Next(i); next != None && g.nodes[next].Role == RoleGroup {
				yield(next)
			}
		}
	}
}

// Plan returns the order among the members of DAG or Pod i; nil for a node whose members have none.
func (g *Graph) Plan(i Index) *Plan { return g.plans[max(g.nodes[i].inner, 0)] }

// Planned returns the order of the members of DAG or Pod i, and the first of them, which is at place 0.
func (g *Graph) PlanOf(i Index) (*Plan, Index) {
	return g.Plan(i), g.First(i)
}

// planned returns the plan that task or container i is a member under, and its place; nil for other nodes.
func (g *Graph) planned(i Index) (plan *Plan, place int32) {
	if n := &g.nodes[i]; n.Role == RoleTask || n.Role == RoleContainer {
		plan, place = g.Plan(n.Parent), int32(i-g.First(n.Parent))
	}
	return plan, place
}

// Condition returns the compiled depends of task i: see [Plan.Condition]. It is nil for other nodes.
func (g *Graph) Condition(i Index) *Condition {
	if p, place := g.planned(i); p != nil {
		return p.Condition(place)
	}
	return nil
}

// MemberAt returns the member of DAG, Pod or Steps i with this slot.
func (g *Graph) MemberAt(i Index, slot int32) Index { return g.slotOf(i, slot) }

// Targets returns the slots of the tasks that decide how DAG i ends, in the order in which they do.
func (g *Graph) Targets(i Index) []int32 { return g.Plan(i).targets }

// Needed reports whether task i is a target of its DAG or something a target depends on; others never run.
func (g *Graph) Needed(i Index) bool {
	p, place := g.planned(i)
	return g.nodes[i].Role != RoleTask || p.needed[place]
}

// dependencyRow returns what task or container i comes after, each as its place among the members of the parent: the
// node is First(parent) plus the place. It is nil for other nodes. Do not modify the slice.
func (g *Graph) dependencyRow(i Index) []int32 {
	if p, place := g.planned(i); p != nil {
		return p.Dependencies(place)
	}
	return nil
}

// dependentRow returns what comes after task or container i, in the form of [Graph.dependencyRow].
func (g *Graph) dependentRow(i Index) []int32 {
	if p, place := g.planned(i); p != nil {
		return p.Dependents(place)
	}
	return nil
}
