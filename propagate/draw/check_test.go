package draw_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/encoding"
	"gonum.org/v1/gonum/graph/encoding/dot"
	dotformat "gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"
	"gonum.org/v1/gonum/graph/simple"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
)

// A drawing is an SVG as it was read back.
type drawing struct {
	width, height int
	nodes         []node // the workflow first
	arrows        []line
}

type node struct {
	id, parent, name, class, title string
	texts                          string
	x, y, w, h                     int
}

type line struct {
	class  string
	points [][2]int // with the control points of curves, which bound them
}

func (n *node) has(class string) bool { return slices.Contains(strings.Fields(n.class), class) }
func (l *line) has(class string) bool { return slices.Contains(strings.Fields(l.class), class) }

func (d *drawing) byName(t *testing.T, name string) *node {
	for k := range d.nodes {
		if d.nodes[k].name == name {
			return &d.nodes[k]
		}
	}
	require.Fail(t, "not drawn: "+name)
	return nil
}

func readSVG(t *testing.T, text []byte) *drawing {
	t.Helper()
	d, decoder := &drawing{}, xml.NewDecoder(bytes.NewReader(text))
	inside := []string{}
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err, "the SVG is not well-formed")
		switch e := token.(type) {
		case xml.StartElement:
			inside = append(inside, e.Name.Local)
			a := make(map[string]string)
			for _, attr := range e.Attr {
				a[attr.Name.Local] = attr.Value
			}
			number := func(name string) int {
				n, err := strconv.Atoi(a[name])
				require.NoError(t, err, "%s of %s", name, e.Name.Local)
				return n
			}
			switch e.Name.Local {
			case "svg":
				d.width, d.height = number("width"), number("height")
			case "script", "image", "use", "foreignObject", "a":
				t.Errorf("the SVG has an element %s", e.Name.Local)
			case "g":
				d.nodes = append(d.nodes, node{id: a["id"], parent: a["data-parent"], name: a["data-name"], class: a["class"]})
			case "rect":
				if len(d.nodes) > 0 {
					n := &d.nodes[len(d.nodes)-1]
					n.x, n.y, n.w, n.h = number("x"), number("y"), number("width"), number("height")
				}
			case "path":
				if strings.HasPrefix(a["class"], "arrow") {
					d.arrows = append(d.arrows, line{a["class"], corners(t, a["d"])})
				}
			}
		case xml.EndElement:
			inside = inside[:len(inside)-1]
		case xml.CharData:
			if len(d.nodes) == 0 || len(inside) == 0 {
				continue
			}
			switch n := &d.nodes[len(d.nodes)-1]; inside[len(inside)-1] {
			case "title":
				n.title += string(e)
			case "text":
				n.texts += string(e) + "\n"
			}
		}
	}
	return d
}

var pathPart = regexp.MustCompile(`([MHVC])([-0-9 ]+)`)

// corners are the points of a path.
func corners(t *testing.T, path string) [][2]int {
	var points [][2]int
	for _, m := range pathPart.FindAllStringSubmatch(path, -1) {
		var v []int
		for _, text := range strings.Fields(m[2]) {
			n, err := strconv.Atoi(text)
			require.NoError(t, err, path)
			v = append(v, n)
		}
		switch m[1] {
		case "H":
			points = append(points, [2]int{v[0], points[len(points)-1][1]})
		case "V":
			points = append(points, [2]int{points[len(points)-1][0], v[0]})
		default:
			for k := 0; k < len(v); k += 2 {
				points = append(points, [2]int{v[k], v[k+1]})
			}
		}
	}
	return points
}

// checkSVG checks a drawing: each node is there once and inside its parent, no two siblings overlap, what comes later is
// further right, and arrows lead from one box to another, through none.
func checkSVG(t *testing.T, g *draw.Promised, text []byte) {
	t.Helper()
	d := readSVG(t, text)
	require.Len(t, d.nodes, g.Len())
	drawn := d.nodes
	d.nodes = make([]node, g.Len()) // in the order of the graph
	for i, place := range g.Places {
		d.nodes[i] = drawn[place]
	}
	names := make(map[string]int)
	byID := make(map[string]*node)
	for k := range d.nodes {
		n := &d.nodes[k]
		byID[n.id] = n
		if k > 0 {
			names[n.name]++
		}
		assert.True(t, n.x >= 0 && n.y >= 0 && n.x+n.w <= d.width && n.y+n.h <= d.height, "%s is outside of the picture", n.name)
	}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		name := strings.ReplaceAll(strings.ToValidUTF8(g.Node(i).Name(), "\ufffd"), "\x00", "\ufffd")
		assert.Equal(t, 1, names[name], "how often %q is drawn", name)
		n, parent := &d.nodes[i], &d.nodes[g.Node(i).Parent]
		require.Equal(t, parent, byID[n.parent], "what %q is inside of", n.name)
		if !(n.x > parent.x && n.y > parent.y && n.x+n.w < parent.x+parent.w && n.y+n.h < parent.y+parent.h) {
			t.Errorf("%q is not inside %q", n.name, parent.name)
		}
		for a := range g.Dependencies(i) {
			if before := &d.nodes[a]; before.x+before.w >= n.x {
				t.Errorf("%q comes after %q and is not to its right", n.name, before.name)
			}
		}
	}
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		checkApart(t, d, g, i)
	}
	checkArrows(t, d, g)
}

// checkApart checks that what is directly inside node i does not overlap: a sweep from left to right.
func checkApart(t *testing.T, d *drawing, g *draw.Promised, i nodegraph.Index) {
	t.Helper()
	var inside []*node
	for m := range g.Members(i) {
		inside = append(inside, &d.nodes[m])
	}
	slices.SortFunc(inside, func(a, b *node) int { return a.x - b.x })
	for k, a := range inside {
		for _, b := range inside[k+1:] {
			if b.x > a.x+a.w {
				break
			}
			if b.y <= a.y+a.h && a.y <= b.y+b.h {
				t.Errorf("%q and %q overlap", a.name, b.name)
			}
		}
	}
}

// checkArrows checks that there is an arrow for each that the graph has, and where they go.
func checkArrows(t *testing.T, d *drawing, g *draw.Promised) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		for a := range g.Dependencies(i) {
			want[fmt.Sprint(a, i)]++
		}
		if owner, _ := g.Owner(i); owner == nodegraph.Root {
			want[fmt.Sprint(nodegraph.Entry, i)]++
		} else if owner != nodegraph.None && g.Node(owner).Parent == g.Node(i).Parent {
			want[fmt.Sprint(owner, i)]++
		}
	}
	leaving, reaching := map[[2]int][]int{}, map[[2]int][]int{}
	for k := 1; k < len(d.nodes); k++ {
		n := &d.nodes[k]
		leaving[[2]int{n.x + n.w, n.y + n.h/2}] = append(leaving[[2]int{n.x + n.w, n.y + n.h/2}], k)
		reaching[[2]int{n.x, n.y + n.h/2}] = append(reaching[[2]int{n.x, n.y + n.h/2}], k)
	}
	pairs := make(map[int][]*line) // by what the arrow is inside of
	for k := range d.arrows {
		a := &d.arrows[k]
		from, to := leaving[a.points[0]], reaching[a.points[len(a.points)-1]]
		require.Len(t, from, 1, "boxes that the arrow %v begins at", a.points)
		require.Len(t, to, 1, "boxes that the arrow %v ends at", a.points)
		got[fmt.Sprint(nodegraph.Index(from[0]), nodegraph.Index(to[0]))]++
		around := int(g.Node(nodegraph.Index(from[0])).Parent)
		pairs[around] = append(pairs[around], a)
	}
	require.Empty(t, cmp.Diff(want, got), "arrows (-graph +drawn)")
	checked := 0
	for around, arrows := range pairs {
		for m := range g.Members(nodegraph.Index(around)) {
			for _, a := range arrows {
				if checked++; checked > 2_000_000 { // enough of the largest
					return
				}
				if through(a, &d.nodes[m]) {
					t.Errorf("the arrow %v goes through %q", a.points, d.nodes[m].name)
				}
			}
		}
	}
}

// through reports whether an arrow goes through the inside of a box. A curve is taken for the rectangle around it, unless it
// is not wider than a gutter, where there are no boxes.
func through(a *line, n *node) bool {
	for k := 1; k < len(a.points); k++ {
		p, q := a.points[k-1], a.points[k]
		if max(p[0], q[0]) > n.x && min(p[0], q[0]) < n.x+n.w && max(p[1], q[1]) > n.y && min(p[1], q[1]) < n.y+n.h {
			return true
		}
	}
	return false
}

// shownIn is the class of every node that an engine has, as a film should show it, by name.
func shownIn(e *propagate.Engine) map[string]string {
	shown := make(map[string]string)
	g := draw.Planned(e)
	for k := nodegraph.Entry; int(k) < g.Len(); k++ {
		phase, i := "planned", e.Graph().Find(g.Node(k).ID())
		if i != nodegraph.None && e.Exists(i) && e.Verdict(i).Phase != nodegraph.PhasePlanned {
			phase = strings.ToLower(e.Verdict(i).Phase.String())
		}
		shown[g.Node(k).Name()] = phase
	}
	return shown
}

// shown is what a page holds for its scripts.
type shown struct {
	Frames int
	Now    []int64
	Texts  []string
	States []struct{ Class, Details int }
	Boxes  []shownBox
	Chains [][][2]int
}

type shownBox struct {
	ID, Name      string
	Parent        int
	Closed        bool
	Items, States []int
	Columns       [][]int
	Bars          []struct {
		From, To    int64
		Class, What string
	}
}

var dataLine = regexp.MustCompile(`<script type="application/json" id="data">(.*)</script>`)

// readPage reads what a page holds for its scripts.
func readPage(t *testing.T, page []byte) *shown {
	t.Helper()
	m := dataLine.FindSubmatch(page)
	require.NotNil(t, m, "the page has no data")
	var s shown
	require.NoError(t, json.Unmarshal(m[1], &s))
	return &s
}

// class is that of a box in a frame.
func (s *shown) class(b *shownBox, frame int) string {
	state := 0
	for k := 0; k < len(b.States) && b.States[k] <= frame; k += 2 {
		state = b.States[k+1]
	}
	return s.Texts[s.States[state].Class]
}

// byName is the box of a name, not the workflow.
func (s *shown) byName(t *testing.T, name string) *shownBox {
	t.Helper()
	for k := range s.Boxes[1:] {
		if s.Boxes[k+1].Name == name {
			return &s.Boxes[k+1]
		}
	}
	require.Fail(t, "not on the page: "+name)
	return nil
}

// columnOf is the column in which a box stands among its siblings.
func (s *shown) columnOf(t *testing.T, name string) int {
	t.Helper()
	b := s.byName(t, name)
	around := &s.Boxes[b.Parent]
	for c, column := range around.Columns {
		for _, item := range column {
			if k := around.Items[item]; k >= 0 && &s.Boxes[k] == b {
				return c
			}
		}
	}
	require.Fail(t, name+" is in no column")
	return -1
}

// checkFilm checks that the page shows each node of each frame in its phase, and as absent before it is promised.
func checkFilm(t *testing.T, page []byte, frames []map[string]string) {
	t.Helper()
	film := readPage(t, page)
	require.Equal(t, len(frames), film.Frames)
	require.Len(t, film.Now, film.Frames)
	require.Len(t, film.Chains, film.Frames)
	names := make(map[string]bool)
	for k := range film.Boxes[1:] {
		names[film.Boxes[k+1].Name] = true
	}
	for frame, now := range frames {
		assert.Contains(t, string(page), fmt.Sprintf(`<section class="frame" id="frame%d">`, frame+1))
		for name := range now {
			if clean := strings.ToValidUTF8(name, "\ufffd"); !names[clean] {
				t.Errorf("frame %d: %q is not on the page", frame+1, clean)
			}
		}
		for k := range film.Boxes[1:] {
			b := &film.Boxes[k+1]
			want, ok := now[b.Name]
			if !ok {
				want = "absent"
			}
			if class := film.class(b, frame); !slices.Contains(strings.Fields(class), want) {
				t.Errorf("frame %d: %s shows as %q, want %s", frame+1, b.Name, class, want)
			}
		}
	}
}

// A parsed is a DOT text as it was read back.
type parsed struct {
	nodes    []string // names
	clusters []string
	edges    []string // names, with a space between
	chain    []string // highlighted edges
}

// dotGraph receives what dot.Unmarshal finds.
type dotGraph struct{ *simple.DirectedGraph }

func (g dotGraph) NewNode() graph.Node {
	return &dotNode{Node: g.DirectedGraph.NewNode(), values: map[string]string{}}
}

func (g dotGraph) NewEdge(from, to graph.Node) graph.Edge {
	return &dotEdge{Edge: simple.Edge{F: from, T: to}, values: map[string]string{}}
}

type dotNode struct {
	graph.Node
	id     string
	values map[string]string
}

func (n *dotNode) SetDOTID(id string) { n.id = id }

func (n *dotNode) SetAttribute(a encoding.Attribute) error {
	n.values[a.Key] = unquoted(a.Value)
	return nil
}

type dotEdge struct {
	simple.Edge
	values map[string]string
}

func (e *dotEdge) SetAttribute(a encoding.Attribute) error {
	e.values[a.Key] = unquoted(a.Value)
	return nil
}

// unquoted takes off the quotes that gonum leaves around texts in pointed brackets.
func unquoted(s string) string {
	if text, err := strconv.Unquote(s); err == nil && strings.HasPrefix(text, "<") {
		return text
	}
	return s
}

// readDOT reads the DOT text of a picture with gonum.
func readDOT(t *testing.T, p *draw.Picture) *parsed {
	t.Helper()
	text, err := p.DOT()
	require.NoError(t, err)
	into := dotGraph{simple.NewDirectedGraph()}
	require.NoError(t, dot.Unmarshal(text, into))
	out := &parsed{}
	for _, n := range graph.NodesOf(into.Nodes()) {
		out.nodes = append(out.nodes, n.(*dotNode).values["name"])
	}
	for _, e := range graph.EdgesOf(into.Edges()) {
		values := e.(*dotEdge).values
		pair := values["from"] + " " + values["to"]
		out.edges = append(out.edges, pair)
		if values["penwidth"] == "3" {
			out.chain = append(out.chain, pair)
		}
	}
	file, err := dotformat.ParseBytes(text)
	require.NoError(t, err)
	out.clusters = clusters(t, file.Graphs[0].Stmts)
	slices.Sort(out.nodes)
	slices.Sort(out.edges)
	slices.Sort(out.clusters)
	slices.Sort(out.chain)
	return out
}

// clusters lists the names of the subgraphs, at any depth.
func clusters(t *testing.T, list []ast.Stmt) []string {
	var names []string
	for _, s := range list {
		switch s := s.(type) {
		case *ast.Subgraph:
			names = append(names, clusters(t, s.Stmts)...)
		case *ast.AttrStmt:
			for _, a := range s.Attrs {
				if a.Key == "name" {
					name, err := strconv.Unquote(a.Val)
					require.NoError(t, err)
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// checkDOT checks that what gonum reads back is the graph: leaves, what holds others, and order.
func checkDOT(t *testing.T, g *draw.Promised, p *draw.Picture) {
	t.Helper()
	var want parsed
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		name := g.Node(i).Name()
		if g.First(i) == nodegraph.None {
			want.nodes = append(want.nodes, name)
		} else {
			want.clusters = append(want.clusters, name)
		}
		for a := range g.Dependencies(i) {
			want.edges = append(want.edges, g.Node(a).Name()+" "+name)
		}
		if owner, _ := g.Owner(i); owner == nodegraph.Root {
			want.edges = append(want.edges, g.Node(nodegraph.Entry).Name()+" "+name)
		} else if owner != nodegraph.None && g.Node(owner).Parent == g.Node(i).Parent {
			want.edges = append(want.edges, g.Node(owner).Name()+" "+name)
		}
	}
	slices.Sort(want.nodes)
	slices.Sort(want.clusters)
	slices.Sort(want.edges)
	got := readDOT(t, p)
	got.chain = nil
	if diff := cmp.Diff(&want, got, cmp.AllowUnexported(parsed{})); diff != "" {
		t.Errorf("DOT (-graph +read back):\n%s", diff)
	}
}

var mermaidLine = regexp.MustCompile(`^( *)(?:` +
	`(subgraph )?n(\d+)\["((?:[\p{L}\p{Nd} .·,():-]|#\d+;|<br/>)*)"\]|(end)|n\d+ (?:-->|-\.->) n\d+|` +
	`classDef [a-z]+ [a-z0-9:#,-]+|class [n0-9,]+ [a-z]+|linkStyle [0-9,]+ [a-z0-9:#,-]+)$`)

// checkMermaid checks that every line is of a form that can mean only one thing, and that each node is there once, inside
// what it is inside of.
func checkMermaid(t *testing.T, g *draw.Promised, text []byte) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	require.Equal(t, "flowchart LR", lines[0])
	assert.LessOrEqual(t, len(text), 50_000, "what Mermaid takes")
	assert.LessOrEqual(t, strings.Count(string(text), "->"), 500, "arrows that Mermaid takes")
	parent := make(map[int]int)
	var open []int
	for _, line := range lines[1:] {
		m := mermaidLine.FindStringSubmatch(line)
		require.NotNil(t, m, "%q", line)
		switch {
		case m[5] != "":
			open = open[:len(open)-1]
		case m[3] != "":
			n, err := strconv.Atoi(m[3])
			require.NoError(t, err)
			require.NotContains(t, parent, n, "twice: %q", line)
			parent[n] = -1
			if len(open) > 0 {
				parent[n] = open[len(open)-1]
			}
			if m[2] != "" {
				open = append(open, n)
			}
		}
	}
	assert.Empty(t, open, "subgraphs without an end")
	if len(parent) < g.Len() && g.Len() > 100 {
		return // it was folded
	}
	require.Len(t, parent, g.Len())
	for i, place := range g.Places {
		want := -1
		if p := g.Node(nodegraph.Index(i)).Parent; p != nodegraph.None {
			want = g.Places[p]
		}
		if parent[place] != want {
			t.Errorf("%s is inside n%d, want n%d", g.Node(nodegraph.Index(i)).Name(), parent[place], want)
		}
	}
}
