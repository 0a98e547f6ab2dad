package propagate_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// mostTries bounds how many smaller cases are tried for one violation.
const mostTries = 2000

// reducer makes a case smaller while a violation of the same kind still occurs.
type reducer struct {
	kind  string
	best  wideCase
	tries int
}

// reduce returns the smallest case that it gets in which the kind still occurs.
func reduce(c wideCase, kind string) wideCase {
	r := &reducer{kind: kind, best: c}
	if !r.occurs(c) {
		return c
	}
	for size := -1; size != r.size() && r.tries < mostTries; {
		size = r.size()
		r.dropFlows()
		r.dropMoves()
		r.simplifyMoves()
		r.editSpecs()
		r.try(wideCase{specs: r.best.specs, moves: r.best.moves})
	}
	return r.best
}

// size grows with all that a case has.
func (r *reducer) size() int {
	n := 0
	for _, m := range r.best.moves {
		n += len(m.String())
	}
	for _, s := range r.best.specs {
		n += len(drawSpec(s))
	}
	return n
}

// occurs reports whether the kind occurs in a case.
func (r *reducer) occurs(c wideCase) bool {
	r.tries++
	if slices.ContainsFunc(c.specs, retriesForEver) {
		return false
	}
	w, err := replay(c, false)
	if err != nil {
		return false
	}
	_, found := w.found[r.kind]
	return found
}

// retriesForEver reports whether a specification may make attempts without end, in one call even.
func retriesForEver(s *nodegraph.Spec) bool {
	return slices.ContainsFunc(allTemplates(s), func(t *nodegraph.Template) bool {
		r := t.Retry
		return r != nil && (r.Limit == nil && (r.Backoff == nil || r.Backoff.Duration == 0 || r.Backoff.MaxDuration == 0))
	})
}

// try takes a smaller case if the kind still occurs.
func (r *reducer) try(c wideCase) bool {
	if r.tries >= mostTries || !r.occurs(c) {
		return false
	}
	r.best = c
	return true
}

func (r *reducer) dropFlows() {
	for k := len(r.best.specs) - 1; k >= 0 && len(r.best.specs) > 1; k-- {
		c := wideCase{host: r.best.host, specs: slices.Delete(slices.Clone(r.best.specs), k, k+1)}
		for _, m := range r.best.moves {
			if m.flow > k {
				m.flow--
			} else if m.flow == k && m.op != "tick" && m.op != "crash" && m.op != "drain" {
				continue
			}
			c.moves = append(c.moves, m)
		}
		r.try(c)
	}
}

// dropMoves drops moves, many at once first.
func (r *reducer) dropMoves() {
	for n := len(r.best.moves); n > 0; n /= 2 {
		for k := len(r.best.moves) - n; k >= 0; k -= n {
			c := r.best
			c.moves = slices.Delete(slices.Clone(c.moves), k, k+n)
			r.try(c)
			if k > len(r.best.moves) {
				k = len(r.best.moves)
			}
		}
	}
}

// simplifyMoves makes moves plainer: told at once, the first variant, no crash.
func (r *reducer) simplifyMoves() {
	for k := 0; k < len(r.best.moves); k++ {
		for _, plainer := range []func(m *move){
			func(m *move) { m.held = false },
			func(m *move) { m.crash = 0 },
			func(m *move) { m.n = 0 },
			func(m *move) { m.crash = min(m.crash, 1) },
		} {
			m := r.best.moves[k]
			if plainer(&m); m != r.best.moves[k] {
				c := r.best
				c.moves = slices.Clone(c.moves)
				c.moves[k] = m
				r.try(c)
			}
		}
	}
}

// editSpecs makes specifications smaller, by one edit at a time.
func (r *reducer) editSpecs() {
	for k := range r.best.specs {
		for at := 0; ; {
			spec := copySpec(r.best.specs[k])
			e := &editor{at: at, spec: spec}
			e.edit()
			if !e.done {
				break
			}
			tidy(spec) // only what is smaller counts, or two edits would undo each other for ever
			c := r.best
			c.specs = slices.Clone(c.specs)
			c.specs[k] = spec
			if len(drawSpec(spec)) >= len(drawSpec(r.best.specs[k])) || !r.try(c) {
				at++
			}
			if r.tries >= mostTries {
				return
			}
		}
	}
}

// editor makes the edit with a number, counted over all that can be left out of a specification.
type editor struct {
	at   int
	done bool
	spec *nodegraph.Spec
}

// turn reports whether this is the edit to be made.
func (e *editor) turn() bool {
	if e.done {
		return false
	}
	e.at--
	e.done = e.at < 0
	return e.done
}

func (e *editor) edit() {
	for _, t := range e.spec.Templates {
		if t.Name != e.spec.Entrypoint && e.turn() {
			e.spec.Entrypoint = t.Name
			return
		}
	}
	for _, t := range allTemplates(e.spec) {
		for _, task := range tasksOf(t) {
			e.retarget(task)
		}
	}
	e.value(reflect.ValueOf(e.spec).Elem())
}

// retarget makes a task run another template.
func (e *editor) retarget(task *nodegraph.Task) {
	if task.Inline != nil {
		if e.turn() {
			inline := task.Inline
			inline.Name = "inline-" + task.Name
			e.spec.Templates = append(e.spec.Templates, inline)
			task.Inline, task.Template = nil, inline.Name
		}
		return
	}
	for _, t := range e.spec.Templates {
		if t.Name != task.Template && e.turn() {
			task.Template = t.Name
			return
		}
	}
}

// keptFields are names, without which nothing is a specification.
var keptFields = map[string]bool{"Name": true, "Namespace": true, "Entrypoint": true, "Template": true, "Key": true, "Text": true}

// value leaves out what is inside a value.
func (e *editor) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !atomicTypes[v.Type().Elem()] {
			e.value(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if e.turn() {
				v.Set(reflect.AppendSlice(v.Slice3(0, i, i), v.Slice(i+1, v.Len())))
				return
			}
		}
		for i := range v.Len() {
			e.value(v.Index(i))
		}
	case reflect.Struct:
		if atomicTypes[v.Type()] {
			return
		}
		e.fields(v)
	}
}

func (e *editor) fields(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		set := v.Field(i)
		if !keptFields[f.Name] && !set.IsZero() && e.turn() {
			set.SetZero()
			if f.Name == "Kind" || f.Name == "Tasks" || f.Name == "Steps" {
				leafOf(v)
			}
			return
		}
		if f.Name != "Kind" {
			e.value(set)
		}
	}
}

// leafOf makes a pod of a template.
func leafOf(v reflect.Value) {
	t, ok := v.Addr().Interface().(*nodegraph.Template)
	if ok {
		t.Kind, t.Tasks, t.Steps, t.Targets, t.NoFailFast, t.Suspend = nodegraph.KindPod, nil, nil, nil, false, 0
	}
}

// tidy removes what refers to something that is not there any more, and templates that nobody uses.
func tidy(s *nodegraph.Spec) {
	used := map[string]bool{}
	var use func(name string)
	useTemplate := func(t *nodegraph.Template) {
		for _, task := range tasksOf(t) {
			if task.Inline == nil {
				use(task.Template)
			}
			for _, h := range task.Hooks {
				use(h.Template)
			}
		}
	}
	use = func(name string) {
		if t := templateNamed(s, name); t != nil && !used[name] {
			used[name] = true
			useTemplate(t)
		}
	}
	for _, t := range allTemplates(s) {
		tidyTasks(t)
	}
	use(s.Entrypoint)
	use(s.OnExit)
	for _, h := range s.Hooks {
		use(h.Template)
	}
	for _, t := range allTemplates(s) { // inside inline templates as well
		if used[t.Name] || templateNamed(s, t.Name) != t {
			useTemplate(t)
		}
	}
	s.Templates = slices.DeleteFunc(s.Templates, func(t *nodegraph.Template) bool { return !used[t.Name] })
}

// tidyTasks removes dependencies and targets that are not there any more.
func tidyTasks(t *nodegraph.Template) {
	names := map[string]bool{}
	for i := range t.Tasks {
		names[t.Tasks[i].Name] = true
	}
	for i := range t.Tasks {
		task := &t.Tasks[i]
		task.Dependencies = slices.DeleteFunc(task.Dependencies, func(d string) bool { return !names[d] })
		words := strings.FieldsFunc(task.Depends, func(r rune) bool { return strings.ContainsRune(" !&|()", r) })
		if slices.ContainsFunc(words, func(word string) bool { return !names[strings.Split(word, ".")[0]] }) {
			task.Depends = ""
		}
	}
	t.Targets = slices.DeleteFunc(t.Targets, func(d string) bool { return !names[d] })
	t.Steps = slices.DeleteFunc(t.Steps, func(group []nodegraph.Task) bool { return len(group) == 0 })
	declared := map[string]bool{}
	for _, c := range t.Containers {
		declared[c.Name] = true
	}
	for i := range t.Containers {
		c := &t.Containers[i]
		c.Dependencies = slices.DeleteFunc(c.Dependencies, func(d string) bool { return !declared[d] })
	}
}

// show is a case in one line.
func (c *wideCase) show() string {
	var specs []string
	for _, s := range c.specs {
		specs = append(specs, drawSpec(s))
	}
	var moves []string
	for _, m := range c.moves {
		moves = append(moves, m.String())
	}
	return fmt.Sprintf("%s  (%s)  %s", strings.Join(specs, "  AND  "), c.host, strings.Join(moves, "; "))
}
