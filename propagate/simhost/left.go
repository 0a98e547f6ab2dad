package simhost

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// LostExitHooks returns the nodes of a complete workflow that ran to their end and whose exit hook did not. One with an
// expression need not run, but to be there.
func LostExitHooks(e *propagate.Engine) []nodegraph.Index {
	var lost []nodegraph.Index
	g := e.Graph()
	for i := nodegraph.Entry + 1; int(i) < g.Len(); i++ {
		n := g.Node(i)
		phase, _ := e.Phase(i)
		if n.Task == nil || n.Task.ExitHook() == nil || n.Role == nodegraph.RoleAttempt || e.Fact(i).Created.IsZero() || !phase.Completed() {
			continue
		}
		ran := false
		for _, h := range g.Hooks(i) {
			_, hook := g.Owner(h)
			ran = ran || hook.Name == nodegraph.ExitHook && (hook.Expression != "" || e.Exists(h))
		}
		if !ran {
			lost = append(lost, i)
		}
	}
	return lost
}
