package rule

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// admitRule: a node that nothing holds back is skipped where its loop is empty or its when is false, in error where
// its specification can't run, and ready otherwise. A condition with unresolved variables is the host's to answer.
func (e *Evaluator) admitRule(i nodegraph.Index) Ruling {
	n, f := e.graph.Node(i), e.facts.Node(i)
	if f.Answer == fact.AnswerSkip {
		l := planned11
		if e.facts.Message(i) == textNoItems {
			l = planned10
		}
		return settled(nodegraph.PhaseSkipped, e.told(i), l, nodegraph.None)
	}
	if n.Template.Err != "" && !(n.Kind == nodegraph.KindTaskGroup && n.Task.OwnTemplates()) {
		return settled(nodegraph.PhaseError, about(messageTemplate, i), planned12, nodegraph.None)
	}
	if e.hookError(i) != nil {
		return settled(nodegraph.PhaseError, about(messageHookInvalid, i), planned12, nodegraph.None)
	}
	if n.Nesting() > e.graph.Limits().Nesting {
		return settled(nodegraph.PhaseError, Message{kind: messageTooDeep}, planned13, nodegraph.None)
	}
	if n.Kind == nodegraph.KindTaskGroup {
		return e.loopRule(i, n.Task)
	}
	if f.Answer != fact.AnswerRun {
		switch result, err := nodegraph.EvalWhen(e.When(i)); {
		case err != nil:
			return settled(nodegraph.PhaseError, about(messageWhenInvalid, i), planned16, nodegraph.None)
		case result == nodegraph.WhenUnresolved:
			return planned(planned17, nodegraph.None, wantAnswer)
		case result == nodegraph.WhenFalse:
			return settled(nodegraph.PhaseSkipped, about(messageWhenFalse, i), planned18, nodegraph.None)
		}
	}
	if f.Answer != fact.AnswerRun && len(e.unresolved(i)) > 0 {
		v := planned(planned17, nodegraph.None, wantAnswer)
		v.Message = about(messageUnresolved, i)
		return v
	}
	return planned(planned19, nodegraph.None, wantStart)
}

// loopRule: a task or step with a loop is skipped without items, and starts its items otherwise; each of them has a
// when of its own.
func (e *Evaluator) loopRule(i nodegraph.Index, t *nodegraph.Task) Ruling {
	empty := settled(nodegraph.PhaseSkipped, Message{kind: messageNoItems}, planned14, nodegraph.None)
	known := t.Loop.Unresolved == ""
	switch {
	case e.graph.Node(i).Expanded() && e.graph.First(i) == nodegraph.None:
		return empty
	case !known && !e.graph.Node(i).Expanded():
		if r, err := nodegraph.EvalWhen(t.When); err == nil && r == nodegraph.WhenFalse {
			return empty
		}
		return planned(planned15, nodegraph.None, wantAnswer)
	case known && len(t.Loop.Items) == 0:
		return empty
	}
	return planned(planned19, nodegraph.None, wantStart)
}

// unresolved are the fields about which the host is asked before node i starts: those of its template.
func (e *Evaluator) unresolved(i nodegraph.Index) []nodegraph.Unresolved {
	if t := e.ownTemplate(i); t != nil {
		return t.Unresolved
	}
	return nil
}

// Question is what the host is asked before node i starts: its condition, or the expression of which it is the hook. Where fields
// of its template are only known to the host, it is each of those, after the condition or expression if that is open too.
func (e *Evaluator) Question(i nodegraph.Index) string {
	fields := e.unresolved(i)
	when, expression := e.When(i), e.hookQuestion(i)
	if len(fields) == 0 {
		return when + expression // a hook has no when
	}
	var parts []string
	switch {
	case strings.Contains(when, "{{"):
		parts = append(parts, "when: "+when)
	case expression != "":
		parts = append(parts, "expression: "+expression)
	}
	for _, f := range fields {
		parts = append(parts, f.Field+": "+f.Text)
	}
	return strings.Join(parts, "; ")
}

// MayAsk reports whether the host may be asked about node i before it starts: see [Evaluator.Question]. What the expression of a hook
// names may be known at one time and not at another.
func (e *Evaluator) MayAsk(i nodegraph.Index) bool {
	_, h := e.graph.Owner(i)
	return h != nil && h.Expression != "" || strings.Contains(e.When(i), "{{") || len(e.unresolved(i)) > 0
}

// When is the condition of node i with its item filled in; empty for a node that can have none.
func (e *Evaluator) When(i nodegraph.Index) string {
	if e.graph.Node(i).Task == nil {
		return ""
	}
	return withItem(e.graph.Node(i).Task.When, e.graph.Item(i))
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
