package nodegraph

import (
	"fmt"
	"slices"
	"strings"
)

// dagPlan is a DAG or ContainerSet template made ready for evaluation: names resolved to slots.
type dagPlan struct {
	conditions []*Condition // by slot; nil where the task comes after nothing
	deps       [][]int32    // by slot: the slots its condition names, in the order of Condition.Tasks
	dependents [][]int32    // by slot
	order      []int32      // slots, each after all it depends on
	rank       []int32      // by slot: its place in order
	targets    []int32      // slots of the tasks that must end, in the order in which they decide
	needed     []bool       // by slot: a target, or something a target depends on
	visit      []int32      // by slot: its place in a depth-first walk from the targets, what it depends on first
}

// compile checks the whole specification and prepares its templates. The first error found is returned: a *SpecError,
// which wraps a *CycleError or *DependsError where one is the cause.
func (s *Spec) compile() error {
	if s.Name == "" {
		return &SpecError{Field: "name", Reason: "is empty"}
	}
	byName := make(map[string]*Template, len(s.Templates))
	for i, t := range s.Templates {
		if t == nil || t.Name == "" {
			return &SpecError{Field: fmt.Sprintf("templates[%d].name", i), Reason: "is empty"}
		}
		if byName[t.Name] != nil {
			return &SpecError{Template: t.Name, Field: "name", Reason: "is used by more than one template"}
		}
		byName[t.Name] = t
	}
	if byName[s.Entrypoint] == nil {
		return &SpecError{Field: "entrypoint", Reason: fmt.Sprintf("no template is named %q", bounded(s.Entrypoint))}
	}
	if s.OnExit != "" && byName[s.OnExit] == nil {
		return &SpecError{Field: "onExit", Reason: fmt.Sprintf("no template is named %q", bounded(s.OnExit))}
	}
	if err := checkHooks("", "", s.Hooks, byName); err != nil {
		return err
	}
	for _, t := range s.Templates {
		if err := t.compile(byName); err != nil {
			return err
		}
	}
	return nil
}

// compile checks one template and resolves its names.
func (t *Template) compile(byName map[string]*Template) error {
	if t.Retry != nil {
		if err := t.Retry.Validate(); err != nil {
			return &SpecError{Template: t.Name, Field: "retryStrategy", Reason: "is not usable", Err: err}
		}
	}
	switch t.Kind {
	case Pod:
		return t.compileContainers()
	case DAG:
		return t.compileDAG(byName)
	case Steps:
		return t.checkSteps(byName)
	case Suspend, HTTP, Plugin:
		return nil
	}
	return &SpecError{Template: t.Name, Field: "type", Reason: fmt.Sprintf("%s is not a kind of template", t.Kind)}
}

func (t *Template) compileContainers() error {
	slots := make(map[string]int32, len(t.Containers))
	for i, c := range t.Containers {
		if c.Name == "" {
			return &SpecError{Template: t.Name, Field: fmt.Sprintf("containerSet.containers[%d].name", i), Reason: "is empty"}
		}
		if _, ok := slots[c.Name]; ok {
			return &SpecError{Template: t.Name, Node: c.Name, Field: "name", Reason: "is used by more than one container"}
		}
		slots[c.Name] = int32(i)
	}
	plan := newPlan(len(t.Containers))
	for i, c := range t.Containers {
		for _, d := range c.Dependencies {
			slot, ok := slots[d]
			if !ok {
				return &SpecError{Template: t.Name, Node: c.Name, Field: "dependencies",
					Reason: fmt.Sprintf("no container of this pod is named %q", bounded(d))}
			}
			plan.after(int32(i), slot)
		}
	}
	name := func(i int32) string { return t.Containers[i].Name }
	if err := plan.sort(name); err != nil {
		return &SpecError{Template: t.Name, Field: "dependencies", Reason: "the containers wait for each other", Err: err}
	}
	t.dag = plan
	return nil
}

func (t *Template) compileDAG(byName map[string]*Template) error {
	slots := make(map[string]int32, len(t.Tasks))
	for i := range t.Tasks {
		task := &t.Tasks[i]
		if err := checkTask(t.Name, fmt.Sprintf("dag.tasks[%d]", i), task, byName); err != nil {
			return err
		}
		if _, ok := slots[task.Name]; ok {
			return &SpecError{Template: t.Name, Node: task.Name, Field: "name", Reason: "is used by more than one task"}
		}
		slots[task.Name] = int32(i)
	}
	plan := newPlan(len(t.Tasks))
	for i := range t.Tasks {
		if err := plan.addTask(t, int32(i), slots); err != nil {
			return err
		}
	}
	name := func(i int32) string { return t.Tasks[i].Name }
	if err := plan.sort(name); err != nil {
		return &SpecError{Template: t.Name, Field: "depends", Reason: "the tasks wait for each other", Err: err}
	}
	for _, target := range t.Targets {
		slot, ok := slots[target]
		if !ok {
			return &SpecError{Template: t.Name, Field: "dag.target", Reason: fmt.Sprintf("no task is named %q", bounded(target))}
		}
		plan.targets = append(plan.targets, slot)
	}
	plan.chooseTargets(name)
	plan.number()
	t.dag = plan
	return nil
}

// addTask compiles the condition of one task.
func (p *dagPlan) addTask(t *Template, slot int32, slots map[string]int32) error {
	task := &t.Tasks[slot]
	if task.Depends == "" && len(task.Dependencies) == 0 {
		return nil
	}
	resolve := func(name string) (Results, bool) {
		dep, ok := slots[name]
		if !ok {
			return 0, false
		}
		bare := BareResults
		if t.Tasks[dep].ContinueOn.Failed {
			bare |= ResultFailed
		}
		if t.Tasks[dep].ContinueOn.Error {
			bare |= ResultErrored
		}
		return bare, true
	}
	field := "depends"
	condition, err := ParseDepends(task.Depends, resolve)
	if task.Depends == "" {
		field = "dependencies"
		condition, err = Dependencies(task.Dependencies, resolve)
	} else if len(task.Dependencies) > 0 {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "dependencies", Reason: "can't be used together with depends"}
	}
	if err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: field, Reason: "can't be compiled", Err: err}
	}
	p.conditions[slot] = condition
	for _, name := range condition.Tasks() {
		p.after(slot, slots[name])
	}
	return nil
}

func (t *Template) checkSteps(byName map[string]*Template) error {
	names := make(map[string]bool)
	for g, group := range t.Steps {
		for i := range group {
			step := &group[i]
			if err := checkTask(t.Name, fmt.Sprintf("steps[%d][%d]", g, i), step, byName); err != nil {
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

func checkTask(template, field string, task *Task, byName map[string]*Template) error {
	if task.Name == "" {
		return &SpecError{Template: template, Field: field + ".name", Reason: "is empty"}
	}
	switch {
	case task.Inline != nil:
		if err := task.Inline.compile(byName); err != nil {
			return &SpecError{Template: template, Node: task.Name, Field: "inline", Reason: "is not usable", Err: err}
		}
	case byName[task.Template] == nil:
		return &SpecError{Template: template, Node: task.Name, Field: "template",
			Reason: fmt.Sprintf("no template is named %q", bounded(task.Template))}
	}
	return checkHooks(template, task.Name, task.Hooks, byName)
}

func checkHooks(template, node string, hooks []Hook, byName map[string]*Template) error {
	for i, h := range hooks {
		field := "hooks." + h.Name
		switch {
		case h.Name == "":
			return &SpecError{Template: template, Node: node, Field: fmt.Sprintf("hooks[%d]", i), Reason: "has no name"}
		case byName[h.Template] == nil:
			return &SpecError{Template: template, Node: node, Field: field, Reason: fmt.Sprintf("no template is named %q", bounded(h.Template))}
		case h.Name != ExitHook && h.Expression == "":
			return &SpecError{Template: template, Node: node, Field: field, Reason: "a hook other than exit needs an expression"}
		}
	}
	return nil
}

func newPlan(n int) *dagPlan {
	return &dagPlan{
		conditions: make([]*Condition, n),
		deps:       make([][]int32, n),
		dependents: make([][]int32, n),
		needed:     make([]bool, n),
	}
}

// after records that slot comes after dep.
func (p *dagPlan) after(slot, dep int32) {
	if slices.Contains(p.deps[slot], dep) {
		return
	}
	p.deps[slot] = append(p.deps[slot], dep)
	p.dependents[dep] = append(p.dependents[dep], slot)
}

// sort orders the slots so that each comes after all it depends on (Kahn), or names a cycle.
func (p *dagPlan) sort(name func(int32) string) error {
	n := len(p.deps)
	missing := make([]int32, n)
	p.order = make([]int32, 0, n)
	for i := range p.deps {
		missing[i] = int32(len(p.deps[i]))
		if missing[i] == 0 {
			p.order = append(p.order, int32(i))
		}
	}
	for at := 0; at < len(p.order); at++ {
		for _, d := range p.dependents[p.order[at]] {
			if missing[d]--; missing[d] == 0 {
				p.order = append(p.order, d)
			}
		}
	}
	if len(p.order) == n {
		p.rank = make([]int32, n)
		for at, slot := range p.order {
			p.rank[slot] = int32(at)
		}
		return nil
	}
	return &CycleError{Nodes: findCycle(p.deps, missing, name)}
}

// findCycle walks backwards from a slot that never became free until it meets itself.
func findCycle(deps [][]int32, missing []int32, name func(int32) string) []string {
	at := int32(slices.IndexFunc(missing, func(m int32) bool { return m > 0 }))
	seenAt := make(map[int32]int)
	var path []int32
	for {
		if from, ok := seenAt[at]; ok {
			path = path[from:]
			break
		}
		seenAt[at] = len(path)
		path = append(path, at)
		for _, d := range deps[at] {
			if missing[d] > 0 {
				at = d
				break
			}
		}
	}
	names := make([]string, len(path))
	for i, slot := range path {
		names[len(path)-1-i] = name(slot)
	}
	smallest := 0
	for i := range names {
		if strings.Compare(names[i], names[smallest]) < 0 {
			smallest = i
		}
	}
	return append(names[smallest:], names[:smallest]...)
}

// number fills in visit.
func (p *dagPlan) number() {
	p.visit = make([]int32, len(p.deps))
	seen := make([]bool, len(p.deps))
	next := int32(0)
	stack := make([]int32, 0, len(p.deps))
	for _, target := range p.targets {
		stack = append(stack, target)
		for len(stack) > 0 {
			slot := stack[len(stack)-1]
			if seen[slot] { // back from what it depends on, or reached twice
				stack = stack[:len(stack)-1]
				if p.visit[slot] == 0 {
					next++
					p.visit[slot] = next
				}
				continue
			}
			seen[slot] = true
			for _, d := range slices.Backward(p.deps[slot]) {
				if !seen[d] {
					stack = append(stack, d)
				}
			}
		}
	}
}

// chooseTargets takes the tasks that nothing depends on where the template names no target, in the order of their
// names as Argo does, and marks all that the targets need.
func (p *dagPlan) chooseTargets(name func(int32) string) {
	if len(p.targets) == 0 {
		for i := range p.dependents {
			if len(p.dependents[i]) == 0 {
				p.targets = append(p.targets, int32(i))
			}
		}
		slices.SortFunc(p.targets, func(a, b int32) int { return strings.Compare(name(a), name(b)) })
	}
	for _, t := range p.targets {
		p.needed[t] = true
	}
	for _, slot := range slices.Backward(p.order) {
		if p.needed[slot] {
			for _, d := range p.deps[slot] {
				p.needed[d] = true
			}
		}
	}
}
