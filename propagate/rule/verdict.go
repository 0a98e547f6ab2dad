package rule

import (
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

// want is what should be started because of a verdict, as bits.
type want uint8

const (
	wantStart   want = 1 << iota // the planned node itself
	wantAttempt                  // the next attempt of the Retry
	wantHook                     // hooks of the node
	wantAnswer                   // the host must evaluate a condition or resolve a loop
	wantWithin                   // nothing itself: hooks of its items are due
)

// A Brief is what other rules read of a verdict, in one word: the phase, whether it is fulfilled and daemoned, and what should
// be started. The line of the specification is in it too, and the step that decided a Retry. The zero Brief is that of line
// Planned 5: nobody need judge a task that something holds back.
type Brief uint32

const (
	briefPhase     Brief = 1<<4 - 1
	briefFulfilled Brief = 1 << 4
	briefDaemoned  Brief = 1 << 5
	wantShift            = 6
	lineShift            = 12
	stepShift            = 20
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

// want is what should be started.
func (v Brief) want() want { return want(v>>wantShift) & (1<<(lineShift-wantShift) - 1) }

// WantsStart reports whether the planned node itself should be started.
func (v Brief) WantsStart() bool { return v.want()&wantStart != 0 }

// WantsAttempt reports whether the next attempt of the Retry should be started.
func (v Brief) WantsAttempt() bool { return v.want()&wantAttempt != 0 }

// WantsHook reports whether hooks of the node should be started.
func (v Brief) WantsHook() bool { return v.want()&wantHook != 0 }

// WantsAnswer reports whether the host must evaluate a condition of the node or resolve its loop.
func (v Brief) WantsAnswer() bool { return v.want()&wantAnswer != 0 }

// Wants reports whether any of these should happen.
func (v Brief) Wants() bool { return v.want()&^wantWithin != 0 }

// line is the line of the specification that decided.
func (v Brief) line() line { return line(v>>lineShift) ^ planned5 }

// Rule is the rule that decided.
func (v Brief) Rule() Rule { return ruleOf[v.line()] }

// check is the step of package retry that decided a Retry.
func (v Brief) check() retry.Check { return retry.Check(v >> stepShift) }

// wanting is v with something more that should be started.
func (v Brief) wanting(w want) Brief { return v | Brief(w)<<wantShift }

// withoutWants is v without what should be started.
func (v Brief) withoutWants() Brief { return v &^ (1<<lineShift - 1<<wantShift) }

// decidedBy is v with the step that decided.
func (v Brief) decidedBy(s retry.Check) Brief { return v | Brief(s)<<stepShift }

// MeansSame reports whether both mean the same to other nodes: only the line and the step may differ.
func (v Brief) MeansSame(o Brief) bool { return (v^o)&(1<<lineShift-1) == 0 }

// SettledAlike reports whether both have the same phase and are both fulfilled or both not.
func (v Brief) SettledAlike(o Brief) bool { return (v^o)&(briefPhase|briefFulfilled) == 0 }

// open reports whether the node still holds its parent open: it is not fulfilled, or hooks of it or its items are due.
func (v Brief) open() bool { return !v.Fulfilled() || v.want()&(wantHook|wantWithin) != 0 }

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
func planned(l line, by nodegraph.Index, w want) Ruling {
	return Ruling{Brief: newBrief(nodegraph.PhasePlanned, l).wanting(w), By: by}
}

// BriefOf is the Brief of a node in a phase by the first line that has a rule: for what is recorded, and for tests.
func BriefOf(p nodegraph.Phase, r Rule) Brief {
	return newBrief(p, workflow1+line(slices.Index(ruleOf[workflow1:], r)))
}
