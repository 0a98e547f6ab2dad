package explore

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// A World is a few engines, the locks that they share, the pods that they asked for, and what the host has not yet done.
type World struct {
	Engines []*propagate.Engine
	Locks   propagate.LockTable

	x      *Exploration
	flows  []flow
	now    time.Time
	pods   []*pod
	owed   []errand
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

// A flow is what the host knows of one workflow.
type flow struct {
	wake      time.Time // when the engine wants to be called again
	said      []propagate.Event
	history   []string        // what was said, and the locks that were granted, in any order
	asked     map[string]bool // the nodes of which a pod was asked for, by name
	serials   map[string]int  // how many pods were made of a node, by its name
	served    []string        // HTTP and Plugin nodes that an agent works on
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
	w := &World{
		x: x, now: epoch, flows: make([]flow, len(x.Specs)), locks: make(map[string]bool),
	}
	for _, spec := range x.Specs {
		e, err := propagate.New(spec)
		if err != nil {
			panic(err) // Run has tried it
		}
		w.Engines = append(w.Engines, e)
	}
	for k := range w.Engines {
		w.flows[k].serials, w.flows[k].asked = make(map[string]int), make(map[string]bool)
		r, _ := w.apply(k)
		w.carryOut(k, r.Actions)
	}
	return w
}

// again makes the world to which a path leads.
func (x *Exploration) again(path []move) *World {
	w := x.begin()
	for _, m := range path {
		w.take(m)
	}
	return w
}

// Told reports whether a fact, by its index, has been told.
func (w *World) Told(fact int) bool { return w.told&(1<<fact) != 0 }

// apply tells an engine what happened at the present time.
func (w *World) apply(k int, events ...propagate.Event) (propagate.Result, error) {
	r, err := w.Engines[k].Apply(w.now, events...)
	if err == nil {
		w.heard(k, r, events)
	}
	return r, err
}

// heard notes that an engine was called: it asks for no pod that must not be, and knows that it was woken.
func (w *World) heard(k int, r propagate.Result, events []propagate.Event) {
	f := &w.flows[k]
	w.hashed = nil
	if w.x.Heard != nil {
		w.x.Heard(events, &r)
	}
	if w.x.Cluster == nil {
		return
	}
	if err := f.watch.After(w.Engines[k], r); err != nil {
		w.faults = append(w.faults, fault{truthKind(w.Engines[k], err) + upon(events), err})
	}
	if !f.wake.After(w.now) {
		f.wake = time.Time{}
	}
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

// holder is a node of a workflow, or the workflow, in the table of locks.
func holder(workflow int, node string) propagate.Holder {
	return propagate.Holder{Workflow: fmt.Sprint(workflow), Node: node}
}

// carryOut does what an engine asks for. The host gives locks back at once, as it must, and makes and ends pods; it may
// take its time to ask for locks, to hand them on and to answer.
func (w *World) carryOut(k int, actions []propagate.Action) {
	for _, a := range actions {
		if a.Type != propagate.ActionWake && a.Type != propagate.ActionComplete {
			w.note("    %v", a)
		}
		switch a.Type {
		case propagate.ActionAcquire:
			w.owed = append(w.owed, errand{workflow: k, action: a})
			for _, l := range a.Locks {
				w.locks[l.Key] = true
			}
		case propagate.ActionRelease:
			w.giveBack(k, a.ID)
		case propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
			w.owed = append(w.owed, errand{workflow: k, action: a})
		case propagate.ActionStart, propagate.ActionRecreate:
			if a.Type == propagate.ActionRecreate || a.Message == "" {
				w.flows[k].asked[a.Name] = true
				w.serve(k, a)
			}
		case propagate.ActionTerminate:
			if p := w.pod(k, a.Name); p != nil {
				p.terminating = true
			}
		case propagate.ActionWake:
			w.flows[k].wake = a.At
		}
	}
}

// giveBack releases what a node holds or waits for. Answers from before that are void.
func (w *World) giveBack(k int, node string) {
	w.owed = slices.DeleteFunc(w.owed, func(e errand) bool {
		return e.workflow == k && e.action.Type == propagate.ActionAcquire && e.action.ID == node
	})
	w.handOn(w.Locks.Release(holder(k, node)))
}

// handOn owes those who hold their locks now the word that they do.
func (w *World) handOn(granted []propagate.Holder) {
	for _, h := range granted {
		var to int
		_, _ = fmt.Sscan(h.Workflow, &to)
		w.owed = append(w.owed, errand{workflow: to, granted: true, action: propagate.Action{Type: propagate.ActionAcquire, ID: h.Node}})
	}
}

// complete reports whether all workflows are complete.
func (w *World) complete() bool {
	return !slices.ContainsFunc(w.Engines, func(e *propagate.Engine) bool { return !e.Complete() })
}

// keys are the locks that were asked for, sorted.
func (w *World) keys() []string { return slices.Sorted(maps.Keys(w.locks)) }
