// Package diagnose looks at a workflow as a controller recorded it and says what is wrong with it, what it waits for,
// and how to get it unstuck.
//
// [Diagnose] compares the recorded phases with those that package propagate computes at the present from the same record,
// and from the pods that exist where they are known. A difference alone is no finding: a controller stores its status step by
// step and may not have looked at a node yet. Three things make it one:
//
//   - No controller would ever come to it: the record contradicts itself. A container is open and its pod has ended. A
//     node is open inside something that has ended. An attempt was made after its Retry had ended. A node is Succeeded
//     because its pod was deleted, or although something that it needs failed.
//   - It can never come true. A node waits for a lock or a place that something around the node holds. Or it waits for a result that
//     nobody reports any more, or for a container that was killed.
//   - It is overdue. The controller owes what can be begun or settled, and has [Input.Patience] for that. A pod or the cluster
//     owes the begin and the end of a pod, and has six times as long. Such findings need [Input.Now].
//
// Each finding says since when, why, what to do, and which commands to type. [Report.Verdict] says in a word how the workflow
// stands. What is only behind is listed in [Report.Follows]: it settles by itself once the findings are healed.
//
// [Report.Heal] returns the nodes that end the contradiction, and no others. The composites above them are left to the
// controller, which settles them as it always does, with their outputs, hooks and locks. A composite that it has not settled
// in time is healed if it has nothing to store but its phase. [Heal] puts the nodes into the Workflow, and takes locks out of the
// status that are held by what has ended. It says of results that nobody reports that they are complete. Neither changes a
// node that a live pod could still report for, and neither believes a list of pods that can't be that of the workflow.
//
// [Fleet] takes the reports on many workflows and joins them: who holds the lock that others wait for, and how that one stands.
package diagnose
