package nodegraph

import (
	"fmt"
	"time"
)

// template checks one template, once however often it is met.
func (c *checker) template(t *Template) error {
	if _, done := c.madeOf[t]; done {
		return nil
	}
	if err := t.checkNumbers(); err != nil {
		return err
	}
	if t.Retry != nil {
		if err := t.Retry.Validate(); err != nil {
			return &SpecError{Template: t.Name, Field: "retryStrategy", Reason: "is not usable", Err: err}
		}
		if expression := t.Retry.Expression; expression != nil {
			if err := c.limits.admit(expression.String()); err != nil {
				return &SpecError{Template: t.Name, Field: "retryStrategy.expression", Reason: pastLimit, Err: err}
			}
		}
	}
	if err := t.checkKind(); err != nil {
		return err
	}
	c.features.Daemons = c.features.Daemons || t.IsDaemon()
	c.features.FailFast = c.features.FailFast || t.FailFast
	c.features.Parallelism = c.features.Parallelism || t.Parallelism > 0
	c.features.Locks = c.features.Locks || len(t.Locks) > 0
	c.features.LockedComposites = c.features.LockedComposites || len(t.Locks) > 0 && t.Kind.Composite()
	var plan *Plan
	var err error
	switch t.Kind {
	case KindPod:
		plan, err = c.containers(t)
	case KindDAG:
		plan, err = c.dag(t)
	case KindSteps:
		err = c.steps(t)
	}
	if err != nil {
		return err
	}
	if plan != nil {
		c.edges += len(plan.deps.list)
	}
	c.madeOf[t] = int32(len(c.made))
	c.made = append(c.made, made{shape: t.shape(), plan: plan})
	return nil
}

// checkKind finds fields that a template of this kind does not have. Fields that Argo ignores where they mean nothing,
// such as daemon, are ignored here too.
func (t *Template) checkKind() error {
	switch t.Kind {
	case KindPod, KindDAG, KindSteps, KindSuspend, KindHTTP, KindPlugin:
	default:
		return &SpecError{Template: t.Name, Field: "type", Reason: fmt.Sprintf("%s is not a kind of template", t.Kind)}
	}
	for _, f := range []struct {
		set   bool
		field string
		kind  Kind
	}{
		{len(t.Containers) > 0, "containerSet", KindPod},
		{len(t.Tasks) > 0, "dag.tasks", KindDAG},
		{len(t.Targets) > 0, "dag.target", KindDAG},
		{t.NoFailFast, "dag.failFast", KindDAG},
		{len(t.Steps) > 0, "steps", KindSteps},
		{t.Suspend != 0, "suspend.duration", KindSuspend},
		{t.MainContainer != "", "mainContainer", KindPod},
	} {
		if f.set && t.Kind != f.kind {
			return &SpecError{Template: t.Name, Field: f.field, Reason: fmt.Sprintf("is only for %s templates, and this is a %s", f.kind, t.Kind)}
		}
	}
	if t.MainContainer != "" && len(t.Containers) > 0 {
		return &SpecError{Template: t.Name, Field: "mainContainer", Reason: "is only for a pod whose containers are no nodes"}
	}
	return nil
}

// checkNumbers finds negative numbers and locks without a key.
func (t *Template) checkNumbers() error {
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"suspend.duration", t.Suspend}, {"timeout", t.Timeout}, {"pendingTimeout", t.PendingTimeout}} {
		if d.value < 0 {
			return negative(t.Name, d.field, d.value)
		}
	}
	if t.Parallelism < 0 {
		return negative(t.Name, "parallelism", t.Parallelism)
	}
	return checkLocks(t.Name, t.Locks)
}

func checkLocks(template string, locks []Lock) error {
	for i, l := range locks {
		field := fmt.Sprintf("synchronization[%d]", i)
		if l.Key == "" {
			return &SpecError{Template: template, Field: field, Reason: "has no key"}
		}
		if l.Limit < 0 {
			return negative(template, field+".limit", l.Limit)
		}
	}
	return nil
}

func negative(template, field string, value any) error {
	return &SpecError{Template: template, Field: field, Reason: fmt.Sprintf("%v is negative", value)}
}

// containers plans the containers of a set; a pod without one has no plan.
func (c *checker) containers(t *Template) (*Plan, error) {
	if len(t.Containers) == 0 {
		return nil, nil
	}
	slots := make(map[string]int32, len(t.Containers))
	for i, ctr := range t.Containers {
		if reason := c.badMember(ctr.Name); reason != "" {
			return nil, &SpecError{Template: t.Name, Node: bounded(ctr.Name), Field: fmt.Sprintf("containerSet.containers[%d].name", i), Reason: reason}
		}
		if _, ok := slots[ctr.Name]; ok {
			return nil, &SpecError{Template: t.Name, Node: ctr.Name, Field: "name", Reason: "is used by more than one container"}
		}
		slots[ctr.Name] = int32(i)
	}
	p := newPlanner(len(t.Containers), 0)
	for i, ctr := range t.Containers {
		for _, d := range ctr.Dependencies {
			slot, ok := slots[d]
			if !ok {
				return nil, &SpecError{Template: t.Name, Node: ctr.Name, Field: "dependencies",
					Reason: fmt.Sprintf("no container of this pod is named %q", bounded(d))}
			}
			p.after(int32(i), slot)
		}
		p.deps.end()
	}
	plan, err := p.plan(func(slot int32) string { return t.Containers[slot].Name })
	if err != nil {
		return nil, &SpecError{Template: t.Name, Field: "dependencies", Reason: "the containers wait for each other", Err: err}
	}
	return plan, nil
}

func (c *checker) dag(t *Template) (*Plan, error) {
	edges, length, ordered := 0, 0, true
	for i := range t.Tasks {
		edges += len(t.Tasks[i].Dependencies)
	}
	slots, p := newSlotTable(t.Tasks), newPlanner(len(t.Tasks), edges)
	for i := range t.Tasks {
		task := &t.Tasks[i]
		if err := c.task(t, place{list: "dag.tasks", at: i}, task); err != nil {
			return nil, err
		}
		length += len(task.Name)
		p.continues = p.continues || task.ContinueOn != ContinueOn{}
		if slots.add(i) {
			return nil, &SpecError{Template: t.Name, Node: task.Name, Field: "name", Reason: "is used by more than one task"}
		}
		// What was declared last is still in the processor's cache. Where a task comes after one that is declared later this fails,
		// and is done again when all are known.
		ordered = ordered && p.task(t, int32(i), slots) == nil
	}
	if !ordered {
		p.reset()
		for i := range t.Tasks {
			if err := p.task(t, int32(i), slots); err != nil {
				return nil, err
			}
		}
	}
	name := func(slot int32) string { return t.Tasks[slot].Name }
	plan, err := p.plan(name)
	if err != nil {
		return nil, &SpecError{Template: t.Name, Field: "depends", Reason: "the tasks wait for each other", Err: err}
	}
	for _, target := range t.Targets {
		slot, ok := slots.find(target)
		if !ok {
			return nil, &SpecError{Template: t.Name, Field: "dag.target", Reason: fmt.Sprintf("no task is named %q", bounded(target))}
		}
		plan.targets = append(plan.targets, plan.placeOf(slot))
	}
	plan.names = length
	plan.chooseTargets(name)
	plan.number(p.mark)
	return plan, nil
}

func (c *checker) steps(t *Template) error {
	names := make(map[string]bool)
	for g, group := range t.Steps {
		for i := range group {
			step := &group[i]
			if err := c.task(t, place{list: fmt.Sprintf("steps[%d]", g), at: i}, step); err != nil {
				return err
			}
			if names[step.Name] {
				return &SpecError{Template: t.Name, Node: step.Name, Field: "name", Reason: "is used by more than one step"}
			}
			names[step.Name] = true
			if step.Depends != "" || len(step.Dependencies) > 0 {
				return &SpecError{Template: t.Name, Node: step.Name, Field: "depends", Reason: "only tasks of a DAG have dependencies"}
			}
		}
	}
	return nil
}
