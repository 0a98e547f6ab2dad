package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// grow makes room for nodes that were added to the graph, which are to be judged.
func (e *Engine) grow() {
	from, n := len(e.nodes), e.g.Len()
	if from == n {
		return
	}
	if n > cap(e.nodes) {
		e.allot(e.g.Room())
	}
	e.nodes, e.finished, e.details = e.nodes[:n], e.finished[:n], e.details[:n]
	e.verdicts, e.messages = e.verdicts[:n], e.messages[:n]
	e.written = slices.Grow(e.written, n-from)
	for i := nodegraph.Index(from); int(i) < e.g.Len(); i++ {
		n := &e.nodes[i]
		e.added(i, n)
		if n.traits&traitCounts != 0 && i != nodegraph.Root {
			e.nodes[n.parent].open++
		}
		e.wakeAdded(i, n)
	}
}

// allot gives the arrays room for n nodes: as much as the graph has, which knows best what is still to come. What lies
// behind the last node in them is zero.
func (e *Engine) allot(n int) {
	e.nodes = allotted(e.nodes, n)
	e.finished = allotted(e.finished, n)
	e.details = allotted(e.details, n)
	e.verdicts = allotted(e.verdicts, n)
	e.messages = allotted(e.messages, n)
}

func allotted[T any](list []T, n int) []T { return append(make([]T, 0, n), list...) }

// swept reports whether nothing is left to evaluate.
func (e *Engine) swept() bool { return e.queue.size == 0 && len(e.written) == 0 }

// idle tells that nothing is left to evaluate or to start.
func (e *Engine) idle() bool {
	return e.swept() && len(e.wanted) == 0 && e.unseen.empty() && (len(e.later) == 0 || e.tried == e.judged)
}

// settle evaluates what is marked, from the deepest nodes up, and starts what should start, until nothing is left.
// Starts and other effects run from a parent down to its members, so they are no edges of the fixed point: they
// enter as facts between two sweeps.
func (e *Engine) settle() {
	for {
		e.sweep(0)
		if e.seeToEnded(); !e.swept() {
			continue
		}
		if e.Complete() {
			for _, list := range [...][]nodegraph.Index{e.wanted, e.later} {
				for _, i := range list {
					e.abandon(i)
				}
			}
			e.wanted, e.later = nil, nil
			return
		}
		if !e.startWanted() && e.swept() {
			return
		}
	}
}

// sweep evaluates marked nodes that are at least so deep until none is left. A node comes after everything it depends
// on, so each is evaluated once unless a sibling that exists changed after it.
func (e *Engine) sweep(depth int) {
	for {
		e.wakeFactReaders()
		i := e.queue.pop(depth)
		if i == nodegraph.None {
			return
		}
		e.judge(i)
	}
}

// judge evaluates node i, records the verdict and marks what reads it.
func (e *Engine) judge(i nodegraph.Index) {
	n := &e.nodes[i]
	n.marks &^= markQueued
	e.judged++
	v := e.evaluate(i, n)
	if v.wake != 0 && v.wake != e.wakes[i] {
		e.timers.add(v.wake, i)
	}
	if v.rule() == RulePodRecreate {
		if e.refuse(i) {
			n = &e.nodes[i] // members may have been added
			v = e.evaluate(i, n)
		} else {
			e.recreate(i)
		}
	}
	old, oldMessage := e.verdicts[i], e.messages[i]
	e.record(i, v)
	if !old.looksLike(v.verdict) || oldMessage != v.message {
		e.noteChange(i, n, old.phase(), oldMessage)
		e.commit(i, n, old, v.verdict)
	}
}

// judgeAll evaluates every node: what is inside others first and, of what was not created, each after all it comes after.
// What is inside a node, and what comes after one, has the higher index, so a walk from the last to the first needs no
// queue; that is left to the few nodes which change after they were judged.
func (e *Engine) judgeAll() {
	for i := range e.nodes {
		e.nodes[i].marks = e.nodes[i].marks&^markWritten | markQueued
	}
	e.queue, e.written = queue{}, e.written[:0]
	for i := nodegraph.Index(len(e.nodes)) - 1; i >= nodegraph.Root; i-- {
		if i > nodegraph.Entry && !e.nodes[i].exists {
			if e.nodes[e.nodes[i].parent].exists {
				continue // judged with its siblings, when the walk comes to their parent
			}
			e.judge(i)
			continue
		}
		for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
			if !e.nodes[m].exists && m != nodegraph.Entry {
				e.judge(m)
			}
		}
		e.judge(i)
	}
	e.sweep(0)
}

// recreate asks the host, once for each pod that is lost, to make the pod of node i again.
func (e *Engine) recreate(i nodegraph.Index) {
	if e.askedToRemake(i) {
		e.actOn(ActionRecreate, i, "")
	}
}
