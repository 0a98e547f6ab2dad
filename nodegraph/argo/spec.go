package argo

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// converter turns Argo's spec into ours. Templates that other workflow templates define are taken from the ones that
// the controller stored in the status.
type converter struct {
	name, namespace string
	spec            *spec
	stored          map[string]template
	out             *nodegraph.Spec
	external        map[string]string // references already converted, by key: the name they got
}

// convertSpec returns the part of the spec that decides status. A workflow made from a WorkflowTemplate is read from
// the spec that the controller stored.
func convertSpec(o *object) (*nodegraph.Spec, error) {
	s := &o.Spec
	if s.WorkflowTemplateRef != nil {
		if o.Status.StoredSpec == nil {
			return nil, &ReadError{Workflow: o.Metadata.Name, Field: "spec.workflowTemplateRef",
				Err: errors.New("status.storedWorkflowTemplateSpec is missing: the controller has not resolved it yet")}
		}
		s = o.Status.StoredSpec
	}
	c := &converter{
		name: o.Metadata.Name, namespace: o.Metadata.Namespace, spec: s, stored: o.Status.StoredTemplates,
		out: &nodegraph.Spec{
			Name: o.Metadata.Name, Namespace: o.Metadata.Namespace, Entrypoint: s.Entrypoint, OnExit: s.OnExit,
			Suspended: o.Spec.Suspend != nil && *o.Spec.Suspend,
		},
		external: make(map[string]string),
	}
	if err := c.convert(); err != nil {
		return nil, err
	}
	return c.out, nil
}

func (c *converter) bad(field string, err error) error {
	return &ReadError{Workflow: c.name, Field: field, Err: err}
}

func (c *converter) convert() error {
	s, out := c.spec, c.out
	if s.Parallelism != nil {
		out.Parallelism = *s.Parallelism
	}
	if s.ActiveDeadlineSeconds != nil {
		out.ActiveDeadline = time.Duration(*s.ActiveDeadlineSeconds) * time.Second
	}
	if t := s.TTLStrategy; t != nil {
		out.TTL = nodegraph.TTL{Completion: seconds(t.Completion), Success: seconds(t.Success), Failure: seconds(t.Failure)}
	}
	var err error
	if out.Locks, err = c.locks("spec.synchronization", s.Synchronization); err != nil {
		return err
	}
	if h, ok := s.Hooks[nodegraph.ExitHook]; ok && out.OnExit == "" {
		if out.OnExit, err = c.reference("spec.hooks.exit", h.Template, h.TemplateRef); err != nil {
			return err
		}
	}
	if out.Hooks, err = c.hooks("spec.hooks", s.Hooks, ""); err != nil {
		return err
	}
	out.Hooks = slices.DeleteFunc(out.Hooks, func(h nodegraph.Hook) bool { return h.Name == nodegraph.ExitHook })
	for i := range s.Templates {
		t, err := c.template(fmt.Sprintf("spec.templates[%d]", i), &s.Templates[i])
		if err != nil {
			return err
		}
		out.Templates = append(out.Templates, t)
	}
	return nil
}

func seconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(*n) * time.Second
	return &d
}

// template converts one template. One that says nothing to run becomes a template whose nodes end in Error, as the
// controller makes them.
func (c *converter) template(field string, in *template) (*nodegraph.Template, error) {
	t := &nodegraph.Template{Name: in.Name}
	if d := c.spec.TemplateDefaults; d != nil {
		in = withDefaults(in, d)
	}
	var err error
	switch {
	case in.ContainerSet != nil:
		t.Kind = nodegraph.Pod
		for _, ctr := range in.ContainerSet.Containers {
			t.Containers = append(t.Containers, nodegraph.ContainerSpec{Name: ctr.Name, Dependencies: ctr.Dependencies})
		}
	case in.Container != nil, in.Script != nil, in.Resource != nil, in.Data != nil:
		t.Kind = nodegraph.Pod
	case in.DAG != nil:
		t.Kind, err = nodegraph.DAG, c.dag(field, t, in.DAG)
	case in.Steps != nil:
		t.Kind, err = nodegraph.Steps, c.steps(field, t, in.Steps)
	case in.Suspend != nil:
		t.Kind = nodegraph.Suspend
		t.Suspend, err = c.duration(field+".suspend.duration", in.Suspend.Duration)
	case in.HTTP != nil:
		t.Kind = nodegraph.HTTP
	case in.Plugin != nil:
		t.Kind = nodegraph.Plugin
	default:
		t.Kind, t.Err = nodegraph.Pod, fmt.Sprintf("Template '%s' missing specification", in.Name)
	}
	if err != nil {
		return nil, err
	}
	return t, c.common(field, t, in)
}

// common converts what templates of every kind have.
func (c *converter) common(field string, t *nodegraph.Template, in *template) error {
	t.Daemon = in.Daemon != nil && *in.Daemon
	t.FailFast = in.FailFast != nil && *in.FailFast
	if in.Parallelism != nil {
		t.Parallelism = *in.Parallelism
	}
	if in.Memoize != nil {
		t.Memoize = in.Memoize.Key
	}
	var err error
	if t.Timeout, err = c.duration(field+".timeout", in.Timeout); err != nil {
		return err
	}
	if t.PendingTimeout, err = c.duration(field+".pendingTimeout", in.PendingTimeout); err != nil {
		return err
	}
	if t.Locks, err = c.locks(field+".synchronization", in.Synchronization); err != nil {
		return err
	}
	strategy := in.RetryStrategy
	if strategy == nil {
		strategy = c.spec.RetryStrategy
	}
	t.Retry, err = c.retry(field+".retryStrategy", strategy)
	return err
}

// withDefaults fills in the fields of templateDefaults that a template does not set.
func withDefaults(in, d *template) *template {
	t := *in
	if t.RetryStrategy == nil {
		t.RetryStrategy = d.RetryStrategy
	}
	if t.Synchronization == nil {
		t.Synchronization = d.Synchronization
	}
	if t.Daemon == nil {
		t.Daemon = d.Daemon
	}
	if t.Parallelism == nil {
		t.Parallelism = d.Parallelism
	}
	if t.FailFast == nil {
		t.FailFast = d.FailFast
	}
	if t.Timeout == "" {
		t.Timeout = d.Timeout
	}
	if t.PendingTimeout == "" {
		t.PendingTimeout = d.PendingTimeout
	}
	if t.Memoize == nil {
		t.Memoize = d.Memoize
	}
	return &t
}

// duration reads Argo's durations; text with variables can't be known here.
func (c *converter) duration(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := retry.ParseDuration(text)
	if err != nil {
		return 0, c.bad(field, err)
	}
	return d, nil
}

func (c *converter) retry(field string, in *retryStrategy) (*retry.Strategy, error) {
	if in == nil {
		return nil, nil
	}
	s := &retry.Strategy{Policy: retry.Policy(in.RetryPolicy)}
	if in.Limit != nil {
		n, err := strconv.Atoi(string(*in.Limit))
		if err != nil {
			return nil, c.bad(field+".limit", fmt.Errorf("%q is not a number", bounded(string(*in.Limit))))
		}
		s.Limit = &n
	}
	if in.Expression != "" {
		e, err := retry.Compile(in.Expression)
		if err != nil {
			return nil, c.bad(field+".expression", err)
		}
		s.Expression = e
	}
	if b := in.Backoff; b != nil {
		s.Backoff = &retry.Backoff{}
		var err error
		if s.Backoff.Duration, err = c.duration(field+".backoff.duration", b.Duration); err != nil {
			return nil, err
		}
		if s.Backoff.Cap, err = c.duration(field+".backoff.cap", b.Cap); err != nil {
			return nil, err
		}
		if s.Backoff.MaxDuration, err = c.duration(field+".backoff.maxDuration", b.MaxDuration); err != nil {
			return nil, err
		}
		if b.Factor != nil {
			if s.Backoff.Factor, err = strconv.Atoi(string(*b.Factor)); err != nil {
				return nil, c.bad(field+".backoff.factor", fmt.Errorf("%q is not a number", bounded(string(*b.Factor))))
			}
		}
	}
	return s, nil
}

// locks converts synchronization into the keys that Argo shows in the status.
func (c *converter) locks(field string, in *synchronization) ([]nodegraph.Lock, error) {
	if in == nil {
		return nil, nil
	}
	var locks []nodegraph.Lock
	mutexes, semaphores := in.Mutexes, in.Semaphores
	if in.Mutex != nil {
		mutexes = append([]mutex{*in.Mutex}, mutexes...)
	}
	if in.Semaphore != nil {
		semaphores = append([]semaphore{*in.Semaphore}, semaphores...)
	}
	for _, s := range semaphores {
		ns := cmpOr(s.Namespace, c.namespace)
		switch {
		case s.ConfigMapKeyRef != nil:
			locks = append(locks, nodegraph.Lock{Key: ns + "/ConfigMap/" + s.ConfigMapKeyRef.Name + "/" + s.ConfigMapKeyRef.Key})
		case s.Database != nil:
			locks = append(locks, nodegraph.Lock{Key: ns + "/Database/" + s.Database.Key})
		default:
			return nil, c.bad(field, errors.New("a semaphore names neither a ConfigMap nor a database key"))
		}
	}
	for _, m := range mutexes {
		if m.Name == "" {
			return nil, c.bad(field, errors.New("a mutex has no name"))
		}
		kind := "/Mutex/"
		if m.Database {
			kind = "/DatabaseMutex/"
		}
		locks = append(locks, nodegraph.Lock{Key: cmpOr(m.Namespace, c.namespace) + kind + m.Name, Limit: 1})
	}
	return locks, nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (c *converter) dag(field string, t *nodegraph.Template, in *dag) error {
	t.NoFailFast = in.FailFast != nil && !*in.FailFast
	t.Targets = strings.Fields(in.Target)
	for i := range in.Tasks {
		task, err := c.task(fmt.Sprintf("%s.dag.tasks[%d]", field, i), &in.Tasks[i])
		if err != nil {
			return err
		}
		t.Tasks = append(t.Tasks, task)
	}
	return nil
}

func (c *converter) steps(field string, t *nodegraph.Template, in []stepGroup) error {
	for g, group := range in {
		var steps []nodegraph.Task
		for i := range group {
			step, err := c.task(fmt.Sprintf("%s.steps[%d][%d]", field, g, i), &group[i])
			if err != nil {
				return err
			}
			steps = append(steps, step)
		}
		t.Steps = append(t.Steps, steps)
	}
	return nil
}

func (c *converter) task(field string, in *task) (nodegraph.Task, error) {
	t := nodegraph.Task{Name: in.Name, Dependencies: in.Dependencies, Depends: in.Depends, When: in.When}
	if in.ContinueOn != nil {
		t.ContinueOn = nodegraph.ContinueOn{Failed: in.ContinueOn.Failed, Error: in.ContinueOn.Error}
	}
	var err error
	if in.Inline != nil {
		inline := *in.Inline
		if inline.Name == "" {
			inline.Name = in.Name
		}
		if t.Inline, err = c.template(field+".inline", &inline); err != nil {
			return t, err
		}
	} else if t.Template, err = c.reference(field, in.Template, in.TemplateRef); err != nil {
		return t, err
	}
	if t.Hooks, err = c.hooks(field+".hooks", in.Hooks, in.OnExit); err != nil {
		return t, err
	}
	t.Loop, err = c.loop(field, in)
	return t, err
}

// hooks converts lifecycle hooks, in the order of their names. onExit is the older way to name the exit hook.
func (c *converter) hooks(field string, in map[string]hook, onExit string) ([]nodegraph.Hook, error) {
	var hooks []nodegraph.Hook
	for name, h := range in {
		ref, err := c.reference(field+"."+name, h.Template, h.TemplateRef)
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, nodegraph.Hook{Name: name, Template: ref, Expression: h.Expression})
	}
	if _, ok := in[nodegraph.ExitHook]; onExit != "" && !ok {
		hooks = append(hooks, nodegraph.Hook{Name: nodegraph.ExitHook, Template: onExit})
	}
	slices.SortFunc(hooks, func(a, b nodegraph.Hook) int { return strings.Compare(a.Name, b.Name) })
	return hooks, nil
}

// reference returns the name under which a template is known here. One of another WorkflowTemplate is taken from the
// stored templates, under its key there.
func (c *converter) reference(field, name string, ref *templateRef) (string, error) {
	if ref == nil {
		return name, nil
	}
	scope := "namespaced/"
	if ref.ClusterScope {
		scope = "cluster/"
	}
	key := scope + ref.Name + "/" + ref.Template
	if known, ok := c.external[key]; ok {
		return known, nil
	}
	stored, ok := c.stored[key]
	if !ok {
		return "", c.bad(field+".templateRef", fmt.Errorf("template %q is not in status.storedTemplates", bounded(key)))
	}
	c.external[key] = key
	stored.Name = key
	t, err := c.template("status.storedTemplates["+key+"]", &stored)
	if err != nil {
		return "", err
	}
	c.out.Templates = append(c.out.Templates, t)
	return key, nil
}

// loop converts withItems, withParam and withSequence. What has variables in it only the host can resolve.
func (c *converter) loop(field string, in *task) (*nodegraph.Loop, error) {
	switch {
	case in.WithItems != nil:
		items, err := items(in.WithItems)
		if err != nil {
			return nil, c.bad(field+".withItems", err)
		}
		return &nodegraph.Loop{Items: items}, nil
	case in.WithParam != "":
		var list []json.RawMessage
		if json.Unmarshal([]byte(in.WithParam), &list) != nil {
			return &nodegraph.Loop{Unresolved: in.WithParam}, nil
		}
		items, err := items(list)
		if err != nil {
			return nil, c.bad(field+".withParam", err)
		}
		return &nodegraph.Loop{Items: items}, nil
	case in.WithSequence != nil:
		return c.sequence(field+".withSequence", in.WithSequence)
	}
	return nil, nil
}

// maxSequence bounds a sequence before its items are made.
const maxSequence = 1_000_000

func (c *converter) sequence(field string, in *sequence) (*nodegraph.Loop, error) {
	number := func(v *intOrString) (int, bool) {
		if v == nil {
			return 0, true
		}
		n, err := strconv.Atoi(string(*v))
		return n, err == nil
	}
	start, ok1 := number(in.Start)
	end, ok2 := number(in.End)
	count, ok3 := number(in.Count)
	if !ok1 || !ok2 || !ok3 || strings.Contains(in.Format, "{{") {
		return &nodegraph.Loop{Unresolved: "withSequence"}, nil
	}
	switch {
	case in.End != nil:
	case in.Count == nil:
		return nil, c.bad(field, errors.New("has neither end nor count"))
	case count <= 0:
		return &nodegraph.Loop{}, nil
	default:
		end = start + count - 1
	}
	if end-start > maxSequence || start-end > maxSequence {
		return nil, c.bad(field, &nodegraph.LimitError{Limit: "Items", Max: maxSequence})
	}
	format := cmpOr(in.Format, "%d")
	loop := &nodegraph.Loop{}
	step := 1
	if end < start {
		step = -1
	}
	for n := start; ; n += step {
		loop.Items = append(loop.Items, nodegraph.Item{Text: fmt.Sprintf(format, n)})
		if n == end {
			return loop, nil
		}
	}
}

// items converts loop items as Argo names them: a map as its sorted key:value pairs, a list as Go prints it.
func items(in []json.RawMessage) ([]nodegraph.Item, error) {
	out := make([]nodegraph.Item, 0, len(in))
	for i, raw := range in {
		var v any
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		out = append(out, item(v))
	}
	return out, nil
}

func item(v any) nodegraph.Item {
	m, ok := v.(map[string]any)
	if !ok {
		return nodegraph.Item{Text: itemText(v)}
	}
	it := nodegraph.Item{Fields: make(map[string]string, len(m))}
	var pairs []string
	for k, f := range m {
		it.Fields[k] = itemText(f)
		pairs = append(pairs, k+":"+it.Fields[k])
	}
	slices.Sort(pairs)
	it.Text = strings.Join(pairs, ",")
	return it
}

func itemText(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = itemText(v[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[string]any:
		b, _ := json.Marshal(v) // of decoded JSON: can't fail
		return string(b)
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}
