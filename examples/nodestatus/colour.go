package main

import (
	"io"
	"os"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A painter colours text, or does not.
type painter bool

// painterFor colours what goes to a terminal, unless the user has asked for no colour.
func painterFor(w io.Writer) painter {
	if s, ok := w.(*screen); ok {
		return painter(s.paint)
	}
	file, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	grey   = "90"
)

// colours are those of the argo command.
var colours = map[nodegraph.Phase]string{
	nodegraph.PhasePending: yellow, nodegraph.PhaseRunning: cyan, nodegraph.PhaseSucceeded: green, nodegraph.PhaseFailed: red, nodegraph.PhaseError: red,
	nodegraph.PhaseSkipped: grey, nodegraph.PhaseOmitted: grey,
}

// markColours are the same, by the mark that a tree shows for the phase.
var markColours = map[rune]string{'◷': yellow, '●': cyan, '✔': green, '✖': red, '⚠': red, '○': grey}

func (p painter) colour(code, text string) string {
	if !p || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) bad(text string) string { return p.colour(red, text) }

func (p painter) phase(phase nodegraph.Phase, text string) string {
	return p.colour(colours[phase], text)
}

// marks colours the mark in each line of a tree, and the note of a line that has one.
func (p painter) marks(text string) string {
	if !p {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		note := ""
		if at := strings.LastIndex(line, "  <- "); at >= 0 {
			line, note = line[:at], p.bad(line[at:])
		}
		for at, r := range line {
			if code := markColours[r]; code != "" {
				mark := string(r)
				line = line[:at] + p.colour(code, mark) + line[at+len(mark):]
				break
			}
		}
		b.WriteString(line + note + "\n")
	}
	return b.String()
}
