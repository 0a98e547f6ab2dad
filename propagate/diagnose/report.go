package diagnose

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Report is what was found.
type Report struct {
	Workflow Node             // the workflow itself
	Findings []Finding        // in the order of the kinds and of the names
	Follows  []Node           // recorded as open, and settle by themselves once the findings are healed
	Waits    []Wait           // what the workflow waits for besides
	Locks    []Lock           // what it holds, or waits for
	Ignored  []string         // ids of recorded nodes that the specification never asks for and that are in nobody's way
	Notes    []string         // what an operator should know and is no fault, a sentence each
	Stuck    bool             // it is not complete, and as recorded nothing will happen any more
	Graph    *nodegraph.Graph // with all nodes that the record has

	in     *Input
	record *record
	pods   *pods
	end    time.Time // of nodes that are ended by healing
}

// Healthy reports whether nothing was found.
func (r *Report) Healthy() bool { return len(r.Findings) == 0 }

// A Lock is a lock that the workflow has to do with.
type Lock struct {
	Key     string   // as nodegraph.Lock has it
	Holders []Node   // in this workflow
	Waiters []Node   // in this workflow
	Others  []string // other workflows that hold it as the status says, and what of them: namespace/workflow or namespace/workflow/node
}

// A Wait is one thing that the workflow waits for, once what was found is healed.
type Wait struct {
	Node
	For     propagate.WaitReason // what it waits for
	Since   time.Time            // zero if nothing is recorded
	Until   time.Time            // For a timer
	Message string               // of the node
	Never   string               // why it can never come true; empty if it may
	Next    bool                 // not on record: the controller has still to begin it

	Lock          string   // For a lock: its key, where it is known
	HolderUnknown bool     // For a lock: nobody is on record who holds it
	HeldBy        []string // For a lock: who holds it as the status says, namespace/workflow or namespace/workflow/node
	Commands      []string // to type, if somebody has to
}
