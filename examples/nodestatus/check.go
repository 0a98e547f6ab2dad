package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/nodestatus/nodestatus/propagate/replay"
)

// A tally is what -check counts of one recording, or of all.
type tally struct {
	name                          string
	frames, nodes, equal, ahead   int
	listed, defects               int // a defect that is listed is counted as listed alone
	deviations                    [replay.Deviations + 1]int
	clean, differing, excused, no int // recordings: without defects, with defects, with defects that are all listed, unreadable
}

// add counts what the judge found in one recording; listed tells whether its defects are known.
func (t *tally) add(v *replay.Verdict, listed bool) {
	t.frames += v.Frames
	t.nodes += v.Nodes
	t.equal += v.Equal
	defects := 0
	for k := range v.Differences {
		switch d := &v.Differences[k]; {
		case d.Deviation > 0:
			t.deviations[d.Deviation]++
		case d.Ahead:
			t.ahead++
		default:
			defects++
		}
	}
	switch {
	case defects == 0:
		t.clean++
	case listed:
		t.excused++
		t.listed += defects
	default:
		t.differing++
		t.defects += defects
	}
}

// A checking is one run of replay -check.
type checking struct {
	mode    replay.Mode
	numbers bool // a row for each deviation, not for each recording
	causes  []replay.Cause
	errs    io.Writer

	rows    []tally
	total   tally
	shows   [replay.Deviations + 1]int // recordings that show each deviation
	open    []string
	defects []replay.Difference
}

// checkAll judges every file and prints a row for each and one for all, or one for each deviation, what is unfinished at the
// end, and the defects. A file that can't be read or played is reported and counted; the others are judged all the same.
func (c *checking) checkAll(out io.Writer, causes string, files []string) error {
	if causes != "" {
		text, err := os.ReadFile(causes)
		if err == nil {
			c.causes, err = replay.ReadCauses(string(text))
		}
		if err != nil {
			return inFile(causes, err)
		}
	}
	for _, file := range files {
		c.judge(file)
	}
	if err := c.print(out); err != nil {
		return err
	}
	switch {
	case c.total.no > 0:
		return errRead
	case c.total.defects > 0:
		return errFound
	}
	return nil
}

// judge adds the row of one file.
func (c *checking) judge(file string) {
	var v *replay.Verdict
	r, err := readRecording(file)
	if err == nil {
		v, err = replay.Judge(&replay.Player{Recording: r, Mode: c.mode})
		err = inFile(file, err)
	}
	row := tally{name: replay.RecordingPath(file)}
	listed := c.listed(file, v, err)
	if v != nil {
		row.name = v.Recording
		row.add(v, listed)
		c.total.add(v, listed)
		for n, count := range row.deviations {
			if count > 0 {
				c.shows[n]++
			}
		}
		if !listed {
			c.defects = append(c.defects, v.Defects()...)
		}
		if len(v.Waiting) > 0 {
			c.open = append(c.open, v.Recording+" waits for "+waits(v.Waiting))
		}
	}
	if err != nil {
		row.no = 1
		c.total.no++
		fmt.Fprintln(c.errs, "error:", err)
	}
	c.rows = append(c.rows, row)
}

// listed tells whether the list has all that was found in the file.
func (c *checking) listed(file string, v *replay.Verdict, err error) bool {
	found, ok := replay.Found(replay.RecordingPath(file), v, err)
	if !ok {
		return false
	}
	for _, known := range c.causes {
		if known.Covers(found) {
			return true
		}
	}
	return false
}

// print prints the table and the lists below it.
func (c *checking) print(out io.Writer) error {
	table := c.printRows
	if c.numbers {
		table = c.printNumbers
	}
	if err := table(out); err != nil {
		return err
	}
	fmt.Fprintln(out, c.summary())
	for _, line := range c.open {
		fmt.Fprintln(out, "unfinished at the end:", line)
	}
	for k := range c.defects {
		fmt.Fprintln(out, c.defects[k].String())
	}
	return nil
}

// printRows prints a row for each recording and one for all, with a column for each deviation that occurs.
func (c *checking) printRows(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "recording\tframes\tnodes\tequal\t")
	for _, n := range c.occurring() {
		fmt.Fprintf(table, "dev %d\t", n)
	}
	fmt.Fprint(table, "ahead\tlisted\tdefects\t\n")
	for k := range c.rows {
		c.row(table, &c.rows[k])
	}
	c.total.name = fmt.Sprintf("%d recordings, mode %s", len(c.rows), c.mode)
	c.row(table, &c.total)
	return table.Flush()
}

// printNumbers prints a row for each deviation that occurs: how many states it excuses, in how many recordings.
func (c *checking) printNumbers(out io.Writer) error {
	fmt.Fprintf(out, "%9s %9s %11s  %s\n", "deviation", "states", "recordings", "what the controller does")
	for _, n := range c.occurring() {
		fmt.Fprintf(out, "%9d %9d %11d  %s\n", n, c.total.deviations[n], c.shows[n], replay.DeviationName(n))
	}
	_, err := fmt.Fprintf(out, "%d recordings, mode %s: %d of %d states are equal\n", len(c.rows), c.mode, c.total.equal, c.total.nodes)
	return err
}

// occurring are the numbers of the deviations that occur in any recording.
func (c *checking) occurring() []int {
	var numbers []int
	for n, count := range c.total.deviations {
		if count > 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func (c *checking) row(w io.Writer, t *tally) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t", t.name, t.frames, t.nodes, t.equal)
	for _, n := range c.occurring() {
		if t.deviations[n] == 0 {
			fmt.Fprint(w, ".\t")
		} else {
			fmt.Fprintf(w, "%d\t", t.deviations[n])
		}
	}
	if t.no > 0 && t != &c.total {
		fmt.Fprintf(w, "%d\t%d\tunreadable\t\n", t.ahead, t.listed)
		return
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t\n", t.ahead, t.listed, t.defects)
}

// summary says how many recordings came out how, and which deviations were seen how often.
func (c *checking) summary() string {
	t := &c.total
	var deviations []string
	for _, n := range c.occurring() {
		deviations = append(deviations, fmt.Sprintf("%d: %d", n, t.deviations[n]))
	}
	seen := "none"
	if len(deviations) > 0 {
		seen = strings.Join(deviations, ", ")
	}
	return fmt.Sprintf("total: %d clean, %d listed, %d with defects, %d unreadable; deviations %s; %d ahead; %d defects",
		t.clean, t.excused, t.differing, t.no, seen, t.ahead, t.defects)
}
