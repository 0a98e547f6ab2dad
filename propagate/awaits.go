package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// awaitsLocks reports whether the host was asked for the locks of a node and has not granted them.
func awaitsLocks(n *store.Node) bool { return n.Lock == fact.LockAsked || n.Lock == fact.LockWaits }

// awaitsLookup reports whether a node, if it has a memoization key, is not to go on before that was looked up: it does not exist, or
// has waited for its locks and has them.
func awaitsLookup(n *store.Node) bool { return !n.Exists || n.Lock == fact.LockGranted }

// looksUp reports whether the host was asked to look up the memoization key of node i, which does not go on before: what was stopped
// meanwhile needs no answer.
func (e *Engine) looksUp(i nodegraph.Index) bool {
	return e.facts.Memo(i) == fact.AnswerAsked && awaitsLookup(e.facts.Node(i)) && !e.rules.Brief(i).Fulfilled()
}
