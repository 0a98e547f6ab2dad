package main

import (
	"io"
	"os"
	"strconv"
	"strings"
)

// leastColumns is how much room words get at the least.
const leastColumns = 30

// columnsOf is how wide a line may be: what COLUMNS says, or the terminal; 0 for any width, as where the output is read by a program.
func columnsOf(w io.Writer) int {
	if s, ok := w.(*screen); ok {
		return s.columns
	}
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return terminalColumns(file)
}

// wrapped breaks a text between words, so that no line is longer than that if it begins after so many columns. What follows the first
// line begins there, too.
func wrapped(text string, after, columns int) string {
	room := columns - after
	if columns <= 0 || width(text) <= room {
		return text
	}
	room = max(room, leastColumns)
	var b strings.Builder
	used := 0
	for k, word := range strings.Split(text, " ") {
		switch w := width(word); {
		case k == 0:
			used = w
		case used+1+w > room:
			b.WriteString("\n" + strings.Repeat(" ", after))
			used = w
		default:
			b.WriteString(" ")
			used += 1 + w
		}
		b.WriteString(word)
	}
	return b.String()
}
