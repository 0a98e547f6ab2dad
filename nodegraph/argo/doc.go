// Package argo reads Argo Workflows into specifications, graphs and recorded node states, and writes node states back.
//
// [Read] takes one Workflow in the forms that people have. It is JSON or YAML, gzipped or not. It may be an object without kind as
// Argo prints it, a list with one item, or an event of a watch. A [Decoder] takes several, one at a time. Compressed nodes are
// unpacked, nodes that Argo offloaded to a database get an error that says how to get them. With [WithRuns] templates are
// read as what is made of them. The part of the spec that decides status becomes a [nodegraph.Spec], the status a
// [nodegraph.Snapshot]; [Workflow.Details] has what an operator needs besides.
//
// Keys match exactly, as for the API server: "Phase" is not "phase". No key may be twice where it is read. What else counts as JSON, and
// what bounds there are, stands at the scanner, in scan.go.
//
// [Workflow.SetStatus] takes the snapshot of an engine; [Workflow.Encode] gives the whole object with it, and
// [Workflow.Patch] the JSON merge patch that leads from what was read to what is set. Every field that neither of them
// has to change stays byte for byte as it came, known to this package or not.
//
// # Variables
//
// Argo puts values in place of {{variables}} before it looks at a spec. So does Read, for the variables whose values
// the object itself holds: {{workflow.name}}, {{workflow.namespace}}, {{workflow.uid}}, {{workflow.mainEntrypoint}},
// {{workflow.serviceAccountName}}, {{workflow.labels.KEY}}, {{workflow.annotations.KEY}} and
// {{workflow.parameters.NAME}} of parameters with a value. Names of these in the expressions of hooks are replaced too.
//
// {{inputs.parameters.NAME}} stands for the argument of the call: of the task, the step or the hook that runs the template.
// For the entrypoint and the exit handler that is the argument of the workflow. Without one it stands for the default. Arguments may themselves be made from
// parameters of the caller, and from {{item}} and {{item.KEY}} where the items of the loop are known. A template that is
// called with other values is another template here. The first keeps the name; any other has a name of its own and
// names the first in CopyOf. Values that decide nothing, such as the arguments of a container, make no difference. A field
// that a value makes wrong is an error of the nodes that have it.
//
// All other variables are known to the host only, first of all outputs of nodes, and expressions such as {{=1+1}}. A spec
// with them is read all the same, and each field that they leave open is listed in [Workflow.Unresolved], which says what
// the field counts as. It never counts as that unasked: the template lists it too, and the engine asks the host before a
// node of the template starts. An error of the node would be wrong wherever the controller goes on to learn the value, and
// a diagnosis would report as failed what waits. A node that is on record has started: its controller knew the value, so
// that nobody is asked.
//
// # Children
//
// Argo lists children of a node without telling what is inside it from what comes after it. Reading, the names of
// nodes and the spec tell them apart; writing, [Children] renders both relations into that list again.
package argo
