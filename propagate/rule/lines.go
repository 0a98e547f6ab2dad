package rule

import (
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// A line is a line of the specification: see the documentation of the package, which has the same numbers.
type line uint8

const (
	workflow1 line = iota + 1
	workflow2
	workflow3
	workflow4
	workflow5
	workflow6
	workflow7
	workflow8
	workflow9
	planned1
	planned2
	planned3
	planned4
	planned5
	planned6
	planned7
	planned8
	planned9
	planned10
	planned11
	planned12
	planned13
	planned14
	planned15
	planned16
	planned17
	planned18
	planned19
	composite1
	composite2
	composite3
	composite4
	composite5
	composite6
	composite7
	dag1
	dag2
	dag3
	dag4
	dag5
	dag6
	dag7
	steps1
	steps2
	steps3
	steps4
	steps5
	stepGroup1
	stepGroup2
	stepGroup3
	stepGroup4
	taskGroup1
	taskGroup2
	taskGroup3
	retry1
	retry2
	retry3
	retry4
	retry5
	retry6
	retry7
	leaf1
	pod1
	pod2
	pod3
	pod4
	pod5
	pod6
	pod7
	pod8
	pod9
	pod10
	pod11
	container1
	container2
	container3
	container4
	container5
	container6
	suspend1
	suspend2
	suspend3
	suspend4
	served1
	served2
)

// chapters are the parts of the specification, in its order: the name of each and the rules of its lines.
var chapters = [...]struct {
	name  string
	first line
	rules []Rule
}{
	{"Workflow", workflow1, []Rule{
		ruleComplete, RuleShutdown, ruleReady, RuleLockWait, RuleMembersOpen, ruleExitHandler, ruleEntry, ruleExitHandler, ruleEntry,
	}},
	{"Planned", planned1, []Rule{
		RulePlanned, ruleInvalid, RulePlanned, ruleOmitted, RulePlanned, ruleOmitted, RulePlanned, RulePlanned, RulePlanned,
		ruleNoItems, ruleWhenFalse, ruleInvalid, ruleInvalid, ruleNoItems, ruleWaitCondition, ruleInvalid, ruleWaitCondition,
		ruleWhenFalse, ruleReady,
	}},
	{"Composite", composite1, []Rule{
		ruleComplete, ruleInvalid, RuleWhole, RuleMembersOpen, RuleWhole, RuleLockWait, RuleWhole,
	}},
	{"DAG", dag1, []Rule{
		RuleFailFast, RuleFailFast, RuleMembersOpen, RuleShutdown, ruleMemberFailed, RuleBranchFailed, ruleMembersDone,
	}},
	{"Steps", steps1, []Rule{RuleFailFast, RuleFailFast, RuleMembersOpen, ruleMemberFailed, ruleMembersDone}},
	{"StepGroup", stepGroup1, []Rule{RuleMembersOpen, ruleMembersDone, ruleMemberFailed, ruleMemberFailed}},
	{"TaskGroup", taskGroup1, []Rule{RuleMembersOpen, ruleMemberFailed, ruleMembersDone}},
	{"Retry", retry1, []Rule{ruleDaemonReady, RuleMembersOpen, RuleRetry, RuleRetry, RuleRetry, RuleRetry, RuleRetry}},
	{"Leaf", leaf1, []Rule{RuleLockWait}},
	{"Pod", pod1, []Rule{
		RuleDaemonEnded, RuleUnsynced, RulePodResult, RuleStopped, RulePodGone, RulePodRecreate, RulePodRunning, ruleDaemonReady,
		RulePodRunning, RulePodPending, RuleStartOwed,
	}},
	{"Container", container1, []Rule{
		ruleContainerOwn, RuleContainerPod, RuleContainerPod, RuleContainerPod, ruleContainerOwn, ruleContainerOwn,
	}},
	{"Suspend", suspend1, []Rule{RuleStopped, ruleResumed, ruleResumed, RuleSuspended}},
	{"Served", served1, []Rule{RuleServed, RuleServed}},
}

// ruleOf is the rule of each line.
var ruleOf = func() (rules [served2 + 1]Rule) {
	for _, c := range chapters {
		copy(rules[c.first:], c.rules)
	}
	return rules
}()

// String is the name of the line: its chapter and its number there, such as "Pod 5".
func (l line) String() string {
	for k := len(chapters) - 1; k >= 0; k-- {
		if c := &chapters[k]; l >= c.first {
			return fmt.Sprintf("%s %d", c.name, l-c.first+1)
		}
	}
	return ""
}

// A Rule names the rule that decided a verdict, for explanations.
type Rule uint8

// The rules, by the kind of node they are for. Those that a caller does something about are exported; [Rule.String] names all.
const (
	RulePlanned       Rule = iota // not created: what it comes after has not ended
	ruleReady                     // not created: may start now
	ruleWaitCondition             // not created: the host must evaluate its when or resolve its items
	ruleOmitted                   // its depends can't hold
	ruleWhenFalse                 // its when is false
	ruleNoItems                   // its loop is empty
	ruleInvalid                   // its specification can't run
	RuleLockWait                  // created, waits for a lock
	RuleStartOwed                 // created, the host still owes the pod
	RulePodPending                // the pod exists and does not run
	RulePodRunning                // the pod runs
	RulePodResult                 // the pod's result is known
	RulePodGone                   // the pod is gone and had run
	RulePodRecreate               // the pod is gone and had not run
	RuleStopped                   // stopped by a shutdown or deadline
	ruleDaemonReady               // a daemon that is ready
	RuleDaemonEnded               // a daemon that ended by itself
	RuleUnsynced                  // ended, its results are not stored yet
	ruleContainerOwn              // the container's own fact
	RuleContainerPod              // forced by the end of its pod
	RuleMembersOpen               // a composite with unfinished members
	ruleMembersDone               // a composite whose members all ended well
	ruleMemberFailed              // a composite that ends as the deciding member did
	RuleShutdown                  // a composite ended by shutdown
	RuleRetry                     // decided by package retry: see the step
	RuleSuspended                 // waits to be resumed, or until its duration has passed
	ruleResumed                   // resumed, or its time came
	RuleServed                    // an HTTP or Plugin node: what the host reported
	ruleExitHandler               // the workflow waits for its exit handler
	ruleEntry                     // the workflow ends as its entry node did
	ruleComplete                  // the workflow was complete when it was loaded
	RuleFailFast                  // a composite whose template fails fast, once nothing of it runs but ready daemons
	RuleWhole                     // a composite that ended as a whole: memoized, kept by a manual retry or a record, or closed from outside
	RuleBranchFailed              // a DAG in which nothing that ran leads from a task that failed to a target
)

var ruleNames = enum.Names{Type: "Rule", Of: []string{
	"planned", "ready", "wait-condition", "omitted", "when-false", "no-items", "invalid", "lock-wait", "start-owed",
	"pod-pending", "pod-running", "pod-result", "pod-gone", "pod-recreate", "stopped", "daemon-ready", "daemon-ended",
	"unsynced", "container-own", "container-pod", "members-open", "members-done", "member-failed", "shutdown", "retry",
	"suspended", "resumed", "served", "exit-handler", "entry",
	"complete", "fail-fast", "whole", "branch-failed",
}}

// String is the rule's name as explanations show it.
func (r Rule) String() string { return ruleNames.String(uint8(r)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (r Rule) MarshalText() ([]byte, error) { return ruleNames.Marshal(uint8(r)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (r *Rule) UnmarshalText(text []byte) error { return enum.Unmarshal(&ruleNames, text, r) }
