package sched

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Who is judged again when something changes. All marks for evaluation are made in this file.
//
//	what changes                            who reads it
//	the fact of a node                      the node; what is directly inside it, since a container reads its pod's fact and a
//	                                        planned node whether its parent exists
//	  of a TaskGroup                        also its parent and what comes after it: the group may be seen to have ended
//	  of a StepGroup                        also the StepGroup before it, and the steps in that, where there are daemons or hooks
//	  of an attempt that has ended          also its Retry: why an attempt ended may be learned later than that it did
//	the verdict of a member                 Workflow, Steps and Retry at any change, and StepGroup where there are daemons; else
//	                                        DAG, StepGroup and TaskGroup once nothing inside them is open, or where that is not
//	                                        why they run
//	  where a template fails fast           also the boundary around it once something in it has failed and nothing is busy, and
//	                                        what is around a boundary that was opened again: see failfast.go
//	the verdict of a hook                   its owner and, of a TaskGroup, the items
//	the verdict of a step with hooks, or    the steps after it in its group
//	of a hook of it
//	the verdict of an item                  its TaskGroup, if that has ended
//	the verdict of a task, or a hook of it  a task after it once all that it comes after is clear, or if one that was clear changes
//	the verdict of a StepGroup              the first StepGroup after it that is planned
//	the verdict of an item                  what comes after its TaskGroup, if that has ended: conditions ask how items ended, and
//	                                        a daemon among them may end, or a newer pod of one
//	the phase of a task or step             what comes after it, where the expressions of hooks may name it
//	a node is added                         the node, its parent and, of a hook, the owner
//	the phase of the entry node             everybody, where the expressions of hooks refer to workflow.status
//	the status before the call              everybody, where they do
//	a DAG or Steps was seen to have ended,  all that is inside it
//	or goes on after that
//	the workflow starts                     the workflow and its entry node
//	a timer runs out                        the node
//	a shutdown, the deadline                everybody

// touch marks node i to be judged. A planned task that something holds back is what it is.
func (s *Schedule) touch(i nodegraph.Index) {
	is, n := &s.nodes[i], s.facts.Node(i)
	if is.queued {
		return
	}
	planned := !n.Exists && i != nodegraph.Root
	decided := n.Stage == fact.StageEnded || n.Answer == fact.AnswerOmit || n.Answer == fact.AnswerSkip
	if planned && is.blocked > 0 && n.Counts && !decided && s.rules.Brief(i) == 0 {
		return
	}
	is.queued = true
	s.queue.push(i, rank(int(n.Depth), planned))
}

// wakeFactReaders marks who reads the fact of node i.
func (s *Schedule) wakeFactReaders(i nodegraph.Index) {
	n := s.facts.Node(i)
	s.touch(i)
	if !n.Alone && i != nodegraph.Root {
		s.touchMembers(i)
	}
	switch {
	case n.Kind == nodegraph.KindTaskGroup && n.SeenEnded:
		s.touch(n.Parent)
		s.wakeDependents(i, n, s.rules.Brief(i))
	case n.IsAttempt && s.rules.Brief(i).Fulfilled():
		s.touch(n.Parent)
	case n.Kind == nodegraph.KindStepGroup && (s.facts.HasDaemons || s.facts.HasHooks):
		s.wakePassed(i)
	}
}

// wakePassed marks the StepGroup before group i, and the steps in it: once group i was created, daemons do not hold the one before open,
// and no hook is due there. Before groups that a manual retry has left as they were, it may be another.
func (s *Schedule) wakePassed(i nodegraph.Index) {
	n := s.graph.Node(i)
	for k := n.DeclIndex - 1; k >= 0; k-- {
		before := s.graph.MemberAt(n.Parent, k)
		s.touch(before)
		s.touchMembers(before)
		if s.facts.Node(before).Stage != fact.StageEnded {
			return
		}
	}
}

// touchMembers marks what is directly inside node i.
func (s *Schedule) touchMembers(i nodegraph.Index) {
	for m := s.graph.First(i); m != nodegraph.None; m = s.graph.Next(m) {
		s.touch(m)
	}
}

// WakeVerdictReaders marks who reads the verdict on node i, which was old.
func (s *Schedule) WakeVerdictReaders(i nodegraph.Index, old, is rule.Brief) {
	if i == nodegraph.Root {
		return
	}
	n := s.facts.Node(i)
	s.wakeParent(n, old, is)
	if s.uses.failFast {
		s.wakeFailFast(i, n, is)
	}
	if p := n.Parent; s.facts.Node(p).Kind == nodegraph.KindTaskGroup && s.rules.Brief(p).Fulfilled() {
		s.touch(p)
		s.wakeDependentsOf(p)
	}
	if n.Hooked {
		s.wakeLaterSteps(i)
	}
	if s.uses.namedPhases && is.Phase() != old.Phase() {
		s.wakeNamers(i)
	}
	if s.uses.workflowStatus && i == nodegraph.Entry && is.Phase() != old.Phase() {
		s.WakeEverybody()
	}
	if n.IsHook {
		s.wakeOwner(i)
		return
	}
	s.wakeDependents(i, n, is)
}

// wakeOwner marks whoever has hook i, since the exit hook comes after the others, the items of a TaskGroup for which that is true, too,
// and what comes after the owner.
func (s *Schedule) wakeOwner(i nodegraph.Index) {
	owner, _ := s.graph.Owner(i)
	s.touch(owner)
	if s.facts.Node(owner).Kind == nodegraph.KindTaskGroup {
		s.touchMembers(owner)
	}
	s.wakeLaterSteps(owner)
	s.wakeDependentsOf(owner)
}

// wakeLaterSteps marks the steps after step i in its group that have hooks: those come after the hooks of i.
func (s *Schedule) wakeLaterSteps(i nodegraph.Index) {
	if s.facts.Node(s.facts.Node(i).Parent).Kind != nodegraph.KindStepGroup {
		return
	}
	for m := s.graph.Next(i); m != nodegraph.None; m = s.graph.Next(m) {
		if s.facts.Node(m).Hooked {
			s.touch(m)
		}
	}
}

// wakeParent counts what the new verdict on node n means to its parent, and marks the parent if that may change it.
func (s *Schedule) wakeParent(n *store.Node, old, is rule.Brief) {
	p := n.Parent
	if n.Counts {
		kind := s.facts.Node(p).Kind
		switch was, now := old.HoldsOpen(kind), is.HoldsOpen(kind); {
		case now && !was:
			s.nodes[p].open++
		case was && !now:
			s.nodes[p].open--
		}
	}
	s.wakeComposite(p)
}

// wakeComposite marks composite i, whose open members were counted anew, unless it stays open as it is. What only ends does not
// wait for members that were not created.
func (s *Schedule) wakeComposite(i nodegraph.Index) {
	if n := s.facts.Node(i); s.nodes[i].open == 0 || !s.counts(n.Kind) || s.rules.Brief(i).Rule() != rule.RuleMembersOpen || s.facts.HasClosing {
		s.touch(i)
	}
}

// counts reports whether a composite of this kind stays as it is while something inside it is open. A StepGroup does not wait for
// daemons once the next was created.
func (s *Schedule) counts(kind nodegraph.Kind) bool {
	return kind == nodegraph.KindDAG || kind == nodegraph.KindTaskGroup || kind == nodegraph.KindStepGroup && !s.facts.HasDaemons
}

// wakeDependentsOf is wakeDependents for a node whose own verdict may be as it was: a hook of it has changed, or an item.
func (s *Schedule) wakeDependentsOf(i nodegraph.Index) {
	s.wakeDependents(i, s.facts.Node(i), s.rules.Brief(i))
}

// wakeDependents looks again whether what comes after node i may go on, and marks what comes after it if that goes on, or no
// longer does.
func (s *Schedule) wakeDependents(i nodegraph.Index, n *store.Node, v rule.Brief) {
	if !n.IsTask {
		if n.Kind == nodegraph.KindStepGroup {
			s.wakeLaterGroups(i)
		}
		return
	}
	was, is := s.nodes[i].clear, s.rules.Clear(i, v)
	if !was && !is {
		return
	}
	s.nodes[i].clear = is
	plan, first := s.graph.PlanOf(n.Parent)
	dependents := plan.Dependents(int32(i - first))
	if was {
		s.block(first, dependents, is)
	} else {
		s.unblock(first, dependents)
	}
}

// wakeLaterGroups marks the first StepGroup after group i that is planned.
func (s *Schedule) wakeLaterGroups(i nodegraph.Index) {
	for next := s.graph.Next(i); next != nodegraph.None; next = s.graph.Next(next) {
		if n := s.facts.Node(next); n.Kind == nodegraph.KindStepGroup && !n.Exists {
			s.touch(next)
			return
		}
	}
}

// block tells tasks that one they come after is not clear any more, or is another than it was. They are given by their
// places after the first member.
func (s *Schedule) block(first nodegraph.Index, places []int32, clear bool) {
	for _, place := range places {
		i := first + nodegraph.Index(place)
		d := &s.nodes[i]
		most := int32(0)
		if !clear {
			d.blocked++
			most = 1
		}
		if d.blocked <= most && !s.facts.Node(i).Exists {
			s.touch(i)
		}
	}
}

// unblock tells tasks that one more they come after is clear, and marks those that go on.
func (s *Schedule) unblock(first nodegraph.Index, places []int32) {
	for _, place := range places {
		i := first + nodegraph.Index(place)
		d := &s.nodes[i]
		if d.blocked--; d.blocked == 0 && !s.facts.Node(i).Exists {
			s.touch(i)
		}
	}
}

// wakeFailFast counts node n, on which the verdict is new, in its boundary, and marks that if it fails fast and may fail now.
// What is around a boundary that a manual retry opened again looks at all that is inside it.
func (s *Schedule) wakeFailFast(i nodegraph.Index, n *store.Node, is rule.Brief) {
	within := true
	for p := n.Parent; p > nodegraph.Root; p = s.facts.Node(p).Parent {
		at := s.facts.Node(p)
		if at.Kind != nodegraph.KindDAG && at.Kind != nodegraph.KindSteps {
			continue
		}
		if s.graph.Node(p).Template.FailFast {
			before := s.mayFailFast(p)
			if within {
				s.countFailFast(&s.fast[p], i, n, is)
			}
			if before || s.mayFailFast(p) {
				s.touch(p)
			}
		}
		if !at.Reopened {
			return
		}
		within = false
	}
}

// wakeNamers marks all that comes after task or step i and is more than planned: a daemon has ended, or a newer run has
// undone its end, and the expressions of their hooks may name it.
func (s *Schedule) wakeNamers(i nodegraph.Index) {
	switch s.graph.Node(i).Role {
	case nodegraph.RoleTask:
	case nodegraph.RoleStep:
		i = s.facts.Node(i).Parent
	default:
		return
	}
	seen := make(map[nodegraph.Index]bool)
	for list := []nodegraph.Index{i}; len(list) > 0; list = list[1:] {
		for next := range s.graph.Dependents(list[0]) {
			if seen[next] || s.rules.Brief(next).Phase() == nodegraph.PhasePlanned {
				continue
			}
			seen[next] = true
			list = append(list, next)
			s.touch(next)
			s.touchMembers(next) // items and steps
		}
	}
}

// wakeAdded marks node i, which was added, its parent and, of a hook, the owner.
func (s *Schedule) wakeAdded(i nodegraph.Index, n *store.Node) {
	s.facts.Note(i)
	if i == nodegraph.Root {
		return
	}
	s.wakeComposite(n.Parent)
	if n.IsHook {
		owner, _ := s.graph.Owner(i)
		s.touch(owner)
		s.wakeLaterSteps(owner)
	}
}

// WakeEverybody marks all nodes, and looks again at what comes after each that has ended: what everybody reads has changed.
func (s *Schedule) WakeEverybody() {
	for i := range nodegraph.Index(len(s.nodes)) {
		s.touch(i)
		if s.rules.Brief(i).Fulfilled() {
			s.wakeDependentsOf(i)
		}
	}
}

// WakeInside marks all that is inside node i, which was seen to have ended, or goes on after that.
func (s *Schedule) WakeInside(i nodegraph.Index) {
	for m := s.graph.First(i); m != nodegraph.None; m = s.graph.Next(m) {
		s.touch(m)
		s.WakeInside(m)
	}
}

// WakeStart marks the workflow, which has started, and its entry node.
func (s *Schedule) WakeStart() {
	s.touch(nodegraph.Root)
	s.touch(nodegraph.Entry)
}

// WakeTimer marks node i, whose timer has run out.
func (s *Schedule) WakeTimer(i nodegraph.Index) { s.touch(i) }
