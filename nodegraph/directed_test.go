package nodegraph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/encoding/dot"
	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/testgraph"
	"gonum.org/v1/gonum/graph/topo"

	"github.com/nodestatus/nodestatus/nodegraph"
)

const both = nodegraph.Containment | nodegraph.Precedence

// drawDAG draws as many tasks as there are nodes in one of gonum's test graphs, and its edges as far as they have no
// cycle: from an earlier node to a later one.
func drawDAG(nodes []graph.Node, edges []testgraph.WeightedLine) string {
	slots := make(map[int64]int)
	var parts []string
	for k, n := range nodes {
		slots[n.ID()] = k
		parts = append(parts, fmt.Sprintf("t%d", k))
	}
	for _, e := range edges {
		from, to := slots[e.From().ID()], slots[e.To().ID()]
		if from != to {
			parts = append(parts, fmt.Sprintf("t%d -> t%d", min(from, to), max(from, to)))
		}
	}
	return "dag(" + strings.Join(parts, ", ") + ")"
}

// directedBuilder builds the view for gonum's own tests of graphs.
func directedBuilder(t *testing.T, relation nodegraph.Relation) testgraph.Builder {
	return func(nodes []graph.Node, edges []testgraph.WeightedLine, self, absent float64) (graph.Graph, []graph.Node, []testgraph.Edge, float64, float64, bool) {
		g := mustGraph(t, drawDAG(nodes, edges))
		require.NoError(t, g.Expand(nodegraph.Entry))
		d := g.Directed(relation)
		var all []graph.Node
		var lines []testgraph.Edge
		for i := nodegraph.Root; int(i) < g.Len(); i++ {
			all = append(all, nodegraph.DirectedNode{Graph: g, Index: i})
			var from []nodegraph.Index
			if relation&nodegraph.Containment != 0 && i != nodegraph.Root {
				from = append(from, g.Node(i).Parent)
			}
			if relation&nodegraph.Precedence != 0 {
				from = slices.AppendSeq(from, g.Dependencies(i))
			}
			for _, u := range from {
				lines = append(lines, d.Edge(int64(u), int64(i)))
			}
		}
		return d, all, lines, self, absent, true
	}
}

func TestDirectedIsAGonumGraph(t *testing.T) {
	for _, relation := range []nodegraph.Relation{nodegraph.Containment, nodegraph.Precedence, both} {
		b := directedBuilder(t, relation)
		testgraph.ReturnAllNodes(t, b, true)
		testgraph.ReturnNodeSlice(t, b, true)
		testgraph.NodeExistence(t, b)
		testgraph.EdgeExistence(t, b, true)
		testgraph.ReturnAdjacentNodes(t, b, true, true)
	}
}

func TestDirectedOfNothing(t *testing.T) {
	d := mustGraph(t, "dag(a -> b)").Directed(0)
	assert.Equal(t, graph.Empty, d.From(0))
	assert.False(t, d.HasEdgeBetween(0, 1))
	assert.Nil(t, d.Edge(0, 1))
	for _, id := range []int64{-1, 2, 1 << 40} {
		assert.Nil(t, d.Node(id))
		assert.Equal(t, graph.Empty, d.To(id))
		assert.False(t, d.HasEdgeFromTo(0, id))
	}
}

func TestDirectedIterator(t *testing.T) {
	g := mustGraph(t, "dag(a)")
	nodes := g.Directed(both).Nodes()
	assert.Nil(t, nodes.Node(), "before the first")
	assert.Equal(t, 2, nodes.Len())
	require.True(t, nodes.Next())
	assert.Equal(t, int64(0), nodes.Node().ID())
	assert.Equal(t, 1, nodes.Len())
	require.True(t, nodes.Next())
	require.False(t, nodes.Next())
	require.False(t, nodes.Next())
	assert.Nil(t, nodes.Node(), "after the last")
	assert.Equal(t, 0, nodes.Len())
	nodes.Reset()
	assert.Equal(t, 2, nodes.Len())

	require.NoError(t, g.Expand(nodegraph.Entry))
	e := g.Directed(nodegraph.Containment).Edge(1, 2)
	assert.Equal(t, []int64{1, 2}, []int64{e.From().ID(), e.To().ID()})
	assert.Equal(t, []int64{2, 1}, []int64{e.ReversedEdge().From().ID(), e.ReversedEdge().To().ID()})
}

// A view shows what was added to the graph after it was made.
func TestDirectedIsLive(t *testing.T) {
	g := mustGraph(t, "dag(a -> b)")
	d := g.Directed(both)
	assert.Equal(t, 2, d.Nodes().Len())
	require.NoError(t, g.Expand(nodegraph.Entry))
	assert.Equal(t, 4, d.Nodes().Len())
	assert.True(t, d.HasEdgeFromTo(int64(g.Find("wf.a")), int64(g.Find("wf.b"))))
	assert.True(t, d.HasEdgeBetween(int64(g.Find("wf.b")), int64(g.Find("wf.a"))))
}

// No relation has a cycle, alone or with the other, and containment is a tree.
func TestGonumAlgorithmsOnRandomGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 100 {
		g := mustGraph(t, randomText(r, 3))
		expandAll(t, g)
		for _, relation := range []nodegraph.Relation{nodegraph.Containment, nodegraph.Precedence, both} {
			d := g.Directed(relation)
			sorted, err := topo.Sort(d)
			require.NoError(t, err)
			require.Len(t, sorted, g.Len())
			require.Len(t, topo.TarjanSCC(d), g.Len())
		}
		tree := path.DijkstraFrom(nodegraph.DirectedNode{Graph: g, Index: nodegraph.Root}, g.Directed(nodegraph.Containment))
		for i := nodegraph.Root; int(i) < g.Len(); i++ {
			require.EqualValues(t, g.Node(i).Depth(), tree.WeightTo(int64(i)))
		}
	}
}

// randomText draws a template for Parse.
func randomText(r *rand.Rand, depth int) string {
	if depth == 0 {
		return "pod"
	}
	task := func(k int) string { return fmt.Sprintf("t%d: %s", k, randomText(r, depth-1)) }
	switch r.IntN(6) {
	case 0:
		return "pod(a -> {b, c} -> main)"
	case 1:
		return "retry(" + randomText(r, 0) + ")"
	case 2:
		return "steps(" + task(0) + ", " + task(1) + " | " + task(2) + ")"
	}
	parts := []string{task(0)}
	for k := 1; k <= 1+r.IntN(4); k++ {
		parts = append(parts, task(k), fmt.Sprintf("t%d -> t%d", r.IntN(k), k), fmt.Sprintf("t%d -> t%d", r.IntN(k), k))
	}
	return "dag(" + strings.Join(parts, ", ") + ")"
}

func TestDOT(t *testing.T) {
	g := mustGraph(t, "dag(a -> b)")
	require.NoError(t, g.Expand(nodegraph.Entry))
	text, err := dot.Marshal(g.Directed(both), "wf", "", "\t")
	require.NoError(t, err)
	assert.Equal(t, strings.Join([]string{
		`strict digraph wf {`,
		`	// Node definitions.`,
		`	"workflow" [`,
		`		kind="Workflow"`,
		`		id=""`,
		`	];`,
		`	"wf" [`,
		`		kind="DAG"`,
		`		id="wf"`,
		`	];`,
		`	"wf.a" [`,
		`		kind="Pod"`,
		`		id="` + nodegraph.NodeID("wf", "wf.a") + `"`,
		`	];`,
		`	"wf.b" [`,
		`		kind="Pod"`,
		`		id="` + nodegraph.NodeID("wf", "wf.b") + `"`,
		`	];`,
		``,
		`	// Edge definitions.`,
		`	"workflow" -> "wf";`,
		`	"wf" -> "wf.a";`,
		`	"wf" -> "wf.b";`,
		`	"wf.a" -> "wf.b";`,
		`}`,
	}, "\n"), string(text))
}
