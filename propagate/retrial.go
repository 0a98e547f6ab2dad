package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A fate is what a manual retry makes of a node.
type fate uint8

// The fates.
const (
	stays    fate = iota // it is as it was, with all that is inside it
	reopened             // a composite that is open again around something that is reset
	reset                // it is forgotten with all that is inside it, and comes to be again where it is due
)

// A retrial says what a manual retry makes of every node (Argo: FormulateRetryWorkflow, resetPath). One node comes after another
// if it, or something around it, comes by the order of their parent after the other, or after something around the other.
//
//  1. What the host names is reset, and so is the exit handler of the workflow.
//  2. A Pod, HTTP or Plugin node that is Failed or in Error is reset. It stays if something inside it, a hook of it, or
//     something that comes after it is Succeeded and not named (Argo: isDescendantNodeSucceeded). It does not matter whether a
//     continueOn covers the failure.
//  3. A pod that is Failed or in Error is reset as well if a container of it is, with nothing Succeeded after that (Argo:
//     resetPod).
//  4. A Suspend, or a composite that waited for its locks, is reset if it failed only because something around it failed
//     fast. So is what is in Error and never began: a composite that found no room, or a node that the host could not answer
//     for. Argo leaves these as they are.
//  5. A Retry stands for attempts that are pods. In a Retry around composites lines 2 to 4 look at the last attempt alone;
//     those before it stay (deviation 28).
//  6. What is inside what is reset is reset, and so are hooks of what is reset.
//  7. What comes after what these lines reset is reset. Nothing comes after a hook, or after what is inside one (deviations 28
//     and 29).
//  8. A daemon that has ended is reset if two things hold (deviation 31). Its boundary is open again, and something that comes
//     after it in there is reset, open again or not created yet.
//  9. With another specification a TaskGroup or StepGroup around what lines 1 to 5 reset is reset.
//  10. A composite is open again if something inside it is reset.
//  11. Everything else stays as it was: what succeeded, a Suspend or a composite that failed, and what is before a failure
//     (deviations 29 and 30).
type retrial struct {
	e     *Engine
	fates []fate // by node
	named []bool // by node: the host wants it to run again
	good  []bool // by node: it, something inside it or a hook of it is Succeeded and not named
	after []bool // by node: something that comes after it is so
	moved []bool // by node: it is reset, or something inside it is, so that what comes after it is reset
}

// retrialOf decides what a manual retry makes of every node. It visits each a fixed number of times: members, hooks, and what
// comes after a node by the order of its parent have higher indices than the node.
func (e *Engine) retrialOf(ev *Event) *retrial {
	n := e.graph.Len()
	r := &retrial{
		e: e, fates: make([]fate, n), named: make([]bool, n), good: make([]bool, n), after: make([]bool, n), moved: make([]bool, n),
	}
	for _, name := range ev.Restart {
		r.named[e.graph.Find(name)] = true
	}
	r.findSuccesses()
	for i := nodegraph.Entry; int(i) < n; i++ {
		if unit := r.unitOf(i); r.named[i] || r.failed(i, unit) {
			r.begin(unit, ev.Spec != nil)
		}
	}
	r.passOn()
	r.reopen()
	if e.facts.HasDaemons {
		r.restartDaemons()
	}
	return r
}

// findSuccesses fills in good and after.
func (r *retrial) findSuccesses() {
	g := r.e.graph
	for i := nodegraph.Index(g.Len()) - 1; i > nodegraph.Root; i-- {
		r.good[i] = r.good[i] || r.phase(i) == nodegraph.PhaseSucceeded && !r.named[i]
		if owner, _ := g.Owner(i); r.good[i] && owner > nodegraph.Root {
			r.good[owner] = true
		}
		r.good[g.Node(i).Parent] = r.good[g.Node(i).Parent] || r.good[i]
		for d := range g.Dependents(i) {
			r.after[i] = r.after[i] || r.good[d] || r.after[d]
		}
	}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		r.after[i] = r.after[i] || g.Node(i).Role != nodegraph.RoleHook && r.after[g.Node(i).Parent]
	}
}

func (r *retrial) phase(i nodegraph.Index) nodegraph.Phase { return r.e.rules.Brief(i).Phase() }

// unitOf is what is reset in the place of node i: the pod of a container, the Retry of an attempt that is a pod, and a Retry of
// which an attempt before the last is, or is around, the node.
func (r *retrial) unitOf(i nodegraph.Index) nodegraph.Index {
	g := r.e.graph
	unit := i
	for m := i; m > nodegraph.Root; m = g.Node(m).Parent {
		switch n := g.Node(m); {
		case n.Kind == nodegraph.KindContainer:
			unit = n.Parent
		case n.Role == nodegraph.RoleAttempt && (n.Kind == nodegraph.KindPod || g.Last(n.Parent) != m):
			unit = n.Parent
		}
	}
	return unit
}

// executed are the kinds of nodes that run something.
const executed = startedByHost | 1<<nodegraph.KindContainer

// failed reports whether lines 2 to 5 reset unit because of node i.
func (r *retrial) failed(i, unit nodegraph.Index) bool {
	n, created := r.e.graph.Node(i), r.e.facts.Node(i).Exists
	if created && !executed.has(n.Kind) && !r.closed(i) || !r.phase(i).Unsuccessful() || !r.phase(unit).Unsuccessful() {
		return false
	}
	if unit != i && r.e.graph.Node(unit).Kind == nodegraph.KindRetry {
		if r.e.graph.Node(r.e.graph.First(unit)).Kind.Composite() {
			return false // it is in an attempt before the last
		}
		if n.Kind == nodegraph.KindPod {
			i = unit
		}
	}
	return !r.good[i] && !r.after[i]
}

// closed reports whether node i is a Suspend, or a composite that waited for its locks, and failed only because something around
// it failed fast, or is a composite that could not begin.
func (r *retrial) closed(i nodegraph.Index) bool {
	facts, n := r.e.facts, r.e.facts.Node(i)
	empty := n.Kind.Composite() && n.Stage == fact.StageEnded && r.e.graph.First(i) == nodegraph.None
	switch {
	case n.Phase == nodegraph.PhaseError:
		return empty
	case facts.Shutdown != "" || facts.Overdue || n.Phase != nodegraph.PhaseFailed:
		return false
	}
	return n.Kind == nodegraph.KindSuspend && n.Stage == fact.StageStopped || empty
}

// begin resets node i, because of itself. What comes after it, or after what is around it, is to be reset as well, and with another
// specification the groups around it.
func (r *retrial) begin(i nodegraph.Index, others bool) {
	g := r.e.graph
	r.fates[i] = reset
	for p := i; p > nodegraph.Root; p = g.Node(p).Parent {
		if k := g.Node(p).Kind; others && p != i && (k == nodegraph.KindTaskGroup || k == nodegraph.KindStepGroup) {
			r.fates[p] = reset
		}
		if g.Node(p).Role == nodegraph.RoleHook {
			return
		}
		if r.moved[p] && !others {
			return
		}
		r.moved[p] = true
	}
}

// passOn resets what is inside what is reset, its hooks, and what comes after it.
func (r *retrial) passOn() {
	g := r.e.graph
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		owner, h := g.Owner(i)
		switch parent := g.Node(i).Parent; {
		case parent > nodegraph.Root && r.fates[parent] == reset, h != nil && (h == g.OnExit() || r.fates[owner] == reset):
			r.fates[i] = reset
		default:
			for d := range g.Dependencies(i) {
				if r.moved[d] {
					r.fates[i] = reset
				}
			}
		}
		r.moved[i] = r.moved[i] || r.fates[i] == reset && h == nil
	}
}

// reopen opens the composites around what is reset.
func (r *retrial) reopen() {
	g := r.e.graph
	for i := nodegraph.Index(g.Len()) - 1; i > nodegraph.Root; i-- {
		if parent := g.Node(i).Parent; r.fates[i] != stays && r.fates[parent] == stays {
			r.fates[parent] = reopened
		}
	}
}

// restartDaemons resets the daemons that something which runs again needs.
func (r *retrial) restartDaemons() {
	g := r.e.graph
	used := make([]bool, g.Len())
	for i := nodegraph.Index(g.Len()) - 1; i > nodegraph.Root; i-- {
		for d := range g.Dependents(i) {
			runs := r.fates[d] != stays || r.e.facts.Node(d).Counts && r.phase(d) == nodegraph.PhasePlanned
			used[i] = used[i] || used[d] || runs
		}
	}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if !r.e.facts.Node(i).IsDaemon || !r.e.facts.Node(i).Exists || r.fates[i] != stays {
			continue
		}
		unit := r.unitOf(i)
		needed, around := used[unit], g.Node(unit).Parent
		for ; g.Node(around).Kind == nodegraph.KindStepGroup || g.Node(around).Kind == nodegraph.KindTaskGroup; around = g.Node(around).Parent {
			needed = needed || used[around]
		}
		if needed && r.fates[around] == reopened {
			r.forget(unit)
			for p := g.Node(unit).Parent; p != around; p = g.Node(p).Parent {
				r.fates[p] = reopened
			}
		}
	}
}

// forget resets node i, what is inside it, and its hooks, but nothing that comes after it.
func (r *retrial) forget(i nodegraph.Index) {
	g := r.e.graph
	for list := []nodegraph.Index{i}; len(list) > 0; {
		m := list[len(list)-1]
		list = append(list[:len(list)-1], g.Hooks(m)...)
		r.fates[m] = reset
		for c := g.First(m); c != nodegraph.None; c = g.Next(c) {
			list = append(list, c)
		}
	}
}
