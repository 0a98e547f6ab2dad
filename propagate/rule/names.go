package rule

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
