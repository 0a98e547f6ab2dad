package replay

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A walk is how far the controller has come in a step in which it visits the nodes in order.
type walk struct {
	at      nodegraph.Index   // the node that it visited last, None before the first
	settled []nodegraph.Index // nodes to which it has not come yet and that give their locks back then
	changed bool              // a lock was given back, or taken: those that wait further on are asked for anew
	ended   bool              // it has come to the last node
}

// visitFor goes on to the node of an action about locks. A node that gives its locks back is noted: the walk comes to it.
func (s *step) visitFor(a *propagate.Action) []propagate.Event {
	i := nodegraph.Root
	if a.ID != "" {
		i = s.Engine.Graph().Find(a.ID)
	}
	s.walk.ended = false
	switch {
	case i == nodegraph.None: // a grant that came too late
		s.walk.changed = true
		s.Locks.Free(propagate.Holder{Workflow: s.Workflow, Node: a.ID})
		return nil
	case a.Type == propagate.ActionRelease:
		s.walk.settled = append(s.walk.settled, i)
		return nil
	}
	events := s.goTo(i)
	answers := s.handOver(s.Locks.Answer(s.Workflow, a))
	s.walk.changed = s.walk.changed || answers[0].Type == propagate.EventLockGranted
	return append(events, answers...)
}

// goesOn reports whether something is left for the walk.
func (s *step) goesOn() bool { return s.Visits && s.Locks != nil && !s.walk.ended }

// visit goes on to the next node to which the walk makes a difference. After the last one other workflows may get what is left.
func (s *step) visit() []propagate.Event {
	events, more := s.next(nodegraph.None)
	for more && len(events) == 0 {
		events, more = s.next(nodegraph.None)
	}
	if more {
		return events
	}
	s.walk.ended = true
	if s.Granted == nil {
		return nil // the next step asks anew, in order
	}
	for _, free := range s.Locks.Grant() {
		s.later = append(s.later, s.handOver([]propagate.Notice{free.Granted()})...)
	}
	return nil
}

// goTo visits all before node i, and returns what the engine is to be told.
func (s *step) goTo(i nodegraph.Index) []propagate.Event {
	var all []propagate.Event
	for events, more := s.next(i); more; events, more = s.next(i) {
		all = append(all, events...)
	}
	s.moveTo(i)
	return all
}

// next visits the first node that settled, up to node i, or that waits further on, before it; None is after all. It returns what
// the engine is to be told, and whether there was such a node.
func (s *step) next(i nodegraph.Index) ([]propagate.Event, bool) {
	e, first := s.Engine, nodegraph.None
	before := func(a, b nodegraph.Index) bool {
		return a != nodegraph.None && (b == nodegraph.None || e.StartOrder(a, b) < 0)
	}
	for _, m := range s.walk.settled {
		if (m == i || before(m, i)) && before(m, first) {
			first = m
		}
	}
	for m := nodegraph.Root; int(m) < e.Graph().Len(); m++ {
		if e.Fact(m).Lock == fact.LockWaits && before(m, i) && before(m, first) && (s.walk.at == nodegraph.None || before(s.walk.at, m)) {
			first = m
		}
	}
	if first == nodegraph.None {
		return nil, false
	}
	s.moveTo(first)
	if k := slices.Index(s.walk.settled, first); k >= 0 {
		s.walk.settled, s.walk.changed = slices.Delete(s.walk.settled, k, k+1), true
		s.Locks.Free(propagate.Holder{Workflow: s.Workflow, Node: e.Graph().Node(first).ID()})
		return nil, true
	}
	if !s.walk.changed {
		return nil, true
	}
	return s.askAgain(first), true
}

// moveTo notes that the walk has come to node i, unless it is further already.
func (s *step) moveTo(i nodegraph.Index) {
	if s.walk.at == nodegraph.None || s.Engine.StartOrder(s.walk.at, i) < 0 {
		s.walk.at = i
	}
}

// askAll asks anew for all nodes that wait, as when nothing has changed.
func (s *step) askAll() []propagate.Event {
	if !s.Visits || s.Locks == nil || s.Engine.Complete() {
		return nil
	}
	var nodes []nodegraph.Index
	for m := nodegraph.Root; int(m) < s.Engine.Graph().Len(); m++ {
		if s.Engine.Fact(m).Lock == fact.LockWaits {
			nodes = append(nodes, m)
		}
	}
	slices.SortFunc(nodes, s.Engine.StartOrder)
	var events []propagate.Event
	for _, m := range nodes {
		events = append(events, s.askAgain(m)...)
	}
	return events
}

// askAgain asks anew for node i, and returns what makes a difference.
func (s *step) askAgain(i nodegraph.Index) []propagate.Event {
	e := s.Engine
	again := propagate.Action{Type: propagate.ActionAcquire, ID: e.Graph().Node(i).ID(), Locks: locksOf(e, i)}
	answers := s.handOver(s.Locks.Answer(s.Workflow, &again))
	if _, heard := e.Phase(i); answers[0].Type == propagate.EventLockQueued && answers[0].Message == heard {
		return answers[1:]
	}
	return answers
}
