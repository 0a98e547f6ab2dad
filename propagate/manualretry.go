package propagate

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// manualRetry starts a workflow that failed again (Argo: FormulateRetryWorkflow). What succeeded or was skipped is
// kept with all that is inside it. A leaf or Retry that failed is forgotten, with everything that comes after it in
// the same parent. A composite that failed is kept open around that. One with locks of its own is forgotten, since nothing
// inside it may run before it has them again. Exit handlers and hooks of what is reset run
// again, and the workflow asks for its locks again.
func (e *Engine) manualRetry() {
	if !e.Complete() {
		return // twice in one batch
	}
	state := State{Now: e.facts.Now(), Status: nodegraph.PhaseRunning, Suspended: e.facts.Suspended(), Nodes: e.kept()}
	fresh, _, err := FromState(e.graph.Spec(), state, nodegraph.WithLimits(e.graph.Limits()))
	if err != nil {
		panic("propagate: nodes that existed are refused: " + err.Error())
	}
	old := make(map[string]changed, e.graph.Len())
	for i := range nodegraph.Index(e.graph.Len()) {
		old[e.graph.Node(i).ID()] = changed{phase: e.rules.Brief(i).Phase(), message: fresh.rules.Said(fresh.facts.Intern(e.rules.MessageWords(i)))}
	}
	fresh.style = e.style
	for i := range nodegraph.Index(e.graph.Len()) { // pods that are forgotten may still be heard of
		if uid := e.facts.UID(i); uid != "" && fresh.unknownPod(e.graph.Node(i).ID(), uid) {
			e.remember(e.graph.Node(i).ID(), map[string]int64{uid: e.facts.Serial(i)})
		}
	}
	fresh.older = e.older
	fresh.out.result = e.out.result
	*e = *fresh
	e.askAgain()
	for i := range nodegraph.Index(e.graph.Len()) {
		b := old[e.graph.Node(i).ID()]
		e.noteChange(i, b.phase, b.message)
	}
	e.sched.WakeEverybody()
	e.beginWorkflow()
}

// unknownPod reports whether this is not the pod that the node has.
func (e *Engine) unknownPod(id, uid string) bool {
	i := e.graph.Find(id)
	return i == nodegraph.None || e.facts.UID(i) != uid
}

// kept lists what a manual retry leaves in place.
func (e *Engine) kept() []NodeState {
	type visit struct {
		node  nodegraph.Index
		whole bool // inside something that succeeded: kept as it is, failed attempts included
	}
	var kept []NodeState
	stays := make(map[nodegraph.Index]bool)
	for stack := []visit{{nodegraph.Entry, false}}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		i := at.node
		state, n := e.nodeState(i), e.graph.Node(i)
		f := &state.Fact
		at.whole = at.whole || !e.rules.Brief(i).Phase().Unsuccessful()
		switch {
		case !f.Exists() && f.Stage != fact.StageEnded && f.Answer != fact.AnswerSkip && f.Answer != fact.AnswerOmit && !n.Expanded() && len(e.graph.Hooks(i)) == 0:
			continue // follows from the rest
		case at.whole:
			if n.Kind.Composite() && f.Exists() { // whatever the rules would say of it without the shutdown
				f.Stage, f.Phase, f.Message = fact.StageEnded, e.rules.Brief(i).Phase(), e.rules.MessageWords(i)
			}
		case !n.Kind.Composite(), n.Kind == nodegraph.KindRetry, f.Stage == fact.StageEnded && e.graph.First(i) == nodegraph.None, len(e.rules.LocksOf(i)) > 0:
			continue // forgotten
		default:
			f.Finished, f.SeenEnded, f.Halted, f.Stage, f.Phase = time.Time{}, false, "", fact.StageNone, nodegraph.PhasePlanned
		}
		f.Lock = fact.LockNone
		kept, stays[i] = append(kept, state), true
		reset := map[nodegraph.Index]bool{}
		if !at.whole {
			reset = e.resetMembers(i)
		}
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if !reset[m] {
				stack = append(stack, visit{m, at.whole})
			}
		}
	}
	return slices.DeleteFunc(kept, func(s NodeState) bool { // the hook of an item is not beside it
		i := e.graph.Find(s.ID)
		owner, _ := e.graph.Owner(i)
		return e.graph.Node(i).Role == nodegraph.RoleHook && !stays[owner]
	})
}

// resetMembers lists the members of node i that come after one that failed, and the hooks of all that is reset.
func (e *Engine) resetMembers(i nodegraph.Index) map[nodegraph.Index]bool {
	reset := make(map[nodegraph.Index]bool)
	var list []nodegraph.Index
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.rules.Brief(m).Phase().Unsuccessful() {
			list = append(list, m)
		}
	}
	for k := 0; k < len(list); k++ {
		for _, h := range e.graph.Hooks(list[k]) {
			reset[h] = true
		}
		for m := range e.graph.Dependents(list[k]) {
			if !reset[m] {
				reset[m] = true
				list = append(list, m)
			}
		}
	}
	return reset
}
