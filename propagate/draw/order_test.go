package draw

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// gridOf is the grid inside the entry node of a workflow.
func gridOf(t *testing.T, text string) *grid {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	g, err := nodegraph.New(spec)
	require.NoError(t, err)
	require.NoError(t, g.Expand(nodegraph.Entry))
	s := sceneOf(g)
	grids := gridsOf(s, measure(s, make([]look, len(s))))
	return &grids[nodegraph.Entry]
}

func crossingsOf(g *grid) int {
	s := &sorter{grid: g, at: make([]int, len(g.items)), key: make([]float64, len(g.items))}
	for c := range g.columns {
		s.number(c)
	}
	return s.crossings()
}

// What can be drawn without crossings is, and of what can't no more cross than need to.
func TestCrossings(t *testing.T) {
	cases := []struct {
		why, text string
		want      int
	}{
		{"a chain with an arrow past it", "dag(a -> b -> c -> d, a -> d)", 0},
		{"declared the wrong way round", "dag(a, b, c, d, a -> z, b -> y, c -> x, d -> w)", 0},
		{"a tree", "dag(r -> {a, b}, b -> {e, f}, a -> {c, d})", 0},
		{"two chains and arrows past both", "dag(a -> b -> c -> d, e -> f -> g -> h, a -> d, e -> h)", 0},
		{"everything with everything", "dag({a, b, c} -> {d, e, f})", 9},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) { assert.Equal(t, c.want, crossingsOf(gridOf(t, c.text)), "crossings of %s", c.text) })
	}
}

// The count of crossings is that of all pairs, looked at one by one.
func TestCrossingsAreCounted(t *testing.T) {
	for seed := range 20 {
		var arrows []string
		for k := range 30 {
			n := (k*7919 + seed*104729) % 991
			arrows = append(arrows, fmt.Sprintf("a%d -> b%d", n%8, n/8%8))
		}
		g := gridOf(t, "dag("+strings.Join(arrows, ", ")+")")
		want, place := 0, func(item int) int {
			return slices.IndexFunc(g.columns, func(c []int) bool { return slices.Contains(c, item) })
		}
		type joint struct{ column, from, to int }
		var joints []joint
		for from, after := range g.after {
			for _, to := range after {
				c := place(from)
				joints = append(joints, joint{c, slices.Index(g.columns[c], from), slices.Index(g.columns[c+1], to)})
			}
		}
		for k, p := range joints {
			for _, q := range joints[k+1:] {
				if p.column == q.column && (p.from-q.from)*(p.to-q.to) < 0 {
					want++
				}
			}
		}
		assert.Equal(t, want, crossingsOf(g), "seed %d", seed)
	}
}

// Where there would be more lanes than fit into a picture the longest arrows share one.
func TestLanesAreBounded(t *testing.T) {
	var arrows []string
	for k := range 200 {
		arrows = append(arrows, fmt.Sprintf("c%d -> c%d", k, k+1))
		if k < 90 {
			arrows = append(arrows, fmt.Sprintf("c%d -> c%d", k, k+100))
		}
	}
	g := gridOf(t, "dag("+strings.Join(arrows, ", ")+")")
	lanes := 0
	for _, m := range g.items {
		if m == noBox {
			lanes++
		}
	}
	assert.LessOrEqual(t, lanes, mostLanes*201+201)
	for k := range g.arrows {
		a := &g.arrows[k]
		assert.Len(t, a.lanes, a.to-a.from-1, "lanes of the arrow from box %d to box %d of a chain", a.from, a.to)
	}
}

// A text is broken between words, and where a word is too long for a line; what does not fit into the lines ends in an ellipsis.
func TestWrap(t *testing.T) {
	cases := []struct {
		text        string
		most, lines int
		want        []string
	}{
		{"", 10, 3, nil},
		{"short", 10, 3, []string{"short"}},
		{"one two three", 7, 3, []string{"one two", "three"}},
		{"abcdefghij", 4, 3, []string{"abcd", "efgh", "ij"}},
		{"one two three four", 5, 2, []string{"one", "two …"}},
		{"日本語の名前", 4, 9, []string{"日本", "語の", "名前"}},
	}
	for _, c := range cases {
		assert.Equal(t, c.want, wrap(c.text, c.most, c.lines), "%q in lines of %d", c.text, c.most)
	}
}
