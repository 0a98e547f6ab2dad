package draw

import (
	"cmp"
	"math"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

const (
	padding    = 12
	gap        = 12 // between boxes with no arrow between them
	fairHeight = 420
	fairWidth  = 720
	aspect     = 1.6 // of many boxes put together
	mostLanes  = 4   // for each box, on average
)

// A grid is the order of what is directly inside one box: rows of boxes that no arrow joins, or columns. It depends on what box
// is closed no more than on where boxes are drawn.
//
// In a column there are boxes and lanes. A lane is where an arrow passes the column on its way to a later one, so that
// arrows join only what is in neighbouring columns.
type grid struct {
	shelf   []int   // boxes, in rows from left to right
	items   []int   // the box that each item is, or noBox for a lane
	columns [][]int // items, from top to bottom
	before  [][]int // by item: the items of the column before that are joined to it, and of the one after
	after   [][]int
	arrows  []passage
}

const noBox = -1

// A passage is an arrow and the lanes that it passes, one for each column between.
type passage struct {
	arrow
	hook  bool
	lanes []int // items
}

// A griddler finds the grids of a scene.
type griddler struct {
	scene   scene
	members [][]int
	rank    []int
	area    []extent // of each box, about
	in      []int    // of a box: which column
	item    []int    // of a box: which item
}

// gridsOf finds the grid of every box, from the inside to the outside: sizes are needed where many boxes share a rank.
func gridsOf(s scene, rooms []room) []grid {
	g := &griddler{scene: s, members: s.members(), rank: s.ranks(), area: make([]extent, len(s)), in: make([]int, len(s)), item: make([]int, len(s))}
	grids := make([]grid, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		g.area[i] = rooms[i].leaf
		if len(g.members[i]) == 0 {
			continue
		}
		if kind := s[i].kind; (kind == nodegraph.KindTaskGroup || kind == nodegraph.KindRetry) && !g.linked(i) {
			grids[i].shelf = g.members[i]
		} else {
			g.fill(i, &grids[i])
		}
		w, h := contents(&grids[i], func(m int) extent { return g.area[m] }).size()
		g.area[i] = extent{max(w+2*padding, rooms[i].head.w), rooms[i].head.h + h + padding}
	}
	return grids
}

// fill puts what is inside box i into columns by rank, and orders each so that few arrows cross.
func (g *griddler) fill(i int, grid *grid) {
	for _, column := range g.columns(i) {
		var items []int
		for _, m := range column {
			g.in[m], g.item[m] = len(grid.columns), len(grid.items)
			items = append(items, len(grid.items))
			grid.items = append(grid.items, m)
		}
		grid.columns = append(grid.columns, items)
	}
	g.arrows(i, func(a arrow, hook bool) { grid.arrows = append(grid.arrows, passage{arrow: a, hook: hook}) })
	g.giveLanes(grid)
	grid.join(g.item)
	grid.sort()
}

// columns are the boxes inside box i by rank, each rank in one column, or in several where there is not the height for one.
func (g *griddler) columns(i int) [][]int {
	area, most := 0, fairHeight
	for _, m := range g.members[i] {
		area += (g.area[m].w + gap) * (g.area[m].h + gap)
		most = max(most, g.area[m].h)
	}
	most = max(most, int(math.Sqrt(float64(area)/aspect)))
	var columns [][]int
	for _, rank := range g.ranks(i) {
		high := 0
		for k, m := range rank {
			if k == 0 || high+g.area[m].h > most {
				columns, high = append(columns, nil), 0
			}
			at := len(columns) - 1
			columns[at] = append(columns[at], m)
			high += g.area[m].h + gap
		}
	}
	return columns
}

// ranks are the boxes inside box i by rank, each near the height of those it comes after.
func (g *griddler) ranks(i int) [][]int {
	var ranks [][]int
	for _, m := range g.members[i] {
		for len(ranks) <= g.rank[m] {
			ranks = append(ranks, nil)
		}
		ranks[g.rank[m]] = append(ranks[g.rank[m]], m)
	}
	height := make(map[int]float64, len(g.members[i])) // from 0, the top, to 1
	for k, rank := range ranks {
		if k > 0 {
			for _, m := range rank {
				sum, before := 0.0, g.scene.before(m)
				for _, a := range before {
					sum += height[a]
				}
				height[m] = sum / float64(len(before))
			}
			slices.SortStableFunc(rank, func(a, b int) int { return cmp.Compare(height[a], height[b]) })
		}
		for place, m := range rank {
			height[m] = (float64(place) + 0.5) / float64(len(rank))
		}
	}
	return ranks
}

// arrows calls do for every arrow inside box i.
func (g *griddler) arrows(i int, do func(a arrow, hook bool)) {
	for _, m := range g.members[i] {
		for _, from := range g.scene[m].after {
			do(arrow{from, m}, false)
		}
		if owner := g.scene[m].owner; owner >= 0 {
			do(arrow{owner, m}, true)
		}
	}
}

// linked reports whether there is an arrow inside box i.
func (g *griddler) linked(i int) bool {
	return slices.ContainsFunc(g.members[i], func(m int) bool { return len(g.scene[m].after) > 0 || g.scene[m].owner >= 0 })
}
