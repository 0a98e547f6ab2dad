// Package propagate computes the phase of every node of a workflow, what to do next, and what an unfinished workflow
// waits for.
//
// The host, a workflow controller, owns an [Engine] for each workflow. It tells the engine what happened and what time
// it is ([Engine.Apply], [Engine.SyncPods]); the engine answers with a [Result]: the nodes that changed and the actions
// that the host must carry out. [Engine.Obligations] lists what an unfinished workflow waits for and [Engine.Explain]
// says why a node has its phase. The engine has no clock, no goroutine and no I/O.
//
//	observations -> facts -> rules -> phases -> changes, actions, obligations
//
// # Facts
//
// What was observed of a leaf (a pod, a container, a Suspend, HTTP or Plugin node) is merged into its [Fact]: a newer
// incarnation beats an older one, and within one incarnation the higher [Stage] wins. Merging is commutative,
// associative and idempotent, so late, repeated and reordered events come to the same. A phase is never stored as
// truth: it follows from the graph, the facts and the time.
//
// # Rules
//
// Every node has one rule, by its kind, and a rule is one function. It reads the node's own fact and verdicts that
// come before its own: those of its members and, while it is planned, those of the siblings it comes after. The first
// line that holds decides.
//
// A node that was not created (plannedRule):
//
//  1. Its parent does not exist, or something it comes after is not fulfilled with its hooks: planned.
//  2. Its depends does not hold (dependsRule): Omitted. A StepGroup after one that failed stays planned for ever
//     (previousGroupRule).
//  3. Its loop has no items, or its when is false (admitRule, loopRule): Skipped. The host is asked where only the
//     host can tell.
//  4. Its specification can't run: Error.
//  5. It is ready: the engine starts it as soon as the workflow is not suspended, its locks are held, its memoization
//     key was looked up and no limit of parallelism is reached.
//
// A node that was created:
//
//   - Pod (podRule): its result; else stopped by the workflow; else gone: Error "pod deleted" if it ran, and made
//     again if not; else Running or Pending. A daemon is fulfilled while it is ready.
//   - Container (containerRule): its own result; else what the end of its pod forces, for every container in the pod;
//     else Running or Pending. The order among containers never decides.
//   - Retry (retryRule): package retry decides from the attempts and the time.
//   - DAG (dagRule): Running while a needed task or a hook is unfinished; then its targets decide, in declared order.
//     A target that was skipped or omitted counts as the nearest failure before it (dagResult).
//   - Steps (stepsRule): Running while a group is; the first group that failed ends it.
//   - StepGroup (stepGroupRule): Running while a step, an item or a hook is; the first declared failure decides.
//   - TaskGroup (taskGroupRule): Running while an item is; then the last declared failure decides.
//   - Suspend (suspendRule), HTTP and Plugin (servedRule): what was reported, or the duration that passed.
//   - The workflow (workflowRule): waits for its locks, then for its entry node, its hooks and its exit handler.
//
// Before all of these: a composite that came from the cache or could not be expanded keeps that result, and a node
// that waits for a lock is Pending. Effects that run from a parent down to its members (shutdown and deadlines, fail
// fast, the end of daemons) enter as facts between two passes; they are no edges of the fixed point, so the rules have
// no cycles.
//
// # Invariants
//
// [Engine.Check] tests the first seven, and so does every test after every event.
//
//   - Containment (I1): nothing unfulfilled is inside something fulfilled.
//   - Progress (I2): an incomplete workflow waits for something, a complete one for nothing; it emits no action.
//   - Confluence (I3): any order, duplication or batching of the same events gives the same phases and obligations.
//   - Agreement (I4): the incremental engine says what the reference evaluator says, which starts from scratch.
//   - No rewriting (I5): a leaf that ended changes only when a newer incarnation, attempt or manual retry supersedes it.
//   - Locks (I6): a lock is released in the result in which its holder settles.
//   - Restart (I7): [Engine.Save] and [Load], at any moment, change no phase and no obligation. [Restore] keeps what a
//     record says has ended, unless something inside it is open, and never reopens it.
//   - Truth (I8): nothing that failed is reported as success.
//   - Bounds (I9): parallelism and the limits of locks hold. No pod is asked for without its locks, inside something that
//     has ended, after a shutdown or a deadline, or twice for an attempt that ran.
//   - Nothing dropped (I10): what could change a phase and can't be evaluated or carried out is an error of its node or a
//     question to the host.
//
// Package truth checks I8 and I9, and shares no code with the rules.
//
// # What is not promised
//
// Which of several nodes starts first under a limit of parallelism follows the order of [Engine.StartOrder] and the
// order of the events. Times in facts are the host's: an observation without a time gets that of the call. An event
// that names no pod is taken to be about the pod that is known; hosts that may hear of pods late or twice should name
// them. A record that [Restore] reads holds less than [Engine.Save] does: what it leaves open is learned from the next
// observations.
//
// # Several goroutines
//
// One goroutine at a time may use an Engine. What its methods return is the caller's. Engines are independent of each
// other, even where they share a specification.
package propagate
