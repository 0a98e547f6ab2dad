package propagate

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// An Engine computes the phases of one workflow's nodes, incrementally: an event costs what it changes. It is
// deterministic, does no I/O, reads no clock and starts no goroutine: the host drives it. One goroutine at a time may
// use an Engine.
type Engine struct {
	view
	older map[string]map[string]int64 // by node id: serials of the pods it had before, by UID

	queue    queue
	wanted   []nodegraph.Index          // nodes with a want that was not met yet
	counts   []bool                     // by node: a pod that counts against the workflow's parallelism
	active   int                        // how many do
	asked    map[nodegraph.Index]bool   // nodes that the host was asked about and that did not start yet; each keeps a place
	changed  map[nodegraph.Index]before // nodes touched by the current call
	timers   timers
	settledC []nodegraph.Index // composites that became fulfilled and may hold daemons
	daemons  bool              // some template is a daemon
	failFast bool              // some template fails fast
	overdue  bool              // the deadline was applied
	unsure   []nodegraph.Index // pods that were asked for before the engine was loaded
	wording  Wording
	result   Result
}

// before is how a node looked before the current call.
type before struct {
	phase   nodegraph.Phase
	message string
}

// New returns the engine of a workflow that was not started. Nothing happens before the first call of [Engine.Apply].
// The error is that of [nodegraph.New].
func New(spec *nodegraph.Spec) (*Engine, error) { return NewLimited(spec, nodegraph.Limits{}) }

// NewLimited is New with the host's own limits.
func NewLimited(spec *nodegraph.Spec, limits nodegraph.Limits) (*Engine, error) {
	g, err := nodegraph.NewLimited(spec, limits)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		changed: make(map[nodegraph.Index]before), asked: make(map[nodegraph.Index]bool),
		daemons:  anyTemplate(spec, func(t *nodegraph.Template) bool { return t.Daemon }),
		failFast: anyTemplate(spec, func(t *nodegraph.Template) bool { return t.FailFast }),
	}
	e.inputs = &inputs{g: g, held: spec.Suspended}
	e.grow()
	for i := range nodegraph.Index(g.Len()) {
		e.touch(i)
	}
	return e, nil
}

// anyTemplate tells whether some template of the specification, inline ones included, has a property.
func anyTemplate(spec *nodegraph.Spec, has func(*nodegraph.Template) bool) bool {
	list := slices.Clone(spec.Templates)
	for len(list) > 0 {
		t := list[len(list)-1]
		list = list[:len(list)-1]
		if has(t) {
			return true
		}
		for _, tasks := range append([][]nodegraph.Task{t.Tasks}, t.Steps...) {
			for k := range tasks {
				if in := tasks[k].Inline; in != nil {
					list = append(list, in)
				}
			}
		}
	}
	return false
}

// Graph returns the workflow's graph. Do not add nodes to it.
func (e *Engine) Graph() *nodegraph.Graph { return e.g }

// Now is the latest time the engine was told.
func (e *Engine) Now() time.Time { return e.now }

// Started is when the workflow started; zero before the first Apply and while it waits for its own locks.
func (e *Engine) Started() time.Time { return e.started }

// Verdict returns what the rules say of node i.
func (e *Engine) Verdict(i nodegraph.Index) Verdict { return e.verdicts[i] }

// Fact returns what is known of node i.
func (e *Engine) Fact(i nodegraph.Index) Fact { return e.facts[i] }

// Workflow returns the phase and the message of the workflow. It does not allocate.
func (e *Engine) Workflow() (nodegraph.Phase, string) {
	v := &e.verdicts[nodegraph.Root]
	return v.Phase, v.Message
}

// Complete tells whether the workflow is complete: nothing changes any more, but for a manual retry.
func (e *Engine) Complete() bool { return e.verdicts[nodegraph.Root].Fulfilled }

// Exists tells whether node i is one that Argo would list: it was created, or was skipped, omitted or refused.
func (e *Engine) Exists(i nodegraph.Index) bool {
	return i != nodegraph.Root && e.verdicts[i].Phase != nodegraph.Planned
}

// Kind returns the type under which Argo lists node i: Skipped for a node that never came to be what it is.
func (e *Engine) Kind(i nodegraph.Index) nodegraph.Kind {
	if !e.facts[i].created() && e.verdicts[i].Phase != nodegraph.Planned {
		return nodegraph.NodeSkipped
	}
	return e.g.Node(i).Kind
}

// Apply tells the engine that it is now, and what happened. It returns what changed and what the host must do. Time
// never goes back: an earlier now counts as the latest one. The events of one call are one batch: either all are
// taken or, with an [*EventError], none. Their order does not matter, save where a constructor says so.
//
// Call it with no events when a timer has run out (ActionWake), and once at the beginning to start the workflow.
func (e *Engine) Apply(now time.Time, events ...Event) (Result, error) {
	for k := range events {
		if err := e.check(k, &events[k]); err != nil {
			return Result{}, err
		}
	}
	complete := e.Complete()
	e.begin(now)
	for k := range events {
		e.apply(&events[k])
	}
	e.settle()
	if e.Complete() && !complete {
		e.act(Action{Type: ActionComplete, Node: nodegraph.Root})
	}
	return e.finish(), nil
}

// begin opens a call: time moves on, and what waited for it is looked at again.
func (e *Engine) begin(now time.Time) {
	e.result = Result{}
	clear(e.changed)
	if now.After(e.now) {
		e.now = now
	}
	if e.Complete() {
		return
	}
	e.beginWorkflow()
	for _, i := range e.unsure { // the engine was loaded: the host may not have done it
		if e.verdicts[i].Rule == RuleStartOwed || e.verdicts[i].Rule == RulePodRecreate {
			e.actOn(ActionRecreate, i, "")
		}
	}
	e.unsure = nil
	for i := range e.timers.due(e.now) {
		e.timeCame(i)
	}
	e.applyDeadlines()
}

// timeCame looks again at a node whose timer has run out.
func (e *Engine) timeCame(i nodegraph.Index) {
	e.touch(i)
	if i == nodegraph.Root {
		return
	}
	e.checkTimeouts(i)
	if e.g.Node(i).Kind == nodegraph.TaskGroup && e.verdicts[i].Fulfilled && !e.facts[i].Seen && !e.withinEnded(i) {
		e.facts[i].Seen = true
		e.markReaders(i)
	}
}

// beginWorkflow starts the workflow once, after its locks.
func (e *Engine) beginWorkflow() {
	root := &e.facts[nodegraph.Root]
	if !e.started.IsZero() || root.Lock == LockAsked || root.Lock == LockWaits {
		return
	}
	if locks := e.g.Spec().Locks; len(locks) > 0 && root.Lock == LockNone {
		root.Lock = LockAsked
		e.touch(nodegraph.Root)
		e.act(Action{Type: ActionAcquire, Node: nodegraph.Root, Locks: locks})
		return
	}
	e.started = e.now
	if d := e.deadline(); !d.IsZero() {
		e.timers.add(d, nodegraph.Root)
	}
	e.touch(nodegraph.Root)
	e.touch(nodegraph.Entry)
}

// grow makes room for nodes that were added to the graph.
func (e *Engine) grow() {
	for len(e.facts) < e.g.Len() {
		e.facts = append(e.facts, Fact{})
		e.verdicts = append(e.verdicts, Verdict{By: nodegraph.None})
		e.counts = append(e.counts, false)
	}
}

// touch marks node i for evaluation.
func (e *Engine) touch(i nodegraph.Index) {
	e.queue.push(i, e.g.Node(i).Depth(), !e.facts[i].created() && i != nodegraph.Root)
}

// settle evaluates what is marked, from the deepest nodes up, and starts what should start, until nothing is left.
// Starts and other effects run from a parent down to its members, so they are no edges of the fixed point: they
// enter as facts between two sweeps.
func (e *Engine) settle() {
	for {
		e.sweep(0)
		if e.endMembers() {
			continue
		}
		if e.Complete() {
			for _, i := range e.wanted {
				e.abandon(i)
			}
			e.wanted = nil
			return
		}
		if !e.startWanted() {
			return
		}
	}
}

// sweep evaluates marked nodes that are at least so deep until none is left. A node comes after everything it depends
// on, so each is evaluated once unless a sibling that exists changed after it.
func (e *Engine) sweep(depth int) {
	for {
		i, ok := e.queue.pop(depth)
		if !ok {
			return
		}
		old := e.verdicts[i]
		v := e.evaluate(i)
		if !v.Wake.IsZero() && !v.Wake.Equal(old.Wake) {
			e.timers.add(v.Wake, i)
		}
		if f := &e.facts[i]; v.Rule == RulePodRecreate && f.Remade <= f.Serial {
			f.Remade = f.Serial + 1
			e.actOn(ActionRecreate, i, "")
		}
		if old.same(&v) {
			e.verdicts[i] = v
			continue
		}
		e.commit(i, &old, v)
	}
}

// commit records a changed verdict and marks what reads it.
func (e *Engine) commit(i nodegraph.Index, old *Verdict, v Verdict) {
	if _, seen := e.changed[i]; !seen {
		e.changed[i] = before{old.Phase, old.Message}
	}
	e.verdicts[i] = v
	e.countActive(i, (v.Phase == nodegraph.Pending || v.Phase == nodegraph.Running) && v.Rule != RuleLockWait)
	if v.want != 0 {
		e.wanted = append(e.wanted, i)
	}
	if v.Fulfilled != old.Fulfilled || v.Phase != old.Phase {
		e.phaseChanged(i, old, &v)
	}
	e.markReaders(i)
}

// markReaders marks the nodes whose rules read the verdict of i: its parent, planned siblings that come after it, and
// those that come after the owner of a hook.
func (e *Engine) markReaders(i nodegraph.Index) {
	if i == nodegraph.Root {
		return
	}
	n := e.g.Node(i)
	e.touch(n.Parent)
	if e.failFast {
		e.touchFailFast(i)
	}
	from := i
	if n.Role == nodegraph.RoleHook {
		from = n.Owner
	}
	for m := range e.g.Before(from) {
		if !e.facts[m].created() {
			e.touch(m)
		}
	}
}

// touchFailFast marks the boundary of node i, and the StepGroup it is in, where the boundary counts failures.
func (e *Engine) touchFailFast(i nodegraph.Index) {
	for p := e.g.Node(i).Parent; p > nodegraph.Root; p = e.g.Node(p).Parent {
		switch e.g.Node(p).Kind {
		case nodegraph.StepGroup:
			e.touch(p)
		case nodegraph.DAG, nodegraph.Steps:
			if e.g.Node(p).Template.FailFast {
				e.touch(p)
			}
			return
		}
	}
}

// phaseChanged does what follows from a node's settling or resuming.
func (e *Engine) phaseChanged(i nodegraph.Index, old, v *Verdict) {
	f, n := &e.facts[i], e.g.Node(i)
	switch {
	case v.Fulfilled && !v.Daemoned:
		delete(e.asked, i)
		if f.Finished.IsZero() {
			f.Finished = e.now
		}
		e.releaseLocks(i)
		if n.Kind == nodegraph.DAG || n.Kind == nodegraph.Steps || i == nodegraph.Root {
			e.settledC = append(e.settledC, i)
		}
		if n.Kind == nodegraph.TaskGroup && len(e.hooksOf(i)) > 0 && !f.Seen {
			e.timers.add(e.now, i) // its exit hook starts with the next call
		}
	case old.Fulfilled && !v.Fulfilled && n.Kind.Composite():
		f.Finished = time.Time{}
		for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
			if e.verdicts[m].want != 0 { // given up when this node ended
				e.wanted = append(e.wanted, m)
			}
		}
	}
}

// releaseLocks gives back what node i holds, in the same result in which it settles.
func (e *Engine) releaseLocks(i nodegraph.Index) {
	f := &e.facts[i]
	if f.Lock == LockNone {
		return
	}
	f.Lock = LockNone
	n := e.g.Node(i)
	e.act(Action{Type: ActionRelease, Node: i, ID: n.ID, Name: n.Name, Kind: n.Kind, Locks: e.locksOf(i)})
}

// locksOf returns the locks that node i holds while it is unfinished. Groups hold none, their members do; the attempts
// of a Retry run under the locks of the Retry.
func (w *inputs) locksOf(i nodegraph.Index) []nodegraph.Lock {
	n := w.g.Node(i)
	switch {
	case i == nodegraph.Root:
		return w.g.Spec().Locks
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.TaskGroup, n.Kind == nodegraph.StepGroup, n.Kind == nodegraph.Container:
		return nil
	}
	return n.Template.Locks
}

func (e *Engine) act(a Action) { e.result.Actions = append(e.result.Actions, a) }

func (e *Engine) actOn(t ActionType, i nodegraph.Index, message string) {
	n := e.g.Node(i)
	e.act(Action{Type: t, Node: i, ID: n.ID, Name: n.Name, Kind: n.Kind, Message: message})
}

// finish closes a call: it lists what changed, what is inside others first.
func (e *Engine) finish() Result {
	e.listChanges()
	if at, ok := e.timers.next(); ok && !e.Complete() && !at.Equal(e.timers.told) {
		e.timers.told = at
		e.act(Action{Type: ActionWake, Node: nodegraph.Root, At: at})
	}
	r := e.result
	e.result = Result{}
	return r
}
