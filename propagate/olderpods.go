package propagate

import (
	"maps"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// Pods that a node had, and those that must end.

// remember notes serials of pods that a node had.
func (e *Engine) remember(id string, serials map[string]int64) {
	if e.older == nil {
		e.older = make(olderPods)
	}
	if e.older[id] == nil {
		e.older[id] = make(map[string]int64)
	}
	maps.Copy(e.older[id], serials)
}

// afterOlder is the first serial after those of the pods that node i had.
func (e *Engine) afterOlder(i nodegraph.Index) int64 {
	next := int64(0)
	if len(e.older) > 0 {
		for _, serial := range e.older[e.graph.Node(i).ID()] {
			next = max(next, serial+1)
		}
	}
	return next
}

// endUnwanted asks, once, for the end of a pod of node i that is alive and was not known, if the node has ended and stays so.
func (e *Engine) endUnwanted(i nodegraph.Index, o *store.Observation) {
	id, v := e.graph.Node(i).ID(), e.rules.Brief(i)
	if _, told := e.older[id][o.UID]; told || !v.Fulfilled() || v.Daemoned() || e.facts.Node(i).Stage < fact.StageGone {
		return
	}
	e.remember(id, map[string]int64{o.UID: o.Serial})
	e.actOn(ActionTerminate, i, textUnwanted)
}

// textUnwanted says why a pod is to end that nobody asked for.
const textUnwanted = "its node has ended"

// toldToEnd reports whether the host was told to end the pod of node i, which may be alive still. What was created only to be refused
// had none.
func (e *Engine) toldToEnd(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	if n.Kind != nodegraph.KindPod || !n.Exists {
		return false
	}
	return n.Released || n.Stage == fact.StageStopped && !e.rules.Refused(i)
}

// whyToEnd says why the pod of a node must end.
func (e *Engine) whyToEnd(i nodegraph.Index) string {
	switch n := e.facts.Node(i); {
	case n.Released:
		return textBoundary
	case n.Stage == fact.StageStopped:
		return e.rules.MessageWords(i)
	}
	return textUnwanted
}

// textBoundary says why the pod of a ready daemon is to end.
const textBoundary = "its boundary has ended"
