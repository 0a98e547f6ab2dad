package draw

import (
	"fmt"
	"math"
	"strings"
)

// A route is an arrow and how it goes, all of it in the space between boxes.
type route struct {
	arrow
	hook bool
	path []point // its corners; a part that is not level is a curve
}

// String is the route in the language of SVG paths.
func (r *route) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", r.path[0].x, r.path[0].y)
	for k := 1; k < len(r.path); k++ {
		from, to := r.path[k-1], r.path[k]
		switch {
		case from == to: // a part of no length would leave the head without a direction
		case from.y == to.y:
			fmt.Fprintf(&b, "H%d", to.x)
		default:
			half := (from.x + to.x) / 2
			fmt.Fprintf(&b, "C%d %d %d %d %d %d", half, from.y, half, to.y, to.x, to.y)
		}
	}
	return b.String()
}

// routes are the arrows among the boxes of a content whose corner is at x, y.
func (c *content) routes(x, y int, boxes []rect) []route {
	columnOf := make(map[int]int, len(c.grid.items))
	for item, m := range c.grid.items {
		if m != noBox {
			columnOf[m] = c.in[item]
		}
	}
	list := make([]route, 0, len(c.grid.arrows))
	for k := range c.grid.arrows {
		a := &c.grid.arrows[k]
		from, to, at := boxes[a.from], boxes[a.to], columnOf[a.from]
		r := route{arrow: a.arrow, hook: a.hook, path: []point{{from.right(), from.middle()}, {x + c.left[at] + c.width[at], from.middle()}}}
		for _, lane := range a.lanes {
			at++
			height := y + int(math.Floor(c.middle[lane]+0.5))
			r.path = append(r.path, point{x + c.left[at], height}, point{x + c.left[at] + c.width[at], height})
		}
		r.path = append(r.path, point{x + c.left[columnOf[a.to]], to.middle()}, point{to.x, to.middle()})
		list = append(list, r)
	}
	return list
}
