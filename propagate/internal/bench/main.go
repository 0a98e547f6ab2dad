// This program runs nodestatus and its peers on the same graphs, one after the other in one process, and prints what
// each takes and how many times that is of what nodestatus takes. With -marks it measures the engine against its marks, with
// -stateless what a controller pays that keeps nothing of its workflows. What it prints is Markdown.
//
//	go run . [-n 1000,10000] [-shape layered,chain] [-time 300ms] [-slow]
//	go run . -marks [-n 100,1000] [-shape layered,chain] [-time 100ms]
//	go run . -stateless [-n 100,1000] [-shape layered,sets] [-time 1s]
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A settings is what the flags say.
type settings struct {
	sizes     []int
	shapes    []string
	budget    time.Duration
	slow      bool
	marks     bool
	stateless bool
}

func parse(args []string) (settings, error) {
	var all []string
	for _, s := range shapes {
		all = append(all, s.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	n := flags.String("n", "", "about how many nodes the workflows have (default 1000; with -marks 100 to 100000, with -stateless 100 to 10000)")
	shape := flags.String("shape", strings.Join(all, ","), "which shapes to run")
	budget := flags.Duration("time", 0, "how long to repeat each measurement (default 300ms; with -marks 100ms, with -stateless 1s)")
	slow := flags.Bool("slow", false, "also run what is left out at larger sizes for its time")
	marks := flags.Bool("marks", false, "measure the engine against its marks")
	stateless := flags.Bool("stateless", false, "measure what a controller pays that keeps nothing of its workflows")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	s := settings{budget: cmp.Or(*budget, 300*time.Millisecond), slow: *slow, marks: *marks, stateless: *stateless, shapes: strings.Split(*shape, ",")}
	sizes := cmp.Or(*n, "1000")
	switch {
	case s.marks:
		s.budget, sizes = cmp.Or(*budget, 100*time.Millisecond), cmp.Or(*n, "100,1000,10000,100000")
	case s.stateless:
		s.budget, sizes = cmp.Or(*budget, time.Second), cmp.Or(*n, "100,1000,3000,10000")
	}
	for _, name := range s.shapes {
		if !slices.Contains(all, name) {
			return settings{}, fmt.Errorf("-shape: %q is none of %s", name, strings.Join(all, ", "))
		}
	}
	for text := range strings.SplitSeq(sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil || size < 10 || size > 1_000_000 {
			return settings{}, fmt.Errorf("-n: %q is no number from 10 to 1000000", text)
		}
		s.sizes = append(s.sizes, size)
	}
	return s, nil
}

func run(args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	switch {
	case s.marks:
		return printMarks(s, out)
	case s.stateless:
		return printStateless(s, out)
	}
	for _, n := range s.sizes {
		t, err := compared(s, n)
		if err != nil {
			return err
		}
		t.print(out)
	}
	return nil
}

// compared measures everything on workflows of about n nodes.
func compared(s settings, n int) (table, error) {
	t := table{title: fmt.Sprintf("n = %d, ns", n)}
	for _, shape := range shapes {
		if slices.Contains(s.shapes, shape.name) {
			t.columns = append(t.columns, shape.name)
		}
	}
	samples, err := measureDepends(s)
	if err != nil {
		return t, err
	}
	t.groups = append(t.groups, group{"a `depends` of six literals, per evaluation", [][]sample{samples}})
	for _, op := range operations {
		g := group{title: op.title}
		for _, shape := range shapes {
			if !slices.Contains(s.shapes, shape.name) {
				continue
			}
			samples, err := op.measure(s, shape.spec(n))
			if err != nil {
				return t, fmt.Errorf("%s, %s of %d: %w", op.title, shape.name, n, err)
			}
			g.columns = append(g.columns, samples)
		}
		t.groups = append(t.groups, g)
	}
	return t, nil
}

// operations are what is measured on every shape and size. The flows come last: they start a goroutine for each node, and
// what allocates was seen to take longer in a process that has had thousands.
var operations = []struct {
	title   string
	measure func(s settings, spec *nodegraph.Spec) ([]sample, error)
}{
	{"build, per node", measureBuild},
	{"one pod ends, half done, per event", measureEvent},
	{"full pass, half done, per node", measurePass},
	{"full pass with a goroutine for each node, per node", measureFlow},
}
