package propagatetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Look shows all that an engine says in a form for golden files. Each node that exists has a line, sorted by name, with its kind,
// phase, message and the rule that decided. What the workflow waits for comes last. Times are left out.
func Look(e *propagate.Engine) string {
	text := nodes(e)
	for _, o := range e.Obligations() {
		text += fmt.Sprintln("waits for", o)
	}
	return text
}

// nodes lists every node that exists, sorted by name.
func nodes(e *propagate.Engine) string {
	var lines []string
	for i := range nodegraph.Index(e.Graph().Len()) {
		if v := e.Verdict(i); e.Exists(i) || i == nodegraph.Root {
			lines = append(lines, fmt.Sprintf("%s %s %s %q  (%s)", nameOf(e, i), kindOf(e, i), v.Phase, v.Message, reason(e, i)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// kindOf is the kind that a node is shown as. The workflow has no fact of its own that says that it exists.
func kindOf(e *propagate.Engine, i nodegraph.Index) nodegraph.Kind {
	if i == nodegraph.Root {
		return nodegraph.KindWorkflow
	}
	return e.Kind(i)
}

// nameOf is the name of a node, "workflow" for the workflow itself.
func nameOf(e *propagate.Engine, i nodegraph.Index) string {
	return cmp.Or(e.Graph().Node(i).Name(), "workflow")
}

// reason is the rule that decided about a node, the step of package retry, and the node that decided it.
func reason(e *propagate.Engine, i nodegraph.Index) string {
	v := e.Verdict(i)
	text := v.Rule.String()
	if v.Rule == rule.RuleRetry {
		text += " " + v.Check.String()
	}
	if v.By != nodegraph.None {
		text += " " + nameOf(e, v.By)
	}
	return text
}
