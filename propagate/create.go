package propagate

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// start creates node i, or the next attempt of Retry i.
func (e *Engine) start(i nodegraph.Index, v rule.Brief) {
	if v.WantsAttempt() {
		m, err := e.graph.AddAttempt(i)
		if err != nil {
			e.fail(i, err)
			return
		}
		e.grow()
		e.rules.ForgetWants(i)
		e.starts.forget(i)
		i = m
	}
	if e.facts.Node(i).Exists {
		e.goOn(i)
		return
	}
	e.create(i)
}

// goOn lets node i, which waited for its locks, do what it was created for.
func (e *Engine) goOn(i nodegraph.Index) {
	e.starts.forget(i)
	e.facts.Grant(i)
	switch {
	case !e.facts.Node(i).Kind.Composite() && e.refuse(i), e.isHit(i):
	case e.facts.Node(i).Stage == fact.StageGone: // its pod is asked for with its verdict
	case e.expand(i) && startedByHost.has(e.facts.Node(i).Kind):
		e.actOn(ActionRecreate, i, "")
	}
}

// isHit ends node i, and reports that, if its memoization key was found.
func (e *Engine) isHit(i nodegraph.Index) bool {
	hit := e.facts.Memo(i) == fact.AnswerSkip && !e.rules.Barred(i)
	if hit {
		e.facts.EndHit(i, e.facts.Now)
	}
	return hit
}

// create makes node i exist, tells the host, and lets its members come into being.
func (e *Engine) create(i nodegraph.Index) {
	e.starts.forget(i)
	atOnce := e.refusedAtOnce(i)
	e.facts.Create(i, e.facts.Instant, e.afterOlder(i))
	if atOnce && e.refuse(i) || e.isHit(i) {
		return
	}
	if e.rules.Stops(i) {
		e.halt(i)
	}
	if e.expand(i) {
		e.actOn(ActionStart, i, "")
		e.watchTimeouts(i)
	}
}

// refuse fails a leaf that would start, or whose pod would be made anew, although the workflow was stopped or is past its
// deadline, and a composite that would begin then without its locks or without a place. It reports whether it did.
func (e *Engine) refuse(i nodegraph.Index) bool {
	if !e.rules.Barred(i) {
		return false
	}
	message := textDeadline
	switch {
	case e.rules.WithinClosing(i):
		message = rule.TextClosed
	case e.rules.Stops(i) && e.graph.Node(i).Kind == nodegraph.KindPod:
		message = "workflow shutdown with strategy: " + e.facts.Shutdown
	case e.rules.Stops(i):
		message = e.rules.StopText()
	}
	if e.facts.Node(i).Kind.Composite() {
		e.facts.End(i, nodegraph.PhaseFailed, message, e.facts.Now)
		return true
	}
	e.expand(i)
	e.stopNode(i, nodegraph.PhaseFailed, message)
	e.facts.See(i)
	return true
}

// expand adds the members of node i. It reports whether that could be done: if not the node ends in Error.
func (e *Engine) expand(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	if n.Kind == nodegraph.KindPod && len(n.Template.Containers) == 0 {
		return true
	}
	var err error
	if n.Kind == nodegraph.KindTaskGroup {
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
	e.reserve(int(e.facts.Node(i).Depth)+1, e.readyIn(i))
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Kind == nodegraph.KindContainer {
			e.facts.Create(m, e.facts.Instant, 0)
		}
	}
	return true
}

// readyIn is how many members of node i may start at once now that it was expanded.
func (e *Engine) readyIn(i nodegraph.Index) int {
	if e.facts.Node(i).Kind == nodegraph.KindDAG {
		plan, _ := e.graph.PlanOf(i)
		return len(plan.Roots())
	}
	return int(e.graph.Last(i)-e.graph.First(i)) + 1 // 1 if there are none
}

// reserve makes room at once for the steps of so many planned nodes of one depth from the queue into the result.
func (e *Engine) reserve(depth, nodes int) {
	e.sched.Reserve(depth, nodes)
	e.out.changed = slices.Grow(e.out.changed, nodes)
	e.starts.wanted = slices.Grow(e.starts.wanted, nodes)
}

// addHooks adds the hook nodes that are due on node i; they start like any other node.
func (e *Engine) addHooks(i nodegraph.Index) bool {
	var due []*nodegraph.Hook
	e.rules.EachHookDue(i, e.rules.Ruling(i), func(h *nodegraph.Hook) { due = append(due, h) })
	for _, h := range due {
		if _, err := e.graph.AddHook(i, h); err != nil {
			e.failUnhooked(i, err)
			break
		}
		e.grow()
	}
	return len(due) > 0
}

// failUnhooked ends node i in Error, and with it what is open of it, and its daemons: one of its hooks could not be added. It
// has none any more.
func (e *Engine) failUnhooked(i nodegraph.Index, err error) {
	n := e.facts.Node(i)
	e.closeMembers(i, err.Error())
	e.endDaemonsIn(i)
	if n.Kind == nodegraph.KindPod && n.Exists && n.Stage < fact.StageGone {
		e.actOn(ActionTerminate, i, err.Error())
	}
	e.facts.EndResults(i)
	e.fail(i, err)
	e.facts.Release(i)
	e.seeEnded(i)
}

// watchTimeouts remembers when the time of node i is over.
func (e *Engine) watchTimeouts(i nodegraph.Index) {
	for _, d := range e.timeoutsOf(i) {
		if d > 0 {
			e.sched.SetTimer(e.facts.Created(i).Plus(d), i)
		}
	}
}

// timeoutsOf returns how long node i may take, and how long it may be pending; 0 for no limit. Where the host enforces timeouts an
// attempt has none: its template is its Retry's, and that is looked at (Argo: checkTemplateTimeouts).
func (e *Engine) timeoutsOf(i nodegraph.Index) [2]time.Duration {
	t := e.graph.Node(i).Template
	switch {
	case !e.facts.Node(i).IsAttempt:
		return [2]time.Duration{t.Timeout, t.PendingTimeout}
	case e.graph.Spec().TimeoutsByHost:
		return [2]time.Duration{}
	}
	return [2]time.Duration{t.Timeout, 0}
}
