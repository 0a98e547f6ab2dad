package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

const whatifUsage = `Say what becomes of a workflow when it loses pods: can it run on spot machines?

Every pod that the workflow has from now on is deleted and evicted, while it is pending, while it runs, and just before it
reports, and the workflow is simulated to its end each time. Pods that are not lost succeed. What only the controller
knows is assumed: conditions hold, loops have one item. Nothing is changed in the cluster.

The verdict comes first, then the losses that do damage, the worst first; -all shows the others, too. -suggest looks for the
smallest change of the specification with which the workflow survives, tries it, and prints it as a JSON patch of the file.

It is played by the rules of this library. -as argo adds what Argo's controller leaves open, so that the workflow never ends, by the
numbers of testdata/DEVIATIONS.md: a ContainerSet that is evicted inside a DAG (2), a Retry in a DAG that fails fast (14), and a
daemon that is a ContainerSet in a DAG (22). It says which others are not played.

Exit code 0: the workflow survives them all. 1: it does not. 2: the input can't be read, or there is too much to simulate.

Examples:
  # Try a workflow before it is submitted
  nodestatus whatif my-wf.yaml

  # What could still go wrong with one that runs
  kubectl get workflow my-wf -o json | nodestatus whatif -

  # Any two pods
  nodestatus whatif -any 2 my-wf.yaml

  # The pods without which it fails
  nodestatus whatif my-wf.yaml -o json | jq -r '.losses[] | select(.survives | not) | .lost[].node' | sort -u

Usage:
  nodestatus whatif [-any 1|2] [-limit N] [-o text|json] FILE|-
  nodestatus whatif -suggest | -as argo | -all | -templates FILE ...
`

// whatifFlags are those of the command.
type whatifFlags struct {
	*workflowFlags
	lose, limit  *int
	all, suggest *bool
	as           *string
}

func newWhatifFlags(std stdio, outputs string) *whatifFlags {
	patience := diagnose.DefaultPatience
	f := &whatifFlags{workflowFlags: &workflowFlags{set: flags("whatif", std), pods: new(string), now: new(string), patience: &patience, runs: true}}
	f.set.Usage = func() {
		fmt.Fprint(f.set.Output(), whatifUsage+"\nOptions:\n")
		f.set.PrintDefaults()
	}
	f.shared(outputs)
	f.lose = f.set.Int("any", 1, "how many pods may be lost in one run: 1 or 2 `pods`")
	f.limit = f.set.Int("limit", whatif.DefaultMaxSimulations, "give up if more than `N` simulations are needed")
	f.chooses()
	f.all = f.set.Bool("all", false, "show the losses that do no damage, too")
	f.suggest = f.set.Bool("suggest", false, "look for the smallest change with which the workflow survives")
	f.as = f.set.String("as", "nodestatus", "by whose `rules` it is played: nodestatus or argo")
	return f
}

// check says what is wrong with the flags, if anything is.
func (f *whatifFlags) check() error {
	switch {
	case *f.lose != 1 && *f.lose != 2:
		return f.wrong(fmt.Sprintf("-any must be 1 or 2, got %d", *f.lose))
	case *f.limit <= 0:
		return f.wrong(fmt.Sprintf("-limit must be positive, got %d", *f.limit))
	case *f.as != "nodestatus" && *f.as != "argo":
		return f.wrong(fmt.Sprintf("-as must be nodestatus or argo, got %q", *f.as))
	}
	return nil
}

// whatifCommand prints what becomes of one workflow when it loses pods.
func whatifCommand(args []string, std stdio) error {
	const outputs = "text|json"
	f := newWhatifFlags(std, outputs)
	file, err := f.parse(args, outputs)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return err
	}
	w, in, err := f.input(file, std)
	if err != nil {
		return err
	}
	r, found, err := f.search(std, w, in)
	if tooMany := (*whatif.LimitError)(nil); errors.As(err, &tooMany) {
		return fmt.Errorf("%s: %w (raise it with -limit)", shown(file), err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	out := newOutput(std.out)
	if *f.output == "json" {
		err = printLosses(out, w, r, *f.as, found)
	} else {
		t := &whatifText{out: out, paint: painterFor(std.out), columns: columnsOf(std.out), w: w, result: r, all: *f.all, as: *f.as, found: found}
		t.print()
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && !r.Verdict.Survives {
		return errFound
	}
	return err
}

// search plays the workflow with every loss, and looks for a change if that is asked for. An interrupt ends it with what is known.
func (f *whatifFlags) search(std stdio, w *argo.Workflow, in diagnose.Input) (*whatif.Result, *suggestion, error) {
	bar := newProgress(std.err)
	defer bar.end()
	interrupted, restore := signal.NotifyContext(context.Background(), os.Interrupt)
	defer restore()
	try := whatif.Input{
		Spec: in.Spec, Snapshot: in.Snapshot, Any: *f.lose, MaxSimulations: *f.limit, Progress: bar.show, AsArgo: *f.as == "argo",
		Stop: func() bool { return interrupted.Err() != nil },
	}
	r, err := whatif.Run(try)
	if err != nil || !*f.suggest || r.Verdict.Survives || r.Partial {
		return r, nil, err
	}
	found, err := suggested(try, w)
	return r, found, err
}

// progress shows on a terminal how far a long run has come.
type progress struct {
	out   io.Writer // nil where it is no terminal
	began time.Time // zero if no estimate is wanted
	next  time.Time
	shown bool
}

func newProgress(w io.Writer) *progress {
	if s, ok := w.(*screen); ok { // which would not let the cursor move
		w = s.out
	}
	file, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{out: file, began: time.Now(), next: time.Now().Add(time.Second)} // short runs show nothing
}

func (p *progress) show(done, total int) {
	if p.out == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.shown = time.Now().Add(200*time.Millisecond), true
	fmt.Fprintf(p.out, "\r\x1b[KSimulated %d of %d (%d%%)%s", done, total, 100*done/max(total, 1), p.estimate(done, total))
}

// estimate is how long the rest will take, once that can be told.
func (p *progress) estimate(done, total int) string {
	if p.began.IsZero() || done == 0 {
		return ""
	}
	return fmt.Sprintf(", about %s left; Ctrl-C shows what is known by then", age(time.Since(p.began)*time.Duration(total-done)/time.Duration(done)))
}

// end takes the line away.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

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
		fmt.Fprintf(t.out, "Because:      %s\n", t.wrapped(said(r.Verdict.String())))
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
	t.table(shown)
	if left := len(single) - len(shown); left > 0 {
		fmt.Fprintf(t.out, "\nWithout damage: %s more (-all shows them).\n", count(left, "row"))
	}
	if r.Verdict.Any == 2 && len(r.Losses) > 0 {
		fmt.Fprint(t.out, "\nPairs that do more damage than each loss alone:\n")
		if len(pairs) == 0 {
			fmt.Fprint(t.out, "  none\n")
		}
		t.table(pairs)
	}
	if len(shown)+len(pairs) > 0 {
		fmt.Fprintf(t.out, "\n%s\n", wrapped("pending: it exists and does not run yet. reporting: it has done all, and its result was not seen yet. "+
			"deleted: the pod does not exist any more. evicted: its machine failed it.", 0, min(cmp.Or(t.columns, 130), 130)))
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

// held says what of the object itself keeps the workflow from running.
func (t *whatifText) held() {
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
		fmt.Fprintf(t.out, "  %s: %s counts as %s\n", tree.Visible(u.Field), said(u.Text), u.CountsAs)
	}
}

// A lossRow is one row: losses of the same pods with the same consequences.
type lossRow struct {
	loss *whatif.Loss                   // the first of them
	pods string                         // what is lost
	when []string                       // the moments and ways
	once map[whatif.Moment][]whatif.Way // of single losses, the same
}

// rows groups the losses that do the same.
func (t *whatifText) rows() (single, pairs []lossRow) {
	alone := make(map[whatif.Lost]*whatif.Loss)
	at := make(map[string]int)
	for k := range t.result.Losses {
		l := &t.result.Losses[k]
		if len(l.Lost) > 1 {
			continue
		}
		alone[l.Lost[0]] = l
		key := fmt.Sprint(t.pod(l.Lost[0]), l.Phase, "|", t.becomes(l), t.retried(l))
		row, ok := at[key]
		if !ok {
			row = len(single)
			at[key] = row
			single = append(single, lossRow{loss: l, pods: t.pod(l.Lost[0]), once: make(map[whatif.Moment][]whatif.Way)})
		}
		once := single[row].once
		once[l.Lost[0].When] = append(once[l.Lost[0].When], l.Lost[0].How)
	}
	for k := range single {
		single[k].when = whenLost(single[k].once)
	}
	return single, t.pairs(alone)
}

// moments are those of a pod's life, in order.
var moments = []whatif.Moment{whatif.Pending, whatif.Running, whatif.Reporting}

// whenLost says at which moments and in which ways, in as few words as can be.
func whenLost(once map[whatif.Moment][]whatif.Way) []string {
	var lists [2]string // of moments, by way
	ways := [2]whatif.Way{whatif.Deleted, whatif.Evicted}
	for way, how := range ways {
		var list []string
		for _, m := range moments {
			if slices.Contains(once[m], how) {
				list = append(list, string(m))
			}
		}
		if lists[way] = strings.Join(list, ", "); len(list) == len(moments) {
			lists[way] = "at any time"
		}
	}
	if lists[0] == lists[1] {
		return []string{lists[0]}
	}
	var words []string
	for way, how := range ways {
		switch lists[way] {
		case "":
		case "at any time":
			words = append(words, string(how))
		default:
			words = append(words, string(how)+" while "+lists[way])
		}
	}
	return []string{strings.Join(words, "; ")}
}

// pairs groups the pairs that do more damage than each of their losses alone does.
func (t *whatifText) pairs(alone map[whatif.Lost]*whatif.Loss) []lossRow {
	var rows []lossRow
	ways := []int{}
	at := make(map[string]int)
	for k := range t.result.Losses {
		l := &t.result.Losses[k]
		if len(l.Lost) < 2 {
			continue
		}
		second := l.Lost[1]
		second.Pod = 1 // a pod that is made again is lost as the one before it
		if !more(l, alone[l.Lost[0]], alone[second]) {
			continue
		}
		pods := t.pod(l.Lost[0]) + ", then " + t.pod(l.Lost[1])
		key := fmt.Sprint(pods, l.Phase, "|", t.becomes(l), t.retried(l))
		row, ok := at[key]
		if !ok {
			row = len(rows)
			at[key] = row
			when := fmt.Sprintf("%s (%s), %s (%s)", l.Lost[0].When, l.Lost[0].How, l.Lost[1].When, l.Lost[1].How)
			rows, ways = append(rows, lossRow{loss: l, pods: pods, when: []string{when}}), append(ways, 0)
		}
		ways[row]++
	}
	for k := range rows {
		switch {
		case ways[k] == 2:
			rows[k].when = append(rows[k].when, "or in another way")
		case ways[k] > 2:
			rows[k].when = append(rows[k].when, fmt.Sprintf("or in %d other ways", ways[k]-1))
		}
	}
	return rows
}

// more tells whether a pair ends the workflow and neither of its losses alone does, or spoils a node that neither does.
// A second loss that is possible only after the first has nothing to be compared with.
func more(pair *whatif.Loss, alone ...*whatif.Loss) bool {
	fatal := false
	known := make(map[string]bool)
	for _, l := range alone {
		if l == nil {
			continue
		}
		fatal = fatal || !l.Survived()
		for _, n := range slices.Concat(l.Failed, l.Omitted, l.NeverStarted) {
			known[n.ID] = true
		}
	}
	spoilt := slices.Concat(pair.Failed, pair.Omitted, pair.NeverStarted)
	return !pair.Survived() && !fatal || slices.ContainsFunc(spoilt, func(n whatif.Node) bool { return !known[n.ID] })
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

// retried says what was done about the loss.
func (t *whatifText) retried(l *whatif.Loss) string {
	var parts []string
	for _, r := range l.Retries {
		left := "no limit"
		if r.Left != whatif.NoLimit {
			left = fmt.Sprintf("%d left", r.Left)
		}
		if r.Attempts > 0 {
			parts = append(parts, fmt.Sprintf("%s +%d (%s)", t.short(r.Name), r.Attempts, left))
		} else if l.Remade == 0 && len(l.Failed) > 0 {
			parts = append(parts, t.short(r.Name)+" not retried")
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

// becomes says what else the loss brings about.
func (t *whatifText) becomes(l *whatif.Loss) string {
	var parts []string
	for _, p := range []struct {
		what string
		list []whatif.Node
	}{{"fails", l.Failed}, {"omitted", l.Omitted}, {"never starts", l.NeverStarted}} {
		var names []string
		for _, n := range p.list {
			if n.Name != t.w.Name { // that is the workflow's phase
				names = append(names, t.short(n.Name))
			}
		}
		if len(names) > 3 {
			names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
		}
		if len(names) > 0 {
			parts = append(parts, p.what+" "+strings.Join(names, ", "))
		}
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
		lines = append(lines, []string{tree.Visible(r.pods), strings.Join(r.when, ", "), phase, tree.Visible(t.retried(r.loss)), said(t.becomes(r.loss))})
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
	printColumns(t.out, lines, gap, t.columns)
}

// The object that -o json prints. Field names are stable; lists are there also where they are empty.
type (
	whatifJSON struct {
		Workflow    string           `json:"workflow"`
		Any         int              `json:"any"` // how many pods may be lost in one run
		Survives    bool             `json:"survives"`
		Because     string           `json:"because"`
		Fatal       int              `json:"fatal"`       // how many of the losses it does not survive
		Pods        int              `json:"pods"`        // of the undisturbed run, from now on
		Simulations int              `json:"simulations"` // the undisturbed run included
		Undisturbed outcomeJSON      `json:"undisturbed"`
		Assumed     []assumedJSON    `json:"assumed"`
		Unresolved  []unresolvedJSON `json:"unresolved"`          // fields of the specification whose value only the controller knows
		Losses      []lossJSON       `json:"losses"`              // the worst first
		Partial     bool             `json:"partial,omitempty"`   // it was interrupted: other losses may be fatal, too
		Rules       string           `json:"rules"`               // nodestatus or argo
		Played      []int            `json:"played,omitempty"`    // with argo: the numbers of the deviations that were played
		NotPlayed   []int            `json:"notPlayed,omitempty"` // and of those that it could have met and were not
		Suggestion  *suggestion      `json:"suggestion,omitempty"`
	}
	outcomeJSON struct {
		Phase   string   `json:"phase"` // of the workflow
		Message string   `json:"message"`
		Waits   []string `json:"waits"` // what it waits for, for ever; empty if it ends
	}
	assumedJSON struct {
		Node  string `json:"node"`
		Text  string `json:"text"`
		Holds *bool  `json:"holds,omitempty"` // of a condition
		Items *int   `json:"items,omitempty"` // of a loop: how many
	}
	unresolvedJSON struct {
		Field    string `json:"field"`
		Text     string `json:"text"`
		CountsAs string `json:"countsAs"`
	}
	lossJSON struct {
		Lost     []lostJSON `json:"lost"` // one or two, in the order in which they are lost
		Survives bool       `json:"survives"`
		outcomeJSON
		Retries      []retryJSON    `json:"retries"`      // the Retry nodes around the lost pods
		MadeAgain    int            `json:"madeAgain"`    // pods made again without a further attempt
		Failed       []lossNodeJSON `json:"failed"`       // that do not fail undisturbed
		Omitted      []lossNodeJSON `json:"omitted"`      // that run undisturbed
		NeverStarted []lossNodeJSON `json:"neverStarted"` // likewise
	}
	lostJSON struct {
		Node  string `json:"node"` // the name
		ID    string `json:"id"`
		Pod   int    `json:"pod"`   // which pod of the node, from 1
		Agent bool   `json:"agent"` // it is the pod that serves the node
		When  string `json:"when"`  // pending, running or reporting
		How   string `json:"how"`   // deleted or evicted
	}
	retryJSON struct {
		Node     string `json:"node"`
		ID       string `json:"id"`
		Attempts int    `json:"attempts"` // further ones
		Left     *int   `json:"left"`     // null for no limit
	}
	lossNodeJSON struct {
		Node    string `json:"node"`
		ID      string `json:"id"`
		Type    string `json:"type"`
		Phase   string `json:"phase"` // empty for one that never started
		Message string `json:"message"`
	}
)

func printLosses(out io.Writer, w *argo.Workflow, r *whatif.Result, rules string, found *suggestion) error {
	object := whatifJSON{
		Workflow: w.Name, Any: r.Verdict.Any, Survives: r.Verdict.Survives, Because: r.Verdict.Because, Fatal: r.Verdict.Fatal,
		Pods: r.Pods, Simulations: r.Simulations, Undisturbed: outcomeOf(r.Undisturbed),
		Assumed: []assumedJSON{}, Unresolved: []unresolvedJSON{}, Losses: []lossJSON{}, Partial: r.Partial, Rules: rules, Suggestion: found,
	}
	if rules == "argo" {
		object.Played, object.NotPlayed = whatif.Played(), whatif.NotPlayed()
	}
	for _, a := range r.Assumed {
		item := assumedJSON{Node: a.Node, Text: a.Text, Holds: &a.Holds}
		if a.Items >= 0 {
			item.Holds, item.Items = nil, &a.Items
		}
		object.Assumed = append(object.Assumed, item)
	}
	for _, u := range w.Unresolved {
		object.Unresolved = append(object.Unresolved, unresolvedJSON(u))
	}
	for k := range r.Losses {
		l := &r.Losses[k]
		item := lossJSON{
			Survives: l.Survived(), outcomeJSON: outcomeOf(l.Outcome), Retries: []retryJSON{}, MadeAgain: l.Remade,
			Failed: lossNodes(l.Failed), Omitted: lossNodes(l.Omitted), NeverStarted: lossNodes(l.NeverStarted),
		}
		for _, p := range l.Lost {
			item.Lost = append(item.Lost, lostJSON{p.Name, p.ID, p.Pod, p.Agent, string(p.When), string(p.How)})
		}
		for _, retried := range l.Retries {
			left := &retried.Left
			if retried.Left == whatif.NoLimit {
				left = nil
			}
			item.Retries = append(item.Retries, retryJSON{retried.Name, retried.ID, retried.Attempts, left})
		}
		object.Losses = append(object.Losses, item)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(object)
}

func outcomeOf(o whatif.Outcome) outcomeJSON {
	return outcomeJSON{o.Phase.String(), o.Message, append([]string{}, o.Waits...)}
}

func lossNodes(nodes []whatif.Node) []lossNodeJSON {
	list := []lossNodeJSON{}
	for _, n := range nodes {
		list = append(list, lossNodeJSON{n.Name, n.ID, n.Kind.String(), n.Phase.String(), n.Message})
	}
	return list
}
