package propagate

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// startWanted starts what the verdicts ask for, in the order in which Argo would: depth first, so that what starts
// inside a node comes before the node's later siblings. Locks, parallelism and suspension may hold a start back; it
// stays wanted. startWanted tells whether anything was started.
func (e *Engine) startWanted() bool {
	started := false
	var later []nodegraph.Index
	starts := startHeap{e: e, nodes: e.wanted}
	e.wanted = nil
	heap.Init(&starts)
	last := nodegraph.None
	for starts.Len() > 0 {
		i := heap.Pop(&starts).(nodegraph.Index)
		w := e.verdicts[i].want
		if i == last {
			continue
		}
		if w == 0 || e.withinEnded(i) { // what is inside of something that has ended never starts
			e.abandon(i)
			continue
		}
		last = i
		if e.startOne(i, w) {
			started = true
			last = nodegraph.None
			e.sweep(e.g.Node(i).Depth())
		} else if w&(wantStart|wantAttempt) != 0 {
			later = append(later, i)
		}
		for _, m := range e.wanted {
			heap.Push(&starts, m)
		}
		e.wanted = e.wanted[:0]
	}
	e.wanted = later
	return started
}

// abandon gives up on starting node i: it keeps neither a place nor a lock.
func (e *Engine) abandon(i nodegraph.Index) {
	delete(e.asked, i)
	if !e.facts[i].created() {
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
		started = e.start(i, w) || started
	}
	return started
}

// startHeap yields nodes in StartOrder.
type startHeap struct {
	e     *Engine
	nodes []nodegraph.Index
}

func (h *startHeap) Len() int           { return len(h.nodes) }
func (h *startHeap) Less(a, b int) bool { return h.e.StartOrder(h.nodes[a], h.nodes[b]) < 0 }
func (h *startHeap) Swap(a, b int)      { h.nodes[a], h.nodes[b] = h.nodes[b], h.nodes[a] }
func (h *startHeap) Push(x any)         { h.nodes = append(h.nodes, x.(nodegraph.Index)) }
func (h *startHeap) Pop() any {
	last := h.nodes[len(h.nodes)-1]
	h.nodes = h.nodes[:len(h.nodes)-1]
	return last
}

// StartOrder orders nodes by where they stand in the workflow, which is the order in which they start: tasks as
// Argo visits them, others as declared. It is negative where a comes before b.
func (e *Engine) StartOrder(a, b nodegraph.Index) int {
	if a == b {
		return 0
	}
	x, y := a, b
	for e.g.Node(x).Depth() > e.g.Node(y).Depth() {
		x = e.g.Node(x).Parent
	}
	for e.g.Node(y).Depth() > e.g.Node(x).Depth() {
		y = e.g.Node(y).Parent
	}
	if x == y { // one is inside the other
		return e.g.Node(a).Depth() - e.g.Node(b).Depth()
	}
	for e.g.Node(x).Parent != e.g.Node(y).Parent {
		x, y = e.g.Node(x).Parent, e.g.Node(y).Parent
	}
	if e.g.Node(x).Role == nodegraph.RoleTask && e.g.Node(y).Role == nodegraph.RoleTask {
		return cmp.Or(e.g.Visit(x)-e.g.Visit(y), int(x-y))
	}
	return int(x - y)
}

// admit tells whether node i may start now: the workflow is not held, its locks are granted, its memoization key was
// looked up, and no limit of parallelism is reached.
func (e *Engine) admit(i nodegraph.Index, w want) bool {
	n := e.g.Node(i)
	if e.held || e.started.IsZero() {
		return false
	}
	if n.Kind == nodegraph.StepGroup || n.Kind == nodegraph.TaskGroup {
		return true
	}
	if !e.parallelismAllows(i, w) {
		return false
	}
	if w&wantAttempt != 0 {
		return true // the Retry holds the locks
	}
	f := &e.facts[i]
	if locks := e.locksOf(i); len(locks) > 0 && f.Lock != LockHeld {
		if f.Lock == LockNone {
			f.Lock = LockAsked
			e.asked[i] = true
			e.act(Action{Type: ActionAcquire, Node: i, ID: n.ID, Name: n.Name, Kind: n.Kind, Locks: locks})
		}
		return false
	}
	if n.Template.Memoize != "" && f.Memo != AnswerRun {
		if f.Memo == AnswerNone {
			f.Memo = AnswerAsked
			e.asked[i] = true
			e.actOn(ActionLookup, i, n.Template.Memoize)
		}
		return false
	}
	return true
}

// parallelismAllows checks the workflow's limit on active pods and the boundary's on active members (Argo:
// checkParallelism).
func (e *Engine) parallelismAllows(i nodegraph.Index, w want) bool {
	b := e.g.Boundary(i)
	places, near := 0, 0 // kept for others that the host was asked about
	for m := range e.asked {
		if m != i {
			places++
			if e.g.Boundary(m) == b {
				near++
			}
		}
	}
	if p := e.g.Spec().Parallelism; p > 0 && e.active+places >= p {
		return false
	}
	if b == nodegraph.None {
		return true
	}
	t := e.g.Node(b).Template
	if t.Parallelism <= 0 && !t.FailFast {
		return true
	}
	c := e.census(b)
	if t.FailFast && c.failed != nodegraph.None {
		return false
	}
	return t.Parallelism <= 0 || c.active+near < t.Parallelism
}

// countActive keeps the number of pods that count against the workflow's parallelism.
func (e *Engine) countActive(i nodegraph.Index, counts bool) {
	if e.g.Node(i).Kind != nodegraph.Pod || e.counts[i] == counts {
		return
	}
	e.counts[i] = counts
	if counts {
		e.active++
	} else {
		e.active--
	}
}

// ask asks the host, once, for what the library can't work out itself.
func (e *Engine) ask(i nodegraph.Index) {
	f, n := &e.facts[i], e.g.Node(i)
	if f.Answer != AnswerNone {
		return
	}
	f.Answer = AnswerAsked
	if n.Kind == nodegraph.TaskGroup {
		e.actOn(ActionExpand, i, n.Task.Loop.Unresolved)
		return
	}
	e.actOn(ActionResolve, i, withItem(n.Task.When, n.Item))
}

// addHooks adds the hook nodes that are due on node i; they start like any other node.
func (e *Engine) addHooks(i nodegraph.Index) bool {
	v := e.verdicts[i]
	var due []*nodegraph.Hook
	e.eachHookDue(i, &v, func(h *nodegraph.Hook) { due = append(due, h) })
	for _, h := range due {
		m, err := e.g.AddHook(i, h)
		if err != nil {
			e.fail(i, err)
			continue
		}
		e.grow()
		e.touch(m)
	}
	e.touch(i)
	return len(due) > 0
}

// start creates node i, or the next attempt of Retry i.
func (e *Engine) start(i nodegraph.Index, w want) bool {
	if w&wantAttempt != 0 {
		m, err := e.g.AddAttempt(i)
		if err != nil {
			return e.fail(i, err)
		}
		e.grow()
		e.touch(i)
		i = m
	}
	e.create(i)
	return true
}

// create makes node i exist, tells the host, and lets its members come into being.
func (e *Engine) create(i nodegraph.Index) {
	f := &e.facts[i]
	delete(e.asked, i)
	f.Created = e.now
	f.Serial = e.afterOlder(e.g.Node(i).ID)
	e.touch(i)
	if !e.g.Node(i).Kind.Composite() && e.refuse(i) {
		return
	}
	if e.stops(i) {
		e.halt(i)
	}
	e.countActive(i, true)
	action := Action{Type: ActionStart, Node: i, ID: e.g.Node(i).ID, Name: e.g.Node(i).Name, Kind: e.g.Node(i).Kind}
	e.act(action)
	e.expand(i)
	e.watchTimeouts(i)
}

// refuse fails a leaf that would start although the workflow was stopped or is past its deadline.
func (e *Engine) refuse(i nodegraph.Index) bool {
	message := ""
	switch {
	case e.stops(i):
		message = stopMessage(e.shutdown)
		if e.g.Node(i).Kind == nodegraph.Pod {
			message = "workflow shutdown with strategy: " + e.shutdown
		}
	case e.overdue && !e.g.Node(i).InExitHandler():
		message = deadlineExceeded
	default:
		return false
	}
	e.expand(i)
	f := &e.facts[i]
	f.Merge(Fact{Serial: f.Serial, Attempt: f.Attempt, Stage: StageStopped, Phase: nodegraph.Failed, Message: message, Finished: e.now})
	return true
}

// expand adds the members of node i. What can't be expanded ends in Error.
func (e *Engine) expand(i nodegraph.Index) {
	n := e.g.Node(i)
	if n.Kind == nodegraph.Pod && len(n.Template.Containers) == 0 {
		return
	}
	var err error
	if n.Kind == nodegraph.TaskGroup {
		if !n.Expanded() {
			err = e.g.AddItems(i, n.Task, n.Task.Loop.Items)
		}
	} else {
		err = e.g.Expand(i)
	}
	if err != nil {
		e.fail(i, err)
		return
	}
	e.grow()
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		if e.g.Node(m).Kind == nodegraph.Container {
			e.facts[m].Created = e.now
		}
		e.touch(m)
	}
}

// fail ends node i in Error: the graph could not take what it asks for.
func (e *Engine) fail(i nodegraph.Index, err error) bool {
	f := &e.facts[i]
	f.Stage, f.Phase, f.Message, f.Finished = StageEnded, nodegraph.Error, err.Error(), e.now
	e.touch(i)
	return true
}

// watchTimeouts remembers when node i has been pending for too long.
func (e *Engine) watchTimeouts(i nodegraph.Index) {
	t := e.g.Node(i).Template
	for _, d := range []time.Duration{t.Timeout, t.PendingTimeout} {
		if d > 0 {
			e.timers.add(e.facts[i].Created.Add(d), i)
		}
	}
}
