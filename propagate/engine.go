package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// An Engine computes the phases of one workflow's nodes, incrementally: an event costs what it changes. It is
// deterministic, does no I/O, reads no clock and starts no goroutine: the host drives it. One goroutine at a time may
// use an Engine.
type Engine struct {
	view
	untold bool                        // complete since it was restored, and the host was not told
	older  map[string]map[string]int64 // by node id: serials of the pods it had before, by UID

	queue      queue
	starts     starts
	wanted     []nodegraph.Index            // nodes that have come to want something
	later      []nodegraph.Index            // nodes whose want something holds back, in StartOrder
	lastCensus countedCensus                // the last census that was taken
	tried      int                          // how much had been judged when the wants were last looked at
	active     int                          // pods that count against the workflow's parallelism
	asked      map[nodegraph.Index]struct{} // nodes that the host was asked about and that did not start yet; each keeps a place
	changed    []changed                    // nodes that changed during the current call, in the order in which they did first
	ordered    []changed                    // scratch of listChanges
	due        []nodegraph.Index            // scratch of begin
	targets    []nodegraph.Index            // scratch of ApplyTo: the nodes of the events
	timers     timers
	unseen     fifo              // nodes that have ended and whose end is to be seen to
	unsure     []nodegraph.Index // pods that were asked for before the engine was loaded
	unasked    []nodegraph.Index // nodes about which the host was asked something before that
	wording    Wording
	result     *Result // of the current call
	judged     int     // nodes evaluated so far: the tests count work, not time

	failFast bool // some template fails fast
	named    bool // the expression of some hook may name tasks or steps
	limited  bool // there is a limit of parallelism, or some template fails fast
	overdue  bool // the deadline was applied
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
	uses := g.Features()
	e := &Engine{asked: make(map[nodegraph.Index]struct{}), failFast: uses.FailFast, named: uses.HookExpressions}
	e.limited = uses.FailFast || uses.Parallelism
	e.inputs = &inputs{g: g, held: spec.Suspended, daemons: uses.Daemons}
	e.allot(g.Len()) // more when there are more
	e.grow()
	return e, nil
}

// Graph returns the workflow's graph. Do not add nodes to it.
func (e *Engine) Graph() *nodegraph.Graph { return e.g }

// Now is the latest time the engine was told.
func (e *Engine) Now() time.Time { return e.now }

// Started is when the workflow started; zero before the first Apply and while it waits for its own locks.
func (e *Engine) Started() time.Time { return e.started }

// Verdict returns what the rules say of node i. For a composite it costs a walk over the members.
func (e *Engine) Verdict(i nodegraph.Index) Verdict {
	own := e.view
	own.scratch, own.origins = nil, nil
	return e.spelled(own.evaluate(i, &own.nodes[i]))
}

// Fact returns what is known of node i. It does not allocate.
func (e *Engine) Fact(i nodegraph.Index) Fact { return e.fact(i) }

// Phase returns the phase and the message of node i. It does not allocate.
func (e *Engine) Phase(i nodegraph.Index) (nodegraph.Phase, string) {
	return e.verdicts[i].phase(), e.message(i)
}

// Workflow returns the phase and the message of the workflow. It does not allocate.
func (e *Engine) Workflow() (nodegraph.Phase, string) { return e.Phase(nodegraph.Root) }

// Complete tells whether the workflow is complete: nothing changes any more, but for a manual retry.
func (e *Engine) Complete() bool { return e.verdicts[nodegraph.Root].fulfilled() }

// Exists tells whether node i is one that Argo would list: it was created, or was skipped, omitted or refused.
func (e *Engine) Exists(i nodegraph.Index) bool {
	return i != nodegraph.Root && e.verdicts[i].phase() != nodegraph.Planned
}

// Kind returns the type under which Argo lists node i: Skipped for a node that never came to be what it is.
func (e *Engine) Kind(i nodegraph.Index) nodegraph.Kind {
	if !e.nodes[i].created() && e.verdicts[i].phase() != nodegraph.Planned {
		return nodegraph.NodeSkipped
	}
	return e.g.Node(i).Kind
}

// Apply tells the engine that it is now, and what happened. It returns what changed and what the host must do. Time
// never goes back: an earlier now counts as the latest one. The events of one call are one batch: either all are
// taken or, with an [*EventError], none. Their order does not matter, save where a constructor says so.
//
// Call it with no events when a timer has run out (ActionWake), and once at the beginning to start the workflow.
//
// The slices of the result are the caller's. [Engine.ApplyTo] reuses them and does not allocate.
func (e *Engine) Apply(now time.Time, events ...Event) (Result, error) {
	var r Result
	err := e.ApplyTo(&r, now, events...)
	return r, err
}

// ApplyTo is Apply with a result to fill in: what it held is overwritten, and its slices are used again. An event that
// adds no node does not allocate once they are large enough. On an error the result is empty.
func (e *Engine) ApplyTo(result *Result, now time.Time, events ...Event) error {
	result.reset()
	if err := e.check(events); err != nil {
		return err
	}
	complete := e.Complete() && !e.untold
	e.result = result
	e.begin(now)
	targets := e.targets[:len(events)]
	for k := range events {
		e.apply(&events[k], targets[k])
	}
	if !e.idle() {
		e.settle()
	}
	if e.Complete() && !complete {
		e.act(Action{Type: ActionComplete, Node: nodegraph.Root})
		e.untold = false
	}
	e.finish()
	e.result = nil
	return nil
}

// begin opens a call: time moves on, and what waited for it is looked at again.
func (e *Engine) begin(now time.Time) {
	if now.After(e.now) {
		e.setNow(now)
	}
	if e.Complete() {
		return
	}
	if len(e.unasked) > 0 {
		e.askAgain()
	}
	e.beginWorkflow()
	for _, i := range e.unsure { // the engine was loaded: the host may not have done it
		if e.verdicts[i].rule() == RuleStartOwed || e.verdicts[i].rule() == RulePodRecreate {
			e.actOn(ActionRecreate, i, "")
		}
	}
	e.unsure = nil
	if len(e.timers.list) > 0 {
		e.timesCame()
	}
	if e.g.Spec().ActiveDeadline > 0 {
		e.applyDeadline()
	}
}

// timesCame looks again at the nodes whose timers have run out.
func (e *Engine) timesCame() {
	if e.timers.told <= e.instant {
		e.timers.told = 0 // the host was woken: a timer of this very moment is another
	}
	e.due = e.due[:0]
	for i, ok := e.timers.due(e.instant); ok; i, ok = e.timers.due(e.instant) {
		e.due = append(e.due, i)
	}
	for _, i := range e.due {
		e.timeCame(i)
	}
}

// timeCame looks again at a node whose timer has run out.
func (e *Engine) timeCame(i nodegraph.Index) {
	e.wakeTimer(i)
	if i == nodegraph.Root {
		return
	}
	e.checkTimeouts(i)
	if e.g.Node(i).Kind == nodegraph.TaskGroup && e.verdicts[i].fulfilled() && !e.nodes[i].Seen && !e.withinEnded(i) {
		e.see(i)
	}
}

// beginWorkflow starts the workflow once, after its locks.
func (e *Engine) beginWorkflow() {
	root := e.root()
	if !e.started.IsZero() || root.Lock == LockAsked || root.Lock == LockWaits {
		return
	}
	if locks := e.g.Spec().Locks; len(locks) > 0 && root.Lock == LockNone {
		e.setLock(nodegraph.Root, LockAsked)
		e.act(Action{Type: ActionAcquire, Node: nodegraph.Root, Locks: locks})
		return
	}
	e.started = e.now
	if d := e.deadline(); !d.IsZero() {
		e.timers.add(stampOf(d), nodegraph.Root)
	}
	e.wakeStart()
}

func (e *Engine) act(a Action) { e.result.Actions = append(e.result.Actions, a) }

func (e *Engine) actOn(t ActionType, i nodegraph.Index, message string) {
	n := e.g.Node(i)
	e.act(Action{Type: t, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Message: message})
}

// largeCall is how many nodes may change in a call before the memory that it needed is looked at.
const largeCall = 1 << 6

// releaseScratch gives back what a call much larger than this one needed while it went on.
func (e *Engine) releaseScratch() {
	e.changed, e.ordered, e.written, e.queue, e.starts, e.due, e.targets = nil, nil, nil, queue{}, starts{}, nil, nil
	e.scratch, e.origins = nil, nil
	if len(e.wanted) == 0 {
		e.wanted = nil
	}
	if len(e.later) == 0 {
		e.later = nil
	}
}

// finish closes a call: it lists what changed, what is inside others first.
func (e *Engine) finish() {
	e.listChanges()
	if cap(e.changed) > largeCall && len(e.result.Changes) < cap(e.changed)/16 {
		e.releaseScratch()
	}
	if e.phrases.full(len(e.nodes)) {
		e.forgetPhrases()
	}
	if len(e.timers.list) == 0 || e.Complete() {
		return
	}
	if at := e.timers.list[0].at; at != e.timers.told {
		e.timers.told = at
		e.act(Action{Type: ActionWake, Node: nodegraph.Root, At: at.time()})
	}
}
