package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// diagnosed are the workflows that one call looks at.
type diagnosed struct {
	flags  *workflowFlags
	std    stdio
	fleet  diagnose.Fleet
	failed int               // inputs that can't be read
	from   map[string]string // by namespace/name, where there are several files: the one that a workflow was read from last

	several bool // files
	again   int  // workflows that were in more than one

	last   *argo.Workflow // the one that was read last
	in     diagnose.Input
	report *diagnose.Report
}

// read looks at all workflows of a file. What can't be read is said, and the rest is looked at.
func (d *diagnosed) read(file string) {
	if err := d.readAll(file); err != nil {
		d.fail(file, err)
	}
}

func (d *diagnosed) fail(file string, err error) {
	d.failed++
	text := shown(file) + ": "
	if strings.HasPrefix(err.Error(), "open ") || strings.HasPrefix(err.Error(), "read ") { // which name the file
		text = ""
	}
	fmt.Fprintf(d.std.err, "error: %s%s\n", text, tree.Visible(hinted(err).Error()))
}

func (d *diagnosed) readAll(file string) error {
	in, err := opened(file, d.std)
	if err != nil {
		return err
	}
	defer in.Close()
	decoder := argo.NewDecoder(in, d.flags.options()...)
	for {
		w, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = d.look(file, w)
		}
		if err != nil {
			d.fail(file, err)
		}
	}
}

// look diagnoses one workflow. Only of the last one is more kept than a line.
func (d *diagnosed) look(file string, w *argo.Workflow) error {
	key := w.Namespace + "/" + w.Name
	if before, known := d.from[key]; known && before != file {
		d.noteAgain(key, before, file)
	}
	if d.several {
		d.from[key] = file
	}
	in, err := d.flags.inputOf(w)
	if err != nil {
		return err
	}
	report, err := diagnose.Diagnose(in)
	if err != nil {
		return err
	}
	d.fleet.Add(in, report)
	d.last, d.in, d.report = w, in, report
	return nil
}

// mostNoted is of how many workflows it is said that they were in several files.
const mostNoted = 3

// noteAgain says that a workflow was in another file before.
func (d *diagnosed) noteAgain(key, before, file string) {
	if d.again++; d.again <= mostNoted {
		fmt.Fprintf(d.std.err, "note: %s: workflow %s was in %s, too: the last one counts\n", shown(file), key, shown(before))
	}
}

// print prints the report on the one workflow, or a line for each of several.
func (d *diagnosed) print() error {
	output := *d.flags.output
	if more := d.again - mostNoted; more > 0 {
		fmt.Fprintf(d.std.err, "note: so it is with %d more\n", more)
	}
	var err error
	switch {
	case d.fleet.Len() == 0 && d.failed == 0:
		fmt.Fprintln(d.std.err, "no workflows")
	case d.fleet.Len() == 0:
	case d.fleet.Len() == 1 && (output == "text" || output == "json"):
		err = printOne(d.std, output, d.last, d.in, d.report)
	default:
		err = d.table(output)
	}
	if d.failed > 0 && (err == nil || errors.Is(err, errFound)) {
		return errRead
	}
	return err
}

// table prints the workflows of a fleet.
func (d *diagnosed) table(output string) error {
	rows := d.fleet.Rows()
	out := newOutput(d.std.out)
	var err error
	switch output {
	case "json":
		err = printRows(out, rows)
	case "name":
		for _, r := range rows {
			if r.Verdict.Bad() {
				fmt.Fprintln(out, tree.Visible(r.Namespace+"/"+r.Name))
			}
		}
	default:
		printTable(out, rows, output == "wide", columnsOf(d.std.out))
		if output != "wide" {
			printAdvice(out, rows, columnsOf(d.std.out))
			printUncertain(out, rows)
		}
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && len(rows) > 0 && rows[0].Verdict.Bad() {
		return errFound
	}
	return err
}

// printTable prints a line for each workflow.
func printTable(out io.Writer, rows []diagnose.Row, wide bool, columns int) {
	gap := 3
	if columns > 0 && columns < 100 {
		gap = 1
	}
	printColumns(out, func(yield func([]string) bool) {
		head := []string{"NAMESPACE", "NAME", "VERDICT", "SINCE", "CAUSE"}
		if wide {
			head = []string{"NAMESPACE", "NAME", "VERDICT", "SINCE", "FINDINGS", "CAUSE", "TYPE"}
		}
		more := yield(head)
		for k := 0; more && k < len(rows); k++ {
			more = yield(cellsOf(&rows[k], wide))
		}
	}, gap, columns)
}

// cellsOf is the line of a workflow.
func cellsOf(r *diagnose.Row, wide bool) []string {
	since := "-"
	if !r.Since.IsZero() {
		since = r.Since.UTC().Format(time.RFC3339)
	}
	line := []string{filled(r.Namespace), r.Name, string(r.Verdict), since}
	if wide {
		line = append(line, fmt.Sprint(r.Findings), filled(r.Cause), filled(strings.Join(r.Commands, " && ")))
	} else {
		line = append(line, filled(tree.Shortened(r.Cause, 160)))
	}
	for k := range line {
		line[k] = tree.Visible(line[k])
	}
	return line
}

// printUncertain says how many workflows are healthy only as far as their records tell.
func printUncertain(out io.Writer, rows []diagnose.Row) {
	n := 0
	for _, r := range rows {
		if r.Uncertain && r.Verdict == diagnose.VerdictHealthy {
			n++
		}
	}
	if n > 0 {
		fmt.Fprintf(out, "\nHealthy as far as the records tell: %d. Whether their pods still run is not known (use -pods).\n", n)
	}
}

// filled is a text that is not empty, so that columns stay columns.
func filled(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// mostAdvised is for how many workflows more than a line is printed.
const mostAdvised = 10

// printAdvice says of the worst workflows why they are, and what to type.
func printAdvice(out io.Writer, rows []diagnose.Row, columns int) {
	for k, r := range rows {
		if !r.Verdict.Bad() {
			return
		}
		if k == mostAdvised {
			fmt.Fprintf(out, "\n... and more of these: -o wide has a command for each\n")
			return
		}
		fmt.Fprintf(out, "\n%s/%s\n  Reason:  %s.\n  Remedy:  %s.\n", tree.Visible(r.Namespace), tree.Visible(r.Name), wrapped(tree.Visible(sentence(r.Reason)), 11, columns), wrapped(tree.Visible(sentence(r.Remedy)), 11, columns))
		title := "Type:"
		for _, c := range r.Commands {
			fmt.Fprintf(out, "  %-8s %s\n", title, tree.Visible(c))
			title = ""
		}
	}
}

// rowJSON is one workflow of -o json where there are several.
type rowJSON struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Verdict   string        `json:"verdict"`
	Since     *time.Time    `json:"since,omitempty"`
	Reason    string        `json:"reason,omitempty"`  // such as OrphanedContainer, of the first finding
	Message   string        `json:"message,omitempty"` // the same as a sentence
	Remedy    string        `json:"remedy,omitempty"`
	Cause     string        `json:"cause"` // what the column of that name says
	Commands  []string      `json:"commands"`
	Findings  int           `json:"findings"`
	WaitsFor  []waitForJSON `json:"waitsFor"`
	Awaiting  []string      `json:"awaiting"` // workflows that wait for a lock of this one, namespace/name
}

// listJSON is all of them.
type listJSON struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Workflows  []rowJSON `json:"workflows"` // the worst first
}

// apiVersion is the version of what -o json prints.
const apiVersion = "nodestatus/v1"

type waitForJSON struct {
	Lock   string   `json:"lock"`
	HeldBy []string `json:"heldBy"`
}

func printRows(out io.Writer, rows []diagnose.Row) error {
	list := make([]rowJSON, 0, len(rows))
	for _, r := range rows {
		row := rowJSON{
			r.Namespace, r.Name, string(r.Verdict), moment(r.Since), r.Kind.Code(), r.Reason, r.Remedy, r.Cause, append([]string{}, r.Commands...), r.Findings,
			[]waitForJSON{}, append([]string{}, r.Awaiting...),
		}
		for _, w := range r.WaitsFor {
			row.WaitsFor = append(row.WaitsFor, waitForJSON{w.Key, append([]string{}, w.Holders...)})
		}
		list = append(list, row)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(listJSON{apiVersion, "DiagnosisList", list})
}
