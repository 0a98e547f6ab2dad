package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// replayCommand plays recordings, prints what the library makes of each frame, or compares it with the recording.
func replayCommand(args []string, std stdio) error {
	set := flags("replay", std)
	mode := set.String("mode", "step", "where a frame starts: step, from the recorded frame before; free, from the library's own state")
	format := set.String("o", "text", "output: text, json (one line a frame) or html (a page that steps through one recording)")
	check := set.Bool("check", false, "compare with the recordings and print a table; exit code 1 if a difference is the library's fault")
	if err := set.Parse(args); err != nil {
		return usageError(err)
	}
	modes := map[string]replay.Mode{"step": replay.Step, "free": replay.Free}
	m, ok := modes[*mode]
	if !ok || *format != "text" && *format != "json" && *format != "html" || set.NArg() == 0 {
		set.Usage()
		return errUsage
	}
	out := newOutput(std.out)
	defer out.Flush()
	if *check {
		return checkAll(out, m, set.Args())
	}
	if *format == "html" && set.NArg() > 1 {
		fmt.Fprintf(std.err, "error: want one recording for -o html, got %d\nSee 'nodestatus replay -h'.\n", set.NArg())
		return errUsage
	}
	for _, file := range set.Args() {
		r, err := readRecording(file)
		if err != nil {
			return err
		}
		if *format == "html" {
			page, err := filmOf(r, m)
			if err != nil {
				return err
			}
			_, err = out.Write(page)
			return err
		}
		show := showText
		if *format == "json" {
			show = showJSON
		}
		p := &replay.Player{Recording: r, Mode: m}
		if err := p.Play(func(moment *replay.Moment) error { return show(out, r, moment) }); err != nil {
			return err
		}
	}
	return nil
}

func readRecording(file string) (*replay.Recording, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := replay.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// The line that -o json prints for a frame.
type (
	frameLine struct {
		Recording string              `json:"recording"`
		Frame     int                 `json:"frame"`
		Workflow  stateLine           `json:"workflow"`
		Nodes     map[string]nodeLine `json:"nodes"`
		Actions   []actionLine        `json:"actions"`
		Waiting   []waitLine          `json:"waiting"`
		Unknown   []string            `json:"unknown,omitempty"` // pods and recorded nodes that were never asked for
	}
	stateLine struct {
		Phase   string `json:"phase"`
		Message string `json:"message"`
	}
	nodeLine struct {
		Name    string `json:"name"`
		Type    string `json:"type"`
		Phase   string `json:"phase"`
		Message string `json:"message"`
	}
	actionLine struct {
		Type string `json:"type"`
		Node string `json:"node"`
		ID   string `json:"id"`
	}
	waitLine struct {
		Node string `json:"node"`
		For  string `json:"for"`
	}
)

func showJSON(w io.Writer, r *replay.Recording, m *replay.Moment) error {
	phase, message := m.Engine.Workflow()
	line := frameLine{
		Recording: r.Name, Frame: m.Frame, Workflow: stateLine{phase.String(), message}, Nodes: map[string]nodeLine{},
		Actions: []actionLine{}, Waiting: []waitLine{}, Unknown: append(m.Unknown, m.Result.Unknown...),
	}
	for id, s := range m.States() {
		if id != "" {
			line.Nodes[id] = nodeLine{s.Name, s.Kind.String(), s.Phase.String(), s.Message}
		}
	}
	for _, a := range m.Result.Actions {
		line.Actions = append(line.Actions, actionLine{a.Type.String(), a.Name, a.ID})
	}
	for _, o := range m.Engine.Obligations() {
		line.Waiting = append(line.Waiting, waitLine{o.Name, o.For.String()})
	}
	return json.NewEncoder(w).Encode(line)
}

func showText(w io.Writer, r *replay.Recording, m *replay.Moment) error {
	f := &r.Frames[m.Frame]
	fmt.Fprintf(w, "%s frame %d  %s\n", r.Name, m.Frame, strings.Join(f.Events, ", "))
	for _, c := range m.Result.Changes {
		fmt.Fprintf(w, "  %s (%s)\n", c, c.Rule)
	}
	for _, a := range m.Result.Actions {
		fmt.Fprintf(w, "  do: %s\n", a)
	}
	for _, id := range append(m.Unknown, m.Result.Unknown...) {
		fmt.Fprintf(w, "  ignored, never asked for: %s\n", id)
	}
	for _, o := range m.Engine.Obligations() {
		fmt.Fprintf(w, "  waits for %s\n", o)
	}
	return nil
}

// A tally is what -check counts.
type tally struct {
	frames, nodes, equal, ahead, defects int
	deviations                           [replay.Deviations + 1]int
}

func (t *tally) add(v *replay.Verdict) {
	t.frames += v.Frames
	t.nodes += v.Nodes
	t.equal += v.Equal
	for k := range v.Differences {
		switch d := &v.Differences[k]; {
		case d.Defect():
			t.defects++
		case d.Ahead:
			t.ahead++
		default:
			t.deviations[d.Deviation]++
		}
	}
}

func (t *tally) row(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t", name, t.frames, t.nodes, t.equal)
	for _, n := range t.deviations[1:] {
		if n == 0 {
			fmt.Fprint(w, ".\t")
		} else {
			fmt.Fprintf(w, "%d\t", n)
		}
	}
	fmt.Fprintf(w, "%d\t%d\t\n", t.ahead, t.defects)
}

// checkAll judges every file and prints a row for each, what is unfinished at the end, and the defects.
func checkAll(out io.Writer, mode replay.Mode, files []string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "recording\tframes\tnodes\tequal\t")
	for n := range replay.Deviations {
		fmt.Fprintf(table, "dev %d\t", n+1)
	}
	fmt.Fprint(table, "ahead\tdefects\t\n")
	var total tally
	var defects []replay.Difference
	var open []string
	for _, file := range files {
		r, err := readRecording(file)
		if err != nil {
			return err
		}
		v, err := replay.Judge(&replay.Player{Recording: r, Mode: mode})
		if err != nil {
			return err
		}
		var t tally
		t.add(v)
		total.add(v)
		t.row(table, r.Name)
		defects = append(defects, v.Defects()...)
		if len(v.Waiting) > 0 {
			open = append(open, r.Name+" waits for "+waits(v.Waiting))
		}
	}
	total.row(table, fmt.Sprintf("%d recordings, mode %s", len(files), mode))
	if err := table.Flush(); err != nil {
		return err
	}
	for _, line := range open {
		fmt.Fprintln(out, "unfinished at the end:", line)
	}
	for k := range defects {
		fmt.Fprintln(out, defects[k].String())
	}
	if len(defects) > 0 {
		return errFound
	}
	return nil
}

// waits lists obligations in a line.
func waits(list []propagate.Obligation) string {
	var parts []string
	for _, o := range list {
		name := o.Name
		if o.Node == nodegraph.Root {
			name = "the workflow"
		}
		parts = append(parts, name+" ("+o.For.String()+")")
	}
	return strings.Join(parts, ", ")
}
