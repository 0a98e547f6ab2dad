package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// What a record does not say, and follows from all that it says.

// keepOmitted keeps tasks omitted that are recorded so and that wait for hooks alone: a hook of what they come after is due only now, or
// runs again because of a manual retry.
func (e *Engine) keepOmitted(recorded func(id string) bool) {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		waits := e.facts.Node(i).IsTask && e.rules.Brief(i).Phase() == nodegraph.PhasePlanned
		if waits && recorded(e.graph.Node(i).ID()) && e.afterEnded(i) {
			e.facts.SetAnswer(i, fact.AnswerOmit)
		}
	}
	e.sweep(0)
}

// afterEnded reports whether all that task i comes after is fulfilled, hooks aside.
func (e *Engine) afterEnded(i nodegraph.Index) bool {
	for d := range e.graph.Dependencies(i) {
		if !e.rules.Brief(d).Fulfilled() {
			return false
		}
	}
	return true
}

// reopenRecorded notes of StepGroups that a manual retry has opened them again, which a record does not tell: one that is recorded as
// open comes before another that exists, and not because a newer pod lives there. Only daemons and hooks run again before what stays.
func (e *Engine) reopenRecorded() {
	open := func(i nodegraph.Index) bool { return e.facts.Node(i).Exists && !e.facts.Node(i).Phase.Completed() }
	lives := func(group nodegraph.Index) bool {
		for m := e.graph.First(group); m != nodegraph.None; m = e.graph.Next(m) {
			if n := e.graph.Node(m); n.Role != nodegraph.RoleHook && !n.Template.IsDaemon() && open(m) {
				return true
			}
		}
		return false
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		n := e.graph.Node(i)
		if n.Role != nodegraph.RoleGroup || !open(i) {
			continue
		}
		last := int(n.DeclIndex)+1 == len(n.Template.Steps)
		if e.afterReopened(i) || !last && !lives(i) && e.facts.Node(e.graph.MemberAt(n.Parent, n.DeclIndex+1)).Exists {
			e.facts.Reopen(i)
		}
	}
}

// afterReopened reports whether node i is a StepGroup that comes after one that a manual retry has opened again.
func (e *Engine) afterReopened(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	if n.Role != nodegraph.RoleGroup {
		return false
	}
	for k := n.DeclIndex - 1; k >= 0; k-- {
		if e.facts.Node(e.graph.MemberAt(n.Parent, k)).Reopened {
			return true
		}
	}
	return false
}

// isOpenGroup reports whether node i is a group in something that is not recorded to have ended, and the rules say of the group
// what is on record. One that a manual retry has left as it had ended is not.
func (e *Engine) isOpenGroup(i nodegraph.Index) bool {
	f := e.facts.Node(i)
	group := f.Kind == nodegraph.KindTaskGroup || f.Kind == nodegraph.KindStepGroup
	return group && !e.facts.Node(f.Parent).Phase.Completed() && !e.afterReopened(i) && e.saysAsRecorded(i)
}

// saysAsRecorded reports whether the rules say of composite i what is on record.
func (e *Engine) saysAsRecorded(i nodegraph.Index) bool {
	f, v := e.facts.Node(i), e.rules.Brief(i)
	return v.Fulfilled() && v.Phase() == f.Phase && e.rules.MessageWords(i) == e.facts.Message(i)
}
