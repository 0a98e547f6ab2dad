package nodegraph

import (
	"fmt"
	"strconv"
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

// nameNode gives node i its name and its id, and returns the hash in it. The entry node has none.
func (g *Graph) nameNode(i, base Index, suffix []byte) (hash uint32) {
	if i == Entry {
		g.nodes[i].setText(g.spec.Name+g.spec.Name, len(g.spec.Name))
		return 0
	}
	if base != g.base {
		g.base, g.baseHash = base, g.hashOf(base)
	}
	hash = extend(g.baseHash, suffix)
	var digits [1 + 10]byte
	id := strconv.AppendUint(append(digits[:0], '-'), uint64(hash), 10)
	before := g.nodes[base].Name()
	g.nodes[i].setText(g.text.join(before, suffix, g.spec.Name, id), len(before)+len(suffix))
	return hash
}

// setText gives the node its name and id.
func (n *Node) setText(text string, nameLength int) { n.text, n.nameLength = text, uint32(nameLength) }

// maxIDLength is the length of the longest id in bytes: of the workflow's name and a number of 32 bits.
func (g *Graph) maxIDLength() int { return len(g.spec.Name) + 1 + 10 }

// ItemName is Argo's name of the node for one item of a loop: parentheses of the item's text are left out.
func ItemName(task string, number int, text string) string {
	return string(appendItemName(nil, task, number, text))
}

func appendItemName(b []byte, task string, number int, text string) []byte {
	b = append(append(b, task...), '(')
	b = append(strconv.AppendInt(b, int64(number), 10), ':')
	for k := range len(text) {
		if c := text[k]; c != '(' && c != ')' {
			b = append(b, c)
		}
	}
	return append(b, ')')
}

// HookName is the name of the node of a hook: "<owner>.onExit" for the exit hook, "<owner>.hooks.<name>" for another.
func HookName(owner string, hook *Hook) string { return owner + hookSuffix(hook) }

func hookSuffix(hook *Hook) string {
	if hook.Name == ExitHook {
		return ".onExit"
	}
	return ".hooks." + hook.Name
}

// AttemptName is the name of an attempt of a Retry, by its number from 0 on: "<retry>(<number>)".
func AttemptName(retry string, number int) string { return retry + "(" + strconv.Itoa(number) + ")" }
