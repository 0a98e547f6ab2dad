package nodegraph

import "iter"

// A Plan is a DAG or ContainerSet template made ready for evaluation. A member is known by its slot, where the template
// declares it, and by its place, where it stands among the members of a node: after all it depends on. The member of node
// i at place k is First(i) plus k. A Plan is immutable.
type Plan struct {
	order            []int32      // by place: the slot; nil where both are the same, since the template declares what works
	place            []int32      // by slot: the place; nil there too
	conditions       []*Condition // by place: see Condition; nil if there are none
	deps, dependents rows         // by place: places, deps in the order of Condition.Tasks
	targets          []int32      // places of the tasks that must end, in the order in which they decide
	names            int          // the length of all tasks' names in bytes
	visit            []int32      // by place: its turn in a depth-first walk from the targets, what it depends on first; 0 for none
	roots            []int32      // places of the tasks that come after nothing, in the order of visit
}

// Len is how many members there are.
func (p *Plan) Len() int { return len(p.deps.starts) - 1 }

// slotOf is where the template declares the member at a place.
func (p *Plan) slotOf(place int32) int32 {
	if p.order == nil {
		return place
	}
	return p.order[place]
}

// placeOf is where the member that the template declares at a slot stands.
func (p *Plan) placeOf(slot int32) int32 {
	if p.place == nil {
		return slot
	}
	return p.place[slot]
}

// Dependencies are the places of what the member at a place comes after. Do not modify the slice.
func (p *Plan) Dependencies(place int32) []int32 { return p.deps.row(place) }

// Dependents are the places of what comes after the member at a place. Do not modify the slice.
func (p *Plan) Dependents(place int32) []int32 { return p.dependents.row(place) }

// Condition is the compiled depends of the task at a place. What it tests are the tasks of Dependencies, in that order. It is nil
// where each of them must be what its bare name stands for: see [BareResults]. Nearly all are of that kind.
func (p *Plan) Condition(place int32) *Condition {
	if p.conditions == nil {
		return nil
	}
	return p.conditions[place]
}

// Targets are the places of the tasks that decide how a DAG ends, in the order in which they do. Do not modify the slice.
func (p *Plan) Targets() []int32 { return p.targets }

// VisitOrder is the turn of the task at a place in the order in which Argo visits the tasks of a DAG, from 1 on. Argo goes from
// each target down, and visits what a task depends on before the task. It is 0 for a task that never runs.
func (p *Plan) VisitOrder(place int32) int { return int(p.visit[place]) }

// Roots are the places of the tasks that come after nothing, in the order in which Argo visits them. Do not modify the slice.
func (p *Plan) Roots() []int32 { return p.roots }

// rows are lists of numbers in two arrays: row i is list[starts[i]:starts[i+1]].
type rows struct{ starts, list []int32 }

func newRows(n int) rows { return rows{starts: make([]int32, 1, n+1)} }

func (r *rows) row(i int32) []int32 { return r.list[r.starts[i]:r.starts[i+1]] }

// size is how much row i lists.
func (r *rows) size(i int32) int32 { return r.starts[i+1] - r.starts[i] }

// empty is how many rows list nothing.
func (r *rows) empty() int {
	n := 0
	for k, start := range r.starts[1:] {
		if start == r.starts[k] {
			n++
		}
	}
	return n
}

// end closes the row that was being appended to.
func (r *rows) end() { r.starts = append(r.starts, int32(len(r.list))) }

// inverse turns the edges around: row j of it lists every i whose row lists j, in ascending order.
func (r *rows) inverse() rows {
	n := len(r.starts) - 1
	starts, list := make([]int32, n+2), make([]int32, len(r.list))
	for _, j := range r.list {
		starts[j+2]++
	}
	for j := range n {
		starts[j+2] += starts[j+1]
	}
	next := starts[1:] // by j: where the next i goes; in the end where the row of j+1 starts
	for i := range int32(n) {
		for _, j := range r.row(i) {
			list[next[j]] = i
			next[j]++
		}
	}
	return rows{starts: starts[:n+1], list: list}
}

// renumbered gives the rows and what they list other numbers: old number order[i] is new number i.
func (r *rows) renumbered(order, place []int32) rows {
	out := rows{starts: make([]int32, 1, len(r.starts)), list: make([]int32, 0, len(r.list))}
	for _, slot := range order {
		for _, other := range r.row(slot) {
			out.list = append(out.list, place[other])
		}
		out.end()
	}
	return out
}

// MemberAt returns the member of DAG, Pod or Steps i with this slot. The node must be expanded. Members of a DAG or Pod lie in an
// order in which each comes after all it depends on, so that a walk by index meets causes before effects.
func (g *Graph) MemberAt(i Index, slot int32) Index {
	plan, first := g.PlanOf(i)
	if plan != nil {
		slot = plan.placeOf(slot)
	}
	return first + Index(slot)
}

// Dependencies yields the nodes that node i comes after directly: tasks its depends names, containers it depends on, the
// StepGroup before it.
func (g *Graph) Dependencies(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		if plan, place := g.planned(i); plan != nil {
			for _, other := range plan.Dependencies(place) {
				if !yield(i + Index(other-place)) {
					return
				}
			}
		} else if n := &g.nodes[i]; n.Role == RoleGroup && n.DeclIndex > 0 {
			yield(g.MemberAt(n.Parent, n.DeclIndex-1))
		}
	}
}

// Dependents yields the nodes that come after node i directly: the inverse of Dependencies.
func (g *Graph) Dependents(i Index) iter.Seq[Index] {
	return func(yield func(Index) bool) {
		if plan, place := g.planned(i); plan != nil {
			for _, other := range plan.Dependents(place) {
				if !yield(i + Index(other-place)) {
					return
				}
			}
		} else if next := g.Next(i); next != None && g.nodes[next].Role == RoleGroup {
			yield(next)
		}
	}
}

// PlanOf returns the order of the members of DAG or Pod i, nil for a node whose members have none, and the first of them, which
// is at place 0.
func (g *Graph) PlanOf(i Index) (*Plan, Index) {
	return g.made[max(g.nodes[i].inner, 0)].plan, g.First(i)
}

// planned returns the plan that task or container i is a member under, and its place; nil for other nodes.
func (g *Graph) planned(i Index) (plan *Plan, place int32) {
	if n := &g.nodes[i]; n.Role == RoleTask || n.Role == RoleContainer {
		plan, first := g.PlanOf(n.Parent)
		return plan, int32(i - first)
	}
	return nil, 0
}

// Condition returns the compiled depends of task i, of a plain list of dependencies too. It is nil for a task that comes after
// nothing, and for other nodes. It allocates: see [Plan.Condition].
func (g *Graph) Condition(i Index) *Condition {
	plan, place := g.planned(i)
	if g.nodes[i].Role != RoleTask || len(plan.Dependencies(place)) == 0 {
		return nil
	}
	if c := plan.Condition(place); c != nil {
		return c
	}
	all := &Condition{literals: len(plan.Dependencies(place))}
	for _, other := range plan.Dependencies(place) {
		all.tasks = append(all.tasks, g.nodes[i+Index(other-place)].Task.Name)
	}
	return all
}

// Needed reports whether task i is a target of its DAG or something a target depends on; others never run.
func (g *Graph) Needed(i Index) bool {
	plan, place := g.planned(i)
	return g.nodes[i].Role != RoleTask || plan.visit[place] != 0
}
