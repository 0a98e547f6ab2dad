package simhost

import (
	"fmt"

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

// Describe names an event with the pod and the answer, in one line.
func Describe(ev propagate.Event) string {
	text := ev.String()
	if ev.Pod.UID != "" {
		text += "@" + ev.Pod.UID
	}
	switch ev.Type {
	case propagate.EventPodRunning:
		if !ev.Ready {
			text += " unready"
		}
	case propagate.EventResolved, propagate.EventMemoized, propagate.EventSuspended:
		text += fmt.Sprint(" ", ev.Value)
	case propagate.EventExpanded:
		text += fmt.Sprintf(" %d items", len(ev.Items))
	case propagate.EventShutdown:
		text += " " + ev.Reason
	case propagate.EventContainerEnded:
		text += fmt.Sprint(" ", ev.ExitCode)
	}
	if ev.Reason != "" && ev.Type == propagate.EventPodEnded {
		text += " " + ev.Reason
	}
	return text
}
