package nodegraph

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// maxInline bounds templates that are written inside tasks of templates that are written inside tasks.
const maxInline = 100

// Validate checks everything that does not depend on the state of a run: names, references, numbers, the order of tasks and
// cycles. [New] does the same and more. Conditions that do not parse are no error: [Spec.Warnings] lists them. The error is a
// [*SpecError] that names the template, the node and the field of the first fault, and wraps a [*CycleError] or
// [*ParseError] where one is the cause.
func (s *Spec) Validate() error {
	_, err := s.check(Limits{}.withDefaults())
	return err
}

// checker goes through a specification. It also makes the plans, since most faults show when names are resolved.
type checker struct {
	limits         Limits
	anyNames       bool // Spec.AnyNames
	templates      templates
	features       Features
	hookConditions map[string]*HookCondition // by expression
	transient      *regexp.Regexp            // Spec.TransientErrors; nil for none
	made           []made                    // as in a Graph, of every template that was checked
	madeOf         map[*Template]int32       // as in a Graph
	edges          int                       // of all plans
	open           []*Template               // the inline templates that the one being checked is inside of
}

// templates finds templates by their names. Most are looked for many times in a row.
type templates struct {
	byName map[string]*Template
	last   *Template // the one that was found last
}

// find returns the template with this name, nil if there is none.
func (t *templates) find(name string) *Template {
	if t.last == nil || t.last.Name != name {
		t.last = t.byName[name]
	}
	return t.last
}

// Features are what a specification makes use of, in any of its templates, those inside tasks included: whoever keeps a
// workflow may do without what it does not need.
type Features struct {
	Daemons          bool // some template is a daemon
	FailFast         bool // some template fails fast (Argo: template.failFast)
	Parallelism      bool // some template, or the workflow, limits how many pods are active
	Locks            bool // some template, or the workflow, has locks
	LockedComposites bool // some template of a DAG or of Steps has locks
	HookExpressions  bool // some hook of a task or step has an expression, which may name other tasks or steps
	WorkflowStatus   bool // the expression of a hook of some task or step refers to workflow.status
}

func (s *Spec) check(limits Limits) (*checker, error) {
	n := len(s.Templates)
	c := &checker{
		limits: limits, templates: templates{byName: make(map[string]*Template, n)}, hookConditions: make(map[string]*HookCondition),
		made: make([]made, 1, 1+n), madeOf: make(map[*Template]int32, n),
	}
	if err := c.names(s); err != nil {
		return nil, err
	}
	if err := s.checkNumbers(); err != nil {
		return nil, err
	}
	if err := c.transientErrors(s); err != nil {
		return nil, err
	}
	if err := c.hooks("", "", s.Hooks); err != nil {
		return nil, err
	}
	c.features.Parallelism, c.features.Locks = s.Parallelism > 0, len(s.Locks) > 0
	for _, t := range s.Templates {
		if err := c.template(t); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// transientErrors compiles the pattern of the messages of transient errors.
func (c *checker) transientErrors(s *Spec) error {
	if s.TransientErrors == "" {
		return nil
	}
	if err := c.limits.admit(s.TransientErrors); err != nil {
		return &SpecError{Field: "transientErrors", Reason: pastLimit, Err: err}
	}
	pattern, err := regexp.Compile(s.TransientErrors)
	if err != nil {
		return &SpecError{Field: "transientErrors", Reason: "is no regular expression", Err: err}
	}
	c.transient = pattern
	return nil
}

// names collects the templates and checks the references of the workflow itself.
func (c *checker) names(s *Spec) error {
	c.anyNames = s.AnyNames
	if reason := c.badName(s.Name); reason != "" {
		return &SpecError{Field: "name", Reason: reason}
	}
	for i, t := range s.Templates {
		switch {
		case t == nil:
			return &SpecError{Field: fmt.Sprintf("templates[%d]", i), Reason: "is nil"}
		case t.Name == "":
			return &SpecError{Field: fmt.Sprintf("templates[%d].name", i), Reason: "is empty"}
		case c.templates.byName[t.Name] != nil:
			return &SpecError{Template: t.Name, Field: "name", Reason: "is used by more than one template"}
		}
		c.templates.byName[t.Name] = t
	}
	if c.templates.find(s.Entrypoint) == nil {
		return &SpecError{Field: "entrypoint", Reason: noTemplate(s.Entrypoint)}
	}
	if s.OnExit != "" && c.templates.find(s.OnExit) == nil {
		return &SpecError{Field: "onExit", Reason: noTemplate(s.OnExit)}
	}
	return nil
}

func noTemplate(name string) string { return fmt.Sprintf("no template is named %q", bounded(name)) }

// checkNumbers finds negative numbers and locks without a key.
func (s *Spec) checkNumbers() error {
	switch {
	case s.Parallelism < 0:
		return negative("", "parallelism", s.Parallelism)
	case s.PodRestarts < 0:
		return negative("", "failedPodRestart", s.PodRestarts)
	case s.ActiveDeadline < 0:
		return negative("", "activeDeadlineSeconds", s.ActiveDeadline)
	}
	for _, ttl := range []struct {
		field string
		value *time.Duration
	}{
		{"secondsAfterCompletion", s.TTL.Completion},
		{"secondsAfterSuccess", s.TTL.Success},
		{"secondsAfterFailure", s.TTL.Failure},
	} {
		if ttl.value != nil && *ttl.value < 0 {
			return negative("", "ttlStrategy."+ttl.field, *ttl.value)
		}
	}
	return checkLocks("", s.Locks)
}

// place is where a task or step stands in its template. It becomes text only in errors.
type place struct {
	list string
	at   int
}

func (p place) String() string { return fmt.Sprintf("%s[%d]", p.list, p.at) }

// task checks one task or step of t, which stands at a place of it.
func (c *checker) task(t *Template, at place, task *Task) error {
	if reason := c.badMember(task.Name); reason != "" {
		return &SpecError{Template: t.Name, Node: bounded(task.Name), Field: at.String() + ".name", Reason: reason}
	}
	switch {
	case task.Inline != nil && task.Template != "":
		return &SpecError{Template: t.Name, Node: task.Name, Field: "inline", Reason: "can't be used together with template"}
	case task.Inline != nil:
		if err := c.inline(t, task); err != nil {
			return err
		}
	case c.templates.find(task.Template) == nil:
		return &SpecError{Template: t.Name, Node: task.Name, Field: "template", Reason: noTemplate(task.Template)}
	}
	if task.Loop != nil {
		for _, item := range task.Loop.Items {
			if item.Template != "" && c.templates.find(item.Template) == nil {
				return &SpecError{Template: t.Name, Node: task.Name, Field: "template", Reason: noTemplate(item.Template)}
			}
		}
	}
	if err := c.expression(t, task, "depends", task.Depends); err != nil {
		return err
	}
	if err := c.expression(t, task, "when", task.When); err != nil {
		return err
	}
	return c.hooks(t.Name, task.Name, task.Hooks)
}

// expression checks the length of an expression of a task or step of t.
func (c *checker) expression(t *Template, task *Task, field, text string) error {
	if text == "" {
		return nil
	}
	if err := c.limits.admit(text); err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: field, Reason: pastLimit, Err: err}
	}
	return nil
}

// pastLimit is what is wrong with an expression that a limit forbids.
const pastLimit = "is past a limit"

// inline checks the template that is written inside a task of t.
func (c *checker) inline(t *Template, task *Task) error {
	reason := ""
	switch {
	case slices.Contains(c.open, task.Inline):
		reason = "is inside itself"
	case len(c.open) >= maxInline:
		reason = fmt.Sprintf("is inside more than %d others", maxInline)
	}
	if reason != "" {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "inline", Reason: reason}
	}
	c.open = append(c.open, task.Inline)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	if err := c.template(task.Inline); err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "inline", Reason: "is not usable", Err: err}
	}
	return nil
}

func (c *checker) hooks(template, node string, hooks []Hook) error {
	if len(hooks) == 0 {
		return nil
	}
	names := make(map[string]bool, len(hooks))
	for i, h := range hooks {
		field, reason := "hooks."+h.Name, ""
		switch {
		case c.badName(h.Name) != "":
			field, reason = fmt.Sprintf("hooks[%d].name", i), c.badName(h.Name)
		case names[h.Name]:
			reason = "is there more than once"
		case c.templates.find(h.Template) == nil:
			reason = noTemplate(h.Template)
		case h.Name != ExitHook && h.Expression == "":
			reason = "a hook other than exit needs an expression"
		}
		if reason != "" {
			return &SpecError{Template: template, Node: node, Field: field, Reason: reason}
		}
		err := c.limits.admit(h.Expression)
		if len(h.Expression) > MaxHookLength { // nobody would see that it never runs
			err = &LimitError{Limit: "MaxHookLength", Max: MaxHookLength}
		}
		if err != nil {
			return &SpecError{Template: template, Node: node, Field: field, Reason: pastLimit, Err: err}
		}
		names[h.Name] = true
		if h.Expression != "" && c.hookConditions[h.Expression] == nil {
			c.hookConditions[h.Expression] = CompileHook(h.Expression)
		}
		if node != "" && h.Expression != "" {
			c.features.HookExpressions = true
			c.features.WorkflowStatus = c.features.WorkflowStatus || c.hookConditions[h.Expression].NamesWorkflow()
		}
	}
	return nil
}
