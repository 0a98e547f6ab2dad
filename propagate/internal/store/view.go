// Package store holds the facts of a workflow, dense, by the index of the node. Rules read them through a [View]; the
// methods of [Store] alone write them, and each notes the nodes whose facts it has changed.
package store

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A View is all that is known of a workflow, to be read. The fact of a node lies in three places: what the rules read of
// every node, when it ended, and the rest. No method allocates.
type View struct {
	nodes    []Node
	finished []Stamp  // when the node ended, 0 for one that did not
	details  []detail // the rest of the node's fact
	phrases  phrases
	uids     sparse[string]
	rare     sparse[rareDetail]
	now      time.Time
	instant  Stamp           // now
	started  time.Time       // zero before the workflow holds its locks
	shutdown string          // "", "Stop" or "Terminate"
	status   nodegraph.Phase // of the workflow before the current call
	held     bool            // suspended as a whole
	overdue  bool            // the deadline was applied
	daemons  bool            // some template is a daemon
	closing  bool            // some composite only ends: see fact.StageStopped
}

// Len is how many nodes are known.
func (v *View) Len() int { return len(v.nodes) }

// Node is the record of node i. It stays where it is until nodes are added.
func (v *View) Node(i nodegraph.Index) *Node { return &v.nodes[i] }

// Root is the record of the workflow: that it waits for its locks, or how it had ended when it was loaded.
func (v *View) Root() *Node { return &v.nodes[nodegraph.Root] }

// Now is the latest time that was told.
func (v *View) Now() time.Time { return v.now }

// Instant is Now as a Stamp.
func (v *View) Instant() Stamp { return v.instant }

// Started is when the workflow started; zero before it holds its locks.
func (v *View) Started() time.Time { return v.started }

// Shutdown is the strategy of the shutdown in force, "" for none.
func (v *View) Shutdown() string { return v.shutdown }

// Status is the phase of the workflow before the current call.
func (v *View) Status() nodegraph.Phase { return v.status }

// Held reports whether the workflow is suspended as a whole.
func (v *View) Held() bool { return v.held }

// Overdue reports whether the deadline of the workflow has passed and was applied.
func (v *View) Overdue() bool { return v.overdue }

// HasDaemons reports whether some template is a daemon.
func (v *View) HasDaemons() bool { return v.daemons }

// HasClosing reports whether some composite only ends: see fact.StageStopped.
func (v *View) HasClosing() bool { return v.closing }

// Finished is when node i ended, 0 while it has not.
func (v *View) Finished(i nodegraph.Index) Stamp { return v.finished[i] }

// Created is when node i was created, 0 before.
func (v *View) Created(i nodegraph.Index) Stamp { return v.details[i].created }

// Serial orders the pods of node i.
func (v *View) Serial(i nodegraph.Index) int64 { return v.details[i].serial }

// Run is the run of node i that is known.
func (v *View) Run(i nodegraph.Index) fact.Run {
	return fact.Run{Serial: v.details[i].serial, Attempt: int(v.details[i].attempt)}
}

// UID is that of the pod of node i, empty while it is unknown.
func (v *View) UID(i nodegraph.Index) string { return *v.uids.at(v.details[i].uid) }

// Phrase is what was said of node i, by its number.
func (v *View) Phrase(i nodegraph.Index) Phrase { return v.details[i].message }

// Text is the words of a phrase.
func (v *View) Text(p Phrase) string { return v.phrases.text(p) }

// Message is what was said of node i.
func (v *View) Message(i nodegraph.Index) string { return v.phrases.text(v.details[i].message) }

// Exit is the exit code of the main container of node i; false while it is unknown.
func (v *View) Exit(i nodegraph.Index) (code int, known bool) {
	return int(v.details[i].exitCode), v.details[i].hasExit
}

// Memo is where node i stands with the look-up of its memoization key.
func (v *View) Memo(i nodegraph.Index) fact.Answer { return v.details[i].memo }

// Hit reports whether node i ended because its memoization key was found.
func (v *View) Hit(i nodegraph.Index) bool { return v.details[i].hit }

// Reason, Conditions, Halted, Remade and Restarts are the fields of those names of the fact of node i.

func (v *View) Reason(i nodegraph.Index) string     { return v.more(i).reason }
func (v *View) Conditions(i nodegraph.Index) string { return v.more(i).conditions }
func (v *View) Halted(i nodegraph.Index) string     { return v.more(i).halted }
func (v *View) Remade(i nodegraph.Index) int64      { return v.more(i).remade }
func (v *View) Restarts(i nodegraph.Index) int      { return v.more(i).restarts }

// Fact returns all that is known of node i.
func (v *View) Fact(i nodegraph.Index) fact.Fact {
	n, d, r := &v.nodes[i], &v.details[i], v.more(i)
	return fact.Fact{
		Created: d.created.Time(), Serial: d.serial, UID: v.UID(i), Attempt: int(d.attempt), Stage: n.stage, Ran: n.ran,
		Ready: n.ready, Phase: n.phase, Message: v.phrases.text(d.message), Reason: r.reason, ExitCode: int(d.exitCode), HasExit: d.hasExit,
		Finished: v.finished[i].Time(), Unsynced: n.unsynced, Synced: d.synced, Remade: r.remade, Restarts: r.restarts, Conditions: r.conditions,
		Halted: r.halted, Released: n.released, Lock: n.lock, Waited: n.waited, Answer: n.answer, Memo: d.memo, Hit: d.hit,
		Seen: n.seen,
	}
}
