package nodegraph

import "strings"

// DisplayName returns the name of node i without that of its boundary, as Argo shows it. It is "build" for a task,
// "build(0)" for the task's attempt, "[1]" for a StepGroup, and "main" for a container.
func (g *Graph) DisplayName(i Index) string {
	n := &g.nodes[i]
	for p := n.Parent; p > Root; p = g.nodes[p].Parent {
		switch parent := &g.nodes[p]; parent.Kind {
		case KindDAG, KindPod, KindStepGroup:
			return strings.TrimPrefix(n.Name(), parent.Name()+".")
		case KindSteps:
			return strings.TrimPrefix(strings.TrimPrefix(n.Name(), parent.Name()), ".")
		}
	}
	return n.Name()
}
