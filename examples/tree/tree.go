// Package tree prints the nodes of a workflow as a tree of containment.
package tree

import (
	"fmt"
	"io"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Line is what is shown of one node.
type Line struct {
	Phase   nodegraph.Phase // also decides the mark before the name
	Message string          // the node's own words; only the beginning of a long message is shown
	Detail  string          // said after the message
	Note    string          // said last, after an arrow
}

// mostMessage is how much of a message is shown.
const mostMessage = 200

// fewSiblings is how many siblings are shown without folding any of them.
const fewSiblings = 8

// Write prints the node and everything inside it that show knows, one line each. Of many siblings in a row that have ended well
// and have no note, on themselves or inside, only the first and the last are shown.
func Write(w io.Writer, g *nodegraph.Graph, root nodegraph.Index, show func(nodegraph.Index) (Line, bool)) {
	t := &tree{w: w, g: g, show: show}
	if l, ok := show(root); ok {
		fmt.Fprintln(w, t.text(root, l))
	}
	t.members(root, "")
}

type tree struct {
	w    io.Writer
	g    *nodegraph.Graph
	show func(nodegraph.Index) (Line, bool)
}

// plain reports whether a node has ended well, with nothing to say of it or of anything inside.
func (t *tree) plain(i nodegraph.Index) bool {
	l, ok := t.show(i)
	if ok && (l.Note != "" || l.Phase != nodegraph.PhaseSucceeded && l.Phase != nodegraph.PhaseSkipped && l.Phase != nodegraph.PhaseOmitted) {
		return false
	}
	for m := range t.g.Members(i) {
		if !t.plain(m) {
			return false
		}
	}
	return true
}

func (t *tree) members(i nodegraph.Index, indent string) {
	var list []nodegraph.Index
	for m := range t.g.Members(i) {
		if _, ok := t.show(m); ok {
			list = append(list, m)
		}
	}
	for k := 0; k < len(list); k++ {
		if n := t.run(list[k:]); len(list) > fewSiblings && n > 3 {
			t.member(list[k], indent, false)
			fmt.Fprintf(t.w, "%s├─  ... %d more that ended well\n", indent, n-2)
			k += n - 1
		}
		t.member(list[k], indent, k == len(list)-1)
	}
}

// run is how many nodes at the beginning of a list are plain.
func (t *tree) run(list []nodegraph.Index) int {
	for k, m := range list {
		if !t.plain(m) {
			return k
		}
	}
	return len(list)
}

func (t *tree) member(m nodegraph.Index, indent string, last bool) {
	branch, below := "├─", "│ "
	if last {
		branch, below = "└─", "  "
	}
	l, _ := t.show(m)
	fmt.Fprintf(t.w, "%s%s%s\n", indent, branch, t.text(m, l))
	t.members(m, indent+below)
}

// marks show a phase as the argo command does.
var marks = map[nodegraph.Phase]string{
	nodegraph.PhasePending: "◷", nodegraph.PhaseRunning: "●", nodegraph.PhaseSucceeded: "✔", nodegraph.PhaseFailed: "✖", nodegraph.PhaseError: "⚠",
	nodegraph.PhaseSkipped: "○", nodegraph.PhaseOmitted: "○",
}

func (t *tree) text(i nodegraph.Index, l Line) string {
	s := fmt.Sprintf("%s %s  (%s, %s)", marks[l.Phase], Visible(t.g.DisplayName(i)), t.g.Node(i).Kind, l.Phase)
	for _, more := range []string{Shortened(l.Message, mostMessage), l.Detail} {
		if more != "" {
			s += "  " + Visible(more)
		}
	}
	if l.Note != "" {
		s += "  <- " + Visible(Shortened(l.Note, mostMessage))
	}
	return s
}
