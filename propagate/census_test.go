package propagate_test

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// A census counts how often constructs, events and actions occur, by name: "Template.Retry", "kind Suspend",
// "event Resumed", "Event.Ready", "action Wake".
type census map[string]int

func (c census) count(name string) { c[name]++ }

func (c census) add(other census) {
	for name, n := range other {
		c[name] += n
	}
}

// called counts the events that an engine took, and what it asked for.
func (c census) called(events []propagate.Event, result *propagate.Result) {
	for i := range events {
		c.count("event " + events[i].Type.String())
		c.fields("Event", reflect.ValueOf(events[i]))
	}
	for _, a := range result.Actions {
		c.count("action " + a.Type.String())
	}
}

// refused counts an event that an engine refused to hear of.
func (c census) refused(ev *propagate.Event) { c.count("refused " + ev.Type.String()) }

// spec counts what a specification uses.
func (c census) spec(s *nodegraph.Spec) {
	c.value(reflect.ValueOf(*s))
}

// atomicTypes are not looked into.
var atomicTypes = map[reflect.Type]bool{reflect.TypeFor[retry.Expression](): true, reflect.TypeFor[time.Time](): true}

// value counts what is inside a value. Each field that is set counts under its type and name.
func (c census) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.value(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.value(v.Index(i))
		}
	case reflect.Struct:
		if atomicTypes[v.Type()] {
			return
		}
		if t, ok := v.Interface().(nodegraph.Template); ok {
			c.count("kind " + t.Kind.String())
		}
		c.fields(v.Type().Name(), v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.value(v.Field(i))
			}
		}
	}
}

// fields counts the fields of a struct that are set.
func (c census) fields(of string, v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
			c.count(of + "." + f.Name)
		}
	}
}

// constructs lists all that a generator could produce: every field of the types of a specification, every kind of
// template, every event with its fields, and every action. A new one is in the list by itself.
func constructs() []string {
	var names []string
	seen := make(map[reflect.Type]bool)
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(t.Elem())
		case reflect.Struct:
			if seen[t] || atomicTypes[t] {
				return
			}
			seen[t] = true
			for i := range t.NumField() {
				if f := t.Field(i); f.IsExported() {
					names = append(names, t.Name()+"."+f.Name)
					walk(f.Type)
				}
			}
		}
	}
	walk(reflect.TypeFor[nodegraph.Spec]())
	for _, k := range []nodegraph.Kind{nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps, nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin} {
		names = append(names, "kind "+k.String())
	}
	for t := propagate.EventType(1); !strings.HasPrefix(t.String(), "EventType("); t++ {
		names = append(names, "event "+t.String())
	}
	event := reflect.TypeFor[propagate.Event]()
	for i := range event.NumField() {
		names = append(names, "Event."+event.Field(i).Name)
	}
	for t := propagate.ActionType(0); !strings.HasPrefix(t.String(), "ActionType("); t++ {
		names = append(names, "action "+t.String())
	}
	return names
}

// copySpec copies a specification. Compiled expressions are shared.
func copySpec(s *nodegraph.Spec) *nodegraph.Spec {
	v := copyValue(reflect.ValueOf(s), make(map[any]reflect.Value))
	return v.Interface().(*nodegraph.Spec)
}

func copyValue(v reflect.Value, known map[any]reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || atomicTypes[v.Type().Elem()] {
			return v
		}
		if c, ok := known[v.Interface()]; ok {
			return c
		}
		c := reflect.New(v.Type().Elem())
		known[v.Interface()] = c
		c.Elem().Set(copyValue(v.Elem(), known))
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(copyValue(v.Index(i), known))
		}
		return c
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		if !atomicTypes[v.Type()] {
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					c.Field(i).Set(copyValue(v.Field(i), known))
				}
			}
		}
		return c
	}
	return v
}

// crossings counts where constructs meet, as they do in recorded workflows.
func (c census) crossings(s *nodegraph.Spec) {
	for _, t := range allTemplates(s) {
		for _, name := range crossingsOf(t) {
			c.count("crossing " + name)
		}
		for _, task := range tasksOf(t) {
			c.taskCrossings(s, t, task)
		}
	}
	if len(s.Locks) > 0 {
		c.count("crossing lock of the workflow")
	}
}

// crossingsOf names the crossings inside one template.
func crossingsOf(t *nodegraph.Template) []string {
	var names []string
	for _, x := range []struct {
		holds bool
		name  string
	}{
		{len(t.Locks) > 0, "lock of " + t.Kind.String()},
		{len(t.Locks) > 1, "several locks"},
		{len(t.Locks) > 0 && t.Retry != nil, "lock of a Retry"},
		{len(t.Locks) > 0 && t.Daemon, "lock of a daemon"},
		{t.Daemon && t.Retry != nil, "daemon under a Retry"},
		{t.Daemon && len(t.Containers) > 0, "daemon of a container set"},
		{t.Memoize != "" && t.Kind.Composite(), "memoized composite"},
		{t.Memoize != "" && t.Kind == nodegraph.KindPod, "memoized pod"},
		{t.Memoize != "" && len(t.Locks) > 0, "memoized behind a lock"},
		{t.Retry != nil && t.Kind.Composite(), "Retry of a composite"},
		{t.Kind == nodegraph.KindSuspend && t.Suspend > 0, "suspend with a duration"},
		{t.Kind == nodegraph.KindSuspend && t.Suspend == 0, "suspend without a duration"},
	} {
		if x.holds {
			names = append(names, x.name)
		}
	}
	return names
}

// taskCrossings counts the crossings of a task with its template, hooks and loop.
func (c census) taskCrossings(s *nodegraph.Spec, in *nodegraph.Template, task *nodegraph.Task) {
	t := task.Inline
	if t == nil {
		t = templateNamed(s, task.Template)
	}
	if t == nil {
		return
	}
	note := func(holds bool, format string, args ...any) {
		if holds {
			c.count("crossing " + fmt.Sprintf(format, args...))
		}
	}
	note(t.Daemon && in.Kind == nodegraph.KindSteps, "daemon in Steps")
	note(t.Daemon && task.Loop != nil, "daemon in a loop")
	note(task.Loop != nil && len(task.Hooks) > 0, "loop with hooks")
	note(task.When != "" && task.ContinueOn != nodegraph.ContinueOn{}, "condition with continueOn")
	for _, h := range task.Hooks {
		handler := templateNamed(s, h.Template)
		note(h.Name == nodegraph.ExitHook, "exit hook in %s", in.Kind)
		note(h.Name == nodegraph.ExitHook && h.Expression != "", "exit hook with an expression")
		note(strings.Contains(h.Expression, "workflow.status"), "hook reads workflow.status")
		note(strings.HasPrefix(h.Expression, "tasks"), "hook reads a task")
		note(strings.HasPrefix(h.Expression, "steps"), "hook reads a step")
		if handler != nil {
			note(handler.Kind.Composite(), "hook is a composite")
			note(handler.Retry != nil, "hook is retried")
			note(len(handler.Locks) > 0, "hook takes a lock")
		}
	}
}

func templateNamed(s *nodegraph.Spec, name string) *nodegraph.Template {
	for _, t := range s.Templates {
		if t.Name == name {
			return t
		}
	}
	return nil
}
