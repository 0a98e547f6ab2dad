package truth

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// Bounds returns every violation of the lines I9.1 to I9.3 by the claim alone.
func (c *Claim) Bounds() []Violation {
	all := c.parallelism()
	for i := nodegraph.Entry; int(i) < c.Graph.Len(); i++ {
		if v := c.boundary(i); v != nil {
			all = append(all, *v)
		}
	}
	return append(all, holders([]*Claim{c})...)
}

// Holders returns the first lock that more hold than may (I9.3), over claims whose workflows share locks, as a
// [*Violation]; nil if there is none.
func Holders(claims ...*Claim) error {
	if all := holders(claims); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// parallelism is line I9.1.
func (c *Claim) parallelism() []Violation {
	limit, active := c.Graph.Spec().Parallelism, 0
	for i := nodegraph.Entry; int(i) < c.Graph.Len(); i++ {
		if c.Graph.Node(i).Kind == nodegraph.KindPod && c.active(i) {
			active++
		}
	}
	if limit == 0 || active <= limit {
		return nil
	}
	return []Violation{{Line: "I9.1", Detail: fmt.Sprintf("%d pods are active, the parallelism is %d", active, limit)}}
}

// active reports whether node i counts against parallelism: it is Pending or Running and does not wait for a lock. A ready daemon is
// Running. What is inside of something that a manual retry has opened again counts there: all of it opens at once, as in Argo.
func (c *Claim) active(i nodegraph.Index) bool {
	said := &c.Nodes[i]
	waits := said.Fact.Lock != fact.LockNone && said.Fact.Lock != fact.LockHeld
	return (said.Phase == nodegraph.PhasePending || said.Phase == nodegraph.PhaseRunning) && !waits &&
		!(said.Fact.Reopened && c.Graph.Node(i).Kind.Composite())
}

// boundary is line I9.2 for node i, if that is a DAG or Steps with a limit.
func (c *Claim) boundary(i nodegraph.Index) *Violation {
	n := c.Graph.Node(i)
	if n.Kind != nodegraph.KindDAG && n.Kind != nodegraph.KindSteps || n.Template.Parallelism == 0 {
		return nil
	}
	if active := c.activeIn(i); active > n.Template.Parallelism {
		return &Violation{Line: "I9.2", Node: n.Name(),
			Detail: fmt.Sprintf("%d members are active, the parallelism is %d", active, n.Template.Parallelism)}
	}
	return nil
}

// activeIn counts the active pods, DAGs and Steps that are directly in a boundary. StepGroups, TaskGroups and Retries
// are looked through; hooks and every attempt count.
func (c *Claim) activeIn(i nodegraph.Index) int {
	active := 0
	for m := range c.Graph.Members(i) {
		switch c.Graph.Node(m).Kind {
		case nodegraph.KindStepGroup, nodegraph.KindTaskGroup, nodegraph.KindRetry:
			active += c.activeIn(m)
		case nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps:
			if c.active(m) {
				active++
			}
		}
	}
	return active
}

// holders is line I9.3. A lock whose limit only the host knows is not judged.
func holders(claims []*Claim) []Violation {
	limit, held := make(map[string]int), make(map[string][]string)
	for _, c := range claims {
		for i := range nodegraph.Index(c.Graph.Len()) {
			if c.Nodes[i].Fact.Lock != fact.LockHeld {
				continue
			}
			keys := make(map[string]bool) // a node that names a lock twice holds it once
			for _, l := range c.locks(i) {
				limit[l.Key] = max(limit[l.Key], l.Limit)
				keys[l.Key] = true
			}
			for key := range keys {
				held[key] = append(held[key], c.Graph.Spec().Name+"/"+c.Graph.Node(i).Name())
			}
		}
	}
	var all []Violation
	for _, key := range slices.Sorted(maps.Keys(held)) {
		if limit[key] > 0 && len(held[key]) > limit[key] {
			all = append(all, Violation{Line: "I9.3", Detail: fmt.Sprintf("%q hold lock %s, whose limit is %d", held[key], key, limit[key])})
		}
	}
	return all
}

// locks returns the locks that node i, or the workflow, must hold itself.
func (c *Claim) locks(i nodegraph.Index) []nodegraph.Lock {
	if i == nodegraph.Root {
		return c.Graph.Spec().Locks
	}
	return locksOf(c.Graph.Node(i))
}

// locksOf returns the locks of a node. An attempt, a group and a container hold none: the Retry, the members and the
// pod do.
func locksOf(n *nodegraph.Node) []nodegraph.Lock {
	switch {
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.KindTaskGroup, n.Kind == nodegraph.KindStepGroup, n.Kind == nodegraph.KindContainer:
		return nil
	}
	return n.Template.Locks
}

// A Watch follows one workflow, call by call, and tests what its engine asks for. The zero Watch is ready for use.
type Watch struct {
	ran map[string]life // by node id: the pod that was seen to run
}

// life tells one pod of a node from another.
type life struct {
	uid    string
	serial int64
}

// ManualRetry tells the watch that the call that it is shown next was a manual retry: what ran may run again.
func (w *Watch) ManualRetry() { w.ran = nil }

// Clone returns a copy of the watch that goes on by itself.
func (w *Watch) Clone() Watch { return Watch{ran: maps.Clone(w.ran)} }

// After tests what one call of the engine asked for. It returns the first of [Watch.Violations] as a [*Violation], nil if
// there is none.
func (w *Watch) After(e *propagate.Engine, r propagate.Result) error {
	if all := w.Violations(Of(e), r); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// Violations returns every violation of the lines I9.4 to I9.8 by what one call asked for; the claim is what is said after
// the call. A watch must see every call once, by itself: what later calls change would hide or feign a violation. Another
// engine of the same workflow, as after a restart, may come at any call.
func (w *Watch) Violations(c *Claim, r propagate.Result) []Violation {
	var all []Violation
	for k := range r.Actions {
		if a := &r.Actions[k]; asksForPod(c, a) {
			all = append(all, w.asked(c, a.Node)...)
		}
	}
	w.remember(c)
	return all
}

// asksForPod reports whether the host makes a pod for the action.
func asksForPod(c *Claim, a *propagate.Action) bool {
	if a.Node <= nodegraph.Root || c.Graph.Node(a.Node).Kind != nodegraph.KindPod {
		return false
	}
	return a.Type == propagate.ActionStart || a.Type == propagate.ActionRecreate
}

// asked tests one pod that was asked for.
func (w *Watch) asked(c *Claim, pod nodegraph.Index) []Violation {
	var all []Violation
	n := c.Graph.Node(pod)
	broken := func(line, format string, args ...any) {
		all = append(all, Violation{Line: line, Node: n.Name(), Detail: "its pod is asked for, but " + fmt.Sprintf(format, args...)})
	}
	for i := pod; i != nodegraph.None; i = c.Graph.Node(i).Parent {
		said := &c.Nodes[i]
		if len(c.locks(i)) > 0 && said.Fact.Lock != fact.LockHeld {
			broken("I9.4", "%s does not hold its locks", c.name(i))
		}
		kind := c.Graph.Node(i).Kind
		outlived := n.Template.IsDaemon() && (kind == nodegraph.KindStepGroup || kind == nodegraph.KindTaskGroup)
		if said.Phase.Settled() && !outlived {
			broken("I9.5", "%s is %s", c.name(i), said.Phase)
		}
	}
	if c.Shutdown == "Terminate" || c.Shutdown == "Stop" && !n.InExitHandler() {
		broken("I9.6", "the workflow is shut down with strategy %s", c.Shutdown)
	}
	if limit := c.Graph.Spec().ActiveDeadline; limit > 0 && !c.Started.IsZero() && !n.InExitHandler() {
		if deadline := c.Started.Truncate(time.Second).Add(limit); !c.Now.Before(deadline) {
			broken("I9.7", "the deadline of the workflow was %s", deadline.Format(time.RFC3339))
		}
	}
	if before, ran := w.ran[n.ID()]; ran && !before.replacedBy(&c.Nodes[pod].Fact) {
		broken("I9.8", "a pod of this attempt ran before")
	}
	return all
}

// name returns the name of node i, for messages.
func (c *Claim) name(i nodegraph.Index) string {
	if i == nodegraph.Root {
		return "the workflow"
	}
	return c.Graph.Node(i).Name()
}

// remember notes which pods ran.
func (w *Watch) remember(c *Claim) {
	if w.ran == nil {
		w.ran = make(map[string]life)
	}
	for i := nodegraph.Entry; int(i) < c.Graph.Len(); i++ {
		n, f := c.Graph.Node(i), &c.Nodes[i].Fact
		if n.Kind != nodegraph.KindPod {
			continue
		}
		if f.Ran {
			w.ran[n.ID()] = life{uid: f.UID, serial: f.Serial}
		} else if before, ran := w.ran[n.ID()]; ran && before.replacedBy(f) {
			delete(w.ran, n.ID()) // a record says nothing of the pod that took its place
		}
	}
}

// replacedBy reports whether the pod that a fact tells of came after this one and did not run. Names tell pods apart where
// both are known: serials begin anew in an engine that was restored.
func (l life) replacedBy(f *fact.Fact) bool {
	switch {
	case f.Ran:
		return false
	case f.UID != "" && l.uid != "":
		return f.UID != l.uid
	}
	return f.Serial > l.serial
}
