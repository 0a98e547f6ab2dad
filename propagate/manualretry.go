package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// manualRetry starts a workflow that failed again. What becomes of each node is decided by [retrial]; the workflow asks for its
// locks again, and its deadline begins anew.
func (e *Engine) manualRetry(ev *Event) {
	if !e.Complete() {
		return // twice in one batch
	}
	fresh, err := e.retriedBy(ev)
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
	fresh.older, fresh.out.result, fresh.restored.completionUnreported = e.older, e.out.result, true
	e.become(fresh)
	e.askAgain()
	for i := range nodegraph.Index(e.graph.Len()) {
		b := old[e.graph.Node(i).ID()]
		e.noteChange(i, b.phase, b.message)
	}
	e.sched.WakeEverybody()
	e.beginWorkflow()
}

// retriedBy is the engine of the workflow after a manual retry. It has not begun.
func (e *Engine) retriedBy(ev *Event) (*Engine, error) {
	state := State{Now: e.facts.Now, Status: nodegraph.PhaseRunning, Suspended: e.facts.Suspended, Nodes: e.kept(e.retrialOf(ev))}
	spec := e.graph.Spec()
	if ev.Spec != nil {
		spec = ev.Spec
	}
	fresh, _, err := fromState(spec, state, nodegraph.WithLimits(e.graph.Limits()))
	return fresh, err
}

// unknownPod reports whether this is not the pod that the node has.
func (e *Engine) unknownPod(id, uid string) bool {
	i := e.graph.Find(id)
	return i == nodegraph.None || e.facts.UID(i) != uid
}

// kept lists what a manual retry leaves in place.
func (e *Engine) kept(r *retrial) []NodeState {
	var kept []NodeState
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if r.fates[i] == reset || r.followsFromOthers(i) {
			continue
		}
		state := e.nodeState(i)
		e.keep(i, r.fates[i], &state.Fact)
		kept = append(kept, state)
	}
	return kept
}

// followsFromOthers reports whether nothing needs to be kept of node i for it to come to be what it is.
func (r *retrial) followsFromOthers(i nodegraph.Index) bool {
	e := r.e
	f, n := e.facts.Node(i), e.graph.Node(i)
	return !f.Exists && f.Stage != fact.StageEnded && f.Answer != fact.AnswerSkip && !(f.Answer == fact.AnswerOmit && r.staysOmitted(i)) &&
		n.Role != nodegraph.RoleHook && !n.Expanded() && len(e.graph.Hooks(i)) == 0
}

// staysOmitted reports whether task i, which was omitted, stays so: that lasts, or nothing that it comes after is open again.
func (r *retrial) staysOmitted(i nodegraph.Index) bool {
	if r.e.rules.Lasts(i) {
		return true
	}
	for d := range r.e.graph.Dependencies(i) {
		if r.fates[d] != stays {
			return false
		}
	}
	return true
}

// keep makes the fact of node i that of what a manual retry leaves in place. A composite that stays has ended as a whole: a
// shutdown or deadline that decided how it ended is over.
func (e *Engine) keep(i nodegraph.Index, is fate, f *fact.Fact) {
	f.Lock = fact.LockNone
	switch {
	case !e.graph.Node(i).Kind.Composite() || !f.Exists():
	case is == reopened:
		f.Created, f.Finished, f.SeenEnded, f.Halted, f.Stage = e.facts.Now, time.Time{}, false, "", fact.StageNone
		f.Phase, f.Message, f.Waited, f.Memo, f.Reopened = nodegraph.PhasePlanned, "", false, fact.AnswerNone, true
		if locks := e.rules.LocksOf(i); len(locks) > 0 {
			f.Lock, f.Reason = fact.LockReturned, locks[0].Key
		}
	default:
		f.Stage, f.Phase, f.Message = fact.StageEnded, e.rules.Brief(i).Phase(), e.rules.MessageWords(i)
	}
}
