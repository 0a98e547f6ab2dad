package argo

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A source is one of Argo's templates.
type source struct {
	key    string // the name under which others refer to it
	field  string // its path
	scope  string
	own    int // its place among the workflow's own templates, -1 for a stored one
	in     *template
	text   string                // of in; only of a template that takes parameters
	inputs map[string]*anyString // what its parameters are where a call says nothing; nil where only the host knows
	needs  []string              // its parameters whose values decide status
	made   map[string]string     // the names of the templates that were made from it, by the values
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

// textOf is the text of what was read, with the defaults that were filled in.
func textOf(in any) string {
	text, _ := json.Marshal(in) // of what was read: can't fail
	return string(text)
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
		s.text = textOf(s.in)
		_ = (&scanner{text: s.text}).texts("arguments", func(text string) { need(s, text) }) // of valid JSON: can't fail
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
func parametersOf(text rawText) map[string]*anyString {
	if !strings.Contains(string(text), `"parameters"`) {
		return nil
	}
	var in arguments
	if in.read(&scanner{text: string(text)}) != nil {
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
