package rule

import "fmt"

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
	container7
	suspend1
	suspend2
	suspend3
	suspend4
	served1
	served2
	served3
)

// chapters are the parts of the specification, in its order: the name of each and the rules of its lines.
var chapters = [...]struct {
	name  string
	first line
	rules []Rule
}{
	{"Workflow", workflow1, []Rule{
		RuleComplete, RuleShutdown, RuleReady, RuleLockWait, RuleMembersOpen, RuleExitHandler, RuleEntry, RuleExitHandler, RuleEntry,
	}},
	{"Planned", planned1, []Rule{
		RulePlanned, RuleInvalid, RulePlanned, RuleOmitted, RulePlanned, RuleOmitted, RulePlanned, RulePlanned, RulePlanned,
		RuleNoItems, RuleWhenFalse, RuleInvalid, RuleInvalid, RuleNoItems, RuleWaitCondition, RuleInvalid, RuleWaitCondition,
		RuleWhenFalse, RuleReady,
	}},
	{"Composite", composite1, []Rule{
		RuleComplete, RuleInvalid, RuleWhole, RuleMembersOpen, RuleWhole, RuleLockWait, RuleWhole,
	}},
	{"DAG", dag1, []Rule{
		RuleFailFast, RuleFailFast, RuleMembersOpen, RuleShutdown, RuleMemberFailed, RuleBranchFailed, RuleMembersDone,
	}},
	{"Steps", steps1, []Rule{RuleFailFast, RuleFailFast, RuleMembersOpen, RuleMemberFailed, RuleMembersDone}},
	{"StepGroup", stepGroup1, []Rule{RuleMembersOpen, RuleMembersDone, RuleMemberFailed, RuleMemberFailed}},
	{"TaskGroup", taskGroup1, []Rule{RuleMembersOpen, RuleMemberFailed, RuleMembersDone}},
	{"Retry", retry1, []Rule{RuleDaemonReady, RuleMembersOpen, RuleRetry, RuleRetry, RuleRetry, RuleRetry, RuleRetry}},
	{"Leaf", leaf1, []Rule{RuleLockWait}},
	{"Pod", pod1, []Rule{
		RuleDaemonEnded, RuleUnsynced, RulePodResult, RuleStopped, RulePodGone, RulePodRecreate, RulePodRunning, RuleDaemonReady,
		RulePodRunning, RulePodPending, RuleStartOwed,
	}},
	{"Container", container1, []Rule{
		RuleContainerOwn, RuleContainerPod, RuleContainerPod, RuleContainerPod, RuleContainerPod, RuleContainerOwn, RuleContainerOwn,
	}},
	{"Suspend", suspend1, []Rule{RuleStopped, RuleResumed, RuleResumed, RuleSuspended}},
	{"Served", served1, []Rule{RuleServed, RuleServed, RuleServed}},
}

// ruleOf is the rule of each line.
var ruleOf = func() (rules [served3 + 1]Rule) {
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
