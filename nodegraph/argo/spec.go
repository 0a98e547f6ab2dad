package argo

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// An Unresolved is a field of the spec whose value only the host knows. It has variables in it that the object does
// not answer, or names a template that the object does not hold. Argo takes such a spec, and so does Read.
//
// Conditions and loops with variables are not listed: the engine asks the host for them when it needs them. Templates that
// nothing calls are listed with the values that they have by themselves.
type Unresolved struct {
	Field    string // the path in the object
	Text     string // what stands there
	CountsAs string // what the field counts as: "not set", "as it stands" or "an error of the node"
}

// What an unresolved field counts as.
const (
	countsNotSet  = "not set"              // no limit, no timeout, no backoff, no condition
	countsAsIs    = "as it stands"         // the name of a lock, with the variables in it
	countsAsError = "an error of the node" // a template: its nodes end in Error
)

// Template reports whether what is not known is a template that the object does not hold, by the name in Text.
func (u Unresolved) Template() bool { return u.CountsAs == countsAsError }

// convertSpec converts the part of the spec that decides status. A workflow made from a WorkflowTemplate has the spec that the
// controller stored; only the requests to stop or to hold it are its own.
func (r *reader) convertSpec() error {
	own, text := &r.own, r.ownText
	r.w.Snapshot.Shutdown, r.w.Snapshot.Suspended = own.Shutdown, own.Suspend != nil && *own.Suspend
	field, s := "spec", own
	if own.WorkflowTemplateRef != nil {
		field, s = "status.storedWorkflowTemplateSpec", new(spec)
		if text = r.w.status.get("storedWorkflowTemplateSpec"); text == "" {
			text = r.templates.spec(own.WorkflowTemplateRef)
		}
		if text == "" {
			return inField("spec.workflowTemplateRef", errors.New(field+" is missing: the controller has not resolved it yet"))
		}
		text = strings.Clone(text)
		if err := read(field, text, s, (*spec).read); err != nil {
			return err
		}
	}
	g := &globals{meta: &r.meta, spec: s}
	c := &converter{w: r.w, limits: r.limits, globals: g, field: field, spec: s, known: make(map[string]bool), room: min(r.limits.Bytes, maxCopied)}
	c.out.Priority, c.out.Created = own.Priority, r.meta.Created.UTC() // Argo reads no template's priority
	c.out.AnyNames = true
	c.out.TimeoutsByHost = true // by the activeDeadlineSeconds of pods
	filled, err := fill(text, g.value, r.limits.Bytes)
	if err != nil {
		return inField(field, err)
	}
	if filled != text {
		c.spec = new(spec)
		if err := read(field, filled, c.spec, (*spec).read); err != nil {
			return err
		}
	}
	templates, err := r.templates.stored(r.w.status.get("storedTemplates"))
	if err != nil {
		return err
	}
	c.variables = hasVariables(text) || hasVariables(templates)
	if templates, err = fill(templates, g.value, r.limits.Bytes); err != nil {
		return inField("status.storedTemplates", err)
	}
	err = read("status.storedTemplates", strings.Clone(templates), &c.stored, func(into *map[string]template, s *scanner) error {
		return readMap(into, s, (*template).read)
	})
	if err != nil {
		return err
	}
	return c.convert()
}

// hasVariables reports whether a text may name parameters or items.
func hasVariables(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "inputs.parameters")
}

// converter turns Argo's spec into ours. Templates of other WorkflowTemplates are taken from the ones that the
// controller stored in the status, under their keys there.
type converter struct {
	w       *Workflow
	limits  Limits
	globals *globals
	field   string // the path of the spec
	spec    *spec
	stored  map[string]template
	out     nodegraph.Spec
	known   map[string]bool // names of templates that only the host knows and that were added for references

	retries     *retry.Strategy        // of templates that have none of their own
	retriesLeft []nodegraph.Unresolved // what only the host knows of it

	variables bool                  // something may name parameters or items
	own       []*source             // the workflow's own templates
	sources   map[string]*source    // all templates that may be called, by name
	queue     []copyOf              // what is still to be made
	copies    int                   // how many were made
	room      int                   // bytes of text that may still be copied
	given     map[string]*anyString // the arguments of the workflow, which the entrypoint and exit hooks are called with

	done []convertedTemplate // the workflow's own templates
	rest []convertedTemplate // all others

	values values                 // of the parameters of the template that is being converted
	left   []Unresolved           // what only the host knows of it, with what is inside it
	fields []nodegraph.Unresolved // the fields of it alone
}

// A convertedTemplate is a template and what only the host knows of it.
type convertedTemplate struct {
	*nodegraph.Template
	left []Unresolved
}

// convert sets the spec of the workflow.
func (c *converter) convert() error {
	s, out := c.spec, &c.out
	out.Name, out.Namespace = c.w.Name, c.w.Namespace
	out.Suspended = c.w.Snapshot.Suspended
	if s.Parallelism != nil {
		out.Parallelism = *s.Parallelism
	}
	if s.ActiveDeadlineSeconds != nil {
		out.ActiveDeadline = set(*seconds(s.ActiveDeadlineSeconds))
	}
	if t := s.TTLStrategy; t != nil {
		out.TTL = nodegraph.TTL{Completion: seconds(t.Completion), Success: seconds(t.Success), Failure: seconds(t.Failure)}
	}
	var err error
	if out.Locks, err = c.locks(c.field+".synchronization", s.Synchronization); err != nil {
		return err
	}
	c.fields = nil
	if c.retries, err = c.retry(c.field+".retryStrategy", s.RetryStrategy); err != nil {
		return err
	}
	c.retriesLeft, c.fields = c.fields, nil
	if err := c.templates(); err != nil {
		return err
	}
	made := *out // who keeps it does not keep the converter
	c.w.Spec = &made
	return nil
}

// workflowHooks converts the hooks of the workflow as a whole. onExit goes before the exit hook, as in Argo.
func (c *converter) workflowHooks() {
	for _, h := range c.hooks(c.field, local, c.spec.Hooks, c.spec.OnExit) {
		if h.Name == nodegraph.ExitHook {
			c.out.OnExit = h.Template
			continue
		}
		c.out.Hooks = append(c.out.Hooks, h)
	}
}

// maxSeconds is what a time.Duration can hold.
const maxSeconds = int64(1<<63-1) / int64(time.Second)

// seconds is nil for nil. What is longer than a duration can be counts as the longest, 292 years.
func seconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(min(max(*n, -maxSeconds), maxSeconds)) * time.Second
	return &d
}

// unresolved notes that only the host knows a field.
func (c *converter) unresolved(field, text, countsAs string) {
	c.left = append(c.left, Unresolved{Field: field, Text: text, CountsAs: countsAs})
	if countsAs != countsAsError {
		c.fields = append(c.fields, nodegraph.Unresolved{Field: field, Text: text})
	}
}

// set is a duration that is given: Argo takes zero for one that is over, not for none.
func set(d time.Duration) time.Duration {
	if d == 0 {
		return nodegraph.AtOnce
	}
	return d
}

// duration reads Argo's durations.
func (c *converter) duration(field, text string) (time.Duration, error) {
	switch {
	case text == "":
		return 0, nil
	case open(text):
		c.unresolved(field, text, countsNotSet)
		return 0, nil
	}
	d, err := retry.ParseDuration(text)
	return set(d), inField(field, err)
}

// hooks converts lifecycle hooks, in the order of their names. onExit is the older way to name the exit hook and, as
// in Argo, the one that counts where there are both. An exit hook without arguments has those of the workflow.
func (c *converter) hooks(field, scope string, in map[string]hook, onExit string) []nodegraph.Hook {
	if len(in) == 0 && onExit == "" {
		return nil
	}
	var names []string
	for name := range in {
		if name != nodegraph.ExitHook || onExit == "" {
			names = append(names, name)
		}
	}
	if onExit != "" {
		names = append(names, nodegraph.ExitHook)
	}
	slices.Sort(names)
	var hooks []nodegraph.Hook
	for _, name := range names {
		h := in[name]
		if name == nodegraph.ExitHook && onExit != "" {
			h = hook{Template: onExit}
		}
		var given map[string]*anyString
		if name == nodegraph.ExitHook {
			given = c.given
		}
		template := c.call(field+".hooks."+name, scope, h.call(), given)
		hooks = append(hooks, nodegraph.Hook{Name: name, Template: template, Expression: c.literals(h.Expression)})
	}
	return hooks
}
