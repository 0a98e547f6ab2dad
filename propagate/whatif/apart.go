package whatif

import (
	"cmp"
	"errors"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Where pods do not contend for anything it makes no difference to a loss when the other pods make their steps, so each pod is lost
// as the only one that is left: all that does not come after it has ended before. A loss costs what it changes then, and not what
// is left of the workflow. The states in which one pod is left are found by halves: of the pods that are held back, one half goes on
// to its end while the other is held, and the other way round.

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
	worlds []*world      // used again, by depth of the search
	branch *world        // in which a pod is lost
	absent []*endingNode // what had not started when all but that pod had ended
}

// errApart says that pods were not as independent as they seemed.
var errApart = errors.New("whatif: a pod does not start while others are held back")

// contends reports whether the end of the workflow may depend on the order in which pods make their steps.
func (s *search) contends() bool {
	if _, has := contention(s.in); has || s.in.rounds {
		return true
	}
	return s.in.Snapshot.Shutdown != "" || s.in.Snapshot.Suspended || len(s.ends) > 0 || s.remade || s.served
}

// contention returns the specification without limits of parallelism, which decide when a pod starts and never whether, and without
// the limits of time where no time passes. It reports whether the specification has anything else that pods contend for, or that
// depends on time.
func contention(in *Input) (free *nodegraph.Spec, has bool) {
	spec := *in.Spec
	passes := len(in.Snapshot.Nodes) > 0 || spec.ActiveDeadline == nodegraph.AtOnce || slices.ContainsFunc(spec.Templates, timePasses)
	spec.Templates = slices.Clone(spec.Templates)
	for k, t := range spec.Templates {
		if t != nil && (t.Parallelism != 0 || limitsTime(t)) {
			other := *t
			other.Parallelism = 0
			if !passes {
				other.Timeout, other.PendingTimeout = 0, 0
			}
			spec.Templates[k] = &other
		}
	}
	spec.Parallelism = 0
	if !passes {
		spec.ActiveDeadline = 0
	}
	has = spec.ActiveDeadline != 0 || len(spec.Locks) > 0 || spec.Suspended || expressions(spec.Hooks) || slices.ContainsFunc(spec.Templates, templateContends)
	return &spec, has
}

// limitsTime reports whether a template says how long a node may take.
func limitsTime(t *nodegraph.Template) bool { return t.Timeout != 0 || t.PendingTimeout != 0 }

// timePasses reports whether nodes of a template wait for time, in which others may take too long. Pods take no time.
func timePasses(t *nodegraph.Template) bool {
	if t == nil || t.Suspend != 0 || t.Retry != nil && t.Retry.Backoff != nil {
		return true
	}
	inline := func(list []nodegraph.Task) bool {
		return slices.ContainsFunc(list, func(task nodegraph.Task) bool { return task.Inline != nil && timePasses(task.Inline) })
	}
	return inline(t.Tasks) || slices.ContainsFunc(t.Steps, inline)
}

// templateContends is contention of one template and those inside it.
func templateContends(t *nodegraph.Template) bool {
	if t == nil {
		return true
	}
	timed := t.Suspend != 0 || limitsTime(t)
	if r := t.Retry; r != nil {
		timed = timed || r.Expression != nil || r.Backoff != nil && r.Backoff.MaxDuration != 0
	}
	if timed || t.Daemon || t.FailFast || len(t.Locks) > 0 || t.Kind == nodegraph.KindHTTP || t.Kind == nodegraph.KindPlugin {
		return true
	}
	tasks := func(list []nodegraph.Task) bool {
		return slices.ContainsFunc(list, func(task nodegraph.Task) bool {
			return expressions(task.Hooks) || task.Inline != nil && (task.Inline.Parallelism != 0 || templateContends(task.Inline))
		})
	}
	return tasks(t.Tasks) || slices.ContainsFunc(t.Steps, tasks)
}

// suspends reports whether nodes of a template, or of one inside it, wait for people.
func suspends(t *nodegraph.Template) bool {
	inline := func(list []nodegraph.Task) bool {
		return slices.ContainsFunc(list, func(task nodegraph.Task) bool { return task.Inline != nil && suspends(task.Inline) })
	}
	return t.Kind == nodegraph.KindSuspend || inline(t.Tasks) || slices.ContainsFunc(t.Steps, inline)
}

func expressions(hooks []nodegraph.Hook) bool {
	return slices.ContainsFunc(hooks, func(h nodegraph.Hook) bool { return h.Expression != "" })
}

// singlesApart simulates every loss of one pod, each as the only pod that is left.
func (s *search) singlesApart() error {
	in := *s.in
	in.Spec, _ = contention(s.in)
	w, err := newWorld(&in)
	if err != nil {
		return err
	}
	w.order, w.held = s.order, span{0, len(s.order)}
	w.people = len(in.Snapshot.Nodes) > 0 || slices.ContainsFunc(in.Spec.Templates, suspends)
	if err := w.begin(); err != nil {
		return err
	}
	a := &apart{search: s, branch: new(world)}
	if err := w.walk(nil, nil); err != nil {
		return err
	}
	err = a.halves(w, 0)
	slices.SortStableFunc(s.result.Losses, func(x, y Loss) int { return cmp.Compare(s.visitOf(x), s.visitOf(y)) })
	return err
}

// visitOf is when the undisturbed run comes to the moment of a loss.
func (s *search) visitOf(l Loss) int { return s.visits[visit{l.Lost[0].ID, l.Lost[0].When}] }

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
	if len(w.parked) != 1 || slices.ContainsFunc(w.lives, func(l life) bool { return l.stage != ended }) {
		return errApart
	}
	w.lives = append(w.lives[:0], w.parked[0])
	w.parked = w.parked[:0]
	w.cursor, w.bound, w.moved = 0, 1, false
	a.absent = a.base.absent(w)
	id, told := w.lives[0].id, -1
	var last []Loss
	errEnd := errors.New("no more of it")
	err := w.walk(nil, func(k int, when Moment) error {
		if w.lives[k].id != id {
			return errEnd
		}
		again := told == w.told // nothing was told since the moment before, so the loss is the same
		told = w.told
		for way, how := range ways {
			if again {
				l := last[way]
				l.Lost = []Lost{w.lost(k, when, how)}
				a.result.Losses = append(a.result.Losses, l)
			} else if err := a.lose(w, k, when, how); err != nil {
				return err
			}
			if err := a.done(); err != nil {
				return err
			}
		}
		last = a.result.Losses[len(a.result.Losses)-len(ways):]
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
	a.result.Losses = append(a.result.Losses, a.shared(l))
	return nil
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
			if was := a.base.find(g.Node(i).ID()); was != nil && was.Phase == phase {
				healed = i
			}
		}
	}
	return healed
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
