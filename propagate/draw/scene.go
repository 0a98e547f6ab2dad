package draw

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A box is what of a node never changes.
type box struct {
	id, name  string // Argo's; the workflow itself has its name and no id
	label     string // the name without that of what it is inside of
	kind      nodegraph.Kind
	parent    int    // -1 for the workflow
	after     []int  // the siblings it comes after directly
	owner     int    // the sibling whose hook it is, -1 for none
	condition string // under which it runs, in the specification's words
}

// A scene is the boxes of a workflow, each after the one it is inside of.
type scene []box

// sceneOf reads the scene from a graph; a box has the place that its node has there.
func sceneOf(g *nodegraph.Graph) scene {
	s := make(scene, g.Len())
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		n := g.Node(i)
		b := box{
			id: n.ID(), name: n.Name(), label: g.DisplayName(i), kind: n.Kind, parent: int(n.Parent), owner: -1, condition: condition(n.Task),
		}
		if i == nodegraph.Root {
			b.name, b.label = g.Spec().Name, g.Spec().Name
		}
		for a := range g.Dependencies(i) {
			b.after = append(b.after, int(a))
		}
		owner, _ := g.Owner(i)
		if owner == nodegraph.Root { // the workflow's hooks are drawn beside its entry node
			owner = nodegraph.Entry
		}
		if owner != nodegraph.None && g.Node(owner).Parent == n.Parent {
			b.owner = int(owner)
		}
		s[i] = b
	}
	return s
}

// condition says under which condition a task runs, if it has one beside its dependencies.
func condition(t *nodegraph.Task) string {
	var parts []string
	if t != nil && t.Depends != "" {
		parts = append(parts, "depends: "+t.Depends)
	}
	if t != nil && t.When != "" {
		parts = append(parts, "when: "+t.When)
	}
	return strings.Join(parts, "\n")
}

// members lists what is directly inside each box.
func (s scene) members() [][]int {
	in := make([][]int, len(s))
	for i := range s {
		if p := s[i].parent; p >= 0 {
			in[p] = append(in[p], i)
		}
	}
	return in
}

// before lists what box i comes after, the owner of a hook among them.
func (s scene) before(i int) []int {
	if owner := s[i].owner; owner >= 0 {
		return append(slices.Clip(s[i].after), owner)
	}
	return s[i].after
}

// ranks says in which place from the left each box is among its siblings: as far to the left as the arrows allow, or, for a box
// that as many come after as before, or more, next to the first that comes after it: long arrows are hard to follow. There is no
// cycle: of one graph the order has none, and the arrows of a film lead from what was there later, or as long, to what was there
// last with it.
func (s scene) ranks() []int {
	rank, missing := make([]int, len(s)), make([]int, len(s))
	next := make([][]int, len(s))
	var ready []int
	for i := range s {
		before := s.before(i)
		for _, b := range before {
			next[b] = append(next[b], i)
		}
		if missing[i] = len(before); missing[i] == 0 {
			ready = append(ready, i)
		}
	}
	for k := 0; k < len(ready); k++ {
		for _, n := range next[ready[k]] {
			rank[n] = max(rank[n], rank[ready[k]]+1)
			if missing[n]--; missing[n] == 0 {
				ready = append(ready, n)
			}
		}
	}
	for _, i := range slices.Backward(ready) {
		if len(next[i]) > 0 && len(next[i]) >= len(s.before(i)) {
			first := slices.MinFunc(next[i], func(a, b int) int { return cmp.Compare(rank[a], rank[b]) })
			rank[i] = rank[first] - 1
		}
	}
	return rank
}
