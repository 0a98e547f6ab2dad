package replay

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Host drives the engine of one workflow as a controller would: it carries out at once what needs no cluster. That
// is the locks, which it may share with other hosts, and the conditions whose variables the engine knows. Everything
// the engine asked for is in the results that the Host returns, in the order in which it was carried out.
// Answers come in the order of [propagate.Drive].
type Host struct {
	Engine   *propagate.Engine    // nobody else calls it
	Workflow string               // unique among the hosts that share Locks
	Locks    *propagate.LockTable // grants the locks; with nil Answer is asked about them

	// Visits makes the host hand locks over as Argo's controller does, which visits the nodes of a workflow in order. Where it
	// comes to one that has settled it gives the locks back, and for one that waits it asks anew. So a lock goes to the
	// first that it comes to then, a new node or one that waits. One that it has visited before gets the lock, or hears who
	// holds it now, with the next Step only.
	Visits bool
	// Answer, if set, is asked about every action that the host can't carry out by itself, such as a look-up in a cache. It is
	// also asked about locks before they are asked for: the surroundings may not have them. It returns what the surroundings of
	// the controller say to it, nothing if they don't.
	Answer func(*propagate.Action) []propagate.Event
	// After, if set, is called after every call of the engine; an error ends the step.
	After func(*propagate.Engine) error
	// Granted, if set, is called for holders of other workflows that got their locks because this one gave some back.
	Granted func(propagate.Holder)

	later []propagate.Event // LockGranted, for the next Step
}

// Step tells the engine what exists and what happened, and carries out what follows until nothing does.
func (h *Host) Step(now time.Time, pods []propagate.PodStatus, events ...propagate.Event) (propagate.Result, error) {
	later := h.later
	h.later = nil
	s := &step{Host: h, now: now, pods: pods, listed: true, walk: walk{at: nodegraph.None}}
	err := s.tell(slices.Concat(events, later, s.askAll()))
	return s.result, err
}

// Apply is Step for events alone.
func (h *Host) Apply(now time.Time, events ...propagate.Event) (propagate.Result, error) {
	s := &step{Host: h, now: now, walk: walk{at: nodegraph.None}}
	err := s.tell(events)
	return s.result, err
}

// A step is what follows from one call of a Host.
type step struct {
	*Host
	now    time.Time
	pods   []propagate.PodStatus
	listed bool // pods are still to be told
	result propagate.Result
	walk   walk
}

func (s *step) tell(events []propagate.Event) error {
	err := propagate.Drive(s, s.Workflow, events...)
	for err == nil && s.goesOn() {
		if events := s.visit(); len(events) > 0 {
			err = propagate.Drive(s, s.Workflow, events...)
		}
	}
	s.result.Changes = coalesce(s.result.Changes)
	return err
}

// Call tells the engine what exists, once, and what happened.
func (s *step) Call(_ string, events []propagate.Event) (r propagate.Result, err error) {
	if s.listed {
		r, err = s.Engine.SyncPods(s.now, s.pods, events...)
	} else {
		r, err = s.Engine.Apply(s.now, events...)
	}
	if err != nil {
		return r, err
	}
	if s.listed {
		s.listed, s.result.Unknown = false, r.Unknown
	}
	s.result.Changes = append(s.result.Changes, r.Changes...)
	if s.After != nil {
		err = s.After(s.Engine)
	}
	return r, err
}

// Do does what an action asks for, as far as the host can, and returns what is to be said to the engine.
func (s *step) Do(_ string, a *propagate.Action) ([]propagate.Notice, error) {
	if a.Type != propagate.ActionRelease || len(a.Locks) > 0 { // without locks it is of a grant that came too late
		s.result.Actions = append(s.result.Actions, *a)
	}
	var notices []propagate.Notice
	for _, ev := range s.answer(a) {
		notices = append(notices, propagate.Notice{Workflow: s.Workflow, Event: ev})
	}
	return notices, nil
}

// coalesce makes one change of several to the same node.
func coalesce(changes []propagate.Change) []propagate.Change {
	at := make(map[nodegraph.Index]int, len(changes))
	out := changes[:0]
	for _, c := range changes {
		if k, ok := at[c.Node]; ok {
			c.From = out[k].From
			out[k] = c
			continue
		}
		at[c.Node] = len(out)
		out = append(out, c)
	}
	return out
}

// answer returns what an action has the host say to the engine.
func (s *step) answer(a *propagate.Action) []propagate.Event {
	h := s.Host
	if a.Type == propagate.ActionAcquire && h.Answer != nil {
		if refused := h.Answer(a); len(refused) > 0 {
			return refused
		}
	}
	if h.Locks != nil && (a.Type == propagate.ActionAcquire || a.Type == propagate.ActionRelease) {
		if h.Visits {
			return s.visitFor(a)
		}
		return h.handOver(h.Locks.Answer(h.Workflow, a))
	}
	if a.Type == propagate.ActionResolve {
		if answer, known := Resolve(h.Engine, a); known {
			return []propagate.Event{answer}
		}
	}
	if h.Answer != nil {
		return h.Answer(a)
	}
	return nil
}

// handOver passes on what the table says: to this engine by events, to others through Granted.
func (h *Host) handOver(notices []propagate.Notice) []propagate.Event {
	var events []propagate.Event
	for _, n := range notices {
		switch {
		case n.Workflow == h.Workflow:
			events = append(events, n.Event)
		case h.Granted != nil:
			h.Granted(propagate.Holder{Workflow: n.Workflow, Node: n.Event.Node})
		}
	}
	return events
}

// locksOf are the locks of node i, or of the workflow.
func locksOf(e *propagate.Engine, i nodegraph.Index) []nodegraph.Lock {
	if i == nodegraph.Root {
		return e.Graph().Spec().Locks
	}
	return e.Graph().Node(i).Template.Locks
}
