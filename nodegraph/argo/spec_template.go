package argo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// maxInline bounds inline templates inside one another.
const maxInline = 100

// template converts one template of a scope. One that says nothing to run becomes a template whose nodes end in
// Error, as the controller makes them.
func (c *converter) template(field, scope string, in *template) (*nodegraph.Template, error) {
	if strings.Count(field, ".inline") > maxInline {
		return nil, inField(field, &nodegraph.LimitError{Limit: "Nesting", Max: maxInline})
	}
	t := &nodegraph.Template{Name: in.Name}
	outer := c.fields
	c.fields = nil
	defer func() { c.fields = outer }()
	if d := c.spec.TemplateDefaults; d != nil {
		in = withDefaults(in, d)
	}
	var err error
	switch {
	case in.Container != nil:
		t.Kind = nodegraph.KindPod
	case in.ContainerSet != nil:
		t.Kind = nodegraph.KindPod
		for _, ctr := range in.ContainerSet.Containers {
			t.Containers = append(t.Containers, nodegraph.ContainerSpec{Name: ctr.Name, Dependencies: ctr.Dependencies})
		}
	case in.Steps != nil:
		t.Kind, err = nodegraph.KindSteps, c.steps(field, scope, t, in.Steps)
	case in.DAG != nil:
		t.Kind, err = nodegraph.KindDAG, c.dag(field, scope, t, in.DAG)
	case in.Script != nil, in.Resource != nil, in.Data != nil:
		t.Kind = nodegraph.KindPod
	case in.Suspend != nil:
		t.Kind = nodegraph.KindSuspend
		t.Suspend, err = c.duration(field+".suspend.duration", in.Suspend.Duration)
	case in.HTTP != nil:
		t.Kind = nodegraph.KindHTTP
	case in.Plugin != nil:
		t.Kind = nodegraph.KindPlugin
	default:
		t.Kind, t.Err = nodegraph.KindPod, fmt.Sprintf("Template '%s' missing specification", in.Name)
	}
	if err != nil {
		return nil, err
	}
	if err := c.common(field, t, in); err != nil {
		return nil, err
	}
	t.Unresolved = c.fields
	if (t.Kind == nodegraph.KindDAG || t.Kind == nodegraph.KindSteps) && in.Outputs == nil && in.Memoize == nil {
		c.w.notePlain(t)
	}
	return t, nil
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
	if in.RetryStrategy == nil {
		t.Retry = c.retries
		c.fields = append(c.fields, c.retriesLeft...)
		return nil
	}
	t.Retry, err = c.retry(field+".retryStrategy", in.RetryStrategy)
	return err
}

func (c *converter) dag(field, scope string, t *nodegraph.Template, in *dag) error {
	t.NoFailFast = in.FailFast != nil && !*in.FailFast
	switch {
	case open(in.Target):
		c.unresolved(field+".dag.target", in.Target, countsNotSet)
	case in.Target != "":
		t.Targets = strings.Fields(in.Target)
	}
	t.Tasks = slices.Grow(t.Tasks, len(in.Tasks))
	for i := range in.Tasks {
		task, err := c.task(field+".dag.tasks["+strconv.Itoa(i)+"]", scope, &in.Tasks[i])
		if err != nil {
			return err
		}
		t.Tasks = append(t.Tasks, task)
	}
	return nil
}

func (c *converter) steps(field, scope string, t *nodegraph.Template, in [][]task) error {
	for g, group := range in {
		var steps []nodegraph.Task
		for i := range group {
			step, err := c.task(fmt.Sprintf("%s.steps[%d][%d]", field, g, i), scope, &group[i])
			if err != nil {
				return err
			}
			steps = append(steps, step)
		}
		t.Steps = append(t.Steps, steps)
	}
	return nil
}

func (c *converter) task(field, scope string, in *task) (nodegraph.Task, error) {
	t := nodegraph.Task{Name: in.Name, Dependencies: in.Dependencies, Depends: in.Depends, When: in.When}
	if in.ContinueOn != nil {
		t.ContinueOn = nodegraph.ContinueOn{Failed: in.ContinueOn.Failed, Error: in.ContinueOn.Error}
	}
	loop, err := c.loop(field, in)
	if err != nil {
		return t, err
	}
	t.Loop = loop
	byItem, err := c.callByItem(field, scope, in, &t)
	switch {
	case err != nil:
		return t, err
	case byItem:
	case in.Inline != nil:
		if t.Inline, err = c.inline(field, scope, in.Name, in.call()); err != nil {
			return t, err
		}
	default:
		t.Template = c.call(field, scope, in.call(), nil)
	}
	t.Hooks = c.hooks(field, scope, in.Hooks, in.OnExit)
	return t, nil
}

// inline converts a template that is written inside a task.
func (c *converter) inline(field, scope, task string, in *call) (*nodegraph.Template, error) {
	inline := *in.Inline
	if inline.Name == "" {
		inline.Name = task
	}
	field += ".inline"
	s := source{in: &inline, inputs: parametersOf(inline.Inputs)}
	if !c.variables || len(s.inputs) == 0 {
		return c.template(field, scope, &inline)
	}
	for name := range s.inputs {
		s.needs = append(s.needs, name)
	}
	return c.filled(field, scope, &inline, textOf(&inline), s.bind(in.arguments()))
}

// inlineByItem converts a template that is written inside a task for one item of its loop, and returns its name.
func (c *converter) inlineByItem(field, scope, task string, in *call) (string, error) {
	t, err := c.inline(field, scope, task, in)
	if err != nil {
		return "", err
	}
	t.CopyOf = t.Name
	t.Name = fmt.Sprintf("%s#%d", field, len(c.rest))
	c.rest = append(c.rest, convertedTemplate{Template: t})
	return t.Name, nil
}
