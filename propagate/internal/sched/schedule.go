// Package sched says which nodes are judged next: a queue from the deepest up, timers, counters where joins meet, and one table
// of who reads what (readers.go).
package sched

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// A Schedule is what is to be judged of one workflow.
type Schedule struct {
	graph      *nodegraph.Graph
	facts      *store.Store
	rules      *rule.Evaluator
	nodes      []state     // by node
	fast       []fastCount // by node, those of boundaries that fail fast; empty if there are none
	queue      queue
	timers     timers
	due        []nodegraph.Index // scratch of TakeDue
	generation int               // nodes taken so far
	uses       uses
	tracks     bool              // judged is kept
	judged     []nodegraph.Index // nodes taken since TakeJudged, each once
}

// state is what the schedule knows of a node.
type state struct {
	open    int32 // of a composite: its members that hold it open
	blocked int32 // of a planned task: those that it comes after and that are not clear
	queued  bool  // it is in the queue
	clear   bool  // what comes after it may go on
	judged  bool  // it is in Schedule.judged
	failed  bool  // it is counted as failed in its boundary: see fastCount
	busy    bool  // it is counted as busy there
}

// uses are the features of a workflow that make more nodes read something.
type uses struct {
	failFast       bool // some template fails fast
	locks          bool // some template has locks
	namedPhases    bool // the expression of some hook may name tasks or steps
	workflowStatus bool // the expression of a hook of some task refers to workflow.status
}

// New returns a Schedule without nodes.
func New(graph *nodegraph.Graph, facts *store.Store, rules *rule.Evaluator) *Schedule {
	has := graph.Features()
	return &Schedule{graph: graph, facts: facts, rules: rules,
		uses: uses{failFast: has.FailFast, locks: has.Locks, namedPhases: has.HookExpressions, workflowStatus: has.WorkflowStatus}}
}

// Grow adds the nodes that the graph has and the schedule has not, and wakes who reads that they were added. Where the array
// is too small it gets room for so many nodes.
func (s *Schedule) Grow(room int) {
	from := len(s.nodes)
	s.nodes = store.Grown(s.nodes, s.graph.Len(), room)
	if s.uses.failFast {
		s.fast = store.Grown(s.fast, s.graph.Len(), room)
	}
	for i := nodegraph.Index(from); int(i) < len(s.nodes); i++ {
		n := s.facts.Node(i)
		if n.IsTask {
			plan, first := s.graph.PlanOf(n.Parent)
			s.nodes[i].blocked = int32(len(plan.Dependencies(int32(i - first))))
		}
		if n.Counts && i != nodegraph.Root {
			s.nodes[n.Parent].open++
		}
		s.wakeAdded(i, n)
	}
}

// Next takes the next node to be judged that is at least so deep, after it has woken who reads the facts that have changed.
// It returns None when there is none. A node comes after all that it depends on, so each is judged once unless a sibling
// that exists changes after it.
func (s *Schedule) Next(depth int) nodegraph.Index {
	if s.facts.Written() {
		s.facts.TakeWritten(s.wakeFactReaders)
	}
	i := s.queue.pop(depth)
	if i != nodegraph.None {
		s.take(i)
	}
	return i
}

// take notes that node i is judged now.
func (s *Schedule) take(i nodegraph.Index) {
	s.nodes[i].queued = false
	s.generation++
	if s.tracks && !s.nodes[i].judged {
		s.nodes[i].judged = true
		s.judged = append(s.judged, i)
	}
}

// TakeJudged returns the nodes that were judged since it was called last: any whose fact or verdict has changed is among them. It
// returns false with the first call, and the caller has to take all nodes for judged. The slice is good until the next call of the
// schedule.
func (s *Schedule) TakeJudged() (judged []nodegraph.Index, known bool) {
	known, s.tracks = s.tracks, true
	judged, s.judged = s.judged, s.judged[:0]
	for _, i := range judged {
		s.nodes[i].judged = false
	}
	return judged, known
}

// Empty reports whether nothing is left to be judged.
func (s *Schedule) Empty() bool { return s.queue.size == 0 && !s.facts.Written() }

// Generation is how many nodes were taken so far: what was looked at in one generation is not looked at again in it.
func (s *Schedule) Generation() int { return s.generation }

// All calls judge for every node: what is inside others first and, of what was not created, each after all that it comes
// after. What is inside a node, and what comes after one, has the higher index, so a walk from the last to the first needs
// no queue; that is left to the few nodes which change after they were judged.
func (s *Schedule) All(judge func(nodegraph.Index)) {
	for i := range s.nodes {
		s.nodes[i].queued = true
	}
	s.facts.TakeWritten(func(nodegraph.Index) {})
	s.queue = queue{}
	each := func(i nodegraph.Index) {
		s.take(i)
		judge(i)
	}
	for i := nodegraph.Index(len(s.nodes)) - 1; i >= nodegraph.Root; i-- {
		if i > nodegraph.Entry && !s.facts.Node(i).Exists {
			if !s.facts.Node(s.facts.Node(i).Parent).Exists {
				each(i) // any other is judged with its siblings, when the walk comes to their parent
			}
			continue
		}
		for m := s.graph.First(i); m != nodegraph.None; m = s.graph.Next(m) {
			if !s.facts.Node(m).Exists && m != nodegraph.Entry {
				each(m)
			}
		}
		each(i)
	}
}

// Reserve makes room at once for so many planned nodes of one depth.
func (s *Schedule) Reserve(depth, nodes int) {
	l := s.queue.list(rank(depth, true))
	l.nodes = slices.Grow(l.nodes, nodes)
}

// ReleaseScratch gives back memory that a large call needed. Nothing may be left to be judged.
func (s *Schedule) ReleaseScratch() { s.queue, s.due = queue{}, nil }

// Checkpoint returns a function that puts the counters of all nodes back as they are now. No node may be added in between.
func (s *Schedule) Checkpoint() (undo func()) {
	nodes, fast := slices.Clone(s.nodes), slices.Clone(s.fast)
	return func() {
		copy(s.nodes, nodes)
		copy(s.fast, fast)
	}
}

// SetTimer makes node i be judged again at a time.
func (s *Schedule) SetTimer(at store.Stamp, i nodegraph.Index) { s.timers.add(at, i) }

// TakeDue takes the nodes whose timers have run out. The slice is good until the next call.
func (s *Schedule) TakeDue(now store.Stamp) []nodegraph.Index {
	s.due = s.due[:0]
	if len(s.timers.list) == 0 {
		return s.due
	}
	if s.timers.told <= now {
		s.timers.told = 0 // the host was woken: a timer of this very moment is another
	}
	for i, ok := s.timers.next(now); ok; i, ok = s.timers.next(now) {
		s.due = append(s.due, i)
	}
	return s.due
}

// NextWake is the time of the next timer; false where there is none or it was returned before.
func (s *Schedule) NextWake() (at store.Stamp, isNew bool) {
	if len(s.timers.list) == 0 || s.timers.list[0].at == s.timers.told {
		return 0, false
	}
	s.timers.told = s.timers.list[0].at
	return s.timers.told, true
}

// FirstTimer is the time of the next timer, 0 for none.
func (s *Schedule) FirstTimer() store.Stamp {
	if len(s.timers.list) == 0 {
		return 0
	}
	return s.timers.list[0].at
}

// queue holds the nodes to evaluate. It yields the deepest first, and of one depth those that exist before those that
// are planned: causes come before effects. What is planned is put in only when nothing it comes after is open, so that
// order needs no more than that.
type queue struct {
	lists []Fifo // by rank: what has a higher one comes first
	top   int    // no list of a higher rank holds a node
	size  int
}

// A Fifo is a queue of nodes in the order in which they came. The zero value is empty.
type Fifo struct {
	nodes []nodegraph.Index
	head  int // the first that is left
}

// Push adds node i.
func (f *Fifo) Push(i nodegraph.Index) { f.nodes = append(f.nodes, i) }

// Empty reports whether no node is left.
func (f *Fifo) Empty() bool { return f.head == len(f.nodes) }

// Pop removes the first node. There must be one.
func (f *Fifo) Pop() nodegraph.Index {
	i := f.nodes[f.head]
	if f.head++; f.Empty() {
		f.nodes, f.head = f.nodes[:0], 0
	}
	return i
}

// CloneTo makes c a copy of the queue. The memory of c is used again.
func (f *Fifo) CloneTo(c *Fifo) { *c = Fifo{nodes: append(c.nodes[:0], f.nodes[f.head:]...)} }

// rank is where nodes of one depth are kept.
func rank(depth int, planned bool) int {
	r := 2 * depth
	if !planned {
		r++
	}
	return r
}

// list is where nodes of one rank are kept.
func (q *queue) list(rank int) *Fifo {
	if rank >= len(q.lists) {
		q.deepen(rank)
	}
	return &q.lists[rank]
}

func (q *queue) deepen(rank int) { q.lists = append(q.lists, make([]Fifo, rank+1-len(q.lists))...) }

// push adds node i, which is not in the queue.
func (q *queue) push(i nodegraph.Index, rank int) {
	q.list(rank).Push(i)
	q.top = max(q.top, rank)
	q.size++
}

// pop removes the next node that is at least so deep, None if there is none.
func (q *queue) pop(depth int) nodegraph.Index {
	for ; q.size > 0 && q.top >= rank(depth, true); q.top-- {
		if l := &q.lists[q.top]; !l.Empty() {
			q.size--
			return l.Pop()
		}
	}
	return nodegraph.None
}

// CloneTo makes c a copy of the schedule, for a copy of what it reads. What c held is overwritten, and its memory is used again.
func (s *Schedule) CloneTo(c *Schedule, graph *nodegraph.Graph, facts *store.Store, rules *rule.Evaluator) {
	old := *c
	*c = Schedule{graph: graph, facts: facts, rules: rules, due: old.due[:0], generation: s.generation, uses: s.uses}
	c.nodes, c.fast = store.Copied(old.nodes, s.nodes), store.Copied(old.fast, s.fast)
	for k := range s.judged { // the copy does not track
		c.nodes[s.judged[k]].judged = false
	}
	c.timers.list, c.timers.told = append(old.timers.list[:0], s.timers.list...), s.timers.told
	s.queue.cloneTo(&old.queue)
	c.queue = old.queue
}

// cloneTo makes c a copy of the queue.
func (q *queue) cloneTo(c *queue) {
	if n := len(q.lists); n > len(c.lists) {
		c.deepen(n - 1)
	}
	c.top, c.size = q.top, q.size
	var none Fifo
	for rank := range c.lists {
		from := &none
		if rank < len(q.lists) {
			from = &q.lists[rank]
		}
		from.CloneTo(&c.lists[rank])
	}
}
