package diagnose

import (
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// note says what an operator should know and is no fault.
func (d *diagnosis) note() {
	s := &d.in.Snapshot
	add := func(format string, args ...any) {
		d.report.Notes = append(d.report.Notes, fmt.Sprintf(format, args...))
	}
	if s.Shutdown != "" && s.Phase != nodegraph.PhasePlanned {
		add("spec.shutdown is %s: the workflow was stopped, and so is every copy that is submitted with it", s.Shutdown)
	}
	if s.Suspended {
		add("spec.suspend is true: nothing is begun until somebody resumes the workflow, and no copy that is submitted with it begins")
	}
	waitsForLock := slices.ContainsFunc(d.report.Waits, func(w Wait) bool { return w.For == propagate.WaitLock })
	if d.in.Spec.Priority != 0 && waitsForLock {
		add("spec.priority is %d: workflows with a higher one get the lock first", d.in.Spec.Priority)
	}
	if !d.in.Deleted.IsZero() {
		add("the workflow was deleted at %s and still exists", d.in.Deleted.UTC().Format("2006-01-02T15:04:05Z"))
	}
	d.noteUnresolved(add)
}
