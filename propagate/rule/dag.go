package rule

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// dagRule is chapter DAG, but for the lines on templates that fail fast.
func (e *Evaluator) dagRule(i nodegraph.Index) Ruling {
	if m := e.firstOpen(i, false); m != nodegraph.None {
		return running(dag3, m)
	}
	if e.facts.Node(i).Halted {
		return settled(nodegraph.PhaseFailed, Message{}, dag4, nodegraph.None)
	}
	return e.dagResult(i)
}

// dagResult decides how DAG i ends, all of whose tasks have ended (Argo: assessDAGPhase; the numbers 8 and 9 of the
// deviations). In the order of its targets:
//
//  1. A target that is Failed or in Error counts as that, unless its continueOn covers it.
//  2. A target that was skipped or omitted counts as the nearest failure before it: the one that is reached over the fewest
//     tasks, through skipped and omitted tasks alone, and of several as near the one that is visited first. A failure that both
//     its own continueOn and that of the target cover does not count. Nothing inside a task counts, and no hook.
//  3. Any other target has succeeded.
//
// With failFast the first target that counts as a failure decides, without it the last.
func (e *Evaluator) dagResult(i nodegraph.Index) Ruling {
	result := settled(nodegraph.PhaseSucceeded, Message{}, dag7, nodegraph.None)
	var all []origins
	plan, first := e.graph.PlanOf(i)
	for _, place := range plan.Targets() {
		target := first + nodegraph.Index(place)
		p, covers := e.briefs[target].Phase(), e.graph.Node(target).Task.ContinueOn
		switch {
		case p.Unsuccessful() && !covers.Covers(p):
			result = settled(p, Message{}, dag5, target)
		case passedOn(p):
			if all == nil {
				all = e.originsIn(i)
			}
			b := e.nearestOf(plan, all[place], covers)
			if b.steps == 0 {
				continue
			}
			by := first + nodegraph.Index(b.place)
			result = settled(e.briefs[by].Phase(), Message{}, dag6, by)
		default:
			continue
		}
		if !e.graph.Node(i).Template.NoFailFast {
			break
		}
	}
	return result
}

// nearestOf is the nearest of the failures before a target whose continueOn does not cover them.
func (e *Evaluator) nearestOf(plan *nodegraph.Plan, before origins, target nodegraph.ContinueOn) origin {
	b := before[0]
	if !target.Failed {
		b = nearer(plan, b, before[1])
	}
	if !target.Error {
		b = nearer(plan, b, before[2])
	}
	return b
}

// nearer is the one of two failures that fewer steps lead to, or that is visited first.
func nearer(plan *nodegraph.Plan, a, b origin) origin {
	if b.steps > 0 && (a.steps == 0 || b.steps < a.steps || b.steps == a.steps && plan.VisitOrder(b.place) < plan.VisitOrder(a.place)) {
		return b
	}
	return a
}

// originClass is the class in origins of a task that ended in phase p.
func originClass(c nodegraph.ContinueOn, p nodegraph.Phase) int {
	switch {
	case !c.Covers(p):
		return 0
	case p == nodegraph.PhaseFailed:
		return 1
	}
	return 2
}

// passedOn reports whether a task in phase p never ran, so that what it comes after counts in its place.
func passedOn(p nodegraph.Phase) bool {
	return p == nodegraph.PhaseSkipped || p == nodegraph.PhaseOmitted
}

// originsIn returns, by place, the failures that reach each skipped or omitted task of DAG i. Each task stands behind all that it
// comes after, so one pass sees every edge once. The slice is good until the next call.
func (e *Evaluator) originsIn(i nodegraph.Index) []origins {
	plan, first := e.graph.PlanOf(i)
	all := slices.Grow(e.origins[:0], plan.Len())[:plan.Len()]
	e.origins = all
	for place := range all {
		all[place] = origins{}
		if !passedOn(e.briefs[first+nodegraph.Index(place)].Phase()) {
			continue
		}
		for _, d := range plan.Dependencies(int32(place)) {
			switch p := e.briefs[first+nodegraph.Index(d)].Phase(); {
			case p.Unsuccessful():
				class := &all[place][originClass(e.graph.Node(first+nodegraph.Index(d)).Task.ContinueOn, p)]
				*class = nearer(plan, *class, origin{d, 1})
			default: // what ran has none
				for k, b := range all[d] {
					if b.steps > 0 {
						b.steps++
					}
					all[place][k] = nearer(plan, all[place][k], b)
				}
			}
		}
	}
	return all
}
