package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nodestatus/nodestatus/examples/tree"
)

// A screen is where a command prints. It writes what could harm a terminal as escapes, and remembers when it could not write.
// The ends of lines, tabs and the colours of a painter are the command's own.
type screen struct {
	out     io.Writer
	paint   bool   // the painter's colours may come
	columns int    // how wide a line may be, 0 for any width
	rest    []byte // of a character that has still to come
	err     error
}

// painted is a colour as a painter writes it.
var painted = regexp.MustCompile(`^\x1b\[(31|32|33|36|90|0)m`)

// coloured is a colour anywhere in a text.
var coloured = regexp.MustCompile(`\x1b\[\d+m`)

// Write writes all of p but the beginning of a character that is not complete.
func (s *screen) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	data := append(s.rest, p...)
	var b bytes.Buffer
	b.Grow(len(data))
	for len(data) > 0 {
		if !utf8.FullRune(data) {
			break
		}
		if colour := s.colour(data); len(colour) > 0 {
			b.Write(colour)
			data = data[len(colour):]
			continue
		}
		r, size := utf8.DecodeRune(data)
		if r == '\n' || r == '\t' || !tree.Hidden(r) && r != utf8.RuneError {
			b.Write(data[:size])
		} else {
			b.WriteString(tree.Visible(string(r)))
		}
		data = data[size:]
	}
	s.rest = append([]byte{}, data...)
	if _, s.err = s.out.Write(b.Bytes()); s.err != nil {
		return 0, s.err
	}
	return len(p), nil
}

// colour is the colour with which data begins, if it may come.
func (s *screen) colour(data []byte) []byte {
	if !s.paint || data[0] != '\x1b' {
		return nil
	}
	return painted.Find(data)
}

// width is how many columns a text takes on a terminal: characters of East Asia and pictures take two, marks on others none.
func width(text string) int {
	n := 0
	for _, r := range coloured.ReplaceAllString(text, "") {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r):
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
			r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
			n += 2
		default:
			n++
		}
	}
	return n
}

// printColumns prints cells in columns as wide as they need to be. The last one is wrapped where a line may be so many columns wide.
func printColumns(out io.Writer, lines [][]string, gap, columns int) {
	var wide []int
	for _, line := range lines {
		for c, cell := range line {
			if c == len(wide) {
				wide = append(wide, 0)
			}
			wide[c] = max(wide[c], width(cell))
		}
	}
	for _, line := range lines {
		before := 0
		for c, cell := range line {
			if c < len(line)-1 {
				cell += strings.Repeat(" ", wide[c]-width(cell)+gap)
				before += wide[c] + gap
			} else {
				cell = wrapped(cell, before, columns)
			}
			fmt.Fprint(out, cell)
		}
		fmt.Fprintln(out)
	}
}
