package argo_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// Nodes of recorded workflows come to exist in some order. What is added to lists of children then is the difference between two
// renderings, unless nobody says so.
func TestAddedChildren(t *testing.T) {
	known, all := 0, 0
	forEachRecording(t, func(t *testing.T, r *recording) {
		w := read(t, r.frame(t, len(r.Frames)-1))
		g, recorded := recordsOf(w.Snapshot).grow(t, w.Spec)
		random := rand.New(rand.NewPCG(uint64(g.Len()), 3))
		there := make([]bool, g.Len())
		exists := func(i nodegraph.Index) bool { return there[i] }
		for {
			before := argo.Children(g, exists)
			had := make([]int, g.Len())
			for i := range nodegraph.Index(g.Len()) {
				had[i] = len(before(i))
			}
			var added []nodegraph.Index
			left := false
			for i := nodegraph.Entry; int(i) < g.Len(); i++ {
				if recorded(i) && !there[i] {
					if left = true; random.IntN(3) == 0 {
						added = append(added, i)
					}
				}
			}
			if !left {
				return
			}
			for _, i := range added {
				there[i] = true
			}
			children, ok := argo.AddedChildren(g, exists, added)
			if all++; !ok {
				continue
			}
			known++
			after := argo.Children(g, exists)
			for i := range nodegraph.Index(g.Len()) {
				require.ElementsMatch(t, after(i), append(before(i)[:had[i]:had[i]], children[i]...), "children of %s", g.Node(i).Name())
			}
		}
	})
	require.Greater(t, 2*known, all/2, "often enough it is known")
}
