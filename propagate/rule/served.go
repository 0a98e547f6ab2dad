package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// servedRule: HTTP and Plugin nodes are what the host reports of them.
func (e *Evaluator) servedRule(i nodegraph.Index) Ruling {
	f, message := e.facts.Node(i), e.told(i)
	switch {
	case f.Stage() >= fact.StageStopped:
		return settled(f.Phase(), message, served1, nodegraph.None)
	case f.Stage() == fact.StageGone: // the pod that serves it ended
		return settled(nodegraph.PhaseError, message, served2, nodegraph.None)
	}
	return pending(served3, message)
}
