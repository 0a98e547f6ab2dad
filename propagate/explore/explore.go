// Package explore searches through all that can happen to small workflows, for tests: of this library, and of hosts that
// want to know that theirs do not hang.
//
//	x := &explore.Exploration{Specs: []*nodegraph.Spec{spec}, Facts: explore.About(0, events...), Bound: 5}
//	x.Run(t)
//
// It is exhaustive, so keep workflows, facts and bound small: a few tasks, ten facts, five moves are thousands of states.
package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// An Exploration is a search, breadth first, through all that can happen to a few small workflows when facts out of a
// list come in any order, as far as the workflows admit them. In every state that is reached the invariants hold, facts
// that are known change nothing when they are said again, and an engine that is saved and loaded looks the same and does
// the same with every fact that may come next. No lock has more holders than it allows. States to which the same facts
// have led look the same (I3).
type Exploration struct {
	Specs []*nodegraph.Spec // the workflows, which share their locks
	Facts []Fact            // 64 at most; events that name pods and attempts can be told apart when they come late
	Bound int               // most moves on a path: facts, and locks asked for or handed on
	// Where tells which states must look the same; those for which it returns "" are not compared. A state is maximal if
	// nothing can happen in it any more. Nil is ByFacts, of maximal states only where there are locks: who has one depends
	// on who asks first.
	Where func(w *World, maximal bool) string
	// Last, if set, looks at maximal states.
	Last  func(t testing.TB, w *World)
	Count *Count // if set, what is done is added to it

	seen  map[string]bool
	looks map[string]reached // by where
}

// A Fact is what may be told of one of the workflows.
type Fact struct {
	Workflow int // index in Specs
	Event    propagate.Event
}

// About makes facts about one workflow.
func About(workflow int, events ...propagate.Event) []Fact {
	var facts []Fact
	for _, ev := range events {
		facts = append(facts, Fact{workflow, ev})
	}
	return facts
}

// String names the workflow, the event and the pod.
func (f Fact) String() string {
	return fmt.Sprintf("%d: %v %s", f.Workflow, f.Event, f.Event.Pod.UID)
}

// Count counts what explorations did. Several may share it.
type Count struct {
	Cases, States, Maximal, Transitions atomic.Int64
	Repeated                            atomic.Int64 // facts that were said again
	Restarts                            atomic.Int64
}

// String is the numbers in one line.
func (c *Count) String() string {
	return fmt.Sprintf("%d cases, %d states, %d of them maximal, %d transitions, %d facts said again, %d restarts",
		c.Cases.Load(), c.States.Load(), c.Maximal.Load(), c.Transitions.Load(), c.Repeated.Load(), c.Restarts.Load())
}

// epoch is the time at which everything happens.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Run explores. It fails t at the first state that is not as it must be, and says how that was reached.
func (x *Exploration) Run(t testing.TB) {
	t.Helper()
	require.LessOrEqual(t, len(x.Facts), 64, "too many facts")
	x.seen, x.looks = make(map[string]bool), make(map[string]reached)
	if x.Count == nil {
		x.Count = &Count{}
	}
	x.Count.Cases.Add(1)
	first := x.begin(t)
	x.enter(t, first)
	for level := []*World{first}; len(level) > 0; {
		var next []*World
		for _, w := range level {
			next = append(next, x.expand(t, w)...)
		}
		level = next
	}
}

// enter notes a state, and tells whether it is new. A new one must keep the invariants.
func (x *Exploration) enter(t testing.TB, w *World) bool {
	key := w.key()
	if x.seen[key] {
		return false
	}
	x.seen[key] = true
	x.Count.States.Add(1)
	for k, e := range w.Engines {
		require.NoError(t, e.Check(), "workflow %d after %s", k, x.route(w.path, ""))
	}
	for key, holders := range w.holders() {
		require.LessOrEqual(t, len(holders), w.limits[key], "they hold %s after %s: %v", key, x.route(w.path, ""), holders)
	}
	return true
}

// expand lets everything happen that can happen next, and returns the states that are new.
func (x *Exploration) expand(t testing.TB, w *World) []*World {
	saves := make([]propagate.State, len(w.Engines))
	var locks propagate.LockTable
	for k, e := range w.Engines {
		saves[k] = e.Save()
		locks.Adopt(fmt.Sprint(k), x.compareLoaded(t, w, k, saves[k]))
	}
	for key := range w.limits {
		if len(w.owed) == 0 {
			require.ElementsMatch(t, w.Locks.Holders(key), locks.Holders(key), "who holds %s after %s; restart of the host", key, x.route(w.path, ""))
			require.ElementsMatch(t, w.Locks.Waiters(key), locks.Waiters(key), "who waits for %s after %s; restart of the host", key, x.route(w.path, ""))
		}
	}
	var next []*World
	maximal := true
	for m := move(0); int(m) < len(x.Facts)+len(w.owed); m++ {
		if int(m) < len(x.Facts) && (w.Told(int(m)) || !x.may(w, m)) {
			continue
		}
		maximal = false
		if w.moves == x.Bound {
			break
		}
		if succ := x.step(t, w.path, m, saves); x.enter(t, succ) {
			next = append(next, succ)
		}
	}
	x.compare(t, w, maximal)
	if x.repeat(t, w) {
		next = append(next, w)
	}
	return next
}

// may tells whether a fact may come next: its node was created and has a pod of which something could be heard, which it
// has not while it waits for its locks.
func (x *Exploration) may(w *World, m move) bool {
	e, ev := w.Engines[x.Facts[m].Workflow], x.Facts[m].Event
	if e.Complete() {
		return false
	}
	if ev.Node == "" {
		return true
	}
	i := e.Graph().Find(ev.Node)
	return i != nodegraph.None && !e.Fact(i).Created.IsZero() && e.Fact(i).Lock != propagate.LockWaits
}

// step makes one move from the end of a path. What was loaded must take it in the same way.
func (x *Exploration) step(t testing.TB, path []move, m move, saves []propagate.State) *World {
	succ := x.again(t, path)
	before := succ
	if int(m) >= len(x.Facts) {
		before = x.again(t, path) // an errand changes the table of locks, and is run once more when it is taken
	}
	k, ev := x.event(before, m)
	ended := leafEnds(succ.Engines[k], ev)
	loaded, _, err := propagate.Load(x.Specs[k], saves[k])
	require.NoError(t, err)
	_, refusal := loaded.Apply(epoch, ev)
	complete := succ.Engines[k].Complete()
	_, err = x.take(succ, m)
	require.NoError(t, err, "after %s", x.route(path, ""))
	x.Count.Transitions.Add(1)
	if complete { // what the host was asked for and brings too late
		require.ErrorIs(t, refusal, propagate.ErrComplete)
		return succ
	}
	require.NoError(t, refusal, "after %s", x.route(path, "; restart"))
	x.same(t, x.route(path, "; restart; "+ev.String()), succ.Engines[k], loaded)
	for i, phase := range ended {
		now, _ := succ.Engines[k].Phase(i)
		require.Equal(t, phase.String(), now.String(), "%s had ended after %s and was rewritten by %v",
			succ.Engines[k].Graph().Node(i).Name(), x.route(path, ""), ev)
	}
	return succ
}

// leafEnds are the phases of leaves whose own end is known and that an event must not change: it does not begin a new
// incarnation or run of them.
func leafEnds(e *propagate.Engine, ev propagate.Event) map[nodegraph.Index]nodegraph.Phase {
	ended := make(map[nodegraph.Index]nodegraph.Phase)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		f, n := e.Fact(i), e.Graph().Node(i)
		superseded := strings.HasPrefix(n.Name(), ev.Node) && (ev.Pod.UID > f.UID || ev.Pod.UID == f.UID && ev.Pod.Attempt > f.Attempt)
		if !n.Kind.Composite() && f.Stage == propagate.StageEnded && !superseded {
			ended[i], _ = e.Phase(i)
		}
	}
	return ended
}

// compareLoaded: an engine that is saved and loaded looks the same, and would save the same (I7).
func (x *Exploration) compareLoaded(t testing.TB, w *World, k int, s propagate.State) *propagate.Engine {
	loaded, unknown, err := propagate.Load(x.Specs[k], s)
	require.NoError(t, err)
	require.Empty(t, unknown)
	x.Count.Restarts.Add(1)
	x.same(t, x.route(w.path, "; restart"), w.Engines[k], loaded)
	return loaded
}

// same: two engines that look the same, and would save the same.
func (x *Exploration) same(t testing.TB, after route, want, got *propagate.Engine) {
	require.NoError(t, got.Check(), "after %s", after)
	if Look(want) != Look(got) || saved(want) != saved(got) {
		require.Empty(t, cmp.Diff(strings.Split(Look(want), "\n"), strings.Split(Look(got), "\n")), "after %s (-without the restart +with it)", after)
		require.Empty(t, cmp.Diff(savedNodes(want), savedNodes(got)), "after %s (-without the restart +with it)", after)
	}
}

// compare: the same facts look the same, in whichever order they came (I3).
func (x *Exploration) compare(t testing.TB, w *World, maximal bool) {
	if maximal {
		x.Count.Maximal.Add(1)
		if x.Last != nil {
			x.Last(t, w)
		}
	}
	where := ""
	switch {
	case x.Where != nil:
		where = x.Where(w, maximal)
	case maximal || len(w.limits) == 0:
		where = x.ByFacts(w)
	}
	if where == "" {
		return
	}
	now := reached{w.look(), x.route(w.path, "")}
	first, known := x.looks[where]
	if !known {
		x.looks[where] = now
		return
	}
	if first.look != now.look {
		require.Empty(t, cmp.Diff(strings.Split(first.look, "\n"), strings.Split(now.look, "\n")), "the same facts:\n-%s\n+%s", first.by, now.by)
	}
}

// repeat says every fact once more that was said before: nothing comes of it. It tells whether that led to a state that is
// new all the same, because the engine notes more than it shows.
func (x *Exploration) repeat(t testing.TB, w *World) bool {
	before, path := w.look(), x.route(w.path, "")
	for m, f := range x.Facts {
		if !w.Told(m) || w.Engines[f.Workflow].Complete() {
			continue
		}
		r, err := x.take(w, move(m))
		require.NoError(t, err)
		x.Count.Repeated.Add(1)
		require.Empty(t, r.Changes, "%v once more, after %s", f, path)
		require.Empty(t, r.Actions, "%v once more, after %s", f, path)
	}
	require.Equal(t, before, w.look(), "after %s, and all of it once more", path)
	return x.enter(t, w)
}

// ByFacts compares all states to which the same facts led. What was started can't be undone, so where a pod was taken
// for lost before its success was heard of, only states are compared in which the same nodes exist.
func (x *Exploration) ByFacts(w *World) string {
	where := fmt.Sprintf("%x", w.told)
	success, loss := make(map[string]bool), make(map[string]bool)
	for m, f := range x.Facts {
		if !w.Told(m) {
			continue
		}
		switch {
		case f.Event.Type == propagate.EventPodDeleted:
			loss[f.Event.Node+f.Event.Pod.UID] = true
		case f.Event.Type == propagate.EventPodEnded && f.Event.Phase == nodegraph.Succeeded:
			success[f.Event.Node+f.Event.Pod.UID] = true
		}
	}
	for pod := range success {
		if loss[pod] {
			for _, e := range w.Engines {
				where += strings.Join(existing(e), " ")
			}
			return where
		}
	}
	return where
}

// existing are the names of the nodes that exist, sorted.
func existing(e *propagate.Engine) []string {
	var list []string
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if e.Exists(i) {
			list = append(list, e.Graph().Node(i).Name())
		}
	}
	slices.Sort(list)
	return list
}

// Path says what has happened in a world, for messages.
func (x *Exploration) Path(w *World) fmt.Stringer { return x.route(w.path, "") }

// reached is how the world looked, and how it came about.
type reached struct {
	look string
	by   route
}

// A move is one thing that happens: the fact of this number or, beyond the facts, the errand of this number.
type move int

// A route is a path that is written out only if somebody reads it.
type route struct {
	x    *Exploration
	path []move
	end  string
}

func (x *Exploration) route(path []move, end string) route { return route{x, slices.Clone(path), end} }

func (r route) String() string {
	var steps []string
	for _, m := range r.path {
		if int(m) < len(r.x.Facts) {
			steps = append(steps, r.x.Facts[m].String())
		} else {
			steps = append(steps, fmt.Sprintf("errand %d", int(m)-len(r.x.Facts)))
		}
	}
	return strings.Join(steps, "; ") + r.end
}

// begin makes the world in which nothing has happened yet.
func (x *Exploration) begin(t testing.TB) *World {
	w := &World{limits: make(map[string]int), asked: make(map[propagate.Holder][]nodegraph.Lock)}
	for k, spec := range x.Specs {
		e, err := propagate.New(spec)
		require.NoError(t, err)
		r, err := e.Apply(epoch)
		require.NoError(t, err)
		w.Engines = append(w.Engines, e)
		w.carryOut(k, r)
	}
	return w
}

// again makes the world to which a path leads.
func (x *Exploration) again(t testing.TB, path []move) *World {
	w := x.begin(t)
	for _, m := range path {
		_, err := x.take(w, m)
		require.NoError(t, err)
	}
	return w
}

// event is what a move says, and to whom. The table of locks answers when it is asked.
func (x *Exploration) event(w *World, m move) (int, propagate.Event) {
	if int(m) < len(x.Facts) {
		return x.Facts[m].Workflow, x.Facts[m].Event
	}
	errand := w.owed[int(m)-len(x.Facts)]
	if errand.locks == nil {
		return errand.workflow, propagate.LockGranted(errand.node)
	}
	granted, key, message := w.Locks.Acquire(holder(errand.workflow, errand.node), errand.locks)
	if granted {
		return errand.workflow, propagate.LockGranted(errand.node)
	}
	return errand.workflow, propagate.LockQueued(errand.node, key, message)
}

// take lets a move happen. On an error the fact can't come here, and the world is as before.
func (x *Exploration) take(w *World, m move) (propagate.Result, error) {
	k, ev := x.event(w, m)
	r, err := w.Engines[k].Apply(epoch, ev)
	isErrand := int(m) >= len(x.Facts)
	if isErrand {
		at := int(m) - len(x.Facts)
		w.owed = slices.Delete(w.owed, at, at+1)
		if errors.Is(err, propagate.ErrComplete) { // what asked has ended meanwhile: the host gives the lock back
			w.giveBack(k, ev.Node)
			err = nil
		}
	}
	if err != nil {
		return r, err
	}
	if isErrand || !w.Told(int(m)) {
		w.moves++
	}
	if !isErrand {
		w.told |= 1 << m
	}
	w.path = append(w.path, m)
	w.carryOut(k, r)
	return r, nil
}
