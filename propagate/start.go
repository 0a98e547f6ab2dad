package propagate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// startWanted starts what the verdicts ask for, in the order in which Argo would: depth first, so that what starts
// inside a node comes before the node's later siblings. Locks, parallelism and suspension may hold a start back; it
// stays wanted. startWanted tells whether anything was started.
func (e *Engine) startWanted() bool {
	if len(e.waiting.wanted) == 0 && (len(e.waiting.later) == 0 || e.waiting.triedAt == e.sched.generation) {
		return false // nothing waits, or nothing has changed since the last look
	}
	started := false
	e.waiting.triedAt = e.sched.generation
	e.waiting.starts.take(e)
	e.waiting.starts.add(e.waiting.later, e) // they were held back in StartOrder
	e.waiting.later = e.waiting.later[:0]
	for i, ok := e.waiting.starts.next(e); ok; i, ok = e.waiting.starts.next(e) {
		w := e.eval.verdicts[i].want()
		switch {
		case w == 0, e.eval.withinEnded(i), e.eval.withinClosing(i): // what is inside of something that has ended never starts
			e.abandon(i)
		case e.startOne(i, w):
			started = true
			e.sweep(int(e.facts.nodes[i].depth))
		case w&(wantStart|wantAttempt) != 0:
			e.waiting.later = append(e.waiting.later, i)
		}
		e.waiting.starts.take(e)
	}
	if started {
		e.waiting.triedAt = -1 // what was held back before that may go on now
	}
	return started || e.waiting.triedAt < 0 && len(e.waiting.later) > 0 // a place was given up that one which was held back may have
}

// starts holds nodes that may start, in runs each of which is in StartOrder. What starts inside a node makes a run that
// is used up before those below it go on, so few runs are open at a time.
type starts struct {
	nodes []nodegraph.Index
	runs  []startRun
}

// startRun is a part of starts.nodes.
type startRun struct{ head, end int }

// take moves the wanted nodes into a run of their own.
func (s *starts) take(e *Engine) {
	if len(e.waiting.wanted) > 1 {
		slices.SortFunc(e.waiting.wanted, e.StartOrder)
	}
	s.add(e.waiting.wanted, e)
	e.waiting.wanted = e.waiting.wanted[:0]
}

// manyStarts is how many nodes may start before room is made for all of their actions at once.
const manyStarts = 16

// add adds nodes in StartOrder as a run of their own.
func (s *starts) add(nodes []nodegraph.Index, e *Engine) {
	if len(nodes) == 0 {
		return
	}
	if len(nodes) > manyStarts {
		e.out.result.Actions = slices.Grow(e.out.result.Actions, len(nodes))
	}
	from := len(s.nodes)
	s.nodes = append(s.nodes, nodes...)
	s.runs = append(s.runs, startRun{from, len(s.nodes)})
}

// next removes the first node in StartOrder.
func (s *starts) next(e *Engine) (nodegraph.Index, bool) {
	for len(s.runs) > 0 && s.runs[len(s.runs)-1].head == s.runs[len(s.runs)-1].end {
		s.runs = s.runs[:len(s.runs)-1]
	}
	if len(s.runs) == 0 {
		s.nodes = s.nodes[:0]
		return nodegraph.None, false
	}
	s.nodes = s.nodes[:s.runs[len(s.runs)-1].end]
	best := len(s.runs) - 1
	for k := best - 1; k >= 0; k-- {
		if r := &s.runs[k]; r.head < r.end && e.StartOrder(s.nodes[r.head], s.nodes[s.runs[best].head]) < 0 {
			best = k
		}
	}
	i := s.nodes[s.runs[best].head]
	s.runs[best].head++
	return i, true
}

// abandonStarts gives up on all that wants to start: the workflow is complete.
func (e *Engine) abandonStarts() {
	for _, list := range [...][]nodegraph.Index{e.waiting.wanted, e.waiting.later} {
		for _, i := range list {
			e.abandon(i)
		}
	}
	e.waiting.wanted, e.waiting.later = nil, nil
}

// abandon gives up on starting node i: it keeps neither a place nor a lock.
func (e *Engine) abandon(i nodegraph.Index) {
	e.forget(i)
	if !e.facts.nodes[i].created() {
		e.releaseLocks(i)
	}
}

// startOne does what one verdict asks for. It tells whether anything was started.
func (e *Engine) startOne(i nodegraph.Index, w want) bool {
	started := false
	if w&wantAnswer != 0 {
		e.ask(i)
	}
	if w&wantHook != 0 {
		started = e.addHooks(i)
	}
	if w&(wantStart|wantAttempt) != 0 && e.admit(i, w) {
		e.start(i, w)
		started = true
	}
	return started
}

// StartOrder orders nodes by where they stand in the workflow, which is the order in which they start: tasks as
// Argo visits them, others as declared. It is negative where a comes before b.
func (e *Engine) StartOrder(a, b nodegraph.Index) int {
	x, y := a, b
	for e.facts.nodes[x].depth > e.facts.nodes[y].depth {
		x = e.facts.nodes[x].parent
	}
	for e.facts.nodes[y].depth > e.facts.nodes[x].depth {
		y = e.facts.nodes[y].parent
	}
	if x == y { // the same, or one inside the other
		return int(e.facts.nodes[a].depth) - int(e.facts.nodes[b].depth)
	}
	for e.facts.nodes[x].parent != e.facts.nodes[y].parent {
		x, y = e.facts.nodes[x].parent, e.facts.nodes[y].parent
	}
	if e.facts.nodes[x].traits&e.facts.nodes[y].traits&traitTask != 0 {
		plan, first := e.graph.Planned(e.facts.nodes[x].parent)
		return cmp.Or(plan.Visit(int32(x-first))-plan.Visit(int32(y-first)), int(x-y))
	}
	return int(x - y)
}

// admit tells whether node i may start now: the workflow is not held, its locks are granted, its memoization key was
// looked up, and no limit of parallelism is reached.
func (e *Engine) admit(i nodegraph.Index, w want) bool {
	n := e.graph.Node(i)
	if e.facts.held || e.facts.started.IsZero() {
		return false
	}
	if n.Kind == nodegraph.StepGroup || n.Kind == nodegraph.TaskGroup {
		return true
	}
	if !e.parallelismAllows(i, w) {
		return false
	}
	if w&wantAttempt != 0 {
		return true // the Retry exists: it has its locks, and nobody is asked about it any more
	}
	f := &e.facts.nodes[i]
	if locks := e.eval.locksOf(i); len(locks) > 0 && f.Lock != LockHeld {
		if f.Lock == LockNone {
			e.facts.setLock(i, LockAsked)
			e.waiting.asked[i] = struct{}{}
			e.act(Action{Type: ActionAcquire, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Locks: locks})
		}
		return false
	}
	return n.Template.Memoize == "" || e.lookedUp(i, n.Template.Memoize)
}

// parallelismAllows checks the workflow's limit on active pods and the boundary's on active members (Argo:
// checkParallelism). The boundary's holds back a Retry as a whole, not its later attempts; where the boundary fails fast
// only a Retry with a lock makes more of them, because what still runs there may be waiting for that lock.
func (e *Engine) parallelismAllows(i nodegraph.Index, w want) bool {
	if !e.uses.limits {
		return true
	}
	b := e.graph.Boundary(i)
	places, near := 0, 0 // kept for others that the host was asked about
	for m := range e.waiting.asked {
		if m != i {
			places++
			if e.graph.Boundary(m) == b {
				near++
			}
		}
	}
	if p := e.graph.Spec().Parallelism; p > 0 && e.waiting.active+places >= p {
		return false
	}
	if b == nodegraph.None {
		return true
	}
	t := e.graph.Node(b).Template
	if w&wantAttempt != 0 && (!t.FailFast || e.facts.nodes[i].Lock == LockHeld) {
		return true
	}
	if t.Parallelism <= 0 && !t.FailFast {
		return true
	}
	c := e.countIn(b)
	if t.FailFast && c.failed != nodegraph.None {
		e.abandon(i) // it never starts, and what still runs may want its lock
		return false
	}
	return t.Parallelism <= 0 || c.active+near < t.Parallelism
}

// countIn is the census of a boundary. It is taken once for all that wait there, until something is evaluated anew.
func (e *Engine) countIn(boundary nodegraph.Index) census {
	if e.waiting.census.boundary != boundary || e.waiting.census.when != e.sched.generation {
		e.waiting.census = countedCensus{boundary: boundary, when: e.sched.generation, census: e.eval.census(boundary)}
	}
	return e.waiting.census.census
}

// countedCensus is a census and what it was taken of.
type countedCensus struct {
	census
	boundary nodegraph.Index
	when     int // how much had been judged
}

// countActive keeps the number of pods that count against the workflow's parallelism.
func (e *Engine) countActive(n *node, counts bool) {
	if counts != (n.marks&markActive != 0) {
		n.marks ^= markActive
		if counts {
			e.waiting.active++
		} else {
			e.waiting.active--
		}
	}
}

// ask asks the host, once, for what the library can't work out itself.
func (e *Engine) ask(i nodegraph.Index) {
	n := e.graph.Node(i)
	if e.facts.nodes[i].Answer != AnswerNone {
		return
	}
	e.facts.setAnswer(i, AnswerAsked)
	if n.Kind == nodegraph.TaskGroup {
		e.actOn(ActionExpand, i, n.Task.Loop.Unresolved)
		return
	}
	e.actOn(ActionResolve, i, withItem(n.Task.When, e.graph.Item(i)))
}

// addHooks adds the hook nodes that are due on node i; they start like any other node.
func (e *Engine) addHooks(i nodegraph.Index) bool {
	v := ruling{verdict: e.eval.verdicts[i], message: e.eval.messages[i]}
	var due []*nodegraph.Hook
	e.eval.eachHookDue(i, v, func(h *nodegraph.Hook) { due = append(due, h) })
	for _, h := range due {
		if _, err := e.graph.AddHook(i, h); err != nil {
			e.failUnhooked(i, err)
			break
		}
		e.grow()
	}
	return len(due) > 0
}

// lookedUp tells whether the host has found nothing under the memoization key of node i. It asks if nobody did.
func (e *Engine) lookedUp(i nodegraph.Index, key string) bool {
	if e.facts.details[i].memo == AnswerNone {
		e.facts.setMemo(i, AnswerAsked)
		e.waiting.asked[i] = struct{}{}
		e.actOn(ActionLookup, i, key)
	}
	return e.facts.details[i].memo == AnswerRun
}

// start creates node i, or the next attempt of Retry i.
func (e *Engine) start(i nodegraph.Index, w want) {
	if w&wantAttempt != 0 {
		m, err := e.graph.AddAttempt(i)
		if err != nil {
			e.fail(i, err)
			return
		}
		e.grow()
		e.eval.verdicts[i] = e.eval.verdicts[i].contented() // if the attempt ends at once the next one is wanted anew
		i = m
	}
	e.create(i)
}

// create makes node i exist, tells the host, and lets its members come into being.
func (e *Engine) create(i nodegraph.Index) {
	e.forget(i)
	e.facts.create(i, e.facts.instant, e.afterOlder(i))
	if !e.facts.nodes[i].kind.Composite() && e.refuse(i) {
		return
	}
	if e.eval.stops(i) {
		e.halt(i)
	}
	if e.expand(i) {
		e.actOn(ActionStart, i, "")
		e.watchTimeouts(i)
	}
}

// refuse fails a leaf that would start, or whose pod would be made anew, although the workflow was stopped or is past its
// deadline. It tells whether it did.
func (e *Engine) refuse(i nodegraph.Index) bool {
	if !e.eval.barred(i) {
		return false
	}
	message := deadlineExceeded.own()
	if e.eval.withinClosing(i) {
		message = closedAround.own()
	} else if e.eval.stops(i) {
		message = stoppedBy(e.facts.shutdown).own()
		if e.graph.Node(i).Kind == nodegraph.Pod {
			message = "workflow shutdown with strategy: " + e.facts.shutdown
		}
	}
	e.expand(i)
	l := e.facts.leaf(i)
	o := l.ending(StageStopped, nodegraph.Failed, message, e.facts.instant)
	e.facts.join(l, &o)
	return true
}

// expand adds the members of node i. It tells whether that could be done: if not the node ends in Error.
func (e *Engine) expand(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	if n.Kind == nodegraph.Pod && len(n.Template.Containers) == 0 {
		return true
	}
	var err error
	if n.Kind == nodegraph.TaskGroup {
		if !n.Expanded() {
			err = e.graph.AddItems(i, n.Task, n.Task.Loop.Items)
		}
	} else {
		err = e.graph.Expand(i)
	}
	if err != nil {
		e.fail(i, err)
		return false
	}
	e.grow()
	e.reserve(int(e.facts.nodes[i].depth)+1, e.readyIn(i))
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.nodes[m].kind == nodegraph.Container {
			e.facts.create(m, e.facts.instant, 0)
		}
	}
	return true
}

// readyIn is how many members of node i may start at once now that it was expanded.
func (e *Engine) readyIn(i nodegraph.Index) int {
	if e.facts.nodes[i].kind == nodegraph.DAG {
		return len(e.graph.Plan(i).Roots())
	}
	return int(e.graph.Last(i)-e.graph.First(i)) + 1 // 1 if there are none
}

// reserve makes room at once for the steps of so many planned nodes of one depth from the queue into the result.
func (e *Engine) reserve(depth, nodes int) {
	planned := e.sched.queue.list(rank(depth, true))
	planned.nodes = slices.Grow(planned.nodes, nodes)
	e.out.changed = slices.Grow(e.out.changed, nodes)
	e.waiting.wanted = slices.Grow(e.waiting.wanted, nodes)
}

// fail ends node i in Error: the graph could not take what it asks for.
func (e *Engine) fail(i nodegraph.Index, err error) {
	e.facts.end(i, nodegraph.Error, err.Error(), e.facts.now)
}

// watchTimeouts remembers when node i has been pending for too long.
func (e *Engine) watchTimeouts(i nodegraph.Index) {
	t := e.graph.Node(i).Template
	for _, d := range [...]time.Duration{t.Timeout, t.PendingTimeout} {
		if d > 0 {
			e.sched.timers.add(e.facts.details[i].created.plus(d), i)
		}
	}
}
