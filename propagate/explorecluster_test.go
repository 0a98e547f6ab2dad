package propagate_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate/explore"
)

var updateExplored = flag.Bool("update-explored", false, "rewrite testdata/known-explored.txt with the faults that are found")

// knownExplored is the list of faults that the exhaustive search finds, each with its smallest input.
var knownExplored = filepath.Join("testdata", "known-explored.txt")

// An exploredFault is the shortest way to one kind of fault in one family.
type exploredFault struct {
	family, kind, graph string
	moves               int
	path                string
}

// String is the fault as it stands in the list.
func (f exploredFault) String() string {
	return fmt.Sprintf("%s | %s\n  graph: %s\n  events: %s", f.family, f.kind, f.graph, f.path)
}

// explored explores a family, and returns the shortest way to each kind of fault.
func (f family) explored(t *testing.T, count *explore.Count) []exploredFault {
	var faults []exploredFault
	at := make(map[string]int) // by kind
	for _, c := range f.cases {
		specs, err := c.specs()
		require.NoError(t, err, c)
		cluster := f.cluster
		if *exploreSize > 3 {
			cluster.Harm++
		}
		x := &explore.Exploration{Specs: specs, Cluster: &cluster, Bound: f.bound, Count: count}
		if c.facts != nil {
			x.Facts, x.Cluster = explore.About(0, c.facts...), nil
			x.Where = func(w *explore.World, _ bool) string { return x.BySaid(w) }
		}
		if c.manifest != "" {
			cluster.Written = c.written
		}
		x.Found = func(kind string, path fmt.Stringer, err error) {
			moves := path.(interface{ Len() int }).Len()
			k, known := at[kind]
			if !known {
				k = len(faults)
				at[kind] = k
				faults = append(faults, exploredFault{})
			}
			if !known || moves < faults[k].moves {
				faults[k] = exploredFault{f.name, kind, c.String(), moves, path.String()}
				if testing.Verbose() {
					t.Logf("%s | %s\n%s\n%s\n%v", f.name, kind, c, path, err)
				}
			}
		}
		x.Run(t)
	}
	return faults
}

// Everything that may happen to small workflows in a cluster: see families. What is found is what is known.
func TestExploreClusters(t *testing.T) {
	faults := make([][]exploredFault, len(families))
	counts := make([]explore.Count, len(families))
	t.Run("families", func(t *testing.T) {
		for k, f := range families {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				faults[k] = f.explored(t, &counts[k])
			})
		}
	})
	var list []string
	for k := range families {
		t.Log(families[k].name+":", &counts[k])
		for _, fault := range faults[k] {
			list = append(list, fault.String())
		}
	}
	got := strings.Join(list, "\n") + "\n"
	if *updateExplored {
		require.NoError(t, os.WriteFile(knownExplored, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(knownExplored)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")), "-known +found")
}
