package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

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
	numbers := set.Bool("numbers", false, "with -check: a row for each deviation instead of one for each recording")
	causes := set.String("causes", "", "with -check: a list of recordings that are known to differ, as propagate/replay/testdata/causes.txt is; what it lists is no fault")
	if err := set.Parse(args); err != nil {
		return usageError(err)
	}
	modes := map[string]replay.Mode{"step": replay.Step, "free": replay.Free}
	m, ok := modes[*mode]
	if !ok || *format != "text" && *format != "json" && *format != "html" || set.NArg() == 0 || (*causes != "" || *numbers) && !*check {
		set.Usage()
		return errUsage
	}
	out := newOutput(std.out)
	defer out.Flush()
	switch {
	case *check:
		c := &checking{mode: m, numbers: *numbers, errs: std.err}
		return c.checkAll(out, *causes, set.Args())
	case *format == "html" && set.NArg() > 1:
		fmt.Fprintf(std.err, "error: want one recording for -o html, got %d\nSee 'nodestatus replay -h'.\n", set.NArg())
		return errUsage
	case *format == "html":
		return showFilm(out, m, set.Arg(0))
	}
	show := showText
	if *format == "json" {
		show = showJSON
	}
	return showAll(out, std.err, m, show, set.Args())
}

// showAll plays every file and shows every frame. A file that can't be read or played ends what is shown of it, and is
// reported; the others are shown all the same.
func showAll(out *bufio.Writer, errs io.Writer, mode replay.Mode, show func(io.Writer, *replay.Recording, *replay.Moment) error, files []string) error {
	var failed error
	for _, file := range files {
		r, err := readRecording(file)
		if err == nil {
			p := &replay.Player{Recording: r, Mode: mode}
			err = inFile(file, p.Play(func(moment *replay.Moment) error { return show(out, r, moment) }))
		}
		if err != nil {
			failed = errRead
			fmt.Fprintln(errs, "error:", err)
		}
	}
	return failed
}

// showFilm prints the page of one recording.
func showFilm(out io.Writer, mode replay.Mode, file string) error {
	r, err := readRecording(file)
	if err != nil {
		return err
	}
	page, err := filmOf(r, mode)
	if err != nil {
		return inFile(file, err)
	}
	_, err = out.Write(page)
	return err
}

// inFile names the file in the error.
func inFile(file string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", file, err)
}

func readRecording(file string) (*replay.Recording, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := replay.Read(data)
	return r, inFile(file, err)
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
