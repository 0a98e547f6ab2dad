package main

import (
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

const diagnoseUsage = `Say what is wrong with a workflow, what it waits for, and what to do.

The workflow is read as kubectl or argo print it, in JSON or YAML. With the pods that exist more can be said. Nothing is
changed. It is judged at the present. The verdict is one word:

  stuck      by itself it never ends
  wrong      what is recorded contradicts itself, or calls a success what failed
  overdue    what should have happened by now has not (see -patience)
  waiting    nothing is wrong; it waits for a person, a lock or the time
  healthy    it goes on
  complete   it has ended, and nothing is wrong

Of several workflows there is a line each, the worst first: lists, several files, objects and documents in a row, watches.
-o wide adds what to type, -o name prints those only that are stuck, wrong or overdue.

Exit code 0: nothing is wrong. 1: something is. 2: an input can't be read.

Examples:
  # Diagnose a workflow of the cluster
  kubectl get workflow my-wf -o json | nodestatus diagnose -

  # Tell it which pods exist, too
  kubectl get pods -l workflows.argoproj.io/workflow=my-wf -o json > pods.json
  kubectl get workflow my-wf -o json | nodestatus diagnose - -pods pods.json

  # All workflows of the cluster, and who holds the locks that others wait for
  kubectl get pods -A -l workflows.argoproj.io/workflow -o json > pods.json
  kubectl get workflows -A -o json | nodestatus diagnose - -pods pods.json

  # Only the names of the nodes that are wrong
  nodestatus diagnose my-wf.yaml -o json | jq -r '.findings[].node'

Usage:
  nodestatus diagnose [-pods FILE|-] [-templates FILE] [-patience D] [-o text|json|wide|name] FILE|-...
`

// diagnoseCommand prints what is wrong with one workflow, or a line for each of several.
func diagnoseCommand(args []string, std stdio) error {
	const outputs = "text|json|wide|name"
	f := newWorkflowFlags("diagnose", diagnoseUsage, std, outputs)
	files, err := f.files(args, outputs)
	if err != nil {
		return err
	}
	if err := f.prepare(std); err != nil {
		return err
	}
	all := &diagnosed{flags: f, std: std, several: len(files) > 1, from: make(map[string]string)}
	for _, file := range files {
		all.read(file)
	}
	return all.print()
}

// printOne prints the report on one workflow.
func printOne(std stdio, output string, w *argo.Workflow, in diagnose.Input, report *diagnose.Report) error {
	out := newOutput(std.out)
	var err error
	if output == "json" {
		err = printReport(out, w, &in, report)
	} else {
		t := &reportText{out: out, paint: painterFor(std.out), columns: columnsOf(std.out), w: w, in: in, report: report}
		t.print()
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && report.Verdict().Bad() {
		return errFound
	}
	return err
}
