package explore

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// A World is a host with a few engines, and how it came to be in its position.
type World struct {
	*simhost.Host
	Engines []*propagate.Engine // of its workflows

	x      *Exploration
	flows  []flow
	told   uint64 // facts, as bits
	moves  int    // without those that say again what was said
	harm   int    // moves that do harm
	odd    bool   // what has happened has other results in another order
	path   []move
	faults []fault  // of the last move
	hashed []uint64 // what tells the states of the engines apart, nil until somebody asks

	locks map[string]bool // by key: those that were asked for

	noting bool
	notes  []string // what happened, if noting
}

// A flow is what has happened to one workflow.
type flow struct {
	said      []propagate.Event
	history   []string        // what was said, and the locks that were granted, in any order
	asked     map[string]bool // the nodes of which a pod was asked for, by name
	suspended bool
	shutdown  string
	retried   bool // by hand
	watch     truth.Watch
}

// A fault is what is not as it must be, under a short name for all of its kind.
type fault struct {
	kind string
	err  error
}

// begin makes the world in which nothing has happened yet.
func (x *Exploration) begin() *World {
	w := &World{Host: &simhost.Host{Now: epoch}, x: x, flows: make([]flow, len(x.Specs)), locks: make(map[string]bool)}
	if x.Cluster != nil {
		w.Slow = x.Cluster.Slow
	}
	for k, spec := range x.Specs {
		if err := w.Add(fmt.Sprint(k), spec, nodegraph.Limits{}); err != nil {
			panic(err) // Run has tried it
		}
		w.Engines = append(w.Engines, w.Workflows[k].Engine)
	}
	for k := range w.Engines {
		w.flows[k].asked = make(map[string]bool)
		r, _ := w.apply(k)
		w.carryOut(k, r.Actions)
	}
	return w
}

// clone returns a world in the same position, which goes on by itself.
func (w *World) clone() *World {
	c := *w
	c.Host, c.Engines, c.flows = w.Host.Clone(), slices.Clone(w.Engines), slices.Clone(w.flows)
	for k := range c.flows {
		f := &c.flows[k]
		f.said, f.history, f.asked, f.watch = slices.Clone(f.said), slices.Clip(f.history), maps.Clone(f.asked), f.watch.Clone()
	}
	c.path, c.faults, c.locks = slices.Clip(w.path), slices.Clip(w.faults), maps.Clone(w.locks)
	return &c
}

// Told reports whether a fact, by its index, has been told.
func (w *World) Told(fact int) bool { return w.told&(1<<fact) != 0 }

// apply tells an engine what happened at the present time, and looks at what it asks for: no pod that must not be.
func (w *World) apply(k int, events ...propagate.Event) (propagate.Result, error) {
	r, err := w.call(k, events...)
	if err != nil {
		return r, err
	}
	if w.x.Heard != nil {
		w.x.Heard(events, &r)
	}
	if w.x.Cluster == nil {
		return r, nil
	}
	if err := w.flows[k].watch.After(w.Engines[k], r); err != nil {
		w.faults = append(w.faults, fault{truthKind(w.Engines[k], err) + upon(events), err})
	}
	return r, nil
}

// call is apply without a look at what came of it.
func (w *World) call(k int, events ...propagate.Event) (propagate.Result, error) {
	r, err := w.Call(w.Workflows[k].Name, events)
	w.Engines[k], w.hashed = w.Workflows[k].Engine, nil
	return r, err
}

// upon names the types of events for the name of a fault.
func upon(events []propagate.Event) string {
	if len(events) == 0 {
		return ", upon a call"
	}
	text := ", upon " + events[0].Type.String()
	for _, ev := range events[1:] {
		text += " + " + ev.Type.String()
	}
	return text
}

func (w *World) fault(kind, format string, args ...any) {
	w.faults = append(w.faults, fault{kind, fmt.Errorf(format, args...)})
}

func (w *World) note(format string, args ...any) {
	if w.noting {
		w.notes = append(w.notes, fmt.Sprintf(format, args...))
	}
}

// carryOut does what an engine asks for. The host gives locks back at once, as it must, and makes and ends pods; it may
// take its time to ask for locks, to hand them on and to answer.
func (w *World) carryOut(k int, actions []propagate.Action) {
	_ = propagate.Follow(w, w.Workflows[k].Name, propagate.Result{Actions: actions}) // Do returns no error
}

// Do notes an action and carries it out. Without a cluster there are no pods.
func (w *World) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	if a.Type != propagate.ActionWake && a.Type != propagate.ActionComplete {
		w.note("    %v", *a)
	}
	switch a.Type {
	case propagate.ActionAcquire:
		for _, l := range a.Locks {
			w.locks[l.Key] = true
		}
	case propagate.ActionStart, propagate.ActionRecreate:
		w.flows[w.Index(workflow)].asked[a.Name] = true
		if p := w.Workflow(workflow).Pod(a.Name); p != nil && p.State == simhost.PodRunning && !w.odd {
			w.fault("a pod is asked for that runs", "workflow %s: %v", workflow, *a)
		}
		if w.x.Cluster == nil {
			return nil, nil
		}
	}
	return w.Host.Do(workflow, a)
}

// complete reports whether all workflows are complete.
func (w *World) complete() bool {
	return !slices.ContainsFunc(w.Engines, func(e *propagate.Engine) bool { return !e.Complete() })
}

// keys are the locks that were asked for, sorted.
func (w *World) keys() []string { return slices.Sorted(maps.Keys(w.locks)) }

// truthKind names the line that is broken, and the kind of node.
func truthKind(e *propagate.Engine, err error) string {
	var violation *truth.Violation
	if !errors.As(err, &violation) {
		return "truth"
	}
	if i := e.Graph().Find(violation.Node); violation.Node != "" && i != nodegraph.None {
		return kindOf("truth: "+violation.Line, e.Graph().Node(i).Kind)
	}
	return kindOf("truth: "+violation.Line, nodegraph.KindWorkflow)
}

// A move is one thing that happens.
type move struct {
	what  moveKind
	at    int16 // the fact, errand, pod or workflow, by its number
	how   int8  // which of several ways
	with  int8  // the shutdown that comes in the same call, by its number from 1; 0 for none
	crash int8  // 0 for none; else the host crashes after so many actions, less 1, that come of it
	from  crashKind
}

// A moveKind says what happens.
type moveKind uint8

// A crashKind says from what a host goes on that has crashed.
type crashKind uint8

func kindOf(what string, kind nodegraph.Kind) string { return what + ": " + kind.String() }

const (
	moveFact moveKind = iota
	moveErrand
	movePod
	moveServed
	moveResumed
	moveUnsuspend
	moveWoken // the host calls again when the engine wanted it
	moveClock // time passes until an engine wants to be called
	moveAgain // all that was said is said once more; it is none of the moves that are counted
	// What follows does harm.
	moveSuspend
	moveShutdown
	moveRetry
	moveAgent
	moveNewer // a pod of the node of an older pod that the engine never asked for
)

const (
	fromState       crashKind = iota // the saved state
	fromRecord                       // the record
	fromRecordAlone                  // the record, and no pod is left
)
