package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tableIn returns the table of a document that stands between two comments.
func tableIn(t *testing.T, file, name string) string {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, begins := strings.Cut(string(text), "<!-- begin "+name+" -->\n")
	inside, _, ends := strings.Cut(rest, "<!-- end "+name+" -->")
	require.True(t, begins && ends, "%s has no part called %s", file, name)
	return inside
}

// names keeps the first line of a table, and so many cells of each other.
func names(table string, cells int) []string {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for k, line := range lines[1:] {
		parts := strings.Split(line, "|")
		lines[1+k] = strings.Join(parts[:min(1+cells, len(parts))], "|")
	}
	return lines
}

func allShapes() []string {
	var all []string
	for _, s := range shapes {
		all = append(all, s.name)
	}
	return all
}

// PERFORMANCE.md shows what -marks prints. Times differ from run to run; lines, columns and marks do not.
func TestPerformanceShowsTheMarks(t *testing.T) {
	var out strings.Builder
	printTable(nil, allShapes(), nil, &out)
	assert.Equal(t, names(out.String(), 2), names(tableIn(t, "../../PERFORMANCE.md", "marks"), 2))
}

// PERFORMANCE.md shows what -stateless prints.
func TestPerformanceShowsTheStateless(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-stateless", "-n", "100", "-time", "1ns"}, &out))
	lines := func(text string) (first []string) {
		for line := range strings.Lines(text) {
			if cells := strings.Split(line, "|"); len(cells) > 3 {
				first = append(first, cells[1]+"|"+cells[2])
			}
		}
		return first
	}
	assert.Equal(t, lines(out.String()), lines(tableIn(t, "../../PERFORMANCE.md", "stateless")))
}

// Every line of the marks has its benchmarks.
func TestMarksHaveBenchmarks(t *testing.T) {
	source, err := os.ReadFile("../../bench_test.go")
	require.NoError(t, err)
	for _, m := range marks {
		for _, benchmark := range m.benchmarks {
			assert.Contains(t, string(source), "func Benchmark"+benchmark+"(", m.name)
		}
	}
}

// README.md shows what the program prints.
func TestReadmeShowsThePeers(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{"-n", "40", "-time", "1ns"}, &out))
	printed := strings.Replace(out.String(), "n = 40,", "n = 1000,", 1)
	assert.Equal(t, names(printed, 1), names(tableIn(t, "README.md", "peers"), 1))
}

// The fastest round of each benchmark counts; a line shows the least and the greatest of all sizes.
func TestMarksAreTheFastestRounds(t *testing.T) {
	is, err := readBenchmarks([]byte(`goos: linux
BenchmarkFixedPoint/fan-in/100-2   	    1000	      5000 ns/op	        50.0 ns/node	       0 B/op	       0 allocs/op
BenchmarkFixedPoint/fan-in/100-2   	    1000	      3000 ns/op	        30.0 ns/node	       0 B/op	       0 allocs/op
BenchmarkFixedPoint/fan-in/1000    	    1000	     39000 ns/op	        39.0 ns/node	       0 B/op	       0 allocs/op
BenchmarkFixedPoint/sets/100       	    1000	      5000 ns/op	        50.0 ns/node	       0 B/op	       2 allocs/op
BenchmarkMemory/sets/100           	    1000	      5000 ns/op	       250 B/node	        20.0 text-B/node	       0 B/op	       2 allocs/op
PASS
`))
	require.NoError(t, err)
	var out strings.Builder
	printTable(is, []string{"fan-in", "sets"}, []string{"100", "1000"}, &out)
	assert.Equal(t, `| | mark | fan-in | sets | met |
| --- | --- | --- | --- | --- |
| full pass, ns per node | 40 | 30 to 39 | 50 | fan-in |
| local event by index, ns | 200 | - | - | no |
| repeated observation, ns | - | - | - | - |
| cascade, ns per changed node | 100 | - | - | no |
| allocations of each of these | 0 | 0 | 2.0 | fan-in |
| build, ns per node | 500 | - | - | no |
| state, bytes per node beside its texts | 250 | - | 250 | sets |
`, out.String())
	_, err = readBenchmarks([]byte("BenchmarkFixedPoint/fan-in/100-2 1000 much ns/op"))
	assert.Error(t, err)
}
