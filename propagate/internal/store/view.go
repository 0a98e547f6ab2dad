// Package store holds the facts of a workflow, dense, by the index of the node. Rules read them through a [View]; the
// methods of [Store] alone write them, and each notes the nodes whose facts it has changed.
package store

import (
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A View is all that is known of a workflow, to be read: only this package writes what it or a [Node] holds, and a test of the structure
// fails where another does. The fact of a node lies in three places: what the rules read of every node, when it ended, and the rest. No
// method allocates.
type View struct {
	Now         time.Time       // the latest time that was told
	Instant     Stamp           // Now
	Started     time.Time       // when the workflow started; zero before it holds its locks
	Shutdown    string          // the strategy in force: "", "Stop" or "Terminate"
	Status      nodegraph.Phase // of the workflow before the current call
	Suspended   bool            // the workflow as a whole
	Overdue     bool            // the deadline of the workflow has passed and was applied
	HasDaemons  bool            // some template is a daemon
	HasHooks    bool            // some node has hooks, or may have
	HasClosing  bool            // some composite only ends: see fact.StageStopped
	HasReopened bool            // a manual retry has opened some composite again

	nodes    []Node
	finished []Stamp    // when the node ended, 0 for one that did not
	details  []coldFact // the rest of the node's fact
	phrases  interner
	uids     sideTable[string]
	rare     sideTable[rareFact]
}

// Len is how many nodes are known.
func (v *View) Len() int { return len(v.nodes) }

// Node is the record of node i. It stays where it is until nodes are added. That of the workflow says that it waits for its locks, or
// how it had ended when it was loaded.
func (v *View) Node(i nodegraph.Index) *Node { return &v.nodes[i] }

// Finished is when node i ended, 0 while it has not.
func (v *View) Finished(i nodegraph.Index) Stamp { return v.finished[i] }

// Undated reports whether node i is a pod that ended nobody knows when.
func (v *View) Undated(i nodegraph.Index) bool { return v.more(i).undated }

// Created is when node i was created, 0 before.
func (v *View) Created(i nodegraph.Index) Stamp { return v.details[i].created }

// Serial orders the pods of node i.
func (v *View) Serial(i nodegraph.Index) int64 { return v.details[i].serial }

// Run is the run of node i that is known.
func (v *View) Run(i nodegraph.Index) fact.Run {
	return fact.Run{Serial: v.details[i].serial, Attempt: int(v.details[i].attempt)}
}

// UID is that of the pod of node i, empty while it is unknown.
func (v *View) UID(i nodegraph.Index) string { return *v.uids.at(v.details[i].uid) }

// Phrase is what was said of node i, by its number.
func (v *View) Phrase(i nodegraph.Index) Phrase { return v.details[i].message }

// Text is the words of a phrase.
func (v *View) Text(p Phrase) string {
	if p == 0 {
		return ""
	}
	return v.phrases.texts[p-1]
}

// Message is what was said of node i.
func (v *View) Message(i nodegraph.Index) string { return v.Text(v.details[i].message) }

// Exit is the exit code of the main container of node i; false while it is unknown.
func (v *View) Exit(i nodegraph.Index) (code int, known bool) {
	return int(v.details[i].exitCode), v.details[i].hasExit
}

// Memo is where node i stands with the look-up of its memoization key.
func (v *View) Memo(i nodegraph.Index) fact.Answer { return v.details[i].memo }

// CacheHit reports whether node i ended because its memoization key was found.
func (v *View) CacheHit(i nodegraph.Index) bool { return v.details[i].hit }

// Reason is the field of that name of the fact of node i.
func (v *View) Reason(i nodegraph.Index) string { return v.more(i).reason }

// Conditions is the field of that name of the fact of node i.
func (v *View) Conditions(i nodegraph.Index) string { return v.more(i).conditions }

// Halted is the field of that name of the fact of node i.
func (v *View) Halted(i nodegraph.Index) string { return v.more(i).halted }

// RecreateSerial is the field of that name of the fact of node i.
func (v *View) RecreateSerial(i nodegraph.Index) int64 { return v.more(i).remade }

// Restarts is the field of that name of the fact of node i.
func (v *View) Restarts(i nodegraph.Index) int { return v.more(i).restarts }

// Fact returns all that is known of node i.
func (v *View) Fact(i nodegraph.Index) fact.Fact {
	n, d, r := &v.nodes[i], &v.details[i], v.more(i)
	return fact.Fact{
		Created: d.created.Time(), Serial: d.serial, UID: v.UID(i), Attempt: int(d.attempt), Stage: n.Stage, Ran: n.Ran,
		Ready: n.Ready, Phase: n.Phase, Message: v.Text(d.message), Reason: r.reason, ExitCode: int(d.exitCode), HasExit: d.hasExit,
		Finished: v.finished[i].Time(), Unsynced: n.Unsynced, Synced: d.synced, RecreateSerial: r.remade, Restarts: r.restarts, Conditions: r.conditions,
		Halted: r.halted, Released: n.Released, Lock: n.Lock, Waited: n.Waited, Answer: n.Answer, Memo: d.memo, CacheHit: d.hit,
		SeenEnded: n.SeenEnded, Reopened: n.Reopened, Undated: r.undated,
	}
}

// A Node is what the rules read of a node all the time: what it is in the graph, and the part of its Fact that decides most. Others read
// it only.
type Node struct {
	Parent    nodegraph.Index // what it is directly inside of
	Depth     uint16          // how many nodes it is inside of
	Kind      nodegraph.Kind
	IsTask    bool // a task of a DAG
	IsHook    bool
	IsAttempt bool // of a Retry
	IsDaemon  bool // a pod that is a daemon
	Counts    bool // the parent waits for it
	Hooked    bool // it has hooks, or may have
	Alone     bool // nothing is ever inside it

	// Fields of the same names of the Fact, but that Halted here reports whether there is such a strategy.

	Stage     fact.Stage
	Phase     nodegraph.Phase
	Lock      fact.LockState
	Answer    fact.Answer
	Halted    bool
	Ran       bool
	Ready     bool
	Unsynced  bool
	Released  bool
	Waited    bool
	SeenEnded bool // of a pod: see EndedOnRecord; of a hook: see AnsweredAfterEnd
	Reopened  bool
	Exists    bool // it was created: the host was asked to start it, or it was loaded

	written bool // it is in Store.written
}

// EndedOnRecord is SeenEnded of a pod: a record tells of its end.
func (n *Node) EndedOnRecord() bool { return n.SeenEnded }

// AnsweredAfterEnd is SeenEnded of a hook: its owner had ended when the host answered.
func (n *Node) AnsweredAfterEnd() bool { return n.SeenEnded }

// Waits reports whether the node was created and has not gone on, because of its locks.
func (n *Node) Waits() bool {
	return n.Exists && n.Lock != fact.LockNone && n.Lock != fact.LockHeld
}

// Closing reports whether the node is a composite that only ends: see fact.StageStopped.
func (n *Node) Closing() bool { return n.Stage == fact.StageStopped && n.Kind.Composite() }

// describe fills in what node i of g is.
func (n *Node) describe(g *nodegraph.Graph, i nodegraph.Index) {
	is := g.Node(i)
	plan, _ := g.PlanOf(i)
	*n = Node{
		Parent: is.Parent, Depth: uint16(is.Depth()), Kind: is.Kind, IsTask: is.Role == nodegraph.RoleTask, IsHook: is.Role == nodegraph.RoleHook,
		IsAttempt: is.Role == nodegraph.RoleAttempt, IsDaemon: is.Kind == nodegraph.KindPod && is.Template.IsDaemon(), Counts: g.Needed(i),
		Hooked: is.Hooked() || i == nodegraph.Entry && (len(g.Spec().Hooks) > 0 || g.OnExit() != nil),
		Alone:  plan == nil && !is.Kind.Composite(),
	}
}

// A Stamp is a time in nanoseconds since 1970, 0 for none.
type Stamp int64

const (
	endOfTime  Stamp = 1<<63 - 1
	maxSeconds       = int64(endOfTime) / int64(time.Second) // that fit into a Stamp
)

// StampOf is a time as a Stamp. What lies before 1970 or after the end of the range becomes the nearest Stamp.
func StampOf(t time.Time) Stamp {
	switch seconds := t.Unix(); {
	case seconds >= maxSeconds:
		return endOfTime
	case seconds >= 0:
		return Stamp(max(seconds*int64(time.Second)+int64(t.Nanosecond()), 1))
	case t.IsZero():
		return 0
	}
	return 1
}

// Plus is the Stamp so much later, or the end of the range.
func (s Stamp) Plus(d time.Duration) Stamp {
	if later := s + Stamp(d); later >= s || d < 0 {
		return later
	}
	return endOfTime
}

// Time is the Stamp as a time in UTC, zero for none.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}

// A sideTable holds what not every node has, such as the UID of its pod. A node's record has the number of it, 0 for none, so that
// it is small and the garbage collector need not look at it.
type sideTable[T comparable] struct {
	none T   // stays as it is: what is without a number
	list []T // by number, from 1 on
}

// at is what has this number. It is read only, and stays where it is until the next put.
func (s *sideTable[T]) at(number uint32) *T {
	if number == 0 {
		return &s.none
	}
	return &s.list[number-1]
}

// put replaces what has this number, and gives a number to what has none. A number is kept for good.
func (s *sideTable[T]) put(number *uint32, value T) {
	switch {
	case *number != 0:
		s.list[*number-1] = value
	case value != s.none:
		s.list = append(s.list, value)
		*number = uint32(len(s.list))
	}
}

// A coldFact is the part of a Fact that is read when something happens to the node. It has no pointer, see sideTable.
type coldFact struct {
	serial            int64
	created           Stamp
	uid, rare         uint32 // numbers in the View
	message           Phrase
	attempt, exitCode int32
	memo              fact.Answer
	hasExit           bool
	synced            bool
	hit               bool
}

// A rareFact is the part of a Fact that few nodes have.
type rareFact struct {
	reason     string
	conditions string
	halted     string
	remade     int64
	restarts   int
	undated    bool
}

// more is what few nodes have.
func (v *View) more(i nodegraph.Index) *rareFact { return v.rare.at(v.details[i].rare) }

// A Phrase is the number of words that somebody said, 0 for none. A store holds the same words once, so that whether two
// nodes say the same is a comparison of numbers.
type Phrase uint32

// An interner holds the words that were said of one workflow. The zero value has none.
type interner struct {
	texts   []string // by number, from 1 on
	numbers map[string]Phrase
	room    int // how many there may be before those that nobody uses any more are forgotten
}

// say is the number of words. It allocates for those that are new.
func (p *interner) say(words string) Phrase {
	if words == "" {
		return 0
	}
	n, known := p.numbers[words]
	if known {
		return n
	}
	if p.numbers == nil {
		p.numbers = make(map[string]Phrase)
	}
	words = strings.Clone(words) // it may be part of a large text
	p.texts = append(p.texts, words)
	n = Phrase(len(p.texts))
	p.numbers[words] = n
	return n
}

// minRoom is how many phrases a small workflow may have before any is forgotten.
const minRoom = 256

// PhrasesFull reports whether it is time to forget the words that nobody uses. So many have come since the last time that
// going through all nodes costs little for each.
func (s *Store) PhrasesFull() bool {
	return len(s.phrases.texts) >= max(s.phrases.room+len(s.nodes)/8, minRoom)
}

// ForgetPhrases forgets all words but those that facts have and those that eachOther shows to renumber, which gives their
// new numbers.
func (s *Store) ForgetPhrases(eachOther func(renumber func(*Phrase))) {
	p := &s.phrases
	old, moved := p.texts, make([]Phrase, len(p.texts))
	p.texts = nil
	clear(p.numbers)
	renumber := func(n *Phrase) {
		if *n == 0 {
			return
		}
		if m := &moved[*n-1]; *m == 0 {
			*m = p.say(old[*n-1])
		}
		*n = moved[*n-1]
	}
	eachOther(renumber)
	for i := range s.details {
		renumber(&s.details[i].message)
	}
	p.room = 2 * len(p.texts)
}

// Intern is the number of words that no fact has, for a message of before.
func (s *Store) Intern(words string) Phrase { return s.phrases.say(words) }
