package rule

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/retry"
)

// A Verdict is what the rules say of one node, given the facts and the time.
type Verdict struct {
	Phase     nodegraph.Phase // PhasePlanned for a node that was not created
	Message   string          // why it has the phase, in Argo's words; empty where nothing is to be said
	Fulfilled bool            // settled with its results in, or a ready daemon (Argo: NodeStatus.Fulfilled)
	Daemoned  bool            // a daemon that is ready and was not ended

	Rule  Rule            // the rule that decided
	Line  string          // the line of the specification that decided, such as "Pod 5"
	By    nodegraph.Index // the node that decided it, nodegraph.None if the node's own facts did
	Wake  time.Time       // when the verdict changes by time alone; zero if it doesn't
	Check retry.Check     // RuleRetry: the step of package retry that decided
}

// A Ruling is a Verdict as rules return it, in a form that fits into registers.
type Ruling struct {
	Brief
	By      nodegraph.Index // the node that decided it, nodegraph.None if the node's own facts did
	Wake    store.Stamp     // when the verdict changes by time alone; zero if it doesn't
	Message Message         // what it says in words
}

// A Brief is what other rules read of a verdict, in one word: the phase, whether it is fulfilled and daemoned, and what should
// be started. The line of the specification is in it too, and the step that decided a Retry. The zero Brief is that of line
// Planned 5: nobody need judge a task that something holds back.
type Brief uint32

const (
	briefPhase     Brief = 1<<4 - 1
	briefFulfilled Brief = 1 << 4
	briefDaemoned  Brief = 1 << 5

	// What should be started because of the verdict.

	wantStart   Brief = 1 << 6  // the planned node itself
	wantAttempt Brief = 1 << 7  // the next attempt of the Retry
	wantHook    Brief = 1 << 8  // hooks of the node
	wantAnswer  Brief = 1 << 9  // the host must evaluate a condition or resolve a loop
	wantWithin  Brief = 1 << 10 // nothing itself: hooks of its items are due

	wants     = wantStart | wantAttempt | wantHook | wantAnswer | wantWithin
	briefSame = briefPhase | briefFulfilled | briefDaemoned | wants // what means something to other nodes
	lineShift = 12
	stepShift = 20
)

// newBrief is the Brief of a node in a phase by a line; it is fulfilled if the phase is settled.
func newBrief(p nodegraph.Phase, l line) Brief {
	v := Brief(p) | Brief(l^planned5)<<lineShift
	if p.Settled() {
		v |= briefFulfilled
	}
	return v
}

// Phase is the phase of the node.
func (v Brief) Phase() nodegraph.Phase { return nodegraph.Phase(v & briefPhase) }

// Fulfilled reports whether the node is settled with its results in, or a ready daemon.
func (v Brief) Fulfilled() bool { return v&briefFulfilled != 0 }

// Daemoned reports whether the node is a daemon that is ready.
func (v Brief) Daemoned() bool { return v&briefDaemoned != 0 }

// WantsStart reports whether the planned node itself should be started.
func (v Brief) WantsStart() bool { return v&wantStart != 0 }

// WantsAttempt reports whether the next attempt of the Retry should be started.
func (v Brief) WantsAttempt() bool { return v&wantAttempt != 0 }

// WantsHook reports whether hooks of the node should be started.
func (v Brief) WantsHook() bool { return v&wantHook != 0 }

// WantsAnswer reports whether the host must evaluate a condition of the node or resolve its loop.
func (v Brief) WantsAnswer() bool { return v&wantAnswer != 0 }

// Wants reports whether any of these should happen.
func (v Brief) Wants() bool { return v&(wants&^wantWithin) != 0 }

// line is the line of the specification that decided.
func (v Brief) line() line { return line(v>>lineShift) ^ planned5 }

// Rule is the rule that decided.
func (v Brief) Rule() Rule { return ruleOf[v.line()] }

// check is the step of package retry that decided a Retry.
func (v Brief) check() retry.Check { return retry.Check(v >> stepShift) }

// withoutWants is v without what should be started.
func (v Brief) withoutWants() Brief { return v &^ wants }

// decidedBy is v with the step that decided.
func (v Brief) decidedBy(s retry.Check) Brief { return v | Brief(s)<<stepShift }

// MeansSame reports whether both mean the same to other nodes: only the line and the step may differ.
func (v Brief) MeansSame(o Brief) bool { return (v^o)&briefSame == 0 }

// SettledAlike reports whether both have the same phase and are both fulfilled or both not.
func (v Brief) SettledAlike(o Brief) bool { return (v^o)&(briefPhase|briefFulfilled) == 0 }

// open reports whether the node still holds its parent open: it is not fulfilled, or hooks of it or its items are due.
func (v Brief) open() bool { return !v.Fulfilled() || v&(wantHook|wantWithin) != 0 }

// HoldsOpen reports whether a member with this verdict holds a composite of this kind open. The hooks of items are inside what
// their TaskGroup is inside of, and hold that open: see taskGroupRule.
func (v Brief) HoldsOpen(kind nodegraph.Kind) bool {
	if kind == nodegraph.KindTaskGroup {
		return !v.Fulfilled()
	}
	return v.open()
}

// settled is the Ruling on a node that has ended.
func settled(p nodegraph.Phase, m Message, l line, by nodegraph.Index) Ruling {
	return Ruling{Brief: newBrief(p, l), Message: m, By: by}
}

// running is the Ruling on a node that runs.
func running(l line, by nodegraph.Index) Ruling {
	return Ruling{Brief: newBrief(nodegraph.PhaseRunning, l), By: by}
}

// pending is the Ruling on a node that exists and does not run yet.
func pending(l line, m Message) Ruling {
	return Ruling{Brief: newBrief(nodegraph.PhasePending, l), Message: m, By: nodegraph.None}
}

// daemonReady is the Ruling on a daemon that is ready.
func daemonReady(l line, by nodegraph.Index) Ruling {
	return Ruling{Brief: newBrief(nodegraph.PhaseRunning, l) | briefFulfilled | briefDaemoned, By: by}
}

// planned is the Ruling on a node that was not created.
func planned(l line, by nodegraph.Index, wants Brief) Ruling {
	return Ruling{Brief: newBrief(nodegraph.PhasePlanned, l) | wants, By: by}
}

// BriefOf is the Brief of a node in a phase by the first line that has a rule: for what is recorded, and for tests.
func BriefOf(p nodegraph.Phase, r Rule) Brief {
	return newBrief(p, workflow1+line(slices.Index(ruleOf[workflow1:], r)))
}

// A Message is what a verdict says in words, as a value: rules make it and compare it, and [Evaluator.Words] puts it into
// words where somebody reads it. The zero Message says nothing.
type Message struct {
	kind   messageKind
	of     uint32 // messageSaid: the phrase; messageTemplate and what follows: the node that it is about
	number int64  // nanoseconds, or seconds since 1970
}

// messageKind says how the words of a Message are made.
type messageKind uint8

const (
	messageSaid messageKind = iota // the words of a fact

	// The words of these are in texts.

	messagePodDeleted
	messageContainerDeleted
	messagePodFailedUnder
	messageOmitted
	messageNoItems
	messageTooDeep
	messageFailedFast
	messageStop
	messageTerminate
	messageNoMoreRetries
	messageExpressionFalse
	messageMaxDuration
	messageBackoffTooLong
	messageClosed

	// The words of these are made by text.

	messageBackoff       // a Retry waits: number is how long in all
	messageRetryDeadline // a Retry ends with the workflow's deadline, at number

	// The words of these are made by Words.

	messageTemplate        // the template of the node can't run
	messageWhenInvalid     // the node's when is no condition
	messageHookInvalid     // the expression of a hook of the node is none
	messageWhenFalse       // the node's when is false
	messageUnresolved      // the node's template has fields that only the host knows
	messageChildFailed     // a StepGroup: the node failed
	messageExpressionError // the expression of the Retry can't be evaluated over its attempts
)

// The words that the library and its hosts recognize, as Argo puts them.
const (
	TextPodDeleted      = "pod deleted"                            // a pod that ran and is gone without a result, in Error
	TextClosed          = "closed: what it is inside of has ended" // what was open and can't end by itself; Argo has no such words
	textNoItems         = "Skipped, empty params"
	textExpressionFalse = "retryStrategy.expression evaluated to false"
	textBackoffTooLong  = "Backoff would exceed max duration limit"
)

// texts are the words of messages that say the same of every node.
var texts = [...]string{
	messagePodDeleted:       TextPodDeleted,
	messageContainerDeleted: "container deleted",
	messagePodFailedUnder:   "Pod Failed whilst container running",
	messageOmitted:          "omitted: depends condition not met",
	messageNoItems:          textNoItems,
	messageTooDeep:          "Maximum recursion depth exceeded. See https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth",
	messageFailedFast:       "template has failed or errored children and failFast enabled",
	messageStop:             "Stopped with strategy 'Stop'",
	messageTerminate:        "Stopped with strategy 'Terminate'",
	messageNoMoreRetries:    "No more retries left",
	messageExpressionFalse:  textExpressionFalse,
	messageMaxDuration:      "Max duration limit exceeded",
	messageBackoffTooLong:   textBackoffTooLong,
	messageClosed:           TextClosed,
}

// text is the words of a message that says the same of every node, but for a number.
func (m Message) text() string {
	switch m.kind {
	case messageBackoff:
		return "Backoff for " + retry.HumanDuration(time.Duration(m.number))
	case messageRetryDeadline:
		return fmt.Sprintf("retry exceeded workflow deadline %s", time.Unix(m.number, 0).UTC())
	}
	return texts[m.kind]
}

// about is the Message of a kind about node i.
func about(kind messageKind, i nodegraph.Index) Message { return Message{kind: kind, of: uint32(i)} }
