package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

const healUsage = `Print the smallest change of a workflow's status that gets it unstuck.

The change is a JSON merge patch of the status, for the nodes only that nodestatus diagnose finds wrong and that the
controller will never settle by itself, and for locks that what has ended still holds. What is around them is left to the
controller. The patch carries the resourceVersion: the cluster refuses it if somebody has changed the workflow since.
Nothing is changed in the cluster. What is healed, by which pods, and what is left is said on standard error.

It is refused while a pod that has not ended could still report for one of the nodes, and where the pods of -pods are not
those of this workflow.

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
	var live *diagnose.LivePodError
	var wrong *diagnose.WrongPodsError
	if errors.As(err, &live) || errors.As(err, &wrong) {
		fmt.Fprintln(std.err, "error: refused:", err)
		if live != nil && live.Pod == "" {
			fmt.Fprintln(std.err, "Use -pods to tell which pods exist.")
		}
		return errFound
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	text, err := w.GuardedPatch()
	if *f.output == "json" {
		text, err = w.Encode()
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(std.out, "%s\n", text); err != nil {
		return err
	}
	return healSummary(std.err, w, in, report, f.options())
}

// healSummary says what was healed, by which pods, and what is left. The error is errFound while anything is.
func healSummary(out io.Writer, w *argo.Workflow, in diagnose.Input, report *diagnose.Report, options []argo.Option) error {
	healed := 0
	for _, f := range report.Findings {
		if !f.Heals {
			continue
		}
		healed++
		switch {
		case f.Kind == diagnose.LockHeldByFinished:
			fmt.Fprintf(out, "healed: %s no longer holds %s\n", f.Name, f.Lock)
		case f.Should == f.Recorded:
			fmt.Fprintf(out, "healed: %s %s: its results are complete\n", f.Node.Type, f.Name)
		default:
			fmt.Fprintf(out, "healed: %s %s: %s -> %s\n", f.Node.Type, f.Name, f.Recorded, f.Should)
		}
	}
	fmt.Fprint(out, podsSeen(&in))
	left, err := leftAfter(w, in, options)
	if err != nil {
		return err
	}
	for _, f := range left {
		fmt.Fprintf(out, "warning: not healed: %s %s: %s\n", f.Kind, f.Name, f.Remedy)
		if f.ByHand != "" {
			fmt.Fprintf(out, "  by hand, since %s\n", f.ByHand)
		}
		for _, c := range f.Commands {
			fmt.Fprintf(out, "  type: %s\n", c)
		}
	}
	fmt.Fprintf(out, "%s healed, %s left\n", count(healed, "finding"), count(len(left), "finding"))
	if len(left) > 0 {
		return errFound
	}
	return nil
}

// podsSeen says which pods were looked at.
func podsSeen(in *diagnose.Input) string {
	switch {
	case in.Pods == nil:
		return "pods: not known\n"
	case len(in.Pods) == 0:
		return "pods: none of this workflow\n"
	}
	var names []string
	for _, p := range in.Pods[:min(len(in.Pods), 5)] {
		names = append(names, p.Name+" ("+string(p.Phase)+")")
	}
	if more := len(in.Pods) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	text := fmt.Sprintf("pods: %d of this workflow: %s", len(in.Pods), strings.Join(names, ", "))
	if in.Listed != nil && in.Listed.Foreign > 0 {
		text += fmt.Sprintf("; %d of others", in.Listed.Foreign)
	}
	return text + "\n"
}

// leftAfter diagnoses the healed workflow and returns what is still found.
func leftAfter(w *argo.Workflow, in diagnose.Input, options []argo.Option) ([]diagnose.Finding, error) {
	text, err := w.Encode()
	if err != nil {
		return nil, err
	}
	healed, err := argo.Read(text, options...)
	if err != nil {
		return nil, err
	}
	after, err := diagnose.FromWorkflow(healed)
	if err != nil {
		return nil, err
	}
	after.Pods, after.PodInfo, after.Listed, after.Now, after.Patience = in.Pods, in.PodInfo, in.Listed, in.Now, in.Patience
	report, err := diagnose.Diagnose(after)
	if err != nil {
		return nil, err
	}
	return report.Findings, nil
}
