package draw

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Promised is the graph that a picture shows, with what is only promised, and where the picture has each node.
type Promised struct {
	*nodegraph.Graph
	Places []int
}

// Planned is the graph that a picture of an engine shows.
func Planned(e *propagate.Engine) *Promised {
	p, g := Of(e), planned(e)
	at := make(map[string]int)
	for i := range p.scene {
		at[p.scene[i].id] = i
	}
	places := make([]int, g.Len())
	for i := range places {
		places[i] = at[g.Node(nodegraph.Index(i)).ID()]
	}
	return &Promised{g, places}
}
