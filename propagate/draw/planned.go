package draw

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// mostPlanned is how many nodes are drawn that are only promised: templates may go on without an end.
const mostPlanned = 500

// planned is the graph of an engine with what the specification promises inside nodes that have not begun. Its nodes may be in
// another order. Where there is nothing to add it is the graph of the engine.
func planned(e *propagate.Engine) *nodegraph.Graph {
	var open []string // ids
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if v := e.Verdict(i); !e.Graph().Node(i).Expanded() && v.Phase == nodegraph.PhasePlanned && !v.Fulfilled {
			open = append(open, e.Graph().Node(i).ID())
		}
	}
	if len(open) == 0 {
		return e.Graph()
	}
	clone, err := e.Clone()
	if err != nil {
		return e.Graph() // the engine was misused, and its other calls say so
	}
	g := clone.Graph()
	for k, own := 0, g.Len(); k < len(open) && g.Len() < own+mostPlanned; k++ {
		from := g.Len()
		if g.Expand(g.Find(open[k])) != nil { // too deep or too large: it is drawn without
			continue
		}
		for i := from; i < g.Len(); i++ {
			open = append(open, g.Node(nodegraph.Index(i)).ID())
		}
	}
	return g
}

// promise adds to a scene of the graph of an engine what only the planned graph has.
func (s scene) promise(g *nodegraph.Graph) scene {
	own := len(s)
	at := make(map[string]int, g.Len())
	for i := range s {
		at[s[i].id] = i
	}
	more := sceneOf(g)
	for i := range more {
		if _, ok := at[more[i].id]; !ok {
			at[more[i].id] = len(s)
			s = append(s, more[i])
		}
	}
	there := func(k int) int { return at[more[k].id] }
	for i := own; i < len(s); i++ {
		b := &s[i]
		b.parent = there(b.parent)
		for k := range b.after {
			b.after[k] = there(b.after[k])
		}
		if b.owner >= 0 {
			b.owner = there(b.owner)
		}
	}
	return s
}

// Record adds a node that a controller has on record and the specification never asks for, as an attempt after the last. It is inside
// of the node whose name its own begins with.
func (p *Picture) Record(n nodegraph.NodeStatus) {
	parent := 1
	for i := range p.scene {
		name := p.scene[i].name
		if i > 0 && len(name) > len(p.scene[parent].name) && strings.HasPrefix(n.Name, name) && strings.ContainsAny(n.Name[len(name):][:1], ".([") {
			parent = i
		}
	}
	parent = min(parent, len(p.scene)-1)
	label := strings.TrimPrefix(strings.TrimPrefix(n.Name, p.scene[parent].name), ".")
	if n.DisplayName != "" {
		label = n.DisplayName
	}
	p.scene = append(p.scene, box{id: n.ID, name: n.Name, label: label, kind: n.Kind, parent: parent, owner: noBox})
	p.looks = append(p.looks, look{
		kind: n.Kind, phase: n.Phase, message: n.Message, by: "the specification does not ask for it", started: n.Started, ended: n.Finished,
	})
}
