package nodegraph

import (
	"strconv"
	"strings"
)

// hashSeed is the hash of the empty text.
const hashSeed = uint32(2166136261)

// extend continues the 32-bit FNV-1a hash of a text with more text: the hash of a node's name goes on from that of the
// name it begins with.
func extend[T string | []byte](h uint32, more T) uint32 {
	for k := range len(more) {
		h = (h ^ uint32(more[k])) * 16777619
	}
	return h
}

// hashInID reads the hash out of an id.
func hashInID(workflow, id string) (uint32, bool) {
	rest, ok := strings.CutPrefix(id, workflow)
	if !ok || len(rest) < 2 || rest[0] != '-' {
		return 0, false
	}
	h, err := strconv.ParseUint(rest[1:], 10, 32)
	return uint32(h), err == nil
}

// hash reads the hash out of the id of a node, the decimal number at its end.
func (n *Node) hash() uint32 {
	h, power := uint32(0), uint32(1)
	for k := len(n.text) - 1; n.text[k] != '-'; k-- {
		h += uint32(n.text[k]-'0') * power
		power *= 10
	}
	return h
}

// withHash returns the node with this hash in its id whose id or name is text, None if there is none. No two nodes share a hash.
// Neither the workflow nor its entry node, whose id has no hash, is found.
func (g *Graph) withHash(hash uint32, text string) Index {
	for i, at := g.ids.next(hash, hash); i != 0; i, at = g.ids.next(hash, at+1) {
		if n := &g.nodes[i]; n.ID() == text || n.Name() == text {
			return Index(i)
		}
	}
	return None
}

// reserveIDs makes room in the table of ids for n nodes, the first of which are in it.
func (g *Graph) reserveIDs(first []Node, n int) {
	if n > g.ids.room() {
		g.enterIDs(first, n)
	}
}

// enterIDs makes the table of ids anew: with the first nodes in it, and room for n.
func (g *Graph) enterIDs(first []Node, n int) {
	g.ids = newHashTable(n)
	for i := int(Entry) + 1; i < len(first); i++ {
		g.ids.add(first[i].hash(), uint32(i))
	}
}

// text holds the names and ids of nodes, in pieces that grow with it: many short strings in few allocations.
type text struct {
	piece strings.Builder
	size  int // of the next piece
}

// The sizes of pieces, in bytes.
const (
	firstPiece = 1 << 9
	lastPiece  = 1 << 16
)

// reserve makes room for n more bytes in one piece.
func (t *text) reserve(n int) {
	if t.piece.Cap()-t.piece.Len() < n {
		t.piece = strings.Builder{}
		t.piece.Grow(n)
	}
}

// join returns all parts in one string.
func (t *text) join(a string, b []byte, c string, d []byte) string {
	need := len(a) + len(b) + len(c) + len(d)
	if t.piece.Cap()-t.piece.Len() < need {
		t.size = min(max(2*t.size, firstPiece), lastPiece)
		t.reserve(max(t.size, need))
	}
	from := t.piece.Len()
	t.piece.WriteString(a)
	t.piece.Write(b)
	t.piece.WriteString(c)
	t.piece.Write(d)
	return t.piece.String()[from:]
}

// A hashTable finds small numbers by hashes: an open-addressed table, of which a map would take more than twice the room. It
// has a power of two of entries, 0 for a free one. The lower bits of a hash are the entry at which its search begins. An entry
// holds the upper bits of the hash, and in place of the lower ones the number. So a search hardly ever looks at what a wrong
// number stands for. Numbers are above 0 and below the number of entries.
type hashTable []uint32

// newHashTable has room for n numbers: a fifth of it, at least, stays free.
func newHashTable(n int) hashTable {
	entries := 1 << 4
	for n*5 > entries*4 {
		entries *= 2
	}
	return make(hashTable, entries)
}

// room is how many numbers the table has room for.
func (t hashTable) room() int { return len(t) * 4 / 5 }

// next goes on with the search for a hash at an entry; it begins at the hash itself. It returns the next number that may be the
// one, or 0 when there is no other, and its entry.
func (t hashTable) next(hash, at uint32) (number, entry uint32) {
	mask := uint32(len(t) - 1)
	for ; ; at++ {
		if e := t[at&mask]; e == 0 || (e^hash)&^mask == 0 {
			return e & mask, at
		}
	}
}

// add enters a number that is not in the table.
func (t hashTable) add(hash, number uint32) {
	mask, at := uint32(len(t)-1), hash
	for t[at&mask] != 0 {
		at++
	}
	t[at&mask] = hash&^mask | number
}
