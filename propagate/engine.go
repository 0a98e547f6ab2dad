package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// An Engine computes the phases of one workflow's nodes, incrementally: an event costs what it changes. It is
// deterministic, does no I/O, reads no clock and starts no goroutine: the host drives it. One goroutine at a time may
// use an Engine.
type Engine struct {
	graph *nodegraph.Graph // grows with the workflow; an index stays good for ever
	facts *store           // written by its own methods alone
	eval  evalContext      // what the rules say of the graph and the facts, between calls of every node

	sched    schedule // who is to be judged again; empty between calls
	waiting  starters // what wants to start and can't yet
	restored restored // what an engine owes that was made from what was stored; nothing after the first call
	out      output   // what the current call has brought about; empty between calls

	older   map[string]map[string]int64 // by node id: serials of the pods it had before, by UID
	wording Wording
	uses    uses // of the specification, which never changes
}

// schedule is what is to be judged, and when.
type schedule struct {
	queue      queue
	timers     timers
	endedQueue fifo              // nodes that have ended and whose end is to be finalized
	due        []nodegraph.Index // scratch of begin
	generation int               // nodes judged so far: what was looked at in one generation is not looked at again in it
}

// starters is what wants to start, and what holds it back.
type starters struct {
	wanted  []nodegraph.Index            // nodes that have come to want something since starters were looked at
	later   []nodegraph.Index            // nodes whose want something holds back, in StartOrder
	asked   map[nodegraph.Index]struct{} // nodes that the host was asked about and that did not start yet; each keeps a place
	active  int                          // pods that count against the workflow's parallelism
	census  countedCensus                // the last census that was taken
	triedAt int                          // the generation in which later was last looked at
	starts  starts                       // scratch of startWanted
}

// restored is what an engine owes that was made from what was stored.
type restored struct {
	completionUnreported bool              // it is complete, and the host was not told
	pendingRecreate      []nodegraph.Index // pods that were asked for before
	pendingQuestions     []nodegraph.Index // nodes about which the host was asked something before
}

// output is what the current call has brought about.
type output struct {
	result  *Result
	changed []changed         // nodes that changed, in the order in which they did first
	spare   []changed         // scratch of listChanges
	targets []nodegraph.Index // scratch of check: the nodes of the events
}

// uses are the features that cost something only where they are used.
type uses struct {
	failFast       bool // some template fails fast
	namedPhases    bool // the expression of some hook may name tasks or steps
	limits         bool // there is a limit of parallelism, or some template fails fast
	workflowStatus bool // the expression of a hook of some task refers to workflow.status
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
	has := g.Features()
	e := &Engine{graph: g, facts: &store{held: spec.Suspended, daemons: has.Daemons}}
	e.eval = evalContext{graph: g, facts: e.facts}
	e.uses = uses{failFast: has.FailFast, namedPhases: has.HookExpressions, limits: has.FailFast || has.Parallelism, workflowStatus: has.WorkflowStatus}
	e.waiting.asked = make(map[nodegraph.Index]struct{})
	e.allot(g.Len()) // more when there are more
	e.grow()
	return e, nil
}

// Graph returns the workflow's graph. Do not add nodes to it.
func (e *Engine) Graph() *nodegraph.Graph { return e.graph }

// Now is the latest time the engine was told.
func (e *Engine) Now() time.Time { return e.facts.now }

// Started is when the workflow started; zero before the first Apply and while it waits for its own locks.
func (e *Engine) Started() time.Time { return e.facts.started }

// Verdict returns what the rules say of node i. For a composite it costs a walk over the members.
func (e *Engine) Verdict(i nodegraph.Index) Verdict {
	own := e.eval
	own.scratch, own.origins = nil, nil
	return e.eval.spelled(own.evaluate(i, &own.facts.nodes[i]))
}

// Fact returns what is known of node i. It does not allocate.
func (e *Engine) Fact(i nodegraph.Index) Fact { return e.facts.fact(i) }

// Phase returns the phase and the message of node i. It does not allocate.
func (e *Engine) Phase(i nodegraph.Index) (nodegraph.Phase, string) {
	return e.eval.verdicts[i].phase(), e.eval.message(i)
}

// Workflow returns the phase and the message of the workflow. It does not allocate.
func (e *Engine) Workflow() (nodegraph.Phase, string) { return e.Phase(nodegraph.Root) }

// Complete tells whether the workflow is complete: nothing changes any more, but for a manual retry.
func (e *Engine) Complete() bool { return e.eval.verdicts[nodegraph.Root].fulfilled() }

// Exists tells whether node i is one that Argo would list: it was created, or was skipped, omitted or refused.
func (e *Engine) Exists(i nodegraph.Index) bool {
	return i != nodegraph.Root && e.eval.verdicts[i].phase() != nodegraph.Planned
}

// Kind returns the type under which Argo lists node i: Skipped for a node that never came to be what it is.
func (e *Engine) Kind(i nodegraph.Index) nodegraph.Kind {
	if !e.facts.nodes[i].created() && e.eval.verdicts[i].phase() != nodegraph.Planned {
		return nodegraph.NodeSkipped
	}
	return e.graph.Node(i).Kind
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
	complete := e.Complete() && !e.restored.completionUnreported
	e.out.result = result
	e.begin(now)
	e.take(events)
	e.settle()
	e.finish(complete)
	return nil
}

// begin opens a call: time moves on, and what waited for it is looked at again.
func (e *Engine) begin(now time.Time) {
	if now.After(e.facts.now) {
		e.facts.setNow(now)
	}
	if e.Complete() {
		return
	}
	if e.uses.workflowStatus && e.facts.setStatus(e.eval.verdicts[nodegraph.Root].phase()) {
		e.wakeEverybody()
	}
	if len(e.restored.pendingQuestions) > 0 {
		e.askAgain()
	}
	e.beginWorkflow()
	for _, i := range e.restored.pendingRecreate { // the engine was loaded: the host may not have done it
		if e.eval.verdicts[i].rule() == RuleStartOwed || e.eval.verdicts[i].rule() == RulePodRecreate {
			e.actOn(ActionRecreate, i, "")
		}
	}
	e.restored.pendingRecreate = nil
	if len(e.sched.timers.list) > 0 {
		e.timesCame()
	}
	if e.graph.Spec().ActiveDeadline > 0 {
		e.applyDeadline()
	}
}

// timesCame looks again at the nodes whose timers have run out.
func (e *Engine) timesCame() {
	if e.sched.timers.told <= e.facts.instant {
		e.sched.timers.told = 0 // the host was woken: a timer of this very moment is another
	}
	e.sched.due = e.sched.due[:0]
	for i, ok := e.sched.timers.due(e.facts.instant); ok; i, ok = e.sched.timers.due(e.facts.instant) {
		e.sched.due = append(e.sched.due, i)
	}
	for _, i := range e.sched.due {
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
	if e.eval.exitHookLater(i, e.eval.verdicts[i]) && !e.eval.withinEnded(i) {
		e.facts.see(i)
	}
}

// beginWorkflow starts the workflow once, after its locks.
func (e *Engine) beginWorkflow() {
	root := e.facts.root()
	if !e.facts.started.IsZero() || root.Lock == LockAsked || root.Lock == LockWaits {
		return
	}
	if locks := e.graph.Spec().Locks; len(locks) > 0 && root.Lock == LockNone {
		e.facts.setLock(nodegraph.Root, LockAsked)
		e.act(Action{Type: ActionAcquire, Node: nodegraph.Root, Locks: locks})
		return
	}
	e.facts.started = e.facts.now
	if d := e.eval.deadline(); !d.IsZero() {
		e.sched.timers.add(stampOf(d), nodegraph.Root)
	}
	e.wakeStart()
}

func (e *Engine) act(a Action) { e.out.result.Actions = append(e.out.result.Actions, a) }

func (e *Engine) actOn(t ActionType, i nodegraph.Index, message string) {
	n := e.graph.Node(i)
	e.act(Action{Type: t, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Message: message})
}

// largeCall is how many nodes may change in a call before the memory that it needed is looked at.
const largeCall = 1 << 6

// releaseScratch gives back what a call much larger than this one needed while it went on.
func (e *Engine) releaseScratch() {
	e.out.changed, e.out.spare, e.facts.written, e.sched.queue, e.waiting.starts, e.sched.due, e.out.targets = nil, nil, nil, queue{}, starts{}, nil, nil
	e.eval.scratch, e.eval.origins = nil, nil
	if len(e.waiting.wanted) == 0 {
		e.waiting.wanted = nil
	}
	if len(e.waiting.later) == 0 {
		e.waiting.later = nil
	}
}

// finish closes a call: it says that the workflow is complete, unless the host has known that, lists what changed and asks to be
// woken for the next timer.
func (e *Engine) finish(complete bool) {
	defer func() { e.out.result = nil }()
	if e.Complete() && !complete {
		e.act(Action{Type: ActionComplete, Node: nodegraph.Root})
		e.restored.completionUnreported = false
	}
	e.listChanges()
	if cap(e.out.changed) > largeCall && len(e.out.result.Changes) < cap(e.out.changed)/16 {
		e.releaseScratch()
	}
	if e.facts.phrases.full(len(e.facts.nodes)) {
		e.forgetPhrases()
	}
	if e.uses.workflowStatus && e.facts.status != e.eval.verdicts[nodegraph.Root].phase() {
		e.sched.timers.add(e.facts.instant, nodegraph.Root) // the next call sees another status
	}
	if len(e.sched.timers.list) == 0 || e.Complete() {
		return
	}
	if at := e.sched.timers.list[0].at; at != e.sched.timers.told {
		e.sched.timers.told = at
		e.act(Action{Type: ActionWake, Node: nodegraph.Root, At: at.time()})
	}
}
