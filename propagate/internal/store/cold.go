package store

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A sideTable holds what not every node has, such as the UID of its pod. A node's record has the number of it, 0 for none, so that
// it is small and the garbage collector need not look at it.
type sideTable[T comparable] struct {
	none T   // stays as it is: what is without a number
	list []T // by number, from 1 on
}

// at is what has this number. It is read only, and stays where it is until the next put.
func (s *sideTable[T]) at(number uint32) *T {
	if number == 0 {
		return &s.none
	}
	return &s.list[number-1]
}

// put replaces what has this number, and gives a number to what has none. A number is kept for good.
func (s *sideTable[T]) put(number *uint32, value T) {
	switch {
	case *number != 0:
		s.list[*number-1] = value
	case value != s.none:
		s.list = append(s.list, value)
		*number = uint32(len(s.list))
	}
}

// A coldFact is the part of a Fact that is read when something happens to the node. It has no pointer, see sideTable.
type coldFact struct {
	serial            int64
	created           Stamp
	uid, rare         uint32 // numbers in the View
	message           Phrase
	attempt, exitCode int32
	memo              fact.Answer
	hasExit           bool
	synced            bool
	hit               bool
}

// A rareFact is the part of a Fact that few nodes have.
type rareFact struct {
	reason     string
	conditions string
	halted     string
	remade     int64
	restarts   int
	undated    bool
}

// more is what few nodes have.
func (v *View) more(i nodegraph.Index) *rareFact { return v.rare.at(v.details[i].rare) }
