// Package diagnose looks at a workflow as a controller recorded it and says what is wrong with it, what it waits for,
// and how to get it unstuck.
//
// [Diagnose] compares the recorded phases with those that package propagate computes from the same record, and from the
// pods that exist where they are known. A difference alone is no finding: a controller stores its status step by step
// and may not have looked at a node yet. Two things make it one:
//
//   - No controller would ever come to it: the record contradicts itself. A container is open and its pod has ended, a
//     node is open inside something that has ended, an attempt was made after its Retry had ended, a node is Succeeded
//     because its pod was deleted.
//   - The controller had the time: all that a node waits for has ended, and nothing was done about it for as long as
//     [Input.Patience] says. Such findings need [Input.Now].
//
// What is only behind is listed in [Report.Follows]: it settles by itself once the findings are healed.
//
// [Report.Heal] returns the nodes that end the contradiction, and no others: the composites above them are left to the
// controller, which settles them as it always does, with their outputs, hooks and locks. [Heal] puts them into the
// Workflow. Neither changes a node that a live pod could still report for.
package diagnose
