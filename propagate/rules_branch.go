package propagate

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A branch is a path on its way from the first tasks of a DAG to its targets, at a node, with the phase of the last
// completed node on it.
type branch struct {
	node  nodegraph.Index
	phase nodegraph.Phase
}

// inheritedPhases returns what branchPhases does if a target of DAG i did not complete, nil if all did.
func (w *view) inheritedPhases(i nodegraph.Index) []nodegraph.Phase {
	for _, slot := range w.g.Targets(i) {
		if !w.completed(w.g.Slot(i, slot)) {
			return w.branchPhases(i)
		}
	}
	return nil
}

// completed tells whether node m completed by itself: a daemon that was ended with its boundary counts as the ready one that
// it was when the boundary ended.
func (w *view) completed(m nodegraph.Index) bool {
	return w.verdicts[m].phase().Completed() && !w.released(m)
}

// targetPhase is the phase that a target of a DAG counts as (Argo: targetTaskPhases). One that completed counts as what it
// is. One that was skipped or omitted counts as what it comes after: the first failure to reach it over the fewest nodes,
// or else a success.
func (w *view) targetPhase(target nodegraph.Index, inherited []nodegraph.Phase) nodegraph.Phase {
	if inherited != nil {
		if p := inherited[target-w.g.First(w.nodes[target].parent)]; p != nodegraph.Planned {
			return p
		}
	}
	return w.verdicts[target].phase()
}

// branchWalk is the scratch of walkBranches.
type branchWalk struct {
	seen  []uint8 // by node: a bit for each phase that a branch has brought to it
	queue []branch
	ends  []nodegraph.Phase
	carry []uint8 // by place: the phases that plainBranches carries on, as bits
}

// branchPhases returns the phases of the branches that reach tasks of DAG i which did not complete, by the place of the
// task among the members; Planned where no branch does, or only successes do, which count as little. The slice is good
// until the next call.
func (w *view) branchPhases(i nodegraph.Index) []nodegraph.Phase {
	plan, first := w.g.Planned(i)
	ends := slices.Grow(w.walk.ends[:0], plan.Len())[:plan.Len()]
	w.walk.ends = ends
	if w.counted && !w.daemons && w.plainBranches(i, ends) { // the reference evaluator walks
		return ends
	}
	clear(ends)
	w.walkBranches(i, func(b branch) {
		if s := &w.nodes[b.node]; s.parent != i || s.traits&traitTask == 0 || w.completed(b.node) {
			return
		}
		if p := &ends[b.node-first]; !p.Unsuccessful() {
			*p = b.phase
		}
	})
	return ends
}

// plainBranches is branchPhases for most DAGs: nothing is ever inside their tasks, none of which has hooks. Then branches
// lead from task to task, and one pass over the tasks, each after all it comes after, finds what the walk would. It tells
// nothing, and returns false, of other DAGs and where different failures reach a target: the walk says which is first.
func (w *view) plainBranches(i nodegraph.Index, ends []nodegraph.Phase) bool {
	const failed, errored = 1 << nodegraph.Failed, 1 << nodegraph.Error
	const completed = 1<<nodegraph.Succeeded | failed | errored
	plan, first := w.g.Planned(i)
	nodes, verdicts := w.nodes[first:][:len(ends)], w.verdicts[first:][:len(ends)]
	carry := slices.Grow(w.walk.carry[:0], len(ends))[:len(ends)]
	w.walk.carry = carry
	for place := range nodes {
		if nodes[place].traits&(traitAlone|traitHooked) != traitAlone {
			return false
		}
		ends[place] = nodegraph.Planned
		if p := uint8(1) << verdicts[place].phase(); p&completed != 0 {
			carry[place] = p
			continue
		}
		reached := uint8(0)
		for _, d := range plan.Dependencies(int32(place)) {
			reached |= carry[d]
		}
		carry[place] = reached
		switch reached & (failed | errored) {
		case failed | errored:
			if plan.IsTarget(int32(place)) {
				return false
			}
		case failed:
			ends[place] = nodegraph.Failed
		case errored:
			ends[place] = nodegraph.Error
		}
	}
	return true
}

// walkBranches visits every node below DAG i breadth first, along containment and order as Argo's children lists
// combine them, once for each phase that a branch can bring to it.
func (w *view) walkBranches(i nodegraph.Index, visit func(branch)) {
	walk := &w.walk
	if more := w.g.Len() - len(walk.seen); more > 0 {
		walk.seen = append(walk.seen, make([]uint8, more)...)
	}
	queue, plan, first := walk.queue[:0], w.g.Plan(i), w.g.First(i)
	phase := nodegraph.Succeeded
	goOn := func(next nodegraph.Index) {
		if seen := &walk.seen[next]; *seen&(1<<phase) == 0 {
			*seen |= 1 << phase
			queue = append(queue, branch{next, phase})
		}
	}
	for _, place := range plan.Roots() {
		goOn(first + nodegraph.Index(place))
	}
	for k := 0; k < len(queue); k++ {
		b := queue[k]
		p := w.verdicts[b.node].phase()
		if p == nodegraph.Planned {
			continue
		}
		if w.completed(b.node) {
			b.phase = p
		}
		phase = b.phase
		visit(b)
		w.eachNext(b.node, i, goOn)
	}
	for _, b := range queue {
		walk.seen[b.node] = 0
	}
	walk.queue = queue
}

// eachNext calls do for what Argo lists as the children of node m: what begins inside it, its hooks, and what comes
// after it. A Retry stands for its attempts; what comes after it is a child of its last child.
func (w *view) eachNext(m, dag nodegraph.Index, do func(nodegraph.Index)) {
	if w.g.Node(m).Kind != nodegraph.Retry || !w.nodes[m].created() {
		if within := w.eachWithin(m, do); !within {
			w.eachAttached(m, dag, do)
		}
		return
	}
	for _, h := range w.g.Hooks(m) {
		do(h)
	}
	if last := w.g.Last(m); last != nodegraph.None && len(w.g.Hooks(m)) == 0 {
		w.eachAttached(last, dag, do)
	}
}

// eachWithin calls do for what begins inside node m, and its hooks. It tells whether there was anything inside.
func (w *view) eachWithin(m nodegraph.Index, do func(nodegraph.Index)) bool {
	within := false
	for c := w.g.First(m); c != nodegraph.None; c = w.g.Next(c) {
		if w.verdicts[c].phase() != nodegraph.Planned && w.begins(c) {
			within = true
			do(c)
		}
	}
	for _, h := range w.g.Hooks(m) {
		do(h)
	}
	return within
}

// begins tells whether member c is one that its parent starts with.
func (w *view) begins(c nodegraph.Index) bool {
	if w.g.Node(c).Role == nodegraph.RoleHook {
		return false
	}
	for range w.g.After(c) {
		return false
	}
	return true
}

// eachAttached calls do for what comes after node m and after all that ends with it: a container ends its pod, an item
// its TaskGroup, a target its DAG, the last StepGroup that has begun its Steps (Argo: getOutboundNodes).
func (w *view) eachAttached(m, dag nodegraph.Index, do func(nodegraph.Index)) {
	for at := m; at != dag; {
		n := w.g.Node(at)
		parent := n.Parent
		switch n.Role { // a step, an item, an attempt ends what it is inside of
		case nodegraph.RoleTask:
			first := w.g.First(parent)
			for _, place := range w.g.DependentRow(at) {
				do(first + nodegraph.Index(place))
			}
			if !w.g.IsTarget(at) {
				return
			}
		case nodegraph.RoleContainer:
			last := true
			for d := range w.g.Before(at) {
				last = false
				do(d)
			}
			if !last {
				return
			}
		case nodegraph.RoleGroup:
			for next := range w.g.Before(at) {
				if w.verdicts[next].phase() != nodegraph.Planned {
					do(next)
					return
				}
			}
		case nodegraph.RoleHook:
			switch owner, _ := w.g.Owner(at); w.g.Node(owner).Kind {
			case nodegraph.TaskGroup, nodegraph.Retry:
				parent = owner
			default:
				return
			}
		}
		at = parent
	}
}
