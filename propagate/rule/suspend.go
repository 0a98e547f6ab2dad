package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// suspendRule: a Suspend node runs until it is resumed, its duration has passed, or the workflow stops it.
func (e *Evaluator) suspendRule(i nodegraph.Index) Ruling {
	f := e.facts.Node(i)
	if f.Stage() >= fact.StageStopped {
		r := RuleResumed
		if f.Stage() == fact.StageStopped {
			r = RuleStopped
		}
		return settled(f.Phase(), e.told(i), r, nodegraph.None)
	}
	v := running(RuleSuspended, nodegraph.None)
	if d := e.graph.Node(i).Template.Suspend; d > 0 {
		until := e.facts.Created(i).Plus(d)
		if e.facts.Instant() >= until {
			return settled(nodegraph.Succeeded, Message{}, RuleResumed, nodegraph.None)
		}
		v.Wake = until
	}
	return v
}
