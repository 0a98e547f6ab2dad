package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// generators are what makes workflows and lets things happen to them. Each counts what it produces.
var generators = []struct {
	name   string
	census func(t *testing.T) census
}{
	{"random", randomCensus},
	{"exhaustive", exhaustiveCensus},
}

// randomSpecs is how many specifications of each random generator are counted.
const randomSpecs = 3000

// randomCensus counts what the random searches produce: specifications of both, and what happens in the wide one.
func randomCensus(*testing.T) census {
	c := make(census)
	for s := range uint64(randomSpecs) {
		spec := wideSpec(rand.New(rand.NewPCG(s, 2)), "wf")
		c.spec(spec)
		c.crossings(spec)
		c.spec(randomSpec(rand.New(rand.NewPCG(s, 3)), 40, true))
	}
	c.add(listedScan().census)
	return c
}

// exhaustiveCensus counts what the families of the exhaustive search use, and what happens in them.
func exhaustiveCensus(t *testing.T) census {
	c := make(census)
	for _, f := range exploredClusters(t) {
		c.add(f.census)
	}
	return c
}

// crossingsWanted are the places where constructs meet that workflows of a real controller had.
var crossingsWanted = []string{
	"lock of Pod", "lock of DAG", "lock of Steps", "lock of the workflow", "lock of Suspend", "lock of HTTP", "several locks", "lock of a Retry",
	"lock of a daemon", "daemon under a Retry", "daemon of a container set", "daemon in Steps", "daemon in a loop", "memoized composite",
	"memoized pod", "memoized behind a lock", "Retry of a composite", "suspend with a duration", "suspend without a duration", "loop with hooks",
	"condition with continueOn", "exit hook in DAG", "exit hook in Steps", "exit hook with an expression", "hook reads workflow.status",
	"hook reads a task", "hook reads a step", "hook is a composite", "hook is retried", "hook takes a lock",
}

// restartsWanted are the ways in which a host comes back.
var restartsWanted = []string{"load", "restore", "object", "load, lists", "restore, lists", "object, lists", "load, slow", "restore, lists, slow"}

// allConstructs lists what must be in some generator.
func allConstructs() []string {
	names := constructs()
	for _, name := range crossingsWanted {
		names = append(names, "crossing "+name)
	}
	for _, name := range restartsWanted {
		names = append(names, "Restart "+name)
	}
	return names
}

// Whatever a specification, an event or an action can be is in a generator of some search. A new field, event or action
// fails this test until one produces it. The table of all of them is in RELIABILITY.md; -rewrite rewrites it.
func TestEveryConstructIsGenerated(t *testing.T) {
	var counts []census
	head := "| construct or event |"
	rule := "| --- |"
	for _, g := range generators {
		counts = append(counts, g.census(t))
		head, rule = head+" "+g.name+" |", rule+" --- |"
	}
	lines := []string{head, rule}
	for _, name := range allConstructs() {
		line, sum := "| "+name+" |", 0
		for _, c := range counts {
			sum += c[name]
			line += map[bool]string{true: " yes |", false: " |"}[c[name] > 0]
		}
		assert.Positive(t, sum, "no generator produces %q", name)
		lines = append(lines, line)
	}
	checkTable(t, "RELIABILITY.md", "constructs", strings.Join(lines, "\n"))
}

// checkTable compares the part of a document between two marks with what it should be, or rewrites it.
func checkTable(t *testing.T, file, mark, want string) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", mark), fmt.Sprintf("\n<!-- end %s -->", mark)
	from, to := strings.Index(string(text), begin), strings.Index(string(text), end)
	require.True(t, from >= 0 && to > from, "%s has no part called %s", file, mark)
	from += len(begin)
	if rewriting() {
		text = slices.Concat(text[:from], []byte(want), text[to:])
		require.NoError(t, os.WriteFile(file, text, 0o644))
		return
	}
	assert.Empty(t, cmp.Diff(want, string(text[from:to])), "%s: the table of %s is not as it is; -rewrite rewrites it", file, mark)
}
