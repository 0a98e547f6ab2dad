package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// workflowRule: the workflow waits for its locks. Then it ends as its entry node does, once its hooks and its exit handler
// have ended. An exit handler that fails makes a workflow that succeeded fail.
func (e *Evaluator) workflowRule() Ruling {
	waiting := e.told(nodegraph.Root)
	switch root := e.facts.Node(nodegraph.Root); {
	case root.Stage == fact.StageEnded: // it was complete when it was loaded, or its locks can't be had: that is final
		return settled(root.Phase, waiting, workflow1, nodegraph.None)
	case root.Stage == fact.StageStopped: // terminated before it ever held its locks
		return settled(nodegraph.PhaseFailed, stoppedBy(e.facts.Shutdown), workflow2, nodegraph.None)
	case e.facts.Started.IsZero() && root.Lock == fact.LockNone:
		return planned(workflow3, nodegraph.None, 0)
	case root.Lock == fact.LockAsked, root.Lock == fact.LockWaits:
		return pending(workflow4, waiting)
	}
	entry := e.briefs[nodegraph.Entry]
	if !entry.Fulfilled() {
		return running(workflow5, nodegraph.Entry)
	}
	exit := nodegraph.None
	for m := e.graph.First(nodegraph.Root); m != nodegraph.None; m = e.graph.Next(m) {
		if !e.briefs[m].Fulfilled() {
			return running(workflow6, m)
		}
		if _, h := e.graph.Owner(m); h != nil && h == e.graph.OnExit() {
			exit = m
		}
	}
	if entry&wantHook != 0 {
		return running(workflow6, nodegraph.Entry)
	}
	if entry.Phase().Unsuccessful() {
		message := e.messages[nodegraph.Entry]
		if e.facts.Shutdown != "" {
			message = stoppedBy(e.facts.Shutdown)
		}
		return settled(entry.Phase(), message, workflow7, nodegraph.Entry)
	}
	if exit != nodegraph.None && e.briefs[exit].Phase().Unsuccessful() {
		return settled(e.briefs[exit].Phase(), e.messages[exit], workflow8, exit)
	}
	return settled(nodegraph.PhaseSucceeded, Message{}, workflow9, nodegraph.Entry)
}
