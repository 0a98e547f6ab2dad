package draw

import (
	"cmp"
	"math"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Sizes, in pixels.
const (
	letter      = 7  // width of a letter of a label
	smallLetter = 6  // and of a state
	leafHeight  = 40 // two lines
	tallHeight  = 54 // three
	header      = 26 // one line above what is inside
	padding     = 12
	gap         = 12 // between boxes with no arrow between them
	gutter      = 52 // between columns with arrows between them
	lead        = 10 // of an arrow, before it turns
	laneHeight  = 7
	mostLanes   = 24
	leastLeaf   = 168 // holds every kind and phase
	mostLabel   = 30  // columns
	fairHeight  = 420
	fairWidth   = 720
	aspect      = 1.6 // of many boxes put together
)

// A rect is where a box is.
type rect struct{ x, y, w, h int }

func (r rect) right() int  { return r.x + r.w }
func (r rect) middle() int { return r.y + r.h/2 }

// A layout is where everything is.
type layout struct {
	boxes  []rect
	routes []route
}

// column is one column of boxes inside another, and where it is, relative to what is around it.
type column struct {
	boxes []int
	x, w  int
}

func (c *column) right() int { return c.x + c.w }

// A placer makes a layout.
type placer struct {
	scene   scene
	members [][]int
	rank    []int
	tall    []bool
	layout  layout
	columns [][]column // by what is around them
	in      []int      // of a box: which column
}

// place lays a scene out: sizes from the inside to the outside, then places from the outside to the inside. Nodes that
// are tall have room for a third line.
func place(s scene, tall []bool) *layout {
	p := &placer{
		scene: s, members: s.members(), rank: s.ranks(), tall: tall, columns: make([][]column, len(s)), in: make([]int, len(s)),
	}
	p.layout.boxes = make([]rect, len(s))
	inside := make([]lanes, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		p.size(i, &inside[i])
	}
	for i := range s {
		if parent := s[i].parent; parent >= 0 {
			p.layout.boxes[i].x += p.layout.boxes[parent].x
			p.layout.boxes[i].y += p.layout.boxes[parent].y
		}
	}
	for i := range s {
		p.route(i, &inside[i])
	}
	return &p.layout
}

// labelOf is what a box is called.
func labelOf(b *box) string { return cutMiddle(visible(b.label), mostLabel) }

// size finds the size of box i and, relative to it, the places of what is inside.
func (p *placer) size(i int, l *lanes) {
	b := &p.layout.boxes[i]
	label := columnsOf(labelOf(&p.scene[i])) * letter
	if len(p.members[i]) == 0 {
		b.w, b.h = max(leastLeaf, label+36), leafHeight
		if p.tall[i] {
			b.h = tallHeight
		}
		return
	}
	var w, h int
	switch kind := p.scene[i].kind; {
	case (kind == nodegraph.KindTaskGroup || kind == nodegraph.KindRetry) && !p.linked(i):
		w, h = p.shelves(i)
	default:
		w, h = p.ranked(i, l)
	}
	room := 20 // beside the label, for the state and whatever else there is to say
	if p.tall[i] {
		room = 36
	}
	b.w = max(w+2*padding, label+36+room*smallLetter)
	b.h = header + h + padding
}

// area is what the boxes inside box i take, with the gaps between them.
func (p *placer) area(i int) float64 {
	area := 0.0
	for _, m := range p.members[i] {
		area += float64(p.layout.boxes[m].w+gap) * float64(p.layout.boxes[m].h+gap)
	}
	return area
}

// shelves puts what is inside box i into rows, in order: attempts and items have no arrows among them.
func (p *placer) shelves(i int) (w, h int) {
	most := max(fairWidth, int(math.Sqrt(p.area(i)*aspect)))
	x, y, high := 0, 0, 0
	for _, m := range p.members[i] {
		b := &p.layout.boxes[m]
		if x > 0 && x+b.w > most {
			x, y, high = 0, y+high+gap, 0
		}
		b.x, b.y = padding+x, header+y
		w = max(w, x+b.w)
		x, high = x+b.w+gap, max(high, b.h)
	}
	return w, y + high
}

// ranked puts what is inside box i into columns by rank, from left to right. A rank with many boxes has several columns.
func (p *placer) ranked(i int, l *lanes) (w, h int) {
	groups := p.groups(i)
	most := fairHeight
	for _, m := range p.members[i] {
		most = max(most, p.layout.boxes[m].h)
	}
	most = max(most, int(math.Sqrt(p.area(i)/aspect)))
	for _, group := range groups {
		high := 0
		for k, m := range group {
			b := &p.layout.boxes[m]
			if k == 0 || high+b.h > most {
				p.columns[i] = append(p.columns[i], column{})
				high = 0
			}
			at := len(p.columns[i]) - 1
			c := &p.columns[i][at]
			c.boxes, c.w, p.in[m] = append(c.boxes, m), max(c.w, b.w), at
			b.y = high
			high += b.h + gap
			h = max(h, high-gap)
		}
	}
	between := gap
	if p.linked(i) {
		between = gutter
		p.giveLanes(i, l)
	}
	for at := range p.columns[i] {
		c := &p.columns[i][at]
		if at > 0 {
			w += between
		}
		c.x = padding + w
		last := &p.layout.boxes[c.boxes[len(c.boxes)-1]]
		down := header + l.height() + (h-last.y-last.h)/2
		for _, m := range c.boxes {
			b := &p.layout.boxes[m]
			b.x, b.y = c.x+(c.w-b.w)/2, b.y+down
		}
		w += c.w
	}
	return w, h + l.height()
}

// groups are the boxes inside box i by rank, each near the height of those it comes after, so that fewer arrows cross.
func (p *placer) groups(i int) [][]int {
	var groups [][]int
	for _, m := range p.members[i] {
		for len(groups) <= p.rank[m] {
			groups = append(groups, nil)
		}
		groups[p.rank[m]] = append(groups[p.rank[m]], m)
	}
	height := make(map[int]float64, len(p.members[i])) // from 0, the top, to 1
	for k, group := range groups {
		if k > 0 {
			for _, m := range group {
				sum, before := 0.0, p.scene.before(m)
				for _, a := range before {
					sum += height[a]
				}
				height[m] = sum / float64(len(before))
			}
			slices.SortStableFunc(group, func(a, b int) int { return cmp.Compare(height[a], height[b]) })
		}
		for place, m := range group {
			height[m] = (float64(place) + 0.5) / float64(len(group))
		}
	}
	return groups
}
