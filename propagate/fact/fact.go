package fact

import (
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// A PodInstance tells one life of a node's pod, or of one container in it, from the lives before and after it.
//
// Pods of one node are ordered by Created. Created may be zero, or the same whole second: Kubernetes keeps no more. Then the
// engine takes a UID that it sees for the first time for a newer pod. It can't recognize a late first sight of an older
// pod. Pods that were rejected before a manual retry are not remembered.
//
// Attempt counts the runs inside one pod, which an executor may start without a new pod. 1 is the first; 0 means the run that
// the engine knows as the latest. When a container runs again, all that come after it begin anew in a run of that number
// and count on from there.
type PodInstance struct {
	UID     string    // of the pod; empty if the host does not know
	Created time.Time // when the pod was created, UTC; zero if the host does not know
	Attempt int       // the number of the run inside the pod; 0 for the latest that is known
}

// Named reports whether anything is said of which pod it is.
func (p *PodInstance) Named() bool { return p.UID != "" || !p.Created.IsZero() }

// A Stage is how far one incarnation of a leaf has come. Stages only grow within an incarnation.
type Stage uint8

// The stages, each beating those before it in one incarnation: a result beats an absence beats running beats pending. The
// workflow's own word beats a result that is told after it.
const (
	StageNone    Stage = iota // nothing was observed
	StagePending              // it exists and does not run yet
	StageRunning              // it runs
	StageGone                 // its pod does not exist any more, and no result was seen
	StageEnded                // its result is known
	// StageStopped: stopped by the workflow, by a shutdown or a deadline, before its own end was seen. That can only explain it. A
	// composite in this stage is recorded to have ended in its Phase although something inside it is open: it ends so once
	// nothing is, and nothing starts inside it.
	StageStopped
)

var stageNames = enum.Names{Type: "Stage", Of: []string{"none", "pending", "running", "gone", "ended", "stopped"}}

// String names the stage in lower case.
func (s Stage) String() string { return stageNames.String(uint8(s)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (s Stage) MarshalText() ([]byte, error) { return stageNames.Marshal(uint8(s)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (s *Stage) UnmarshalText(text []byte) error { return enum.Unmarshal(&stageNames, text, s) }

// A Fact is all that the engine was told, or itself decided, about one node. Facts are what a host persists; phases
// are computed from them. The facts of a node form a join-semilattice under [Fact.Merge].
type Fact struct {
	Created time.Time // when the node was created (Argo: startedAt); zero for a planned node

	Serial         int64           // orders the incarnations of the node's pod
	UID            string          // of the pod, empty while unknown
	Attempt        int             // run inside the pod, 1 the first
	Stage          Stage           // how far this incarnation has come
	Ran            bool            // this incarnation was seen running
	Ready          bool            // every container of the pod was ready: what makes a daemon fulfilled
	Phase          nodegraph.Phase // StageEnded, StageStopped: how it ended; of a TaskGroup of daemons that it has succeeded
	Message        string          // what the observation said
	Reason         string          // the pod's status reason, for retry decisions; the key of the lock it waits for
	ExitCode       int             // of the main container
	HasExit        bool            // ExitCode is known
	Conditions     string          // types of the pod's conditions that were seen to be true, sorted, joined by commas
	Finished       time.Time       // when it ended; the time of the event where the observation does not say
	Undated        bool            // a pod that ended nobody knows when, as one without containers: Finished is when that was told
	Unsynced       bool            // its results are still on their way (Argo: taskResultSynced false)
	Synced         bool            // its results are stored, or never will be: Unsynced can't become true again
	RecreateSerial int64           // the serial after that of the last pod for which the host was asked to make another
	Restarts       int             // how often its pod was made anew without a new attempt
	Halted         string          // of a composite that a shutdown found unfinished: its strategy
	Released       bool            // it is a daemon that was ended with its boundary, or its hook had no room: nothing undoes that

	Lock     LockState // of the node's own mutexes and semaphores
	Waited   bool      // it was created before it held its locks
	Answer   Answer    // the host's word on a condition or loop the library could not evaluate
	Memo     Answer    // the host's word on its memoization key: AnswerRun for a miss
	CacheHit bool      // it ended because its memoization key was found
	Reopened bool      // of a composite: a manual retry has opened it again, around what stays
	// SeenEnded: it had ended before the last event. Of a TaskGroup that is what Argo waits for before it starts the exit hook; inside a
	// DAG or Steps no hook becomes due after it. Of a hook it says that its owner had ended when the host answered. Of a pod it says that
	// a record tells of its end, and not which pod was the last. There was none if the pod was created only to be refused.
	SeenEnded bool
}

// LockState says where a node stands with its mutexes and semaphores.
type LockState uint8

// The lock states.
const (
	LockNone     LockState = iota // not asked for yet
	LockAsked                     // the host was asked
	LockWaits                     // the host said that it waits
	LockReturned                  // it waited, could not go on when they were granted, and gave them back: it asks again when it can
	LockGranted                   // it waited, holds them all, and has not gone on yet
	LockHeld                      // it holds them all
)

var lockNames = enum.Names{Type: "LockState", Of: []string{"none", "asked", "waits", "returned", "granted", "held"}}

// String names the lock state.
func (l LockState) String() string { return lockNames.String(uint8(l)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (l LockState) MarshalText() ([]byte, error) { return lockNames.Marshal(uint8(l)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (l *LockState) UnmarshalText(text []byte) error { return enum.Unmarshal(&lockNames, text, l) }

// Answer is the host's word on a when condition, a loop or a cache look-up.
type Answer uint8

// The answers.
const (
	AnswerNone  Answer = iota // the host was not asked
	AnswerAsked               // the host was asked, and has not answered
	AnswerRun                 // the condition holds, items took the place of a step, or the key is not in the cache
	AnswerSkip                // the condition does not hold, or the key was found in the cache
	AnswerOmit                // the engine's own: it was omitted, and a daemon that ends later does not undo that
)

var answerNames = enum.Names{Type: "Answer", Of: []string{"none", "asked", "run", "skip", "omit"}}

// String names the answer.
func (a Answer) String() string { return answerNames.String(uint8(a)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (a Answer) MarshalText() ([]byte, error) { return answerNames.Marshal(uint8(a)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (a *Answer) UnmarshalText(text []byte) error { return enum.Unmarshal(&answerNames, text, a) }

// A Run orders incarnations and the runs inside them.
type Run struct {
	Serial  int64 // of the pod, higher for a newer one; 0 for the first where nobody knows when it was created
	Attempt int   // of the run inside the pod, 1 the first
}

// Run is the run that the fact is about.
func (f *Fact) Run() Run { return Run{f.Serial, f.Attempt} }

// Before reports whether a run is older than another.
func (r Run) Before(o Run) bool {
	return r.Serial < o.Serial || r.Serial == o.Serial && r.Attempt < o.Attempt
}

// Merge joins an observation into the fact: a newer incarnation replaces an older one, an older one changes nothing,
// and within one incarnation the higher stage wins. Of two results of one incarnation, which a cluster never reports,
// the worse phase wins, so that the order does not matter. The message of an equal stage is the latest one's: it
// explains and decides nothing. Merge reports whether the fact changed.
func (f *Fact) Merge(o Fact) bool {
	before := *f
	switch {
	case f.Released || o.Run().Before(f.Run()) || f.Stage == StageStopped && f.Run().Before(o.Run()):
		// Late, or of a node that was stopped: no pod of it undoes that.
	case f.Run().Before(o.Run()):
		sameGone := f.Serial == o.Serial && f.Stage == StageGone
		f.supersede(o)
		if sameGone && f.Stage < StageGone {
			f.Stage = StageGone // a pod that is gone can't run once more
		}
	default:
		f.join(o)
	}
	return *f != before
}

// supersede replaces what was observed by what was observed of a newer run; what the engine itself decided stays.
func (f *Fact) supersede(o Fact) {
	o.Created, o.Restarts, o.RecreateSerial, o.Halted = f.Created, f.Restarts, f.RecreateSerial, f.Halted
	o.Lock, o.Waited, o.Answer, o.Memo = f.Lock, f.Waited, f.Answer, f.Memo
	o.Ran = o.Ran || o.Stage == StageRunning
	*f = o
}

// join merges what was observed of the same run.
func (f *Fact) join(o Fact) {
	if f.UID == "" {
		f.UID = o.UID
	}
	f.Ran = f.Ran || o.Ran || o.Stage == StageRunning
	f.Ready = f.Ready || o.Ready
	f.Conditions = union(f.Conditions, o.Conditions)
	if o.HasExit {
		f.HasExit, f.ExitCode = true, o.ExitCode
	}
	switch {
	case f.Stage == StageStopped && o.Stage == StageEnded && o.Phase.Unsuccessful():
		f.Message, f.Reason = o.Message, o.Reason
		return
	case f.Stage == StageEnded && o.Stage == StageStopped && f.Phase.Unsuccessful():
		o.Message, o.Reason = f.Message, f.Reason
	case o.Stage < f.Stage:
		return
	}
	if o.Stage == f.Stage && o.Phase < f.Phase {
		return
	}
	risen := o.Stage > f.Stage
	if !f.Stage.KeepsMessage(o.Stage, o.Phase, o.Message) {
		f.Message = o.Message
	}
	f.Stage = o.Stage
	if o.Stage != StageGone { // an absence says nothing but that
		f.Phase, f.Reason = o.Phase, o.Reason
	}
	if risen || f.Finished.IsZero() || f.Undated && !o.Undated {
		f.Finished, f.Undated = o.Finished, o.Undated
	}
}

// KeepsMessage reports whether what was said in a stage stays when a further observation of the run is joined. An absence says
// nothing. What was said of a pod that runs stays while it does, and when it ends well (Argo: assessNodeStatus).
func (was Stage) KeepsMessage(is Stage, phase nodegraph.Phase, message string) bool {
	ran := was == StageRunning || was == StageEnded
	return is == StageGone || message == "" && ran && (is == StageRunning || is == StageEnded && phase == nodegraph.PhaseSucceeded)
}

// union is the union of two lists of conditions.
func union(a, b string) string {
	if a == b || b == "" {
		return a
	}
	if a == "" {
		return b
	}
	all := strings.Split(a+","+b, ",")
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

// Exists reports whether the node exists: the host was asked to start it, or it was loaded.
func (f *Fact) Exists() bool { return !f.Created.IsZero() }

// AddConditions notes types of the pod's conditions that were seen to be true.
func (f *Fact) AddConditions(types []string) {
	if len(types) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(types))
	f.Conditions = union(f.Conditions, strings.Join(slices.Compact(sorted), ","))
}
