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

// Read is the store as a View.
func (s *Store) Read() *View { return &s.View }

// New returns a Store without nodes of a workflow with such templates.
func New(held, daemons bool) *Store { return &Store{View: View{Suspended: held, HasDaemons: daemons}} }

// Grow adds the records of the nodes that g has and the store has not. Where the arrays are too small they get room for so
// many nodes.
func (s *Store) Grow(g *nodegraph.Graph, room int) {
	from, n := len(s.nodes), g.Len()
	s.nodes, s.finished, s.details = Grown(s.nodes, n, room), Grown(s.finished, n, room), Grown(s.details, n, room)
	s.written = slices.Grow(s.written, n-from)
	for i := nodegraph.Index(from); int(i) < n; i++ {
		s.nodes[i].describe(g, i)
		s.HasHooks = s.HasHooks || s.nodes[i].Hooked
	}
}

// Grown is a list lengthened to n elements by zeros. If it has to be made anew, it gets room for so many.
func Grown[T any](list []T, n, room int) []T {
	if n > cap(list) {
		list = append(make([]T, 0, max(n, room)), list...)
	}
	return list[:n]
}

// Copied is a copy of a list in the memory of another one. What that has beyond the copy is zero, as Grown expects it.
func Copied[T any](into, list []T) []T {
	used := len(into)
	into = append(into[:0], list...)
	if used > len(into) {
		clear(into[len(into):used])
	}
	return into
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
	n.Stage, n.Phase, n.Lock, n.Answer, n.Halted, n.Ran = f.Stage, f.Phase, f.Lock, f.Answer, f.Halted != "", f.Ran
	n.Ready, n.Unsynced, n.Released, n.Waited, n.SeenEnded, n.Reopened, n.Exists = f.Ready, f.Unsynced, f.Released, f.Waited, f.SeenEnded, f.Reopened, f.Exists()
	s.HasClosing = s.HasClosing || i != nodegraph.Root && n.Closing()
	s.HasReopened = s.HasReopened || n.Reopened
	s.finished[i] = StampOf(f.Finished)
	old := s.details[i]
	d := coldFact{
		serial: f.Serial, created: StampOf(f.Created), uid: old.uid, rare: old.rare, message: s.phrases.say(f.Message),
		attempt: int32(f.Attempt), exitCode: int32(f.ExitCode), memo: f.Memo, hasExit: f.HasExit, synced: f.Synced, hit: f.CacheHit,
	}
	s.uids.put(&d.uid, f.UID)
	s.rare.put(&d.rare, rareFact{reason: f.Reason, conditions: f.Conditions, halted: f.Halted, remade: f.RecreateSerial, restarts: f.Restarts, undated: f.Undated})
	s.details[i] = d
	s.Note(i)
}

// change changes what few nodes have.
func (s *Store) change(i nodegraph.Index, how func(*rareFact)) {
	is := *s.more(i)
	how(&is)
	s.rare.put(&s.details[i].rare, is)
}

// The following methods write what is known of the workflow as a whole, which is no node's fact: who changes it wakes
// everybody.

// SetNow sets the time.
func (s *Store) SetNow(now time.Time) { s.Now, s.Instant = now, StampOf(now) }

// SetStarted notes when the workflow started.
func (s *Store) SetStarted(at time.Time) { s.Started = at }

// SetShutdown notes the strategy of the shutdown in force.
func (s *Store) SetShutdown(strategy string) { s.Shutdown = strategy }

// SetSuspended notes whether the workflow is suspended as a whole.
func (s *Store) SetSuspended(held bool) { s.Suspended = held }

// SetOverdue notes whether the deadline of the workflow was applied.
func (s *Store) SetOverdue(overdue bool) { s.Overdue = overdue }

// SetStatus notes the phase of the workflow before the current call, and reports whether it is another than before.
func (s *Store) SetStatus(p nodegraph.Phase) bool {
	changed := s.Status != p
	s.Status = p
	return changed
}

// Unsee forgets how far the pod of node i has come, for benchmarks: nobody is woken.
func (s *Store) Unsee(i nodegraph.Index) { s.nodes[i].Stage = fact.StageNone }

// Checkpoint returns a function that puts the records of all nodes back as they are now. No node may be added in between.
func (s *Store) Checkpoint() (undo func()) {
	nodes, finished, details := slices.Clone(s.nodes), slices.Clone(s.finished), slices.Clone(s.details)
	return func() {
		copy(s.nodes, nodes)
		copy(s.finished, finished)
		copy(s.details, details)
	}
}

// Create makes node i exist since a time. Its pod, if it gets one, is of this serial at least.
func (s *Store) Create(i nodegraph.Index, at Stamp, serial int64) {
	d := &s.details[i]
	s.nodes[i].Exists, d.created, d.serial = true, at, serial
	s.Note(i)
}

// CreateWaiting makes node i exist although it waits for its locks.
func (s *Store) CreateWaiting(i nodegraph.Index, at Stamp, serial int64) {
	s.nodes[i].Waited = true
	s.Create(i, at, serial)
}

// End makes node i ended, whatever was known of it.
func (s *Store) End(i nodegraph.Index, phase nodegraph.Phase, message string, at time.Time) {
	n := &s.nodes[i]
	n.Stage, n.Phase, s.finished[i] = fact.StageEnded, phase, StampOf(at)
	s.details[i].message = s.phrases.say(message)
	if s.Undated(i) {
		s.change(i, func(r *rareFact) { r.undated = false })
	}
	s.Note(i)
}

// EndAsRecorded makes composite i ended in the phase that is on record for it.
func (s *Store) EndAsRecorded(i nodegraph.Index) {
	s.nodes[i].Stage = fact.StageEnded
	s.Note(i)
}

// Close makes composite i end in the phase that is on record for it as soon as nothing inside it is open.
func (s *Store) Close(i nodegraph.Index) {
	s.nodes[i].Stage, s.HasClosing = fact.StageStopped, true
	s.Note(i)
}

// KeepPhase makes the phase in which composite i has ended last.
func (s *Store) KeepPhase(i nodegraph.Index, p nodegraph.Phase) {
	if n := &s.nodes[i]; n.Phase != p {
		n.Phase = p
		s.Note(i)
	}
}

// Reopen notes that a manual retry has opened composite i again.
func (s *Store) Reopen(i nodegraph.Index) {
	s.nodes[i].Reopened, s.HasReopened = true, true
	s.Note(i)
}

// ForgetRecorded forgets the phase that is on record for composite i, which nobody reads while it has not ended as a whole: its
// members alone say what it is.
func (s *Store) ForgetRecorded(i nodegraph.Index) { s.nodes[i].Phase = nodegraph.PhasePlanned }

// StopWaiting ends a workflow that waits for its locks.
func (s *Store) StopWaiting() {
	s.nodes[nodegraph.Root].Stage = fact.StageStopped
	s.Note(nodegraph.Root)
}

// Say replaces the words about node i.
func (s *Store) Say(i nodegraph.Index, words string) {
	if d := &s.details[i]; s.Text(d.message) != words {
		d.message = s.phrases.say(words)
		s.Note(i)
	}
}

// SetLock says where node i stands with its locks.
func (s *Store) SetLock(i nodegraph.Index, state fact.LockState) {
	if n := &s.nodes[i]; n.Lock != state {
		n.Lock = state
		s.Note(i)
	}
}

// WaitFor makes node i wait for the lock with this key.
func (s *Store) WaitFor(i nodegraph.Index, key, words string) {
	s.SetLock(i, fact.LockWaits)
	s.setReason(i, key)
	s.Say(i, words)
}

// Grant gives node i its locks. What was said of its wait is forgotten.
func (s *Store) Grant(i nodegraph.Index) {
	s.SetLock(i, fact.LockHeld)
	s.setReason(i, "")
	s.Say(i, "")
}

// setReason sets the reason of node i, which is also the lock that it waits for.
func (s *Store) setReason(i nodegraph.Index, reason string) {
	if s.more(i).reason != reason {
		s.change(i, func(r *rareFact) { r.reason = reason })
		s.Note(i)
	}
}

// SetAnswer notes what the host was asked, or said, about a condition or loop of node i.
func (s *Store) SetAnswer(i nodegraph.Index, a fact.Answer) {
	if n := &s.nodes[i]; n.Answer != a {
		n.Answer = a
		s.Note(i)
	}
}

// SetMemo notes what the host was asked, or said, about the memoization key of node i.
func (s *Store) SetMemo(i nodegraph.Index, a fact.Answer) {
	if d := &s.details[i]; d.memo != a {
		d.memo = a
		s.Note(i)
	}
}

// EndHit ends node i, whose memoization key was found.
func (s *Store) EndHit(i nodegraph.Index, at time.Time) {
	s.details[i].hit = true
	s.End(i, nodegraph.PhaseSucceeded, "", at)
}

// SetStored notes whether the results of node i are stored. Once they are, they are not to come any more.
func (s *Store) SetStored(i nodegraph.Index, stored bool) {
	d := &s.details[i]
	d.synced = d.synced || stored
	s.nodes[i].Unsynced = !d.synced
	s.Note(i)
}

// EndResults ends the wait for the results of node i: they are not to come any more.
func (s *Store) EndResults(i nodegraph.Index) {
	if n := &s.nodes[i]; n.Unsynced || !s.details[i].synced {
		s.details[i].synced, n.Unsynced = true, false
		s.Note(i)
	}
}

// Halt notes that the shutdown in force found composite i unfinished.
func (s *Store) Halt(i nodegraph.Index) {
	s.change(i, func(r *rareFact) { r.halted = s.Shutdown })
	s.nodes[i].Halted = true
	s.Note(i)
}

// Release notes that nothing overrides the end of node i: a daemon ended with its boundary, or its hook had no room.
func (s *Store) Release(i nodegraph.Index) {
	s.nodes[i].Released = true
	s.Note(i)
}

// See notes that node i had ended before the last call.
func (s *Store) See(i nodegraph.Index) {
	s.nodes[i].SeenEnded = true
	s.Note(i)
}

// ForgetSeen forgets that node i had ended before a call: it goes on.
func (s *Store) ForgetSeen(i nodegraph.Index) {
	s.nodes[i].SeenEnded = false
	s.Note(i)
}

// CountRestart counts that the pod of node i is made anew without a new attempt.
func (s *Store) CountRestart(i nodegraph.Index) {
	s.change(i, func(r *rareFact) { r.restarts++ })
	s.Note(i)
}

// UncountRestart takes back that the pod of node i was made anew without a new attempt: it was not such a pod.
func (s *Store) UncountRestart(i nodegraph.Index) {
	s.change(i, func(r *rareFact) { r.restarts = max(r.restarts-1, 0) })
	s.Note(i)
}

// AskedToRemake notes that the host was asked to make the pod of node i again, and reports whether that was not known. No
// verdict reads that.
func (s *Store) AskedToRemake(i nodegraph.Index) bool {
	serial := s.details[i].serial
	if s.more(i).remade > serial {
		return false
	}
	s.change(i, func(r *rareFact) { r.remade = serial + 1 })
	return true
}

// SetFinished notes when node i ended, if nothing has told that. It is read after the verdict on the node alone, and a Retry that
// has just ended ends so again, so that nobody has to be woken.
func (s *Store) SetFinished(i nodegraph.Index, at Stamp) {
	if s.finished[i] == 0 {
		s.finished[i] = at
	}
}

// ClearFinished forgets when node i ended.
func (s *Store) ClearFinished(i nodegraph.Index) {
	if s.finished[i] != 0 {
		s.finished[i] = 0
		s.Note(i)
	}
}
