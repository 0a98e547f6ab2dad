package whatif

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// epoch is when a workflow begins that was not begun.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	// maxAttempts bounds the attempts of one Retry in one run, beside those on record: a workflow that makes more is taken
	// to go on for ever.
	maxAttempts = 100
	// maxIdle bounds how often time goes on without a step of a pod, for the same reason.
	maxIdle = 10_000
)

// A world is an engine and everything around it that is played.
type world struct {
	in  *Input
	e   *propagate.Engine
	now time.Time

	lives  []life // pods that exist, in the order in which they were asked for, and some that have ended
	cursor int    // the life that steps next
	bound  int    // where the round ends
	moved  bool   // something has happened in this round
	idle   int    // how often in a row time went on
	wake   time.Time
	steps  int            // made so far
	ends   map[string]int // of ready daemons, by uid: the step in which each is ended, or in which all ends

	locks propagate.LockTable

	people bool           // something may wait for people, or for more than pods and timers
	order  map[string]int // of the pods that may be held back, by node; nil for none
	held   span           // those that are
	parked []life         // those of them that were asked for
	frozen bool           // no time passes while there are any

	touched []nodegraph.Index // nodes that came to a phase in which they count against a loss, some of them more than once
	told    int               // calls of the engine

	serial  int // of pods
	most    int // attempts of one Retry
	remade  int // pods that were made again without a new attempt
	endless string
	open    []leftOpen       // what Argo leaves open, so that the workflow never ends
	assume  func(Assumption) // nil to tell nobody
}

// A stage is how far a life has come.
type stage uint8

const (
	asked   stage = iota // the engine has asked for it
	pending              // it exists
	running              // it runs
	ready                // a daemon that became ready in this round
	serving              // a daemon that has nothing more to report
	doomed               // the engine has asked for its end
	worked               // it is about to report
	ended
)

// A life is one pod, or a node that the agent serves.
type life struct {
	id, name string // of the node
	kind     nodegraph.Kind
	uid      string
	number   int // which of the node's pods it is, from 1
	stage    stage
	daemon   bool
	begun    bool // it did something since it runs
	apart    bool // it can be lost apart: see independent
}

// newWorld returns the world before the first event. Nothing is asked of the engine yet.
func newWorld(in *Input) (*world, error) {
	w := &world{in: in, moved: true, people: true, ends: make(map[string]int)}
	var err error
	if s := &in.Snapshot; s.Phase == nodegraph.PhasePlanned && len(s.Nodes) == 0 && s.Shutdown == "" {
		w.e, err = propagate.New(in.Spec, nodegraph.WithLimits(in.Limits))
	} else {
		w.e, _, err = propagate.FromSnapshot(in.Spec, *s, nodegraph.WithLimits(in.Limits))
	}
	if err != nil {
		return nil, err
	}
	w.most = maxAttempts
	for i, g := nodegraph.Entry, w.e.Graph(); int(i) < g.Len(); i++ {
		w.most = max(w.most, attempts(g, i)+maxAttempts)
	}
	w.now = w.e.Now()
	if w.now.IsZero() {
		w.now = in.Start
	}
	if w.now.IsZero() {
		w.now = epoch
	}
	return w, nil
}

// begin tells the engine that time has begun. Of a workflow under way the pods that were recorded as unfinished exist, and
// locks are where they were.
func (w *world) begin() error {
	if w.e.Complete() {
		return nil
	}
	g := w.e.Graph()
	for i := range nodegraph.Index(g.Len()) {
		f, n := w.e.Fact(i), g.Node(i)
		if i != nodegraph.Root && f.Created.IsZero() || w.e.Verdict(i).Fulfilled && !w.e.Verdict(i).Daemoned {
			continue
		}
		if f.Lock == fact.LockWaits {
			continue
		}
		switch {
		case n.Kind == nodegraph.KindPod && f.Stage == fact.StageRunning && n.Template.IsDaemon() && f.Ready:
			w.live(i, ready, 1)
		case n.Kind == nodegraph.KindPod && f.Stage == fact.StageRunning && !n.Template.IsDaemon():
			w.live(i, running, 1)
		case n.Kind == nodegraph.KindPod && (f.Stage == fact.StagePending || f.Stage == fact.StageRunning):
			w.live(i, pending, 1)
		case n.Kind == nodegraph.KindHTTP || n.Kind == nodegraph.KindPlugin:
			w.live(i, pending, 1)
		}
	}
	slices.SortFunc(w.lives, func(a, b life) int {
		x, y := g.Find(a.id), g.Find(b.id)
		return cmp.Or(w.e.Fact(x).Created.Compare(w.e.Fact(y).Created), w.e.StartOrder(x, y))
	})
	w.locks.Adopt("", w.e)
	var events []propagate.Event
	for _, free := range w.locks.Grant() { // no other workflow holds any
		events = append(events, free.Granted().Event)
	}
	return w.apply(events...)
}

// clone returns a copy of the world, with an engine of its own.
func (w *world) clone() (*world, error) {
	c := new(world)
	return c, w.cloneTo(c)
}

// cloneTo makes c a copy of the world. The memory of c is used again.
func (w *world) cloneTo(c *world) error {
	old := *c
	*c = *w
	if c.e = old.e; c.e == nil {
		c.e = new(propagate.Engine)
	}
	c.lives, c.parked, c.touched = append(old.lives[:0], w.lives...), append(old.parked[:0], w.parked...), append(old.touched[:0], w.touched...)
	c.ends, c.assume, c.locks = maps.Clone(w.ends), nil, w.locks.Clone()
	return w.e.CloneTo(c.e)
}

// apply tells the engine, and carries out what follows until nothing does.
func (w *world) apply(events ...propagate.Event) error {
	if w.e.Complete() {
		return nil
	}
	if err := propagate.Drive(w, "", events...); err != nil {
		return fmt.Errorf("whatif: simulation: %w", err)
	}
	return nil
}

// Call tells the engine what happened.
func (w *world) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	r, err := w.e.Apply(w.now, events...)
	w.told++
	for k := range r.Changes {
		if c := &r.Changes[k]; counts(c.To) && c.Node != nodegraph.Root {
			w.touched = append(w.touched, c.Node)
			w.argoFailsFast(c)
		}
	}
	return r, err
}

// hold lets all pods go on that are not in a span, which was part of the one that is held back, as far as they can.
func (w *world) hold(held span) error {
	w.held = held
	w.lives = slices.DeleteFunc(w.lives, func(l life) bool { return l.stage == ended })
	w.cursor, w.bound = 0, 0
	w.parked = slices.DeleteFunc(w.parked, func(l life) bool {
		free := !held.has(w.order[l.id])
		if free {
			w.lives, w.moved = append(w.lives, l), true
		}
		return free
	})
	return w.walk(nil, nil)
}

// Do carries out one action and returns what is to be said to the engine.
func (w *world) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	say := func(ev propagate.Event) ([]propagate.Notice, error) {
		return []propagate.Notice{{Workflow: workflow, Event: ev}}, nil
	}
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		n := w.e.Graph().Node(a.Node)
		if n.Role == nodegraph.RoleAttempt && int(n.DeclIndex) >= w.most {
			w.endless = w.e.Graph().Node(n.Parent).Name()
		}
		w.make(a.Node, a.Type == propagate.ActionRecreate)
	case propagate.ActionTerminate:
		w.terminate(a.ID)
	case propagate.ActionResolve:
		holds, stated := w.in.Conditions[a.Name]
		if ev, known := replay.Resolve(w.e, a); known && !stated {
			return say(ev)
		}
		w.assumed(Assumption{Node: a.Name, Text: a.Message, Items: -1, Holds: holds || !stated, Stated: stated})
		return say(propagate.Resolved(a.ID, holds || !stated, ""))
	case propagate.ActionExpand:
		items, stated := w.in.Items[a.Name]
		if !stated {
			items = []nodegraph.Item{{Text: "item"}}
		}
		w.assumed(Assumption{Node: a.Name, Text: a.Message, Items: len(items), Stated: stated})
		return say(propagate.Expanded(a.ID, items...))
	case propagate.ActionLookup:
		return say(propagate.Memoized(a.ID, false))
	case propagate.ActionWake:
		w.wake = a.At
	}
	return w.locks.Answer(workflow, a), nil
}

// terminate has the pod of a node end.
func (w *world) terminate(id string) {
	for k := range w.lives {
		l := &w.lives[k]
		if l.id != id || l.stage == ended {
			continue
		}
		l.stage = doomed
		if _, ok := w.ends[l.uid]; ok {
			w.ends[l.uid] = w.steps
		}
	}
}

func (w *world) assumed(a Assumption) {
	if w.assume != nil {
		w.assume(a)
	}
}

// make makes the pod of node i, unless it is there.
func (w *world) make(i nodegraph.Index, again bool) {
	n := w.e.Graph().Node(i)
	if n.Kind != nodegraph.KindPod && n.Kind != nodegraph.KindHTTP && n.Kind != nodegraph.KindPlugin {
		return
	}
	number := 1
	if again { // a node is started but once
		for k := range w.lives {
			if l := &w.lives[k]; l.id == n.ID() {
				if l.stage != ended {
					return
				}
				number = l.number + 1
			}
		}
		if number > 1 {
			w.remade++
		}
	}
	w.live(i, asked, number)
}

// live adds a life of node i.
func (w *world) live(i nodegraph.Index, s stage, number int) {
	w.serial++
	n := w.e.Graph().Node(i)
	l := life{
		id: n.ID(), name: n.Name(), kind: n.Kind, uid: "pod-" + strconv.Itoa(w.serial), number: number, stage: s,
		daemon: n.Kind == nodegraph.KindPod && n.Template.IsDaemon(), apart: independent(w.e.Graph(), i),
	}
	if s == ready {
		w.ends[l.uid] = -1
	}
	if place, known := w.order[l.id]; known && w.held.has(place) {
		w.parked = append(w.parked, l)
		return
	}
	w.lives = append(w.lives, l)
}

// limitLocks lets so many hold locks as these say, or any number.
func (w *world) limitLocks(locks []nodegraph.Lock, anyNumber bool) {
	for _, l := range locks {
		limit := max(l.Limit, 1)
		if anyNumber {
			limit = math.MaxInt
		}
		w.locks.SetLimit(l.Key, limit)
	}
}
