package argo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// An Unresolved is a field of the spec whose value only the host knows: it has variables in it that the object does
// not answer, or names a template that the object does not hold. Argo takes such a spec, and so does Read.
//
// Conditions and loops with variables are not listed: the engine asks the host for them when it needs them.
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

// readSpec reads the part of the spec that decides status. A workflow made from a WorkflowTemplate is read from the
// spec that the controller stored; only the requests to stop or to hold it are its own.
func (r *reader) readSpec() error {
	var own spec
	text := r.w.object.get("spec")
	if err := r.decode("spec", text, &own); err != nil {
		return err
	}
	r.w.Snapshot.Shutdown, r.w.Snapshot.Suspended = own.Shutdown, own.Suspend != nil && *own.Suspend
	field, s := "spec", &own
	if own.WorkflowTemplateRef != nil {
		field, s = "status.storedWorkflowTemplateSpec", new(spec)
		if text = r.w.status.get("storedWorkflowTemplateSpec"); len(text) == 0 {
			return inField("spec.workflowTemplateRef", errors.New(field+" is missing: the controller has not resolved it yet"))
		}
		if err := r.decode(field, text, s); err != nil {
			return err
		}
	}
	g := &globals{meta: &r.meta, spec: s}
	stored := make(map[string]template)
	c := &converter{w: r.w, field: field, spec: s, stored: stored, known: make(map[string]bool)}
	c.out.Priority, c.out.Created = own.Priority, r.meta.Created.UTC() // Argo reads no template's priority
	if bytes.Contains(text, []byte("{{")) {
		c.spec = new(spec)
		if err := r.decodeFilled(g, field, text, c.spec); err != nil {
			return err
		}
	}
	if err := r.decodeFilled(g, "status.storedTemplates", r.w.status.get("storedTemplates"), &stored); err != nil {
		return err
	}
	return c.convert()
}

// decodeFilled decodes text with the variables that g knows filled in.
func (r *reader) decodeFilled(g *globals, field string, text json.RawMessage, into any) error {
	filled, err := g.fill(text, r.limits.Bytes)
	if err != nil {
		return inField(field, err)
	}
	return r.decode(field, filled, into)
}

// converter turns Argo's spec into ours. Templates of other WorkflowTemplates are taken from the ones that the
// controller stored in the status, under their keys there.
type converter struct {
	w       *Workflow
	field   string // the path of the spec
	spec    *spec
	stored  map[string]template
	out     nodegraph.Spec
	retries *retry.Strategy  // of templates that have none of their own
	known   map[string]bool  // names of templates that were added for references
	queue   []storedTemplate // those of them that are still to be converted
}

// A storedTemplate is one that a task or hook refers to.
type storedTemplate struct {
	key, scope string
}

// convert sets the spec of the workflow.
func (c *converter) convert() error {
	s, out := c.spec, &c.out
	out.Name, out.Namespace, out.Entrypoint, out.OnExit = c.w.Name, c.w.Namespace, s.Entrypoint, s.OnExit
	out.Suspended = c.w.Snapshot.Suspended
	if s.Parallelism != nil {
		out.Parallelism = *s.Parallelism
	}
	if s.ActiveDeadlineSeconds != nil {
		out.ActiveDeadline = *seconds(s.ActiveDeadlineSeconds)
	}
	if t := s.TTLStrategy; t != nil {
		out.TTL = nodegraph.TTL{Completion: seconds(t.Completion), Success: seconds(t.Success), Failure: seconds(t.Failure)}
	}
	var err error
	if out.Locks, err = c.locks(c.field+".synchronization", s.Synchronization); err != nil {
		return err
	}
	if c.retries, err = c.retry(c.field+".retryStrategy", s.RetryStrategy); err != nil {
		return err
	}
	if err := c.templates(); err != nil {
		return err
	}
	c.w.Spec = out
	return nil
}

// templates converts the workflow's own templates and hooks, and all stored templates that they refer to.
func (c *converter) templates() error {
	var own []*nodegraph.Template
	for i := range c.spec.Templates {
		t, err := c.template(fmt.Sprintf("%s.templates[%d]", c.field, i), local, &c.spec.Templates[i])
		if err != nil {
			return err
		}
		own = append(own, t)
	}
	c.out.Templates = append(own, c.out.Templates...)
	c.workflowHooks()
	for len(c.queue) > 0 { // in a queue, so that a long chain of references takes no stack
		next := c.queue[0]
		c.queue = c.queue[1:]
		in := c.stored[next.key]
		in.Name = next.key
		t, err := c.template("status.storedTemplates["+next.key+"]", next.scope, &in)
		if err != nil {
			return err
		}
		c.out.Templates = append(c.out.Templates, t)
	}
	return nil
}

// workflowHooks converts the hooks of the workflow as a whole. onExit goes before the exit hook, as in Argo.
func (c *converter) workflowHooks() {
	for _, h := range c.hooks(c.field+".hooks", local, c.spec.Hooks, c.spec.OnExit) {
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
	c.w.Unresolved = append(c.w.Unresolved, Unresolved{Field: field, Text: text, CountsAs: countsAs})
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
	return d, inField(field, err)
}

// hooks converts lifecycle hooks, in the order of their names. onExit is the older way to name the exit hook and, as
// in Argo, the one that counts where there are both.
func (c *converter) hooks(field, scope string, in map[string]hook, onExit string) []nodegraph.Hook {
	var hooks []nodegraph.Hook
	for name, h := range in {
		if name == nodegraph.ExitHook && onExit != "" {
			continue
		}
		hooks = append(hooks, nodegraph.Hook{Name: name, Template: h.Template, Expression: h.Expression})
	}
	if onExit != "" {
		hooks = append(hooks, nodegraph.Hook{Name: nodegraph.ExitHook, Template: onExit})
	}
	slices.SortFunc(hooks, func(a, b nodegraph.Hook) int { return strings.Compare(a.Name, b.Name) })
	for i := range hooks {
		h := &hooks[i]
		var ref *templateRef
		if h.Name != nodegraph.ExitHook || onExit == "" {
			ref = in[h.Name].TemplateRef
		}
		h.Template = c.reference(field+"."+h.Name, scope, h.Template, ref)
	}
	return hooks
}
