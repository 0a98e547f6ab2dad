package diagnose

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// mostFields is how many fields are named whose values only the controller knows.
const mostFields = 5

// specOf returns the specification by which a workflow is judged. A template that the object does not hold is stored by the
// controller when its first node begins. Until then that node is no error: it is to begin, and nothing else is known of it. Where
// the record has nodes that were made by it, they tell what it is: see trimmed.
func specOf(w *argo.Workflow) *nodegraph.Spec {
	missing := make(map[string]bool)
	for _, u := range w.Unresolved {
		if u.Template() {
			missing[u.Text] = true
		}
	}
	if len(missing) == 0 {
		return w.Spec
	}
	spec := *w.Spec
	spec.Templates = slices.Clone(spec.Templates)
	t := trimmed{spec: &spec, nodes: w.Snapshot.Nodes}
	t.fill(missing)
	return &spec
}

// noteUnresolved names what the specification leaves to the controller, as long as that can still matter.
func (d *diagnosis) noteUnresolved(add func(format string, args ...any)) {
	if d.in.Snapshot.Phase.Completed() {
		return
	}
	for k, u := range d.in.Unresolved {
		switch {
		case k == mostFields:
			add("%d fields more are known only to the controller", len(d.in.Unresolved)-k)
			return
		case u.Template() && slices.ContainsFunc(d.in.Snapshot.Nodes, func(n nodegraph.NodeStatus) bool { return n.Template == u.Text }):
			add("%s is %s, which the object does not hold any more: what is known of it here its nodes tell, unless -templates FILE has it", u.Field, u.Text)
		case u.Template():
			add("%s is %s, which the object does not hold yet: what comes of it is not known here, unless -templates FILE has it", u.Field, u.Text)
		default:
			add("%s is %s, which only the controller knows (here: %s)", u.Field, u.Text, u.CountsAs)
		}
	}
}
