// Package tree prints the nodes of a workflow as a tree of containment.
package tree

import (
	"fmt"
	"io"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Line is what is shown of one node.
type Line struct {
	Phase   nodegraph.Phase
	Message string
	Note    string // said after the message
}

// Write prints the node and everything inside it that show knows, one line each.
func Write(w io.Writer, g *nodegraph.Graph, root nodegraph.Index, show func(nodegraph.Index) (Line, bool)) {
	if l, ok := show(root); ok {
		fmt.Fprintln(w, text(g, root, l))
	}
	members(w, g, root, "", show)
}

func members(w io.Writer, g *nodegraph.Graph, i nodegraph.Index, indent string, show func(nodegraph.Index) (Line, bool)) {
	var list []nodegraph.Index
	for m := range g.Members(i) {
		if _, ok := show(m); ok {
			list = append(list, m)
		}
	}
	for k, m := range list {
		l, _ := show(m)
		branch, below := "├─", "│ "
		if k == len(list)-1 {
			branch, below = "└─", "  "
		}
		fmt.Fprintf(w, "%s%s%s\n", indent, branch, text(g, m, l))
		members(w, g, m, indent+below, show)
	}
}

// marks show a phase as the argo command does.
var marks = map[nodegraph.Phase]string{
	nodegraph.PhasePending: "◷", nodegraph.PhaseRunning: "●", nodegraph.PhaseSucceeded: "✔", nodegraph.PhaseFailed: "✖", nodegraph.PhaseError: "⚠",
	nodegraph.PhaseSkipped: "○", nodegraph.PhaseOmitted: "○",
}

func text(g *nodegraph.Graph, i nodegraph.Index, l Line) string {
	n := g.Node(i)
	s := fmt.Sprintf("%s %s  (%s, %s)", marks[l.Phase], g.DisplayName(i), n.Kind, l.Phase)
	if l.Message != "" {
		s += "  " + l.Message
	}
	if l.Note != "" {
		s += "  <- " + l.Note
	}
	return s
}
