package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// servedRule: HTTP and Plugin nodes are what the host reports of them.
func (e *Evaluator) servedRule(i nodegraph.Index) Ruling {
	f, message := e.facts.Node(i), e.told(i)
	if f.Stage >= fact.StageEnded {
		return settled(f.Phase, message, served1, nodegraph.None)
	}
	return pending(served2, message)
}
