package main

import (
	"fmt"

	domgraph "github.com/dominikbraun/graph"
	"github.com/heimdalr/dag"
	"github.com/nodestatus/nodestatus/nodegraph"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// A drawing is a graph as every library can take it: names, and edges between them.
type drawing struct {
	names []string
	edges [][2]string
}

// draw returns the graph of a workflow with both its relations: what is inside what, and what comes after what. The root
// is the first name.
func draw(g *nodegraph.Graph) drawing {
	var d drawing
	name := func(i nodegraph.Index) string {
		if i == nodegraph.Root {
			return "workflow"
		}
		return g.Node(i).Name()
	}
	for i := range nodegraph.Index(g.Len()) {
		d.names = append(d.names, name(i))
		for m := range g.Members(i) {
			d.edges = append(d.edges, [2]string{name(i), name(m)})
		}
		for m := range g.Dependents(i) {
			d.edges = append(d.edges, [2]string{name(i), name(m)})
		}
	}
	return d
}

// both relations, for gonum's view.
const both = nodegraph.Containment | nodegraph.Precedence

// inGonum builds gonum's own graph. It knows numbers only, so the names are kept beside it.
func inGonum(d drawing) (*simple.DirectedGraph, map[string]int64) {
	g, ids := simple.NewDirectedGraph(), make(map[string]int64, len(d.names))
	for k, name := range d.names {
		ids[name] = int64(k)
		g.AddNode(simple.Node(k))
	}
	for _, e := range d.edges {
		g.SetEdge(simple.Edge{F: simple.Node(ids[e[0]]), T: simple.Node(ids[e[1]])})
	}
	return g, ids
}

// inDominikbraun builds a graph of dominikbraun/graph; with checked, every edge is tested for a cycle.
func inDominikbraun(d drawing, checked bool) (domgraph.Graph[string, string], error) {
	options := []func(*domgraph.Traits){domgraph.Directed()}
	if checked {
		options = append(options, domgraph.PreventCycles())
	}
	g := domgraph.New(domgraph.StringHash, options...)
	for _, name := range d.names {
		if err := g.AddVertex(name); err != nil {
			return nil, fmt.Errorf("vertex %s: %w", name, err)
		}
	}
	for _, e := range d.edges {
		if err := g.AddEdge(e[0], e[1]); err != nil {
			return nil, fmt.Errorf("edge %v: %w", e, err)
		}
	}
	return g, nil
}

// inHeimdalr builds a graph of heimdalr/dag, which tests every edge for a cycle.
func inHeimdalr(d drawing) (*dag.DAG, error) {
	g := dag.NewDAG()
	for _, name := range d.names {
		if err := g.AddVertexByID(name, name); err != nil {
			return nil, fmt.Errorf("vertex %s: %w", name, err)
		}
	}
	for _, e := range d.edges {
		if err := g.AddEdge(e[0], e[1]); err != nil {
			return nil, fmt.Errorf("edge %v: %w", e, err)
		}
	}
	return g, nil
}

// gonumOrder sorts a graph of gonum, its own or our view.
func gonumOrder(g graph.Directed) ([]int64, error) {
	nodes, err := topo.Sort(g)
	if err != nil {
		return nil, err
	}
	order := make([]int64, len(nodes))
	for k, n := range nodes {
		order[k] = n.ID()
	}
	return order, nil
}

// A recorder notes the vertices that heimdalr/dag walks over.
type recorder struct{ order []string }

// Visit takes the next vertex.
func (r *recorder) Visit(v dag.Vertexer) {
	id, _ := v.Vertex()
	r.order = append(r.order, id)
}

func heimdalrWalk(g *dag.DAG) []string {
	var r recorder
	g.OrderedWalk(&r)
	return r.order
}

// heimdalrFlow calls a function that does nothing for every vertex, with the results of those before it.
func heimdalrFlow(g *dag.DAG, root string) error {
	_, err := g.DescendantsFlow(root, nil, func(*dag.DAG, string, []dag.FlowResult) (any, error) { return nil, nil })
	return err
}

func dominikbraunSort(g domgraph.Graph[string, string]) error {
	_, err := domgraph.TopologicalSort(g)
	return err
}

func dominikbraunStable(g domgraph.Graph[string, string]) error {
	_, err := domgraph.StableTopologicalSort(g, func(a, b string) bool { return a < b })
	return err
}
