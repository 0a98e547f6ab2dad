package rule

import (
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// An Evaluator judges the nodes of one workflow. It reads the graph, the facts and the verdicts that were recorded so far. A
// rule reads only verdicts of nodes that come before its own in the order of evaluation: deeper nodes, and siblings that
// it comes after. Rules write nothing: [Evaluator.Record] stores a verdict.
type Evaluator struct {
	graph    *nodegraph.Graph
	facts    *store.View
	briefs   []Brief
	messages []Message
	wakes    map[nodegraph.Index]store.Stamp
	states   []nodegraph.DepState // scratch of holds
	origins  []origins            // scratch of dagResult
}

// An origin is a task that failed and that another task comes after. It has its place among the tasks of the DAG, and over how
// many steps of the order it is reached. Zero steps mean that there is none.
type origin struct{ place, steps int32 }

// origins are the nearest failures that reach one task through skipped and omitted tasks alone, by class. The classes are
// those that no continueOn of their own covers, covered ones that are Failed, and covered ones that are in Error.
type origins [3]origin

// NewEvaluator returns an Evaluator without verdicts.
func NewEvaluator(graph *nodegraph.Graph, facts *store.View) *Evaluator {
	return &Evaluator{graph: graph, facts: facts}
}

// Grow makes room for the verdicts on nodes that were added to the graph.
func (e *Evaluator) Grow(room int) {
	e.briefs, e.messages = store.Grown(e.briefs, e.graph.Len(), room), store.Grown(e.messages, e.graph.Len(), room)
}

// ReleaseScratch gives back memory that large joins needed.
func (e *Evaluator) ReleaseScratch() { e.states, e.origins = nil, nil }

// Brief is the verdict on node i that was recorded last.
func (e *Evaluator) Brief(i nodegraph.Index) Brief { return e.briefs[i] }

// Ruling is the verdict on node i that was recorded last, as far as others read it.
func (e *Evaluator) Ruling(i nodegraph.Index) Ruling {
	return Ruling{Brief: e.briefs[i], Message: e.messages[i], Wake: e.wakes[i]}
}

// Wake is when node i is to be judged again though nothing happens, 0 for never.
func (e *Evaluator) Wake(i nodegraph.Index) store.Stamp { return e.wakes[i] }

// Record stores the verdict on node i.
func (e *Evaluator) Record(i nodegraph.Index, r Ruling) {
	e.briefs[i], e.messages[i] = r.Brief, r.Message
	if r.Wake != 0 || len(e.wakes) > 0 {
		e.recordWake(i, r.Wake)
	}
}

// recordWake stores when node i is to be judged again, 0 for never.
func (e *Evaluator) recordWake(i nodegraph.Index, at store.Stamp) {
	if at == 0 {
		delete(e.wakes, i)
		return
	}
	if e.wakes == nil {
		e.wakes = make(map[nodegraph.Index]store.Stamp)
	}
	e.wakes[i] = at
}

// ForgetWants forgets what should be started because of node i: if that ends at once, more of it is wanted anew.
func (e *Evaluator) ForgetWants(i nodegraph.Index) { e.briefs[i] = e.briefs[i].withoutWants() }

// NameOf is the name of node i; the workflow's for the workflow.
func (e *Evaluator) NameOf(i nodegraph.Index) string {
	if i == nodegraph.Root {
		return e.graph.Spec().Name
	}
	return e.graph.Node(i).Name()
}

// Said is the Message with words that no rule has made.
func (e *Evaluator) Said(words store.Phrase) Message { return Message{of: uint32(words)} }

// Message is the Message of the verdict on node i.
func (e *Evaluator) Message(i nodegraph.Index) Message { return e.messages[i] }

// EachSaid shows to do every phrase in a Message, which it may renumber.
func (e *Evaluator) EachSaid(do func(*store.Phrase)) {
	for i := range e.messages {
		if m := &e.messages[i]; m.kind == messageSaid {
			words := store.Phrase(m.of)
			do(&words)
			m.of = uint32(words)
		}
	}
}

// told is the Message with what was said of node i.
func (e *Evaluator) told(i nodegraph.Index) Message { return Message{of: uint32(e.facts.Phrase(i))} }

// OpenMember is something directly inside node i that was created and is not fulfilled; None if nothing is.
func (e *Evaluator) OpenMember(i nodegraph.Index) nodegraph.Index {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Exists && !e.briefs[m].Fulfilled() {
			return m
		}
	}
	return nodegraph.None
}

// firstOpen returns a member that holds composite i open, None if none does; a daemon does not where daemons are passed.
func (e *Evaluator) firstOpen(i nodegraph.Index, passed bool) nodegraph.Index {
	kind := e.facts.Node(i).Kind
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Counts && e.briefs[m].HoldsOpen(kind) && !(passed && e.isDaemon(m)) {
			return m
		}
	}
	return nodegraph.None
}

// staysPending reports whether node i is a composite that has waited for a lock, or was not found in the cache: Argo never sets it to
// Running.
func (e *Evaluator) staysPending(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	return n.Kind.Composite() && (n.Waited || e.facts.Memo(i) == fact.AnswerRun)
}

// LocksOf returns the locks that node i holds while it is unfinished.
func (e *Evaluator) LocksOf(i nodegraph.Index) []nodegraph.Lock {
	if i == nodegraph.Root {
		return e.graph.Spec().Locks
	}
	if t := e.ownTemplate(i); t != nil {
		return t.Locks
	}
	return nil
}

// MemoKey is the memoization key that is looked up before node i runs, empty for none.
func (e *Evaluator) MemoKey(i nodegraph.Index) string {
	if t := e.ownTemplate(i); t != nil {
		return t.Memoize
	}
	return ""
}

// ownTemplate is the template that begins with node i, nil for none. Of a group it does so with each member, of a Retry with the Retry and not
// with an attempt, and of a pod not with a container.
func (e *Evaluator) ownTemplate(i nodegraph.Index) *nodegraph.Template {
	n := e.graph.Node(i)
	switch {
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.KindTaskGroup, n.Kind == nodegraph.KindStepGroup, n.Kind == nodegraph.KindContainer:
		return nil
	}
	return n.Template
}

// replaced reports whether step m stood for items that are now nodes of their own.
func (e *Evaluator) replaced(m nodegraph.Index) bool {
	return e.facts.Node(m).Kind == nodegraph.KindTaskGroup && e.facts.Node(m).Answer == fact.AnswerRun
}

// Checkpoint returns a function that puts the verdicts on all nodes back as they are now. No node may be added in between.
func (e *Evaluator) Checkpoint() (undo func()) {
	briefs, messages := slices.Clone(e.briefs), slices.Clone(e.messages)
	return func() {
		copy(e.briefs, briefs)
		copy(e.messages, messages)
	}
}

// CloneTo makes c a copy of the evaluator, for a copy of what it reads. What c held is overwritten, and its memory is used again.
func (e *Evaluator) CloneTo(c *Evaluator, graph *nodegraph.Graph, facts *store.View) {
	old := *c
	*c = Evaluator{graph: graph, facts: facts, wakes: maps.Clone(e.wakes), states: old.states, origins: old.origins}
	c.briefs, c.messages = store.Copied(old.briefs, e.briefs), store.Copied(old.messages, e.messages)
}
