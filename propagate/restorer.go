package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/retry"
)

// restorer walks the graph from the top, adding what the source says exists.
type restorer struct {
	e      *Engine
	source source
	record bool // of a controller: of a composite it has the phase alone
}

// addAll walks the graph from the top and adds what the source has.
func (r *restorer) addAll() error {
	stack := []nodegraph.Index{nodegraph.Entry}
	if err := r.addHooks(nodegraph.Entry); err != nil {
		return err
	}
	for m := r.e.graph.Next(nodegraph.Entry); m != nodegraph.None; m = r.e.graph.Next(m) {
		stack = append(stack, m)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if r.source.take(r.e, i) {
			if err := r.addMembers(i); err != nil {
				return err
			}
		}
		before := r.e.graph.Len()
		if i != nodegraph.Entry {
			if err := r.addHooks(i); err != nil {
				return err
			}
		}
		for m := r.e.graph.First(i); m != nodegraph.None; m = r.e.graph.Next(m) {
			if int(m) < before {
				stack = append(stack, m)
			}
		}
		for m := before; m < r.e.graph.Len(); m++ {
			stack = append(stack, nodegraph.Index(m))
		}
	}
	r.e.grow()
	return nil
}

// addMembers adds what is inside node i: of a loop what is known of its items, of any other node what it has if it was
// created.
func (r *restorer) addMembers(i nodegraph.Index) error {
	e := r.e
	n := e.graph.Node(i)
	var err error
	switch {
	case e.facts.CacheHit(i): // it ended as a whole
	case e.facts.Node(i).Exists && r.source.bare(e, i): // what the graph refused once it may take now, and then refuse what it took
	case n.Kind == nodegraph.KindTaskGroup:
		err = r.addItems(i)
	case !e.facts.Node(i).Exists:
	case n.Kind == nodegraph.KindRetry:
		err = r.addAttempts(i)
	case e.facts.Node(i).Waits() && !r.hasMembers(n): // it has nothing inside it yet
	case n.Kind == nodegraph.KindPod:
		if len(n.Template.Containers) > 0 {
			err = e.graph.Expand(i)
		}
	default:
		if err = e.graph.Expand(i); err == nil && n.Kind == nodegraph.KindStepGroup {
			err = r.addStepItems(i)
		}
	}
	e.grow()
	return err
}

// hasMembers reports whether anything inside a node was stored: a manual retry has opened it again.
func (r *restorer) hasMembers(n *nodegraph.Node) bool {
	return slices.ContainsFunc(memberNames(n), func(name string) bool {
		return r.source.has(nodegraph.NodeID(r.e.graph.Spec().Name, name), name)
	})
}

// addItems adds the items of TaskGroup i of a DAG, and of a step where they are nodes of their own.
func (r *restorer) addItems(i nodegraph.Index) error {
	e := r.e
	n := *e.graph.Node(i)
	if n.Task.Loop.Unresolved == "" {
		if !e.facts.Node(i).Exists {
			return nil
		}
		return e.graph.AddItems(i, n.Task, n.Task.Loop.Items)
	}
	items, known := r.source.items(&n)
	switch {
	case n.Expanded():
		return nil
	case !known:
		if f := e.facts.Fact(i); f.Exists() && r.record {
			if f.Phase.Completed() {
				f.Stage = fact.StageEnded
			} else {
				f = fact.Fact{} // the host is asked for them again
			}
			e.facts.Put(i, &f)
		}
		return nil
	case n.Role != nodegraph.RoleStep || len(items) == 0:
		return e.graph.AddItems(i, n.Task, items)
	}
	return nil // addStepItems has done it
}

// addAttempts adds the attempts of Retry i that exist. It stops where the Retry has ended as recorded with the attempts so
// far: a controller may have made one too many.
func (r *restorer) addAttempts(i nodegraph.Index) error {
	n := *r.e.graph.Node(i)
	var before []retry.Attempt
	for number := 0; ; number++ {
		name := nodegraph.AttemptName(n.Name(), number)
		id := nodegraph.NodeID(r.e.graph.Spec().Name, name)
		if !r.source.has(id, name) {
			return nil
		}
		switch d := n.Template.Retry.Decide(before, retry.Environment{Key: n.ID(), Transient: r.e.graph.TransientErrors()}); d.Verb {
		case retry.Succeed: // the end of an attempt that was lost may have been told after the next was made
			if r.e.facts.Node(i).Phase == nodegraph.PhaseSucceeded {
				return nil
			}
		case retry.Stop: // the record does not say why a pod failed, so that those before may not have counted
			if f := r.e.facts.Fact(i); outcomeOf(f.Phase) == d.Outcome && f.Message == d.Message {
				return nil
			}
		}
		if _, err := r.e.graph.AddAttempt(i); err != nil {
			return err
		}
		before = append(before, r.source.attempt(id))
	}
}

// addStepItems adds the items of steps whose loops only the host could resolve.
func (r *restorer) addStepItems(i nodegraph.Index) error {
	e := r.e
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		n := *e.graph.Node(m)
		if n.Kind != nodegraph.KindTaskGroup || n.Task.Loop.Unresolved == "" {
			continue
		}
		items, known := r.source.items(&n)
		if !known || len(items) == 0 {
			continue
		}
		if err := e.graph.AddItems(i, n.Task, items); err != nil {
			return err
		}
		e.graph.MarkExpanded(m)
		e.grow()
		e.facts.SetAnswer(m, fact.AnswerRun)
	}
	return nil
}

// addHooks adds the hook nodes of i that exist. They may although i does not: it ended when a daemon was ready that has
// begun anew since.
func (r *restorer) addHooks(i nodegraph.Index) error {
	e := r.e
	hooks := e.rules.HooksOf(i)
	if len(hooks) == 0 && i != nodegraph.Entry {
		return nil
	}
	all := make([]*nodegraph.Hook, 0, len(hooks)+1)
	for k := range hooks {
		all = append(all, &hooks[k])
	}
	if i == nodegraph.Entry && e.graph.OnExit() != nil {
		all = append(all, e.graph.OnExit())
	}
	for _, h := range all {
		if name := nodegraph.HookName(e.graph.Node(i).Name(), h); !r.source.has(nodegraph.NodeID(e.graph.Spec().Name, name), name) {
			continue
		}
		if _, err := e.graph.AddHook(i, h); err != nil {
			return err
		}
		e.grow()
	}
	return nil
}
