package store

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// detail is the part of a Fact that is read when something happens to the node. It has no pointer, see sparse.
type detail struct {
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

// rareDetail is the part of a Fact that few nodes have.
type rareDetail struct {
	reason     string
	conditions string
	halted     string
	remade     int64
	restarts   int
}

// more is what few nodes have.
func (v *View) more(i nodegraph.Index) *rareDetail { return v.rare.at(v.details[i].rare) }
