package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/retry"
)

// FromSnapshot returns the engine of a workflow that a controller has recorded, and the ids of recorded nodes that the
// specification never asks for; those are ignored. What a record leaves open, the pods that exist above all, is
// learned from the next observations. The first call carries out the strategy of a shutdown that the record has, and a deadline
// that has passed. The engine keeps nothing of the snapshot.
//
// A composite that is recorded to have ended stays as it ended, unless something inside it is open: then it ends so once nothing
// is, and nothing starts inside it. Any other follows from its members. A workflow that is recorded as complete is complete.
// What the record leaves open in it is closed, and SyncPods asks for the end of each of its pods that the host lists.
//
// The error is that of [New], or a [*StateError] for a value that can't be.
func FromSnapshot(spec *nodegraph.Spec, s nodegraph.Snapshot, opts ...nodegraph.Option) (*Engine, []string, error) {
	e, err := New(spec, opts...)
	if err != nil {
		return nil, nil, err
	}
	if err := checkRecord(&s); err != nil {
		return nil, nil, err
	}
	e.graph.Reserve(len(s.Nodes) + 1)
	r := &restorer{e: e, source: recordSource(s.Nodes), record: true}
	e.facts.SetShutdown(s.Shutdown)
	e.facts.SetSuspended(s.Suspended)
	if e.has.workflowStatus {
		e.facts.SetStatus(s.Phase)
	}
	switch {
	case s.Phase == nodegraph.PhasePending && len(spec.Locks) > 0: // its nodes are from before a manual retry
		e.facts.WaitFor(nodegraph.Root, "", s.Message)
	case len(s.Nodes) > 0 || s.Phase > nodegraph.PhasePending:
		e.facts.SetStarted(s.Started)
		if e.facts.Started.IsZero() {
			e.facts.SetStarted(time.Unix(0, 1).UTC())
		}
		if len(spec.Locks) > 0 && !s.Phase.Completed() {
			e.facts.SetLock(nodegraph.Root, fact.LockHeld)
		}
	}
	e.facts.SetNow(latest(e.facts.Started, s.Finished))
	if s.Phase.Completed() {
		e.facts.End(nodegraph.Root, s.Phase, s.Message, s.Finished)
	}
	if err := r.restore(); err != nil {
		return nil, nil, err
	}
	e.restored.completionUnreported = e.Complete() && !s.Phase.Completed()
	e.restored.shutdown = s.Shutdown != "" && !e.Complete()
	return e, r.source.rest(), nil
}

// created is when the latest node was created, by the clock of the controller. Containers, and all ends, have times of other
// clocks, which may be ahead.
func (r *restorer) created() time.Time {
	last := time.Time{}
	for i := range nodegraph.Index(r.e.graph.Len()) {
		if r.e.facts.Node(i).Kind != nodegraph.KindContainer {
			last = latest(last, r.e.facts.Created(i).Time())
		}
	}
	return last
}

// endRecorded keeps composites as they are recorded to have ended where the rules say otherwise, from the deepest up. A record
// does not tell all that was decided from, and a controller may decide otherwise than the rules: see the deviations. One with
// something open inside it ends so once nothing is (I1). Nothing starts because of either. In a complete workflow nothing is
// open.
func (r *restorer) endRecorded() {
	e := r.e
	if e.facts.Node(nodegraph.Root).Stage == fact.StageEnded {
		e.closeAll()
	}
	for i := nodegraph.Index(e.graph.Len()) - 1; i > nodegraph.Root; i-- {
		f := e.facts.Node(i)
		switch {
		case !f.Phase.Completed() || f.Stage == fact.StageEnded && !f.Unsynced:
			continue
		case e.isOpenGroup(i):
			continue // hooks of items may still be due, and a daemon be tried again: neither is inside what has ended as a whole
		case f.Kind.Composite() && e.rules.OpenMember(i) != nodegraph.None:
			e.facts.Close(i)
			continue
		case f.Kind.Composite():
			e.facts.EndAsRecorded(i)
		case f.Unsynced && (e.final(i) || e.facts.Node(f.Parent).Phase.Completed() && e.facts.Node(f.Parent).Kind.Composite()):
			e.facts.EndResults(i)
		default:
			continue
		}
		e.sweep(0)
	}
	for i := range nodegraph.Index(e.graph.Len()) { // from now on its members alone say what a composite is, unless the workflow is complete
		if f := e.facts.Node(i); f.Kind.Composite() && f.Stage < fact.StageEnded && e.facts.Node(nodegraph.Root).Stage != fact.StageEnded {
			e.facts.ForgetRecorded(i)
			if f.Kind == nodegraph.KindTaskGroup && e.rules.Brief(i).Fulfilled() {
				e.keepSuccess(i)
			}
		}
	}
	e.keepOmitted(r.source.omitted)
	if e.facts.HasClosing {
		e.sched.WakeEverybody()
		e.sweep(0)
		e.stopWaitsInside()
	}
}

// source is where the facts of nodes come from when an engine is made from what was stored.
type source struct {
	has  func(id, name string) bool              // an id is a hash, which a node that does not exist may have too
	take func(e *Engine, i nodegraph.Index) bool // fills in facts of node i, if the source has it
	// bare tells of node i, which was created, whether nothing was added inside it.
	bare func(e *Engine, i nodegraph.Index) bool
	// items returns the items of a loop that only the host could resolve, false where they are not known.
	items   func(loop *nodegraph.Node) ([]nodegraph.Item, bool)
	attempt func(id string) retry.Attempt // how an attempt ended
	omitted func(id string) bool          // whether a task is recorded as omitted
	rest    func() []string               // ids that were never taken
}

// isNamed reports whether what was stored under a name, or under none, is of the node with this name.
func isNamed(stored, name string) bool { return stored == name || stored == "" }

// restore adds what the source has, judges it, and notes what is owed to the host.
func (r *restorer) restore() error {
	if err := r.addAll(); err != nil {
		return err
	}
	e := r.e
	e.facts.SetNow(latest(e.facts.Now, r.created()))
	if r.record {
		e.reopenRecorded()
	}
	e.out.result = new(Result) // nothing of it is new to the host
	e.out.changed = make([]changed, 0, e.graph.Len())
	e.sched.All(e.judge)
	e.sweep(0)
	if r.record {
		r.endRecorded()
		e.closeEarlierAttempts()
		e.askForDaemonLocks()
	}
	e.keepDecisions()
	e.out.changed = e.out.changed[:0]
	for i := range nodegraph.Index(e.graph.Len()) {
		e.out.place[i] = 0
		r.owe(i)
	}
	if d := e.rules.Deadline(); !d.IsZero() && !e.facts.Overdue {
		e.sched.SetTimer(store.StampOf(d), nodegraph.Root)
	}
	e.out.result = nil
	return nil
}

// owe notes what the host was asked about node i, and what keeps a place or a time for it.
func (r *restorer) owe(i nodegraph.Index) {
	e := r.e
	f := e.facts.Node(i)
	lock := f.Lock
	begins := lock == fact.LockGranted || lock == fact.LockAsked || e.looksUp(i) || lock == fact.LockHeld && !f.Exists
	if begins && i != nodegraph.Root {
		e.starts.asked[i] = struct{}{}
	}
	e.noteOwed(i, !(r.record && e.Complete())) // what outlives a complete record is in the list of pods
	if f.Exists && e.graph.Node(i).Template != nil {
		e.watchTimeouts(i)
	}
}

// askForDaemonLocks takes the locks from Retries of daemons between two attempts, so that they are asked for before the next. A
// record does not tell whether the last attempt was ready, and the locks were given back, before it ended.
func (e *Engine) askForDaemonLocks() {
	if !e.facts.HasDaemons {
		return
	}
	for i := range nodegraph.Index(e.graph.Len()) {
		n := e.graph.Node(i)
		if n.Kind == nodegraph.KindRetry && n.Template.IsDaemon() && e.facts.Node(i).Lock == fact.LockHeld && e.rules.OpenMember(i) == nodegraph.None {
			e.facts.SetLock(i, fact.LockNone)
		}
	}
	e.sweep(0)
}

// keepDecisions makes last what was decided after daemons and hooks.
func (e *Engine) keepDecisions() {
	if !e.facts.HasDaemons && !e.facts.HasHooks {
		return
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		e.keepDecision(i)
	}
	e.sweep(0)
}

func latest(times ...time.Time) time.Time {
	var l time.Time
	for _, t := range times {
		if t.After(l) {
			l = t
		}
	}
	return l
}
