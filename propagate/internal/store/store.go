package store

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Store is a View that can be written. Each method notes the nodes whose facts it changes, so that nobody has to remember
// who reads them: package sched takes the notes.
type Store struct {
	View
	written []nodegraph.Index // nodes whose facts have changed since TakeWritten, each once
}

// New returns a Store without nodes of a workflow with such templates.
func New(held, daemons bool) *Store { return &Store{View: View{held: held, daemons: daemons}} }

// Grow adds the records of the nodes that g has and the store has not. Where the arrays are too small they get room for so
// many nodes.
func (s *Store) Grow(g *nodegraph.Graph, room int) {
	from, n := len(s.nodes), g.Len()
	s.nodes, s.finished, s.details = Grown(s.nodes, n, room), Grown(s.finished, n, room), Grown(s.details, n, room)
	s.written = slices.Grow(s.written, n-from)
	for i := nodegraph.Index(from); int(i) < n; i++ {
		s.nodes[i].describe(g, i)
	}
}

// Grown is a list lengthened to n elements by zeros. If it has to be made anew, it gets room for so many.
func Grown[T any](list []T, n, room int) []T {
	if n > cap(list) {
		list = append(make([]T, 0, max(n, room)), list...)
	}
	return list[:n]
}

// Note marks the fact of node i as changed.
func (s *Store) Note(i nodegraph.Index) {
	if n := &s.nodes[i]; !n.written {
		n.written = true
		s.written = append(s.written, i)
	}
}

// Written reports whether any fact has changed since TakeWritten.
func (s *Store) Written() bool { return len(s.written) > 0 }

// TakeWritten calls do for every node whose fact has changed since the last call, in the order of the changes.
func (s *Store) TakeWritten(do func(nodegraph.Index)) {
	for k := 0; k < len(s.written); k++ {
		i := s.written[k]
		s.nodes[i].written = false
		do(i)
	}
	s.written = s.written[:0]
}

// ReleaseScratch gives back memory that a large call needed.
func (s *Store) ReleaseScratch() { s.written = nil }

// Put replaces all that is known of node i.
func (s *Store) Put(i nodegraph.Index, f *fact.Fact) {
	n := &s.nodes[i]
	n.stage, n.phase, n.lock, n.answer, n.halted, n.ran = f.Stage, f.Phase, f.Lock, f.Answer, f.Halted != "", f.Ran
	n.ready, n.unsynced, n.released, n.waited, n.seen, n.exists = f.Ready, f.Unsynced, f.Released, f.Waited, f.Seen, f.Exists()
	s.closing = s.closing || i != nodegraph.Root && n.Closing()
	s.finished[i] = StampOf(f.Finished)
	old := s.details[i]
	d := detail{
		serial: f.Serial, created: StampOf(f.Created), uid: old.uid, rare: old.rare, message: s.phrases.say(f.Message),
		attempt: int32(f.Attempt), exitCode: int32(f.ExitCode), memo: f.Memo, hasExit: f.HasExit, synced: f.Synced, hit: f.Hit,
	}
	s.uids.put(&d.uid, f.UID)
	s.rare.put(&d.rare, rareDetail{reason: f.Reason, conditions: f.Conditions, halted: f.Halted, remade: f.Remade, restarts: f.Restarts})
	s.details[i] = d
	s.Note(i)
}

// change changes what few nodes have.
func (s *Store) change(i nodegraph.Index, how func(*rareDetail)) {
	is := *s.more(i)
	how(&is)
	s.rare.put(&s.details[i].rare, is)
}

// The following methods write what is known of the workflow as a whole, which is no node's fact: who changes it wakes
// everybody.

// SetNow sets the time.
func (s *Store) SetNow(now time.Time) { s.now, s.instant = now, StampOf(now) }

// SetStarted notes when the workflow started.
func (s *Store) SetStarted(at time.Time) { s.started = at }

// SetShutdown notes the strategy of the shutdown in force.
func (s *Store) SetShutdown(strategy string) { s.shutdown = strategy }

// SetHeld notes whether the workflow is suspended as a whole.
func (s *Store) SetHeld(held bool) { s.held = held }

// SetOverdue notes whether the deadline of the workflow was applied.
func (s *Store) SetOverdue(overdue bool) { s.overdue = overdue }

// SetStatus notes the phase of the workflow before the current call, and reports whether it is another than before.
func (s *Store) SetStatus(p nodegraph.Phase) bool {
	changed := s.status != p
	s.status = p
	return changed
}

// Checkpoint returns a function that puts the records of all nodes back as they are now. No node may be added in between.
func (s *Store) Checkpoint() (undo func()) {
	nodes, finished, details := slices.Clone(s.nodes), slices.Clone(s.finished), slices.Clone(s.details)
	return func() {
		copy(s.nodes, nodes)
		copy(s.finished, finished)
		copy(s.details, details)
	}
}
