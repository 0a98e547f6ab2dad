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

// An idTable finds nodes by the hash in their ids, which no two share. It is an open-addressed table of indices: a map of
// strings would take more room than the nodes. Neither the workflow nor its entry node, whose id has no hash, is in it.
type idTable struct {
	slots []Index // Root for a free one; their number is a power of two
	used  int
	shift uint8 // 32 minus the logarithm of the number of slots
}

// at is the slot at which the search for a hash begins.
func (t *idTable) at(h uint32) uint32 { return h * 2654435769 >> t.shift }

func (t *idTable) find(nodes []Node, h uint32) Index {
	if len(t.slots) == 0 {
		return None
	}
	mask := uint32(len(t.slots) - 1)
	for at := t.at(h); ; at = (at + 1) & mask {
		i := t.slots[at]
		if i == Root {
			return None
		}
		if nodes[i].hash == h {
			return i
		}
	}
}

// claim enters node i, which is about to be added and has this hash, or returns the node that has it already.
func (t *idTable) claim(nodes []Node, h uint32, i Index) Index {
	if t.used*4 >= len(t.slots)*3 {
		t.resize(nodes, max(16, 2*len(t.slots)))
	}
	mask := uint32(len(t.slots) - 1)
	at := t.at(h)
	for ; t.slots[at] != Root; at = (at + 1) & mask {
		if other := t.slots[at]; nodes[other].hash == h {
			return other
		}
	}
	t.slots[at] = i
	t.used++
	return None
}

// place enters node i, whose hash is not in the table.
func (t *idTable) place(h uint32, i Index) {
	mask := uint32(len(t.slots) - 1)
	at := t.at(h)
	for t.slots[at] != Root {
		at = (at + 1) & mask
	}
	t.slots[at] = i
}

// resize gives the table this many slots, a power of two.
func (t *idTable) resize(nodes []Node, slots int) {
	old := t.slots
	t.slots, t.shift = make([]Index, slots), 32
	for n := slots; n > 1; n /= 2 {
		t.shift--
	}
	for _, i := range old {
		if i != Root {
			t.place(nodes[i].hash, i)
		}
	}
}

// reserve makes room for n more nodes.
func (t *idTable) reserve(nodes []Node, n int) {
	slots := max(16, len(t.slots))
	for (t.used+n)*4 > slots*3 {
		slots *= 2
	}
	if slots > len(t.slots) {
		t.resize(nodes, slots)
	}
}

// keep forgets all but the first n nodes.
func (t *idTable) keep(nodes []Node, n int) {
	clear(t.slots)
	t.used = 0
	for i := Entry + 1; int(i) < n; i++ {
		t.place(nodes[i].hash, i)
		t.used++
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
