package argo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Argo puts the values of its inputs into a template each time it is called (common.ProcessArgs). Here a template is
// converted once for every set of values that decides status: most are never told apart, since what a container does with
// its inputs decides nothing here.

// maxCopies bounds the templates that are made because of values: a template that calls itself may never come to an end
// of them.
const maxCopies = 100_000

// A source is one of Argo's templates.
type source struct {
	key    string // the name under which others refer to it
	field  string // its path
	scope  string
	own    int // its place among the workflow's own templates, -1 for a stored one
	in     *template
	text   json.RawMessage       // of in; only of a template that takes parameters
	inputs map[string]*anyString // what its parameters are where a call says nothing; nil where only the host knows
	needs  []string              // its parameters whose values decide status
	made   map[string]string     // the names of the templates that were made from it, by the values
}

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

// collect lists all templates that may be called, and finds out which of their parameters decide status.
func (c *converter) collect() {
	c.sources = make(map[string]*source, len(c.spec.Templates)+len(c.stored))
	for i := range c.spec.Templates {
		s := &source{key: c.spec.Templates[i].Name, field: fmt.Sprintf("%s.templates[%d]", c.field, i), scope: local, own: i, in: &c.spec.Templates[i]}
		c.own = append(c.own, s)
		if c.sources[s.key] == nil {
			c.sources[s.key] = s
		}
	}
	for key := range c.stored {
		in := c.stored[key]
		in.Name = key
		scope, _, _ := cutLast(key, "/")
		c.sources[key] = &source{key: key, field: "status.storedTemplates[" + key + "]", scope: scope, own: -1, in: &in}
	}
	if !c.variables {
		return
	}
	c.given = make(map[string]*anyString, len(c.spec.Arguments.Parameters))
	for _, p := range c.spec.Arguments.Parameters {
		c.given[p.Name] = p.Value
	}
	c.findNeeds()
}

// cutLast cuts text around the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// A passage is a call through which parameters of its caller become parameters of what it calls.
type passage struct {
	from *source
	args map[string]*anyString
}

// findNeeds finds the parameters that decide status: those in what is read of a template, and those that are passed on to
// such parameters of another.
func (c *converter) findNeeds() {
	into := make(map[*source][]passage)
	needs := make(map[*source]map[string]bool)
	var queue []*source
	need := func(s *source, text string) {
		for _, name := range parametersIn(text) {
			if _, takes := s.inputs[name]; takes && !needs[s][name] {
				if needs[s] == nil {
					needs[s] = make(map[string]bool)
				}
				needs[s][name] = true
				queue = append(queue, s)
			}
		}
	}
	for _, s := range c.sources {
		if d := c.spec.TemplateDefaults; d != nil {
			s.in = withDefaults(s.in, d)
		}
		if s.takes(); len(s.inputs) == 0 {
			continue
		}
		s.text, _ = json.Marshal(s.in) // of what was read: can't fail
		(&scanner{text: s.text}).texts("arguments", func(text string) { need(s, text) })
		s.in.eachCall(func(in *call) {
			args := in.arguments()
			if callee := c.sources[c.key(s.scope, in)]; callee != nil && in.Inline == nil {
				into[callee] = append(into[callee], passage{s, args})
				return
			}
			for _, value := range args {
				need(s, value.text())
			}
		})
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, p := range into[s] {
			for name := range needs[s] {
				need(p.from, p.args[name].text())
			}
		}
	}
	for s, names := range needs {
		for name := range names {
			s.needs = append(s.needs, name)
		}
		slices.Sort(s.needs)
	}
}

// takes reads the parameters of the template.
func (s *source) takes() { s.inputs = parametersOf(s.in.Inputs) }

// parametersOf reads the parameters of inputs or arguments, by their names: nil for those whose value only the host knows.
// What can't be read has none.
func parametersOf(text json.RawMessage) map[string]*anyString {
	if !bytes.Contains(text, []byte(`"parameters"`)) {
		return nil
	}
	var in arguments
	if json.Unmarshal(text, &in) != nil {
		return nil
	}
	all := make(map[string]*anyString, len(in.Parameters))
	for _, p := range in.Parameters {
		all[p.Name] = either(p.Value, p.Default)
	}
	return all
}

// text is the value, empty for none.
func (v *anyString) text() string {
	if v == nil {
		return ""
	}
	return string(*v)
}

// parameterName finds the parameters that a text names, in braces or in an expression.
var parameterName = regexp.MustCompile(`\binputs\.parameters(?:\.([\w-]+)|\[\s*["']([^"'\]]+)["']\s*\])`)

// parametersIn returns the names of the parameters that a text names.
func parametersIn(text string) []string {
	if !strings.Contains(text, "inputs.parameters") {
		return nil
	}
	var names []string
	for _, m := range parameterName.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

// A call is where a task, a step or a hook says what it runs, and with which arguments.
type call struct {
	Template    string          `json:"template"`
	TemplateRef *templateRef    `json:"templateRef"`
	Inline      *template       `json:"inline"`
	Arguments   json.RawMessage `json:"arguments"`
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
		next := c.queue[0]
		c.queue = c.queue[1:]
		before := c.left
		c.left = nil
		t, err := c.filled(next.field, next.scope, next.in, next.text, next.values)
		if err != nil {
			return err
		}
		if t.Name = next.name; t.Name != next.key {
			t.CopyOf = next.key
		}
		made := convertedTemplate{t, c.left}
		c.left = before
		if next.own >= 0 && c.done[next.own].Template == nil {
			c.done[next.own] = made
			continue
		}
		c.rest = append(c.rest, made)
	}
	return nil
}

// filled converts a template with values filled in; text is that of the template. What is wrong with the values is an error of
// the template's nodes, what is wrong without them one of the object.
func (c *converter) filled(field, scope string, in *template, text json.RawMessage, v values) (*nodegraph.Template, error) {
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
func (c *converter) withValues(field, scope string, text json.RawMessage) (*nodegraph.Template, error) {
	text, err := fill(text, c.values.value, c.limits.Bytes)
	if err != nil {
		return nil, inField(field, err)
	}
	var in template
	if err := json.Unmarshal(text, &in); err != nil {
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
