package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

func (t *reportText) follows() {
	if len(t.report.Follows) == 0 {
		return
	}
	title := "The controller will settle by itself"
	if !t.report.Healthy() {
		title = "Then the controller will settle by itself"
	}
	fmt.Fprintf(t.out, "\n%s:\n", title)
	for _, n := range t.report.Follows[:min(len(t.report.Follows), mostOfAKind)] {
		line := fmt.Sprintf("%s %s: %s -> %s", n.Type, tree.Visible(n.Name), said(n.Recorded.String()), said(n.Should.String()))
		fmt.Fprintf(t.out, "  %s\n", t.wrapped(line, 4))
	}
	t.rest(len(t.report.Follows))
}

func (t *reportText) waits() {
	if t.report.Workflow.Recorded.Phase.Completed() {
		return
	}
	if _, ends := t.endsAtOnce(); ends {
		return
	}
	if len(t.report.Waits) == 0 {
		fmt.Fprintf(t.out, "\nWaits for nothing that could still happen.\n")
		return
	}
	title := "Waits for"
	if !t.report.Healthy() {
		title = "Once the findings are healed it waits for"
	}
	fmt.Fprintf(t.out, "\n%s:\n", title)
	defer t.rest(len(t.report.Waits))
	for _, w := range t.report.Waits[:min(len(t.report.Waits), mostOfAKind)] {
		fmt.Fprintf(t.out, "  %s %s: %s", w.Type, tree.Visible(w.Name), needText(w))
		if !w.Since.IsZero() {
			fmt.Fprintf(t.out, ", since %s (%s)", w.Since.UTC().Format(time.RFC3339), age(t.in.Now.Sub(w.Since)))
		}
		if !w.Until.IsZero() {
			fmt.Fprintf(t.out, ", until %s", w.Until.UTC().Format(time.RFC3339))
			if t.in.Now.After(w.Until) {
				fmt.Fprint(t.out, " (passed)")
			}
		}
		if w.Message != "" {
			fmt.Fprintf(t.out, "  %s", said(w.Message))
		}
		if len(w.HeldBy) > 0 {
			fmt.Fprintf(t.out, "\n    Held by:   %s", said(strings.Join(w.HeldBy, ", ")))
		}
		if w.Never != "" {
			fmt.Fprintf(t.out, "\n    Never:     %s.", t.wrapped(said(sentence(w.Never)), 15))
		}
		fmt.Fprintln(t.out)
		t.commands(w.Commands)
	}
}

// needs says in words what a workflow waits for.
var needs = map[propagate.WaitReason]string{
	propagate.WaitStart: "its pod is to be made", propagate.WaitPod: "its pod is to end",
	propagate.WaitTimer: "time is to pass", propagate.WaitLock: "it is to get its locks",
	propagate.WaitResume: "somebody is to resume it", propagate.WaitCondition: "its condition is to be evaluated",
	propagate.WaitItems: "its items are to be resolved", propagate.WaitCache: "its memoization key is to be looked up",
	propagate.WaitParallelism: "other pods are to end first", propagate.WaitResult: "its results are to be stored",
	propagate.WaitServed: "its agent or plugin is to report", propagate.WaitSuspended: "the workflow is to be resumed",
}

func needText(w diagnose.Wait) string {
	switch {
	case w.Next:
		return needs[w.For] + " (not begun)"
	case w.Type == nodegraph.KindWorkflow && w.For == propagate.WaitStart:
		return "it is to be begun"
	}
	return needs[w.For]
}

func (t *reportText) locks() {
	if len(t.report.Locks) == 0 {
		return
	}
	fmt.Fprintf(t.out, "\nLocks:\n")
	for _, l := range t.report.Locks {
		fmt.Fprintf(t.out, "  %s", tree.Visible(l.Key))
		for _, h := range l.Holders {
			fmt.Fprintf(t.out, "\n    held by %s (%s)", tree.Visible(holderText(h)), h.Recorded.Phase)
		}
		for _, h := range l.Others {
			fmt.Fprintf(t.out, "\n    held by %s", tree.Visible(h))
		}
		for _, h := range l.Waiters {
			fmt.Fprintf(t.out, "\n    awaited by %s (%s)", tree.Visible(holderText(h)), h.Recorded.Phase)
		}
		fmt.Fprintln(t.out)
	}
}

func holderText(n diagnose.Node) string {
	if n.ID == "" {
		return "the workflow"
	}
	return n.Type.String() + " " + n.Name
}
