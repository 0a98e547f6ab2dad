// This program runs nodestatus and its peers on the same graphs, one after the other in one process, and prints what
// each takes and how many times that is of what nodestatus takes.
//
//	go run . [-n 1000,10000] [-shape layered,chain] [-time 300ms] [-slow]
package main

import (
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
	sizes  []int
	shapes []string
	budget time.Duration
	slow   bool
}

func parse(args []string) (settings, error) {
	var all []string
	for _, s := range shapes {
		all = append(all, s.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	n := flags.String("n", "1000,10000", "about how many nodes the workflows have")
	shape := flags.String("shape", strings.Join(all, ","), "which shapes to run")
	budget := flags.Duration("time", 300*time.Millisecond, "how long to repeat each measurement")
	slow := flags.Bool("slow", false, "also run what is left out at larger sizes for its time")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	s := settings{budget: *budget, slow: *slow, shapes: strings.Split(*shape, ",")}
	for _, name := range s.shapes {
		if !slices.Contains(all, name) {
			return settings{}, fmt.Errorf("-shape: %q is none of %s", name, strings.Join(all, ", "))
		}
	}
	for text := range strings.SplitSeq(*n, ",") {
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
	fmt.Fprint(out, "The fastest of several, in ns. In brackets: how many times the first line. -: left out, see -slow.\n\n")
	depends, err := measureDepends(s)
	if err != nil {
		return err
	}
	depends.print(out)
	thousand, err := measureThousandPods(s)
	if err != nil {
		return err
	}
	thousand.print(out)
	for _, op := range operations {
		for _, n := range s.sizes {
			t := table{title: fmt.Sprintf("%s; n = %d", op.title, n)}
			for _, shape := range shapes {
				if !slices.Contains(s.shapes, shape.name) {
					continue
				}
				samples, err := op.measure(s, shape.spec(n))
				if err != nil {
					return fmt.Errorf("%s, %s of %d: %w", op.title, shape.name, n, err)
				}
				t.columns = append(t.columns, column{label: shape.name, samples: samples})
			}
			t.print(out)
		}
	}
	return nil
}

// operations are what is measured on every shape and size. The flows come last: they start a goroutine for each node, and
// what allocates was seen to take longer in a process that has had thousands.
var operations = []struct {
	title   string
	measure func(s settings, spec *nodegraph.Spec) ([]sample, error)
}{
	{"Build, ns per node", measureBuild},
	{"One pod ends, ns per event, half done", measureEvent},
	{"Full pass, ns per node, half done", measurePass},
	{"Full pass with a goroutine for each node, ns per node", measureFlow},
}
