package propagate

import (
	"cmp"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// countActive keeps the number of pods that count against the workflow's parallelism.
func (s *starts) countActive(old, is rule.Brief) {
	switch was, now := countsAsActive(old), countsAsActive(is); {
	case now && !was:
		s.active++
	case was && !now:
		s.active--
	}
}

// releaseScratch gives back what a large call needed.
func (s *starts) releaseScratch() {
	s.candidates = candidates{}
	if len(s.wanted) == 0 {
		s.wanted = nil
	}
	if len(s.later) == 0 {
		s.later = nil
	}
}

// nothingToStart reports whether nothing wants to start, or nothing has changed since that was looked at.
func (e *Engine) nothingToStart() bool {
	return len(e.starts.wanted) == 0 && (len(e.starts.later) == 0 || e.starts.lookedAt == e.sched.Generation())
}

// startWanted starts what the verdicts ask for, in the order in which Argo would: depth first, so that what starts
// inside a node comes before the node's later siblings. Locks, parallelism and suspension may hold a start back; it
// stays wanted. It reports whether anything was started, or may start now.
func (e *Engine) startWanted() bool {
	if e.nothingToStart() {
		return false
	}
	started := false
	s := &e.starts
	s.lookedAt = e.sched.Generation()
	e.takeWanted()
	s.candidates.add(s.later) // they were held back in StartOrder
	s.later = s.later[:0]
	for i, ok := s.candidates.next(e.StartOrder); ok; i, ok = s.candidates.next(e.StartOrder) {
		v := e.rules.Brief(i)
		switch {
		case !v.Wants(), e.rules.WithinEnded(i), e.rules.WithinClosing(i): // what is inside of something that has ended never starts
			e.abandon(i)
		case e.startOne(i, v):
			started = true
			e.sweep(int(e.facts.Node(i).Depth))
		case v.WantsStart() || v.WantsAttempt():
			s.later = append(s.later, i)
		}
		e.takeWanted()
	}
	if started {
		s.lookAgain() // what was held back before that may go on now
	}
	return started || s.lookedAt < 0 && len(s.later) > 0 // a place was given up that one which was held back may have
}

// manyStarts is how many nodes may start before room is made for all of their actions at once.
const manyStarts = 16

// takeWanted moves the wanted nodes into a run of their own.
func (e *Engine) takeWanted() {
	s := &e.starts
	if len(s.wanted) > 1 {
		slices.SortFunc(s.wanted, e.StartOrder)
	}
	if len(s.wanted) > manyStarts {
		e.out.result.Actions = slices.Grow(e.out.result.Actions, len(s.wanted))
	}
	s.candidates.add(s.wanted)
	s.wanted = s.wanted[:0]
}

// add adds nodes in StartOrder as a run of their own.
func (c *candidates) add(nodes []nodegraph.Index) {
	if len(nodes) == 0 {
		return
	}
	from := len(c.nodes)
	c.nodes = append(c.nodes, nodes...)
	c.runs = append(c.runs, startRun{from, len(c.nodes)})
}

// next removes the first node in the order.
func (c *candidates) next(order func(a, b nodegraph.Index) int) (nodegraph.Index, bool) {
	for len(c.runs) > 0 && c.runs[len(c.runs)-1].head == c.runs[len(c.runs)-1].end {
		c.runs = c.runs[:len(c.runs)-1]
	}
	if len(c.runs) == 0 {
		c.nodes = c.nodes[:0]
		return nodegraph.None, false
	}
	c.nodes = c.nodes[:c.runs[len(c.runs)-1].end]
	best := len(c.runs) - 1
	for k := best - 1; k >= 0; k-- {
		if r := &c.runs[k]; r.head < r.end && order(c.nodes[r.head], c.nodes[c.runs[best].head]) < 0 {
			best = k
		}
	}
	i := c.nodes[c.runs[best].head]
	c.runs[best].head++
	return i, true
}

// abandonStarts gives up on all that wants to start: the workflow is complete.
func (e *Engine) abandonStarts() {
	for _, list := range [...][]nodegraph.Index{e.starts.wanted, e.starts.later} {
		for _, i := range list {
			e.abandon(i)
		}
	}
	e.starts.wanted, e.starts.later = nil, nil
}

// startOne does what one verdict asks for. It reports whether anything was started.
func (e *Engine) startOne(i nodegraph.Index, v rule.Brief) bool {
	started := false
	if v.WantsAnswer() {
		e.ask(i)
	}
	if v.WantsHook() {
		started = e.addHooks(i)
	}
	if (v.WantsStart() || v.WantsAttempt()) && e.admit(i, v) {
		e.start(i, v)
		started = true
	}
	return started
}

// StartOrder orders nodes by where they stand in the workflow, which is the order in which they start. Tasks come as
// Argo visits them, hooks as their owners and after all else beside them, others as declared. It is negative where a comes
// before b.
func (e *Engine) StartOrder(a, b nodegraph.Index) int {
	up := func(i nodegraph.Index) nodegraph.Index { return e.facts.Node(i).Parent }
	depth := func(i nodegraph.Index) int { return int(e.facts.Node(i).Depth) }
	x, y := a, b
	for depth(x) > depth(y) {
		x = up(x)
	}
	for depth(y) > depth(x) {
		y = up(y)
	}
	if x == y { // the same, or one inside the other
		return depth(a) - depth(b)
	}
	for up(x) != up(y) {
		x, y = up(x), up(y)
	}
	if e.facts.Node(x).IsTask && e.facts.Node(y).IsTask {
		plan, first := e.graph.PlanOf(up(x))
		return cmp.Or(plan.VisitOrder(int32(x-first))-plan.VisitOrder(int32(y-first)), int(x-y))
	}
	if e.facts.HasHooks && e.graph.Node(x).Role == nodegraph.RoleHook && e.graph.Node(y).Role == nodegraph.RoleHook {
		return e.hookOrder(x, y)
	}
	return int(x - y)
}

// hookOrder is StartOrder for two hooks beside each other. When they came to be does not matter, which a record does not tell.
// The exit hook of a TaskGroup comes after those of its items, and its others before (Argo: executeDAGTask).
func (e *Engine) hookOrder(a, b nodegraph.Index) int {
	ofA, hookA := e.graph.Owner(a)
	ofB, hookB := e.graph.Owner(b)
	switch {
	case ofA == ofB:
		return int(a - b)
	case e.facts.Node(ofB).Parent == ofA && hookA.Name == nodegraph.ExitHook:
		return 1
	case e.facts.Node(ofA).Parent == ofB && hookB.Name == nodegraph.ExitHook:
		return -1
	}
	return e.StartOrder(ofA, ofB)
}

// beginWorkflow starts the workflow, which has not started, after its locks.
func (e *Engine) beginWorkflow() {
	lock := e.facts.Node(nodegraph.Root).Lock
	if lock == fact.LockAsked || lock == fact.LockWaits {
		return
	}
	if len(e.graph.Spec().Locks) > 0 && lock == fact.LockNone {
		e.facts.SetLock(nodegraph.Root, fact.LockAsked)
		e.tellAcquire(nodegraph.Root)
		return
	}
	e.facts.SetStarted(e.facts.Now)
	if d := e.rules.Deadline(); !d.IsZero() {
		e.sched.SetTimer(store.StampOf(d), nodegraph.Root)
	}
	e.sched.WakeStart()
}

// abandon gives up on starting node i: it keeps neither a place nor a lock.
func (e *Engine) abandon(i nodegraph.Index) {
	e.starts.forget(i)
	if !e.facts.Node(i).Exists {
		e.releaseLocks(i)
	}
}

// countsAsActive reports whether a pod with this verdict takes a place under the workflow's parallelism: it is Pending or Running
// and does not wait for a lock.
func countsAsActive(v rule.Brief) bool {
	return (v.Phase() == nodegraph.PhasePending || v.Phase() == nodegraph.PhaseRunning) && v.Rule() != rule.RuleLockWait
}
