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
	finished []Stamp    // when the node ended, 0 for one that did not
	details  []coldFact // the rest of the node's fact
	phrases  interner
	uids     sideTable[string]
	rare     sideTable[rareFact]
	now      time.Time
	instant  Stamp           // now
	started  time.Time       // zero before the workflow holds its locks
	shutdown string          // "", "Stop" or "Terminate"
	status   nodegraph.Phase // of the workflow before the current call
	held     bool            // suspended as a whole
	overdue  bool            // the deadline was applied
	daemons  bool            // some template is a daemon
	hooked   bool            // some node has hooks, or may have
	closing  bool            // some composite only ends: see fact.StageStopped
	reopened bool            // a manual retry has opened some composite again
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

// Suspended reports whether the workflow is suspended as a whole.
func (v *View) Suspended() bool { return v.held }

// Overdue reports whether the deadline of the workflow has passed and was applied.
func (v *View) Overdue() bool { return v.overdue }

// HasDaemons reports whether some template is a daemon.
func (v *View) HasDaemons() bool { return v.daemons }

// HasHooks reports whether some node has hooks, or may have.
func (v *View) HasHooks() bool { return v.hooked }

// HasClosing reports whether some composite only ends: see fact.StageStopped.
func (v *View) HasClosing() bool { return v.closing }

// HasReopened reports whether a manual retry has opened some composite again.
func (v *View) HasReopened() bool { return v.reopened }

// Finished is when node i ended, 0 while it has not.
func (v *View) Finished(i nodegraph.Index) Stamp { return v.finished[i] }

// Undated reports whether node i is a pod that ended nobody knows when.
func (v *View) Undated(i nodegraph.Index) bool { return v.more(i).undated }

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

// CacheHit reports whether node i ended because its memoization key was found.
func (v *View) CacheHit(i nodegraph.Index) bool { return v.details[i].hit }

// Reason is the field of that name of the fact of node i.
func (v *View) Reason(i nodegraph.Index) string { return v.more(i).reason }

// Conditions is the field of that name of the fact of node i.
func (v *View) Conditions(i nodegraph.Index) string { return v.more(i).conditions }

// Halted is the field of that name of the fact of node i.
func (v *View) Halted(i nodegraph.Index) string { return v.more(i).halted }

// RecreateSerial is the field of that name of the fact of node i.
func (v *View) RecreateSerial(i nodegraph.Index) int64 { return v.more(i).remade }

// Restarts is the field of that name of the fact of node i.
func (v *View) Restarts(i nodegraph.Index) int { return v.more(i).restarts }

// Fact returns all that is known of node i.
func (v *View) Fact(i nodegraph.Index) fact.Fact {
	n, d, r := &v.nodes[i], &v.details[i], v.more(i)
	return fact.Fact{
		Created: d.created.Time(), Serial: d.serial, UID: v.UID(i), Attempt: int(d.attempt), Stage: n.stage, Ran: n.ran,
		Ready: n.ready, Phase: n.phase, Message: v.phrases.text(d.message), Reason: r.reason, ExitCode: int(d.exitCode), HasExit: d.hasExit,
		Finished: v.finished[i].Time(), Unsynced: n.unsynced, Synced: d.synced, RecreateSerial: r.remade, Restarts: r.restarts, Conditions: r.conditions,
		Halted: r.halted, Released: n.released, Lock: n.lock, Waited: n.waited, Answer: n.answer, Memo: d.memo, CacheHit: d.hit,
		SeenEnded: n.seen, Reopened: n.reopened, Undated: r.undated,
	}
}

// A Node is what the rules read of a node all the time: what it is in the graph, and the part of its Fact that decides most.
// Others can read it and only this package writes it.
type Node struct {
	parent   nodegraph.Index
	depth    uint16
	kind     nodegraph.Kind
	traits   traits
	stage    fact.Stage
	phase    nodegraph.Phase
	lock     fact.LockState
	answer   fact.Answer
	halted   bool
	ran      bool
	ready    bool
	unsynced bool
	released bool
	waited   bool
	seen     bool
	exists   bool
	reopened bool
	written  bool // it is in Store.written
}

// traits say which rules a node has anything to do with.
type traits uint8

const (
	traitTask traits = 1 << iota
	traitCounts
	traitHooked
	traitHook
	traitDaemon
	traitAlone
	traitAttempt
)

// Parent is what the node is directly inside of.
func (n *Node) Parent() nodegraph.Index { return n.parent }

// Depth is how many nodes the node is inside of.
func (n *Node) Depth() int { return int(n.depth) }

// Kind is what kind of node it is.
func (n *Node) Kind() nodegraph.Kind { return n.kind }

// IsTask reports whether the node is a task of a DAG.
func (n *Node) IsTask() bool { return n.traits&traitTask != 0 }

// Counts reports whether the parent waits for the node.
func (n *Node) Counts() bool { return n.traits&traitCounts != 0 }

// Hooked reports whether the node has hooks, or may have.
func (n *Node) Hooked() bool { return n.traits&traitHooked != 0 }

// IsHook reports whether the node is a hook.
func (n *Node) IsHook() bool { return n.traits&traitHook != 0 }

// IsDaemon reports whether the node is a pod that is a daemon.
func (n *Node) IsDaemon() bool { return n.traits&traitDaemon != 0 }

// Alone reports whether nothing is ever inside the node.
func (n *Node) Alone() bool { return n.traits&traitAlone != 0 }

// IsAttempt reports whether the node is an attempt of a Retry.
func (n *Node) IsAttempt() bool { return n.traits&traitAttempt != 0 }

// Stage is the field of that name of the fact.
func (n *Node) Stage() fact.Stage { return n.stage }

// Phase is the field of that name of the fact.
func (n *Node) Phase() nodegraph.Phase { return n.phase }

// Lock is the field of that name of the fact.
func (n *Node) Lock() fact.LockState { return n.lock }

// Answer is the field of that name of the fact.
func (n *Node) Answer() fact.Answer { return n.answer }

// Halted reports whether a shutdown found the composite unfinished.
func (n *Node) Halted() bool { return n.halted }

// Ran is the field of that name of the fact.
func (n *Node) Ran() bool { return n.ran }

// Ready is the field of that name of the fact.
func (n *Node) Ready() bool { return n.ready }

// Unsynced is the field of that name of the fact.
func (n *Node) Unsynced() bool { return n.unsynced }

// Released is the field of that name of the fact.
func (n *Node) Released() bool { return n.released }

// Reopened is the field of that name of the fact.
func (n *Node) Reopened() bool { return n.reopened }

// Waited is the field of that name of the fact.
func (n *Node) Waited() bool { return n.waited }

// SeenEnded is the field of that name of the fact, of a composite.
func (n *Node) SeenEnded() bool { return n.seen }

// EndedOnRecord is SeenEnded of a pod: a record tells of its end.
func (n *Node) EndedOnRecord() bool { return n.seen }

// AnsweredAfterEnd is SeenEnded of a hook: its owner had ended when the host answered.
func (n *Node) AnsweredAfterEnd() bool { return n.seen }

// Exists reports whether the node was created: the host was asked to start it, or it was loaded.
func (n *Node) Exists() bool { return n.exists }

// Waits reports whether the node was created and has not gone on, because of its locks.
func (n *Node) Waits() bool { return n.exists && n.lock != fact.LockNone && n.lock != fact.LockHeld }

// Closing reports whether the node is a composite that only ends: see fact.StageStopped.
func (n *Node) Closing() bool { return n.stage == fact.StageStopped && n.kind.Composite() }

// describe fills in what node i of g is.
func (n *Node) describe(g *nodegraph.Graph, i nodegraph.Index) {
	is := g.Node(i)
	n.parent, n.depth, n.kind, n.traits = is.Parent, uint16(is.Depth()), is.Kind, traitCounts
	switch is.Role {
	case nodegraph.RoleTask:
		plan, first := g.PlanOf(is.Parent)
		n.traits |= traitTask
		if !plan.IsNeeded(int32(i - first)) {
			n.traits &^= traitCounts
		}
	case nodegraph.RoleHook:
		n.traits |= traitHook
	case nodegraph.RoleAttempt:
		n.traits |= traitAttempt
	}
	if is.Hooked() || i == nodegraph.Entry && (len(g.Spec().Hooks) > 0 || g.OnExit() != nil) {
		n.traits |= traitHooked
	}
	if is.Kind == nodegraph.KindPod && is.Template.Daemon {
		n.traits |= traitDaemon
	}
	if plan, _ := g.PlanOf(i); plan == nil && !is.Kind.Composite() {
		n.traits |= traitAlone
	}
}

// A Stamp is a time in nanoseconds since 1970, 0 for none.
type Stamp int64

const (
	endOfTime  Stamp = 1<<63 - 1
	maxSeconds       = int64(endOfTime) / int64(time.Second) // that fit into a Stamp
)

// StampOf is a time as a Stamp. What lies before 1970 or after the end of the range becomes the nearest Stamp.
func StampOf(t time.Time) Stamp {
	switch seconds := t.Unix(); {
	case seconds >= maxSeconds:
		return endOfTime
	case seconds >= 0:
		return Stamp(max(seconds*int64(time.Second)+int64(t.Nanosecond()), 1))
	case t.IsZero():
		return 0
	}
	return 1
}

// Plus is the Stamp so much later, or the end of the range.
func (s Stamp) Plus(d time.Duration) Stamp {
	if later := s + Stamp(d); later >= s || d < 0 {
		return later
	}
	return endOfTime
}

// Time is the Stamp as a time in UTC, zero for none.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}
