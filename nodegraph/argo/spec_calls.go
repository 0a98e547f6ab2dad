package argo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Argo puts the values of its inputs into a template each time it is called (common.ProcessArgs). Here a template is
// converted once for every set of values that decides status: most are never told apart, since what a container does with
// its inputs decides nothing here.

// Bounds of the templates that are made because of values: one that calls itself may never come to an end of them. After that
// only the host knows the values.
const (
	maxCopies = 100_000
	maxCopied = 32 << 20 // bytes of text
)

// values are the values of a template's parameters, as far as they are known.
type values map[string]string

// value returns the value of a variable.
func (v values) value(name string) (string, bool) {
	key, ok := strings.CutPrefix(name, "inputs.parameters.")
	if !ok {
		return "", false
	}
	value, ok := v[key]
	return value, ok
}

// A copyOf is a template that is to be made from a source.
type copyOf struct {
	*source
	name   string
	values values
}

// templates converts the workflow's own templates and hooks, and all stored templates that they refer to. Templates whose
// parameters decide nothing come first, others as they are called, and those that nothing calls last.
func (c *converter) templates() error {
	c.collect()
	c.done = make([]convertedTemplate, len(c.own))
	for _, s := range c.own {
		if len(s.needs) == 0 {
			s.made = map[string]string{"": s.key}
			c.queue = append(c.queue, copyOf{s, s.key, nil})
		}
	}
	for range len(c.queue) {
		if err := c.makeNext(); err != nil {
			return err
		}
	}
	c.out.Entrypoint = c.spec.Entrypoint
	if s := c.sources[c.spec.Entrypoint]; s != nil {
		c.out.Entrypoint = c.copy(s, c.given)
	}
	c.workflowHooks()
	if err := c.drain(); err != nil {
		return err
	}
	for _, s := range c.own {
		if c.done[s.own].Template == nil {
			c.copy(s, nil)
		}
	}
	if err := c.drain(); err != nil {
		return err
	}
	c.list()
	return nil
}

// list puts all templates into the specification, and what they leave open into the workflow.
func (c *converter) list() {
	seen := make(map[Unresolved]bool)
	c.w.Unresolved = nil
	for _, all := range [][]convertedTemplate{{{left: c.left}}, c.done, c.rest} {
		for _, t := range all {
			if t.Template != nil {
				c.out.Templates = append(c.out.Templates, t.Template)
			}
			for _, u := range t.left {
				if !seen[u] {
					seen[u] = true
					c.w.Unresolved = append(c.w.Unresolved, u)
				}
			}
		}
	}
}

// A call is where a task, a step or a hook says what it runs, and with which arguments.
type call struct {
	Template    string       `json:"template"`
	TemplateRef *templateRef `json:"templateRef"`
	Inline      *template    `json:"inline"`
	Arguments   rawText      `json:"arguments"`
}

func (in *task) call() *call {
	return &call{Template: in.Template, TemplateRef: in.TemplateRef, Inline: in.Inline, Arguments: in.Arguments}
}

func (in *hook) call() *call {
	return &call{Template: in.Template, TemplateRef: in.TemplateRef, Arguments: in.Arguments}
}

// arguments reads what the call passes on.
func (in *call) arguments() map[string]*anyString { return parametersOf(in.Arguments) }

// eachCall visits all calls in a template, those in templates inside it included.
func (in *template) eachCall(visit func(*call)) {
	tasks := func(list []task) {
		for i := range list {
			t := &list[i]
			visit(t.call())
			for _, h := range t.Hooks {
				visit(h.call())
			}
			if t.OnExit != "" {
				visit(&call{Template: t.OnExit})
			}
			if t.Inline != nil {
				t.Inline.eachCall(visit)
			}
		}
	}
	if in.DAG != nil {
		tasks(in.DAG.Tasks)
	}
	for _, group := range in.Steps {
		tasks(group)
	}
}

// call returns the name of the template that runs where a template of a scope has this call. A call without arguments has
// those that are given.
func (c *converter) call(field, scope string, in *call, given map[string]*anyString) string {
	name := c.reference(field, scope, in)
	s := c.sources[name]
	if s == nil {
		return name
	}
	if len(s.needs) == 0 {
		return c.copy(s, nil)
	}
	args := in.arguments()
	if len(args) == 0 {
		args = given
	}
	return c.copy(s, args)
}

// copy returns the name of the template that is made from s for these arguments. The first has the name of s.
func (c *converter) copy(s *source, args map[string]*anyString) string {
	if len(s.needs) == 0 && s.made != nil {
		return s.key
	}
	values := s.bind(args)
	if c.copies >= maxCopies || c.room < len(s.text) {
		values = nil
	}
	mark := s.mark(values)
	if name, ok := s.made[mark]; ok {
		return name
	}
	name := s.key
	for k := len(s.made) + 1; len(s.made) > 0 && (name == s.key || c.sources[name] != nil); k++ {
		name = fmt.Sprintf("%s#%d", s.key, k)
	}
	if s.made == nil {
		s.made = make(map[string]string, 1)
	}
	s.made[mark] = name
	c.copies++
	c.room -= len(s.text)
	c.queue = append(c.queue, copyOf{s, name, values})
	return name
}

// bind returns the values that decide status: those of the arguments, and where there is none the template's own.
func (s *source) bind(args map[string]*anyString) values {
	bound := make(values, len(s.needs))
	for _, name := range s.needs {
		value, given := args[name]
		if !given {
			value = s.inputs[name]
		}
		if value != nil && !open(string(*value)) {
			bound[name] = string(*value)
		}
	}
	return bound
}

// mark tells the values of one set from those of any other.
func (s *source) mark(v values) string {
	var mark []byte
	for _, name := range s.needs {
		if value, known := v[name]; known {
			mark = append(mark, quote(value)...)
		}
		mark = append(mark, ',')
	}
	return string(mark)
}

// drain makes all templates that are still to be made.
func (c *converter) drain() error {
	for len(c.queue) > 0 { // in a queue, so that a long chain of references takes no stack
		if err := c.makeNext(); err != nil {
			return err
		}
	}
	return nil
}

// makeNext makes the first template that is still to be made.
func (c *converter) makeNext() error {
	next := c.queue[0]
	c.queue = c.queue[1:]
	outer := c.left
	c.left = nil
	t, err := c.filled(next.field, next.scope, next.in, next.text, next.values)
	if err != nil {
		return err
	}
	if t.Name = next.name; t.Name != next.key {
		t.CopyOf = next.key
	}
	made := convertedTemplate{t, c.left}
	c.left = outer
	if next.own >= 0 && c.done[next.own].Template == nil {
		c.done[next.own] = made
	} else {
		c.rest = append(c.rest, made)
	}
	return nil
}

// filled converts a template with values filled in; text is that of the template. What is wrong with the values is an error of
// the template's nodes, what is wrong without them one of the object.
func (c *converter) filled(field, scope string, in *template, text string, v values) (*nodegraph.Template, error) {
	outer := c.values
	c.values = v
	defer func() { c.values = outer }()
	if len(v) == 0 {
		return c.template(field, scope, in)
	}
	t, err := c.withValues(field, scope, text)
	if err == nil {
		return t, nil
	}
	left, fields := c.left, c.fields
	if _, err := c.template(field, scope, in); err != nil {
		return nil, err
	}
	c.left, c.fields = left, fields
	return &nodegraph.Template{Name: in.Name, Kind: nodegraph.KindPod, Err: err.Error()}, nil
}

// withValues converts the text of a template with the values filled in.
func (c *converter) withValues(field, scope, text string) (*nodegraph.Template, error) {
	text, err := fill(text, c.values.value, c.limits.Bytes)
	if err != nil {
		return nil, inField(field, err)
	}
	var in template
	if err := in.read(&scanner{text: text}); err != nil {
		return nil, inField(field, err)
	}
	t, err := c.template(field, scope, &in)
	if err != nil {
		return nil, err
	}
	if t.Retry != nil {
		if err := t.Retry.Validate(); err != nil {
			return nil, inField(field+".retryStrategy", err)
		}
	}
	for _, target := range t.Targets {
		if !slices.ContainsFunc(t.Tasks, func(t nodegraph.Task) bool { return t.Name == target }) {
			return nil, inField(field+".dag.target", fmt.Errorf("no task is named %q", bounded(target)))
		}
	}
	return t, nil
}
