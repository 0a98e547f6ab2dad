package rule

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Reference is the evaluation that a reader can check: it computes every verdict from scratch, from the deepest nodes up, and reads none
// that the evaluator has recorded. The engine must agree with it after every event.
func (e *Evaluator) Reference() []Ruling {
	graph := e.graph
	r := &referee{
		eval:    NewEvaluator(graph, e.facts),
		rulings: make([]Ruling, graph.Len()),
	}
	r.eval.Grow(graph.Len())
	// The expressions of hooks deep inside may name what is judged after them, so there is another pass until nothing changes:
	// at most one for each level.
	levels := byDepth(graph)
	for range levels {
		last := slices.Clone(r.rulings)
		if r.pass(levels); slices.Equal(last, r.rulings) {
			break
		}
	}
	return r.rulings
}

// pass judges every node, from the deepest up.
func (r *referee) pass(levels [][]nodegraph.Index) {
	for depth := len(levels) - 1; depth >= 0; depth-- {
		// What exists depends on deeper nodes only; what is planned also on siblings it comes after.
		for _, i := range levels[depth] {
			if r.eval.facts.Node(i).Exists || i == nodegraph.Root {
				r.judge(i)
			}
		}
		if depth == 0 {
			break
		}
		for _, parent := range levels[depth-1] {
			r.judgePlanned(parent)
		}
	}
}

// referee is the reference evaluator at work.
type referee struct {
	eval    *Evaluator
	rulings []Ruling
}

func (r *referee) judge(i nodegraph.Index) {
	r.rulings[i] = r.eval.Judge(i)
	r.eval.Record(i, r.rulings[i])
}

// judgePlanned judges the members of parent that were not created, each after all it comes after.
func (r *referee) judgePlanned(parent nodegraph.Index) {
	if n := r.eval.graph.Node(parent); n.Kind == nodegraph.KindDAG && n.Expanded() {
		plan, first := r.eval.graph.PlanOf(parent)
		for place := range nodegraph.Index(plan.Len()) {
			if m := first + place; !r.eval.facts.Node(m).Exists {
				r.judge(m)
			}
		}
	}
	for m := range r.eval.graph.Members(parent) {
		if n := r.eval.graph.Node(m); !r.eval.facts.Node(m).Exists && n.Role != nodegraph.RoleTask {
			r.judge(m)
		}
	}
}

// byDepth lists the nodes of g by their depth of containment.
func byDepth(g *nodegraph.Graph) [][]nodegraph.Index {
	var levels [][]nodegraph.Index
	for i := range nodegraph.Index(g.Len()) {
		d := g.Node(i).Depth()
		for d >= len(levels) {
			levels = append(levels, nil)
		}
		levels[d] = append(levels[d], i)
	}
	return levels
}
