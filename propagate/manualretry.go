package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// manualRetry starts a workflow that failed again (Argo: FormulateRetryWorkflow). What succeeded or was skipped is
// kept with all that is inside it. A leaf or Retry that failed is forgotten, with everything that comes after it in
// the same parent; a composite that failed is kept open around that. Exit handlers and hooks of what is reset run
// again, and the workflow asks for its locks again.
func (e *Engine) manualRetry() {
	state := State{Now: e.now, Held: e.held, Nodes: e.kept()}
	fresh, _, err := LoadLimited(e.g.Spec(), state, e.g.Limits())
	if err != nil {
		panic("propagate: nodes that existed are refused: " + err.Error())
	}
	old := make(map[string]before, e.g.Len())
	for i := range nodegraph.Index(e.g.Len()) {
		old[e.g.Node(i).ID] = before{e.verdicts[i].Phase, e.verdicts[i].Message}
	}
	fresh.wording = e.wording
	*e = *fresh
	for i := range nodegraph.Index(e.g.Len()) {
		e.changed[i] = old[e.g.Node(i).ID]
		e.touch(i)
	}
	e.beginWorkflow()
}

// kept lists what a manual retry leaves in place.
func (e *Engine) kept() []NodeState {
	var kept []NodeState
	for stack := []nodegraph.Index{nodegraph.Entry}; len(stack) > 0; {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		f, n := e.facts[i], e.g.Node(i)
		switch {
		case !f.created() && f.Answer != AnswerSkip && !n.Expanded():
			continue // follows from the rest
		case !e.verdicts[i].Phase.Unsuccessful():
		case !n.Kind.Composite(), n.Kind == nodegraph.Retry, f.Stage == StageEnded:
			continue // forgotten
		default:
			f.Finished, f.Seen = time.Time{}, false
		}
		f.Lock = LockNone
		kept = append(kept, NodeState{ID: n.ID, Fact: f, Items: e.resolvedItems(i)})
		reset := e.resetMembers(i)
		for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
			if !reset[m] {
				stack = append(stack, m)
			}
		}
	}
	return kept
}

// resetMembers lists the members of node i that come after one that failed, and the hooks of all that is reset.
func (e *Engine) resetMembers(i nodegraph.Index) map[nodegraph.Index]bool {
	reset := make(map[nodegraph.Index]bool)
	var list []nodegraph.Index
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		if e.verdicts[m].Phase.Unsuccessful() {
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
