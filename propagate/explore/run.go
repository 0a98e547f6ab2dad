package explore

import (
	"fmt"
	"testing"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/stretchr/testify/require"
)

// Run explores. Without Found it fails t at the first state that is not as it must be, and says how that was reached.
func (x *Exploration) Run(t testing.TB) {
	t.Helper()
	require.LessOrEqual(t, len(x.Facts), 64, "too many facts")
	for _, spec := range x.Specs {
		_, err := propagate.New(spec)
		require.NoError(t, err)
	}
	x.seen, x.looks = make(map[uint64]bool), make(map[string]reached)
	if x.Count == nil {
		x.Count = &Count{}
	}
	x.Count.Cases.Add(1)
	first := x.begin()
	if !x.enter(t, first) {
		return
	}
	for level := []*World{first}; len(level) > 0; {
		var next []*World
		for _, w := range level {
			next = append(next, x.expand(t, w)...)
		}
		level = next
	}
}

// enter notes a state, and reports whether it is new and to be explored.
func (x *Exploration) enter(t testing.TB, w *World) bool {
	for _, f := range w.faults {
		x.found(t, f.kind, w, f.err)
	}
	key := w.key()
	if x.seen[key] {
		return false
	}
	x.seen[key] = true
	x.Count.States.Add(1)
	return x.check(t, w) && len(w.faults) == 0
}

// expand lets everything happen that can happen next, and returns the states that are new.
func (x *Exploration) expand(t testing.TB, w *World) []*World {
	x.checkRestart(t, w)
	var next []*World
	all := w.possible()
	for _, m := range all {
		if w.moves == x.Bound {
			break
		}
		if !x.allows(w, m) {
			continue
		}
		succ, actions := x.step(t, w, m)
		if succ == nil {
			continue
		}
		if x.enter(t, succ) {
			next = append(next, succ)
		}
		next = append(next, x.crash(t, w, m, actions)...)
	}
	x.compare(t, w, len(all) == 0)
	if x.Cluster != nil && (len(all) == 0 || !all[0].good()) && !w.complete() {
		x.hangs(t, w)
	}
	last := w.moves == x.Bound
	if x.repeat(t, w) {
		next = append(next, w)
	}
	if x.Cluster == nil {
		return next
	}
	if last {
		x.drain(t, w.clone())
	}
	x.checkLater(t, w)
	return next
}

// allows reports whether a path may go on with a move: it does not do too much harm.
func (x *Exploration) allows(w *World, m move) bool {
	return x.Cluster == nil || w.harm+w.harmOf(m) <= x.Cluster.Harm
}

// step makes one move from the end of a path, and returns what it led to and what the engine asked for. What was loaded
// must take it in the same way.
func (x *Exploration) step(t testing.TB, w *World, m move) (*World, []propagate.Action) {
	succ := w.clone()
	harm := succ.harmOf(m)
	d := succ.tell(m)
	if d.silent {
		_ = succ.come(m, d, harm, propagate.Result{}, nil)
		x.Count.Transitions.Add(1)
		return succ, nil
	}
	ended := leafEnds(succ.Engines[d.workflow], d.events)
	loaded, err := w.Engines[d.workflow].Clone()
	require.NoError(t, err)
	_, refusal := loaded.Apply(succ.Now, d.events...)
	r, err := succ.apply(d.workflow, d.events...)
	if (err == nil) != (refusal == nil) {
		x.found(t, "a restart changes what is refused", succ, fmt.Errorf("without it %v, with it %v", err, refusal))
	}
	refused := err != nil
	x.Count.Transitions.Add(1)
	if err := succ.come(m, d, harm, r, err); err != nil {
		x.found(t, "an event is refused", succ, err)
		return nil, nil
	}
	again := d.events != nil && d.events[0].Type == propagate.EventUnanswerable // the question is asked again first
	if !refused && !again && hashOf(loaded) != succ.hashes()[d.workflow] {
		x.same(t, succ, "a restart changes what comes next", succ.Engines[d.workflow], loaded)
	}
	x.checkRewriting(t, succ, d, ended)
	return succ, r.Actions
}

// crash makes one move and lets the host crash over what comes of it, and returns the states that are new.
func (x *Exploration) crash(t testing.TB, w *World, m move, actions []propagate.Action) []*World {
	if x.Cluster == nil || m.what == moveClock || w.harm+w.harmOf(m)+1 > x.Cluster.Harm {
		return nil
	}
	var next []*World
	for _, crashed := range x.crashes(m, actions) {
		succ := w.clone()
		if _, err := succ.take(crashed); err != nil {
			continue
		}
		x.Count.Transitions.Add(1)
		x.Count.Restarts.Add(1)
		if x.enter(t, succ) {
			next = append(next, succ)
		}
	}
	return next
}

// repeat says every fact once more that was said before: nothing comes of it. It reports whether that led to a state that
// is new all the same, because the engine notes more than it shows.
func (x *Exploration) repeat(t testing.TB, w *World) bool {
	before, right := w.look(), true
	w.sayAgain(func(k int, ev propagate.Event, r propagate.Result, err error) {
		x.Count.Repeated.Add(1)
		if err != nil && !w.flows[k].retried {
			right = false
			x.found(t, "a fact is refused when it is said again", w, fmt.Errorf("%v once more: %w", simhost.Describe(ev), err))
		}
		if len(r.Changes) > 0 || len(r.Actions) > 0 {
			right = false
			x.found(t, "a fact counts when it is said again: "+ev.Type.String(), w,
				fmt.Errorf("%v once more: %v %v", simhost.Describe(ev), r.Changes, r.Actions))
		}
	})
	if now := w.look(); right && before != now {
		x.found(t, "all that was said, once more, changes the state", w, fmt.Errorf("%s\nis now\n%s", before, now))
		return false
	}
	return right && x.enter(t, w)
}

// mostDrained is how many good things may happen until all workflows end.
const mostDrained = 60

// drain lets only good things happen, in some order, until all workflows have ended.
func (x *Exploration) drain(t testing.TB, w *World) {
	for range mostDrained {
		if w.complete() {
			return
		}
		all := w.possible()
		if len(all) == 0 || !all[0].good() {
			x.hangs(t, w)
			return
		}
		if _, err := w.take(all[0]); err != nil {
			x.found(t, "an event is refused", w, err)
			return
		}
		x.Count.Transitions.Add(1)
		if !x.enter(t, w) {
			return
		}
	}
	x.found(t, "it does not end", w, fmt.Errorf("only good things happen, and more than %d of them", mostDrained))
}
