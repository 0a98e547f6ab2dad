package propagate

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// manualRetry starts a workflow that failed again (Argo: FormulateRetryWorkflow). What succeeded or was skipped is
// kept with all that is inside it. A leaf or Retry that failed is forgotten, with everything that comes after it in
// the same parent; a composite that failed is kept open around that, unless it has locks of its own: nothing inside it
// may run before it has them again, so it is forgotten too. Exit handlers and hooks of what is reset run
// again, and the workflow asks for its locks again.
func (e *Engine) manualRetry() {
	if !e.Complete() {
		return // twice in one batch
	}
	state := State{Now: e.now, Held: e.held, Nodes: e.kept()}
	fresh, _, err := LoadLimited(e.g.Spec(), state, e.g.Limits())
	if err != nil {
		panic("propagate: nodes that existed are refused: " + err.Error())
	}
	old := make(map[string]changed, e.g.Len())
	for i := range nodegraph.Index(e.g.Len()) {
		old[e.g.Node(i).ID()] = changed{phase: e.verdicts[i].phase(), message: said(fresh.phrases.say(e.message(i)))}
	}
	fresh.wording = e.wording
	for i := range nodegraph.Index(e.g.Len()) { // pods that are forgotten may still be heard of
		if uid := e.uid(&e.details[i]); uid != "" && fresh.unknownPod(e.g.Node(i).ID(), uid) {
			e.remember(e.g.Node(i).ID(), map[string]int64{uid: e.details[i].serial})
		}
	}
	fresh.older = e.older
	fresh.result = e.result
	*e = *fresh
	e.askAgain()
	for i := range nodegraph.Index(e.g.Len()) {
		b := old[e.g.Node(i).ID()]
		e.changed = append(e.changed, changed{node: i, message: b.message, depth: e.nodes[i].depth, phase: b.phase})
		e.nodes[i].marks |= markChanged
	}
	e.wakeEverybody()
	e.beginWorkflow()
}

// unknownPod tells whether this is not the pod that the node has.
func (e *Engine) unknownPod(id, uid string) bool {
	i := e.g.Find(id)
	return i == nodegraph.None || e.uid(&e.details[i]) != uid
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
		state, n := e.nodeState(i), e.g.Node(i)
		f := &state.Fact
		at.whole = at.whole || !e.verdicts[i].phase().Unsuccessful()
		switch {
		case !f.created() && f.Stage != StageEnded && f.Answer != AnswerSkip && f.Answer != AnswerOmit && !n.Expanded() && len(e.g.Hooks(i)) == 0:
			continue // follows from the rest
		case at.whole:
			if n.Kind.Composite() && f.created() { // whatever the rules would say of it without the shutdown
				f.Stage, f.Phase, f.Message = StageEnded, e.verdicts[i].phase(), e.message(i)
			}
		case !n.Kind.Composite(), n.Kind == nodegraph.Retry, f.Stage == StageEnded, len(e.locksOf(i)) > 0:
			continue // forgotten
		default:
			f.Finished, f.Seen, f.Halted = time.Time{}, false, ""
		}
		f.Lock = LockNone
		kept, stays[i] = append(kept, state), true
		reset := map[nodegraph.Index]bool{}
		if !at.whole {
			reset = e.resetMembers(i)
		}
		for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
			if !reset[m] {
				stack = append(stack, visit{m, at.whole})
			}
		}
	}
	return slices.DeleteFunc(kept, func(s NodeState) bool { // the hook of an item is not beside it
		i := e.g.Find(s.ID)
		owner, _ := e.g.Owner(i)
		return e.g.Node(i).Role == nodegraph.RoleHook && !stays[owner]
	})
}

// resetMembers lists the members of node i that come after one that failed, and the hooks of all that is reset.
func (e *Engine) resetMembers(i nodegraph.Index) map[nodegraph.Index]bool {
	reset := make(map[nodegraph.Index]bool)
	var list []nodegraph.Index
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		if e.verdicts[m].phase().Unsuccessful() {
			list = append(list, m)
		}
	}
	for k := 0; k < len(list); k++ {
		for _, h := range e.g.Hooks(list[k]) {
			reset[h] = true
		}
		for m := range e.g.Before(list[k]) {
			if !reset[m] {
				reset[m] = true
				list = append(list, m)
			}
		}
	}
	return reset
}
