package nodegraph

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameLength bounds the name of a workflow, a task, a step, a container or a hook, in bytes. It is that of names in
// Kubernetes.
const MaxNameLength = 253

// joints are what stands between the names that the name of a node is made from: "wf.task(0)", "wf[1].step". A name with one of
// them could be that of another node.
const joints = ".()[]"

// badName says why a name can't be part of the name of a node; empty if it can.
func (c *checker) badName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case c.anyNames:
		return ""
	case len(name) > MaxNameLength:
		return fmt.Sprintf("is longer than %d bytes", MaxNameLength)
	case !utf8.ValidString(name):
		return "is no valid UTF-8"
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return fmt.Sprintf("has the control character %U in it", r)
		}
	}
	return ""
}

// badMember is badName for what stands beside others: a task, a step or a container.
func (c *checker) badMember(name string) string {
	if plain(name) {
		return ""
	}
	if k := strings.IndexAny(name, joints); k >= 0 && !c.anyNames {
		return fmt.Sprintf("has %q in it, which stands between the names of nodes, so that two nodes could have one name", name[k])
	}
	return c.badName(name)
}

// plain reports whether a name is made from letters, digits, "-" and "_" alone, as nearly all are, and is not too long.
func plain(name string) bool {
	for k := range len(name) {
		switch c := name[k]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', 'A' <= c && c <= 'Z', c == '_':
		default:
			return false
		}
	}
	return name != "" && len(name) <= MaxNameLength
}
