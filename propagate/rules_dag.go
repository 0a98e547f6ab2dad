package propagate

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// dagRule: how a DAG settles (Argo: assessDAGPhase).
//
//  0. Its template fails fast: see failFastRule.
//  1. While a task it needs is not fulfilled, or a hook of a task is not, it runs.
//  2. Then one that a shutdown found unfinished has failed.
//  3. Its targets decide: see dagResult.
func (w *evalContext) dagRule(i nodegraph.Index) ruling {
	if v, decided := w.failFastRule(i, false); decided {
		return v
	}
	if m, open := w.firstOpen(i); open {
		return w.boundaryOpen(i, m)
	}
	if w.facts.nodes[i].Halted {
		return settled(nodegraph.Failed, message{}, RuleShutdown, nodegraph.None)
	}
	return w.dagResult(i)
}

// plannedRule: what becomes of a node that was not created. It stays planned until everything it comes after is
// fulfilled; then it is omitted, skipped, in error, or ready to start. An error that the host or its own limits caused
// stays, even if a daemon that it comes after begins anew.
func (w *evalContext) plannedRule(i nodegraph.Index, n *node) ruling {
	if n.parent != nodegraph.Root && !w.facts.nodes[n.parent].exists {
		return planned(RulePlanned, n.parent, 0)
	}
	if n.Stage == StageEnded {
		return settled(n.Phase, w.facts.told(i), RuleInvalid, nodegraph.None)
	}
	if n.traits&traitTask != 0 {
		if v, decided := w.dependsRule(i, n); decided {
			return v
		}
	}
	switch w.graph.Node(i).Role {
	case nodegraph.RoleEntry:
		if w.facts.started.IsZero() {
			return planned(RulePlanned, nodegraph.Root, 0)
		}
	case nodegraph.RoleGroup:
		if v, decided := w.previousGroupRule(i); decided {
			return v
		}
	case nodegraph.RoleStep:
		if w.replaced(i) {
			return ruling{verdict: newVerdict(nodegraph.Planned, RulePlanned) | verdictFulfilled, by: n.parent}
		}
	}
	return w.admitRule(i)
}

// dependsRule: a task waits until every task its depends names is fulfilled with its hooks; then the condition
// decides whether it goes on or is omitted (Argo: evaluateDependsLogic).
func (w *evalContext) dependsRule(i nodegraph.Index, n *node) (ruling, bool) {
	if n.traits&traitCounts == 0 {
		return planned(RulePlanned, nodegraph.None, 0), true
	}
	plan, first := w.graph.Planned(n.parent)
	condition := plan.Condition(int32(i - first))
	if condition == nil {
		return ruling{}, false
	}
	deps := plan.Dependencies(int32(i - first))
	if n.Answer == AnswerOmit {
		return settled(nodegraph.Omitted, said(omitted), RuleOmitted, w.omittedBy(i)), true
	}
	for _, place := range deps {
		if d := first + nodegraph.Index(place); !w.clear(d, &w.facts.nodes[d], w.verdicts[d]) {
			return planned(RulePlanned, w.openHook(d), 0), true
		}
	}
	if w.holds(condition, first, deps) {
		return ruling{}, false
	}
	return settled(nodegraph.Omitted, said(omitted), RuleOmitted, w.omittedBy(i)), true
}

// holds tells whether a condition holds, now that all the tasks it tests are fulfilled. Most conditions are plain, and one
// test that fails decides them.
func (w *evalContext) holds(c *nodegraph.Condition, first nodegraph.Index, deps []int32) bool {
	if c.Plain() {
		for _, place := range deps {
			if !w.verdicts[first+nodegraph.Index(place)].bare() {
				return false
			}
		}
		return true
	}
	w.scratch = w.scratch[:0]
	for _, place := range deps {
		r := w.results(first + nodegraph.Index(place))
		w.scratch = append(w.scratch, nodegraph.DepState{Must: r, May: r})
	}
	return c.Eval(w.scratch) == nodegraph.True
}

// openHook is a hook of node d that has not ended where d itself has, or else d.
func (w *evalContext) openHook(d nodegraph.Index) nodegraph.Index {
	if w.verdicts[d].fulfilled() {
		for _, h := range w.graph.Hooks(d) {
			if !w.verdicts[h].fulfilled() {
				return h
			}
		}
	}
	return d
}

// omittedBy is the task because of which task i is omitted: the first it comes after whose bare name does not hold, or else
// the first.
func (w *evalContext) omittedBy(i nodegraph.Index) nodegraph.Index {
	first, deps := w.graph.First(w.facts.nodes[i].parent), w.graph.DependencyRow(i)
	for _, place := range deps {
		if d := first + nodegraph.Index(place); !w.verdicts[d].bare() {
			return d
		}
	}
	return first + nodegraph.Index(deps[0])
}

// bare tells whether a fulfilled task with this verdict is what its bare name stands for in a depends.
func (v verdict) bare() bool { return resultOf[v.phase()]&nodegraph.BareResults != 0 || v.daemoned() }

// results returns what a depends condition may say of task d, which is fulfilled.
func (w *evalContext) results(d nodegraph.Index) nodegraph.Results {
	v := w.verdicts[d]
	r := resultOf[v.phase()]
	if v.daemoned() {
		r |= nodegraph.ResultDaemoned
	}
	if w.facts.nodes[d].kind == nodegraph.TaskGroup && w.graph.First(d) != nodegraph.None {
		any, all := false, true
		for m := w.graph.First(d); m != nodegraph.None; m = w.graph.Next(m) {
			p := w.verdicts[m].phase()
			any = any || p == nodegraph.Succeeded
			all = all && p == nodegraph.Failed
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
var resultOf = [verdictPhase + 1]nodegraph.Results{
	nodegraph.Succeeded: nodegraph.ResultSucceeded,
	nodegraph.Failed:    nodegraph.ResultFailed,
	nodegraph.Error:     nodegraph.ResultErrored,
	nodegraph.Skipped:   nodegraph.ResultSkipped,
	nodegraph.Omitted:   nodegraph.ResultOmitted,
}

// previousGroupRule: a StepGroup waits for the one before it, and never starts after one that failed.
func (w *evalContext) previousGroupRule(i nodegraph.Index) (ruling, bool) {
	n := w.graph.Node(i)
	if n.Slot == 0 {
		return ruling{}, false
	}
	before := w.graph.Slot(n.Parent, n.Slot-1)
	if v := w.verdicts[before]; !v.fulfilled() || v.phase().Unsuccessful() {
		return planned(RulePlanned, before, 0), true
	}
	return ruling{}, false
}

// admitRule: a node that nothing holds back is skipped where its loop is empty or its when is false, in error where
// its specification can't run, and ready otherwise. A condition with unresolved variables is the host's to answer.
func (w *evalContext) admitRule(i nodegraph.Index) ruling {
	n, f := w.graph.Node(i), &w.facts.nodes[i]
	ask := planned(RuleWaitCondition, nodegraph.None, wantAnswer)
	if f.Answer == AnswerSkip {
		r := RuleWhenFalse
		if w.facts.details[i].message == noItems {
			r = RuleNoItems
		}
		return settled(nodegraph.Skipped, w.facts.told(i), r, nodegraph.None)
	}
	if n.Template.Err != "" {
		return settled(nodegraph.Error, message{kind: messageTemplate, node: i}, RuleInvalid, nodegraph.None)
	}
	if n.Nesting() > w.graph.Limits().Nesting {
		return settled(nodegraph.Error, said(tooDeep), RuleInvalid, nodegraph.None)
	}
	if n.Kind == nodegraph.TaskGroup {
		return w.loopRule(i, n.Task, ask)
	}
	if n.Task != nil && f.Answer != AnswerRun {
		switch result, err := nodegraph.EvalWhen(w.when(i)); {
		case err != nil:
			return settled(nodegraph.Error, message{kind: messageWhenInvalid, node: i}, RuleInvalid, nodegraph.None)
		case result == nodegraph.WhenUnresolved:
			return ask
		case result == nodegraph.WhenFalse:
			return settled(nodegraph.Skipped, message{kind: messageWhenFalse, node: i}, RuleWhenFalse, nodegraph.None)
		}
	}
	return planned(RuleReady, nodegraph.None, wantStart)
}

// loopRule: a task or step with a loop is skipped without items, and starts its items otherwise; each of them has a
// when of its own.
func (w *evalContext) loopRule(i nodegraph.Index, t *nodegraph.Task, ask ruling) ruling {
	empty := settled(nodegraph.Skipped, said(noItems), RuleNoItems, nodegraph.None)
	known := t.Loop.Unresolved == ""
	switch {
	case w.graph.Node(i).Expanded() && w.graph.First(i) == nodegraph.None:
		return empty
	case !known && !w.graph.Node(i).Expanded():
		if r, err := nodegraph.EvalWhen(t.When); err == nil && r == nodegraph.WhenFalse {
			return empty
		}
		return ask
	case known && len(t.Loop.Items) == 0:
		return empty
	}
	return planned(RuleReady, nodegraph.None, wantStart)
}

// withItem fills {{item}} and {{item.key}} into text, and leaves what it does not know.
func withItem(text string, item *nodegraph.Item) string {
	if item == nil {
		return text
	}
	var b strings.Builder
	for {
		before, rest, _ := strings.Cut(text, "{{")
		tag, after, closed := strings.Cut(rest, "}}")
		b.WriteString(before)
		if !closed {
			b.WriteString(text[len(before):])
			return b.String()
		}
		if value, known := ofItem(item, strings.TrimSpace(tag)); known {
			b.WriteString(value)
		} else {
			b.WriteString(text[len(before) : len(text)-len(after)])
		}
		text = after
	}
}

// ofItem is what a name stands for in the conditions of an item.
func ofItem(item *nodegraph.Item, name string) (value string, known bool) {
	if name == "item" {
		return item.Text, true
	}
	if key, of := strings.CutPrefix(name, "item."); of {
		value, known = item.Fields[key]
	}
	return value, known
}
