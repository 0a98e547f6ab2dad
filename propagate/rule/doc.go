// Package rule is the specification: what the phase of every node of a workflow is, given the graph, the facts and the time.
//
// A rule is a function that returns a verdict and writes nothing. It reads the fact of its own node and the verdicts on what is
// directly inside that. While the node is planned, it also reads the verdicts on the siblings that the node comes after. What
// else a rule reads is named at its line. So causes come before effects, and all verdicts together are one fixed point. Effects
// that run from a parent down to its members (shutdowns and deadlines, failing fast, the end of daemons) are facts that others
// write between two passes. They are no edges of the fixed point.
//
// Each chapter below has one rule. Its lines are numbered, and the first line that holds decides. In brackets stands the [Rule]
// that a [Verdict] names; [Reason] and [Verdict] name the line, such as "Pod 5". Where a line follows a function of Argo's
// controller, that is named; where it deviates from Argo, the number of the deviation is.
//
// A node is fulfilled if its phase is settled and its results are stored, or if it is a ready daemon. It is clear if its hooks
// are fulfilled too and none is due.
//
// # Workflow
//
// The workflow itself (workflowRule). It reads everything directly inside it: the entry node, hooks and the exit handler.
//
//  1. [complete] It was complete when it was loaded, or its locks can't be had: as it was recorded, or Failed.
//  2. [shutdown] It was terminated before it held its locks: Failed.
//  3. [ready] Nobody has called yet: not created.
//  4. [lock-wait] It has asked for its locks and does not hold them: Pending.
//  5. [members-open] The entry node is not fulfilled: Running.
//  6. [exit-handler] A hook or the exit handler is not fulfilled, or is due: Running.
//  7. [entry] The entry node is Failed or in Error: as that, with the words of the shutdown if there is one.
//  8. [exit-handler] The exit handler is Failed or in Error: as that (Argo: operate, after onExit).
//  9. [entry] Else Succeeded.
//
// # Planned
//
// A node that was not created (plannedRule, dependsRule, previousGroupRule, admitRule, loopRule). A planned node also reads
// whether its parent was created.
//
//  1. [planned] What it is inside of was not created: planned.
//  2. [invalid] The host could not answer for it or has no locks for it, or a limit has no room for it: Error, whatever happens before it.
//  3. [planned] It is a task that no target needs: planned.
//  4. [omitted] It was omitted before, after a daemon or what may have hooks yet: Omitted. That the daemon ends, or that a hook
//     begins, or is a daemon and is tried again, does not undo it. Nor does it undo that the node was skipped or is in Error.
//  5. [planned] Something it comes after is not clear: planned.
//  6. [omitted] Its depends does not hold: Omitted (Argo: evaluateDependsLogic).
//  7. [planned] It is the entry node, and the workflow has not started: planned.
//  8. [planned] It is a StepGroup, and a group before it is not fulfilled, is Failed or in Error: planned.
//  9. [planned] It is a step whose items are nodes of their own, or a hook whose expression the host said does not hold: planned,
//     and fulfilled.
//  10. [no-items] It is recorded as skipped without items: Skipped.
//  11. [when-false] The host has said that its when is false: Skipped.
//  12. [invalid] Its template can't run, and is not that of its items alone, or the expression of a hook of it is none: Error.
//  13. [invalid] It is inside of more templates than the limit allows: Error.
//  14. [no-items] It has a loop without items, or whose items nobody knows and whose when is false: Skipped.
//  15. [wait-condition] It has a loop whose items nobody knows: planned, and the host is asked to expand it.
//  16. [invalid] Its when is no condition: Error (Argo: shouldExecute).
//  17. [wait-condition] Its when, a field of its template, or the expression of which it is the hook names what the library does
//     not know: planned. The host is asked to resolve it.
//  18. [when-false] Its when is false: Skipped.
//  19. [ready] Else it may start: planned, and the engine starts it as soon as nothing holds it back.
//
// # Composite
//
// A created DAG, Steps, StepGroup, TaskGroup or Retry (compositeRule, lockWaitRule, wholeRule, closingRule). Where no line holds,
// the chapter of its kind decides. A composite that has waited for a lock, or was not found in the cache, is Pending where that
// chapter says Running, as in Argo.
//
//  1. [complete] The workflow was complete when it was loaded: as it was recorded, or Failed if it was recorded as open.
//  2. [invalid] It ended as a whole, in Error and with nothing inside it: it could not be expanded. Error.
//  3. [whole] It ended as a whole, and the chapter of its kind says otherwise: as it ended.
//  4. [members-open] It only ends, and something inside it was created and is not fulfilled: Running.
//  5. [whole] It only ends: in the phase on record for it.
//  6. [lock-wait] It waits for its locks: Pending, or Running where something is inside it already. That is so where a manual
//     retry has opened it again. It is also so for a Retry that gave the locks back with a daemon that was ready, and asks for
//     them before the next attempt.
//  7. [whole] Something around it only ends, the chapter of its kind leaves it open, and nothing inside it is: Failed, since what
//     it waits for never starts. It reads everything that it is inside of.
//
// # DAG
//
// A DAG (dagRule, dagResult, failFastRule; Argo: assessDAGPhase). Its tasks that a target needs are open until they and their
// hooks are fulfilled. It reads the pods, DAGs and Steps in its groups and Retries where its template fails fast.
//
//  1. [fail-fast] Its template fails fast, one of those failed, and none is active: Failed (Argo: checkParallelism). If none
//     but DAGs and Steps failed, and those only as this ended, lines 4 to 7 say it where they say Failed.
//  2. [fail-fast] It is open, its template fails fast, one of those failed, and none but ready daemons is active: Failed.
//  3. [members-open] It is open: Running.
//  4. [shutdown] A shutdown found it unfinished: Failed.
//  5. [member-failed] The deciding target is Failed or in Error, and its continueOn does not cover that: as that target.
//  6. [branch-failed] The deciding target was skipped or omitted, and the nearest failure before it counts: as that failure
//     (deviations 8 and 9).
//  7. [members-done] Else Succeeded.
//
// The deciding target is the first that counts as a failure, with failFast false the last. Skipped and omitted targets count
// as the nearest task before them that is Failed or in Error. The nearest is reached over the fewest tasks, through skipped and
// omitted tasks alone; of several as near it is the first in the order of visits. One that both its own continueOn and that of
// the target cover does not count. Nothing inside a task counts, and no hook.
//
// # Steps
//
// A Steps node (stepsRule, failFastRule; Argo: executeSteps). Its groups run one after the other. Open are groups that are not
// fulfilled; after one that failed, those of them that were created.
//
//  1. [fail-fast] As DAG 1.
//  2. [fail-fast] As DAG 2; with the name of the first step that failed, if that ended only now and the open group waits for
//     steps that were not created alone.
//  3. [members-open] A group is open: Running.
//  4. [member-failed] A group is Failed or in Error: Failed, with the words of the first.
//  5. [members-done] Else Succeeded.
//
// # StepGroup
//
// A group of steps (stepGroupRule; Argo: executeStepGroup). Its steps and items are open until they and their hooks are fulfilled.
// Once the next group was created, daemons that are tried again do not count as open, and no hook is due. It reads whether that
// was created. After a group that a manual retry has opened, the next is the first that did not stay as it had ended.
//
//  1. [members-open] Something inside it is open: Running.
//  2. [members-done] No step has failed, save where its continueOn covers that: Succeeded.
//  3. [member-failed] The first step that failed was not created, and not since it is too deep: Error, with the words of that
//     step.
//  4. [member-failed] Else Failed, with the name of the first step that failed.
//
// # TaskGroup
//
// The items of a task (taskGroupRule; Argo: assessTaskGroup). While a hook of an item is due it holds open what it is inside of.
// A group of daemons that was Succeeded stays so: the first two lines are left out.
//
//  1. [members-open] An item is not fulfilled: Running.
//  2. [member-failed] An item is Failed or in Error: as the last declared of those.
//  3. [members-done] Else Succeeded.
//
// # Retry
//
// A node with a retryStrategy (retryRule; Argo: processNodeRetries). Package retry decides from the attempts and the time at
// which the Retry is looked at, or ended; [Verdict] names the step of it.
//
//  1. [daemon-ready] The last attempt is a ready daemon: so is it.
//  2. [members-open] The last attempt is not fulfilled: Running.
//  3. [retry] A shutdown found it unfinished, and the last attempt is Failed or in Error: Failed.
//  4. [retry] Another attempt is due later: Running, until then.
//  5. [retry] Another attempt is due: Running, and the engine starts it as soon as nothing holds it back.
//  6. [retry] The last attempt is Succeeded or Skipped: Succeeded.
//  7. [retry] No further attempt is made: Failed or Error, with the words why.
//
// # Leaf
//
// A created pod, Suspend, HTTP or Plugin node. Where no line holds, the chapter of its kind decides.
//
//  1. [lock-wait] It waits for its locks and nobody has stopped it: Pending.
//
// # Pod
//
// A pod (podRule; Argo: assessNodeStatus, and podReconciliation for pods that are missing).
//
//  1. [daemon-ended] It is a daemon that ended well by itself: neither with its boundary, nor found in the cache. Failed.
//  2. [unsynced] It ended, and its results are not stored yet: as it ended, and not fulfilled.
//  3. [pod-result] It ended: as it ended.
//  4. [stopped] The workflow stopped it: Failed, until its own end is known.
//  5. [pod-gone] It is gone and was seen to run: Error, "pod deleted".
//  6. [pod-recreate] It is gone and was not seen to run: Pending, to be made again.
//  7. [pod-running] It runs and is no daemon: Running.
//  8. [daemon-ready] It is a daemon and ready: Running, and fulfilled.
//  9. [pod-running] It is a daemon that runs and was not ready yet: Pending.
//  10. [pod-pending] It exists: Pending.
//  11. [start-owed] Nobody has seen it: Pending.
//
// # Container
//
// A container of a pod (containerRule). It reads the fact of its pod. Containers order each other; that never decides who
// belongs to the pod.
//
//  1. [container-own] It was seen to end in the pod that is known, or the workflow ended both: as it ended.
//  2. [container-pod] Its pod ended well, and is no daemon that did so by itself: Succeeded.
//  3. [container-pod] Its pod ended otherwise: Failed.
//  4. [container-pod] Its pod is gone and was seen to run: Error, "container deleted".
//  5. [container-own] It was seen to run in the pod that is known: Running.
//  6. [container-own] Else Pending.
//
// # Suspend
//
// A Suspend node (suspendRule; Argo: executeSuspend).
//
//  1. [stopped] The workflow stopped it: Failed.
//  2. [resumed] It was resumed, or refused: as the host said.
//  3. [resumed] Its duration has passed since it was created: Succeeded.
//  4. [suspended] Else Running, until its duration has passed if it has one.
//
// # Served
//
// An HTTP or Plugin node (servedRule; Argo: taskSetReconciliation).
//
//  1. [served] The host said how it ended, the workflow stopped it, or the pod that serves it is gone: so.
//  2. [served] Else Pending.
//
// # Hooks
//
// A verdict also says that hooks are due (hooksDue, EachHookDue). A hook whose expression is missing or holds is due once. The exit
// hook is due when its owner is completed and the other hooks have ended; any other while its owner runs or once that is
// fulfilled (Argo: executeTmplLifeCycleHook, runOnExitNode). An item of a TaskGroup has the exit hook alone, and the group has
// all. The group's own exit hook comes after those of the items, and with the call after the one in which the group ended. What
// comes after the group waits for that only where an item has one, too. Of an owner that was not created the same is true once it
// has ended, as skipped, omitted or in Error. No exit hook is due after a Terminate, for a daemon that was ended with its boundary,
// or inside what only ends. No hook is due in a StepGroup after which the next was created, or inside a DAG or Steps that was seen
// to have ended.
// The hooks of a step wait for those of the steps before it in its group, but for exit hooks (Argo: executeStepGroup).
//
// Expressions read the phase and the exit code of the owner and of tasks and steps before it, and workflow.status. Inside the
// entry node that is what it was before the call, anywhere else what the entry node came to (Argo: setGlobalRuntimeParameters). A
// daemon that was ended with its boundary is Running to them: no hook is due in the boundary because of that. A hook
// whose expression names anything else is due, too, and the host is asked to resolve it. That is while the owner runs, and once more when
// that has ended by itself. A text that is no expression is an error of the owner: see line Planned 12.
//
// # Fields of a Workflow
//
// Which field of an Argo Workflow is decided by which function of this package, of propagate, or of nodegraph.
//
//	Pod (container, script, resource, data)       podRule
//	Container (containerSet)                      containerRule; run again inside the pod: containerRetried
//	Retry (retryStrategy: limit, retryPolicy,     retryRule, which asks retry.Decide
//	backoff, expression)
//	DAG (target, failFast, continueOn)            dagRule, dagResult
//	dependencies, depends                         dependsRule, holds; compiled by ParseDepends, evaluated by Eval
//	Steps, StepGroup                              stepsRule, stepGroupRule, previousGroupRule
//	TaskGroup (withItems, withParam,              taskGroupRule, loopRule; items that only the host knows: expanded
//	withSequence)
//	Skipped, Omitted (when, empty loops,          plannedRule, admitRule, EvalWhen; what the host can't answer: unanswerable
//	depends)
//	Suspend (duration, resume)                    suspendRule
//	HTTP, Plugin                                  servedRule; their agent pod ended: agentEnded
//	daemon                                        podRule; ended with their boundary: endDaemonsIn
//	hooks, onExit                                 hooksDue, EachHookDue, hooksDone
//	the workflow itself                           workflowRule
//	synchronization (mutexes, semaphores; of      beginWorkflow, admit, lockAnswered, releaseLocks; shared by LockTable
//	workflows and templates)
//	parallelism (of workflows and templates)      parallelismAllows, Census
//	template failFast                             failFastRule
//	memoize                                       admit, memoized
//	shutdown (Stop, Terminate)                    applyShutdown, halt, dagRule
//	activeDeadlineSeconds, timeout,               passDeadline, checkTimeouts
//	pendingTimeout
//	suspend of the workflow                       admit
//	results not synced yet                        podResult
//	pods that failed before they ran              restartable
//	(failedPodRestart)
//	manual retry, restartSuccessful, other        manualRetry, retrialOf; the host resolves a node field selector to names
//	parameters
//	ttlStrategy                                   TTL.After
//	templateRef, workflowTemplateRef              read from what the controller stored in the status; a missing one is a
//	                                              ReadError, or an error of the node
//	templateDefaults, inline, arguments           filled in by argo.Read
//	retryStrategy.affinity, podGC, archiveLogs,   decide no status; kept as they are when nodes are written back
//	artifacts, outputs
//	offloaded node status                         not supported: ErrOffloaded
//	sprig and jsonpath functions in expressions   not supported: the node that asks one ends in Error with a message that names
//	                                              the function
//	status fields outboundNodes, synchronization  not written
//	and the phase labels
package rule
