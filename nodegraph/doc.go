// Package nodegraph models a workflow as a graph with two relations that are never mixed.
//
// Containment says what is inside what: a container in its pod, an attempt in its Retry, an item in its TaskGroup, a
// task in its DAG. A step is in its StepGroup, a StepGroup in its Steps, everything in the workflow. Every node but the
// workflow itself has exactly one parent.
//
// Order says what comes after what, among nodes of one parent, and under which condition. It comes from the depends or
// dependencies of a DAG's task, the sequence of StepGroups, and the dependencies of containers in a ContainerSet. It
// explains why a node waits; it never decides who belongs to whom.
//
// Argo Workflows stores both in one list, children. Package nodegraph/argo splits that list on input and renders it
// on output.
//
// # From a specification to a graph
//
// A [Spec] holds templates, as an Argo Workflow does. [New] checks it and makes a [Graph] of the workflow and its
// entry node. [Graph.Expand] adds the members of a composite when the composite starts, so a template that calls
// itself expands lazily. Attempts, items and hooks are added by [Graph.AddAttempt], [Graph.AddItems] and
// [Graph.AddHook] as they come to exist. Node names and ids are Argo's.
//
// Graphs for tests and experiments are drawn in one line of text with [Parse], or built in Go with [Builder]. The
// algorithms and encoders of gonum run on the view that [Graph.Directed] returns.
//
// A Graph holds no state of a run: phases, facts and times live in package propagate.
package nodegraph
