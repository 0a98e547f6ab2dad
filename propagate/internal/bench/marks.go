package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// A mark is what a benchmark of package propagate is held to.
type mark struct {
	name       string
	benchmarks []string
	unit       string
	most       float64 // below zero: there is no mark
}

// marks are the lines of the table.
var marks = []mark{
	{"full pass, ns per node", []string{"FixedPoint"}, "ns/node", 40},
	{"local event by index, ns", []string{"LocalEvent"}, "ns/event", 200},
	{"repeated observation, ns", []string{"Repeated"}, "ns/event", -1},
	{"cascade, ns per changed node", []string{"Cascade"}, "ns/changed-node", 100},
	{"allocations of each of these", []string{"FixedPoint", "LocalEvent", "Repeated", "Cascade"}, "allocs/op", 0},
	{"build, ns per node", []string{"Build"}, "ns/node", 500},
	{"state, bytes per node beside its texts", []string{"Memory"}, "B/node", 250},
}

// rounds is how often all benchmarks run, one time after the other. The fastest round of each counts: what slows the machine down
// for a while seldom meets one benchmark in all of them.
const rounds = 5

// A measured is the smallest value of any round, by benchmark, shape, size and unit.
type measured map[string]float64

func keyOf(benchmark, shape, size, unit string) string {
	return strings.Join([]string{benchmark, shape, size, unit}, "/")
}

// printMarks runs the benchmarks of package propagate and prints what they came to beside the marks.
func printMarks(s settings, out io.Writer) error {
	var sizes, names []string
	for _, n := range s.sizes {
		sizes = append(sizes, strconv.Itoa(n))
	}
	for _, m := range marks {
		names = append(names, m.benchmarks...)
	}
	only := fmt.Sprintf("^Benchmark(%s)$/^(%s)$/^(%s)$", strings.Join(names, "|"), strings.Join(s.shapes, "|"), strings.Join(sizes, "|"))
	var text []byte
	for range rounds {
		test := exec.Command("go", "test", "-run", "^$", "-bench", only, "-benchtime", s.budget.String(), "-timeout", "0",
			"github.com/nodestatus/nodestatus/propagate")
		test.Stderr = os.Stderr
		round, err := test.Output()
		if err != nil {
			return fmt.Errorf("the benchmarks of package propagate: %w\n%s", err, round)
		}
		text = append(text, round...)
	}
	is, err := readBenchmarks(text)
	if err != nil {
		return err
	}
	printTable(is, s.shapes, sizes, out)
	return nil
}

// readBenchmarks reads what go test prints of benchmarks.
func readBenchmarks(text []byte) (measured, error) {
	is := make(measured)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.Split(strings.TrimPrefix(fields[0], "Benchmark"), "/")
		if len(name) != 3 {
			continue
		}
		size, _, _ := strings.Cut(name[2], "-") // the number of cores follows
		for k := 2; k+1 < len(fields); k += 2 {
			value, err := strconv.ParseFloat(fields[k], 64)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", lines.Text(), err)
			}
			key := keyOf(name[0], name[1], size, fields[k+1])
			if least, known := is[key]; !known || value < least {
				is[key] = value
			}
		}
	}
	return is, nil
}

// printTable prints a line for each mark, in Markdown: the range of the sizes for each shape, and which shapes meet it.
func printTable(is measured, shapes, sizes []string, out io.Writer) {
	fmt.Fprintf(out, "| | mark | %s | met |\n|%s\n", strings.Join(shapes, " | "), strings.Repeat(" --- |", len(shapes)+3))
	for _, m := range marks {
		most := "-"
		if m.most >= 0 {
			most = digits(m.most)
		}
		fmt.Fprintf(out, "| %s | %s |", m.name, most)
		var met []string
		for _, shape := range shapes {
			low, high := m.extremes(is, shape, sizes)
			if low <= high && high <= m.most {
				met = append(met, shape)
			}
			switch {
			case low > high:
				fmt.Fprint(out, " - |")
			case digits(low) == digits(high):
				fmt.Fprintf(out, " %s |", digits(low))
			default:
				fmt.Fprintf(out, " %s to %s |", digits(low), digits(high))
			}
		}
		fmt.Fprintf(out, " %s |\n", m.verdict(met, shapes))
	}
}

// extremes returns the least and the greatest value of any size. The least is greater than the other if there is none.
func (m mark) extremes(is measured, shape string, sizes []string) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, benchmark := range m.benchmarks {
		for _, size := range sizes {
			if value, known := is[keyOf(benchmark, shape, size, m.unit)]; known {
				low, high = min(low, value), max(high, value)
			}
		}
	}
	return low, high
}

// verdict says which shapes meet the mark at every size.
func (m mark) verdict(met, shapes []string) string {
	switch {
	case m.most < 0:
		return "-"
	case slices.Equal(met, shapes):
		return "yes"
	case len(met) == 0:
		return "no"
	}
	return strings.Join(met, ", ")
}
