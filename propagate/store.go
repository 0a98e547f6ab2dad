package propagate

import (
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// store is all that is known of a workflow: the facts of its nodes, and what everybody reads. A node's fact lies in three
// places: what the rules read of every node, when it ended, and the rest.
type store struct {
	nodes    []node
	finished []stamp  // by node: when it ended, 0 for one that did not
	details  []detail // by node: the rest of its fact
	phrases  phrases
	uids     sparse[string]
	rare     sparse[rareDetail]
	now      time.Time
	instant  stamp             // the same
	started  time.Time         // the workflow's start; zero before it holds its locks
	shutdown string            // "", "Stop" or "Terminate"
	status   nodegraph.Phase   // of the workflow before the current call
	held     bool              // suspended as a whole
	overdue  bool              // the deadline was applied
	daemons  bool              // some template is a daemon
	closing  bool              // some composite only ends: see StageStopped
	written  []nodegraph.Index // nodes whose facts have changed since they were last judged
}

// node is what is read of a node all the time, in half of a line of the processor's cache.
type node struct {
	fact
	shape
	open    int32 // of a composite: its members that hold it open
	blocked int32 // of a planned task: those it comes after that are not clear
	marks   marks
}

// marks are what the engine notes of a node beside its verdict.
type marks uint8

const (
	markQueued  marks = 1 << iota
	markChanged       // it is in changed
	markActive        // a pod that counts against the workflow's parallelism
	markClear         // what comes after it may go on
	markWritten       // it is in written
)

// shape is what the engine reads of a node of the graph.
type shape struct {
	parent nodegraph.Index
	depth  uint16
	kind   nodegraph.Kind
	traits traits
}

// traits tell which rules a node has anything to do with.
type traits uint8

const (
	traitTask    traits = 1 << iota // a task of a DAG
	traitCounts                     // its parent waits for it
	traitHooked                     // it has, or may have, hooks
	traitHook                       // it is a hook
	traitDaemon                     // a pod that is a daemon
	traitAlone                      // nothing is ever inside it
	traitAttempt                    // it is an attempt of a Retry
)

// added puts into s, which is zero, what node i is before anything is known of it.
func (w *evalContext) added(i nodegraph.Index, s *node) {
	n := w.graph.Node(i)
	s.parent, s.depth, s.kind, s.traits = n.Parent, uint16(n.Depth()), n.Kind, traitCounts
	switch n.Role {
	case nodegraph.RoleTask:
		plan, first := w.graph.Planned(n.Parent)
		place := int32(i - first)
		s.traits |= traitTask
		if !plan.IsNeeded(place) {
			s.traits &^= traitCounts
		}
		s.blocked = int32(plan.CountDependencies(place))
	case nodegraph.RoleHook:
		s.traits |= traitHook
	case nodegraph.RoleAttempt:
		s.traits |= traitAttempt
	}
	if n.Hooked() || i == nodegraph.Entry && (len(w.hooksOf(i)) > 0 || w.graph.OnExit() != nil) {
		s.traits |= traitHooked
	}
	if n.Kind == nodegraph.Pod && n.Template.Daemon {
		s.traits |= traitDaemon
	}
	if !n.Kind.Composite() && w.graph.Plan(i) == nil {
		s.traits |= traitAlone
	}
}

// fact is the part of a Fact that the rules read of every node.
type fact struct {
	Stage    Stage
	Phase    nodegraph.Phase
	Lock     LockState
	Answer   Answer
	Halted   bool
	Ran      bool
	Ready    bool
	Unsynced bool
	Released bool
	Waited   bool
	Seen     bool
	exists   bool
}

// created tells whether the node exists: the host was asked to start it, or it was loaded.
func (f *fact) created() bool { return f.exists }

// closing reports whether the node is a composite that only ends.
func (n *node) closing() bool { return n.Stage == StageStopped && n.kind.Composite() }

// A stamp is a time in nanoseconds since 1970, 0 for none.
type stamp int64

func stampOf(t time.Time) stamp {
	switch seconds := t.Unix(); {
	case seconds >= maxSeconds:
		return 1<<63 - 1
	case seconds >= 0:
		return stamp(max(seconds*int64(time.Second)+int64(t.Nanosecond()), 1))
	case t.IsZero():
		return 0
	}
	return 1
}

// plus is the time so much later, or the end of time.
func (s stamp) plus(d time.Duration) stamp {
	if later := s + stamp(d); later >= s || d < 0 {
		return later
	}
	return 1<<63 - 1
}

// maxSeconds is how many seconds fit into a stamp.
const maxSeconds = (1<<63 - 1) / int64(time.Second)

// time is the stamp as a time in UTC.
func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}

// fact returns all that is known of node i.
func (w *store) fact(i nodegraph.Index) Fact {
	f, d := &w.nodes[i], &w.details[i]
	r := w.more(d)
	return Fact{
		Created: d.created.time(), Serial: d.serial, UID: w.uid(d), Attempt: int(d.attempt), Stage: f.Stage, Ran: f.Ran,
		Ready: f.Ready, Phase: f.Phase, Message: w.phrases.text(d.message), Reason: r.reason, ExitCode: int(d.exitCode), HasExit: d.hasExit,
		Finished: w.finished[i].time(), Unsynced: f.Unsynced, Synced: d.synced, Remade: r.remade, Restarts: r.restarts, Conditions: r.conditions,
		Halted: r.halted, Released: f.Released, Lock: f.Lock, Waited: f.Waited, Answer: f.Answer, Memo: d.memo, Hit: d.hit,
		Seen: f.Seen,
	}
}

// put replaces all that is known of node i.
func (w *store) put(i nodegraph.Index, v *Fact) {
	w.nodes[i].fact = fact{
		Stage: v.Stage, Phase: v.Phase, Lock: v.Lock, Answer: v.Answer, Halted: v.Halted != "", Ran: v.Ran,
		Ready: v.Ready, Unsynced: v.Unsynced, Released: v.Released, Waited: v.Waited, Seen: v.Seen, exists: v.created(),
	}
	w.closing = w.closing || i != nodegraph.Root && w.nodes[i].closing()
	w.finished[i] = stampOf(v.Finished)
	d := &w.details[i]
	is := detail{
		serial: v.Serial, created: stampOf(v.Created), uid: d.uid, rare: d.rare, message: w.phrases.say(v.Message),
		attempt: int32(v.Attempt), exitCode: int32(v.ExitCode), memo: v.Memo, hasExit: v.HasExit, synced: v.Synced, hit: v.Hit,
	}
	w.uids.put(&is.uid, v.UID)
	w.rare.put(&is.rare, rareDetail{reason: v.Reason, conditions: v.Conditions, halted: v.Halted, remade: v.Remade, restarts: v.Restarts})
	w.details[i] = is
	w.note(i)
}

// setNow sets the time.
func (w *store) setNow(now time.Time) { w.now, w.instant = now, stampOf(now) }

// root is the workflow's own fact: that it waits for its locks, or how it had ended when it was loaded.
func (w *store) root() *fact { return &w.nodes[nodegraph.Root].fact }

// An observation is what was seen of one run of a leaf: what an event says, or the engine itself brought about.
type observation struct {
	run
	said     *Event // what else: the pod's UID, the message, the reason, the exit code, whether it is ready, the conditions
	finished stamp
	stage    Stage
	phase    nodegraph.Phase
}

// fact is the observation as a Fact.
func (o *observation) fact() Fact {
	s := o.said
	return Fact{
		Serial: o.serial, Attempt: o.attempt, UID: s.Pod.UID, Stage: o.stage, Ready: s.Ready, Phase: o.phase, Message: s.Message,
		Reason: s.Reason, Conditions: conditions(s.Conditions), ExitCode: int(int32(s.ExitCode)), HasExit: s.HasExit,
		Finished: o.finished.time(),
	}
}

// conditions puts condition types into the form in which a Fact holds them.
func conditions(types []string) string {
	if len(types) == 0 {
		return ""
	}
	sorted := slices.Clone(types)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), ",")
}

// leaf is a node that can be observed, and its two records, which stay where they are until a node is added.
type leaf struct {
	i nodegraph.Index
	n *node
	d *detail
}

func (w *store) leaf(i nodegraph.Index) leaf { return leaf{i, &w.nodes[i], &w.details[i]} }

// run is the run of the leaf that is known.
func (l leaf) run() run { return run{l.d.serial, int(l.d.attempt)} }

// join merges an observation into what is known of a leaf, and tells whether anything was learned.
func (w *store) join(l leaf, o *observation) bool { return !w.known(l, o) && w.learn(l, o) }

// learn is join for an observation that was not made before. It is [Fact.Merge], without a copy of what is known for the
// observation that is made most: of the run that is known, and further on.
func (w *store) learn(l leaf, o *observation) bool {
	n, d, s := l.n, l.d, o.said
	if o.stage <= n.Stage || o.serial != d.serial || o.attempt != int(d.attempt) || n.Released {
		return w.learnOther(l.i, o)
	}
	if s.Pod.UID != "" && w.uid(d) == "" {
		w.uids.put(&d.uid, s.Pod.UID)
	}
	n.Ran = n.Ran || o.stage == StageRunning
	n.Ready = n.Ready || s.Ready
	if s.HasExit {
		d.hasExit, d.exitCode = true, int32(s.ExitCode)
	}
	n.Stage, w.finished[l.i] = o.stage, o.finished
	if o.stage != StageGone {
		n.Phase, d.message = o.phase, w.phrases.say(s.Message)
	}
	if d.rare != 0 || s.Reason != "" || len(s.Conditions) > 0 {
		w.learnRare(d, o)
	}
	w.note(l.i)
	return true
}

// learnOther is learn for any other observation.
func (w *store) learnOther(i nodegraph.Index, o *observation) bool {
	f := w.fact(i)
	if !f.Merge(o.fact()) {
		return false
	}
	w.put(i, &f)
	return true
}

// learnRare is the part of learn that few nodes have.
func (w *store) learnRare(d *detail, o *observation) {
	rare := *w.more(d)
	rare.conditions = bothConditions(rare.conditions, conditions(o.said.Conditions))
	if o.stage != StageGone {
		rare.reason = o.said.Reason
	}
	w.rare.put(&d.rare, rare)
}

// known tells, without a full merge, that an observation was made before: hosts report most states many times.
func (w *store) known(l leaf, o *observation) bool {
	n, d, s := l.n, l.d, o.said
	return o.stage == n.Stage && o.serial == d.serial && o.attempt == int(d.attempt) && o.phase == n.Phase &&
		(s.Pod.UID == "" || s.Pod.UID == w.uid(d)) && s.Message == w.phrases.text(d.message) && s.Reason == w.more(d).reason &&
		(o.finished == 0 || w.finished[l.i] != 0) && (n.Ran || o.stage != StageRunning) && (n.Ready || !s.Ready) &&
		(!s.HasExit || d.hasExit && int32(s.ExitCode) == d.exitCode) &&
		(len(s.Conditions) == 0 || conditions(s.Conditions) == w.more(d).conditions)
}
