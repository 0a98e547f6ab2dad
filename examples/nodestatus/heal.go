package main

import (
	"errors"
	"fmt"

	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

const healUsage = `Print the smallest change of a workflow's status that gets it unstuck.

The change is a JSON merge patch of status.nodes, for the nodes only that nodestatus diagnose finds wrong and that the
controller will never settle by itself. What is around them is left to the controller. Nothing is changed in the cluster.
It is refused while a pod that has not ended could still report for one of the nodes.

Exit code 0: all that was found is healed by it, or nothing was found. 1: it was refused, or something is left to do by
hand. 2: the input can't be read.

Examples:
  # Heal a workflow of the cluster
  kubectl get pods -l workflows.argoproj.io/workflow=my-wf -o json > pods.json
  kubectl get workflow my-wf -o json | nodestatus heal - -pods pods.json > patch.json
  kubectl patch workflow my-wf --type merge --patch-file patch.json

  # The whole workflow as it would be
  nodestatus heal my-wf.json -o json

Usage:
  nodestatus heal [-pods FILE|-] [-o patch|json] FILE|-
`

// healCommand prints what heals one workflow.
func healCommand(args []string, std stdio) error {
	const outputs = "patch|json"
	f := newWorkflowFlags("heal", healUsage, std, outputs)
	file, w, in, err := f.read(args, outputs, std)
	if err != nil {
		return err
	}
	report, err := diagnose.Heal(w, in)
	if refused := (*diagnose.LivePodError)(nil); errors.As(err, &refused) {
		fmt.Fprintln(std.err, "error: refused:", refused)
		if refused.Pod == "" {
			fmt.Fprintln(std.err, "Use -pods to tell which pods exist.")
		}
		return errFound
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	text, err := w.Patch()
	if *f.output == "json" {
		text, err = w.Encode()
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(std.out, "%s\n", text); err != nil {
		return err
	}
	left := false
	for _, finding := range report.Findings {
		if !finding.Heals && finding.Kind != diagnose.LockHeldForEver { // the lock comes back with its holder's end
			left = true
			fmt.Fprintf(std.err, "warning: not healed: %s %s: %s\n", finding.Kind, finding.Name, finding.Remedy)
		}
	}
	if left {
		return errFound
	}
	return nil
}
