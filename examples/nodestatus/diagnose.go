package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
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
	all := &diagnosed{flags: f, std: std}
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
		fmt.Fprintf(t.out, "  %s %s: %s -> %s\n", n.Type, tree.Visible(n.Name), said(n.Recorded.String()), said(n.Should.String()))
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

// The object that -o json prints. Field names are stable; lists are there also where they are empty.
type (
	reportJSON struct {
		APIVersion string        `json:"apiVersion"`
		Kind       string        `json:"kind"`
		Workflow   string        `json:"workflow"`
		Phase      string        `json:"phase"`     // as recorded, empty before the controller has begun it
		Verdict    string        `json:"verdict"`   // stuck, wrong, overdue, waiting, healthy or complete
		PodsKnown  bool          `json:"podsKnown"` // else it is not known whether what is recorded as running runs
		Healthy    bool          `json:"healthy"`
		Stuck      bool          `json:"stuck"` // nothing will happen any more
		Findings   []findingJSON `json:"findings"`
		Follows    []followJSON  `json:"follows"` // what the controller settles by itself once the findings are healed
		Waiting    []waitingJSON `json:"waiting"` // what it waits for then
		Locks      []lockJSON    `json:"locks"`
		Ignored    []string      `json:"ignored"` // ids of nodes that the specification never asks for
		Notes      []string      `json:"notes"`
	}
	phaseJSON struct {
		Phase   string `json:"phase"`
		Message string `json:"message"`
	}
	findingJSON struct {
		Kind     string     `json:"kind"` // such as orphaned-container
		Code     string     `json:"code"` // the same as Kubernetes writes reasons: OrphanedContainer
		Node     string     `json:"node"` // the name
		ID       string     `json:"id"`
		Type     string     `json:"type"`
		Lock     string     `json:"lock,omitempty"`
		Pod      string     `json:"pod,omitempty"`
		Recorded *phaseJSON `json:"recorded,omitempty"`
		Should   *phaseJSON `json:"should,omitempty"`
		Reason   string     `json:"reason"`
		Remedy   string     `json:"remedy"`
		Heals    bool       `json:"heals"` // nodestatus heal sets recorded to should
		Since    *time.Time `json:"since,omitempty"`
		Next     string     `json:"next,omitempty"` // what the controller does then
		Commands []string   `json:"commands"`       // to type
	}
	followJSON struct {
		Node     string    `json:"node"`
		ID       string    `json:"id"`
		Type     string    `json:"type"`
		Recorded phaseJSON `json:"recorded"`
		Should   phaseJSON `json:"should"`
	}
	waitingJSON struct {
		Node    string     `json:"node"`
		ID      string     `json:"id"`
		Type    string     `json:"type"`
		For     string     `json:"for"`
		Since   *time.Time `json:"since,omitempty"`
		Until   *time.Time `json:"until,omitempty"`
		Message string     `json:"message,omitempty"`
		Never   string     `json:"never,omitempty"` // why it can never come true
		Begun   bool       `json:"begun"`           // the node is on record

		Lock     string   `json:"lock,omitempty"`
		HeldBy   []string `json:"heldBy,omitempty"` // namespace/workflow or namespace/workflow/node
		Commands []string `json:"commands,omitempty"`
	}
	lockJSON struct {
		Key     string     `json:"key"`
		Holders []userJSON `json:"holders"`
		Waiters []userJSON `json:"waiters"`
		Others  []string   `json:"others,omitempty"` // holders that are other workflows
	}
	userJSON struct { // of a lock; the workflow itself has no id
		Node  string `json:"node"`
		ID    string `json:"id"`
		Phase string `json:"phase"`
	}
)

func printReport(out io.Writer, w *argo.Workflow, in *diagnose.Input, r *diagnose.Report) error {
	object := reportJSON{
		APIVersion: apiVersion, Kind: "Diagnosis", Workflow: w.Name, Phase: r.Workflow.Recorded.Phase.String(), Verdict: string(r.Verdict()), PodsKnown: in.Pods != nil, Healthy: r.Healthy(), Stuck: r.Stuck,
		Findings: []findingJSON{}, Follows: []followJSON{}, Waiting: []waitingJSON{}, Locks: []lockJSON{}, Ignored: []string{},
		Notes: append([]string{}, r.Notes...),
	}
	for _, f := range r.Findings {
		object.Findings = append(object.Findings, findingJSON{
			string(f.Kind), f.Kind.Code(), f.Name, f.ID, f.Type.String(), f.Lock, f.Pod, optional(f.Recorded), optional(f.Should), f.Reason, f.Remedy, f.Heals,
			moment(f.Since), f.Next, append([]string{}, f.Commands...),
		})
	}
	for _, n := range r.Follows {
		object.Follows = append(object.Follows, followJSON{n.Name, n.ID, n.Type.String(), *optional(n.Recorded), *optional(n.Should)})
	}
	for _, n := range r.Waits {
		object.Waiting = append(object.Waiting, waitingJSON{
			n.Name, n.ID, n.Type.String(), n.For.String(), moment(n.Since), moment(n.Until), n.Message, n.Never, !n.Next, n.Lock, n.HeldBy, n.Commands,
		})
	}
	for _, l := range r.Locks {
		object.Locks = append(object.Locks, lockJSON{l.Key, users(l.Holders), users(l.Waiters), l.Others})
	}
	object.Ignored = append(object.Ignored, r.Ignored...)
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(object)
}

func optional(s diagnose.State) *phaseJSON {
	if s.Phase == nodegraph.PhasePlanned {
		return nil
	}
	return &phaseJSON{s.Phase.String(), s.Message}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func users(nodes []diagnose.Node) []userJSON {
	list := []userJSON{}
	for _, n := range nodes {
		list = append(list, userJSON{n.Name, n.ID, n.Recorded.Phase.String()})
	}
	return list
}
