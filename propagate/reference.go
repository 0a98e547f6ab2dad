package propagate

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// reference is the evaluator that a reader can check: it computes every verdict from scratch, from the deepest nodes
// up, and remembers nothing. The engine must agree with it after every event.
func reference(in *inputs) []ruling {
	r := &referee{
		view:    view{inputs: in, verdicts: make([]verdict, in.g.Len()), messages: make([]message, in.g.Len())},
		rulings: make([]ruling, in.g.Len()),
	}
	// The expressions of hooks deep inside may name what is judged after them, so there is another pass until nothing changes:
	// at most one for each level.
	levels := byDepth(in.g)
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
			if r.nodes[i].created() || i == nodegraph.Root {
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
	view
	rulings []ruling
}

func (r *referee) judge(i nodegraph.Index) {
	r.rulings[i] = r.evaluate(i, &r.nodes[i])
	r.record(i, r.rulings[i])
}

// judgePlanned judges the members of parent that were not created, each after all it comes after.
func (r *referee) judgePlanned(parent nodegraph.Index) {
	if n := r.g.Node(parent); n.Kind == nodegraph.DAG && n.Expanded() {
		plan, first := r.g.Planned(parent)
		for place := range nodegraph.Index(plan.Len()) {
			if m := first + place; !r.nodes[m].created() {
				r.judge(m)
			}
		}
	}
	for m := range r.g.Members(parent) {
		if n := r.g.Node(m); !r.nodes[m].created() && n.Role != nodegraph.RoleTask {
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

// deadline is when the workflow's activeDeadlineSeconds are over; zero if it has none or has not started.
func (in *inputs) deadline() time.Time {
	d := in.g.Spec().ActiveDeadline
	if d <= 0 || in.started.IsZero() {
		return time.Time{}
	}
	return in.started.Truncate(time.Second).Add(d)
}
