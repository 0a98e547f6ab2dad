package nodegraph

import (
	"strconv"
	"strings"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/encoding"
)

// Relation is a set of the relations between nodes of a Graph.
type Relation uint8

// The relations.
const (
	Containment Relation = 1 << iota // from a node to each of its members
	Precedence                       // from a node to each that comes after it directly
)

// String lists the relations, joined by |.
func (r Relation) String() string {
	var names []string
	for k, name := range []string{"containment", "precedence"} {
		if r&(1<<k) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// MarshalText is the list of the relations.
func (r Relation) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Directed returns a view of the graph in which the relations are edges, so that the algorithms and encoders of gonum
// run on it. The ID of a node is its [Index]; nodes are [DirectedNode] values. The view is live: nodes that are added to
// the graph later are in it. It costs nothing to make; its methods allocate the iterators and edges they return.
//
// With either relation alone or both, the view has no cycle. Containment alone is a tree.
func (g *Graph) Directed(relation Relation) graph.Directed { return directed{g: g, relation: relation} }

// A DirectedNode is a node of a Graph in the terms of gonum's packages graph and graph/encoding/dot.
type DirectedNode struct {
	Graph *Graph // the graph in which Index names a node
	Index Index  // also the ID of the node
}

// ID is the node's Index.
func (n DirectedNode) ID() int64 { return int64(n.Index) }

// DOTID is the node's name, in quotes; "workflow" for the workflow itself, whose name its entry node has.
func (n DirectedNode) DOTID() string {
	if n.Index == Root {
		return `"workflow"`
	}
	return strconv.Quote(n.Graph.Node(n.Index).Name())
}

// Attributes are the node's kind and id, for DOT.
func (n DirectedNode) Attributes() []encoding.Attribute {
	node := n.Graph.Node(n.Index)
	return []encoding.Attribute{
		{Key: "kind", Value: strconv.Quote(node.Kind.String())},
		{Key: "id", Value: strconv.Quote(node.ID())},
	}
}

// directed implements graph.Directed.
type directed struct {
	g        *Graph
	relation Relation
}

func (d directed) node(i Index) graph.Node { return DirectedNode{Graph: d.g, Index: i} }

func (d directed) has(id int64) bool { return id >= 0 && id < int64(d.g.Len()) }

// Node returns the node with this id, nil if there is none.
func (d directed) Node(id int64) graph.Node {
	if !d.has(id) {
		return nil
	}
	return d.node(Index(id))
}

// Nodes returns all nodes.
func (d directed) Nodes() graph.Nodes {
	all := make([]Index, d.g.Len())
	for i := range all {
		all[i] = Index(i)
	}
	return d.nodes(all)
}

func (d directed) nodes(list []Index) graph.Nodes {
	if len(list) == 0 {
		return graph.Empty
	}
	return &directedNodes{d: d, list: list, at: -1}
}

// From returns the ends of the edges that begin at a node.
func (d directed) From(id int64) graph.Nodes {
	var list []Index
	if d.has(id) && d.relation&Containment != 0 {
		for m := range d.g.Members(Index(id)) {
			list = append(list, m)
		}
	}
	if d.has(id) && d.relation&Precedence != 0 {
		for m := range d.g.Dependents(Index(id)) {
			list = append(list, m)
		}
	}
	return d.nodes(list)
}

// To returns the beginnings of the edges that end at a node.
func (d directed) To(id int64) graph.Nodes {
	var list []Index
	if d.has(id) && d.relation&Containment != 0 {
		if p := d.g.Node(Index(id)).Parent; p != None {
			list = append(list, p)
		}
	}
	if d.has(id) && d.relation&Precedence != 0 {
		for m := range d.g.Dependencies(Index(id)) {
			list = append(list, m)
		}
	}
	return d.nodes(list)
}

// HasEdgeFromTo reports whether there is an edge from u to v.
func (d directed) HasEdgeFromTo(u, v int64) bool {
	if !d.has(u) || !d.has(v) {
		return false
	}
	if d.relation&Containment != 0 && d.g.Node(Index(v)).Parent == Index(u) {
		return true
	}
	if d.relation&Precedence != 0 {
		for m := range d.g.Dependencies(Index(v)) {
			if m == Index(u) {
				return true
			}
		}
	}
	return false
}

// HasEdgeBetween reports whether there is an edge between x and y in either direction.
func (d directed) HasEdgeBetween(x, y int64) bool {
	return d.HasEdgeFromTo(x, y) || d.HasEdgeFromTo(y, x)
}

// Edge returns the edge from u to v, nil if there is none.
func (d directed) Edge(u, v int64) graph.Edge {
	if !d.HasEdgeFromTo(u, v) {
		return nil
	}
	return directedEdge{from: DirectedNode{d.g, Index(u)}, to: DirectedNode{d.g, Index(v)}}
}

// directedEdge implements graph.Edge.
type directedEdge struct{ from, to DirectedNode }

func (e directedEdge) From() graph.Node { return e.from }

func (e directedEdge) To() graph.Node { return e.to }

func (e directedEdge) ReversedEdge() graph.Edge { return directedEdge{from: e.to, to: e.from} }

// directedNodes implements graph.Nodes and graph.NodeSlicer.
type directedNodes struct {
	d    directed
	list []Index
	at   int // the current node, -1 before the first
}

func (n *directedNodes) Next() bool {
	n.at = min(n.at+1, len(n.list))
	return n.at < len(n.list)
}

// Len is how many nodes are still to come.
func (n *directedNodes) Len() int { return max(0, len(n.list)-n.at-1) }

func (n *directedNodes) Reset() { n.at = -1 }

func (n *directedNodes) Node() graph.Node {
	if n.at < 0 || n.at >= len(n.list) {
		return nil
	}
	return n.d.node(n.list[n.at])
}

// NodeSlice returns the nodes still to come and moves behind the last.
func (n *directedNodes) NodeSlice() []graph.Node {
	var slice []graph.Node
	for n.Next() {
		slice = append(slice, n.Node())
	}
	return slice
}
