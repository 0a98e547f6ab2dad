package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

// whatifText prints the losses for people.
type whatifText struct {
	out    io.Writer
	paint  painter
	w      *argo.Workflow
	result *whatif.Result
	all    bool   // the losses that do no damage, too
	as     string // by whose rules
	found  *suggestion

	columns int // how wide a line may be, 0 for any width
}

// wrapped is a text beside a title.
func (t *whatifText) wrapped(text string) string { return wrapped(text, 14, t.columns) }

func (t *whatifText) print() {
	r := t.result
	safe, verdict := t.verdict()
	if verdict = t.wrapped(verdict); !safe {
		verdict = t.paint.bad(verdict)
	}
	fmt.Fprintf(t.out, "Verdict:      %s\n", verdict)
	fmt.Fprintf(t.out, "Name:         %s\n", tree.Visible(t.w.Name))
	if t.w.Namespace != "" {
		fmt.Fprintf(t.out, "Namespace:    %s\n", tree.Visible(t.w.Namespace))
	}
	if r.Undisturbed.Survived() { // else the verdict says how it ends
		fmt.Fprintf(t.out, "Undisturbed:  %s, %s from now on\n", t.paint.phase(r.Undisturbed.Phase, said(r.Undisturbed.String())), count(r.Pods, "pod"))
		if !r.Partial || r.Verdict.Fatal > 0 { // else the verdict says why it is not known
			fmt.Fprintf(t.out, "Because:      %s\n", t.wrapped(said(r.Verdict.String())))
		}
	}
	if t.as == "argo" {
		fmt.Fprintf(t.out, "Rules:        %s\n", t.wrapped(fmt.Sprintf("Argo's, with deviations %s. Not played: %s", numbers(whatif.Played()), numbers(whatif.NotPlayed()))))
	} else {
		fmt.Fprint(t.out, "Rules:        nodestatus (see -as argo)\n")
	}
	t.held()
	t.assumptions()
	single, pairs := t.rows()
	shown := t.damaging(single)
	t.table(t.folded(shown))
	if left := len(single) - len(shown); left > 0 {
		fmt.Fprintf(t.out, "\nWithout damage: %s more (-all shows them).\n", count(left, "row"))
	}
	if r.Verdict.Any == 2 && len(r.Losses) > 0 {
		fmt.Fprint(t.out, "\nPairs that do more damage than each loss alone:\n")
		if len(pairs) == 0 {
			fmt.Fprint(t.out, "  none\n")
		}
		t.table(t.folded(pairs))
	}
	if len(shown)+len(pairs) > 0 {
		words := "pending: it exists and does not run yet. reporting: it has done all, and its result was not seen yet. " +
			"deleted: the pod does not exist any more. evicted: its machine failed it."
		if slices.ContainsFunc(r.Losses, func(l whatif.Loss) bool { return len(l.FailedFast) > 0 }) {
			words += " fails fast: what has not begun in it by then never begins."
		}
		fmt.Fprintf(t.out, "\n%s\n", wrapped(words, 0, min(cmp.Or(t.columns, 130), 130)))
	}
	t.suggestion()
}

// numbers lists numbers with commas.
func numbers(list []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]")
}

// verdict says in a line whether the workflow can run on machines that go away.
func (t *whatifText) verdict() (safe bool, text string) {
	r, s := t.result, &t.w.Snapshot
	if s.Shutdown != "" && !s.Phase.Completed() {
		when := ""
		if s.Phase == nodegraph.PhasePlanned {
			when = " before it begins"
		}
		return false, (fmt.Sprintf("NOT safe: spec.shutdown is %s: it stops the workflow%s", s.Shutdown, when))
	}
	if r.Verdict.Survives {
		return true, "safe on spot machines: " + said(r.Verdict.Because)
	}
	if r.Partial && r.Verdict.Fatal == 0 {
		return false, (said(r.Verdict.Because))
	}
	var names []string
	for k := range r.Losses {
		l := &r.Losses[k]
		if name := t.pod(l.Lost[0]); !l.Survived() && len(l.Lost) == 1 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return false, ("NOT safe on spot machines: " + said(r.Verdict.Because))
	case len(names) == 1:
		return false, (fmt.Sprintf("NOT safe on spot machines: losing %s fails it", tree.Visible(names[0])))
	case len(names) > 6:
		names = append(names[:6], fmt.Sprintf("%d more", len(names)-6))
	}
	return false, (fmt.Sprintf("NOT safe on spot machines: losing any of %s fails it", tree.Visible(strings.Join(names, ", "))))
}

// held says whether the search is incomplete, and what of the object itself keeps the workflow from running.
func (t *whatifText) held() {
	if r := t.result; r.Partial {
		text := fmt.Sprintf("it was stopped after %s: losses that were not tried may be fatal, too", count(r.Simulations, "simulation"))
		fmt.Fprintf(t.out, "Note:         %s\n", t.wrapped(text))
	}
	if s := t.w.Snapshot; s.Shutdown != "" {
		fmt.Fprintf(t.out, "Note:         spec.shutdown is %s: remove it before you submit a copy\n", s.Shutdown)
	} else if s.Suspended {
		fmt.Fprint(t.out, "Note:         spec.suspend is true: it is assumed that somebody resumes the workflow (argo resume)\n")
	}
}

// damaging are the rows that do any damage, or all of them.
func (t *whatifText) damaging(rows []lossRow) []lossRow {
	if t.all {
		return rows
	}
	var list []lossRow
	for _, r := range rows {
		if l := r.loss; !l.Survived() || len(l.Failed)+len(l.Omitted)+len(l.NeverStarted) > 0 {
			list = append(list, r)
		}
	}
	return list
}

func (t *whatifText) assumptions() {
	if slices.ContainsFunc(t.w.Unresolved, func(u argo.Unresolved) bool { return strings.HasSuffix(u.Field, ".templateRef") }) {
		fmt.Fprint(t.out, "Note:         it refers to templates that the object does not hold: give them with -templates FILE\n")
	}
	if len(t.result.Assumed)+len(t.w.Unresolved) == 0 {
		return
	}
	fmt.Fprint(t.out, "\nAssumed:\n")
	for _, a := range t.result.Assumed {
		if slices.ContainsFunc(t.w.Unresolved, func(u argo.Unresolved) bool { return a.Text == u.Field+": "+u.Text }) {
			continue // it stands among the fields below
		}
		what := "is true"
		if a.Items >= 0 {
			what = "has " + count(a.Items, "item")
		}
		fmt.Fprintf(t.out, "  %s: %s %s\n", tree.Visible(a.Node), said(a.Text), what)
	}
	for _, u := range t.w.Unresolved {
		as := strings.TrimPrefix(u.CountsAs, "as ")
		if u.Template() {
			as = "what the record tells of it, and as one pod for what was not begun"
		}
		fmt.Fprintf(t.out, "  %s: %s counts as %s\n", tree.Visible(u.Field), said(u.Text), as)
	}
}

// pod names what is lost, without the name of the workflow before it.
func (t *whatifText) pod(l whatif.Lost) string {
	name := t.short(l.Name)
	if l.Agent {
		name = "agent of " + name
	}
	if l.Pod > 1 {
		name += fmt.Sprintf(" #%d", l.Pod)
	}
	return name
}

func (t *whatifText) short(name string) string {
	if rest, ok := strings.CutPrefix(name, t.w.Name+"."); ok {
		return rest
	}
	return name
}

// retried says what was done about the loss, with names as they are shown.
func (t *whatifText) retried(l *whatif.Loss, show func(string) string) string {
	var parts []string
	for _, r := range l.Retries {
		left := "no limit"
		if r.Left != whatif.NoLimit {
			left = fmt.Sprintf("%d left", r.Left)
		}
		if r.Attempts > 0 {
			parts = append(parts, fmt.Sprintf("%s +%d (%s)", show(t.short(r.Name)), r.Attempts, left))
		} else if l.Remade == 0 && len(l.Failed) > 0 {
			parts = append(parts, show(t.short(r.Name))+" not retried")
		}
	}
	if l.Remade > 0 {
		parts = append(parts, "made again")
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, "; ")
}

// becomes says what else the loss brings about, with names as they are shown.
func (t *whatifText) becomes(l *whatif.Loss, show func(string) string) string {
	var parts []string
	for _, p := range []struct {
		what string
		list []whatif.Node
	}{{"fails", l.Failed}, {"omitted", l.Omitted}, {"never starts", l.NeverStarted}} {
		var names []string
		for _, n := range p.list {
			if n.Name != t.w.Name { // that is the workflow's phase
				names = append(names, show(t.short(n.Name)))
			}
		}
		if len(names) > 3 {
			names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
		}
		if len(names) > 0 {
			parts = append(parts, p.what+" "+strings.Join(names, ", "))
		}
	}
	for _, n := range l.FailedFast {
		parts = append(parts, show(t.short(n.Name))+" fails fast")
	}
	if len(l.Waits) > 0 {
		parts = append(parts, "waits for "+strings.Join(l.Waits, ", "))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, "; ")
}

// table prints rows in columns as wide as they need to be.
func (t *whatifText) table(rows []lossRow) {
	if len(rows) == 0 {
		return
	}
	lines := [][]string{{"POD", "LOST", "WORKFLOW", "RETRIED", "CONSEQUENCES"}}
	phases := []nodegraph.Phase{nodegraph.PhasePlanned}
	for _, r := range rows {
		phase := r.loss.Phase.String()
		if len(r.loss.Waits) > 0 {
			phase = "never ends"
		}
		lines = append(lines, []string{tree.Visible(r.pods), strings.Join(r.when, ", "), phase, tree.Visible(t.retried(r.loss, asItIs)), said(t.becomes(r.loss, asItIs))})
		phases = append(phases, r.loss.Phase)
	}
	for k, line := range lines[1:] {
		line[2] = t.paint.phase(phases[k+1], line[2])
	}
	fmt.Fprintln(t.out)
	gap := 2
	if t.columns > 0 && t.columns < 100 {
		gap = 1
	}
	printColumns(t.out, slices.Values(lines), gap, t.columns)
}
