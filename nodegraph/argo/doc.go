// Package argo reads Argo Workflows into specifications, graphs and recorded node states, and writes nodes back.
//
// [Read] takes one Workflow, as JSON or YAML, or the list that kubectl prints; compressed nodes are unpacked, nodes
// that Argo offloaded to a database get an error that says so. The part of the spec that decides status becomes a
// [nodegraph.Spec]; every other field is kept as it came and written back unchanged by [Workflow.Encode].
//
// Argo lists children of a node without telling what is inside it from what comes after it. Reading, the names of
// nodes and the spec tell them apart; writing, [Workflow.SetNodes] renders both relations into that list again.
package argo
