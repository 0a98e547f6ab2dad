package main

import (
	"bytes"
	"io"
	"regexp"
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
