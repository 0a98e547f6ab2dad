package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// equivalentText names the survivors that change nothing anybody can see, below the reason.
//
//go:embed equivalent.txt
var equivalentText string

// readEquivalent reads a list of mutants: lines that begin with # are the reason for those that follow.
func readEquivalent(text string) (map[string]string, error) {
	reasons := make(map[string]string)
	reason, fresh := "", false
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			reason = ""
		case strings.HasPrefix(line, "#"):
			if !fresh {
				reason = ""
			}
			reason = strings.TrimSpace(reason + " " + strings.TrimSpace(line[1:]))
			fresh = true
			continue
		case reason == "":
			return nil, fmt.Errorf("line %d: no reason stands above %q", n+1, line)
		case reasons[line] != "":
			return nil, fmt.Errorf("line %d: %q is there twice", n+1, line)
		default:
			reasons[line] = reason
		}
		fresh = false
	}
	return reasons, nil
}

// unexpected says what differs from the list: survivors that it does not name, and mutants of these packages that it
// names and that did not survive.
func unexpected(fates map[string]fate, packages []string, reasons map[string]string) []string {
	var lines []string
	for id, is := range fates {
		switch listed := reasons[id] != ""; {
		case is.killer == "" && !is.reached && !listed:
			lines = append(lines, "not reached: "+id)
		case is.killer == "" && !listed:
			lines = append(lines, "survives: "+id)
		case is.killer != "" && listed:
			lines = append(lines, "listed as equivalent, but killed by "+is.killer+": "+id)
		}
	}
	for id := range reasons {
		pkg, _, _ := strings.Cut(id, ".")
		if _, ok := fates[id]; !ok && slices.Contains(packages, pkg) {
			lines = append(lines, "listed as equivalent, but there is none: "+id)
		}
	}
	slices.Sort(lines)
	return lines
}
