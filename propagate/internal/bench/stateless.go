package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// A statelessLine is something that a controller does with a stored workflow, over and over.
type statelessLine struct {
	name string
	mark map[string]string // by shape: the ratio that is aimed at
	// prepare prepares the line for a workflow, and returns what does it so many times, and says how often that was and how much
	// processor time it took.
	prepare func(s *storedWorkflow) (stopwatch, error)
}

// A stopwatch does something at least so many times. It returns how often it did, and the processor time of that alone.
type stopwatch func(times int) (done int, took time.Duration, err error)

// repeated is a stopwatch of what needs nothing in between.
func repeated(call func() error) stopwatch {
	return func(times int) (int, time.Duration, error) {
		start := cpuTime()
		for range times {
			if err := call(); err != nil {
				return 0, 0, err
			}
		}
		return times, cpuTime() - start, nil
	}
}

// statelessLines are the lines of the table. The first is what the others are compared with.
var statelessLines = []statelessLine{
	{name: "encoding/json into map[string]any", prepare: func(s *storedWorkflow) (stopwatch, error) {
		return repeated(func() error { var o map[string]any; return json.Unmarshal(s.object, &o) }), nil
	}},
	{name: "encoding/json into Argo's types", prepare: argoDecodes},
	{name: "DeepCopy of Argo's types", prepare: argoCopies},
	{name: "Reconcile, from bytes", mark: map[string]string{"layered": "0.60", "sets": "0.60; of 100: 0.70"}, prepare: fromBytes},
	{name: "- Read", prepare: func(s *storedWorkflow) (stopwatch, error) {
		return repeated(func() error { _, err := argo.Read(s.object); return err }), nil
	}},
	{name: "- FromSnapshot", prepare: func(s *storedWorkflow) (stopwatch, error) {
		w, err := argo.Read(s.object)
		return repeated(func() error { _, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot); return err }), err
	}},
	{name: "ReconcileObject, from a map", mark: map[string]string{"layered": "0.60", "sets": "0.75 to 3,000"}, prepare: fromMap},
	{name: "Kept.Reconcile, all pods listed", mark: map[string]string{"layered": "0.10", "sets": "0.15; of 100: 0.20"}, prepare: keptListed},
	{name: "Kept.ReconcileChanged, one pod told", mark: map[string]string{"layered": "0.05; of 100: 0.15", "sets": "0.05; of 100: 0.15"}, prepare: keptTold},
}

// fromBytes is the whole call of a host that keeps nothing.
func fromBytes(s *storedWorkflow) (stopwatch, error) {
	var r reconcile.Reconciler
	return repeated(func() error {
		out, err := r.Reconcile(s.now, s.object, s.pods)
		if err == nil && out.Patch == nil {
			return fmt.Errorf("the end of a pod is not patched")
		}
		return err
	}), nil
}

// fromMap is the whole call of a host that has decoded the object, and wants the patch decoded.
func fromMap(s *storedWorkflow) (stopwatch, error) {
	var r reconcile.Reconciler
	var o map[string]any
	err := json.Unmarshal(s.object, &o)
	return repeated(func() error {
		out, err := r.ReconcileObject(s.now, o, s.pods)
		if err == nil {
			_, err = argo.DecodePatch(out.Patch)
		}
		return err
	}), err
}

// ballast is how much memory is in use besides, as in a controller: it decides how often the garbage collector runs.
const ballast = 64 << 20

// printStateless prints what a controller pays that keeps nothing of its workflows.
func printStateless(s settings, out io.Writer) error {
	held := make([]byte, ballast)
	defer runtime.KeepAlive(held)
	fmt.Fprintf(out, "%s, encoding/json %s, %d MB of ballast\n\n", runtime.Version(), jsonInUse(), ballast>>20)
	for _, shape := range objectShapes {
		if !slices.Contains(s.shapes, shape.name) {
			continue
		}
		t := statelessTable{shape: shape.name}
		for _, n := range s.sizes {
			stored, err := store(shape.spec(n), shape.containers)
			if err != nil {
				return fmt.Errorf("%s of %d: %w", shape.name, n, err)
			}
			if err := t.add(s, stored); err != nil {
				return fmt.Errorf("%s of %d: %w", shape.name, n, err)
			}
		}
		t.print(out)
	}
	return nil
}

// jsonInUse is the implementation behind encoding/json.
func jsonInUse() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOEXPERIMENT" && strings.Contains(s.Value, "jsonv2") && !strings.Contains(s.Value, "nojsonv2") {
				return "v2"
			}
		}
	}
	return "v1"
}

// A statelessTable has a column for each size.
type statelessTable struct {
	shape   string
	columns []string
	cells   [][]float64 // ns a node, by line and column
	sizes   [][]float64 // by line of sizeLines and column
}

// turns is how often all lines are stopwatch, one after the other.
const turns = 9

// add measures all lines in turns, and adds a column: what slows the machine down for a while slows all of them down.
func (t *statelessTable) add(s settings, stored *storedWorkflow) error {
	calls := make([]stopwatch, len(statelessLines))
	times := make([]int, len(statelessLines))
	samples := make([][]float64, len(statelessLines))
	for turn := range turns + 1 {
		for k, line := range statelessLines {
			if turn == 0 {
				var err error
				if calls[k], err = line.prepare(stored); err != nil {
					return fmt.Errorf("%s: %w", line.name, err)
				}
				times[k] = 1
			}
			done, took, err := calls[k](times[k])
			switch {
			case err != nil:
				return fmt.Errorf("%s: %w", line.name, err)
			case turn == 0: // it warms up
				times[k] = max(1, int(s.budget/turns/max(took/time.Duration(done), 1)))
				continue
			}
			samples[k] = append(samples[k], float64(took.Nanoseconds())/float64(done*stored.nodes))
		}
	}
	t.columns = append(t.columns, digits(float64(stored.nodes)))
	for k := range samples {
		if len(t.cells) <= k {
			t.cells = append(t.cells, nil)
		}
		slices.Sort(samples[k])
		t.cells[k] = append(t.cells[k], samples[k][turns/2])
	}
	for k, line := range sizeLines {
		size, err := line.of(stored)
		if err != nil {
			return fmt.Errorf("%s: %w", line.name, err)
		}
		if len(t.sizes) <= k {
			t.sizes = append(t.sizes, nil)
		}
		t.sizes[k] = append(t.sizes[k], size)
	}
	return nil
}

// print prints the table in Markdown: the ratio to the first line, and ns a node.
func (t *statelessTable) print(out io.Writer) {
	fmt.Fprintf(out, "| %s, nodes | mark | %s |\n|%s\n", t.shape, strings.Join(t.columns, " | "), strings.Repeat(" --- |", 2+len(t.columns)))
	for k, line := range statelessLines {
		fmt.Fprintf(out, "| %s | %s |", line.name, cmp.Or(line.mark[t.shape], "-"))
		for c, ns := range t.cells[k] {
			if k == 0 {
				fmt.Fprintf(out, " %s ns |", digits(ns))
			} else {
				fmt.Fprintf(out, " %.2f (%s ns) |", ns/t.cells[0][c], digits(ns))
			}
		}
		fmt.Fprintln(out)
	}
	for k, line := range sizeLines {
		fmt.Fprintf(out, "| %s | %s |", line.name, line.mark)
		for _, size := range t.sizes[k] {
			fmt.Fprintf(out, " %s |", digits(size))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
}
