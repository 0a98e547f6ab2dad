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

// An idTable finds nodes by the hash in their ids, which no two share. Neither the workflow nor its entry node, whose id has
// no hash, is in it.
type idTable struct {
	table hashTable // of indices
	used  int
}

// seek returns the node with this hash, or None and the entry in which it belongs.
func (t *idTable) seek(nodes []Node, h uint32) (i Index, entry uint32) {
	for i, entry = t.first(h); i != None && nodes[i].hash() != h; i, entry = t.next(h, entry+1) {
	}
	return i, entry
}

// first begins a search for a hash in a table that is not empty, see next.
func (t *idTable) first(h uint32) (i Index, at uint32) { return t.next(h, t.table.first(h)) }

// next goes on with a search at an entry. It returns the next node that is likely to have the hash, and its entry, or None when
// there is no other.
func (t *idTable) next(h, entry uint32) (i Index, at uint32) {
	n, at := t.table.next(h, entry)
	if n == 0 {
		return None, at
	}
	return Index(n), at
}

// claim enters node i, the next one, for which there is room, or returns the node that has its hash already.
func (t *idTable) claim(nodes []Node, i Index, h uint32) Index {
	other, entry := t.seek(nodes, h)
	if other == None {
		t.table.put(h, uint32(i), entry)
		t.used++
	}
	return other
}

// resize gives the table room for n nodes.
func (t *idTable) resize(nodes []Node, n int) {
	t.table = newHashTable(n)
	for k := range t.used {
		t.table.add(nodes[k+int(Entry)+1].hash(), uint32(k)+uint32(Entry)+1)
	}
}

// reserve makes room for n more nodes.
func (t *idTable) reserve(nodes []Node, n int) {
	if t.used+n > t.table.room() {
		t.resize(nodes, t.used+n)
	}
}

// keep forgets all but the first n nodes.
func (t *idTable) keep(nodes []Node, n int) {
	t.used = max(0, n-int(Entry)-1)
	t.resize(nodes, t.used)
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

// A hashTable finds small numbers by hashes: an open-addressed table, of which a map would take more than twice the room.
// In each entry there is, before the number, as much of its hash as 32 bits have room for. So a search hardly ever looks at
// what a wrong number stands for. Numbers are above 0 and below the number of entries.
type hashTable struct {
	entries []uint32 // 0 for a free one; their number is a power of two
	bits    uint8    // of an entry that are the number: the logarithm of the number of entries
}

// newHashTable has room for n numbers: a fifth of it, at least, stays free.
func newHashTable(n int) hashTable {
	t := hashTable{bits: 4}
	for n*5 > 4<<t.bits {
		t.bits++
	}
	t.entries = make([]uint32, 1<<t.bits)
	return t
}

// room is how many numbers the table has room for.
func (t *hashTable) room() int { return len(t.entries) * 4 / 5 }

// first is where the search for a hash begins.
func (t *hashTable) first(hash uint32) uint32 { return hash * 2654435769 >> (32 - t.bits) }

// next goes on with the search for a hash at an entry. It returns the next number that may be the one, or 0 when there is no
// other, and the entry, which is free in that case.
func (t *hashTable) next(hash, at uint32) (number, entry uint32) {
	mask := uint32(len(t.entries) - 1)
	for ; ; at++ {
		at &= mask
		if e := t.entries[at]; e == 0 || (e^hash<<t.bits)>>t.bits == 0 {
			return e & mask, at
		}
	}
}

// put enters a number at a free entry that the search for its hash has come to.
func (t *hashTable) put(hash, number, entry uint32) { t.entries[entry] = hash<<t.bits | number }

// add enters a number that is not in the table.
func (t *hashTable) add(hash, number uint32) {
	mask := uint32(len(t.entries) - 1)
	at := t.first(hash)
	for t.entries[at] != 0 {
		at = (at + 1) & mask
	}
	t.put(hash, number, at)
}
