package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// suspendRule: a Suspend node runs until it is resumed, its duration has passed, or the workflow stops it.
func (e *Evaluator) suspendRule(i nodegraph.Index) Ruling {
	f := e.facts.Node(i)
	switch f.Stage {
	case fact.StageStopped:
		return settled(f.Phase, e.told(i), suspend1, nodegraph.None)
	case fact.StageEnded:
		return settled(f.Phase, e.told(i), suspend2, nodegraph.None)
	}
	v := running(suspend4, nodegraph.None)
	if d := e.graph.Node(i).Template.Suspend; d > 0 {
		until := e.facts.Created(i).Plus(d)
		if e.facts.Instant >= until || d == nodegraph.AtOnce {
			return settled(nodegraph.PhaseSucceeded, Message{}, suspend3, nodegraph.None)
		}
		v.Wake = until
	}
	return v
}
