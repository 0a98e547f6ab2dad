package propagate

import (
	"sync/atomic"
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
//
// An Engine must not be copied. The section Misuse of the package documentation lists what else can go wrong, and how it shows.
type Engine struct {
	_    noCopy
	self *Engine     // the engine; nil where New did not make it, and another one in a copy
	busy atomic.Bool // a call is under way: another goroutine's is refused

	graph *nodegraph.Graph // grows with the workflow; the index of a node stays good for ever
	facts *store.Store     // what was observed; has a record for every node of graph
	rules *rule.Evaluator  // the verdicts; between calls each is what the rules say of graph and facts
	sched *sched.Schedule  // who is to be judged again; nobody between calls

	stops    stops      // what the current call is to stop; empty between calls
	starts   starts     // what wants to start; between calls, what is held back
	ended    sched.Fifo // nodes that have ended, or are ready daemons with locks, and are to be finalized; empty between calls
	restored restored   // what an engine owes that was made from what was stored; nothing after the first call
	out      output     // what the current call has brought about; empty between calls
	older    olderPods  // the pods that nodes had before those that are known
	style    style      // of what SyncPods observes; decides no phase
	has      features   // of the specification; never changes

	fingerprint string // of the specification, for states; empty until the first
}

// features are what a specification may have, and costs something only where it is used.
type features struct {
	limits           bool // there is a limit of parallelism, or some template fails fast
	lockedComposites bool // a template of a DAG or of Steps has locks
	workflowStatus   bool // the expression of a hook of some task refers to workflow.status
}

// stops is what is to be stopped once all events of a call were taken: what they tell of it comes first.
type stops struct {
	shutdown, deadline bool              // that was told, or passed, with this call
	timeouts           []nodegraph.Index // whose timers have run out
	looking            bool              // what the events tell is judged, and nothing was stopped yet
	gone               []nodegraph.Index // whose pods are to be made again, unless they are stopped
}

// due reports whether anything is to be stopped.
func (s *stops) due() bool { return s.shutdown || s.deadline || len(s.timeouts) > 0 }

// restored is what an engine owes that was made from what was stored, or that is to remind its host.
type restored struct {
	completionUnreported bool              // the host was not told yet that it is complete, or is again after a manual retry
	pending              bool              // one of the lists that follow has a node
	pendingRecreate      []nodegraph.Index // nodes whose pods, or whose serving, were asked for before
	pendingQuestions     []nodegraph.Index // nodes about which the host was asked something before
	pendingEnds          []nodegraph.Index // nodes whose pods the host was told to end before
	shutdown             bool              // the record has a strategy, and does not tell how far it was carried out
}

// grow makes room for nodes that were added to the graph, which are to be judged: as much as the graph has, which knows best
// what is still to come.
func (e *Engine) grow() {
	if e.facts.Len() == e.graph.Len() {
		return
	}
	room := e.graph.Cap()
	e.facts.Grow(e.graph, room)
	e.rules.Grow(room)
	e.sched.Grow(room)
	e.out.grow(e.graph.Len(), room)
}

// Graph returns the workflow's graph. Do not add nodes to it: the engine notices, and takes no further call.
func (e *Engine) Graph() *nodegraph.Graph { return e.graph }

// Now is the latest time the engine was told.
func (e *Engine) Now() time.Time { return e.facts.Now }

// Started is when the workflow started; zero before the first Apply and while it waits for its own locks.
func (e *Engine) Started() time.Time { return e.facts.Started }

// must panics where there is no node i, as for a name that no node has.
func (e *Engine) must(i nodegraph.Index) {
	if uint(i) >= uint(e.graph.Len()) {
		panic(noNode(int(i), e.graph.Len()))
	}
}

// Verdict returns what the rules say of node i. For a composite it costs a walk over the members. It panics if there is no node i.
func (e *Engine) Verdict(i nodegraph.Index) rule.Verdict {
	e.must(i)
	return e.rules.Spell(e.rules.JudgeAside(i))
}

// Explain says why node i has its phase: the node first, then the node that decided that, and so on down to the facts.
// Each node comes once. It allocates. It panics if there is no node i.
func (e *Engine) Explain(i nodegraph.Index) []rule.Reason {
	e.must(i)
	return e.rules.Explain(i)
}

// Fact returns what is known of node i. It does not allocate. It panics if there is no node i.
func (e *Engine) Fact(i nodegraph.Index) fact.Fact {
	e.must(i)
	return e.facts.Fact(i)
}

// Phase returns the phase and the message of node i. It does not allocate. It panics if there is no node i.
func (e *Engine) Phase(i nodegraph.Index) (nodegraph.Phase, string) {
	e.must(i)
	return e.rules.Brief(i).Phase(), e.rules.MessageWords(i)
}

// Workflow returns the phase and the message of the workflow. It does not allocate.
func (e *Engine) Workflow() (nodegraph.Phase, string) { return e.Phase(nodegraph.Root) }

// Complete reports whether the workflow is complete: nothing changes any more, but for a manual retry.
func (e *Engine) Complete() bool { return e.rules.Brief(nodegraph.Root).Fulfilled() }

// Exists reports whether node i is one that Argo would list: it was created, or was skipped, omitted or refused. It panics if there
// is no node i.
func (e *Engine) Exists(i nodegraph.Index) bool {
	e.must(i)
	return i != nodegraph.Root && e.rules.Brief(i).Phase() != nodegraph.PhasePlanned
}

// Kind returns the type under which Argo lists node i: Skipped for a node that never came to be what it is. It panics if there is
// no node i.
func (e *Engine) Kind(i nodegraph.Index) nodegraph.Kind {
	if !e.facts.Node(i).Exists && e.rules.Brief(i).Phase() != nodegraph.PhasePlanned {
		return nodegraph.KindSkipped
	}
	return e.graph.Node(i).Kind
}

// SetBareMessages chooses whether [Engine.SyncPods] leaves out the names of failed containers in messages from now on. Bare is "Error
// (exit code 1)" in place of "main: Error (exit code 1)", as Argo's releases up to 3.6 put it. It changes no phase.
func (e *Engine) SetBareMessages(bare bool) { e.style = style(bare) }

// kinds are kinds of nodes, as bits.
type kinds uint16

const (
	pods          kinds = 1 << nodegraph.KindPod
	startedByHost kinds = pods | 1<<nodegraph.KindHTTP | 1<<nodegraph.KindPlugin
	anyKind       kinds = 1<<16 - 1
)

func (k kinds) has(kind nodegraph.Kind) bool { return k>>(kind&15)&1 != 0 }

// output is what the current call has brought about.
type output struct {
	result  *Result           // of the caller; nil between calls
	changed []changed         // nodes that changed, in the order in which they did first
	place   []int32           // by node: one more than its place in changed, 0 if it is not there
	spare   []changed         // scratch of inOrder
	next    []int32           // scratch of inOrder: by depth, where the next goes
	targets []nodegraph.Index // scratch of check: the nodes of the events
}

// changed is a node that changed during the current call, and how it looked before.
type changed struct {
	node    nodegraph.Index
	depth   uint16
	phase   nodegraph.Phase
	message rule.Message
}

// grow makes room for so many nodes.
func (o *output) grow(n, room int) { o.place = store.Grown(o.place, n, room) }

// act adds an action to the result.
func (e *Engine) act(a Action) { e.out.result.Actions = append(e.out.result.Actions, a) }

// actOn adds an action on node i to the result.
func (e *Engine) actOn(t ActionType, i nodegraph.Index, message string) {
	e.act(e.actionOn(t, i, message))
}

// actionOn is an action on node i.
func (e *Engine) actionOn(t ActionType, i nodegraph.Index, message string) Action {
	n := e.graph.Node(i)
	return Action{Type: t, Node: i, ID: n.ID(), Name: n.Name(), Kind: n.Kind, Message: message}
}

// noteChange notes how node i looked before it first changed in this call.
func (e *Engine) noteChange(i nodegraph.Index, phase nodegraph.Phase, m rule.Message) {
	if e.out.place[i] == 0 {
		e.out.changed = append(e.out.changed, changed{node: i, depth: e.facts.Node(i).Depth, phase: phase, message: m})
		e.out.place[i] = int32(len(e.out.changed))
	}
}

// starts is what wants to start, and what holds it back.
type starts struct {
	wanted     []nodegraph.Index            // nodes that have come to want something since the last look
	later      []nodegraph.Index            // nodes whose want something holds back, in StartOrder
	asked      map[nodegraph.Index]struct{} // nodes that the host was asked about and that did not start yet; each keeps a place
	active     int                          // pods that count against the workflow's parallelism, where there are limits
	census     countedCensus                // the last census that was taken
	lookedAt   int                          // the generation in which later was last looked at, -1 to look again
	candidates candidates                   // scratch of startWanted
}

// countedCensus is a census and what it was taken of.
type countedCensus struct {
	rule.Census
	boundary   nodegraph.Index
	generation int
}

// candidates holds nodes that may start, in runs each of which is in StartOrder. What starts inside a node makes a run that
// is used up before those below it go on, so few runs are open at a time.
type candidates struct {
	nodes []nodegraph.Index
	runs  []startRun
}

// startRun is a part of candidates.nodes.
type startRun struct{ head, end int }

// want notes that node i wants something.
func (s *starts) want(i nodegraph.Index) { s.wanted = append(s.wanted, i) }

// lookAgain makes what is held back be looked at again.
func (s *starts) lookAgain() { s.lookedAt = -1 }

// forget frees the place that was kept for node i while the host was asked about it: another may have it.
func (s *starts) forget(i nodegraph.Index) {
	if _, kept := s.asked[i]; kept {
		delete(s.asked, i)
		s.lookAgain()
	}
}

// olderPods are the pods that nodes had before those that are known: by the id of the node, their serials by UID.
type olderPods map[string]map[string]int64
