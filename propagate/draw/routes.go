package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A route is an arrow and how it goes, all of it in the space between boxes.
type route struct {
	arrow
	hook bool
	path []point // its corners; a part that is neither level nor upright is a curve
}

type point struct{ x, y int }

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
		case from.x == to.x:
			fmt.Fprintf(&b, "V%d", to.y)
		default:
			half := (from.x + to.x) / 2
			fmt.Fprintf(&b, "C%d %d %d %d %d %d", half, from.y, half, to.y, to.x, to.y)
		}
	}
	return b.String()
}

// An arrow to the next column only crosses the gutter between the two. Any other goes up in the gutter behind its start,
// along a lane above all boxes, and down in the gutter before its end. Arrows that share their start, or their end, share
// a lane: they are a bus.
type bus struct {
	box   int  // at the end that they share
	start bool // it is the start
}

// lanes are the lanes inside one box.
type lanes struct {
	starts, ends map[int]int // how many arrows need a lane, by the box they start or end at
	lane         map[bus]int
	count        int
}

func (l *lanes) height() int {
	if l.count == 0 {
		return 0
	}
	return l.count*laneHeight + gap/2
}

// busOf is the bus of an arrow: the larger of the two that it could be part of.
func (l *lanes) busOf(a arrow) bus {
	if l.ends[a.to] > l.starts[a.from] {
		return bus{a.to, false}
	}
	return bus{a.from, true}
}

// arrows calls do for every arrow inside box i.
func (p *placer) arrows(i int, do func(a arrow, hook bool)) {
	for _, m := range p.members[i] {
		for _, from := range p.scene[m].after {
			do(arrow{from, m}, false)
		}
		if owner := p.scene[m].owner; owner >= 0 {
			do(arrow{owner, m}, true)
		}
	}
}

// linked reports whether there is an arrow inside box i.
func (p *placer) linked(i int) bool {
	return slices.ContainsFunc(p.members[i], func(m int) bool { return len(p.scene[m].after) > 0 || p.scene[m].owner >= 0 })
}

// far reports whether an arrow needs a lane.
func (p *placer) far(a arrow) bool { return p.in[a.to] != p.in[a.from]+1 }

// reach is the gutters that a bus needs its lane above, by the column to the left of each.
type reach struct {
	bus
	from, to int
}

// giveLanes gives a lane to every bus inside box i: the one that has been free for longest, or one more.
func (p *placer) giveLanes(i int, l *lanes) {
	l.starts, l.ends, l.lane = make(map[int]int), make(map[int]int), make(map[bus]int)
	var all []arrow
	p.arrows(i, func(a arrow, _ bool) {
		if p.far(a) {
			all = append(all, a)
			l.starts[a.from]++
			l.ends[a.to]++
		}
	})
	at := make(map[bus]int)
	var buses []reach
	for _, a := range all {
		b := l.busOf(a)
		out, in := p.in[a.from], p.in[a.to]-1
		k, ok := at[b]
		if !ok {
			k, at[b] = len(buses), len(buses)
			buses = append(buses, reach{b, out, out})
		}
		buses[k].from, buses[k].to = min(buses[k].from, out), max(buses[k].to, in)
	}
	slices.SortStableFunc(buses, func(a, b reach) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var taken []int // by lane: up to which gutter
	for _, b := range buses {
		best := -1
		for lane, to := range taken {
			if best < 0 || to < taken[best] {
				best = lane
			}
		}
		if best < 0 || taken[best] >= b.from && len(taken) < mostLanes { // where there are too many they overlap
			best, taken = len(taken), append(taken, 0)
		}
		taken[best] = max(taken[best], b.to)
		l.lane[b.bus] = best
	}
	l.count = len(taken)
}

// route draws the arrows inside box i, once all places are known.
func (p *placer) route(i int, l *lanes) {
	around := p.layout.boxes[i]
	p.arrows(i, func(a arrow, hook bool) {
		from, to := p.layout.boxes[a.from], p.layout.boxes[a.to]
		behind := p.columns[i][p.in[a.from]].right() + around.x
		before := p.columns[i][p.in[a.to]].x + around.x
		r := route{arrow: a, hook: hook}
		if p.far(a) {
			lane := l.lane[l.busOf(a)]
			y := around.y + header + lane*laneHeight
			beside := lead + lane%4*laneHeight/2 // so that the buses of a gutter are told apart
			r.path = []point{
				{from.right(), from.middle()}, {behind + beside, from.middle()}, {behind + beside, y},
				{before - beside, y}, {before - beside, to.middle()}, {to.x, to.middle()},
			}
		} else {
			r.path = []point{{from.right(), from.middle()}, {behind, from.middle()}, {before, to.middle()}, {to.x, to.middle()}}
		}
		p.layout.routes = append(p.layout.routes, r)
	})
}
