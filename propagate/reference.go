package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// reference is the evaluator that a reader can check: it computes every verdict from scratch, from the deepest nodes
// up, and remembers nothing. The engine must agree with it after every event.
func reference(in *inputs) []Verdict {
	w := &view{inputs: in, verdicts: make([]Verdict, in.g.Len())}
	levels := byDepth(in.g)
	for depth := len(levels) - 1; depth >= 0; depth-- {
		// What exists depends on deeper nodes only; what is planned also on siblings it comes after.
		for _, i := range levels[depth] {
			if in.facts[i].created() || i == nodegraph.Root {
				w.verdicts[i] = w.evaluate(i)
			}
		}
		if depth == 0 {
			break
		}
		for _, parent := range levels[depth-1] {
			w.evaluatePlanned(parent)
		}
	}
	return w.verdicts
}

// evaluatePlanned evaluates the members of parent that were not created, each after all it comes after.
func (w *view) evaluatePlanned(parent nodegraph.Index) {
	if n := w.g.Node(parent); n.Kind == nodegraph.DAG && n.Expanded() {
		for _, slot := range w.g.Order(parent) {
			if m := w.g.Slot(parent, slot); !w.facts[m].created() {
				w.verdicts[m] = w.evaluate(m)
			}
		}
	}
	for m := range w.g.Members(parent) {
		if n := w.g.Node(m); !w.facts[m].created() && n.Role != nodegraph.RoleTask {
			w.verdicts[m] = w.evaluate(m)
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
