package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A drawing is where a layout has put everything.
type drawing struct {
	boxes  []box
	at     map[string]int // of boxes, by id
	arrows []path
	w, h   float64
}

type box struct {
	id, parent string
	holds      bool // other boxes
	x, y, w, h float64
}

type path struct {
	from, to string
	points   []point
}

type point struct{ x, y float64 }

func (d *drawing) add(b box) {
	if d.at == nil {
		d.at = make(map[string]int)
	}
	d.at[b.id] = len(d.boxes)
	d.boxes = append(d.boxes, b)
}

// String is the numbers of a drawing: crossings, arrows through boxes, size.
func (d *drawing) String() string {
	return fmt.Sprintf("%d\t%d\t%.2f", d.crossings(), d.through(), d.w*d.h/1e6)
}

// A segment is a straight part of an arrow.
type segment struct {
	a, b  point
	arrow int
}

// segments are those of all arrows, by their left ends.
func (d *drawing) segments() []segment {
	var list []segment
	for k := range d.arrows {
		p := d.arrows[k].points
		for n := 1; n < len(p); n++ {
			a, b := p[n-1], p[n]
			if a.x > b.x {
				a, b = b, a
			}
			list = append(list, segment{a, b, k})
		}
	}
	slices.SortFunc(list, func(s, t segment) int {
		switch {
		case s.a.x < t.a.x:
			return -1
		case s.a.x > t.a.x:
			return 1
		}
		return 0
	})
	return list
}

// crossings counts the pairs of arrows that cross and share no end, each pair once.
func (d *drawing) crossings() int {
	crossed := make(map[[2]int]bool)
	list := d.segments()
	for k := range list {
		s := &list[k]
		for n := k + 1; n < len(list) && list[n].a.x <= s.b.x; n++ {
			t := &list[n]
			p, q := &d.arrows[s.arrow], &d.arrows[t.arrow]
			if p.from == q.from || p.from == q.to || p.to == q.from || p.to == q.to || !cross(s, t) {
				continue
			}
			crossed[[2]int{min(s.arrow, t.arrow), max(s.arrow, t.arrow)}] = true
		}
	}
	return len(crossed)
}

// cross reports whether two segments cross in their insides.
func cross(s, t *segment) bool {
	return side(s.a, s.b, t.a)*side(s.a, s.b, t.b) < 0 && side(t.a, t.b, s.a)*side(t.a, t.b, s.b) < 0
}

func side(a, b, p point) float64 {
	v := (b.x-a.x)*(p.y-a.y) - (b.y-a.y)*(p.x-a.x)
	switch {
	case v > 1e-6:
		return 1
	case v < -1e-6:
		return -1
	}
	return 0
}

// through counts the arrows that go through a box that holds nothing and is not one of their ends.
func (d *drawing) through() int {
	var leaves []box
	for _, b := range d.boxes {
		if !b.holds {
			leaves = append(leaves, b)
		}
	}
	slices.SortFunc(leaves, func(a, b box) int { return int(a.x - b.x) })
	widest := 0.0
	for _, b := range leaves {
		widest = max(widest, b.w)
	}
	hit := make(map[int]bool)
	for _, s := range d.segments() {
		first, _ := slices.BinarySearchFunc(leaves, s.a.x-widest-1, func(b box, x float64) int { return int(b.x - x) })
		for _, b := range leaves[first:] {
			if b.x > s.b.x {
				break
			}
			if a := &d.arrows[s.arrow]; !d.inside(b.id, a.from) && !d.inside(b.id, a.to) && s.enters(b) {
				hit[s.arrow] = true
			}
		}
	}
	return len(hit)
}

// inside reports whether a box is another or inside of it.
func (d *drawing) inside(id, around string) bool {
	for id != "" && id != around {
		id = d.boxes[d.at[id]].parent
	}
	return id == around
}

// enters reports whether a segment has a point in the inside of a box, two pixels from its border.
func (s *segment) enters(b box) bool {
	const most = 2
	from, to := 0.0, 1.0
	clip := func(at, delta, low, high float64) {
		switch {
		case delta == 0 && (at <= low || at >= high):
			to = -1
		case delta != 0:
			p, q := (low-at)/delta, (high-at)/delta
			from, to = max(from, min(p, q)), min(to, max(p, q))
		}
	}
	clip(s.a.x, s.b.x-s.a.x, b.x+most, b.x+b.w-most)
	clip(s.a.y, s.b.y-s.a.y, b.y+most, b.y+b.h-most)
	return from < to
}

// bezier adds a curve as short straight parts.
func bezier(points []point, b, c, e point) []point {
	a := points[len(points)-1]
	const parts = 8
	for k := 1; k <= parts; k++ {
		t := float64(k) / parts
		u := 1 - t
		p, q, r, s := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		points = append(points, point{p*a.x + q*b.x + r*c.x + s*e.x, p*a.y + q*b.y + r*c.y + s*e.y})
	}
	return points
}

// read reads an SVG of package draw.
func read(svg []byte) (*drawing, error) {
	d, decoder := &drawing{}, xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d, nil
		} else if err != nil {
			return nil, err
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		a := make(map[string]string)
		for _, attr := range e.Attr {
			a[attr.Name.Local] = attr.Value
		}
		number := func(name string) float64 { v, _ := strconv.ParseFloat(a[name], 64); return v }
		switch {
		case e.Name.Local == "svg":
			d.w, d.h = number("width"), number("height")
		case e.Name.Local == "g":
			d.add(box{id: a["id"], parent: a["data-parent"], holds: strings.Contains(a["class"], " inner ")})
		case e.Name.Local == "rect" && len(d.boxes) > 0:
			b := &d.boxes[len(d.boxes)-1]
			b.x, b.y, b.w, b.h = number("x"), number("y"), number("width"), number("height")
		case e.Name.Local == "path" && a["data-from"] != "":
			d.arrows = append(d.arrows, path{a["data-from"], a["data-to"], points(a["d"])})
		}
	}
}

// points are the straight parts of a path as package draw writes it.
func points(text string) []point {
	var list []point
	for text != "" {
		end := strings.IndexAny(text[1:], "MHC") + 1
		if end == 0 {
			end = len(text)
		}
		var v []float64
		for _, field := range strings.Fields(text[1:end]) {
			n, _ := strconv.ParseFloat(field, 64)
			v = append(v, n)
		}
		switch text[0] {
		case 'M':
			list = append(list, point{v[0], v[1]})
		case 'H':
			list = append(list, point{v[0], list[len(list)-1].y})
		case 'C':
			list = bezier(list, point{v[0], v[1]}, point{v[2], v[3]}, point{v[4], v[5]})
		}
		text = text[end:]
	}
	return list
}
