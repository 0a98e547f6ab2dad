package propagatetest

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// epoch is the time at which everything begins.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Check tests that the invariants I1 to I7 of package propagate hold in an engine. Nothing that failed may be reported as success
// (I8), and parallelism and locks must be in their bounds (I9). Lines of package truth that are given by their number, such as
// "I9.2", may be broken. The first violation is the error, an [*propagate.InvariantError] or a [*truth.Violation].
//
// Faults that are known are forgiven. A daemon may have died in open Steps. Later attempts of a Retry, and nodes that are
// granted their locks, may exceed the parallelism of what they are inside of.
func Check(e *propagate.Engine, but ...string) error {
	if err := e.Check(); err != nil {
		return err
	}
	for _, v := range truth.Of(e).Violations() {
		at := e.Graph().Find(v.Node)
		switch {
		case slices.Contains(but, v.Line):
		case v.Line == "I8.3" && forgivesDaemon(e, at):
		case v.Line == "I9.2" && notHeldBack(e, at):
		default:
			return &v
		}
	}
	return nil
}

// forgivesDaemon reports whether all that has failed directly inside a node are daemons, or Retries of daemons.
func forgivesDaemon(e *propagate.Engine, i nodegraph.Index) bool {
	for m := range e.Graph().Members(i) {
		if phase, _ := e.Phase(m); phase.Unsuccessful() && !e.Graph().Node(m).Template.IsDaemon() {
			return false
		}
	}
	return true
}

// notHeldBack reports whether inside a node a Retry has made a later attempt, or something has locks.
func notHeldBack(e *propagate.Engine, i nodegraph.Index) bool {
	for m := range e.Graph().Members(i) {
		if n := e.Graph().Node(m); n.Role == nodegraph.RoleAttempt && n.DeclIndex > 0 || e.Fact(m).Lock != fact.LockNone || notHeldBack(e, m) {
			return true
		}
	}
	return false
}
