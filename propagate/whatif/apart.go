package whatif

import (
	"cmp"
	"errors"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Where it makes no difference to a loss when the other pods make their steps, each pod is lost as the only one that is left: all
// that does not come after it has ended before, but for daemons that are ready. A loss costs what it changes then, and not what
// is left of the workflow. The states in which one pod is left are found by halves: of the pods that are held back, one half goes
// on to its end while the other is held, and the other way round. Locks have room for all until one pod is left. No time passes
// while pods are held back, unless it passes undisturbed.

// A span are pods that are held back, by their place among the pods of the undisturbed run.
type span struct{ from, to int }

func (s span) has(place int) bool { return s.from <= place && place < s.to }

// A visit is a moment in which a pod can be lost, of a node's only pod.
type visit struct {
	id   string
	when Moment
}

// apart is a search in which each pod is lost alone.
type apart struct {
	*search
	locks  []nodegraph.Lock
	worlds []*world      // used again, by depth of the search
	branch *world        // in which a pod is lost
	absent []*endingNode // what had not started when all but that pod had ended
}

// errApart says that pods were not as independent as they seemed.
var errApart = errors.New("whatif: a pod does not start while others are held back")

// contends reports whether the end of the workflow may depend on the order in which pods make their steps.
func (s *search) contends() bool {
	spec := s.in.Spec
	switch {
	case s.in.rounds, s.remade, s.in.Snapshot.Shutdown != "", spec.ActiveDeadline == nodegraph.AtOnce:
		return true
	case s.timed && (spec.ActiveDeadline != 0 || anyTemplate(spec, clocked)): // who is late fails
		return true
	case anyTemplate(spec, daemon) && (spec.Parallelism != 0 || anyTemplate(spec, limitsPods)): // daemons keep their places
		return true
	case anyTemplate(spec, failsFast) && s.failsUndisturbed(): // what has begun by then
		return true
	}
	return slices.ContainsFunc(spec.Templates, func(t *nodegraph.Template) bool {
		return t == nil || anyInline(t, limitsPods) || anyInline(t, locks) // those are not lifted: see unlimited
	})
}

// failsUndisturbed reports whether anything fails in the undisturbed run.
func (s *search) failsUndisturbed() bool {
	return slices.ContainsFunc(s.base.nodes, func(n *endingNode) bool { return n.Phase.Unsuccessful() })
}

// singlesApart simulates every loss of an independent pod, each as the only pod that is left.
func (s *search) singlesApart() error {
	in := *s.in
	in.Spec = unlimited(s.in.Spec)
	w, err := newWorld(&in)
	if err != nil {
		return err
	}
	w.order, w.held, w.frozen = s.order, span{0, len(s.order)}, !s.timed
	w.people = len(in.Snapshot.Nodes) > 0 || in.Snapshot.Suspended || in.Spec.Suspended || anyTemplate(in.Spec, suspends)
	a := &apart{search: s, branch: new(world), locks: locksOf(s.in.Spec)}
	w.limitLocks(a.locks, true)
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.walk(nil, nil); err != nil {
		return err
	}
	return a.halves(w, 0)
}

// inOrder puts losses into the order in which the undisturbed run comes to them.
func (s *search) inOrder() {
	slices.SortStableFunc(s.result.Losses, func(x, y Loss) int { return cmp.Compare(s.visits[visitOf(&x)], s.visits[visitOf(&y)]) })
}

// visitOf is the moment of a loss of one pod.
func visitOf(l *Loss) visit { return visit{l.Lost[0].ID, l.Lost[0].When} }

// halves loses each pod that is held back in w, in which all others have gone on as far as they can. It changes w.
func (a *apart) halves(w *world, depth int) error {
	all := w.held
	switch all.to - all.from {
	case 0:
		return nil
	case 1:
		return a.only(w)
	}
	if depth == len(a.worlds) {
		a.worlds = append(a.worlds, new(world))
	}
	other, middle := a.worlds[depth], (all.from+all.to)/2
	if err := w.cloneTo(other); err != nil {
		return err
	}
	if err := other.hold(span{middle, all.to}); err != nil {
		return err
	}
	if err := a.halves(other, depth+1); err != nil {
		return err
	}
	if err := w.hold(span{all.from, middle}); err != nil {
		return err
	}
	return a.halves(w, depth+1)
}

// only loses the only pod that is held back in w.
func (a *apart) only(w *world) error {
	w.held = span{}
	if len(w.parked) != 1 || slices.ContainsFunc(w.lives, func(l life) bool { return l.stage != ended && l.stage != serving }) {
		return errApart
	}
	w.limitLocks(a.locks, false)
	w.lives = slices.DeleteFunc(w.lives, func(l life) bool { return l.stage == ended })
	w.lives = slices.Insert(w.lives, 0, w.parked[0])
	w.parked = w.parked[:0]
	w.cursor, w.bound, w.moved = 0, 1, false
	a.absent = a.base.absent(w)
	id, told := w.lives[0].id, -1
	var last []Loss
	var doubt bool
	errEnd := errors.New("no more of it")
	err := w.walk(nil, func(k int, when Moment) error {
		if w.lives[k].id != id {
			return nil // a hook that runs beside it
		}
		again := told == w.told // nothing was told since the moment before, so the loss is the same
		told = w.told
		for way, how := range ways {
			if again {
				l := last[way]
				l.Lost = []Lost{w.lost(k, when, how)}
				a.result.Losses = append(a.result.Losses, l)
				if doubt {
					a.doubtful[visit{id, when}] = true
				}
			} else if err := a.lose(w, k, when, how); err != nil {
				return err
			}
			if err := a.done(); err != nil {
				return err
			}
		}
		last, doubt = a.result.Losses[len(a.result.Losses)-len(ways):], a.doubtful[visit{id, when}]
		if when == Reporting {
			return errEnd
		}
		return nil
	})
	if errors.Is(err, errEnd) {
		err = nil
	}
	return err
}

// lose simulates one loss. It is over when the pod or something around it has succeeded as undisturbed: whatever else there is reads
// that alone.
func (a *apart) lose(w *world, k int, when Moment, how Way) error {
	b := a.branch
	if err := w.cloneTo(b); err != nil {
		return err
	}
	lost, pod := b.lost(k, when, how), b.e.Graph().Find(b.lives[k].id)
	if err := b.lose(k, how); err != nil {
		return err
	}
	healed, more := a.healed(b, pod), true
	for healed == nodegraph.None && more {
		var err error
		if more, err = b.step(); err != nil {
			return err
		}
		healed = a.healed(b, pod)
	}
	l := a.loss(b, a.within(b, healed), lost)
	if healed != nodegraph.None {
		l.Outcome = a.base.Outcome
	}
	if b.couldFailFast(l.Failed) {
		a.doubtful[visit{lost.ID, when}] = true
	}
	a.result.Losses = append(a.result.Losses, a.shared(l))
	return nil
}

// couldFailFast reports whether one of these nodes, which failed, is inside something that fails fast and is not Failed: it may
// be where more is under way.
func (w *world) couldFailFast(failed []Node) bool {
	g := w.e.Graph()
	for _, n := range failed {
		for b := g.Boundary(g.Find(n.ID)); b != nodegraph.None; b = g.Boundary(b) {
			if phase, _ := w.e.Phase(b); g.Node(b).Template.FailFast && phase != nodegraph.PhaseFailed {
				return true
			}
		}
	}
	return false
}

// shared gives a loss the lists of the one before where they are equal: a workflow of n pods has some 6n losses with up to n nodes each.
func (a *apart) shared(l Loss) Loss {
	if n := len(a.result.Losses); n > 0 {
		before := &a.result.Losses[n-1]
		for _, list := range []struct{ mine, other *[]Node }{{&l.Failed, &before.Failed}, {&l.Omitted, &before.Omitted}, {&l.NeverStarted, &before.NeverStarted}} {
			if slices.Equal(*list.mine, *list.other) {
				*list.mine = *list.other
			}
		}
	}
	return l
}

// healed is the outermost node around a pod, or the pod, that has succeeded as in the undisturbed run; None if there is none, and where
// Argo goes on as if the pod had not ended.
func (a *apart) healed(b *world, pod nodegraph.Index) nodegraph.Index {
	g, healed := b.e.Graph(), nodegraph.None
	if len(b.open) > 0 {
		return healed
	}
	for i := pod; i > nodegraph.Root; i = g.Node(i).Parent {
		if phase, _ := b.e.Phase(i); phase == nodegraph.PhaseSucceeded {
			if was := a.base.find(g.Node(i).ID()); was != nil && was.Phase == phase && !countedInside(g, i) {
				healed = i
			}
		}
	}
	return healed
}

// countedInside reports whether what is inside node i counts in a boundary that fails fast, whatever became of i.
func countedInside(g *nodegraph.Graph, i nodegraph.Index) bool {
	switch g.Node(i).Kind {
	case nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps:
		return false
	}
	b := g.Boundary(i)
	return b != nodegraph.None && g.Node(b).Template.FailFast
}

// within are the absent nodes inside of one that has ended, and all if there is none.
func (a *apart) within(b *world, i nodegraph.Index) []*endingNode {
	if i == nodegraph.None {
		return a.absent
	}
	around := a.base.find(b.e.Graph().Node(i).ID())
	var list []*endingNode
	for _, n := range a.absent {
		p := n
		for p != nil && p != around {
			p = p.parent
		}
		if p != nil {
			list = append(list, n)
		}
	}
	return list
}
