// Package propagate computes the phase of every node of a workflow, what to do next, and what an unfinished workflow
// waits for. It is the core of a workflow controller without its surroundings: no clock, no goroutine, no I/O.
//
// The idea: what was observed are facts, and phases are computed from them, never stored as truth. So an event that comes late, twice
// or out of order comes to the same, and a workflow that is not complete can always say what it waits for.
//
//	observations -> facts -> rules -> phases -> changes, actions, obligations
//
// The host, a workflow controller, owns an [Engine] for each workflow, and calls it whenever something has happened:
//
//	engine, err := propagate.New(spec) // after a restart FromState, with what was stored
//	for events := range happened {     // the first call has none: the workflow starts
//		result, err := engine.Apply(now, events...)
//		if err != nil {
//			return err // an event that can't be; nothing has changed
//		}
//		store(engine.Save())
//		for _, action := range result.Actions {
//			do(action) // the table under Actions
//		}
//	}
//
// [Engine.SyncPods] takes the list of the pods that exist in place of events. [Engine.Obligations] lists what an unfinished workflow
// waits for, and [Engine.Explain] says why a node has its phase. [Drive] is the loop with the answers to what actions ask, package
// reconcile is one call for hosts that keep no engines, simhost is a simulated host for tests.
//
// # Actions
//
// An action may come twice, because the host may die in between, and is carried out so that twice is as good as once.
//
//	action    the host                                    comes again after a restart         is answered with
//	Start     Pod: makes the pod, under a name made from  as Recreate, while no pod is        what is seen of the pod: SyncPods, PodRunning,
//	          the node's. HTTP, Plugin: has it served.    listed and nothing is reported      PodEnded; NodeEnded; Unrunnable if it can't be done
//	          Others: nothing
//	Wait      nothing: the node waits for a lock          no                                  nothing
//	Recreate  as Start                                    as Start                            as Start
//	Terminate ends the pod                                yes, and with each list in which    what is seen of the pod
//	                                                      the pod is alive
//	Acquire   asks a LockTable                            yes, until it is answered           LockGranted or LockQueued, later LockGranted;
//	                                                                                          Unanswerable
//	Release   tells the LockTable                         no: Adopt gives it nothing          LockGranted to whoever gets the lock
//	Resolve   works out a condition                       yes, until it is answered           Resolved, Unanswerable
//	Expand    works out the items of a loop               yes, until it is answered           Expanded, Unanswerable
//	Lookup    looks into the cache                        yes, until it is answered           Memoized, Unanswerable
//	Wake      calls again at that time                    yes                                 a call
//	Complete  nothing more                                of a record that was not complete   nothing
//
// # In which order
//
//   - A host stores what it keeps of an engine, its state or its record, before it carries out the actions of a call. What was not
//     stored did not happen, and what was stored and not done is asked for again.
//   - It carries out the actions of a call in their order, and those of one call before it makes the next for this workflow. What an
//     answer brings about comes before the remaining actions: [Drive] does so.
//   - A list of pods is not older than what the host has stored: a pod that the list lacks counts as deleted.
//   - Locks are shared: one [LockTable] for all workflows, told by [LockTable.Adopt] of all unfinished ones before the host acts
//     for any after a restart.
//   - The time of a call is not before that of the last one.
//
// An Example of each loop is at [Drive] and in package reconcile. RELIABILITY.md has what comes again after a crash before and after
// each action.
//
// # What decides
//
// What was observed of a leaf (a pod, a container, a Suspend, HTTP or Plugin node) is merged into its [fact.Fact]. A newer
// incarnation beats an older one, and within one incarnation the higher [fact.Stage] wins. Merging is commutative,
// associative and idempotent.
//
// Every node has one rule, by its kind. The documentation of package rule is the specification: numbered lines, of which the
// first that holds decides. Each has the function of Argo's controller that it follows, or the deviation that it is.
// [Engine.Explain] names the line.
//
// # Invariants
//
// [Engine.Check] tests the first seven, and so does every test after every event.
//
//   - Containment (I1): nothing unfulfilled is inside something fulfilled.
//   - Progress (I2): an incomplete workflow waits for something, a complete one for nothing. A complete one asks for nothing but
//     the end of pods that the host lists still, and the release of locks.
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
// them. An eviction that is told after the next pod was heard of does not count among the restarts of that node. A record that [FromSnapshot] reads holds less than [Engine.Save] does: what it leaves open is learned from the next
// observations.
//
// # What a record does not hold
//
// Argo's object has no field for all that an engine knows. Package reconcile, the one call for hosts that keep nothing else, has the
// table of what it lacks and what follows from that.
//
// # Several goroutines
//
// One goroutine at a time may use an Engine. What its methods return is the caller's. Engines are independent of each
// other, even where they share a specification.
//
// # Misuse
//
// What a host may do wrong, and how it shows. Nothing of it is silent: either a call is refused, and nothing was changed, or it is
// among what the workflow waits for, or it counts as the line says. TestMisuse has a test for each line.
//
//	an engine is copied                 go vet says so, and every call of the copy is a UseError
//	an engine was not made by New       its calls are a UseError, and its other methods panic
//	two goroutines use an engine        the call that comes into another is a UseError; what reads meanwhile only the race detector sees
//	nodes are added to the graph        every further call is a UseError
//	the specification is changed        Check says so; a node that it would make otherwise ends in Error
//	the specification is nil            New returns a SpecError, and so it does for a template that is nil
//	a name can't be a node's            New and Spec.Validate return a SpecError
//	a condition does not parse          Spec.Warnings lists it; its node ends in Error when it is to start
//	an index of no node                 Phase and its like panic and say what Find returns; Kind and Graph.Node panic as a slice
//	a name that no node has             ErrUnknownNode, with the names that are near
//	an event of another kind of node    ErrWrongKind, with what the node is
//	an event of a node not started      ErrNotStarted
//	an event of a complete workflow     ErrComplete; SyncPods asks for the end of pods that are alive
//	a container that is no node         ErrUnknownNode, with the containers that there are
//	an exit code without HasExit        ErrInvalid: see Event.WithExit
//	one event of a batch is wrong       none is taken; EventError.Index says which it is
//	an event comes late or twice        it changes nothing that a later one has said
//	two ends are told of one pod        the worse one counts, in any order
//	an answer to no question            ErrWrongKind where the node can never ask; else the first answer counts
//	the time is zero                    a UseError
//	the time goes back                  the latest time that was told counts; one that was far ahead is never taken back
//	the result to fill in is nil        a UseError
//	a result of ApplyTo is kept         the next call overwrites it: Apply makes a new one each time
//	slices of an event are used again   the engine has copies of them
//	a phase that no pod has             SyncPods returns an EventError, and takes nothing of the list
//	a pod is listed twice               the state that is furthest on counts
//	a list of pods is old               what has ended stays as it ended
//	a list of pods is not complete      the pods that are missing count as deleted: wait until the cache of the host is complete
//	a pod that nobody asked for         Result.Unknown lists it
//	a pod is made without its lock      ErrWaitsForLock; SyncPods lists it in Result.Unknown
//	a pod is not made                   Obligations says start; the first call after a restart asks again
//	an error of Do is passed over       Obligations says start; engines that are made anew ask again: see Drive
//	a question is not answered          Obligations says which; the first call after a restart asks again
//	a wake-up is missed                 Obligations says timer, and until when; the next call makes up for it
//	a pod runs past its timeout         the engine ends it, unless the host does: see nodegraph.Spec.TimeoutsByHost
//	a release is forgotten              LockTable.Audit finds it, and others wait for that lock
//	a holder is named by name           LockTable.Audit finds it: a Holder has the id of its node
//	a holder asks for other locks       it has those that it asked for first; LockTable.Audit finds the difference
//	a LockTable is nil                  its methods panic: the zero value is an empty table
package propagate
