package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// grow makes room for nodes that were added to the graph, which are to be judged.
func (e *Engine) grow() {
	from, n := len(e.facts.nodes), e.graph.Len()
	if from == n {
		return
	}
	if n > cap(e.facts.nodes) {
		e.allot(e.graph.Room())
	}
	e.facts.nodes, e.facts.finished, e.facts.details = e.facts.nodes[:n], e.facts.finished[:n], e.facts.details[:n]
	e.eval.verdicts, e.eval.messages = e.eval.verdicts[:n], e.eval.messages[:n]
	e.facts.written = slices.Grow(e.facts.written, n-from)
	for i := nodegraph.Index(from); int(i) < e.graph.Len(); i++ {
		n := &e.facts.nodes[i]
		e.eval.added(i, n)
		if n.traits&traitCounts != 0 && i != nodegraph.Root {
			e.facts.nodes[n.parent].open++
		}
		e.wakeAdded(i, n)
	}
}

// allot gives the arrays room for n nodes: as much as the graph has, which knows best what is still to come. What lies
// behind the last node in them is zero.
func (e *Engine) allot(n int) {
	e.facts.nodes = allotted(e.facts.nodes, n)
	e.facts.finished = allotted(e.facts.finished, n)
	e.facts.details = allotted(e.facts.details, n)
	e.eval.verdicts = allotted(e.eval.verdicts, n)
	e.eval.messages = allotted(e.eval.messages, n)
}

func allotted[T any](list []T, n int) []T { return append(make([]T, 0, n), list...) }

// swept reports whether nothing is left to evaluate.
func (e *Engine) swept() bool { return e.sched.queue.size == 0 && len(e.facts.written) == 0 }

// idle tells that nothing is left to evaluate or to start.
func (e *Engine) idle() bool {
	return e.swept() && len(e.waiting.wanted) == 0 && e.sched.endedQueue.empty() && (len(e.waiting.later) == 0 || e.waiting.triedAt == e.sched.generation)
}

// settle judges what is marked, from the deepest nodes up, and lets the effects of that happen, until nothing is left.
func (e *Engine) settle() {
	for more := !e.idle(); more; more = e.effects() {
		e.sweep(0)
	}
}

// effects lets happen what runs from a parent down to its members, and is no edge of the fixed point: it enters as facts between
// two sweeps. The first effect that wrote anything is the last of its turn, since others may read that. It reports whether
// anything is left to be judged.
//
//  1. What has ended is finalized: locks go back, omissions become final, and what is open inside it is closed.
//  2. In a complete workflow nothing starts any more.
//  3. What wants to start does, as far as nothing holds it back.
func (e *Engine) effects() bool {
	switch {
	case e.finalizeEnded():
		return true
	case e.Complete():
		e.abandonStarts()
		return false
	}
	return e.startWanted() || !e.swept()
}

// sweep evaluates marked nodes that are at least so deep until none is left. A node comes after everything it depends
// on, so each is evaluated once unless a sibling that exists changed after it.
func (e *Engine) sweep(depth int) {
	for {
		e.wakeFactReaders()
		i := e.sched.queue.pop(depth)
		if i == nodegraph.None {
			return
		}
		e.judge(i)
	}
}

// judge evaluates node i, records the verdict and marks what reads it.
func (e *Engine) judge(i nodegraph.Index) {
	n := &e.facts.nodes[i]
	n.marks &^= markQueued
	e.sched.generation++
	v := e.eval.evaluate(i, n)
	if v.wake != 0 && v.wake != e.eval.wakes[i] {
		e.sched.timers.add(v.wake, i)
	}
	if v.rule() == RulePodRecreate {
		if e.refuse(i) {
			n = &e.facts.nodes[i] // members may have been added
			v = e.eval.evaluate(i, n)
		} else {
			e.recreate(i)
		}
	}
	old, oldMessage := e.eval.verdicts[i], e.eval.messages[i]
	e.eval.record(i, v)
	if !old.looksLike(v.verdict) || oldMessage != v.message {
		e.noteChange(i, n, old.phase(), oldMessage)
		e.commit(i, n, old, v.verdict)
	}
}

// judgeAll evaluates every node: what is inside others first and, of what was not created, each after all it comes after.
// What is inside a node, and what comes after one, has the higher index, so a walk from the last to the first needs no
// queue; that is left to the few nodes which change after they were judged.
func (e *Engine) judgeAll() {
	for i := range e.facts.nodes {
		e.facts.nodes[i].marks = e.facts.nodes[i].marks&^markWritten | markQueued
	}
	e.sched.queue, e.facts.written = queue{}, e.facts.written[:0]
	for i := nodegraph.Index(len(e.facts.nodes)) - 1; i >= nodegraph.Root; i-- {
		if i > nodegraph.Entry && !e.facts.nodes[i].exists {
			if e.facts.nodes[e.facts.nodes[i].parent].exists {
				continue // judged with its siblings, when the walk comes to their parent
			}
			e.judge(i)
			continue
		}
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if !e.facts.nodes[m].exists && m != nodegraph.Entry {
				e.judge(m)
			}
		}
		e.judge(i)
	}
	e.sweep(0)
}

// recreate asks the host, once for each pod that is lost, to make the pod of node i again.
func (e *Engine) recreate(i nodegraph.Index) {
	if e.facts.askedToRemake(i) {
		e.actOn(ActionRecreate, i, "")
	}
}
