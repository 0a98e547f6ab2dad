package propagate

import (
	"fmt"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// evaluate returns the verdict on node i: the rule table. Each kind has one rule.
func (w *view) evaluate(i nodegraph.Index) ruling {
	if i == nodegraph.Root {
		return w.workflowRule()
	}
	f, s := &w.facts[i], w.shapes[i]
	var v ruling
	switch {
	case !f.created():
		v = w.plannedRule(i)
	case w.root().Stage == StageEnded && s.kind.Composite() && f.Phase.Settled():
		v = settled(f.Phase, w.details[i].message, RuleComplete, nodegraph.None) // a complete workflow is as it was recorded
	case f.Stage == StageEnded && s.kind.Composite():
		v = settled(f.Phase, w.details[i].message, RuleInvalid, nodegraph.None) // it could not be expanded, or was memoized
	case f.Lock == LockWaits && f.Stage < StageStopped:
		v = pending(RuleLockWait, w.details[i].message)
	default:
		v = w.createdRule(i, s.kind, f)
	}
	if s.traits&traitHooked != 0 && w.hooksDue(i, v) {
		v.verdict = v.wanting(wantHook)
	}
	return v
}

func (w *view) createdRule(i nodegraph.Index, kind nodegraph.Kind, f *fact) ruling {
	switch kind {
	case nodegraph.Pod:
		return w.podRule(i)
	case nodegraph.Container:
		return w.containerRule(i)
	case nodegraph.Suspend:
		return w.suspendRule(i)
	case nodegraph.HTTP, nodegraph.Plugin:
		return w.servedRule(i)
	}
	var v ruling
	switch kind {
	case nodegraph.DAG:
		v = w.dagRule(i)
	case nodegraph.Steps:
		v = w.stepsRule(i)
	case nodegraph.StepGroup:
		v = w.stepGroupRule(i)
	case nodegraph.TaskGroup:
		v = w.taskGroupRule(i)
	case nodegraph.Retry:
		v = w.retryRule(i)
	}
	if f.Waited && v.phase() == nodegraph.Running {
		v.verdict = v.verdict&^verdictPhase | verdict(nodegraph.Pending) // Argo never sets a composite that waited for a lock to Running
	}
	return v
}

// settled is the ruling on a node that has ended.
func settled(p nodegraph.Phase, message string, r Rule, by nodegraph.Index) ruling {
	return ruling{verdict: newVerdict(p, r), message: message, by: by}
}

func running(r Rule, by nodegraph.Index) ruling {
	return ruling{verdict: newVerdict(nodegraph.Running, r), by: by}
}

func pending(r Rule, message string) ruling {
	return ruling{verdict: newVerdict(nodegraph.Pending, r), message: message, by: nodegraph.None}
}

// daemonReady is the ruling on a daemon that is ready.
func daemonReady(by nodegraph.Index) ruling {
	return ruling{verdict: newVerdict(nodegraph.Running, RuleDaemonReady) | verdictFulfilled | verdictDaemoned, by: by}
}

// planned is the ruling on a node that was not created.
func planned(r Rule, by nodegraph.Index, w want) ruling {
	return ruling{verdict: newVerdict(nodegraph.Planned, r).wanting(w), by: by}
}

// podRule: a pod settles from its own facts (Argo: assessNodeStatus and the missing pods of podReconciliation).
//
//  1. Its result is known: that is its phase. A daemon that ended by itself has failed, whatever its exit code.
//  2. The workflow stopped it: Failed, until its own result is known.
//  3. It is gone and had run: Error, "pod deleted".
//  4. It is gone and had not run: Pending, to be created again.
//  5. It runs: Running; a daemon only once it is ready, and then it is fulfilled.
//  6. Otherwise Pending.
func (w *view) podRule(i nodegraph.Index) ruling {
	f := &w.facts[i]
	daemon := w.shapes[i].traits&traitDaemon != 0
	switch f.Stage {
	case StageEnded:
		return podResult(f, w.details[i].message, daemon)
	case StageStopped:
		return settled(f.Phase, w.details[i].message, RuleStopped, nodegraph.None)
	case StageGone:
		if f.Ran {
			return settled(nodegraph.Error, podDeleted, RulePodGone, nodegraph.None)
		}
		return pending(RulePodRecreate, w.details[i].message)
	case StageRunning:
		if !daemon {
			return running(RulePodRunning, nodegraph.None)
		}
		if f.Ready {
			return daemonReady(nodegraph.None)
		}
		return pending(RulePodRunning, "")
	case StagePending:
		v := pending(RulePodPending, w.details[i].message)
		if f.Lock == LockHeld {
			v.message = "" // Argo clears it together with the message about the lock
		}
		return v
	}
	return pending(RuleStartOwed, "")
}

// The messages of a lost pod, in Argo's words.
const (
	podDeleted       = "pod deleted"
	containerDeleted = "container deleted"
	podFailedUnder   = "Pod Failed whilst container running"
)

func podResult(f *fact, message string, daemon bool) ruling {
	if daemon && f.Phase == nodegraph.Succeeded && !f.Released {
		return settled(nodegraph.Failed, message, RuleDaemonEnded, nodegraph.None)
	}
	v := settled(f.Phase, message, RulePodResult, nodegraph.None)
	if f.Unsynced {
		v.verdict = newVerdict(f.Phase, RuleUnsynced) &^ verdictFulfilled
	}
	return v
}

// containerRule: a container settles from its own result, else from the end of its pod. Containers of one set order
// each other; they never decide who belongs to the pod.
func (w *view) containerRule(i nodegraph.Index) ruling {
	f, pod := &w.facts[i], w.shapes[i].parent
	p := &w.facts[pod]
	if f.Stage == StageEnded && f.Serial >= p.Serial {
		return settled(f.Phase, w.details[i].message, RuleContainerOwn, nodegraph.None)
	}
	switch {
	case p.Stage == StageEnded && p.Phase == nodegraph.Succeeded:
		return settled(nodegraph.Succeeded, "", RuleContainerPod, pod)
	case p.Stage == StageEnded:
		return settled(nodegraph.Failed, podFailedUnder, RuleContainerPod, pod)
	case p.Stage == StageStopped:
		return settled(nodegraph.Failed, w.details[pod].message, RuleContainerPod, pod)
	case p.Stage == StageGone && p.Ran:
		return settled(nodegraph.Error, containerDeleted, RuleContainerPod, pod)
	case f.Stage == StageRunning && p.Stage != StageGone && f.Serial >= p.Serial:
		return running(RuleContainerOwn, nodegraph.None)
	}
	return pending(RuleContainerOwn, "")
}

// suspendRule: a Suspend node runs until it is resumed, its duration has passed, or the workflow stops it.
func (w *view) suspendRule(i nodegraph.Index) ruling {
	f := &w.facts[i]
	if f.Stage >= StageStopped {
		r := RuleResumed
		if f.Stage == StageStopped {
			r = RuleStopped
		}
		return settled(f.Phase, w.details[i].message, r, nodegraph.None)
	}
	v := running(RuleSuspended, nodegraph.None)
	if d := w.g.Node(i).Template.Suspend; d > 0 {
		until := w.details[i].created.plus(d)
		if stampOf(w.now) >= until {
			return settled(nodegraph.Succeeded, "", RuleResumed, nodegraph.None)
		}
		v.wake = until
	}
	return v
}

// servedRule: HTTP and Plugin nodes are what the host reports of them.
func (w *view) servedRule(i nodegraph.Index) ruling {
	f, message := &w.facts[i], w.details[i].message
	switch {
	case f.Stage >= StageStopped:
		return settled(f.Phase, message, RuleServed, nodegraph.None)
	case f.Stage == StageGone: // the pod that serves it ended
		return settled(nodegraph.Error, message, RuleServed, nodegraph.None)
	}
	return pending(RuleServed, message)
}

// taskGroupRule: a TaskGroup is done when all its items are; of those that failed the last declared one decides. While a
// hook of an item is still to start, the group holds what it is inside of open, as the hook will.
func (w *view) taskGroupRule(i nodegraph.Index) ruling {
	if m, open := w.firstOpen(i); open {
		return running(RuleMembersOpen, m)
	}
	v, hooks := settled(nodegraph.Succeeded, "", RuleMembersDone, nodegraph.None), want(0)
	for m := w.g.First(i); m != nodegraph.None; m = w.g.Next(m) {
		if w.verdicts[m].phase().Unsuccessful() {
			v = settled(w.verdicts[m].phase(), "", RuleMemberFailed, m)
		}
		if w.verdicts[m].want()&wantHook != 0 {
			hooks = wantWithin
		}
	}
	v.verdict = v.wanting(hooks)
	return v
}

// stepsRule: the groups of a Steps node run one after the other; the first that failed ends it, with its message, once
// no group is open.
func (w *view) stepsRule(i nodegraph.Index) ruling {
	if v, decided := w.failFastRule(i); decided {
		return v
	}
	failed := nodegraph.None
	for m := w.g.First(i); m != nodegraph.None; m = w.g.Next(m) {
		if w.g.Node(m).Role != nodegraph.RoleGroup {
			continue
		}
		switch v := w.verdicts[m]; {
		case v.phase().Unsuccessful() && failed == nodegraph.None:
			failed = m
		case !v.fulfilled() && (failed == nodegraph.None || w.facts[m].created()):
			return running(RuleMembersOpen, m)
		}
	}
	if failed != nodegraph.None {
		return settled(nodegraph.Failed, w.messages[failed], RuleMemberFailed, failed)
	}
	return settled(nodegraph.Succeeded, "", RuleMembersDone, nodegraph.None)
}

// failFastRule: a DAG or Steps whose template says failFast starts nothing more once a member failed, and fails as soon
// as none of its pods is active (Argo: checkParallelism). A StepGroup that is open then fails with its Steps.
func (w *view) failFastRule(i nodegraph.Index) (ruling, bool) {
	if t := w.g.Node(i).Template; !t.FailFast || t.Kind != nodegraph.DAG && t.Kind != nodegraph.Steps {
		return ruling{}, false
	}
	c := w.census(i)
	if c.failed == nodegraph.None || c.active > 0 {
		return ruling{}, false
	}
	return settled(nodegraph.Failed, failedFast, RuleFailFast, c.failed), true
}

const failedFast = "template has failed or errored children and failFast enabled"

// A census counts the pods, DAGs and Steps of a boundary: those directly inside it, its StepGroups, TaskGroups and
// Retries, attempts included.
type census struct {
	active int
	failed nodegraph.Index // one that failed, None if none did
}

func (w *view) census(boundary nodegraph.Index) census {
	c := census{failed: nodegraph.None}
	stack := []nodegraph.Index{boundary}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := w.g.First(i); m != nodegraph.None; m = w.g.Next(m) {
			if !w.facts[m].created() {
				continue
			}
			switch p := w.verdicts[m].phase(); w.g.Node(m).Kind {
			case nodegraph.Pod, nodegraph.DAG, nodegraph.Steps:
				if !p.Settled() {
					if w.facts[m].Lock != LockWaits { // one that waits for a lock uses nothing, and its holder may need the place
						c.active++
					}
				} else if p.Unsuccessful() && c.failed == nodegraph.None {
					c.failed = m
				}
			case nodegraph.Retry, nodegraph.StepGroup, nodegraph.TaskGroup:
				stack = append(stack, m)
			}
		}
	}
	return c
}

// stepGroupRule: a StepGroup is done when its steps, their items and their hooks are; the first declared step that
// failed without continueOn decides.
func (w *view) stepGroupRule(i nodegraph.Index) ruling {
	if m, open := w.firstOpen(i); open {
		return running(RuleMembersOpen, m)
	}
	failed := nodegraph.None
	for m := w.g.First(i); m != nodegraph.None; m = w.g.Next(m) {
		n, v := w.g.Node(m), w.verdicts[m]
		if failed == nodegraph.None && v.phase().Unsuccessful() && n.Task != nil && !n.Task.ContinueOn.Covers(v.phase()) && !w.wasReady(m) {
			failed = m
		}
	}
	if failed == nodegraph.None {
		return settled(nodegraph.Succeeded, "", RuleMembersDone, nodegraph.None)
	}
	if !w.facts[failed].created() { // its when is not a condition
		return settled(nodegraph.Error, w.messages[failed], RuleMemberFailed, failed)
	}
	return settled(nodegraph.Failed, fmt.Sprintf("child '%s' failed", w.g.Node(failed).ID), RuleMemberFailed, failed)
}

// wasReady tells whether node m is a daemon that was ready once: what waited for it went on then, and its later end does
// not undo that.
func (w *view) wasReady(m nodegraph.Index) bool {
	if !w.daemons {
		return false
	}
	m = w.lastAttempt(m)
	t := w.g.Node(m).Template
	return t != nil && t.Daemon && w.facts[m].Ready
}

// released tells whether node m is a daemon that was ended with its boundary. What was decided inside the boundary saw
// it running, and stays.
func (w *view) released(m nodegraph.Index) bool {
	return w.daemons && w.facts[w.lastAttempt(m)].Released
}

// lastAttempt is the last attempt of a Retry, and any other node itself.
func (w *view) lastAttempt(m nodegraph.Index) nodegraph.Index {
	if w.g.Node(m).Kind == nodegraph.Retry && w.g.Last(m) != nodegraph.None {
		return w.g.Last(m)
	}
	return m
}

// replaced tells whether m stood for a step with a loop whose items are now nodes of their own.
func (w *view) replaced(m nodegraph.Index) bool {
	n := w.g.Node(m)
	return n.Role == nodegraph.RoleStep && n.Kind == nodegraph.TaskGroup && n.Expanded() && w.facts[m].Answer == AnswerRun
}

// workflowRule: the workflow waits for its locks, then ends as its entry node does once its hooks and its exit
// handler have ended; an exit handler that fails makes a workflow that succeeded fail.
func (w *view) workflowRule() ruling {
	waiting := w.details[nodegraph.Root].message
	switch root := w.root(); {
	case root.Stage == StageEnded: // it was complete when it was loaded: that is final
		return settled(root.Phase, waiting, RuleComplete, nodegraph.None)
	case root.Stage == StageStopped: // terminated before it ever held its locks
		return settled(nodegraph.Failed, stopMessage(w.shutdown), RuleShutdown, nodegraph.None)
	case w.started.IsZero() && root.Lock == LockNone:
		return planned(RuleReady, nodegraph.None, 0)
	case root.Lock == LockAsked, root.Lock == LockWaits:
		return pending(RuleLockWait, waiting)
	}
	entry := w.verdicts[nodegraph.Entry]
	if !entry.fulfilled() {
		return running(RuleMembersOpen, nodegraph.Entry)
	}
	exit := nodegraph.None
	for m := w.g.First(nodegraph.Root); m != nodegraph.None; m = w.g.Next(m) {
		if !w.verdicts[m].fulfilled() {
			return running(RuleExitHandler, m)
		}
		if _, h := w.g.Owner(m); h != nil && h == w.g.OnExit() {
			exit = m
		}
	}
	if entry.want()&wantHook != 0 {
		return running(RuleExitHandler, nodegraph.Entry)
	}
	if entry.phase().Unsuccessful() {
		message := w.messages[nodegraph.Entry]
		if w.shutdown != "" {
			message = stopMessage(w.shutdown)
		}
		return settled(entry.phase(), message, RuleEntry, nodegraph.Entry)
	}
	if exit != nodegraph.None && w.verdicts[exit].phase().Unsuccessful() {
		return settled(w.verdicts[exit].phase(), w.messages[exit], RuleExitHandler, exit)
	}
	return settled(nodegraph.Succeeded, "", RuleEntry, nodegraph.Entry)
}

func stopMessage(strategy string) string { return "Stopped with strategy '" + strategy + "'" }

// stops tells whether the shutdown in force applies to node i: Stop spares exit handlers (Argo: ShouldExecute).
func (w *inputs) stops(i nodegraph.Index) bool {
	return w.shutdown == "Terminate" || w.shutdown == "Stop" && !w.g.Node(i).InExitHandler()
}

// hooksDue tells whether hooks of node i should exist and don't.
func (w *view) hooksDue(i nodegraph.Index, v ruling) bool {
	hooks := w.hooksOf(i)
	if len(hooks) == 0 && (i != nodegraph.Entry || w.g.OnExit() == nil) {
		return false
	}
	due := false
	w.eachHookDue(i, v, func(*nodegraph.Hook) { due = true })
	return due
}

// hooksOf returns the declared hooks of node i: those of its task or step, or of the workflow for the entry node.
func (w *inputs) hooksOf(i nodegraph.Index) []nodegraph.Hook {
	if i == nodegraph.Entry {
		return w.g.Spec().Hooks
	}
	if t := w.g.Node(i).Task; t != nil {
		return t.Hooks
	}
	return nil
}

// eachHookDue calls do for every hook of node i that should run and has no node. The exit hook runs when its owner
// completed, but not under Terminate and not of a daemon that was ended with its boundary; any other as soon as its
// expression holds while its owner runs or has ended.
func (w *view) eachHookDue(i nodegraph.Index, v ruling, do func(*nodegraph.Hook)) {
	exists := func(h *nodegraph.Hook) bool {
		for _, m := range w.g.Hooks(i) {
			if _, of := w.g.Owner(m); of == h {
				return true
			}
		}
		return false
	}
	if exit := w.g.OnExit(); i == nodegraph.Entry && exit != nil && v.fulfilled() && w.shutdown != "Terminate" && !exists(exit) {
		do(exit)
	}
	hooks := w.hooksOf(i)
	for k := range hooks {
		h := &hooks[k]
		if exists(h) {
			continue
		}
		if h.Name == nodegraph.ExitHook {
			if v.fulfilled() && v.phase().Completed() && w.shutdown != "Terminate" && w.groupSeen(i) && !w.released(i) && w.hookHolds(i, h, v) {
				do(h)
			}
		} else if (v.phase() == nodegraph.Running || v.fulfilled()) && w.hookHolds(i, h, v) {
			do(h)
		}
	}
}

// groupSeen is true but for a TaskGroup that has only just ended: Argo starts the exit hook of the group itself with
// its next reconcile, and not at all if the DAG has ended by then because nothing comes after the group.
func (w *inputs) groupSeen(i nodegraph.Index) bool {
	return w.g.Node(i).Kind != nodegraph.TaskGroup || w.facts[i].Seen
}

// hookHolds evaluates the expression of a hook over the statuses it may name.
func (w *view) hookHolds(i nodegraph.Index, h *nodegraph.Hook, v ruling) bool {
	if h.Expression == "" {
		return true
	}
	holds, err := nodegraph.EvalHook(h.Expression, w.hookStatus(i, v))
	return err == nil && holds
}

// hookStatus returns the phase that a hook expression of node i sees under the name it gives.
func (w *view) hookStatus(i nodegraph.Index, v ruling) func(group, name string) (string, bool) {
	return func(group, name string) (string, bool) {
		if group == "workflow" {
			if i == nodegraph.Entry {
				return v.phase().String(), true
			}
			return w.verdicts[nodegraph.Entry].phase().String(), true
		}
		if t := w.g.Node(i).Task; t != nil && t.Name == name {
			return v.phase().String(), true
		}
		if w.g.Node(i).Task == nil {
			return "", false
		}
		sibling := w.g.Find(strings.TrimSuffix(w.g.Node(i).Name, w.g.Node(i).Task.Name) + name)
		if sibling == nodegraph.None {
			return "", false
		}
		return w.verdicts[sibling].phase().String(), true
	}
}

// hooksDone tells whether every hook of node i that was started has ended and none is due.
func (w *view) hooksDone(i nodegraph.Index) bool {
	if w.verdicts[i].want()&wantHook != 0 {
		return false
	}
	if w.g.Node(i).Kind == nodegraph.TaskGroup && !w.facts[i].Seen && len(w.hooksOf(i)) > 0 && w.verdicts[i].phase().Completed() && w.shutdown != "Terminate" {
		return false
	}
	for _, h := range w.g.Hooks(i) {
		if !w.verdicts[h].fulfilled() {
			return false
		}
	}
	return true
}
