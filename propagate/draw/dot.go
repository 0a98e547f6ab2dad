package draw

import (
	"fmt"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/encoding"
	"gonum.org/v1/gonum/graph/encoding/dot"
	"gonum.org/v1/gonum/graph/iterator"
)

// DOT writes the picture for Graphviz. What holds others is a cluster, all else a node. An arrow between clusters leads
// from a node inside the one to a node inside the other and is cut at their borders. Each carries its name, id and kind
// in the attributes name, id and kind, an arrow the names of what it leads from and to in from and to.
func (p *Picture) DOT() ([]byte, error) {
	d := &dotted{Picture: p, members: p.scene.members()}
	d.first, d.last = d.ends()
	text, err := dot.Marshal(&dotGraph{d: d, at: 0}, "", "", "\t")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// dotted is a picture as gonum's encoder sees it.
type dotted struct {
	*Picture
	members     [][]int
	first, last []int // of a box: the node where arrows to it end, and where those from it begin
}

// ends finds them: nodes at the left and at the right of what is inside.
func (d *dotted) ends() (first, last []int) {
	rank := d.scene.ranks()
	first, last = make([]int, len(d.scene)), make([]int, len(d.scene))
	for i := len(d.scene) - 1; i >= 0; i-- {
		first[i], last[i] = i, i
		if len(d.members[i]) == 0 {
			continue
		}
		left, right := d.members[i][0], d.members[i][0]
		for _, m := range d.members[i] {
			if rank[m] < rank[left] {
				left = m
			}
			if rank[m] > rank[right] {
				right = m
			}
		}
		first[i], last[i] = first[left], last[right]
	}
	return first, last
}

// A dotGraph is what is inside one box: the nodes, and the arrows between them and the clusters beside them.
type dotGraph struct {
	d     *dotted
	at    int
	nodes map[int64]graph.Node
	ids   []int64 // of nodes
	from  map[int64][]graph.Node
	edges map[[2]int64]dotEdge
}

// load finds the nodes and arrows, once.
func (g *dotGraph) load() {
	if g.nodes != nil {
		return
	}
	g.nodes, g.from, g.edges = make(map[int64]graph.Node), make(map[int64][]graph.Node), make(map[[2]int64]dotEdge)
	add := func(n graph.Node) {
		if _, ok := g.nodes[n.ID()]; !ok {
			g.nodes[n.ID()] = n
			g.ids = append(g.ids, n.ID())
		}
	}
	d := g.d
	for _, m := range d.members[g.at] {
		if len(d.members[m]) == 0 {
			add(dotNode{dotRef(m), d})
		}
	}
	for _, m := range d.members[g.at] {
		for _, from := range d.scene.before(m) {
			e := dotEdge{arrow{from, m}, d, from == d.scene[m].owner}
			add(e.From()) // where it is deep inside a cluster it was defined there, and is only named here
			add(e.To())
			u, v := e.From().ID(), e.To().ID()
			g.from[u] = append(g.from[u], e.To())
			g.edges[[2]int64{u, v}] = e
		}
	}
}

// DOTID names the graph.
func (g *dotGraph) DOTID() string {
	if g.at == 0 {
		return strconv.Quote(visible(g.d.scene[0].name))
	}
	return cluster(g.at)
}

func cluster(i int) string { return fmt.Sprintf("cluster_%d", i) }

// Structure returns the clusters directly inside.
func (g *dotGraph) Structure() []dot.Graph {
	var list []dot.Graph
	for _, m := range g.d.members[g.at] {
		if len(g.d.members[m]) > 0 {
			list = append(list, &dotGraph{d: g.d, at: m})
		}
	}
	return list
}

// DOTAttributers returns the attributes of the graph or cluster, and the defaults for nodes and arrows.
func (g *dotGraph) DOTAttributers() (graph, node, edge encoding.Attributer) {
	if g.at > 0 {
		return g.d.attributes(g.at, "rounded,filled"), nil, nil
	}
	top := g.d.attributes(0, "")
	return append(top, attribute("labelloc", "t"), attribute("rankdir", "LR"), attribute("compound", "true"), attribute("fontname", "Helvetica")),
		attributes{attribute("shape", "box"), attribute("fontname", "Helvetica"), attribute("fontsize", "10")},
		attributes{attribute("color", "#5f6368")}
}

func (g *dotGraph) Node(id int64) graph.Node { g.load(); return g.nodes[id] }

func (g *dotGraph) Nodes() graph.Nodes {
	g.load()
	list := make([]graph.Node, len(g.ids))
	for k, id := range g.ids {
		list[k] = g.nodes[id]
	}
	return iterator.NewOrderedNodes(list)
}

func (g *dotGraph) From(id int64) graph.Nodes {
	g.load()
	return iterator.NewOrderedNodes(g.from[id])
}

func (g *dotGraph) Edge(u, v int64) graph.Edge {
	g.load()
	if e, ok := g.edges[[2]int64{u, v}]; ok {
		return e
	}
	return nil
}

func (g *dotGraph) HasEdgeFromTo(u, v int64) bool { return g.Edge(u, v) != nil }

func (g *dotGraph) HasEdgeBetween(x, y int64) bool {
	return g.HasEdgeFromTo(x, y) || g.HasEdgeFromTo(y, x)
}

// To makes the graph directed. The encoder does not ask for it.
func (g *dotGraph) To(id int64) graph.Nodes {
	g.load()
	var list []graph.Node
	for _, u := range g.ids {
		if g.HasEdgeFromTo(u, id) {
			list = append(list, g.nodes[u])
		}
	}
	return iterator.NewOrderedNodes(list)
}

// A dotRef names a node that is defined elsewhere.
type dotRef int

func (n dotRef) ID() int64 { return int64(n) }

// DOTID is short: the name is an attribute.
func (n dotRef) DOTID() string { return fmt.Sprintf("n%d", int(n)) }

// A dotNode defines a node.
type dotNode struct {
	dotRef
	d *dotted
}

func (n dotNode) Attributes() []encoding.Attribute {
	return n.d.attributes(int(n.dotRef), "rounded,filled")
}

// A dotEdge is an arrow.
type dotEdge struct {
	arrow
	d    *dotted
	hook bool
}

func (e dotEdge) From() graph.Node         { return dotRef(e.d.last[e.from]) }
func (e dotEdge) To() graph.Node           { return dotRef(e.d.first[e.to]) }
func (e dotEdge) ReversedEdge() graph.Edge { return nil }

func (e dotEdge) Attributes() []encoding.Attribute {
	list := attributes{attribute("from", e.d.scene[e.from].name), attribute("to", e.d.scene[e.to].name)}
	if e.d.last[e.from] != e.from {
		list = append(list, attribute("ltail", cluster(e.from)))
	}
	if e.d.first[e.to] != e.to {
		list = append(list, attribute("lhead", cluster(e.to)))
	}
	if e.hook {
		list = append(list, attribute("style", "dashed"))
	}
	if e.d.chain[e.arrow] {
		list = append(list, attribute("color", highlight), attribute("penwidth", "3"))
	}
	return list
}

// attributes are always quoted by us: the encoder would take a text in pointed brackets for markup.
type attributes []encoding.Attribute

func (a attributes) Attributes() []encoding.Attribute { return a }

func attribute(key, value string) encoding.Attribute {
	quoted := strconv.Quote(value)
	return encoding.Attribute{Key: key, Value: strings.ReplaceAll(quoted, "\ufffd", `\ufffd`)} // gonum can't read that one back
}

// title is what is written in a box: lines, or, of what holds others, one line.
func (p *Picture) title(i int, holds bool, newline string) string {
	l := &p.looks[i]
	if holds {
		return strings.Join(append([]string{l.mark() + " " + labelOf(&p.scene[i]), l.state()}, l.lines(mostHead)...), " · ")
	}
	return strings.Join(append([]string{l.mark() + " " + labelOf(&p.scene[i]), l.state()}, l.lines(2*mostLabel)...), newline)
}

// attributes are those of a node or cluster. A cluster inherits what the one around it says, so each says everything.
func (d *dotted) attributes(i int, style string) attributes {
	b, l := &d.scene[i], &d.looks[i]
	list := attributes{
		attribute("label", d.title(i, len(d.members[i]) > 0, "\n")),
		attribute("tooltip", details(b, l)),
		attribute("kind", l.kind.String()), attribute("phase", l.phase.String()),
	}
	if i > 0 {
		list = append(list, attribute("name", b.name), attribute("id", b.id))
	}
	if style != "" {
		line, width := colours[l.phase].line, "1"
		if l.chain {
			line, width = highlight, "3"
		}
		if colours[l.phase].class == "planned" {
			style += ",dashed"
		}
		list = append(list, attribute("style", style), attribute("fillcolor", colours[l.phase].fill), attribute("color", line),
			attribute("penwidth", width))
	}
	return list
}
