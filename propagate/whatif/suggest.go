package whatif

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A Change gives a template another retryStrategy: all of the old one stays but for the limit and the policy.
type Change struct {
	Template string       // the name under which the specification has it
	Limit    int          // how often an attempt is made again
	Policy   retry.Policy // which ends are tried again
}

// Suggest looks for the smallest change of the specification with which the workflow survives every loss, and simulates the workflow
// with it. Templates of pods whose loss is fatal are tried again; no template is changed that could stay as it is. It returns no
// change where none is needed, and false where none helps. The errors are those of [Run].
func Suggest(in Input) (changes []Change, r *Result, ok bool, err error) {
	if in.Any == 0 {
		in.Any = 1
	}
	original := in.Spec
	for {
		if r, err = Run(in); err != nil || r.Verdict.Survives {
			break
		}
		more, err := fatalTemplates(&in, r, changes)
		if err != nil || len(more) == 0 {
			return nil, r, false, err
		}
		changes = append(changes, more...)
		in.Spec = changed(original, changes)
	}
	if err != nil {
		return nil, nil, false, err
	}
	for k := len(changes) - 1; k >= 0 && len(changes) > 1; k-- {
		fewer := slices.Delete(slices.Clone(changes), k, k+1)
		in.Spec = changed(original, fewer)
		less, err := Run(in)
		if err != nil {
			return nil, nil, false, err
		}
		if less.Verdict.Survives {
			changes, r = fewer, less
		}
	}
	return changes, r, true, nil
}

// fatalTemplates are the changes for templates whose pods the workflow can't lose, and which are not changed yet.
func fatalTemplates(in *Input, r *Result, known []Change) ([]Change, error) {
	w, err := newWorld(in)
	if err != nil {
		return nil, err
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	if err := w.walk(nil, nil); err != nil {
		return nil, err
	}
	var list []Change
	for k := range r.Losses {
		l := &r.Losses[k]
		if l.Survived() {
			continue
		}
		for _, lost := range l.Lost {
			t := templateOf(w.e.Graph(), lost.Name)
			if t == nil || t.RecordedName() == "" || t.Retry != nil && t.Retry.Expression != nil {
				continue // nobody could write the change down, or it is not for us to change
			}
			has := func(c Change) bool { return c.Template == t.RecordedName() }
			if slices.ContainsFunc(list, has) || slices.ContainsFunc(known, has) {
				continue
			}
			limit := in.Any
			if t.Retry != nil && t.Retry.Limit != nil {
				limit = max(limit, *t.Retry.Limit)
			}
			list = append(list, Change{Template: t.RecordedName(), Limit: limit, Policy: retry.PolicyAlways})
		}
	}
	return list, nil
}

// templateOf is the template of a node. Attempts that were not made undisturbed have that of their Retry.
func templateOf(g *nodegraph.Graph, name string) *nodegraph.Template {
	for {
		if i := g.Find(name); i > nodegraph.Root {
			return g.Node(i).Template
		}
		at := strings.LastIndexByte(name, '(')
		if at < 0 {
			return nil
		}
		name = name[:at]
	}
}

// changed is a specification with changes.
func changed(spec *nodegraph.Spec, changes []Change) *nodegraph.Spec {
	s := *spec
	s.Templates = slices.Clone(spec.Templates)
	for k, t := range s.Templates {
		for _, c := range changes {
			if c.Template != t.RecordedName() {
				continue
			}
			other := *t
			strategy := retry.Strategy{}
			if t.Retry != nil {
				strategy = *t.Retry
			}
			strategy.Limit, strategy.Policy = &c.Limit, c.Policy
			other.Retry = &strategy
			s.Templates[k] = &other
		}
	}
	return &s
}
