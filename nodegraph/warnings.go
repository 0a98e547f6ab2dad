package nodegraph

import (
	"fmt"
	"strings"
)

// Warnings lists what [Spec.Validate] and [New] accept and what will not do what its author wants. These are conditions that do
// not parse, templates that can't run, and fields that mean nothing for a template of their kind. New refuses structure alone,
// as Argo does: a condition that does not parse is an error of its node when the node is to start. Conditions with
// {{variables}} are left out, since only the host knows their text.
//
// The list is in the order of the templates. It is meant for a specification that is valid.
func (s *Spec) Warnings() []*SpecError {
	w := warner{seen: make(map[*Template]bool, len(s.Templates))}
	w.hooks("", "", s.Hooks)
	for _, t := range s.Templates {
		w.template(t)
	}
	return w.list
}

// warner goes through a specification for what New accepts.
type warner struct {
	list []*SpecError
	seen map[*Template]bool
}

func (w *warner) warn(template, node, field, reason string, err error) {
	w.list = append(w.list, &SpecError{Template: template, Node: node, Field: field, Reason: reason, Err: err})
}

func (w *warner) template(t *Template) {
	if t == nil || w.seen[t] {
		return
	}
	w.seen[t] = true
	if t.Err != "" {
		w.warn(t.Name, "", "template", "no node of it can run: "+bounded(t.Err), nil)
	}
	if t.Retry != nil && t.Retry.Expression != nil {
		w.expression(t)
	}
	w.meaningless(t)
	for k := range t.Tasks {
		w.task(t, &t.Tasks[k])
	}
	for _, group := range t.Steps {
		for k := range group {
			w.task(t, &group[k])
		}
	}
}

// expression warns of a retry expression that can't be compiled: the node ends in Error when it is asked.
func (w *warner) expression(t *Template) {
	if x := t.Retry.Expression; !strings.Contains(x.String(), "{{") && x.Err() != nil {
		w.warn(t.Name, "", "retryStrategy.expression", "is no condition", x.Err())
	}
}

// meaningless warns of fields that nobody reads in a template of this kind.
func (w *warner) meaningless(t *Template) {
	composite := t.Kind.Composite()
	for _, f := range []struct {
		set   bool
		field string
	}{
		{t.Daemon && t.Kind != KindPod, "daemon"},
		{composite && t.Timeout > 0 && len(t.Locks) == 0, "timeout"},
		{composite && t.PendingTimeout > 0 && len(t.Locks) == 0, "pendingTimeout"},
		{!composite && t.Parallelism > 0, "parallelism"},
		{!composite && t.FailFast, "failFast"},
	} {
		if f.set {
			w.warn(t.Name, "", f.field, fmt.Sprintf("means nothing for a %s", t.Kind), nil)
		}
	}
}

func (w *warner) task(t *Template, task *Task) {
	if _, err := EvalWhen(task.When); err != nil {
		w.warn(t.Name, task.Name, "when", "is no condition", err)
	}
	w.hooks(t.Name, task.Name, task.Hooks)
	w.template(task.Inline)
}

func (w *warner) hooks(template, node string, hooks []Hook) {
	for _, h := range hooks {
		if h.Expression == "" || strings.Contains(h.Expression, "{{") {
			continue
		}
		if err := CompileHook(h.Expression).Err(); err != nil {
			w.warn(template, node, "hooks."+h.Name, "is no condition", err)
		}
	}
}
