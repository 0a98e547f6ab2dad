package rule

import "github.com/nodestatus/nodestatus/nodegraph"

// taskGroupRule: a TaskGroup is done when all its items are; of those that failed the last declared one decides. While a
// hook of an item is still to start, the group holds what it is inside of open, as the hook will.
func (e *Evaluator) taskGroupRule(i nodegraph.Index) Ruling {
	if m, open := e.firstOpen(i); open {
		return running(taskGroup1, m)
	}
	v, hooks := settled(nodegraph.PhaseSucceeded, Message{}, taskGroup3, nodegraph.None), want(0)
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.briefs[m].Phase().Unsuccessful() {
			v = settled(e.briefs[m].Phase(), Message{}, taskGroup2, m)
		}
		if e.briefs[m].want()&wantHook != 0 {
			hooks = wantWithin
		}
	}
	v.Brief = v.wanting(hooks)
	return v
}
