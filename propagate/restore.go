package propagate

import (
	"slices"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/retry"
)

// FromSnapshot returns the engine of a workflow that a controller has recorded, and the ids of recorded nodes that the
// specification never asks for; those are ignored. What a record leaves open, the pods that exist above all, is
// learned from the next observations. The first call carries out the strategy of a shutdown that the record has, and a deadline
// that has passed.
//
// A composite that is recorded to have ended stays as it ended, unless something inside it is open: then it ends so once nothing
// is, and nothing starts inside it. Any other follows from its members. A workflow that is recorded as complete is complete:
// what the record leaves open in it is closed, and SyncPods asks for the end of each of its pods that the host lists.
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
		if e.facts.Started().IsZero() {
			e.facts.SetStarted(time.Unix(0, 1).UTC())
		}
		if len(spec.Locks) > 0 && !s.Phase.Completed() {
			e.facts.SetLock(nodegraph.Root, fact.LockHeld)
		}
	}
	e.facts.SetNow(latest(e.facts.Started(), s.Finished))
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

// checkRecord refuses values in a record that can't be.
func checkRecord(s *nodegraph.Snapshot) error {
	switch {
	case s.Phase > nodegraph.PhaseOmitted:
		return &StateError{Field: "phase", Value: s.Phase.String(), Err: ErrStateValue}
	case !isStrategy(s.Shutdown):
		return &StateError{Field: "shutdown", Value: s.Shutdown, Err: ErrStateValue}
	}
	for k := range s.Nodes {
		switch n := &s.Nodes[k]; {
		case n.Phase > nodegraph.PhaseOmitted, n.Kind == nodegraph.KindSkipped && !n.Phase.Settled():
			return &StateError{Node: n.Name, Field: "phase", Value: n.Phase.String(), Err: ErrStateValue}
		case n.Kind > nodegraph.KindSkipped:
			return &StateError{Node: n.Name, Field: "type", Value: n.Kind.String(), Err: ErrStateValue}
		case n.Restarts < 0:
			return &StateError{Node: n.Name, Field: "restarts", Value: strconv.Itoa(n.Restarts), Err: ErrStateValue}
		}
	}
	return nil
}

// created is when the latest node was created, by the clock of the controller. Containers, and all ends, have times of other
// clocks, which may be ahead.
func (r *restorer) created() time.Time {
	last := time.Time{}
	for i := range nodegraph.Index(r.e.graph.Len()) {
		if r.e.facts.Node(i).Kind() != nodegraph.KindContainer {
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
	if e.facts.Root().Stage() == fact.StageEnded {
		e.closeAll()
	}
	for i := nodegraph.Index(e.graph.Len()) - 1; i > nodegraph.Root; i-- {
		f := e.facts.Node(i)
		switch {
		case !f.Phase().Completed() || f.Stage() == fact.StageEnded && !f.Unsynced():
			continue
		case e.isOpenGroup(i):
			continue // hooks of items may still be due, and a daemon be tried again: neither is inside what has ended as a whole
		case f.Kind().Composite() && e.rules.OpenMember(i) != nodegraph.None:
			e.facts.Close(i)
			continue
		case f.Kind().Composite():
			e.facts.EndAsRecorded(i)
		case f.Unsynced() && (e.final(i) || e.facts.Node(f.Parent()).Phase().Completed() && e.facts.Node(f.Parent()).Kind().Composite()):
			e.facts.EndResults(i)
		default:
			continue
		}
		e.sweep(0)
	}
	for i := range nodegraph.Index(e.graph.Len()) { // from now on its members alone say what a composite is, unless the workflow is complete
		if f := e.facts.Node(i); f.Kind().Composite() && f.Stage() < fact.StageEnded && e.facts.Root().Stage() != fact.StageEnded {
			e.facts.ForgetRecorded(i)
			if f.Kind() == nodegraph.KindTaskGroup && e.rules.Brief(i).Fulfilled() {
				e.keepSuccess(i)
			}
		}
	}
	e.keepOmitted(r.source.omitted)
	if e.facts.HasClosing() {
		e.sched.WakeEverybody()
		e.sweep(0)
		e.stopWaitsInside()
	}
}

// source is where the facts of nodes come from when an engine is made from what was stored.
type source struct {
	has  func(id, name string) bool         // an id is a hash, which a node that does not exist may have too
	take func(e *Engine, i nodegraph.Index) // fills in facts of node i
	// bare tells of node i, which was created, whether nothing was added inside it.
	bare func(e *Engine, i nodegraph.Index) bool
	// items returns the items of a loop that only the host could resolve, false where they are not known.
	items   func(loop *nodegraph.Node) ([]nodegraph.Item, bool)
	attempt func(id string) retry.Attempt // how an attempt ended
	omitted func(id string) bool          // whether a task is recorded as omitted
	rest    func() []string               // ids that were never taken
}

// untaken lists the ids of what was stored and never taken, in the order in which it was stored.
func untaken[T any](nodes []T, taken map[string]bool, id func(*T) string) []string {
	var rest []string
	for k := range nodes {
		if id := id(&nodes[k]); !taken[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// isNamed reports whether what was stored under a name, or under none, is of the node with this name.
func isNamed(stored, name string) bool { return stored == name || stored == "" }

// restorer walks the graph from the top, adding what the source says exists.
type restorer struct {
	e      *Engine
	source source
	record bool // of a controller: of a composite it has the phase alone
}

func (r *restorer) restore() error {
	stack := []nodegraph.Index{nodegraph.Entry}
	if err := r.addHooks(nodegraph.Entry); err != nil {
		return err
	}
	for m := r.e.graph.Next(nodegraph.Entry); m != nodegraph.None; m = r.e.graph.Next(m) {
		stack = append(stack, m)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n := r.e.graph.Node(i); r.source.has(n.ID(), n.Name()) {
			r.source.take(r.e, i)
			if err := r.addMembers(i); err != nil {
				return err
			}
		}
		before := r.e.graph.Len()
		if i != nodegraph.Entry {
			if err := r.addHooks(i); err != nil {
				return err
			}
		}
		for m := r.e.graph.First(i); m != nodegraph.None; m = r.e.graph.Next(m) {
			if int(m) < before {
				stack = append(stack, m)
			}
		}
		for m := before; m < r.e.graph.Len(); m++ {
			stack = append(stack, nodegraph.Index(m))
		}
	}
	e := r.e
	e.grow()
	e.facts.SetNow(latest(e.facts.Now(), r.created()))
	if r.record {
		e.reopenRecorded()
	}
	e.out.result = new(Result) // nothing of it is new to the host
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
		f := e.facts.Node(i)
		if f.Answer() == fact.AnswerAsked || f.Lock() == fact.LockAsked || e.facts.Memo(i) == fact.AnswerAsked {
			e.restored.pendingQuestions = append(e.restored.pendingQuestions, i)
		}
		asked := f.Lock() == fact.LockHeld || f.Lock() == fact.LockAsked || e.facts.Memo(i) == fact.AnswerAsked
		if f.Lock() == fact.LockGranted || asked && !f.Exists() && i != nodegraph.Root {
			e.starts.asked[i] = struct{}{}
		}
		if e.toldToEnd(i) && !(r.record && e.Complete()) { // what outlives a complete record is in the list of pods
			e.restored.pendingEnds = append(e.restored.pendingEnds, i)
		}
		if e.owed(i) {
			e.restored.pendingRecreate = append(e.restored.pendingRecreate, i)
		}
		if f.Exists() && e.graph.Node(i).Template != nil {
			e.watchTimeouts(i)
		}
	}
	if d := e.rules.Deadline(); !d.IsZero() && !e.facts.Overdue() {
		e.sched.SetTimer(store.StampOf(d), nodegraph.Root)
	}
	e.out.result = nil
	return nil
}

// askForDaemonLocks takes the locks from Retries of daemons between two attempts, so that they are asked for before the next. A
// record does not tell whether the last attempt was ready, and the locks were given back, before it ended.
func (e *Engine) askForDaemonLocks() {
	if !e.facts.HasDaemons() {
		return
	}
	for i := range nodegraph.Index(e.graph.Len()) {
		n := e.graph.Node(i)
		if n.Kind == nodegraph.KindRetry && n.Template.Daemon && e.facts.Node(i).Lock() == fact.LockHeld && e.rules.OpenMember(i) == nodegraph.None {
			e.facts.SetLock(i, fact.LockNone)
		}
	}
	e.sweep(0)
}

// keepDecisions makes last what was decided after daemons and hooks.
func (e *Engine) keepDecisions() {
	if !e.facts.HasDaemons() && !e.facts.HasHooks() {
		return
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		e.keepDecision(i)
	}
	e.sweep(0)
}

// addMembers adds what is inside node i: of a loop what is known of its items, of any other node what it has if it was
// created.
func (r *restorer) addMembers(i nodegraph.Index) error {
	e := r.e
	n := e.graph.Node(i)
	var err error
	switch {
	case e.facts.CacheHit(i): // it ended as a whole
	case e.facts.Node(i).Exists() && r.source.bare(e, i): // what the graph refused once it may take now, and then refuse what it took
	case n.Kind == nodegraph.KindTaskGroup:
		err = r.addItems(i)
	case !e.facts.Node(i).Exists():
	case n.Kind == nodegraph.KindRetry:
		err = r.addAttempts(i)
	case e.facts.Node(i).Waits() && !r.hasMembers(n): // it has nothing inside it yet
	case n.Kind == nodegraph.KindPod:
		if len(n.Template.Containers) > 0 {
			err = e.graph.Expand(i)
		}
	default:
		if err = e.graph.Expand(i); err == nil && n.Kind == nodegraph.KindStepGroup {
			err = r.addStepItems(i)
		}
	}
	e.grow()
	return err
}

// hasMembers reports whether anything inside a node was stored: a manual retry has opened it again.
func (r *restorer) hasMembers(n *nodegraph.Node) bool {
	return slices.ContainsFunc(memberNames(n), func(name string) bool {
		return r.source.has(nodegraph.NodeID(r.e.graph.Spec().Name, name), name)
	})
}

// addItems adds the items of TaskGroup i of a DAG, and of a step where they are nodes of their own.
func (r *restorer) addItems(i nodegraph.Index) error {
	e := r.e
	n := *e.graph.Node(i)
	if n.Task.Loop.Unresolved == "" {
		if !e.facts.Node(i).Exists() {
			return nil
		}
		return e.graph.AddItems(i, n.Task, n.Task.Loop.Items)
	}
	items, known := r.source.items(&n)
	switch {
	case n.Expanded():
		return nil
	case !known:
		if f := e.facts.Fact(i); f.Exists() && r.record {
			if f.Phase.Completed() {
				f.Stage = fact.StageEnded
			} else {
				f = fact.Fact{} // the host is asked for them again
			}
			e.facts.Put(i, &f)
		}
		return nil
	case n.Role != nodegraph.RoleStep || len(items) == 0:
		return e.graph.AddItems(i, n.Task, items)
	}
	return nil // addStepItems has done it
}

// addAttempts adds the attempts of Retry i that exist. It stops where the Retry has ended as recorded with the attempts so
// far: a controller may have made one too many.
func (r *restorer) addAttempts(i nodegraph.Index) error {
	n := *r.e.graph.Node(i)
	var before []retry.Attempt
	for number := 0; ; number++ {
		name := nodegraph.AttemptName(n.Name(), number)
		id := nodegraph.NodeID(r.e.graph.Spec().Name, name)
		if !r.source.has(id, name) {
			return nil
		}
		switch d := n.Template.Retry.Decide(before, retry.Environment{Key: n.ID(), Transient: r.e.graph.TransientErrors()}); d.Verb {
		case retry.Succeed: // the end of an attempt that was lost may have been told after the next was made
			if r.e.facts.Node(i).Phase() == nodegraph.PhaseSucceeded {
				return nil
			}
		case retry.Stop: // the record does not say why a pod failed, so that those before may not have counted
			if f := r.e.facts.Fact(i); outcomeOf(f.Phase) == d.Outcome && f.Message == d.Message {
				return nil
			}
		}
		if _, err := r.e.graph.AddAttempt(i); err != nil {
			return err
		}
		before = append(before, r.source.attempt(id))
	}
}

// addStepItems adds the items of steps whose loops only the host could resolve.
func (r *restorer) addStepItems(i nodegraph.Index) error {
	e := r.e
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		n := *e.graph.Node(m)
		if n.Kind != nodegraph.KindTaskGroup || n.Task.Loop.Unresolved == "" {
			continue
		}
		items, known := r.source.items(&n)
		if !known || len(items) == 0 {
			continue
		}
		if err := e.graph.AddItems(i, n.Task, items); err != nil {
			return err
		}
		e.graph.MarkExpanded(m)
		e.grow()
		e.facts.SetAnswer(m, fact.AnswerRun)
	}
	return nil
}

// addHooks adds the hook nodes of i that exist. They may although i does not: it ended when a daemon was ready that has
// begun anew since.
func (r *restorer) addHooks(i nodegraph.Index) error {
	e := r.e
	hooks := e.rules.HooksOf(i)
	all := make([]*nodegraph.Hook, 0, len(hooks)+1)
	for k := range hooks {
		all = append(all, &hooks[k])
	}
	if i == nodegraph.Entry && e.graph.OnExit() != nil {
		all = append(all, e.graph.OnExit())
	}
	for _, h := range all {
		if name := nodegraph.HookName(e.graph.Node(i).Name(), h); !r.source.has(nodegraph.NodeID(e.graph.Spec().Name, name), name) {
			continue
		}
		if _, err := e.graph.AddHook(i, h); err != nil {
			return err
		}
		e.grow()
	}
	return nil
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
