package rule

import "github.com/nodestatus/nodestatus/nodegraph"

// taskGroupRule: a TaskGroup is done when all its items are; of those that failed the last declared one decides. While a
// hook of an item, or its own exit hook, is still to start, the group holds what it is inside of open, as the hook will. A
// group of daemons that was done stays so, whatever becomes of them; one that is tried again holds open what the group is inside of.
func (e *Evaluator) taskGroupRule(i nodegraph.Index) Ruling {
	lasts := e.facts.Node(i).Phase == nodegraph.PhaseSucceeded && e.graph.Node(i).Template.IsDaemon()
	if m := e.firstOpen(i, lasts); m != nodegraph.None {
		return running(taskGroup1, m)
	}
	v, hooks := settled(nodegraph.PhaseSucceeded, Message{}, taskGroup3, nodegraph.None), Brief(0)
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.briefs[m].Phase().Unsuccessful() && !lasts {
			v = settled(e.briefs[m].Phase(), Message{}, taskGroup2, m)
		}
		if e.briefs[m]&wantHook != 0 || !e.briefs[m].Fulfilled() {
			hooks = wantWithin
		}
	}
	if e.ExitHookLater(i, v.Brief) {
		hooks = wantWithin
	}
	v.Brief |= hooks
	return v
}
