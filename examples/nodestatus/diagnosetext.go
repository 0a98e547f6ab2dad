package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// reportText prints a report for people.
type reportText struct {
	out     io.Writer
	paint   painter
	w       *argo.Workflow
	in      diagnose.Input
	report  *diagnose.Report
	columns int    // how wide a line may be, 0 for any width
	typed   string // the commands that were printed last
}

func (t *reportText) print() {
	r := t.report
	fmt.Fprintf(t.out, "Name:       %s\n", tree.Visible(t.w.Name))
	if t.w.Namespace != "" {
		fmt.Fprintf(t.out, "Namespace:  %s\n", tree.Visible(t.w.Namespace))
	}
	fmt.Fprintf(t.out, "Status:     %s\n", t.paint.phase(r.Workflow.Recorded.Phase, t.wrapped(said(phaseText(r.Workflow.Recorded)), 12)))
	fmt.Fprint(t.out, podsText(&t.in))
	fmt.Fprintf(t.out, "Verdict:    %s\n\n", t.verdict())
	t.tree()
	t.findings()
	t.follows()
	t.waits()
	t.locks()
	for k, note := range r.Notes {
		if k == 0 {
			fmt.Fprintln(t.out)
		}
		fmt.Fprintf(t.out, "Note:       %s.\n", t.wrapped(said(sentence(note)), 12))
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(t.out, "\nNodes that the specification never asks for, in nobody's way: %s\n", said(strings.Join(r.Ignored, ", ")))
	}
}

// wrapped is a text that begins after so many columns.
func (t *reportText) wrapped(text string, after int) string { return wrapped(text, after, t.columns) }

// podsText says which pods were looked at, where that is not plain.
func podsText(in *diagnose.Input) string {
	switch l := in.Listed; {
	case in.Pods == nil:
		return "Pods:       not known (use -pods)\n"
	case l != nil && l.Foreign+len(l.Nameless) > 0:
		text := fmt.Sprintf("Pods:       %d of this workflow", len(in.Pods))
		if l.Foreign > 0 {
			text += fmt.Sprintf(", %d of others not looked at", l.Foreign)
		}
		if len(l.Nameless) > 0 {
			text += fmt.Sprintf(", %d that name no node", len(l.Nameless))
		}
		return text + "\n"
	}
	return ""
}

// verdict says how the workflow stands.
func (t *reportText) verdict() string {
	text := t.wrapped(t.verdictText(), 12)
	if t.report.Verdict().Bad() {
		return t.paint.bad(text)
	}
	return text
}

func (t *reportText) verdictText() string {
	r, findings := t.report, count(len(t.report.Findings), "finding")
	switch v := r.Verdict(); v {
	case diagnose.VerdictStuck:
		if r.Hopeless() {
			return "stuck: it waits for what can never come: only a change of the workflow, a stop or a failure ends that (" + findings + ")"
		}
		return "stuck: nothing runs any more, and it waits for ever (" + findings + ")"
	case diagnose.VerdictWrong:
		return "wrong: what is recorded contradicts itself (" + findings + ")"
	case diagnose.VerdictOverdue:
		return "overdue: what should have happened by now has not (" + findings + ")"
	case diagnose.VerdictComplete:
		return "complete, nothing is wrong"
	case diagnose.VerdictWaiting:
		if w := t.report.Waits; len(w) > 0 && w[0].HolderUnknown {
			return "waiting: " + t.waitingFor() + "; who holds them is not on record"
		}
		return "waiting: " + t.waitingFor() + "; nothing is wrong"
	}
	if state, ends := t.endsAtOnce(); ends {
		return "healthy: not begun, but as soon as it is it ends: " + said(state.String())
	}
	if r.Uncertain() {
		return "healthy as far as the record tells: whether its pods still run is not known (use -pods)"
	}
	return "healthy: in progress, nothing is wrong"
}

// endsAtOnce reports whether the workflow was not begun and can't succeed, by all that is known here.
func (t *reportText) endsAtOnce() (diagnose.State, bool) {
	w := &t.report.Workflow
	return w.Should, w.Recorded.Phase == nodegraph.PhasePlanned && w.Should.Phase.Unsuccessful() && t.report.Healthy()
}

// waitingFor says what it waits for first, and since when.
func (t *reportText) waitingFor() string {
	if len(t.report.Waits) == 0 {
		return "the workflow is to be resumed"
	}
	w := &t.report.Waits[0]
	text := needText(*w) + " (" + tree.Visible(w.Name) + ")"
	if !w.Since.IsZero() {
		text += fmt.Sprintf(", since %s (%s)", w.Since.UTC().Format(time.RFC3339), age(t.in.Now.Sub(w.Since)))
	}
	return text
}

// said is a text that may be long, of whoever wrote a message.
func said(text string) string { return tree.Visible(tree.Shortened(text, 500)) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func phaseText(s diagnose.State) string {
	if s.Phase == nodegraph.PhasePlanned {
		return "not begun"
	}
	return s.String()
}

// tree prints the nodes as they are recorded, and beside those that are wrong what they should be.
func (t *reportText) tree() {
	recorded := make(map[string]nodegraph.NodeStatus, len(t.in.Snapshot.Nodes))
	for _, n := range t.in.Snapshot.Nodes {
		recorded[n.ID] = n
	}
	notes := make(map[string]string)
	for _, f := range t.report.Findings {
		if note := string(f.Kind); notes[f.ID] == "" && f.ID != "" {
			if f.Should.Phase != nodegraph.PhasePlanned && f.Should != f.Recorded {
				note += ": should be " + f.Should.String()
			}
			notes[f.ID] = note
		}
	}
	var b strings.Builder
	tree.Write(&b, t.report.Graph, nodegraph.Root, func(i nodegraph.Index) (tree.Line, bool) {
		n, ok := recorded[t.report.Graph.Node(i).ID()]
		return tree.Line{Phase: n.Phase, Message: n.Message, Detail: t.detail(&n), Note: notes[n.ID]}, ok
	})
	fmt.Fprint(t.out, t.paint.marks(b.String()))
}

// detail is how long a pod has run, or has been there, and its name.
func (t *reportText) detail(n *nodegraph.NodeStatus) string {
	if n.Kind != nodegraph.KindPod || n.Started.IsZero() {
		return ""
	}
	end := n.Finished
	if end.IsZero() {
		end = t.in.Now
	}
	parts := []string{}
	if name := t.report.PodName(n.ID); name != "" {
		parts = append(parts, name)
	}
	return strings.Join(append(parts, age(end.Sub(n.Started))), "  ")
}

func (t *reportText) findings() {
	if t.report.Healthy() {
		return
	}
	fmt.Fprintf(t.out, "\nFindings:\n")
	shown := make(map[diagnose.Kind]int)
	for _, f := range t.report.Findings {
		if shown[f.Kind]++; shown[f.Kind] > mostOfAKind {
			continue
		}
		fmt.Fprintf(t.out, "  %s  %s\n", t.paint.bad(string(f.Kind)), tree.Visible(f.Name))
		if f.Recorded.Phase != nodegraph.PhasePlanned {
			fmt.Fprintf(t.out, "    Recorded:  %s\n", said(f.Recorded.String()))
		}
		if f.Should.Phase != nodegraph.PhasePlanned && f.Should != f.Recorded {
			fmt.Fprintf(t.out, "    Should be: %s\n", said(f.Should.String()))
		}
		if !f.Since.IsZero() {
			fmt.Fprintf(t.out, "    Since:     %s (%s)\n", f.Since.UTC().Format(time.RFC3339), age(t.in.Now.Sub(f.Since)))
		}
		fmt.Fprintf(t.out, "    Reason:    %s.\n    Remedy:    %s.\n", t.wrapped(said(sentence(f.Reason)), 15), t.wrapped(said(sentence(f.Remedy)), 15))
		if f.ByHand != "" {
			fmt.Fprintf(t.out, "    By hand:   %s.\n", t.wrapped("nodestatus heal can't do it: "+f.ByHand, 15))
		}
		t.commands(f.Commands)
		if f.Next != "" {
			fmt.Fprintf(t.out, "    Then:      %s.\n", t.wrapped(sentence(f.Next), 15))
		}
	}
	for _, kind := range diagnose.Kinds() {
		if more := shown[kind] - mostOfAKind; more > 0 {
			fmt.Fprintf(t.out, "  %s  ... and %d more (-o json lists them)\n", t.paint.bad(string(kind)), more)
		}
	}
}

// mostOfAKind is how many findings of one kind are printed, and how many nodes of other lists.
const mostOfAKind = 20

// rest says how many lines of a list were left out.
func (t *reportText) rest(n int) {
	if n > mostOfAKind {
		fmt.Fprintf(t.out, "  ... and %d more (-o json lists them)\n", n-mostOfAKind)
	}
}

// commands prints what to type, and refers to what was printed where that is the same.
func (t *reportText) commands(list []string) {
	title, text := "Type:", strings.Join(list, "\n")
	if text != "" && text == t.typed {
		fmt.Fprint(t.out, "    Type:      the same\n")
		return
	}
	for _, c := range list {
		fmt.Fprintf(t.out, "    %-10s %s\n", title, tree.Visible(c))
		title = ""
	}
	t.typed = text
}

// sentence begins with a capital where it does not begin with the name of a node, and has no full stop yet.
func sentence(s string) string {
	s = strings.TrimSuffix(s, ".")
	word, _, _ := strings.Cut(s, " ")
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" && word != "" {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// age shows a duration as kubectl does, in its two largest units.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 3*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}
