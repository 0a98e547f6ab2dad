package nodegraph

import (
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/retry"
)

func (p *specParser) pod() (*Template, error) {
	if !p.accept("(") {
		return &Template{Name: "pod", Kind: KindPod}, nil
	}
	drawn, err := p.chains(func(int, string) error { return nil })
	if err != nil {
		return nil, err
	}
	t := &Template{Kind: KindPod}
	for slot, name := range drawn.names {
		t.Containers = append(t.Containers, ContainerSpec{Name: name, Dependencies: drawn.after[slot]})
	}
	if len(t.Containers) == 0 {
		return nil, p.errorf(p.at-1, "expected the name of a container")
	}
	return t, nil
}

func (p *specParser) suspend() (*Template, error) {
	if !p.accept("(") {
		return &Template{Name: "suspend", Kind: KindSuspend}, nil
	}
	p.space()
	from := p.at
	p.at += max(0, strings.IndexByte(p.text[from:], ')'))
	d, err := time.ParseDuration(strings.TrimSpace(p.text[from:p.at]))
	if err != nil || d < 0 {
		return nil, p.errorf(from, "expected a duration such as 10s")
	}
	return &Template{Kind: KindSuspend, Suspend: max(d, AtOnce)}, p.expect(")")
}

func (p *specParser) retry() (*Template, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	strategy := &retry.Strategy{Policy: retry.PolicyAlways}
	if c := p.peek(); c >= '0' && c <= '9' {
		from := p.at
		limit, err := strconv.Atoi(p.word())
		if err != nil {
			return nil, p.errorf(from, "expected a number of retries")
		}
		strategy.Limit = &limit
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
	p.space()
	from := p.at
	t, err := p.template()
	if err != nil {
		return nil, err
	}
	if t.Retry != nil {
		return nil, p.errorf(from, "a retry directly inside a retry")
	}
	t.Name, t.Retry = "", strategy
	return t, p.expect(")")
}

func (p *specParser) mutex() (*Template, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	t, err := p.template()
	if err != nil {
		return nil, err
	}
	t.Name, t.Locks = "", append([]Lock{{Key: p.spec.Namespace + "/Mutex/" + name, Limit: 1}}, t.Locks...)
	return t, p.expect(")")
}

func (p *specParser) dag() (*Template, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	t := &Template{Kind: KindDAG}
	drawn, err := p.chains(func(slot int, name string) error {
		if slot == len(t.Tasks) {
			t.Tasks = append(t.Tasks, Task{Name: name})
		}
		return p.task(&t.Tasks[slot])
	})
	if err != nil {
		return nil, err
	}
	for slot := range t.Tasks {
		t.Tasks[slot].Dependencies = drawn.after[slot]
		p.defaultPod(&t.Tasks[slot])
	}
	return t, nil
}

func (p *specParser) steps() (*Template, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	t := &Template{Kind: KindSteps}
	if p.accept(")") {
		return t, nil
	}
	return t, p.list("|", ")", func() error {
		group, err := p.group()
		t.Steps = append(t.Steps, group)
		return err
	})
}

// group parses the steps of one group.
func (p *specParser) group() (group []Task, err error) {
	for more := true; more; more = p.accept(",") {
		step := Task{}
		if step.Name, err = p.name(); err != nil {
			return nil, err
		}
		if err = p.task(&step); err != nil {
			return nil, err
		}
		p.defaultPod(&step)
		group = append(group, step)
	}
	return group, nil
}

// task parses what may follow the name of a task or step.
func (p *specParser) task(task *Task) (err error) {
	if colon := p.at; p.accept(":") {
		if task.Template != "" {
			return p.errorf(colon, "task %q has a template already", bounded(task.Name))
		}
		if task.Template, err = p.nested(task.Name, true); err != nil {
			return err
		}
	}
	for {
		p.space()
		from := p.at
		switch p.word() {
		case "depends":
			task.Depends, err = p.string()
		case "when":
			task.When, err = p.string()
		case "over":
			task.Loop, err = p.loop()
		case "exit":
			err = p.exitHook(task)
		case "continueOnFailed":
			task.ContinueOn.Failed = true
		case "continueOnError":
			task.ContinueOn.Error = true
		default:
			p.at = from
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *specParser) exitHook(task *Task) error {
	name, err := p.nested(task.Name+"-exit", true)
	task.Hooks = append(task.Hooks, Hook{Name: ExitHook, Template: name})
	return err
}

// loop parses the items of a task.
func (p *specParser) loop() (*Loop, error) {
	if !p.accept("[") {
		text, err := p.string()
		return &Loop{Unresolved: text}, err
	}
	loop := &Loop{}
	if p.accept("]") {
		return loop, nil
	}
	return loop, p.list(",", "]", func() (err error) {
		text := p.word()
		if text == "" {
			text, err = p.string()
		}
		loop.Items = append(loop.Items, Item{Text: text})
		return err
	})
}

// defaultPod gives a task that does not say what it is the plain pod.
func (p *specParser) defaultPod(task *Task) {
	if task.Template == "" {
		task.Template = p.leaf(&Template{Name: "pod", Kind: KindPod})
	}
}
