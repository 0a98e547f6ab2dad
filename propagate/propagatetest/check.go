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

// Check tests that the invariants I1 to I7 of package propagate hold in an engine, that nothing that failed is reported as success
// (I8), and that parallelism and locks are in their bounds (I9). Lines that are given by their number, such as "I9.2", may be
// broken: package truth has the lines. The first violation is the error, an [*propagate.InvariantError] or a [*truth.Violation].
//
// What is known is forgiven: a daemon that died in open Steps; and that neither a later attempt of a Retry nor a node that is
// granted its locks is held back by the parallelism of what it is inside of.
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
		if phase, _ := e.Phase(m); phase.Unsuccessful() && !e.Graph().Node(m).Template.Daemon {
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
