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
	return strings.Join(broken(text, max(room, leastColumns)), "\n"+strings.Repeat(" ", after))
}

// broken are the lines of a text that is broken between words, none longer than that but for words that are.
func broken(text string, room int) []string {
	if width(text) <= room {
		return []string{text}
	}
	var lines []string
	used := 0
	for k, word := range strings.Split(text, " ") {
		switch w := width(word); {
		case k == 0 || used+1+w > room:
			lines = append(lines, word)
			used = w
		default:
			lines[len(lines)-1] += " " + word
			used += 1 + w
		}
	}
	return lines
}
