package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two arrows cross once, an arrow through a third box is told, and arrows that share an end never count.
func TestDrawingCounts(t *testing.T) {
	d := &drawing{w: 1000, h: 500}
	for _, b := range []box{{id: "a"}, {id: "b", y: 100}, {id: "c", x: 200}, {id: "d", x: 200, y: 100}, {id: "m", x: 95, y: 95}} {
		b.w, b.h = 10, 10
		d.add(b)
	}
	d.arrows = []path{
		{"a", "d", []point{{10, 5}, {200, 105}}}, {"b", "c", []point{{10, 105}, {200, 5}}},
		{"a", "c", []point{{10, 5}, {100, 100}, {200, 5}}},
	}
	assert.Equal(t, 1, d.crossings())
	assert.Equal(t, 1, d.through(), "the third arrow goes through m")
	assert.Equal(t, "1\t1\t0.50", d.String())
}

// What package draw writes is read back: every box with a size, every arrow from one to another, and none through a box.
func TestReadOurs(t *testing.T) {
	p, nodes, err := pictureOf(skip(30))
	require.NoError(t, err)
	d, err := read(p.SVG())
	require.NoError(t, err)
	require.Len(t, d.boxes, nodes)
	assert.Len(t, d.arrows, 53)
	assert.Zero(t, d.through())
	for _, b := range d.boxes {
		assert.Positive(t, b.w*b.h, b.id)
	}
	for _, a := range d.arrows {
		assert.GreaterOrEqual(t, len(a.points), 2, "%s to %s", a.from, a.to)
	}
}

// The format plain is in inches; curves are read as short straight parts.
func TestReadPlain(t *testing.T) {
	d, err := readPlain("graph 1 4 2\nnode n1 1 1 1 0.5 x solid box black grey\nedge n1 n2 4 0 0 1 0 1 1 2 1 solid black\nstop\n")
	require.NoError(t, err)
	assert.Equal(t, 4*96.0, d.w)
	assert.Equal(t, box{id: "n1", x: 48, y: 72, w: 96, h: 48}, d.boxes[0])
	assert.Equal(t, point{192, 96}, d.arrows[0].points[len(d.arrows[0].points)-1])
}
