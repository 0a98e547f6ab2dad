// Package whatif says what becomes of a workflow when it loses pods: can it run on machines that may go away?
//
// [Run] plays the workflow to its end with an engine of package propagate and pods that exist in memory only, first
// undisturbed, then once for every loss of a pod. Each pod of the undisturbed run is deleted and evicted: while it is
// pending, while it runs, and just before it reports. With Any: 2 every loss that the workflow survives is followed by
// every second one. Each [Loss] says how the workflow ends then, which attempts were made and are left, what fails, what
// is omitted and what never starts. The [Verdict] says whether any loss ends the workflow badly.
//
// # How the workflow is played
//
// Time is in rounds. In each round every pod makes one step, in the order in which the engine asked for them. It is
// pending, it runs, its containers end in their order, it reports that it succeeded. So what may run in parallel does. A
// loss takes the place of a step. For a pod that is lost while pending that is its start, and for one that runs the first thing
// that it does. For one that is about to report it takes the place of the report. A daemon is about to report in the step in which its
// boundary would end it.
//
// HTTP and Plugin nodes are served by one pod, the agent. It is lost once for every step of every node that it serves,
// and all that it serves at that moment with it.
//
// Pods take no time. When no pod has a step to make, people act: what is suspended is resumed, results are stored. When
// there is nothing for them to do time goes on to the next timer. Locks are granted in the order in which they are
// asked for, and a semaphore whose size only the host knows has one place. Memoization keys are never found. Conditions
// about statuses and exit codes of earlier tasks are evaluated. Other conditions that only the host can evaluate hold, and
// loops that only the host can resolve have one item, unless [Input.Conditions] and [Input.Items] say otherwise;
// [Result.Assumed] lists these answers.
//
// Other interleavings are possible in a cluster. They can differ in what is omitted or never starts, where limits of
// parallelism and failFast decide, and in hooks that look for a phase which passes quickly. [Loss.FailedFast] says where that is.
//
// # Cost
//
// Each pod is lost as the only one that is left, where the order in which pods make their steps decides nothing: see [Run]. A
// loss costs what it changes then, and a copy of the engine's memory ([propagate.Engine.CloneTo]). Elsewhere, and for daemons and
// the agent, a loss is simulated from the state before it to the end. A workflow of n pods takes 6n simulations, for pairs about
// 18n²; [Input.MaxSimulations] bounds them. There is no clock and no goroutine, and the same input gives the same result. go test
// -bench Run ./propagate/whatif measures it.
package whatif
