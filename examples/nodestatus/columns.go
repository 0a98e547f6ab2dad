package main

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// width is how many columns a text takes on a terminal, without its colours.
func width(text string) int {
	for k := range len(text) {
		if text[k] < ' ' || text[k] > '~' {
			return uniseg.StringWidth(coloured.ReplaceAllString(text, ""))
		}
	}
	return len(text)
}

// printColumns prints lines of cells in columns as wide as they need to be. Where a line may be so many columns wide, the last
// one is wrapped, and so are others that would leave it too little. The lines are gone through twice: there may be too many to
// keep.
func printColumns(out io.Writer, lines iter.Seq[[]string], gap, columns int) {
	wide, least := columnWidths(lines)
	narrow(wide, least, gap, columns)
	for line := range lines {
		var cells [][]string
		height, before := 1, 0
		for c, cell := range line {
			room := columns - before
			if c < len(line)-1 {
				room = wide[c]
				before += wide[c] + gap
			} else if columns <= 0 {
				room = width(cell)
			}
			cells = append(cells, broken(cell, max(room, least[c])))
			height = max(height, len(cells[c]))
		}
		for k := range height {
			fmt.Fprintln(out, cellsAt(cells, k, wide, gap))
		}
	}
}

// columnWidths are how wide columns are, and how wide the words in them.
func columnWidths(lines iter.Seq[[]string]) (wide, least []int) {
	for line := range lines {
		for c, cell := range line {
			if c == len(wide) {
				wide, least = append(wide, 0), append(least, 0)
			}
			wide[c] = max(wide[c], width(cell))
			if coloured.MatchString(cell) { // a colour ends where it began
				least[c] = max(least[c], width(cell))
			}
			for word := range strings.SplitSeq(cell, " ") {
				least[c] = max(least[c], width(word))
			}
		}
	}
	least[len(least)-1] = leastColumns
	return wide, least
}

// narrow takes from columns that can be wrapped, always from the widest, until the last has what it needs at the least.
func narrow(wide, least []int, gap, columns int) {
	last := len(wide) - 1
	over := min(wide[last], leastColumns) + last*gap - columns
	for _, w := range wide[:last] {
		over += w
	}
	for ; columns > 0 && over > 0; over-- {
		widest := -1
		for c, w := range wide[:last] {
			if w > least[c] && (widest < 0 || w > wide[widest]) {
				widest = c
			}
		}
		if widest < 0 {
			return // words can't be broken
		}
		wide[widest]--
	}
}

// cellsAt is line k of cells in their columns.
func cellsAt(cells [][]string, k int, wide []int, gap int) string {
	var b strings.Builder
	for c, cell := range cells {
		text := ""
		if k < len(cell) {
			text = cell[k]
		}
		b.WriteString(text)
		if rest := cells[c+1:]; slices.ContainsFunc(rest, func(o []string) bool { return k < len(o) }) {
			b.WriteString(strings.Repeat(" ", wide[c]-width(text)+gap))
		}
	}
	return b.String()
}
