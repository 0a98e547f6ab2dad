package argo

import "github.com/nodestatus/nodestatus/nodegraph"

// AddedChildren returns what [Children] adds to lists because nodes have come to exist: by parent, in the order in which they are
// added. Added are these nodes in the order of the graph, and exists reports true for them. It takes the time that what is around them
// takes, not that of the graph. It returns false where lists change otherwise as well: something that exists comes after what one of
// them is inside of.
func AddedChildren(
	g *nodegraph.Graph, exists func(nodegraph.Index) bool, added []nodegraph.Index,
) (children map[nodegraph.Index][]string, ok bool) {
	isAdded := make(map[nodegraph.Index]bool, len(added))
	for _, i := range added {
		isAdded[i] = true
	}
	children = make(map[nodegraph.Index][]string, len(added))
	r := newRenderer(g, exists)
	r.add = func(parent, child nodegraph.Index) {
		if list, id := children[parent], g.Node(child).ID(); len(list) == 0 || list[len(list)-1] != id {
			children[parent] = append(list, id)
		}
	}
	for _, hooks := range []bool{false, true} {
		for _, i := range added {
			switch {
			case (g.Node(i).Role == nodegraph.RoleHook) != hooks:
			case r.precedes(i, isAdded):
				return nil, false
			default:
				r.attach(i)
			}
		}
	}
	return children, true
}

// precedes reports whether a node, or anything that it is inside of, comes before what existed already.
func (r *renderer) precedes(i nodegraph.Index, isAdded map[nodegraph.Index]bool) bool {
	for i > nodegraph.Root {
		for d := range r.g.Dependents(i) {
			if r.exists(d) && !isAdded[d] {
				return true
			}
		}
		if owner, _ := r.g.Owner(i); owner != nodegraph.None {
			i = owner
		} else {
			i = r.g.Node(i).Parent
		}
	}
	return false
}
