package draw

import "math"

// Sizes, in pixels.
const (
	gutter     = 44 // between columns with arrows between them, and for each arrow a little more
	mostGutter = 120
	laneHeight = 8
	settling   = 6 // how often the boxes of a grid are moved towards what they are joined to
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

// place lays a scene out: sizes from the inside to the outside, then places from the outside to the inside. A box that is closed
// is drawn without what is inside of it; shown says which boxes are drawn.
func place(s scene, rooms []room, grids []grid, closed []bool) (l *layout, shown []bool) {
	l = &layout{boxes: make([]rect, len(s))}
	inside := make([]*content, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		b := &l.boxes[i]
		b.w, b.h = rooms[i].leaf.w, rooms[i].leaf.h
		if closed[i] || grids[i].empty() {
			continue
		}
		inside[i] = contents(&grids[i], func(m int) extent { return extent{l.boxes[m].w, l.boxes[m].h} })
		w, h := inside[i].size()
		b.w, b.h = max(w+2*padding, rooms[i].head.w), rooms[i].head.h+h+padding
	}
	shown = make([]bool, len(s))
	shown[0] = true
	for i := range s {
		if !shown[i] || inside[i] == nil {
			continue
		}
		x, y := l.boxes[i].x+padding, l.boxes[i].y+rooms[i].head.h
		for m, at := range inside[i].boxes {
			l.boxes[m].x, l.boxes[m].y, shown[m] = x+at.x, y+at.y, true
		}
		l.routes = append(l.routes, inside[i].routes(x, y, l.boxes)...)
	}
	return l, shown
}

func (g *grid) empty() bool { return g.shelf == nil && g.columns == nil }

// A content is where everything inside one box is, relative to its corner.
type content struct {
	grid   *grid
	boxes  map[int]point
	middle []float64 // of items; the middle of the tallest column is at 0
	reach  float64   // half of what the tallest column takes: no other goes further up or down
	left   []int     // of columns
	width  []int
	in     []int // of items: which column
	extent
}

type point struct{ x, y int }

func (c *content) size() (w, h int) { return c.w, c.h }

// contents finds the places of what is inside a box.
func contents(g *grid, size func(box int) extent) *content {
	c := &content{grid: g, boxes: make(map[int]point)}
	if g.shelf != nil {
		c.shelve(size)
	} else {
		c.heights(size)
		c.widths(size)
		c.settle(size)
	}
	return c
}

// shelve puts boxes into rows, in order.
func (c *content) shelve(size func(box int) extent) {
	area := 0
	for _, m := range c.grid.shelf {
		area += (size(m).w + gap) * (size(m).h + gap)
	}
	most := max(fairWidth, int(math.Sqrt(float64(area)*aspect)))
	x, y, high := 0, 0, 0
	for _, m := range c.grid.shelf {
		s := size(m)
		if x > 0 && x+s.w > most {
			x, y, high = 0, y+high+gap, 0
		}
		c.boxes[m] = point{x, y}
		c.w = max(c.w, x+s.w)
		x, high = x+s.w+gap, max(high, s.h)
	}
	c.h = y + high
}

// half is half of what an item takes of the height of its column.
func (c *content) half(item int, size func(box int) extent) float64 {
	if m := c.grid.items[item]; m != noBox {
		return float64(size(m).h+gap) / 2
	}
	return laneHeight / 2
}

// heights stacks the items of each column, then moves them towards the middle of those that they are joined to.
func (c *content) heights(size func(box int) extent) {
	g := c.grid
	c.middle = make([]float64, len(g.items))
	for _, column := range g.columns {
		total := 0.0
		for _, item := range column {
			total += c.half(item, size)
		}
		c.reach = max(c.reach, total)
		y := -total
		for _, item := range column {
			half := c.half(item, size)
			c.middle[item], y = y+half, y+2*half
		}
	}
	if !g.linked() {
		return
	}
	for range settling {
		for k := 1; k < len(g.columns); k++ {
			c.align(g.columns[k], size, g.before)
		}
		for k := len(g.columns) - 2; k >= 0; k-- {
			c.align(g.columns[k], size, g.after)
		}
	}
	for k := range g.columns {
		c.align(g.columns[k], size, g.before, g.after)
	}
}

func (g *grid) linked() bool { return len(g.arrows) > 0 }

// A block is items of a column that touch each other: they want to be at sum/weight, the first of them.
type block struct {
	first       int // place of the first item
	sum, weight float64
}

// align moves the items of a column as near as their order allows to the middles of those that they are joined to, in the
// least squares. Lanes weigh more, so that long arrows are straight. Products are converted so that no processor fuses
// them with a sum: the result is the same on all.
func (c *content) align(column []int, size func(box int) extent, joined ...[][]int) {
	offset := make([]float64, len(column)) // from the first item, when all touch
	var blocks []block
	for k, item := range column {
		if k > 0 {
			offset[k] = offset[k-1] + c.half(column[k-1], size) + c.half(item, size)
		}
		want, weight := c.want(item, joined)
		b := block{k, float64(weight * (want - offset[k])), weight}
		for len(blocks) > 0 && b.sum/b.weight < blocks[len(blocks)-1].sum/blocks[len(blocks)-1].weight {
			over := blocks[len(blocks)-1]
			b = block{over.first, over.sum + b.sum, over.weight + b.weight}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	highest := c.half(column[0], size) - c.reach
	lowest := c.reach - c.half(column[len(column)-1], size) - offset[len(column)-1]
	for n, b := range blocks {
		end := len(column)
		if n+1 < len(blocks) {
			end = blocks[n+1].first
		}
		for k := b.first; k < end; k++ {
			c.middle[column[k]] = min(max(b.sum/b.weight, highest), lowest) + offset[k]
		}
	}
}

// want is where an item would be best, and how much that matters. What is joined to nothing stays near where it is.
func (c *content) want(item int, joined [][][]int) (middle, weight float64) {
	sum := 0.0
	for _, list := range joined {
		for _, other := range list[item] {
			w := 1.0
			switch lane, beside := c.grid.items[item] == noBox, c.grid.items[other] == noBox; {
			case lane && beside:
				w = 8
			case lane || beside:
				w = 2
			}
			sum, weight = sum+float64(w*c.middle[other]), weight+w
		}
	}
	if weight == 0 {
		return c.middle[item], 0.1
	}
	return sum / weight, weight
}

// widths puts the columns side by side. Between two of them there is room for the arrows.
func (c *content) widths(size func(box int) extent) {
	g := c.grid
	c.left, c.width, c.in = make([]int, len(g.columns)), make([]int, len(g.columns)), make([]int, len(g.items))
	for k, column := range g.columns {
		links := 0
		for _, item := range column {
			c.in[item] = k
			links += len(g.before[item])
			if m := g.items[item]; m != noBox {
				c.width[k] = max(c.width[k], size(m).w)
			}
		}
		if k > 0 && g.linked() {
			c.w += min(mostGutter, gutter+2*links)
		} else if k > 0 {
			c.w += gap
		}
		c.left[k] = c.w
		c.w += c.width[k]
	}
}

// settle turns middles into corners, the uppermost at 0.
func (c *content) settle(size func(box int) extent) {
	top, bottom := math.Inf(1), math.Inf(-1)
	for item := range c.grid.items {
		half := c.half(item, size)
		top, bottom = min(top, c.middle[item]-half), max(bottom, c.middle[item]+half)
	}
	for item, m := range c.grid.items {
		c.middle[item] -= top + gap/2
		if m != noBox {
			k := c.in[item]
			c.boxes[m] = point{c.left[k] + (c.width[k]-size(m).w)/2, int(math.Floor(c.middle[item] - float64(size(m).h)/2 + 0.5))}
		}
	}
	c.h = 2 * int(math.Ceil((bottom-top-gap)/2))
}
