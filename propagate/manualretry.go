package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// manualRetry starts a workflow that failed again (Argo: FormulateRetryWorkflow). What succeeded or was skipped is
// kept with all that is inside it. A leaf or Retry that failed is forgotten, with everything that comes after it in
// the same parent; a composite that failed is kept open around that. Exit handlers and hooks of what is reset run
// again.
func (e *Engine) manualRetry() {
	kept := make(map[string]Fact)
	items := make(map[string][]nodegraph.Item)
	e.keep(nodegraph.Entry, kept, items)
	fresh, err := NewLimited(e.g.Spec(), e.g.Limits())
	if err != nil {
		panic("propagate: a specification that was taken once is refused: " + err.Error())
	}
	fresh.started, fresh.now, fresh.held = e.now, e.now, e.held
	fresh.facts[nodegraph.Root].Lock = e.facts[nodegraph.Root].Lock
	if len(e.g.Spec().Locks) > 0 {
		fresh.started, fresh.facts[nodegraph.Root].Lock = fresh.started.AddDate(-1, 0, 0), LockNone
		fresh.started = e.started
	}
	r := &restorer{e: fresh, source: factSource(kept, items)}
	if err := r.restore(); err != nil {
		panic("propagate: nodes that existed are refused: " + err.Error())
	}
	old := make(map[string]before)
	for i := nodegraph.Entry; int(i) < e.g.Len(); i++ {
		old[e.g.Node(i).ID] = before{e.verdicts[i].Phase, e.verdicts[i].Message}
	}
	rootBefore := before{e.verdicts[nodegraph.Root].Phase, e.verdicts[nodegraph.Root].Message}
	result := e.result
	*e = *fresh
	e.result = result
	e.changed = map[nodegraph.Index]before{nodegraph.Root: rootBefore}
	for i := nodegraph.Entry; int(i) < e.g.Len(); i++ {
		e.changed[i] = old[e.g.Node(i).ID]
		e.touch(i)
	}
	e.touch(nodegraph.Root)
}

// keep collects the facts that a manual retry leaves in place, from node i down. It tells whether i is left as it is.
func (e *Engine) keep(i nodegraph.Index, kept map[string]Fact, items map[string][]nodegraph.Item) bool {
	type step struct{ i nodegraph.Index }
	stack := []step{{i}}
	whole := true
	for len(stack) > 0 {
		at := stack[len(stack)-1].i
		stack = stack[:len(stack)-1]
		f, v, n := e.facts[at], &e.verdicts[at], e.g.Node(at)
		if !f.created() && f.Answer != AnswerSkip {
			continue
		}
		if v.Phase.Unsuccessful() {
			whole = false
			if !n.Kind.Composite() || n.Kind == nodegraph.Retry || f.Stage == StageEnded {
				continue // forgotten
			}
			f.Finished, f.Seen = f.Created.AddDate(-8000, 0, 0), false
			f.Finished = e.started.AddDate(0, 0, 0)
		}
		f.Lock = LockNone
		kept[n.ID] = f
		if n.Kind == nodegraph.TaskGroup || n.Kind == nodegraph.StepGroup {
			e.keepItems(at, items)
		}
		reset := e.resetMembers(at)
		for m := e.g.First(at); m != nodegraph.None; m = e.g.Next(m) {
			if !reset[m] {
				stack = append(stack, step{m})
			}
		}
	}
	return whole
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

// keepItems remembers the items of loops that only the host could resolve.
func (e *Engine) keepItems(i nodegraph.Index, items map[string][]nodegraph.Item) {
	for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
		n := e.g.Node(m)
		if n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != "" {
			prefix := e.g.Node(i).Name
			if e.g.Node(i).Kind == nodegraph.StepGroup {
				prefix += "." + n.Task.Name
			}
			items[prefix] = append(items[prefix], *n.Item)
		}
	}
}

// factSource restores facts as they were.
func factSource(facts map[string]Fact, items map[string][]nodegraph.Item) source {
	return source{
		has:     func(id string) bool { _, ok := facts[id]; return ok },
		take:    func(e *Engine, i nodegraph.Index) { e.facts[i] = facts[e.g.Node(i).ID] },
		items:   func(prefix string) []nodegraph.Item { return items[prefix] },
		attempt: func(string) retry.Attempt { return retry.Attempt{} },
		rest:    func() []string { return nil },
	}
}
