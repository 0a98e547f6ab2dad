package replay

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Host drives the engine of one workflow as a controller would: it carries out at once what needs no cluster, above
// all the locks, which it may share with other hosts. Everything it was asked to do is in the results it returns.
type Host struct {
	Engine   *propagate.Engine
	Workflow string // unique among the hosts that share Locks
	Locks    *propagate.LockTable

	// Visits makes the host hand locks over as Argo's controller does, which visits the nodes of a workflow in order: one
	// that it has visited before it comes to the holder that settled gets the lock with the next Step only.
	Visits bool
	// After, if set, is called after every call of the engine; an error ends the step.
	After func(*propagate.Engine) error
	// Granted, if set, is called for holders of other workflows that got their locks because this one gave some back.
	Granted func(propagate.Holder)

	later []propagate.Event // LockGranted, for the next Step
}

// Step tells the engine what exists and what happened, and carries out what follows until nothing does.
func (h *Host) Step(now time.Time, pods []propagate.PodStatus, events ...propagate.Event) (propagate.Result, error) {
	events = append(events, h.later...)
	h.later = nil
	r, err := h.Engine.SyncPods(now, pods, events...)
	return h.follow(now, r, err)
}

// Apply is Step for events alone.
func (h *Host) Apply(now time.Time, events ...propagate.Event) (propagate.Result, error) {
	r, err := h.Engine.Apply(now, events...)
	return h.follow(now, r, err)
}

// follow answers what the engine asks for, and collects what comes of it.
func (h *Host) follow(now time.Time, r propagate.Result, err error) (propagate.Result, error) {
	if err = h.checked(err); err != nil {
		return r, err
	}
	for k := 0; k < len(r.Actions); k++ {
		for _, answer := range h.answer(&r.Actions[k]) {
			more, err := h.Engine.Apply(now, answer)
			if err = h.checked(err); err != nil {
				return r, err
			}
			r.Changes = append(r.Changes, more.Changes...)
			r.Actions = append(r.Actions, more.Actions...)
		}
	}
	r.Changes = coalesce(r.Changes)
	return r, nil
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

// checked lets After look at the engine after a call that succeeded.
func (h *Host) checked(err error) error {
	if err == nil && h.After != nil {
		return h.After(h.Engine)
	}
	return err
}

// answer does what an action asks for, as far as it concerns locks, and returns what is to be said to the engine.
func (h *Host) answer(a *propagate.Action) []propagate.Event {
	if h.Locks == nil {
		return nil
	}
	me := propagate.Holder{Workflow: h.Workflow, Node: a.ID}
	switch a.Type {
	case propagate.ActionAcquire:
		granted, key, message := h.Locks.Acquire(me, a.Locks)
		if granted {
			return []propagate.Event{propagate.LockGranted(a.ID)}
		}
		return []propagate.Event{propagate.LockQueued(a.ID, key, message)}
	case propagate.ActionRelease:
		return h.handOver(a.Node, h.Locks.Release(me))
	}
	return nil
}

// handOver tells those who got the locks of node from: this engine by events, others through Granted.
func (h *Host) handOver(from nodegraph.Index, granted []propagate.Holder) []propagate.Event {
	var events []propagate.Event
	for _, g := range granted {
		switch to := h.Engine.Graph().Find(g.Node); {
		case g.Workflow != h.Workflow:
			if h.Granted != nil {
				h.Granted(g)
			}
		case h.Visits && to > nodegraph.Root && h.Engine.StartOrder(to, from) < 0:
			h.later = append(h.later, propagate.LockGranted(g.Node))
		default:
			events = append(events, propagate.LockGranted(g.Node))
		}
	}
	return events
}

// resumeAll are the events for a user who resumes a workflow: every Suspend node that waits goes on.
func resumeAll(e *propagate.Engine) []propagate.Event {
	var events []propagate.Event
	for _, o := range e.Obligations() {
		if e.Graph().Node(o.Node).Kind == nodegraph.Suspend && !e.Verdict(o.Node).Fulfilled {
			events = append(events, propagate.Resumed(o.Name))
		}
	}
	return events
}
