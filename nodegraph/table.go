package nodegraph

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
