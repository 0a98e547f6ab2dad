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
// What was observed of a leaf (a pod, a container, a Suspend, HTTP or Plugin node) is merged into its [fact.Fact]: a newer
// incarnation beats an older one, and within one incarnation the higher [fact.Stage] wins. Merging is commutative,
// associative and idempotent, so late, repeated and reordered events come to the same. A phase is never stored as
// truth: it follows from the graph, the facts and the time.
//
// # Rules
//
// Every node has one rule, by its kind. The documentation of package rule is the specification: numbered lines, of which the
// first that holds decides, each with the function of Argo's controller that it follows or the deviation that it is.
// [Engine.Explain] names the line. Package fact has the facts.
//
// # Invariants
//
// [Engine.Check] tests the first seven, and so does every test after every event.
//
//   - Containment (I1): nothing unfulfilled is inside something fulfilled.
//   - Progress (I2): an incomplete workflow waits for something, a complete one for nothing; it asks for nothing but the end of
//     pods that the host lists still, and the release of locks.
//   - Confluence (I3): any order, duplication or batching of the same events gives the same phases and obligations.
//   - Agreement (I4): the incremental engine says what the reference evaluator says, which starts from scratch.
//   - No rewriting (I5): a leaf that ended changes only when a newer incarnation, attempt or manual retry supersedes it.
//   - Locks (I6): a lock is released in the result in which its holder is fulfilled.
//   - Restart (I7): [Engine.Save] and [FromState], at any moment, change no phase and no obligation. [FromSnapshot] keeps what a
//     record says has ended, unless something inside it is open, and never reopens it. What a complete record leaves open is closed.
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
// them. A record that [FromSnapshot] reads holds less than [Engine.Save] does: what it leaves open is learned from the next
// observations.
//
// # What a record does not hold
//
// Argo's object has no field for these. An engine that is made from it goes on as if they were not known:
//
//   - Which pods a node has had, but for the one that was counted last as failed before it ran. A pod that is listed next is
//     the node's.
//   - Why a pod failed, and its conditions: what its message does not say no retry rule sees.
//   - In which run a container of a pod is. The end of an earlier run that is told once more counts as that of the run that is known.
//   - That the host said of a hook that its expression does not hold: the host is asked again, and what comes after the owner of the
//     hook waits for the answer if it has not begun.
//
// # Several goroutines
//
// One goroutine at a time may use an Engine. What its methods return is the caller's. Engines are independent of each
// other, even where they share a specification.
package propagate
