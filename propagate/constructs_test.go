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

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
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

// randomRuns is how many workflows of the random search are run to be counted.
const randomRuns = 60

// randomCensus counts what the random searches produce: specifications of both, and what happens in them.
func randomCensus(t *testing.T) census {
	c := make(census)
	for s := range uint64(randomSpecs) {
		spec := wideSpec(rand.New(rand.NewPCG(s, 2)), "wf")
		c.spec(spec)
		c.crossings(spec)
		c.spec(propagatetest.RandomSpec(rand.New(rand.NewPCG(s, 3)), 40))
	}
	for s := range uint64(randomRuns) {
		propagatetest.Random{Seed: s + 1, After: func(_ *propagate.Engine, events []propagate.Event, r *propagate.Result) { c.called(events, r) }}.Run(t)
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

// groupNames are the names of groups of constructs that are no fields of a type.
var groupNames = map[string]string{
	"kind": "kinds of templates", "event": "events", "action": "actions", "crossing": "where constructs meet", "Restart": "restarts",
}

// groupOf divides the name of a construct into its group and the rest.
func groupOf(construct string) (group, name string) {
	k := strings.IndexAny(construct, ". ")
	group, name = construct[:k], construct[k+1:]
	if is, ok := groupNames[group]; ok {
		return is, name
	}
	return "fields of " + group, name
}

// constructsTable shows in Markdown which constructs every search produces, and which only some: a column for each.
func constructsTable(searches []string, counts []census) string {
	var groups []string
	cells := make(map[string][]string) // by group and search; the last is of those that every search produces
	for _, construct := range allConstructs() {
		group, name := groupOf(construct)
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
		var by []string
		for k, c := range counts {
			if c[construct] > 0 {
				by = append(by, group+searches[k])
			}
		}
		if len(by) == len(searches) {
			by = []string{group}
		}
		for _, cell := range by {
			cells[cell] = append(cells[cell], strings.ReplaceAll(name, ", ", " + "))
		}
	}
	lines := []string{"| | every search | " + strings.Join(searches, " alone | ") + " alone |", "| --- | --- |" + strings.Repeat(" --- |", len(searches))}
	cell := func(names []string) string { return strings.TrimSuffix(" "+strings.Join(names, ", "), " ") + " |" }
	for _, group := range groups {
		line := "| " + group + " |" + cell(cells[group])
		for _, search := range searches {
			line += cell(cells[group+search])
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Whatever a specification, an event or an action can be is in a generator of some search. A new field, event or action
// fails this test until one produces it. The table of all of them is in RELIABILITY.md; -rewrite rewrites it, -v prints it.
func TestEveryConstructIsGenerated(t *testing.T) {
	var searches []string
	var counts []census
	for _, g := range generators {
		searches, counts = append(searches, g.name), append(counts, g.census(t))
	}
	for _, construct := range allConstructs() {
		produced := slices.ContainsFunc(counts, func(c census) bool { return c[construct] > 0 })
		assert.True(t, produced, "no generator produces %q", construct)
	}
	table := constructsTable(searches, counts)
	t.Log("\n" + table)
	checkTable(t, "RELIABILITY.md", "constructs", table)
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
