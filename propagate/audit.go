package propagate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// Audit compares what the table has of a workflow with what its engine says. It finds releases that were forgotten, grants that were
// not told, and holders that are named otherwise than by the id of their node. There are none where the host has carried
// out all that the engine asked for; a request that was not carried out yet is none. The engine is nil for a workflow that
// does not exist any more: [LockTable.Forget] gives back what it has. Each line names the holder and the lock and says, for people,
// what the table and the engine differ in. The list is in the order of holders and keys.
func (t *LockTable) Audit(workflow string, e *Engine) []string {
	t.must()
	a := audit{engine: e, known: make(map[Holder]bool)}
	for h, locks := range t.held {
		if h.Workflow == workflow {
			a.held(h, locks.locks)
		}
	}
	for k := range t.waits {
		if w := &t.waits[k]; w.holder.Workflow == workflow {
			a.waits(w.holder, w.locks)
		}
	}
	a.wanted(workflow)
	slices.SortFunc(a.faults, func(a, b lockFault) int {
		return cmp.Or(cmp.Compare(a.holder.Node, b.holder.Node), cmp.Compare(a.key, b.key), cmp.Compare(a.reason, b.reason))
	})
	var lines []string
	for _, f := range a.faults {
		lines = append(lines, f.String())
	}
	return lines
}

// A lockFault is a difference between what a table of locks says of a holder and what the engine of its workflow says.
type lockFault struct {
	holder Holder // who holds the lock, or waits for it, according to either of them
	key    string // of the lock
	reason string // what the table and the engine differ in
}

// String shows the fault in one line.
func (f lockFault) String() string {
	s := f.holder.Workflow
	if f.holder.Node != "" {
		s += " " + f.holder.Node
	}
	return s + " " + f.key + ": " + f.reason
}

// An audit is what Audit has found so far.
type audit struct {
	engine *Engine // nil if the workflow does not exist any more
	known  map[Holder]bool
	faults []lockFault
}

// add notes a fault of a holder for each of the locks.
func (a *audit) add(h Holder, locks []nodegraph.Lock, reason string) {
	for _, l := range locks {
		a.faults = append(a.faults, lockFault{h, l.Key, reason})
	}
}

// node finds the node of a holder, or says why there is none.
func (a *audit) node(h Holder) (i nodegraph.Index, fault string) {
	if a.engine == nil {
		return nodegraph.None, "its workflow does not exist any more"
	}
	if h.Node == "" {
		return nodegraph.Root, ""
	}
	i = a.engine.graph.Find(h.Node)
	if i == nodegraph.None {
		return i, "no node has this id"
	}
	if id := a.engine.graph.Node(i).ID(); id != h.Node {
		return nodegraph.None, fmt.Sprintf("the holder is named by the name of its node, whose id is %s", id)
	}
	return i, ""
}

// held looks at one who holds locks in the table.
func (a *audit) held(h Holder, locks []nodegraph.Lock) {
	a.known[h] = true
	i, fault := a.node(h)
	if fault != "" {
		a.add(h, locks, fault)
		return
	}
	switch a.engine.facts.Node(i).Lock {
	case fact.LockAsked, fact.LockWaits:
		a.add(h, locks, "it was granted, and the engine was not told so by LockGranted")
	case fact.LockNone, fact.LockReturned:
		a.add(h, locks, "its node does not hold it: the release was forgotten")
	default:
		needs := a.engine.rules.LocksOf(i)
		a.add(h, without(locks, needs), "its node does not need it")
		a.add(h, without(needs, locks), "its node needs it, and holds others")
	}
}

// waits looks at one who waits for locks in the table.
func (a *audit) waits(h Holder, locks []nodegraph.Lock) {
	a.known[h] = true
	i, fault := a.node(h)
	if fault == "" && !awaitsLocks(a.engine.facts.Node(i)) {
		fault = "it is queued, and its node does not wait for it: the release was forgotten"
	}
	if fault != "" {
		a.add(h, locks, fault)
	}
}

// wanted looks at the nodes of the engine that hold locks, or wait for them, of which the table knows nothing.
func (a *audit) wanted(workflow string) {
	if a.engine == nil {
		return
	}
	for i := range nodegraph.Index(a.engine.graph.Len()) {
		h := Holder{Workflow: workflow, Node: a.engine.graph.Node(i).ID()}
		if a.known[h] {
			continue
		}
		switch a.engine.facts.Node(i).Lock {
		case fact.LockHeld, fact.LockGranted:
			a.add(h, a.engine.rules.LocksOf(i), "its node holds it, and the table knows nothing of that: the engine was not adopted, or the holder is named otherwise")
		case fact.LockWaits:
			a.add(h, a.engine.rules.LocksOf(i), "its node waits for it, and is not queued")
		}
	}
}

// without lists the locks whose keys others do not have.
func without(locks, others []nodegraph.Lock) []nodegraph.Lock {
	var list []nodegraph.Lock
	for _, l := range locks {
		if !wants(others, l.Key) {
			list = append(list, l)
		}
	}
	return list
}
