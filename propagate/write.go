package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// The methods of this file, join and put are all that writes facts. Each notes the node when its fact has changed, so
// that nobody has to remember who reads it: see readers.go.

// note remembers that the fact of node i has changed.
func (w *store) note(i nodegraph.Index) {
	if n := &w.nodes[i]; n.marks&markWritten == 0 {
		n.marks |= markWritten
		w.written = append(w.written, i)
	}
}

// create makes node i exist since a time. Its pod, if it gets one, is of this serial at least.
func (w *store) create(i nodegraph.Index, at stamp, serial int64) {
	d := &w.details[i]
	w.nodes[i].exists, d.created, d.serial = true, at, serial
	w.note(i)
}

// end makes node i ended, whatever was known of it.
func (w *store) end(i nodegraph.Index, phase nodegraph.Phase, message string, at time.Time) {
	f := &w.nodes[i]
	f.Stage, f.Phase, w.finished[i] = StageEnded, phase, stampOf(at)
	w.details[i].message = w.phrases.say(message)
	w.note(i)
}

// endAsRecorded makes composite i ended in the phase that is on record for it.
func (w *store) endAsRecorded(i nodegraph.Index) {
	w.nodes[i].Stage = StageEnded
	w.note(i)
}

// close makes composite i end in the phase that is on record for it as soon as nothing inside it is open.
func (w *store) close(i nodegraph.Index) {
	w.nodes[i].Stage, w.closing = StageStopped, true
	w.note(i)
}

// forgetRecorded forgets the phase that is on record for composite i, which nobody reads as long as it has not ended as a
// whole: its members alone say what it is.
func (w *store) forgetRecorded(i nodegraph.Index) { w.nodes[i].Phase = nodegraph.Planned }

// setStatus notes the phase of the workflow before the current call, which is no node's fact, and reports whether it is another
// than before: then everybody is woken (see readers.go).
func (w *store) setStatus(p nodegraph.Phase) bool {
	changed := w.status != p
	w.status = p
	return changed
}

// stopWaiting ends a workflow that waits for its locks.
func (w *store) stopWaiting() {
	w.root().Stage = StageStopped
	w.note(nodegraph.Root)
}

// say replaces the words about node i.
func (w *store) say(i nodegraph.Index, words string) {
	if d := &w.details[i]; w.phrases.text(d.message) != words {
		d.message = w.phrases.say(words)
		w.note(i)
	}
}

// setLock says where node i stands with its locks.
func (w *store) setLock(i nodegraph.Index, state LockState) {
	if f := &w.nodes[i]; f.Lock != state {
		f.Lock = state
		w.note(i)
	}
}

// waitFor makes node i wait for the lock with this key.
func (w *store) waitFor(i nodegraph.Index, key, words string) {
	w.setLock(i, LockWaits)
	w.setReason(i, key)
	w.say(i, words)
}

// grant gives node i its locks. What was said of its wait is forgotten.
func (w *store) grant(i nodegraph.Index) {
	w.setLock(i, LockHeld)
	w.setReason(i, "")
	w.say(i, "")
}

// setReason sets the reason of node i, which is also the lock that it waits for.
func (w *store) setReason(i nodegraph.Index, reason string) {
	d := &w.details[i]
	if rare := *w.more(d); rare.reason != reason {
		rare.reason = reason
		w.rare.put(&d.rare, rare)
		w.note(i)
	}
}

// createWaiting makes node i exist although it waits for its locks.
func (w *store) createWaiting(i nodegraph.Index, at stamp, serial int64) {
	w.nodes[i].Waited = true
	w.create(i, at, serial)
}

// setAnswer notes what the host was asked, or said, about a condition or loop of node i.
func (w *store) setAnswer(i nodegraph.Index, a Answer) {
	if f := &w.nodes[i]; f.Answer != a {
		f.Answer = a
		w.note(i)
	}
}

// setMemo notes what the host was asked, or said, about the memoization key of node i.
func (w *store) setMemo(i nodegraph.Index, a Answer) {
	if d := &w.details[i]; d.memo != a {
		d.memo = a
		w.note(i)
	}
}

// hit ends node i, whose memoization key was found.
func (w *store) hit(i nodegraph.Index, words string, at time.Time) {
	w.details[i].hit = true
	w.end(i, nodegraph.Succeeded, words, at)
}

// setStored notes whether the results of node i are stored. Once they are, they are not to come any more.
func (w *store) setStored(i nodegraph.Index, stored bool) {
	d := &w.details[i]
	d.synced = d.synced || stored
	w.nodes[i].Unsynced = !d.synced
	w.note(i)
}

// endResults ends the wait for the results of node i: they are not to come any more.
func (w *store) endResults(i nodegraph.Index) {
	if n := &w.nodes[i]; n.Unsynced || !w.details[i].synced {
		w.details[i].synced, n.Unsynced = true, false
		w.note(i)
	}
}

// halt notes that a shutdown with this strategy found composite i unfinished.
func (w *store) halt(i nodegraph.Index, strategy string) {
	d := &w.details[i]
	rare := *w.more(d)
	rare.halted = strategy
	w.rare.put(&d.rare, rare)
	w.nodes[i].Halted = true
	w.note(i)
}

// release notes that nothing overrides the end of node i: a daemon ended with its boundary, or its hook had no room.
func (w *store) release(i nodegraph.Index) {
	w.nodes[i].Released = true
	w.note(i)
}

// see notes that node i had ended before the last call.
func (w *store) see(i nodegraph.Index) {
	w.nodes[i].Seen = true
	w.note(i)
}

// sawRun notes that the pod of node i was seen to run.
func (w *store) sawRun(i nodegraph.Index) {
	if n := &w.nodes[i]; !n.Ran {
		n.Ran = true
		w.note(i)
	}
}

// exited notes the exit code of the main container of node i.
func (w *store) exited(i nodegraph.Index, code int) {
	if d := &w.details[i]; !d.hasExit || d.exitCode != int32(code) {
		d.hasExit, d.exitCode = true, int32(code)
		w.note(i)
	}
}

// redate gives the pod of node i another place among the pods of the node, and its name where that is known.
func (w *store) redate(i nodegraph.Index, serial int64, uid string) {
	d := &w.details[i]
	d.serial = serial
	if uid != "" {
		w.uids.put(&d.uid, uid)
	}
	w.note(i)
}

// beginFirstRun makes what was stopped before it was heard of be in its first run.
func (w *store) beginFirstRun(i nodegraph.Index) {
	if d := &w.details[i]; d.attempt == 0 {
		d.attempt = 1
	}
}

// countRestart counts that the pod of node i is made anew without a new attempt.
func (w *store) countRestart(i nodegraph.Index) {
	d := &w.details[i]
	rare := *w.more(d)
	rare.restarts++
	w.rare.put(&d.rare, rare)
	w.note(i)
}

// askedToRemake notes that the host was asked to make the pod of node i again. It reports whether that was not known.
func (w *store) askedToRemake(i nodegraph.Index) bool {
	d := &w.details[i]
	rare := *w.more(d)
	if rare.remade > d.serial {
		return false
	}
	rare.remade = d.serial + 1
	w.rare.put(&d.rare, rare)
	return true
}

// setFinished notes when node i ended, if nothing has told that; clearFinished forgets it. What a node ended with is read after its
// verdict alone, so that nobody has to be woken.
func (w *store) setFinished(i nodegraph.Index, at stamp) {
	if w.finished[i] == 0 {
		w.finished[i] = at
	}
}

func (w *store) clearFinished(i nodegraph.Index) { w.finished[i] = 0 }
