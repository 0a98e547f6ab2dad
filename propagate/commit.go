package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

// commit marks what reads the verdict on node i, which looks different now.
func (e *Engine) commit(i nodegraph.Index, n *node, old, is verdict) {
	if n.kind == nodegraph.Pod {
		e.countActive(n, (is.phase() == nodegraph.Pending || is.phase() == nodegraph.Running) && is.rule() != RuleLockWait)
	}
	if is.want()&^wantWithin != 0 {
		e.wanted = append(e.wanted, i)
	}
	switch {
	case (is^old)&(verdictPhase|verdictFulfilled) == 0:
	case is.fulfilled() && !is.daemoned():
		e.ended(i, n)
	case old.fulfilled() && !is.fulfilled():
		e.resumed(i, n)
	}
	if i == nodegraph.Root {
		return
	}
	if e.daemons {
		e.afterDaemons(i, old, is)
	}
	if e.named && is.phase() != old.phase() {
		e.touchAfter(i)
	}
	e.tellParent(i, n, old, is)
	if n.traits&traitHook != 0 {
		owner, _ := e.g.Owner(i)
		e.reclear(owner) // what comes after that waits for its hooks
		return
	}
	e.reclearNode(i, n, is)
}

// afterDaemons takes care that a TaskGroup which is done is read again, and so is every DAG around, which may look deep into
// others for the branches of its targets.
func (e *Engine) afterDaemons(i nodegraph.Index, old, is verdict) {
	if old.daemoned() && !is.daemoned() {
		for p := e.nodes[i].parent; p != nodegraph.None; p = e.nodes[p].parent {
			e.touch(p)
		}
	}
	if p := e.nodes[i].parent; e.nodes[p].kind == nodegraph.TaskGroup && e.verdicts[p].fulfilled() {
		e.reclear(p)
	}
}

// touchAfter marks all that comes after task or step i and is more than planned: a daemon has ended, or a newer run has
// undone its end, and the expressions of their hooks may name it.
func (e *Engine) touchAfter(i nodegraph.Index) {
	switch e.g.Node(i).Role {
	case nodegraph.RoleTask:
	case nodegraph.RoleStep:
		i = e.nodes[i].parent
	default:
		return
	}
	seen := make(map[nodegraph.Index]bool)
	for list := []nodegraph.Index{i}; len(list) > 0; list = list[1:] {
		for next := range e.g.Before(list[0]) {
			if seen[next] || e.verdicts[next].phase() == nodegraph.Planned {
				continue
			}
			seen[next] = true
			list = append(list, next)
			e.touch(next)
			for m := e.g.First(next); m != nodegraph.None; m = e.g.Next(m) { // items and steps
				e.touch(m)
			}
		}
	}
}

// patient are the kinds of what stays as it is while it has open members.
const patient kinds = 1<<nodegraph.DAG | 1<<nodegraph.StepGroup | 1<<nodegraph.TaskGroup

// tellParent counts what node i's new verdict means to its parent, and marks the parent if that may change it: a
// composite that stays open because of other members does not.
func (e *Engine) tellParent(i nodegraph.Index, n *node, old, is verdict) {
	p := &e.nodes[n.parent]
	if e.failFast {
		e.touchFailFast(i)
	}
	if n.traits&traitCounts != 0 {
		switch was, now := holdsOpen(p.kind, old), holdsOpen(p.kind, is); {
		case now && !was:
			p.open++
		case was && !now:
			p.open--
		}
	}
	e.tellOpen(n.parent)
}

// tellOpen marks composite i, whose open members were counted anew, unless it stays open as it is.
func (e *Engine) tellOpen(i nodegraph.Index) {
	if n := &e.nodes[i]; n.open == 0 || !patient.has(n.kind) || e.verdicts[i].rule() != RuleMembersOpen {
		e.touchNode(i, n)
	}
}

// reclear looks again whether what comes after node i may go on, and marks what comes after it if it goes on, or no longer
// does.
func (e *Engine) reclear(i nodegraph.Index) { e.reclearNode(i, &e.nodes[i], e.verdicts[i]) }

// reclearNode is reclear where the record of the node and its verdict are at hand.
func (e *Engine) reclearNode(i nodegraph.Index, n *node, v verdict) {
	if n.traits&traitTask == 0 {
		if n.kind == nodegraph.StepGroup {
			for next := range e.g.Before(i) {
				if !e.nodes[next].exists {
					e.touch(next)
				}
			}
		}
		return
	}
	was, is := n.marks&markClear != 0, e.clear(i, n, v)
	if !was && !is {
		return
	}
	plan, first := e.g.Planned(n.parent)
	dependents := plan.Dependents(int32(i - first))
	if was {
		e.holdBack(first, dependents, is)
	} else {
		e.letGo(first, dependents)
	}
	n.marks &^= markClear
	if is {
		n.marks |= markClear
	}
}

// holdBack tells tasks that one they come after is not clear any more, or is another than it was. They are given by their
// places after the first member.
func (e *Engine) holdBack(first nodegraph.Index, places []int32, clear bool) {
	for _, place := range places {
		i := first + nodegraph.Index(place)
		d := &e.nodes[i]
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

// letGo tells tasks that one more they come after is clear, and marks those that go on.
func (e *Engine) letGo(first nodegraph.Index, places []int32) {
	for _, place := range places {
		i := first + nodegraph.Index(place)
		d := &e.nodes[i]
		if d.blocked--; d.blocked == 0 && !d.exists {
			e.touch(i)
		}
	}
}

// touchFailFast marks the boundary of node i, and the StepGroup it is in, where the boundary counts failures.
func (e *Engine) touchFailFast(i nodegraph.Index) {
	for p := e.g.Node(i).Parent; p > nodegraph.Root; p = e.g.Node(p).Parent {
		switch e.g.Node(p).Kind {
		case nodegraph.StepGroup:
			e.touch(p)
		case nodegraph.DAG, nodegraph.Steps:
			if e.g.Node(p).Template.FailFast {
				e.touch(p)
			}
			return
		}
	}
}

// boundaries are the kinds of what others are started and ended in.
const boundaries kinds = 1<<nodegraph.DAG | 1<<nodegraph.Steps | 1<<nodegraph.Workflow

// ended does what follows from a node's having ended.
func (e *Engine) ended(i nodegraph.Index, n *node) {
	e.forget(i)
	e.setFinished(i, e.instant)
	if n.kind == nodegraph.TaskGroup {
		e.awaitHook(i)
	}
	if boundaries.has(n.kind) || n.Lock != LockNone || e.daemons && e.verdicts[i].rule() == RuleOmitted {
		e.unseen.push(i)
	}
}

// resumed does what follows from a node's being unfinished again.
func (e *Engine) resumed(i nodegraph.Index, n *node) {
	if !n.kind.Composite() {
		if n.Stage < StageGone {
			e.clearFinished(i)
		}
		return
	}
	e.clearFinished(i)
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		if e.verdicts[m].want() != 0 { // given up when this node ended
			e.wanted = append(e.wanted, m)
		}
		if e.verdicts[m].fulfilled() {
			e.awaitHook(m) // so was that
		}
	}
}

// awaitHook makes sure that TaskGroup i, which has ended, is looked at with the next call: its exit hook starts then.
func (e *Engine) awaitHook(i nodegraph.Index) {
	if n := &e.nodes[i]; n.kind == nodegraph.TaskGroup && n.traits&traitHooked != 0 && !n.Seen {
		e.timers.add(e.instant, i)
	}
}

// forget frees the place that was kept for node i while the host was asked about it.
func (e *Engine) forget(i nodegraph.Index) {
	if len(e.asked) > 0 {
		e.forgetAsked(i)
	}
}

func (e *Engine) forgetAsked(i nodegraph.Index) {
	if _, kept := e.asked[i]; kept {
		delete(e.asked, i)
		e.tried = -1 // another may have the place
	}
}

// releaseLocks gives back what node i holds.
func (e *Engine) releaseLocks(i nodegraph.Index) {
	if e.nodes[i].Lock != LockNone {
		e.giveBackLocks(i)
	}
}

func (e *Engine) giveBackLocks(i nodegraph.Index) {
	e.setLock(i, LockNone)
	n := e.g.Node(i)
	e.act(Action{Type: ActionRelease, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: e.locksOf(i)})
}

// locksOf returns the locks that node i holds while it is unfinished. Groups hold none, their members do; the attempts
// of a Retry run under the locks of the Retry.
func (w *inputs) locksOf(i nodegraph.Index) []nodegraph.Lock {
	n := w.g.Node(i)
	switch {
	case i == nodegraph.Root:
		return w.g.Spec().Locks
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.TaskGroup, n.Kind == nodegraph.StepGroup, n.Kind == nodegraph.Container:
		return nil
	}
	return n.Template.Locks
}
