package propagate

import (
	"iter"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// detail is the part of a Fact that is read when something happens to the node. It has no pointer, see sparse.
type detail struct {
	serial            int64
	created           stamp
	uid, rare         uint32 // numbers in inputs
	message           phrase
	attempt, exitCode int32
	memo              Answer
	hasExit           bool
	synced            bool
	hit               bool
}

// rareDetail is the part of a Fact that few nodes have.
type rareDetail struct {
	reason     string
	conditions string
	halted     string
	remade     int64
	restarts   int
}

// uid is the UID of the pod, empty while it is unknown.
func (w *inputs) uid(d *detail) string { return *w.uids.at(d.uid) }

// more is what few nodes have.
func (w *inputs) more(d *detail) *rareDetail { return w.rare.at(d.rare) }

// detailBlock is the details of nodes that follow one another.
type detailBlock [blockSize]detail

const blockSize = 16

// details holds the details of the nodes of which there are any: of most planned nodes, and of those that were omitted,
// nothing is known. So they come in blocks, which are made when something is written of one of their nodes.
type details struct {
	none   detail // stays as it is: of a node of which nothing is known
	blocks []*detailBlock
	spare  []detailBlock // room for blocks that are still to be made
	made   int
}

// read is what is known of node i. It is not written.
func (s *details) read(i nodegraph.Index) *detail {
	if b := s.blocks[uint(i)/blockSize]; b != nil {
		return &b[uint(i)%blockSize]
	}
	return &s.none
}

// write is what is known of node i. It stays where it is.
func (s *details) write(i nodegraph.Index) *detail {
	b := s.blocks[uint(i)/blockSize]
	if b == nil {
		b = s.add(uint(i) / blockSize)
	}
	return &b[uint(i)%blockSize]
}

// mostSpare is for how many blocks room is made at most when one is needed.
const mostSpare = 64

// add makes a block.
func (s *details) add(k uint) *detailBlock {
	if len(s.spare) == 0 {
		s.spare = make([]detailBlock, min(1+s.made/2, mostSpare))
	}
	b := &s.spare[0]
	s.spare, s.blocks[k] = s.spare[1:], b
	s.made++
	return b
}

// reserve makes room at once for the details of so many nodes that follow one another.
func (s *details) reserve(nodes int) {
	if blocks := blocksOf(nodes); blocks > 1 && blocks >= len(s.spare) {
		s.spare = make([]detailBlock, blocks+1) // the first of them need not begin a block
	}
}

// blocksOf is how many blocks n nodes take.
func blocksOf(n int) int { return (n + blockSize - 1) / blockSize }

// allot gives the list of blocks room for n nodes.
func (s *details) allot(n int) { s.blocks = allotted(s.blocks, blocksOf(n)) }

// grow makes sure that there may be details of n nodes, for which there is room.
func (s *details) grow(n int) { s.blocks = s.blocks[:blocksOf(n)] }

// all yields each of the details there are.
func (s *details) all() iter.Seq[*detail] {
	return func(yield func(*detail) bool) {
		for _, b := range s.blocks {
			for k := 0; b != nil && k < len(b); k++ {
				if !yield(&b[k]) {
					return
				}
			}
		}
	}
}
