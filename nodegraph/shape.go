package nodegraph

import "github.com/nodestatus/nodestatus/retry"

// made is what a graph keeps of a template.
type made struct {
	shape shape // that it had when the graph was made
	plan  *Plan // the order among the members of its nodes; nil if they have none
}

// A shape is what a template had when the graph was made. It notices a template that was changed afterwards, where that would make
// nodes of another kind, or other members.
type shape struct {
	kind                     Kind
	retry                    *retry.Strategy
	tasks, steps, containers int
	members                  int // of all groups of Steps
}

// shape is what the template has now.
func (t *Template) shape() shape {
	s := shape{kind: t.Kind, retry: t.Retry, tasks: len(t.Tasks), steps: len(t.Steps), containers: len(t.Containers)}
	for _, group := range t.Steps {
		s.members += len(group)
	}
	return s
}

// unchanged returns a [*SpecError] if a template has another shape than when the graph was made.
func (g *Graph) unchanged(t *Template) error {
	if k, known := g.madeOf[t]; !known || g.made[k].shape != t.shape() {
		return &SpecError{Template: t.Name, Field: "templates", Reason: "the template was changed after the graph was made"}
	}
	return nil
}

// CheckSpec returns a [*SpecError] if the specification, which must not change once [New] has taken it, has changed so that it
// would make other nodes. It is for tests: not every change is noticed.
func (g *Graph) CheckSpec() error {
	for _, t := range g.spec.Templates {
		if t == nil {
			return &SpecError{Field: "templates", Reason: "a template was taken away after the graph was made"}
		}
		if err := g.unchanged(t); err != nil {
			return err
		}
	}
	return nil
}
