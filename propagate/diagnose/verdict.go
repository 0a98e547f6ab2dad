package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
)

// A Verdict says in a word how a workflow stands. The texts are stable: programs may compare them.
type Verdict string

// The verdicts, the worst first.
const (
	// VerdictStuck: it is not complete, and by itself it never will be.
	VerdictStuck Verdict = "stuck"
	// VerdictWrong: the record contradicts itself, or calls a success what failed.
	VerdictWrong Verdict = "wrong"
	// VerdictOverdue: what should have happened by now has not.
	VerdictOverdue Verdict = "overdue"
	// VerdictWaiting: nothing is wrong, and nothing of it runs: it waits for a person, a lock or the time.
	VerdictWaiting Verdict = "waiting"
	// VerdictHealthy: it goes on.
	VerdictHealthy Verdict = "healthy"
	// VerdictComplete: it has ended, and nothing is wrong.
	VerdictComplete Verdict = "complete"
)

// verdicts is their order.
var verdicts = []Verdict{VerdictStuck, VerdictWrong, VerdictOverdue, VerdictWaiting, VerdictHealthy, VerdictComplete}

// Compare orders verdicts, the worst first.
func (v Verdict) Compare(other Verdict) int {
	return cmp.Compare(slices.Index(verdicts, v), slices.Index(verdicts, other))
}

// Bad reports whether somebody has to do something about it.
func (v Verdict) Bad() bool { return v == VerdictStuck || v == VerdictWrong || v == VerdictOverdue }

// Verdict says how the workflow stands.
func (r *Report) Verdict() Verdict {
	completed := r.Workflow.Recorded.Phase.Completed()
	overdueOnly := !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.Kind.Overdue() })
	contradiction := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind.contradicts() })
	switch {
	case r.Stuck:
		return VerdictStuck
	case r.Hopeless():
		return VerdictStuck
	case contradiction, completed && !overdueOnly:
		return VerdictWrong
	case len(r.Findings) > 0:
		return VerdictOverdue
	case completed:
		return VerdictComplete
	case r.onlyWaits():
		return VerdictWaiting
	}
	return VerdictHealthy
}

// Hopeless reports whether the workflow waits for something that can never come true. Nothing is recorded wrongly then: the
// specification is at fault.
func (r *Report) Hopeless() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Kind == LockForEver || f.Kind == PlacesForEver || f.Kind == StoppedBeforeBegin || f.Kind == Unwatched
	})
}

// onlyWaits reports whether nothing goes on but time, and others.
func (r *Report) onlyWaits() bool {
	if r.in.Snapshot.Suspended {
		return true
	}
	for _, w := range r.Waits {
		switch w.For {
		case propagate.WaitLock, propagate.WaitResume, propagate.WaitSuspended, propagate.WaitTimer:
		default:
			return false
		}
	}
	return len(r.Waits) > 0
}

// Cause returns what a line about the workflow says: the first finding, else what it waits for; and since when that is so.
func (r *Report) Cause() (cause string, since time.Time) {
	if len(r.Findings) > 0 {
		f := &r.Findings[0]
		return string(f.Kind) + " " + f.Name, f.Since
	}
	if len(r.Waits) == 0 {
		return "", r.in.Snapshot.Finished
	}
	w := &r.Waits[0]
	cause = w.For.String() + " " + w.Name
	if w.For == propagate.WaitLock && w.Lock != "" {
		cause += " " + w.Lock
		for _, h := range w.HeldBy {
			cause += ", held by " + h
		}
	}
	return cause, w.Since
}

// Uncertain reports whether pods are recorded as open and it is not known which pods exist: whether anything of the workflow still
// runs is not known then.
func (r *Report) Uncertain() bool {
	if r.pods.known || r.Workflow.Recorded.Phase.Completed() {
		return false
	}
	return slices.ContainsFunc(r.Waits, func(w Wait) bool { return w.For == propagate.WaitPod })
}
