// Package argo reads Argo Workflows into specifications, graphs and recorded node states, and writes node states back.
//
// [Read] takes one Workflow, as JSON or YAML, or the list with one item that kubectl prints; compressed nodes are
// unpacked, nodes that Argo offloaded to a database get an error that says so. The part of the spec that decides
// status becomes a [nodegraph.Spec], the status a [nodegraph.Snapshot].
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
// {{workflow.parameters.NAME}} of parameters with a value. All other variables are known to the host only. A spec with
// them is read all the same, and each field that they leave open is listed in [Workflow.Unresolved], which says what
// the field counts as until the host knows better.
//
// # Children
//
// Argo lists children of a node without telling what is inside it from what comes after it. Reading, the names of
// nodes and the spec tell them apart; writing, [Children] renders both relations into that list again.
package argo
