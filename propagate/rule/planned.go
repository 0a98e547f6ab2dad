package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// plannedRule: what becomes of a node that was not created. It stays planned until everything it comes after is
// fulfilled; then it is omitted, skipped, in error, or ready to start. An error that the host or its own limits caused
// stays, even if a daemon that it comes after begins anew.
func (e *Evaluator) plannedRule(i nodegraph.Index, n *store.Node) Ruling {
	if n.Parent != nodegraph.Root && !e.facts.Node(n.Parent).Exists {
		return planned(planned1, n.Parent, 0)
	}
	if n.Stage == fact.StageEnded {
		return settled(n.Phase, e.told(i), planned2, nodegraph.None)
	}
	if n.IsTask {
		if v, decided := e.dependsRule(i, n); decided {
			return v
		}
	}
	switch e.graph.Node(i).Role {
	case nodegraph.RoleEntry:
		if e.facts.Started.IsZero() {
			return planned(planned7, nodegraph.Root, 0)
		}
	case nodegraph.RoleGroup:
		if v, decided := e.previousGroupRule(i); decided {
			return v
		}
	case nodegraph.RoleHook:
		if v, decided := e.hookRule(i, n); decided {
			return v
		}
	case nodegraph.RoleStep:
		if e.replaced(i) {
			return Ruling{Brief: newBrief(nodegraph.PhasePlanned, planned9) | briefFulfilled, By: n.Parent}
		}
	}
	return e.admitRule(i)
}

// hookRule: a hook whose expression names what only the host knows waits for its word. One that does not hold stays planned, as
// if nobody had asked.
func (e *Evaluator) hookRule(i nodegraph.Index, n *store.Node) (Ruling, bool) {
	switch {
	case n.Answer == fact.AnswerSkip:
		return Ruling{Brief: newBrief(nodegraph.PhasePlanned, planned9) | briefFulfilled, By: nodegraph.None}, true
	case n.Answer == fact.AnswerAsked, n.Answer == fact.AnswerNone && e.hookQuestion(i) != "":
		return planned(planned17, nodegraph.None, wantAnswer), true
	}
	return Ruling{}, false
}

// dependsRule: a task waits until every task its depends names is fulfilled with its hooks; then the condition
// decides whether it goes on or is omitted (Argo: evaluateDependsLogic).
func (e *Evaluator) dependsRule(i nodegraph.Index, n *store.Node) (Ruling, bool) {
	if !n.Counts {
		return planned(planned3, nodegraph.None, 0), true
	}
	plan, first := e.graph.PlanOf(n.Parent)
	deps := plan.Dependencies(int32(i - first))
	if len(deps) == 0 {
		return Ruling{}, false
	}
	switch n.Answer {
	case fact.AnswerOmit:
		return settled(nodegraph.PhaseOmitted, Message{kind: messageOmitted}, planned4, e.omittedBy(first, deps)), true
	case fact.AnswerSkip:
		return Ruling{}, false
	}
	for _, place := range deps {
		if d := first + nodegraph.Index(place); !e.Clear(d, e.briefs[d]) {
			return planned(planned5, e.openHook(d), 0), true
		}
	}
	if e.holds(plan.Condition(int32(i-first)), first, deps) {
		return Ruling{}, false
	}
	return settled(nodegraph.PhaseOmitted, Message{kind: messageOmitted}, planned6, e.omittedBy(first, deps)), true
}

// Lasts reports whether task i, which was decided before it was created, stays so. It does if it comes after a daemon, whose end
// undoes nothing that was decided while it was ready. It also does if it comes after what may have hooks yet, for which nobody
// waited. Any other decision follows from what is known of the tasks before it, in whatever order that is told.
func (e *Evaluator) Lasts(i nodegraph.Index) bool {
	for d := range e.graph.Dependencies(i) {
		if e.graph.Node(d).Template.IsDaemon() || e.facts.Node(d).Hooked && e.mayHaveHooks(d) {
			return true
		}
	}
	return false
}

// holds reports whether a condition holds, now that all the tasks it tests are fulfilled: see [nodegraph.Plan.Condition].
func (e *Evaluator) holds(c *nodegraph.Condition, first nodegraph.Index, deps []int32) bool {
	if c == nil {
		for _, place := range deps {
			if !e.briefs[first+nodegraph.Index(place)].satisfiesByName() {
				return false
			}
		}
		return true
	}
	e.states = e.states[:0]
	for _, place := range deps {
		r := e.results(first + nodegraph.Index(place))
		e.states = append(e.states, nodegraph.DepState{Must: r, May: r})
	}
	return c.Eval(e.states) == nodegraph.True
}

// openHook is a hook of node d that has not ended where d itself has, or else d.
func (e *Evaluator) openHook(d nodegraph.Index) nodegraph.Index {
	if e.briefs[d].Fulfilled() {
		for _, h := range e.graph.Hooks(d) {
			if !e.briefs[h].Fulfilled() {
				return h
			}
		}
	}
	return d
}

// omittedBy is the task because of which a task that comes after these is omitted: the first whose bare name does not hold,
// or else the first.
func (e *Evaluator) omittedBy(first nodegraph.Index, deps []int32) nodegraph.Index {
	for _, place := range deps {
		if d := first + nodegraph.Index(place); !e.briefs[d].satisfiesByName() {
			return d
		}
	}
	return first + nodegraph.Index(deps[0])
}

// satisfiesByName reports whether a fulfilled task with verdict v is what its bare name stands for in a depends.
func (v Brief) satisfiesByName() bool {
	return resultOf[v.Phase()]&nodegraph.BareResults != 0 || v.Daemoned()
}

// results returns what a depends condition may say of task d, which is fulfilled.
func (e *Evaluator) results(d nodegraph.Index) nodegraph.Results {
	v := e.briefs[d]
	r := resultOf[v.Phase()]
	if v.Daemoned() {
		r |= nodegraph.ResultDaemoned
	}
	if e.facts.Node(d).Kind == nodegraph.KindTaskGroup && e.graph.First(d) != nodegraph.None {
		any, all := false, true
		for m := e.graph.First(d); m != nodegraph.None; m = e.graph.Next(m) {
			p := e.briefs[m].Phase()
			any = any || p == nodegraph.PhaseSucceeded
			all = all && p == nodegraph.PhaseFailed
		}
		if any {
			r |= nodegraph.ResultAnySucceeded
		}
		if all {
			r |= nodegraph.ResultAllFailed
		}
	}
	return r
}

// resultOf is what a depends condition may say of a task in a phase.
var resultOf = [briefPhase + 1]nodegraph.Results{
	nodegraph.PhaseSucceeded: nodegraph.ResultSucceeded,
	nodegraph.PhaseFailed:    nodegraph.ResultFailed,
	nodegraph.PhaseError:     nodegraph.ResultErrored,
	nodegraph.PhaseSkipped:   nodegraph.ResultSkipped,
	nodegraph.PhaseOmitted:   nodegraph.ResultOmitted,
}

// previousGroupRule: a StepGroup waits for the one before it, and never starts after any that failed: a daemon that ends by
// itself fails the group in which it is, even if others have come after that.
func (e *Evaluator) previousGroupRule(i nodegraph.Index) (Ruling, bool) {
	n := e.graph.Node(i)
	for k := n.DeclIndex - 1; k >= 0; k-- {
		before := e.graph.MemberAt(n.Parent, k)
		if v := e.briefs[before]; !v.Fulfilled() || v.Phase().Unsuccessful() {
			return planned(planned8, before, 0), true
		}
		if !e.facts.HasDaemons {
			break
		}
	}
	return Ruling{}, false
}

// Clear reports whether what comes after node i, on which the verdict is v, may go on: it is fulfilled and so are its hooks.
func (e *Evaluator) Clear(i nodegraph.Index, v Brief) bool {
	return v.Fulfilled() && (!e.facts.HasHooks || e.hooksDone(i))
}
