package nodegraph

import (
	"time"
)

// A Builder puts a specification together in Go code. Each method that is named for a kind of template adds one and
// returns it, so that its other fields can be set directly:
//
//	b := nodegraph.NewBuilder("build")
//	b.Pod("compile").Retry = &retry.Strategy{}
//	b.DAG("main").
//		Task("fetch", "compile").
//		Task("build", "compile", nodegraph.After("fetch"))
//	g, err := b.Graph()
//
// The workflow runs the template that [Builder.Entry] names: without it the one called main, or the only one. Templates
// may be used before they are added. Mistakes are reported once, by Spec or Graph. Where the names of tasks come from users,
// templates go into Task.Inline of a [Spec] better: those share no names.
type Builder struct {
	name, entry string
	templates   []*Template
	err         error // the first mistake that only the builder can see
}

// NewBuilder returns a builder for the workflow with this name. Its namespace is "default".
func NewBuilder(name string) *Builder { return &Builder{name: name} }

// Entry chooses the template that the workflow runs.
func (b *Builder) Entry(template string) *Builder {
	b.entry = template
	return b
}

// Add adds a template that was made by hand and returns it.
func (b *Builder) Add(t *Template) *Template {
	b.templates = append(b.templates, t)
	return t
}

// Pod adds a template for a pod.
func (b *Builder) Pod(name string) *Template { return b.Add(&Template{Name: name, Kind: KindPod}) }

// ContainerSet adds a template for a pod with these containers, each after those it depends on.
func (b *Builder) ContainerSet(name string, containers ...ContainerSpec) *Template {
	return b.Add(&Template{Name: name, Kind: KindPod, Containers: containers})
}

// Daemon adds a template for a pod that is fulfilled once it is ready and is ended with the DAG or Steps it is in.
func (b *Builder) Daemon(name string) *Template {
	return b.Add(&Template{Name: name, Kind: KindPod, Daemon: true})
}

// Suspend adds a template for a node that waits for the host, or for as long as wait says; 0 waits for the host only, AtOnce
// for nothing.
func (b *Builder) Suspend(name string, wait time.Duration) *Template {
	return b.Add(&Template{Name: name, Kind: KindSuspend, Suspend: wait})
}

// HTTP adds a template for a request that an agent makes.
func (b *Builder) HTTP(name string) *Template { return b.Add(&Template{Name: name, Kind: KindHTTP}) }

// Plugin adds a template for a node that a plugin carries out.
func (b *Builder) Plugin(name string) *Template {
	return b.Add(&Template{Name: name, Kind: KindPlugin})
}

// DAG adds a template for tasks that come after one another as they say.
func (b *Builder) DAG(name string) *DAGBuilder {
	return &DAGBuilder{Template: b.Add(&Template{Name: name, Kind: KindDAG})}
}

// Steps adds a template for groups that run one after the other.
func (b *Builder) Steps(name string) *StepsBuilder {
	return &StepsBuilder{Template: b.Add(&Template{Name: name, Kind: KindSteps}), builder: b}
}

// Spec returns the specification, checked as by [Spec.Validate]. The error is a [*SpecError].
func (b *Builder) Spec() (*Spec, error) {
	if b.err != nil {
		return nil, b.err
	}
	entry := b.entry
	switch {
	case entry != "":
	case len(b.templates) == 1 && b.templates[0] != nil:
		entry = b.templates[0].Name
	default:
		entry = "main"
	}
	s := &Spec{Name: b.name, Namespace: "default", Entrypoint: entry, Templates: append([]*Template(nil), b.templates...)}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// Graph returns the graph of the specification; nothing is expanded yet. The error is a [*SpecError].
func (b *Builder) Graph() (*Graph, error) {
	s, err := b.Spec()
	if err != nil {
		return nil, err
	}
	return New(s)
}

// A DAGBuilder adds tasks to a DAG template, which it embeds.
type DAGBuilder struct{ *Template }

// Task adds a task that runs template.
func (d *DAGBuilder) Task(name, template string, options ...TaskOption) *DAGBuilder {
	d.Tasks = append(d.Tasks, newTask(name, template, options))
	return d
}

// A StepsBuilder adds steps to a Steps template, which it embeds.
type StepsBuilder struct {
	*Template
	builder *Builder
}

// Step adds a step that runs template, in a group of its own after those before.
func (s *StepsBuilder) Step(name, template string, options ...TaskOption) *StepsBuilder {
	s.Steps = append(s.Steps, []Task{newTask(name, template, options)})
	return s
}

// And adds a step that runs in parallel with the step before it.
func (s *StepsBuilder) And(name, template string, options ...TaskOption) *StepsBuilder {
	last := len(s.Steps) - 1
	if last < 0 {
		if s.builder.err == nil {
			s.builder.err = &SpecError{Template: s.Name, Node: name, Field: "steps", Reason: "And comes before the first Step"}
		}
		return s
	}
	s.Steps[last] = append(s.Steps[last], newTask(name, template, options))
	return s
}

// A TaskOption sets something of a task or step. Any function of this type will do.
type TaskOption func(*Task)

func newTask(name, template string, options []TaskOption) Task {
	t := Task{Name: name, Template: template}
	for _, option := range options {
		option(&t)
	}
	return t
}

// After puts a task of a DAG after these tasks, each Succeeded, Skipped or a ready daemon.
func After(tasks ...string) TaskOption {
	return func(t *Task) { t.Dependencies = append(t.Dependencies, tasks...) }
}

// DependsOn puts a task of a DAG after the tasks that a depends expression names, under its condition.
func DependsOn(expression string) TaskOption {
	return func(t *Task) { t.Depends = expression }
}

// When skips the task unless the condition, in Argo's when dialect, holds.
func When(condition string) TaskOption {
	return func(t *Task) { t.When = condition }
}

// WithItems runs the task once for each item.
func WithItems(items ...string) TaskOption {
	return func(t *Task) {
		t.Loop = &Loop{}
		for _, text := range items {
			t.Loop.Items = append(t.Loop.Items, Item{Text: text})
		}
	}
}

// OnExit runs template when the task has ended, however it ended.
func OnExit(template string) TaskOption {
	return func(t *Task) { t.Hooks = append(t.Hooks, Hook{Name: ExitHook, Template: template}) }
}

// ContinueOnFailure lets the DAG or Steps go on after the task as if it had not failed, whether it is Failed or in Error.
func ContinueOnFailure() TaskOption {
	return func(t *Task) { t.ContinueOn = ContinueOn{Failed: true, Error: true} }
}
