package propagate_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// drawSpec draws a specification in one line, in the words of [nodegraph.Parse] where it has some, and of Argo where not.
func drawSpec(s *nodegraph.Spec) string {
	d := &specDrawer{spec: s}
	text := d.template(templateNamed(s, s.Entrypoint), 0)
	if s.OnExit != "" {
		text += " exit " + d.template(templateNamed(s, s.OnExit), 0)
	}
	for _, h := range s.Hooks {
		text += d.hook(&h, 0)
	}
	if s.Parallelism > 0 {
		text += fmt.Sprint(" parallelism ", s.Parallelism)
	}
	if s.ActiveDeadline > 0 {
		text += fmt.Sprint(" activeDeadline ", s.ActiveDeadline)
	}
	text += locksText(s.Locks)
	if s.PodRestarts > 0 {
		text += fmt.Sprint(" podRestarts ", s.PodRestarts)
	}
	if s.TransientErrors != "" {
		text += fmt.Sprintf(" transientErrors %q", s.TransientErrors)
	}
	if s.Suspended {
		text += " suspended"
	}
	for k, ttl := range []*time.Duration{s.TTL.Completion, s.TTL.Success, s.TTL.Failure} {
		if ttl != nil {
			text += fmt.Sprintf(" ttl %s %v", []string{"completion", "success", "failure"}[k], *ttl)
		}
	}
	return text
}

type specDrawer struct{ spec *nodegraph.Spec }

func locksText(locks []nodegraph.Lock) string {
	text := ""
	for _, l := range locks {
		parts := strings.Split(l.Key, "/")
		if parts[1] == "Mutex" {
			text += " mutex " + parts[2]
		} else {
			text += fmt.Sprintf(" semaphore %s/%d", parts[3], l.Limit)
		}
	}
	return text
}

func (d *specDrawer) template(t *nodegraph.Template, depth int) string {
	if t == nil || depth > 12 {
		return "?"
	}
	text := ""
	switch {
	case t.Err != "":
		text = "broken"
	case t.Kind == nodegraph.KindDAG:
		text = "dag(" + d.tasks(t.Tasks, depth) + ")"
	case t.Kind == nodegraph.KindSteps:
		var groups []string
		for _, group := range t.Steps {
			groups = append(groups, d.tasks(group, depth))
		}
		text = "steps(" + strings.Join(groups, " | ") + ")"
	case t.Kind == nodegraph.KindSuspend && t.Suspend > 0:
		text = fmt.Sprintf("suspend(%v)", t.Suspend)
	case t.Kind == nodegraph.KindPod && t.Daemon:
		text = "daemon"
	default:
		text = strings.ToLower(t.Kind.String())
	}
	if len(t.Containers) > 0 {
		var names []string
		for _, c := range t.Containers {
			name := c.Name
			if len(c.Dependencies) > 0 {
				name = strings.Join(c.Dependencies, ",") + " -> " + name
			}
			names = append(names, name)
		}
		text += "(" + strings.Join(names, ", ") + ")"
	}
	if s := settingsText(t); s != "" {
		text += "{" + strings.TrimSpace(s) + "}"
	}
	return text
}

// settingsText is what a template of any kind may have.
func settingsText(t *nodegraph.Template) string {
	text := ""
	if t.Retry != nil {
		text += " retry" + retryText(t.Retry)
	}
	text += locksText(t.Locks)
	for _, x := range []struct {
		set  bool
		text string
	}{
		{t.FailFast, "template.failFast"}, {t.NoFailFast, "failFast false"},
		{len(t.Targets) > 0, "target " + strings.Join(t.Targets, " ")},
		{t.Parallelism > 0, fmt.Sprint("parallelism ", t.Parallelism)},
		{t.Timeout > 0, fmt.Sprint("timeout ", t.Timeout)},
		{t.PendingTimeout > 0, fmt.Sprint("pendingTimeout ", t.PendingTimeout)},
		{t.Memoize != "", "memoize"}, {t.Daemon && t.Kind != nodegraph.KindPod, "daemon"},
	} {
		if x.set {
			text += " " + x.text
		}
	}
	return text
}

func retryText(s *retry.Strategy) string {
	text := ""
	if s.Limit != nil {
		text += fmt.Sprint(" ", *s.Limit)
	}
	if s.Policy != "" {
		text += " " + string(s.Policy)
	}
	if b := s.Backoff; b != nil {
		text += fmt.Sprintf(" backoff %v", b.Duration)
		if b.Factor > 0 {
			text += fmt.Sprint("*", b.Factor)
		}
		if b.Cap > 0 {
			text += fmt.Sprint(" cap ", b.Cap)
		}
		if b.MaxDuration > 0 {
			text += fmt.Sprint(" maxDuration ", b.MaxDuration)
		}
		if b.Jitter > 0 {
			text += " jitter"
		}
	}
	if s.Expression != nil {
		text += fmt.Sprintf(" when %q", s.Expression)
	}
	if s.IgnoreDisruptions {
		text += " ignoreDisruptions"
	}
	for _, r := range s.Rules {
		text += fmt.Sprintf(" rule %+v", r)
	}
	return text
}

func (d *specDrawer) tasks(tasks []nodegraph.Task, depth int) string {
	var list []string
	for i := range tasks {
		list = append(list, d.task(&tasks[i], depth))
	}
	return strings.Join(list, ", ")
}

func (d *specDrawer) task(t *nodegraph.Task, depth int) string {
	text := t.Name
	inside := t.Inline
	if inside == nil {
		inside = templateNamed(d.spec, t.Template)
	}
	if drawn := d.template(inside, depth+1); drawn != "pod" {
		text += ": " + drawn
	}
	if t.Inline != nil {
		text += " inline"
	}
	if len(t.Dependencies) > 0 {
		text += " after " + strings.Join(t.Dependencies, "+")
	}
	if t.Depends != "" {
		text += fmt.Sprintf(" depends %q", t.Depends)
	}
	if t.When != "" {
		text += fmt.Sprintf(" when %q", t.When)
	}
	if l := t.Loop; l != nil {
		var items []string
		for _, item := range l.Items {
			items = append(items, item.Text)
		}
		if text += " over [" + strings.Join(items, ", ") + "]"; l.Unresolved != "" {
			text = strings.TrimSuffix(text, "[]") + fmt.Sprintf("%q", l.Unresolved)
		}
	}
	if t.ContinueOn.Failed {
		text += " continueOnFailed"
	}
	if t.ContinueOn.Error {
		text += " continueOnError"
	}
	for k := range t.Hooks {
		text += d.hook(&t.Hooks[k], depth)
	}
	return text
}

func (d *specDrawer) hook(h *nodegraph.Hook, depth int) string {
	text := " hook " + h.Name
	if h.Name == nodegraph.ExitHook {
		text = " exit"
	}
	text += " " + d.template(templateNamed(d.spec, h.Template), depth+1)
	if h.Expression != "" {
		text += fmt.Sprintf(" if %q", h.Expression)
	}
	return text
}
