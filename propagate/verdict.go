package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A Verdict is what the rules say of one node, given the facts and the time.
type Verdict struct {
	Phase     nodegraph.Phase
	Message   string
	Fulfilled bool // settled with its results in, or a ready daemon (Argo: NodeStatus.Fulfilled)
	Daemoned  bool // a daemon that is ready and was not ended

	Rule Rule            // the rule that decided
	By   nodegraph.Index // the node that decided it, nodegraph.None if the node's own facts did
	Wake time.Time       // when the verdict changes by time alone; zero if it doesn't
	Step retry.Step      // RuleRetry: the step of package retry that decided
}

// A ruling is what a rule returns: a verdict in a form that fits into registers.
type ruling struct {
	verdict
	by      nodegraph.Index
	wake    stamp
	message message
}

// spelled is a ruling as others see it.
func (w *evalContext) spelled(r ruling) Verdict {
	return Verdict{
		Phase: r.phase(), Message: w.words(r.message), Fulfilled: r.fulfilled(), Daemoned: r.daemoned(), Rule: r.rule(), By: r.by,
		Wake: r.wake.time(), Step: r.step(),
	}
}

// want is what should be started because of a verdict.
type want uint8

const (
	wantStart   want = 1 << iota // the planned node itself
	wantAttempt                  // the next attempt of the Retry
	wantHook                     // hooks of the node
	wantAnswer                   // the host must evaluate a condition or resolve a loop
	wantWithin                   // nothing itself: hooks of its items are due
)

// A Rule names the rule that decided a verdict, for explanations.
type Rule uint8

// The rules, by the kind of node they are for.
const (
	RulePlanned       Rule = iota // not created: what it comes after has not ended
	RuleReady                     // not created: may start now
	RuleWaitCondition             // not created: the host must evaluate its when or resolve its items
	RuleOmitted                   // its depends can't hold
	RuleWhenFalse                 // its when is false
	RuleNoItems                   // its loop is empty
	RuleInvalid                   // its specification can't run
	RuleLockWait                  // created, waits for a lock
	RuleStartOwed                 // created, the host still owes the pod
	RulePodPending                // the pod exists and does not run
	RulePodRunning                // the pod runs
	RulePodResult                 // the pod's result is known
	RulePodGone                   // the pod is gone and had run
	RulePodRecreate               // the pod is gone and had not run
	RuleStopped                   // stopped by a shutdown or deadline
	RuleDaemonReady               // a daemon that is ready
	RuleDaemonEnded               // a daemon that ended by itself
	RuleUnsynced                  // ended, its results are not stored yet
	RuleContainerOwn              // the container's own fact
	RuleContainerPod              // forced by the end of its pod
	RuleMembersOpen               // a composite with unfinished members
	RuleMembersDone               // a composite whose members all ended well
	RuleMemberFailed              // a composite that ends as the deciding member did
	RuleShutdown                  // a composite ended by shutdown
	RuleRetry                     // decided by package retry: see the step
	RuleSuspended                 // waits to be resumed
	RuleResumed                   // resumed, or its time came
	RuleServed                    // an HTTP or Plugin node: what the host reported
	RuleExitHandler               // the workflow waits for its exit handler
	RuleEntry                     // the workflow ends as its entry node did
	RuleComplete                  // the workflow was complete when it was loaded
	RuleFailFast                  // a composite whose template fails fast, once nothing of it runs but ready daemons
	RuleWhole                     // a composite that ended as a whole: memoized, kept by a manual retry or a record, or closed from outside
	RuleBranchFailed              // a DAG in which nothing that ran leads from a task that failed to a target
)

var ruleNames = [...]string{
	"planned", "ready", "wait-condition", "omitted", "when-false", "no-items", "invalid", "lock-wait", "start-owed",
	"pod-pending", "pod-running", "pod-result", "pod-gone", "pod-recreate", "stopped", "daemon-ready", "daemon-ended",
	"unsynced", "container-own", "container-pod", "members-open", "members-done", "member-failed", "shutdown", "retry",
	"suspended", "resumed", "served", "exit-handler", "entry",
	"complete", "fail-fast", "whole", "branch-failed",
}

// String is the rule's name as explanations show it.
func (r Rule) String() string { return ruleNames[r] }

// verdict is what other rules read of a ruling, in one word: the phase, whether it is fulfilled and daemoned, what should
// be started, the rule, and the step that decided a Retry.
type verdict uint32

const (
	verdictPhase     verdict = 1<<4 - 1
	verdictFulfilled verdict = 1 << 4
	verdictDaemoned  verdict = 1 << 5
	wantShift                = 6
	ruleShift                = 12
	stepShift                = 20
)

// newVerdict is the verdict that a node is in a phase; it is fulfilled if the phase is settled.
func newVerdict(p nodegraph.Phase, r Rule) verdict {
	v := verdict(p) | verdict(r)<<ruleShift
	if p.Settled() {
		v |= verdictFulfilled
	}
	return v
}

func (v verdict) phase() nodegraph.Phase { return nodegraph.Phase(v & verdictPhase) }

func (v verdict) fulfilled() bool { return v&verdictFulfilled != 0 }

func (v verdict) daemoned() bool { return v&verdictDaemoned != 0 }

func (v verdict) want() want { return want(v>>wantShift) & (1<<(ruleShift-wantShift) - 1) }

func (v verdict) rule() Rule { return Rule(v >> ruleShift) }

func (v verdict) step() retry.Step { return retry.Step(v >> stepShift) }

func (v verdict) wanting(w want) verdict { return v | verdict(w)<<wantShift }

// contented is the verdict without what should be started.
func (v verdict) contented() verdict { return v &^ (1<<ruleShift - 1<<wantShift) }

func (v verdict) decidedBy(s retry.Step) verdict { return v | verdict(s)<<stepShift }

// looksLike tells whether both mean the same to other nodes: only the rule or the step may differ.
func (v verdict) looksLike(o verdict) bool { return (v^o)&(1<<ruleShift-1) == 0 }

// open tells whether the node still holds its parent open: it is not fulfilled, or hooks of it or its items are due.
func (v verdict) open() bool { return !v.fulfilled() || v.want()&(wantHook|wantWithin) != 0 }

// evalContext is what rules read: the graph, the facts, and the verdicts reached so far. A rule reads only verdicts of nodes that
// come before its own in the order of evaluation: deeper nodes, and siblings it comes after.
type evalContext struct {
	graph    *nodegraph.Graph
	facts    *store
	verdicts []verdict
	messages []message
	wakes    map[nodegraph.Index]stamp
	scratch  []nodegraph.DepState
	origins  []origins // of dagResult
}

// record stores the ruling on node i.
func (w *evalContext) record(i nodegraph.Index, r ruling) {
	w.verdicts[i], w.messages[i] = r.verdict, r.message
	if r.wake != 0 || len(w.wakes) > 0 {
		w.recordWake(i, r.wake)
	}
}

// recordWake stores when node i is to be looked at again, 0 for never.
func (w *evalContext) recordWake(i nodegraph.Index, at stamp) {
	if at == 0 {
		delete(w.wakes, i)
		return
	}
	if w.wakes == nil {
		w.wakes = make(map[nodegraph.Index]stamp)
	}
	w.wakes[i] = at
}

// firstOpen returns a member that holds composite i open.
func (w *evalContext) firstOpen(i nodegraph.Index) (nodegraph.Index, bool) {
	kind := w.facts.nodes[i].kind
	for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
		if w.facts.nodes[m].traits&traitCounts != 0 && holdsOpen(kind, w.verdicts[m]) {
			return m, true
		}
	}
	return nodegraph.None, false
}

// holdsOpen tells whether a member with this verdict holds a composite of this kind open. The hooks of items are inside
// what their TaskGroup is inside of, and hold that open: see taskGroupRule.
func holdsOpen(kind nodegraph.Kind, v verdict) bool {
	if kind == nodegraph.TaskGroup {
		return !v.fulfilled()
	}
	return v.open()
}

// clear tells whether what comes after node i, which has this verdict, may go on: it is fulfilled and so are its hooks.
func (w *evalContext) clear(i nodegraph.Index, n *node, v verdict) bool {
	return v.fulfilled() && (n.traits&traitHooked == 0 || w.hooksDone(i))
}
