package propagate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

// records are recorded nodes by their ids.
type records struct {
	nodes    []nodegraph.NodeStatus
	at       map[string]int32 // place in nodes by id
	taken    []bool           // by place
	numbered map[string]bool  // names of nodes that have attempts or items; nil until somebody asks
}

func newRecords(nodes []nodegraph.NodeStatus) *records {
	r := &records{nodes: nodes, at: make(map[string]int32, len(nodes)), taken: make([]bool, len(nodes))}
	for k := range nodes {
		r.at[nodes[k].ID] = int32(k)
	}
	return r
}

// get returns the record with this id, nil if there is none.
func (r *records) get(id string) *nodegraph.NodeStatus {
	if at, ok := r.at[id]; ok {
		return &r.nodes[at]
	}
	return nil
}

// has reports whether the node with this id and name is recorded.
func (r *records) has(id, name string) bool {
	n := r.get(id)
	return n != nil && isNamed(n.Name, name)
}

// hasNumbered reports whether attempts or items of the node with this name are recorded.
func (r *records) hasNumbered(name string) bool {
	if r.numbered == nil {
		r.numbered = make(map[string]bool)
		for k := range r.nodes {
			if name := r.nodes[k].Name; strings.HasSuffix(name, ")") {
				r.numbered[name[:max(strings.LastIndexByte(name, '('), 0)]] = true
			}
		}
	}
	return r.numbered[name]
}

// bare reports whether nothing inside node n is recorded.
func (r *records) bare(e *Engine, n *nodegraph.Node) bool {
	return !r.hasNumbered(n.Name()) && !slices.ContainsFunc(memberNames(n), func(name string) bool {
		return r.hasNumbered(name) || r.has(nodegraph.NodeID(e.graph.Spec().Name, name), name)
	})
}

// take fills in the fact of node i, if it is recorded.
func (r *records) take(e *Engine, i nodegraph.Index) bool {
	n := e.graph.Node(i)
	at, known := r.at[n.ID()]
	if !known || !isNamed(r.nodes[at].Name, n.Name()) {
		return false
	}
	r.taken[at] = true
	f := recordedFact(e, i, &r.nodes[at], func() bool { return r.bare(e, n) })
	e.facts.Put(i, &f)
	if n.Kind == nodegraph.KindContainer && f.Stage >= fact.StageRunning && e.facts.Node(n.Parent).Stage == fact.StagePending {
		e.facts.SawRun(n.Parent)
	}
	return true
}

// attempt is how the attempt with this id ended.
func (r *records) attempt(id string) retry.Attempt {
	n := r.get(id)
	a := retry.Attempt{Message: n.Message, HasExitCode: n.HasExit, ExitCode: n.ExitCode, Started: n.Started, Finished: n.Finished}
	a.Outcome = outcomeOf(n.Phase)
	if n.Message == rule.TextPodDeleted {
		a.Reason = retry.ReasonPodDeleted
	}
	return a
}

// rest lists the ids of the records that were never taken.
func (r *records) rest() []string {
	var rest []string
	for k := range r.nodes {
		if !r.taken[k] && !r.taken[r.at[r.nodes[k].ID]] { // what is there twice counts once
			rest = append(rest, r.nodes[k].ID)
		}
	}
	return rest
}

// recordSource reads facts out of recorded nodes.
func recordSource(nodes []nodegraph.NodeStatus) source {
	r := newRecords(nodes)
	return source{
		has:  r.has,
		take: r.take,
		bare: func(e *Engine, i nodegraph.Index) bool {
			n := e.facts.Node(i)
			return n.Stage == fact.StageEnded && n.Phase == nodegraph.PhaseError && r.bare(e, e.graph.Node(i))
		},
		items: func(loop *nodegraph.Node) ([]nodegraph.Item, bool) {
			items := recordedItems(nodes, loop.Name())
			return items, len(items) > 0
		},
		attempt: r.attempt,
		omitted: func(id string) bool { n := r.get(id); return n != nil && n.Phase == nodegraph.PhaseOmitted },
		rest:    r.rest,
	}
}

// memberNames lists the names of what a DAG, Steps, StepGroup or Pod has inside it once it is expanded; of a step with a loop,
// that which the names of its items begin with.
func memberNames(n *nodegraph.Node) []string {
	var names []string
	add := func(suffix string) { names = append(names, n.Name()+suffix) }
	switch n.Kind {
	case nodegraph.KindDAG:
		for k := range n.Template.Tasks {
			add("." + n.Template.Tasks[k].Name)
		}
	case nodegraph.KindSteps:
		for k := range n.Template.Steps {
			add("[" + strconv.Itoa(k) + "]")
		}
	case nodegraph.KindStepGroup:
		for _, step := range n.Template.Steps[n.DeclIndex] {
			add("." + step.Name)
		}
	case nodegraph.KindPod:
		for k := range n.Template.Containers {
			add("." + n.Template.Containers[k].Name)
		}
	}
	return names
}

// recordedItems reads the items of a loop off the names of its nodes: prefix(0:text). There are none if one is missing:
// a controller that records no items before they start does not say what it is.
func recordedItems(nodes []nodegraph.NodeStatus, prefix string) []nodegraph.Item {
	var items []nodegraph.Item
	known := 0
	for k := range nodes {
		rest, ok := strings.CutPrefix(nodes[k].Name, prefix+"(")
		if !ok {
			continue
		}
		number, text, ok := strings.Cut(rest, ":")
		at, err := strconv.Atoi(number)
		end := strings.IndexByte(text, ')')
		if !ok || err != nil || at < 0 || at > len(nodes) || end != len(text)-1 {
			continue
		}
		for at >= len(items) {
			items = append(items, nodegraph.Item{})
		}
		items[at] = nodegraph.Item{Text: strings.Clone(text[:end])}
		known++
	}
	if known < len(items) {
		return nil
	}
	return items
}

// recordedFact turns the record of node i into a fact, as far as a record tells. Bare reports whether nothing inside the node
// is recorded.
func recordedFact(e *Engine, i nodegraph.Index, r *nodegraph.NodeStatus, bare func() bool) fact.Fact {
	n := e.graph.Node(i)
	f := fact.Fact{Attempt: 1, HasExit: r.HasExit, ExitCode: r.ExitCode, Restarts: r.Restarts, Unsynced: r.Unsynced}
	switch {
	case r.Phase == nodegraph.PhasePending && r.Started.IsZero() && r.WaitsFor == "" && (e.resolvedItem(i) || n.Role == nodegraph.RoleHook):
		return fact.Fact{} // still to start
	case r.Phase == nodegraph.PhaseOmitted && (e.rules.Lasts(i) || e.facts.Node(n.Parent).Phase.Completed()):
		return fact.Fact{Answer: fact.AnswerOmit, Finished: r.Finished}
	case r.Phase == nodegraph.PhaseOmitted:
		return fact.Fact{Finished: r.Finished} // follows from what it comes after
	case r.Phase == nodegraph.PhaseSkipped:
		return fact.Fact{Answer: fact.AnswerSkip, Message: r.Message, Finished: r.Finished}
	case r.Kind == nodegraph.KindSkipped:
		return fact.Fact{Stage: fact.StageEnded, Phase: r.Phase, Message: r.Message, Finished: r.Finished}
	}
	f.Created = r.Started
	if r.Phase.Settled() { // Argo leaves the time at a daemon that failed and is tried again
		f.Finished = r.Finished
	}
	f.CacheHit = r.CacheHit && r.Phase.Completed() // what runs was not found in the cache, whatever was before a manual retry
	if f.Created.IsZero() {
		f.Created = e.facts.Started
	}
	if n.Kind.Composite() && e.rules.Stops(i) && (!r.Phase.Settled() || r.Phase == nodegraph.PhaseFailed) {
		f.Halted = e.facts.Shutdown
	}
	f.Lock = recordedLock(e, i, r)
	if f.Lock == fact.LockWaits {
		f.Message, f.Reason, f.Waited = r.Message, strings.Clone(r.WaitsFor), r.Phase == nodegraph.PhasePending
		f.Reopened = !f.Waited
		return f
	}
	switch n.Kind {
	case nodegraph.KindPod:
		podFact(&f, r, n.Template.IsDaemon())
		f.SeenEnded = r.Phase.Completed()
		f.Ready = f.Ready || n.Template.IsDaemon() && r.Phase.Completed() && wasCounted(e, n)
	case nodegraph.KindContainer:
		pod := e.facts.Fact(n.Parent)
		containerFact(&f, r, &pod)
	case nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin:
		if r.Phase.Completed() {
			endFact(&f, r)
		} else if n.Kind != nodegraph.KindSuspend {
			f.Message = r.Message
		}
	default:
		group := n.Kind == nodegraph.KindRetry || n.Kind == nodegraph.KindTaskGroup
		mayBeBare := r.Phase == nodegraph.PhaseError || r.Phase == nodegraph.PhaseFailed && group
		compositeFact(&f, r, mayBeBare && bare())
		f.SeenEnded = f.SeenEnded && !hookMissed(e, i)
	}
	return f
}

// wasCounted reports whether daemon n is an item of a TaskGroup that is recorded as Succeeded, or in a Retry that is one: that says
// that the daemon was ready.
func wasCounted(e *Engine, n *nodegraph.Node) bool {
	group := n.Parent
	if n.Role == nodegraph.RoleAttempt {
		group = e.graph.Node(group).Parent
	}
	return e.facts.Node(group).Kind == nodegraph.KindTaskGroup && e.facts.Node(group).Phase == nodegraph.PhaseSucceeded
}

// recordedLock says where node i stands with its locks. A record tells who waits, and what is open besides holds them. A ready
// daemon gave them back, though Argo may record that it waits for them again. Its Retry waits before it makes another attempt, and so
// does a composite that a manual retry has opened again.
func recordedLock(e *Engine, i nodegraph.Index, r *nodegraph.NodeStatus) fact.LockState {
	waits := r.Phase == nodegraph.PhasePending || r.Phase == nodegraph.PhaseRunning && r.Kind.Composite()
	switch {
	case r.Daemoned, r.Phase.Settled(), len(e.rules.LocksOf(i)) == 0:
		return fact.LockNone
	case r.WaitsFor != "" && waits:
		return fact.LockWaits
	}
	return fact.LockHeld
}

// hookMissed reports whether node i is a TaskGroup after which nothing comes and whose DAG is recorded to have ended: its
// exit hook never runs if it has not by then.
func hookMissed(e *Engine, i nodegraph.Index) bool {
	if e.graph.Node(i).Kind != nodegraph.KindTaskGroup || !e.facts.Node(e.graph.Node(i).Parent).Phase.Completed() {
		return false
	}
	for range e.graph.Dependents(i) {
		return false
	}
	return true
}

// endFact is the fact of a leaf that ended; one that the workflow stopped may still report its own end.
func endFact(f *fact.Fact, r *nodegraph.NodeStatus) {
	f.Stage, f.Phase, f.Message = fact.StageEnded, r.Phase, r.Message
	if stopped(r.Message) && r.Phase == nodegraph.PhaseFailed {
		f.Stage = fact.StageStopped
	}
}

func stopped(message string) bool {
	return strings.HasPrefix(message, "workflow shutdown with strategy: ") ||
		strings.HasPrefix(message, "Stopped with strategy '") || message == textDeadline || message == "timeout" || message == rule.TextClosed
}

// textUnknownPhase begins what is said of a pod in a phase that is none of the four, as Argo puts it.
const textUnknownPhase = "Unexpected pod phase for "

func podFact(f *fact.Fact, r *nodegraph.NodeStatus, daemon bool) {
	switch {
	case r.Phase == nodegraph.PhaseError && r.Message == rule.TextPodDeleted:
		f.Stage, f.Ran = fact.StageGone, true
	case r.Phase.Completed():
		endFact(f, r)
		f.Ran, f.Undated = true, f.Stage == fact.StageEnded && r.Finished.IsZero()
		f.Released = daemon && r.Phase == nodegraph.PhaseSucceeded
	case r.Phase == nodegraph.PhaseRunning:
		f.Stage, f.Ran, f.Ready = fact.StageRunning, true, r.Daemoned
		if strings.HasPrefix(r.Message, textUnknownPhase) { // nothing else is said of a pod that runs
			f.Message = r.Message
		}
	case r.Restarting != "": // that pod may be listed still
		f.Stage, f.UID, f.Message = fact.StageGone, strings.Clone(r.Restarting), r.Message
	case r.Unready:
		f.Stage, f.Ran, f.Message = fact.StageRunning, true, r.Message
	default:
		f.Stage, f.Message = fact.StagePending, r.Message
	}
}

// containerFact leaves out what only the end of the pod forced: that follows from the pod's fact. An end that the pod as it is
// recorded would not force is the container's own.
func containerFact(f *fact.Fact, r *nodegraph.NodeStatus, pod *fact.Fact) {
	switch {
	case r.Phase.Completed() && !rule.ForcedByPod(r.Message, pod):
		endFact(f, r)
	case r.Phase == nodegraph.PhaseRunning:
		f.Stage, f.Ran = fact.StageRunning, true
	case r.Phase == nodegraph.PhasePending:
		f.Stage = fact.StagePending
	}
}

// compositeFact keeps what a composite's members can't tell: that it came from the cache, waited for a lock, was stopped
// before it had any, or could have none.
func compositeFact(f *fact.Fact, r *nodegraph.NodeStatus, bare bool) {
	switch {
	case r.Phase.Completed() && (f.CacheHit || bare):
		endFact(f, r)
		f.Stage = fact.StageEnded
	case r.Phase.Completed():
		f.SeenEnded, f.Phase, f.Message = true, r.Phase, r.Message
	case r.Phase == nodegraph.PhasePending:
		f.Waited = true
	}
}

// outcomeOf is the recorded phase of an attempt in the terms of package retry.
func outcomeOf(p nodegraph.Phase) retry.Outcome { return rule.BriefOf(p, rule.RuleRetry).Outcome() }
