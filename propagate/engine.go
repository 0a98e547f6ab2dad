package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/sched"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// An Engine computes the phases of one workflow's nodes, incrementally: an event costs what it changes. It is
// deterministic, does no I/O, reads no clock and starts no goroutine: the host drives it. One goroutine at a time may
// use an Engine.
type Engine struct {
	graph *nodegraph.Graph // grows with the workflow; the index of a node stays good for ever
	facts *store.Store     // what was observed; has a record for every node of graph
	rules *rule.Evaluator  // the verdicts; between calls each is what the rules say of graph and facts
	sched *sched.Schedule  // who is to be judged again; nobody between calls

	starts   starts      // what wants to start; between calls, what is held back
	ended    fifo        // nodes that have ended and whose end is to be finalized; empty between calls
	restored restored    // what an engine owes that was made from what was stored; nothing after the first call
	out      output      // what the current call has brought about; empty between calls
	older    olderPods   // the pods that nodes had before those that are known
	wording  Wording     // of what SyncPods observes; decides no phase
	reads    hostFeature // of the specification; never changes
}

// hostFeature are the features of a specification that cost something only where they are used.
type hostFeature struct {
	limits         bool // there is a limit of parallelism, or some template fails fast
	workflowStatus bool // the expression of a hook of some task refers to workflow.status
}

// restored is what an engine owes that was made from what was stored.
type restored struct {
	completionUnreported bool              // it is complete, and the host was not told
	pendingRecreate      []nodegraph.Index // pods that were asked for before
	pendingQuestions     []nodegraph.Index // nodes about which the host was asked something before
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
	e := &Engine{graph: g, facts: store.New(spec.Suspended, has.Daemons)}
	e.rules = rule.NewEvaluator(g, &e.facts.View)
	e.sched = sched.New(g, e.facts, e.rules)
	e.reads = hostFeature{limits: has.FailFast || has.Parallelism, workflowStatus: has.WorkflowStatus}
	e.starts.asked = make(map[nodegraph.Index]struct{})
	e.grow()
	return e, nil
}

// grow makes room for nodes that were added to the graph, which are to be judged: as much as the graph has, which knows best
// what is still to come.
func (e *Engine) grow() {
	if e.facts.Len() == e.graph.Len() {
		return
	}
	room := e.graph.Room()
	e.facts.Grow(e.graph, room)
	e.rules.Grow(room)
	e.sched.Grow(room)
	e.out.grow(e.graph.Len(), room)
}

// Graph returns the workflow's graph. Do not add nodes to it.
func (e *Engine) Graph() *nodegraph.Graph { return e.graph }

// Now is the latest time the engine was told.
func (e *Engine) Now() time.Time { return e.facts.Now() }

// Started is when the workflow started; zero before the first Apply and while it waits for its own locks.
func (e *Engine) Started() time.Time { return e.facts.Started() }

// Verdict returns what the rules say of node i. For a composite it costs a walk over the members.
func (e *Engine) Verdict(i nodegraph.Index) rule.Verdict { return e.rules.Spell(e.rules.JudgeAside(i)) }

// Explain says why node i has its phase: the node first, then the node that decided that, and so on down to the facts.
// Each node comes once. It allocates.
func (e *Engine) Explain(i nodegraph.Index) []rule.Reason { return e.rules.Explain(i) }

// Fact returns what is known of node i. It does not allocate.
func (e *Engine) Fact(i nodegraph.Index) fact.Fact { return e.facts.Fact(i) }

// Phase returns the phase and the message of node i. It does not allocate.
func (e *Engine) Phase(i nodegraph.Index) (nodegraph.Phase, string) {
	return e.rules.Brief(i).Phase(), e.rules.MessageWords(i)
}

// Workflow returns the phase and the message of the workflow. It does not allocate.
func (e *Engine) Workflow() (nodegraph.Phase, string) { return e.Phase(nodegraph.Root) }

// Complete reports whether the workflow is complete: nothing changes any more, but for a manual retry.
func (e *Engine) Complete() bool { return e.rules.Brief(nodegraph.Root).Fulfilled() }

// Exists reports whether node i is one that Argo would list: it was created, or was skipped, omitted or refused.
func (e *Engine) Exists(i nodegraph.Index) bool {
	return i != nodegraph.Root && e.rules.Brief(i).Phase() != nodegraph.Planned
}

// Kind returns the type under which Argo lists node i: Skipped for a node that never came to be what it is.
func (e *Engine) Kind(i nodegraph.Index) nodegraph.Kind {
	if !e.facts.Node(i).Exists() && e.rules.Brief(i).Phase() != nodegraph.Planned {
		return nodegraph.NodeSkipped
	}
	return e.graph.Node(i).Kind
}
