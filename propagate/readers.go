package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// Who is judged again when something changes. All marks for evaluation are made in this file.
//
//	what changes                            who reads it
//	the fact of a node                      the node; what is directly inside it, since a container reads its pod's fact and a
//	                                        planned node whether its parent exists
//	  of a TaskGroup                        also its parent and what comes after it: the group may be seen to have ended
//	  of an attempt that has ended          also its Retry: why an attempt ended may be learned later than that it did
//	the verdict of a member                 Workflow, Steps and Retry at any change; DAG, StepGroup and TaskGroup once nothing
//	                                        inside them is open, or where that is not why they run
//	  where a template fails fast           also the StepGroup and the boundary around it
//	the verdict of a task, or a hook of it  a task after it once all that it comes after is clear, or if one that was clear changes
//	the verdict of a StepGroup              the StepGroup after it, while that is planned
//	the verdict of an item                  what comes after its TaskGroup, if that has ended: a daemon among the items may end
//	the phase of a task or step             what comes after it, where the expressions of hooks may name it
//	a node is added                         the node, its parent and, of a hook, the owner
//	the phase of the entry node             everybody, where the expressions of hooks refer to workflow.status
//	the status before the call              everybody, where they do
//	the workflow starts                     the workflow and its entry node
//	a timer runs out                        the node
//	a shutdown, the deadline                everybody

// touch marks node i for evaluation. A planned task that something holds back is what it is.
func (e *Engine) touch(i nodegraph.Index) { e.touchNode(i, &e.facts.nodes[i]) }

// touchNode is touch where the record of the node is at hand.
func (e *Engine) touchNode(i nodegraph.Index, n *node) {
	if n.marks&markQueued != 0 {
		return
	}
	planned := !n.exists && i != nodegraph.Root
	if planned && n.blocked > 0 && n.Answer != AnswerOmit && n.Stage != StageEnded && e.eval.verdicts[i] == 0 {
		return
	}
	n.marks |= markQueued
	e.sched.queue.push(i, rank(int(n.depth), planned))
}

// wakeFactReaders marks who reads the facts that have changed.
func (e *Engine) wakeFactReaders() {
	for _, i := range e.facts.written {
		n := &e.facts.nodes[i]
		n.marks &^= markWritten
		e.touchNode(i, n)
		if n.traits&traitAlone == 0 && i != nodegraph.Root {
			for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
				e.touch(m)
			}
		}
		switch {
		case n.kind == nodegraph.TaskGroup && n.Seen:
			e.touch(n.parent)
			e.wakeDependents(i, n, e.eval.verdicts[i])
		case n.traits&traitAttempt != 0 && e.eval.verdicts[i].fulfilled():
			e.touch(n.parent)
		}
	}
	e.facts.written = e.facts.written[:0]
}

// wakeVerdictReaders marks who reads the verdict on node i, which was old.
func (e *Engine) wakeVerdictReaders(i nodegraph.Index, n *node, old, is verdict) {
	if i == nodegraph.Root {
		return
	}
	e.wakeParent(i, n, old, is)
	if e.uses.failFast {
		e.wakeFailFast(n)
	}
	if e.facts.daemons && e.facts.nodes[n.parent].kind == nodegraph.TaskGroup && e.eval.verdicts[n.parent].fulfilled() {
		e.wakeDependentsOf(n.parent)
	}
	if e.uses.namedPhases && is.phase() != old.phase() {
		e.wakeNamers(i)
	}
	if e.uses.workflowStatus && i == nodegraph.Entry && is.phase() != old.phase() {
		e.wakeEverybody()
	}
	if n.traits&traitHook != 0 {
		owner, _ := e.graph.Owner(i)
		e.wakeDependentsOf(owner)
		return
	}
	e.wakeDependents(i, n, is)
}

// countedKinds are the kinds of what stays as it is while something inside it is open.
const countedKinds kinds = 1<<nodegraph.DAG | 1<<nodegraph.StepGroup | 1<<nodegraph.TaskGroup

// wakeParent counts what the new verdict on node i means to its parent, and marks the parent if that may change it.
func (e *Engine) wakeParent(i nodegraph.Index, n *node, old, is verdict) {
	p := &e.facts.nodes[n.parent]
	if n.traits&traitCounts != 0 {
		switch was, now := holdsOpen(p.kind, old), holdsOpen(p.kind, is); {
		case now && !was:
			p.open++
		case was && !now:
			p.open--
		}
	}
	e.wakeComposite(n.parent)
}

// wakeComposite marks composite i, whose open members were counted anew, unless it stays open as it is. What only ends does not
// wait for members that were not created.
func (e *Engine) wakeComposite(i nodegraph.Index) {
	if n := &e.facts.nodes[i]; n.open == 0 || !countedKinds.has(n.kind) || e.eval.verdicts[i].rule() != RuleMembersOpen || e.facts.closing {
		e.touchNode(i, n)
	}
}

// wakeDependentsOf is wakeDependents for a node whose own verdict may be as it was: a hook of it has changed, or an item.
func (e *Engine) wakeDependentsOf(i nodegraph.Index) {
	e.wakeDependents(i, &e.facts.nodes[i], e.eval.verdicts[i])
}

// wakeDependents looks again whether what comes after node i may go on, and marks what comes after it if that goes on, or no
// longer does.
func (e *Engine) wakeDependents(i nodegraph.Index, n *node, v verdict) {
	if n.traits&traitTask == 0 {
		if n.kind == nodegraph.StepGroup {
			for next := range e.graph.Before(i) {
				if !e.facts.nodes[next].exists {
					e.touch(next)
				}
			}
		}
		return
	}
	was, is := n.marks&markClear != 0, e.eval.clear(i, n, v)
	if !was && !is {
		return
	}
	plan, first := e.graph.Planned(n.parent)
	dependents := plan.Dependents(int32(i - first))
	if was {
		e.block(first, dependents, is)
	} else {
		e.unblock(first, dependents)
	}
	n.marks &^= markClear
	if is {
		n.marks |= markClear
	}
}

// block tells tasks that one they come after is not clear any more, or is another than it was. They are given by their
// places after the first member.
func (e *Engine) block(first nodegraph.Index, places []int32, clear bool) {
	for _, place := range places {
		i := first + nodegraph.Index(place)
		d := &e.facts.nodes[i]
		most := int32(0)
		if !clear {
			d.blocked++
			most = 1
		}
		if d.blocked <= most && !d.exists {
			e.touch(i)
		}
	}
}

// unblock tells tasks that one more they come after is clear, and marks those that go on.
func (e *Engine) unblock(first nodegraph.Index, places []int32) {
	for _, place := range places {
		i := first + nodegraph.Index(place)
		d := &e.facts.nodes[i]
		if d.blocked--; d.blocked == 0 && !d.exists {
			e.touch(i)
		}
	}
}

// wakeFailFast marks the boundary of node n, and the StepGroup that n is in, where the boundary counts failures.
func (e *Engine) wakeFailFast(n *node) {
	for p := n.parent; p > nodegraph.Root; p = e.facts.nodes[p].parent {
		switch e.facts.nodes[p].kind {
		case nodegraph.StepGroup:
			e.touch(p)
		case nodegraph.DAG, nodegraph.Steps:
			if e.graph.Node(p).Template.FailFast {
				e.touch(p)
			}
			return
		}
	}
}

// wakeNamers marks all that comes after task or step i and is more than planned: a daemon has ended, or a newer run has
// undone its end, and the expressions of their hooks may name it.
func (e *Engine) wakeNamers(i nodegraph.Index) {
	switch e.graph.Node(i).Role {
	case nodegraph.RoleTask:
	case nodegraph.RoleStep:
		i = e.facts.nodes[i].parent
	default:
		return
	}
	seen := make(map[nodegraph.Index]bool)
	for list := []nodegraph.Index{i}; len(list) > 0; list = list[1:] {
		for next := range e.graph.Before(list[0]) {
			if seen[next] || e.eval.verdicts[next].phase() == nodegraph.Planned {
				continue
			}
			seen[next] = true
			list = append(list, next)
			e.touch(next)
			for m := e.graph.First(next); m != nodegraph.None; m = e.graph.Next(m) { // items and steps
				e.touch(m)
			}
		}
	}
}

// wakeAdded marks node i, which was added, its parent and, of a hook, the owner.
func (e *Engine) wakeAdded(i nodegraph.Index, n *node) {
	e.facts.note(i)
	if i == nodegraph.Root {
		return
	}
	e.wakeComposite(n.parent)
	if n.traits&traitHook != 0 {
		owner, _ := e.graph.Owner(i)
		e.touch(owner)
	}
}

// wakeEverybody marks all nodes, and looks again at what comes after each that has ended: what everybody reads has changed.
func (e *Engine) wakeEverybody() {
	for i := range nodegraph.Index(e.graph.Len()) {
		e.touch(i)
		if e.eval.verdicts[i].fulfilled() {
			e.wakeDependentsOf(i)
		}
	}
}

// wakeStart marks the workflow, which has started, and its entry node.
func (e *Engine) wakeStart() {
	e.touch(nodegraph.Root)
	e.touch(nodegraph.Entry)
}

// wakeTimer marks node i, whose timer has run out.
func (e *Engine) wakeTimer(i nodegraph.Index) { e.touch(i) }
